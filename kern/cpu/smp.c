/* kern/cpu/smp.c - starting the other processors, one after the other.
 * Each comes up on the boot tables with what is in ap_*, takes over the kernel's own tables there (start.S),
 * makes itself ready and says so in cpu->online; then the next one's turn comes. */
#include "dev/dev.h"
#include "kern/boot/boot.h"
#include "kern/cpu/cpu_private.h"
#include "kern/cpu/ipi.h"
#include "kern/cpu/trampoline.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "kern/sched/softirq.h"
#include "kern/sched/thread.h"
#include "kern/time/time.h"
#include "lib/string.h"

enum { START_TIMEOUT_MS = 1000, EFER_NXE = 1 << 11 };

uint32_t ap_efer = EFER_NXE; /* start.S sets it before the tables that need it */
uint64_t ap_cr3, ap_stack_top;
struct cpu *ap_cpu;
extern const char trampoline[], trampoline_end[];

void smp_ap_main(void)
{
    struct cpu *c = this_cpu();
    cpu_init_other(c->id);
    lapic_init_cpu();
    clock_event_init_cpu();
    softirq_init_cpu();
    timers_init_cpu();
    sched_init_cpu();
    __atomic_store_n(&c->online, true, __ATOMIC_RELEASE);
    sched_idle();
}

void cpu_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* How many CPUs the command line allows. */
static unsigned cpu_limit(void)
{
    char value[8];
    if (cmdline_get("nosmp", value, sizeof value))
        return 1;
    if (!cmdline_get("maxcpus", value, sizeof value))
        return MAX_CPUS;
    unsigned n = 0;
    for (const char *p = value; *p >= '0' && *p <= '9' && n < MAX_CPUS; p++)
        n = n * 10 + (*p - '0');
    if (n == 0)
        klog(LOG_WARNING, "command line: maxcpus=%s: a number from 1 on", value);
    return n ? MIN(n, (unsigned)MAX_CPUS) : MAX_CPUS;
}

static bool wait_online(const struct cpu *c)
{
    for (unsigned waited = 0; waited < START_TIMEOUT_MS * 10; waited++) {
        if (__atomic_load_n(&c->online, __ATOMIC_ACQUIRE))
            return true;
        udelay(100);
    }
    return false;
}

/* Start the CPU with that local APIC as number id. False if it does not come. */
static bool start(unsigned id, uint32_t lapic_id)
{
    struct cpu *c = &cpus[id];
    uint8_t *stack = kstack_alloc();
    if (!stack) {
        klog(LOG_ERROR, "CPU %u: no memory for its stack", id);
        return false;
    }
    *c = (struct cpu){ .id = id, .lapic_id = lapic_id };
    __asm__ volatile("mov %%cr3, %0" : "=r"(ap_cr3));
    ap_stack_top = (uint64_t)stack + KSTACK_SIZE;
    ap_cpu = c;
    lapic_send_init_sipi(lapic_id, TRAMPOLINE / PAGE_SIZE);
    if (wait_online(c))
        return true;
    klog(LOG_ERROR, "CPU %u (local APIC %u) does not start", id, lapic_id);
    return false; /* its stack stays: it may still come */
}

void smp_start(void)
{
    unsigned limit = cpu_limit();
    memcpy(phys_to_virt(TRAMPOLINE), trampoline, trampoline_end - trampoline);
    for (unsigned i = 0; i < acpi.n_cpus && n_cpus < limit; i++) {
        if (acpi.cpu_lapic_ids[i] == this_cpu()->lapic_id)
            continue;
        if (!start(n_cpus, acpi.cpu_lapic_ids[i]))
            break;
        n_cpus++;
    }
    klog(LOG_INFO, "cpu: %u of %u online", n_cpus, acpi.n_cpus);
}
