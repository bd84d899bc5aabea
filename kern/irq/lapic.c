/* kern/irq/lapic.c - the local APIC of each CPU (SDM 3A chapter 11): interrupts to other CPUs, the end of
 * one's own, and the timer. Every CPU sees its own at the same address. Its ids are those of xAPIC mode, 8
 * bits. */
#include "kern/irq/lapic.h"
#include "dev/dev.h"
#include "kern/cpu/cpu.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "net/port.h"

enum {
    REG_ID = 0x20,
    REG_TASK_PRIORITY = 0x80,
    REG_EOI = 0xb0,
    REG_SPURIOUS = 0xf0,
    REG_ICR_LOW = 0x300,
    REG_ICR_HIGH = 0x310,
    REG_LVT_TIMER = 0x320,
    REG_LVT_LINT0 = 0x350,
    REG_LVT_LINT1 = 0x360,
    REG_LVT_ERROR = 0x370,
    REG_TIMER_INITIAL = 0x380,
    REG_TIMER_CURRENT = 0x390,
    REG_TIMER_DIVIDE = 0x3e0
};
enum {
    SPURIOUS_APIC_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_TSC_DEADLINE = 1 << 18,
    LVT_NMI = 4 << 8,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_PENDING = 1 << 12,
    ICR_ASSERT = 1 << 14,
    ICR_ALL_BUT_SELF = 3 << 18,
    DIVIDE_BY_1 = 0xb
};
enum { MSR_APIC_BASE = 0x1b, APIC_BASE_ENABLE = 1 << 11, MSR_TSC_DEADLINE = 0x6e0 };

static volatile uint32_t *registers; /* NULL until the boot CPU's turn */

static uint32_t read(unsigned reg)
{
    return registers[reg / 4];
}

static void write(unsigned reg, uint32_t v)
{
    registers[reg / 4] = v;
}

void lapic_init_cpu(void)
{
    if (!registers)
        registers = ioremap(acpi.lapic_base, PAGE_SIZE);
    if (!registers)
        panic("local APIC: cannot map %#llx", (unsigned long long)acpi.lapic_base);
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
    write(REG_LVT_TIMER, LVT_MASKED);
    write(REG_LVT_LINT0, LVT_MASKED); /* the 8259s */
    write(REG_LVT_LINT1, LVT_NMI);
    write(REG_LVT_ERROR, LVT_MASKED);
    write(REG_TASK_PRIORITY, 0);
    write(REG_SPURIOUS, SPURIOUS_APIC_ENABLE | VECTOR_SPURIOUS);
    this_cpu()->lapic_id = lapic_id();
}

uint32_t lapic_id(void)
{
    return read(REG_ID) >> 24;
}

void lapic_eoi(void)
{
    write(REG_EOI, 0);
}

/* ---- to other CPUs; irqs off between the two halves of the command ---- */

static void command(uint32_t destination, uint32_t low)
{
    if (!registers)
        return;
    uint64_t flags = irq_save();
    while (read(REG_ICR_LOW) & ICR_PENDING)
        cpu_relax();
    write(REG_ICR_HIGH, destination << 24);
    write(REG_ICR_LOW, low);
    irq_restore(flags);
}

void lapic_send(uint32_t id, uint8_t vector)
{
    command(id, ICR_ASSERT | vector);
}

void lapic_send_init_sipi(uint32_t id, uint8_t page)
{
    command(id, ICR_INIT | ICR_ASSERT); /* SDM 3A 8.4.4.1: INIT, 10 ms, STARTUP, 200 us, STARTUP */
    udelay(10000);
    for (int i = 0; i < 2; i++) {
        command(id, ICR_STARTUP | ICR_ASSERT | page);
        udelay(200);
    }
}

void lapic_broadcast_nmi(void)
{
    command(0, ICR_ALL_BUT_SELF | ICR_NMI | ICR_ASSERT);
}

void lapic_broadcast_halt(void)
{
    command(0, ICR_ALL_BUT_SELF | ICR_ASSERT | VECTOR_HALT);
}

/* ---- the timer ---- */

void lapic_timer_init(bool tsc_deadline)
{
    write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
    write(REG_LVT_TIMER, VECTOR_TIMER | (tsc_deadline ? LVT_TSC_DEADLINE : 0));
}

void lapic_timer_start(uint32_t ticks)
{
    write(REG_TIMER_INITIAL, ticks);
}

uint32_t lapic_timer_left(void)
{
    return read(REG_TIMER_CURRENT);
}

void lapic_timer_deadline(uint64_t tsc)
{
    __asm__ volatile("mfence" ::: "memory"); /* the mode before the deadline: SDM 3A 10.5.4.1 */
    wrmsr(MSR_TSC_DEADLINE, tsc);
}
