/* net/ipv4/ip_forward_test.c - a router between two links: 10.0.0.1 on the tap's, 10.0.1.1 on the other's. */
#include "net/ipv4/arp.h"
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include "sim/netconfig.h"

enum { IP = FRAME_HEADER };

struct router {
    struct host near; /* the tap is 10.0.0.2 */
    struct wire *far_wire;
    struct vnic *far_nic;
    struct tap *far; /* 10.0.1.2 */
};

static struct router router_create(void)
{
    static const uint8_t mac[6] = { 2, 9, 0, 0, 0, 1 };
    struct router r = { .near = host_create(), .far_wire = wire_create("far") };
    struct net *net = r.near.vk->net;

    CHECK_EQ(net_sysctl_set(net, "net/ipv4/ip_forward", "1"), 0);
    r.far_nic = vnic_create(net, "eth1", mac, r.far_wire, NULL);
    CHECK_EQ(netconfig_address(net, "eth1", vk_parse_ip("10.0.1.1", NULL), 24), 0);
    r.far = tap_create(r.far_wire, ip4(10, 0, 1, 2));
    sim_run_for(ms(1));
    tap_flush(r.far);
    return r;
}

static void router_destroy(struct router *r)
{
    tap_destroy(r->far);
    vnic_destroy(r->far_nic);
    wire_destroy(r->far_wire);
    host_destroy(&r->near);
}

static struct packet datagram(const struct router *r, uint32_t to, const void *data, size_t n)
{
    struct packet p = to_host(&r->near, PACKET_UDP);

    p.daddr = to;
    p.sport = 1000;
    p.dport = 2000;
    p.payload = data;
    p.payload_len = n;
    return p;
}

static uint64_t dropped(const struct router *r, enum skb_drop_reason reason)
{
    return host_drops(&r->near, reason);
}

TEST(a_packet_for_another_link_goes_on_with_one_less_to_live) // RFC 1812 5.3.1; checklist 11
{
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(10, 0, 1, 2), "onward", 6);

    p.ttl = 9;
    tap_send(r.near.tap, &p);
    EXPECT_IP(r.far, &p, PACKET_UDP);
    CHECK_EQ(p.ttl, 8);
    CHECK(p.ip_checksum_ok && p.checksum_ok);
    CHECK_EQ(p.saddr, ip4(10, 0, 0, 2));
    CHECK_EQ(p.payload_len, 6);
    CHECK(!memcmp(p.src_mac, r.far_nic->dev->dev_addr, 6));
    CHECK_EQ(r.near.vk->net->ipv4->counters.forw_datagrams, 1);
    router_destroy(&r);
}

TEST(a_host_that_is_no_router_is_silent) // RFC 1122 3.3.1.1; checklist 14
{
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(10, 0, 1, 2), "x", 1);

    CHECK_EQ(net_sysctl_set(r.near.vk->net, "net/ipv4/ip_forward", "0"), 0);
    tap_send(r.near.tap, &p);
    EXPECT_SILENCE(r.far, ms(10));
    EXPECT_SILENCE(r.near.tap, ms(10));
    CHECK_EQ(dropped(&r, SKB_DROP_IP_NOT_FOR_US), 1);
    router_destroy(&r);
}

TEST(the_last_hop_of_a_packet_is_told_to_its_sender) // RFC 1812 5.3.1, RFC 792: time exceeded
{
    struct router r = router_create();

    for (uint8_t ttl = 1; ttl <= 2; ttl++) {
        struct packet p = datagram(&r, ip4(10, 0, 1, 2), "x", 1);
        p.ttl = ttl;
        tap_send(r.near.tap, &p);
        if (ttl == 2) {
            EXPECT_IP(r.far, &p, PACKET_UDP);
            CHECK_EQ(p.ttl, 1);
            continue;
        }
        EXPECT_IP(r.near.tap, &p, PACKET_ICMP);
        CHECK_EQ(p.icmp_type, ICMP_TIME_EXCEEDED);
        CHECK_EQ(p.icmp_code, ICMP_EXC_TTL);
        CHECK_EQ(p.saddr, r.near.vk->addr);
    }
    CHECK_EQ(dropped(&r, SKB_DROP_IP_TTL), 1);
    router_destroy(&r);
}

