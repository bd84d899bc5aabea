/* user/tests/more_pipes.c - pipes that fill and empty between processes, and what poll and select say of
 * them. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>

static char buf[200000];
static int p[2];

static void nap(int milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

static void show_status(int status)
{
    printf("%s %d\n", WIFSIGNALED(status) ? "killed by" : "exited with",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void ignore(int signo)
{
    (void)signo;
}

CASE(a_reader_waits_for_a_writer)
{
    pipe(p);
    if (!fork()) {
        nap(40);
        write(p[1], "late", 4);
        _exit(0);
    }
    SHOW(read(p[0], buf, 10));
    wait(NULL);
}

CASE(a_reader_waits_for_the_last_writer)
{
    pipe(p);
    for (int i = 0; i < 3; i++)
        if (!fork()) {
            nap(20 * i);
            write(p[1], "x", 1);
            _exit(0);
        }
    close(p[1]);
    int n = 0;
    while (read(p[0], buf, 1) == 1)
        n++;
    SHOW(n);
}

CASE(a_writer_waits_for_room)
{
    int status;

    pipe(p);
    if (!fork()) {
        close(p[0]);
        SHOW(write(p[1], buf, 150000)); /* more than a pipe holds: in parts, and all of it */
        _exit(0);
    }
    close(p[1]);
    nap(40);
    long total = 0;
    ssize_t n;
    while ((n = read(p[0], buf, 5000)) > 0)
        total += n;
    SHOW(total);
    wait(&status);
    show_status(status);
}

CASE(a_waiting_writer_whose_reader_goes)
{
    int status;

    pipe(p);
    if (!fork()) {
        close(p[0]);
        write(p[1], buf, 150000);
        _exit(0);
    }
    close(p[1]);
    nap(40);
    close(p[0]);
    wait(&status);
    show_status(status);
}

CASE(without_sigpipe)
{
    pipe(p);
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    SHOW(write(p[1], "x", 1));
    struct pollfd fd = { p[1], POLLOUT, 0 };
    SHOW(poll(&fd, 1, 0));
    SHOW(!!(fd.revents & POLLERR));
}

CASE(small_writes_are_whole)
{
    int mixed = 0, status;

    pipe(p);
    for (int i = 0; i < 3; i++)
        if (!fork()) {
            close(p[0]);
            memset(buf, 'a' + i, 4096);
            for (int n = 0; n < 30; n++)
                write(p[1], buf, 4096); /* PIPE_BUF: never mixed with another's */
            _exit(0);
        }
    close(p[1]);
    size_t have = 0;
    ssize_t n;
    char block[4096];
    while ((n = read(p[0], block + have, sizeof block - have)) > 0) {
        have += (size_t)n;
        if (have == sizeof block) {
            for (size_t i = 1; i < have; i++)
                mixed += block[i] != block[0];
            have = 0;
        }
    }
    while (wait(&status) > 0)
        ;
    SHOW(mixed);
    SHOW(have);
}

CASE(full_without_waiting)
{
    long total = 0;
    ssize_t n;

    pipe2(p, O_NONBLOCK);
    while ((n = write(p[1], buf, 4096)) > 0)
        total += n;
    printf("%ld, then %s\n", total, errno_name(errno));
    SHOW(write(p[1], buf, 1));
    SHOW(poll(&(struct pollfd){ p[1], POLLOUT, 0 }, 1, 0));
    SHOW(read(p[0], buf, 4096));
    SHOW(write(p[1], buf, 4096));
    SHOW(write(p[1], buf, 100000));
}

CASE(more_than_fits_without_waiting)
{
    pipe2(p, O_NONBLOCK);
    SHOW(write(p[1], buf, 200000)); /* a part */
    int n = 0;
    SHOW(ioctl(p[0], FIONREAD, &n));
    SHOW(n);
}

CASE(data_before_the_end)
{
    pipe(p);
    write(p[1], "last words", 10);
    close(p[1]);
    struct pollfd fd = { p[0], POLLIN, 0 };
    SHOW(poll(&fd, 1, 0));
    SHOW(fd.revents);
    SHOW(read(p[0], buf, 4));
    SHOW(read(p[0], buf, 100));
    SHOW(poll(&fd, 1, 0));
    SHOW(fd.revents);
    SHOW(read(p[0], buf, 100));
}

CASE(reading_nothing)
{
    pipe2(p, O_NONBLOCK);
    SHOW(read(p[0], buf, 0));
    SHOW(write(p[1], buf, 0));
    SHOW(read(p[0], buf, 10));
}

CASE(interrupted_reader)
{
    struct sigaction act = { .sa_handler = ignore };

    pipe(p);
    sigaction(SIGALRM, &act, NULL);
    ualarm(30000, 0);
    SHOW(read(p[0], buf, 1));
}

CASE(interrupted_writer)
{
    struct sigaction act = { .sa_handler = ignore };

    pipe(p);
    sigaction(SIGALRM, &act, NULL);
    ualarm(50000, 0);
    SHOW(write(p[1], buf, 200000)); /* what had been written */
    ualarm(50000, 0);
    SHOW(write(p[1], buf, 1));
}

