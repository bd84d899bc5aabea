/* kern/sys/sys_splice.c - sendfile, splice, tee, vmsplice, copy_file_range: their arguments to and from
 * kern/fs/splice.c. */
#include "kern/fs/files.h"
#include "kern/fs/pipe.h"
#include "kern/fs/splice.h"
#include "kern/mm/mm.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "net/syscalls.h"

/* The two files of a call, each with a reference or NULL. */
struct ends {
    struct file *in, *out;
};

static bool may_read(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

/* 0, or -EBADF; put_ends() in either case. */
static int get_ends(int in, int out, struct ends *e)
{
    *e = (struct ends){ fd_get(in), fd_get(out) };
    return e->in && e->out && may_read(e->in) && file_may_write(e->out) ? 0 : -EBADF;
}

static void put_ends(struct ends *e)
{
    if (e->in)
        file_put(e->in);
    if (e->out)
        file_put(e->out);
}

/* A position the user gave, if he did: *pos is set to at, or NULL. 0, -EFAULT, -EINVAL. */
static int position_from_user(uintptr_t user, uint64_t *at, uint64_t **pos)
{
    *pos = NULL;
    if (!user)
        return 0;
    if (copy_from_user(at, user, sizeof *at))
        return -EFAULT;
    *pos = at;
    return (int64_t)*at < 0 ? -EINVAL : 0;
}

static int64_t position_to_user(uintptr_t user, const uint64_t *pos, int64_t result)
{
    return pos && result >= 0 && copy_to_user(user, pos, sizeof *pos) ? -EFAULT : result;
}

/* ---- from a file with positions to any ---- */

typedef int64_t (*mover)(struct file *out, struct file *in, uint64_t *pos, size_t count);

/* Let move have pos, or the file's own position, which is then moved on. Meanwhile others may move it, too:
 * its mutex must not be held while out, perhaps the same file, takes its own. */
static int64_t at_position(mover move, struct file *out, struct file *in, uint64_t *pos, size_t count)
{
    uint64_t own = READ_ONCE(in->pos);
    int64_t n = move(out, in, pos ? pos : &own, count);

    if (!pos && n > 0)
        file_lseek(in, (int64_t)own, SEEK_SET);
    return n;
}

static int64_t send_to(struct file *out, struct file *in, uint64_t *pos, size_t count)
{
    if (pipe_of(out))
        return splice_to_pipe(out, in, pos, count, !file_nonblocking(out));
    return splice_file(out, in, pos, NULL, count);
}

static int64_t send_file(struct ends *e, uintptr_t user_pos, size_t count)
{
    uint64_t at, *pos;
    int err = position_from_user(user_pos, &at, &pos);

    if (err)
        return err;
    if (!e->in->ops->seekable)
        return user_pos ? -ESPIPE : -EINVAL;
    if (e->out->flags & O_APPEND)
        return -EINVAL;
    return position_to_user(user_pos, pos,
                            at_position(send_to, e->out, e->in, pos, MIN(count, (size_t)IO_BYTES_MOST)));
}

SYSCALL_DEFINE4(sendfile, int, out, int, in, uintptr_t, user_pos, size_t, count)
{
    struct ends e;
    int64_t n = get_ends(in, out, &e);

    if (!n)
        n = send_file(&e, user_pos, count);
    put_ends(&e);
    return n;
}

/* ---- splice ---- */

static int64_t to_pipe(struct file *pipe, struct file *in, uint64_t *pos, size_t count)
{
    return splice_to_pipe(pipe, in, pos, count, !file_nonblocking(pipe));
}

static int64_t to_pipe_nonblocking(struct file *pipe, struct file *in, uint64_t *pos, size_t count)
{
    return splice_to_pipe(pipe, in, pos, count, false);
}

static int64_t into_pipe(struct ends *e, uintptr_t user_in, uintptr_t user_out, size_t count, bool wait)
{
    uint64_t at, *pos;
    int err = user_out ? -ESPIPE : position_from_user(user_in, &at, &pos);
    int64_t n;

    if (err)
        return err;
    if (pos && !e->in->ops->seekable)
        return -EINVAL;
    if (!e->in->ops->read)
        return -EINVAL;
    if (e->in->ops->seekable)
        n = at_position(wait ? to_pipe : to_pipe_nonblocking, e->out, e->in, pos, count);
    else
        n = splice_to_pipe(e->out, e->in, NULL, count, wait && !file_nonblocking(e->out));
    return position_to_user(user_in, pos, n);
}

static int64_t out_of_pipe(struct ends *e, uintptr_t user_in, uintptr_t user_out, size_t count, bool wait)
{
    uint64_t at, *pos;
    int err = user_in ? -ESPIPE : position_from_user(user_out, &at, &pos);

    if (err)
        return err;
    if ((pos && !e->out->ops->seekable) || (e->out->flags & O_APPEND) || !e->out->ops->write)
        return -EINVAL;
    return position_to_user(user_out, pos,
                            splice_from_pipe(e->out, e->in, pos, count, wait && !file_nonblocking(e->in)));
}

static bool both_wait(const struct ends *e, bool wait)
{
    return wait && !file_nonblocking(e->in) && !file_nonblocking(e->out);
}

static int64_t splice_ends(struct ends *e, uintptr_t user_in, uintptr_t user_out, size_t count, bool wait)
{
    struct pipe *in = pipe_of(e->in), *out = pipe_of(e->out);

    if (in && out && (user_in || user_out))
        return -ESPIPE;
    if (in && out)
        return in == out ? -EINVAL : splice_pipes(e->out, e->in, count, both_wait(e, wait));
    if (in)
        return out_of_pipe(e, user_in, user_out, count, wait);
    return out ? into_pipe(e, user_in, user_out, count, wait) : -EINVAL;
}

SYSCALL_DEFINE6(splice, int, in, uintptr_t, user_in, int, out, uintptr_t, user_out, size_t, count, unsigned,
                flags)
{
    struct ends e;
    int64_t n;

    if (!count)
        return 0;
    if (flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))
        return -EINVAL;
    n = get_ends(in, out, &e);
    if (!n)
        n = splice_ends(&e, user_in, user_out, MIN(count, (size_t)IO_BYTES_MOST),
                        !(flags & SPLICE_F_NONBLOCK));
    put_ends(&e);
    return n;
}