TEST(a_destination_without_a_route_is_unreachable) // RFC 1812 5.2.7.1
{
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(192, 0, 2, 1), "x", 1);

    tap_send(r.near.tap, &p);
    EXPECT_IP(r.near.tap, &p, PACKET_ICMP);
    CHECK_EQ(p.icmp_type, ICMP_DEST_UNREACH);
    CHECK_EQ(p.icmp_code, ICMP_NET_UNREACH);
    CHECK_EQ(dropped(&r, SKB_DROP_IP_NO_ROUTE), 1);
    router_destroy(&r);
}

TEST(a_silent_next_hop_is_a_host_unreachable) // RFC 1122 2.4; checklist 7
{
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(10, 0, 1, 77), "x", 1);

    tap_send(r.near.tap, &p);
    sim_run_for(sec(5));
    EXPECT_IP(r.near.tap, &p, PACKET_ICMP);
    CHECK_EQ(p.icmp_type, ICMP_DEST_UNREACH);
    CHECK_EQ(p.icmp_code, ICMP_HOST_UNREACH);
    router_destroy(&r);
}

TEST(a_packet_too_big_for_the_next_link_is_cut_or_its_sender_told) // RFC 791 3.2, RFC 1191 4; checklist 25,
                                                                   // 113
{
    static const uint8_t data[1200];
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(10, 0, 1, 2), data, sizeof data), got;

    CHECK_EQ(netconfig_mtu(r.near.vk->net, "eth1", 600), 0);
    p.frag_off = IP_DF;
    tap_send(r.near.tap, &p);
    EXPECT_IP(r.near.tap, &got, PACKET_ICMP);
    CHECK_EQ(got.icmp_type, ICMP_DEST_UNREACH);
    CHECK_EQ(got.icmp_code, ICMP_FRAG_NEEDED);
    CHECK_EQ(got.icmp_rest, 600);
    CHECK_EQ(dropped(&r, SKB_DROP_IP_TOO_BIG), 1);

    p.frag_off = 0;
    tap_send(r.near.tap, &p);
    for (unsigned offset = 0; offset < 1208; offset += 576) {
        EXPECT_IP(r.far, &got, PACKET_UDP);
        CHECK_EQ(got.frag_off, (offset / 8) | (offset + 576 < 1208 ? IP_MF : 0));
        CHECK(got.ip_checksum_ok);
    }
    router_destroy(&r);
}

TEST(what_belongs_to_one_link_is_not_passed_on) // RFC 1812 5.3.4, 5.3.7, RFC 2644
{
    static const uint32_t never[] = { 0xe0000105 /* 224.0.1.5 */, 0xf0000001 /* 240.0.0.1 */, 0x00010203,
                                      0x0a0001ff /* 10.0.1.255 */ };
    struct router r = router_create();
    struct packet p;

    for (unsigned i = 0; i < ARRAY_SIZE(never); i++) {
        p = datagram(&r, never[i], "x", 1);
        tap_send(r.near.tap, &p);
        EXPECT_SILENCE(r.far, ms(10));
        EXPECT_SILENCE(r.near.tap, ms(10));
    }
    p = datagram(&r, ip4(10, 0, 1, 2), "x", 1);
    memset(p.dst_mac, 0xff, 6); /* a frame for everybody on the link */
    tap_send(r.near.tap, &p);
    EXPECT_SILENCE(r.far, ms(10));
    CHECK_EQ(dropped(&r, SKB_DROP_IP_NOT_FOR_US), ARRAY_SIZE(never) + 1);
    router_destroy(&r);
}

