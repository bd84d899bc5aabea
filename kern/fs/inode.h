/* kern/fs/inode.h - an inode: a file, directory, link or device in the tree, whichever file system it is of.
 *
 * There is one tree. A directory knows its parent; a "mount" is a directory whose inode_ops are another file
 * system's. An inode lives as long as it has references: one from each directory entry, open file, cwd and
 * child directory. */
#pragma once
#include "kern/sched/spinlock.h"
#include "lib/refcount.h"

struct inode;
struct file;
struct file_ops;

/* Records of getdents64 gathered in kernel memory. */
struct dir_buffer {
    uint8_t *bytes;
    size_t size, used;
};

/* What a look-up gives when there may be such an entry, but no memory to tell. */
#define INODE_NO_MEMORY ((struct inode *)-1l)

/* Any may be NULL: then the call fails with -ENOTDIR (lookup, readdir), -EINVAL (readlink, truncate) or
 * -EPERM. Names are one component, NUL-terminated, at most NAME_MAX bytes. Process context, no lock held.
 * Inodes given back carry a reference for the caller. */
struct inode_ops {
    struct inode *(*lookup)(struct inode *dir, const char *name); /* NULL: no such entry; INODE_NO_MEMORY */
    int (*create)(struct inode *dir, const char *name, uint32_t mode, struct inode **made);
    int (*symlink)(struct inode *dir, const char *name, const char *target);
    int (*link)(struct inode *dir, const char *name, struct inode *target);
    int (*unlink)(struct inode *dir, const char *name, bool directory);
    int (*rename)(struct inode *from, const char *old_name, struct inode *to, const char *new_name);
    int (*readdir)(struct inode *dir, uint64_t *pos, struct dir_buffer *out);
    int64_t (*readlink)(struct inode *link, char *buf, size_t size); /* length, not terminated */
    /* where it leads, if that is not what its text names, and the directory that has it (or NULL) */
    struct inode *(*target)(struct inode *link, struct inode **dir);
    int (*truncate)(struct inode *inode, uint64_t size);
    void (*evict)(struct inode *inode); /* the last reference is gone: free it */
};

struct inode {
    struct refcount refs;
    const struct inode_ops *ops;
    const struct file_ops *fops; /* of a file opened on it */
    uint64_t ino, rdev;
    uint32_t dev;   /* the file system it is of */
    uint32_t locks; /* FILE_LOCKS lock: flock's and fcntl's that are held on it */
    /* FS lock */
    uint32_t mode, nlink, uid, gid;
    uint64_t size;                /* bytes */
    struct inode *mounted;        /* the root of what is mounted on it; kern/fs/mount.c holds it */
    bool mount_root;              /* it is mounted on a directory */
    int32_t writers;              /* files open to write; negative: how many run it as a program */
    uint64_t atime, mtime, ctime; /* wall clock, ns */
    struct pipe *pipe;            /* a FIFO's, while it is open */
    struct inode *parent;         /* a directory's; a reference, except the root's to itself */
};

extern struct spinlock fs_lock; /* rank FS: inodes' fields and ramfs's directories and pages */
extern struct inode *fs_root;   /* set by fs_init, constant afterwards */

/* Fill in what all inodes have: one reference, times, a fresh ino. */
void inode_init(struct inode *inode, uint32_t mode, const struct inode_ops *ops, const struct file_ops *fops);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode); /* NULL is fine; may evict: no lock held */
/* The number of the file system it is on: st_dev. */
unsigned inode_device(const struct inode *inode);
/* A file is either written or run: -ETXTBSY to whoever comes with the other. */
int inode_begin_write(struct inode *inode);
void inode_end_write(struct inode *inode);
int inode_begin_run(struct inode *inode);
void inode_end_run(struct inode *inode);
/* The parent of a directory, with a reference. */
struct inode *inode_parent(struct inode *dir);
struct stat;
void inode_stat(struct inode *inode, struct stat *st);

/* Append a record; pos is where reading goes on after it. False: no room. */
bool dir_emit(struct dir_buffer *out, const char *name, uint64_t ino, uint32_t mode, uint64_t pos);
/* Emit "." and ".." for *pos 0 and 1 and move it to 2. False: no room. */
bool dir_emit_dots(struct inode *dir, uint64_t *pos, struct dir_buffer *out);
