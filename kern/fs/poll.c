/* kern/fs/poll.c - waiting for one of many files.
 *
 * The first look is made without waiters, as a busy program finds something ready then, or only asks. Before
 * a look behind which it sleeps a waiter hangs on every file's queue, so that no change in between is lost;
 * any of them sets one flag that ends the sleep. */
#include "kern/fs/poll.h"
#include "lib/abi/fcntl.h"

struct poll_wait {
    bool woken;
};

static int events_of(const struct poll_entry *e)
{
    return e->events | POLLERR | POLLHUP | POLLNVAL;
}

static bool poll_wake(struct waiter *w, int events, struct wake_later **later)
{
    struct poll_entry *e = container_of(w, struct poll_entry, waiter);

    (void)later;
    if (!(events & events_of(e)))
        return false;
    WRITE_ONCE(e->wait->woken, true);
    thread_wake(w->thread);
    return true;
}

/* Hang on e's queue. False: it has none that could wake anybody. */
static bool hang_on(struct poll_entry *e, struct poll_wait *wait)
{
    struct waitq *wq = e->file->ops->waitq ? e->file->ops->waitq(e->file) : NULL;

    if (!wq)
        return false;
    waiter_init(&e->waiter);
    e->waiter.wake = poll_wake;
    e->wait = wait;
    waitq_add(wq, &e->waiter);
    return true;
}

static void hang_on_all(struct poll_entry *entries, size_t n, struct poll_wait *wait)
{
    for (size_t i = 0; i < n; i++)
        entries[i].hangs = entries[i].file && hang_on(&entries[i], wait);
}

static void let_go_all(struct poll_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (entries[i].hangs)
            waitq_remove(entries[i].file->ops->waitq(entries[i].file), &entries[i].waiter);
}

/* Look at every file: how many are ready. */
static int look(struct poll_entry *entries, size_t n)
{
    int ready = 0;

    for (size_t i = 0; i < n; i++) {
        struct poll_entry *e = &entries[i];
        if (e->file)
            e->revents = file_poll(e->file) & events_of(e);
        ready += e->revents != 0;
    }
    return ready;
}

int poll_files(struct poll_entry *entries, size_t n, uint64_t deadline)
{
    struct poll_wait wait = { .woken = false };
    int ready = look(entries, n), err = 0;

    if (ready)
        return ready;
    if (deadline != TIME_NEVER && time_now() >= deadline) /* a question, not a wait */
        return READ_ONCE(current_thread()->signal_pending) ? -EINTR : 0;
    hang_on_all(entries, n, &wait);
    while (!(ready = look(entries, n)) && !err) {
        err = wait_sleep(&wait.woken, deadline);
        WRITE_ONCE(wait.woken, false);
    }
    let_go_all(entries, n);
    return ready ? ready : err == -ETIMEDOUT ? 0 : err;
}
