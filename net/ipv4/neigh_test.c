/* net/ipv4/neigh_test.c - the table of neighbours: who stays, who leaves, what a route remembers, who is
 * told. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ip.h"
#include "net/ipv4/neigh.h"
#include <stdio.h>

static struct net_device *device(const struct host *h)
{
    return h->vk->nic->dev;
}

static int state_of(const struct host *h, uint8_t last)
{
    struct neigh_info info;
    return neigh_get(device(h), ip_address(10, 0, 0, last), &info) ? -1 : (int)info.state;
}

static void count_one(const struct neigh_info *info, void *arg)
{
    (void)info;
    ++*(unsigned *)arg;
}

static unsigned entries(const struct host *h)
{
    unsigned n = 0;
    neigh_for_each(h->vk->net, count_one, &n);
    return n;
}

static void send_arp(struct host *h, uint16_t op, uint32_t sender, uint32_t target)
{
    struct packet p = {
        .ethertype = FRAME_ARP, .arp_op = op, .arp_sender_ip = sender, .arp_target_ip = target
    };

    memcpy(p.arp_sender_mac, h->tap->mac, 6);
    tap_send(h->tap, &p);
    sim_run_for(us(10));
}

static void send_udp(struct sock *sk, uint32_t to)
{
    char text[16];

    snprintf(text, sizeof text, "%u.%u.%u.%u", to >> 24, to >> 16 & 255, to >> 8 & 255, to & 255);
    (void)vk_sendto(sk, "x", 1, 0, text, 9);
}

/* How many ARP requests came within duration. */
static unsigned requests_within(struct host *h, uint64_t duration)
{
    uint64_t end = time_now() + duration;
    struct packet p;
    unsigned n = 0;

    while (time_now() < end && tap_receive(h->tap, &p, end - time_now()))
        n += p.ethertype == FRAME_ARP && p.arp_op == FRAME_ARP_REQUEST;
    return n;
}

/* ---- a route and its neighbour ---- */

TEST(a_route_finds_the_new_neighbour_when_its_own_was_forgotten) // DESIGN 2; arp(8) -d
{
    static const uint8_t elsewhere[6] = { 2, 7, 7, 7, 7, 7 };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_send(sk, "a", 1, 0), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK_EQ(neigh_forget(device(&h), ip_address(10, 0, 0, 2)), 0);
    CHECK_EQ(neigh_set_permanent(device(&h), ip_address(10, 0, 0, 2), elsewhere), 0);
    h.tap->only_for_me = false;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(vk_send(sk, "b", 1, 0), 1);
        EXPECT_IP(h.tap, &p, PACKET_UDP);
        CHECK(!memcmp(p.dst_mac, elsewhere, 6));
    }
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_route_outlives_its_neighbour_and_is_stale_then)
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct dst_entry *dst;
    struct packet p;

    CHECK_EQ(ip_route_output(h.vk->net, ip_address(10, 0, 0, 2), (be32){ 0 }, 0, &dst), 0);
    send_udp(sk, ip4(10, 0, 0, 2));
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(dst->neigh && !dst_is_stale(h.vk->net, dst));
    CHECK_EQ(neigh_forget(device(&h), ip_address(10, 0, 0, 2)), 0);
    send_udp(sk, ip4(10, 0, 0, 2));
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(dst_is_stale(h.vk->net, dst));
    dst_release(dst);
    vk_close(sk);
    host_destroy(&h);
}

/* ---- confirmation ---- */

TEST(an_answer_to_no_question_confirms_nothing) // RFC 4861 7.2.5, 7.3.3's idea
{
    struct host h = host_create();

    send_arp(&h, FRAME_ARP_REPLY, ip4(10, 0, 0, 7), h.vk->addr);
    CHECK_EQ(state_of(&h, 7), NEIGH_STALE);
    host_destroy(&h);
}

TEST(a_conversation_by_tcp_spares_the_questions) // RFC 1122 2.3.2.1, RFC 4861 7.3.1
{
    struct vpair w = vpair_create(NULL);
    struct sock *listener = vk_socket(w.b, SOCK_STREAM), *a = vk_socket(w.a, SOCK_STREAM), *b;
    struct tap *tap;
    struct packet p;
    char c;

    CHECK_EQ(vk_bind(listener, NULL, 7), 0);
    CHECK_EQ(vk_listen(listener, 1), 0);
    CHECK_EQ(vk_connect(a, "10.0.0.2", 7), 0);
    b = vk_accept(listener, NULL);
    tap = tap_create(w.wire, ip4(10, 0, 0, 99));
    tap->only_for_me = false;
    for (int i = 0; i < 300; i++) { /* five minutes, ten times REACHABLE_TIME */
        CHECK_EQ(vk_send(a, "x", 1, 0), 1);
        CHECK_EQ(vk_recv(b, &c, 1, 0), 1);
        CHECK_EQ(vk_send(b, "y", 1, 0), 1);
        CHECK_EQ(vk_recv(a, &c, 1, 0), 1);
        sim_run_for(sec(1));
        while (tap_receive(tap, &p, 0))
            CHECK(p.ethertype != FRAME_ARP);
    }
    tap_destroy(tap);
    vk_close(a);
    vk_close(b);
    vk_close(listener);
    vpair_destroy(&w);
}

