/* kern/fs/ramfs.h - files, directories and links in memory. */
#pragma once
#include "kern/fs/inode.h"
#include "kern/mm/object.h"

/* A directory that is its own parent. NULL: memory is out. */
struct inode *ramfs_create_root(void);
/* Take everything out of a tree that nobody looks names up in any more. */
void ramfs_clear(struct inode *root);
/* Put inode (a device, or another file system's root directory) into a ramfs directory as name; the entry
 * takes a reference of its own. 0, -EEXIST, -ENOMEM. */
int ramfs_attach(struct inode *dir, const char *name, struct inode *inode);
/* An inode for a character device. NULL: memory is out. */
struct inode *ramfs_device(uint32_t mode, uint64_t rdev, const struct file_ops *fops);
/* A regular file of that size that no directory has, gone with its last reference: memory that processes
 * share. NULL: memory is out. */
struct inode *ramfs_unnamed(uint32_t mode, uint64_t size);
/* What a mapping of a regular file shows; NULL: it is no regular file of ramfs. The inode holds it. */
struct vm_object *ramfs_object(struct inode *inode);
extern const struct inode_ops ramfs_ops;

/* kern/fs/ramfile.c: the bytes of a regular file, in pages; holes read as zero. */
struct ramfs_data {
    struct mutex resize; /* taken to write and to change the size; an address space's mutex comes after it */
    struct vm_object object;
    void **pages; /* FS lock; NULL: a hole */
    uint64_t n_pages;
    bool sealable;  /* a file that never had a name: memory that a program made */
    uint32_t seals; /* F_SEAL_*, resize to change; what is set stays set */
};
extern const struct file_ops ramfile_ops;
void ramfile_init(struct ramfs_data *data);
int ramfile_truncate(struct inode *inode, uint64_t size);
/* Make [start, end) zero, giving its whole pages back; the size stays. 0, -EPERM. */
int ramfile_punch(struct inode *inode, uint64_t start, uint64_t end);
/* Give [start, end) pages now; the size grows to end unless it is to be kept. 0, -EFBIG, -ENOSPC, -EPERM. */
int ramfile_allocate(struct inode *inode, uint64_t start, uint64_t end, bool keep_size);
/* fcntl's F_ADD_SEALS: 0, -EPERM, -EINVAL, -EBUSY. */
int ramfile_add_seals(struct inode *inode, uint32_t seals);
void ramfile_free(struct ramfs_data *data);
struct ramfs_data *ramfs_data_of(struct inode *inode);
struct inode *ramfs_inode_of(struct ramfs_data *data);