TEST(a_sender_that_takes_a_detour_is_redirected) // RFC 1812 5.2.7.2, RFC 792
{
    static const uint8_t mac[6] = { 2, 9, 0, 0, 0, 3 };
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(192, 0, 2, 9), "x", 1);

    CHECK_EQ(vk_add_route(r.near.vk, "192.0.2.0/24", "10.0.0.3"),
             0); /* by a router on the sender's own link */
    CHECK_EQ(neigh_set_permanent(r.near.vk->nic->dev, ip_address(10, 0, 0, 3), mac), 0);
    r.near.tap->only_for_me = true; /* what goes to that router is not looked at */
    tap_send(r.near.tap, &p);
    EXPECT_IP(r.near.tap, &p, PACKET_ICMP);
    CHECK_EQ(p.icmp_type, ICMP_REDIRECT);
    CHECK_EQ(p.icmp_code, ICMP_REDIR_HOST);
    CHECK_EQ(p.icmp_rest, ip4(10, 0, 0, 3));
    CHECK_EQ(r.near.vk->net->ipv4->counters.forw_datagrams, 1); /* and the packet goes on */
    sim_run_for(sec(10));
    router_destroy(&r);
}

TEST(errors_on_their_way_through_beget_no_errors) // RFC 1122 3.2.2; checklist 29
{
    struct router r = router_create();
    struct packet p = to_host(&r.near, PACKET_ICMP);

    p.daddr = ip4(192, 0, 2, 1);
    p.icmp_type = ICMP_DEST_UNREACH;
    p.payload = "the header that was quoted";
    p.payload_len = 26;
    tap_send(r.near.tap, &p);
    EXPECT_SILENCE(r.near.tap, ms(10));
    CHECK_EQ(dropped(&r, SKB_DROP_IP_NO_ROUTE), 1);
    router_destroy(&r);
}

/* ---- knobs ---- */

static void set(const struct router *r, const char *path, const char *value)
{
    CHECK_EQ(net_sysctl_set(r->near.vk->net, path, value), 0);
}

static bool passes(struct router *r, uint32_t from, uint32_t to)
{
    struct packet p = datagram(r, to, "x", 1);

    p.saddr = from;
    tap_flush(r->far);
    tap_send(r->near.tap, &p);
    return tap_receive(r->far, &p, ms(10));
}

TEST(each_device_has_a_switch_for_forwarding) /* ip-sysctl: conf/DEVICE/forwarding */
{
    struct router r = router_create();

    CHECK(passes(&r, r.near.tap->ip, r.far->ip));
    set(&r, "net/ipv4/conf/eth0/forwarding", "0"); /* it counts where the packet came in */
    CHECK(!passes(&r, r.near.tap->ip, r.far->ip));
    set(&r, "net/ipv4/conf/eth0/forwarding", "1");
    CHECK(passes(&r, r.near.tap->ip, r.far->ip));
    set(&r, "net/ipv4/conf/all/forwarding", "0"); /* sets every device */
    CHECK(!passes(&r, r.near.tap->ip, r.far->ip));
    char text[8];
    CHECK_EQ(net_sysctl_get(r.near.vk->net, "net/ipv4/ip_forward", text, sizeof text), 2);
    CHECK_EQ(text[0], '0');
    router_destroy(&r);
}

TEST(a_directed_broadcast_is_passed_on_where_that_is_wanted) /* RFC 2644 */
{
    struct router r = router_create();
    struct packet p = datagram(&r, ip4(10, 0, 1, 255), "all of you", 10);

    tap_send(r.near.tap, &p);
    EXPECT_SILENCE(r.far, ms(10));
    set(&r, "net/ipv4/conf/all/bc_forwarding", "1");
    tap_send(r.near.tap, &p);
    EXPECT_SILENCE(r.far, ms(10)); /* the device has a word, too */
    set(&r, "net/ipv4/conf/eth0/bc_forwarding", "1");
    tap_send(r.near.tap, &p);
    EXPECT_IP(r.far, &p, PACKET_UDP);
    CHECK(p.dst_mac[0] == 0xff && p.dst_mac[5] == 0xff);
    router_destroy(&r);
}

