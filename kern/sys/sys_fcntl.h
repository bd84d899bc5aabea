/* kern/sys/sys_fcntl.h - what fcntl shares with other calls. */
#pragma once
#include "kern/fs/file.h"

/* F_SETFL: those of flags that may change. */
void set_file_flags(struct file *f, uint32_t flags);
/* F_ADD_SEALS and F_GET_SEALS. */
int64_t fcntl_seals(struct file *f, int cmd, uint64_t arg);
