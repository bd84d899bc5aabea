/* kern/sys/sys_mem.c - system calls on memory: brk, mmap, munmap, mprotect.
 * Memory is private: a mapping of a file is a copy of it, taken page by page when written; what would have to
 * be shared is refused. */
#include "kern/fs/files.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/mman.h"

SYSCALL_DEFINE1(brk, uint64_t, address)
{
    return (int64_t)vm_brk(current_process()->vm, address);
}

static uint32_t vm_prot(int prot)
{
    return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
           (prot & PROT_EXEC ? VM_EXEC : 0);
}

/* Where the caller wants it; a mere wish that cannot be granted goes anywhere. */
static int64_t map_region(uint64_t address, size_t length, int prot, int flags)
{
    struct vm_space *vm = current_process()->vm;
    bool fixed = flags & MAP_FIXED, only_there = flags & MAP_FIXED_NOREPLACE;
    int64_t at;

    if ((fixed || only_there) && (address % PAGE_SIZE || !address))
        return address ? -EINVAL : -EPERM;
    address = ROUND_DOWN(address, (uint64_t)PAGE_SIZE);
    at = vm_map(vm, address, length, vm_prot(prot), fixed);
    if (at < 0 && at != -ENOMEM && address && !fixed && !only_there)
        at = vm_map(vm, 0, length, vm_prot(prot), false);
    return at;
}

static int64_t map_file(struct file *f, uint64_t address, size_t length, int prot, int flags, uint64_t offset)
{
    int64_t at;
    int err;

    if (!f->inode || f->ops->mode || !f->ops->seekable)
        return -ENODEV;
    if ((f->flags & O_ACCMODE) == O_WRONLY || (f->flags & O_PATH))
        return -EACCES;
    if ((flags & MAP_TYPE) != MAP_PRIVATE && (prot & PROT_WRITE))
        return -ENODEV; /* shared and writable */
    at = map_region(address, length, prot, flags);
    if (at < 0)
        return at;
    err = file_map_private(f, offset, length, current_process()->vm, (uint64_t)at);
    if (err)
        vm_unmap(current_process()->vm, (uint64_t)at, ROUND_UP(length, (size_t)PAGE_SIZE));
    return err ? err : at;
}

SYSCALL_DEFINE6(mmap, uint64_t, address, size_t, length, int, prot, int, flags, int, fd, uint64_t, offset)
{
    struct file *f;
    int64_t at;

    if (!length || offset % PAGE_SIZE || !(flags & (MAP_PRIVATE | MAP_SHARED)))
        return -EINVAL;
    if (length > USER_TOP)
        return -ENOMEM;
    if (flags & MAP_ANONYMOUS)
        return flags & MAP_PRIVATE ? map_region(address, length, prot, flags) : -ENODEV;
    f = fd_get(fd);
    if (!f)
        return -EBADF;
    at = map_file(f, address, length, prot, flags, offset);
    file_put(f);
    return at;
}

/* Is [address, address + length) the user's? length is rounded up to pages. */
static bool user_range(uint64_t address, size_t *length)
{
    if (address >= USER_TOP || *length > USER_TOP - address)
        return false;
    *length = ROUND_UP(*length, (size_t)PAGE_SIZE);
    return true;
}

SYSCALL_DEFINE2(munmap, uint64_t, address, size_t, length)
{
    if (address % PAGE_SIZE || !length || !user_range(address, &length))
        return -EINVAL;
    return vm_unmap(current_process()->vm, address, length);
}

SYSCALL_DEFINE3(mprotect, uint64_t, address, size_t, length, int, prot)
{
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!length)
        return 0;
    if (!user_range(address, &length))
        return -ENOMEM;
    return vm_protect(current_process()->vm, address, length, vm_prot(prot));
}

/* Advice may be ignored, but for MADV_DONTNEED: programs rely on the pages reading as zero afterwards. */
SYSCALL_DEFINE3(madvise, uint64_t, address, size_t, length, int, advice)
{
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!length)
        return 0;
    if (!user_range(address, &length))
        return -ENOMEM;
    return advice == MADV_DONTNEED ? vm_discard(current_process()->vm, address, length) : 0;
}
