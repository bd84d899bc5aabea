/* kern/debug/panic.c - the end: what happened, where every CPU was, and out.
 *
 * The first CPU to panic owns the console: it takes no lock any more, stops the others by NMI and gives each
 * in turn the time to show itself. Whatever fails meanwhile, the machine ends with status 127. */
#include "dev/dev.h"
#include "kern/boot/initcall.h"
#include "kern/cpu/cpu.h"
#include "kern/cpu/trap.h"
#include "kern/debug/console.h"
#include "kern/debug/debug.h"
#include "kern/irq/irq.h"
#include "kern/sched/thread.h"
#include "lib/format.h"

enum { PANIC_STATUS = 127, NOBODY = 0, SHOW_TIMEOUT_US = 500000 };

static uint32_t owner; /* the panicking CPU's id + 1 */
static uint32_t depth; /* panics of the owner: a second one happened while it reported the first */
static uint32_t turn;  /* the CPU that may print (id + 1); it sets NOBODY when it has */

bool panicking(void)
{
    return __atomic_load_n(&owner, __ATOMIC_RELAXED) != NOBODY;
}

static _Noreturn void halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* True for the CPU that panics first. */
static bool become_owner(void)
{
    uint32_t nobody = NOBODY, me = this_cpu()->id + 1;
    return __atomic_compare_exchange_n(&owner, &nobody, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The same; false if it does so again. Any other CPU stays here until the NMI comes. */
static bool claim(void)
{
    if (become_owner())
        return true;
    if (__atomic_load_n(&owner, __ATOMIC_SEQ_CST) == this_cpu()->id + 1)
        return false;
    halt();
}

static void show_registers(const struct trapframe *tf)
{
    typedef unsigned long long reg;
    klog_always("  rip %016llx  rsp %016llx  rflags %08llx  cs %02llx  vector %llu  error %llx", (reg)tf->rip,
                (reg)tf->rsp, (reg)tf->rflags, (reg)tf->cs, (reg)tf->vector, (reg)tf->error);
    klog_always("  rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx", (reg)tf->rax, (reg)tf->rbx,
                (reg)tf->rcx, (reg)tf->rdx);
    klog_always("  rsi %016llx  rdi %016llx  rbp %016llx  r8  %016llx", (reg)tf->rsi, (reg)tf->rdi,
                (reg)tf->rbp, (reg)tf->r8);
    klog_always("  r9  %016llx  r10 %016llx  r11 %016llx  r12 %016llx", (reg)tf->r9, (reg)tf->r10,
                (reg)tf->r11, (reg)tf->r12);
    klog_always("  r13 %016llx  r14 %016llx  r15 %016llx", (reg)tf->r13, (reg)tf->r14, (reg)tf->r15);
}

static void show_cpu(const struct trapframe *tf, uint64_t rbp)
{
    const struct cpu *c = this_cpu();
    const struct thread *t = c->current;
    klog_always("CPU %u, thread %d '%s', preempt_count %x:", c->id, t ? t->tid : 0, t ? t->name : "boot",
                c->preempt_count);
    if (tf)
        show_registers(tf);
    backtrace(tf ? tf->rip : 0, tf ? tf->rbp : rbp);
}

static void show_others(void)
{
    lapic_broadcast_nmi();
    for (uint32_t id = 0; id < MAX_CPUS; id++) {
        if (!cpus[id].online || id == this_cpu()->id)
            continue;
        __atomic_store_n(&turn, id + 1, __ATOMIC_SEQ_CST);
        for (unsigned waited = 0; __atomic_load_n(&turn, __ATOMIC_SEQ_CST) != NOBODY; waited++) {
            if (waited == SHOW_TIMEOUT_US) {
                klog_always("CPU %u does not answer", id);
                break;
            }
            udelay(1);
        }
    }
}

/* A message may have several lines. */
static void say(const char *prefix, char *message)
{
    for (char *line = message, *end; line; line = end) {
        for (end = line; *end && *end != '\n'; end++)
            ;
        end = *end ? end : NULL;
        if (end)
            *end++ = '\0';
        klog_always("%s%s", prefix, line);
        prefix = "";
    }
}

static _Noreturn void die(bool first, const struct trapframe *tf, const char *fmt, va_list ap, uint64_t rbp)
{
    static char message[1024];
    if (++depth > 2)
        halt();
    console_init(); /* it may be the first thing that this kernel prints, and a port may be in any state */
    kvsnprintf(message, sizeof message, fmt, ap);
    say(first ? "panic: " : "panic: while reporting it: ", message);
    if (initcall_running())
        klog_always("during the init call '%s'", initcall_running());
    if (first) {
        show_cpu(tf, rbp);
        show_others();
    }
    machine_exit(PANIC_STATUS);
}

void panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    irq_disable();
    die(claim(), NULL, fmt, ap, (uint64_t)__builtin_frame_address(0));
}

void panic_trap(const struct trapframe *tf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    irq_disable();
    die(claim(), tf, fmt, ap, 0);
}

static _Noreturn void die_first(const struct trapframe *tf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    die(true, tf, fmt, ap, 0);
}

/* Of CPUs that get one at the same time the first reports it; the others, who take no further NMI while they
 * are in this one, wait for their turn like those the report asks by NMI. */
void panic_nmi(const struct trapframe *tf)
{
    uint32_t me = this_cpu()->id + 1;
    if (become_owner())
        die_first(tf, "non-maskable interrupt");
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != me)
        cpu_relax();
    show_cpu(tf, 0);
    __atomic_store_n(&turn, NOBODY, __ATOMIC_SEQ_CST);
    halt();
}
