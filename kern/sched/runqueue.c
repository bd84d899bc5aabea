/* kern/sched/runqueue.c - the order in which a CPU's threads run.
 * The higher level first, in a level the longest waiting first. So that ksoftirqd is not shut out for ever by
 * a program that never sleeps, the low level gets a slice when it has waited for STARVED. */
#include "kern/sched/runqueue.h"

#define STARVED ms(20)

static struct runqueue runqueues[MAX_CPUS];

struct runqueue *runqueue_of(unsigned cpu)
{
    return &runqueues[cpu];
}

void runqueue_init(struct runqueue *rq, unsigned cpu)
{
    *rq = (struct runqueue){ .cpu = cpu, .slice_end = TIME_NEVER, .starved_since = TIME_NEVER };
    spin_init(&rq->lock, "run queue", RANK_RUNQUEUE);
    for (unsigned i = 0; i < PRIO_LEVELS; i++)
        list_init(&rq->queues[i]);
}

static void note_starving(struct runqueue *rq)
{
    if (list_empty(&rq->queues[PRIO_LOW]))
        rq->starved_since = TIME_NEVER;
    else if (rq->starved_since == TIME_NEVER)
        rq->starved_since = time_now();
}

void runqueue_add(struct runqueue *rq, struct thread *t, bool first)
{
    if (first)
        list_add(&t->run, &rq->queues[t->prio]);
    else
        list_add_tail(&t->run, &rq->queues[t->prio]);
    WRITE_ONCE(rq->n_queued, rq->n_queued + 1);
    note_starving(rq);
}

void runqueue_remove(struct runqueue *rq, struct thread *t)
{
    list_del(&t->run);
    WRITE_ONCE(rq->n_queued, rq->n_queued - 1);
    note_starving(rq);
}

static bool low_is_starved(const struct runqueue *rq, uint64_t now)
{
    return rq->starved_since != TIME_NEVER && now >= rq->starved_since + STARVED;
}

struct thread *runqueue_pick(struct runqueue *rq, uint64_t now)
{
    unsigned level = low_is_starved(rq, now) ? PRIO_LOW : PRIO_NORMAL;
    if (!rq->n_queued)
        return NULL;
    while (list_empty(&rq->queues[level]))
        level++;
    struct thread *t = list_first_entry(&rq->queues[level], struct thread, run);
    runqueue_remove(rq, t);
    if (level == PRIO_LOW && t)
        rq->starved_since = list_empty(&rq->queues[PRIO_LOW]) ? TIME_NEVER : now;
    return t;
}