TEST(addresses_of_one_link_are_not_passed_on_as_sources_either) /* RFC 1812 5.3.7, RFC 3927 7 */
{
    static const uint32_t never[] = { 0x00010203, 0xf0000001 /* 240.0.0.1 */, 0xa9fe0101 /* 169.254.1.1 */ };
    struct router r = router_create();

    for (unsigned i = 0; i < ARRAY_SIZE(never); i++)
        CHECK(!passes(&r, never[i], r.far->ip));
    CHECK(!passes(&r, r.near.tap->ip, 0xa9fe0102));
    router_destroy(&r);
}

TEST(a_source_must_be_reached_by_the_way_it_came_if_that_is_asked) /* RFC 3704 2.2, 2.4 */
{
    struct router r = router_create();
    const uint32_t beyond = ip4(198, 51, 100, 7); /* reached by the far link */

    CHECK_EQ(vk_add_route(r.near.vk, "198.51.100.0/24", "10.0.1.9"), 0);
    CHECK(passes(&r, beyond, r.far->ip));
    set(&r, "net/ipv4/conf/eth0/rp_filter", "1");
    CHECK(!passes(&r, beyond, r.far->ip));
    CHECK(passes(&r, r.near.tap->ip, r.far->ip));
    CHECK_EQ(dropped(&r, SKB_DROP_IP_REVERSE_PATH), 1);
    set(&r, "net/ipv4/conf/all/rp_filter", "2"); /* the larger one counts */
    CHECK(passes(&r, beyond, r.far->ip));
    CHECK(!passes(&r, ip4(203, 0, 113, 1), r.far->ip)); /* no way there at all */
    set(&r, "net/ipv4/conf/all/rp_filter", "0");
    set(&r, "net/ipv4/conf/eth0/rp_filter", "0");
    CHECK(passes(&r, ip4(203, 0, 113, 1), r.far->ip));
    router_destroy(&r);
}

TEST(martians_are_logged_but_not_too_many) /* RFC 1812 5.3.8 */
{
    enum { MARTIANS = 30 };
    struct router r = router_create();
    struct ipv4_state *ipv4 = r.near.vk->net->ipv4;

    CHECK(!passes(&r, ip4(127, 0, 0, 1), r.far->ip));
    CHECK_EQ(ipv4->martians_until, 0); /* nobody wants to know */
    set(&r, "net/ipv4/conf/eth0/log_martians", "1");
    for (unsigned i = 0; i < MARTIANS; i++)
        CHECK(!passes(&r, ip4(127, 0, 0, 1), r.far->ip));
    CHECK(ipv4->martians_until > 0 && ipv4->martians == MARTIANS); /* ten of them made a line */
    CHECK_EQ(dropped(&r, SKB_DROP_IP_SOURCE_INVALID), MARTIANS + 1);
    router_destroy(&r);
}

TEST(routes_that_refuse_tell_why) /* RFC 1812 5.2.7.1, ip-route(8) */
{
    static const struct {
        uint8_t type, code;
        bool silent;
    } refusals[] = { { ROUTE_UNREACHABLE, ICMP_HOST_UNREACH, false },
                     { ROUTE_PROHIBIT, ICMP_ADMIN_PROHIBITED, false },
                     { ROUTE_BLACKHOLE, 0, true } };
    struct router r = router_create();

    for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
        const struct fib_route route = { .dst = ip_address(192, 0, 2, 0),
                                         .prefix_len = 24,
                                         .type = refusals[i].type };
        struct packet p = datagram(&r, ip4(192, 0, 2, 1), "x", 1);
        CHECK_EQ(fib_add(r.near.vk->net, &route), 0);
        tap_send(r.near.tap, &p);
        if (refusals[i].silent) {
            EXPECT_SILENCE(r.near.tap, ms(10));
        } else {
            EXPECT_IP(r.near.tap, &p, PACKET_ICMP);
            CHECK(p.icmp_type == ICMP_DEST_UNREACH && p.icmp_code == refusals[i].code);
        }
        CHECK_EQ(dropped(&r, SKB_DROP_IP_NO_ROUTE), i + 1);
        CHECK_EQ(fib_del(r.near.vk->net, &route), 0);
    }
    router_destroy(&r);
}

