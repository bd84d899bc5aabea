/* kern/sched/softirq.h - running softirqs: on return from interrupts, when they are enabled again, and past a
 * budget by ksoftirqd/N, the lowest-priority thread of its CPU. Opening and raising are port.h's. */
#pragma once
#include "kern/cpu/cpu.h"
#include "net/port.h"

void softirq_init_cpu(void); /* the lists */
void ksoftirqd_start(void);  /* one thread a CPU, after smp_start */
/* The outermost hard irq ends (irqs off, preempt_count already without HARDIRQ_ONE): run what is pending, in
 * level order, with irqs on, for at most netdev_budget_usecs or SOFTIRQ_ROUNDS rounds; wake ksoftirqd for the
 * rest. */
void softirq_irq_exit(void);
/* Hold softirqs off on this CPU / allow them again and run what came meanwhile. Nests. Process or softirq
 * context. */
static inline void local_bh_disable(void)
{
    if (CONFIG_DEBUG && !(preempt_count() & SOFTIRQ_MASK))
        witness_softirqs_off();
    preempt_count_add(SOFTIRQ_DISABLE_ONE);
}
void local_bh_enable(void);
uint64_t softirq_runs(unsigned cpu, enum softirq_level level); /* for /proc/softirqs */
