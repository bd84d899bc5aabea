/* user/tests/udp.c - UDP over the loopback: what is kept of a datagram, whose it is, and errors that come
 * later. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char buf[70000];
static int a, b;
static struct sockaddr_in at_a, at_b;

static int bound(struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = sizeof *at;

    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(fd, (struct sockaddr *)at, sizeof *at);
    getsockname(fd, (struct sockaddr *)at, &size);
    return fd;
}

static void open_two(void)
{
    a = bound(&at_a);
    b = bound(&at_b);
}

static ssize_t to_b(const char *text)
{
    return sendto(a, text, strlen(text), 0, (struct sockaddr *)&at_b, sizeof at_b);
}

static void await(int fd)
{
    struct pollfd p = { fd, POLLIN, 0 };

    printf("poll: %d %x\n", poll(&p, 1, 5000), p.revents);
}

CASE(who_sent_it)
{
    struct sockaddr_in from;
    socklen_t size = sizeof from;

    open_two();
    SHOW(to_b("hello"));
    SHOW(recvfrom(b, buf, 100, 0, (struct sockaddr *)&from, &size));
    SHOW(size);
    SHOW(!memcmp(&from, &at_a, sizeof from));
    size = 4;
    to_b("again");
    SHOW(recvfrom(b, buf, 100, 0, (struct sockaddr *)&from, &size));
    SHOW(size);
}

CASE(one_datagram_a_call)
{
    open_two();
    to_b("one");
    to_b("three");
    to_b("");
    to_b("end");
    for (int i = 0; i < 4; i++)
        SHOW(recv(b, buf, 100, 0));
    SHOW(recv(b, buf, 100, MSG_DONTWAIT));
}

CASE(the_rest_is_lost)
{
    open_two();
    to_b("0123456789");
    to_b("next");
    SHOW(recv(b, buf, 4, 0));
    SHOW(recv(b, buf, 100, 0));
    to_b("0123456789");
    SHOW(recv(b, buf, 4, MSG_TRUNC)); /* how long it was */
    to_b("0123456789");
    SHOW(recv(b, buf, 4, MSG_PEEK));
    SHOW(recv(b, buf, 4, MSG_PEEK | MSG_TRUNC));
    SHOW(recv(b, buf, 100, 0));
}

CASE(flags_of_a_cut_message)
{
    struct iovec v = { buf, 4 };
    struct sockaddr_in from;
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_name = &from, .msg_namelen = sizeof from };

    open_two();
    to_b("0123456789");
    SHOW(recvmsg(b, &m, 0));
    SHOW(m.msg_flags == MSG_TRUNC);
    SHOW(m.msg_namelen);
    to_b("0123");
    SHOW(recvmsg(b, &m, 0));
    SHOW(m.msg_flags);
}

CASE(how_much_waits)
{
    int n = 9;

    open_two();
    SHOW(ioctl(b, FIONREAD, &n));
    SHOW(n);
    to_b("12345");
    to_b("123");
    await(b);
    SHOW(ioctl(b, FIONREAD, &n));
    SHOW(n); /* of the first one */
}

CASE(connected_to_one)
{
    struct sockaddr_in at_c;
    int c;

    open_two();
    c = bound(&at_c);
    SHOW(connect(b, (struct sockaddr *)&at_a, sizeof at_a));
    SHOW(sendto(c, "stranger", 8, 0, (struct sockaddr *)&at_b, sizeof at_b));
    SHOW(to_b("friend"));
    SHOW(recv(b, buf, 100, 0));
    printf("%.6s\n", buf);
    SHOW(recv(b, buf, 100, MSG_DONTWAIT));
    SHOW(send(b, "back", 4, 0));
    SHOW(write(b, "back", 4));
    SHOW(recv(a, buf, 100, 0));
    SHOW(sendto(b, "elsewhere", 9, 0, (struct sockaddr *)&at_c, sizeof at_c));
    SHOW(recv(c, buf, 100, 0));
    SHOW(getpeername(b, (struct sockaddr *)&at_c, &(socklen_t){ sizeof at_c }));
    SHOW(at_c.sin_port == at_a.sin_port);
}

CASE(refused_later)
{
    open_two();
    close(b);
    SHOW(connect(a, (struct sockaddr *)&at_b, sizeof at_b));
    SHOW(send(a, "x", 1, 0)); /* an ICMP error comes back */
    struct pollfd p = { a, POLLIN, 0 };
    SHOW(poll(&p, 1, 5000));
    SHOW(!!(p.revents & POLLERR));
    SHOW(recv(a, buf, 10, MSG_DONTWAIT));
    SHOW(recv(a, buf, 10, MSG_DONTWAIT)); /* told once */
    SHOW(send(a, "x", 1, 0));
    poll(&p, 1, 5000);
    SHOW(send(a, "x", 1, 0));
}

