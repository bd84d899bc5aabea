/* net/ipv4/ip_options_test.c - the options of the IP header: passed over, answered, refused, carried along.
 */
#include "net/core/sock.h"
#include "net/ipv4/host_test.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/neigh.h"
#include <stdlib.h>

enum { IP = FRAME_HEADER, ECHO_BYTES = 18 };

static void fix_checksum(uint8_t *frame)
{
    unsigned hlen = (frame[IP] & 15) * 4u;

    frame[IP + 10] = frame[IP + 11] = 0;
    uint16_t sum = (uint16_t)~frame_sum(frame + IP, hlen, 0);
    frame[IP + 10] = (uint8_t)(sum >> 8);
    frame[IP + 11] = (uint8_t)sum;
}

/* An echo request whose header carries n bytes of options, padded with END. */
static void send_with(struct host *h, const uint8_t *options, unsigned n)
{
    uint8_t frame[FRAME_MAX] = { 0 };
    struct packet p = echo_request(h, "0123456789", 10);
    unsigned hlen = 20 + (n + 3) / 4 * 4;

    memcpy(p.src_mac, h->tap->mac, 6);
    packet_build(&p, frame);
    memmove(frame + IP + hlen, frame + IP + 20, ECHO_BYTES);
    memset(frame + IP + 20, 0, hlen - 20);
    memcpy(frame + IP + 20, options, n);
    frame[IP] = (uint8_t)(0x40 | hlen / 4);
    frame[IP + 2] = 0;
    frame[IP + 3] = (uint8_t)(hlen + ECHO_BYTES);
    fix_checksum(frame);
    tap_send_bytes(h->tap, frame, IP + hlen + ECHO_BYTES);
}

/* The header of the answer that came, and its length. */
static const uint8_t *answer(struct host *h, unsigned *hlen, uint8_t type)
{
    struct packet p;
    size_t n;

    EXPECT_IP(h->tap, &p, PACKET_ICMP);
    CHECK(p.icmp_type == type && p.ip_checksum_ok && p.checksum_ok);
    const uint8_t *header = tap_bytes(h->tap, &n) + IP;
    *hlen = (header[0] & 15) * 4u;
    return header;
}

TEST(options_that_ask_for_nothing_are_passed_over) // RFC 1122 3.2.1.8, RFC 791 3.1; checklist 15
{
    static const uint8_t good[][8] = {
        { 1, 1, 1, 1, 1, 1, 1, 1 },       /* NOP */
        { 0, 0xff, 0xff, 0xff, 1, 2, 3 }, /* what is behind the end does not count */
        { 0x94, 4, 0, 0, 0 },             /* router alert */
        { 0x99, 8, 1, 2, 3, 4, 5, 6 },    /* unknown, to the last byte */
    };
    struct host h = host_create();
    unsigned hlen;

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        send_with(&h, good[i], 8);
        answer(&h, &hlen, 0);
        CHECK_EQ(hlen, 20);
    }
    host_destroy(&h);
}

