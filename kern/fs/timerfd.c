/* kern/fs/timerfd.c - timerfd: a timer as a file. Reading tells how often it has ticked.
 *
 * The kernel's timer is set for the next tick only, and after that one not again until somebody asks: the
 * ticks that were due meanwhile are counted then. So a timer that nobody reads costs one tick, and wakes a
 * poller once. A tick that is due counts as soon as somebody looks, even before its softirq ran. */
#include "kern/fs/eventfd.h"
#include "kern/mm/mm.h"
#include "lib/abi/fcntl.h"

struct timerfd {
    struct waitq wq;
    int clock;
    struct timer timer;

    struct spinlock lock; /* rank EVENT; guards what follows */
    bool armed;           /* the tick at due is still to come */
    uint64_t due;         /* ns since boot; of the next tick, or of the last one that was counted */
    uint64_t interval;    /* 0: once */
    uint64_t ticks;       /* not read yet */
};

/* ---- lock held ---- */

/* Count the tick if it is due. False: it is not. */
static bool tick(struct timerfd *t)
{
    if (!t->armed || time_now() < t->due)
        return false;
    t->armed = false;
    t->ticks++;
    return true;
}

/* Count the ticks that were due since, and go on to the next one. */
static void catch_up(struct timerfd *t)
{
    uint64_t missed;

    tick(t);
    if (t->armed || !t->interval || !t->ticks)
        return;
    missed = (time_now() - t->due) / t->interval;
    t->ticks += missed;
    if (__builtin_add_overflow(t->due, (missed + 1) * t->interval, &t->due))
        return;
    t->armed = true;
    timer_set(&t->timer, t->due);
}

/* ---- the rest ---- */

static void timer_rings(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    uint64_t flags = spin_lock(&t->lock);

    tick(t);
    spin_unlock(&t->lock, flags);
    waitq_wake_events(&t->wq, POLLIN);
}

/* Wait for ticks and take them. 0, -EAGAIN, -EINTR. */
static int take(struct timerfd *t, bool wait, uint64_t *ticks)
{
    uint64_t flags = spin_lock(&t->lock);
    int err = 0;

    tick(t);
    while (!t->ticks && !err) {
        err = wait ? waitq_wait_spin(&t->wq, &t->lock, &flags, TIME_NEVER) : -EAGAIN;
        tick(t);
    }
    if (t->ticks) {
        err = 0;
        catch_up(t);
        *ticks = t->ticks;
        t->ticks = 0;
    }
    spin_unlock(&t->lock, flags);
    return err;
}

static int64_t timerfd_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    uint64_t ticks;
    int err;

    (void)pos;
    if (it->count < sizeof ticks)
        return -EINVAL;
    err = take(f->private, !file_nonblocking(f), &ticks);
    if (!err)
        err = copy_to_iter(&ticks, sizeof ticks, it);
    return err ? err : (int64_t)sizeof ticks;
}

static int timerfd_poll(struct file *f)
{
    struct timerfd *t = f->private;
    uint64_t flags = spin_lock(&t->lock);
    int events;

    tick(t);
    events = t->ticks ? POLLIN : 0;
    spin_unlock(&t->lock, flags);
    return events;
}

static struct waitq *timerfd_waitq(struct file *f)
{
    struct timerfd *t = f->private;

    return &t->wq;
}

static void timerfd_release(struct file *f)
{
    struct timerfd *t = f->private;

    timer_cancel_sync(&t->timer);
    kfree(t);
}

static const struct file_ops timerfd_ops = { .ignores_seek = true,
                                             .read = timerfd_read,
                                             .poll = timerfd_poll,
                                             .waitq = timerfd_waitq,
                                             .release = timerfd_release };

bool file_is_timerfd(const struct file *f)
{
    return f->ops == &timerfd_ops;
}

/* When the clock will read ns, in ns since boot. */
static uint64_t due_at(int clock, uint64_t ns)
{
    uint64_t now = time_now(), reading = clock == CLOCK_REALTIME ? time_wall() : now, when;

    if (ns <= reading)
        return now - MIN(now, reading - ns);
    return __builtin_add_overflow(now, ns - reading, &when) ? TIME_NEVER : when;
}

void timerfd_set(struct file *f, bool absolute, uint64_t ns, uint64_t interval)
{
    struct timerfd *t = f->private;
    uint64_t due = absolute ? due_at(t->clock, ns) : due_at(CLOCK_MONOTONIC, time_now() + ns);
    uint64_t flags = spin_lock(&t->lock);

    t->armed = ns;
    t->due = due;
    t->interval = interval;
    t->ticks = 0;
    if (t->armed)
        timer_set(&t->timer, due);
    else
        timer_cancel(&t->timer); /* one that rings now finds nothing armed */
    spin_unlock(&t->lock, flags);
}

void timerfd_get(struct file *f, uint64_t *left, uint64_t *interval)
{
    struct timerfd *t = f->private;
    uint64_t flags = spin_lock(&t->lock), now;

    catch_up(t);
    now = time_now();
    *left = !t->armed ? 0 : t->due > now ? t->due - now : 1;
    *interval = t->interval;
    spin_unlock(&t->lock, flags);
}

struct file *timerfd_create(int clock, uint32_t flags)
{
    struct timerfd *t = kzalloc(sizeof *t);
    struct file *f = t ? file_create(&timerfd_ops, NULL, O_RDWR | flags) : NULL;

    if (!f) {
        kfree(t);
        return NULL;
    }
    waitq_init(&t->wq);
    spin_init(&t->lock, "timerfd", RANK_EVENT);
    timer_init(&t->timer, timer_rings);
    t->clock = clock;
    f->private = t;
    return f;
}
