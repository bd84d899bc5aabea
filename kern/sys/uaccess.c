/* kern/sys/uaccess.c - arguments from the user that many calls share. */
#include "kern/sys/uaccess.h"
#include "kern/fs/files.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/proc/signals.h"
#include "lib/abi/stat.h"
#include "net/syscalls.h"

int path_from_user(uintptr_t user, char **path)
{
    char *copy = kmalloc(PATH_MAX);
    int64_t n;

    if (!copy)
        return -ENOMEM;
    n = copy_string_from_user(copy, user, PATH_MAX);
    if (n < 0) {
        kfree(copy);
        return (int)n;
    }
    *path = copy;
    return 0;
}

int start_of(int dirfd, struct inode **start)
{
    struct file *f;
    int err = 0;

    if (dirfd == AT_FDCWD) {
        *start = process_cwd(current_process());
        return 0;
    }
    f = fd_get_any(dirfd);
    if (!f)
        return -EBADF;
    if (f->inode && S_ISDIR(f->inode->mode))
        *start = inode_get(f->inode);
    else
        err = -ENOTDIR;
    file_put(f);
    return err;
}

/* An absolute path does not look at dirfd at all. */
static int start_for_path(int dirfd, const char *path, struct inode **start)
{
    if (*path != '/')
        return start_of(dirfd, start);
    *start = inode_get(fs_root);
    return 0;
}

int walk_of_flags(int at_flags, int known)
{
    bool follows =
        known & AT_SYMLINK_FOLLOW ? at_flags & AT_SYMLINK_FOLLOW : !(at_flags & AT_SYMLINK_NOFOLLOW);

    if (at_flags & ~known)
        return -EINVAL;
    return (follows ? WALK_FOLLOW : 0) | (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

/* What the descriptor stands for, as if a path had led there. -ENOENT: it has no place in the tree. */
static int path_of_descriptor(int dirfd, struct path *out)
{
    struct file *f = dirfd == AT_FDCWD ? NULL : fd_get_any(dirfd);

    if (dirfd != AT_FDCWD && !f)
        return -EBADF;
    *out = (struct path){ .name = "." };
    if (!f)
        out->inode = process_cwd(current_process());
    else if (f->inode)
        out->inode = inode_get(f->inode);
    if (f)
        file_put(f);
    if (!out->inode)
        return -ENOENT;
    out->dir = inode_get(out->inode);
    return 0;
}

static int walk_from(int dirfd, const char *path, unsigned flags, struct path *out)
{
    struct inode *start;
    int err;

    if (!*path && (flags & WALK_EMPTY))
        return path_of_descriptor(dirfd, out);
    err = start_for_path(dirfd, path, &start);
    if (err)
        return err;
    err = path_walk(start, path, flags, out);
    inode_put(start);
    return err;
}

int walk_user_path(int dirfd, uintptr_t user, unsigned flags, struct path *out)
{
    char *path = NULL;
    int err = path_from_user(user, &path);

    if (err)
        return err;
    err = walk_from(dirfd, path, flags, out);
    kfree(path);
    return err;
}

bool user_range_is_valid(uintptr_t start, size_t n)
{
    return n <= USER_TOP && start <= USER_TOP - n;
}

int iovec_from_user(uintptr_t user, size_t n, struct io_vector **vectors, struct iov_iter *it)
{
    struct io_vector *v = n <= IO_VECTORS_MOST ? kmalloc(MAX(n, (size_t)1) * sizeof *v) : NULL;
    int err = n > IO_VECTORS_MOST ? -EINVAL : v ? io_vectors_from_user(v, user, n) : -ENOMEM;

    if (err) {
        kfree(v);
        return err;
    }
    iov_iter_init(it, ITER_USER, v, (unsigned)n);
    *vectors = v;
    return 0;
}

void iter_of_buffer(struct iov_iter *it, struct io_vector *v, uintptr_t buf, size_t n)
{
    *v = (struct io_vector){ buf, MIN(n, (size_t)IO_BYTES_MOST) };
    iov_iter_init(it, ITER_USER, v, 1);
}

bool timespec_is_valid(const struct timespec *ts)
{
    return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (int64_t)sec(1);
}

uint64_t timespec_ns(const struct timespec *ts)
{
    const uint64_t most = INT64_MAX / sec(1) - 1;

    return MIN((uint64_t)ts->tv_sec, most) * sec(1) + (uint64_t)ts->tv_nsec;
}

int timespec_from_user(uintptr_t user, uint64_t *ns)
{
    struct timespec ts;

    if (copy_from_user(&ts, user, sizeof ts))
        return -EFAULT;
    if (!timespec_is_valid(&ts))
        return -EINVAL;
    *ns = timespec_ns(&ts);
    return 0;
}

int timespec_to_user(uintptr_t user, uint64_t ns)
{
    struct timespec ts = { (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1)) };

    return copy_to_user(user, &ts, sizeof ts);
}

uint64_t deadline_of_ms(int timeout)
{
    if (timeout <= 0)
        return timeout ? TIME_NEVER : 0;
    return deadline_after(ms((uint64_t)timeout));
}

int deadline_from_user(uintptr_t user, uint64_t *deadline)
{
    uint64_t ns = 0;
    int err = user ? timespec_from_user(user, &ns) : 0;

    *deadline = user ? deadline_after(ns) : TIME_NEVER;
    return err;
}

int temporary_mask_from_user(uintptr_t user, size_t size)
{
    uint64_t mask;

    if (!user)
        return 0;
    if (size != sizeof mask)
        return -EINVAL;
    if (copy_from_user(&mask, user, sizeof mask))
        return -EFAULT;
    signal_set_temporary_mask(mask);
    return 0;
}

int64_t temporary_mask_end(int64_t result)
{
    if (result != -EINTR)
        signal_end_temporary_mask();
    return result;
}

uint64_t deadline_after(uint64_t ns)
{
    uint64_t when;

    return __builtin_add_overflow(time_now(), ns, &when) ? TIME_NEVER : when;
}

bool is_user_range(uint64_t address, size_t *length)
{
    if (address >= USER_TOP || *length > USER_TOP - address)
        return false;
    *length = ROUND_UP(*length, (size_t)PAGE_SIZE);
    return true;
}

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){ (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1) / us(1)) };
}

int rusage_to_user(uintptr_t user, const struct resource_use *use)
{
    struct rusage r = { .ru_utime = timeval_of(use->user_ns),
                        .ru_stime = timeval_of(use->system_ns),
                        .ru_minflt = (int64_t)use->faults,
                        .ru_nvcsw = (int64_t)use->slept,
                        .ru_nivcsw = (int64_t)use->preempted };

    return copy_to_user(user, &r, sizeof r);
}
