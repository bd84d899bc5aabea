/* user/tests/epoll.c - epoll: level and edge, one-shot, shared wakes, sets within sets, files that are
 * closed. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

static char buf[300000];

static void pause_ms(int n)
{
    struct timespec t = { n / 1000, n % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

static int control(int ep, int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = { .events = events, .data.u64 = data };

    return epoll_ctl(ep, op, fd, &e);
}

static int compare(const void *a, const void *b)
{
    const struct epoll_event *x = a, *y = b;

    return x->data.u64 < y->data.u64 ? -1 : x->data.u64 > y->data.u64;
}

/* Wait, and print what came in the order of its data. */
static int events(const char *what, int ep, int max, int timeout)
{
    struct epoll_event e[16];
    int n = epoll_wait(ep, e, max, timeout);

    printf("%s: ", what);
    if (n < 0) {
        printf("%s\n", errno_name(errno));
        return n;
    }
    qsort(e, (size_t)n, sizeof *e, compare);
    printf("%d", n);
    for (int i = 0; i < n; i++)
        printf(" [%llu %x]", (unsigned long long)e[i].data.u64, e[i].events);
    printf("\n");
    return n;
}

static void errors(void)
{
    int ep, p[2], file = open("epoll-test", O_CREAT | O_RDWR, 0600), null = open("/dev/null", O_RDWR);
    struct epoll_event e;

    unlink("epoll-test");
    SHOW(syscall(SYS_epoll_create, 0));
    SHOW(syscall(SYS_epoll_create, -1));
    SHOW(epoll_create1(1));
    ep = epoll_create1(EPOLL_CLOEXEC);
    printf("close on exec: %d\n", fcntl(ep, F_GETFD));
    SHOW(fcntl(ep, F_GETFL) & O_ACCMODE);
    pipe(p);
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], NULL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], (void *)1));
    SHOW(control(99, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 0));
    SHOW(control(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_ADD, null, EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0));
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    SHOW(control(ep, 4, p[0], EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
    SHOW(epoll_wait(ep, &e, 0, 0));
    SHOW(epoll_wait(ep, &e, -1, 0));
    SHOW(epoll_wait(ep, &e, INT_MAX, 0));
    SHOW(epoll_wait(p[0], &e, 1, 0));
    SHOW(epoll_wait(99, &e, 1, 0));
    SHOW(epoll_wait(ep, NULL, 1, 0));
    write(p[1], "x", 1);
    SHOW(epoll_wait(ep, NULL, 1, 0));
    SHOW(epoll_wait(ep, (void *)8, 1, -1));
    events("after the bad pointers", ep, 16, 0);
    SHOW(read(ep, buf, 1));
    SHOW(write(ep, buf, 1));
    SHOW(lseek(ep, 0, SEEK_SET));
    close(file);
    close(null);
    close(p[0]);
    close(p[1]);
    close(ep);
}

static void level(void)
{
    int ep = epoll_create1(0), p[2];

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
    control(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 2);
    events("an empty pipe", ep, 16, 0);
    write(p[1], "hello", 5);
    events("a full one", ep, 16, 0);
    events("again", ep, 16, -1);
    read(p[0], buf, 5);
    events("read", ep, 16, 0);
    events("at most one", ep, 1, 0);
    control(ep, EPOLL_CTL_MOD, p[1], 0, 3);
    events("no interest", ep, 16, 20);
    close(p[0]);
    events("no reader", ep, 16, -1);
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[1], NULL));
    events("an empty set", ep, 16, 20);
    close(p[1]);
    close(ep);
}

/* One at a time, of several that are always ready, each has its turn. */
static void fairness(void)
{
    int ep = epoll_create1(0), p[3][2];
    struct epoll_event e;

    for (int i = 0; i < 3; i++) {
        pipe(p[i]);
        write(p[i][1], "x", 1);
        control(ep, EPOLL_CTL_ADD, p[i][0], EPOLLIN, (uint64_t)i);
    }
    for (int i = 0; i < 6; i++) {
        SHOW(epoll_wait(ep, &e, 1, 0));
        printf("turn of %llu\n", (unsigned long long)e.data.u64);
    }
    for (int i = 0; i < 3; i++)
        close(p[i][0]), close(p[i][1]);
    close(ep);
}