TEST(without_progress_a_neighbour_in_use_is_asked_again) // RFC 4861 7.3.3
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    unsigned asked = 0;

    h.tap->only_for_me = true;
    for (int i = 0; i < 120; i++) {
        send_udp(sk, ip4(10, 0, 0, 2));
        asked += requests_within(&h, sec(1));
    }
    CHECK_EQ(state_of(&h, 2) == NEIGH_FAILED, 0);
    CHECK_EQ(asked, 0); /* the tap itself answers these and keeps none */
    h.tap->answers_arp = false;
    for (int i = 0; i < 120; i++) {
        send_udp(sk, ip4(10, 0, 0, 2));
        asked += requests_within(&h, sec(1));
    }
    CHECK(asked >= 3);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_program_that_hears_answers_spares_the_questions) // send(2), MSG_CONFIRM
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    send_udp(sk, ip4(10, 0, 0, 2));
    sim_run_for(ms(1));
    h.tap->answers_arp = false;
    for (int i = 0; i < 120; i++) {
        CHECK_EQ(vk_sendto(sk, "x", 1, MSG_CONFIRM, "10.0.0.2", 9), 1);
        CHECK_EQ(requests_within(&h, sec(1)), 0);
    }
    CHECK_EQ(state_of(&h, 2), NEIGH_REACHABLE);
    vk_close(sk);
    host_destroy(&h);
}

/* ---- a full table ---- */

TEST(a_scan_of_the_network_neither_fills_memory_nor_costs_a_friend_his_entry) // issue: a /8 scan
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM), *scanner = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    CHECK_EQ(vk_add_route(h.vk, "11.0.0.0/8", "10.0.0.2"), 0);
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/gc_thresh3", "64"), 0);
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/gc_thresh2", "32"), 0);
    send_udp(sk, ip4(10, 0, 0, 2));
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK_EQ(state_of(&h, 2), NEIGH_REACHABLE);
    for (uint32_t i = 0; i < 2000; i++) {
        send_udp(scanner, ip4(10, 0, 0, (uint8_t)(3 + i % 250)));
        send_udp(scanner, ip4(10, 0, 0, (uint8_t)(3 + i * 7 % 250)));
        CHECK(entries(&h) <= 64);
        CHECK_EQ(state_of(&h, 2), NEIGH_REACHABLE);
        sim_run_for(us(100));
    }
    sim_run_for(sec(10));
    tap_flush(h.tap);
    send_udp(sk, ip4(10, 0, 0, 2));
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    vk_close(sk);
    vk_close(scanner);
    host_destroy(&h);
}

TEST(a_new_neighbour_is_found_in_the_middle_of_a_flood) // issue: nor starve live entries
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/gc_thresh3", "64"), 0);
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/gc_thresh2", "32"), 0);
    for (unsigned i = 0; i < 300; i++)
        send_arp(&h, FRAME_ARP_REQUEST, ip4(10, 0, 0, (uint8_t)(3 + i % 250)), h.vk->addr);
    for (unsigned i = 0; i < 300; i++)
        send_udp(sk, ip4(10, 0, 0, (uint8_t)(3 + i % 250)));
    tap_flush(h.tap);
    send_udp(sk, ip4(10, 0, 0, 2));
    sim_run_for(ms(1));
    CHECK_EQ(state_of(&h, 2), NEIGH_REACHABLE);
    do
        CHECK(tap_receive(h.tap, &p, sec(1)));
    while (p.ethertype == FRAME_ARP || p.daddr != h.tap->ip);
    CHECK(entries(&h) <= 64);
    vk_close(sk);
    host_destroy(&h);
}

TEST(permanent_neighbours_are_neither_counted_nor_collected) // arp(7), as Linux's gc_entries
{
    const uint8_t mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
    struct host h = host_create();

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/gc_thresh3", "8"), 0);
    for (uint8_t i = 100; i < 150; i++)
        CHECK_EQ(neigh_set_permanent(device(&h), ip_address(10, 0, 0, i), mac), 0);
    for (uint8_t i = 3; i < 90; i++)
        send_arp(&h, FRAME_ARP_REQUEST, ip4(10, 0, 0, i), h.vk->addr);
    CHECK(entries(&h) <= 50 + 8);
    for (uint8_t i = 100; i < 150; i++)
        CHECK_EQ(state_of(&h, i), NEIGH_PERMANENT);
    CHECK_EQ(neigh_forget(device(&h), ip_address(10, 0, 0, 100)), 0);
    CHECK_EQ(neigh_forget(device(&h), ip_address(10, 0, 0, 100)), -ENXIO);
    host_destroy(&h);
}

