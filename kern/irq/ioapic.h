/* kern/irq/ioapic.h - the lines of the IOAPICs, for irq.c; the IRQ lock held. */
#pragma once
#include "lib/compiler.h"

/* Map the controllers of the MADT; all lines masked. */
void ioapic_init(void);
/* Let gsi raise vector on the CPU with that local APIC. -EINVAL if no IOAPIC has the line. */
int ioapic_route(unsigned gsi, uint8_t vector, bool level, bool low, uint32_t lapic_id);
void ioapic_mask(unsigned gsi);
