/* kern/time/time.h - the clock, and one clock event a CPU. time_now() and time_wall() are port.h's. */
#pragma once
#include "lib/compiler.h"

/* Set the wall clock (ns since 1970); what sleeps until a reading of it is not woken. -EINVAL: it would have
 * been before 1970 at boot. */
int time_wall_set(uint64_t ns);
void clock_init(void); /* calibrate the TSC against the PM timer (or the PIT); read the RTC */
/* Call timer_interrupt() on this CPU in hard irq at or soon after when (ns since boot). A later call replaces
 * it; TIME_NEVER: none. irqs off. */
void clock_event_set(uint64_t when);
/* time_now() is (TSC - tsc_at_boot) * ns_per_tick_scaled >> 32, time_wall() wall_at_boot more. */
void clock_get_parameters(uint64_t *at_boot, uint64_t *ns_per_tick, uint64_t *wall);
void clock_event_init_cpu(void);
/* So many ticks of the TSC, in ns; 0 before clock_init(). */
uint64_t clock_ticks_to_ns(uint64_t ticks);
void clock_event_interrupt(
    void); /* hard irq, from irq_dispatch: calls timer_interrupt() unless it is too early */
/* kern/time/timer.c: the CPU's clock event fired: raise TIMER, let the scheduler count the slice. Hard irq.
 */
void timer_interrupt(void);
void timers_init_cpu(void);
/* That CPU's timers, the next first, in the form of Linux's /proc/timer_list; at most 64. */
struct textbuf;
void timers_show(struct textbuf *out, unsigned cpu);
/* When the earliest timer of this CPU is due, TIME_NEVER if none. irqs off. */
uint64_t timers_next(void);
