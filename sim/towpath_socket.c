/* sim/towpath_socket.c - system calls on sockets of a virtual kernel: descriptors are found and made here,
 * the arguments are net/core/user_call.c's and user_message.c's. The caller's pointers are "user memory"
 * (net/port.h). */
#include "net/syscalls.h"
#include "sim/towpath_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* The flags of a call, and that of the descriptor. */
static int with_mode(const struct tp_file *f, int flags)
{
    return flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

/* ---- making ---- */

static bool flags_are_known(int flags)
{
    return !(flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
}

static int64_t make_socket(struct tp_process *p, int family, int type, int protocol)
{
    const int flags = type & ~SOCKET_TYPE_MASK;
    struct sock *sk;
    int err = flags_are_known(flags)
                  ? sock_create(p->kernel->net, family, type & SOCKET_TYPE_MASK, protocol, &sk)
                  : -EINVAL;

    return err ? err : tp_socket_install(p, sk, flags);
}

static int64_t install_pair(struct tp_process *p, struct sock *pair[2], int flags, uintptr_t fds)
{
    int64_t first = tp_socket_install(p, pair[0], flags), second = tp_socket_install(p, pair[1], flags);
    const int32_t fd[2] = { (int32_t)first, (int32_t)second };
    int64_t err = first < 0 ? first : second < 0 ? second : copy_to_user(fds, fd, sizeof fd);

    if (err) {
        tp_close(p, first);
        tp_close(p, second);
    }
    return err;
}

static int64_t make_pair(struct tp_process *p, int family, int type, int protocol, uintptr_t fds)
{
    const int flags = type & ~SOCKET_TYPE_MASK;
    struct sock *pair[2];
    int err = flags_are_known(flags)
                  ? sock_pair(p->kernel->net, family, type & SOCKET_TYPE_MASK, protocol, pair)
                  : -EINVAL;

    return err ? err : install_pair(p, pair, flags, fds);
}

static int64_t accept_on(struct tp_process *p, struct tp_file *f, uintptr_t user, uintptr_t user_len,
                         int flags)
{
    struct sock *connection;
    int err =
        flags_are_known(flags) ? user_accept(f->sk, user, user_len, with_mode(f, 0), &connection) : -EINVAL;

    return err ? err : tp_socket_install(p, connection, flags);
}

/* ---- requests ---- */

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

/* The calls that send and receive; u: the arguments as addresses and sizes. */
static int64_t transfer_call(struct tp_file *f, long number, const uint64_t u[6])
{
    const int flags = (int)u[3];
    int err;

    switch (number) {
    case SYS_read:
        return user_recvfrom(f->sk, u[1], u[2], with_mode(f, 0), 0, 0);
    case SYS_write:
        return user_sendto(f->sk, u[1], u[2], with_mode(f, 0), 0, 0);
    case SYS_readv:
        return user_recv_vectors(f->sk, u[1], u[2], with_mode(f, 0));
    case SYS_writev:
        return user_send_vectors(f->sk, u[1], u[2], with_mode(f, 0));
    case SYS_sendto:
        return user_sendto(f->sk, u[1], u[2], with_mode(f, flags), u[4], (socklen_t)u[5]);
    case SYS_recvfrom:
        return user_recvfrom(f->sk, u[1], u[2], with_mode(f, flags), u[4], u[5]);
    case SYS_sendmsg:
        return user_sendmsg(f->sk, u[1], with_mode(f, (int)u[2]), NULL);
    case SYS_recvmsg:
        return user_recvmsg(f->sk, u[1], with_mode(f, (int)u[2]), NULL);
    case SYS_sendmmsg:
        return user_sendmmsg(f->sk, u[1], (unsigned)u[2], with_mode(f, flags), NULL, &err);
    case SYS_recvmmsg:
        return user_recvmmsg(f->sk, u[1], (unsigned)u[2], with_mode(f, flags), TIME_NEVER, NULL);
    default:
        return -ENOSYS;
    }
}

static int64_t call_on(struct tp_process *p, struct tp_file *f, long number, const uint64_t u[6])
{
    switch (number) {
    case SYS_bind:
        return user_bind(f->sk, u[1], (socklen_t)u[2]);
    case SYS_connect:
        return user_connect(f->sk, u[1], (socklen_t)u[2], with_mode(f, 0));
    case SYS_listen:
        return sock_listen(f->sk, (int)u[1]);
    case SYS_accept:
    case SYS_accept4:
        return accept_on(p, f, u[1], u[2], number == SYS_accept4 ? (int)u[3] : 0);
    case SYS_getsockname:
    case SYS_getpeername:
        return user_getname(f->sk, u[1], u[2], number == SYS_getpeername);
    case SYS_shutdown:
        return sock_shutdown(f->sk, (int)u[1]);
    case SYS_setsockopt:
        return user_setsockopt(f->sk, (int)u[1], (int)u[2], u[3], (int)u[4]);
    case SYS_getsockopt:
        return user_getsockopt(f->sk, (int)u[1], (int)u[2], u[3], u[4]);
    case SYS_ioctl:
        return ioctl_on(f, (unsigned)u[1], u[2]);
    default:
        return transfer_call(f, number, u);
    }
}

int64_t tp_socket_call(struct tp_process *p, long number, const int64_t a[6])
{
    const uint64_t *u = (const uint64_t *)a;
    struct tp_file *f;
    int64_t result;

    if (number == SYS_socket)
        return make_socket(p, (int)u[0], (int)u[1], (int)u[2]);
    if (number == SYS_socketpair)
        return make_pair(p, (int)u[0], (int)u[1], (int)u[2], u[3]);
    f = tp_file_get(p, a[0]);
    if (!f)
        return -EBADF; /* an unknown number with a bad descriptor is that, too */
    result = call_on(p, f, number, u);
    tp_file_put(f);
    return result;
}
