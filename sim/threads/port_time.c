/* sim/threads/port_time.c - the clock and the timers of net/port.h: a heap a CPU, as in kern/time/timer.c.
 * Promised order: what came before timer_set() comes before the function; what the function did comes before
 * timer_cancel_sync() returns. */
#include "sim/threads/state.h"
#include <sched.h>

enum { WALL_EPOCH = 1767225600 }; /* 2026-01-01 00:00:00 UTC: the wall clock at time 0 */

uint64_t time_now(void)
{
    return (quiet_clock() - machine.started) * machine.options.speed;
}

uint64_t time_wall(void)
{
    return sec(WALL_EPOCH) + time_now();
}

uint64_t host_time(uint64_t when)
{
    return when == TIME_NEVER ? TIME_NEVER : machine.started + when / machine.options.speed + 1;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    order_made(t, sizeof *t);
    *t = (struct timer){ .fn = fn };
}

static bool take_out(struct cpu *cpu, struct timer *t)
{
    bool queued = heap_queued(&t->node);

    if (queued)
        heap_remove(&cpu->timers, &t->node);
    return queued;
}

/* The CPU that t hangs on, its heap locked; NULL if it never hung on one. */
static struct cpu *lock_base(struct timer *t)
{
    for (;;) {
        struct cpu *base = __atomic_load_n((struct cpu **)&t->base, __ATOMIC_ACQUIRE);
        if (!base)
            return NULL;
        quiet_lock(&base->timers_guard);
        if (base == __atomic_load_n((struct cpu **)&t->base, __ATOMIC_RELAXED))
            return base;
        quiet_unlock(&base->timers_guard);
    }
}

/* Bring t out of its heap and, unless its function runs, to this CPU; its CPU, locked. */
static struct cpu *bring_here(struct timer *t, bool *was_armed)
{
    struct cpu *here = self()->cpu, *base;
    void *none = NULL;

    __atomic_compare_exchange_n(&t->base, &none, here, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    for (;;) {
        base = lock_base(t);
        *was_armed |= take_out(base, t);
        if (base == here || base->running == t)
            return base;
        __atomic_store_n(&t->base, here, __ATOMIC_RELEASE);
        quiet_unlock(&base->timers_guard);
    }
}

bool timer_set(struct timer *t, uint64_t when)
{
    bool was_armed = false;
    struct cpu *base;

    not_in_irq("timer_set()");
    order_used(t);
    if (!t->fn)
        panic("timer_set() of a timer without a function");
    order_release(t);
    base = bring_here(t, &was_armed);
    heap_insert(&base->timers, &t->node, when);
    bool first = heap_first(&base->timers) == &t->node;
    quiet_unlock(&base->timers_guard);
    if (first)
        cpu_kick(base);
    return was_armed;
}

bool timer_pending(const struct timer *t)
{
    order_used(t);
    return READ_ONCE(t->node.queued);
}

/* Disarm t; *running: its function runs now. */
static bool cancel(struct timer *t, bool *running)
{
    struct cpu *base = lock_base(t);
    bool was_armed;

    *running = base && base->running == t;
    if (!base)
        return false;
    was_armed = take_out(base, t);
    quiet_unlock(&base->timers_guard);
    return was_armed;
}

bool timer_cancel(struct timer *t)
{
    bool running;

    not_in_irq("timer_cancel()");
    order_used(t);
    return cancel(t, &running);
}

bool timer_cancel_sync(struct timer *t)
{
    bool running, was_armed;
    struct cpu *base;

    not_in_irq("timer_cancel_sync()");
    order_used(t);
    was_armed = cancel(t, &running);
    while (running) {
        sched_yield();
        was_armed |= cancel(t, &running);
    }
    base = __atomic_load_n((struct cpu **)&t->base, __ATOMIC_ACQUIRE);
    if (base)
        order_acquire(&base->timers_done);
    return was_armed;
}

/* ---- expiry ---- */

bool cpu_timer(struct cpu *cpu)
{
    struct heap_node *first;
    struct timer *t = NULL;

    quiet_lock(&cpu->timers_guard);
    first = heap_first(&cpu->timers);
    if (first && first->key <= time_now()) {
        heap_remove(&cpu->timers, first);
        t = container_of(first, struct timer, node);
    }
    cpu->running = t;
    quiet_unlock(&cpu->timers_guard);
    if (!t)
        return false;
    order_acquire(t);
    threads_jostle();
    t->fn(t); /* which may free t */
    no_locks("at the end of a timer");
    order_release(&cpu->timers_done);
    quiet_lock(&cpu->timers_guard);
    cpu->running = NULL;
    quiet_unlock(&cpu->timers_guard);
    return true;
}

uint64_t cpu_next_timer(struct cpu *cpu)
{
    quiet_lock(&cpu->timers_guard);
    struct heap_node *first = heap_first(&cpu->timers);
    uint64_t when = first ? first->key : TIME_NEVER;
    quiet_unlock(&cpu->timers_guard);
    return host_time(when);
}