static void edge(void)
{
    int ep = epoll_create1(0), p[2];

    pipe2(p, O_NONBLOCK);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 1);
    control(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 2);
    events("first: room to write", ep, 16, 0);
    events("told once", ep, 16, 0);
    write(p[1], "abc", 3);
    events("bytes", ep, 16, 0);
    events("told once", ep, 16, 0);
    read(p[0], buf, 1);
    events("some left, nothing new", ep, 16, 0);
    write(p[1], "d", 1);
    events("more bytes", ep, 16, 0);
    write(p[1], "e", 1);
    write(p[1], "f", 1);
    events("two writes, one event", ep, 16, 0);
    events("told once", ep, 16, 0);
    SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3));
    events("a change asks anew", ep, 16, 0);
    events("told once", ep, 16, 0);
    read(p[0], buf, 100);
    events("empty", ep, 16, 0);
    write(p[1], "g", 1);
    read(p[0], buf, 100);
    events("came and went", ep, 16, 0);
    while (write(p[1], buf, 4096) > 0)
        ;
    events("filled", ep, 16, 0);
    SHOW(read(p[0], buf, 4096));
    events("room again", ep, 16, 0);
    SHOW(read(p[0], buf, 4096));
    events("more room, nobody was refused", ep, 16, 0);
    close(p[1]);
    events("no writer", ep, 16, 0);
    events("told once", ep, 16, 0);
    close(p[0]);
    close(ep);
}

static void one_shot(void)
{
    int ep = epoll_create1(0), p[2];

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT, 1);
    write(p[1], "x", 1);
    events("the shot", ep, 16, 0);
    events("disabled", ep, 16, 0);
    write(p[1], "y", 1);
    events("still disabled", ep, 16, 0);
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 2);
    events("loaded again", ep, 16, 0);
    close(p[1]);
    events("not even the end", ep, 16, 0);
    close(p[0]);
    close(ep);
}

static void exclusive(void)
{
    int ep = epoll_create1(0), other = epoll_create1(0), p[2];

    pipe(p);
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 1));
    SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 1));
    SHOW(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
    write(p[1], "x", 1);
    events("exclusive", ep, 16, 0);
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    close(p[0]);
    close(p[1]);
    close(other);
    close(ep);
}

/* An entry is a file and a descriptor. */
static void duplicates(void)
{
    int ep = epoll_create1(0), p[2], twin;

    pipe(p);
    twin = dup(p[0]);
    SHOW(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, twin, EPOLLIN, 2));
    write(p[1], "x", 1);
    events("both", ep, 16, 0);
    close(p[0]);
    events("the file is still open", ep, 16, 0);
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    SHOW(dup2(twin, p[0]) == p[0]);
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    close(p[0]);
    events("one entry", ep, 16, 0);
    close(twin);
    events("the file is closed", ep, 16, 0);
    close(p[1]);
    close(ep);
}

static void closed_set(void)
{
    int ep = epoll_create1(0), twin = dup(ep), p[2];

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
    write(p[1], "x", 1);
    close(ep);
    events("another descriptor of the set", twin, 16, 0);
    if (!fork()) {
        events("in a child", twin, 16, 0);
        epoll_ctl(twin, EPOLL_CTL_DEL, p[0], NULL);
        _exit(0);
    }
    wait(NULL);
    events("the child took it out", twin, 16, 0);
    close(twin);
    close(p[0]);
    close(p[1]);
}

