/* kern/fs/pipe.h - pipes, with a name or without: pages of bytes between writers and readers. */
#pragma once
#include "kern/fs/file.h"

enum { PIPE_SIZE = 65536, PIPE_BUF = 4096, PIPE_MAX_SIZE = 1 << 20 };
/* Two files, both with one reference; flags: O_NONBLOCK or 0. 0 or -ENOMEM. */
int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end);
extern const struct file_ops fifo_ops; /* of an inode that is a named pipe */

/* ---- for splice.c ---- */

/* Some bytes of a page, which is a reference. A page that somebody else has, too, is not written any more. */
struct pipe_slot {
    void *page;
    uint32_t offset, len;
    bool mergeable; /* the rest of the page is the pipe's to fill */
};
struct pipe;
/* The pipe behind f, or NULL if it is none. */
struct pipe *pipe_of(const struct file *f);
/* A pipe's mutex: nothing is read or written meanwhile. pipe_lock_two: of two different ones. */
void pipe_lock(struct pipe *p);
void pipe_lock_two(struct pipe *a, struct pipe *b);
void pipe_unlock(struct pipe *p);
/* With the mutex held, which is dropped meanwhile: wait until there are bytes (1), or no writer is left (0);
 * until there is room (1). -EAGAIN without wait, -EPIPE, -EINTR. */
int pipe_await_bytes(struct pipe *p, bool wait);
int pipe_await_room(struct pipe *p, bool wait);
/* With the mutex held. The n-th slot from the reader's end, NULL: there are no more. */
struct pipe_slot *pipe_slot_at(struct pipe *p, unsigned n);
/* Drop n bytes of the first slot, which has as many. */
void pipe_consume(struct pipe *p, uint32_t n);
/* Add a slot, whose page the pipe takes; there is room. */
void pipe_push(struct pipe *p, struct pipe_slot slot);
bool pipe_has_room(const struct pipe *p);
/* With the mutex held: as many bytes of it as there is room for; as are there; or -errno. */
int64_t pipe_write_now(struct pipe *p, struct iov_iter *it);
int64_t pipe_read_now(struct pipe *p, struct iov_iter *it);
/* F_GETPIPE_SZ, F_SETPIPE_SZ: the size, or -EBUSY, -EPERM, -ENOMEM, -EINVAL. */
int64_t pipe_get_size(struct pipe *p);
int64_t pipe_set_size(struct pipe *p, uint64_t size);
