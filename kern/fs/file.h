/* kern/fs/file.h - an open file: what a descriptor stands for, whatever is behind it.
 *
 * Reading and writing go through struct iov_iter (net/net.h), so that one operation serves read, readv, pread
 * and the kernel's own reading. Life: counted; descriptors and calls in progress hold references. */
#pragma once
#include "kern/fs/inode.h"
#include "kern/sched/wait.h"
#include "net/net.h"

/* Process context, no lock held. Any but release may be NULL. */
struct vm_object;
struct file_ops {
    uint32_t mode;      /* S_IFIFO, S_IFSOCK: what fstat says of a file without an inode */
    bool seekable;      /* has a position */
    bool ignores_seek;  /* has none, and lseek() says 0 instead of ESPIPE */
    bool same_anywhere; /* and pread() and pwrite() are as good as read() and write() */
    int (*open)(struct file *f);
    int64_t (*read)(struct file *f, struct iov_iter *it, uint64_t *pos); /* bytes, moves *pos on */
    int64_t (*write)(struct file *f, struct iov_iter *it, uint64_t *pos);
    int64_t (*ioctl)(struct file *f, unsigned request, uintptr_t arg); /* -ENOTTY: unknown */
    int (*poll)(struct file *f);                                       /* POLL* that hold now */
    struct waitq *(*waitq)(struct file *f);                            /* woken when poll's answer changes */
    struct vm_object *(*object)(struct file *f); /* what a mapping of it shows: a reference */
    uint64_t (*ino)(struct file *f);             /* what fstat calls a file without an inode; NULL: any */
    void (*release)(struct file *f);             /* the last reference is gone */
};

struct file {
    struct refcount refs;
    const struct file_ops *ops;
    struct inode *inode; /* a reference, or NULL: a pipe, a socket */
    struct inode *dir;   /* a reference: where a walk found inode, for its name; NULL: nowhere */
    uint32_t flags;      /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH; fcntl may change the middle ones */
    int32_t owner, owner_signal; /* F_SETOWN, F_SETSIG */
    struct mutex pos_lock;
    uint64_t pos;  /* pos_lock */
    void *private; /* the ops' */
    /* epoll.c's: the sets the file is in. in_epoll, once set, stays. */
    bool in_epoll;
    struct list_head epoll_items;
};

/* A file with one reference; takes a reference of its own to inode (which may be NULL). NULL: memory is out.
 */
struct file *file_create(const struct file_ops *ops, struct inode *inode, uint32_t flags);
/* file_create and the ops' open. *out on success; 0 or -errno. */
int file_open_inode(struct inode *inode, uint32_t flags, struct file **out);
static inline struct file *file_get(struct file *f)
{
    refcount_get(&f->refs);
    return f;
}
void file_put(struct file *f);

/* Read or write at pos, or at (and moving) the file's own position where pos is NULL. Bytes, -EBADF when the
 * file was not opened for that, -EINVAL, -EISDIR, or the operation's error. Process context. */
int64_t file_read(struct file *f, struct iov_iter *it, const uint64_t *pos);
int64_t file_write(struct file *f, struct iov_iter *it, const uint64_t *pos);
/* Read n bytes at pos to kernel memory: bytes, fewer at the end, or -errno. */
int64_t file_read_kernel(struct file *f, void *dst, size_t n, uint64_t pos);
int64_t file_lseek(struct file *f, int64_t offset, int whence);
bool file_may_write(const struct file *f); /* was it opened for that? */
int file_poll(struct file *f);
/* Does it have a readiness of its own? Regular files are always ready. */
static inline bool file_can_poll(const struct file *f)
{
    return f->ops->poll;
}
/* F_SETOWN (kern/fs/owner.c): a process, minus a group, or 0. 0, -ESRCH, -EINVAL. Process context. */
int file_set_owner(struct file *f, int32_t who);
bool file_is_place(const struct file *f); /* O_PATH: names an inode and is not open */
/* What a mapping of f shows, a reference (put by its ops); NULL: it cannot be mapped. */
struct vm_object *file_object(struct file *f);
void file_stat(struct file *f, struct stat *st);
static inline bool file_nonblocking(const struct file *f)
{
    return READ_ONCE(f->flags) & 04000; /* O_NONBLOCK */
}

extern const struct file_ops directory_file_ops; /* of a directory: neither read nor written */
