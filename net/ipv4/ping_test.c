/* net/ipv4/ping_test.c - sockets for echo requests, and the queue of errors, between two virtual kernels. */
#include "lib/abi/socket.h"
#include "net/core/net_namespace.h"
#include "net/ipv4/icmp.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

struct echo {
    struct icmp_hdr icmp;
    char data[4];
};

static struct sock *ping_socket(struct vkernel *vk)
{
    struct sock *sk = NULL;

    CHECK_EQ(sock_create(vk->net, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &sk), 0);
    return sk;
}

static struct echo request(uint16_t sequence)
{
    return (struct echo){ .icmp = { .type = ICMP_ECHO, .rest = cpu_to_be32(0xaaaa0000u | sequence) },
                          .data = "abcd" };
}

TEST(an_echo_request_carries_the_socket_s_identifier_and_its_reply_comes_back) /* RFC 792; icmp(7) */
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a), *other = ping_socket(p.a);
    struct echo e = request(7), back = { 0 };
    struct sockaddr_in from;

    CHECK_EQ(vk_sendto(sk, &e, sizeof e, 0, "10.0.0.2", 0), sizeof e);
    CHECK_EQ(vk_recvfrom(sk, &back, sizeof back, 0, &from), sizeof back);
    CHECK_EQ(back.icmp.type, ICMP_ECHOREPLY);
    CHECK_EQ(be32_to_cpu(back.icmp.rest), (uint32_t)vk_port(sk) << 16 | 7);
    CHECK(!memcmp(back.data, e.data, sizeof e.data));
    CHECK_EQ(ntohl(from.sin_addr.s_addr), p.b->addr);
    CHECK_EQ(vk_recv(other, &back, sizeof back, MSG_DONTWAIT), -EAGAIN);
    vk_close(sk);
    vk_close(other);
    vpair_destroy(&p);
}

TEST(only_echo_requests_leave_by_a_ping_socket)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a);
    struct echo e = request(1);

    e.icmp.type = ICMP_ECHOREPLY;
    CHECK_EQ(vk_sendto(sk, &e, sizeof e, 0, "10.0.0.2", 0), -EINVAL);
    e.icmp.type = ICMP_ECHO;
    e.icmp.code = 1;
    CHECK_EQ(vk_sendto(sk, &e, sizeof e, 0, "10.0.0.2", 0), -EINVAL);
    CHECK_EQ(vk_sendto(sk, &e, 7, 0, "10.0.0.2", 0), -EINVAL);
    CHECK_EQ(vk_send(sk, &e, sizeof e, 0), -EDESTADDRREQ);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(an_identifier_is_one_socket_s) /* as a port is */
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a), *other = ping_socket(p.a);

    CHECK_EQ(vk_bind(sk, NULL, 77), 0);
    CHECK_EQ(vk_bind(other, NULL, 77), -EADDRINUSE);
    CHECK_EQ(vk_port(sk), 77);
    vk_close(sk);
    CHECK_EQ(vk_bind(other, NULL, 77), 0);
    vk_close(other);
    vpair_destroy(&p);
}

/* The errors that a socket got, read from its queue. */
static ssize_t read_error(struct sock *sk, struct sock_extended_err *ee, char *data, size_t n)
{
    uint64_t control[16] = { 0 };
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .control = control, .control_len = sizeof control };
    ssize_t got;

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    got = sock_recvmsg(sk, &msg, MSG_ERRQUEUE);
    memcpy(ee, (char *)control + sizeof(struct cmsghdr), sizeof *ee);
    return got;
}

