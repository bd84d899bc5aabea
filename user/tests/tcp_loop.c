/* user/tests/tcp_loop.c - streams over the loopback device: connect and its failures, the options of
 * IPPROTO_TCP, readiness, the end of a connection. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static char buf[100000];

static struct sockaddr_in name_of(int s)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    getsockname(s, (void *)&a, &len);
    return a;
}

static int listener(struct sockaddr_in *name)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    bind(s, (void *)&a, sizeof a);
    listen(s, 5);
    *name = name_of(s);
    return s;
}

static void pair(int s[2])
{
    struct sockaddr_in a;
    int l = listener(&a);

    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(s[0], (void *)&a, sizeof a);
    s[1] = accept(l, NULL, NULL);
    close(l);
}

/* Until one of events (or an error) is there; then what is. */
static void show_poll(int s, int events)
{
    struct pollfd p = { s, (short)events, 0 };
    int n = poll(&p, 1, 3000);

    printf("poll: %d, %x\n", n, p.revents);
}

static void show_now(int s)
{
    struct pollfd p = { s, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0 };
    int n = poll(&p, 1, 0);

    printf("now: %d, %x\n", n, p.revents);
}

static void show_option(int s, int option, const char *name)
{
    int value = -1;
    socklen_t len = sizeof value;

    if (getsockopt(s, IPPROTO_TCP, option, &value, &len))
        printf("%s: %s\n", name, errno_name(errno));
    else
        printf("%s = %d, %u bytes\n", name, value, (unsigned)len);
}

static void set(int s, int option, int value, const char *name)
{
    errno = 0;
    int err = setsockopt(s, IPPROTO_TCP, option, &value, sizeof value);
    printf("%s := %d: %s\n", name, value, err ? errno_name(errno) : "ok");
    show_option(s, option, name);
}

CASE(options_at_first_and_set)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);

    show_option(s, TCP_NODELAY, "TCP_NODELAY");
    set(s, TCP_NODELAY, 7, "TCP_NODELAY");
    set(s, TCP_CORK, 1, "TCP_CORK");
    show_option(s, TCP_KEEPIDLE, "TCP_KEEPIDLE");
    show_option(s, TCP_KEEPINTVL, "TCP_KEEPINTVL");
    show_option(s, TCP_KEEPCNT, "TCP_KEEPCNT");
    set(s, TCP_KEEPIDLE, 0, "TCP_KEEPIDLE");
    set(s, TCP_KEEPIDLE, 32768, "TCP_KEEPIDLE");
    set(s, TCP_KEEPIDLE, 300, "TCP_KEEPIDLE");
    set(s, TCP_KEEPINTVL, 32768, "TCP_KEEPINTVL");
    set(s, TCP_KEEPINTVL, 60, "TCP_KEEPINTVL");
    set(s, TCP_KEEPCNT, 128, "TCP_KEEPCNT");
    set(s, TCP_KEEPCNT, 5, "TCP_KEEPCNT");
    show_option(s, TCP_SYNCNT, "TCP_SYNCNT");
    set(s, TCP_SYNCNT, 0, "TCP_SYNCNT");
    set(s, TCP_SYNCNT, 3, "TCP_SYNCNT");
    set(s, TCP_MAXSEG, 10, "TCP_MAXSEG");
    set(s, TCP_MAXSEG, 1000, "TCP_MAXSEG");
    set(s, TCP_USER_TIMEOUT, -1, "TCP_USER_TIMEOUT");
    set(s, TCP_USER_TIMEOUT, 30000, "TCP_USER_TIMEOUT");
    show_option(s, TCP_LINGER2, "TCP_LINGER2");
    set(s, TCP_LINGER2, 5, "TCP_LINGER2");
    set(s, TCP_LINGER2, -3, "TCP_LINGER2");
    set(s, TCP_NOTSENT_LOWAT, 5000, "TCP_NOTSENT_LOWAT");
    set(s, TCP_FASTOPEN, -1, "TCP_FASTOPEN");
    set(s, TCP_FASTOPEN, 5, "TCP_FASTOPEN");
    SHOW(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6));
    SHOW(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, 3));
    SHOW(setsockopt(s, IPPROTO_TCP, 9999, &(int){ 1 }, 4));
    SHOW(getsockopt(s, IPPROTO_TCP, 9999, buf, &(socklen_t){ 4 }));
}

