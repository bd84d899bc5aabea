/* kern/fs/splice.c - bytes from file to file without a way through the program: sendfile, splice, tee.
 *
 * A page of a regular file goes into a pipe as it is: the pipe has a reference, and nothing is copied. From
 * pipe to pipe slots move, and tee() shares their pages. What comes from any other file is read into fresh
 * pages, and what leaves a pipe (or a regular file, for sendfile) for anything but a pipe is written from its
 * pages: one copy, to where the file keeps it; or none, where that is a TCP socket whose card gathers. */
#include "kern/fs/splice.h"
#include "kern/fs/pipe.h"
#include "kern/mm/mm.h"
#include "kern/mm/object.h"
#include "lib/abi/fcntl.h"

enum { PIECES = 16 }; /* written at once */

/* Some bytes of one page, a reference. */
struct piece {
    uint8_t *page;
    uint32_t offset, len;
};

/* ---- pieces ---- */

static int page_of_object(struct vm_object *o, uint64_t size, uint64_t pos, size_t count, struct piece *p)
{
    void *page;
    int err;

    if (pos >= size)
        return 0;
    err = o->ops->page(o, pos >> PAGE_SHIFT, &page);
    if (err)
        return err == -ENXIO ? 0 : err;
    p->page = page;
    p->offset = pos % PAGE_SIZE;
    count = MIN(count, (size_t)(size - pos));
    p->len = (uint32_t)MIN(count, (size_t)(PAGE_SIZE - p->offset));
    return 1;
}

/* What in has at pos, from its own page: 1, 0 at the end, or -errno; -EXDEV: it has no pages to share. */
static int share_page(struct file *in, uint64_t pos, size_t count, struct piece *p)
{
    struct vm_object *o = in->inode && in->ops->object ? in->ops->object(in) : NULL;
    int err;

    if (!o)
        return -EXDEV;
    err = page_of_object(o, READ_ONCE(in->inode->size), pos, count, p);
    o->ops->put(o); /* the file, which is open, has the object; the page has a reference of its own */
    return err;
}

/* The next bytes of in, read into a page of their own. 1, 0 at the end, -errno. */
static int read_page(struct file *in, const uint64_t *pos, size_t count, struct piece *p)
{
    struct io_vector v;
    struct iov_iter it;
    int64_t n;

    p->page = memory_is_for_programs() ? NULL : page_alloc(0);
    if (!p->page)
        return -ENOMEM;
    v = (struct io_vector){ (uintptr_t)p->page, MIN(count, (size_t)PAGE_SIZE) };
    iov_iter_init(&it, ITER_KERNEL, &v, 1);
    n = file_read(in, &it, pos);
    if (n <= 0) {
        page_put(p->page);
        return (int)n;
    }
    p->offset = 0;
    p->len = (uint32_t)n;
    return 1;
}

static int next_piece(struct file *in, const uint64_t *pos, size_t count, struct piece *p)
{
    int more = pos ? share_page(in, *pos, count, p) : -EXDEV;

    return more == -EXDEV ? read_page(in, pos, count, p) : more;
}

/* Write what lies in n pieces, of which the caller keeps the pages: how many bytes, or -errno. Who can,
 * refers to the pages and copies nothing. */
static int64_t write_pieces(struct file *out, const struct piece *pieces, unsigned n, bool more,
                            uint64_t *pos)
{
    struct io_vector v[PIECES];
    struct iov_iter it;
    int64_t written;

    for (unsigned i = 0; i < n; i++)
        v[i] = (struct io_vector){ (uintptr_t)pieces[i].page + pieces[i].offset, pieces[i].len };
    iov_iter_init(&it, ITER_PAGES, v, n);
    it.more = more;
    written = file_write(out, &it, pos);
    if (pos && written > 0)
        *pos += (uint64_t)written;
    return written;
}

/* ---- sendfile ---- */

/* The next pieces of in, PIECES at most, count bytes at most. How many, *bytes in all; 0 at the end, or what
 * the first one's error is. */
static int gather(struct file *in, uint64_t pos, size_t count, struct piece *pieces, size_t *bytes)
{
    int n = 0, more = 1;

    for (*bytes = 0; n < PIECES && *bytes < count; n++) {
        uint64_t at = pos + *bytes;
        more = next_piece(in, &at, count - *bytes, &pieces[n]);
        if (more <= 0)
            break;
        *bytes += pieces[n].len;
    }
    return n ? n : more;
}

/* Does in go on behind pos, as far as can be known? */
static bool goes_on(const struct file *in, uint64_t pos)
{
    return in->inode && pos < READ_ONCE(in->inode->size);
}

