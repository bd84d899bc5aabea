/* kern/sys/sys_dir.c - system calls on names: links, directories, the current one. */
#include "kern/fs/devfs.h"
#include "kern/fs/files.h"
#include "kern/fs/permission.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { GETDENTS_MOST = 32768 };

/* ---- making and removing names ---- */

static int64_t mkdir_at(int dirfd, uintptr_t path, uint32_t mode)
{
    struct path p;
    int err = walk_user_path(dirfd, path, WALK_PARENT | WALK_ENTRY, &p);

    if (err)
        return err;
    mode = S_IFDIR | (mode & 07777 & ~current_process()->umask);
    if (p.inode)
        err = -EEXIST;
    else
        err = path_may_create(&p);
    if (!err)
        err = p.dir->ops->create ? p.dir->ops->create(p.dir, p.name, mode, NULL) : -EPERM;
    path_put(&p);
    return err;
}

SYSCALL_DEFINE2(mkdir, uintptr_t, path, uint32_t, mode)
{
    return mkdir_at(AT_FDCWD, path, mode);
}

SYSCALL_DEFINE3(mkdirat, int, dirfd, uintptr_t, path, uint32_t, mode)
{
    return mkdir_at(dirfd, path, mode);
}

/* ---- nodes that are no directories ---- */

/* 0, -EPERM (directories are mkdir's), -EINVAL (no such type). */
static int check_node_type(uint32_t type)
{
    switch (type) {
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    default:
        return type == S_IFDIR ? -EPERM : -EINVAL;
    }
}

static int make_node(struct path *p, uint32_t mode, uint32_t rdev)
{
    struct inode *made;
    int err;

    if (p->inode)
        return -EEXIST;
    if (p->slash)
        return -ENOENT;
    if ((S_ISCHR(mode) || (mode & S_IFMT) == S_IFBLK) && !capable(CAP_MKNOD))
        return -EPERM;
    err = path_may_create(p);
    if (!err)
        err = p->dir->ops->create ? p->dir->ops->create(p->dir, p->name, mode, &made) : -EPERM;
    if (err)
        return err;
    if (S_ISCHR(mode) || (mode & S_IFMT) == S_IFBLK)
        made->rdev = rdev;
    if (S_ISCHR(mode))
        made->fops = devfs_find(rdev); /* NULL: opening it says ENXIO */
    inode_put(made);
    return 0;
}

static int64_t mknod_at(int dirfd, uintptr_t path, uint32_t mode, uint32_t rdev)
{
    uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
    struct path p;
    int err = check_node_type(type);

    if (!err)
        err = walk_user_path(dirfd, path, WALK_PARENT | WALK_ENTRY, &p);
    if (err)
        return err;
    err = make_node(&p, type | (mode & 07777 & ~current_process()->umask), rdev);
    path_put(&p);
    return err;
}

SYSCALL_DEFINE3(mknod, uintptr_t, path, uint32_t, mode, uint32_t, rdev)
{
    return mknod_at(AT_FDCWD, path, mode, rdev);
}

SYSCALL_DEFINE4(mknodat, int, dirfd, uintptr_t, path, uint32_t, mode, uint32_t, rdev)
{
    return mknod_at(dirfd, path, mode, rdev);
}

