/* kern/sys/sys_stat.c - system calls that tell or change what is known of a file: stat, access, mode, owner,
 * times, size. */
#include "kern/fs/files.h"
#include "kern/fs/mount.h"
#include "kern/fs/permission.h"
#include "kern/mm/mm.h"
#include "kern/mm/vm.h"
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/mount.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

/* What statfs calls each type (linux/magic.h). */
static const struct {
    const char *type;
    uint32_t magic;
} magics[] = {
    { "rootfs", 0x858458f6 }, { "ramfs", 0x858458f6 }, { "proc", 0x9fa0 }, { "sysfs", 0x62656572 }
};
enum { TMPFS_MAGIC = 0x01021994 };

/* ---- stat ---- */

static int64_t stat_fd(int fd, struct stat *st)
{
    struct file *f = fd_get_any(fd);

    if (!f)
        return -EBADF;
    file_stat(f, st);
    file_put(f);
    return 0;
}

static int64_t stat_cwd(struct stat *st)
{
    struct inode *cwd = process_cwd(current_process());

    inode_stat(cwd, st);
    inode_put(cwd);
    return 0;
}

static int64_t stat_path(int dirfd, uintptr_t path, unsigned walk, struct stat *st)
{
    struct path p;
    int err = walk_user_path(dirfd, path, walk, &p);

    if (err)
        return err;
    inode_stat(p.inode, st);
    path_put(&p);
    return 0;
}

/* Is the text at path empty? -EFAULT if there is none. */
static int is_empty(uintptr_t path)
{
    char first;

    return copy_from_user(&first, path, 1) ? -EFAULT : !first;
}

/* What the *at calls mean by a descriptor, a path and AT_* flags. */
static int64_t find_stat(int dirfd, uintptr_t path, int flags, struct stat *st)
{
    int walk =
        walk_of_flags(flags, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE);
    int empty = flags & AT_EMPTY_PATH ? is_empty(path) : 0;

    if (walk < 0 || empty < 0)
        return walk < 0 ? walk : empty;
    if (empty)
        return dirfd == AT_FDCWD ? stat_cwd(st) : stat_fd(dirfd, st);
    return stat_path(dirfd, path, (unsigned)walk, st);
}

/* Copy out what a look-up found, if it did. */
static int64_t put_stat(int64_t err, const struct stat *st, uintptr_t buf)
{
    return err ? err : copy_to_user(buf, st, sizeof *st);
}

SYSCALL_DEFINE2(stat, uintptr_t, path, uintptr_t, buf)
{
    struct stat st;

    return put_stat(stat_path(AT_FDCWD, path, WALK_FOLLOW, &st), &st, buf);
}

SYSCALL_DEFINE2(lstat, uintptr_t, path, uintptr_t, buf)
{
    struct stat st;

    return put_stat(stat_path(AT_FDCWD, path, 0, &st), &st, buf);
}

SYSCALL_DEFINE2(fstat, int, fd, uintptr_t, buf)
{
    struct stat st;

    return put_stat(stat_fd(fd, &st), &st, buf);
}

SYSCALL_DEFINE4(newfstatat, int, dirfd, uintptr_t, path, uintptr_t, buf, int, flags)
{
    struct stat st;

    return put_stat(find_stat(dirfd, path, flags, &st), &st, buf);
}

static struct statx_timestamp statx_time(uint64_t seconds, uint64_t ns)
{
    return (struct statx_timestamp){ .tv_sec = (int64_t)seconds, .tv_nsec = (uint32_t)ns };
}

/* The same facts in the newer struct. */
static void fill_statx(struct statx *x, const struct stat *st)
{
    *x = (struct statx){ .stx_mask = STATX_BASIC_STATS,
                         .stx_blksize = (uint32_t)st->st_blksize,
                         .stx_nlink = (uint32_t)st->st_nlink,
                         .stx_uid = st->st_uid,
                         .stx_gid = st->st_gid,
                         .stx_mode = (uint16_t)st->st_mode,
                         .stx_ino = st->st_ino,
                         .stx_size = (uint64_t)st->st_size,
                         .stx_blocks = (uint64_t)st->st_blocks,
                         .stx_atime = statx_time(st->st_atime, st->st_atime_nsec),
                         .stx_ctime = statx_time(st->st_ctime, st->st_ctime_nsec),
                         .stx_mtime = statx_time(st->st_mtime, st->st_mtime_nsec),
                         .stx_rdev_major = (uint32_t)st->st_rdev >> 8,
                         .stx_rdev_minor = (uint32_t)st->st_rdev & 0xff,
                         .stx_dev_minor = (uint32_t)st->st_dev };
}

