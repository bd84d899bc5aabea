/* net/core/user_message.c - a user's buffers, vectors and messages, sent and received (net/syscalls.h). A
 * struct msghdr's parts are taken into kernel memory of bounded size before a protocol sees them. */
#include "lib/string.h"
#include "net/core/sock.h"
#include "net/core/user_address.h"

/* ---- vectors ---- */

int io_vectors_from_user(struct io_vector *v, uintptr_t user, size_t n)
{
    size_t room = IO_BYTES_MOST;

    _Static_assert(sizeof(struct io_vector) == sizeof(struct iovec), "the same layout");
    if (copy_from_user(v, user, n * sizeof *v))
        return -EFAULT;
    for (size_t i = 0; i < n; i++) {
        if ((int64_t)v[i].len < 0)
            return -EINVAL;
        if (!user_range_is_valid(v[i].base, v[i].len))
            return -EFAULT;
        v[i].len = MIN(v[i].len, room);
        room -= v[i].len;
    }
    return 0;
}

/* A few are the usual case and need no allocation. */
enum { FEW = 4 };
struct vectors {
    struct io_vector few[FEW], *v; /* v: few, or memory of its own */
};

/* Take n of them from the user, as an iterator; vectors_free() is due in any case. -EMSGSIZE: too many. */
static int vectors_from_user(struct vectors *s, uintptr_t user, size_t n, struct iov_iter *it)
{
    int err;

    s->v = s->few;
    if (n > IO_VECTORS_MOST)
        return -EMSGSIZE;
    if (n > FEW)
        s->v = mem_alloc(n * sizeof *s->v);
    if (!s->v)
        return -ENOMEM;
    err = io_vectors_from_user(s->v, user, n);
    if (!err)
        iov_iter_init(it, ITER_USER, s->v, (unsigned)n);
    return err;
}

static void vectors_free(struct vectors *s)
{
    if (s->v != s->few)
        mem_free(s->v);
}

/* ---- one buffer, one address ---- */

static void iter_of_buffer(struct iov_iter *it, struct io_vector *v, uintptr_t buf, size_t n)
{
    *v = (struct io_vector){ buf, MIN(n, (size_t)IO_BYTES_MOST) };
    iov_iter_init(it, ITER_USER, v, 1);
}

int64_t user_sendto(struct sock *sk, uintptr_t buf, size_t n, int flags, uintptr_t user, socklen_t len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL, .name_len = user ? len : 0 };
    struct io_vector buffer;
    int err = user ? address_from_user(user, len, &addr) : 0;

    if (err)
        return err;
    iter_of_buffer(&msg.iter, &buffer, buf, n);
    return sock_sendmsg(sk, &msg, flags);
}

int64_t user_recvfrom(struct sock *sk, uintptr_t buf, size_t size, int flags, uintptr_t user,
                      uintptr_t user_len)
{
    struct sockaddr_storage addr;
    struct message msg = { .name = user ? &addr : NULL };
    struct io_vector buffer;
    int64_t n;
    int err;

    iter_of_buffer(&msg.iter, &buffer, buf, size);
    n = sock_recvmsg(sk, &msg, flags);
    passed_files_free(msg.files); /* nowhere to put them */
    if (n < 0 || !user)
        return n;
    err = address_to_user(&addr, msg.name_len, user, user_len);
    return err ? err : n;
}

/* ---- vectors without an address ---- */

typedef ssize_t (*transfer)(struct sock *sk, struct message *msg, int flags);

static int64_t transfer_vectors(struct sock *sk, uintptr_t user, size_t n, int flags, transfer call)
{
    struct message msg = { .name = NULL };
    struct vectors vectors;
    int64_t result = vectors_from_user(&vectors, user, n, &msg.iter);

    if (!result)
        result = call(sk, &msg, flags);
    else if (result == -EMSGSIZE)
        result = -EINVAL; /* so readv(2) has it */
    passed_files_free(msg.files);
    vectors_free(&vectors);
    return result;
}

int64_t user_send_vectors(struct sock *sk, uintptr_t user, size_t n, int flags)
{
    return transfer_vectors(sk, user, n, flags, sock_sendmsg);
}

int64_t user_recv_vectors(struct sock *sk, uintptr_t user, size_t n, int flags)
{
    return transfer_vectors(sk, user, n, flags, sock_recvmsg);
}

/* ---- messages ---- */

struct user_message {
    struct msghdr header; /* as the user gave it */
    struct sockaddr_storage addr;
    struct vectors vectors;
    struct message msg;
};

static void message_free(struct user_message *m)
{
    passed_files_free(m->msg.files);
    vectors_free(&m->vectors);
    mem_free(m->msg.control);
}

/* What sending needs besides: the address, the control messages, the files they name. */
static int rest_from_user(struct user_message *m, const struct sock *sk, const struct descriptor_ops *ops)
{
    uintptr_t name = (uintptr_t)m->header.msg_name, control = (uintptr_t)m->header.msg_control;
    int err = m->msg.name_len ? address_from_user(name, m->msg.name_len, &m->addr) : 0;

    if (!err && m->msg.control)
        err = copy_from_user(m->msg.control, control, m->msg.control_len);
    if (!err && m->msg.control && ops && sock_family(sk) == AF_UNIX)
        err = ops->from_control(&m->msg);
    return err;
}

