/* kern/sys/sys_mem.c - system calls on memory: brk, mmap, munmap, mprotect.
 * A private mapping of a file shows its pages until it writes to them; a shared one, to the end. Memory that
 * processes share is a file without a name. */
#include "kern/fs/files.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/mm.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/kernel_knobs.h"
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
    if ((fixed || only_there) && address > USER_TOP - length)
        return -ENOMEM;
    address = ROUND_DOWN(address, (uint64_t)PAGE_SIZE);
    at = vm_map_object(vm, address, length, prot, fixed, view);
    if (at < 0 && at != -ENOMEM && at != -EOVERFLOW && address && !fixed && !only_there)
        at = vm_map_object(vm, 0, length, prot, false, view);
    return at;
}

/* Bring the pages in at once, if asked; what does not come now comes at first touch. */
static int64_t populate(int64_t at, size_t length, int flags)
{
    if (at > 0 && (flags & (MAP_POPULATE | MAP_LOCKED)) && !(flags & MAP_NONBLOCK))
        (void)!vm_populate(current_process()->vm, (uint64_t)at, ROUND_UP(length, (size_t)PAGE_SIZE));
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

/* A sealed file is shown to be read; asked for more, the object itself refuses. */
static bool has_no_writers(const struct vm_object *o, int prot)
{
    return READ_ONCE(o->no_writers) && !(prot & PROT_WRITE);
}

/* A shared mapping may write only what the descriptor may. */
static int64_t map_file(struct file *f, uint64_t address, size_t length, int prot, int flags, uint64_t offset)
{
    uint32_t rights = vm_prot(prot);

    if ((f->flags & O_ACCMODE) == O_WRONLY)
        return -EACCES;
    if (is_shared(flags) && (prot & PROT_WRITE) && !file_may_write(f))
        return -EACCES;
    struct vm_object *o = file_object(f);
    if (!o)
        return -ENODEV;
    if (is_shared(flags))
        rights |= VM_SHARED | (file_may_write(f) && !has_no_writers(o, prot) ? 0 : VM_NEVER_WRITE);
    int64_t at = map_region(address, length, rights, flags, (struct vm_view){ o, offset });
    o->ops->put(o);
    return at;
}

/* More private memory to write to than the machine has? (proc(5), overcommit_memory 0) */
static bool is_overcommit(uint64_t length, int prot, int flags)
{
    const uint64_t surely_there = 1 << 20;
    struct mm_stats mm;

    if (length <= surely_there || !(prot & PROT_WRITE) || !(flags & MAP_PRIVATE) || flags & MAP_NORESERVE ||
        READ_ONCE(kernel_knobs.overcommit))
        return false;
    mm_get_stats(&mm);
    return length > mm.total * PAGE_SIZE;
}

SYSCALL_DEFINE6(mmap, uint64_t, address, size_t, length, int, prot, int, flags, int, fd, uint64_t, offset)
{
    struct file *f;
    int64_t at;

    if (!length || offset % PAGE_SIZE || !is_type_known(flags))
        return -EINVAL;
    if (length > USER_TOP || is_overcommit(length, prot, flags))
        return -ENOMEM;
    if (flags & MAP_ANONYMOUS)
        return populate(map_anonymous(address, length, prot, flags), length, flags);
    f = fd_get(fd);
    if (!f)
        return -EBADF;
    at = f->flags & O_PATH ? -EBADF : map_file(f, address, length, prot, flags, offset);
    file_put(f);
    return populate(at, length, flags);
}

SYSCALL_DEFINE2(munmap, uint64_t, address, size_t, length)
{
    if (address % PAGE_SIZE || !length || !is_user_range(address, &length))
        return -EINVAL;
    return vm_unmap(current_process()->vm, address, length);
}

static bool are_remap_flags_sound(int flags, bool same_length)
{
    const int known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

    if ((flags & ~known) || ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE)))
        return false;
    return same_length || !(flags & MREMAP_DONTUNMAP);
}

SYSCALL_DEFINE5(mremap, uint64_t, old, size_t, old_length, size_t, new_length, int, flags, uint64_t, to)
{
    struct vm_remap q = { .old = old,
                          .old_len = ROUND_UP(old_length, (size_t)PAGE_SIZE),
                          .new_len = ROUND_UP(new_length, (size_t)PAGE_SIZE),
                          .to = flags & MREMAP_FIXED ? to : 0,
                          .may_move = flags & MREMAP_MAYMOVE,
                          .keep_old = flags & MREMAP_DONTUNMAP };

    if (!are_remap_flags_sound(flags, q.old_len == q.new_len) || old % PAGE_SIZE || !q.new_len)
        return -EINVAL;
    if ((flags & MREMAP_FIXED) && (to % PAGE_SIZE || !to))
        return to ? -EINVAL : -EPERM;
    return vm_remap(current_process()->vm, q);
}

SYSCALL_DEFINE3(mprotect, uint64_t, address, size_t, length, int, prot)
{
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!length)
        return 0;
    if (!is_user_range(address, &length))
        return -ENOMEM;
    if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    return vm_protect(current_process()->vm, address, length, vm_prot(prot));
}
