/* kern/sched/workqueue.c - work queues: a list and a thread for each CPU.
 *
 * One lock guards all lists: work is queued seldom beside softirqs, and with one lock a piece of work is at
 * every moment in exactly one list, or running, or neither. What runs is known by its address alone, which is
 * compared and never followed: its function may free it. */
#include "kern/sched/workqueue.h"
#include "kern/debug/witness.h"
#include "kern/sched/sched.h"
#include "kern/sched/sleep.h"
#include "lib/format.h"

static struct spinlock lock = SPINLOCK_INIT("work", RANK_WORK);
static struct worker { /* WORK lock */
    struct list_head list;
    const struct work *running;
    struct thread *thread; /* NULL until it is started */
    uint64_t done;
} workers[MAX_CPUS];
static struct waitq ended; /* somebody's work has ended */

/* The lists, before the first piece of work comes. */
static struct worker *worker_of(unsigned cpu)
{
    struct worker *k = &workers[cpu];
    if (!k->list.next)
        list_init(&k->list);
    return k;
}

void work_init(struct work *w, void (*fn)(struct work *w))
{
    *w = (struct work){ .fn = fn };
    list_init(&w->link);
}

/* ---- WORK lock ---- */

static bool runs_now(const struct work *w, unsigned *cpu)
{
    for_each_cpu (i) {
        if (workers[i].running != w)
            continue;
        *cpu = i;
        return true;
    }
    return false;
}

static struct thread *enlist(struct work *w, unsigned cpu)
{
    struct worker *k;
    runs_now(w, &cpu);
    k = worker_of(cpu);
    w->cpu = cpu;
    w->pending = true;
    list_add_tail(&w->link, &k->list);
    return k->thread;
}

static bool take_back(struct work *w)
{
    bool was_pending = w->pending;
    list_del(&w->link);
    w->pending = false;
    return was_pending;
}

/* ---- queueing ---- */

bool work_queue_on(unsigned cpu, struct work *w)
{
    struct thread *thread = NULL;
    uint64_t flags = spin_lock(&lock);
    bool fresh = !w->pending;
    if (fresh)
        thread = enlist(w, cpu);
    spin_unlock(&lock, flags);
    if (thread)
        thread_wake(thread);
    return fresh;
}

bool work_queue(struct work *w)
{
    return work_queue_on(cpu_id(), w);
}

/* ---- waiting for it ---- */

/* Wait until w does not run, and with queued, is not queued either. The lock is held, and dropped meanwhile.
 */
static void wait_for(struct work *w, bool queued, uint64_t *flags)
{
    unsigned cpu = w->cpu;
    while (runs_now(w, &cpu) || (queued && w->pending)) {
        ASSERT(workers[cpu].thread != current_thread());
        waitq_wait_spin_kind(&ended, &lock, flags, TIME_NEVER, SLEEP_UNINTERRUPTIBLE);
    }
}

void work_flush(struct work *w)
{
    may_sleep();
    uint64_t flags = spin_lock(&lock);
    wait_for(w, true, &flags);
    spin_unlock(&lock, flags);
}

bool work_cancel_sync(struct work *w)
{
    may_sleep();
    uint64_t flags = spin_lock(&lock);
    bool spared = take_back(w);
    wait_for(w, false, &flags);
    spared |= take_back(w); /* it may have queued itself */
    spin_unlock(&lock, flags);
    return spared;
}

/* ---- later ---- */

static void time_has_come(struct timer *t)
{
    work_queue(&container_of(t, struct delayed_work, timer)->work);
}

void delayed_work_init(struct delayed_work *d, void (*fn)(struct work *w))
{
    work_init(&d->work, fn);
    timer_init(&d->timer, time_has_come);
}

bool delayed_work_queue(struct delayed_work *d, uint64_t when)
{
    return timer_set(&d->timer, when);
}

bool delayed_work_cancel_sync(struct delayed_work *d)
{
    bool spared = false;
    do {
        spared |= timer_cancel_sync(&d->timer);
        spared |= work_cancel_sync(&d->work);
    } while (timer_pending(&d->timer)); /* set by its own last run */
    return spared;
}

/* ---- doing it ---- */

/* The next piece of work of this worker, marked as running; NULL: none. */
static struct work *next_work(struct worker *k)
{
    uint64_t flags = spin_lock(&lock);
    struct work *w = list_first_entry(&k->list, struct work, link);
    if (w)
        take_back(w);
    k->running = w;
    spin_unlock(&lock, flags);
    return w;
}

static void worker_main(void *arg)
{
    struct worker *k = arg;
    for (;;) {
        thread_set_sleeping();
        struct work *w = next_work(k);
        if (!w) {
            schedule();
            continue;
        }
        thread_set_runnable();
        w->fn(w); /* which may free w */
        uint64_t flags = spin_lock(&lock);
        k->running = NULL;
        k->done++;
        spin_unlock(&lock, flags);
        waitq_wake(&ended);
    }
}

void workqueue_start(void)
{
    waitq_init(&ended);
    for_each_cpu (i) {
        struct worker *k = worker_of(i);
        char name[16];
        ksnprintf(name, sizeof name, "kworker/%u", i);
        struct thread *t = thread_create(name, worker_main, k);
        if (!t)
            panic("no memory for %s", name);
        thread_set_cpu(t, i);
        uint64_t flags = spin_lock(&lock);
        k->thread = t;
        spin_unlock(&lock, flags);
        thread_start(t);
    }
}

/* ---- everything ---- */

static void nothing(struct work *w)
{
    (void)w;
}

void workqueue_flush(void)
{
    struct work last;
    for_each_cpu (i) {
        work_init(&last, nothing);
        work_queue_on(i, &last);
        work_flush(&last);
    }
}

uint64_t workqueue_done(unsigned cpu)
{
    return READ_ONCE(workers[cpu].done);
}
