/* kern/fs/eventfd.c - eventfd: a counter as a file. Writing adds, reading takes: all of it, or one of a
 * semaphore. A reader waits while it is 0, a writer while the sum would be the largest number. */
#include "kern/fs/eventfd.h"
#include "kern/mm/mm.h"
#include "lib/abi/fcntl.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    struct waitq wq;
    bool semaphore;
    struct spinlock lock; /* rank EVENT; guards count */
    uint64_t count;
};

/* Wait for a count and take from it. 0, -EAGAIN, -EINTR. */
static int take(struct eventfd *e, bool wait, uint64_t *value)
{
    uint64_t flags = spin_lock(&e->lock);
    int err = 0;

    while (!e->count && !err)
        err = wait ? waitq_wait_spin(&e->wq, &e->lock, &flags, TIME_NEVER) : -EAGAIN;
    if (e->count) {
        err = 0;
        *value = e->semaphore ? 1 : e->count;
        e->count -= *value;
    }
    spin_unlock(&e->lock, flags);
    if (!err)
        waitq_wake_events(&e->wq, POLLOUT);
    return err;
}

static int add(struct eventfd *e, bool wait, uint64_t value)
{
    uint64_t flags = spin_lock(&e->lock);
    int err = 0;

    while (value > COUNT_MAX - e->count && !err)
        err = wait ? waitq_wait_spin(&e->wq, &e->lock, &flags, TIME_NEVER) : -EAGAIN;
    if (value <= COUNT_MAX - e->count) {
        err = 0;
        e->count += value;
    }
    spin_unlock(&e->lock, flags);
    if (!err)
        waitq_wake_events(&e->wq, POLLIN);
    return err;
}

static int64_t eventfd_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    uint64_t value;
    int err;

    (void)pos;
    if (it->count < sizeof value)
        return -EINVAL;
    err = take(f->private, !file_nonblocking(f), &value);
    if (!err)
        err = copy_to_iter(&value, sizeof value, it);
    return err ? err : (int64_t)sizeof value;
}

static int64_t eventfd_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    uint64_t value;
    int err;

    (void)pos;
    if (it->count != sizeof value)
        return -EINVAL;
    if (copy_from_iter(&value, sizeof value, it))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    err = add(f->private, !file_nonblocking(f), value);
    return err ? err : (int64_t)sizeof value;
}

static int eventfd_poll(struct file *f)
{
    struct eventfd *e = f->private;
    uint64_t flags = spin_lock(&e->lock), count = e->count;

    spin_unlock(&e->lock, flags);
    return (count ? POLLIN : 0) | (count < COUNT_MAX ? POLLOUT : 0);
}

static struct waitq *eventfd_waitq(struct file *f)
{
    struct eventfd *e = f->private;

    return &e->wq;
}

static void eventfd_release(struct file *f)
{
    kfree(f->private);
}

static const struct file_ops eventfd_ops = { .ignores_seek = true,
                                             .read = eventfd_read,
                                             .write = eventfd_write,
                                             .poll = eventfd_poll,
                                             .waitq = eventfd_waitq,
                                             .release = eventfd_release };

struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags)
{
    struct eventfd *e = kzalloc(sizeof *e);
    struct file *f = e ? file_create(&eventfd_ops, NULL, O_RDWR | flags) : NULL;

    if (!f) {
        kfree(e);
        return NULL;
    }
    waitq_init(&e->wq);
    spin_init(&e->lock, "eventfd", RANK_EVENT);
    e->count = count;
    e->semaphore = semaphore;
    f->private = e;
    return f;
}
