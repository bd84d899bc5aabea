/* net/udp/udp_test.c - UDP from the wire and from sockets. */
#include "net/core/sock.h"
#include "net/ipv4/host_test.h"
#include <netinet/in.h>

enum { PORT = 7 };

static struct packet datagram(const struct host *h, const void *data, size_t n)
{
    struct packet p = to_host(h, PACKET_UDP);

    p.sport = 4000;
    p.dport = PORT;
    p.payload = data;
    p.payload_len = n;
    return p;
}

static struct sock *bound(struct vkernel *vk, const char *addr, uint16_t port)
{
    struct sock *sk = vk_socket(vk, SOCK_DGRAM);
    CHECK_EQ(vk_bind(sk, addr, port), 0);
    return sk;
}

/* Nothing waits on sk. */
static void expect_nothing(struct sock *sk)
{
    char c;
    CHECK_EQ(vk_recv(sk, &c, 1, MSG_DONTWAIT), -EAGAIN);
}

TEST(a_wrong_checksum_is_dropped_and_none_is_accepted) // RFC 768, RFC 1122 4.1.3.4; checklist 35
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct packet p = datagram(&h, "ahoy", 4);
    uint8_t frame[FRAME_MAX];
    char got[10];

    memcpy(p.src_mac, h.tap->mac, 6);
    size_t n = packet_build(&p, frame);
    frame[14 + 20 + 6] ^= 1;
    tap_send_bytes(h.tap, frame, n);
    sim_run_for(ms(1));
    expect_nothing(sk);
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_CSUM), 1);
    frame[14 + 20 + 6] = frame[14 + 20 + 7] = 0;
    tap_send_bytes(h.tap, frame, n);
    sim_run_for(ms(1));
    CHECK_EQ(vk_recv(sk, got, sizeof got, MSG_DONTWAIT), 4);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_computed_zero_is_sent_as_all_ones) // RFC 768; checklist 35
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct packet p;
    uint8_t data[2] = { 0 };
    size_t n;

    CHECK_EQ(vk_sendto(sk, data, 2, 0, "10.0.0.2", 9), 2);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    memcpy(data, tap_bytes(h.tap, &n) + 14 + 20 + 6, 2); /* as payload this makes the sum zero */
    CHECK_EQ(vk_sendto(sk, data, 2, 0, "10.0.0.2", 9), 2);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    memcpy(data, tap_bytes(h.tap, &n) + 14 + 20 + 6, 2);
    CHECK(data[0] == 0xff && data[1] == 0xff);
    CHECK(p.checksum_ok);
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_length_field_is_checked_and_surplus_is_cut) // RFC 768; checklist 36
{
    static const struct {
        uint16_t len;
        enum skb_drop_reason reason;
    } bad[] = { { 0, SKB_DROP_UDP_LENGTH },
                { 7, SKB_DROP_UDP_LENGTH },
                { 19, SKB_DROP_UDP_LENGTH },
                { 65535, SKB_DROP_UDP_LENGTH } };
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    uint8_t frame[FRAME_MAX];
    char got[20];

    for (unsigned i = 0; i <= ARRAY_SIZE(bad); i++) {
        struct packet p = datagram(&h, "0123456789", 10);
        uint16_t len = i < ARRAY_SIZE(bad) ? bad[i].len : 12;
        memcpy(p.src_mac, h.tap->mac, 6);
        size_t n = packet_build(&p, frame);
        frame[14 + 20 + 4] = (uint8_t)(len >> 8);
        frame[14 + 20 + 5] = (uint8_t)len;
        frame[14 + 20 + 6] = frame[14 + 20 + 7] = 0;
        tap_send_bytes(h.tap, frame, n);
        sim_run_for(ms(1));
    }
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_LENGTH), 4);
    CHECK_EQ(vk_recv(sk, got, sizeof got, MSG_DONTWAIT), 4);
    CHECK(!memcmp(got, "0123", 4));
    for (uint8_t n = 0; n < 8; n++) {
        struct packet p = datagram(&h, "0123456789", 10);
        memcpy(p.src_mac, h.tap->mac, 6);
        size_t size = packet_build(&p, frame);
        frame[14 + 3] = (uint8_t)(20 + n);
        frame[14 + 10] = frame[14 + 11] = 0;
        uint16_t sum = (uint16_t)~frame_sum(frame + 14, 20, 0);
        frame[14 + 10] = (uint8_t)(sum >> 8);
        frame[14 + 11] = (uint8_t)sum;
        tap_send_bytes(h.tap, frame, size);
        sim_run_for(ms(1));
    }
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_SHORT), 8);
    vk_close(sk);
    host_destroy(&h);
}

