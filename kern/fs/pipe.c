/* kern/fs/pipe.c - pipes, with a name or without: pages of bytes between writers and readers.
 *
 * The bytes lie in slots, each a part of a page; so splice.c can hand pages on instead of copying them. A
 * small write is added to the last slot if its page has room; a write of at most PIPE_BUF bytes goes into one
 * page, hence at once or not at all.
 *
 * The mutex guards everything and is held while user memory is copied: so each byte goes to one reader. It is
 * dropped to wait. Who only polls looks without it; a change is made before the wake that tells of it. */
#include "kern/fs/pipe.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { SLOTS = PIPE_SIZE / PAGE_SIZE };

struct pipe {
    struct waitq wq; /* readers, writers, pollers, who opens a FIFO */
    struct mutex mutex;
    struct pipe_slot *slots;
    unsigned n_slots;    /* a power of two */
    unsigned head, tail; /* slots ever added, ever emptied */
    unsigned readers, writers;
    unsigned reads_begun, writes_begun; /* how often it was opened so */
    void *spare;                        /* a page for the next write, or NULL */
    unsigned files;                     /* FS lock */
};

/* ---- slots; mutex held ---- */

static unsigned used(const struct pipe *p)
{
    return READ_ONCE(p->head) - READ_ONCE(p->tail);
}

bool pipe_has_room(const struct pipe *p)
{
    return used(p) < READ_ONCE(p->n_slots);
}

static struct pipe_slot *slot(struct pipe *p, unsigned position)
{
    return &p->slots[position & (p->n_slots - 1)];
}

struct pipe_slot *pipe_slot_at(struct pipe *p, unsigned n)
{
    return n < used(p) ? slot(p, p->tail + n) : NULL;
}

/* The page of a slot that was emptied: kept for the next write if it is ours alone. */
static void put_page(struct pipe *p, struct pipe_slot *s)
{
    if (s->mergeable && !p->spare && page_refs(s->page) == 1)
        p->spare = s->page;
    else
        page_put(s->page);
}

/* NULL: memory is out, or only programs may have what is left: who fills pipes must not be the end of others.
 */
static void *get_page(struct pipe *p)
{
    void *page = p->spare ? p->spare : memory_is_for_programs() ? NULL : page_alloc(0);

    p->spare = NULL;
    return page;
}

/* Pollers are told when there is room again, not that there is more of it. */
void pipe_consume(struct pipe *p, uint32_t n)
{
    struct pipe_slot *s = slot(p, p->tail);
    bool full = !pipe_has_room(p);

    s->offset += n;
    s->len -= n;
    if (s->len)
        return;
    put_page(p, s);
    WRITE_ONCE(p->tail, p->tail + 1);
    waitq_wake_events(&p->wq, full ? POLLOUT | POLLWRNORM : 0);
}

void pipe_push(struct pipe *p, struct pipe_slot new)
{
    *slot(p, p->head) = new;
    __atomic_store_n(&p->head, p->head + 1, __ATOMIC_RELEASE);
    waitq_wake_events(&p->wq, POLLIN | POLLRDNORM);
}

/* ---- waiting ---- */

void pipe_lock(struct pipe *p)
{
    mutex_lock(&p->mutex);
}

void pipe_lock_two(struct pipe *a, struct pipe *b)
{
    mutex_lock(a < b ? &a->mutex : &b->mutex);
    mutex_lock(a < b ? &b->mutex : &a->mutex);
}

void pipe_unlock(struct pipe *p)
{
    mutex_unlock(&p->mutex);
}

static bool may_read(const struct pipe *p)
{
    return used(p) || !READ_ONCE(p->writers);
}

static bool may_write(const struct pipe *p)
{
    return pipe_has_room(p) || !READ_ONCE(p->readers);
}

int pipe_await_bytes(struct pipe *p, bool wait)
{
    int err = 0;

    while (!may_read(p) && !err) {
        if (!wait)
            return -EAGAIN;
        pipe_unlock(p);
        err = wait_event(&p->wq, may_read(p), TIME_NEVER);
        pipe_lock(p);
    }
    return err ? err : used(p) > 0;
}

