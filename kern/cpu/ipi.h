/* kern/cpu/ipi.h - what interrupts from other CPUs ask for; hard irq. */
#pragma once

void tlb_interrupt(void);
_Noreturn void cpu_halt(void); /* for good, irqs off */