/* ---- redirects ---- */

/* A datagram that the router sends out again on the link it came by; is its sender told? */
static bool is_redirected(struct router *r)
{
    struct packet p = datagram(r, ip4(192, 0, 2, 9), "x", 1);

    tap_flush(r->near.tap);
    tap_send(r->near.tap, &p);
    return tap_receive(r->near.tap, &p, us(100)) && p.icmp_type == ICMP_REDIRECT;
}

static struct router router_with_detour(void)
{
    static const uint8_t mac[6] = { 2, 9, 0, 0, 0, 3 };
    struct router r = router_create();

    CHECK_EQ(vk_add_route(r.near.vk, "192.0.2.0/24", "10.0.0.3"), 0);
    CHECK_EQ(neigh_set_permanent(r.near.vk->nic->dev, ip_address(10, 0, 0, 3), mac), 0);
    r.near.tap->only_for_me = true;
    return r;
}

TEST(who_does_not_listen_to_redirects_is_told_less_and_less) /* RFC 1812 4.3.2.8, 5.2.7.2 */
{
    struct router r = router_with_detour();
    unsigned told = 0;

    CHECK(is_redirected(&r));
    CHECK(!is_redirected(&r)); /* at once again: no */
    for (unsigned i = 0; i < 20000; i++) {
        told += is_redirected(&r);
        sim_run_for(ms(1));
    }
    CHECK_EQ(told, 8);    /* nine in all */
    sim_run_for(sec(21)); /* it was quiet: from the start again */
    CHECK(is_redirected(&r));
    router_destroy(&r);
}

TEST(a_router_may_be_told_to_send_no_redirects) /* ip-sysctl: send_redirects, either */
{
    struct router r = router_with_detour();

    set(&r, "net/ipv4/conf/all/send_redirects", "0");
    CHECK(is_redirected(&r));
    sim_run_for(sec(1));
    set(&r, "net/ipv4/conf/eth0/send_redirects", "0");
    CHECK(!is_redirected(&r));
    router_destroy(&r);
}

/* ---- several ways ---- */

TEST(flows_through_a_router_spread_and_each_keeps_to_its_way) /* RFC 2991 */
{
    enum { FLOWS = 200 };
    static const uint8_t macs[2][6] = { { 2, 9, 0, 0, 0, 8 }, { 2, 9, 0, 0, 0, 9 } };
    struct router r = router_create();
    struct fib_route route = {
        .dst = ip_address(192, 0, 2, 0), .prefix_len = 24, .type = ROUTE_UNICAST, .n_nexthops = 2
    };
    unsigned by_first = 0;

    r.far->only_for_me = false;
    for (unsigned i = 0; i < 2; i++) {
        route.nexthops[i] =
            (struct fib_nexthop){ .dev = r.far_nic->dev, .gateway = ip_address(10, 0, 1, (uint8_t)(8 + i)) };
        CHECK_EQ(neigh_set_permanent(r.far_nic->dev, route.nexthops[i].gateway, macs[i]), 0);
    }
    CHECK_EQ(fib_add(r.near.vk->net, &route), 0);
    for (uint16_t flow = 0; flow < FLOWS; flow++) {
        uint8_t way = 0;
        for (unsigned n = 0; n < 2; n++) {
            struct packet p = datagram(&r, ip4(192, 0, 2, 9), "x", 1);
            p.sport = flow;
            tap_send(r.near.tap, &p);
            EXPECT_IP(r.far, &p, PACKET_UDP);
            CHECK(!n || p.dst_mac[5] == way);
            way = p.dst_mac[5];
        }
        by_first += way == 8;
    }
    CHECK(by_first > FLOWS * 35 / 100 && by_first < FLOWS * 65 / 100);
    router_destroy(&r);
}
