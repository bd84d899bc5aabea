/* sim/towpath_socket.c - system calls on sockets of a virtual kernel: arguments in, addresses and messages
 * out. The caller's pointers are "user memory" (net/port.h): they go through copy_from_user and copy_to_user.
 */
#include "sim/towpath_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { OPTION_MOST = 4096, CONTROL_MOST = 4096, VECTORS_MOST = 1024, MESSAGES_MOST = 1024 };

/* ---- addresses ---- */

static int address_in(uintptr_t user, uint64_t len, struct sockaddr_storage *addr)
{
    *addr = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    if (len > sizeof *addr)
        return -EINVAL;
    return copy_from_user(addr, user, len);
}

/* As much of the address as there is room for, and its whole length to *user_len. */
static int address_out(const struct sockaddr_storage *addr, socklen_t len, uintptr_t user, uintptr_t user_len)
{
    int32_t room;

    if (!user)
        return 0;
    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (copy_to_user(user, addr, MIN((size_t)room, (size_t)len)))
        return -EFAULT;
    return copy_to_user(user_len, &len, sizeof len);
}

static int dontwait(const struct tp_file *f)
{
    return f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

/* ---- making and naming ---- */

static int64_t make_socket(struct tp_process *p, int family, int type, int protocol)
{
    const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    struct sock *sk;
    int err = sock_create(p->kernel->net, family, type & ~flags, protocol, &sk);

    return err ? err : tp_socket_install(p, sk, type & flags);
}

static int64_t bind_or_connect(struct tp_file *f, long number, uintptr_t user, uint64_t len)
{
    struct sockaddr_storage addr;
    int err = address_in(user, len, &addr);

    if (err)
        return err;
    if (number == SYS_bind)
        return sock_bind(f->sk, (struct sockaddr *)&addr, (socklen_t)len);
    return sock_connect(f->sk, (struct sockaddr *)&addr, (socklen_t)len, dontwait(f));
}

static int64_t accept_on(struct tp_process *p, struct tp_file *f, uintptr_t user, uintptr_t user_len,
                         int flags)
{
    struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
    struct sock *connection;
    int err =
        flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : sock_accept(f->sk, dontwait(f), &connection);
    int len;

    if (err)
        return err;
    len = sock_getname(connection, &addr, true); /* one that is gone already has none */
    err = address_out(&addr, len > 0 ? (socklen_t)len : 0, user, user_len);
    if (!err)
        return tp_socket_install(p, connection, flags);
    sock_release(connection);
    return err;
}

static int64_t name_of(struct tp_file *f, uintptr_t user, uintptr_t user_len, bool peer)
{
    struct sockaddr_storage addr;
    int len = sock_getname(f->sk, &addr, peer);

    return len < 0 ? len : address_out(&addr, (socklen_t)len, user, user_len);
}

/* ---- sending and receiving ---- */

static int64_t send_buffer(struct tp_file *f, struct io_vector buffer, int flags, uintptr_t user,
                           uint64_t len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL, .name_len = user ? (socklen_t)len : 0 };
    int err = user ? address_in(user, len, &addr) : 0;

    if (err)
        return err;
    iov_iter_init(&msg.iter, ITER_USER, &buffer, 1);
    return sock_sendmsg(f->sk, &msg, flags | dontwait(f));
}

static int64_t receive_buffer(struct tp_file *f, struct io_vector buffer, int flags, uintptr_t user,
                              uintptr_t user_len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL };
    int64_t n;
    int err;

    iov_iter_init(&msg.iter, ITER_USER, &buffer, 1);
    n = sock_recvmsg(f->sk, &msg, flags | dontwait(f));
    err = n >= 0 ? address_out(&addr, msg.name_len, user, user_len) : 0;
    return err ? err : n;
}

/* A struct msghdr and what belongs to it, in kernel memory. */
struct message_in {
    struct msghdr header;
    struct sockaddr_storage addr;
    struct io_vector vectors[VECTORS_MOST];
    uint8_t control[CONTROL_MOST];
    struct message msg;
};

