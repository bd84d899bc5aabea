/* kern/proc/fault.c - what a program gets for an exception it caused: a signal, and a line in the log if that
 * ends it. */
#include "kern/mm/mm.h"
#include "kern/mm/vm.h"
#include "kern/proc/oom.h"
#include "kern/proc/signals.h"

enum { ERROR_WRITE = 2, ERROR_FETCH = 16 }; /* SDM 3A 4.7 */

static bool will_end(int signo)
{
    struct task *t = current_task();
    uintptr_t handler = t->process->action[signo - 1].handler;

    return handler == SIG_DFL || handler == SIG_IGN || (t->blocked & SIGNAL_BIT(signo));
}

static const char *access_of(const struct trapframe *tf)
{
    return tf->error & ERROR_FETCH ? "jump to" : tf->error & ERROR_WRITE ? "write to" : "read of";
}

static void log_end(const struct trapframe *tf, int signo, uint64_t addr)
{
    struct process *p = current_process();

    if (tf->vector == TRAP_PAGE_FAULT)
        klog(LOG_WARNING, "%s[%d]: killed by signal %d: %s %#llx at rip %#llx", p->comm, p->pid, signo,
             access_of(tf), (unsigned long long)addr, (unsigned long long)tf->rip);
    else
        klog(LOG_WARNING, "%s[%d]: killed by signal %d: exception %llu at rip %#llx", p->comm, p->pid, signo,
             (unsigned long long)tf->vector, (unsigned long long)tf->rip);
}

/* Is there something that may not be used so, or nothing? Whether a page has come in yet does not matter. */
static int32_t code_of_address(uint64_t addr)
{
    struct vm_space *vm = current_process()->vm;
    bool mapped = addr < USER_TOP && vm_is_mapped(vm, ROUND_DOWN(addr, (uint64_t)PAGE_SIZE), PAGE_SIZE);

    return mapped ? SEGV_ACCERR : SEGV_MAPERR;
}

static int32_t code_of(const struct trapframe *tf, int signo, uint64_t addr)
{
    if (signo == SIGBUS)
        return BUS_ADRERR;
    if (tf->vector == TRAP_PAGE_FAULT)
        return code_of_address(addr);
    if (signo == SIGFPE)
        return FPE_INTDIV;
    if (tf->vector == TRAP_DEBUG)
        return TRAP_TRACE;
    if (signo == SIGILL)
        return ILL_ILLOPN;
    return SI_KERNEL;
}

void proc_fault(struct trapframe *tf, int signo, uint64_t addr)
{
    struct signal_info info = { .code = code_of(tf, signo, addr), .addr = addr };

    if (info.code == SI_KERNEL)
        info.addr = 0;
    if (will_end(signo))
        log_end(tf, signo, addr);
    signal_force(signo, &info);
}

bool proc_memory_out(void)
{
    struct process *p = current_process();

    if (!p)
        return false; /* a self-test's thread */
    if (oom_relieve())
        return true;
    if (!READ_ONCE(current_thread()->signal_pending)) /* nobody is left to be ended for it */
        signal_force(SIGKILL, &(struct signal_info){ .code = SI_KERNEL });
    return false;
}
