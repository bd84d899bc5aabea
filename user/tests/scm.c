/* user/tests/scm.c - what travels beside the bytes of local sockets: open files and credentials. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MOST = 260 };
static char buf[1000];

static int send_fds(int s, const char *text, size_t n, const int *fds, unsigned count)
{
    static union {
        char bytes[CMSG_SPACE(MOST * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { (void *)text, n };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (count) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    return sendmsg(s, &m, MSG_DONTWAIT);
}

/* Receive with room bytes for control messages; print all that came but the numbers of files, which go to
 * fds. */
static int receive(int s, size_t size, size_t room, int flags, int *fds)
{
    static union {
        char bytes[4096];
        struct cmsghdr align;
    } control;
    struct iovec iov = { buf, size };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = room
    };
    int n, files = 0;

    errno = 0;
    n = recvmsg(s, &m, flags | MSG_DONTWAIT);
    if (n < 0) {
        printf("  recvmsg: %s\n", errno_name(errno));
        return 0;
    }
    printf("  %d bytes '%.*s', flags %x, control %u\n", n, n, buf, m.msg_flags, (unsigned)m.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        printf("  level %d type %d length %u\n", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len);
        if (c->cmsg_type == SCM_RIGHTS) {
            files = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            if (fds)
                memcpy(fds, CMSG_DATA(c), files * sizeof(int));
            else
                for (int i = 0; i < files; i++)
                    close(((int *)(void *)CMSG_DATA(c))[i]);
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            printf("  pid %s, uid %d, gid %d\n",
                   u.pid == getpid() ? "ours"
                   : u.pid           ? "another"
                                     : "0",
                   u.uid, u.gid);
        }
    }
    return files;
}

static void files(int type)
{
    int s[2], p[2], got[MOST], n;

    printf("--- files, type %d\n", type);
    socketpair(AF_UNIX, type, 0, s);
    pipe(p);
    SHOW(send_fds(s[0], "one", 3, p, 2));
    SHOW(send_fds(s[0], "two", 3, NULL, 0));
    n = receive(s[1], 100, 1000, MSG_CMSG_CLOEXEC, got);
    printf("%d files\n", n);
    if (n == 2) {
        SHOW(write(got[1], "through", 7));
        SHOW(read(p[0], buf, 100));
        SHOW(fcntl(got[0], F_GETFD));
        close(got[0]), close(got[1]);
    }
    receive(s[1], 100, 1000, 0, NULL);
    SHOW(send_fds(s[0], "cut", 3, p, 2));
    receive(s[1], 100, CMSG_LEN(sizeof(int)), 0, NULL);
    SHOW(send_fds(s[0], "no room", 7, p, 2));
    receive(s[1], 100, 0, 0, NULL);
    SHOW(send_fds(s[0], "read", 4, p, 2));
    SHOW(read(s[1], buf, 10));
    SHOW(send_fds(s[0], "bad", 3, (int[]){ 99 }, 1));
    SHOW(send_fds(s[0], "many", 4, got, 254));
    SHOW(send_fds(s[0], "peek", 4, p, 1));
    receive(s[1], 100, 1000, MSG_PEEK, NULL);
    receive(s[1], 100, 1000, 0, NULL);
    close(p[0]), close(p[1]), close(s[0]), close(s[1]);
}

/* In a stream bytes are not glued over files. */
static void boundaries(void)
{
    int s[2], p[2];

    say("--- boundaries");
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pipe(p);
    send_fds(s[0], "aa", 2, NULL, 0);
    send_fds(s[0], "bb", 2, p, 1);
    send_fds(s[0], "cc", 2, p, 1);
    send_fds(s[0], "dd", 2, NULL, 0);
    receive(s[1], 3, 1000, 0, NULL);
    receive(s[1], 100, 1000, 0, NULL);
    receive(s[1], 100, 1000, MSG_PEEK, NULL);
    receive(s[1], 100, 1000, 0, NULL);
    receive(s[1], 100, 1000, 0, NULL);
    close(p[0]), close(p[1]), close(s[0]), close(s[1]);
}

