/* sim/port_time.c - the clock and the timers of net/port.h. A timer is an entry of the event queue, and every
 * event is a timer: so there is one order of all that happens. */
#include "sim/state.h"

enum { WALL_EPOCH = 1767225600 }; /* 2026-01-01 00:00:00 UTC: the wall clock at time 0 */

uint64_t time_now(void)
{
    return sim.now;
}

uint64_t time_wall(void)
{
    return sec(WALL_EPOCH) + sim.now;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){ .fn = fn };
}

bool timer_set(struct timer *t, uint64_t when)
{
    bool was_armed;

    sim_not_in_irq("timer_set()");
    if (!t->fn)
        panic("timer_set() of a timer without a function");
    was_armed = timer_cancel(t);
    t->base = &sim;
    heap_insert(&sim.events, &t->node, MAX(when, sim.now));
    return was_armed;
}

bool timer_pending(const struct timer *t)
{
    return heap_queued(&t->node);
}

bool timer_cancel(struct timer *t)
{
    sim_not_in_irq("timer_cancel()");
    if (!heap_queued(&t->node))
        return false;
    heap_remove(&sim.events, &t->node);
    return true;
}

bool timer_cancel_sync(struct timer *t)
{
    return timer_cancel(t); /* with one thread no other function runs while we do */
}