int pipe_await_room(struct pipe *p, bool wait)
{
    int err = 0;

    while (!may_write(p) && !err) {
        if (!wait)
            return -EAGAIN;
        pipe_unlock(p);
        err = wait_event(&p->wq, may_write(p), TIME_NEVER);
        pipe_lock(p);
    }
    return err ? err : p->readers ? 1 : -EPIPE;
}

/* ---- reading ---- */

int64_t pipe_read_now(struct pipe *p, struct iov_iter *it)
{
    struct pipe_slot *s;
    int64_t done = 0;

    while (it->count && (s = pipe_slot_at(p, 0))) {
        uint32_t n = (uint32_t)MIN((size_t)s->len, it->count);
        if (copy_to_iter((uint8_t *)s->page + s->offset, n, it))
            return done ? done : -EFAULT;
        pipe_consume(p, n);
        done += n;
    }
    return done;
}

static int64_t pipe_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct pipe *p = f->private;
    int64_t n = 0;

    (void)pos;
    if (!it->count)
        return 0;
    pipe_lock(p);
    do {
        n = pipe_await_bytes(p, !file_nonblocking(f));
        if (n > 0)
            n = pipe_read_now(p, it);
        else if (!n)
            break; /* the end */
    } while (!n);
    pipe_unlock(p);
    return n;
}

/* ---- writing ---- */

/* Mutex held. The odd bytes of a write behind those of the last one, if they fit: how many, or -EFAULT. */
static int64_t merge(struct pipe *p, struct iov_iter *it)
{
    size_t odd = it->count % PAGE_SIZE;
    struct pipe_slot *last = used(p) ? slot(p, p->head - 1) : NULL;

    if (!last || !odd || !last->mergeable || last->offset + last->len + odd > PAGE_SIZE)
        return 0;
    if (copy_from_iter((uint8_t *)last->page + last->offset + last->len, odd, it))
        return -EFAULT;
    last->len += (uint32_t)odd;
    waitq_wake_events(&p->wq, POLLIN | POLLRDNORM);
    return (int64_t)odd;
}

/* Mutex held. Up to a page in a slot of its own, for which there is room: how many bytes, or -errno. */
static int64_t write_slot(struct pipe *p, struct iov_iter *it)
{
    uint32_t n = (uint32_t)MIN((size_t)PAGE_SIZE, it->count);
    void *page = get_page(p);

    if (!page)
        return -ENOMEM;
    if (copy_from_iter(page, n, it)) {
        page_put(page);
        return -EFAULT;
    }
    pipe_push(p, (struct pipe_slot){ .page = page, .len = n, .mergeable = true });
    return n;
}

int64_t pipe_write_now(struct pipe *p, struct iov_iter *it)
{
    int64_t n = 1, done = 0;

    while (it->count && n > 0 && pipe_has_room(p)) {
        n = write_slot(p, it);
        done += MAX(n, (int64_t)0);
    }
    return done ? done : n;
}

static int64_t write_slots(struct pipe *p, struct iov_iter *it, bool wait)
{
    int64_t n = p->readers ? merge(p, it) : 0, done = MAX(n, (int64_t)0);

    while (it->count && n >= 0) {
        n = pipe_await_room(p, wait);
        if (n > 0)
            n = write_slot(p, it);
        done += MAX(n, (int64_t)0);
    }
    if (n == -EPIPE)
        signal_send_self(SIGPIPE);
    return done ? done : MIN(n, (int64_t)0);
}

static int64_t pipe_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct pipe *p = f->private;
    int64_t n;

    (void)pos;
    if (!it->count)
        return 0;
    pipe_lock(p);
    n = write_slots(p, it, !file_nonblocking(f));
    pipe_unlock(p);
    return n;
}

/* ---- the rest ---- */

static bool opened_to(const struct file *f, int mode)
{
    return (f->flags & O_ACCMODE) == (uint32_t)mode || (f->flags & O_ACCMODE) == O_RDWR;
}

/* A FIFO opened before its first writer has not met an end yet: it notes in pos how many there had been. */
static bool met_no_writer(const struct file *f, const struct pipe *p)
{
    return f->inode && f->pos == READ_ONCE(p->writes_begun);
}

