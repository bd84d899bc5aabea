/* net/ipv4/route_test.c - the routing table, and the requests that configure a host. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include <stdio.h>

static be32 ip(const char *text)
{
    return cpu_to_be32(vk_parse_ip(text, NULL));
}

static bool same(be32 a, const char *text)
{
    return be32_equal(a, ip(text));
}

/* The next hop towards text; fails the test if there is none. */
static be32 next_hop(const struct host *h, const char *text)
{
    struct dst_entry *dst;

    CHECK_EQ(ip_route_output(h->vk->net, ip(text), (be32){ 0 }, 0, &dst), 0);
    be32 gateway = dst->gateway;
    dst_release(dst);
    return gateway;
}

static int route_error(const struct host *h, const char *to, const char *from)
{
    struct dst_entry *dst;
    int err = ip_route_output(h->vk->net, ip(to), ip(from), 0, &dst);

    if (!err)
        dst_release(dst);
    return err;
}

TEST(the_longest_prefix_wins) // RFC 1122 3.3.1
{
    struct host h = host_create();

    CHECK_EQ(vk_add_route(h.vk, "0.0.0.0/0", "10.0.0.254"), 0);
    CHECK_EQ(vk_add_route(h.vk, "172.16.0.0/12", "10.0.0.12"), 0);
    CHECK_EQ(vk_add_route(h.vk, "172.16.5.0/24", "10.0.0.24"), 0);
    CHECK_EQ(vk_add_route(h.vk, "172.16.5.5/32", "10.0.0.32"), 0);
    CHECK(same(next_hop(&h, "172.16.5.5"), "10.0.0.32"));
    CHECK(same(next_hop(&h, "172.16.5.6"), "10.0.0.24"));
    CHECK(same(next_hop(&h, "172.31.255.255"), "10.0.0.12"));
    CHECK(same(next_hop(&h, "172.32.0.1"), "10.0.0.254"));
    CHECK(same(next_hop(&h, "10.0.0.77"), "10.0.0.77"));
    CHECK_EQ(vk_add_route(h.vk, "172.16.0.0/12", "10.0.0.12"), -EEXIST);
    CHECK_EQ(vk_add_route(h.vk, "192.168.0.0/16", "192.168.0.1"), -ENETUNREACH);
    host_destroy(&h);
}

TEST(a_changed_table_makes_routes_stale)
{
    struct host h = host_create();
    struct dst_entry *dst;

    CHECK_EQ(route_error(&h, "172.16.0.1", "0.0.0.0"), -ENETUNREACH);
    CHECK_EQ(vk_add_route(h.vk, "0.0.0.0/0", "10.0.0.254"), 0);
    CHECK_EQ(ip_route_output(h.vk->net, ip("172.16.0.1"), (be32){ 0 }, 0, &dst), 0);
    CHECK(!dst_is_stale(h.vk->net, dst));
    CHECK_EQ(vk_add_route(h.vk, "172.16.0.0/12", "10.0.0.12"), 0);
    CHECK(dst_is_stale(h.vk->net, dst));
    CHECK(same(next_hop(&h, "172.16.0.1"), "10.0.0.12"));
    dst_release(dst);
    host_destroy(&h);
}

TEST(a_source_address_must_be_ours) // RFC 1122 3.2.1.3
{
    struct host h = host_create();

    CHECK_EQ(route_error(&h, "10.0.0.2", "10.0.0.1"), 0);
    CHECK_EQ(route_error(&h, "10.0.0.2", "10.0.0.3"), -EINVAL);
    CHECK_EQ(route_error(&h, "10.0.0.2", "10.0.0.255"), -EINVAL);
    host_destroy(&h);
}

TEST(addresses_are_told_apart)
{
    struct host h = host_create();
    struct net *net = h.vk->net;
    const struct net_device *eth = h.vk->nic->dev;

    CHECK_EQ(inet_addr_kind(net, ip("10.0.0.1"), eth), DST_LOCAL);
    CHECK_EQ(inet_addr_kind(net, ip("127.1.2.3"), NULL), DST_LOCAL);
    CHECK_EQ(inet_addr_kind(net, ip("10.0.0.255"), eth), DST_BROADCAST);
    CHECK_EQ(inet_addr_kind(net, ip("10.0.0.0"), eth), DST_BROADCAST);
    CHECK_EQ(inet_addr_kind(net, ip("255.255.255.255"), eth), DST_BROADCAST);
    CHECK_EQ(inet_addr_kind(net, ip("224.0.0.1"), eth), DST_MULTICAST);
    CHECK_EQ(inet_addr_kind(net, ip("10.0.0.2"), eth), DST_UNICAST);
    CHECK_EQ(inet_addr_kind(net, ip("8.8.8.8"), NULL), DST_UNICAST);
    host_destroy(&h);
}

