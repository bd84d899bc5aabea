/* user/echod.c - the echo service (RFC 862), TCP and UDP on one port, in one process around poll().
 *
 * A connection has at most one buffer of bytes that wait to go back; while it has some, nothing is read from
 * it: so a client that never reads stalls only itself. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CLIENTS = 256, BUFFER = 65536 };

struct client {
    size_t from, to; /* bytes [from, to) of data wait to be sent */
    int ended;       /* the peer has sent its FIN */
    char data[BUFFER];
};
/* Slot 0 is the UDP socket, slot 1 the listener, the others are clients; free ones have fd -1. */
static struct pollfd fds[2 + MAX_CLIENTS];
static struct client *clients[2 + MAX_CLIENTS];
static int slots = 2; /* those behind are free */

static int open_port(int type, uint16_t port)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1, fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&any, sizeof any) || (type == SOCK_STREAM && listen(fd, 128))) {
        fprintf(stderr, "echod: port %u: %s\n", port, strerror(errno));
        exit(1);
    }
    return fd;
}

static void echo_datagrams(int fd)
{
    static char data[65536];
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    ssize_t n;

    while ((n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&peer, &len)) >= 0) {
        sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&peer, len);
        len = sizeof peer;
    }
}

static void accept_clients(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int slot = 2;
        while (slot < 2 + MAX_CLIENTS && fds[slot].fd >= 0)
            slot++;
        if (slot == 2 + MAX_CLIENTS || !(clients[slot] = calloc(1, sizeof *clients[slot]))) {
            close(fd);
            continue;
        }
        fds[slot] = (struct pollfd){ .fd = fd, .events = POLLIN };
        if (slot == slots)
            slots++;
    }
}

static void drop_client(int slot)
{
    close(fds[slot].fd);
    fds[slot].fd = -1;
    free(clients[slot]);
    while (slots > 2 && fds[slots - 1].fd < 0)
        slots--;
}

static int would_block(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Read if nothing waits, then write what waits; leave in events what the client is waited for next. */
static void serve_client(int slot)
{
    struct client *c = clients[slot];
    int fd = fds[slot].fd;

    if (c->from == c->to && !c->ended) {
        ssize_t n = read(fd, c->data, BUFFER);
        if (n < 0 && !would_block(n))
            return drop_client(slot);
        c->ended = n == 0;
        c->from = 0;
        c->to = n > 0 ? (size_t)n : 0;
    }
    while (c->from < c->to) {
        ssize_t n = send(fd, c->data + c->from, c->to - c->from, MSG_NOSIGNAL);
        if (would_block(n))
            break;
        if (n < 0)
            return drop_client(slot);
        c->from += (size_t)n;
    }
    if (c->ended && c->from == c->to)
        return drop_client(slot);
    fds[slot].events = c->from < c->to ? POLLOUT : POLLIN;
}

int main(int argc, char **argv)
{
    int port = argc == 2 ? atoi(argv[1]) : 7;

    if (argc > 2 || port < 1 || port > 65535) {
        fprintf(stderr, "usage: echod [port]\n");
        return 2;
    }
    fds[0] = (struct pollfd){ .fd = open_port(SOCK_DGRAM, (uint16_t)port), .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = open_port(SOCK_STREAM, (uint16_t)port), .events = POLLIN };
    for (int i = 2; i < 2 + MAX_CLIENTS; i++)
        fds[i].fd = -1;
    for (;;) {
        if (poll(fds, (nfds_t)slots, -1) < 0 && errno != EINTR) {
            perror("echod: poll");
            return 1;
        }
        if (fds[0].revents)
            echo_datagrams(fds[0].fd);
        if (fds[1].revents)
            accept_clients(fds[1].fd);
        for (int i = 2; i < slots; i++)
            if (fds[i].fd >= 0 && fds[i].revents)
                serve_client(i);
    }
}