/* A pipe's end in flight is open; it closes when the sockets do, whoever holds whom. */
static void lost(void)
{
    int s[2], t[2], p[2];

    say("--- lost");
    pipe2(p, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    send_fds(s[0], "x", 1, &p[1], 1);
    close(p[1]);
    SHOW(read(p[0], buf, 1));
    close(s[0]);
    SHOW(read(p[0], buf, 1));
    close(s[1]);
    SHOW(read(p[0], buf, 1));
    close(p[0]);
    say("a circle");
    pipe2(p, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    SHOW(send_fds(s[0], "x", 1, &p[1], 1));
    SHOW(send_fds(s[0], "x", 1, &s[1], 1));
    close(p[1]), close(s[1]);
    SHOW(read(p[0], buf, 1));
    close(s[0]);
    struct pollfd end = { p[0], POLLIN, 0 };
    SHOW(poll(&end, 1, 5000)); /* Linux collects a moment later */
    SHOW(read(p[0], buf, 1));
    close(p[0]);
    say("a deep nest");
    pipe2(p, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    send_fds(s[0], "x", 1, &p[1], 1);
    close(p[1]);
    for (int i = 0; i < 300; i++) {
        socketpair(AF_UNIX, SOCK_DGRAM, 0, t);
        send_fds(t[0], "x", 1, s, 2);
        close(s[0]), close(s[1]);
        s[0] = t[0], s[1] = t[1];
    }
    SHOW(read(p[0], buf, 1));
    close(s[0]), close(s[1]);
    end = (struct pollfd){ p[0], POLLIN, 0 };
    SHOW(poll(&end, 1, 5000));
    SHOW(read(p[0], buf, 1));
    close(p[0]);
}

static int send_creds(int s, int pid, int uid)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct ucred u = { pid, uid, 0 };
    struct iovec iov = { "c", 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes };

    m.msg_controllen = sizeof control.bytes;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    c->cmsg_len = CMSG_LEN(sizeof u);
    memcpy(CMSG_DATA(c), &u, sizeof u);
    return sendmsg(s, &m, 0);
}

static void credentials(int type)
{
    int s[2], on = 1, status, p[2];
    socklen_t len = sizeof on;

    printf("--- credentials, type %d\n", type);
    socketpair(AF_UNIX, type, 0, s);
    pipe(p);
    SHOW(write(s[0], "before", 6));
    SHOW(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    on = 0;
    SHOW(getsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, &len));
    printf("%d\n", on);
    receive(s[1], 100, 1000, 0, NULL);
    SHOW(write(s[0], "behind", 6));
    receive(s[1], 100, 1000, 0, NULL);
    SHOW(send_fds(s[0], "both", 4, p, 1));
    receive(s[1], 100, 1000, 0, NULL);
    SHOW(send_creds(s[0], getpid(), 1234));
    receive(s[1], 100, 1000, 0, NULL);
    SHOW(write(s[0], "cut", 3));
    receive(s[1], 100, 20, 0, NULL);
    SHOW(write(s[0], "nowhere", 7));
    receive(s[1], 100, 0, 0, NULL);
    if (!fork()) {
        write(s[0], "child", 5);
        if (setuid(77))
            _exit(2);
        write(s[0], "other", 5);
        int err = send_creds(s[0], getpid(), 0) < 0 && errno == EPERM;
        _exit(err ? 0 : 1);
    }
    wait(&status);
    printf("status %x\n", status);
    for (int i = 0; i < 3; i++)
        receive(s[1], 100, 1000, 0, NULL);
    close(s[0]), close(s[1]), close(p[0]), close(p[1]);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    files(SOCK_STREAM);
    files(SOCK_DGRAM);
    files(SOCK_SEQPACKET);
    boundaries();
    lost();
    credentials(SOCK_STREAM);
    credentials(SOCK_DGRAM);
    return 0;
}
