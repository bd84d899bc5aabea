/* kern/fs/pipe.h - pipes. */
#pragma once
#include "kern/fs/file.h"

enum { PIPE_SIZE = 65536, PIPE_BUF = 4096 };
/* Two files, both with one reference; flags: O_NONBLOCK or 0. 0 or -ENOMEM. */
int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end);