TEST(boundaries_are_kept_and_what_does_not_fit_is_lost) // POSIX recv(); checklist 38, 39, 40
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct sockaddr_in from;
    struct packet p;
    char got[20];

    p = datagram(&h, "first one", 9);
    tap_send(h.tap, &p);
    p = datagram(&h, "", 0);
    tap_send(h.tap, &p);
    p = datagram(&h, "third", 5);
    tap_send(h.tap, &p);
    CHECK_EQ(vk_recv(sk, got, 5, MSG_PEEK), 5);
    CHECK_EQ(vk_recv(sk, got, 5, MSG_TRUNC), 9); /* the rest of it is gone */
    CHECK_EQ(vk_recvfrom(sk, got, sizeof got, 0, &from), 0);
    CHECK(ntohs(from.sin_port) == 4000 && ntohl(from.sin_addr.s_addr) == h.tap->ip);
    CHECK_EQ(vk_recv(sk, got, sizeof got, 0), 5);
    CHECK(!memcmp(got, "third", 5));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_connected_socket_hears_its_peer_only) // RFC 1122 4.1.4; checklist 39
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct packet p = datagram(&h, "a", 1);
    char c;

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 4000), 0);
    p.sport = 4001;
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP); /* to that peer the port is closed */
    p = datagram(&h, "b", 1);
    tap_send(h.tap, &p);
    CHECK_EQ(vk_recv(sk, &c, 1, 0), 1);
    CHECK_EQ(c, 'b');
    CHECK_EQ(vk_send(sk, "c", 1, 0), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.dport, 4000);
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_most_specific_socket_gets_the_datagram) // RFC 1122 4.1.3.5; checklist 41
{
    struct host h = host_create();
    struct sock *any = vk_socket(h.vk, SOCK_DGRAM), *here = vk_socket(h.vk, SOCK_DGRAM),
                *peer = vk_socket(h.vk, SOCK_DGRAM);
    struct sock *all[] = { any, here, peer };
    struct packet p;
    char c;

    for (int i = 0; i < 3; i++)
        CHECK_EQ(vk_setsockopt_int(all[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_bind(any, NULL, PORT), 0);
    CHECK_EQ(vk_bind(here, "10.0.0.1", PORT), 0);
    CHECK_EQ(vk_bind(peer, "10.0.0.1", PORT), 0);
    CHECK_EQ(vk_connect(peer, "10.0.0.2", 4000), 0);
    for (int i = 2; i >= 0; i--) {
        p = datagram(&h, "x", 1);
        tap_send(h.tap, &p);
        sim_run_for(ms(1));
        for (int k = 0; k < i; k++)
            expect_nothing(all[k]);
        CHECK_EQ(vk_recv(all[i], &c, 1, MSG_DONTWAIT), 1);
        vk_close(all[i]);
    }
    host_destroy(&h);
}

TEST(a_port_is_bound_once_unless_both_agree) // checklist 41
{
    struct host h = host_create();
    struct sock *a = bound(h.vk, NULL, PORT), *b = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_bind(b, NULL, PORT), -EADDRINUSE);
    CHECK_EQ(vk_bind(b, "10.0.0.1", PORT), -EADDRINUSE);
    CHECK_EQ(vk_setsockopt_int(b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_bind(b, NULL, PORT), -EADDRINUSE);
    CHECK_EQ(vk_bind(b, "10.9.9.9", PORT), -EADDRNOTAVAIL);
    CHECK_EQ(vk_setsockopt_int(a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_bind(b, NULL, PORT), 0);
    CHECK_EQ(vk_bind(b, NULL, PORT + 1), -EINVAL);
    vk_close(a);
    vk_close(b);
    host_destroy(&h);
}

TEST(ephemeral_ports_are_random_and_all_can_be_used) // RFC 6056; checklist 41
{
    struct host h = host_create();
    struct sock *sk[200];
    unsigned in_order = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(sk); i++) {
        sk[i] = bound(h.vk, NULL, 0);
        uint16_t port = vk_port(sk[i]);
        CHECK(port >= 32768 && port <= 60999);
        for (unsigned k = 0; k < i; k++)
            CHECK(vk_port(sk[k]) != port);
        in_order += i && port == vk_port(sk[i - 1]) + 1;
    }
    CHECK(in_order < 5);
    for (unsigned i = 0; i < ARRAY_SIZE(sk); i++)
        vk_close(sk[i]);
    host_destroy(&h);
}

TEST(a_full_receive_buffer_drops_and_counts)
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    unsigned kept = 0;
    char c;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 5000), 0);
    for (int i = 0; i < 50; i++) {
        struct packet p = datagram(&h, "x", 1);
        tap_send(h.tap, &p);
        sim_run_for(us(10));
    }
    while (vk_recv(sk, &c, 1, MSG_DONTWAIT) == 1)
        kept++;
    CHECK(kept > 0 && kept < 50);
    CHECK_EQ(kept + host_drops(&h, SKB_DROP_SOCKET_RCVBUF_FULL), 50);
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_may_not_be_sent_is_refused)
{
    static char big[65508];
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_send(sk, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 0), -EINVAL);
    CHECK_EQ(vk_sendto(sk, big, sizeof big, 0, "10.0.0.2", 9), -EMSGSIZE);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.255", 9), -EACCES);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "192.168.7.7", 9), -ENETUNREACH);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.255", 9), 1);
    struct packet p;
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.dst_mac[0] == 0xff && p.dst_mac[5] == 0xff && p.daddr == ip4(10, 0, 0, 255));
    vk_close(sk);
    host_destroy(&h);
}

