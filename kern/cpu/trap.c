/* kern/cpu/trap.c - exceptions: to the process that caused them, to a fix-up that expected them, or the end.
 * In the kernel only an instruction of the exception table may fault; it is where user memory is touched. */
#include "kern/cpu/cpu_private.h"
#include "kern/debug/debug.h"
#include "kern/debug/ksyms.h"
#include "kern/debug/witness.h"
#include "kern/irq/irq.h"
#include "kern/mm/vm.h"
#include "kern/sched/thread.h"
#include "lib/abi/errno.h"
#include "net/port.h"

enum { TRAP_NMI = 2, TRAP_INVALID_OPCODE = 6, TRAP_DOUBLE_FAULT = 8, FIRST_INTERRUPT = 32 };
enum { ERROR_WRITE = 1 << 1, ERROR_USER = 1 << 2, ERROR_FETCH = 1 << 4 }; /* SDM 3A 4.7 */
enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11 };   /* Linux x86-64 */
enum { RFLAGS_TF = 1 << 8, RFLAGS_IF = 1 << 9, RFLAGS_RF = 1 << 16 };

/* SDM 3A table 6-1, and the signal that Linux sends. */
static const struct {
    const char *name;
    int signo;
} exceptions[FIRST_INTERRUPT] = {
    [0] = { "divide error", SIGFPE },
    [1] = { "debug exception", SIGTRAP },
    [3] = { "breakpoint", SIGTRAP },
    [4] = { "overflow", SIGSEGV },
    [5] = { "bound range exceeded", SIGSEGV },
    [6] = { "invalid opcode", SIGILL },
    [7] = { "FPU not available", SIGSEGV },
    [10] = { "invalid TSS", SIGSEGV },
    [11] = { "segment not present", SIGBUS },
    [12] = { "stack segment fault", SIGBUS },
    [13] = { "general protection fault", SIGSEGV },
    [14] = { "page fault", SIGSEGV },
    [16] = { "x87 floating-point error", SIGFPE },
    [17] = { "alignment check", SIGBUS },
    [18] = { "machine check", 0 },
    [19] = { "SIMD floating-point exception", SIGFPE },
};

extern const struct extable_entry extable_start[], extable_end[];

static uint64_t read_cr2(void)
{
    uint64_t v;
    __asm__ volatile("mov %%cr2, %0" : "=r"(v));
    return v;
}

static const struct extable_entry *find_fixup(uint64_t rip)
{
    for (const struct extable_entry *e = extable_start; e < extable_end; e++)
        if (e->from == rip)
            return e;
    return NULL;
}

static const char *exception_name(uint64_t vector)
{
    const char *name = vector < FIRST_INTERRUPT ? exceptions[vector].name : NULL;
    return name ? name : "unknown exception";
}

/* ---- in the kernel ---- */

/* UBSan in trap mode leaves ud2 (gcc) or ud1 (clang), and so does __builtin_trap(). */
static bool is_sanitizer_trap(uint64_t rip)
{
    const uint8_t *code = (const uint8_t *)rip;
    code += code[0] == 0x67;
    return code[0] == 0x0f && (code[1] == 0x0b || code[1] == 0xb9);
}

static _Noreturn void kernel_page_fault(const struct trapframe *tf, uint64_t addr)
{
    const char *what = tf->error & ERROR_FETCH ? "execute" : tf->error & ERROR_WRITE ? "write" : "read";
    const char *where = addr < PAGE_SIZE         ? ", a NULL pointer"
                        : addr < USER_TOP        ? ", user memory"
                        : kstack_guard_hit(addr) ? ", the end of a kernel stack"
                                                 : "";
    panic_trap(tf, "the kernel tried to %s %#llx%s", what, (unsigned long long)addr, where);
}

static _Noreturn void kernel_exception(const struct trapframe *tf)
{
    char symbol[96];
    ksym_format(symbol, sizeof symbol, tf->rip);
    if (tf->vector == TRAP_INVALID_OPCODE && is_sanitizer_trap(tf->rip))
        panic_trap(tf, "undefined behaviour at %s", symbol);
    panic_trap(tf, "%s in the kernel at %s", exception_name(tf->vector), symbol);
}

/* May the fault of a copy to or from user memory be mended by the address space? */
static bool may_mend(const struct trapframe *tf, uint64_t addr)
{
    const struct thread *t = current_thread();
    return addr < USER_TOP && tf->rflags & RFLAGS_IF && preempt_count() == 0 && t && t->vm;
}

