/* kern/sys/sys_mem.c - system calls on memory: brk, mmap, munmap, mprotect.
 * A private mapping of a file shows its pages until it writes to them; a shared one, to the end. Memory that
 * processes share is a file without a name. */
#include "kern/fs/files.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
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

static bool is_shared(int flags)
{
    return (flags & MAP_TYPE) != MAP_PRIVATE;
}

static bool is_type_known(int flags)
{
    int type = flags & MAP_TYPE;

    return type == MAP_PRIVATE || type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
}

/* Where the caller wants it; a mere wish that cannot be granted goes anywhere. */
static int64_t map_region(uint64_t address, size_t length, uint32_t prot, int flags, struct vm_view view)
{
    struct vm_space *vm = current_process()->vm;
    bool fixed = flags & MAP_FIXED, only_there = flags & MAP_FIXED_NOREPLACE;
    int64_t at;

    if ((fixed || only_there) && (address % PAGE_SIZE || !address))
        return address ? -EINVAL : -EPERM;
    address = ROUND_DOWN(address, (uint64_t)PAGE_SIZE);
    at = vm_map_object(vm, address, length, prot, fixed, view);
    if (at < 0 && at != -ENOMEM && at != -EOVERFLOW && address && !fixed && !only_there)
        at = vm_map_object(vm, 0, length, prot, false, view);
    return at;
}

static int64_t map_anonymous(uint64_t address, size_t length, int prot, int flags)
{
    struct inode *unnamed;
    int64_t at;

    if (!is_shared(flags))
        return map_region(address, length, vm_prot(prot), flags, (struct vm_view){ 0 });
    unnamed = ramfs_unnamed(0777, length);
    if (!unnamed)
        return -ENOMEM;
    at = map_region(address, length, vm_prot(prot) | VM_SHARED, flags,
                    (struct vm_view){ ramfs_object(unnamed), 0 });
    inode_put(unnamed);
    return at;
}

/* A shared mapping may write only what the descriptor may. */
static int64_t map_file(struct file *f, uint64_t address, size_t length, int prot, int flags, uint64_t offset)
{
    struct vm_object *o = f->ops->object ? f->ops->object(f) : NULL;
    uint32_t rights = vm_prot(prot);

    if ((f->flags & O_ACCMODE) == O_WRONLY)
        return -EACCES;
    if (is_shared(flags) && (prot & PROT_WRITE) && !file_may_write(f))
        return -EACCES;
    if (!o)
        return -ENODEV;
    if (is_shared(flags))
        rights |= VM_SHARED | (file_may_write(f) ? 0 : VM_NEVER_WRITE);
    return map_region(address, length, rights, flags, (struct vm_view){ o, offset });
}

SYSCALL_DEFINE6(mmap, uint64_t, address, size_t, length, int, prot, int, flags, int, fd, uint64_t, offset)
{
    struct file *f;
    int64_t at;

    if (!length || offset % PAGE_SIZE || !is_type_known(flags))
        return -EINVAL;
    if (length > USER_TOP)
        return -ENOMEM;
    if (flags & MAP_ANONYMOUS)
        return map_anonymous(address, length, prot, flags);
    f = fd_get(fd);
    if (!f)
        return -EBADF;
    at = f->flags & O_PATH ? -EBADF : map_file(f, address, length, prot, flags, offset);
    file_put(f);
    return at;
}

SYSCALL_DEFINE2(munmap, uint64_t, address, size_t, length)
{
    if (address % PAGE_SIZE || !length || !is_user_range(address, &length))
        return -EINVAL;
    return vm_unmap(current_process()->vm, address, length);
}

SYSCALL_DEFINE3(mprotect, uint64_t, address, size_t, length, int, prot)
{
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!length)
        return 0;
    if (!is_user_range(address, &length))
        return -ENOMEM;
    return vm_protect(current_process()->vm, address, length, vm_prot(prot));
}
