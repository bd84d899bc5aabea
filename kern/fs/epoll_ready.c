/* kern/fs/epoll_ready.c - what is ready in a set: wakes put items on its list, waits take them off and ask.
 */
#include "kern/fs/epoll_set.h"

/* A thread in epoll_wait; on its stack. */
struct sleeper {
    struct list_head link; /* set->lock */
    struct thread *thread;
    bool woken;
};

/* ---- waking; set->lock held ---- */

static bool item_is_ready(const struct epoll_item *item)
{
    return !list_empty(&item->ready);
}

/* True: there was a sleeper. */
static bool wake_sleeper(struct epoll *set)
{
    struct sleeper *s = list_first_entry(&set->sleepers, struct sleeper, link);

    if (!s)
        return false;
    list_del(&s->link);
    WRITE_ONCE(s->woken, true);
    thread_wake(s->thread);
    return true;
}

/* Behind the guard: wake the set's own pollers. One such wake stands for all that happened before it. */
static void do_wake_pollers(struct wake_later *later)
{
    struct epoll *set = container_of(later, struct epoll, wake_pollers);
    uint64_t flags = spin_lock(&set->lock);

    set->wake_queued = false;
    spin_unlock(&set->lock, flags);
    waitq_wake_events(&set->pollers, POLLIN | POLLRDNORM);
    epoll_set_put(set);
}

/* A poller hangs on the queue before it looks at the ready list under the lock, so it is seen here or sees
 * the item. */
static void queue_wake_of_pollers(struct epoll *set, struct wake_later **later)
{
    if (set->wake_queued || READ_ONCE(set->pollers.waiters.next) == &set->pollers.waiters)
        return;
    set->wake_queued = true;
    refcount_get(&set->refs);
    set->wake_pollers.next = *later;
    *later = &set->wake_pollers;
}

/* The file's queue was woken for events. */
bool epoll_item_wake(struct waiter *w, int events, struct wake_later **later)
{
    struct epoll_item *item = container_of(w, struct epoll_item, waiter);
    struct epoll *set = item->set;
    uint64_t flags = spin_lock(&set->lock);
    bool taken = false;

    if ((item->events & ~PRIVATE_BITS) & (uint32_t)events) {
        if (!item_is_ready(item))
            list_add_tail(&item->ready, &set->ready);
        taken = wake_sleeper(set);
        queue_wake_of_pollers(set, later);
    }
    spin_unlock(&set->lock, flags);
    return taken;
}

/* ---- asking files; set->mutex held ---- */

static uint32_t ask(const struct epoll_item *item)
{
    return (uint32_t)file_poll(item->file) & item->events & ~PRIVATE_BITS;
}

void epoll_item_offer(struct epoll_item *item)
{
    struct epoll *set = item->set;
    uint64_t flags;

    if (!ask(item))
        return;
    flags = spin_lock(&set->lock);
    if (!item_is_ready(item))
        list_add_tail(&item->ready, &set->ready);
    wake_sleeper(set);
    spin_unlock(&set->lock, flags);
    waitq_wake_events(&set->pollers, POLLIN | POLLRDNORM);
}

/* Take all that is ready as the list of a scan. What becomes ready meanwhile, and was asked already, comes
 * back on set->ready. */
static void scan_begin(struct epoll *set, struct list_head *scan)
{
    uint64_t flags = spin_lock(&set->lock);

    list_init(scan);
    list_splice_tail(&set->ready, scan);
    set->scanning = true;
    spin_unlock(&set->lock, flags);
}

static struct epoll_item *scan_next(struct epoll *set, struct list_head *scan)
{
    uint64_t flags = spin_lock(&set->lock);
    struct epoll_item *item = list_first_entry(scan, struct epoll_item, ready);

    if (item)
        list_del(&item->ready);
    spin_unlock(&set->lock, flags);
    return item;
}

/* Put item, just asked, on list, unless a wake did. */
static void scan_put_back(struct epoll *set, struct epoll_item *item, struct list_head *list, bool first)
{
    uint64_t flags = spin_lock(&set->lock);

    if (!item_is_ready(item) && first)
        list_add(&item->ready, list);
    else if (!item_is_ready(item))
        list_add_tail(&item->ready, list);
    spin_unlock(&set->lock, flags);
}

