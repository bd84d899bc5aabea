/* kern/proc/itimer.h - a process's interval timers: SIGALRM by the wall (ITIMER_REAL, alarm), SIGVTALRM and
 * SIGPROF by the CPU time it used (ITIMER_VIRTUAL, ITIMER_PROF). */
#pragma once
#include "kern/proc/process.h"

void itimer_init(struct process *p);
/* Fire in value ns (0: not at all) and then every interval ns (0: once). What was left goes to *old_value and
 * *old_interval. Process context. */
void itimer_set(struct process *p, uint64_t value, uint64_t interval, uint64_t *old_value,
                uint64_t *old_interval);
void itimer_get(struct process *p, uint64_t *value, uint64_t *interval);
/* The same for ITIMER_VIRTUAL and ITIMER_PROF: value and interval count CPU time, looked at with each tick.
 */
void cpu_timer_set(struct process *p, int which, uint64_t value, uint64_t interval, uint64_t *old_value,
                   uint64_t *old_interval);
void cpu_timer_get(struct process *p, int which, uint64_t *value, uint64_t *interval);
void itimer_stop(struct process *p); /* does not fire any more when this returns */
