/* sim/port_lock.c - the locks of net/port.h. With one thread nobody ever waits for one; so all that is left
 * is to check: no lock twice, ranks strictly rise, none taken in an irq, none held where control passes on.
 */
#include "sim/state.h"

static void *holder(void)
{
    return sim.current ? (void *)sim.current : (void *)&sim;
}

void lock_init(struct lock *l, const char *name, enum lock_rank rank)
{
    *l = (struct lock){ .name = name, .rank = rank };
}

void lock_acquire(struct lock *l)
{
    const struct lock *last = sim.held_count ? sim.held[sim.held_count - 1] : NULL;

    sim_not_in_irq("lock_acquire()");
    if (!l->name)
        panic("lock_acquire() of a lock that was never initialised");
    if (l->owner)
        panic("lock %s acquired twice", l->name);
    if (last && last->rank >= l->rank)
        panic("lock order: %s (rank %d) while holding %s (rank %d)", l->name, (int)l->rank, last->name,
              (int)last->rank);
    if (sim.held_count == SIM_MAX_HELD)
        panic("more than %d locks held", SIM_MAX_HELD);
    l->owner = holder();
    l->word = 1;
    sim.held[sim.held_count++] = l;
}

void lock_release(struct lock *l)
{
    unsigned i = sim.held_count;

    while (i > 0 && sim.held[i - 1] != l)
        i--;
    if (i == 0)
        panic("lock %s released but not held", l->name ? l->name : "(uninitialised)");
    for (; i < sim.held_count; i++)
        sim.held[i - 1] = sim.held[i];
    sim.held_count--;
    l->owner = NULL;
    l->word = 0;
}

bool lock_held(const struct lock *l)
{
    return l->owner == holder();
}

void sim_no_locks(const char *what)
{
    if (sim.held_count)
        panic("lock %s held %s", sim.held[sim.held_count - 1]->name, what);
}
