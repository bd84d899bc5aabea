/* bench/guest/datagrams.c - datagrams from and to the other end of the wire (bench/udp.py), which is told by
 * a datagram what it is to do: 'r' send me bursts, each when I have taken the one before; 'e' the same, of
 * what I send back; 's' take what I send; 'f' send datagrams that this host forwards, and say when all came
 * through. */
#define _GNU_SOURCE
#include "bench/guest/op.h"
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PEER = 0x0a000202, CONTROL = 5000, OURS = 5001, BURST = 32, SIZE = 64, MANY = 1000 };

static char payload[SIZE];
static struct sockaddr_in peer = { .sin_family = AF_INET };

/* A socket on port, bound to no address. */
static int opened(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

    must(fd >= 0, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    must(!bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
    peer.sin_port = htons(CONTROL);
    peer.sin_addr.s_addr = htonl(PEER);
    return fd;
}

static void say(int fd, char what, uint32_t n)
{
    payload[0] = what;
    memcpy(payload + 4, &n, sizeof n);
    must(sendto(fd, payload, SIZE, 0, (struct sockaddr *)&peer, sizeof peer) == SIZE, "sendto");
}

static void take(int fd, unsigned n)
{
    char got[2048];

    for (unsigned i = 0; i < n; i++) {
        must(recv(fd, got, sizeof got, 0) == SIZE, "recv");
        if (i % BURST == BURST - 1)
            say(fd, 'r', 0);
    }
}

static void receive_by(int fd, unsigned n)
{
    say(fd, 'r', 0);
    take(fd, 4 * BURST);
    region_begin();
    take(fd, n);
    region_end();
    close(fd);
}

static void receive(unsigned n)
{
    receive_by(opened(OURS), n);
}

/* The same among hundreds of sockets of that port, each with another peer. */
static void receive_among_many(unsigned n)
{
    int other[MANY];

    for (int i = 0; i < MANY; i++) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(6000 + i),
                                  .sin_addr.s_addr = htonl(PEER) };
        other[i] = opened(OURS);
        must(!connect(other[i], (struct sockaddr *)&to, sizeof to), "connect");
    }
    receive_by(opened(OURS), n);
    for (int i = 0; i < MANY; i++)
        close(other[i]);
}

static void send_to_peer(unsigned n)
{
    int fd = opened(OURS);

    for (int i = 0; i < 100; i++)
        say(fd, 's', 0);
    region_begin();
    while (n--)
        must(sendto(fd, payload, SIZE, 0, (struct sockaddr *)&peer, sizeof peer) == SIZE, "sendto");
    region_end();
    close(fd);
}

/* BURST of them a call, cut by the kernel: UDP_SEGMENT. */
static void send_segments(unsigned n)
{
    static char all[BURST * SIZE];
    int fd = opened(OURS), size = SIZE;

    memset(all, 's', sizeof all);
    must(!setsockopt(fd, IPPROTO_UDP, 103, &size, sizeof size), "UDP_SEGMENT");
    say(fd, 's', 0);
    region_begin();
    for (unsigned i = 0; i < n; i += BURST)
        must(sendto(fd, all, sizeof all, 0, (struct sockaddr *)&peer, sizeof peer) == sizeof all, "sendto");
    region_end();
    close(fd);
}

/* BURST of them a call: sendmmsg(). */
static void send_many(unsigned n)
{
    struct iovec v = { payload, SIZE };
    struct mmsghdr m[BURST];
    int fd = opened(OURS);

    for (int i = 0; i < BURST; i++)
        m[i] = (struct mmsghdr){
            .msg_hdr = { .msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &v, .msg_iovlen = 1 }
        };
    say(fd, 's', 0);
    region_begin();
    for (unsigned i = 0; i < n; i += BURST)
        must(syscall(SYS_sendmmsg, fd, m, BURST, 0) == BURST, "sendmmsg"); /* musl's is a loop of sendmsg() */
    region_end();
    close(fd);
}

static void echo_back(int fd, unsigned n)
{
    struct sockaddr_in from;
    char got[2048];

    while (n--) {
        socklen_t len = sizeof from;
        must(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len) == SIZE, "recvfrom");
        must(sendto(fd, got, SIZE, 0, (struct sockaddr *)&from, len) == SIZE, "sendto");
    }
}

static void echo(unsigned n)
{
    int fd = opened(OURS);

    say(fd, 'e', 0);
    echo_back(fd, 4 * BURST);
    region_begin();
    echo_back(fd, n);
    region_end();
    close(fd);
}

static void forward(unsigned n)
{
    char got[2048];
    int fd = opened(OURS);

    say(fd, 'f', 4 * BURST); /* what a route or a neighbour costs the first time */
    must(recv(fd, got, sizeof got, 0) == SIZE, "recv");
    region_begin();
    say(fd, 'f', n);
    must(recv(fd, got, sizeof got, 0) == SIZE, "recv");
    region_end();
    close(fd);
}

const struct op datagram_ops[] = {
    { "udp_receive", 6400, receive },        { "udp_receive_1000", 6400, receive_among_many },
    { "udp_send", 6400, send_to_peer },      { "udp_send_mmsg", 6400, send_many },
    { "udp_send_gso", 6400, send_segments }, { "udp_echo", 6400, echo },
    { "udp_forward", 6400, forward },        { 0 },
};