TEST(own_addresses_are_reached_without_the_wire) // RFC 1122 3.2.1.3(g); checklist 26
{
    static const char *const own[] = { "127.0.0.1", "127.9.9.9", "10.0.0.1", "0.0.0.0" };
    struct host h = host_create();
    struct sock *server = bound(h.vk, NULL, PORT), *client = vk_socket(h.vk, SOCK_DGRAM);
    char c;

    for (unsigned i = 0; i < ARRAY_SIZE(own); i++) {
        CHECK_EQ(vk_sendto(client, "x", 1, 0, own[i], PORT), 1);
        CHECK_EQ(vk_recv(server, &c, 1, 0), 1);
    }
    EXPECT_SILENCE(h.tap, sec(1));
    vk_close(server);
    vk_close(client);
    host_destroy(&h);
}

TEST(a_bad_user_address_is_an_error_and_leaks_nothing)
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct packet p = datagram(&h, "ahoy", 4);
    struct io_vector bad = { 16, 4 };
    struct message msg = { 0 };

    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    iov_iter_init(&msg.iter, ITER_USER, &bad, 1);
    CHECK_EQ(sock_recvmsg(sk, &msg, 0), -EFAULT);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    iov_iter_init(&msg.iter, ITER_USER, &bad, 1);
    CHECK_EQ(sock_sendmsg(sk, &msg, 0), -EFAULT);
    CHECK_EQ(vk_live_skbs(h.vk), 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_receiver_waits_no_longer_than_it_said) // socket(7) SO_RCVTIMEO
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    const struct timeval half = { 0, 500000 };
    uint64_t began = time_now();
    char c;

    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof half), 0);
    CHECK_EQ(vk_recv(sk, &c, 1, 0), -EAGAIN);
    CHECK_EQ(time_now() - began, ms(500));
    vk_close(sk);
    host_destroy(&h);
}

static void datagram_is_gone(void *skb)
{
    consume_skb(skb);
}

