/* sim/vkernel.c - a virtual kernel's beginning and end: configured through the requests that ifconfig makes.
 */
#include "sim/vkernel.h"
#include "net/core/net_namespace.h"
#include "sim/netconfig.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <stdlib.h>
#include <string.h>

#define MUST(call)                                                                                           \
    do {                                                                                                     \
        int must_err_ = (call);                                                                              \
        if (must_err_ < 0)                                                                                   \
            test_fail(__FILE__, __LINE__, "%s is %d (%s)", #call, must_err_, strerror(-must_err_));          \
    } while (0)

uint32_t vk_parse_ip(const char *text, unsigned *prefix)
{
    uint32_t ip = 0;

    if (netconfig_parse(text, &ip, prefix))
        test_fail(__FILE__, __LINE__, "%s is no IPv4 address", text);
    return ip;
}

int vk_ioctl(struct vkernel *vk, unsigned request, void *arg)
{
    return netconfig_ioctl(vk->net, request, arg);
}

static void default_mac(uint8_t mac[6], uint32_t ip)
{
    mac[0] = 0x02;
    mac[1] = 0x01;
    for (unsigned i = 0; i < 4; i++)
        mac[2 + i] = (uint8_t)(ip >> (24 - 8 * i));
}

struct vkernel *vk_create_with(const char *name, const char *address, const uint8_t mac[6], struct wire *w,
                               const struct vnic_config *config)
{
    struct vkernel *vk = calloc(1, sizeof *vk);
    uint8_t own_mac[6];
    unsigned prefix;

    if (!vk)
        abort();
    vk->addr = vk_parse_ip(address, &prefix);
    default_mac(own_mac, vk->addr);
    vk->net = net_create(name);
    CHECK(vk->net);
    vk->nic = vnic_create(vk->net, "eth0", mac ? mac : own_mac, w, config);
    CHECK(vk->nic);
    MUST(netconfig_address(vk->net, "lo", INADDR_LOOPBACK, 8));
    MUST(netconfig_address(vk->net, "eth0", vk->addr, prefix));
    return vk;
}

struct vkernel *vk_create(const char *name, const char *address, const uint8_t mac[6], struct wire *w)
{
    return vk_create_with(name, address, mac, w, NULL);
}

int64_t vk_live_skbs(const struct vkernel *vk)
{
    return vk->net->live_skbs - vk->net->ring_skbs;
}

void vk_destroy(struct vkernel *vk)
{
    vnic_destroy(vk->nic);
    if (vk->net->ring_skbs)
        test_fail(__FILE__, __LINE__, "%s: %lld sk_buffs in a ring that is gone", vk->net->name,
                  (long long)vk->net->ring_skbs);
    net_destroy(vk->net); /* its pool of sk_buffs panics if one is left */
    free(vk);
}

int vk_add_route(struct vkernel *vk, const char *destination, const char *gateway)
{
    return netconfig_route(vk->net, destination, gateway);
}

struct vpair vpair_create(const struct vnic_config *config)
{
    struct vpair p = { .wire = wire_create("wire") };

    p.wire->delay = us(500);
    p.wire->bits_per_second = 100000000;
    p.a = vk_create_with("a", "10.0.0.1/24", NULL, p.wire, config);
    p.b = vk_create_with("b", "10.0.0.2/24", NULL, p.wire, config);
    return p;
}

void vpair_destroy(struct vpair *p)
{
    vk_destroy(p->a);
    vk_destroy(p->b);
    wire_destroy(p->wire);
}
