/* kern/sys/sys_fcntl.h - the parts of fcntl. */
#pragma once
#include "kern/fs/file.h"

/* F_ADD_SEALS and F_GET_SEALS. */
int64_t fcntl_seals(struct file *f, int cmd, uint64_t arg);
