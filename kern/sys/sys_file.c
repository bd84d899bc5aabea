/* kern/sys/sys_file.c - system calls on open files: open, read, write, seek, dup, fcntl, ioctl. */
#include "kern/fs/files.h"
#include "kern/fs/pipe.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/mm.h"
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "kern/sys/sys_fcntl.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/abi/termios.h"

/* ---- opening and closing ---- */

static int64_t open_at(int dirfd, uintptr_t user, uint32_t flags, uint32_t mode)
{
    struct inode *start = NULL;
    struct file *f;
    char *path;
    int err = path_from_user(user, &path);

    if (err)
        return err;
    if (*path == '/')
        start = inode_get(fs_root);
    else
        err = start_of(dirfd, &start);
    if (!err)
        err = path_open(start, path, flags, mode & ~current_process()->umask, &f);
    inode_put(start);
    kfree(path);
    return err ? err : fd_install(f, 0, flags & O_CLOEXEC);
}

SYSCALL_DEFINE3(open, uintptr_t, path, uint32_t, flags, uint32_t, mode)
{
    return open_at(AT_FDCWD, path, flags, mode);
}

SYSCALL_DEFINE4(openat, int, dirfd, uintptr_t, path, uint32_t, flags, uint32_t, mode)
{
    return open_at(dirfd, path, flags, mode);
}

