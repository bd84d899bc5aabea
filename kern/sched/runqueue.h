/* kern/sched/runqueue.h - one CPU's runnable threads; for kern/sched alone. */
#pragma once
#include "kern/sched/sched.h"

struct runqueue {
    struct spinlock lock;
    unsigned cpu;
    struct thread *current, *idle;
    struct thread *previous; /* who ran before the switch that is under way */
    struct list_head queues[PRIO_LEVELS];
    unsigned n_queued;
    uint64_t slice_end;      /* of current; TIME_NEVER for the idle thread */
    struct thread *expelled; /* who ran before the switch and may not run here any more */
    uint64_t balanced;       /* when a tick last looked at the other queues */
    uint64_t user_ns, nice_ns, system_ns, idle_ns;
    uint64_t starved_since; /* PRIO_LOW has waited since then; TIME_NEVER: it does not wait */
};

struct runqueue *runqueue_of(unsigned cpu);
static inline struct runqueue *this_runqueue(void)
{
    return this_cpu()->runqueue;
}
extern uint32_t idle_cpus;  /* atomic; bit a CPU that has nothing to run and was given nothing yet */
extern uint32_t sched_cpus; /* atomic; bit a CPU that takes part */

/* ---- kern/sched/runqueue.c; RUNQUEUE lock ---- */

void runqueue_init(struct runqueue *rq, unsigned cpu);
void runqueue_add(struct runqueue *rq, struct thread *t, bool first);
void runqueue_remove(struct runqueue *rq, struct thread *t);
/* Take the thread that shall run next, NULL if none waits. */
struct thread *runqueue_pick(struct runqueue *rq, uint64_t now);

/* ---- kern/sched/balance.c ---- */

/* The CPU a thread that wakes had best run on. */
unsigned choose_cpu(const struct thread *t);
/* An idle CPU may want a thread that now waits here. */
void offer_work(uint32_t affinity);
/* Give t, which is runnable and in no queue, to a CPU that it may run on. irqs off, no lock held. (sched.c)
 */
void runqueue_place(struct thread *t);
/* Bring a thread to this CPU that waits where more than surplus others do. True if there was one. irqs off,
 * no lock held. */
bool pull_work(unsigned surplus);