SYSCALL_DEFINE4(tee, int, in, int, out, size_t, count, unsigned, flags)
{
    struct ends e;
    int64_t n;

    if (flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))
        return -EINVAL;
    if (!count)
        return 0;
    n = get_ends(in, out, &e);
    if (!n)
        n = pipe_of(e.in) && pipe_of(e.out) && pipe_of(e.in) != pipe_of(e.out)
                ? splice_tee(e.out, e.in, count, both_wait(&e, !(flags & SPLICE_F_NONBLOCK)))
                : -EINVAL;
    put_ends(&e);
    return n;
}

/* ---- vmsplice: the user's pages are copied ---- */

/* Wait for room (for bytes), then as much as fits (as is there). Of the file's O_NONBLOCK Linux takes no
 * notice here. */
static int64_t move_memory(struct file *f, struct iov_iter *it, bool wait)
{
    bool write = file_may_write(f);
    struct pipe *p = pipe_of(f);
    int64_t n;

    pipe_lock(p);
    n = write ? pipe_await_room(p, wait) : pipe_await_bytes(p, wait);
    if (n > 0)
        n = write ? pipe_write_now(p, it) : pipe_read_now(p, it);
    pipe_unlock(p);
    return n;
}

SYSCALL_DEFINE4(vmsplice, int, fd, uintptr_t, vector, size_t, n, unsigned, flags)
{
    struct file *f;
    struct io_vector *vectors;
    struct iov_iter it;
    int64_t done = -EBADF;

    if (flags & ~(unsigned)(SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT))
        return -EINVAL;
    f = fd_get(fd);
    if (!f)
        return -EBADF;
    if (pipe_of(f))
        done = iovec_from_user(vector, n, &vectors, &it);
    if (!done) {
        if (it.count)
            done = move_memory(f, &it, !(flags & SPLICE_F_NONBLOCK));
        kfree(vectors);
    }
    file_put(f);
    return done;
}

/* ---- copy_file_range ---- */

static bool is_regular(const struct file *f)
{
    return f->inode && S_ISREG(f->inode->mode);
}

static bool is_directory(const struct file *f)
{
    return f->inode && S_ISDIR(f->inode->mode);
}

static int check_ranges(const struct ends *e, uint64_t in, uint64_t out, size_t count)
{
    if (is_directory(e->in) || is_directory(e->out))
        return -EISDIR;
    if (!is_regular(e->in) || !is_regular(e->out))
        return -EINVAL;
    if (e->out->flags & O_APPEND)
        return -EBADF;
    if (in + count < in || out + count < out)
        return -EOVERFLOW;
    return e->in->inode == e->out->inode && in < out + count && out < in + count ? -EINVAL : 0;
}

static int64_t copy_range(struct ends *e, uintptr_t user_in, uintptr_t user_out, size_t count)
{
    uint64_t at_in, at_out, *in, *out;
    int64_t n = position_from_user(user_in, &at_in, &in);

    if (!n)
        n = position_from_user(user_out, &at_out, &out);
    if (n)
        return n;
    if (!in)
        at_in = READ_ONCE(e->in->pos);
    if (!out)
        at_out = READ_ONCE(e->out->pos);
    n = check_ranges(e, at_in, at_out, count);
    if (!n)
        n = splice_file(e->out, e->in, &at_in, &at_out, MIN(count, (size_t)IO_BYTES_MOST));
    if (!in && n > 0)
        file_lseek(e->in, (int64_t)at_in, SEEK_SET);
    if (!out && n > 0)
        file_lseek(e->out, (int64_t)at_out, SEEK_SET);
    return position_to_user(user_out, out, position_to_user(user_in, in, n));
}

SYSCALL_DEFINE6(copy_file_range, int, in, uintptr_t, user_in, int, out, uintptr_t, user_out, size_t, count,
                unsigned, flags)
{
    struct ends e;
    int64_t n;

    if (flags)
        return -EINVAL;
    n = get_ends(in, out, &e);
    if (!n)
        n = copy_range(&e, user_in, user_out, count);
    put_ends(&e);
    return n;
}
