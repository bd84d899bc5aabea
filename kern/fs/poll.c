/* kern/fs/poll.c - waiting for one of many files.
 *
 * A waiter hangs on every file's queue before the first look, so that no change between the look and the
 * sleep is lost; any of them sets one flag that ends the sleep. */
#include "kern/fs/poll.h"
#include "lib/abi/fcntl.h"

struct poll_wait {
    bool woken;
};

static void poll_wake(struct waiter *w)
{
    struct poll_entry *e = container_of(w, struct poll_entry, waiter);

    WRITE_ONCE(e->wait->woken, true);
    thread_wake(w->thread);
}

static struct waitq *queue_of(const struct poll_entry *e)
{
    return e->file && e->file->ops->waitq ? e->file->ops->waitq(e->file) : NULL;
}

static void hang_on(struct poll_entry *e, struct poll_wait *wait)
{
    struct waitq *wq = queue_of(e);

    waiter_init(&e->waiter);
    e->waiter.wake = poll_wake;
    e->wait = wait;
    if (wq)
        waitq_add(wq, &e->waiter);
}

static void let_go(struct poll_entry *e)
{
    struct waitq *wq = queue_of(e);

    if (wq)
        waitq_remove(wq, &e->waiter);
}

/* Look at every file: how many are ready. */
static int look(struct poll_entry *entries, size_t n)
{
    int ready = 0;

    for (size_t i = 0; i < n; i++) {
        struct poll_entry *e = &entries[i];
        if (e->file)
            e->revents = file_poll(e->file) & (e->events | POLLERR | POLLHUP | POLLNVAL);
        ready += e->revents != 0;
    }
    return ready;
}

int poll_files(struct poll_entry *entries, size_t n, uint64_t deadline)
{
    struct poll_wait wait = { .woken = false };
    int ready, err = 0;

    for (size_t i = 0; i < n; i++)
        hang_on(&entries[i], &wait);
    while (!(ready = look(entries, n)) && !err) {
        err = wait_sleep(&wait.woken, deadline);
        WRITE_ONCE(wait.woken, false);
    }
    for (size_t i = 0; i < n; i++)
        let_go(&entries[i]);
    return ready ? ready : err == -ETIMEDOUT ? 0 : err;
}
