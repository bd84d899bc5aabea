/* sim/towpath_poll.c - poll(2) and select(2) of a virtual kernel: the task hangs a waiter on the queue of
 * every socket, looks, and sleeps until one of the queues is woken. The waiters are hung on before the look,
 * so no change is missed. */
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/towpath_calls.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

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

static uint64_t deadline_after(uint64_t timeout)
{
    return timeout == TP_NEVER ? TIME_NEVER : time_now() + timeout;
}

int64_t tp_poll(struct tp_process *p, uintptr_t fds, uint64_t count, uint64_t timeout)
{
    uint64_t deadline = deadline_after(timeout);
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

/* ---- select(2) ---- */

enum { SETS = 3, WORD_BITS = 64, SET_WORDS = FD_SETSIZE / WORD_BITS };

/* What poll's events are to the three sets, as in Linux. */
static const short wanted[SETS] = { POLLIN, POLLOUT, POLLPRI },
                   shown[SETS] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };

struct sets {
    uint64_t bits[SETS][SET_WORDS];
};

static size_t set_bytes(int n)
{
    return (size_t)(n + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
}

static bool in_set(const struct sets *s, int set, int fd)
{
    return s->bits[set][fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

static int sets_from_user(struct sets *s, int n, const uintptr_t user[SETS])
{
    memset(s, 0, sizeof *s);
    for (int i = 0; i < SETS; i++)
        if (user[i] && copy_from_user(s->bits[i], user[i], set_bytes(n)))
            return -EFAULT;
    return 0;
}

/* An entry for each descriptor that is in any set: how many. -EBADF: one of them is not open. */
static int entries_of_sets(struct tp_process *p, struct entry *entries, const struct sets *s, int n)
{
    int count = 0;

    for (int fd = 0; fd < n; fd++) {
        short events = 0;
        for (int i = 0; i < SETS; i++)
            events |= (short)(in_set(s, i, fd) ? wanted[i] : 0);
        if (!events)
            continue;
        struct entry *e = &entries[count++];
        *e = (struct entry){ .waiter.woken = entry_woken, .task = sim.current, .fd = { fd, events, 0 } };
        list_init(&e->waiter.link);
        e->file = tp_file_get(p, fd);
        if (!e->file)
            return -EBADF;
    }
    return count;
}

/* The sets that tell what was found: how many bits are set. */
static int64_t sets_of_entries(struct sets *s, const struct entry *entries, int count)
{
    struct sets found = { 0 };
    int64_t bits = 0;

    for (int i = 0; i < count; i++)
        for (int set = 0; set < SETS; set++) {
            int fd = entries[i].fd.fd;
            if (!in_set(s, set, fd) || !(entries[i].fd.revents & shown[set]))
                continue;
            found.bits[set][fd / WORD_BITS] |= UINT64_C(1) << fd % WORD_BITS;
            bits++;
        }
    *s = found;
    return bits;
}

static int sets_to_user(const struct sets *s, int n, const uintptr_t user[SETS])
{
    for (int i = 0; i < SETS; i++)
        if (user[i] && copy_to_user(user[i], s->bits[i], set_bytes(n)))
            return -EFAULT;
    return 0;
}

static int64_t select_in(struct tp_process *p, struct entry *entries, struct sets *s, int n,
                         uint64_t deadline)
{
    int count = entries_of_sets(p, entries, s, n);
    int64_t result = count < 0 ? count : wait_for_any(entries, (uint64_t)count, deadline);

    if (result >= 0)
        result = sets_of_entries(s, entries, count);
    let_go(entries, (uint64_t)n);
    return result;
}

int64_t tp_select(struct tp_process *p, int n, const uintptr_t sets[3], uint64_t timeout)
{
    uint64_t deadline = deadline_after(timeout);
    struct entry *entries;
    struct sets s;
    int64_t result;

    if (n < 0)
        return -EINVAL;
    n = MIN(n, FD_SETSIZE);
    if (sets_from_user(&s, n, sets))
        return -EFAULT;
    entries = calloc(n ? (size_t)n : 1, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    result = select_in(p, entries, &s, n, deadline);
    free(entries);
    if (result >= 0 && sets_to_user(&s, n, sets))
        result = -EFAULT;
    return result;
}

int tp_timeout_from_user(uintptr_t user, uint64_t unit_ns, uint64_t *timeout)
{
    struct timespec ts; /* struct timeval has the same layout */

    *timeout = TP_NEVER;
    if (!user)
        return 0;
    if (copy_from_user(&ts, user, sizeof ts))
        return -EFAULT;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || (uint64_t)ts.tv_nsec >= sec(1) / unit_ns)
        return -EINVAL;
    *timeout = MIN((uint64_t)ts.tv_sec, (uint64_t)INT32_MAX) * sec(1) + (uint64_t)ts.tv_nsec * unit_ns;
    return 0;
}
