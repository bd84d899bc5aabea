/* sim/threads/world.c - four hosts on two wires (work.h), and what sim/vsocket.c asks of the program around
 * it. */
#include "sim/netconfig.h"
#include "sim/test.h"
#include "sim/threads/work.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct world world;

static const struct {
    const char *name, *address, *gateway;
} hosts[HOSTS] = { { "a", "10.0.0.1", "10.0.0.254" },
                   { "b", "10.0.0.2", "10.0.0.254" },
                   { "r", "10.0.0.254", NULL },
                   { "c", "10.1.0.1", "10.1.0.254" } };

uint32_t vk_parse_ip(const char *text, unsigned *prefix)
{
    uint32_t ip = 0;

    if (netconfig_parse(text, &ip, prefix))
        panic("%s is no address", text);
    return ip;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    panic("%s:%d: %s", file, line, fmt);
}

const char *world_address(unsigned from, unsigned to)
{
    return from == to ? "127.0.0.1" : hosts[to].address;
}

static void must(int err, const char *what)
{
    if (err < 0)
        panic("%s: error %d", what, -err);
}

static void add_card(unsigned host, unsigned n, const char *device, const char *address, unsigned wire)
{
    struct net *net = world.hosts[host].net;
    uint8_t mac[6] = { 2, 0, 0, 0, (uint8_t)wire, (uint8_t)n };

    world.cards[n] = card_create(net, device, mac, host == HOST_A ? NETIF_F_HW_CSUM : 0, &world.wires[wire]);
    must(netconfig_address(net, device, vk_parse_ip(address, NULL), 24), "address");
}

static void make_host(unsigned host)
{
    struct vkernel *vk = &world.hosts[host];

    vk->addr = vk_parse_ip(hosts[host].address, NULL);
    vk->net = net_create(hosts[host].name);
    if (!vk->net)
        panic("no net");
    must(netconfig_address(vk->net, "lo", INADDR_LOOPBACK, 8), "lo");
    add_card(host, host, "eth0", hosts[host].address, host == HOST_C);
    if (hosts[host].gateway)
        must(netconfig_route(vk->net, "0.0.0.0/0", hosts[host].gateway), "route");
}

void world_make(void)
{
    world = (struct world){ .wires = { { .loss_per_million = 5000, .duplicates_per_million = 2000 },
                                       { .loss_per_million = 5000 } } };
    for (unsigned host = 0; host < HOSTS; host++)
        make_host(host);
    add_card(HOST_R, HOSTS, "eth1", "10.1.0.254", 1);
    must(net_sysctl_set(world.hosts[HOST_R].net, "net/ipv4/ip_forward", "1"), "ip_forward");
}

void world_unmake(void)
{
    for (unsigned n = 0; n <= HOSTS; n++)
        card_destroy(world.cards[n]);
    for (unsigned host = 0; host < HOSTS; host++)
        net_destroy(world.hosts[host].net);
}
