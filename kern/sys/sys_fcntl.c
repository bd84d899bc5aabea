/* kern/sys/sys_fcntl.c - fcntl and flock: what is kept with a descriptor, an open file and its inode. */
#include "kern/sys/sys_fcntl.h"
#include "kern/fs/files.h"
#include "kern/fs/locks.h"
#include "kern/fs/pipe.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "lib/abi/fcntl.h"

/* ---- locks on ranges ---- */

/* The first and last byte that a request means. 0, -EINVAL, -EOVERFLOW. */
static int range_of(struct file *f, const struct flock *user, uint64_t *start, uint64_t *end)
{
    int64_t base = user->l_whence == SEEK_CUR   ? (int64_t)READ_ONCE(f->pos)
                   : user->l_whence == SEEK_END ? (int64_t)READ_ONCE(f->inode->size)
                                                : 0;
    int64_t first, last;

    if (user->l_whence < SEEK_SET || user->l_whence > SEEK_END)
        return -EINVAL;
    if (__builtin_add_overflow(base, user->l_start, &first))
        return -EOVERFLOW;
    if (first < 0)
        return -EINVAL;
    if (user->l_len < 0) { /* the bytes before */
        last = first - 1;
        first += user->l_len;
    } else if (!user->l_len) {
        last = INT64_MAX;
    } else if (__builtin_add_overflow(first, user->l_len - 1, &last)) {
        return -EOVERFLOW;
    }
    if (first < 0)
        return -EINVAL;
    *start = (uint64_t)first;
    *end = (uint64_t)last;
    return 0;
}

static int type_of(const struct flock *user, enum lock_type *type)
{
    switch (user->l_type) {
    case F_RDLCK:
        *type = LOCK_READ;
        return 0;
    case F_WRLCK:
        *type = LOCK_WRITE;
        return 0;
    case F_UNLCK:
        *type = LOCK_NONE;
        return 0;
    default:
        return -EINVAL;
    }
}

static int request_from_user(struct file *f, enum lock_kind kind, const struct flock *user,
                             struct file_lock *l)
{
    enum lock_type type = LOCK_NONE;
    uint64_t start = 0, end = 0;
    int err = kind == LOCK_KIND_OFD && user->l_pid ? -EINVAL : range_of(f, user, &start, &end);

    if (!err)
        err = type_of(user, &type);
    if (!err)
        *l = lock_request(f, kind, type, start, end);
    return err;
}

static int64_t get_lock(struct file *f, enum lock_kind kind, struct flock *user, uintptr_t at)
{
    struct file_lock wanted, found;
    int err = request_from_user(f, kind, user, &wanted);

    if (err)
        return err;
    if (wanted.type == LOCK_NONE)
        return -EINVAL;
    if (lock_conflict(&wanted, &found)) {
        user->l_type = found.type == LOCK_WRITE ? F_WRLCK : F_RDLCK;
        user->l_whence = SEEK_SET;
        user->l_start = (int64_t)found.start;
        user->l_len = found.end == LOCK_END ? 0 : (int64_t)(found.end - found.start + 1);
        user->l_pid = found.pid;
    } else {
        user->l_type = F_UNLCK;
    }
    return copy_to_user(at, user, sizeof *user);
}

static bool may_lock(const struct file *f, enum lock_type type)
{
    bool writes = file_may_write(f), reads = (f->flags & O_ACCMODE) != O_WRONLY;

    return type == LOCK_NONE || (type == LOCK_READ ? reads : writes);
}

/* A descriptor that was closed while its owner waited takes the lock with it. */
static void release_if_closed(struct file *f, int fd)
{
    struct file *now = fd_get(fd);

    if (now != f)
        lock_release_posix(current_files(), f);
    if (now)
        file_put(now);
}

static int64_t set_lock(struct file *f, int fd, enum lock_kind kind, const struct flock *user, bool wait)
{
    struct file_lock wanted;
    int err = request_from_user(f, kind, user, &wanted);

    if (err)
        return err;
    if (!may_lock(f, wanted.type))
        return -EBADF;
    err = lock_set(&wanted, wait);
    if (!err && kind == LOCK_KIND_POSIX && wanted.type != LOCK_NONE)
        release_if_closed(f, fd);
    return err;
}

