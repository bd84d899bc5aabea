/* net/ipv4/ip_fragment_test.c - datagrams in parts: in any order, twice, contradicting, missing, too many. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include <stdlib.h>

enum { TIMEOUT_SECONDS = 30, PIECES_MAX = 100 };

/* A UDP datagram from the tap to port 7 of the host, as the bytes behind an IP header. */
struct datagram {
    uint8_t bytes[9000];
    size_t len;
};

static struct datagram datagram_of(size_t payload, uint8_t first)
{
    struct datagram d = { .len = payload + 8 };
    uint8_t head[8] = { 0x0f, 0xa0, 0, 7, (uint8_t)(d.len >> 8), (uint8_t)d.len, 0, 0 };

    memcpy(d.bytes, head, sizeof head);
    for (size_t i = 0; i < payload; i++)
        d.bytes[8 + i] = (uint8_t)(first + i * 13);
    return d;
}

/* Send bytes [from, to) of d as a fragment. */
static void send_piece(struct host *h, const struct datagram *d, uint16_t id, size_t from, size_t to)
{
    struct packet p = to_host(h, 0xfd); /* a protocol that packet_build() leaves alone */
    uint8_t frame[FRAME_MAX];

    p.ip_id = id;
    p.frag_off = (uint16_t)(from / 8 | (to < d->len ? 0x2000 : 0));
    p.payload = d->bytes + from;
    p.payload_len = to - from;
    memcpy(p.src_mac, h->tap->mac, 6);
    size_t n = packet_build(&p, frame);
    frame[14 + 9] = PACKET_UDP;
    frame[14 + 10] = frame[14 + 11] = 0;
    uint16_t sum = (uint16_t)~frame_sum(frame + 14, 20, 0);
    frame[14 + 10] = (uint8_t)(sum >> 8);
    frame[14 + 11] = (uint8_t)sum;
    tap_send_bytes(h->tap, frame, n);
    sim_run_for(us(10));
}

static struct sock *echo_socket(struct host *h)
{
    struct sock *sk = vk_socket(h->vk, SOCK_DGRAM);
    CHECK_EQ(vk_bind(sk, NULL, 7), 0);
    return sk;
}

static void expect_datagram(struct sock *sk, const struct datagram *d)
{
    uint8_t got[9000];

    CHECK_EQ(vk_recv(sk, got, sizeof got, MSG_DONTWAIT), (ssize_t)d->len - 8);
    CHECK(!memcmp(got, d->bytes + 8, d->len - 8));
}

static void expect_nothing(struct sock *sk)
{
    uint8_t c;
    CHECK_EQ(vk_recv(sk, &c, 1, MSG_DONTWAIT), -EAGAIN);
}

TEST(fragments_in_any_order_make_the_datagram) // RFC 791 3.2, RFC 815; checklist 17
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);

    for (uint16_t round = 0; round < 200; round++) {
        struct datagram d = datagram_of(1 + sim_random() % 8000, (uint8_t)round);
        size_t cut[PIECES_MAX], order[PIECES_MAX], n = 0;
        for (size_t at = 0; at < d.len && n < PIECES_MAX - 1; at += 8 * (1 + sim_random() % 180))
            cut[n++] = at;
        cut[n] = d.len;
        for (size_t i = 0; i < n; i++)
            order[i] = i;
        for (size_t i = n - 1; i > 0; i--) {
            size_t j = sim_random() % (i + 1), t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        for (size_t i = 0; i < n; i++) {
            size_t k = order[i];
            size_t from = cut[k], to = cut[k + 1];
            if (to - from > 1480) /* the last cut ran out of room: not a frame */
                to = from + 1480;
            CHECK(to - from <= 1480);
            send_piece(&h, &d, round, from, to);
            if (i + 1 < n && sim_random() % 4 == 0)
                send_piece(&h, &d, round, from, to); /* the same again does no harm */
        }
        expect_datagram(sk, &d);
    }
    vk_close(sk);
    host_destroy(&h);
}