TEST(every_prefix_length_has_its_netmask)
{
    for (unsigned len = 0; len <= 32; len++)
        CHECK_EQ(inet_prefix_len(inet_netmask((uint8_t)len)), (int)len);
    CHECK(same(inet_netmask(20), "255.255.240.0"));
    CHECK_EQ(inet_prefix_len(ip("255.0.255.0")), -EINVAL);
    CHECK_EQ(inet_prefix_len(ip("0.0.0.255")), -EINVAL);
}

/* ---- requests, as ifconfig makes them ---- */

static struct ifreq eth0(void)
{
    return (struct ifreq){ .ifr_name = "eth0" };
}

static const char *address_of(const struct ifreq *r)
{
    static char text[16];
    struct sockaddr_in in;

    memcpy(&in, &r->ifr_addr, sizeof in);
    ksnprintf(text, sizeof text, "%pI4", (const void *)&(be32){ in.sin_addr.s_addr });
    return text;
}

TEST(a_device_tells_what_ifconfig_asks) // netdevice(7)
{
    struct host h = host_create();
    struct ifreq r = eth0();

    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFADDR, &r), 0);
    CHECK(!strcmp(address_of(&r), "10.0.0.1"));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFNETMASK, &r), 0);
    CHECK(!strcmp(address_of(&r), "255.255.255.0"));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFBRDADDR, &r), 0);
    CHECK(!strcmp(address_of(&r), "10.0.0.255"));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFHWADDR, &r), 0);
    CHECK(r.ifr_hwaddr.sa_family == ARPHRD_ETHER && !memcmp(r.ifr_hwaddr.sa_data, host_mac(&h), 6));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFMTU, &r), 0);
    CHECK_EQ(r.ifr_mtu, 1500);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFFLAGS, &r), 0);
    CHECK((r.ifr_flags & (IFF_UP | IFF_RUNNING | IFF_BROADCAST)) == (IFF_UP | IFF_RUNNING | IFF_BROADCAST));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFINDEX, &r), 0);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFNAME, &r), 0);
    CHECK(!strcmp(r.ifr_name, "eth0"));
    strcpy(r.ifr_name, "eth9");
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFMTU, &r), -ENODEV);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFMTU, NULL), -EFAULT);
    CHECK_EQ(vk_ioctl(h.vk, 0x1234, &r), -ENOTTY);
    host_destroy(&h);
}

TEST(the_list_of_interfaces_fits_the_buffer_it_gets) // netdevice(7) SIOCGIFCONF
{
    struct host h = host_create();
    struct ifreq r[4];
    struct ifconf conf = { .ifc_len = sizeof r };

    conf.ifc_buf = NULL;
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFCONF, &conf), 0);
    CHECK_EQ(conf.ifc_len, 2 * sizeof *r);
    conf = (struct ifconf){ .ifc_len = sizeof r, .ifc_req = r };
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFCONF, &conf), 0);
    CHECK_EQ(conf.ifc_len, 2 * sizeof *r);
    CHECK(!strcmp(r[0].ifr_name, "lo") && !strcmp(r[1].ifr_name, "eth0"));
    conf = (struct ifconf){ .ifc_len = sizeof *r + 1, .ifc_req = r };
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFCONF, &conf), 0);
    CHECK_EQ(conf.ifc_len, sizeof *r);
    host_destroy(&h);
}

TEST(a_device_down_has_no_routes_and_sends_nothing)
{
    struct host h = host_create();
    struct ifreq r = eth0();

    CHECK_EQ(vk_add_route(h.vk, "0.0.0.0/0", "10.0.0.254"), 0);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags &= (short)~IFF_UP;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    CHECK_EQ(route_error(&h, "10.0.0.2", "0.0.0.0"), -ENETUNREACH);
    CHECK_EQ(inet_addr_kind(h.vk->net, ip("10.0.0.1"), NULL), DST_UNICAST);
    r.ifr_flags |= IFF_UP;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    CHECK_EQ(route_error(&h, "10.0.0.2", "10.0.0.1"), 0);
    CHECK_EQ(route_error(&h, "8.8.8.8", "0.0.0.0"), -ENETUNREACH); /* the gateway must be set again */
    sim_run_for(ms(1));                                            /* it announces itself */
    expect_alive(&h);
    host_destroy(&h);
}

