/* sim/vk/vk_loop.c - the host's descriptors and the host's clock: whoever has something to do is called. */
#include "sim/vk/vk_loop.h"
#include "sim/vk/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

static int epoll_fd = -1;
static uint64_t started; /* the host's clock at the virtual time 0 */

/* What waits for the end of the round to be freed. */
static struct garbage {
    struct garbage *next;
    void *memory;
} * garbage;

static uint64_t host_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void vk_loop_init(void)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        vk_die("epoll: %m");
    started = host_clock();
}

void vk_advance(void)
{
    tp_run_until(host_clock() - started);
}

/* ---- sources ---- */

int source_add(struct source *s)
{
    struct epoll_event e = { .events = s->interest, .data.ptr = s };

    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &e) ? -errno : 0;
}

void source_change(struct source *s, uint32_t interest)
{
    struct epoll_event e = { .events = interest, .data.ptr = s };

    if (s->interest == interest)
        return;
    s->interest = interest;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &e))
        vk_die("epoll_ctl: %m");
}

void source_remove(struct source *s)
{
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
    close(s->fd);
    s->fd = -1; /* an event of this round that is still to be served is let go */
}

void source_free(void *memory)
{
    struct garbage *g = malloc(sizeof *g);

    if (!g)
        vk_die("out of memory");
    *g = (struct garbage){ garbage, memory };
    garbage = g;
}

static void collect_garbage(void)
{
    while (garbage) {
        struct garbage *g = garbage;
        garbage = g->next;
        free(g->memory);
        free(g);
    }
}

/* ---- rounds ---- */

static int wait_for_events(struct epoll_event *events)
{
    uint64_t next = tp_next(), now = host_clock() - started, left = next > now ? next - now : 0;
    struct timespec limit = { .tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u) };
    int n = epoll_pwait2(epoll_fd, events, EVENTS, next == TP_NEVER ? NULL : &limit, NULL);

    if (n < 0 && errno != EINTR)
        vk_die("epoll_pwait2: %m");
    return n < 0 ? 0 : n;
}

static void serve(const struct epoll_event *events, int n, bool first)
{
    for (int i = 0; i < n; i++) {
        struct source *s = events[i].data.ptr;
        if (s->fd >= 0 && s->first == first)
            s->ready(s, events[i].events);
    }
}

void vk_loop_round(void)
{
    struct epoll_event events[EVENTS];
    int n = wait_for_events(events);

    vk_advance();
    serve(events, n, true);
    serve(events, n, false);
    vk_advance();
    vk_clients_settle();
    vk_sockets_settle();
    vk_uplink_flush();
    collect_garbage();
}
