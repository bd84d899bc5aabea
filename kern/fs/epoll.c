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
 *   - epoll_files_lock guards the lists of the items of each file.
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
#include "kern/fs/epoll_set.h"
#include "kern/mm/mm.h"
#include "lib/abi/fcntl.h"

enum { NESTS_MAX = 4 }; /* sets within sets; as Linux */
/* What may stand beside EPOLLEXCLUSIVE. */
#define EXCLUSIVE_BITS                                                                                       \
    ((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE))

static struct mutex nest_mutex = MUTEX_INIT(
    nest_mutex, "epoll nesting"); /* one set at a time becomes part of another; taken before any set->mutex */
static uint64_t nest_check;       /* nest_mutex */

static const struct file_ops epoll_ops;

bool file_is_epoll(const struct file *f)
{
    return f->ops == &epoll_ops;
}

void epoll_set_put(struct epoll *set)
{
    if (!refcount_put(&set->refs))
        return;
    kfree(set->buckets);
    kfree(set);
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

/* The longest chain of sets that set is in. epoll_files_lock held. */
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
    flags = spin_lock(&epoll_files_lock);
    depth = depth_of(set);
    spin_unlock(&epoll_files_lock, flags);
    return height + 1 + depth > NESTS_MAX ? -ELOOP : 0;
}

/* ---- epoll_ctl ---- */

/* set->mutex held. */
static int control_locked(struct epoll *set, int op, struct file *f, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = epoll_item_find(set, f, fd);

    switch (op) {
    case EPOLL_CTL_ADD:
        return item ? -EEXIST : epoll_item_add(set, f, fd, event);
    case EPOLL_CTL_DEL:
        if (item)
            epoll_item_remove(item);
        return item ? 0 : -ENOENT;
    case EPOLL_CTL_MOD:
        if (item && (item->events & EPOLLEXCLUSIVE))
            return -EINVAL;
        if (item)
            epoll_item_change(item, event);
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

/* ---- the set as a file ---- */

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
            epoll_item_remove(item);
    mutex_unlock(&set->mutex);
    epoll_set_put(set);
}

static const struct file_ops epoll_ops = {
    .ignores_seek = true, .poll = epoll_poll, .waitq = epoll_waitq, .release = epoll_release
};

static struct epoll *set_alloc(void)
{
    struct epoll *set = kzalloc(sizeof *set);

    if (!set)
        return NULL;
    if (epoll_items_init(set)) {
        kfree(set);
        return NULL;
    }
    refcount_set(&set->refs, 1);
    mutex_init(&set->mutex, "epoll set");
    mutex_may_nest(&set->mutex);
    epoll_ready_init(set);
    return set;
}

struct file *epoll_create(void)
{
    struct epoll *set = set_alloc();
    struct file *f = set ? file_create(&epoll_ops, NULL, O_RDWR) : NULL;

    if (!f) {
        if (set)
            epoll_set_put(set);
        return NULL;
    }
    f->private = set;
    set->file = f;
    return f;
}
