/* kern/fs/poll.h - waiting for one of many files: what poll, select and their kin share. */
#pragma once
#include "kern/fs/file.h"

/* One file waited for. The caller fills file (a reference it keeps; NULL: none) and events. */
struct poll_entry {
    struct file *file;
    int events, revents; /* POLL*; ERR, HUP and NVAL always count */
    bool hangs;          /* waiter is in the file's queue; here and below poll.c's own */
    struct waiter waiter;
    struct poll_wait *wait;
};
/* Sleep until one of n entries is ready or deadline. The number of entries with revents, 0 at the deadline,
 * or -EINTR. Process context. */
int poll_files(struct poll_entry *entries, size_t n, uint64_t deadline);
