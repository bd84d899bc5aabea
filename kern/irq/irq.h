/* kern/irq/irq.h - device interrupts: vectors, the local APIC and the IOAPIC. */
#pragma once
#include "lib/compiler.h"

enum {
    VECTOR_IRQ_FIRST = 0x30,
    VECTOR_IRQ_LAST = 0xdf,
    VECTOR_TIMER = 0xe0,
    VECTOR_KICK = 0xe1,
    VECTOR_TLB = 0xe2,
    VECTOR_HALT = 0xe3,
    VECTOR_SPURIOUS = 0xff
};

/* Find the controllers in the ACPI MADT, mask the 8259s, enable the local APIC. acpi_init has run. */
void irq_init(void);
/* handler(arg) in hard irq whenever gsi fires; it returns whether its device had asked. Lines may be shared.
 * level and low describe the line. 0, -EINVAL, -ENOSPC, -ENOMEM. Process context. */
int irq_request_gsi(unsigned gsi, bool level, bool low, bool (*handler)(void *arg), void *arg,
                    const char *name);
/* A vector of its own for a message-signalled interrupt: *address and *data are what the device must write.
 */
int irq_request_msi(bool (*handler)(void *arg), void *arg, const char *name, uint64_t *address,
                    uint32_t *data);
/* No more calls of handler(arg), and none runs when this returns. Process context. */
void irq_free(bool (*handler)(void *arg), void *arg);
/* The GSI and polarity an ISA irq number maps to (MADT overrides). */
unsigned irq_isa_gsi(unsigned isa_irq, bool *level, bool *low);
/* Called by entry.S's common path for vectors >= 32: counts, dispatches, EOIs, runs softirqs and preempts on
 * the way out (softirq_irq_exit). */
struct trapframe;
struct textbuf;
void irq_show(struct textbuf *out); /* /proc/interrupts: counts of each line on each CPU */
void irq_dispatch(struct trapframe *tf);

void lapic_init_cpu(void);
uint32_t lapic_id(void);
void lapic_eoi(void);
void lapic_send(uint32_t lapic_id, uint8_t vector);
void lapic_send_init_sipi(uint32_t lapic_id, uint8_t page);
/* To every CPU but this one. Harmless before lapic_init_cpu. */
void lapic_broadcast_nmi(void);
void lapic_broadcast_halt(void); /* they stop for good */

/* ---- ACPI (kern/irq/acpi.c): what the MADT and FADT say ---- */
void acpi_init(void); /* a machine without ACPI tables panics with one clear line */
struct acpi_madt_info {
    uint64_t lapic_base;
    unsigned n_cpus;
    uint32_t cpu_lapic_ids[16];
    struct {
        uint32_t base;
        uint32_t gsi_base;
        uint8_t id;
    } ioapics[4];
    unsigned n_ioapics;
    struct {
        uint8_t isa;
        uint32_t gsi;
        uint16_t flags;
    } overrides[16];
    unsigned n_overrides;
    uint16_t pm_timer_port;                        /* FADT PM_TMR_BLK, 0 if none */
    bool pm_timer_32bit;                           /* else 24 */
    uint16_t pm1a_control_port, pm1b_control_port; /* 0 if none */
    uint8_t s5_type_a, s5_type_b;                  /* what to write there to power off */
    uint16_t reset_port;                           /* 0 if none */
    uint8_t reset_value;
};
extern struct acpi_madt_info acpi;