static int64_t fcntl_lock(struct file *f, int fd, int cmd, uintptr_t arg)
{
    enum lock_kind kind = cmd >= F_OFD_GETLK ? LOCK_KIND_OFD : LOCK_KIND_POSIX;
    struct flock user;

    if (copy_from_user(&user, arg, sizeof user))
        return -EFAULT;
    if (!f->inode)
        return -EINVAL; /* a pipe or a socket: nobody locks those */
    if (cmd == F_GETLK || cmd == F_OFD_GETLK)
        return get_lock(f, kind, &user, arg);
    return set_lock(f, fd, kind, &user, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

static int64_t flock_on(struct file *f, int operation)
{
    static const enum lock_type types[] = {
        [LOCK_SH] = LOCK_READ, [LOCK_EX] = LOCK_WRITE, [LOCK_UN] = LOCK_NONE
    };
    int what = operation & ~LOCK_NB;
    struct file_lock wanted;

    if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
        return -EINVAL;
    if (f->flags & O_PATH)
        return -EBADF;
    if (!f->inode)
        return 0; /* each pipe end and socket is one open file: nobody can be in the way */
    wanted = lock_request(f, LOCK_KIND_FLOCK, types[what], 0, LOCK_END);
    return lock_set(&wanted, !(operation & LOCK_NB));
}

SYSCALL_DEFINE2(flock, int, fd, int, operation)
{
    struct file *f = fd_get(fd);
    int64_t result;

    if (!f)
        return -EBADF;
    result = flock_on(f, operation);
    file_put(f);
    return result;
}

/* ---- flags and owners ---- */

void set_file_flags(struct file *f, uint32_t flags)
{
    const uint32_t changeable = O_APPEND | O_NONBLOCK | O_ASYNC;

    WRITE_ONCE(f->flags, (f->flags & ~changeable) | (flags & changeable));
}

static int64_t set_owner_signal(struct file *f, uint64_t signo)
{
    if (signo > NSIG)
        return -EINVAL;
    WRITE_ONCE(f->owner_signal, (int32_t)signo);
    return 0;
}

static int64_t set_owner_ex(struct file *f, uintptr_t arg)
{
    struct f_owner_ex ex;

    if (copy_from_user(&ex, arg, sizeof ex))
        return -EFAULT;
    if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP)
        return -EINVAL;
    return file_set_owner(f, ex.type == F_OWNER_PGRP ? -ex.pid : ex.pid);
}

static int64_t get_owner_ex(struct file *f, uintptr_t arg)
{
    int32_t owner = READ_ONCE(f->owner);
    struct f_owner_ex ex = { .type = owner < 0 ? F_OWNER_PGRP : F_OWNER_PID,
                             .pid = owner < 0 ? -owner : owner };

    return copy_to_user(arg, &ex, sizeof ex);
}

static int64_t fcntl_owner(struct file *f, int cmd, uint64_t arg)
{
    switch (cmd) {
    case F_SETOWN:
        return file_set_owner(f, (int32_t)arg);
    case F_GETOWN:
        return READ_ONCE(f->owner);
    case F_SETSIG:
        return set_owner_signal(f, arg);
    case F_GETSIG:
        return READ_ONCE(f->owner_signal);
    case F_SETOWN_EX:
        return set_owner_ex(f, arg);
    default:
        return get_owner_ex(f, arg);
    }
}

/* ---- the call ---- */

static int64_t fcntl_descriptor(struct file *f, int fd, int cmd, uint64_t arg)
{
    switch (cmd) {
    case F_GETFD:
        return fd_get_cloexec(fd);
    case F_SETFD:
        return fd_set_cloexec(fd, arg & FD_CLOEXEC);
    case F_GETFL:
        return f->flags | (f->flags & O_PATH ? 0 : O_LARGEFILE);
    case F_SETFL:
        set_file_flags(f, (uint32_t)arg);
        return 0;
    default: /* F_DUPFD, F_DUPFD_CLOEXEC */
        if (arg >= (uint64_t)fd_limit())
            return -EINVAL;
        return fd_install(file_get(f), (int)arg, cmd == F_DUPFD_CLOEXEC);
    }
}

/* What may be asked of a mere place in the tree (O_PATH). */
static bool is_for_places(int cmd)
{
    return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD || cmd == F_GETFL;
}

static int64_t fcntl_on(struct file *f, int fd, int cmd, uint64_t arg)
{
    if ((f->flags & O_PATH) && !is_for_places(cmd))
        return -EBADF;
    switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETFL:
    case F_SETFL:
        return fcntl_descriptor(f, fd, cmd, arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return fcntl_lock(f, fd, cmd, arg);
    case F_SETOWN:
    case F_GETOWN:
    case F_SETSIG:
    case F_GETSIG:
    case F_SETOWN_EX:
    case F_GETOWN_EX:
        return fcntl_owner(f, cmd, arg);
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return fcntl_seals(f, cmd, arg);
    case F_GETPIPE_SZ:
        return pipe_of(f) ? pipe_get_size(pipe_of(f)) : -EBADF;
    case F_SETPIPE_SZ:
        return pipe_of(f) ? pipe_set_size(pipe_of(f), arg) : -EBADF;
    default:
        return -EINVAL;
    }
}

SYSCALL_DEFINE3(fcntl, int, fd, int, cmd, uint64_t, arg)
{
    struct file *f = fd_get_any(fd);
    int64_t result;

    if (!f)
        return -EBADF;
    result = fcntl_on(f, fd, cmd, arg);
    file_put(f);
    return result;
}
