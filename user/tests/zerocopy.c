/* user/tests/zerocopy.c - MSG_ZEROCOPY: which sockets take it, which calls are counted, what a program is
 * told and when. Over loopback, where everything is copied in the end, and said to be. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

/* <linux/errqueue.h>, which musl has not */
struct sock_extended_err {
    unsigned ee_errno;
    unsigned char ee_origin, ee_type, ee_code, ee_pad;
    unsigned ee_info, ee_data;
};
enum { SO_EE_ORIGIN_ZEROCOPY = 5, SO_EE_CODE_ZEROCOPY_COPIED = 1 };

static char bytes[100000], got[100000];

static int set(int s, int value)
{
    return setsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof value);
}

static int get(int s)
{
    int value = -1;
    socklen_t len = sizeof value;

    return getsockopt(s, SOL_SOCKET, SO_ZEROCOPY, &value, &len) ? -1 : value;
}

static int bound(int type, struct sockaddr_in *a)
{
    int s = socket(AF_INET, type, 0);
    socklen_t len = sizeof *a;

    *a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(s, (void *)a, sizeof *a);
    getsockname(s, (void *)a, &len);
    return s;
}

static void stream_pair(int s[2])
{
    struct sockaddr_in a;
    int l = bound(SOCK_STREAM, &a);

    listen(l, 1);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(s[0], (void *)&a, sizeof a);
    s[1] = accept(l, NULL, NULL);
    close(l);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
}

static void receive(int s, size_t n)
{
    size_t done = 0;
    ssize_t part;

    while (done < n && (part = recv(s, got + done, n - done, 0)) > 0)
        done += (size_t)part;
    printf("received %zu, %s\n", done, memcmp(got, bytes, done) ? "other bytes" : "the same bytes");
}

/* What one recvmsg(MSG_ERRQUEUE) tells; false: nothing. */
static int told(int s, struct sock_extended_err *ee)
{
    char control[200];
    struct iovec v = { got, 10 };
    struct sockaddr_in name;
    struct msghdr m = { .msg_name = &name,
                        .msg_namelen = sizeof name,
                        .msg_iov = &v,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof control };
    ssize_t n = recvmsg(s, &m, MSG_ERRQUEUE);
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

    if (!c)
        return 0;
    if (n || m.msg_flags != MSG_ERRQUEUE || c->cmsg_level != SOL_IP || c->cmsg_type != IP_RECVERR ||
        m.msg_controllen != CMSG_SPACE(sizeof *ee + sizeof name))
        printf("%zd bytes, flags %x, level %d, type %d\n", n, (unsigned)m.msg_flags, c->cmsg_level,
               c->cmsg_type);
    memcpy(ee, CMSG_DATA(c), sizeof *ee);
    return 1;
}

/* Wait until so many calls have been told of; they may come in one entry or in several. */
static void all_told(int s, unsigned calls)
{
    struct sock_extended_err ee;
    struct pollfd p = { s, 0, 0 };
    unsigned next = 0, copied = 0;

    while (next < calls && poll(&p, 1, 5000) == 1 && told(s, &ee)) {
        if (ee.ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee.ee_errno || ee.ee_type || ee.ee_info != next)
            printf("origin %u, errno %u, from %u\n", ee.ee_origin, ee.ee_errno, ee.ee_info);
        copied += ee.ee_code == SO_EE_CODE_ZEROCOPY_COPIED ? ee.ee_data - ee.ee_info + 1 : 0;
        next = ee.ee_data + 1;
    }
    printf("told of %u calls, %u of them copied\n", next, copied);
    printf("more: %d\n", told(s, &ee));
}

CASE(zerocopy_is_for_tcp_and_udp)
{
    int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0),
        local = socket(AF_UNIX, SOCK_STREAM, 0), raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

    SHOW(get(stream));
    SHOW(set(stream, 1));
    SHOW(get(stream));
    SHOW(set(stream, 2));
    SHOW(set(stream, -1));
    SHOW(get(stream));
    SHOW(set(stream, 0));
    SHOW(get(stream));
    SHOW(set(datagram, 1));
    SHOW(get(datagram));
    SHOW(set(local, 1));
    SHOW(set(raw, 1));
    SHOW(get(raw));
}