TEST(a_malformed_option_is_told_with_its_place) // RFC 791 3.1, RFC 1122 3.2.2.5; checklist 15
{
    static const struct {
        uint8_t bytes[12], pointer;
    } bad[] = {
        { { 0x94, 0 }, 21 },                               /* length zero: would never end */
        { { 0x94, 1 }, 21 },                               /* length one */
        { { 0x94, 13 }, 21 },                              /* past the header */
        { { 0x94, 255 }, 21 },                             /* far past it */
        { { 0x94, 5, 0, 0, 0 }, 21 },                      /* RFC 2113: always four */
        { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0x94 }, 31 }, /* no room for its length */
        { { 0x83, 2 }, 21 },                               /* no room for its pointer */
        { { 0x83, 3, 3 }, 22 },                            /* a pointer into the option's own head */
        { { 7, 2 }, 21 },                                  /* record route, the same */
        { { 7, 7, 3 }, 22 },
        { { 1, 7, 7, 5 }, 23 },             /* room, but not for an address */
        { { 7, 3, 4, 7, 3, 4 }, 23 },       /* twice */
        { { 0x83, 3, 4, 0x89, 3, 4 }, 23 }, /* two source routes */
        { { 68, 3, 5 }, 21 },               /* timestamp: no room for its flag */
        { { 68, 8, 4, 0 }, 22 },
        { { 68, 8, 5, 2 }, 23 },    /* a flag that does not exist */
        { { 68, 11, 9, 0 }, 22 },   /* room, but not for a time */
        { { 68, 8, 9, 0xf0 }, 23 }, /* sixteen had no room: one too many to count */
    };
    struct host h = host_create();
    const uint8_t *header;
    unsigned hlen;

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/icmp_ratelimit", "0"), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        send_with(&h, bad[i].bytes, sizeof bad[i].bytes);
        header = answer(&h, &hlen, 12);
        CHECK_EQ(header[hlen + 4], bad[i].pointer);
        CHECK_EQ(host_drops(&h, SKB_DROP_IP_OPTIONS), i + 1);
    }
    expect_alive(&h);
    host_destroy(&h);
}

TEST(nobody_is_told_of_bad_options_in_packets_for_others) // RFC 1122 3.2.2, 3.2.1.3; checklist 14, 29
{
    struct host h = host_create();
    struct packet p = echo_request(&h, "x", 1);
    uint8_t frame[FRAME_MAX] = { 0 };
    const uint8_t last[] = { 3, 255 };

    for (unsigned i = 0; i < ARRAY_SIZE(last); i++) {
        p.daddr = ip4(10, 0, 0, last[i]);
        memcpy(p.src_mac, h.tap->mac, 6);
        packet_build(&p, frame);
        frame[IP] = 0x46;
        frame[IP + 20] = 7; /* a record route of length 0, over the ICMP type */
        frame[IP + 21] = 0;
        fix_checksum(frame);
        tap_send_bytes(h.tap, frame, 60);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_IP_OPTIONS), i + 1);
    }
    host_destroy(&h);
}

/* ---- echo ---- */

TEST(an_echo_reply_carries_the_route_on) // RFC 1122 3.2.2.6, RFC 791 3.1
{
    const uint8_t asked[] = { 1, 7, 15, 8, 192, 168, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0 };
    const uint8_t told[] = { 7, 15, 12, 192, 168, 7, 7, 10, 0, 0, 1, 0, 0, 0, 0, 0 };
    struct host h = host_create();
    const uint8_t *header;
    unsigned hlen;

    send_with(&h, asked, sizeof asked);
    header = answer(&h, &hlen, 0);
    CHECK_EQ(hlen, 36);
    CHECK(!memcmp(header + 20, told, sizeof told));
    host_destroy(&h);
}

TEST(a_full_route_is_echoed_as_it_is) // RFC 791 3.1
{
    const uint8_t asked[] = { 7, 7, 8, 192, 168, 7, 7, 0 };
    struct host h = host_create();
    const uint8_t *header;
    unsigned hlen;

    send_with(&h, asked, sizeof asked);
    header = answer(&h, &hlen, 0);
    CHECK_EQ(hlen, 28);
    CHECK(!memcmp(header + 20, asked, sizeof asked));
    host_destroy(&h);
}

static bool is_now(const uint8_t *stamp)
{
    uint32_t told = (uint32_t)stamp[0] << 24 | (uint32_t)stamp[1] << 16 | (uint32_t)stamp[2] << 8 | stamp[3];
    uint32_t now = (uint32_t)(time_wall() / 1000000 % 86400000);

    return (now + 86400000 - told) % 86400000 < 1000;
}

