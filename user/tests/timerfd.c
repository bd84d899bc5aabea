/* user/tests/timerfd.c - timerfd: once and again, relative and absolute, three clocks, readiness. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#define MS 1000000l

static struct itimerspec spec(long value_ms, long interval_ms)
{
    return (struct itimerspec){ { interval_ms / 1000, interval_ms % 1000 * MS },
                                { value_ms / 1000, value_ms % 1000 * MS } };
}

static long now_ms(int clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000 + t.tv_nsec / MS;
}

static void sleep_ms(long n)
{
    struct timespec t = { n / 1000, n % 1000 * MS };

    nanosleep(&t, NULL);
}

/* Ticks read: printed when the number is certain. */
static uint64_t ticks(int fd)
{
    uint64_t n = 0;

    return read(fd, &n, sizeof n) == sizeof n ? n : 0;
}

static int polled(int fd, int timeout)
{
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

    return poll(&p, 1, timeout) ? p.revents : 0;
}

static void errors(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), null = open("/dev/null", O_RDONLY);
    struct itimerspec t = spec(10, 0), bad = { { 0, 0 }, { 0, 1000000000 } }, minus = { { -1, 0 }, { 1, 0 } };
    char buf[8];

    SHOW(timerfd_create(99, 0));
    SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 1));
    SHOW(timerfd_settime(fd, 8, &t, NULL));
    SHOW(timerfd_settime(fd, 0, &bad, NULL));
    SHOW(timerfd_settime(fd, 0, &minus, NULL));
    SHOW(timerfd_settime(fd, 0, NULL, NULL));
    SHOW(timerfd_settime(null, 0, &t, NULL));
    SHOW(timerfd_settime(99, 0, &t, NULL));
    SHOW(timerfd_gettime(99, &t));
    SHOW(timerfd_gettime(null, &t));
    SHOW(timerfd_gettime(fd, NULL));
    SHOW(timerfd_settime(fd, 0, &t, (void *)1));
    SHOW(read(fd, buf, 4));
    SHOW(write(fd, buf, 8));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    close(null);
    close(fd);
}

static void once(int clock)
{
    int fd = timerfd_create(clock, TFD_NONBLOCK);
    struct itimerspec t = spec(30, 0), old;
    long start = now_ms(CLOCK_MONOTONIC);

    SHOW(polled(fd, 0));
    SHOW(read(fd, &old, 8));
    SHOW(timerfd_gettime(fd, &old));
    printf("%ld %ld\n", (long)old.it_value.tv_sec, (long)old.it_value.tv_nsec);
    SHOW(timerfd_settime(fd, 0, &t, NULL));
    SHOW(polled(fd, 10000));
    printf("not too early: %d\n", now_ms(CLOCK_MONOTONIC) - start >= 29);
    SHOW(timerfd_gettime(fd, &old));
    printf("nothing left: %d\n", !old.it_value.tv_sec && !old.it_value.tv_nsec);
    SHOW(ticks(fd));
    SHOW(read(fd, &old, 8));
    t = spec(5000, 7000);
    SHOW(timerfd_settime(fd, 0, &t, NULL));
    t = spec(0, 3);
    SHOW(timerfd_settime(fd, 0, &t, &old));
    printf("5 s minus a little: %d, every %ld s\n",
           old.it_value.tv_sec == 4 || (old.it_value.tv_sec == 5 && !old.it_value.tv_nsec),
           (long)old.it_interval.tv_sec);
    SHOW(polled(fd, 20));
    close(fd);
}

static void absolute(int clock)
{
    int fd = timerfd_create(clock, 0);
    long when = now_ms(clock) + 30;
    struct itimerspec t = spec(when, 0), old;

    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
    SHOW(timerfd_gettime(fd, &old));
    printf("30 ms at most: %d\n", !old.it_value.tv_sec && old.it_value.tv_nsec <= 31 * MS);
    SHOW(ticks(fd));
    printf("not too early: %d\n", now_ms(clock) >= when);
    t = spec(1, 0);
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
    SHOW(ticks(fd));
    close(fd);
}

static void again(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec t = spec(10, 10), old;
    long start = now_ms(CLOCK_MONOTONIC);
    uint64_t n, sum = 0;

    SHOW(timerfd_settime(fd, 0, &t, NULL));
    sleep_ms(55);
    n = ticks(fd);
    printf("five or more: %d\n", n >= 5);
    while (sum < 5 && polled(fd, 10000) == POLLIN)
        sum += ticks(fd);
    n += sum;
    printf("as many as there was time for: %d\n", now_ms(CLOCK_MONOTONIC) - start + 1 >= (long)n * 10);
    SHOW(timerfd_gettime(fd, &old));
    printf("every %ld ms, next within: %d\n", old.it_interval.tv_nsec / MS, old.it_value.tv_nsec <= 10 * MS);
    t = spec(0, 0);
    SHOW(timerfd_settime(fd, 0, &t, NULL));
    SHOW(read(fd, &n, 8));
    sleep_ms(25);
    SHOW(polled(fd, 0));
    close(fd);
}

/* A timer that nobody reads wakes an edge-triggered set once. */
static void edges(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ep = epoll_create1(0);
    struct itimerspec t = spec(10, 10);
    struct epoll_event e = { .events = EPOLLIN | EPOLLET };

    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    timerfd_settime(fd, 0, &t, NULL);
    SHOW(epoll_wait(ep, &e, 1, 10000));
    SHOW(epoll_wait(ep, &e, 1, 50));
    printf("ticks: %d\n", ticks(fd) > 0);
    SHOW(epoll_wait(ep, &e, 1, 10000));
    close(fd);
    SHOW(epoll_wait(ep, &e, 1, 30));
    close(ep);
}

int main(void)
{
    errors();
    once(CLOCK_MONOTONIC);
    once(CLOCK_REALTIME);
    once(CLOCK_BOOTTIME);
    absolute(CLOCK_MONOTONIC);
    absolute(CLOCK_REALTIME);
    absolute(CLOCK_BOOTTIME);
    again();
    edges();
    return 0;
}
