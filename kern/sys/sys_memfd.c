/* kern/sys/sys_memfd.c - files without a name: memfd_create, and the seals on them. */
#include "kern/fs/files.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/sys_fcntl.h"
#include "kern/sys/syscall.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/mman.h"

enum { MEMFD_NAME_MAX = 249 };

/* The file shows no path, so the name is looked at and forgotten. */
static int check_name(uintptr_t user)
{
    char name[MEMFD_NAME_MAX + 1];
    int64_t n = copy_string_from_user(name, user, sizeof name);

    return n == -ENAMETOOLONG ? -EINVAL : n < 0 ? (int)n : 0;
}

SYSCALL_DEFINE2(memfd_create, uintptr_t, name, unsigned, flags)
{
    struct inode *inode;
    struct file *f;
    int err;

    if (flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    err = check_name(name);
    if (err)
        return err;
    inode = ramfs_unnamed(0777, 0);
    if (!inode)
        return -ENOMEM;
    if (flags & MFD_ALLOW_SEALING)
        ramfs_data_of(inode)->seals = 0;
    err = file_open_inode(inode, O_RDWR | O_LARGEFILE, &f);
    inode_put(inode);
    return err ? err : fd_install(f, 0, flags & MFD_CLOEXEC);
}

int64_t fcntl_seals(struct file *f, int cmd, uint64_t arg)
{
    struct inode *inode = f->inode;

    if (!inode || !ramfs_object(inode) || !ramfs_data_of(inode)->sealable)
        return -EINVAL;
    if (cmd == F_GET_SEALS)
        return READ_ONCE(ramfs_data_of(inode)->seals);
    return file_may_write(f) ? ramfile_add_seals(inode, (uint32_t)arg) : -EPERM;
}
