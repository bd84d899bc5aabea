/* user/crowdd.c - an echo service for very many connections at once, around epoll. Each has no memory of its
 * own here: what is read is sent back at once, and a client that does not take it is let go.
 *
 * usage: crowdd port connections [close]    with `close` the service closes first, after one answer */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SPARE = 16, EVENTS = 64, BACKLOG = 4096 };

static int closes_first;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void raise_limit(rlim_t connections)
{
    const struct rlimit wanted = { connections + SPARE, connections + SPARE };
    if (setrlimit(RLIMIT_NOFILE, &wanted))
        die("crowdd: setrlimit");
}

static int open_port(uint16_t port)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, BACKLOG))
        die("crowdd: port");
    return fd;
}

static void watch(int set, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
        die("crowdd: epoll_ctl");
}

static void accept_clients(int set, int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        watch(set, fd);
    if (errno != EAGAIN && errno != ECONNABORTED)
        die("crowdd: accept");
}

/* Echo what is there. False: this one is over. */
static int serve(int fd)
{
    char data[2048];
    ssize_t n = read(fd, data, sizeof data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    return n > 0 && send(fd, data, (size_t)n, MSG_NOSIGNAL) == n && !closes_first;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: crowdd port connections [close]\n");
        return 2;
    }
    closes_first = argc == 4;
    raise_limit((rlim_t)atoi(argv[2]));
    int set = epoll_create1(0), listener = open_port((uint16_t)atoi(argv[1]));
    watch(set, listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(set, events, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (events[i].data.fd == listener)
                accept_clients(set, listener);
            else if (!serve(events[i].data.fd))
                close(events[i].data.fd);
    }
}