static bool is_dot(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static int64_t unlink_at(int dirfd, uintptr_t path, bool directory)
{
    struct path p;
    int err = walk_user_path(dirfd, path, WALK_ENTRY, &p);

    if (err)
        return err;
    if (is_dot(p.name))
        err = !directory ? -EISDIR : p.inode == fs_root ? -EBUSY : p.name[1] ? -ENOTEMPTY : -EINVAL;
    else
        err = path_may_remove(&p);
    if (!err)
        err = p.dir->ops->unlink ? p.dir->ops->unlink(p.dir, p.name, directory) : -EPERM;
    path_put(&p);
    return err;
}

SYSCALL_DEFINE1(unlink, uintptr_t, path)
{
    return unlink_at(AT_FDCWD, path, false);
}

SYSCALL_DEFINE1(rmdir, uintptr_t, path)
{
    return unlink_at(AT_FDCWD, path, true);
}

SYSCALL_DEFINE3(unlinkat, int, dirfd, uintptr_t, path, int, flags)
{
    return flags & ~AT_REMOVEDIR ? -EINVAL : unlink_at(dirfd, path, flags & AT_REMOVEDIR);
}

static int rename_walked(struct path *from, struct path *to)
{
    int err;

    if (is_dot(from->name) || is_dot(to->name))
        return -EBUSY;
    if (!S_ISDIR(from->inode->mode) && (from->slash || to->slash))
        return -ENOTDIR;
    err = path_may_remove(from);
    if (!err)
        err = to->inode ? path_may_remove(to) : path_may_create(to);
    if (!err && S_ISDIR(from->inode->mode) && from->dir != to->dir)
        err = inode_permission(from->inode, MAY_WRITE); /* its ".." changes */
    if (err)
        return err;
    if (!from->dir->ops->rename)
        return -EPERM;
    return from->dir->ops->rename(from->dir, from->name, to->dir, to->name);
}

static int64_t rename_at(int old_dirfd, uintptr_t old, int new_dirfd, uintptr_t new)
{
    struct path from, to;
    int err = walk_user_path(old_dirfd, old, WALK_ENTRY, &from);

    if (err)
        return err;
    err = walk_user_path(new_dirfd, new, WALK_PARENT | WALK_ENTRY, &to);
    if (!err) {
        err = rename_walked(&from, &to);
        path_put(&to);
    }
    path_put(&from);
    return err;
}

SYSCALL_DEFINE2(rename, uintptr_t, old, uintptr_t, new)
{
    return rename_at(AT_FDCWD, old, AT_FDCWD, new);
}

SYSCALL_DEFINE4(renameat, int, old_dirfd, uintptr_t, old, int, new_dirfd, uintptr_t, new)
{
    return rename_at(old_dirfd, old, new_dirfd, new);
}

SYSCALL_DEFINE5(renameat2, int, old_dirfd, uintptr_t, old, int, new_dirfd, uintptr_t, new, unsigned, flags)
{
    return flags ? -EINVAL : rename_at(old_dirfd, old, new_dirfd, new);
}

static int link_walked(struct path *from, struct path *to)
{
    int err = to->inode ? -EEXIST : to->slash ? -ENOENT : path_may_create(to);

    if (err)
        return err;
    return to->dir->ops->link ? to->dir->ops->link(to->dir, to->name, from->inode) : -EPERM;
}

static int64_t link_at(int old_dirfd, uintptr_t old, int new_dirfd, uintptr_t new, int flags)
{
    struct path from, to;
    int walk = walk_of_flags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH);
    int err = walk < 0 ? walk : walk_user_path(old_dirfd, old, (unsigned)walk, &from);

    if (err)
        return err;
    err = walk_user_path(new_dirfd, new, WALK_PARENT | WALK_ENTRY, &to);
    if (!err) {
        err = link_walked(&from, &to);
        path_put(&to);
    }
    path_put(&from);
    return err;
}

SYSCALL_DEFINE2(link, uintptr_t, old, uintptr_t, new)
{
    return link_at(AT_FDCWD, old, AT_FDCWD, new, 0);
}

SYSCALL_DEFINE5(linkat, int, old_dirfd, uintptr_t, old, int, new_dirfd, uintptr_t, new, int, flags)
{
    return link_at(old_dirfd, old, new_dirfd, new, flags);
}

static int64_t symlink_at(uintptr_t target, int dirfd, uintptr_t path)
{
    struct path p;
    char *text;
    int err = path_from_user(target, &text);

    if (err)
        return err;
    err = *text ? walk_user_path(dirfd, path, WALK_PARENT | WALK_ENTRY, &p) : -ENOENT;
    if (!err) {
        err = p.inode ? -EEXIST : p.slash ? -ENOENT : path_may_create(&p);
        if (!err)
            err = p.dir->ops->symlink ? p.dir->ops->symlink(p.dir, p.name, text) : -EPERM;
        path_put(&p);
    }
    kfree(text);
    return err;
}

SYSCALL_DEFINE2(symlink, uintptr_t, target, uintptr_t, path)
{
    return symlink_at(target, AT_FDCWD, path);
}

SYSCALL_DEFINE3(symlinkat, uintptr_t, target, int, dirfd, uintptr_t, path)
{
    return symlink_at(target, dirfd, path);
}

