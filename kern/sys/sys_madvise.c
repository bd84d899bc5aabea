/* kern/sys/sys_madvise.c - system calls that tell or ask about memory that is mapped: madvise, msync,
 * mincore, mlock. Nothing is ever swapped out, so what is locked is what is there. */
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/mman.h"

static int fork_advice(struct vm_space *vm, uint64_t address, size_t length, int advice)
{
    uint32_t what = advice == MADV_DONTFORK ? VM_DONT_FORK : advice == MADV_WIPEONFORK ? VM_WIPE_ON_FORK : 0;

    if (advice == MADV_WIPEONFORK && !vm_is_private(vm, address, length))
        return -EINVAL;
    return vm_set_fork(vm, address, length, what);
}

/* Pages that may be freed any time are freed now. */
static int free_advice(struct vm_space *vm, uint64_t address, size_t length)
{
    return vm_is_private(vm, address, length) ? vm_discard(vm, address, length) : -EINVAL;
}

/* Most advice may be ignored; of some, programs rely on what it does. */
static int advise(struct vm_space *vm, uint64_t address, size_t length, int advice)
{
    switch (advice) {
    case MADV_DONTNEED:
        return vm_discard(vm, address, length);
    case MADV_FREE:
        return free_advice(vm, address, length);
    case MADV_REMOVE:
        return vm_punch(vm, address, length);
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
        return fork_advice(vm, address, length, advice);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return vm_populate(vm, address, length);
    default:
        return vm_is_mapped(vm, address, length) ? 0 : -ENOMEM;
    }
}

static bool is_advice_known(int advice)
{
    return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) ||
           (advice >= MADV_FREE && advice <= MADV_POPULATE_WRITE);
}

SYSCALL_DEFINE3(madvise, uint64_t, address, size_t, length, int, advice)
{
    if (address % PAGE_SIZE || !is_advice_known(advice))
        return -EINVAL;
    if (!length)
        return 0;
    if (length > UINT64_MAX - PAGE_SIZE - address)
        return -EINVAL; /* the end is before the start */
    if (!is_user_range(address, &length))
        return -ENOMEM;
    return advise(current_process()->vm, address, length, advice);
}

/* Files and their mappings are the same pages, and there is no disk: nothing is left to be written. */
SYSCALL_DEFINE3(msync, uint64_t, address, size_t, length, int, flags)
{
    bool both = (flags & MS_SYNC) && (flags & MS_ASYNC);

    if (address % PAGE_SIZE || both || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)))
        return -EINVAL;
    if (!length)
        return 0;
    if (!is_user_range(address, &length))
        return -ENOMEM;
    return vm_is_mapped(current_process()->vm, address, length) ? 0 : -ENOMEM;
}

/* A byte a page, some at a time. */
SYSCALL_DEFINE3(mincore, uint64_t, address, size_t, length, uintptr_t, user_vec)
{
    uint8_t there[256];
    int err = 0;

    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!is_user_range(address, &length))
        return -ENOMEM;
    for (size_t left = length / PAGE_SIZE; left && !err;) {
        unsigned n = (unsigned)MIN(left, sizeof there);
        err = vm_residency(current_process()->vm, address, n, there);
        if (!err)
            err = copy_to_user(user_vec, there, n);
        left -= n;
        address += (uint64_t)n * PAGE_SIZE;
        user_vec += n;
    }
    return err;
}

/* Whole pages that [address, address + length) touches. */
static bool pages_of(uint64_t *address, size_t *length)
{
    *length += *address % PAGE_SIZE;
    *address = ROUND_DOWN(*address, (uint64_t)PAGE_SIZE);
    return is_user_range(*address, length);
}

static int lock_pages(uint64_t address, size_t length, bool now)
{
    struct vm_space *vm = current_process()->vm;
    int err;

    if (!pages_of(&address, &length))
        return -ENOMEM;
    if (!length)
        return 0;
    if (!now)
        return vm_is_mapped(vm, address, length) ? 0 : -ENOMEM;
    err = vm_populate(vm, address, length);
    return err ? -ENOMEM : 0;
}

SYSCALL_DEFINE2(mlock, uint64_t, address, size_t, length)
{
    return lock_pages(address, length, true);
}

SYSCALL_DEFINE3(mlock2, uint64_t, address, size_t, length, int, flags)
{
    return flags & ~MLOCK_ONFAULT ? -EINVAL : lock_pages(address, length, !(flags & MLOCK_ONFAULT));
}

SYSCALL_DEFINE2(munlock, uint64_t, address, size_t, length)
{
    return lock_pages(address, length, false);
}

SYSCALL_DEFINE1(mlockall, int, flags)
{
    const int known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;

    return !flags || (flags & ~known) || flags == MCL_ONFAULT ? -EINVAL : 0;
}

SYSCALL_DEFINE0(munlockall)
{
    return 0;
}