/* Take a msghdr and the vectors it points to, and make room for the rest; message_free() is due in any case.
 */
static int message_from_user(struct user_message *m, uintptr_t user, bool send)
{
    struct msghdr *h = &m->header;
    size_t control;
    int err;

    m->vectors.v = m->vectors.few;
    m->msg = (struct message){ .name = NULL };
    if (copy_from_user(h, user, sizeof *h))
        return -EFAULT;
    if (h->msg_name && (int32_t)h->msg_namelen < 0)
        return -EINVAL;
    control = h->msg_control ? h->msg_controllen : 0;
    if (send && control > CONTROL_MOST)
        return -ENOBUFS;
    err = vectors_from_user(&m->vectors, (uintptr_t)h->msg_iov, h->msg_iovlen, &m->msg.iter);
    if (err)
        return err;
    m->msg.name = h->msg_name ? &m->addr : NULL;
    m->msg.name_len = send && m->msg.name ? MIN(h->msg_namelen, (socklen_t)sizeof m->addr) : 0;
    m->msg.control_len = MIN(control, (size_t)CONTROL_MOST);
    if (m->msg.control_len && !(m->msg.control = mem_alloc(m->msg.control_len)))
        return -ENOMEM;
    return 0;
}

int64_t user_sendmsg(struct sock *sk, uintptr_t user, int flags, const struct descriptor_ops *ops)
{
    struct user_message m;
    int64_t n = message_from_user(&m, user, true);

    if (!n)
        n = rest_from_user(&m, sk, ops);
    if (!n)
        n = sock_sendmsg(sk, &m.msg, flags);
    message_free(&m);
    return n;
}

/* Write back what recvmsg tells: name, control messages, flags. */
static int message_to_user(struct user_message *m, uintptr_t user, int flags,
                           const struct descriptor_ops *ops)
{
    struct msghdr *h = &m->header;
    size_t room = MIN((size_t)h->msg_namelen, (size_t)m->msg.name_len);

    if (ops)
        ops->to_control(&m->msg, flags & MSG_CMSG_CLOEXEC);
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

int64_t user_recvmsg(struct sock *sk, uintptr_t user, int flags, const struct descriptor_ops *ops)
{
    struct user_message m;
    int64_t n = message_from_user(&m, user, false);

    if (!n)
        n = sock_recvmsg(sk, &m.msg, flags);
    if (n >= 0 && message_to_user(&m, user, flags, ops))
        n = -EFAULT;
    message_free(&m);
    return n;
}

/* ---- many messages ---- */

typedef int64_t (*message_call)(struct sock *sk, uintptr_t user, int flags, const struct descriptor_ops *ops);

/* One struct mmsghdr: 0 or -errno. */
static int one_of_many(message_call call, struct sock *sk, uintptr_t at, int flags,
                       const struct descriptor_ops *ops)
{
    int64_t n = call(sk, at, flags, ops);
    uint32_t bytes = (uint32_t)n;

    if (n >= 0 && copy_to_user(at + offsetof(struct mmsghdr, msg_len), &bytes, sizeof bytes))
        n = -EFAULT;
    return n < 0 ? (int)n : 0;
}

int64_t user_sendmmsg(struct sock *sk, uintptr_t user, unsigned count, int flags,
                      const struct descriptor_ops *ops, int *err)
{
    *err = 0;
    count = MIN(count, (unsigned)MESSAGES_MOST);
    for (unsigned i = 0; i < count; i++) {
        *err = one_of_many(user_sendmsg, sk, user + i * sizeof(struct mmsghdr), flags, ops);
        if (*err)
            return i ? (int64_t)i : *err;
    }
    return count;
}

/* An error that is due comes before the first message; what ends the call behind one is kept for the next
 * (recvmmsg(2)). */
static int take_error(struct sock *sk)
{
    lock_acquire(&sk->lock);
    int err = sock_error(sk);
    lock_release(&sk->lock);
    return err;
}

static void keep_error(struct sock *sk, int err)
{
    if (err == -EAGAIN)
        return;
    lock_acquire(&sk->lock);
    sk->err = -err;
    lock_release(&sk->lock);
}

int64_t user_recvmmsg(struct sock *sk, uintptr_t user, unsigned count, int flags, uint64_t deadline,
                      const struct descriptor_ops *ops)
{
    int err = flags & MSG_ERRQUEUE ? 0 : take_error(sk);
    if (err)
        return err;
    count = MIN(count, (unsigned)MESSAGES_MOST);
    for (unsigned i = 0; i < count; i++) {
        int wait = flags & MSG_WAITFORONE && i ? MSG_DONTWAIT : 0;
        err = one_of_many(user_recvmsg, sk, user + i * sizeof(struct mmsghdr),
                          (flags & ~MSG_WAITFORONE) | wait, ops);
        if (err && i)
            keep_error(sk, err);
        if (err)
            return i ? (int64_t)i : err;
        if (time_now() >= deadline)
            return i + 1;
    }
    return count;
}