static int64_t read_link(struct inode *inode, uintptr_t buf, size_t size)
{
    size_t room = MIN(size, (size_t)PATH_MAX);
    char *text;
    int64_t n;

    if (!S_ISLNK(inode->mode) || !size)
        return -EINVAL;
    text = kmalloc(room);
    if (!text)
        return -ENOMEM;
    n = inode->ops->readlink(inode, text, room);
    if (n > 0 && copy_to_user(buf, text, (size_t)n))
        n = -EFAULT;
    kfree(text);
    return n;
}

static int64_t readlink_at(int dirfd, uintptr_t path, uintptr_t buf, size_t size)
{
    struct path p;
    int64_t n = walk_user_path(dirfd, path, 0, &p);

    if (n)
        return n;
    n = read_link(p.inode, buf, size);
    path_put(&p);
    return n;
}

SYSCALL_DEFINE3(readlink, uintptr_t, path, uintptr_t, buf, int, size)
{
    return size <= 0 ? -EINVAL : readlink_at(AT_FDCWD, path, buf, (size_t)size);
}

SYSCALL_DEFINE4(readlinkat, int, dirfd, uintptr_t, path, uintptr_t, buf, int, size)
{
    return size <= 0 ? -EINVAL : readlink_at(dirfd, path, buf, (size_t)size);
}

/* ---- directories ---- */

static int64_t read_directory(struct file *f, uintptr_t buf, size_t size)
{
    struct dir_buffer records = { .size = MIN(size, (size_t)GETDENTS_MOST) };
    uint64_t pos;
    int64_t n;

    if (!f->inode || !f->inode->ops->readdir || !S_ISDIR(f->inode->mode))
        return -ENOTDIR;
    records.bytes = kmalloc(MAX(records.size, (size_t)1));
    if (!records.bytes)
        return -ENOMEM;
    mutex_lock(&f->pos_lock);
    pos = f->pos;
    n = f->inode->ops->readdir(f->inode, &pos, &records);
    if (!n)
        n = copy_to_user(buf, records.bytes, records.used) ? -EFAULT : (int64_t)records.used;
    if (n >= 0)
        f->pos = pos;
    mutex_unlock(&f->pos_lock);
    kfree(records.bytes);
    return n;
}

SYSCALL_DEFINE3(getdents64, int, fd, uintptr_t, buf, unsigned, size)
{
    struct file *f = fd_get(fd);
    int64_t n;

    if (!f)
        return -EBADF;
    n = read_directory(f, buf, size);
    file_put(f);
    return n;
}

/* Takes dir. */
static int64_t set_cwd(struct inode *dir)
{
    struct process *p = current_process();
    struct inode *old;
    uint64_t flags;
    int err = S_ISDIR(dir->mode) ? inode_permission(dir, MAY_EXEC) : -ENOTDIR;

    if (err) {
        inode_put(dir);
        return err;
    }
    flags = spin_lock(&process_lock);
    old = p->cwd;
    p->cwd = dir;
    spin_unlock(&process_lock, flags);
    inode_put(old);
    return 0;
}

SYSCALL_DEFINE1(chdir, uintptr_t, path)
{
    struct path p;
    struct inode *dir;
    int err = walk_user_path(AT_FDCWD, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    dir = inode_get(p.inode);
    path_put(&p);
    return set_cwd(dir);
}

SYSCALL_DEFINE1(fchdir, int, fd)
{
    struct file *f = fd_get(fd);
    struct inode *dir;

    if (!f)
        return -EBADF;
    dir = f->inode ? inode_get(f->inode) : NULL;
    file_put(f);
    return dir ? set_cwd(dir) : -ENOTDIR;
}

SYSCALL_DEFINE2(getcwd, uintptr_t, buf, size_t, size)
{
    struct inode *cwd = process_cwd(current_process());
    char *text = kmalloc(PATH_MAX), *path;
    int64_t n = -ENOMEM;

    if (text) {
        path = path_of_directory(cwd, text, PATH_MAX);
        n = path ? (int64_t)(text + PATH_MAX - path) : -ENOENT;
        if (n > 0 && (size_t)n > size)
            n = -ERANGE;
        if (n > 0 && copy_to_user(buf, path, (size_t)n))
            n = -EFAULT;
    }
    inode_put(cwd);
    kfree(text);
    return n;
}