SYSCALL_DEFINE5(statx, int, dirfd, uintptr_t, path, int, flags, unsigned, mask, uintptr_t, buf)
{
    struct stat st;
    struct statx x;
    int64_t err;

    if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    err = find_stat(dirfd, path, flags, &st);
    if (err)
        return err;
    fill_statx(&x, &st);
    return copy_to_user(buf, &x, sizeof x);
}

static int64_t access_now(int dirfd, uintptr_t path, int mode, unsigned walk)
{
    struct path p;
    int err = walk_user_path(dirfd, path, walk, &p);

    if (err)
        return err;
    err = inode_permission(p.inode, (unsigned)mode);
    path_put(&p);
    return err;
}

/* By the real ids, or with `effective` by those that opening a file would ask for. */
static int64_t access_at(int dirfd, uintptr_t path, int mode, unsigned walk, bool effective)
{
    const struct cred real = cred_act_as_real();
    int64_t err;

    if (mode & ~(R_OK | W_OK | X_OK))
        return -EINVAL;
    current_task()->acting = effective ? NULL : &real;
    err = access_now(dirfd, path, mode, walk);
    current_task()->acting = NULL;
    return err;
}

SYSCALL_DEFINE2(access, uintptr_t, path, int, mode)
{
    return access_at(AT_FDCWD, path, mode, WALK_FOLLOW, false);
}

SYSCALL_DEFINE3(faccessat, int, dirfd, uintptr_t, path, int, mode)
{
    return access_at(dirfd, path, mode, WALK_FOLLOW, false);
}

SYSCALL_DEFINE4(faccessat2, int, dirfd, uintptr_t, path, int, mode, int, flags)
{
    int walk = walk_of_flags(flags, AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);

    return walk < 0 ? walk : access_at(dirfd, path, mode, (unsigned)walk, flags & AT_EACCESS);
}

static uint32_t magic_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
        if (!strcmp(magics[i].type, type))
            return magics[i].magic;
    return TMPFS_MAGIC;
}

/* inode NULL: a pipe or a socket. */
static int64_t fill_statfs(const struct inode *inode, uintptr_t buf)
{
    char type[MOUNT_TEXT] = "";
    unsigned flags = 0;
    struct mm_stats mm;
    struct statfs s = { .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = NAME_MAX };

    if (inode)
        mount_type(inode->dev, type, &flags);
    s.f_type = magic_of(type);
    s.f_flags = ST_VALID | (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME));
    mm_get_stats(&mm);
    if (!inode || (inode->dev != DEV_PROC && inode->dev != DEV_SYSFS)) {
        s.f_blocks = mm.total;
        s.f_bfree = s.f_bavail = mm.free;
    }
    return copy_to_user(buf, &s, sizeof s);
}

