/* net/ipv4/icmp_test.c - echo, and the rules for errors: which are sent, which are believed. */
#include "net/ipv4/host_test.h"

enum { ECHO_REPLY = 0, UNREACHABLE = 3, SOURCE_QUENCH = 4, REDIRECT = 5, ECHO = 8 };

/* A datagram to a port where nobody listens. */
static struct packet to_closed_port(const struct host *h)
{
    struct packet p = to_host(h, PACKET_UDP);

    p.sport = 4000;
    p.dport = 9;
    p.payload = "nobody here";
    p.payload_len = 11;
    return p;
}

TEST(an_echo_is_answered_with_its_data_from_the_address_asked) // RFC 1122 3.2.2.6; checklist 27
{
    struct host h = host_create();
    uint8_t data[1472];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)sim_random();
    for (size_t n = 0; n <= sizeof data; n += 1 + n / 16) {
        struct packet p = echo_request(&h, data, n);
        p.tos = 0x10;
        tap_send(h.tap, &p);
        EXPECT_IP(h.tap, &p, PACKET_ICMP);
        CHECK(p.icmp_type == ECHO_REPLY && p.icmp_code == 0 && p.icmp_rest == 0x00070001);
        CHECK(p.saddr == h.vk->addr && p.daddr == h.tap->ip && p.checksum_ok && p.ip_checksum_ok);
        CHECK(p.payload_len == n && !memcmp(p.payload, data, n));
    }
    host_destroy(&h);
}

TEST(an_echo_to_a_broadcast_or_group_is_not_answered) // RFC 1122 3.2.2.6; checklist 28
{
    const uint32_t to[] = { ip4(10, 0, 0, 255), ip4(255, 255, 255, 255), ip4(224, 0, 0, 1),
                            ip4(10, 0, 0, 0) };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(to); i++) {
        struct packet p = echo_request(&h, "x", 1);
        p.daddr = to[i];
        memset(p.dst_mac, 0xff, 6);
        tap_send(h.tap, &p);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_BROADCAST), i + 1);
    }
    host_destroy(&h);
}

TEST(bad_icmp_is_dropped_and_counted) // RFC 1122 3.2.2; checklist 32, 34
{
    struct host h = host_create();
    uint8_t frame[FRAME_MAX];
    struct packet p = echo_request(&h, "0123456789", 10);

    memcpy(p.src_mac, h.tap->mac, 6);
    size_t n = packet_build(&p, frame);
    frame[14 + 20 + 2] ^= 1;
    tap_send_bytes(h.tap, frame, n);
    EXPECT_SILENCE(h.tap, ms(10));
    CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_CSUM), 1);

    static const uint8_t unknown[] = { 1, 2, 7, SOURCE_QUENCH, REDIRECT, 13, 15, 17, 40, 255 };
    for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
        p = echo_request(&h, "0123456789", 10);
        p.icmp_type = unknown[i];
        tap_send(h.tap, &p);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_UNKNOWN), i + 1);
    }

    for (uint8_t i = 0; i < 28; i++) { /* an error whose quotation is too short */
        p = echo_request(
            &h, "\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02", i);
        p.payload_len = MIN(i, 20);
        p.icmp_type = UNREACHABLE;
        tap_send(h.tap, &p);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_SHORT), i + 1);
    }
    expect_alive(&h);
    host_destroy(&h);
}

TEST(an_unknown_protocol_is_reported) // RFC 1122 3.2.2.1; checklist 16, 30
{
    struct host h = host_create();
    struct packet p = to_host(&h, 200);
    uint8_t sent[FRAME_MAX];
    size_t n;

    p.payload = "who speaks this?";
    p.payload_len = 16;
    memcpy(p.src_mac, h.tap->mac, 6);
    n = packet_build(&p, sent);
    tap_send_bytes(h.tap, sent, n);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.icmp_type == UNREACHABLE && p.icmp_code == 2 && p.checksum_ok);
    CHECK(p.payload_len >= 28 && !memcmp(p.payload, sent + 14, 28)); /* as it was, untouched */
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_NO_PROTOCOL), 1);
    host_destroy(&h);
}

TEST(a_closed_port_is_reported_and_the_quotation_has_its_limit) // RFC 1122 4.1.3.1, RFC 1812 4.3.2.3;
                                                                // checklist 30, 37
{
    struct host h = host_create();
    uint8_t data[1400];
    struct packet p = to_closed_port(&h);

    memset(data, 7, sizeof data);
    p.payload = data;
    p.payload_len = sizeof data;
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.icmp_type == UNREACHABLE && p.icmp_code == 3 && p.checksum_ok);
    CHECK_EQ(p.payload_len, 576 - 28);
    host_destroy(&h);
}