TEST(an_echo_reply_is_stamped) // RFC 1122 3.2.2.6, RFC 791 3.1
{
    const uint8_t only[] = { 68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    const uint8_t with_address[] = { 68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    const uint8_t for_us[] = { 68, 12, 5, 3, 10, 0, 0, 1, 0, 0, 0, 0 };
    const uint8_t for_another[] = { 68, 12, 5, 3, 10, 0, 0, 9, 0, 0, 0, 0 };
    const uint8_t full[] = { 68, 8, 9, 0x20, 1, 2, 3, 4 };
    struct host h = host_create();
    const uint8_t *header;
    unsigned hlen;

    send_with(&h, only, 12);
    header = answer(&h, &hlen, 0) + 20;
    CHECK(header[2] == 9 && header[3] == 0 && is_now(header + 4));
    send_with(&h, with_address, 12);
    header = answer(&h, &hlen, 0) + 20;
    CHECK(header[2] == 13 && header[3] == 1 && !memcmp(header + 4, "\x0a\0\0\1", 4) && is_now(header + 8));
    send_with(&h, for_us, 12);
    header = answer(&h, &hlen, 0) + 20;
    CHECK(header[2] == 13 && !memcmp(header + 4, "\x0a\0\0\1", 4) && is_now(header + 8));
    send_with(&h, for_another, 12);
    header = answer(&h, &hlen, 0) + 20;
    CHECK(!memcmp(header, for_another, 12));
    send_with(&h, full, 8);
    header = answer(&h, &hlen, 0) + 20;
    CHECK(header[2] == 9 && header[3] == 0x30 && !memcmp(header + 4, "\1\2\3\4", 4)); /* one more left out */
    host_destroy(&h);
}

/* ---- source routes ---- */

TEST(a_source_route_is_refused_unless_it_is_wanted) // RFC 1812 5.3.13.4; accept_source_route
{
    const uint8_t at_its_end[] = { 0x83, 11, 12, 10, 0, 0, 8, 10, 0, 0, 9, 0 };
    const uint8_t back[] = { 0x83, 11, 4, 10, 0, 0, 8, 10, 0, 0, 2, 0 };
    const uint8_t on_its_way[] = { 0x89, 11, 8, 10, 0, 0, 8, 10, 0, 0, 9, 0 };
    static const uint8_t mac[6] = { 2, 0, 10, 0, 0, 9 };
    struct host h = host_create();
    const uint8_t *header;
    struct packet p;
    unsigned hlen;

    send_with(&h, at_its_end, sizeof at_its_end);
    send_with(&h, on_its_way, sizeof on_its_way);
    EXPECT_SILENCE(h.tap, ms(10));
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_SOURCE_ROUTE), 2);

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/conf/all/accept_source_route", "1"), 0);
    CHECK_EQ(neigh_set_permanent(h.vk->nic->dev, ip_address(10, 0, 0, 9), mac), 0);
    h.tap->only_for_me = false;
    send_with(&h, at_its_end, sizeof at_its_end);
    header = answer(&h, &hlen, 0);
    CHECK(!memcmp(header + 16, "\x0a\0\0\x09", 4)); /* RFC 1122 3.2.2.6: back the way it came */
    CHECK(hlen == 32 && !memcmp(header + 20, back, sizeof back));
    send_with(&h, on_its_way, sizeof on_its_way);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.icmp_type == 3 && p.icmp_code == 5); /* RFC 1812 5.2.7.1 */
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_SOURCE_ROUTE), 3);
    host_destroy(&h);
}

/* ---- what leaves ---- */

TEST(fragments_carry_the_options_that_are_to_be_copied) // RFC 791 3.1; checklist 25
{
    uint8_t header[32] = { 0x48, [20] = 7, 3, 4, 0x94, 4, 0, 0, 1, 68, 4, 5 };
    const uint8_t then[] = { 1, 1, 1, 0x94, 4, 0, 0, 1, 1, 1, 1, 1 };
    uint8_t ends[28] = { 0x47, [20] = 0, 7, 3, 4 };

    header[31] = 0x10; /* the timestamp's flag */
    ip_options_fragment(header, 32);
    CHECK(!memcmp(header + 20, then, sizeof then));
    ip_options_fragment(ends, 28);
    CHECK(ends[21] == 7); /* behind the end nothing is an option */
}

