/* kern/fs/file.c - open files: references, positions, and the checks before each operation. */
#include "kern/fs/file.h"
#include "kern/fs/epoll.h"
#include "kern/fs/locks.h"
#include "kern/mm/mm.h"
#include "kern/sys/kernel_knobs.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"

struct file *file_create(const struct file_ops *ops, struct inode *inode, uint32_t flags)
{
    struct file *f = kzalloc(sizeof *f);

    if (!f)
        return NULL;
    refcount_set(&f->refs, 1);
    f->ops = ops;
    f->inode = inode ? inode_get(inode) : NULL;
    f->flags = flags;
    mutex_init(&f->pos_lock, "file position");
    list_init(&f->epoll_items);
    __atomic_fetch_add(&kernel_knobs.files, 1, __ATOMIC_RELAXED);
    return f;
}

static void file_free(struct file *f)
{
    inode_put(f->inode);
    kfree(f);
    __atomic_fetch_sub(&kernel_knobs.files, 1, __ATOMIC_RELAXED);
}

/* O_PATH: a place in the tree; what is there is not opened. */
static const struct file_ops path_file_ops = { .seekable = false };

bool file_is_place(const struct file *f)
{
    return f->ops == &path_file_ops;
}

static int open_place(struct inode *inode, uint32_t flags, struct file **out)
{
    *out = file_create(&path_file_ops, inode, flags);
    return *out ? 0 : -ENOMEM;
}

static bool counts_as_writer(const struct file *f)
{
    return f->inode && S_ISREG(f->inode->mode) && file_may_write(f);
}

static int begin_writing(struct file *f)
{
    return counts_as_writer(f) ? inode_begin_write(f->inode) : 0;
}

static void end_writing(struct file *f)
{
    if (counts_as_writer(f))
        inode_end_write(f->inode);
}

int file_open_inode(struct inode *inode, uint32_t flags, struct file **out)
{
    struct file *f;
    int err;

    if (flags & O_PATH)
        return open_place(inode, flags, out);
    if (!inode->fops)
        return -ENXIO;
    if (READ_ONCE(kernel_knobs.files) >= READ_ONCE(kernel_knobs.file_max))
        return -ENFILE;
    f = file_create(inode->fops, inode, flags);
    if (!f)
        return -ENOMEM;
    err = begin_writing(f);
    if (!err && f->ops->open) {
        err = f->ops->open(f);
        if (err)
            end_writing(f);
    }
    if (err) {
        file_free(f);
        return err;
    }
    *out = f;
    return 0;
}

void file_put(struct file *f)
{
    if (!refcount_put(&f->refs))
        return;
    if (f->in_epoll)
        epoll_forget_file(f);
    lock_release_file(f);
    if (f->ops->release)
        f->ops->release(f);
    end_writing(f);
    inode_put(f->inode);
    inode_put(f->dir);
    kfree(f);
    __atomic_fetch_sub(&kernel_knobs.files, 1, __ATOMIC_RELAXED);
}

static bool may_read(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

bool file_may_write(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH);
}

typedef int64_t (*transfer)(struct file *f, struct iov_iter *it, uint64_t *pos);

static int64_t transfer_at(struct file *f, transfer op, struct iov_iter *it, const uint64_t *pos)
{
    uint64_t at = pos ? *pos : 0;
    int64_t n;

    if (pos && !f->ops->seekable && !f->ops->same_anywhere)
        return -ESPIPE;
    if (pos || !f->ops->seekable)
        return op(f, it, &at);
    mutex_lock(&f->pos_lock);
    n = op(f, it, &f->pos);
    mutex_unlock(&f->pos_lock);
    return n;
}

int64_t file_read(struct file *f, struct iov_iter *it, const uint64_t *pos)
{
    if (!may_read(f))
        return -EBADF;
    if (!f->ops->read)
        return f->ops == &directory_file_ops ? -EISDIR : -EINVAL;
    return transfer_at(f, f->ops->read, it, pos);
}

int64_t file_write(struct file *f, struct iov_iter *it, const uint64_t *pos)
{
    if (!file_may_write(f))
        return -EBADF;
    if (!f->ops->write)
        return -EINVAL;
    return transfer_at(f, f->ops->write, it, pos);
}

int64_t file_read_kernel(struct file *f, void *dst, size_t n, uint64_t pos)
{
    struct io_vector v = { (uintptr_t)dst, n };
    struct iov_iter it;

    iov_iter_init(&it, ITER_KERNEL, &v, 1);
    return file_read(f, &it, &pos);
}

static int64_t lseek_base(struct file *f, int whence)
{
    switch (whence) {
    case SEEK_SET:
        return 0;
    case SEEK_CUR:
        return (int64_t)f->pos;
    case SEEK_END:
        return f->inode ? (int64_t)READ_ONCE(f->inode->size) : 0;
    case SEEK_DATA: /* a file is all data, as for any file system that keeps no account of holes (lseek(2)) */
    case SEEK_HOLE:
        return 0;
    default:
        return -EINVAL;
    }
}

/* Where a file's next data, or the hole behind its end, is from offset on. */
static int64_t seek_extent(const struct file *f, int64_t offset, int whence)
{
    int64_t size = f->inode ? (int64_t)READ_ONCE(f->inode->size) : 0;

    if (offset < 0 || offset >= size)
        return -ENXIO;
    return whence == SEEK_DATA ? offset : size;
}

int64_t file_lseek(struct file *f, int64_t offset, int whence)
{
    int64_t base, to;

    if (!f->ops->seekable)
        return f->ops->ignores_seek ? 0 : -ESPIPE;
    mutex_lock(&f->pos_lock);
    base = lseek_base(f, whence);
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        offset = seek_extent(f, offset, whence);
        base = MIN(offset, (int64_t)0);
    }
    if (base < 0)
        to = base;
    else if (__builtin_add_overflow(base, offset, &to) || to < 0)
        to = -EINVAL;
    else
        f->pos = (uint64_t)to;
    mutex_unlock(&f->pos_lock);
    return to;
}

int file_poll(struct file *f)
{
    return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

struct vm_object *file_object(struct file *f)
{
    return f->ops->object ? f->ops->object(f) : NULL;
}

void file_stat(struct file *f, struct stat *st)
{
    if (f->inode) {
        inode_stat(f->inode, st);
        return;
    }
    *st = (struct stat){ .st_dev = 2,
                         .st_ino = f->ops->ino ? f->ops->ino(f) : (uint64_t)f & 0xffffffff,
                         .st_nlink = 1,
                         .st_mode = f->ops->mode | 0600,
                         .st_blksize = 4096 };
}

const struct file_ops directory_file_ops = { .mode = S_IFDIR, .seekable = true };
