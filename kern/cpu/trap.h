/* kern/cpu/trap.h - the registers of interrupted code, and who handles which exception. */
#pragma once
#include "lib/compiler.h"

/* As the entry stubs (kern/cpu/entry.S) push it, for exceptions, interrupts and system calls alike. */
struct trapframe {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector; /* 256 for a system call; orig_rax is then in error */
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trapframe) == 22 * 8, "pushed by entry.S");
enum { TRAP_DEBUG = 1, TRAP_PAGE_FAULT = 14, VECTOR_SYSCALL = 256 };
enum { KERNEL_CS = 0x08, KERNEL_SS = 0x10, USER_SS = 0x1b, USER_CS = 0x23 };

static inline bool from_user(const struct trapframe *tf)
{
    return (tf->cs & 3) == 3;
}

/* Called by entry.S with the frame; kern/cpu/trap.c. Exceptions from user mode go to proc_fault(); page
 * faults first to vm_fault(); a kernel fault at an address in the exception table resumes at its fix-up;
 * anything else panics. */
void trap_handle(struct trapframe *tf);
/* kern/sys: the system call named by tf->rax; sets tf->rax. Process context, irqs on. */
void syscall_dispatch(struct trapframe *tf);
/* kern/proc: the same for a traced thread. */
void ptrace_syscall(struct trapframe *tf);
/* kern/proc: run before each return to user mode with irqs on: signals, exit, reschedule. */
void return_to_user(struct trapframe *tf);
/* kern/proc: an exception in user mode: deliver the signal that Linux would. addr: cr2 for a page fault, else
 * rip. */
void proc_fault(struct trapframe *tf, int signo, uint64_t addr);
/* kern/proc: memory for the program's page was refused. True: try the access again; false: the program has to
 * end, and knows. Process context; may sleep. */
bool proc_memory_out(void);
/* entry.S: leave the kernel with these registers; used by a new thread's first run. */
_Noreturn void trap_return(struct trapframe *tf);

/* An instruction that may fault on a user address and where to go on then: entries in section .extable, made
 * with EXTABLE(from, to) in assembly (kern/mm/usercopy_moves.S). */
struct extable_entry {
    uint64_t from, to;
};
