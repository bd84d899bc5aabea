/* kern/fs/socketfile.c - a socket is a file: read, write, ioctl and poll become the network's calls. */
#include "kern/fs/socketfile.h"
#include "kern/mm/shared_pages.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"

static int dontwait(struct file *f)
{
    return file_nonblocking(f) ? MSG_DONTWAIT : 0;
}

static int64_t socket_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct message msg = { .iter = *it };

    if (!it->count) /* read(2); recv() would wait (Linux) */
        return 0;
    int64_t n = sock_recvmsg(f->private, &msg, dontwait(f));

    (void)pos;
    passed_files_free(msg.files); /* nowhere to put them */
    return n;
}

static int64_t socket_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct message msg = { .iter = *it };
    int64_t n = sock_sendmsg(f->private, &msg, dontwait(f) | (it->more ? MSG_MORE : 0));

    (void)pos;
    if (n == -EPIPE && sock_type(f->private) == SOCK_STREAM)
        signal_send_self(SIGPIPE);
    return n;
}

static bool changes_network(unsigned request)
{
    switch (request) {
    case SIOCADDRT:
    case SIOCDELRT:
    case SIOCSIFFLAGS:
    case SIOCSIFADDR:
    case SIOCSIFBRDADDR:
    case SIOCSIFDSTADDR:
    case SIOCSIFNETMASK:
    case SIOCSIFMTU:
    case SIOCSIFNAME:
    case SIOCSIFHWADDR:
    case SIOCSIFTXQLEN:
    case SIOCDARP:
    case SIOCSARP:
        return true;
    default:
        return false;
    }
}

/* The old names of F_SETOWN and F_GETOWN (socket(7)). */
static int64_t owner_ioctl(struct file *f, bool set, uintptr_t arg)
{
    int32_t who = READ_ONCE(f->owner);

    if (!set)
        return copy_to_user(arg, &who, sizeof who);
    return copy_from_user(&who, arg, sizeof who) ? -EFAULT : file_set_owner(f, who);
}

static int64_t socket_ioctl(struct file *f, unsigned request, uintptr_t arg)
{
    if (request == FIOSETOWN || request == SIOCSPGRP || request == FIOGETOWN || request == SIOCGPGRP)
        return owner_ioctl(f, request == FIOSETOWN || request == SIOCSPGRP, arg);
    if (changes_network(request) && !capable(CAP_NET_ADMIN))
        return -EPERM;
    return sock_ioctl(f->private, request, arg);
}

static int socket_poll(struct file *f)
{
    return sock_poll(f->private);
}

static struct waitq *socket_waitq(struct file *f)
{
    return sock_waitq(f->private);
}

static void socket_release(struct file *f)
{
    sock_release(f->private);
}

static struct vm_object *socket_object(struct file *f)
{
    struct shared_pages *p = sock_pages(f->private);

    return p ? shared_pages_object(p) : NULL;
}

/* The number by which /proc/net knows it, too. */
static uint64_t socket_ino(struct file *f)
{
    return sock_ino(f->private);
}

static const struct file_ops socket_ops = { .mode = S_IFSOCK | 0777,
                                            .ino = socket_ino,
                                            .read = socket_read,
                                            .write = socket_write,
                                            .ioctl = socket_ioctl,
                                            .poll = socket_poll,
                                            .waitq = socket_waitq,
                                            .object = socket_object,
                                            .release = socket_release };

struct file *socket_file_create(struct sock *sk, uint32_t flags)
{
    struct file *f = file_create(&socket_ops, NULL, O_RDWR | flags);

    if (!f) {
        sock_release(sk);
        return NULL;
    }
    f->private = sk;
    return f;
}

struct sock *socket_of(struct file *f)
{
    return f->ops == &socket_ops ? f->private : NULL;
}