TEST(with_recverr_an_unconnected_socket_hears_of_errors_and_of_the_datagram) /* ip(7), IP_RECVERR */
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = vk_socket(p.a, SOCK_DGRAM);
    struct sock_extended_err ee;
    char data[10];

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(vk_sendto(sk, "lost", 4, 0, "10.0.0.2", 9), 4);
    sim_sleep(ms(10));
    CHECK_EQ(sock_poll(sk) & POLLERR, POLLERR);
    CHECK_EQ(vk_recv(sk, data, sizeof data, 0), -ECONNREFUSED);
    CHECK_EQ(read_error(sk, &ee, data, sizeof data), 4);
    CHECK(!memcmp(data, "lost", 4));
    CHECK_EQ(ee.ee_errno, ECONNREFUSED);
    CHECK_EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP);
    CHECK_EQ(read_error(sk, &ee, data, sizeof data), -EAGAIN);
    CHECK_EQ(sock_poll(sk) & POLLERR, 0);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(the_queue_of_errors_is_bounded_by_the_receive_buffer)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = vk_socket(p.a, SOCK_DGRAM);

    vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1);
    vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 4000);
    for (int i = 0; i < 40; i++) {
        vk_sendto(sk, "lost", 4, 0, "10.0.0.2", 9);
        sim_sleep(ms(20));
        vk_getsockopt_int(sk, SOL_SOCKET, SO_ERROR);
    }
    CHECK(sk->rmem_alloc <= 8000 + 1000);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(the_flows_of_one_port_are_spread_and_each_stays_with_its_socket) /* SO_REUSEPORT, socket(7) */
{
    struct vpair p = vpair_create(NULL);
    struct sock *s[4];
    int got[4] = { 0 };
    char c;

    for (int i = 0; i < 4; i++) {
        s[i] = vk_socket(p.b, SOCK_DGRAM);
        vk_setsockopt_int(s[i], SOL_SOCKET, SO_REUSEPORT, 1);
        vk_setsockopt_int(s[i], SOL_SOCKET, SO_RCVBUF, 1 << 20); /* whatever its share is */
        CHECK_EQ(vk_bind(s[i], NULL, 5000), 0);
    }
    for (int i = 0; i < 100; i++) {
        struct sock *sk = vk_socket(p.a, SOCK_DGRAM);
        for (int k = 0; k < 3; k++)
            vk_sendto(sk, "x", 1, 0, "10.0.0.2", 5000);
        sim_sleep(ms(1));
        vk_close(sk);
    }
    sim_sleep(sec(1));
    for (int i = 0; i < 4; i++) {
        while (vk_recv(s[i], &c, 1, MSG_DONTWAIT) == 1)
            got[i]++;
        CHECK(got[i] % 3 == 0 && got[i] > 30);
        vk_close(s[i]);
    }
    CHECK_EQ(got[0] + got[1] + got[2] + got[3], 300);
    vpair_destroy(&p);
}

