/* sim/towpath_process.c - the descriptors of a virtual kernel's processes. A descriptor leads to a file, a
 * file to a socket; fork shares files, and the last one to let go closes the socket. */
#include "sim/sim.h"
#include "sim/towpath_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct tp_process *tp_process_create(struct tp_kernel *k)
{
    struct tp_process *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->kernel = k;
    list_init(&p->calls);
    list_add_tail(&p->link, &k->processes);
    return p;
}

struct tp_process *tp_process_fork(struct tp_process *parent)
{
    struct tp_process *p = tp_process_create(parent->kernel);

    for (int fd = 0; p && fd < TP_DESCRIPTORS; fd++) {
        p->files[fd] = tp_file_get(parent, fd);
        p->close_on_exec[fd] = parent->close_on_exec[fd];
    }
    return p;
}

void tp_process_exit(struct tp_process *p)
{
    struct tp_call *c;

    while ((c = tp_first_call(p))) {
        tp_call_interrupt(c);
        sim_run_for(0);
        tp_call_end(c);
    }
    for (int fd = 0; fd < TP_DESCRIPTORS; fd++)
        if (p->files[fd])
            tp_close(p, fd);
    list_del(&p->link);
    free(p);
}

static struct tp_file *file_at(const struct tp_process *p, int64_t fd)
{
    return fd >= 0 && fd < TP_DESCRIPTORS ? p->files[fd] : NULL;
}

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
    sock_release(f->sk);
    free(f);
}

int64_t tp_file_install(struct tp_process *p, struct tp_file *f, int64_t least, bool close_on_exec)
{
    for (int64_t fd = MAX(least, (int64_t)TP_FIRST_DESCRIPTOR); fd < TP_DESCRIPTORS; fd++) {
        if (p->files[fd])
            continue;
        p->files[fd] = f;
        p->close_on_exec[fd] = close_on_exec;
        return fd;
    }
    return -EMFILE;
}

int64_t tp_socket_install(struct tp_process *p, struct sock *sk, int type_flags)
{
    struct tp_file *f = malloc(sizeof *f);
    int64_t fd;

    if (!f) {
        sock_release(sk);
        return -ENOMEM;
    }
    *f = (struct tp_file){ .refs = 1,
                           .sk = sk,
                           .flags = O_RDWR | (type_flags & SOCK_NONBLOCK ? O_NONBLOCK : 0) };
    fd = tp_file_install(p, f, 0, type_flags & SOCK_CLOEXEC);
    if (fd < 0)
        tp_file_put(f);
    return fd;
}

int64_t tp_close(struct tp_process *p, int64_t fd)
{
    struct tp_file *f = file_at(p, fd);

    if (!f)
        return -EBADF;
    p->files[fd] = NULL;
    tp_file_put(f);
    return 0;
}

int64_t tp_dup(struct tp_process *p, int64_t fd, int64_t to, int64_t flags)
{
    struct tp_file *f;

    if (to < 0 || to >= TP_DESCRIPTORS)
        return -EBADF;
    if (flags & ~(int64_t)O_CLOEXEC)
        return -EINVAL;
    f = file_at(p, fd);
    if (!f)
        return -EBADF;
    if (fd == to)
        return to;
    tp_close(p, to); /* -EBADF: it was free */
    f->refs++;
    p->files[to] = f;
    p->close_on_exec[to] = flags & O_CLOEXEC;
    return to;
}

static int64_t set_flags(struct tp_file *f, int64_t flags)
{
    f->flags = (f->flags & ~O_NONBLOCK) | (int)(flags & O_NONBLOCK);
    return 0;
}

static int64_t duplicate(struct tp_process *p, struct tp_file *f, int64_t least, bool close_on_exec)
{
    int64_t fd = least < 0 || least >= TP_DESCRIPTORS ? -EINVAL : tp_file_install(p, f, least, close_on_exec);

    if (fd >= 0)
        f->refs++;
    return fd;
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
        return p->close_on_exec[fd] ? FD_CLOEXEC : 0;
    case F_SETFD:
        p->close_on_exec[fd] = argument & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        return set_flags(f, argument);
    default:
        return -EINVAL;
    }
}