CASE(refused_is_an_option_too)
{
    int error = 0;
    socklen_t size = sizeof error;

    open_two();
    close(b);
    connect(a, (struct sockaddr *)&at_b, sizeof at_b);
    send(a, "x", 1, 0);
    poll(&(struct pollfd){ a, POLLIN, 0 }, 1, 5000);
    SHOW(getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &size));
    SHOW(error == ECONNREFUSED);
    SHOW(getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &size));
    SHOW(error);
}

CASE(not_refused_without_a_connection)
{
    open_two();
    close(b);
    SHOW(to_b("x"));
    SHOW(poll(&(struct pollfd){ a, POLLIN, 0 }, 1, 50));
    SHOW(recv(a, buf, 10, MSG_DONTWAIT));
    SHOW(to_b("x"));
}

CASE(dissolved)
{
    struct sockaddr_in none = { .sin_family = AF_UNSPEC }, now;

    open_two();
    connect(a, (struct sockaddr *)&at_b, sizeof at_b);
    SHOW(connect(a, (struct sockaddr *)&none, sizeof none));
    SHOW(send(a, "x", 1, 0));
    SHOW(getpeername(a, (struct sockaddr *)&now, &(socklen_t){ sizeof now }));
    SHOW(to_b("x"));
    SHOW(recv(b, buf, 10, 0));
}

CASE(a_port_by_itself)
{
    struct sockaddr_in now;
    socklen_t size = sizeof now;

    b = bound(&at_b);
    a = socket(AF_INET, SOCK_DGRAM, 0);
    getsockname(a, (struct sockaddr *)&now, &size);
    SHOW(now.sin_port);
    SHOW(to_b("x"));
    getsockname(a, (struct sockaddr *)&now, &size);
    SHOW(now.sin_port != 0);
    SHOW(now.sin_addr.s_addr);
    connect(a, (struct sockaddr *)&at_b, sizeof at_b);
    getsockname(a, (struct sockaddr *)&now, &size);
    SHOW(now.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
}

CASE(large_ones)
{
    open_two();
    for (int i = 0; i < 65507; i++)
        buf[i] = (char)(i * 7 >> 2);
    SHOW(sendto(a, buf, 65507, 0, (struct sockaddr *)&at_b, sizeof at_b));
    memset(buf, 0, sizeof buf);
    SHOW(recv(b, buf, sizeof buf, 0));
    int same = 1;
    for (int i = 0; i < 65507; i++)
        same &= buf[i] == (char)(i * 7 >> 2);
    SHOW(same);
    SHOW(sendto(a, buf, 65508, 0, (struct sockaddr *)&at_b, sizeof at_b));
}

CASE(from_vectors)
{
    struct iovec v[3] = { { (char *)"ab", 2 }, { NULL, 0 }, { (char *)"cde", 3 } };
    struct msghdr m = { .msg_name = &at_b, .msg_namelen = sizeof at_b, .msg_iov = v, .msg_iovlen = 3 };
    char x[2], y[10];
    struct iovec in[2] = { { x, 2 }, { y, 10 } };

    open_two();
    SHOW(sendmsg(a, &m, 0));
    SHOW(readv(b, in, 2));
    printf("%.2s %.3s\n", x, y);
    connect(a, (struct sockaddr *)&at_b, sizeof at_b);
    SHOW(writev(a, v, 3));
    SHOW(read(b, buf, 100));
}

CASE(shut_down)
{
    open_two();
    connect(a, (struct sockaddr *)&at_b, sizeof at_b);
    signal(SIGPIPE, SIG_IGN);
    SHOW(shutdown(a, SHUT_WR));
    SHOW(send(a, "x", 1, 0));
    SHOW(shutdown(a, SHUT_RD));
    SHOW(recv(a, buf, 10, 0));
}

CASE(waits_for_one)
{
    open_two();
    if (!fork()) {
        struct timespec t = { 0, 40000000 };
        nanosleep(&t, NULL);
        to_b("late");
        _exit(0);
    }
    SHOW(recv(b, buf, 10, 0));
    wait(NULL);
    struct timeval tv = { 0, 30000 };
    SHOW(setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SHOW(recv(b, buf, 10, 0));
}

CASE(ports_shared_on_purpose)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    int on = 1;

    open_two();
    any.sin_port = at_a.sin_port;
    b = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(bind(b, (struct sockaddr *)&any, sizeof any));
    setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind(b, (struct sockaddr *)&any, sizeof any)); /* only one of them asked for it */
    setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind(b, (struct sockaddr *)&any, sizeof any));
}

CASE(any_address_hears_the_loopback)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    socklen_t size = sizeof any;

    a = bound(&at_a);
    b = socket(AF_INET, SOCK_DGRAM, 0);
    bind(b, (struct sockaddr *)&any, sizeof any);
    getsockname(b, (struct sockaddr *)&any, &size);
    at_b = at_a;
    at_b.sin_port = any.sin_port;
    SHOW(to_b("x"));
    SHOW(recvfrom(b, buf, 10, 0, (struct sockaddr *)&any, &size));
    SHOW(any.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    SHOW(any.sin_port == at_a.sin_port);
}