SYSCALL_DEFINE2(creat, uintptr_t, path, uint32_t, mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

SYSCALL_DEFINE1(close, int, fd)
{
    return fd_close(fd);
}

SYSCALL_DEFINE3(close_range, unsigned, first, unsigned, last, unsigned, flags)
{
    if ((flags & ~(unsigned)CLOSE_RANGE_CLOEXEC) || first > last)
        return -EINVAL;
    for (unsigned fd = first; fd <= last && fd < (unsigned)fd_table_size(); fd++)
        if (flags & CLOSE_RANGE_CLOEXEC)
            fd_set_cloexec((int)fd, true);
        else
            fd_close((int)fd);
    return 0;
}

static int64_t make_pipe(uintptr_t fds, uint32_t flags)
{
    struct file *reader, *writer;
    int32_t fd[2];
    int err;

    if (flags & ~(uint32_t)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    err = pipe_create(flags & O_NONBLOCK, &reader, &writer);
    if (err)
        return err;
    fd[0] = fd_install(reader, 0, flags & O_CLOEXEC);
    fd[1] = fd_install(writer, 0, flags & O_CLOEXEC);
    err = fd[0] < 0 ? fd[0] : fd[1] < 0 ? fd[1] : 0;
    if (!err && copy_to_user(fds, fd, sizeof fd))
        err = -EFAULT;
    if (err) {
        fd_close(fd[0]);
        fd_close(fd[1]);
    }
    return err;
}

SYSCALL_DEFINE1(pipe, uintptr_t, fds)
{
    return make_pipe(fds, 0);
}

SYSCALL_DEFINE2(pipe2, uintptr_t, fds, uint32_t, flags)
{
    return make_pipe(fds, flags);
}

/* ---- reading and writing ---- */

typedef int64_t (*file_transfer)(struct file *f, struct iov_iter *it, const uint64_t *pos);

static int64_t transfer_buffer(file_transfer op, int fd, uintptr_t buf, size_t n, const uint64_t *pos)
{
    struct file *f = fd_get(fd);
    struct io_vector v;
    struct iov_iter it;
    int64_t done;

    if (!f)
        return -EBADF;
    iter_of_buffer(&it, &v, buf, n);
    done = user_range_is_valid(buf, n) ? op(f, &it, pos) : -EFAULT;
    file_put(f);
    return done;
}

static int64_t transfer_vector(file_transfer op, int fd, uintptr_t vector, size_t n, const uint64_t *pos)
{
    struct file *f = fd_get(fd);
    struct io_vector *vectors;
    struct iov_iter it;
    int64_t done;

    if (!f)
        return -EBADF;
    done = iovec_from_user(vector, n, &vectors, &it);
    if (!done) {
        done = op(f, &it, pos);
        kfree(vectors);
    }
    file_put(f);
    return done;
}

SYSCALL_DEFINE3(read, int, fd, uintptr_t, buf, size_t, count)
{
    return transfer_buffer(file_read, fd, buf, count, NULL);
}

SYSCALL_DEFINE3(write, int, fd, uintptr_t, buf, size_t, count)
{
    return transfer_buffer(file_write, fd, buf, count, NULL);
}

SYSCALL_DEFINE4(pread64, int, fd, uintptr_t, buf, size_t, count, int64_t, pos)
{
    return pos < 0 ? -EINVAL : transfer_buffer(file_read, fd, buf, count, &(uint64_t){ (uint64_t)pos });
}

SYSCALL_DEFINE4(pwrite64, int, fd, uintptr_t, buf, size_t, count, int64_t, pos)
{
    return pos < 0 ? -EINVAL : transfer_buffer(file_write, fd, buf, count, &(uint64_t){ (uint64_t)pos });
}

SYSCALL_DEFINE3(readv, int, fd, uintptr_t, vector, size_t, n)
{
    return transfer_vector(file_read, fd, vector, n, NULL);
}

SYSCALL_DEFINE3(writev, int, fd, uintptr_t, vector, size_t, n)
{
    return transfer_vector(file_write, fd, vector, n, NULL);
}

SYSCALL_DEFINE4(preadv, int, fd, uintptr_t, vector, size_t, n, int64_t, pos)
{
    return pos < 0 ? -EINVAL : transfer_vector(file_read, fd, vector, n, &(uint64_t){ (uint64_t)pos });
}

SYSCALL_DEFINE4(pwritev, int, fd, uintptr_t, vector, size_t, n, int64_t, pos)
{
    return pos < 0 ? -EINVAL : transfer_vector(file_write, fd, vector, n, &(uint64_t){ (uint64_t)pos });
}

SYSCALL_DEFINE3(lseek, int, fd, int64_t, offset, int, whence)
{
    struct file *f = fd_get(fd);
    int64_t pos;

    if (!f)
        return -EBADF;
    pos = file_lseek(f, offset, whence);
    file_put(f);
    return pos;
}

/* ---- descriptors ---- */

SYSCALL_DEFINE1(dup, int, fd)
{
    struct file *f = fd_get_any(fd);

    return f ? fd_install(f, 0, false) : -EBADF;
}

SYSCALL_DEFINE2(dup2, int, old, int, new)
{
    struct file *f = fd_get_any(old);

    if (!f)
        return -EBADF;
    if (old != new)
        return fd_replace(new, f, false);
    file_put(f);
    return new;
}

SYSCALL_DEFINE3(dup3, int, old, int, new, uint32_t, flags)
{
    struct file *f;

    if ((flags & ~(uint32_t)O_CLOEXEC) || old == new)
        return -EINVAL;
    f = fd_get_any(old);
    return f ? fd_replace(new, f, flags & O_CLOEXEC) : -EBADF;
}

/* On or off, as the word at arg says. */
static int64_t set_flag(struct file *f, uintptr_t arg, uint32_t flag)
{
    int32_t on;

    if (copy_from_user(&on, arg, sizeof on))
        return -EFAULT;
    set_file_flags(f, (f->flags & ~flag) | (on ? flag : 0));
    return 0;
}

/* How much of a regular file is still to be read. */
static int64_t tell_rest(struct file *f, uintptr_t arg)
{
    int32_t rest = (int32_t)(READ_ONCE(f->inode->size) - READ_ONCE(f->pos));

    return copy_to_user(arg, &rest, sizeof rest);
}

/* Requests that any file knows, then the file's own. */
static int64_t ioctl_on(struct file *f, int fd, unsigned request, uintptr_t arg)
{
    switch (request) {
    case FIONBIO:
        return set_flag(f, arg, O_NONBLOCK);
    case FIOCLEX:
        return fd_set_cloexec(fd, true);
    case FIONCLEX:
        return fd_set_cloexec(fd, false);
    case FIOASYNC:
        return set_flag(f, arg, O_ASYNC);
    case FIONREAD:
        if (f->inode && S_ISREG(f->inode->mode))
            return tell_rest(f, arg);
        /* fall through */
    default:
        return f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -ENOTTY;
    }
}

SYSCALL_DEFINE3(ioctl, int, fd, unsigned, request, uintptr_t, arg)
{
    struct file *f = fd_get(fd);
    int64_t result;

    if (!f)
        return -EBADF;
    result = ioctl_on(f, fd, request, arg);
    file_put(f);
    return result;
}

/* ---- what memory files need nothing for ---- */

/* -EINVAL for what is not kept anywhere: a pipe, a socket, a terminal. */
static int64_t sync_fd(int fd)
{
    struct file *f = fd_get(fd);
    bool kept = f && f->inode && (S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode));

    if (!f)
        return -EBADF;
    file_put(f);
    return kept ? 0 : -EINVAL;
}

SYSCALL_DEFINE1(fsync, int, fd)
{
    return sync_fd(fd);
}

SYSCALL_DEFINE1(fdatasync, int, fd)
{
    return sync_fd(fd);
}

SYSCALL_DEFINE4(fadvise64, int, fd, int64_t, offset, int64_t, length, int, advice)
{
    struct file *f = fd_get(fd);
    bool pipe = f && S_ISFIFO(f->ops->mode);

    (void)offset;
    if (!f)
        return -EBADF;
    file_put(f);
    if (pipe)
        return -ESPIPE;
    return length < 0 || advice < 0 || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

SYSCALL_DEFINE0(sync)
{
    return 0;
}

SYSCALL_DEFINE2(ftruncate, int, fd, int64_t, size)
{
    struct file *f = fd_get(fd);
    int64_t result = -EINVAL;

    if (!f)
        return -EBADF;
    if (size >= 0 && f->inode && f->inode->ops->truncate && (f->flags & O_ACCMODE) != O_RDONLY)
        result = limit_file_size((uint64_t)size) ?: f->inode->ops->truncate(f->inode, (uint64_t)size);
    file_put(f);
    return result;
}

static int allocate_in(struct file *f, int mode, uint64_t start, uint64_t end)
{
    if (!file_may_write(f))
        return -EBADF;
    if (!f->inode || !f->ops->seekable)
        return f->ops->mode == S_IFIFO ? -ESPIPE : -ENODEV;
    if (!ramfs_object(f->inode))
        return -ENODEV;
    if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
        return ramfile_punch(f->inode, start, end);
    if (mode & ~FALLOC_FL_KEEP_SIZE)
        return -EOPNOTSUPP;
    if (!(mode & FALLOC_FL_KEEP_SIZE) && limit_file_size(end))
        return -EFBIG;
    return ramfile_allocate(f->inode, start, end, mode & FALLOC_FL_KEEP_SIZE);
}

SYSCALL_DEFINE4(fallocate, int, fd, int, mode, int64_t, offset, int64_t, length)
{
    struct file *f = fd_get(fd);
    int64_t end;
    int err;

    if (!f)
        return -EBADF;
    if (offset < 0 || length <= 0)
        err = -EINVAL;
    else if (__builtin_add_overflow(offset, length, &end))
        err = -EFBIG;
    else
        err = allocate_in(f, mode, (uint64_t)offset, (uint64_t)end);
    file_put(f);
    return err;
}
