/* kern/sys/sys_socket.c - the system calls on sockets: arguments come in, addresses and messages go out; the
 * rest is net/'s. Addresses, options and control messages are copied to kernel memory of bounded size. */
#include "kern/sys/sys_socket.h"
#include "kern/fs/files.h"
#include "kern/fs/socketfile.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"

enum { OPTION_MOST = 256, CONTROL_MOST = 4096, MMSG_MOST = 1024 };

struct net *kernel_net;

/* The socket behind fd; *f is a reference to its file, to be put. NULL: *err says why. */
static struct sock *sock_get(int fd, struct file **f, int64_t *err)
{
    struct sock *sk;

    *f = fd_get(fd);
    if (!*f) {
        *err = -EBADF;
        return NULL;
    }
    sk = socket_of(*f);
    if (!sk) {
        file_put(*f);
        *err = -ENOTSOCK;
    }
    return sk;
}

static int dontwait(struct file *f)
{
    return file_nonblocking(f) ? MSG_DONTWAIT : 0;
}

static int64_t install_socket(struct sock *sk, int flags)
{
    struct file *f = socket_file_create(sk, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);

    return f ? fd_install(f, 0, flags & SOCK_CLOEXEC) : -ENOMEM;
}

/* ---- addresses ---- */

static int address_from_user(uintptr_t user, socklen_t len, struct sockaddr_storage *addr)
{
    *addr = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    if (len > sizeof *addr)
        return -EINVAL;
    return copy_from_user(addr, user, len);
}

/* Give an address to the user: as much as there is room for at user, its whole length to *user_len. */
static int address_to_user(const struct sockaddr_storage *addr, socklen_t len, uintptr_t user,
                           uintptr_t user_len)
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

/* ---- making, naming, connecting ---- */

SYSCALL_DEFINE3(socket, int, family, int, type, int, protocol)
{
    const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    struct sock *sk;
    int err = sock_create(kernel_net, family, type & ~flags, protocol, &sk);

    return err ? err : install_socket(sk, type & flags);
}

SYSCALL_DEFINE3(bind, int, fd, uintptr_t, user, socklen_t, len)
{
    struct sockaddr_storage addr;
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = address_from_user(user, len, &addr);
    if (!err)
        err = sock_bind(sk, (struct sockaddr *)&addr, len);
    file_put(f);
    return err;
}

SYSCALL_DEFINE3(connect, int, fd, uintptr_t, user, socklen_t, len)
{
    struct sockaddr_storage addr;
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = address_from_user(user, len, &addr);
    if (!err)
        err = sock_connect(sk, (struct sockaddr *)&addr, len, dontwait(f));
    file_put(f);
    return err;
}

SYSCALL_DEFINE2(listen, int, fd, int, backlog)
{
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = sock_listen(sk, backlog);
    file_put(f);
    return err;
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
    struct sock *connection, *sk;
    struct file *f;
    int64_t err;

    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    sk = sock_get(fd, &f, &err);
    if (!sk)
        return err;
    err = sock_accept(sk, dontwait(f), &connection);
    file_put(f);
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
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = sock_getname(sk, &addr, peer);
    file_put(f);
    return err < 0 ? err : address_to_user(&addr, (socklen_t)err, user, user_len);
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
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = how < SHUT_RD || how > SHUT_RDWR ? -EINVAL : sock_shutdown(sk, how);
    file_put(f);
    return err;
}

/* There is no family whose sockets come in pairs yet (AF_UNIX). */
SYSCALL_DEFINE4(socketpair, int, family, int, type, int, protocol, uintptr_t, fds)
{
    (void)type, (void)protocol, (void)fds;
    return family == AF_INET ? -EOPNOTSUPP : -EAFNOSUPPORT;
}

/* ---- sending and receiving ---- */

static int64_t send_on(struct file *f, struct sock *sk, struct message *msg, int flags)
{
    int64_t n = sock_sendmsg(sk, msg, flags | dontwait(f));

    if (n == -EPIPE && !(flags & MSG_NOSIGNAL))
        signal_send_self(SIGPIPE);
    return n;
}