CASE(vectors_through_a_pipe)
{
    struct iovec v[3] = { { (char *)"ab", 2 }, { (char *)"", 0 }, { (char *)"cdef", 4 } };
    char x[3], y[10];
    struct iovec in[2] = { { x, 3 }, { y, 10 } };

    pipe(p);
    SHOW(writev(p[1], v, 3));
    SHOW(readv(p[0], in, 2));
    printf("%.3s %.3s\n", x, y);
}

CASE(many_pipes_at_once)
{
    struct pollfd fds[50];
    int all[50][2], ready = 0;

    for (int i = 0; i < 50; i++) {
        pipe(all[i]);
        fds[i] = (struct pollfd){ all[i][0], POLLIN, 0 };
        if (i % 3 == 0)
            write(all[i][1], "x", 1);
    }
    SHOW(poll(fds, 50, 1000));
    for (int i = 0; i < 50; i++)
        ready += fds[i].revents == POLLIN;
    SHOW(ready);
}

CASE(odd_poll_entries)
{
    pipe(p);
    write(p[1], "x", 1);
    struct pollfd fds[6] = { { p[0], POLLIN, 9 }, { -1, POLLIN, 9 },   { p[0], 0, 9 },
                             { 500, POLLIN, 9 },  { p[0], POLLIN, 9 }, { -77, POLLOUT, 9 } };
    SHOW(poll(fds, 6, 0));
    for (int i = 0; i < 6; i++)
        printf("%x ", fds[i].revents);
    say("");
}

CASE(files_are_always_ready)
{
    int file = open("f", O_RDWR | O_CREAT, 0600), dir = open(".", O_RDONLY), null = open("/dev/null", O_RDWR);
    struct pollfd fds[3] = { { file, POLLIN | POLLOUT | POLLPRI, 0 },
                             { dir, POLLIN, 0 },
                             { null, POLLIN | POLLOUT, 0 } };

    SHOW(poll(fds, 3, 0));
    for (int i = 0; i < 3; i++)
        printf("%x ", fds[i].revents);
    say("");
}

CASE(poll_waits_no_longer_than_told)
{
    struct timespec begin, end;

    pipe(p);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    SHOW(poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 60));
    clock_gettime(CLOCK_MONOTONIC, &end);
    long ms = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    SHOW(ms >= 59);
    SHOW(poll(NULL, 0, 0));
    SHOW(poll(NULL, 0, 5));
}

CASE(poll_wakes_at_the_end)
{
    pipe(p);
    if (!fork()) {
        close(p[0]);
        nap(40);
        _exit(0);
    }
    close(p[1]);
    struct pollfd fd = { p[0], POLLIN, 0 };
    SHOW(poll(&fd, 1, 5000));
    SHOW(fd.revents);
}

static volatile int handled;

static void count(int signo)
{
    handled += signo == SIGUSR1;
}

/* A signal that came before is let in only while ppoll waits. */
CASE(ppoll_lets_a_signal_in)
{
    struct sigaction act = { .sa_handler = count };
    sigset_t block, none;

    pipe(p);
    sigaction(SIGUSR1, &act, NULL);
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    SHOW(handled);
    SHOW(ppoll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, &(struct timespec){ 5, 0 }, &none));
    SHOW(handled);
    raise(SIGUSR1);
    SHOW(handled);
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    SHOW(sigismember(&now, SIGUSR1));
}

CASE(ppoll_with_something_ready)
{
    struct sigaction act = { .sa_handler = count };
    sigset_t none;

    pipe(p);
    write(p[1], "x", 1);
    sigaction(SIGUSR1, &act, NULL);
    sigemptyset(&none);
    SHOW(ppoll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, &(struct timespec){ 5, 0 }, &none));
}

CASE(select_tells_the_time_left)
{
    struct timeval tv = { 5, 0 };
    fd_set set;

    pipe(p);
    write(p[1], "x", 1);
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    SHOW(select(p[0] + 1, &set, NULL, NULL, &tv));
    SHOW(tv.tv_sec >= 4);
    read(p[0], buf, 1);
    tv = (struct timeval){ 0, 20000 };
    SHOW(select(p[0] + 1, &set, NULL, NULL, &tv));
    SHOW(tv.tv_sec + tv.tv_usec);
    SHOW(!!FD_ISSET(p[0], &set));
}

CASE(select_on_all_three_sets)
{
    fd_set r, w, e;
    struct timeval tv = { 0, 0 };

    pipe(p);
    write(p[1], "x", 1);
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    FD_SET(p[0], &e);
    FD_SET(p[1], &r);
    SHOW(select(p[1] + 1, &r, &w, &e, &tv));
    printf("%d%d%d%d\n", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &r), !!FD_ISSET(p[1], &w),
           !!FD_ISSET(p[0], &e));
    SHOW(select(0, NULL, NULL, NULL, &tv));
    close(p[0]);
    FD_SET(p[0], &r);
    SHOW(select(p[1] + 1, &r, NULL, NULL, &tv));
}

CASE(pselect_lets_a_signal_in)
{
    struct sigaction act = { .sa_handler = count };
    sigset_t block, none;

    sigaction(SIGUSR1, &act, NULL);
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    SHOW(pselect(0, NULL, NULL, NULL, &(struct timespec){ 5, 0 }, &none));
    SHOW(handled);
    SHOW(pselect(0, NULL, NULL, NULL, &(struct timespec){ 0, 1000000 }, &none));
}