SYSCALL_DEFINE2(statfs, uintptr_t, path, uintptr_t, buf)
{
    struct path p;
    int err = walk_user_path(AT_FDCWD, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    err = (int)fill_statfs(p.inode, buf);
    path_put(&p);
    return err;
}

SYSCALL_DEFINE2(fstatfs, int, fd, uintptr_t, buf)
{
    struct file *f = fd_get_any(fd);
    int64_t err;

    if (!f)
        return -EBADF;
    err = fill_statfs(f->inode, buf);
    file_put(f);
    return err;
}

/* ---- attributes ---- */

struct attributes {
    bool set_mode, set_owner, set_atime, set_mtime, now; /* now: both times are */
    uint32_t mode, uid, gid;                             /* uid, gid -1: as it is */
    uint64_t atime, mtime;
};

static bool may_give_away(const struct inode *inode, const struct attributes *a)
{
    const struct cred *c = current_cred();
    bool own = c->uid.fs == inode->uid;

    if (capable(CAP_CHOWN))
        return true;
    if (a->uid != UINT32_MAX && !(own && a->uid == inode->uid))
        return false;
    return a->gid == UINT32_MAX || (own && (a->gid == inode->gid || cred_in_group(c, a->gid)));
}

static int may_set_times(const struct inode *inode, const struct attributes *a)
{
    if (inode_is_own(inode))
        return 0;
    return a->now ? inode_permission(inode, MAY_WRITE) : -EPERM;
}

static int may_set(const struct inode *inode, const struct attributes *a)
{
    if (inode_is_readonly(inode))
        return -EROFS;
    if (a->set_mode && !inode_is_own(inode))
        return -EPERM;
    if (a->set_owner && !may_give_away(inode, a))
        return -EPERM;
    return a->set_atime || a->set_mtime ? may_set_times(inode, a) : 0;
}

/* Without the bit for a group that the caller is not in. */
static uint32_t mode_allowed(const struct inode *inode, uint32_t mode)
{
    bool keeps = !(mode & S_ISGID) || cred_in_group(current_cred(), inode->gid) || capable(CAP_FSETID);

    return (inode->mode & S_IFMT) | (mode & (keeps ? 07777 : 07777 & ~S_ISGID));
}

static int set_attributes(struct inode *inode, const struct attributes *a)
{
    int err = may_set(inode, a);
    uint64_t flags;

    if (err)
        return err;
    if (a->set_owner)
        inode_drop_setid(inode);
    flags = spin_lock(&fs_lock);
    if (a->set_mode)
        inode->mode = mode_allowed(inode, a->mode);
    if (a->set_owner && a->uid != UINT32_MAX)
        inode->uid = a->uid;
    if (a->set_owner && a->gid != UINT32_MAX)
        inode->gid = a->gid;
    if (a->set_atime)
        inode->atime = a->atime;
    if (a->set_mtime)
        inode->mtime = a->mtime;
    inode->ctime = time_wall();
    spin_unlock(&fs_lock, flags);
    return 0;
}

static int64_t attributes_at(int dirfd, uintptr_t path, unsigned walk, const struct attributes *a)
{
    struct path p;
    int err = walk_user_path(dirfd, path, walk, &p);

    if (err)
        return err;
    err = set_attributes(p.inode, a);
    path_put(&p);
    return err;
}

static int64_t attributes_fd(int fd, const struct attributes *a)
{
    struct file *f = fd_get(fd);
    int err;

    if (!f)
        return -EBADF;
    err = f->inode ? set_attributes(f->inode, a) : 0;
    file_put(f);
    return err;
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
    int walk = walk_of_flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);

    if (walk < 0)
        return walk;
    return attributes_at(dirfd, path, (unsigned)walk,
                         &(struct attributes){ .set_owner = true, .uid = uid, .gid = gid });
}

enum { UTIME_NOW = (1 << 30) - 1, UTIME_OMIT = (1 << 30) - 2 };

/* utimensat(2): tv_nsec may be one of two words instead of a time. */
static int requested_time(const struct timespec *ts, bool *set, uint64_t *time)
{
    *set = ts->tv_nsec != UTIME_OMIT;
    if (ts->tv_nsec == UTIME_OMIT || ts->tv_nsec == UTIME_NOW)
        return 0;
    if (!timespec_is_valid(ts))
        return -EINVAL;
    *time = timespec_ns(ts);
    return 0;
}

static int times_from_user(uintptr_t times, struct attributes *a)
{
    uint64_t now = time_wall();
    struct timespec ts[2];
    int err;

    *a = (struct attributes){ .set_atime = true, .set_mtime = true, .now = true, .atime = now, .mtime = now };
    if (!times)
        return 0;
    if (copy_from_user(ts, times, sizeof ts))
        return -EFAULT;
    a->now = ts[0].tv_nsec == UTIME_NOW && ts[1].tv_nsec == UTIME_NOW;
    err = requested_time(&ts[0], &a->set_atime, &a->atime);
    return err ? err : requested_time(&ts[1], &a->set_mtime, &a->mtime);
}

