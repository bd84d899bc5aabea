/* kern/sys/sys_madvise.c - system calls that tell or ask about memory that is mapped: madvise, msync. */
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/mman.h"

/* Advice may be ignored, but for MADV_DONTNEED: programs rely on the pages reading as zero afterwards. */
SYSCALL_DEFINE3(madvise, uint64_t, address, size_t, length, int, advice)
{
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!length)
        return 0;
    if (!is_user_range(address, &length))
        return -ENOMEM;
    return advice == MADV_DONTNEED ? vm_discard(current_process()->vm, address, length) : 0;
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
