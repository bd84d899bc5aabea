/* sim/towpath_process.c - the descriptors of a virtual kernel's processes. A descriptor leads to a file, a
 * file to a socket; fork shares files, and the last one to let go closes the socket. */
#include "sim/sim.h"
#include "sim/towpath_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct tp_process *tp_process_create(struct tp_kernel *k)
{
    struct tp_process *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->kernel = k;
    p->maybe_free = TP_FIRST_DESCRIPTOR;
    list_init(&p->calls);
    list_add_tail(&p->link, &k->processes);
    return p;
}

/* ---- the table ---- */

static struct tp_file *file_at(const struct tp_process *p, int64_t fd)
{
    return fd >= 0 && fd < p->size ? p->descriptors[fd].file : NULL;
}

/* Let there be a place fd. 0, -EMFILE, -ENOMEM. */
static int make_room(struct tp_process *p, int64_t fd)
{
    struct tp_descriptor *more;
    int64_t size = p->size ? p->size : 16;

    if (fd < p->size)
        return 0;
    if (fd >= TP_DESCRIPTORS_MOST)
        return -EMFILE;
    while (size <= fd)
        size *= 2;
    more = realloc(p->descriptors, (size_t)size * sizeof *more);
    if (!more)
        return -ENOMEM;
    memset(more + p->size, 0, (size_t)(size - p->size) * sizeof *more);
    p->descriptors = more;
    p->size = size;
    return 0;
}

static int put_at(struct tp_process *p, int64_t fd, struct tp_file *f, bool close_on_exec)
{
    int err = make_room(p, fd);

    if (!err)
        p->descriptors[fd] = (struct tp_descriptor){ f, close_on_exec };
    return err;
}

int64_t tp_file_install(struct tp_process *p, struct tp_file *f, int64_t least, bool close_on_exec)
{
    int64_t fd = MAX(least, p->maybe_free);
    int err;

    while (file_at(p, fd))
        fd++;
    err = put_at(p, fd, f, close_on_exec);
    if (err)
        return err;
    if (least <= p->maybe_free)
        p->maybe_free = fd + 1;
    return fd;
}

/* ---- files ---- */

struct tp_file *tp_file_get(struct tp_process *p, int64_t fd)
{
    struct tp_file *f = file_at(p, fd);

    if (f)
        f->refs++;
    return f;
}

void tp_file_put(struct tp_file *f)
{
    if (--f->refs)
        return;
    list_del(&f->watcher.link);
    sock_release(f->sk);
    free(f);
}

int64_t tp_socket_install(struct tp_process *p, struct sock *sk, int type_flags)
{
    struct tp_file *f = calloc(1, sizeof *f);
    int64_t fd;

    if (!f) {
        sock_release(sk);
        return -ENOMEM;
    }
    f->refs = 1;
    f->sk = sk;
    f->flags = O_RDWR | (type_flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
    list_init(&f->watcher.link);
    fd = tp_file_install(p, f, 0, type_flags & SOCK_CLOEXEC);
    if (fd < 0)
        tp_file_put(f);
    return fd;
}

int tp_ready(struct tp_process *p, int fd)
{
    struct tp_file *f = file_at(p, fd);

    return f ? sock_poll(f->sk) : -EBADF;
}

static void watched_changes(struct sim_waiter *w)
{
    struct tp_file *f = container_of(w, struct tp_file, watcher);

    list_add_tail(&w->link, &sock_waitq(f->sk)->waiters);
    f->changed(f->changed_arg);
}

int tp_watch(struct tp_process *p, int fd, void (*changed)(void *arg), void *arg)
{
    struct tp_file *f = file_at(p, fd);

    if (!f)
        return -EBADF;
    list_del(&f->watcher.link);
    f->changed = changed;
    f->changed_arg = arg;
    f->watcher.woken = watched_changes;
    if (changed)
        list_add_tail(&f->watcher.link, &sock_waitq(f->sk)->waiters);
    return 0;
}

/* ---- calls on descriptors ---- */

int64_t tp_close(struct tp_process *p, int64_t fd)
{
    struct tp_file *f = file_at(p, fd);

    if (!f)
        return -EBADF;
    p->descriptors[fd].file = NULL;
    p->maybe_free = MIN(p->maybe_free, MAX(fd, (int64_t)TP_FIRST_DESCRIPTOR));
    tp_file_put(f);
    return 0;
}

int64_t tp_dup(struct tp_process *p, int64_t fd, int64_t to, int64_t flags)
{
    struct tp_file *f = file_at(p, fd);
    int err;

    if (flags & ~(int64_t)O_CLOEXEC)
        return -EINVAL;
    if (!f || to < 0 || to >= TP_DESCRIPTORS_MOST)
        return -EBADF;
    if (fd == to)
        return to;
    tp_close(p, to); /* -EBADF: it was free */
    err = put_at(p, to, f, flags & O_CLOEXEC);
    if (err)
        return err;
    f->refs++;
    return to;
}

static int64_t duplicate(struct tp_process *p, struct tp_file *f, int64_t least, bool close_on_exec)
{
    int64_t fd =
        least < 0 || least >= TP_DESCRIPTORS_MOST ? -EINVAL : tp_file_install(p, f, least, close_on_exec);

    if (fd >= 0)
        f->refs++;
    return fd;
}

static int64_t set_flags(struct tp_file *f, int64_t flags)
{
    f->flags = (f->flags & ~O_NONBLOCK) | (int)(flags & O_NONBLOCK);
    return 0;
}

int64_t tp_fcntl(struct tp_process *p, int64_t fd, int64_t command, int64_t argument)
{
    struct tp_file *f = file_at(p, fd);

    if (!f)
        return -EBADF;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return duplicate(p, f, argument, command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return p->descriptors[fd].close_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD:
        p->descriptors[fd].close_on_exec = argument & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        return set_flags(f, argument);
    default:
        return -EINVAL;
    }
}

/* ---- fork and exit ---- */

/* Everything that parent has open. 0 or -ENOMEM. */
static int copy_descriptors(struct tp_process *p, const struct tp_process *parent)
{
    if (parent->size && make_room(p, parent->size - 1))
        return -ENOMEM;
    for (int64_t fd = 0; fd < parent->size; fd++) {
        p->descriptors[fd] = parent->descriptors[fd];
        if (p->descriptors[fd].file)
            p->descriptors[fd].file->refs++;
    }
    return 0;
}

struct tp_process *tp_process_fork(struct tp_process *parent)
{
    struct tp_process *p = tp_process_create(parent->kernel);

    if (p && copy_descriptors(p, parent)) {
        tp_process_exit(p);
        return NULL;
    }
    return p;
}

void tp_process_exit(struct tp_process *p)
{
    struct tp_call *c;

    while ((c = tp_first_call(p))) {
        tp_call_interrupt(c);
        tp_call_end(c);
    }
    for (int64_t fd = 0; fd < p->size; fd++)
        tp_close(p, fd);
    list_del(&p->link);
    free(p->descriptors);
    free(p);
}
