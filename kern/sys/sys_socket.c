/* kern/sys/sys_socket.c - the system calls on sockets but for messages (sys_message.c): arguments come in,
 * addresses go out; the rest is net/'s. Addresses and options are copied to kernel memory of bounded size. */
#include "kern/sys/sys_socket.h"
#include "kern/fs/files.h"
#include "kern/fs/socketfile.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "lib/abi/fcntl.h"
#include "lib/string.h"

enum { OPTION_USUAL = 256, OPTION_MOST = 16384, TYPE_MASK = 0xf };

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

int address_from_user(uintptr_t user, socklen_t len, struct sockaddr_storage *addr)
{
    *addr = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    if (len > sizeof *addr)
        return -EINVAL;
    return copy_from_user(addr, user, len);
}

int address_to_user(const struct sockaddr_storage *addr, socklen_t len, uintptr_t user, uintptr_t user_len)
{
    int32_t room;

    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (copy_to_user(user, addr, MIN((size_t)room, (size_t)len)))
        return -EFAULT;
    return copy_to_user(user_len, &len, sizeof len);
}

/* ---- making ---- */

enum { FIRST_FREE_PORT = 1024 }; /* net.ipv4.ip_unprivileged_port_start, as Linux has it at first */

SYSCALL_DEFINE3(socket, int, family, int, type, int, protocol)
{
    struct sock *sk;
    int err;

    if (!flags_are_known(type & ~TYPE_MASK))
        return -EINVAL;
    err = sock_create(kernel_net, family, type & TYPE_MASK, protocol, &sk);
    return err ? err : install_socket(sk, type & ~TYPE_MASK);
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

    if (!flags_are_known(type & ~TYPE_MASK))
        return -EINVAL;
    err = sock_pair(kernel_net, family, type & TYPE_MASK, protocol, pair);
    return err ? err : install_pair(pair, type & ~TYPE_MASK, fds);
}

/* ---- naming and connecting ---- */

/* A low port needs a right; a wrong address is the socket's to refuse. */
static int may_bind(const struct sockaddr *addr, socklen_t len)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
    unsigned port = be16_to_cpu((be16){ in->sin_port });

    if ((addr->sa_family != AF_INET && addr->sa_family != AF_INET6) || len < sizeof *in || !port)
        return 0;
    return port >= FIRST_FREE_PORT || capable(CAP_NET_BIND_SERVICE) ? 0 : -EACCES;
}

SYSCALL_DEFINE3(bind, int, fd, uintptr_t, user, socklen_t, len)
{
    struct sockaddr_storage addr;
    SOCKET_OF(s, fd);
    int err = address_from_user(user, len, &addr);
    if (!err)
        err = may_bind((struct sockaddr *)&addr, len);
    return err ? err : sock_bind(s.sk, (struct sockaddr *)&addr, len);
}

SYSCALL_DEFINE3(connect, int, fd, uintptr_t, user, socklen_t, len)
{
    struct sockaddr_storage addr;
    SOCKET_OF(s, fd);
    int err = address_from_user(user, len, &addr);

    return err ? err : sock_connect(s.sk, (struct sockaddr *)&addr, len, socket_dontwait(&s));
}

SYSCALL_DEFINE2(listen, int, fd, int, backlog)
{
    SOCKET_OF(s, fd);

    return sock_listen(s.sk, backlog);
}

/* The peer's address of a fresh connection; one that is gone already has none. */
static int peer_to_user(struct sock *sk, uintptr_t user, uintptr_t user_len)
{
    struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
    int len = user ? sock_getname(sk, &addr, true) : 0;

    return user ? address_to_user(&addr, len > 0 ? (socklen_t)len : 0, user, user_len) : 0;
}

static int64_t accept_on(int fd, uintptr_t user, uintptr_t user_len, int flags)
{
    struct sock *connection;
    int err;

    if (!flags_are_known(flags))
        return -EINVAL;
    SOCKET_OF(s, fd);
    err = sock_accept(s.sk, socket_dontwait(&s), &connection);
    if (err)
        return err;
    err = peer_to_user(connection, user, user_len);
    if (err) {
        sock_release(connection);
        return err;
    }
    return install_socket(connection, flags);
}

SYSCALL_DEFINE3(accept, int, fd, uintptr_t, user, uintptr_t, user_len)
{
    return accept_on(fd, user, user_len, 0);
}

SYSCALL_DEFINE4(accept4, int, fd, uintptr_t, user, uintptr_t, user_len, int, flags)
{
    return accept_on(fd, user, user_len, flags);
}

static int64_t get_name(int fd, uintptr_t user, uintptr_t user_len, bool peer)
{
    struct sockaddr_storage addr;
    SOCKET_OF(s, fd);
    int len = sock_getname(s.sk, &addr, peer);

    return len < 0 ? len : address_to_user(&addr, (socklen_t)len, user, user_len);
}

SYSCALL_DEFINE3(getsockname, int, fd, uintptr_t, user, uintptr_t, user_len)
{
    return get_name(fd, user, user_len, false);
}

SYSCALL_DEFINE3(getpeername, int, fd, uintptr_t, user, uintptr_t, user_len)
{
    return get_name(fd, user, user_len, true);
}

SYSCALL_DEFINE2(shutdown, int, fd, int, how)
{
    SOCKET_OF(s, fd);

    return sock_shutdown(s.sk, how);
}

/* ---- options ---- */

/* Zeroed memory for an option of *len bytes, cut to OPTION_MOST: `usual` where that is large enough. NULL:
 * there is none. For option_memory_free(). */
static void *option_memory(uint8_t *usual, socklen_t *len)
{
    *len = MIN(*len, (socklen_t)OPTION_MOST);
    if (*len <= OPTION_USUAL)
        return usual;
    void *value = kmalloc(*len);
    if (value)
        memset(value, 0, *len);
    return value;
}

static void option_memory_free(void *value, const uint8_t *usual)
{
    if (value != usual)
        kfree(value);
}

SYSCALL_DEFINE5(setsockopt, int, fd, int, level, int, option, uintptr_t, user, int, user_len)
{
    uint8_t usual[OPTION_USUAL] = { 0 };
    SOCKET_OF(s, fd);

    if (user_len < 0)
        return -EINVAL;
    socklen_t len = (socklen_t)user_len;
    void *value = option_memory(usual, &len);
    if (!value)
        return -ENOMEM;
    int err = copy_from_user(value, user, len);
    if (!err)
        err = sock_setsockopt(s.sk, level, option, value, len);
    option_memory_free(value, usual);
    return err;
}

/* Some options are asked with something there: PACKET_HDRLEN with a number, MCAST_MSFILTER with a group. */
static int get_option(struct sock *sk, int level, int option, uintptr_t user, uint8_t *value, socklen_t *len)
{
    const socklen_t room = *len;

    if (copy_from_user(value, user, room))
        memset(value, 0, room);
    int err = sock_getsockopt(sk, level, option, value, len);
    return err ? err : copy_to_user(user, value, MIN(room, *len));
}

SYSCALL_DEFINE5(getsockopt, int, fd, int, level, int, option, uintptr_t, user, uintptr_t, user_len)
{
    uint8_t usual[OPTION_USUAL] = { 0 };
    int32_t room;
    SOCKET_OF(s, fd);

    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    socklen_t len = (socklen_t)room;
    void *value = option_memory(usual, &len);
    if (!value)
        return -ENOMEM;
    int err = get_option(s.sk, level, option, user, value, &len);
    option_memory_free(value, usual);
    return err ? err : copy_to_user(user_len, &len, sizeof len);
}
