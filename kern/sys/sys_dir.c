/* kern/sys/sys_dir.c - system calls on names: stat, links, directories, attributes. */
#include "kern/fs/files.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { RAMFS_MAGIC = (int)0x858458f6, GETDENTS_MOST = 32768 };

/* ---- stat ---- */

static int64_t stat_fd(int fd, uintptr_t buf)
{
    struct file *f = fd_get(fd);
    struct stat st;

    if (!f)
        return -EBADF;
    file_stat(f, &st);
    file_put(f);
    return copy_to_user(buf, &st, sizeof st);
}

static int64_t stat_at(int dirfd, uintptr_t path, uintptr_t buf, unsigned walk)
{
    struct path p;
    struct stat st;
    int err = walk_user_path(dirfd, path, walk, &p);

    if (err)
        return err;
    inode_stat(p.inode, &st);
    path_put(&p);
    return copy_to_user(buf, &st, sizeof st);
}

/* Is the text at path empty? -EFAULT if there is none. */
static int is_empty(uintptr_t path)
{
    char first;

    return copy_from_user(&first, path, 1) ? -EFAULT : !first;
}

SYSCALL_DEFINE2(stat, uintptr_t, path, uintptr_t, buf)
{
    return stat_at(AT_FDCWD, path, buf, WALK_FOLLOW);
}

SYSCALL_DEFINE2(lstat, uintptr_t, path, uintptr_t, buf)
{
    return stat_at(AT_FDCWD, path, buf, 0);
}

SYSCALL_DEFINE2(fstat, int, fd, uintptr_t, buf)
{
    return stat_fd(fd, buf);
}

SYSCALL_DEFINE4(newfstatat, int, dirfd, uintptr_t, path, uintptr_t, buf, int, flags)
{
    if (flags & AT_EMPTY_PATH) {
        int empty = is_empty(path);
        if (empty < 0)
            return empty;
        if (empty && dirfd != AT_FDCWD)
            return stat_fd(dirfd, buf);
    }
    return stat_at(dirfd, path, buf, flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW);
}

/* Everybody is root here: what is there may be read and written, and run if it has an x. */
static int64_t access_at(int dirfd, uintptr_t path, int mode, unsigned walk)
{
    struct path p;
    int err;

    if (mode & ~(R_OK | W_OK | X_OK))
        return -EINVAL;
    err = walk_user_path(dirfd, path, walk, &p);
    if (err)
        return err;
    if ((mode & X_OK) && !S_ISDIR(p.inode->mode) && !(p.inode->mode & 0111))
        err = -EACCES;
    path_put(&p);
    return err;
}

SYSCALL_DEFINE2(access, uintptr_t, path, int, mode)
{
    return access_at(AT_FDCWD, path, mode, WALK_FOLLOW);
}

SYSCALL_DEFINE3(faccessat, int, dirfd, uintptr_t, path, int, mode)
{
    return access_at(dirfd, path, mode, WALK_FOLLOW);
}

SYSCALL_DEFINE4(faccessat2, int, dirfd, uintptr_t, path, int, mode, int, flags)
{
    return access_at(dirfd, path, mode, flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW);
}

static int64_t fill_statfs(uintptr_t buf)
{
    struct mm_stats mm;
    struct statfs s = {
        .f_type = (uint32_t)RAMFS_MAGIC, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = NAME_MAX
    };

    mm_get_stats(&mm);
    s.f_blocks = mm.total;
    s.f_bfree = s.f_bavail = mm.free;
    return copy_to_user(buf, &s, sizeof s);
}