TEST(interleaved_datagrams_are_kept_apart) // RFC 791 2.3; checklist 18
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram a = datagram_of(2000, 1), b = datagram_of(2000, 99);

    send_piece(&h, &a, 1, 0, 1000);
    send_piece(&h, &b, 2, 0, 1000);
    send_piece(&h, &b, 2, 1000, b.len);
    send_piece(&h, &a, 1, 1000, a.len);
    expect_datagram(sk, &b);
    expect_datagram(sk, &a);
    vk_close(sk);
    host_destroy(&h);
}

TEST(an_overlap_ends_the_whole_datagram) // RFC 1858, RFC 5722; checklist 20
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram d = datagram_of(2000, 1);

    send_piece(&h, &d, 1, 0, 1000);
    send_piece(&h, &d, 1, 992, 1800);
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_OVERLAP), 2); /* the new one and the old one */
    send_piece(&h, &d, 1, 1000, d.len);
    expect_nothing(sk);
    send_piece(&h, &d, 1, 0, 1000); /* begun anew it works */
    expect_datagram(sk, &d);
    vk_close(sk);
    host_destroy(&h);
}

TEST(parts_that_contradict_the_length_end_the_datagram) // RFC 791 3.2
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram longer = datagram_of(2000, 1), shorter = datagram_of(500, 1);

    send_piece(&h, &longer, 1, 1000, longer.len);
    send_piece(&h, &shorter, 1, 400, shorter.len); /* another last part */
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_BAD), 2);
    send_piece(&h, &shorter, 2, 400, shorter.len);
    send_piece(&h, &longer, 2, 600, 1000); /* behind the end */
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_BAD), 4);
    expect_nothing(sk);
    vk_close(sk);
    host_destroy(&h);
}

TEST(impossible_fragments_are_dropped) // RFC 791 3.1, the "ping of death"; checklist 19
{
    struct host h = host_create();
    struct packet p = echo_request(&h, "0123456789abcdef", 16);

    p.frag_off = 0x2000 | 1;
    p.payload_len = 13; /* not a multiple of eight, yet more to come */
    tap_send(h.tap, &p);
    p.frag_off = 0x1fff; /* 65528 + 24 > 65535 */
    p.payload_len = 16;
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_BAD), 2);
    expect_alive(&h);
    host_destroy(&h);
}

TEST(what_stays_incomplete_is_freed_and_its_source_told) // RFC 1122 3.3.2; checklist 21
{
    struct host h = host_create();
    struct datagram d = datagram_of(2000, 1);
    struct packet p;

    expect_alive(&h); /* the tap's address is known */
    send_piece(&h, &d, 1, 0, 1000);
    sim_run_for(sec(TIMEOUT_SECONDS / 2));
    send_piece(&h, &d, 1, 1000, 1200); /* does not start the clock anew */
    EXPECT_SILENCE(h.tap, sec(TIMEOUT_SECONDS / 2 - 1));
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.icmp_type == 11 && p.icmp_code == 1);
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_TIMEOUT), 2);
    host_destroy(&h);
}

TEST(without_the_first_fragment_nobody_is_told) // RFC 1122 3.3.2; checklist 21
{
    struct host h = host_create();
    struct datagram d = datagram_of(2000, 1);

    send_piece(&h, &d, 1, 1000, d.len);
    EXPECT_SILENCE(h.tap, sec(TIMEOUT_SECONDS + 1));
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_TIMEOUT), 1);
    host_destroy(&h);
}