TEST(programs_give_options_within_reason) // ip(7), IP_OPTIONS
{
    struct ip_options o;

    CHECK_EQ(ip_options_from_user("\7\7\4\0\0\0\0", 7, &o), 0);
    CHECK(o.len == 8 && !memcmp(o.bytes, "\7\7\4\0\0\0\0\0", 8));
    CHECK_EQ(ip_options_from_user("", 0, &o), 0);
    CHECK_EQ(o.len, 0);
    CHECK_EQ(ip_options_from_user("\7\0\4", 3, &o), -EINVAL);
    CHECK_EQ(ip_options_from_user("\x83\7\4\0\0\0\0", 7, &o), -EINVAL); /* a source route */
    uint8_t nops[41];
    memset(nops, 1, sizeof nops);
    CHECK_EQ(ip_options_from_user(nops, 40, &o), 0);
    CHECK_EQ(ip_options_from_user(nops, 41, &o), -EINVAL);
}

TEST(any_bytes_are_read_without_harm) // RFC 1122 3.2.1.8
{
    struct host h = host_create();

    for (int i = 0; i < 20000; i++) {
        uint8_t header[60] = { 0x45 };
        unsigned words = (unsigned)(sim_random() % 11), hlen = 20 + 4 * words;
        header[0] = (uint8_t)(0x40 | hlen / 4);
        for (unsigned b = 20; b < hlen; b++) {
            static const uint8_t likely_values[] = { 0, 1, 7, 68, 131, 137, 148, 3, 4, 5, 8, 11, 39, 40 };
            header[b] =
                sim_random() % 3 ? likely_values[sim_random() % sizeof likely_values] : (uint8_t)sim_random();
        }
        uint8_t *exact = malloc(hlen); /* ASan sees a byte too many */
        struct ip_option_places places;
        memcpy(exact, header, hlen);
        uint8_t bad = ip_options_parse(exact, hlen, &places);
        CHECK(bad == 0 || (bad >= 20 && bad < hlen));
        ip_options_record(h.vk->net, exact, ip_address(1, 2, 3, 4));
        ip_options_fragment(exact, hlen);
        free(exact);
    }
    host_destroy(&h);
}

/* ---- sockets ---- */

static ssize_t send_message(struct sock *sk, const void *data, size_t n, const void *control,
                            size_t control_len)
{
    struct sockaddr_storage name;
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .name = &name, .control = (void *)(uintptr_t)control, .control_len = control_len };

    msg.name_len = (socklen_t)sockaddr_in_make(&name, ip_address(10, 0, 0, 2), cpu_to_be16(0));
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    return sock_sendmsg(sk, &msg, 0);
}

