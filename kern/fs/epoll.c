/* kern/fs/epoll.c - epoll: sets of files whose readiness is remembered between waits.
 *
 * An item (file, descriptor) of a set hangs on the file's wait queue for as long as it is in the set. A wake
 * of that queue puts it on the set's list of ready items; a wait takes items off that list, asks each file
 * whether it is ready indeed, and puts level-triggered ones back. So a wait costs what is ready, whatever the
 * set holds.
 *
 * Who may touch what:
 *   - set->mutex is held by whoever adds, changes, removes or reports items. Files are asked and events
 *     are copied to the user under it. A set within a set is asked with the outer mutex held; the sets form
 * no circle, so nobody waits for himself. It is never taken in a wake.
 *   - set->lock guards the list of ready items and the sleepers. It is taken inside the guard of the wait
 *     queue that wakes. An item is on the ready list, on the list of a scan under way, or on none; which of
 *     them only changes under the lock, so a wake always knows whether the item is still to be asked.
 *   - files_lock guards the lists of the items of each file.
 *
 * An item holds no reference to its file: a set keeps no file open. file_put() of the last reference calls
 * epoll_forget_file() before anything of the file is taken down, and that waits, by set->mutex, until each
 * item is gone. So whoever holds the mutex and finds an item may use its file. Removal is in this order: off
 * the file's queue (its guard waits for a wake under way), off the ready list, off the file's list; behind
 * that the file may be freed, and the item is freed by the same thread.
 *
 * A set is counted: its file, each wake of its pollers that is still to be made, and each closer of a file on
 * the way to its mutex hold a reference. Its own pollers (poll, or an outer set) are woken behind the guard
 * of the queue that woke it, through struct wake_later, since a guard is never taken inside another. */
#include "kern/fs/epoll.h"
#include "kern/mm/mm.h"
#include "kern/sched/wait.h"
#include "lib/abi/fcntl.h"
#include "lib/refcount.h"

enum { NESTS_MAX = 4 };     /* sets within sets; as Linux */
enum { FIRST_BUCKETS = 8 }; /* a power of two */
enum { MEMORY_SHARE = 25 }; /* items get one part in that many of memory, as Linux (4 %) */
/* Bits that are no events: what is left of an item that a one-shot disabled. */
#define PRIVATE_BITS ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE))
/* What may stand beside EPOLLEXCLUSIVE. */
#define EXCLUSIVE_BITS                                                                                       \
    ((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE))

struct epoll {
    struct refcount refs;
    struct file *file;    /* the set's own; valid while it is in use */
    struct waitq pollers; /* poll on the set, and outer sets */

    struct mutex mutex;
    struct list_head *buckets; /* items by descriptor */
    unsigned n_buckets, n_items;

    struct spinlock lock; /* rank EPOLL; guards what follows */
    struct list_head ready;
    struct list_head sleepers; /* struct sleeper, the last to come first, as Linux */
    bool scanning;             /* more may be ready than the list says */
    bool wake_queued;
    struct wake_later wake_pollers;

    /* nest_mutex: what the check that is under way has found */
    uint64_t height_check, depth_check;
    unsigned height, depth; /* sets below it, above it */
};

struct epoll_item {
    struct waiter waiter; /* on wq */
    struct waitq *wq;     /* the file's; NULL: nothing ever wakes it */
    struct epoll *set;
    struct file *file;
    int fd;
    struct list_head bucket;  /* set->mutex */
    uint64_t data;            /* set->mutex */
    uint32_t events;          /* written with set->mutex and set->lock */
    struct list_head ready;   /* set->lock; in set->ready or in a scan's list */
    struct list_head by_file; /* files_lock */
};

/* A thread in epoll_wait; on its stack. */
struct sleeper {
    struct list_head link; /* set->lock */
    struct thread *thread;
    bool woken;
};

static struct spinlock files_lock = SPINLOCK_INIT("epoll files", RANK_EPOLL_FILES);
static struct mutex nest_mutex = MUTEX_INIT(
    nest_mutex, "epoll nesting"); /* one set at a time becomes part of another; taken before any set->mutex */
static uint64_t nest_check;       /* nest_mutex */
static uint64_t n_items;          /* atomic; in all sets */

static const struct file_ops epoll_ops;

bool file_is_epoll(const struct file *f)
{
    return f->ops == &epoll_ops;
}

static void set_put(struct epoll *set)
{
    if (!refcount_put(&set->refs))
        return;
    kfree(set->buckets);
    kfree(set);
}

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
    set_put(set);
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
static bool item_wake(struct waiter *w, int events, struct wake_later **later)
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

/* An item that is new or changed: if it is ready now, nothing else may say so. */
static void offer(struct epoll_item *item)
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

/* ---- items; set->mutex held ---- */

static struct list_head *bucket_of(struct epoll *set, int fd)
{
    return &set->buckets[(unsigned)fd & (set->n_buckets - 1)];
}

static struct epoll_item *find_item(struct epoll *set, const struct file *f, int fd)
{
    struct epoll_item *item;

    list_for_each_entry (item, bucket_of(set, fd), bucket)
        if (item->file == f && item->fd == fd)
            return item;
    return NULL;
}

