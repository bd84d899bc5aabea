/* kern/sys/sys_thread.c - system calls of threads: futexes, thread-local storage, scheduling. */
#include "kern/cpu/cpu.h"
#include "kern/mm/vm.h"
#include "kern/proc/futex.h"
#include "kern/proc/process.h"
#include "kern/sys/sys_user.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/system.h"
#include "lib/string.h"

enum { MSR_FS_BASE = (int)0xc0000100 };

SYSCALL_DEFINE1(set_tid_address, uintptr_t, address)
{
    current_task()->clear_child_tid = address;
    return current_task()->tid;
}

SYSCALL_DEFINE2(set_robust_list, uintptr_t, head, size_t, size)
{
    if (size != ROBUST_HEAD_SIZE)
        return -EINVAL;
    current_task()->robust_list = head;
    return 0;
}

SYSCALL_DEFINE3(get_robust_list, int, tid, uintptr_t, user_head, uintptr_t, user_size)
{
    uint64_t size = ROBUST_HEAD_SIZE, flags = spin_lock(&process_lock);
    struct task *t = tid ? task_find_any_locked(tid) : current_task();
    int err = !t ? -ESRCH : process_may_inspect(t->process) ? 0 : -EPERM;
    uint64_t head = err ? 0 : t->robust_list;

    spin_unlock(&process_lock, flags);
    if (err)
        return err;
    return copy_to_user(user_size, &size, sizeof size) || copy_to_user(user_head, &head, sizeof head)
               ? -EFAULT
               : 0;
}

SYSCALL_DEFINE2(arch_prctl, int, code, uintptr_t, address)
{
    switch (code) {
    case ARCH_SET_FS:
        if (address >= USER_TOP)
            return -EPERM;
        current_thread()->fs_base = address;
        wrmsr((uint32_t)MSR_FS_BASE, address);
        return 0;
    case ARCH_GET_FS: {
        uint64_t base = rdmsr((uint32_t)MSR_FS_BASE);
        return copy_to_user(address, &base, sizeof base);
    }
    default:
        return -EINVAL;
    }
}

/* FUTEX_WAIT's time-out is relative, FUTEX_WAIT_BITSET's absolute. TIME_NEVER without one. */
static int futex_deadline(int op, uintptr_t timeout, uint64_t *deadline)
{
    uint64_t ns, now;
    int err;

    *deadline = TIME_NEVER;
    if (!timeout)
        return 0;
    err = timespec_from_user(timeout, &ns);
    if (err)
        return err;
    now = op & FUTEX_CLOCK_REALTIME ? time_wall() : time_now();
    if ((op & 0x7f) == FUTEX_WAIT_BITSET)
        ns = ns > now ? ns - now : 0;
    *deadline = deadline_after(ns);
    return 0;
}

static int64_t futex_sleep(uintptr_t addr, int op, uint32_t value, uintptr_t timeout, uint32_t bits)
{
    uint64_t deadline;
    int err = futex_deadline(op, timeout, &deadline);

    return err ? err : futex_wait(addr, op & FUTEX_PRIVATE_FLAG, value, bits, deadline);
}

static int64_t futex_compare_requeue(uintptr_t addr, uintptr_t target, bool private, uint32_t n, uint32_t max,
                                     uint32_t expected)
{
    uint32_t now;

    if (copy_from_user(&now, addr, sizeof now))
        return -EFAULT;
    return now == expected ? futex_requeue(addr, target, private, n, max) : -EAGAIN;
}

/* How many are woken and how many moved are signed numbers. */
static bool are_counts_sound(uint32_t n, uintptr_t max)
{
    return (int32_t)n >= 0 && (int32_t)max >= 0;
}