SYSCALL_DEFINE2(statfs, uintptr_t, path, uintptr_t, buf)
{
    struct path p;
    int err = walk_user_path(AT_FDCWD, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    path_put(&p);
    return fill_statfs(buf);
}

SYSCALL_DEFINE2(fstatfs, int, fd, uintptr_t, buf)
{
    struct file *f = fd_get(fd);

    if (!f)
        return -EBADF;
    file_put(f);
    return fill_statfs(buf);
}

/* ---- making and removing names ---- */

static int64_t mkdir_at(int dirfd, uintptr_t path, uint32_t mode)
{
    struct path p;
    int err = walk_user_path(dirfd, path, WALK_PARENT, &p);

    if (err)
        return err;
    mode = S_IFDIR | (mode & 07777 & ~current_process()->umask);
    if (p.inode)
        err = -EEXIST;
    else
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

static bool is_dot(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static int64_t unlink_at(int dirfd, uintptr_t path, bool directory)
{
    struct path p;
    int err = walk_user_path(dirfd, path, 0, &p);

    if (err)
        return err;
    if (is_dot(p.name))
        err = !directory ? -EISDIR : p.inode == fs_root ? -EBUSY : -EINVAL;
    else
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
    if (is_dot(from->name) || is_dot(to->name))
        return -EBUSY;
    if (!from->dir->ops->rename)
        return -EPERM;
    return from->dir->ops->rename(from->dir, from->name, to->dir, to->name);
}

static int64_t rename_at(int old_dirfd, uintptr_t old, int new_dirfd, uintptr_t new)
{
    struct path from, to;
    int err = walk_user_path(old_dirfd, old, 0, &from);

    if (err)
        return err;
    err = walk_user_path(new_dirfd, new, WALK_PARENT, &to);
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
    if (to->inode)
        return -EEXIST;
    return to->dir->ops->link ? to->dir->ops->link(to->dir, to->name, from->inode) : -EPERM;
}

static int64_t link_at(int old_dirfd, uintptr_t old, int new_dirfd, uintptr_t new, int flags)
{
    struct path from, to;
    int err = walk_user_path(old_dirfd, old, flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0, &from);

    if (err)
        return err;
    err = walk_user_path(new_dirfd, new, WALK_PARENT, &to);
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
    err = *text ? walk_user_path(dirfd, path, WALK_PARENT, &p) : -ENOENT;
    if (!err) {
        if (p.inode)
            err = -EEXIST;
        else
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

/* ---- attributes ---- */

struct attributes {
    bool set_mode, set_owner, set_times;
    uint32_t mode, uid, gid; /* uid, gid -1: as it is */
    uint64_t atime, mtime;   /* 0: as it is */
};

static void set_attributes(struct inode *inode, const struct attributes *a)
{
    uint64_t flags = spin_lock(&fs_lock);

    if (a->set_mode)
        inode->mode = (inode->mode & S_IFMT) | (a->mode & 07777);
    if (a->set_owner && a->uid != UINT32_MAX)
        inode->uid = a->uid;
    if (a->set_owner && a->gid != UINT32_MAX)
        inode->gid = a->gid;
    if (a->set_times && a->atime)
        inode->atime = a->atime;
    if (a->set_times && a->mtime)
        inode->mtime = a->mtime;
    inode->ctime = time_wall();
    spin_unlock(&fs_lock, flags);
}

static int64_t attributes_at(int dirfd, uintptr_t path, unsigned walk, const struct attributes *a)
{
    struct path p;
    int err = walk_user_path(dirfd, path, walk, &p);

    if (err)
        return err;
    set_attributes(p.inode, a);
    path_put(&p);
    return 0;
}

static int64_t attributes_fd(int fd, const struct attributes *a)
{
    struct file *f = fd_get(fd);

    if (!f)
        return -EBADF;
    if (f->inode)
        set_attributes(f->inode, a);
    file_put(f);
    return 0;
}

SYSCALL_DEFINE2(chmod, uintptr_t, path, uint32_t, mode)
{
    return attributes_at(AT_FDCWD, path, WALK_FOLLOW, &(struct attributes){ .set_mode = true, .mode = mode });
}

SYSCALL_DEFINE2(fchmod, int, fd, uint32_t, mode)
{
    return attributes_fd(fd, &(struct attributes){ .set_mode = true, .mode = mode });
}

SYSCALL_DEFINE3(fchmodat, int, dirfd, uintptr_t, path, uint32_t, mode)
{
    return attributes_at(dirfd, path, WALK_FOLLOW, &(struct attributes){ .set_mode = true, .mode = mode });
}

SYSCALL_DEFINE3(chown, uintptr_t, path, uint32_t, uid, uint32_t, gid)
{
    return attributes_at(AT_FDCWD, path, WALK_FOLLOW,
                         &(struct attributes){ .set_owner = true, .uid = uid, .gid = gid });
}

SYSCALL_DEFINE3(lchown, uintptr_t, path, uint32_t, uid, uint32_t, gid)
{
    return attributes_at(AT_FDCWD, path, 0,
                         &(struct attributes){ .set_owner = true, .uid = uid, .gid = gid });
}

SYSCALL_DEFINE3(fchown, int, fd, uint32_t, uid, uint32_t, gid)
{
    return attributes_fd(fd, &(struct attributes){ .set_owner = true, .uid = uid, .gid = gid });
}

SYSCALL_DEFINE5(fchownat, int, dirfd, uintptr_t, path, uint32_t, uid, uint32_t, gid, int, flags)
{
    return attributes_at(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW,
                         &(struct attributes){ .set_owner = true, .uid = uid, .gid = gid });
}

/* utimensat(2): tv_nsec may be one of two words instead of a time. */
static uint64_t requested_time(const struct timespec *ts)
{
    enum { UTIME_NOW = (1 << 30) - 1, UTIME_OMIT = (1 << 30) - 2 };

    if (ts->tv_nsec == UTIME_OMIT)
        return 0;
    return ts->tv_nsec == UTIME_NOW || !timespec_is_valid(ts) ? time_wall() : timespec_ns(ts);
}

SYSCALL_DEFINE4(utimensat, int, dirfd, uintptr_t, path, uintptr_t, times, int, flags)
{
    struct attributes a = { .set_times = true, .atime = time_wall(), .mtime = time_wall() };
    struct timespec ts[2];

    if (times) {
        if (copy_from_user(ts, times, sizeof ts))
            return -EFAULT;
        a.atime = requested_time(&ts[0]);
        a.mtime = requested_time(&ts[1]);
    }
    if (!path)
        return attributes_fd(dirfd, &a);
    return attributes_at(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW, &a);
}

SYSCALL_DEFINE2(truncate, uintptr_t, path, int64_t, size)
{
    struct path p;
    int err = walk_user_path(AT_FDCWD, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    if (size < 0 || S_ISDIR(p.inode->mode) || !p.inode->ops->truncate)
        err = S_ISDIR(p.inode->mode) ? -EISDIR : -EINVAL;
    else
        err = p.inode->ops->truncate(p.inode, (uint64_t)size);
    path_put(&p);
    return err;
}

SYSCALL_DEFINE1(umask, uint32_t, mask)
{
    return __atomic_exchange_n(&current_process()->umask, mask & 0777, __ATOMIC_RELAXED);
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

    if (!S_ISDIR(dir->mode)) {
        inode_put(dir);
        return -ENOTDIR;
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
