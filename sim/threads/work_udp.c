/* sim/threads/work_udp.c - datagrams: storms, fragments, errors that come back; and echoes and raw sockets.
 */
#include "sim/threads/work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { UDP_PORT = 6000, UDP_PORTS = 3, CLOSED_PORT = 6999, DATAGRAM_MAX = 9000 };

static struct sock *datagram_socket(unsigned host, int protocol)
{
    struct sock *sk;

    return sock_create(world.hosts[host].net, AF_INET, SOCK_DGRAM, protocol, &sk) ? NULL : sk;
}

static bool readable(void *sk)
{
    return sock_poll(sk) & (POLLIN | POLLERR);
}

/* Receives on a port until it is its turn to give it up. */
static void udp_server(void *arg)
{
    uint8_t data[DATAGRAM_MAX];
    struct sockaddr_in from;

    while (work_goes_on()) {
        struct sock *sk = datagram_socket(arg_host(arg), 0);
        if (!sk)
            continue;
        vk_setsockopt_int(sk, SOL_SOCKET, SO_REUSEPORT, 1);
        vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 30000);
        vk_bind(sk, NULL, (uint16_t)(UDP_PORT + arg_n(arg) % UDP_PORTS));
        for (unsigned i = 0; i < 300 && process_poll(sock_waitq(sk), readable, sk, time_now() + ms(200));
             i++) {
            ssize_t n =
                vk_recvfrom(sk, data, sizeof data, MSG_DONTWAIT | (threads_chance(8) ? 0 : MSG_PEEK), &from);
            if (n >= 0)
                work_count("datagrams");
            if (n >= 0 && threads_chance(4) == 0)
                vk_sendto(sk, data, (size_t)MIN(n, 100), MSG_DONTWAIT, "10.0.0.1", ntohs(from.sin_port));
        }
        vk_close(sk);
    }
}

static void send_some(struct sock *sk, unsigned from, bool connected)
{
    static const uint8_t data[DATAGRAM_MAX];
    size_t n = threads_chance(10) ? threads_chance(300) : threads_chance(DATAGRAM_MAX);
    uint16_t port = threads_chance(6) ? (uint16_t)(UDP_PORT + threads_chance(UDP_PORTS)) : CLOSED_PORT;

    if (connected)
        vk_send(sk, data, n, 0);
    else
        vk_sendto(sk, data, n, threads_chance(2) ? MSG_DONTWAIT : 0,
                  world_address(from, (unsigned)threads_chance(HOSTS)), port);
}

static void udp_client(void *arg)
{
    uint8_t data[200];
    unsigned from = arg_host(arg);

    while (work_goes_on()) {
        struct sock *sk = datagram_socket(from, 0);
        if (!sk)
            continue;
        bool connected = threads_chance(2);
        vk_setsockopt_int(sk, IPPROTO_IP, IP_RECVERR, (int)threads_chance(2));
        vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUF, 20000);
        if (connected)
            vk_connect(sk, world_address(from, (unsigned)threads_chance(HOSTS)),
                       threads_chance(2) ? UDP_PORT : CLOSED_PORT);
        for (unsigned i = 0; i < 40 && work_goes_on(); i++) {
            send_some(sk, from, connected);
            if (vk_recv(sk, data, sizeof data, MSG_DONTWAIT) == -ECONNREFUSED)
                work_count("refusals");
            if (vk_recv(sk, data, sizeof data, MSG_DONTWAIT | MSG_ERRQUEUE) >= 0)
                work_count("errors with their datagrams");
        }
        vk_close(sk);
    }
}

void start_udp(void)
{
    for (unsigned host = 0; host < HOSTS; host++) {
        for (unsigned n = 0; n < 3; n++)
            work_process("udp server", udp_server, work_arg(host, n));
        for (unsigned n = 0; n < 2; n++)
            work_process("udp client", udp_client, work_arg(host, n));
    }
}

/* ---- pings ---- */

static void pinger(void *arg)
{
    static const char *const unreachable[] = { "10.0.0.77", "10.9.9.9", "10.1.0.99", "192.168.1.1" };
    uint8_t echo[200] = { 8 }, data[2000];
    unsigned from = arg_host(arg);

    while (work_goes_on()) {
        struct sock *sk = datagram_socket(from, IPPROTO_ICMP);
        if (!sk)
            continue;
        for (unsigned i = 0; i < 20 && work_goes_on(); i++) {
            bool reachable = threads_chance(4);
            vk_sendto(sk, echo, 8 + threads_chance(sizeof echo - 8), 0,
                      reachable ? world_address(from, (unsigned)threads_chance(HOSTS))
                                : unreachable[threads_chance(ARRAY_SIZE(unreachable))],
                      0);
            if (process_poll(sock_waitq(sk), readable, sk, time_now() + ms(20)) &&
                vk_recv(sk, data, sizeof data, MSG_DONTWAIT) > 0)
                work_count("echoes");
        }
        vk_close(sk);
    }
}

/* Sees every ICMP message that its host gets, and sends UDP datagrams of its own making to live no longer
 * than one hop. */
static void raw_socket(void *arg)
{
    static const uint8_t datagram[16] = { 0x17, 0x70, 0x17, 0x71, 0, 16 };
    uint8_t data[2000];

    while (work_goes_on()) {
        struct sock *sk;
        int protocol = arg_n(arg) ? IPPROTO_UDP : IPPROTO_ICMP;
        if (sock_create(world.hosts[arg_host(arg)].net, AF_INET, SOCK_RAW, protocol, &sk))
            continue;
        vk_setsockopt_int(sk, IPPROTO_IP, IP_TTL, 1);
        for (unsigned i = 0; i < 50 && work_goes_on(); i++) {
            if (arg_n(arg))
                vk_sendto(sk, datagram, sizeof datagram, MSG_DONTWAIT, "10.1.0.1", 0);
            process_poll(sock_waitq(sk), readable, sk, time_now() + ms(10));
            if (vk_recv(sk, data, sizeof data, MSG_DONTWAIT) > 0)
                work_count("raw packets");
        }
        vk_close(sk);
    }
}

void start_pings(void)
{
    for (unsigned host = 0; host < HOSTS; host++) {
        work_process("pinger", pinger, work_arg(host, 0));
        work_process("pinger", pinger, work_arg(host, 1));
        work_process("raw", raw_socket, work_arg(host, 0));
        work_process("raw", raw_socket, work_arg(host, 1));
        work_process("udp client", udp_client, work_arg(host, 0));
    }
}
