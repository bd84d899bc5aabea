/* user/failnth.c - a program with sockets, files and children, whose Nth allocation in the kernel fails.
 *
 *     failnth WHAT FIRST LAST STEP     WHAT: inet, bulk, unix, files, children or exec; N from FIRST to LAST
 * by STEP
 *
 * For each N a child asks the kernel (/proc/sys/debug/fail_nth; debug kernels) to let its Nth allocation fail
 * and then does WHAT, from beginning to end, going on after each failure. Whatever fails must say so with an
 * error of those that mean want of memory, or be a packet that did not come. The child must end by itself.
 * Ends early when N is more than WHAT allocates. Prints what was seen; status 0, or 1 if anything else
 * happened. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, SHORT = 20000, LONG = 3000000, NO_END = 3, WRONG = 4, LOADER_GAVE_UP = 127 };

static const char *doing;  /* the call that is being looked at */
static unsigned of_memory; /* failures that say so */

static _Noreturn void wrong(int error)
{
    fprintf(stderr, "%s: %s\n", doing, strerror(error));
    _exit(WRONG);
}

/* An error that want of memory explains, here or at the other end. */
static int is_excused(int error)
{
    switch (error) {
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case ENOSPC:
    case ENFILE:
        return 1;
    default:
        return 0;
    }
}

/* The result of a call: what it gave, or -1 when it failed for want of memory. */
static long try(const char *name, long result)
{
    doing = name;
    if (result >= 0)
        return result;
    if (!is_excused(errno))
        wrong(errno);
    of_memory++;
    return -1;
}

static void shut(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Whether fd becomes ready in time; a packet that was dropped may be sent again. */
static int ready(int fd, int events)
{
    struct pollfd p = { .fd = fd, .events = (short)events };
    return try("poll", poll(&p, 1, PATIENCE_MS)) > 0;
}

/* ---- inet ---- */

static struct sockaddr_in loopback(in_port_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = port };
}

static in_port_t port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    return getsockname(fd, (struct sockaddr *)&a, &len) ? 0 : a.sin_port;
}

