/* kern/fs/epoll_set.h - what the parts of epoll share; who may touch what is written at the top of epoll.c.
 *
 *     epoll.c        the set as a file, epoll_ctl, sets within sets
 *     epoll_items.c  what is in a set; files that are closed
 *     epoll_ready.c  wakes, and waiting for what is ready */
#pragma once
#include "kern/fs/epoll.h"
#include "kern/sched/wait.h"
#include "lib/refcount.h"

/* Bits that are no events: what is left of an item that a one-shot disabled. */
#define PRIVATE_BITS ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE))

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

extern struct spinlock epoll_files_lock;

/* ---- epoll.c ---- */

void epoll_set_put(struct epoll *set);

/* ---- epoll_items.c; set->mutex held but where it says ---- */

/* The buckets of an empty set: 0 or -ENOMEM. Nobody else knows the set. */
int epoll_items_init(struct epoll *set);
struct epoll_item *epoll_item_find(struct epoll *set, const struct file *f, int fd);
/* 0, -ENOSPC. */
int epoll_item_add(struct epoll *set, struct file *f, int fd, const struct epoll_event *event);
void epoll_item_change(struct epoll_item *item, const struct epoll_event *event);
void epoll_item_remove(struct epoll_item *item);

/* ---- epoll_ready.c ---- */

/* The lists of an empty set. */
void epoll_ready_init(struct epoll *set);
/* The waiter's function of an item: the file's queue was woken for events. */
bool epoll_item_wake(struct waiter *w, int events, struct wake_later **later);
/* An item that is new or changed: if it is ready now, nothing else may say so. set->mutex held. */
void epoll_item_offer(struct epoll_item *item);
/* Is one item ready indeed? Those that are not leave the list. POLL* bits. */
int epoll_poll(struct file *f);