TEST(room_that_comes_between_the_look_and_the_sleep_is_seen) // on another CPU: sock_wfree() takes no lock
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = vk_socket(p.a, SOCK_DGRAM);
    struct sk_buff *on_its_way = alloc_skb(p.a->net, 1000);

    sk->sndbuf = on_its_way->truesize;
    skb_set_owner_w(on_its_way, sk);
    CHECK_EQ(vk_sendto(sk, "x", 1, MSG_DONTWAIT, "10.0.0.2", 9), -EAGAIN);
    sim_before_wait(datagram_is_gone, on_its_way);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 9), 1);
    vk_close(sk);
    vpair_destroy(&p);
}

static const struct sockaddr *nobody(void)
{
    static const struct sockaddr none = { .sa_family = AF_UNSPEC };

    return &none;
}

static struct sockaddr_in name_of(struct sock *sk)
{
    struct sockaddr_storage name = { 0 };
    struct sockaddr_in in;

    CHECK_EQ(sock_getname(sk, &name, false), sizeof in);
    memcpy(&in, &name, sizeof in);
    return in;
}

TEST(a_dissolved_association_leaves_only_what_bind_named) // udp(7), connect(2): AF_UNSPEC
{
    struct host h = host_create();
    struct sock *fresh = vk_socket(h.vk, SOCK_DGRAM), *named = bound(h.vk, "10.0.0.1", PORT),
                *half = bound(h.vk, NULL, PORT + 1);
    struct sockaddr_storage peer;

    CHECK_EQ(vk_connect(fresh, "127.0.0.1", 9), 0);
    CHECK_EQ(ntohl(name_of(fresh).sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(sock_connect(fresh, nobody(), sizeof(struct sockaddr), 0), 0);
    CHECK(name_of(fresh).sin_addr.s_addr == 0 && name_of(fresh).sin_port == 0);
    CHECK_EQ(sock_getname(fresh, &peer, true), -ENOTCONN);
    CHECK_EQ(vk_connect(fresh, "10.0.0.2", 9), 0); /* the wire, no more from 127.0.0.1 */
    CHECK_EQ(ntohl(name_of(fresh).sin_addr.s_addr), h.vk->addr);
    CHECK_EQ(vk_connect(named, "10.0.0.2", 9), 0);
    CHECK_EQ(sock_connect(named, nobody(), sizeof(struct sockaddr), 0), 0);
    CHECK(ntohl(name_of(named).sin_addr.s_addr) == h.vk->addr && vk_port(named) == PORT);
    CHECK_EQ(vk_connect(half, "10.0.0.2", 9), 0);
    CHECK_EQ(sock_connect(half, nobody(), sizeof(struct sockaddr), 0), 0);
    CHECK(name_of(half).sin_addr.s_addr == 0 && vk_port(half) == PORT + 1);
    vk_close(fresh);
    vk_close(named);
    vk_close(half);
    host_destroy(&h);
}

TEST(names_that_cannot_be_are_refused) // bind(2), connect(2), socket(7) SO_BROADCAST
{
    const struct sockaddr_in foreign = { .sin_family = AF_INET6 };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct sockaddr_storage peer;

    CHECK_EQ(sock_getname(sk, &peer, true), -ENOTCONN);
    CHECK_EQ(vk_bind(sk, "10.0.0.77", PORT), -EADDRNOTAVAIL);
    CHECK_EQ(sock_bind(sk, (const struct sockaddr *)&foreign, sizeof foreign), -EAFNOSUPPORT);
    CHECK_EQ(sock_bind(sk, (const struct sockaddr *)&foreign, sizeof foreign - 1), -EINVAL);
    CHECK_EQ(sock_connect(sk, (const struct sockaddr *)&foreign, sizeof foreign, 0), -EAFNOSUPPORT);
    CHECK_EQ(vk_connect(sk, "192.168.7.7", 9), -ENETUNREACH);
    CHECK_EQ(vk_connect(sk, "10.0.0.255", 9), -EACCES);
    CHECK(vk_port(sk) != 0); /* and yet it has a port since the first connect(), as on Linux */
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(vk_connect(sk, "10.0.0.255", 9), 0);
    CHECK_EQ(vk_bind(sk, NULL, PORT), -EINVAL); /* it has a port by now */
    CHECK_EQ(vk_send(sk, "x", 1, MSG_OOB), -EOPNOTSUPP);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_broadcast_reaches_all_that_are_bound_to_its_port) // RFC 1122 4.1.3.5, socket(7) SO_REUSEADDR
{
    struct host h = host_create();
    struct sock *sk[3];
    struct packet p = datagram(&h, "all", 3);
    char got[4];

    for (int i = 0; i < 3; i++) {
        sk[i] = vk_socket(h.vk, SOCK_DGRAM);
        CHECK_EQ(vk_setsockopt_int(sk[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
        CHECK_EQ(vk_bind(sk[i], NULL, i < 2 ? PORT : PORT + 1), 0);
    }
    p.daddr = ip4(10, 0, 0, 255);
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    for (int i = 0; i < 2; i++)
        CHECK_EQ(vk_recv(sk[i], got, sizeof got, MSG_DONTWAIT), 3);
    expect_nothing(sk[2]);
    for (int i = 0; i < 3; i++)
        vk_close(sk[i]);
    tap_send(h.tap, &p); /* RFC 1122 3.2.2: nobody is told of a broadcast that nobody wants */
    EXPECT_SILENCE(h.tap, ms(100));
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_NO_MEMBER), 1);
    host_destroy(&h);
}

TEST(a_broadcast_that_one_receiver_has_no_room_for_reaches_the_others)
{
    struct host h = host_create();
    struct sock *full = vk_socket(h.vk, SOCK_DGRAM), *roomy = vk_socket(h.vk, SOCK_DGRAM);
    static const char data[1000];
    struct packet p = datagram(&h, data, sizeof data);
    unsigned got = 0;
    char c;

    CHECK_EQ(vk_setsockopt_int(full, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_setsockopt_int(roomy, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_setsockopt_int(full, SOL_SOCKET, SO_RCVBUF, 1), 0); /* the least there is */
    CHECK_EQ(vk_bind(full, NULL, PORT), 0);
    CHECK_EQ(vk_bind(roomy, NULL, PORT), 0);
    p.daddr = ip4(10, 0, 0, 255);
    for (int i = 0; i < 20; i++) {
        tap_send(h.tap, &p);
        sim_run_for(ms(1));
    }
    while (vk_recv(roomy, &c, 1, MSG_DONTWAIT) == 1)
        got++;
    CHECK_EQ(got, 20);
    CHECK(host_drops(&h, SKB_DROP_SOCKET_RCVBUF_FULL) > 0);
    vk_close(full);
    vk_close(roomy);
    host_destroy(&h);
}

TEST(a_socket_that_is_shut_down_sends_or_receives_no_more) // shutdown(2)
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    char c;

    CHECK_EQ(sock_shutdown(sk, SHUT_RD), -ENOTCONN);
    vk_close(sk);
    sk = vk_socket(h.vk, SOCK_DGRAM);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    CHECK_EQ(sock_shutdown(sk, 3), -EINVAL);
    CHECK_EQ(sock_shutdown(sk, SHUT_WR), 0);
    CHECK_EQ(vk_send(sk, "x", 1, MSG_NOSIGNAL), -EPIPE);
    expect_nothing(sk);
    CHECK_EQ(sock_shutdown(sk, SHUT_RD), 0);
    CHECK_EQ(vk_recv(sk, &c, 1, 0), 0); /* the end, without waiting */
    vk_close(sk);
    host_destroy(&h);
}

static void read_proc(const struct host *h, const char *name, char *text, size_t size)
{
    struct textbuf out = { .buf = text, .size = size };

    net_proc_find(h->vk->net, name)->show(h->vk->net, &out);
    CHECK(out.len < size);
}

TEST(proc_net_tells_of_sockets_and_of_what_was_counted) // proc(5): udp, snmp, sockstat
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, "10.0.0.1", PORT), *peer = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p = datagram(&h, "ahoy", 4);
    char text[4000];

    CHECK_EQ(vk_connect(peer, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_send(peer, "x", 1, 0), 1);
    tap_send(h.tap, &p);
    p.dport = PORT + 1;
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    read_proc(&h, "udp", text, sizeof text);
    CHECK(strstr(text, " 0100000A:0007 00000000:0000 07 "));
    CHECK(strstr(text, " 0200000A:0009 01 "));
    read_proc(&h, "snmp", text, sizeof text);
    CHECK(strstr(text, "\nUdp: 1 1 0 1 0 0 0 0 0\n"));
    read_proc(&h, "sockstat", text, sizeof text);
    CHECK(strstr(text, "UDP: inuse 2 mem 1\n"));
    vk_close(sk);
    vk_close(peer);
    host_destroy(&h);
}

TEST(
    a_group_and_the_limited_broadcast_leave_by_a_link_without_a_route_to_them) // RFC 1112 6.4, RFC 1122 3.3.6
{
    static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };
    static const char *const groups[] = { "224.1.2.3", "239.129.2.3" }; /* the low 23 bits are the same */
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        CHECK_EQ(vk_sendto(sk, "x", 1, 0, groups[i], 9), 1);
        EXPECT_IP(h.tap, &p, PACKET_UDP);
        CHECK(!memcmp(p.dst_mac, group, 6) && p.saddr == h.vk->addr &&
              p.daddr == vk_parse_ip(groups[i], NULL));
    }
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "255.255.255.255", 9), -EACCES);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "255.255.255.255", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.dst_mac[0] == 0xff && p.daddr == 0xffffffff && p.saddr == h.vk->addr);
    vk_close(sk);
    host_destroy(&h);
}