static void nested(void)
{
    int set[7], p[2];
    struct pollfd pfd;

    pipe(p);
    for (int i = 0; i < 7; i++)
        set[i] = epoll_create1(0);
    SHOW(control(set[0], EPOLL_CTL_ADD, set[1], EPOLLIN, 1));
    SHOW(control(set[1], EPOLL_CTL_ADD, set[0], EPOLLIN, 1));
    SHOW(control(set[1], EPOLL_CTL_ADD, set[2], EPOLLIN, 2));
    SHOW(control(set[2], EPOLL_CTL_ADD, set[0], EPOLLIN, 2));
    SHOW(control(set[2], EPOLL_CTL_ADD, p[0], EPOLLIN, 3));
    events("nothing", set[0], 16, 0);
    write(p[1], "x", 1);
    events("the outer one", set[0], 16, 0);
    events("the inner one", set[2], 16, 0);
    pfd = (struct pollfd){ .fd = set[0], .events = POLLIN | POLLOUT };
    SHOW(poll(&pfd, 1, 0));
    printf("%x\n", pfd.revents);
    read(p[0], buf, 1);
    SHOW(poll(&pfd, 1, 0));
    events("nothing", set[0], 16, 0);
    SHOW(control(set[0], EPOLL_CTL_MOD, set[1], EPOLLIN | EPOLLET, 4));
    write(p[1], "x", 1);
    events("an edge", set[0], 16, 0);
    events("told once", set[0], 16, 0);
    write(p[1], "x", 1);
    events("another", set[0], 16, 0);
    SHOW(control(set[2], EPOLL_CTL_ADD, set[3], EPOLLIN, 5));
    SHOW(control(set[3], EPOLL_CTL_ADD, set[4], EPOLLIN, 5));
    SHOW(control(set[4], EPOLL_CTL_ADD, set[5], EPOLLIN, 5));
    SHOW(control(set[5], EPOLL_CTL_ADD, set[6], EPOLLIN, 5));
    close(set[1]);
    events("the middle is closed", set[0], 16, 0);
    for (int i = 0; i < 7; i++)
        close(set[i]);
    close(p[0]);
    close(p[1]);
}

static void wakes(void)
{
    int ep = epoll_create1(0), outer = epoll_create1(0), p[2];
    struct pollfd pfd = { .fd = outer, .events = POLLIN };

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
    control(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 2);
    for (int i = 0; i < 3; i++) {
        if (!fork()) {
            pause_ms(30);
            write(p[1], "x", 1);
            _exit(0);
        }
        if (i == 0)
            events("woken", ep, 16, 10000);
        else if (i == 1)
            events("woken through two sets", outer, 16, 10000);
        else
            SHOW(poll(&pfd, 1, 10000));
        read(p[0], buf, 1);
        wait(NULL);
    }
    close(p[0]);
    close(p[1]);
    close(outer);
    close(ep);
}

static int late_set, late_fd;

static void *add_late(void *arg)
{
    (void)arg;
    pause_ms(30);
    control(late_set, EPOLL_CTL_ADD, late_fd, EPOLLIN, 7);
    return NULL;
}

/* A file that is ready is added while somebody waits already. */
static void added_while_waiting(void)
{
    int p[2];
    pthread_t t;

    pipe(p);
    write(p[1], "x", 1);
    late_set = epoll_create1(0);
    late_fd = p[0];
    pthread_create(&t, NULL, add_late, NULL);
    events("added while waiting", late_set, 16, 10000);
    pthread_join(t, NULL);
    close(p[0]);
    close(p[1]);
    close(late_set);
}

static void on_signal(int signo)
{
    printf("signal %d\n", signo);
}

static void masks(void)
{
    int ep = epoll_create1(0), p[2];
    struct epoll_event e;
    struct timespec t = { 0, 20000000 }, bad = { 0, 1000000000 };
    sigset_t none, usr1;

    signal(SIGUSR1, on_signal);
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    SHOW(epoll_wait(ep, &e, 1, 10));
    SHOW(epoll_pwait(ep, &e, 1, 10000, &none));
    SHOW(epoll_pwait(ep, &e, 1, 10, &none));
    pipe(p);
    write(p[1], "x", 1);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
    raise(SIGUSR1);
    SHOW(epoll_pwait(ep, &e, 1, 10000, &none));
    say("blocked still");
    SHOW(syscall(SYS_epoll_pwait, ep, &e, 1, 0, &none, 4));
    SHOW(syscall(SYS_epoll_pwait, ep, &e, 1, 0, (void *)1, 8));
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    read(p[0], buf, 1);
    SHOW(syscall(441, ep, &e, 1, &t, NULL, 8));
    SHOW(syscall(441, ep, &e, 1, &bad, NULL, 8));
    SHOW(syscall(441, ep, &e, 1, (void *)1, NULL, 8));
    signal(SIGUSR1, SIG_DFL);
    close(p[0]);
    close(p[1]);
    close(ep);
}

