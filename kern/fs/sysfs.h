/* kern/fs/sysfs.h - /sys: the few files of it that programs read, as texts made when they are opened. */
#pragma once
#include "kern/fs/inode.h"

/* The directory to be mounted as /sys, with one reference; parent is a directory. NULL: memory is out. */
struct inode *sysfs_create_root(struct inode *parent);