TEST(a_ping_socket_has_an_identifier_where_others_have_a_port) /* icmp(7): Linux's ping sockets */
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a);
    struct echo e = request(1), back;
    struct sockaddr_storage name;

    CHECK_EQ(vk_bind(sk, "10.0.0.77", 5), -EADDRNOTAVAIL);
    CHECK_EQ(vk_bind(sk, "10.0.0.1", 5), 0);
    CHECK_EQ(vk_port(sk), 5);
    CHECK_EQ(sock_getname(sk, &name, true), -ENOTCONN);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 0), 0);
    CHECK_EQ(sock_getname(sk, &name, true), sizeof(struct sockaddr_in));
    CHECK_EQ(vk_send(sk, &e, sizeof e, 0), sizeof e);
    CHECK_EQ(vk_recv(sk, &back, sizeof back, 0), sizeof back);
    CHECK_EQ(be32_to_cpu(back.icmp.rest), 5u << 16 | 1);
    CHECK_EQ(sock_connect(sk, &nobody, sizeof nobody, 0), 0);
    CHECK_EQ(vk_send(sk, &e, sizeof e, 0), -EDESTADDRREQ);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(what_a_ping_socket_may_not_send_is_refused) /* send(2), socket(7) SO_BROADCAST */
{
    static struct {
        struct icmp_hdr icmp;
        char data[65535];
    } big = { .icmp = { .type = ICMP_ECHO } };
    const struct sockaddr other = { .sa_family = AF_UNIX };
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a);
    struct echo e = request(1);
    struct io_vector bad = { 16, sizeof e };
    struct message msg = { 0 };

    CHECK_EQ(vk_sendto(sk, &e, sizeof e, MSG_OOB, "10.0.0.2", 0), -EOPNOTSUPP);
    CHECK_EQ(vk_recv(sk, &e, sizeof e, MSG_OOB), -EOPNOTSUPP);
    CHECK_EQ(vk_sendto(sk, &big, sizeof big, 0, "10.0.0.2", 0), -EMSGSIZE);
    CHECK_EQ(vk_sendto(sk, &e, sizeof e, 0, "192.168.7.7", 0), -ENETUNREACH);
    CHECK_EQ(vk_sendto(sk, &e, sizeof e, 0, "10.0.0.255", 0), -EACCES);
    CHECK_EQ(sock_connect(sk, &other, sizeof(struct sockaddr_in), 0), -EAFNOSUPPORT);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 0), 0);
    iov_iter_init(&msg.iter, ITER_USER, &bad, 1);
    CHECK_EQ(sock_sendmsg(sk, &msg, 0), -EFAULT);
    sim_sleep(ms(10)); /* it has announced its address */
    CHECK_EQ(vk_live_skbs(p.a), 0);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(a_ping_too_large_to_go_whole_is_told_with_the_mtu) /* ip(7): IP_MTU_DISCOVER, IP_RECVERR; RFC 1191 */
{
    static struct {
        struct icmp_hdr icmp;
        char data[1500];
    } big = { .icmp = { .type = ICMP_ECHO } };
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a);
    struct sock_extended_err ee;
    char data[10];

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(vk_sendto(sk, &big, sizeof big, 0, "10.0.0.2", 0), -EMSGSIZE);
    read_error(sk, &ee, data, sizeof data);
    CHECK(ee.ee_errno == EMSGSIZE && ee.ee_origin == SO_EE_ORIGIN_LOCAL && ee.ee_info == 1500);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(an_error_about_an_echo_request_reaches_its_ping_socket) /* RFC 1122 3.2.2.1 */
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = ping_socket(p.a), *other = ping_socket(p.a);
    struct sock_extended_err ee;
    struct echo e = request(1), quoted;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(vk_setsockopt_int(other, SOL_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(vk_sendto(sk, &e, sizeof e, 0, "10.0.0.3", 0), sizeof e); /* nobody is there */
    sim_sleep(sec(10));
    CHECK_EQ(vk_recv(sk, &e, sizeof e, MSG_DONTWAIT), -EHOSTUNREACH);
    CHECK_EQ(read_error(sk, &ee, (char *)&quoted, sizeof quoted), sizeof quoted);
    CHECK(ee.ee_errno == EHOSTUNREACH && quoted.icmp.type == ICMP_ECHO && !memcmp(quoted.data, "abcd", 4));
    CHECK_EQ(vk_recv(other, &e, sizeof e, MSG_DONTWAIT), -EAGAIN);
    vk_close(sk);
    vk_close(other);
    vpair_destroy(&p);
}

TEST(a_ping_socket_that_is_shut_down_sends_nothing) // shutdown(2)
{
    struct vpair w = vpair_create(NULL);
    struct sock *sk = NULL;
    const uint8_t request[8] = { 8 };

    CHECK_EQ(sock_create(w.a->net, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &sk), 0);
    CHECK_EQ(sock_shutdown(sk, SHUT_WR), -ENOTCONN);
    CHECK_EQ(vk_sendto(sk, request, sizeof request, 0, "10.0.0.2", 0), -EPIPE);
    vk_close(sk);
    vpair_destroy(&w);
}
