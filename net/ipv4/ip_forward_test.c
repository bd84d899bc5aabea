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

    net->ipv4->forwarding = true;
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

    r.near.vk->net->ipv4->forwarding = false;
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