CASE(connections_refused)
{
    struct sockaddr_in a;
    int l = listener(&a), s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), err = 0;
    socklen_t len = sizeof err;

    close(l);
    show_now(s);
    SHOW(connect(s, (void *)&a, sizeof a));
    show_poll(s, POLLOUT);
    SHOW(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
    printf("%s\n", errno_name(err));
    SHOW(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
    printf("%d\n", err);
    show_now(s);
    close(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(s, (void *)&a, sizeof a));
    SHOW(send(s, "x", 1, MSG_NOSIGNAL));
    SHOW(recv(s, buf, 1, 0));
    SHOW(connect(s, (void *)&a, 4));
    a.sin_family = 99;
    SHOW(connect(s, (void *)&a, sizeof a));
    SHOW(getpeername(s, (void *)&a, &len));
}

CASE(connections_made)
{
    struct sockaddr_in a, peer;
    int l = listener(&a), s = socket(AF_INET, SOCK_STREAM, 0), c;
    socklen_t len = sizeof peer;

    SHOW(syscall(SYS_accept4, l, NULL, NULL,
                 12345678)); /* musl's accept4() takes other ways when it is refused */
    show_now(l);
    SHOW(connect(s, (void *)&a, sizeof a));
    show_poll(l, POLLIN);
    SHOW(connect(s, (void *)&a, sizeof a));
    c = accept4(l, (void *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    printf("%d, %x, %x\n", c >= 0, fcntl(c, F_GETFD), fcntl(c, F_GETFL) & O_NONBLOCK);
    printf("the peer is our socket: %d\n", peer.sin_port == name_of(s).sin_port);
    SHOW(read(c, buf, 10));
    show_now(s);
    show_now(c);
    SHOW(write(s, "hello", 5));
    show_poll(c, POLLIN);
    int n = -1;
    SHOW(ioctl(c, FIONREAD, &n));
    printf("%d wait\n", n);
    SHOW(recv(c, buf, 3, MSG_PEEK));
    SHOW(recv(c, buf, 100, MSG_TRUNC));
    SHOW(sendto(s, "x", 1, 0, (void *)&a, sizeof a));
    SHOW(listen(s, 1));
    SHOW(bind(s, (void *)&a, sizeof a));
    SHOW(ioctl(l, FIONREAD, &n));
    SHOW(connect(l, (void *)&a, sizeof a));
    SHOW(send(l, "x", 1, MSG_NOSIGNAL));
    SHOW(recv(l, buf, 1, 0));
    SHOW(shutdown(s, 9));
}

CASE(half_closed_and_closed)
{
    int s[2], n;

    pair(s);
    SHOW(shutdown(s[0], SHUT_WR));
    show_poll(s[1], POLLRDHUP);
    show_now(s[0]);
    SHOW(read(s[1], buf, 1));
    SHOW(write(s[1], "still", 5));
    show_poll(s[0], POLLIN);
    SHOW(read(s[0], buf, 10));
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    SHOW(shutdown(s[1], SHUT_WR));
    show_poll(s[0], POLLRDHUP);
    SHOW(read(s[0], buf, 10));
    close(s[0]), close(s[1]);
    pair(s);
    write(s[0], "unread", 6);
    show_poll(s[1], POLLIN);
    close(s[1]);
    show_poll(s[0], POLLRDHUP);
    SHOW(read(s[0], buf, 1));
    SHOW(read(s[0], buf, 1));
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    close(s[0]);
    pair(s);
    setsockopt(s[1], SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(s[1]);
    show_poll(s[0], POLLIN);
    SHOW(read(s[0], buf, 1));
    close(s[0]);
    pair(s);
    SHOW(ioctl(s[0], TIOCOUTQ, &n));
    printf("%d\n", n);
    SHOW(shutdown(s[0], SHUT_RD));
    show_now(s[0]);
    SHOW(read(s[0], buf, 1));
}

CASE(cork_and_more)
{
    int s[2], one = 1, zero = 0;

    pair(s);
    setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &one, sizeof one);
    write(s[0], "a", 1);
    write(s[0], "b", 1);
    SHOW(recv(s[1], buf, 10, MSG_DONTWAIT));
    setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &zero, sizeof zero);
    SHOW(recv(s[1], buf, 10, 0));
    send(s[0], "c", 1, MSG_MORE);
    SHOW(recv(s[1], buf, 10, MSG_DONTWAIT));
    send(s[0], "d", 1, 0);
    SHOW(recv(s[1], buf, 10, 0));
}

CASE(what_tcp_info_tells)
{
    struct tcp_info i = { 0 };
    socklen_t len = sizeof i;
    int s[2];

    pair(s);
    write(s[0], "hello", 5);
    read(s[1], buf, 10);
    SHOW(getsockopt(s[0], IPPROTO_TCP, TCP_INFO, &i, &len));
    printf("state %d, mss %d, rtt %d, cwnd %d, timestamps %d\n", i.tcpi_state, i.tcpi_snd_mss > 500,
           i.tcpi_rtt > 0, i.tcpi_snd_cwnd > 1, i.tcpi_options & 1);
    len = 8;
    SHOW(getsockopt(s[0], IPPROTO_TCP, TCP_INFO, &i, &len));
    printf("%u\n", (unsigned)len);
}

CASE(low_mark_and_all)
{
    int s[2], four = 4;

    pair(s);
    SHOW(setsockopt(s[1], SOL_SOCKET, SO_RCVLOWAT, &four, sizeof four));
    write(s[0], "ab", 2);
    struct pollfd p = { s[1], POLLIN, 0 };
    SHOW(poll(&p, 1, 50));
    write(s[0], "cd", 2);
    show_poll(s[1], POLLIN);
    SHOW(recv(s[1], buf, 100, 0));
    setsockopt(s[1], SOL_SOCKET, SO_RCVLOWAT, &(int){ 1 }, sizeof(int));
    if (!fork()) {
        for (int i = 0; i < 3; i++) {
            usleep(5000);
            write(s[0], "xyz", 3);
        }
        _exit(0);
    }
    SHOW(recv(s[1], buf, 8, MSG_WAITALL));
    wait(NULL);
}

CASE(a_writer_that_must_wait)
{
    int s[2];
    ssize_t n, total = 0;

    pair(s);
    fcntl(s[0], F_SETFL, O_NONBLOCK);
    while ((n = write(s[0], buf, sizeof buf)) > 0)
        total += n;
    printf("%s, more than 10,000: %d\n", errno_name(errno), total > 10000);
    show_now(s[0]);
    while (total > 0 && (n = read(s[1], buf, sizeof buf)) > 0)
        total -= n;
    show_poll(s[0], POLLOUT);
    printf("%zd left\n", total);
}
