/* kern/fs/pipe.c - pipes: a ring of bytes between two files.
 *
 * The pipe's lock guards the ring; user memory is copied without it, through a chunk in kernel memory. A
 * write of at most PIPE_BUF bytes goes in at once or not at all; the bytes of longer ones, and of readers of
 * one pipe, may mix as pipe(7) has it. Nobody waits but for the ring, so a signal or O_NONBLOCK always
 * counts. */
#include "kern/fs/pipe.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

struct pipe {
    struct refcount refs; /* one an end */
    struct waitq wq;      /* readers, writers, pollers */

    struct spinlock lock; /* rank PIPE; guards what follows */
    uint8_t *ring;        /* PIPE_SIZE bytes */
    size_t start, used;
    bool has_reader, has_writer;
};

/* ---- the ring; lock held ---- */

/* Copy the next n bytes at most; they stay. How many. */
static size_t ring_look(const struct pipe *p, uint8_t *dst, size_t n)
{
    size_t first;

    n = MIN(n, p->used);
    first = MIN(n, PIPE_SIZE - p->start);
    memcpy(dst, p->ring + p->start, first);
    memcpy(dst + first, p->ring, n - first);
    return n;
}

static void ring_drop(struct pipe *p, size_t n)
{
    p->start = (p->start + n) % PIPE_SIZE;
    p->used -= n;
}

static void ring_put(struct pipe *p, const uint8_t *src, size_t n)
{
    size_t end = (p->start + p->used) % PIPE_SIZE;
    size_t first = MIN(n, PIPE_SIZE - end);

    memcpy(p->ring + end, src, first);
    memcpy(p->ring, src + first, n - first);
    p->used += n;
}

/* ---- reading ---- */

/* Wait for bytes and copy up to n: a count, 0 at the end, -EAGAIN, -EINTR. */
static int64_t look_at_bytes(struct pipe *p, uint8_t *chunk, size_t n, bool wait)
{
    uint64_t flags = spin_lock(&p->lock);
    int64_t result = 0;

    while (!p->used && p->has_writer && !result)
        result = wait ? waitq_wait_spin(&p->wq, &p->lock, &flags, TIME_NEVER) : -EAGAIN;
    if (p->used)
        result = (int64_t)ring_look(p, chunk, n);
    spin_unlock(&p->lock, flags);
    return result;
}

static bool has_room(const struct pipe *p)
{
    return PIPE_SIZE - p->used >= PIPE_BUF;
}

/* Pollers are told when there is room again, not that there is more of it. */
static void drop_bytes(struct pipe *p, size_t n)
{
    uint64_t flags = spin_lock(&p->lock);
    bool had_room = has_room(p);

    ring_drop(p, n);
    had_room |= !has_room(p);
    spin_unlock(&p->lock, flags);
    waitq_wake_events(&p->wq, had_room ? 0 : POLLOUT | POLLWRNORM);
}

/* Bytes leave the pipe when the reader has them. */
static int64_t read_chunks(struct pipe *p, struct iov_iter *it, uint8_t *chunk, bool wait)
{
    int64_t done = 0;

    while (it->count) {
        int64_t n = look_at_bytes(p, chunk, MIN(it->count, (size_t)PIPE_BUF), wait && !done);
        if (n <= 0)
            return done ? done : n;
        if (copy_to_iter(chunk, (size_t)n, it))
            return done ? done : -EFAULT;
        drop_bytes(p, (size_t)n);
        done += n;
    }
    return done;
}

static int64_t pipe_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct pipe *p = f->private;
    uint8_t *chunk = kmalloc(PIPE_BUF);
    int64_t n;

    (void)pos;
    if (!chunk)
        return -ENOMEM;
    n = read_chunks(p, it, chunk, !file_nonblocking(f));
    kfree(chunk);
    return n;
}

/* ---- writing ---- */

/* Wait for room and put the chunk in: 0, -EPIPE, -EAGAIN, -EINTR. */
static int put_bytes(struct pipe *p, const uint8_t *chunk, size_t n, bool wait)
{
    uint64_t flags = spin_lock(&p->lock);
    int err = 0;

    while (p->has_reader && PIPE_SIZE - p->used < n && !err)
        err = wait ? waitq_wait_spin(&p->wq, &p->lock, &flags, TIME_NEVER) : -EAGAIN;
    if (!p->has_reader)
        err = -EPIPE;
    if (!err)
        ring_put(p, chunk, n);
    spin_unlock(&p->lock, flags);
    if (!err)
        waitq_wake_events(&p->wq, POLLIN | POLLRDNORM);
    return err;
}