SYSCALL_DEFINE6(futex, uintptr_t, addr, int, op, uint32_t, value, uintptr_t, timeout, uintptr_t, addr2,
                uint32_t, value3)
{
    struct vm_space *vm = current_process()->vm;
    bool private = op & FUTEX_PRIVATE_FLAG;

    if (addr % sizeof(uint32_t) || addr >= USER_TOP)
        return addr >= USER_TOP ? -EFAULT : -EINVAL;
    switch (op & 0x7f) {
    case FUTEX_WAIT:
        return futex_sleep(addr, op, value, timeout, UINT32_MAX);
    case FUTEX_WAIT_BITSET:
        return futex_sleep(addr, op, value, timeout, value3);
    case FUTEX_WAKE:
        return futex_wake(vm, addr, private, value, UINT32_MAX);
    case FUTEX_WAKE_BITSET:
        return value3 ? futex_wake(vm, addr, private, value, value3) : -EINVAL;
    case FUTEX_REQUEUE:
        if (!are_counts_sound(value, timeout))
            return -EINVAL;
        return futex_requeue(addr, addr2, private, value, (uint32_t)timeout);
    case FUTEX_WAKE_OP:
        return futex_wake_op(addr, addr2, private, value, (uint32_t)timeout, value3);
    case FUTEX_CMP_REQUEUE:
        if (!are_counts_sound(value, timeout))
            return -EINVAL;
        return futex_compare_requeue(addr, addr2, private, value, (uint32_t)timeout, value3);
    default:
        return -ENOSYS;
    }
}

/* A thread's name; the first thread's is the process's. */
static int64_t set_name(uintptr_t user)
{
    char name[sizeof current_task()->comm] = "";
    int64_t n = copy_string_from_user(name, user, sizeof name);

    if (n == -EFAULT)
        return n;
    name[sizeof name - 1] = 0; /* a longer one is cut */
    return process_rename(current_process(), current_task()->tid, name);
}

static int64_t set_parent_death_signal(uintptr_t signo)
{
    if (signo > NSIG)
        return -EINVAL;
    WRITE_ONCE(current_process()->parent_death_signal, (int)signo);
    return 0;
}

SYSCALL_DEFINE5(prctl, int, option, uint64_t, arg, uint64_t, arg2, uint64_t, arg3, uint64_t, arg4)
{
    int64_t result = prctl_user(option, arg, arg2, arg3, arg4);

    if (result != -ENOSYS)
        return result;
    switch (option) {
    case PR_SET_PDEATHSIG:
        return set_parent_death_signal(arg);
    case PR_GET_PDEATHSIG:
        return copy_to_user(arg, &current_process()->parent_death_signal, sizeof(int));
    case PR_SET_NAME:
        return set_name(arg);
    case PR_GET_NAME:
        return copy_to_user(arg, current_task()->comm, sizeof current_task()->comm);
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE: /* there are no core dumps */
        return 0;
    default:
        return -EINVAL;
    }
}

/* What a program may ask for is what it has: Linux's own ways, and addresses that are not chosen by chance.
 */
SYSCALL_DEFINE1(personality, uint32_t, persona)
{
    struct process *p = current_process();
    uint32_t old = p->personality;

    if (persona == UINT32_MAX)
        return old;
    if (persona & ~(uint32_t)ADDR_NO_RANDOMIZE)
        return -EINVAL;
    p->personality = persona;
    return old;
}

enum {
    MEMBARRIER_QUERY = 0,
    MEMBARRIER_GLOBAL = 1,
    MEMBARRIER_PRIVATE = 8,
    MEMBARRIER_REGISTER_PRIVATE = 16
};

/* All CPUs pass a barrier: each takes an interrupt that flushes a translation nobody has (membarrier(2)). */
static int64_t barrier_everywhere(void)
{
    tlb_shootdown(PAGE_SIZE, 2 * PAGE_SIZE);
    return 0;
}

SYSCALL_DEFINE3(membarrier, int, command, unsigned, flags, int, cpu)
{
    struct process *p = current_process();

    (void)cpu;
    if (flags)
        return -EINVAL;
    switch (command) {
    case MEMBARRIER_QUERY:
        return MEMBARRIER_GLOBAL | MEMBARRIER_PRIVATE | MEMBARRIER_REGISTER_PRIVATE;
    case MEMBARRIER_REGISTER_PRIVATE:
        p->membarrier = true;
        return 0;
    case MEMBARRIER_PRIVATE:
        return p->membarrier ? barrier_everywhere() : -EPERM;
    case MEMBARRIER_GLOBAL:
        return barrier_everywhere();
    default:
        return -EINVAL;
    }
}