/* Who is there is read before what there is, so that the last bytes of a writer that has gone are never
 * missed. */
static int pipe_poll(struct file *f)
{
    const struct pipe *p = f->private;
    unsigned readers = __atomic_load_n(&p->readers, __ATOMIC_ACQUIRE);
    unsigned writers = __atomic_load_n(&p->writers, __ATOMIC_ACQUIRE);
    int events = 0;

    if (opened_to(f, O_RDONLY))
        events |= (used(p) ? POLLIN | POLLRDNORM : 0) | (writers || met_no_writer(f, p) ? 0 : POLLHUP);
    if (opened_to(f, O_WRONLY))
        events |= (pipe_has_room(p) ? POLLOUT | POLLWRNORM : 0) | (readers ? 0 : POLLERR);
    return events;
}

static struct waitq *pipe_waitq(struct file *f)
{
    struct pipe *p = f->private;

    return &p->wq;
}

static int64_t pipe_ioctl(struct file *f, unsigned request, uintptr_t arg)
{
    struct pipe *p = f->private;
    const struct pipe_slot *s;
    int32_t bytes = 0;

    if (request != FIONREAD)
        return -ENOTTY;
    pipe_lock(p);
    for (unsigned i = 0; (s = pipe_slot_at(p, i)); i++)
        bytes += (int32_t)s->len;
    pipe_unlock(p);
    return copy_to_user(arg, &bytes, sizeof bytes);
}

/* ---- size ---- */

int64_t pipe_get_size(struct pipe *p)
{
    return (int64_t)READ_ONCE(p->n_slots) * PAGE_SIZE;
}

/* Mutex held. */
static int change_slots(struct pipe *p, unsigned n)
{
    struct pipe_slot *slots = kzalloc(n * sizeof *slots);
    unsigned count = used(p);

    if (!slots)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        slots[i] = *pipe_slot_at(p, i);
    kfree(p->slots);
    p->slots = slots;
    p->head = count;
    p->tail = 0;
    WRITE_ONCE(p->n_slots, n);
    return 0;
}

int64_t pipe_set_size(struct pipe *p, uint64_t size)
{
    unsigned n = 1;
    int err;

    if (size > INT32_MAX)
        return -EINVAL;
    if (size > PIPE_MAX_SIZE)
        return -EPERM;
    while ((uint64_t)n * PAGE_SIZE < size)
        n *= 2;
    pipe_lock(p);
    err = n < used(p) ? -EBUSY : change_slots(p, n);
    pipe_unlock(p);
    waitq_wake_events(&p->wq, POLLOUT | POLLWRNORM);
    return err ? err : (int64_t)n * PAGE_SIZE;
}

/* ---- beginning and end ---- */

static void pipe_free(struct pipe *p)
{
    struct pipe_slot *s;

    for (unsigned i = 0; (s = pipe_slot_at(p, i)); i++)
        page_put(s->page);
    if (p->spare)
        page_put(p->spare);
    kfree(p->slots);
    kfree(p);
}

static struct pipe *pipe_alloc(void)
{
    struct pipe *p = kzalloc(sizeof *p);

    if (!p)
        return NULL;
    p->n_slots = SLOTS;
    p->slots = kzalloc(SLOTS * sizeof *p->slots);
    if (!p->slots) {
        kfree(p);
        return NULL;
    }
    waitq_init(&p->wq);
    mutex_init(&p->mutex, "pipe");
    mutex_may_nest(&p->mutex); /* two, by address: pipe_lock_two() */
    return p;
}

/* One file less; the last one frees the pipe. A FIFO's inode forgets it. */
static void pipe_put(struct pipe *p, struct inode *inode)
{
    uint64_t flags = spin_lock(&fs_lock);
    bool last = !--p->files;

    if (last && inode)
        inode->pipe = NULL;
    spin_unlock(&fs_lock, flags);
    if (last)
        pipe_free(p);
}

