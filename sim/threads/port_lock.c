/* sim/threads/port_lock.c - the locks of net/port.h, real ones: softirqs of the CPU stay out while one is
 * held, ranks strictly rise, none is taken in an irq. */
#include "sim/threads/state.h"

void lock_init(struct lock *l, const char *name, enum lock_rank rank)
{
    order_made(l, sizeof *l);
    *l = (struct lock){ .name = name, .rank = rank };
}

static void check_order(const struct process *p, const struct lock *l)
{
    const struct lock *last = p->held_count ? p->held[p->held_count - 1] : NULL;

    not_in_irq("lock_acquire()");
    if (!l->name)
        panic("lock_acquire() of a lock that was never initialised");
    if (lock_held(l))
        panic("lock %s acquired twice", l->name);
    if (last && last->rank >= l->rank)
        panic("lock order: %s (rank %d) while holding %s (rank %d)", l->name, (int)l->rank, last->name,
              (int)last->rank);
    if (p->held_count == HELD_MAX)
        panic("more than %d locks held", HELD_MAX);
}

void lock_acquire(struct lock *l)
{
    struct process *p = self();

    order_used(l);
    check_order(p, l);
    threads_jostle();
    if (!p->held_count)
        bh_off(p);
    order_lock_taking(l);
    quiet_lock(&l->word);
    order_lock_taken(l);
    __atomic_store_n(&l->owner, p, __ATOMIC_RELAXED);
    p->held[p->held_count++] = l;
}

void lock_release(struct lock *l)
{
    struct process *p = self();
    unsigned i = p->held_count;

    while (i > 0 && p->held[i - 1] != l)
        i--;
    if (i == 0)
        panic("lock %s released but not held", l->name ? l->name : "(uninitialised)");
    for (; i < p->held_count; i++)
        p->held[i - 1] = p->held[i];
    p->held_count--;
    __atomic_store_n(&l->owner, NULL, __ATOMIC_RELAXED);
    order_lock_letting_go(l);
    quiet_unlock(&l->word);
    order_lock_let_go(l);
    if (!p->held_count)
        bh_on(p);
    threads_jostle();
}

bool lock_held(const struct lock *l)
{
    return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) == self();
}

void no_locks(const char *what)
{
    const struct process *p = self();

    if (p->held_count)
        panic("lock %s held %s", p->held[p->held_count - 1]->name, what);
}
