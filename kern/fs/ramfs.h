/* kern/fs/ramfs.h - files, directories and links in memory. */
#pragma once
#include "kern/fs/inode.h"

/* A directory that is its own parent. NULL: memory is out. */
struct inode *ramfs_create_root(void);
/* Put inode (a device, or another file system's root directory) into a ramfs directory as name; the entry
 * takes a reference of its own. 0, -EEXIST, -ENOMEM. */
int ramfs_attach(struct inode *dir, const char *name, struct inode *inode);
/* An inode for a character device. NULL: memory is out. */
struct inode *ramfs_device(uint32_t mode, uint64_t rdev, const struct file_ops *fops);
extern const struct inode_ops ramfs_ops;

/* kern/fs/ramfile.c: the bytes of a regular file, in pages; holes read as zero. */
struct ramfs_data {
    void **pages; /* FS lock; NULL: a hole */
    uint64_t n_pages;
};
extern const struct file_ops ramfile_ops;
int ramfile_truncate(struct inode *inode, uint64_t size);
void ramfile_free(struct ramfs_data *data);
struct ramfs_data *ramfs_data_of(struct inode *inode);