TEST(nothing_from_127_leaves_the_host) // RFC 1122 3.2.1.3(g); EINVAL as Linux
{
    static const char *const outside[] = { "10.0.0.2", "10.0.0.255" };
    struct host h = host_create();
    struct sock *sk = bound(h.vk, "127.0.0.1", PORT), *server = bound(h.vk, NULL, PORT + 1);
    char c;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_BROADCAST, 1), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(outside); i++)
        CHECK_EQ(vk_sendto(sk, "x", 1, 0, outside[i], 9), -EINVAL);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "255.255.255.255", PORT + 1), 1); /* on its own link, lo */
    CHECK_EQ(vk_recv(server, &c, 1, 0), 1);
    EXPECT_SILENCE(h.tap, ms(100));
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.1", PORT + 1), 1); /* which is here */
    CHECK_EQ(vk_recv(server, &c, 1, 0), 1);
    vk_close(sk);
    vk_close(server);
    host_destroy(&h);
}

TEST(a_thousand_connected_sockets_of_one_port_each_hear_their_own_peer) // RFC 1122 4.1.3.5
{
    enum { MANY = 1000 };
    struct host h = host_create();
    static struct sock *sk[MANY];
    struct packet p = datagram(&h, "x", 1);
    char c;

    for (uint16_t i = 0; i < MANY; i++) {
        sk[i] = vk_socket(h.vk, SOCK_DGRAM);
        CHECK_EQ(vk_setsockopt_int(sk[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
        CHECK_EQ(vk_bind(sk[i], i % 2 ? NULL : "10.0.0.1", PORT), 0);
        CHECK_EQ(vk_connect(sk[i], "10.0.0.2", (uint16_t)(1000 + i)), 0);
    }
    for (uint16_t i = 0; i < MANY; i += 37) {
        p.sport = (uint16_t)(1000 + i);
        tap_send(h.tap, &p);
        sim_run_for(ms(1));
        CHECK_EQ(vk_recv(sk[i], &c, 1, MSG_DONTWAIT), 1);
    }
    p.sport = 999; /* nobody's peer */
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_NO_SOCKET), 1);
    for (unsigned i = 0; i < MANY; i++)
        vk_close(sk[i]);
    host_destroy(&h);
}

TEST(a_dissolved_association_is_no_longer_found_by_its_peer) // connect(2)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct packet p = datagram(&h, "x", 1);
    char c;

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 4000), 0);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 4001), 0);
    tap_send(h.tap, &p); /* from 4000 */
    sim_run_for(ms(1));
    expect_nothing(sk);
    CHECK_EQ(sock_connect(sk, &nobody, sizeof nobody, 0), 0);
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    CHECK_EQ(vk_recv(sk, &c, 1, MSG_DONTWAIT), 1);
    vk_close(sk);
    host_destroy(&h);
}