static void kernel_trap(struct trapframe *tf)
{
    uint64_t addr = tf->vector == TRAP_PAGE_FAULT ? read_cr2() : 0;
    const struct extable_entry *fixup = find_fixup(tf->rip);
    if (!fixup && tf->vector == TRAP_PAGE_FAULT)
        kernel_page_fault(tf, addr);
    if (!fixup)
        kernel_exception(tf);
    if (tf->vector == TRAP_PAGE_FAULT && may_mend(tf, addr)) {
        irq_enable();
        int err = vm_fault(current_thread()->vm, addr, tf->error);
        bool again = err == 0 || (err == -ENOMEM && proc_memory_out());
        irq_disable();
        if (again)
            return;
    }
    tf->rip = fixup->to;
}

/* ---- in user mode ---- */

/* An access that the CPU makes in the program's name but with its own rights (iret's look at the stack, in
 * QEMU) is not the address space's to mend: it would be tried for ever. */
static void user_page_fault(struct trapframe *tf)
{
    uint64_t addr = read_cr2();
    irq_enable();
    current_thread()->faults++;
    this_cpu()->page_faults++;
    int err = tf->error & ERROR_USER ? vm_fault(current_thread()->vm, addr, tf->error) : -EFAULT;
    if (err == -ENOMEM)
        proc_memory_out(); /* then the access is made once more, or the program has ended */
    else if (err)
        proc_fault(tf, err == -ENXIO || err == -ENOSPC ? SIGBUS : SIGSEGV, addr);
}

static void user_exception(struct trapframe *tf)
{
    int signo = tf->vector < FIRST_INTERRUPT ? exceptions[tf->vector].signo : 0;
    irq_enable();
    proc_fault(tf, signo ? signo : SIGSEGV, tf->rip);
}

/* iretq faults in the kernel on an address that is not canonical: a signal's handler, or out of sigreturn. */
static bool iretq_refuses(uint64_t rip)
{
    return (uint64_t)((int64_t)(rip << 16) >> 16) != rip;
}

/* True if the thread may not go to user mode yet: asked with irqs off, so that what comes later comes with an
 * interrupt, and so back here. */
static bool owes_something(const struct trapframe *tf)
{
    return READ_ONCE(this_cpu()->need_resched) || READ_ONCE(current_thread()->signal_pending) ||
           iretq_refuses(tf->rip);
}

/* All that is done before a thread's next user instruction. Leaves irqs off. */
static void leave_to_user(struct trapframe *tf)
{
    do {
        irq_enable();
        if (iretq_refuses(tf->rip))
            proc_fault(tf, SIGSEGV, tf->rip);
        return_to_user(tf);
        irq_disable();
    } while (owes_something(tf));
    if (CONFIG_DEBUG) {
        witness_thread_leaves("returns to its program");
        witness_irqs_on(); /* by the iretq or sysretq that follows */
    }
}

/* ---- from entry.S ---- */

void trap_handle(struct trapframe *tf)
{
    bool user = from_user(tf);
    if (cpu_has_smap())
        __asm__ volatile("clac" ::: "memory", "cc"); /* the interrupted code's right, not the handler's */
    if (user)
        current_thread()->user = tf;
    if (tf->vector >= FIRST_INTERRUPT) {
        this_cpu()->interrupted_user = user;
        irq_dispatch(tf);
    } else if (!user)
        kernel_trap(tf);
    else if (tf->vector == TRAP_PAGE_FAULT)
        user_page_fault(tf);
    else
        user_exception(tf);
    if (user)
        leave_to_user(tf);
}

void trap_paranoid(struct trapframe *tf)
{
    if (tf->vector == TRAP_NMI)
        panic_nmi(tf);
    if (tf->vector == TRAP_DOUBLE_FAULT && kstack_guard_hit(read_cr2()))
        panic_trap(tf, "kernel stack overflow");
    panic_trap(tf, "%s", tf->vector == TRAP_DOUBLE_FAULT ? "double fault" : exception_name(tf->vector));
}

/* sysret faults in the kernel when rip is not canonical, and can restore neither %rcx nor %r11. */
static bool sysret_will_do(const struct trapframe *tf)
{
    return tf->rcx == tf->rip && tf->r11 == tf->rflags && tf->rip < USER_TOP && tf->cs == USER_CS &&
           tf->ss == USER_SS && !(tf->rflags & (RFLAGS_TF | RFLAGS_RF));
}

bool syscall_handle(struct trapframe *tf)
{
    struct thread *self = current_thread();
    self->user = tf;
    irq_enable();
    if (unlikely(READ_ONCE(self->traced_calls)))
        ptrace_syscall(tf);
    else
        syscall_dispatch(tf);
    leave_to_user(tf);
    return sysret_will_do(tf);
}
