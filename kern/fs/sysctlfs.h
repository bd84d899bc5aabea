/* kern/fs/sysctlfs.h - /proc/sys: the knobs of all tables as a tree of files, named by their paths. */
#pragma once
#include "kern/fs/inode.h"
#include "lib/sysctl.h"

/* The directory, with one reference; INODE_NO_MEMORY. */
struct inode *sysctlfs_create_root(struct inode *parent);

/* The kernel's own tables; ends with NULL entries. Those of the network are net.h's. */
extern const struct sysctl_table kernel_sysctls[]; /* kern/sys/sysctl_kernel.c */
