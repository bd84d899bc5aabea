/* kern/sched/sleep.h - sleeping that signals do not end; for kern/sched alone. */
#pragma once
#include "kern/sched/wait.h"

enum sleep_kind { SLEEP_INTERRUPTIBLE, SLEEP_UNINTERRUPTIBLE };
/* wait_sleep(), and waitq_wait_spin(), of that kind. */
int sleep_until(const bool *woken, uint64_t deadline, enum sleep_kind kind);
int waitq_wait_spin_kind(struct waitq *wq, struct spinlock *l, uint64_t *flags, uint64_t deadline,
                         enum sleep_kind kind);