TEST(no_error_about_what_no_error_may_be_about) // RFC 1122 3.2.2; checklist 29
{
    struct host h = host_create();
    struct packet p;

    p = to_closed_port(&h); /* a broadcast */
    p.daddr = ip4(10, 0, 0, 255);
    tap_send(h.tap, &p);
    p = to_closed_port(&h); /* a link broadcast */
    memset(p.dst_mac, 0xff, 6);
    tap_send(h.tap, &p);
    p = to_host(&h, 200); /* a later fragment: never completed, and nobody is told */
    p.frag_off = 10;
    p.payload = "12345678";
    p.payload_len = 8;
    tap_send(h.tap, &p);
    EXPECT_SILENCE(h.tap, sec(40));
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_NO_SOCKET), 2);
    host_destroy(&h);
}

TEST(errors_are_rate_limited) // RFC 1812 4.3.2.8; checklist 33
{
    struct host h = host_create();
    struct packet p;
    unsigned came = 0;

    expect_alive(&h);
    for (int i = 0; i < 500; i++) {
        p = to_closed_port(&h);
        tap_send(h.tap, &p);
        sim_run_for(us(100));
    }
    while (tap_receive(h.tap, &p, ms(1)))
        came++;
    CHECK(came >= 50 && came <= 60); /* a burst of 50, and 100 a second */
    CHECK_EQ(came + host_drops(&h, SKB_DROP_ICMP_RATE_LIMIT), 500);
    sim_run_for(sec(1));
    p = to_closed_port(&h);
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    expect_alive(&h); /* echo is not an error */
    host_destroy(&h);
}

/* An ICMP error from the tap that quotes a datagram of 8 bytes from the host's port sport. */
static void send_error(struct host *h, uint8_t code, uint32_t quoted_source, uint16_t sport)
{
    const uint8_t quoted[28] = { 0x45,
                                 0,
                                 0,
                                 36,
                                 0,
                                 0,
                                 0,
                                 0,
                                 64,
                                 17,
                                 0,
                                 0,
                                 (uint8_t)(quoted_source >> 24),
                                 (uint8_t)(quoted_source >> 16),
                                 (uint8_t)(quoted_source >> 8),
                                 (uint8_t)quoted_source,
                                 10,
                                 0,
                                 0,
                                 2,
                                 (uint8_t)(sport >> 8),
                                 (uint8_t)sport,
                                 0,
                                 9,
                                 0,
                                 16 };
    struct packet p = echo_request(h, quoted, sizeof quoted);

    p.icmp_type = UNREACHABLE;
    p.icmp_code = code;
    tap_send(h->tap, &p);
    sim_run_for(ms(1));
}

TEST(an_error_reaches_the_socket_it_is_about) // RFC 1122 3.2.2.1, 4.1.3.3; checklist 31, 39
{
    static const struct {
        uint8_t code;
        int err;
    } errors[] = { { 0, ENETUNREACH }, { 1, EHOSTUNREACH }, { 2, ENOPROTOOPT }, { 3, ECONNREFUSED } };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM), *other = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_connect(other, "10.0.0.2", 9), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
        send_error(&h, errors[i].code, h.vk->addr, vk_port(sk));
        CHECK_EQ(vk_send(sk, "x", 1, 0), -errors[i].err); /* told once */
        CHECK_EQ(vk_send(sk, "x", 1, 0), 1);
        CHECK_EQ(vk_send(other, "x", 1, 0), 1);
    }
    send_error(&h, 3, ip4(10, 0, 0, 9), vk_port(sk)); /* about somebody else's packet */
    CHECK_EQ(vk_send(sk, "x", 1, 0), 1);
    vk_close(sk);
    vk_close(other);
    host_destroy(&h);
}

/* ---- raw sockets: how ping sees it ---- */

TEST(a_raw_socket_sends_and_receives_icmp) // raw(7)
{
    struct vpair w = vpair_create(NULL);
    uint8_t request[8 + 4] = { ECHO, 0, 0, 0, 0, 7, 0, 1, 'p', 'i', 'n', 'g' }, reply[100];
    uint16_t sum = (uint16_t)~frame_sum(request, sizeof request, 0);
    struct sockaddr_in from;
    struct sock *sk;

    CHECK_EQ(sock_create(w.a->net, AF_INET, SOCK_RAW, IPPROTO_ICMP, &sk), 0);
    request[2] = (uint8_t)(sum >> 8);
    request[3] = (uint8_t)sum;
    CHECK_EQ(vk_sendto(sk, request, sizeof request, 0, "10.0.0.2", 0), sizeof request);
    CHECK_EQ(vk_recvfrom(sk, reply, sizeof reply, 0, &from), 20 + sizeof request);
    CHECK(reply[0] == 0x45 && reply[9] == 1 && reply[20] == ECHO_REPLY);
    CHECK(!memcmp(reply + 24, request + 4, 8));
    CHECK_EQ(from.sin_addr.s_addr, (cpu_to_be32(ip4(10, 0, 0, 2))).raw);
    vk_close(sk);
    CHECK_EQ(sock_create(w.a->net, AF_INET, SOCK_RAW, 0, &sk), -EPROTONOSUPPORT);
    vpair_destroy(&w);
}