TEST(the_loopback_device_takes_only_its_own_address_down)
{
    struct host h = host_create();
    struct ifreq r = { .ifr_name = "lo" };

    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    CHECK_EQ(inet_addr_kind(h.vk->net, ip("127.0.0.1"), NULL), DST_UNICAST);
    CHECK_EQ(inet_addr_kind(h.vk->net, ip("10.0.0.1"), NULL), DST_LOCAL);
    r.ifr_flags = IFF_UP;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    CHECK_EQ(inet_addr_kind(h.vk->net, ip("127.0.0.1"), NULL), DST_LOCAL);
    host_destroy(&h);
}

TEST(a_small_mtu_cuts_what_is_sent)
{
    struct host h = host_create();
    struct ifreq r = eth0();
    uint8_t data[1000] = { 0 };
    struct packet p;

    r.ifr_mtu = 576;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFMTU, &r), 0);
    p = echo_request(&h, data, sizeof data);
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.frag_off == 0x2000);
    r.ifr_mtu = 67;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFMTU, &r), -EINVAL);
    r.ifr_mtu = 100000;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFMTU, &r), -EINVAL);
    host_destroy(&h);
}

TEST(what_an_address_is_changes_with_the_table) /* whatever was answered before */
{
    struct host h = host_create();
    struct net *net = h.vk->net;
    struct fib_route r = { .dst = ip("192.0.2.0"),
                           .prefix_len = 24,
                           .type = ROUTE_LOCAL,
                           .n_nexthops = 1,
                           .nexthops = { { .dev = h.vk->nic->dev } } };

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 200; i++) {
            be32 addr = cpu_to_be32(be32_to_cpu(r.dst) + i % 100);
            CHECK_EQ(inet_addr_kind(net, addr, NULL), DST_UNICAST);
            CHECK_EQ(inet_addr_kind(net, ip("10.0.0.255"), NULL), DST_BROADCAST);
            CHECK_EQ(inet_addr_kind(net, ip("10.0.0.255"), net->loopback), DST_UNICAST); /* of another link */
        }
        CHECK_EQ(fib_add(net, &r), 0);
        for (unsigned i = 0; i < 200; i++)
            CHECK_EQ(inet_addr_kind(net, cpu_to_be32(be32_to_cpu(r.dst) + i % 100), NULL), DST_LOCAL);
        CHECK_EQ(fib_del(net, &r), 0);
    }
    CHECK_EQ(inet_addr_kind(net, (be32){ 0 }, NULL), DST_UNICAST);
    host_destroy(&h);
}

TEST(the_route_file_is_linux_s)
{
    struct host h = host_create();
    char text[2000], *line;
    struct textbuf t = { .buf = text, .size = sizeof text };
    unsigned dst, gateway, flags, mask;
    char name[16];

    CHECK_EQ(vk_add_route(h.vk, "0.0.0.0/0", "10.0.0.254"), 0);
    net_proc_find(h.vk->net, "route")->show(h.vk->net, &t);
    line = strchr(text, '\n') + 1;
    CHECK_EQ(sscanf(line, "%15s %x %x %x %*d %*u %*d %x", name, &dst, &gateway, &flags, &mask), 5);
    CHECK(!strcmp(name, "eth0") && !dst && gateway == 0xfe00000a && flags == 3 && !mask);
    line = strchr(line, '\n') + 1;
    CHECK_EQ(sscanf(line, "%15s %x %x %x %*d %*u %*d %x", name, &dst, &gateway, &flags, &mask), 5);
    CHECK(!strcmp(name, "eth0") && dst == 0x0000000a && !gateway && flags == 1 && mask == 0x00ffffff);
    CHECK(!strchr(line, '\n')[1]);
    host_destroy(&h);
}

/* ---- hooks ---- */

static enum ip_verdict refuse_icmp(const struct ip_hook *hook, struct sk_buff *skb)
{
    unsigned *calls = hook->arg;

    ++*calls;
    return ip_hdr(skb)->protocol == IPPROTO_ICMP ? IP_DROP : IP_ACCEPT;
}

TEST(a_hook_sees_and_refuses_packets_at_each_place)
{
    static const enum ip_hook_place places[] = { IP_HOOK_PREROUTING, IP_HOOK_LOCAL_IN, IP_HOOK_LOCAL_OUT,
                                                 IP_HOOK_POSTROUTING };
    struct host h = host_create();
    unsigned calls = 0;
    const struct ip_hook hook = { .fn = refuse_icmp, .arg = &calls };

    expect_alive(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        struct packet p = echo_request(&h, "x", 1);
        CHECK_EQ(ip_hook_register(h.vk->net, places[i], &hook), 0);
        tap_send(h.tap, &p);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_IP_FILTER), i + 1);
        CHECK_EQ(calls, i + 1);
        ip_hook_unregister(h.vk->net, places[i], &hook);
        expect_alive(&h);
    }
    host_destroy(&h);
}