static struct list_head *buckets_alloc(unsigned n)
{
    struct list_head *buckets = kmalloc(n * sizeof *buckets);

    for (unsigned i = 0; buckets && i < n; i++)
        list_init(&buckets[i]);
    return buckets;
}

/* As many buckets as items, so that each holds about one: descriptors are small and dense. Without memory for
 * that it is slower, not broken. */
static void make_room(struct epoll *set)
{
    unsigned n = set->n_buckets * 2, old_n = set->n_buckets;
    struct list_head *old = set->buckets, *wider;
    struct epoll_item *item, *next;

    if (set->n_items < set->n_buckets || !(wider = buckets_alloc(n)))
        return;
    set->buckets = wider;
    set->n_buckets = n;
    for (unsigned i = 0; i < old_n; i++) {
        list_for_each_entry_safe (item, next, &old[i], bucket) {
            list_del(&item->bucket);
            list_add_tail(&item->bucket, bucket_of(set, item->fd));
        }
    }
    kfree(old);
}

static struct epoll_item *item_alloc(void)
{
    struct epoll_item *item;
    struct mm_stats mm;

    mm_get_stats(&mm);
    if (__atomic_add_fetch(&n_items, 1, __ATOMIC_RELAXED) * sizeof *item >
        mm.total / MEMORY_SHARE * PAGE_SIZE) {
        __atomic_sub_fetch(&n_items, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    item = kzalloc(sizeof *item);
    if (!item)
        __atomic_sub_fetch(&n_items, 1, __ATOMIC_RELAXED);
    return item;
}

static void item_free(struct epoll_item *item)
{
    __atomic_sub_fetch(&n_items, 1, __ATOMIC_RELAXED);
    kfree(item);
}

static int add_item(struct epoll *set, struct file *f, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = item_alloc();
    uint64_t flags;

    if (!item)
        return -ENOSPC;
    make_room(set);
    waiter_init(&item->waiter);
    item->waiter.wake = item_wake;
    item->waiter.exclusive = event->events & EPOLLEXCLUSIVE;
    item->wq = f->ops->waitq ? f->ops->waitq(f) : NULL;
    item->set = set;
    item->file = f;
    item->fd = fd;
    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    list_init(&item->ready);
    list_add_tail(&item->bucket, bucket_of(set, fd));
    set->n_items++;
    flags = spin_lock(&files_lock);
    f->in_epoll = true;
    list_add_tail(&item->by_file, &f->epoll_items);
    spin_unlock(&files_lock, flags);
    if (item->wq)
        waitq_add(item->wq, &item->waiter);
    offer(item);
    return 0;
}

static void change_item(struct epoll_item *item, const struct epoll_event *event)
{
    uint64_t flags = spin_lock(&item->set->lock);

    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    spin_unlock(&item->set->lock, flags);
    offer(item);
}

/* See the top of the file for the order. */
static void remove_item(struct epoll_item *item)
{
    struct epoll *set = item->set;
    uint64_t flags;

    if (item->wq)
        waitq_remove(item->wq, &item->waiter);
    flags = spin_lock(&set->lock);
    list_del(&item->ready);
    spin_unlock(&set->lock, flags);
    list_del(&item->bucket);
    set->n_items--;
    flags = spin_lock(&files_lock);
    list_del(&item->by_file);
    spin_unlock(&files_lock, flags);
    item_free(item);
}

/* ---- sets within sets; nest_mutex held ---- */

/* The longest chain of sets within set; more than NESTS_MAX if outer is one of them. */
static unsigned height_of(struct epoll *set, const struct epoll *outer)
{
    struct epoll_item *item;
    unsigned height = 0;

    if (set == outer)
        return NESTS_MAX + 1;
    if (set->height_check == nest_check)
        return set->height;
    mutex_lock(&set->mutex);
    for (unsigned i = 0; i < set->n_buckets; i++)
        list_for_each_entry (item, &set->buckets[i], bucket)
            if (file_is_epoll(item->file))
                height = MAX(height, 1 + height_of(item->file->private, outer));
    mutex_unlock(&set->mutex);
    set->height_check = nest_check;
    return set->height = height;
}

/* The longest chain of sets that set is in. files_lock held. */
static unsigned depth_of(struct epoll *set)
{
    struct epoll_item *item;
    unsigned depth = 0;

    if (set->depth_check == nest_check)
        return set->depth;
    list_for_each_entry (item, &set->file->epoll_items, by_file)
        depth = MAX(depth, 1 + depth_of(item->set));
    set->depth_check = nest_check;
    return set->depth = depth;
}

/* May inner become part of set? */
static int check_nesting(struct epoll *set, struct epoll *inner)
{
    unsigned height, depth;
    uint64_t flags;

    nest_check++;
    height = height_of(inner, set);
    flags = spin_lock(&files_lock);
    depth = depth_of(set);
    spin_unlock(&files_lock, flags);
    return height + 1 + depth > NESTS_MAX ? -ELOOP : 0;
}

/* ---- epoll_ctl ---- */

/* set->mutex held. */
static int control_locked(struct epoll *set, int op, struct file *f, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = find_item(set, f, fd);

    switch (op) {
    case EPOLL_CTL_ADD:
        return item ? -EEXIST : add_item(set, f, fd, event);
    case EPOLL_CTL_DEL:
        if (item)
            remove_item(item);
        return item ? 0 : -ENOENT;
    case EPOLL_CTL_MOD:
        if (item && (item->events & EPOLLEXCLUSIVE))
            return -EINVAL;
        if (item)
            change_item(item, event);
        return item ? 0 : -ENOENT;
    default:
        return -EINVAL;
    }
}

static int control(struct epoll *set, int op, struct file *f, int fd, const struct epoll_event *event)
{
    int result;

    mutex_lock(&set->mutex);
    result = control_locked(set, op, f, fd, event);
    mutex_unlock(&set->mutex);
    return result;
}

static int add_set(struct epoll *set, struct file *f, int fd, const struct epoll_event *event)
{
    int result;

    mutex_lock(&nest_mutex);
    result = check_nesting(set, f->private);
    if (!result)
        result = control(set, EPOLL_CTL_ADD, f, fd, event);
    mutex_unlock(&nest_mutex);
    return result;
}

/* epoll_ctl(2) on EPOLLEXCLUSIVE. */
static bool exclusive_is_sound(int op, const struct file *f, uint32_t events)
{
    if (op == EPOLL_CTL_DEL || !(events & EPOLLEXCLUSIVE))
        return true;
    return op == EPOLL_CTL_ADD && !file_is_epoll(f) && !(events & ~EXCLUSIVE_BITS);
}

int epoll_control(struct file *set, int op, struct file *f, int fd, const struct epoll_event *event)
{
    if (!file_can_poll(f))
        return -EPERM;
    if (f == set || !file_is_epoll(set) || !exclusive_is_sound(op, f, event->events))
        return -EINVAL;
    if (op == EPOLL_CTL_ADD && file_is_epoll(f))
        return add_set(set->private, f, fd, event);
    return control(set->private, op, f, fd, event);
}

/* ---- files that are closed ---- */

/* A set that f is in, with a reference; NULL: none is left. */
static struct epoll *set_of_file(struct file *f)
{
    uint64_t flags = spin_lock(&files_lock);
    struct epoll_item *item = list_first_entry(&f->epoll_items, struct epoll_item, by_file);
    struct epoll *set = item ? item->set : NULL;

    if (set)
        refcount_get(&set->refs); /* its file's release has yet to remove item */
    spin_unlock(&files_lock, flags);
    return set; /* item may be gone by now */
}

/* An item of f in set; set->mutex held. */
static struct epoll_item *item_of_file(struct file *f, const struct epoll *set)
{
    struct epoll_item *item, *found = NULL;
    uint64_t flags = spin_lock(&files_lock);

    list_for_each_entry (item, &f->epoll_items, by_file)
        if (item->set == set)
            found = item;
    spin_unlock(&files_lock, flags);
    return found;
}

void epoll_forget_file(struct file *f)
{
    struct epoll *set;

    while ((set = set_of_file(f))) {
        struct epoll_item *item;
        mutex_lock(&set->mutex);
        while ((item = item_of_file(f, set)))
            remove_item(item);
        mutex_unlock(&set->mutex);
        set_put(set);
    }
}

/* ---- the set as a file ---- */

/* Is one item ready indeed? Those that are not leave the list. */
static int epoll_poll(struct file *f)
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

static struct waitq *epoll_waitq(struct file *f)
{
    struct epoll *set = f->private;

    return &set->pollers;
}

static void epoll_release(struct file *f)
{
    struct epoll *set = f->private;
    struct epoll_item *item, *next;

    mutex_lock(&set->mutex);
    for (unsigned i = 0; i < set->n_buckets; i++)
        list_for_each_entry_safe (item, next, &set->buckets[i], bucket)
            remove_item(item);
    mutex_unlock(&set->mutex);
    set_put(set);
}

static const struct file_ops epoll_ops = {
    .ignores_seek = true, .poll = epoll_poll, .waitq = epoll_waitq, .release = epoll_release
};

static struct epoll *set_alloc(void)
{
    struct epoll *set = kzalloc(sizeof *set);

    if (!set)
        return NULL;
    set->n_buckets = FIRST_BUCKETS;
    set->buckets = buckets_alloc(FIRST_BUCKETS);
    if (!set->buckets) {
        kfree(set);
        return NULL;
    }
    refcount_set(&set->refs, 1);
    waitq_init(&set->pollers);
    mutex_init(&set->mutex, "epoll set");
    mutex_may_nest(&set->mutex);
    spin_init(&set->lock, "epoll ready", RANK_EPOLL);
    list_init(&set->ready);
    list_init(&set->sleepers);
    set->wake_pollers.fn = do_wake_pollers;
    return set;
}

struct file *epoll_create(void)
{
    struct epoll *set = set_alloc();
    struct file *f = set ? file_create(&epoll_ops, NULL, O_RDWR) : NULL;

    if (!f) {
        if (set)
            set_put(set);
        return NULL;
    }
    f->private = set;
    set->file = f;
    return f;
}