SYSCALL_DEFINE4(utimensat, int, dirfd, uintptr_t, path, uintptr_t, times, int, flags)
{
    struct attributes a;
    int walk = walk_of_flags(flags, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    int err = times_from_user(times, &a);

    if (err || (!a.set_atime && !a.set_mtime))
        return err;
    if (walk < 0)
        return walk;
    if (!path && dirfd != AT_FDCWD)
        return flags ? -EINVAL : attributes_fd(dirfd, &a);
    return attributes_at(dirfd, path, (unsigned)walk, &a);
}

static int truncate_inode(struct inode *inode, uint64_t size)
{
    int err = inode_permission(inode, MAY_WRITE);

    if (!err)
        err = limit_file_size(size);
    if (!err)
        err = inode_begin_write(inode);
    if (err)
        return err;
    err = inode->ops->truncate(inode, size);
    inode_end_write(inode);
    return err;
}

SYSCALL_DEFINE2(truncate, uintptr_t, path, int64_t, size)
{
    struct path p;
    int err = size < 0 ? -EINVAL : walk_user_path(AT_FDCWD, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    if (S_ISDIR(p.inode->mode) || !p.inode->ops->truncate)
        err = S_ISDIR(p.inode->mode) ? -EISDIR : -EINVAL;
    else
        err = truncate_inode(p.inode, (uint64_t)size);
    path_put(&p);
    return err;
}

SYSCALL_DEFINE1(umask, uint32_t, mask)
{
    return __atomic_exchange_n(&current_process()->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* ---- extended attributes: no file has any, but whoever asks names a file and an attribute ---- */

enum { XATTR_NAME_MAX = 255 };

static int64_t no_attribute(uintptr_t name)
{
    char copy[XATTR_NAME_MAX + 1];
    int64_t n = copy_string_from_user(copy, name, sizeof copy);

    return n == -ENAMETOOLONG || !n ? -ERANGE : n < 0 ? n : -EOPNOTSUPP;
}

static int64_t find_path(uintptr_t path, unsigned walk)
{
    struct path p;
    int err = walk_user_path(AT_FDCWD, path, walk, &p);

    if (!err)
        path_put(&p);
    return err;
}

static int64_t find_fd(int fd)
{
    struct file *f = fd_get(fd);

    if (f)
        file_put(f);
    return f ? 0 : -EBADF;
}

SYSCALL_DEFINE4(getxattr, uintptr_t, path, uintptr_t, name, uintptr_t, value, size_t, size)
{
    int64_t err = find_path(path, WALK_FOLLOW);

    (void)value, (void)size;
    return err ? err : no_attribute(name);
}

SYSCALL_DEFINE4(lgetxattr, uintptr_t, path, uintptr_t, name, uintptr_t, value, size_t, size)
{
    int64_t err = find_path(path, 0);

    (void)value, (void)size;
    return err ? err : no_attribute(name);
}

SYSCALL_DEFINE4(fgetxattr, int, fd, uintptr_t, name, uintptr_t, value, size_t, size)
{
    int64_t err = find_fd(fd);

    (void)value, (void)size;
    return err ? err : no_attribute(name);
}

SYSCALL_DEFINE3(listxattr, uintptr_t, path, uintptr_t, list, size_t, size)
{
    int64_t err = find_path(path, WALK_FOLLOW);

    (void)list, (void)size;
    return err ? err : -EOPNOTSUPP;
}

SYSCALL_DEFINE3(llistxattr, uintptr_t, path, uintptr_t, list, size_t, size)
{
    int64_t err = find_path(path, 0);

    (void)list, (void)size;
    return err ? err : -EOPNOTSUPP;
}

SYSCALL_DEFINE3(flistxattr, int, fd, uintptr_t, list, size_t, size)
{
    int64_t err = find_fd(fd);

    (void)list, (void)size;
    return err ? err : -EOPNOTSUPP;
}
