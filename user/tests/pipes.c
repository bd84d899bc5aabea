/* user/tests/pipes.c - pipes, poll and select. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>

static char buf[200000];
static volatile sig_atomic_t pipes_broken;

static void on_pipe(int signo)
{
    (void)signo;
    pipes_broken++;
}

CASE(basics)
{
    int p[2], n;

    SHOW(pipe2(p, O_NONBLOCK));
    SHOW(read(p[0], buf, 10));
    SHOW(write(p[1], "hello", 5));
    SHOW(ioctl(p[0], FIONREAD, &n));
    printf("%d bytes wait\n", n);
    SHOW(read(p[0], buf, 3));
    SHOW(read(p[0], buf, 30));
    SHOW(write(p[1], buf, 100000));
    SHOW(write(p[1], buf, 1));
    SHOW(read(p[0], buf, sizeof buf));
    SHOW(lseek(p[0], 0, SEEK_SET));
    SHOW(pread(p[0], buf, 1, 0));
    SHOW(write(p[0], buf, 1));
    SHOW(read(p[1], buf, 1));
    SHOW(close(p[1]));
    SHOW(read(p[0], buf, 1));
    SHOW(close(p[0]));
    SHOW(pipe2(p, 12345678));
}

CASE(broken)
{
    int p[2];

    signal(SIGPIPE, on_pipe);
    pipe(p);
    close(p[0]);
    SHOW(write(p[1], "x", 1));
    printf("SIGPIPE %d times\n", (int)pipes_broken);
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(p[1], "x", 1));
    printf("SIGPIPE %d times\n", (int)pipes_broken);
    close(p[1]);
}

/* A child writes more than a pipe holds; every byte arrives, in order. */
CASE(big_transfer)
{
    int p[2], status;
    unsigned long sum = 0, total = 0;
    ssize_t n;

    pipe(p);
    if (!fork()) {
        close(p[0]);
        for (size_t i = 0; i < sizeof buf; i++)
            buf[i] = (char)(i * 7);
        for (int i = 0; i < 5; i++)
            write(p[1], buf, sizeof buf);
        _exit(3);
    }
    close(p[1]);
    while ((n = read(p[0], buf, 12345)) > 0)
        for (ssize_t i = 0; i < n; i++)
            sum = sum * 31 + (unsigned char)buf[i], total++;
    wait(&status);
    printf("%lu bytes, sum %lx, status %x\n", total, sum, status);
    close(p[0]);
}

CASE(polling)
{
    int p[2];
    pipe(p);
    struct pollfd fds[4] = {
        { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 }, { -1, POLLIN, 0 }, { 99, POLLIN, 0 }
    };

    SHOW(poll(fds, 4, 0));
    printf("%x %x %x %x\n", fds[0].revents, fds[1].revents, fds[2].revents, fds[3].revents);
    SHOW(poll(fds, 1, 20));
    write(p[1], "x", 1);
    SHOW(poll(fds, 1, -1));
    printf("%x\n", fds[0].revents);
    if (!fork()) {
        close(p[1]);
        _exit(0);
    }
    read(p[0], buf, 10);
    close(p[1]);
    SHOW(poll(fds, 1, 5000));
    printf("%x\n", fds[0].revents);
    wait(NULL);
    close(p[0]);
    SHOW(poll(NULL, 0, 10));
    SHOW(poll(fds, 100000000, 0));
}

CASE(poll_wakes)
{
    int p[2];
    pipe(p);
    struct pollfd fd = { p[0], POLLIN, 0 };

    if (!fork()) {
        struct timespec t = { 0, 50000000 };
        nanosleep(&t, NULL);
        write(p[1], "x", 1);
        _exit(0);
    }
    SHOW(poll(&fd, 1, 10000));
    printf("%x\n", fd.revents);
    wait(NULL);
    close(p[0]);
    close(p[1]);
}

CASE(selecting)
{
    int p[2];
    fd_set r, w;
    struct timeval tv = { 0, 10000 };

    pipe(p);
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    SHOW(select(p[1] + 1, &r, &w, NULL, &tv));
    printf("%d %d\n", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &w));
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    SHOW(select(p[1] + 1, &r, NULL, NULL, &tv));
    printf("%d\n", !!FD_ISSET(p[0], &r));
    write(p[1], "x", 1);
    FD_SET(p[0], &r);
    SHOW(select(p[1] + 1, &r, NULL, NULL, NULL));
    printf("%d\n", !!FD_ISSET(p[0], &r));
    close(p[0]);
    FD_SET(p[0], &r);
    SHOW(select(p[0] + 1, &r, NULL, NULL, &tv));
    SHOW(select(-1, NULL, NULL, NULL, &tv));
    close(p[1]);
}
