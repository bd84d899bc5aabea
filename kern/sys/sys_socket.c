/* kern/sys/sys_socket.c - the system calls on sockets but for those that send and receive (sys_message.c):
 * the descriptors are found and made here, the arguments are net/core/user_call.c's. */
#include "kern/sys/sys_socket.h"
#include "kern/fs/files.h"
#include "kern/fs/socketfile.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "lib/abi/fcntl.h"

struct net *kernel_net;

/* ---- what the calls share ---- */

struct socket_ref socket_ref_get(int fd)
{
    struct socket_ref ref = { .file = fd_get(fd) };

    if (!ref.file) {
        ref.err = -EBADF;
        return ref;
    }
    ref.sk = socket_of(ref.file);
    if (!ref.sk)
        ref.err = -ENOTSOCK;
    return ref;
}

void socket_ref_put(struct socket_ref *ref)
{
    if (ref->file)
        file_put(ref->file);
}

int socket_dontwait(const struct socket_ref *ref)
{
    return file_nonblocking(ref->file) ? MSG_DONTWAIT : 0;
}

/* A descriptor for sk, whose reference is taken. */
static int install_socket(struct sock *sk, int flags)
{
    struct file *f = socket_file_create(sk, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);

    return f ? fd_install(f, 0, flags & SOCK_CLOEXEC) : -ENOMEM;
}

static bool flags_are_known(int flags)
{
    return !(flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/* ---- making ---- */

SYSCALL_DEFINE3(socket, int, family, int, type, int, protocol)
{
    struct sock *sk;
    int err;

    if (!flags_are_known(type & ~SOCKET_TYPE_MASK))
        return -EINVAL;
    err = sock_create(kernel_net, family, type & SOCKET_TYPE_MASK, protocol, &sk);
    return err ? err : install_socket(sk, type & ~SOCKET_TYPE_MASK);
}

/* Descriptors for both of a pair, told to the user at fds. */
static int install_pair(struct sock *pair[2], int flags, uintptr_t fds)
{
    int32_t fd[2] = { install_socket(pair[0], flags), install_socket(pair[1], flags) };
    int err = fd[0] < 0 ? fd[0] : fd[1] < 0 ? fd[1] : 0;

    if (!err && copy_to_user(fds, fd, sizeof fd))
        err = -EFAULT;
    if (err) {
        fd_close(fd[0]);
        fd_close(fd[1]);
    }
    return err;
}

SYSCALL_DEFINE4(socketpair, int, family, int, type, int, protocol, uintptr_t, fds)
{
    struct sock *pair[2];
    int err;

    if (!flags_are_known(type & ~SOCKET_TYPE_MASK))
        return -EINVAL;
    err = sock_pair(kernel_net, family, type & SOCKET_TYPE_MASK, protocol, pair);
    return err ? err : install_pair(pair, type & ~SOCKET_TYPE_MASK, fds);
}

/* ---- naming and connecting ---- */

SYSCALL_DEFINE3(bind, int, fd, uintptr_t, user, socklen_t, len)
{
    SOCKET_OF(s, fd);

    return user_bind(s.sk, user, len);
}

SYSCALL_DEFINE3(connect, int, fd, uintptr_t, user, socklen_t, len)
{
    SOCKET_OF(s, fd);

    return user_connect(s.sk, user, len, socket_dontwait(&s));
}

SYSCALL_DEFINE2(listen, int, fd, int, backlog)
{
    SOCKET_OF(s, fd);

    return sock_listen(s.sk, backlog);
}

static int64_t accept_on(int fd, uintptr_t user, uintptr_t user_len, int flags)
{
    struct sock *connection;
    int err;

    if (!flags_are_known(flags))
        return -EINVAL;
    SOCKET_OF(s, fd);
    err = user_accept(s.sk, user, user_len, socket_dontwait(&s), &connection);
    return err ? err : install_socket(connection, flags);
}

SYSCALL_DEFINE3(accept, int, fd, uintptr_t, user, uintptr_t, user_len)
{
    return accept_on(fd, user, user_len, 0);
}

SYSCALL_DEFINE4(accept4, int, fd, uintptr_t, user, uintptr_t, user_len, int, flags)
{
    return accept_on(fd, user, user_len, flags);
}

SYSCALL_DEFINE3(getsockname, int, fd, uintptr_t, user, uintptr_t, user_len)
{
    SOCKET_OF(s, fd);

    return user_getname(s.sk, user, user_len, false);
}

SYSCALL_DEFINE3(getpeername, int, fd, uintptr_t, user, uintptr_t, user_len)
{
    SOCKET_OF(s, fd);

    return user_getname(s.sk, user, user_len, true);
}

SYSCALL_DEFINE2(shutdown, int, fd, int, how)
{
    SOCKET_OF(s, fd);

    return sock_shutdown(s.sk, how);
}

/* ---- options ---- */

SYSCALL_DEFINE5(setsockopt, int, fd, int, level, int, option, uintptr_t, user, int, len)
{
    SOCKET_OF(s, fd);

    return user_setsockopt(s.sk, level, option, user, len);
}

SYSCALL_DEFINE5(getsockopt, int, fd, int, level, int, option, uintptr_t, user, uintptr_t, user_len)
{
    SOCKET_OF(s, fd);

    return user_getsockopt(s.sk, level, option, user, user_len);
}