TEST(a_flood_of_first_fragments_stays_within_bounds) // RFC 1122 3.3.2; checklist 22
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram d = datagram_of(2000, 1);

    for (unsigned i = 0; i < 4000; i++)
        send_piece(&h, &d, (uint16_t)i, 0, 1400);
    CHECK(host_drops(&h, SKB_DROP_FRAG_SOURCE) > 0); /* one source: its share */
    CHECK(vk_live_skbs(h.vk) < 800);
    send_piece(&h, &d, 3999, 1400, d.len); /* the newest are still there */
    expect_datagram(sk, &d);
    for (unsigned i = 0; i < 4000; i++) { /* many sources: the whole */
        h.tap->ip = ip4(10, 0, (uint8_t)(1 + i / 200), (uint8_t)(1 + i % 200));
        send_piece(&h, &d, (uint16_t)i, 0, 1400);
    }
    CHECK(host_drops(&h, SKB_DROP_FRAG_MEMORY) > 0);
    CHECK(vk_live_skbs(h.vk) < 3000);
    CHECK(h.vk->net->ipv4->frags.memory <= FRAG_MEMORY_MAX);
    send_piece(&h, &d, 3999, 1400, d.len);
    expect_datagram(sk, &d);
    sim_run_for(sec(TIMEOUT_SECONDS + 1));
    CHECK_EQ(h.vk->net->ipv4->frags.memory, 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_flood_from_one_source_ends_nobody_elses_datagram) // RFC 1122 3.3.2; checklist 22
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram d = datagram_of(2000, 1);
    uint32_t me = h.tap->ip;

    send_piece(&h, &d, 1, 0, 1400);
    h.tap->ip = ip4(10, 0, 0, 66);
    for (unsigned i = 0; i < 20000; i++)
        send_piece(&h, &d, (uint16_t)i, 0, 1400);
    CHECK(host_drops(&h, SKB_DROP_FRAG_SOURCE) > 19000);
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_MEMORY), 0);
    h.tap->ip = me;
    send_piece(&h, &d, 1, 1400, d.len);
    expect_datagram(sk, &d);
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_same_place_with_other_bytes_is_an_overlap) // RFC 8200 4.5: only exact duplicates do no harm
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram d = datagram_of(2000, 1), other = datagram_of(2000, 2);

    send_piece(&h, &d, 1, 0, 1000);
    send_piece(&h, &d, 1, 0, 1000);
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_OVERLAP), 1); /* only the second */
    send_piece(&h, &other, 1, 0, 1000);
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_OVERLAP), 3);
    send_piece(&h, &d, 1, 1000, d.len);
    expect_nothing(sk);
    vk_close(sk);
    host_destroy(&h);
}

TEST(an_id_that_comes_round_again_does_not_mix_datagrams) // RFC 4963; ipfrag_max_dist
{
    struct host h = host_create();
    struct sock *sk = echo_socket(&h);
    struct datagram old = datagram_of(2000, 1), new = datagram_of(2000, 2), between = datagram_of(100, 3);

    send_piece(&h, &old, 1, 0, 1000); /* its second half is lost */
    for (uint16_t i = 0; i < 70; i++)
        send_piece(&h, &between, (uint16_t)(100 + i), 0, 48);
    send_piece(&h, &new, 1, 1000, new.len);
    expect_nothing(sk);
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_DISTANCE), 1);
    send_piece(&h, &new, 1, 0, 1000);
    expect_datagram(sk, &new);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_header_that_grows_cannot_make_a_datagram_too_large) // RFC 791 3.1: total length is 16 bits
{
    struct host h = host_create();
    uint8_t data[1480] = { 0 }, frame[FRAME_MAX] = { 0 };
    struct packet p = to_host(&h, 0xfd);
    size_t n;

    for (uint32_t at = 1440; at < 65512; at += 1440) { /* all but the first, up to 65512 + 20 */
        p.frag_off = (uint16_t)(at / 8 | (at + 1440 < 65512 ? 0x2000 : 0));
        p.payload = data;
        p.payload_len = MIN(1440u, 65512 - at);
        tap_send(h.tap, &p);
        sim_run_for(us(10));
    }
    p.frag_off = 0x2000; /* the first, whose header of 60 bytes would make it 65572 */
    p.payload_len = 1440;
    memcpy(p.src_mac, h.tap->mac, 6);
    packet_build(&p, frame);
    memmove(frame + 14 + 60, frame + 14 + 20, 1440);
    memset(frame + 14 + 20, 1, 40);
    n = 60 + 1440;
    frame[14] = 0x4f;
    frame[14 + 2] = (uint8_t)(n >> 8);
    frame[14 + 3] = (uint8_t)n;
    frame[14 + 10] = frame[14 + 11] = 0;
    uint16_t sum = (uint16_t)~frame_sum(frame + 14, 60, 0);
    frame[14 + 10] = (uint8_t)(sum >> 8);
    frame[14 + 11] = (uint8_t)sum;
    uint64_t before = host_drops(&h, SKB_DROP_FRAG_BAD);
    tap_send_bytes(h.tap, frame, 14 + n);
    sim_run_for(ms(1));
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_BAD), before + 46);
    expect_alive(&h);
    host_destroy(&h);
}

