/* user/tests/epollrace.c - epoll under races: many threads wait on, change, close and wake the same sets.
 * What is printed does not depend on who wins. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

enum { THREADS = 6 };

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static int control(int ep, int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = { .events = events, .data.u64 = data };

    return epoll_ctl(ep, op, fd, &e);
}

static void run(void *(*fn)(void *), int n)
{
    pthread_t t[THREADS];

    for (intptr_t i = 0; i < n; i++)
        pthread_create(&t[i], NULL, fn, (void *)i);
    for (int i = 0; i < n; i++)
        pthread_join(t[i], NULL);
}

/* ---- no token is lost or taken twice: one-shot, level and edge, through a set within a set ---- */

enum { PIPES = 8, TOKENS = 3000 };
static int inner, outer, pipes[PIPES][2];
static uint32_t mode;
static uint64_t sum, count;

static void take(int i)
{
    uint32_t token[16];
    ssize_t n;

    while ((n = read(pipes[i][0], token, sizeof token)) > 0) {
        for (ssize_t k = 0; k < n / 4; k++)
            __atomic_fetch_add(&sum, token[k], __ATOMIC_RELAXED);
        __atomic_fetch_add(&count, (uint64_t)n / 4, __ATOMIC_RELAXED);
    }
    if (mode & EPOLLONESHOT)
        control(inner, EPOLL_CTL_MOD, pipes[i][0], EPOLLIN | mode, (uint64_t)i);
}

/* Odd ones wait for the outer set first. */
static void *consume(void *arg)
{
    struct epoll_event e[4];
    intptr_t self = (intptr_t)arg;

    while (__atomic_load_n(&count, __ATOMIC_RELAXED) < PIPES * TOKENS) {
        if (self % 2 && epoll_wait(outer, e, 1, 100) <= 0)
            continue;
        int n = epoll_wait(inner, e, self % 2 ? 1 : 4, self % 2 ? 0 : 100);
        for (int i = 0; i < n; i++)
            take((int)e[i].data.u64);
    }
    return NULL;
}

static void *produce(void *arg)
{
    uint32_t state = 1;

    (void)arg;
    for (uint32_t i = 0; i < PIPES * TOKENS; i++) {
        uint32_t token = i, burst = next(&state) % 64;
        while (write(pipes[i % PIPES][1], &token, sizeof token) < 0)
            sched_yield();
        if (!burst)
            sched_yield();
    }
    return NULL;
}

static void *produce_or_consume(void *arg)
{
    return arg ? consume(arg) : produce(arg);
}

static void tokens(const char *what, uint32_t how)
{
    uint64_t n = PIPES * TOKENS;

    mode = how;
    sum = count = 0;
    inner = epoll_create1(0);
    outer = epoll_create1(0);
    control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 0);
    for (int i = 0; i < PIPES; i++) {
        pipe2(pipes[i], O_NONBLOCK);
        control(inner, EPOLL_CTL_ADD, pipes[i][0], EPOLLIN | how, (uint64_t)i);
    }
    run(produce_or_consume, 5);
    printf("%s: %llu tokens, none lost: %d\n", what, (unsigned long long)count, sum == n * (n - 1) / 2);
    for (int i = 0; i < PIPES; i++)
        close(pipes[i][0]), close(pipes[i][1]);
    close(inner);
    close(outer);
}

/* ---- a set waited for while its files are closed and others come ---- */

static int busy_set, round_fd;

static void *wait_rounds(void *arg)
{
    struct epoll_event e;

    (void)arg;
    for (int i = 0; i < 300; i++) {
        if (epoll_wait(busy_set, &e, 1, 20000) != 1 || e.data.u64 != (uint64_t)i)
            printf("round %d: no event, or another's\n", i);
        eventfd_t n;
        eventfd_read(round_fd, &n); /* tells close_rounds */
    }
    return NULL;
}

static void *close_rounds(void *arg)
{
    (void)arg;
    for (int i = 0; i < 300; i++) {
        int fd = eventfd(0, EFD_NONBLOCK), gone = eventfd(0, 0);
        control(busy_set, EPOLL_CTL_ADD, gone, EPOLLIN, 99999);
        control(busy_set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, (uint64_t)i);
        close(gone);
        eventfd_write(fd, 1);
        eventfd_write(round_fd, 1);
        struct pollfd p = { .fd = round_fd, .events = POLLIN };
        while (poll(&p, 1, 0) == 1)
            sched_yield();
        close(fd);
    }
    return NULL;
}

static void *close_or_wait(void *arg)
{
    return arg ? close_rounds(arg) : wait_rounds(arg);
}

/* ---- everything at once ---- */

enum { SLOTS = 24, STEPS = 4000 };
static int slots[SLOTS];

static int open_something(uint32_t *state)
{
    struct itimerspec t = { { 0, 1000000 }, { 0, 1000000 } };
    int p[2] = { -1, -1 }, fd = -1, keep;

    switch (next(state) % 4) {
    case 0:
        return eventfd(1, EFD_NONBLOCK);
    case 1:
        pipe2(p, O_NONBLOCK);
        keep = (int)(next(state) % 2);
        close(p[!keep]);
        return p[keep];
    case 2:
        fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        timerfd_settime(fd, 0, &t, NULL);
        return fd;
    default:
        return epoll_create1(0);
    }
}

static void *churn(void *arg)
{
    uint32_t state = (uint32_t)(intptr_t)arg * 77 + 5;
    struct epoll_event e[4];

    for (int i = 0; i < STEPS; i++) {
        int *slot = &slots[next(&state) % SLOTS], fd = __atomic_load_n(slot, __ATOMIC_RELAXED);
        int other = __atomic_load_n(&slots[next(&state) % SLOTS], __ATOMIC_RELAXED);
        uint32_t events = (uint32_t[]){ 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE }[next(&state) % 4];
        uint64_t one = 1;
        switch (next(&state) % 8) {
        case 0:
            fd = __atomic_exchange_n(slot, open_something(&state), __ATOMIC_RELAXED);
            if (fd >= 0)
                close(fd);
            break;
        case 1:
        case 2:
            control(fd, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLOUT | events, 0);
            break;
        case 3:
            control(fd, EPOLL_CTL_MOD, other, EPOLLIN | events, 0);
            break;
        case 4:
            control(fd, EPOLL_CTL_DEL, other, 0, 0);
            break;
        case 5:
            write(fd, &one, sizeof one);
            break;
        case 6:
            read(fd, &one, sizeof one);
            break;
        default:
            epoll_wait(fd, e, 4, (int)(next(&state) % 2));
        }
    }
    return NULL;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    tokens("level", 0);
    tokens("edge", EPOLLET);
    tokens("one-shot", EPOLLONESHOT);
    tokens("one-shot edge", EPOLLONESHOT | EPOLLET);
    busy_set = epoll_create1(0);
    round_fd = eventfd(0, 0);
    run(close_or_wait, 2);
    say("rounds done");
    for (int i = 0; i < SLOTS; i++)
        slots[i] = -1;
    run(churn, THREADS);
    for (int i = 0; i < SLOTS; i++)
        close(slots[i]);
    say("survived");
    return 0;
}
