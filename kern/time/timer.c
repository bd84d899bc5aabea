/* kern/time/timer.c - timers: a heap for each CPU, run in softirq by the CPU that set them.
 * A timer's base changes only under its base's lock and while it is in no heap, so whoever locked a base and
 * finds it unchanged has the timer. While its callback runs, a timer stays with that base wherever it is set
 * from: so timer_cancel_sync() knows where to look. The clock event is set for the first timer and is not put
 * off when that one is cancelled: an event too many now and then is cheaper than a new one at every change.
 */
#include "kern/debug/ksyms.h"
#include "kern/mm/mm.h"
#include "kern/sched/sched.h"
#include "kern/sched/softirq.h"
#include "kern/time/time.h"
#include "lib/format.h"

struct timer_base {
    struct spinlock lock;
    struct heap heap;      /* TIMER lock */
    struct timer *running; /* TIMER lock; whose callback runs now */
    uint64_t event;        /* its CPU, irqs off: when the clock event comes, TIME_NEVER: it does not */
    struct softirq softirq;
};
static struct timer_base bases[MAX_CPUS];

static struct timer_base *this_base(void)
{
    return this_cpu()->timers;
}

void clock_event_by(uint64_t when)
{
    struct timer_base *b = this_base();
    if (when >= b->event)
        return;
    b->event = when;
    clock_event_set(when);
}

/* ---- the heap; TIMER lock ---- */

static uint64_t first_due(const struct timer_base *b)
{
    const struct heap_node *first = heap_first(&b->heap);
    return first ? first->key : TIME_NEVER;
}

static bool take_out(struct timer_base *b, struct timer *t)
{
    bool queued = heap_queued(&t->node);
    if (queued)
        heap_remove(&b->heap, &t->node);
    return queued;
}

/* The base t hangs on, locked. NULL if it never hung on one. */
static struct timer_base *lock_base(struct timer *t, uint64_t *flags)
{
    for (;;) {
        struct timer_base *b = __atomic_load_n((struct timer_base **)&t->base, __ATOMIC_ACQUIRE);
        if (!b)
            return NULL;
        *flags = spin_lock(&b->lock);
        if (b == t->base)
            return b;
        spin_unlock(&b->lock, *flags);
    }
}

/* ---- port.h ---- */

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){ .fn = fn };
}

