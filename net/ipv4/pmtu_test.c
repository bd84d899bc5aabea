/* net/ipv4/pmtu_test.c - path-MTU discovery as a router on the way sees it (RFC 1191), and what is remembered
 * of destinations. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include <errno.h>

enum { IP = FRAME_HEADER, PORT = 9, UDP_OVERHEAD = 28 };

struct talk {
    struct host h;
    struct sock *sk; /* connected to the tap's station */
};

static struct talk talk_begin(int discover)
{
    struct talk t = { .h = host_create() };

    t.sk = vk_socket(t.h.vk, SOCK_DGRAM);
    CHECK_EQ(vk_connect(t.sk, "10.0.0.2", PORT), 0);
    CHECK_EQ(vk_setsockopt_int(t.sk, SOL_IP, IP_MTU_DISCOVER, discover), 0);
    return t;
}

static void talk_end(struct talk *t)
{
    vk_close(t->sk);
    host_destroy(&t->h);
}

/* Send a datagram that is length bytes with its headers. */
static ssize_t say(const struct talk *t, size_t length)
{
    static const uint8_t data[2000];
    return vk_send(t->sk, data, length - UDP_OVERHEAD, 0);
}

/* The router's complaint about the frame that the tap received last. */
static void complain(struct talk *t, uint32_t mtu)
{
    size_t n;
    const uint8_t *frame = tap_bytes(t->h.tap, &n);
    struct packet p = to_host(&t->h, PACKET_ICMP);

    p.icmp_type = ICMP_DEST_UNREACH;
    p.icmp_code = ICMP_FRAG_NEEDED;
    p.icmp_rest = mtu;
    p.payload = frame + IP;
    p.payload_len = 28;
    tap_send(t->h.tap, &p);
    sim_run_for(us(10));
}

/* Say something of 1500 bytes that the router with the next link's MTU cannot pass on. */
static void meet_router(struct talk *t, uint32_t mtu)
{
    struct packet p;

    CHECK_EQ(say(t, 1500), 1500 - UDP_OVERHEAD);
    EXPECT_IP(t->h.tap, &p, PACKET_UDP);
    CHECK(p.frag_off & IP_DF);
    complain(t, mtu);
}

static int mtu(const struct talk *t)
{
    return vk_getsockopt_int(t->sk, SOL_IP, IP_MTU);
}

TEST(a_router_s_complaint_lowers_the_path_mtu_for_ten_minutes) /* RFC 1191 4, 6.3; checklist 113 */
{
    struct talk t = talk_begin(IP_PMTUDISC_WANT);
    struct packet p;

    CHECK_EQ(mtu(&t), 1500);
    meet_router(&t, 1000);
    CHECK_EQ(mtu(&t), 1000);
    CHECK_EQ(vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR), EMSGSIZE);
    CHECK_EQ(say(&t, 1500), 1500 - UDP_OVERHEAD); /* now it is cut before it leaves */
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, IP_MF);
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, 976 / 8);
    CHECK_EQ(say(&t, 1000), 1000 - UDP_OVERHEAD);
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, IP_DF);
    sim_run_for(sec(599));
    CHECK_EQ(mtu(&t), 1000);
    sim_run_for(sec(2));
    CHECK_EQ(mtu(&t), 1500);
    talk_end(&t);
}

TEST(each_way_to_discover_the_mtu_does_what_linux_does) /* ip(7), IP_MTU_DISCOVER */
{
    struct talk t = talk_begin(IP_PMTUDISC_WANT);
    struct packet p;

    meet_router(&t, 1000);
    CHECK_EQ(vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR), EMSGSIZE);
    vk_setsockopt_int(t.sk, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    CHECK_EQ(say(&t, 1001), -EMSGSIZE);
    CHECK_EQ(say(&t, 1000), 1000 - UDP_OVERHEAD);
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, IP_DF);
    vk_setsockopt_int(t.sk, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    CHECK_EQ(say(&t, 1500), 1500 - UDP_OVERHEAD); /* the path's MTU does not count, the link's does */
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, IP_DF);
    CHECK_EQ(say(&t, 1501), -EMSGSIZE);
    vk_setsockopt_int(t.sk, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    CHECK_EQ(say(&t, 100), 100 - UDP_OVERHEAD);
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, 0);
    talk_end(&t);
}