TEST(nobody_takes_a_share_of_another_user_s_port) // socket(7), SO_REUSEPORT
{
    const struct credentials root = { .pid = 1, .net_raw = true, .net_admin = true },
                             user = { .pid = 2, .uid = 1000, .euid = 1000 };
    struct host h = host_create();
    struct sock *a = vk_socket(h.vk, SOCK_DGRAM), *c = vk_socket(h.vk, SOCK_DGRAM);

    sim_set_credentials(&user);
    struct sock *b = vk_socket(h.vk, SOCK_DGRAM);
    sim_set_credentials(&root);
    struct sock *all[] = { a, b, c };
    for (int i = 0; i < 3; i++)
        CHECK_EQ(vk_setsockopt_int(all[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
    CHECK_EQ(vk_bind(a, NULL, PORT), 0);
    CHECK_EQ(vk_bind(b, NULL, PORT), -EADDRINUSE);
    CHECK_EQ(vk_bind(c, NULL, PORT), 0);
    for (int i = 0; i < 3; i++)
        vk_close(all[i]);
    host_destroy(&h);
}

TEST(what_finds_no_room_is_counted_and_told) // socket(7), SO_RXQ_OVFL; /proc/net/udp, /proc/net/snmp
{
    struct host h = host_create();
    struct sock *sk = bound(h.vk, NULL, PORT);
    struct packet p = datagram(&h, "x", 1);
    uint8_t control[64], byte;
    const struct io_vector v = { (uintptr_t)&byte, 1 };
    char text[4000], expected[64];

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 10000), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RXQ_OVFL, 1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RXQ_OVFL), 1);
    for (int i = 0; i < 20; i++)
        tap_send(h.tap, &p);
    sim_run_for(ms(1));
    uint32_t lost = sk->drops;
    CHECK(lost > 5 && lost < 20);
    for (uint32_t i = lost; i < 20; i++) {
        struct message msg = { .control = control, .control_len = sizeof control };
        iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
        CHECK_EQ(sock_recvmsg(sk, &msg, MSG_DONTWAIT), 1);
        CHECK_EQ(msg.control_used, 0); /* they came before the first loss */
    }
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    struct message msg = { .control = control, .control_len = sizeof control };
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK_EQ(sock_recvmsg(sk, &msg, MSG_DONTWAIT), 1);
    const struct cmsghdr *cm = (const struct cmsghdr *)control;
    CHECK(msg.control_used && cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SO_RXQ_OVFL);
    CHECK_EQ(*(const uint32_t *)CMSG_DATA(cm), lost);
    ksnprintf(expected, sizeof expected, "\nUdp: %u 0 %u 0 %u 0 0 0 0\n", 21 - lost, lost, lost);
    read_proc(&h, "snmp", text, sizeof text);
    CHECK(strstr(text, expected));
    ksnprintf(expected, sizeof expected, " %u ", lost);
    read_proc(&h, "udp", text, sizeof text);
    CHECK(strstr(text, expected));
    vk_close(sk);
    host_destroy(&h);
}

