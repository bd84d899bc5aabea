/* net/ipv4/icmp_test.c - echo, and the rules for errors: which are sent, which are believed. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/neigh.h"

enum { ECHO_REPLY = 0, UNREACHABLE = 3, SOURCE_QUENCH = 4, ECHO = 8 };

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

    static const uint8_t unknown[] = { 1, 2, 7, SOURCE_QUENCH, 14, 15, 17, 40, 255 };
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
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_NO_MEMBER), 1);
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_NO_SOCKET), 1);
    host_destroy(&h);
}

/* Send n datagrams to a closed port, from last .. last + hosts - 1 of 10.0.0.0/24 in turn, within n * 100 us.
 * How many errors came. */
static unsigned errors_for(struct host *h, unsigned n, uint8_t last, unsigned hosts)
{
    unsigned came = 0;
    struct packet p;

    for (unsigned i = 0; i < n; i++) {
        p = to_closed_port(h);
        p.saddr = ip4(10, 0, 0, (uint8_t)(last + i % hosts));
        tap_send(h->tap, &p);
        sim_run_for(us(100));
    }
    while (tap_receive(h->tap, &p, ms(1)))
        came += p.ethertype == FRAME_IPV4 && p.protocol == PACKET_ICMP && p.icmp_type == UNREACHABLE;
    return came;
}

TEST(errors_to_one_host_are_rate_limited) // RFC 1812 4.3.2.8; checklist 33; icmp_ratelimit as Linux
{
    struct host h = host_create();
    struct packet p;

    expect_alive(&h);
    CHECK_EQ(errors_for(&h, 500, 2, 1), 6); /* six at once, and one a second */
    CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_RATE_LIMIT), 494);
    sim_run_for(sec(3));
    CHECK_EQ(errors_for(&h, 100, 2, 1), 3);
    p = echo_request(&h, "x", 1);
    for (int i = 0; i < 20; i++) { /* echo is not an error */
        tap_send(h.tap, &p);
        sim_run_for(us(100));
    }
    expect_alive(&h);
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/icmp_ratemask", "0x10"), 0);
    CHECK_EQ(errors_for(&h, 100, 2, 1), 100); /* 3 is not in the mask */
    host_destroy(&h);
}

TEST(errors_in_all_are_rate_limited) // RFC 1812 4.3.2.8; icmp_msgs_per_sec, icmp_msgs_burst
{
    struct host h = host_create();

    h.tap->only_for_me = false;
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/icmp_ratelimit", "0"), 0);
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/icmp_msgs_per_sec", "100"), 0);
    expect_alive(&h);
    unsigned came = errors_for(&h, 500, 2, 1);
    CHECK(came >= 50 && came <= 60); /* a burst of 50, and 100 a second */
    CHECK_EQ(came + host_drops(&h, SKB_DROP_ICMP_RATE_LIMIT), 500);
    host_destroy(&h);
}

TEST(a_host_that_asks_for_many_errors_costs_others_none) // the host's limit comes before that for all
{
    struct host h = host_create();
    static const uint8_t mac[6] = { 2, 0, 10, 0, 0, 77 };

    CHECK_EQ(neigh_set_permanent(h.vk->nic->dev, ip_address(10, 0, 0, 77), mac), 0);
    h.tap->only_for_me = false;
    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/icmp_msgs_per_sec", "10"), 0);
    expect_alive(&h);
    CHECK_EQ(errors_for(&h, 500, 2, 1), 6);
    CHECK_EQ(errors_for(&h, 5, 77, 1), 5);
    host_destroy(&h);
}

TEST(an_error_says_that_it_is_control_traffic) // RFC 1812 4.3.2.5
{
    struct host h = host_create();
    struct packet p = to_closed_port(&h);

    p.tos = 0x48;
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK_EQ(p.tos, 0xc8);
    host_destroy(&h);
}

