/* kern/fs/epoll_items.c - what is in a set, by descriptor; and files that are closed while they are in one.
 */
#include "kern/fs/epoll_set.h"
#include "kern/mm/mm.h"

enum { FIRST_BUCKETS = 8 }; /* a power of two */
enum { MEMORY_SHARE = 25 }; /* items get one part in that many of memory, as Linux (4 %) */

struct spinlock epoll_files_lock = SPINLOCK_INIT("epoll files", RANK_EPOLL_FILES);
static uint64_t n_items; /* atomic; in all sets */

/* ---- items; set->mutex held ---- */

static struct list_head *bucket_of(struct epoll *set, int fd)
{
    return &set->buckets[(unsigned)fd & (set->n_buckets - 1)];
}

struct epoll_item *epoll_item_find(struct epoll *set, const struct file *f, int fd)
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

int epoll_item_add(struct epoll *set, struct file *f, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = item_alloc();
    uint64_t flags;

    if (!item)
        return -ENOSPC;
    make_room(set);
    waiter_init(&item->waiter);
    item->waiter.wake = epoll_item_wake;
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
    flags = spin_lock(&epoll_files_lock);
    f->in_epoll = true;
    list_add_tail(&item->by_file, &f->epoll_items);
    spin_unlock(&epoll_files_lock, flags);
    if (item->wq)
        waitq_add(item->wq, &item->waiter);
    epoll_item_offer(item);
    return 0;
}

void epoll_item_change(struct epoll_item *item, const struct epoll_event *event)
{
    uint64_t flags = spin_lock(&item->set->lock);

    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    spin_unlock(&item->set->lock, flags);
    epoll_item_offer(item);
}

/* See the top of epoll.c for the order. */
void epoll_item_remove(struct epoll_item *item)
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
    flags = spin_lock(&epoll_files_lock);
    list_del(&item->by_file);
    spin_unlock(&epoll_files_lock, flags);
    item_free(item);
}

int epoll_items_init(struct epoll *set)
{
    set->n_buckets = FIRST_BUCKETS;
    set->buckets = buckets_alloc(FIRST_BUCKETS);
    return set->buckets ? 0 : -ENOMEM;
}

/* ---- files that are closed ---- */

/* A set that f is in, with a reference; NULL: none is left. */
static struct epoll *set_of_file(struct file *f)
{
    uint64_t flags = spin_lock(&epoll_files_lock);
    struct epoll_item *item = list_first_entry(&f->epoll_items, struct epoll_item, by_file);
    struct epoll *set = item ? item->set : NULL;

    if (set)
        refcount_get(&set->refs); /* its file's release has yet to remove item */
    spin_unlock(&epoll_files_lock, flags);
    return set; /* item may be gone by now */
}

/* An item of f in set; set->mutex held. */
static struct epoll_item *item_of_file(struct file *f, const struct epoll *set)
{
    struct epoll_item *item, *found = NULL;
    uint64_t flags = spin_lock(&epoll_files_lock);

    list_for_each_entry (item, &f->epoll_items, by_file)
        if (item->set == set)
            found = item;
    spin_unlock(&epoll_files_lock, flags);
    return found;
}

void epoll_forget_file(struct file *f)
{
    struct epoll *set;

    while ((set = set_of_file(f))) {
        struct epoll_item *item;
        mutex_lock(&set->mutex);
        while ((item = item_of_file(f, set)))
            epoll_item_remove(item);
        mutex_unlock(&set->mutex);
        epoll_set_put(set);
    }
}