TEST(a_router_that_does_not_tell_its_mtu_has_the_next_plateau) /* RFC 1191 5, 7.1 */
{
    struct talk t = talk_begin(IP_PMTUDISC_PROBE);

    meet_router(&t, 0);
    CHECK_EQ(mtu(&t), 1492);
    (void)vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR);
    meet_router(&t, 0); /* from what is believed now, not from what was sent */
    CHECK_EQ(mtu(&t), 1006);
    talk_end(&t);
}

TEST(a_path_mtu_below_the_least_is_left_to_the_routers) /* RFC 1191 3; the attack of RFC 5927 7 */
{
    struct talk t = talk_begin(IP_PMTUDISC_WANT);
    struct packet p;

    meet_router(&t, 100);
    CHECK_EQ(mtu(&t), 552);
    (void)vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR);
    CHECK_EQ(say(&t, 500), 500 - UDP_OVERHEAD);
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.frag_off, 0); /* without DF */
    talk_end(&t);
}

TEST(nonsense_does_not_lower_the_path_mtu) /* RFC 791 3.2, RFC 1191 4 */
{
    struct talk t = talk_begin(IP_PMTUDISC_PROBE);

    meet_router(&t, 67);
    CHECK_EQ(mtu(&t), 1500);
    (void)vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR);
    meet_router(&t, 1500);
    CHECK_EQ(mtu(&t), 1500);
    (void)vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR);
    meet_router(&t, 1400);
    (void)vk_getsockopt_int(t.sk, SOL_SOCKET, SO_ERROR);
    meet_router(&t, 1450); /* larger than what is known */
    CHECK_EQ(mtu(&t), 1400);
    talk_end(&t);
}

TEST(what_no_socket_sent_teaches_nothing) /* RFC 5927 4 */
{
    struct talk t = talk_begin(IP_PMTUDISC_WANT);
    struct packet p;

    CHECK_EQ(say(&t, 1500), 1500 - UDP_OVERHEAD);
    EXPECT_IP(t.h.tap, &p, PACKET_UDP);
    vk_close(t.sk);
    complain(&t, 1000);
    t.sk = vk_socket(t.h.vk, SOCK_DGRAM);
    CHECK_EQ(vk_connect(t.sk, "10.0.0.2", PORT), 0);
    CHECK_EQ(mtu(&t), 1500);
    talk_end(&t);
}

/* ---- what is remembered ---- */

static be32 nth(uint32_t n)
{
    return cpu_to_be32(ip4(192, 0, 2, 0) + n);
}

TEST(metrics_of_a_destination_are_kept_for_an_hour)
{
    struct host h = host_create();
    struct peer_metrics m = { { 1, 2, 3 } }, got;

    CHECK(!peer_metrics_get(h.vk->net, nth(1), &got));
    peer_metrics_set(h.vk->net, nth(1), &m);
    sim_run_for(sec(3599));
    CHECK(peer_metrics_get(h.vk->net, nth(1), &got) && !memcmp(&got, &m, sizeof m));
    CHECK(!peer_metrics_get(h.vk->net, nth(2), &got));
    sim_run_for(sec(2));
    CHECK(!peer_metrics_get(h.vk->net, nth(1), &got));
    host_destroy(&h);
}

TEST(no_more_destinations_are_remembered_than_the_knob_says)
{
    enum { MAX = 100 };
    struct host h = host_create();
    struct net *net = h.vk->net;
    const struct peer_metrics m = { { 7 } };
    struct peer_metrics got;

    CHECK_EQ(net_sysctl_set(net, "net/ipv4/inet_peer_threshold", "100"), 0);
    for (uint32_t n = 0; n < 3 * MAX; n++) {
        peer_metrics_set(net, nth(n), &m);
        CHECK(peer_metrics_get(net, nth(0), &got)); /* in use: it stays */
        CHECK(net->ipv4->peers.count <= MAX);
    }
    CHECK(peer_metrics_get(net, nth(3 * MAX - 1), &got));
    CHECK(!peer_metrics_get(net, nth(1), &got));
    sim_run_for(sec(7200));
    for (uint32_t n = 0; n < MAX; n++) /* who is over goes when others come */
        peer_metrics_set(net, nth(1000 + n % 2), &m);
    CHECK_EQ(net->ipv4->peers.count, MAX - 2);
    host_destroy(&h);
}
