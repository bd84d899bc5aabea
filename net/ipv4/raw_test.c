/* net/ipv4/raw_test.c - raw sockets, raw(7). */
#include "net/core/sock.h"
#include "net/ipv4/host_test.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ip.h"
#include <arpa/inet.h>
#include <netinet/in.h>

enum { OURS = 253 }; /* RFC 3692: for experiments */

static struct sock *raw_socket(const struct vkernel *vk, int protocol)
{
    struct sock *sk = NULL;

    CHECK_EQ(sock_create(vk->net, AF_INET, SOCK_RAW, protocol, &sk), 0);
    return sk;
}

/* A packet of our protocol from the station, and time for it to arrive. */
static void say(const struct host *h, const char *text)
{
    struct packet p = to_host(h, OURS);

    p.payload = text;
    p.payload_len = strlen(text);
    tap_send(h->tap, &p);
    sim_run_for(ms(1));
}

static bool hears(struct sock *sk)
{
    char got[64];

    return vk_recv(sk, got, sizeof got, MSG_DONTWAIT) > 0;
}

TEST(each_raw_socket_that_its_addresses_fit_gets_a_copy) // raw(7), bind() and connect()
{
    struct host h = host_create();
    struct sock *any = raw_socket(h.vk, OURS), *here = raw_socket(h.vk, OURS),
                *there = raw_socket(h.vk, OURS), *elsewhere = raw_socket(h.vk, OURS),
                *other = raw_socket(h.vk, OURS + 1);

    CHECK_EQ(vk_bind(here, "10.0.0.1", 0), 0);
    CHECK_EQ(vk_connect(there, "10.0.0.2", 0), 0);
    CHECK_EQ(vk_connect(elsewhere, "10.0.0.3", 0), 0);
    CHECK_EQ(vk_bind(other, "10.0.0.77", 0), -EADDRNOTAVAIL);
    say(&h, "ahoy");
    CHECK(hears(any) && hears(here) && hears(there));
    CHECK(!hears(elsewhere) && !hears(other));
    vk_close(any);
    vk_close(here);
    vk_close(there);
    vk_close(elsewhere);
    vk_close(other);
    host_destroy(&h);
}

TEST(a_raw_socket_s_port_is_its_protocol_and_connect_gives_it_an_address) // as in Linux
{
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, OURS);
    struct sockaddr_storage name;
    struct sockaddr_in in;

    CHECK_EQ(sock_getname(sk, &name, true), -ENOTCONN);
    CHECK_EQ(vk_send(sk, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 80), 0);
    CHECK_EQ(sock_getname(sk, &name, true), sizeof in);
    memcpy(&in, &name, sizeof in);
    CHECK(ntohl(in.sin_addr.s_addr) == h.tap->ip && ntohs(in.sin_port) == 80);
    CHECK_EQ(vk_port(sk), OURS);
    CHECK_EQ(sock_getname(sk, &name, false), sizeof in);
    memcpy(&in, &name, sizeof in);
    CHECK_EQ(ntohl(in.sin_addr.s_addr), h.vk->addr);
    CHECK_EQ(vk_send(sk, "x", 1, 0), 1);
    struct packet p;
    EXPECT_IP(h.tap, &p, OURS);
    CHECK(p.payload_len >= 1 && *(const char *)p.payload == 'x');
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_raw_socket_s_association_can_be_dissolved) // connect(2): AF_UNSPEC
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, OURS);

    CHECK_EQ(vk_connect(sk, "10.0.0.3", 0), 0);
    say(&h, "unheard");
    CHECK(!hears(sk));
    CHECK_EQ(sock_connect(sk, &nobody, sizeof nobody, 0), 0);
    CHECK_EQ(vk_send(sk, "x", 1, 0), -EDESTADDRREQ);
    say(&h, "heard");
    CHECK(hears(sk));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_filter_of_icmp_types_keeps_away_what_it_names) // raw(7), ICMP_FILTER
{
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, IPPROTO_ICMP), *other = raw_socket(h.vk, OURS);
    uint32_t filter = 0;
    socklen_t len = sizeof filter;
    struct packet p = echo_request(&h, "x", 1);

    CHECK_EQ(sock_getsockopt(sk, SOL_RAW, ICMP_FILTER, &filter, &len), 0);
    CHECK_EQ(filter, 0);
    filter = 1u << 8;
    CHECK_EQ(sock_setsockopt(sk, SOL_RAW, ICMP_FILTER, &filter, sizeof filter), 0);
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    CHECK(!hears(sk));
    p.icmp_type = 13; /* a timestamp request */
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    CHECK(hears(sk));
    CHECK_EQ(sock_getsockopt(sk, SOL_RAW, ICMP_FILTER, &filter, &len), 0);
    CHECK_EQ(filter, 1u << 8);
    CHECK_EQ(sock_setsockopt(other, SOL_RAW, ICMP_FILTER, &filter, sizeof filter), -EOPNOTSUPP);
    CHECK_EQ(sock_getsockopt(other, SOL_RAW, ICMP_FILTER, &filter, &len), -EOPNOTSUPP);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_RAW, ICMP_FILTER + 1, 1), -ENOPROTOOPT);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_RAW, ICMP_FILTER + 1), -ENOPROTOOPT);
    vk_close(sk);
    vk_close(other);
    host_destroy(&h);
}

static struct ip_hdr header(uint8_t version_ihl)
{
    return (struct ip_hdr){ .version_ihl = version_ihl,
                            .ttl = 9,
                            .protocol = OURS,
                            .tot_len = cpu_to_be16(1),
                            .daddr = cpu_to_be32(ip4(10, 0, 0, 2)) };
}