TEST(fragments_that_hide_tcp_flags_are_dropped) // RFC 1858 4.2, RFC 3128 4.2
{
    struct host h = host_create();
    struct packet p = to_host(&h, PACKET_TCP);
    uint8_t frame[FRAME_MAX];
    const struct {
        uint16_t frag_off;
        bool tiny;
    } cases[] = { { 0x2000, true }, { 0x2001, true }, { 1, true }, { 0x2002, false } };

    p.payload = "12345678";
    p.payload_len = 8;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t before = host_drops(&h, SKB_DROP_FRAG_TINY);
        p.protocol = 0xfd;
        p.frag_off = cases[i].frag_off;
        memcpy(p.src_mac, h.tap->mac, 6);
        size_t n = packet_build(&p, frame);
        frame[14 + 9] = PACKET_TCP;
        frame[14 + 10] = frame[14 + 11] = 0;
        uint16_t sum = (uint16_t)~frame_sum(frame + 14, 20, 0);
        frame[14 + 10] = (uint8_t)(sum >> 8);
        frame[14 + 11] = (uint8_t)sum;
        tap_send_bytes(h.tap, frame, n);
        sim_run_for(us(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_TINY), before + cases[i].tiny);
    }
    host_destroy(&h);
}

TEST(congestion_that_a_fragment_met_the_datagram_met) // RFC 3168 5.3
{
    static const struct {
        uint8_t first, second;
        int whole; /* the TOS told, -1: not delivered */
    } cases[] = { { 2, 3, 3 }, { 3, 2, 3 }, { 0, 0, 0 }, { 1, 1, 1 }, { 0, 3, -1 }, { 0x48, 0x48, 0x48 } };
    struct host h = host_create();
    uint8_t got[100];
    struct sock *sk;

    CHECK_EQ(sock_create(h.vk->net, AF_INET, SOCK_RAW, 253, &sk), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct packet p = to_host(&h, 253);
        p.ip_id = (uint16_t)i;
        p.payload = "0123456789abcdef";
        p.payload_len = 16;
        p.tos = cases[i].first;
        p.frag_off = 0x2000;
        tap_send(h.tap, &p);
        p.tos = cases[i].second;
        p.frag_off = 2;
        tap_send(h.tap, &p);
        sim_run_for(us(100));
        CHECK_EQ(vk_recv(sk, got, sizeof got, MSG_DONTWAIT), cases[i].whole < 0 ? -EAGAIN : 20 + 32);
        if (cases[i].whole >= 0)
            CHECK_EQ(got[1], cases[i].whole);
    }
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_datagram_of_64_kib_in_fragments_of_eight_bytes_stays_within_bounds) // issue: bad input
{
    struct host h = host_create();
    struct packet p = to_host(&h, 253);

    p.payload = "12345678";
    p.payload_len = 8;
    for (uint32_t at = 0; at < 65504; at += 8) {
        p.frag_off = (uint16_t)(at / 8 | 0x2000);
        tap_send(h.tap, &p);
        sim_run_for(us(2));
        CHECK(h.vk->net->ipv4->frags.memory <= FRAG_SOURCE_MAX + 4096);
    }
    CHECK(host_drops(&h, SKB_DROP_FRAG_SOURCE) > 1000);
    expect_alive(&h);
    sim_run_for(sec(TIMEOUT_SECONDS + 1));
    CHECK_EQ(h.vk->net->ipv4->frags.memory, 0);
    host_destroy(&h);
}