TEST(a_program_s_options_go_along_and_we_are_their_first_stage) // ip(7), IP_OPTIONS; RFC 791 3.1; ping -R
{
    static const struct {
        int type, protocol;
    } kinds[] = { { SOCK_DGRAM, IPPROTO_ICMP }, { SOCK_RAW, IPPROTO_ICMP } };
    const uint8_t route[] = { 1, 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0 },
                  sent[] = { 1, 7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0 }, request[8] = { 8, 0, 0xf7, 0xff };
    struct host h = host_create();
    uint8_t got[40];
    struct packet p;
    socklen_t len;
    size_t n;

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct sock *sk = NULL;
        CHECK_EQ(sock_create(h.vk->net, AF_INET, kinds[i].type, kinds[i].protocol, &sk), 0);
        CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_OPTIONS, route, sizeof route), 0);
        CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_OPTIONS, "\7\0", 2), -EINVAL); /* the old ones stay */
        len = sizeof got;
        CHECK_EQ(sock_getsockopt(sk, SOL_IP, IP_OPTIONS, got, &len), 0);
        CHECK(len == sizeof route && !memcmp(got, route, sizeof route));
        CHECK_EQ(send_message(sk, request, sizeof request, NULL, 0), sizeof request);
        EXPECT_IP(h.tap, &p, PACKET_ICMP);
        const uint8_t *header = tap_bytes(h.tap, &n) + IP;
        CHECK(p.ip_checksum_ok && header[0] == 0x48 && !memcmp(header + 20, sent, sizeof sent));
        CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_OPTIONS, NULL, 0), 0);
        CHECK_EQ(send_message(sk, request, sizeof request, NULL, 0), sizeof request);
        EXPECT_IP(h.tap, &p, PACKET_ICMP);
        CHECK_EQ(tap_bytes(h.tap, &n)[IP], 0x45);
        CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_OPTIONS, route, sizeof route), 0); /* freed with the socket */
        vk_close(sk);
    }
    struct sock *udp = vk_socket(h.vk, SOCK_DGRAM);
    CHECK_EQ(sock_setsockopt(udp, SOL_IP, IP_OPTIONS, route, sizeof route), 0);
    CHECK_EQ(vk_sendto(udp, "x", 1, MSG_MORE, "10.0.0.2", 9), 1); /* corked: they wait with it */
    CHECK_EQ(vk_sendto(udp, "y", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.checksum_ok && p.payload_len == 2);
    CHECK(!memcmp(tap_bytes(h.tap, &n) + IP + 20, sent, sizeof sent));
    vk_close(udp);
    struct sock *stream = vk_socket(h.vk, SOCK_STREAM);
    CHECK_EQ(sock_setsockopt(stream, SOL_IP, IP_OPTIONS, route, sizeof route), -ENOPROTOOPT);
    vk_close(stream);
    host_destroy(&h);
}

TEST(options_go_with_one_message_and_are_told_with_what_comes) // ip(7), IP_RETOPTS, IP_RECVOPTS
{
    const uint8_t asked[] = { 7, 11, 8, 192, 168, 7, 7, 0, 0, 0, 0, 0 };
    const uint8_t request[8] = { 8, 0, 0xf7, 0xff };
    struct host h = host_create();
    struct sock *sk = NULL;
    struct {
        struct cmsghdr head;
        uint8_t bytes[16];
    } wish = { .head = { CMSG_LEN(4), SOL_IP, IP_RETOPTS }, .bytes = { 0x94, 4, 0, 0 } };
    uint8_t control[200], data[100];
    struct io_vector v = { (uintptr_t)data, sizeof data };
    struct message msg = { .control = control, .control_len = sizeof control };
    struct packet p;
    size_t n;

    CHECK_EQ(sock_create(h.vk->net, AF_INET, SOCK_RAW, IPPROTO_ICMP, &sk), 0);
    CHECK_EQ(send_message(sk, request, sizeof request, &wish, CMSG_SPACE(4)), sizeof request);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    const uint8_t *header = tap_bytes(h.tap, &n) + IP;
    CHECK(header[0] == 0x46 && !memcmp(header + 20, "\x94\4\0\0", 4));
    wish.bytes[1] = 1;
    CHECK_EQ(send_message(sk, request, sizeof request, &wish, CMSG_SPACE(4)), -EINVAL);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVOPTS, 1), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RETOPTS, 1), 0);
    send_with(&h, asked, sizeof asked);
    sim_run_for(ms(1));
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK(sock_recvmsg(sk, &msg, 0) > 0);
    const struct cmsghdr *c = (const struct cmsghdr *)control;
    CHECK(c->cmsg_type == IP_RECVOPTS && c->cmsg_len == CMSG_LEN(12) && !memcmp(CMSG_DATA(c), asked, 12));
    c = (const struct cmsghdr *)(control + CMSG_SPACE(12));
    CHECK(c->cmsg_type == IP_RETOPTS && c->cmsg_len == CMSG_LEN(12) && !memcmp(CMSG_DATA(c), asked, 12));
    CHECK_EQ(msg.control_used, 2 * CMSG_SPACE(12));
    vk_close(sk);
    host_destroy(&h);
}
