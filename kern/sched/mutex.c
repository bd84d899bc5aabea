/* kern/sched/mutex.c - a lock whose holder may sleep. */
#include "kern/debug/witness.h"
#include "kern/sched/sleep.h"

void mutex_init(struct mutex *m, const char *name)
{
    spin_init(&m->guard, name, RANK_MUTEX);
    m->owner = NULL;
    waitq_init(&m->wq);
    if (CONFIG_DEBUG)
        witness_mutex_init(m, name);
}

void mutex_may_nest(struct mutex *m)
{
    if (CONFIG_DEBUG)
        m->record->nests = true;
}

void mutex_lock(struct mutex *m)
{
    if (CONFIG_DEBUG)
        witness_mutex_wait(m, __builtin_frame_address(0));
    uint64_t flags = spin_lock(&m->guard);
    bool waited = m->owner;
    ASSERT(m->owner != current_thread());
    while (m->owner)
        waitq_wait_spin_kind(&m->wq, &m->guard, &flags, TIME_NEVER, SLEEP_UNINTERRUPTIBLE);
    m->owner = current_thread();
    if (CONFIG_DEBUG)
        witness_mutex_taken(m, waited, __builtin_frame_address(0));
    spin_unlock(&m->guard, flags);
}

void mutex_unlock(struct mutex *m)
{
    uint64_t flags = spin_lock(&m->guard);
    if (CONFIG_DEBUG)
        witness_mutex_release(m, __builtin_frame_address(0));
    ASSERT(m->owner == current_thread());
    m->owner = NULL;
    waitq_wake(&m->wq); /* inside the guard: whoever takes the mutex next may free it */
    spin_unlock(&m->guard, flags);
}