TEST(no_error_about_icmp_of_a_type_that_nobody_knows) // RFC 1122 3.2.2
{
    static const uint8_t types[] = { 3, 4, 5, 11, 12, 19, 200 };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        struct packet p = echo_request(&h, "0123456789", 10);
        p.icmp_type = types[i];
        p.frag_off = 0x2000; /* its other fragments never come: 11/1 would be the answer */
        p.payload_len = 8;
        p.ip_id = (uint16_t)i;
        tap_send(h.tap, &p);
    }
    EXPECT_SILENCE(h.tap, sec(40));
    CHECK_EQ(host_drops(&h, SKB_DROP_FRAG_TIMEOUT), ARRAY_SIZE(types));
    host_destroy(&h);
}

TEST(a_time_stamp_is_told_to_who_asks) // RFC 1122 3.2.2.8, RFC 792
{
    struct host h = host_create();
    struct packet p = echo_request(&h, "\0\0\0\7........", 12);
    uint8_t told[12];

    p.icmp_type = 13;
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.icmp_type == 14 && p.icmp_code == 0 && p.icmp_rest == 0x00070001 && p.checksum_ok);
    CHECK_EQ(p.payload_len, 12);
    memcpy(told, p.payload, 12);
    CHECK(!memcmp(told, "\0\0\0\7", 4) && !memcmp(told + 4, told + 8, 4));
    uint32_t ms_of_day = (uint32_t)told[4] << 24 | (uint32_t)told[5] << 16 | (uint32_t)told[6] << 8 | told[7];
    CHECK(ms_of_day < 86400000);
    uint32_t now = (uint32_t)(time_wall() / 1000000 % 86400000);
    CHECK((now - ms_of_day + 86400000) % 86400000 < 1000);
    p = echo_request(&h, "\0\0\0\7.......", 11);
    p.icmp_type = 13;
    tap_send(h.tap, &p);
    EXPECT_SILENCE(h.tap, ms(10));
    CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_SHORT), 1);
    host_destroy(&h);
}

TEST(pings_to_all_are_answered_where_that_is_wanted) // icmp_echo_ignore_broadcasts
{
    const uint32_t to[] = { ip4(10, 0, 0, 255), ip4(255, 255, 255, 255), ip4(224, 0, 0, 1) };
    struct host h = host_create();

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/icmp_echo_ignore_broadcasts", "0"), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(to); i++) {
        struct packet p = echo_request(&h, "x", 1);
        p.daddr = to[i];
        memset(p.dst_mac, 0xff, 6);
        tap_send(h.tap, &p);
        EXPECT_IP(h.tap, &p, PACKET_ICMP);
        CHECK(p.icmp_type == ECHO_REPLY && p.saddr == h.vk->addr && p.checksum_ok);
    }
    host_destroy(&h);
}

/* ---- errors that come ---- */

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

TEST(what_lies_behind_a_quotation_is_not_part_of_it) // RFC 4884 4, 5.1
{
    uint8_t quoted[128 + 12] = { 0x45, 0, 0, 128, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct io_vector v;
    struct message msg = { 0 };
    uint8_t got[200];

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1), 0);
    quoted[20] = (uint8_t)(vk_port(sk) >> 8);
    quoted[21] = (uint8_t)vk_port(sk);
    quoted[23] = 9;
    memset(quoted + 128, 0xee, 12); /* the extension */
    struct packet p = echo_request(&h, quoted, sizeof quoted);
    p.icmp_type = 11;
    p.icmp_rest = 128 / 4 << 16;
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    v = (struct io_vector){ (uintptr_t)got, sizeof got };
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK_EQ(sock_recvmsg(sk, &msg, MSG_ERRQUEUE), 128 - 28);
    vk_close(sk);
    host_destroy(&h);
}

/* ---- the module ---- */

static void ignore(struct sk_buff *skb)
{
    consume_skb(skb);
}

TEST(where_another_has_its_protocol_icmp_leaves_nothing_behind)
{
    static const struct inet_protocol other = { .handler = ignore };
    struct net *net = net_create_bare("test");
    unsigned i = 0;

    for (; strcmp(net_module_name(i), "icmp"); i++)
        CHECK_EQ(net_module_init(net, i), 0);
    CHECK_EQ(inet_add_protocol(net, &other, IPPROTO_ICMP), 0);
    CHECK_EQ(net_module_init(net, i), -EEXIST);
    inet_del_protocol(net, IPPROTO_ICMP);
    net_destroy(net); /* and sim_fini() looks for what is left */
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
