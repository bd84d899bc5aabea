/* kern/sys/sys_message.c - sending and receiving: sendto(), sendmsg(), sendmmsg() and their opposites. A
 * struct msghdr's parts are taken into kernel memory of bounded size before net/ sees them. */
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "kern/sys/sys_socket.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"

enum { CONTROL_MOST = 16384, MMSG_MOST = 1024 };

static int64_t send_on(const struct socket_ref *s, struct message *msg, int flags)
{
    int64_t n = sock_sendmsg(s->sk, msg, flags | socket_dontwait(s));

    if (n == -EPIPE && !(flags & MSG_NOSIGNAL) && sock_type(s->sk) == SOCK_STREAM)
        signal_send_self(SIGPIPE);
    return n;
}

/* ---- one buffer, one address ---- */

SYSCALL_DEFINE6(sendto, int, fd, uintptr_t, buf, size_t, size, int, flags, uintptr_t, user, socklen_t, len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL, .name_len = user ? len : 0 };
    struct io_vector buffer;
    SOCKET_OF(s, fd);
    int err = user ? address_from_user(user, len, &addr) : 0;

    if (err)
        return err;
    iter_of_buffer(&msg.iter, &buffer, buf, size);
    return send_on(&s, &msg, flags);
}

SYSCALL_DEFINE6(recvfrom, int, fd, uintptr_t, buf, size_t, size, int, flags, uintptr_t, user, uintptr_t,
                user_len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL };
    struct io_vector buffer;
    int64_t n;
    int err;
    SOCKET_OF(s, fd);

    iter_of_buffer(&msg.iter, &buffer, buf, size);
    n = sock_recvmsg(s.sk, &msg, flags | socket_dontwait(&s));
    passed_files_free(msg.files); /* nowhere to put them */
    if (n < 0 || !user)
        return n;
    err = address_to_user(&addr, msg.name_len, user, user_len);
    return err ? err : n;
}

/* ---- messages ---- */

struct user_message {
    struct msghdr header; /* as the user gave it */
    struct sockaddr_storage addr;
    struct io_vector *vectors;
    struct message msg;
};

static void message_free(struct user_message *m)
{
    passed_files_free(m->msg.files);
    kfree(m->vectors);
    kfree(m->msg.control);
}

/* What sending needs besides: the address, the control messages, the files they name. */
static int rest_from_user(struct user_message *m, const struct sock *sk)
{
    uintptr_t name = (uintptr_t)m->header.msg_name, control = (uintptr_t)m->header.msg_control;
    int err = m->msg.name_len ? address_from_user(name, m->msg.name_len, &m->addr) : 0;

    if (!err && m->msg.control)
        err = copy_from_user(m->msg.control, control, m->msg.control_len);
    if (!err && m->msg.control && sock_family(sk) == AF_UNIX)
        err = files_from_control(&m->msg);
    return err;
}

/* Take a msghdr and what it points to; message_free() is due in any case. */
static int message_from_user(struct user_message *m, uintptr_t user, const struct sock *sk, bool send)
{
    struct msghdr *h = &m->header;
    size_t control;
    int err;

    *m = (struct user_message){ .vectors = NULL };
    if (copy_from_user(h, user, sizeof *h))
        return -EFAULT;
    if (h->msg_name && (int32_t)h->msg_namelen < 0)
        return -EINVAL;
    control = h->msg_control ? h->msg_controllen : 0;
    if (send && control > CONTROL_MOST)
        return -ENOBUFS;
    err = iovec_from_user((uintptr_t)h->msg_iov, h->msg_iovlen, &m->vectors, &m->msg.iter);
    if (err)
        return err == -EINVAL && h->msg_iovlen > IOV_MAX ? -EMSGSIZE : err;
    m->msg.name = h->msg_name ? &m->addr : NULL;
    m->msg.name_len = send && m->msg.name ? MIN(h->msg_namelen, (socklen_t)sizeof m->addr) : 0;
    m->msg.control_len = MIN(control, (size_t)CONTROL_MOST);
    if (m->msg.control_len && !(m->msg.control = kzalloc(m->msg.control_len)))
        return -ENOMEM;
    return send ? rest_from_user(m, sk) : 0;
}

