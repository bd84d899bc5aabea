/* kern/sched/sched.h - what the parts of the scheduler and the timers share; for kern/sched and kern/time. */
#pragma once
#include "kern/sched/thread.h"
#include "net/port.h"

#define TIME_SLICE ms(10)
#define TICK       ms(10) /* while a program runs, its CPU's clock ticks at least so often */

/* ---- kern/sched/sched.c ---- */

/* The clock event: end the running thread's slice if it is over. When it will be, TIME_NEVER if nobody waits
 * for the CPU. Hard irq. */
uint64_t sched_tick(uint64_t now);
/* First C of a new thread: finishes the switch to it. */
void sched_first_run(void);
/* Mark the current thread dead and leave it. */
_Noreturn void sched_exit(void);
/* The CPU a new thread starts on: the least busy one it may run on. */
unsigned least_busy_cpu(const struct thread *t);

/* need_resched and preempt_count are one 64-bit word: 1 above, 0 below says that a switch is due and allowed.
 */
void preempt_check_slow(void);
static inline void preempt_check(void)
{
    uint64_t v;
    __asm__ volatile("movq %%gs:32, %0" : "=r"(v));
    if (unlikely(v == 1ull << 32))
        preempt_check_slow();
}

/* ---- kern/sched/load.c ---- */

/* Count who is runnable, if it is time. Any context. */
void load_average_update(uint64_t now);

/* ---- kern/sched/thread.c ---- */

/* A dead thread is off every CPU: have it freed. irqs off, no lock held. */
void thread_bury(struct thread *t);

/* ---- kern/time/timer.c ---- */

/* Have this CPU's clock event come at `when` if it would come later. irqs off. */
void clock_event_by(uint64_t when);