static int vectors_in(struct message_in *m, uintptr_t user, uint64_t n)
{
    if (n > VECTORS_MOST)
        return -EMSGSIZE;
    if (copy_from_user(m->vectors, user, n * sizeof(struct io_vector)))
        return -EFAULT;
    iov_iter_init(&m->msg.iter, ITER_USER, m->vectors, (unsigned)n);
    return 0;
}

static int message_in(struct message_in *m, uintptr_t user, bool send)
{
    struct msghdr *h = &m->header;
    int err;

    if (copy_from_user(h, user, sizeof *h))
        return -EFAULT;
    err = vectors_in(m, (uintptr_t)h->msg_iov, h->msg_iovlen);
    if (err)
        return err;
    if (send && h->msg_control && h->msg_controllen > CONTROL_MOST)
        return -ENOBUFS;
    m->msg.name = h->msg_name ? &m->addr : NULL;
    m->msg.name_len = send && m->msg.name ? h->msg_namelen : 0;
    m->msg.control_len = h->msg_control ? MIN(h->msg_controllen, (size_t)CONTROL_MOST) : 0;
    m->msg.control = m->msg.control_len ? m->control : NULL;
    if (send && m->msg.name)
        err = address_in((uintptr_t)h->msg_name, h->msg_namelen, &m->addr);
    if (send && !err && m->msg.control)
        err = copy_from_user(m->control, (uintptr_t)h->msg_control, m->msg.control_len);
    return err;
}

/* What recvmsg tells, back to the user's struct. */
static int message_out(struct message_in *m, uintptr_t user)
{
    struct msghdr *h = &m->header;

    if (m->msg.name &&
        copy_to_user((uintptr_t)h->msg_name, &m->addr, MIN((size_t)h->msg_namelen, (size_t)m->msg.name_len)))
        return -EFAULT;
    if (m->msg.control && copy_to_user((uintptr_t)h->msg_control, m->control, m->msg.control_used))
        return -EFAULT;
    h->msg_namelen = m->msg.name_len;
    h->msg_controllen = m->msg.control_used;
    h->msg_flags = m->msg.flags;
    return copy_to_user(user, h, sizeof *h);
}

static int64_t one_message(struct tp_file *f, uintptr_t user, int flags, bool send)
{
    struct message_in *m = calloc(1, sizeof *m);
    int64_t n = m ? message_in(m, user, send) : -ENOMEM;

    if (!n)
        n = send ? sock_sendmsg(f->sk, &m->msg, flags | dontwait(f))
                 : sock_recvmsg(f->sk, &m->msg, flags | dontwait(f));
    if (n >= 0 && !send && message_out(m, user))
        n = -EFAULT;
    free(m);
    return n;
}