TEST(large_datagrams_go_in_fragments_and_arrive_whole) // RFC 791 2.3, RFC 1122 3.3.2; checklist 17, 25
{
    struct vpair w = vpair_create(NULL);
    struct sock *server = vk_socket(w.b, SOCK_DGRAM), *client = vk_socket(w.a, SOCK_DGRAM);
    static uint8_t got[65507], sent[65507];

    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    CHECK_EQ(vk_bind(server, NULL, 7), 0);
    for (size_t n = 1472; n <= sizeof sent; n += 4002) {
        CHECK_EQ(vk_sendto(client, sent, n, 0, "10.0.0.2", 7), (ssize_t)n);
        CHECK_EQ(vk_recv(server, got, sizeof got, 0), (ssize_t)n);
        CHECK(!memcmp(got, sent, n));
    }
    vk_close(server);
    vk_close(client);
    vpair_destroy(&w);
}

TEST(a_large_ping_is_answered_in_fragments) // RFC 1122 3.2.2.6; checklist 27
{
    static uint8_t request[8 + 20000] = { 8, 0, 0, 0, 0, 7, 0, 1 }, reply[20 + sizeof request];
    struct vpair w = vpair_create(NULL);
    struct sock *sk;

    for (size_t i = 8; i < sizeof request; i++)
        request[i] = (uint8_t)(i * 7 + i / 256);
    uint16_t sum = (uint16_t)~frame_sum(request, sizeof request, 0);
    request[2] = (uint8_t)(sum >> 8);
    request[3] = (uint8_t)sum;
    CHECK_EQ(sock_create(w.a->net, AF_INET, SOCK_RAW, IPPROTO_ICMP, &sk), 0);
    CHECK_EQ(vk_sendto(sk, request, sizeof request, 0, "10.0.0.2", 0), sizeof request);
    CHECK_EQ(vk_recv(sk, reply, sizeof reply, 0), sizeof reply);
    CHECK(reply[20] == 0 && !memcmp(reply + 24, request + 4, sizeof request - 4));
    vk_close(sk);
    vpair_destroy(&w);
}

TEST(sent_fragments_follow_the_rules) // RFC 791 2.3, 3.2; checklist 25
{
    static uint8_t data[4000];
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    unsigned next = 0;
    uint16_t id = 0;

    CHECK_EQ(vk_sendto(sk, data, sizeof data, 0, "10.0.0.2", 9), (ssize_t)sizeof data);
    for (bool more = true; more; next += 1480) {
        struct packet p;
        size_t n;
        CHECK(tap_receive(h.tap, &p, sec(1)));
        const uint8_t *frame = tap_bytes(h.tap, &n);
        more = p.frag_off & 0x2000;
        CHECK(p.ip_checksum_ok && (p.frag_off & 0x1fff) * 8u == next && !(p.frag_off & 0x4000));
        CHECK_EQ(n - 14, more ? 1500 : 20 + 8 + sizeof data - next);
        CHECK(!next || p.ip_id == id);
        CHECK_EQ(frame[14 + 9], PACKET_UDP);
        id = p.ip_id;
    }
    CHECK_EQ(next, 3 * 1480);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_datagram_that_may_not_be_cut_is_refused) // RFC 791 3.1
{
    static uint8_t data[2000];
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
    CHECK_EQ(vk_sendto(sk, data, sizeof data, 0, "10.0.0.2", 9), -EMSGSIZE);
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_TOO_BIG), 1);
    vk_close(sk);
    host_destroy(&h);
}

TEST(fragments_go_with_the_device_they_came_by) /* their time-out would answer by it */
{
    struct host h = host_create();
    struct datagram d = datagram_of(100, 1);

    send_piece(&h, &d, 1, 0, 64);
    vnic_destroy(h.vk->nic);
    CHECK_EQ(h.vk->net->drops[SKB_DROP_UNRESOLVED_FLUSHED], 1);
    sim_run_for(sec(TIMEOUT_SECONDS + 1));
    CHECK_EQ(h.vk->net->drops[SKB_DROP_FRAG_TIMEOUT], 0);
    net_destroy(h.vk->net);
    free(h.vk);
    tap_destroy(h.tap);
    wire_destroy(h.wire);
}
