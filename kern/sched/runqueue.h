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
    uint64_t slice_end;     /* of current; TIME_NEVER for the idle thread */
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
/* Bring a thread that waits elsewhere to this idle CPU. True if there was one. irqs off, no lock held. */
bool pull_work(void);