/* sendmmsg and recvmmsg: as many as go without an error; the first one's error if there is none. */
static int64_t many_messages(struct tp_file *f, uintptr_t user, uint64_t count, int flags, bool send)
{
    uint64_t done;

    for (done = 0; done < MIN(count, (uint64_t)MESSAGES_MOST); done++) {
        uintptr_t at = user + done * sizeof(struct mmsghdr);
        int64_t n = one_message(f, at, flags, send);
        uint32_t length = (uint32_t)n;
        if (n >= 0 && copy_to_user(at + offsetof(struct mmsghdr, msg_len), &length, sizeof length))
            n = -EFAULT;
        if (n < 0 && done == 0)
            return n;
        if (n < 0)
            break;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    return (int64_t)done;
}

static int64_t vectors_on(struct tp_file *f, uintptr_t user, uint64_t count, bool send)
{
    struct message_in *m = calloc(1, sizeof *m);
    int64_t n = m ? vectors_in(m, user, count) : -ENOMEM;

    if (n == -EMSGSIZE)
        n = -EINVAL;
    if (!n)
        n = send ? sock_sendmsg(f->sk, &m->msg, dontwait(f)) : sock_recvmsg(f->sk, &m->msg, dontwait(f));
    free(m);
    return n;
}

/* ---- options and requests ---- */

static int64_t set_option(struct tp_file *f, int level, int option, uintptr_t user, int32_t len)
{
    uint8_t value[OPTION_MOST] = { 0 };

    if (len < 0 || (size_t)len > sizeof value)
        return -EINVAL;
    if (copy_from_user(value, user, (size_t)len))
        return -EFAULT;
    return sock_setsockopt(f->sk, level, option, value, (socklen_t)len);
}

static int64_t get_option(struct tp_file *f, int level, int option, uintptr_t user, uintptr_t user_len)
{
    uint8_t value[OPTION_MOST] = { 0 };
    socklen_t len;
    int32_t room;
    int err;

    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    len = MIN((socklen_t)room, (socklen_t)sizeof value);
    if (copy_from_user(value, user, len)) /* MCAST_MSFILTER is asked with a group there */
        memset(value, 0, sizeof value);
    err = sock_getsockopt(f->sk, level, option, value, &len);
    if (err)
        return err;
    if (copy_to_user(user, value, MIN((socklen_t)room, len)))
        return -EFAULT;
    return copy_to_user(user_len, &len, sizeof len);
}

static int64_t ioctl_on(struct tp_file *f, unsigned request, uintptr_t argument)
{
    int value;

    if (request != FIONBIO)
        return sock_ioctl(f->sk, request, argument);
    if (copy_from_user(&value, argument, sizeof value))
        return -EFAULT;
    f->flags = value ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
    return 0;
}

/* ---- by number ---- */

/* The calls that send and receive. */
static int64_t transfer_call(struct tp_file *f, long number, const int64_t a[6])
{
    const struct io_vector buffer = { (uintptr_t)a[1], (size_t)a[2] };

    switch (number) {
    case SYS_read:
        return receive_buffer(f, buffer, 0, 0, 0);
    case SYS_write:
        return send_buffer(f, buffer, 0, 0, 0);
    case SYS_readv:
    case SYS_writev:
        return vectors_on(f, (uintptr_t)a[1], (uint64_t)a[2], number == SYS_writev);
    case SYS_sendto:
        return send_buffer(f, buffer, (int)a[3], (uintptr_t)a[4], (uint64_t)a[5]);
    case SYS_recvfrom:
        return receive_buffer(f, buffer, (int)a[3], (uintptr_t)a[4], (uintptr_t)a[5]);
    case SYS_sendmsg:
    case SYS_recvmsg:
        return one_message(f, (uintptr_t)a[1], (int)a[2], number == SYS_sendmsg);
    case SYS_sendmmsg:
    case SYS_recvmmsg:
        return many_messages(f, (uintptr_t)a[1], (uint64_t)a[2], (int)a[3], number == SYS_sendmmsg);
    default:
        return -ENOSYS;
    }
}

static int64_t call_on(struct tp_process *p, struct tp_file *f, long number, const int64_t a[6])
{
    switch (number) {
    case SYS_bind:
    case SYS_connect:
        return bind_or_connect(f, number, (uintptr_t)a[1], (uint64_t)a[2]);
    case SYS_listen:
        return sock_listen(f->sk, (int)a[1]);
    case SYS_accept:
    case SYS_accept4:
        return accept_on(p, f, (uintptr_t)a[1], (uintptr_t)a[2], number == SYS_accept4 ? (int)a[3] : 0);
    case SYS_getsockname:
    case SYS_getpeername:
        return name_of(f, (uintptr_t)a[1], (uintptr_t)a[2], number == SYS_getpeername);
    case SYS_shutdown:
        return sock_shutdown(f->sk, (int)a[1]);
    case SYS_setsockopt:
        return set_option(f, (int)a[1], (int)a[2], (uintptr_t)a[3], (int32_t)a[4]);
    case SYS_getsockopt:
        return get_option(f, (int)a[1], (int)a[2], (uintptr_t)a[3], (uintptr_t)a[4]);
    case SYS_ioctl:
        return ioctl_on(f, (unsigned)a[1], (uintptr_t)a[2]);
    default:
        return transfer_call(f, number, a);
    }
}

int64_t tp_socket_call(struct tp_process *p, long number, const int64_t a[6])
{
    struct tp_file *f;
    int64_t result;

    if (number == SYS_socket)
        return make_socket(p, (int)a[0], (int)a[1], (int)a[2]);
    f = tp_file_get(p, (int)a[0]);
    if (!f)
        return -EBADF; /* an unknown number with a bad descriptor is that, too */
    result = call_on(p, f, number, a);
    tp_file_put(f);
    return result;
}