TEST(an_old_neighbour_is_forgotten_only_where_there_are_many) // gc_thresh1
{
    struct host h = host_create();

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/gc_thresh1", "2"), 0);
    for (uint8_t i = 10; i < 15; i++)
        send_arp(&h, FRAME_ARP_REQUEST, ip4(10, 0, 0, i), h.vk->addr);
    sim_run_for(sec(1300));
    CHECK_EQ(entries(&h), 2);
    host_destroy(&h);
}

TEST(what_waits_for_addresses_is_bounded_in_all) // RFC 1122 2.3.2.2, and no more than memory has
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    h.tap->answers_arp = false;
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/neigh/default/unres_qlen", "1024"), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUF, 8 << 20), 0);
    for (unsigned i = 0; i < 5000; i++)
        send_udp(sk, ip4(10, 0, 0, (uint8_t)(3 + i / 500)));
    CHECK(vk_live_skbs(h.vk) <= 4096 + 20);
    CHECK(host_drops(&h, SKB_DROP_NEIGH_QUEUE_FULL) >= 900);
    vk_close(sk);
    host_destroy(&h);
}

/* ---- administrators ---- */

TEST(an_entry_is_made_and_changed_as_the_flags_allow) // ip-neighbour(8): add, change, replace
{
    static const uint8_t one[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 }, two[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };
    static const struct {
        const uint8_t *mac;
        enum neigh_state state;
        unsigned flags;
        int result, state_then;
    } steps[] = {
        { one, NEIGH_STALE, 0, -ENOENT, -1 },
        { NULL, NEIGH_PERMANENT, NEIGH_CREATE, -EINVAL, -1 },
        { one, NEIGH_STALE, NEIGH_CREATE | NEIGH_EXCLUSIVE, 0, NEIGH_STALE },
        { one, NEIGH_STALE, NEIGH_CREATE | NEIGH_EXCLUSIVE, -EEXIST, NEIGH_STALE },
        { two, NEIGH_REACHABLE, 0, -EEXIST, NEIGH_STALE },
        { two, NEIGH_REACHABLE, NEIGH_REPLACE, 0, NEIGH_REACHABLE },
        { NULL, NEIGH_PERMANENT, NEIGH_REPLACE, 0, NEIGH_PERMANENT },
        { NULL, NEIGH_PROBE, NEIGH_REPLACE, 0, NEIGH_PROBE },
        { NULL, NEIGH_FAILED, NEIGH_REPLACE, 0, NEIGH_FAILED },
        { NULL, NEIGH_REACHABLE, NEIGH_REPLACE, -EINVAL, NEIGH_FAILED },
    };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        CHECK_EQ(neigh_set(device(&h), ip_address(10, 0, 0, 9), steps[i].mac, steps[i].state, steps[i].flags),
                 steps[i].result);
        CHECK_EQ(state_of(&h, 9), steps[i].state_then);
    }
    host_destroy(&h);
}

static struct {
    unsigned changes;
    struct neigh_info last;
} heard;

static void hear(struct net *net, const struct neigh_info *info)
{
    (void)net;
    heard.changes++;
    heard.last = *info;
}

TEST(a_listener_hears_of_every_change) // for RTM_NEWNEIGH, RTM_DELNEIGH
{
    struct host h = host_create();

    heard.changes = 0;
    neigh_listen(h.vk->net, hear);
    send_arp(&h, FRAME_ARP_REQUEST, ip4(10, 0, 0, 7), h.vk->addr);
    CHECK(heard.changes >= 1 && heard.last.state == NEIGH_STALE && !heard.last.gone);
    CHECK_EQ(heard.last.ip.raw, ip_address(10, 0, 0, 7).raw);
    CHECK_EQ(heard.last.ifindex, device(&h)->ifindex);
    CHECK(!memcmp(heard.last.mac, h.tap->mac, 6));
    CHECK_EQ(neigh_forget(device(&h), ip_address(10, 0, 0, 7)), 0);
    sim_run_for(ms(1));
    CHECK(heard.last.gone);
    unsigned before = heard.changes;
    neigh_listen(h.vk->net, NULL);
    send_arp(&h, FRAME_ARP_REQUEST, ip4(10, 0, 0, 8), h.vk->addr);
    sim_run_for(ms(1));
    CHECK_EQ(heard.changes, before);
    host_destroy(&h);
}
