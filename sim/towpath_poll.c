/* sim/towpath_poll.c - poll(2) of a virtual kernel: the task hangs a waiter on the queue of every socket,
 * looks, and sleeps until one of the queues is woken. The waiters are hung on before the look, so no change
 * is missed. */
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/towpath_calls.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

struct entry {
    struct sim_waiter waiter;
    struct sim_task *task;
    struct tp_file *file; /* NULL: no such descriptor, or none asked for */
    struct pollfd fd;
};

static void entry_woken(struct sim_waiter *w)
{
    struct entry *e = container_of(w, struct entry, waiter);

    task_wake(e->task);
}

/* Hang e, which a wake takes off, on its socket's queue again. */
static void hang(struct entry *e)
{
    if (e->file && list_empty(&e->waiter.link))
        list_add_tail(&e->waiter.link, &sock_waitq(e->file->sk)->waiters);
}

static int look(struct entry *e)
{
    const int always = POLLERR | POLLHUP | POLLNVAL;

    if (e->fd.fd < 0)
        e->fd.revents = 0;
    else if (!e->file)
        e->fd.revents = POLLNVAL;
    else
        e->fd.revents = (short)(sock_poll(e->file->sk) & (e->fd.events | always));
    return e->fd.revents != 0;
}

static int64_t look_at_all(struct entry *entries, uint64_t n)
{
    int64_t ready = 0;

    for (uint64_t i = 0; i < n; i++)
        ready += look(&entries[i]);
    return ready;
}

static int64_t wait_for_any(struct entry *entries, uint64_t n, uint64_t deadline)
{
    int64_t ready;
    int err = 0;

    for (;;) {
        for (uint64_t i = 0; i < n; i++)
            hang(&entries[i]);
        ready = look_at_all(entries, n);
        if (ready || err == -ETIMEDOUT || deadline <= time_now())
            return ready;
        if (err)
            return err;
        err = task_sleep("poll", deadline);
    }
}

static int entries_from_user(struct tp_process *p, struct entry *entries, uintptr_t fds, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct entry *e = &entries[i];
        *e = (struct entry){ .waiter.woken = entry_woken, .task = sim.current };
        list_init(&e->waiter.link);
        if (copy_from_user(&e->fd, fds + i * sizeof e->fd, sizeof e->fd))
            return -EFAULT;
        e->file = e->fd.fd >= 0 ? tp_file_get(p, e->fd.fd) : NULL;
    }
    return 0;
}

static void let_go(struct entry *entries, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (!entries[i].file)
            continue;
        list_del(&entries[i].waiter.link);
        tp_file_put(entries[i].file);
    }
}

static int answers_to_user(const struct entry *entries, uintptr_t fds, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uintptr_t at = fds + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents);
        if (copy_to_user(at, &entries[i].fd.revents, sizeof entries[i].fd.revents))
            return -EFAULT;
    }
    return 0;
}

int64_t tp_poll(struct tp_process *p, uintptr_t fds, uint64_t count, uint64_t timeout)
{
    uint64_t deadline = timeout == TP_NEVER ? TIME_NEVER : time_now() + timeout;
    struct entry *entries;
    int64_t result;

    if (count > TP_DESCRIPTORS_MOST)
        return -EINVAL;
    entries = calloc(count ? count : 1, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    result = entries_from_user(p, entries, fds, count);
    if (!result)
        result = wait_for_any(entries, count, deadline);
    if (result >= 0 && answers_to_user(entries, fds, count))
        result = -EFAULT;
    let_go(entries, count);
    free(entries);
    return result;
}
