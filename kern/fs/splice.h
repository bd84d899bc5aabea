/* kern/fs/splice.h - bytes from file to file without a way through the program. */
#pragma once
#include "kern/fs/file.h"

/* All: bytes moved, 0 at the end, or -errno. *pos: where in the file to read (write), moved on; NULL: its own
 * position, or it has none. wait: for a pipe to have bytes or room. The files were opened for what is asked
 * of them. Process context. */

/* sendfile(2): from in, which has positions. */
int64_t splice_file(struct file *out, struct file *in, uint64_t *in_pos, uint64_t *out_pos, size_t count);
/* splice(2) from any file to a pipe, from a pipe to any file, between two different pipes. */
int64_t splice_to_pipe(struct file *pipe, struct file *in, uint64_t *pos, size_t count, bool wait);
int64_t splice_from_pipe(struct file *out, struct file *pipe, uint64_t *pos, size_t count, bool wait);
int64_t splice_pipes(struct file *out, struct file *in, size_t count, bool wait);
/* tee(2): what is in one pipe is in the other, too. */
int64_t splice_tee(struct file *out, struct file *in, size_t count, bool wait);
