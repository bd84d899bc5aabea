/* kern/cpu/cpu.h - one struct cpu for each processor, found through %gs.
 *
 * preempt_count says what this CPU may not do now: bits 0-7 count preempt_disable (and spinlocks held), bits
 * 8-15 softirqs disabled or running (SOFTIRQ_RUNNING is bit 15), bits 16-19 hard irqs nested. Zero: may be
 * preempted. It belongs to the CPU, not the thread: schedule() is always called with exactly its own lock
 * held. */
#pragma once
#include "lib/compiler.h"

enum { MAX_CPUS = 16 };
enum { PREEMPT_ONE = 1, SOFTIRQ_DISABLE_ONE = 1 << 8, SOFTIRQ_RUNNING = 1 << 15, HARDIRQ_ONE = 1 << 16 };
enum { SOFTIRQ_MASK = 0xff00, HARDIRQ_MASK = 0xf0000, PREEMPT_MASK = 0xff };

struct thread;
struct tss;
struct held_lock {
    const void *lock;
    const char *name;
    uint32_t rank;
};

struct cpu {
    struct cpu *self;          /* %gs:0 */
    uint64_t syscall_user_rsp; /* %gs:8, scratch of the system call entry */
    uint64_t kernel_rsp;       /* %gs:16, top of the current thread's kernel stack */
    struct thread *current;    /* %gs:24 */
    uint32_t preempt_count;    /* %gs:32 */
    uint32_t need_resched;     /* %gs:36, set by this or another CPU */
    uint32_t id, lapic_id;
    bool online;

    uint32_t softirq_pending; /* bit a level; irqs off to change */
    void *softirq;            /* kern/sched/softirq.c's part */
    void *timers;             /* kern/time/timer.c's part */
    void *runqueue;           /* kern/sched/sched.c's part */
    struct thread *idle;
    struct held_lock locks_held[16]; /* every lock held here, in the order taken, for rank checks */
    uint32_t n_locks_held;
    void *slab[64];        /* kern/mm/slab.c's per-CPU fronts, by cache number */
    bool interrupted_user; /* the interrupt under way came from user mode */
    uint64_t irqs, ticks, context_switches, page_faults;
    uint64_t kicks, shootdowns; /* interrupts from other CPUs */
    struct tss *tss;
    uint64_t gdt[16];
};
_Static_assert(offsetof(struct cpu, current) == 24 && offsetof(struct cpu, preempt_count) == 32,
               "used by assembly");

extern struct cpu cpus[MAX_CPUS];
extern unsigned n_cpus; /* online; fixed after smp_start() */

static inline struct cpu *this_cpu(void)
{
    struct cpu *c;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(c));
    return c;
}
static inline struct thread *current_thread(void)
{
    struct thread *t;
    __asm__ volatile("mov %%gs:24, %0" : "=r"(t));
    return t;
}
#define for_each_cpu(i) for (unsigned i = 0; i < n_cpus; i++)

/* ---- preemption ---- */

static inline uint32_t preempt_count(void)
{
    uint32_t v;
    __asm__ volatile("mov %%gs:32, %0" : "=r"(v));
    return v;
}
static inline void preempt_count_add(uint32_t n)
{
    __asm__ volatile("addl %0, %%gs:32" : : "ri"(n) : "memory", "cc");
}
static inline void preempt_count_sub(uint32_t n)
{
    __asm__ volatile("subl %0, %%gs:32" : : "ri"(n) : "memory", "cc");
}
/* The witness of debug kernels: where preemption, softirqs, interrupts go off, and interrupts on. */
void witness_preempt_off(void);
void witness_softirqs_off(void);
void witness_irqs_off(void);
void witness_irqs_on(void); /* they are about to */
static inline void preempt_disable(void)
{
    if (CONFIG_DEBUG && !preempt_count())
        witness_preempt_off();
    preempt_count_add(PREEMPT_ONE);
}
/* May switch to another thread if that is due. */
void preempt_enable(void);
static inline bool in_hardirq(void)
{
    return preempt_count() & HARDIRQ_MASK;
}
static inline bool in_softirq(void) /* running one, not merely holding them off */
{
    return preempt_count() & SOFTIRQ_RUNNING;
}

/* ---- interrupts on this CPU ---- */

static inline uint64_t irq_save(void) /* returns RFLAGS for irq_restore */
{
    uint64_t f;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(f) : : "memory");
    if (CONFIG_DEBUG && f & 0x200)
        witness_irqs_off();
    return f;
}
static inline void irq_restore(uint64_t f)
{
    if (CONFIG_DEBUG && f & 0x200)
        witness_irqs_on();
    if (f & 0x200)
        __asm__ volatile("sti" ::: "memory");
}
static inline void irq_enable(void)
{
    if (CONFIG_DEBUG)
        witness_irqs_on();
    __asm__ volatile("sti" ::: "memory");
}
static inline void irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
    if (CONFIG_DEBUG)
        witness_irqs_off();
}
static inline bool irqs_enabled(void)
{
    uint64_t f;
    __asm__ volatile("pushfq; popq %0" : "=r"(f));
    return f & 0x200;
}

/* ---- kern/cpu: start ---- */

void cpu_init_boot(void); /* GDT, TSS, IDT, %gs, control registers, syscall MSRs of the boot CPU */
void cpu_init_other(unsigned id);
void smp_start(void); /* start every other CPU; returns when all are online or given up on (one line each) */
/* Point TSS.rsp0 and the syscall stack of this CPU at the top of a thread's kernel stack. */
void cpu_set_kernel_stack(uint64_t top);
/* Ask CPU id to look at need_resched / at its softirqs and timers. */
void cpu_kick(unsigned id);
/* Flush this address range from every CPU's TLB; returns when all have. end == 0: everything. irqs on. */
void tlb_shootdown(uint64_t start, uint64_t end);
bool cpu_has_smap(void);

/* ---- FPU (kern/cpu/fpu.c): the kernel itself never uses it ---- */

extern size_t fpu_area_size;     /* bytes of a save area, which is 64-byte aligned; fixed by cpu_init_boot */
void fpu_init_state(void *area); /* fill area with what a new program begins with */
void fpu_save(void *area);       /* this CPU's FPU registers to area; irqs off or preemption disabled */
void fpu_restore(const void *area);

/* ---- instructions ---- */

static inline void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}
static inline void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}
static inline uint32_t inl(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}
