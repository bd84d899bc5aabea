/* kern/cpu/tlb.c - forgetting translations on every CPU.
 * One shootdown at a time: the range is published, the others are interrupted, each flushes and ticks itself
 * off. The one who asks waits with irqs on, so that two who ask at once serve each other. */
#include "kern/cpu/cpu.h"
#include "kern/cpu/ipi.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "net/port.h"

enum { WORTH_SINGLE_PAGES = 32, CR4_PGE = 1 << 7 };

static uint32_t busy; /* somebody's shootdown is under way; guards the range */
static uint64_t flush_start, flush_end;
static uint32_t pending; /* atomic: bit a CPU that has not flushed yet */

/* Global entries too: toggling CR4.PGE is what drops them (SDM 3A 4.10.4.1). */
static void flush_all(void)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 & ~(uint64_t)CR4_PGE) : "memory");
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static void flush(uint64_t start, uint64_t end)
{
    if (end == 0 || end - start > WORTH_SINGLE_PAGES * (uint64_t)PAGE_SIZE) {
        flush_all();
        return;
    }
    for (uint64_t va = ROUND_DOWN(start, PAGE_SIZE); va < end; va += PAGE_SIZE)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

void tlb_interrupt(void)
{
    uint32_t me = 1u << this_cpu()->id;
    if (!(__atomic_load_n(&pending, __ATOMIC_ACQUIRE) & me))
        return;
    flush(flush_start, flush_end);
    __atomic_fetch_and(&pending, ~me, __ATOMIC_RELEASE);
}

static uint32_t other_cpus(void)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < MAX_CPUS; i++)
        if (cpus[i].online && i != this_cpu()->id)
            mask |= 1u << i;
    return mask;
}

static void flush_others(uint64_t start, uint64_t end, uint32_t mask)
{
    while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
        cpu_relax();
    flush_start = start;
    flush_end = end;
    __atomic_store_n(&pending, mask, __ATOMIC_RELEASE); /* behind the range; partner: tlb_interrupt's load */
    for (unsigned i = 0; i < MAX_CPUS; i++)
        if (mask & 1u << i)
            lapic_send(cpus[i].lapic_id, VECTOR_TLB);
    while (__atomic_load_n(&pending, __ATOMIC_ACQUIRE))
        cpu_relax();
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

void tlb_shootdown(uint64_t start, uint64_t end)
{
    preempt_disable();
    uint32_t mask = other_cpus();
    flush(start, end);
    if (mask) {
        ASSERT(irqs_enabled());
        flush_others(start, end, mask);
    }
    preempt_enable();
}