/* Bring t out of its heap and, unless its callback runs, to this CPU's base; that base, locked. irqs off. */
static struct timer_base *bring_here(struct timer *t, bool *was_armed)
{
    struct timer_base *here = this_base(), *b;
    void *none = NULL;
    uint64_t flags = 0;
    __atomic_compare_exchange_n(&t->base, &none, here, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    for (;;) {
        b = lock_base(t, &flags);
        *was_armed |= take_out(b, t);
        if (b == here || b->running == t)
            return b;
        __atomic_store_n(&t->base, here, __ATOMIC_RELEASE);
        spin_unlock(&b->lock, flags);
    }
}

bool timer_set(struct timer *t, uint64_t when)
{
    bool was_armed = false;
    uint64_t flags = irq_save();
    struct timer_base *b = bring_here(t, &was_armed);
    heap_insert(&b->heap, &t->node, when);
    spin_unlock(&b->lock, 0);
    if (b == this_base()) /* else its callback runs on b's CPU, which looks at the heap afterwards */
        clock_event_by(when);
    irq_restore(flags);
    preempt_check();
    return was_armed;
}

bool timer_pending(const struct timer *t)
{
    return READ_ONCE(t->node.queued);
}

/* Disarm t; *running: its callback runs now. */
static bool cancel(struct timer *t, bool *running)
{
    uint64_t flags;
    struct timer_base *b = lock_base(t, &flags);
    *running = b && b->running == t;
    if (!b)
        return false;
    bool was_armed = take_out(b, t);
    spin_unlock(&b->lock, flags);
    return was_armed;
}

bool timer_cancel(struct timer *t)
{
    bool running;
    return cancel(t, &running);
}

bool timer_cancel_sync(struct timer *t)
{
    bool running, was_armed = cancel(t, &running);
    while (running) {
        cpu_relax();
        was_armed |= cancel(t, &running);
    }
    return was_armed;
}

/* ---- expiry ---- */

static struct timer *take_expired(struct timer_base *b, uint64_t now)
{
    uint64_t flags = spin_lock(&b->lock);
    struct timer *t = first_due(b) <= now ? container_of(heap_first(&b->heap), struct timer, node) : NULL;
    if (t)
        heap_remove(&b->heap, &t->node);
    b->running = t;
    spin_unlock(&b->lock, flags);
    return t;
}

/* The TIMER softirq. What becomes due meanwhile waits for the next event, so that this ends. */
static void timers_run(struct softirq *s)
{
    struct timer_base *b = container_of(s, struct timer_base, softirq);
    uint64_t now = time_now();
    struct timer *t;
    while ((t = take_expired(b, now)))
        t->fn(t); /* which may free t */
    uint64_t flags = irq_save();
    clock_event_by(timers_next());
    irq_restore(flags);
}

uint64_t timers_next(void)
{
    struct timer_base *b = this_base();
    uint64_t flags = spin_lock(&b->lock), when = first_due(b);
    spin_unlock(&b->lock, flags);
    return when;
}

void timer_interrupt(void)
{
    struct timer_base *b = this_base();
    uint64_t now = time_now(), next = timers_next();
    this_cpu()->ticks++;
    b->event = TIME_NEVER;
    if (next <= now)
        softirq_raise(&b->softirq); /* sets the next event when it has run */
    else
        clock_event_by(next);
    clock_event_by(sched_tick(now));
}

void timers_init_cpu(void)
{
    struct timer_base *b = &bases[cpu_id()];
    *b = (struct timer_base){ .event = TIME_NEVER };
    spin_init(&b->lock, "timers", RANK_TIMER);
    softirq_open(&b->softirq, SOFTIRQ_TIMER, timers_run);
    this_cpu()->timers = b;
}

/* ---- /proc/timers ---- */

enum { SHOWN = 64 };
struct shown {
    uint64_t due;
    void (*fn)(struct timer *t);
};

/* The heap from node on, walked without recursion: down to the children first, which ring later. Up to SHOWN
 * of them. TIMER lock. */
static unsigned collect(const struct heap_node *root, struct shown *list)
{
    const struct heap_node *waiting[SHOWN]; /* whose turn is yet to come */
    unsigned n = 0, n_waiting = 0;
    for (const struct heap_node *node = root; node && n < SHOWN;) {
        list[n++] = (struct shown){ node->key, container_of(node, struct timer, node)->fn };
        if (node->next && n_waiting < SHOWN)
            waiting[n_waiting++] = node->next;
        node = node->child ? node->child : n_waiting ? waiting[--n_waiting] : NULL;
    }
    return n;
}

static void sort_by_time(struct shown *list, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        struct shown s = list[i];
        unsigned at = i;
        for (; at && list[at - 1].due > s.due; at--)
            list[at] = list[at - 1];
        list[at] = s;
    }
}

void timers_show(struct textbuf *out, unsigned cpu)
{
    struct timer_base *b = &bases[cpu];
    struct shown *list = kmalloc(SHOWN * sizeof *list);
    uint64_t now = time_now();
    if (!list)
        return;
    uint64_t flags = spin_lock(&b->lock);
    unsigned n = collect(heap_first(&b->heap), list);
    spin_unlock(&b->lock, flags);
    sort_by_time(list, n);
    textbuf_printf(out, "\ncpu: %u\n active timers:\n", cpu);
    for (unsigned i = 0; i < n; i++) {
        char fn[64];
        ksym_format(fn, sizeof fn, (uint64_t)list[i].fn);
        textbuf_printf(out, " #%u: %s\n # expires at %llu nsecs [in %lld nsecs]\n", i, fn,
                       (unsigned long long)list[i].due, (long long)(list[i].due - now));
    }
    kfree(list);
}