CASE(zerocopy_is_inherited_from_a_listener)
{
    struct sockaddr_in a;
    int l = bound(SOCK_STREAM, &a), s = socket(AF_INET, SOCK_STREAM, 0), accepted;

    set(l, 1);
    listen(l, 1);
    connect(s, (void *)&a, sizeof a);
    accepted = accept(l, NULL, NULL);
    SHOW(get(accepted));
    SHOW(get(s));
    SHOW(send(accepted, bytes, 100, MSG_ZEROCOPY));
    receive(s, 100);
    all_told(accepted, 1);
}

CASE(zerocopy_without_the_option_is_nothing)
{
    struct sock_extended_err ee;
    int s[2];

    stream_pair(s);
    SHOW(send(s[0], bytes, 5000, MSG_ZEROCOPY));
    receive(s[1], 5000);
    SHOW(told(s[0], &ee));
    SHOW(recv(s[0], got, 10, MSG_ERRQUEUE));
}

CASE(zerocopy_calls_are_told_in_their_order)
{
    int s[2];

    stream_pair(s);
    SHOW(set(s[0], 1));
    for (unsigned i = 0; i < 5; i++)
        SHOW(send(s[0], bytes + i * 3000, 3000, MSG_ZEROCOPY));
    receive(s[1], 15000);
    all_told(s[0], 5);
}

CASE(zerocopy_a_large_call_is_one)
{
    int s[2];

    stream_pair(s);
    set(s[0], 1);
    if (!fork()) {
        receive(s[1], sizeof bytes);
        exit(0);
    }
    ssize_t sent = send(s[0], bytes, sizeof bytes, MSG_ZEROCOPY);
    wait(NULL);
    printf("sent %zd\n", sent);
    all_told(s[0], 1);
}

CASE(zerocopy_calls_without_the_flag_or_without_bytes_are_not_counted)
{
    int s[2];

    stream_pair(s);
    set(s[0], 1);
    SHOW(send(s[0], bytes, 1000, MSG_ZEROCOPY));
    SHOW(send(s[0], bytes + 1000, 1000, 0));
    SHOW(send(s[0], bytes, 0, MSG_ZEROCOPY));
    SHOW(send(s[0], (void *)16, 1000, MSG_ZEROCOPY));
    SHOW(send(s[0], bytes + 2000, 1000, MSG_ZEROCOPY));
    receive(s[1], 3000);
    all_told(s[0], 2);
}

CASE(zerocopy_poll_says_that_there_is_something)
{
    struct pollfd p = { -1, POLLIN, 0 };
    int s[2];

    stream_pair(s);
    set(s[0], 1);
    p.fd = s[0];
    SHOW(poll(&p, 1, 0));
    send(s[0], bytes, 1000, MSG_ZEROCOPY);
    receive(s[1], 1000);
    SHOW(poll(&p, 1, 5000));
    printf("%x\n", (unsigned)p.revents);
    all_told(s[0], 1);
    SHOW(poll(&p, 1, 0));
}

CASE(zerocopy_datagrams)
{
    struct sockaddr_in a;
    int to = bound(SOCK_DGRAM, &a), s = socket(AF_INET, SOCK_DGRAM, 0);

    connect(s, (void *)&a, sizeof a);
    SHOW(set(s, 1));
    for (unsigned i = 0; i < 3; i++)
        SHOW(send(s, bytes, 2000, MSG_ZEROCOPY));
    for (unsigned i = 0; i < 3; i++)
        SHOW(recv(to, got, sizeof got, 0));
    all_told(s, 3);
    SHOW(send(s, bytes, 70000, MSG_ZEROCOPY));
    SHOW(send(s, bytes, 10, MSG_ZEROCOPY));
    SHOW(recv(to, got, sizeof got, 0));
}

CASE(zerocopy_pages_may_go_while_they_are_sent)
{
    int s[2];
    char *page;

    stream_pair(s);
    set(s[0], 1);
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page + 100, bytes, 6000);
    SHOW(send(s[0], page + 100, 6000, MSG_ZEROCOPY));
    SHOW(munmap(page, 8192));
    receive(s[1], 6000);
    all_told(s[0], 1);
}