static int64_t send_buffer(struct file *f, struct sock *sk, struct io_vector buffer, int flags,
                           uintptr_t user, socklen_t len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL, .name_len = user ? len : 0 };
    int err = user ? address_from_user(user, len, &addr) : 0;

    if (err)
        return err;
    buffer.len = MIN(buffer.len, (size_t)MAX_RW_COUNT);
    iov_iter_init(&msg.iter, ITER_USER, &buffer, 1);
    return send_on(f, sk, &msg, flags);
}

SYSCALL_DEFINE6(sendto, int, fd, uintptr_t, buf, size_t, size, int, flags, uintptr_t, user, socklen_t, len)
{
    struct file *f;
    int64_t n;
    struct sock *sk = sock_get(fd, &f, &n);

    if (!sk)
        return n;
    n = send_buffer(f, sk, (struct io_vector){ buf, size }, flags, user, len);
    file_put(f);
    return n;
}

static int64_t receive_buffer(struct file *f, struct sock *sk, struct io_vector buffer, int flags,
                              uintptr_t user, uintptr_t user_len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL };
    int64_t n;

    buffer.len = MIN(buffer.len, (size_t)MAX_RW_COUNT);
    iov_iter_init(&msg.iter, ITER_USER, &buffer, 1);
    n = sock_recvmsg(sk, &msg, flags | dontwait(f));
    if (n >= 0 && user) {
        int err = address_to_user(&addr, msg.name_len, user, user_len);
        return err ? err : n;
    }
    return n;
}

SYSCALL_DEFINE6(recvfrom, int, fd, uintptr_t, buf, size_t, size, int, flags, uintptr_t, user, uintptr_t,
                user_len)
{
    struct file *f;
    int64_t n;
    struct sock *sk = sock_get(fd, &f, &n);

    if (!sk)
        return n;
    n = receive_buffer(f, sk, (struct io_vector){ buf, size }, flags, user, user_len);
    file_put(f);
    return n;
}

/* ---- messages: struct msghdr with its parts in kernel memory ---- */

struct user_message {
    struct msghdr header; /* as the user gave it */
    struct sockaddr_storage addr;
    struct io_vector *vectors;
    struct message msg;
};

static void message_free(struct user_message *m)
{
    kfree(m->vectors);
    kfree(m->msg.control);
}

/* Take a msghdr and what it points to; for sending the name and control messages too. */
static int message_from_user(struct user_message *m, uintptr_t user, bool send)
{
    size_t control;
    int err;

    *m = (struct user_message){ .vectors = NULL };
    if (copy_from_user(&m->header, user, sizeof m->header))
        return -EFAULT;
    control = m->header.msg_control ? m->header.msg_controllen : 0;
    if (send && control > CONTROL_MOST)
        return -ENOBUFS;
    err = iovec_from_user((uintptr_t)m->header.msg_iov, m->header.msg_iovlen, &m->vectors, &m->msg.iter);
    if (err)
        return err == -EINVAL ? -EMSGSIZE : err;
    m->msg.name = m->header.msg_name ? &m->addr : NULL;
    m->msg.name_len = send && m->msg.name ? m->header.msg_namelen : 0;
    m->msg.control_len = MIN(control, (size_t)CONTROL_MOST);
    if (m->msg.control_len && !(m->msg.control = kzalloc(m->msg.control_len)))
        return -ENOMEM;
    if (send && m->msg.name)
        err = address_from_user((uintptr_t)m->header.msg_name, m->header.msg_namelen, &m->addr);
    if (send && !err && m->msg.control)
        err = copy_from_user(m->msg.control, (uintptr_t)m->header.msg_control, m->msg.control_len);
    return err;
}

static int64_t send_message(struct file *f, struct sock *sk, uintptr_t user, int flags)
{
    struct user_message m;
    int64_t n = message_from_user(&m, user, true);

    if (!n)
        n = send_on(f, sk, &m.msg, flags);
    message_free(&m);
    return n;
}