static int64_t send_message(const struct socket_ref *s, uintptr_t user, int flags)
{
    struct user_message m;
    int64_t n = message_from_user(&m, user, s->sk, true);

    if (!n)
        n = send_on(s, &m.msg, flags);
    message_free(&m);
    return n;
}

/* Write back what recvmsg tells: name, control messages, flags. */
static int message_to_user(struct user_message *m, uintptr_t user, int flags)
{
    struct msghdr *h = &m->header;
    size_t room = MIN((size_t)h->msg_namelen, (size_t)m->msg.name_len);

    files_to_control(&m->msg, flags & MSG_CMSG_CLOEXEC);
    if (m->msg.name && copy_to_user((uintptr_t)h->msg_name, &m->addr, room))
        return -EFAULT;
    if (m->msg.control && copy_to_user((uintptr_t)h->msg_control, m->msg.control, m->msg.control_used))
        return -EFAULT;
    if (m->msg.name)
        h->msg_namelen = m->msg.name_len;
    h->msg_controllen = m->msg.control_used;
    h->msg_flags = m->msg.flags | (flags & MSG_CMSG_CLOEXEC); /* as Linux leaves it there */
    return copy_to_user(user, h, sizeof *h);
}

static int64_t receive_message(const struct socket_ref *s, uintptr_t user, int flags)
{
    struct user_message m;
    int64_t n = message_from_user(&m, user, s->sk, false);

    if (!n)
        n = sock_recvmsg(s->sk, &m.msg, flags | socket_dontwait(s));
    if (n >= 0 && message_to_user(&m, user, flags))
        n = -EFAULT;
    message_free(&m);
    return n;
}

SYSCALL_DEFINE3(sendmsg, int, fd, uintptr_t, user, int, flags)
{
    SOCKET_OF(s, fd);

    return send_message(&s, user, flags);
}

SYSCALL_DEFINE3(recvmsg, int, fd, uintptr_t, user, int, flags)
{
    SOCKET_OF(s, fd);

    return receive_message(&s, user, flags);
}

/* ---- many messages: how many, or the first one's error ---- */

typedef int64_t (*message_call)(const struct socket_ref *s, uintptr_t user, int flags);

/* One struct mmsghdr: 1 or -errno. */
static int64_t one_of_many(message_call call, const struct socket_ref *s, uintptr_t at, int flags)
{
    int64_t n = call(s, at, flags);
    uint32_t bytes = (uint32_t)n;

    if (n >= 0 && copy_to_user(at + offsetof(struct mmsghdr, msg_len), &bytes, sizeof bytes))
        n = -EFAULT;
    return n < 0 ? n : 1;
}

SYSCALL_DEFINE4(sendmmsg, int, fd, uintptr_t, user, unsigned, count, int, flags)
{
    SOCKET_OF(s, fd);

    count = MIN(count, (unsigned)MMSG_MOST);
    for (unsigned i = 0; i < count; i++) {
        int64_t n = one_of_many(send_message, &s, user + i * sizeof(struct mmsghdr), flags);
        if (n < 0)
            return i ? i : n;
    }
    return count;
}

/* Until count messages came, none is there, or, looked at behind each, the deadline is past. */
static int64_t receive_many(const struct socket_ref *s, uintptr_t user, unsigned count, int flags,
                            uint64_t deadline)
{
    for (unsigned i = 0; i < count; i++) {
        int wait = flags & MSG_WAITFORONE && i ? MSG_DONTWAIT : 0;
        int64_t n = one_of_many(receive_message, s, user + i * sizeof(struct mmsghdr),
                                (flags & ~MSG_WAITFORONE) | wait);
        if (n < 0)
            return i ? i : n;
        if (time_now() >= deadline)
            return i + 1;
    }
    return count;
}

SYSCALL_DEFINE5(recvmmsg, int, fd, uintptr_t, user, unsigned, count, int, flags, uintptr_t, timeout)
{
    uint64_t deadline = TIME_NEVER, ns, now;
    int64_t n;
    int err = timeout ? timespec_from_user(timeout, &ns) : 0;

    if (err)
        return err;
    if (timeout)
        deadline = deadline_after(ns);
    SOCKET_OF(s, fd);
    n = receive_many(&s, user, MIN(count, (unsigned)MMSG_MOST), flags, deadline);
    now = time_now();
    if (n > 0 && timeout && timespec_to_user(timeout, deadline > now ? deadline - now : 0))
        return -EFAULT;
    return n;
}