/* What was not asked comes first the next time. */
static void scan_end(struct epoll *set, struct list_head *scan)
{
    uint64_t flags = spin_lock(&set->lock);

    list_splice_tail(&set->ready, scan);
    list_splice_tail(scan, &set->ready);
    set->scanning = false;
    if (!list_empty(&set->ready))
        wake_sleeper(set);
    spin_unlock(&set->lock, flags);
}

/* ---- waiting ---- */

static void disable(struct epoll_item *item)
{
    uint64_t flags = spin_lock(&item->set->lock);

    item->events &= PRIVATE_BITS;
    spin_unlock(&item->set->lock, flags);
}

/* Report item, off every list, to the user: 1, 0 if its file is not ready (any more), or -EFAULT. */
static int report(struct epoll_item *item, struct list_head *scan, uintptr_t user)
{
    struct epoll_event event = { .events = ask(item), .data = item->data };

    if (!event.events)
        return 0;
    if (copy_to_user(user, &event, sizeof event)) {
        scan_put_back(item->set, item, scan, true);
        return -EFAULT;
    }
    if (item->events & EPOLLONESHOT)
        disable(item);
    else if (!(item->events & EPOLLET))
        scan_put_back(item->set, item, &item->set->ready, false);
    return 1;
}

static int64_t report_ready(struct epoll *set, uintptr_t user, int max)
{
    struct epoll_item *item;
    struct list_head scan;
    int64_t n = 0;
    int more = 0;

    mutex_lock(&set->mutex);
    scan_begin(set, &scan);
    while (n < max && more >= 0 && (item = scan_next(set, &scan))) {
        more = report(item, &scan, user + (uintptr_t)n * sizeof(struct epoll_event));
        n += more > 0;
    }
    scan_end(set, &scan);
    mutex_unlock(&set->mutex);
    return n ? n : MIN(more, 0);
}

static bool may_be_ready(struct epoll *set)
{
    return !list_empty(&set->ready) || set->scanning;
}

static bool look(struct epoll *set)
{
    uint64_t flags = spin_lock(&set->lock);
    bool ready = may_be_ready(set);

    spin_unlock(&set->lock, flags);
    return ready;
}

/* Sleep until something may be ready: 0, -ETIMEDOUT, -EINTR. Whoever took a wake of this set goes to look,
 * whatever else ended its sleep: nobody else was told. */
static int sleep_for_events(struct epoll *set, uint64_t deadline)
{
    struct sleeper self = { .thread = current_thread() };
    uint64_t flags = spin_lock(&set->lock);
    bool sleep = list_empty(&set->ready);
    int err = 0;

    list_init(&self.link);
    if (sleep)
        list_add(&self.link, &set->sleepers);
    spin_unlock(&set->lock, flags);
    if (!sleep)
        return 0;
    err = wait_sleep(&self.woken, deadline);
    flags = spin_lock(&set->lock);
    list_del(&self.link);
    spin_unlock(&set->lock, flags);
    return self.woken ? 0 : err;
}

int64_t epoll_wait_events(struct file *f, uintptr_t user, int max, uint64_t deadline)
{
    struct epoll *set = f->private;
    int err = 0;

    for (;;) {
        int64_t n = look(set) ? report_ready(set, user, max) : 0;
        if (n)
            return n;
        if (err)
            return err == -ETIMEDOUT ? 0 : err;
        if (deadline != TIME_NEVER && deadline <= time_now())
            return 0;
        err = sleep_for_events(set, deadline);
    }
}

/* ---- a set that is polled itself ---- */

int epoll_poll(struct file *f)
{
    struct epoll *set = f->private;
    struct epoll_item *item;
    struct list_head scan;
    int ready = 0;

    if (!look(set))
        return 0;
    mutex_lock(&set->mutex);
    scan_begin(set, &scan);
    while (!ready && (item = scan_next(set, &scan))) {
        if (!ask(item))
            continue;
        scan_put_back(set, item, &scan, true);
        ready = POLLIN | POLLRDNORM;
    }
    scan_end(set, &scan);
    mutex_unlock(&set->mutex);
    return ready;
}

void epoll_ready_init(struct epoll *set)
{
    waitq_init(&set->pollers);
    spin_init(&set->lock, "epoll ready", RANK_EPOLL);
    list_init(&set->ready);
    list_init(&set->sleepers);
    set->wake_pollers.fn = do_wake_pollers;
}