TEST(without_checksums_if_the_program_says_so) // socket(7), SO_NO_CHECK; RFC 768: zero
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;
    size_t n;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_NO_CHECK, 1), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    const uint8_t *frame = tap_bytes(h.tap, &n);
    CHECK(frame[40] == 0 && frame[41] == 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_NO_CHECK, 0), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    frame = tap_bytes(h.tap, &n);
    CHECK(frame[40] || frame[41]);
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_is_corked_leaves_as_one_datagram) // udp(7), UDP_CORK; send(2), MSG_MORE
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    CHECK_EQ(vk_sendto(sk, "one ", 4, MSG_MORE, "10.0.0.2", 9), 4);
    CHECK_EQ(vk_sendto(sk, "two ", 4, MSG_MORE, "10.0.0.3", 10), 4); /* where to was said already */
    EXPECT_SILENCE(h.tap, ms(10));
    CHECK_EQ(vk_send(sk, "three", 5, 0), 5);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.payload_len == 13 && !memcmp(p.payload, "one two three", 13) && p.checksum_ok);
    CHECK(p.daddr == h.tap->ip && p.dport == 9);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_UDP, UDP_CORK, 1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_UDP, UDP_CORK), 1);
    CHECK_EQ(vk_sendto(sk, "a", 1, 0, "10.0.0.2", 9), 1);
    CHECK_EQ(vk_sendto(sk, "b", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_SILENCE(h.tap, ms(10));
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_UDP, UDP_CORK, 0), 0);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.payload_len == 2 && !memcmp(p.payload, "ab", 2));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_cork_holds_one_datagram_s_bytes_and_no_more) // udp(7): EMSGSIZE
{
    static char half[40000];
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUF, 1 << 20), 0);
    CHECK_EQ(vk_sendto(sk, half, sizeof half, MSG_MORE, "10.0.0.2", 9), sizeof half);
    CHECK_EQ(vk_sendto(sk, half, sizeof half, 0, "10.0.0.2", 9), -EMSGSIZE);
    EXPECT_SILENCE(h.tap, ms(10)); /* all of it is gone, as on Linux */
    CHECK_EQ(vk_sendto(sk, "x", 1, MSG_MORE, "10.0.0.2", 9), 1);
    vk_close(sk); /* what it holds then is lost */
    EXPECT_SILENCE(h.tap, ms(10));
    host_destroy(&h);
}

