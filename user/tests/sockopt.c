/* user/tests/sockopt.c - options of SOL_SOCKET: what they are at first, what they take, what they refuse. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

static const struct {
    int option;
    const char *name;
} options[] = {
    { SO_REUSEADDR, "SO_REUSEADDR" },
    { SO_TYPE, "SO_TYPE" },
    { SO_ERROR, "SO_ERROR" },
    { SO_DONTROUTE, "SO_DONTROUTE" },
    { SO_BROADCAST, "SO_BROADCAST" },
    { SO_KEEPALIVE, "SO_KEEPALIVE" },
    { SO_OOBINLINE, "SO_OOBINLINE" },
    { SO_PRIORITY, "SO_PRIORITY" },
    { SO_REUSEPORT, "SO_REUSEPORT" },
    { SO_RCVLOWAT, "SO_RCVLOWAT" },
    { SO_SNDLOWAT, "SO_SNDLOWAT" },
    { SO_TIMESTAMP, "SO_TIMESTAMP" },
    { SO_ACCEPTCONN, "SO_ACCEPTCONN" },
    { SO_PROTOCOL, "SO_PROTOCOL" },
    { SO_DOMAIN, "SO_DOMAIN" },
    { SO_MARK, "SO_MARK" },
    { SO_TIMESTAMPNS, "SO_TIMESTAMPNS" },
};

static void show_all(int s)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int value = -1;
        socklen_t len = sizeof value;
        if (getsockopt(s, SOL_SOCKET, options[i].option, &value, &len))
            printf("%s: %s\n", options[i].name, errno_name(errno));
        else
            printf("%s = %d, %u bytes\n", options[i].name, value, (unsigned)len);
    }
}

CASE(what_they_are_at_first)
{
    show_all(socket(AF_INET, SOCK_STREAM, 0));
    say("--");
    show_all(socket(AF_INET, SOCK_DGRAM, 0));
    say("--");
    show_all(socket(AF_UNIX, SOCK_STREAM, 0));
}

CASE(what_they_take)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), t;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        errno = 0;
        int err = setsockopt(s, SOL_SOCKET, options[i].option, (int[]){ 5 }, 4);
        printf("%s: %s\n", options[i].name, err ? errno_name(errno) : "ok");
    }
    show_all(s);
    SHOW(listen(s, 1));
    show_all(s);
    t = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, (int[]){ 1 }, 3));
    SHOW(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, NULL, 4));
    SHOW(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, (int[]){ 1 }, -1));
    SHOW(setsockopt(t, SOL_SOCKET, 9999, (int[]){ 1 }, 4));
    SHOW(getsockopt(t, SOL_SOCKET, 9999, &(int){ 0 }, &(socklen_t){ 4 }));
    SHOW(getsockopt(t, SOL_SOCKET, SO_TYPE, &(int){ 0 }, &(socklen_t){ -1 }));
    SHOW(getsockopt(t, SOL_SOCKET, SO_TYPE, NULL, &(socklen_t){ 4 }));
    SHOW(setsockopt(0, SOL_SOCKET, SO_REUSEADDR, (int[]){ 1 }, 4));
}

CASE(times_to_wait)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET };
    struct timeval tv;
    socklen_t len = sizeof tv;
    char c;

    bind(s, (void *)&a, sizeof a);
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
    printf("%ld %ld, %u\n", (long)tv.tv_sec, (long)tv.tv_usec, (unsigned)len);
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0, 1000000 }, sizeof tv));
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0, -1 }, sizeof tv));
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, 4));
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0, 20000 }, sizeof tv));
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
    printf("%ld %ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
    SHOW(recv(s, &c, 1, 0));
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ 3, 500000 }, sizeof tv));
    SHOW(getsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, &len));
    printf("%ld %ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
}

CASE(lingering_and_devices)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct linger l = { 1, 7 };
    socklen_t len = sizeof l;
    char name[16] = "x";

    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    l = (struct linger){ 0 };
    SHOW(getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &len));
    printf("%d %d\n", l.l_onoff, l.l_linger);
    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4));
    len = sizeof name;
    SHOW(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    printf("%u\n", (unsigned)len);
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
    len = sizeof name;
    SHOW(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    printf("%s %u\n", name, (unsigned)len);
    len = 2;
    SHOW(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    len = sizeof name;
    SHOW(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    printf("%u\n", (unsigned)len);
    struct ucred nobody;
    len = sizeof nobody;
    SHOW(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &nobody, &len));
    printf("%d %d %d\n", nobody.pid, nobody.uid, nobody.gid);
}

CASE(buffers_are_doubled)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0), value = 0;
    socklen_t len = sizeof value;

    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVBUF, (int[]){ 10000 }, 4));
    getsockopt(s, SOL_SOCKET, SO_RCVBUF, &value, &len);
    printf("%d\n", value);
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDBUF, (int[]){ 10000 }, 4));
    getsockopt(s, SOL_SOCKET, SO_SNDBUF, &value, &len);
    printf("%d\n", value);
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVBUF, (int[]){ 1 }, 4));
    getsockopt(s, SOL_SOCKET, SO_RCVBUF, &value, &len);
    printf("%d\n", value);
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVLOWAT, (int[]){ -5 }, 4));
    getsockopt(s, SOL_SOCKET, SO_RCVLOWAT, &value, &len);
    printf("%d\n", value);
}