/* Both ends of a connection over loopback. */
static void connection(int *a, int *b)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int listener = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0);

    bind(listener, (struct sockaddr *)&addr, sizeof addr);
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&addr, &len);
    control(ep, EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLET, 1);
    events("nobody calls", ep, 16, 0);
    *a = socket(AF_INET, SOCK_STREAM, 0);
    connect(*a, (struct sockaddr *)&addr, sizeof addr);
    events("somebody does", ep, 16, 10000);
    events("told once", ep, 16, 0);
    *b = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    events("accepted", ep, 16, 0);
    close(listener);
    close(ep);
}

static void sockets(void)
{
    int a, b, ep = epoll_create1(0);
    ssize_t n, sent = 0, got = 0;

    connection(&a, &b);
    control(ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 1);
    events("connected", ep, 16, 0);
    events("told once", ep, 16, 0);
    write(a, "hello", 5);
    events("bytes", ep, 16, 10000);
    SHOW(read(b, buf, 100));
    SHOW(read(b, buf, 100));
    events("reading tells nobody", ep, 16, 20);
    SHOW(write(b, "answer", 6));
    SHOW(read(a, buf, 100));
    events("nor does writing, with room left", ep, 16, 20);
    while ((n = write(b, buf, sizeof buf)) > 0)
        sent += n;
    printf("refused: %s\n", errno_name(errno));
    events("full", ep, 16, 20);
    while (got < sent && (n = read(a, buf, sizeof buf)) > 0)
        got += n;
    printf("all read: %d\n", got == sent);
    events("room again", ep, 16, 10000);
    events("told once", ep, 16, 20);
    shutdown(a, SHUT_WR);
    events("the end", ep, 16, 10000);
    events("told once", ep, 16, 20);
    close(a);
    control(ep, EPOLL_CTL_MOD, b, EPOLLIN | EPOLLRDHUP, 2);
    events("level", ep, 16, 10000);
    close(b);
    events("closed", ep, 16, 0);
    close(ep);
}

static void datagrams(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0), ep = epoll_create1(0);

    bind(b, (struct sockaddr *)&addr, sizeof addr);
    getsockname(b, (struct sockaddr *)&addr, &len);
    connect(a, (struct sockaddr *)&addr, sizeof addr);
    control(ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLET, 1);
    events("nothing", ep, 16, 0);
    send(a, "one", 3, 0);
    events("a datagram", ep, 16, 10000);
    send(a, "two", 3, 0);
    events("another", ep, 16, 10000);
    events("told once", ep, 16, 0);
    SHOW(recv(b, buf, 100, 0));
    events("one left, nothing new", ep, 16, 0);
    control(ep, EPOLL_CTL_MOD, b, EPOLLIN | EPOLLOUT, 2);
    events("level", ep, 16, 0);
    close(a);
    close(b);
    close(ep);
}

/* Many files: each event names its own. */
static void many(void)
{
    enum { N = 200 };
    int ep = epoll_create1(0), p[N][2], good = 0;
    struct epoll_event e[16];

    for (int i = 0; i < N; i++) {
        pipe(p[i]);
        good += !control(ep, EPOLL_CTL_ADD, p[i][0], EPOLLIN | EPOLLET, (uint64_t)i);
    }
    printf("%d added\n", good);
    for (int round = 0, i = 3; round < 500; round++, i = (i * 7 + 5) % N) {
        write(p[i][1], "x", 1);
        good += epoll_wait(ep, e, 16, 0) == 1 && e[0].data.u64 == (uint64_t)i;
    }
    printf("%d good\n", good);
    for (int i = 0; i < N; i += 2)
        good -= !epoll_ctl(ep, EPOLL_CTL_DEL, p[i][0], NULL);
    for (int i = 0; i < N; i++)
        close(p[i][0]), close(p[i][1]);
    printf("%d\n", good);
    events("none is left", ep, 16, 0);
    close(ep);
}

int main(void)
{
    errors();
    level();
    fairness();
    edge();
    one_shot();
    exclusive();
    duplicates();
    closed_set();
    nested();
    wakes();
    added_while_waiting();
    masks();
    sockets();
    datagrams();
    many();
    return 0;
}
