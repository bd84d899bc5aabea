/* bench/guest/streams.c - the guest's end of what bench/tcp.py counts from outside: these run between no
 * marks. */
#include "bench/guest/op.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER = 0x0a000202, ECHO = 5001, ACCEPTS = 5002 };

static int opened(struct sockaddr_in *at, uint32_t address, unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    must(fd >= 0, "socket");
    *at = (struct sockaddr_in){ .sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(address) };
    return fd;
}

static void echo_until_end(int fd)
{
    char got[4096];
    ssize_t n;

    while ((n = recv(fd, got, sizeof got, 0)) > 0)
        must(send(fd, got, n, 0) == n, "send");
}

/* Accepts one connection after the other, for ever, and sends back what comes. */
static void serve(unsigned n)
{
    struct sockaddr_in at;
    int fd, one = 1, listener = opened(&at, INADDR_ANY, ECHO);

    (void)n;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    must(!bind(listener, (struct sockaddr *)&at, sizeof at) && !listen(listener, 128), "listen");
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        echo_until_end(fd);
        close(fd);
    }
    must(0, "accept");
}

/* Connects to the peer and closes at once. */
static void connect_and_close(unsigned n)
{
    struct sockaddr_in at;

    while (n--) {
        int fd = opened(&at, PEER, ACCEPTS);
        must(!connect(fd, (struct sockaddr *)&at, sizeof at), "connect");
        close(fd);
    }
}

const struct op stream_ops[] = { { "tcp_serve", 0, serve },
                                 { "tcp_connect", 1000, connect_and_close },
                                 { 0 } };
