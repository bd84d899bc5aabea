/* kern/sched/balance.c - which CPU a thread runs on.
 * No CPU halts while a thread that it may run waits elsewhere. A thread that wakes is given to an idle CPU,
 * and that CPU's bit in idle_cpus is taken at once, so that two threads do not both go there. Whoever makes a
 * thread wait writes n_queued and then reads idle_cpus; a CPU that goes idle sets its bit and then reads
 * every n_queued: one of the two sees the other. Among busy CPUs, a tick now and then brings a thread over
 * from a longer queue, so that three threads share two CPUs fairly. */
#include "kern/sched/runqueue.h"

uint32_t idle_cpus, sched_cpus;

static bool claim(unsigned cpu)
{
    uint32_t bit = 1u << cpu;
    return READ_ONCE(idle_cpus) & bit && __atomic_fetch_and(&idle_cpus, ~bit, __ATOMIC_SEQ_CST) & bit;
}

unsigned choose_cpu(const struct thread *t)
{
    uint32_t allowed = t->affinity & READ_ONCE(sched_cpus), idle;
    ASSERT(allowed);
    if (allowed & 1u << t->cpu && claim(t->cpu)) /* its data may still be in that CPU's caches */
        return t->cpu;
    if (allowed & 1u << cpu_id() && claim(cpu_id()))
        return cpu_id();
    while ((idle = READ_ONCE(idle_cpus) & allowed))
        if (claim(__builtin_ctz(idle)))
            return __builtin_ctz(idle);
    return allowed & 1u << t->cpu ? t->cpu : (unsigned)__builtin_ctz(allowed);
}

static unsigned load_of(unsigned cpu)
{
    const struct runqueue *rq = runqueue_of(cpu);
    return READ_ONCE(rq->n_queued) + (READ_ONCE(rq->current) != rq->idle);
}

unsigned least_busy_cpu(const struct thread *t)
{
    uint32_t allowed = t->affinity & READ_ONCE(sched_cpus);
    ASSERT(allowed);
    unsigned best = __builtin_ctz(allowed);
    for (unsigned i = best + 1; i < MAX_CPUS; i++)
        if (allowed & 1u << i && load_of(i) < load_of(best))
            best = i;
    return best;
}

void offer_work(uint32_t affinity)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* n_queued before idle_cpus; partner: sched_idle() */
    uint32_t idle = READ_ONCE(idle_cpus) & affinity;
    if (idle && claim(__builtin_ctz(idle)))
        cpu_kick(__builtin_ctz(idle));
}

static struct thread *steal_from(struct runqueue *rq, unsigned me)
{
    struct thread *t, *found = NULL;
    uint64_t flags = spin_lock(&rq->lock);
    for (unsigned level = 0; level < PRIO_LEVELS && !found; level++)
        list_for_each_entry (t, &rq->queues[level], run)
            if (t->affinity & 1u << me) {
                found = t;
                break;
            }
    if (found) {
        runqueue_remove(rq, found);
        found->cpu = me;
    }
    spin_unlock(&rq->lock, flags);
    return found;
}

bool pull_work(unsigned surplus)
{
    struct runqueue *mine = this_runqueue();
    struct thread *t = NULL;
    uint32_t others = READ_ONCE(sched_cpus) & ~(1u << mine->cpu);
    for (; others && !t; others &= others - 1) {
        struct runqueue *rq = runqueue_of(__builtin_ctz(others));
        if (READ_ONCE(rq->n_queued) > surplus)
            t = steal_from(rq, mine->cpu);
    }
    if (!t)
        return false;
    uint64_t flags = spin_lock(&mine->lock);
    bool welcome = t->affinity & 1u << mine->cpu; /* it may have changed on the way */
    if (welcome) {
        runqueue_add(mine, t, false);
        WRITE_ONCE(this_cpu()->need_resched, 1);
    }
    spin_unlock(&mine->lock, flags);
    if (!welcome)
        runqueue_place(t);
    return welcome;
}