TEST(with_a_header_of_its_own_the_kernel_fills_in_what_it_left_out) // raw(7), IP_HDRINCL: the table of fields
{
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, IPPROTO_RAW); /* which implies it */
    struct ip_hdr ip = header(0x45);
    struct packet p;

    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_HDRINCL), 1);
    CHECK_EQ(vk_sendto(sk, &ip, sizeof ip, 0, "10.0.0.2", 0), sizeof ip);
    EXPECT_IP(h.tap, &p, OURS);
    CHECK_EQ(p.saddr, h.vk->addr);
    CHECK(p.ip_checksum_ok && p.ttl == 9 && p.ip_id != 0 &&
          !p.malformed); /* the length, too, was put right */
    ip.saddr = cpu_to_be32(ip4(10, 0, 0, 99));
    ip.id = cpu_to_be16(77);
    CHECK_EQ(vk_sendto(sk, &ip, sizeof ip, 0, "10.0.0.2", 0), sizeof ip);
    EXPECT_IP(h.tap, &p, OURS);
    CHECK(p.saddr == ip4(10, 0, 0, 99) && p.ip_id == 77); /* what it did not leave out stands */
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_header_of_its_own_must_be_one) // raw(7), IP_HDRINCL
{
    static uint8_t big[1501] = { 0x45 };
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, IPPROTO_RAW);
    struct ip_hdr shorter = header(0x44), longer = header(0x46);

    CHECK_EQ(vk_sendto(sk, &shorter, sizeof shorter, 0, "10.0.0.2", 0), -EINVAL);
    CHECK_EQ(vk_sendto(sk, &longer, sizeof longer, 0, "10.0.0.2", 0), -EINVAL);
    CHECK_EQ(vk_sendto(sk, &longer, sizeof longer - 1, 0, "10.0.0.2", 0), -EINVAL);
    CHECK_EQ(vk_sendto(sk, big, sizeof big, 0, "10.0.0.2", 0), -EMSGSIZE); /* it is not cut into fragments */
    EXPECT_SILENCE(h.tap, ms(100));
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_a_raw_socket_may_not_send_is_refused) // raw(7), send(2), socket(7) SO_BROADCAST
{
    static char big[65535];
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, OURS);
    struct io_vector bad = { 16, 4 };
    struct message msg = { 0 };
    char c;

    CHECK_EQ(vk_sendto(sk, big, sizeof big - 19, 0, "10.0.0.2", 0), -EMSGSIZE);
    CHECK_EQ(vk_sendto(sk, "x", 1, MSG_OOB, "10.0.0.2", 0), -EOPNOTSUPP);
    CHECK_EQ(vk_recv(sk, &c, 1, MSG_OOB), -EOPNOTSUPP);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "192.168.7.7", 0), -ENETUNREACH);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.255", 0), -EACCES);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.255", 0), 1);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 0), 0);
    iov_iter_init(&msg.iter, ITER_USER, &bad, 1);
    CHECK_EQ(sock_sendmsg(sk, &msg, 0), -EFAULT);
    sim_run_for(ms(1)); /* the broadcast has left */
    CHECK_EQ(vk_live_skbs(h.vk), 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(an_icmp_error_reaches_the_raw_socket_that_sent_the_packet) // raw(7): IP_RECVERR, or connected; RFC
                                                                // 1122 3.2.2
{
    struct vpair w = vpair_create(NULL); /* b knows no protocol 253 */
    struct sock *asks = raw_socket(w.a, OURS), *connected = raw_socket(w.a, OURS),
                *silent = raw_socket(w.a, OURS);
    char got[64];

    CHECK_EQ(vk_setsockopt_int(asks, SOL_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(vk_connect(connected, "10.0.0.2", 0), 0);
    CHECK_EQ(vk_sendto(asks, "all lost", 8, 0, "10.0.0.2", 0), 8);
    sim_sleep(ms(10));
    CHECK_EQ(vk_recv(connected, got, sizeof got, MSG_DONTWAIT), -ENOPROTOOPT);
    CHECK_EQ(vk_recv(silent, got, sizeof got, MSG_DONTWAIT), -EAGAIN);
    CHECK_EQ(vk_recv(asks, got, sizeof got, MSG_DONTWAIT), -ENOPROTOOPT);
    CHECK_EQ(vk_recv(asks, got, sizeof got, MSG_ERRQUEUE), 8); /* what was sent, without the header */
    CHECK(!memcmp(got, "all lost", 8));
    vk_close(asks);
    vk_close(connected);
    vk_close(silent);
    vpair_destroy(&w);
}

TEST(proc_net_raw_has_a_line_a_socket) // proc(5)
{
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, OURS);
    char text[1024];
    struct textbuf t = { .buf = text, .size = sizeof text };

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 0), 0);
    net_proc_find(h.vk->net, "raw")->show(h.vk->net, &t);
    CHECK(strstr(text, " 253: 0100000A:00FD 0200000A:0000 01 00000000:00000000 "));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_raw_socket_can_be_shut_down) // shutdown(2)
{
    struct host h = host_create();
    struct sock *sk = raw_socket(h.vk, OURS), *made = raw_socket(h.vk, IPPROTO_RAW);
    struct ip_hdr ip = header(0x45);
    char c;

    CHECK_EQ(sock_shutdown(sk, SHUT_WR), -ENOTCONN);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 0),
             1); /* as in Linux, where only the next one is refused */
    CHECK_EQ(sock_shutdown(made, SHUT_WR), -ENOTCONN);
    CHECK_EQ(vk_sendto(made, &ip, sizeof ip, 0, "10.0.0.2", 0), -EPIPE);
    vk_close(made);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 0), 0);
    CHECK_EQ(sock_shutdown(sk, SHUT_RD), 0);
    CHECK_EQ(vk_recv(sk, &c, 1, 0), 0);
    vk_close(sk);
    host_destroy(&h);
}
