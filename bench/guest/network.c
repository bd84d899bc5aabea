/* bench/guest/network.c - round trips on the loopback interface, both ends in one process, so that what is
 * counted is the network and not the scheduler. */
#define _GNU_SOURCE
#include "bench/guest/op.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static char byte;

/* A bound socket; its address to *at. */
static int bound(int type, struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, type, 0);
    must(fd >= 0, "socket");
    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    must(!bind(fd, (struct sockaddr *)at, sizeof *at), "bind");
    must(!getsockname(fd, (struct sockaddr *)at, &len), "getsockname");
    return fd;
}

static void round_trip(int a, int b)
{
    must(send(a, &byte, 1, 0) == 1 && recv(b, &byte, 1, 0) == 1, "there");
    must(send(b, &byte, 1, 0) == 1 && recv(a, &byte, 1, 0) == 1, "back");
}

static void round_trips(unsigned n, int a, int b)
{
    for (unsigned i = 0; i < 10; i++)
        round_trip(a, b);
    region_begin();
    while (n--)
        round_trip(a, b);
    region_end();
}

static void udp(unsigned n)
{
    struct sockaddr_in at_a, at_b;
    int a = bound(SOCK_DGRAM, &at_a), b = bound(SOCK_DGRAM, &at_b);
    must(!connect(a, (struct sockaddr *)&at_b, sizeof at_b), "connect");
    must(!connect(b, (struct sockaddr *)&at_a, sizeof at_a), "connect");
    round_trips(n, a, b);
}

static void connect_pair(int *a, int *b)
{
    struct sockaddr_in at;
    int one = 1, listener = bound(SOCK_STREAM, &at);
    must(!listen(listener, 1), "listen");
    *a = socket(AF_INET, SOCK_STREAM, 0);
    must(!connect(*a, (struct sockaddr *)&at, sizeof at), "connect");
    *b = accept(listener, NULL, NULL);
    must(*b >= 0, "accept");
    setsockopt(*a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(*b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(listener);
}

static void tcp(unsigned n)
{
    int a, b;
    connect_pair(&a, &b);
    round_trips(n, a, b);
}

const struct op network_ops[] = { { "udp", 1000, udp }, { "tcp", 1000, tcp }, { 0 } };