static int64_t write_chunks(struct pipe *p, struct iov_iter *it, uint8_t *chunk, bool wait)
{
    int64_t done = 0;

    while (it->count) {
        size_t n = MIN(it->count, (size_t)PIPE_BUF);
        int err = copy_from_iter(chunk, n, it);
        if (!err)
            err = put_bytes(p, chunk, n, wait);
        if (err == -EPIPE)
            signal_send_self(SIGPIPE); /* whatever was written before */
        if (err)
            return done ? done : err;
        done += (int64_t)n;
    }
    return done;
}

static int64_t pipe_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct pipe *p = f->private;
    uint8_t *chunk = kmalloc(PIPE_BUF);
    int64_t n;

    (void)pos;
    if (!chunk)
        return -ENOMEM;
    n = write_chunks(p, it, chunk, !file_nonblocking(f));
    kfree(chunk);
    return n;
}

/* ---- the rest ---- */

/* Without the lock: an answer is of a moment anyway. Who is there is read before what there is, so that the
 * last bytes of a writer that has gone are never missed. */
static int pipe_read_poll(struct file *f)
{
    const struct pipe *p = f->private;
    bool has_writer = __atomic_load_n(&p->has_writer, __ATOMIC_ACQUIRE);

    return (READ_ONCE(p->used) ? POLLIN | POLLRDNORM : 0) | (has_writer ? 0 : POLLHUP);
}

static int pipe_write_poll(struct file *f)
{
    const struct pipe *p = f->private;
    bool has_reader = __atomic_load_n(&p->has_reader, __ATOMIC_ACQUIRE);
    bool room = PIPE_SIZE - READ_ONCE(p->used) >= PIPE_BUF || !has_reader;

    return (room ? POLLOUT | POLLWRNORM : 0) | (has_reader ? 0 : POLLERR);
}

static struct waitq *pipe_waitq(struct file *f)
{
    struct pipe *p = f->private;

    return &p->wq;
}

static int64_t pipe_ioctl(struct file *f, unsigned request, uintptr_t arg)
{
    struct pipe *p = f->private;
    int used = (int)READ_ONCE(p->used);

    return request == FIONREAD ? copy_to_user(arg, &used, sizeof used) : -ENOTTY;
}

static void pipe_free(struct pipe *p)
{
    kfree(p->ring);
    kfree(p);
}

static void close_end(struct pipe *p, bool *has)
{
    uint64_t flags = spin_lock(&p->lock);

    *has = false;
    spin_unlock(&p->lock, flags);
    waitq_wake(&p->wq);
    if (refcount_put(&p->refs))
        pipe_free(p);
}

static void pipe_release_reader(struct file *f)
{
    struct pipe *p = f->private;

    close_end(p, &p->has_reader);
}

static void pipe_release_writer(struct file *f)
{
    struct pipe *p = f->private;

    close_end(p, &p->has_writer);
}

static const struct file_ops pipe_read_ops = { .mode = S_IFIFO,
                                               .read = pipe_read,
                                               .poll = pipe_read_poll,
                                               .waitq = pipe_waitq,
                                               .ioctl = pipe_ioctl,
                                               .release = pipe_release_reader };
static const struct file_ops pipe_write_ops = { .mode = S_IFIFO,
                                                .write = pipe_write,
                                                .poll = pipe_write_poll,
                                                .waitq = pipe_waitq,
                                                .ioctl = pipe_ioctl,
                                                .release = pipe_release_writer };

static struct pipe *pipe_alloc(void)
{
    struct pipe *p = kzalloc(sizeof *p);

    if (!p)
        return NULL;
    p->ring = kmalloc(PIPE_SIZE);
    if (!p->ring) {
        kfree(p);
        return NULL;
    }
    refcount_set(&p->refs, 2);
    waitq_init(&p->wq);
    spin_init(&p->lock, "pipe", RANK_PIPE);
    p->has_reader = p->has_writer = true;
    return p;
}

int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end)
{
    struct pipe *p = pipe_alloc();

    if (!p)
        return -ENOMEM;
    *read_end = file_create(&pipe_read_ops, NULL, O_RDONLY | flags);
    if (!*read_end) {
        pipe_free(p);
        return -ENOMEM;
    }
    (*read_end)->private = p;
    *write_end = file_create(&pipe_write_ops, NULL, O_WRONLY | flags);
    if (!*write_end) {
        refcount_set(&p->refs, 1);
        file_put(*read_end);
        return -ENOMEM;
    }
    (*write_end)->private = p;
    return 0;
}