/* Closing leaves nothing in TIME-WAIT. */
static void abort_on_close(int fd)
{
    struct linger now = { .l_onoff = 1 };
    if (fd >= 0)
        try("setsockopt", setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}

static void transfer(int from, int to, size_t size)
{
    static char bulk[LONG], got[SHORT];
    size_t sent = 0, received = 0;
    while (received < size) {
        ssize_t n = sent < size ? send(from, bulk + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
        if (!ready(to, POLLIN))
            return;
        n = try("recv", recv(to, got, sizeof got, MSG_DONTWAIT));
        if (n == 0)
            return;
        received += n > 0 ? (size_t)n : 0;
    }
}

static void stream(size_t size)
{
    struct sockaddr_in any = loopback(0);
    int listener = (int)try("socket", socket(AF_INET, SOCK_STREAM, 0)), client, server = -1;
    if (listener < 0)
        return;
    if (try("bind", bind(listener, (struct sockaddr *)&any, sizeof any)) < 0 ||
        try("listen", listen(listener, 4)) < 0) {
        shut(listener);
        return;
    }
    struct sockaddr_in there = loopback(port_of(listener));
    client = (int)try("socket", socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    abort_on_close(client);
    if (client >= 0 &&
        (connect(client, (struct sockaddr *)&there, sizeof there) == 0 || errno == EINPROGRESS) &&
        ready(client, POLLOUT) && ready(listener, POLLIN))
        server = (int)try("accept", accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    abort_on_close(server);
    if (server >= 0) {
        transfer(client, server, size);
        transfer(server, client, size);
        try("shutdown", shutdown(client, SHUT_WR));
        ready(server, POLLIN);
    }
    shut(server);
    shut(client);
    shut(listener);
}

static void datagrams(void)
{
    char text[100] = "datagram", got[100];
    struct sockaddr_in any = loopback(0);
    int a = (int)try("socket", socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    int b = (int)try("socket", socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    if (a >= 0 && b >= 0 && try("bind", bind(a, (struct sockaddr *)&any, sizeof any)) >= 0) {
        struct sockaddr_in there = loopback(port_of(a));
        int error = 0;
        socklen_t len = sizeof error;
        try("setsockopt", setsockopt(a, SOL_SOCKET, SO_RCVBUF, &(int){ 20000 }, sizeof(int)));
        for (int i = 0; i < 3; i++)
            if (try("sendto", sendto(b, text, sizeof text, 0, (struct sockaddr *)&there, sizeof there)) >= 0)
                try("recv", recv(a, got, sizeof got, 0)); /* or it was dropped: EAGAIN */
        there.sin_port = htons(9); /* nobody's: the answer is an ICMP error, if there is memory for it */
        if (try("connect", connect(b, (struct sockaddr *)&there, sizeof there)) >= 0) {
            try("send", send(b, text, sizeof text, 0));
            try("getsockopt", getsockopt(b, SOL_SOCKET, SO_ERROR, &error, &len));
        }
    }
    shut(a);
    shut(b);
}

static void watch(void)
{
    struct epoll_event event = { .events = EPOLLIN }, got;
    int set = (int)try("epoll_create1", epoll_create1(0)),
        fd = (int)try("socket", socket(AF_INET, SOCK_DGRAM, 0));
    if (set >= 0 && fd >= 0 && try("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event)) >= 0)
        try("epoll_wait", epoll_wait(set, &got, 1, 0));
    shut(set);
    shut(fd);
}

static void inet(void)
{
    stream(SHORT);
    datagrams();
    watch();
}

/* Long enough for allocations by the thousand. */
static void bulk(void)
{
    stream(LONG);
}

/* ---- unix ---- */

static void pass_descriptor(int from, int to)
{
    char byte = 'x', room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec v = { &byte, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fd = from, got;
    *c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd),
                           .cmsg_level = SOL_SOCKET,
                           .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (try("sendmsg", sendmsg(from, &m, MSG_NOSIGNAL)) < 0 || !ready(to, POLLIN))
        return;
    m.msg_controllen = sizeof room;
    if (try("recvmsg", recvmsg(to, &m, MSG_DONTWAIT)) <= 0 || !(c = CMSG_FIRSTHDR(&m)))
        return;
    memcpy(&got, CMSG_DATA(c), sizeof got);
    shut(got);
}

static void local(void)
{
    int pair[2];
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        if (try("socketpair", socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair)) < 0)
            continue;
        if (try("send", send(pair[0], "hello", 5, MSG_NOSIGNAL)) > 0) {
            char got[8];
            try("recv", recv(pair[1], got, sizeof got, 0));
        }
        pass_descriptor(pair[0], pair[1]);
        shut(pair[0]);
        shut(pair[1]);
    }
}

/* ---- files and pipes ---- */

static void files(void)
{
    char path[64], got[64];
    int pipes[2];
    snprintf(path, sizeof path, "/tmp/failnth.%d", (int)getpid());
    int fd = (int)try("open", open(path, O_CREAT | O_RDWR | O_EXCL, 0600));
    if (fd >= 0) {
        static char page[10000];
        try("write", write(fd, page, sizeof page));
        try("pread", pread(fd, got, sizeof got, 0));
        try("ftruncate", ftruncate(fd, 100));
        void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        if (try("mmap", map == MAP_FAILED ? -1 : 0) >= 0)
            munmap(map, 4096);
        int copy = (int)try("dup", dup(fd));
        shut(copy);
        shut(fd);
        unlink(path);
    }
    if (try("pipe", pipe2(pipes, O_NONBLOCK)) >= 0) {
        if (try("write", write(pipes[1], "hello", 5)) > 0)
            try("read", read(pipes[0], got, sizeof got));
        shut(pipes[0]);
        shut(pipes[1]);
    }
    snprintf(path, sizeof path, "/tmp/failnth-dir.%d", (int)getpid());
    if (try("mkdir", mkdir(path, 0700)) >= 0)
        rmdir(path);
    fd = (int)try("open", open("/proc/self/stat", O_RDONLY));
    if (fd >= 0)
        try("read", read(fd, got, sizeof got));
    shut(fd);
}

/* ---- children ---- */

static void children(void)
{
    int status;
    pid_t child = (pid_t)try("fork", fork());
    if (child == 0) {
        static char *const argv[] = { "true", NULL };
        execv("/bin/true", argv);
        _exit(is_excused(errno) ? 0 : WRONG);
    }
    if (child > 0 && try("waitpid", waitpid(child, &status, 0)) >= 0 && status) {
        doing = "child";
        wrong(status);
    }
}

/* exec with an allocation that fails: before the point of no return an error, behind it SIGKILL (execve(2)).
 */
static void replacement(void)
{
    static char *const argv[] = { "true", NULL };
    execv("/bin/true", argv);
    doing = "execv";
    if (!is_excused(errno))
        wrong(errno);
}

/* ---- N by N ---- */

static const struct scenario {
    const char *name;
    void (*run)(void);
    int may_end_badly; /* a new program that is refused memory may give up, or be killed before it begins */
} scenarios[] = { { "inet", inet, 0 },   { "bulk", bulk, 0 },         { "unix", local, 0 },
                  { "files", files, 0 }, { "children", children, 0 }, { "exec", replacement, 1 } };

/* The knob is opened before: what follows its writing allocates nothing for itself. */
static void child_main(const struct scenario *s, long n)
{
    char text[32];
    int knob = open("/proc/sys/debug/fail_nth", O_RDWR), len = snprintf(text, sizeof text, "%ld", n);
    if (knob < 0 || write(knob, text, (size_t)len) != len) {
        perror("fail_nth");
        _exit(WRONG);
    }
    s->run();
    ssize_t got = pread(knob, text, sizeof text - 1, 0);
    if (got > 0 && atol(text) > 0)
        _exit(NO_END);
    _exit(0);
}

/* 0: it went as it should; 1: N is more than there are; 2: not as it should. */
static int run_one(const struct scenario *s, long n)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        child_main(s, n);
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        perror("fork");
        return 2;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_END)
        return 1;
    if (status == 0)
        return 0;
    if (s->may_end_badly && (WIFSIGNALED(status) || WEXITSTATUS(status) == LOADER_GAVE_UP))
        return 0;
    printf("%s: N = %ld: wait status %#x\n", s->name, n, (unsigned)status);
    return 2;
}

static int run_all(const struct scenario *s, long first, long last, long step)
{
    long bad = 0, runs = 0, n;
    for (n = first; n <= last; n += step) {
        int how = run_one(s, n);
        if (how == 1)
            break;
        runs++;
        bad += how == 2;
    }
    printf("%s: %ld runs, the last with N = %ld, %ld went wrong\n", s->name, runs, n - step, bad);
    return bad != 0;
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc == 5 && i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (!strcmp(scenarios[i].name, argv[1]))
            return run_all(&scenarios[i], atol(argv[2]), atol(argv[3]), atol(argv[4]));
    fprintf(stderr, "usage: failnth inet|bulk|unix|files|children|exec FIRST LAST STEP\n");
    return 2;
}