TEST(a_long_message_is_cut_into_datagrams_of_the_size_asked_for) // udp(7), UDP_SEGMENT
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    static char data[1 << 16];
    struct packet p;

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (char)(i % 251);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_UDP, UDP_SEGMENT, 100), 0);
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_UDP, UDP_SEGMENT), 100);
    CHECK_EQ(vk_sendto(sk, data, 250, 0, "10.0.0.2", 9), 250);
    for (size_t at = 0; at < 250; at += 100) {
        EXPECT_IP(h.tap, &p, PACKET_UDP);
        CHECK(p.payload_len == MIN((size_t)100, 250 - at) && !memcmp(p.payload, data + at, p.payload_len));
        CHECK(p.checksum_ok);
    }
    CHECK_EQ(vk_sendto(sk, data, 100, 0, "10.0.0.2", 9), 100);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    EXPECT_SILENCE(h.tap, ms(10));
    CHECK_EQ(vk_sendto(sk, data, 6401, 0, "10.0.0.2", 9), -EINVAL); /* more than 64 of them */
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_UDP, UDP_SEGMENT, 1473), 0);
    CHECK_EQ(vk_sendto(sk, data, 3000, 0, "10.0.0.2", 9), -EINVAL); /* one would not fit the link */
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_UDP, UDP_SEGMENT, 65536), -EINVAL);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_UDP, UDP_SEGMENT, 0), 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(one_message_can_ask_to_be_cut) // udp(7), UDP_SEGMENT as a control message
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct {
        struct cmsghdr c;
        uint16_t size;
    } control = { { CMSG_LEN(2), IPPROTO_UDP, UDP_SEGMENT }, 3 };
    struct io_vector v = { (uintptr_t) "abcde", 5 };
    struct message msg = { .control = &control, .control_len = sizeof control };
    struct packet p;

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK_EQ(sock_sendmsg(sk, &msg, 0), 5);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.payload_len == 3 && !memcmp(p.payload, "abc", 3));
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.payload_len == 2 && !memcmp(p.payload, "de", 2));
    control.c.cmsg_len = CMSG_LEN(1);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK_EQ(sock_sendmsg(sk, &msg, 0), -EINVAL);
    vk_close(sk);
    host_destroy(&h);
}
