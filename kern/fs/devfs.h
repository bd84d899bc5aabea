/* kern/fs/devfs.h - the devices of /dev. */
#pragma once
#include "kern/fs/inode.h"

/* Put every device into the directory dev. 0 or -ENOMEM. */
int devfs_fill(struct inode *dev);
struct file_ops;
/* The character device with that number; NULL: there is none. */
const struct file_ops *devfs_find(uint64_t rdev);
