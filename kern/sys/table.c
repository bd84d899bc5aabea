/* kern/sys/table.c - from a number to the function: the one table of system calls, and the way in. */
#include "kern/sys/table.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"

enum { NUMBERS = 512 };

#define SYSCALL(number, name, n_args, restart) int64_t sys_##name(const struct syscall_args *args);
SYSCALLS(SYSCALL)
#undef SYSCALL

const struct syscall syscall_table[] = {
#define SYSCALL(number, name, n_args, restart) [number] = { #name, sys_##name, n_args, restart },
    SYSCALLS(SYSCALL)
#undef SYSCALL
};
const unsigned syscall_count = ARRAY_SIZE(syscall_table);

static const struct syscall *find(uint64_t nr)
{
    return nr < syscall_count && syscall_table[nr].fn ? &syscall_table[nr] : NULL;
}

enum syscall_restart syscall_restart_of(uint64_t nr)
{
    const struct syscall *call = find(nr);

    return call ? call->restart : ONCE;
}

/* One line in the log for each number that is not there, the first time somebody calls it. */
static void log_unknown(uint64_t nr)
{
    static uint64_t seen[NUMBERS / 64];
    uint64_t number = MIN(nr, (uint64_t)NUMBERS - 1), bit = 1ull << (number % 64);

    if (__atomic_fetch_or(&seen[number / 64], bit, __ATOMIC_RELAXED) & bit)
        return;
    klog(LOG_INFO, "%s[%d]: system call %llu is not there", current_process()->comm, current_process()->pid,
         (unsigned long long)nr);
}

void syscall_dispatch(struct trapframe *tf)
{
    const struct syscall_args args = { { tf->rdi, tf->rsi, tf->rdx, tf->r10, tf->r8, tf->r9 } };
    const struct syscall *call = find(tf->rax);

    if (!call) {
        log_unknown(tf->rax);
        tf->rax = (uint64_t)-ENOSYS;
        return;
    }
    tf->rax = (uint64_t)call->fn(&args);
}