int64_t splice_file(struct file *out, struct file *in, uint64_t *in_pos, uint64_t *out_pos, size_t count)
{
    int64_t done = 0, n = 1;
    bool more = false;

    while (count && n > 0) {
        struct piece pieces[PIECES];
        size_t bytes;
        int found = gather(in, *in_pos, count, pieces, &bytes);
        if (found <= 0 && more) /* cut off behind our back: what was held back for the rest is to go */
            write_pieces(out, NULL, 0, false, out_pos);
        if (found <= 0)
            return done ? done : found;
        more = bytes < count && goes_on(in, *in_pos + bytes);
        n = write_pieces(out, pieces, (unsigned)found, more, out_pos);
        while (found)
            page_put(pieces[--found].page);
        if (n <= 0)
            break;
        *in_pos += (uint64_t)n;
        done += n;
        count -= (size_t)n;
        if ((size_t)n < bytes)
            break; /* out is full for now */
    }
    return done ? done : MIN(n, (int64_t)0);
}

/* ---- a pipe and another file ---- */

/* Wait for room, then fill what there is, not waiting again: what a pipe cannot hold is not read. */
int64_t splice_to_pipe(struct file *pipe, struct file *in, uint64_t *pos, size_t count, bool wait)
{
    struct pipe *p = pipe_of(pipe);
    int64_t done = 0, n;

    pipe_lock(p);
    n = pipe_await_room(p, wait);
    while (n > 0 && count && pipe_has_room(p)) {
        struct piece piece;
        if (done && !pos && file_can_poll(in) && !(file_poll(in) & POLLIN))
            break; /* some is enough */
        n = next_piece(in, pos, count, &piece);
        if (n <= 0)
            break;
        pipe_push(p, (struct pipe_slot){ .page = piece.page, .offset = piece.offset, .len = piece.len });
        if (pos)
            *pos += piece.len;
        done += piece.len;
        count -= piece.len;
    }
    pipe_unlock(p);
    return done ? done : MIN(n, (int64_t)0);
}

int64_t splice_from_pipe(struct file *out, struct file *pipe, uint64_t *pos, size_t count, bool wait)
{
    struct pipe *p = pipe_of(pipe);
    struct pipe_slot *s;
    int64_t done = 0, n;

    pipe_lock(p);
    n = pipe_await_bytes(p, wait);
    while (n > 0 && count && (s = pipe_slot_at(p, 0))) {
        uint32_t len = (uint32_t)MIN((size_t)s->len, count);
        const struct piece piece = { .page = s->page, .offset = s->offset, .len = len };
        n = write_pieces(out, &piece, 1, false, pos);
        if (n <= 0)
            break;
        pipe_consume(p, (uint32_t)n);
        done += n;
        count -= (size_t)n;
        if (n < (int64_t)len)
            break;
    }
    pipe_unlock(p);
    return done ? done : MIN(n, (int64_t)0);
}

/* ---- two pipes ---- */

/* Lock both when in has bytes and out has room: 1; else neither is locked: 0 at the end, -errno. */
static int lock_ready(struct pipe *out, struct pipe *in, bool wait)
{
    int more;

    for (;;) {
        pipe_lock(in);
        more = pipe_await_bytes(in, wait);
        pipe_unlock(in);
        if (more <= 0)
            return more;
        pipe_lock(out);
        more = pipe_await_room(out, wait);
        pipe_unlock(out);
        if (more <= 0)
            return more;
        pipe_lock_two(out, in);
        if (pipe_slot_at(in, 0) && pipe_has_room(out))
            return 1;
        pipe_unlock(out);
        pipe_unlock(in);
    }
}

/* A slot with the first n bytes of s, which stay in s. Neither may write to the page behind the other's
 * back. */
static struct pipe_slot share_slot(struct pipe_slot *s, uint32_t n)
{
    page_get(s->page);
    s->mergeable = false;
    return (struct pipe_slot){ .page = s->page, .offset = s->offset, .len = n };
}

int64_t splice_pipes(struct file *out_file, struct file *in_file, size_t count, bool wait)
{
    struct pipe *out = pipe_of(out_file), *in = pipe_of(in_file);
    struct pipe_slot *s;
    int64_t done = 0;
    int more = lock_ready(out, in, wait);

    if (more <= 0)
        return more;
    while (count && pipe_has_room(out) && (s = pipe_slot_at(in, 0))) {
        uint32_t n = (uint32_t)MIN((size_t)s->len, count);
        pipe_push(out, share_slot(s, n));
        pipe_consume(in, n);
        done += n;
        count -= n;
    }
    pipe_unlock(out);
    pipe_unlock(in);
    return done;
}

int64_t splice_tee(struct file *out_file, struct file *in_file, size_t count, bool wait)
{
    struct pipe *out = pipe_of(out_file), *in = pipe_of(in_file);
    struct pipe_slot *s;
    int64_t done = 0;
    int more = lock_ready(out, in, wait);

    if (more <= 0)
        return more;
    for (unsigned i = 0; count && pipe_has_room(out) && (s = pipe_slot_at(in, i)); i++) {
        uint32_t n = (uint32_t)MIN((size_t)s->len, count);
        pipe_push(out, share_slot(s, n));
        done += n;
        count -= n;
    }
    pipe_unlock(out);
    pipe_unlock(in);
    return done;
}
