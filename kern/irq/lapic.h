/* kern/irq/lapic.h - the local APIC's timer, for kern/time/clock.c; all on this CPU's own, irqs off. */
#pragma once
#include "lib/compiler.h"

/* VECTOR_TIMER once a time, by counting down or when the TSC reaches a value. */
void lapic_timer_init(bool tsc_deadline);
/* Fire after so many ticks of the timer; 0 stops it. */
void lapic_timer_start(uint32_t ticks);
uint32_t lapic_timer_left(void);
/* Fire when the TSC has reached tsc; 0 stops it. */
void lapic_timer_deadline(uint64_t tsc);
