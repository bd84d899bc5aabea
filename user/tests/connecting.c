/* user/tests/connecting.c - connect(), shutdown() and names of a TCP socket in every state it can be in.
 * connect(2), shutdown(2), ip(7), tcp(7). */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int listener, client, server;
static struct sockaddr_in at;

static void listen_somewhere(void)
{
    socklen_t size = sizeof at;

    signal(SIGPIPE, SIG_IGN);
    at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 8);
    getsockname(listener, (struct sockaddr *)&at, &size);
}

static void open_pair(void)
{
    listen_somewhere();
    client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&at, sizeof at);
    server = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
}

static void settle(void)
{
    nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
}

static long connect_there(int fd)
{
    return connect(fd, (struct sockaddr *)&at, sizeof at);
}

static long dissolve(int fd)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

    return connect(fd, &nobody, sizeof nobody);
}

static int error_of(int fd)
{
    int error = -1;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof error });
    return error;
}

static void show_state(const char *what, int fd)
{
    struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0 };
    struct sockaddr_in own = { 0 }, peer = { 0 };
    int none = getpeername(fd, (struct sockaddr *)&peer, &(socklen_t){ sizeof peer });

    poll(&p, 1, 0);
    getsockname(fd, (struct sockaddr *)&own, &(socklen_t){ sizeof own });
    printf("%s: poll %x, error %s, own %x %s, peer %s\n", what, p.revents, errno_name(error_of(fd)),
           ntohl(own.sin_addr.s_addr), own.sin_port ? "port" : "no port", none ? "none" : "one");
}

CASE(connect_again_and_again)
{
    listen_somewhere();
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect_there(client));
    settle();
    SHOW(connect_there(client));
    SHOW(connect_there(client));
    SHOW(connect(client, (struct sockaddr *)&at, 3));
    SHOW(connect(client, (struct sockaddr *)&at, 1));
    SHOW(listen(client, 1));
    SHOW(connect_there(listener));
    show_state("connected", client);
}

CASE(dissolved_and_connected_anew)
{
    open_pair();
    SHOW(dissolve(client));
    settle();
    show_state("dissolved", client);
    show_state("its peer", server);
    show_state("told", client);
    SHOW(recv(client, &(char){ 0 }, 1, MSG_DONTWAIT));
    SHOW(connect_there(client));
    show_state("anew", client);
    SHOW_OK(accept(listener, NULL, NULL));
    SHOW(dissolve(server));
    SHOW(dissolve(listener));
    SHOW(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    SHOW(listen(listener, 1));
}

CASE(a_reset_connection_stays_the_sockets)
{
    open_pair();
    setsockopt(server, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(server);
    settle();
    show_state("reset", client);
    SHOW(connect_there(client));
    SHOW(dissolve(client));
    SHOW(connect_there(client));
}

CASE(a_failed_connect_keeps_the_port_it_was_given)
{
    struct sockaddr_in mine = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                       now = mine;
    int other = socket(AF_INET, SOCK_STREAM, 0);

    listen_somewhere();
    close(listener);
    client = socket(AF_INET, SOCK_STREAM, 0);
    mine.sin_port = at.sin_port; /* a number that was free a moment ago, not one that bind() chooses */
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    SHOW(bind(client, (struct sockaddr *)&mine, sizeof mine));
    SHOW(connect_there(client));
    getsockname(client, (struct sockaddr *)&now, &(socklen_t){ sizeof now });
    SHOW(mine.sin_port == now.sin_port);
    SHOW(bind(other, (struct sockaddr *)&mine, sizeof mine));
    SHOW(connect_there(client));
    close(client);
    SHOW(bind(other, (struct sockaddr *)&mine, sizeof mine));
}

CASE(shutdown_in_each_state)
{
    listen_somewhere();
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(shutdown(client, SHUT_RD));
    show_state("fresh, shut for reading", client);
    SHOW(shutdown(client, SHUT_WR));
    show_state("and for writing", client);
    SHOW(connect_there(client));
    settle();
    show_state("connected", client);
    SHOW(shutdown(client, SHUT_RD));
    show_state("shut for reading", client);
    SHOW(shutdown(client, SHUT_RDWR));
    show_state("shut both ways", client);
    SHOW(shutdown(listener, SHUT_WR));
    show_state("listener, shut for writing", listener);
    SHOW(shutdown(listener, SHUT_RD));
    show_state("listener, shut for reading", listener);
    SHOW(shutdown(listener, 3));
}

CASE(text_for_whom_has_shut_down_both_ways)
{
    open_pair();
    SHOW(shutdown(client, SHUT_RDWR));
    SHOW(send(server, "x", 1, 0));
    settle();
    show_state("sent", server);
    show_state("sent to", client);
}

CASE(no_bytes_are_asked_for)
{
    char c[4];

    open_pair();
    SHOW(recv(server, c, 0, MSG_DONTWAIT));
    SHOW(read(server, c, 0));
    SHOW(send(client, "abc", 3, 0));
    settle();
    SHOW(recv(server, c, 0, MSG_DONTWAIT));
    SHOW(recv(server, NULL, 2, MSG_TRUNC));
    SHOW(recv(server, c, 4, 0));
}

CASE(where_peek_begins)
{
    char c[8] = "";
    int off = 2;

    open_pair();
    SHOW(send(client, "abcdefg", 7, 0));
    settle();
    SHOW(setsockopt(server, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof off));
    SHOW(recv(server, c, 2, MSG_PEEK));
    printf("%.2s\n", c);
    SHOW(recv(server, c, 2, MSG_PEEK));
    printf("%.2s\n", c);
    SHOW(recv(server, c, 3, 0));
    printf("%.3s\n", c);
    SHOW(recv(server, c, 8, MSG_PEEK));
    printf("%.1s\n", c);
    SHOW(recv(server, c, 8, MSG_PEEK));
}

CASE(how_much_waits_behind)
{
    char c[8], control[64];
    struct iovec v = { c, 2 };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    int on = 1;

    open_pair();
    SHOW(setsockopt(server, IPPROTO_TCP, TCP_INQ, &on, sizeof on));
    SHOW(send(client, "abcde", 5, 0));
    settle();
    SHOW(recvmsg(server, &m, 0));
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    printf("%d %d %d\n", h->cmsg_level == IPPROTO_TCP, h->cmsg_type == TCP_CM_INQ, *(int *)CMSG_DATA(h));
}

CASE(an_error_comes_before_many_messages)
{
    char c[8];
    struct iovec v = { c, 2 };
    struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } },
                            { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } } };

    open_pair();
    SHOW(send(client, "abcde", 5, 0));
    setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(client);
    settle();
    SHOW(recvmmsg(server, m, 2, 0, NULL));
    SHOW(recvmmsg(server, m, 2, 0, NULL));
    SHOW(recvmmsg(server, m, 2, 0, NULL));
}