/* Mutex held. */
static void leave(struct pipe *p, const struct file *f)
{
    p->readers -= opened_to(f, O_RDONLY);
    p->writers -= opened_to(f, O_WRONLY);
    waitq_wake(&p->wq);
}

static void pipe_release(struct file *f)
{
    struct pipe *p = f->private;

    pipe_lock(p);
    leave(p, f);
    pipe_unlock(p);
    pipe_put(p, f->inode);
}

#define PIPE_FILE_OPS(open_)                                                                                 \
    {                                                                                                        \
        .mode = S_IFIFO, .open = (open_), .read = pipe_read, .write = pipe_write, .poll = pipe_poll,         \
        .waitq = pipe_waitq, .ioctl = pipe_ioctl, .release = pipe_release                                    \
    }
static const struct file_ops pipe_ops = PIPE_FILE_OPS(NULL);

static struct file *open_end(struct pipe *p, uint32_t flags)
{
    struct file *f = file_create(&pipe_ops, NULL, flags);

    if (!f)
        return NULL;
    f->private = p;
    p->files++;
    p->readers += opened_to(f, O_RDONLY);
    p->writers += opened_to(f, O_WRONLY);
    return f;
}

int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end)
{
    struct pipe *p = memory_is_for_programs() ? NULL : pipe_alloc();

    if (!p)
        return -ENFILE; /* pipe(2): also when there is no memory for it */
    *read_end = open_end(p, O_RDONLY | flags);
    if (!*read_end) {
        pipe_free(p);
        return -ENOMEM;
    }
    *write_end = open_end(p, O_WRONLY | flags);
    if (!*write_end) {
        file_put(*read_end);
        return -ENOMEM;
    }
    return 0;
}

/* ---- with a name ---- */

/* The pipe of a FIFO, made if nobody has it open; counts a file. NULL: memory is out. */
static struct pipe *fifo_get(struct inode *inode)
{
    struct pipe *fresh = pipe_alloc(), *p;
    uint64_t flags = spin_lock(&fs_lock);

    if (!inode->pipe)
        inode->pipe = fresh;
    p = inode->pipe;
    if (p)
        p->files++;
    spin_unlock(&fs_lock, flags);
    if (fresh && p != fresh)
        pipe_free(fresh);
    return p;
}

/* Mutex held, dropped meanwhile: wait until somebody comes to the other side. It may have left again. */
static int await_partner(struct pipe *p, const unsigned *begun)
{
    unsigned before = READ_ONCE(*begun);
    int err;

    pipe_unlock(p);
    err = wait_event(&p->wq, READ_ONCE(*begun) != before, TIME_NEVER);
    pipe_lock(p);
    return READ_ONCE(*begun) != before ? 0 : err;
}

/* Mutex held. fifo(7). */
static int enter_fifo(struct pipe *p, struct file *f)
{
    bool reads = opened_to(f, O_RDONLY), writes = opened_to(f, O_WRONLY);
    int err = 0;

    if (writes && !reads && file_nonblocking(f) && !p->readers)
        return -ENXIO;
    p->readers += reads;
    p->writers += writes;
    p->reads_begun += reads;
    p->writes_begun += writes;
    f->pos = UINT64_MAX; /* met_no_writer() */
    waitq_wake_events(&p->wq, 0);
    if (reads && !writes && !p->writers && file_nonblocking(f))
        f->pos = p->writes_begun;
    else if (reads && !p->writers)
        err = await_partner(p, &p->writes_begun);
    else if (writes && !p->readers)
        err = await_partner(p, &p->reads_begun);
    if (err)
        leave(p, f);
    return err;
}

static int open_fifo(struct file *f)
{
    struct pipe *p = fifo_get(f->inode);
    int err;

    if (!p)
        return -ENOMEM;
    pipe_lock(p);
    err = enter_fifo(p, f);
    pipe_unlock(p);
    if (err)
        pipe_put(p, f->inode);
    else
        f->private = p;
    return err;
}

const struct file_ops fifo_ops = PIPE_FILE_OPS(open_fifo);

struct pipe *pipe_of(const struct file *f)
{
    return f->ops == &pipe_ops || f->ops == &fifo_ops ? f->private : NULL;
}