/* Write back what recvmsg tells: name, control messages, flags. */
static int message_to_user(struct user_message *m, uintptr_t user)
{
    struct msghdr *h = &m->header;
    size_t room = MIN((size_t)h->msg_namelen, (size_t)m->msg.name_len);

    if (m->msg.name && copy_to_user((uintptr_t)h->msg_name, &m->addr, room))
        return -EFAULT;
    if (m->msg.control && copy_to_user((uintptr_t)h->msg_control, m->msg.control, m->msg.control_len))
        return -EFAULT;
    h->msg_namelen = m->msg.name_len;
    h->msg_controllen = m->msg.control_len;
    h->msg_flags = m->msg.flags;
    return copy_to_user(user, h, sizeof *h);
}

static int64_t receive_message(struct file *f, struct sock *sk, uintptr_t user, int flags)
{
    struct user_message m;
    int64_t n = message_from_user(&m, user, false);

    if (!n)
        n = sock_recvmsg(sk, &m.msg, flags | dontwait(f));
    if (n >= 0 && message_to_user(&m, user))
        n = -EFAULT;
    message_free(&m);
    return n;
}

SYSCALL_DEFINE3(sendmsg, int, fd, uintptr_t, user, int, flags)
{
    struct file *f;
    int64_t n;
    struct sock *sk = sock_get(fd, &f, &n);

    if (!sk)
        return n;
    n = send_message(f, sk, user, flags);
    file_put(f);
    return n;
}

SYSCALL_DEFINE3(recvmsg, int, fd, uintptr_t, user, int, flags)
{
    struct file *f;
    int64_t n;
    struct sock *sk = sock_get(fd, &f, &n);

    if (!sk)
        return n;
    n = receive_message(f, sk, user, flags);
    file_put(f);
    return n;
}

/* struct mmsghdr: a msghdr and the count of bytes. How many messages went out, or the first one's error. */
static int64_t send_messages(struct file *f, struct sock *sk, uintptr_t user, unsigned count, int flags)
{
    const size_t size = sizeof(struct msghdr) + 8;

    for (unsigned i = 0; i < count; i++) {
        uintptr_t at = user + i * size;
        int64_t n = send_message(f, sk, at, flags);
        uint32_t sent = (uint32_t)n;
        if (n >= 0 && copy_to_user(at + sizeof(struct msghdr), &sent, sizeof sent))
            n = -EFAULT;
        if (n < 0)
            return i ? i : n;
    }
    return count;
}

SYSCALL_DEFINE4(sendmmsg, int, fd, uintptr_t, user, unsigned, count, int, flags)
{
    struct file *f;
    int64_t n;
    struct sock *sk = sock_get(fd, &f, &n);

    if (!sk)
        return n;
    n = send_messages(f, sk, user, MIN(count, (unsigned)MMSG_MOST), flags);
    file_put(f);
    return n;
}

/* ---- options ---- */

static int64_t set_option(struct sock *sk, int level, int option, uintptr_t user, socklen_t len)
{
    uint8_t value[OPTION_MOST] = { 0 };

    if (len > sizeof value)
        return -EINVAL;
    if (copy_from_user(value, user, len))
        return -EFAULT;
    return sock_setsockopt(sk, level, option, value, len);
}

SYSCALL_DEFINE5(setsockopt, int, fd, int, level, int, option, uintptr_t, user, int, len)
{
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = len < 0 ? -EINVAL : set_option(sk, level, option, user, (socklen_t)len);
    file_put(f);
    return err;
}

static int64_t get_option(struct sock *sk, int level, int option, uintptr_t user, uintptr_t user_len)
{
    uint8_t value[OPTION_MOST] = { 0 };
    int32_t room;
    socklen_t len;
    int err;

    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    len = MIN((socklen_t)room, (socklen_t)sizeof value);
    err = sock_getsockopt(sk, level, option, value, &len);
    if (err)
        return err;
    if (copy_to_user(user, value, MIN((socklen_t)room, len)))
        return -EFAULT;
    return copy_to_user(user_len, &len, sizeof len);
}

SYSCALL_DEFINE5(getsockopt, int, fd, int, level, int, option, uintptr_t, user, uintptr_t, user_len)
{
    struct file *f;
    int64_t err;
    struct sock *sk = sock_get(fd, &f, &err);

    if (!sk)
        return err;
    err = get_option(sk, level, option, user, user_len);
    file_put(f);
    return err;
}
