/* sim/vk/shim_transfer.c - the calls that send and receive. What is larger than a request may be goes in
 * pieces. */
#include "sim/vk/shim.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- sending ---- */

static ssize_t sent(int64_t result, int flags)
{
    if (result == -EPIPE && !(flags & MSG_NOSIGNAL))
        raise(SIGPIPE);
    return shim_result(result);
}

static int64_t send_piece(int fd, int64_t number, const void *data, size_t n, int flags,
                          const struct sockaddr *to, socklen_t len)
{
    struct vk_request r = { .number = SYS_sendto,
                            .a = { WORD(number), DATA(data, n, VK_IN), WORD(n), WORD(flags),
                                   DATA(to, len, VK_IN), WORD(to ? len : 0) } };
    struct outcome o;

    return shim_call(fd, &r, &o);
}

/* A stream's data goes in pieces, all of it unless the socket does not block or fails. */
static ssize_t send_all(int fd, int64_t number, const void *data, size_t n, int flags,
                        const struct sockaddr *to, socklen_t len)
{
    size_t done = 0;

    do {
        size_t piece = n - done < VK_TRANSFER_MOST ? n - done : VK_TRANSFER_MOST;
        int64_t result = send_piece(fd, number, (const char *)data + done, piece, flags, to, len);
        if (result < 0)
            return done ? (ssize_t)done : sent(result, flags);
        done += (size_t)result;
        if ((size_t)result < piece)
            break;
    } while (done < n);
    return (ssize_t)done;
}

EXPORT ssize_t sendto(int fd, const void *data, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(sendto)(fd, data, n, flags, to, len)
                      : send_all(fd, number, data, n, flags, to, len);
}

EXPORT ssize_t send(int fd, const void *data, size_t n, int flags)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(send)(fd, data, n, flags) : send_all(fd, number, data, n, flags, NULL, 0);
}

EXPORT ssize_t write(int fd, const void *data, size_t n)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(write)(fd, data, n) : send_all(fd, number, data, n, 0, NULL, 0);
}

static size_t total(const struct iovec *v, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += v[i].iov_len;
    return n;
}

/* A place in a list of pieces of memory. */
struct place {
    const struct iovec *v;
    size_t count;  /* pieces from v on */
    size_t offset; /* into v[0] */
};

/* Copy n bytes to data, which are there, and move on. */
static void gather(struct place *p, uint8_t *data, size_t n)
{
    while (n) {
        size_t left = p->v->iov_len - p->offset, piece = left < n ? left : n;
        memcpy(data, (const char *)p->v->iov_base + p->offset, piece);
        data += piece;
        n -= piece;
        p->offset += piece;
        if (p->offset < p->v->iov_len)
            continue;
        p->v++;
        p->count--;
        p->offset = 0;
    }
}

static void scatter(const struct iovec *v, size_t count, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < count && n; i++) {
        size_t piece = v[i].iov_len < n ? v[i].iov_len : n;
        memcpy(v[i].iov_base, data, piece);
        data += piece;
        n -= piece;
    }
}

/* n bytes at data with m's address and, if asked for, its control messages. */
static int64_t message_piece(int fd, int64_t number, const struct msghdr *m, bool control,
                             const uint8_t *data, size_t n, int flags)
{
    struct vk_request r = { .number = SYS_sendmsg,
                            .a = {
                                WORD(number), DATA(data, n, VK_IN), DATA(m->msg_name, m->msg_namelen, VK_IN),
                                DATA(m->msg_control, control ? m->msg_controllen : 0, VK_IN), WORD(flags) } };
    struct outcome o;

    return shim_call(fd, &r, &o);
}

/* As send_all(). A datagram that is larger than a piece is refused for its size with the first. */
static ssize_t send_message(int fd, int64_t number, const struct msghdr *m, int flags)
{
    const size_t all = total(m->msg_iov, m->msg_iovlen),
                 most = all < VK_TRANSFER_MOST ? all : VK_TRANSFER_MOST;
    struct place at = { m->msg_iov, m->msg_iovlen, 0 };
    uint8_t *data = malloc(most ? most : 1);
    int64_t result = data ? 0 : -ENOMEM;
    size_t done = 0;

    while (result >= 0 && (!done || done < all)) {
        size_t piece = all - done < most ? all - done : most;
        gather(&at, data, piece);
        result = message_piece(fd, number, m, !done, data, piece, flags);
        if (result >= 0)
            done += (size_t)result;
        if (result < (int64_t)piece || !all)
            break;
    }
    free(data);
    return done ? (ssize_t)done : sent(result, flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(sendmsg)(fd, m, flags) : send_message(fd, number, m, flags);
}

EXPORT ssize_t writev(int fd, const struct iovec *v, int count)
{
    int64_t number = shim_ours(fd);
    const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count };

    return number < 0 ? NEXT(writev)(fd, v, count) : send_message(fd, number, &m, 0);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags)
{
    int64_t number = shim_ours(fd);
    unsigned i;

    if (number < 0)
        return NEXT(sendmmsg)(fd, m, count, flags);
    for (i = 0; i < count; i++) {
        ssize_t n = send_message(fd, number, &m[i].msg_hdr, flags);
        if (n < 0)
            return i ? (int)i : -1;
        m[i].msg_len = (unsigned)n;
    }
    return (int)i;
}

/* ---- receiving ---- */

static ssize_t receive_from(int fd, int64_t number, void *data, size_t n, int flags, struct sockaddr *from,
                            socklen_t *len)
{
    size_t most = n < VK_TRANSFER_MOST ? n : VK_TRANSFER_MOST;
    struct vk_request r = { .number = SYS_recvfrom,
                            .a = { WORD(number), DATA(data, most, VK_OUT), WORD(most), WORD(flags),
                                   DATA(from, from ? *len : 0, VK_OUT), DATA(len, sizeof *len, VK_IN_OUT) } };

    if (!from)
        r.a[5] = (struct vk_argument)WORD(0);
    return shim_simple_call(fd, r);
}

EXPORT ssize_t recvfrom(int fd, void *data, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(recvfrom)(fd, data, n, flags, from, len)
                      : receive_from(fd, number, data, n, flags, from, len);
}

EXPORT ssize_t recv(int fd, void *data, size_t n, int flags)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(recv)(fd, data, n, flags) : receive_from(fd, number, data, n, flags, NULL, NULL);
}

EXPORT ssize_t read(int fd, void *data, size_t n)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(read)(fd, data, n) : receive_from(fd, number, data, n, 0, NULL, NULL);
}

static ssize_t receive_message(int fd, int64_t number, struct msghdr *m, int flags)
{
    size_t n = total(m->msg_iov, m->msg_iovlen), most = n < VK_TRANSFER_MOST ? n : VK_TRANSFER_MOST;
    uint8_t *data = malloc(most ? most : 1);
    struct vk_request r = { .number = SYS_recvmsg,
                            .a = { WORD(number), DATA(data, most, VK_OUT),
                                   DATA(m->msg_name, m->msg_namelen, VK_OUT),
                                   DATA(m->msg_control, m->msg_controllen, VK_OUT), WORD(flags) } };
    struct outcome o;
    int64_t result = data ? shim_call(fd, &r, &o) : -ENOMEM;

    if (result >= 0) {
        scatter(m->msg_iov, m->msg_iovlen, data, o.reply.lengths[1]);
        m->msg_namelen = o.reply.name_length;
        m->msg_controllen = o.reply.lengths[3];
        m->msg_flags = o.reply.message_flags;
    }
    free(data);
    return shim_result(result);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(recvmsg)(fd, m, flags) : receive_message(fd, number, m, flags);
}

EXPORT ssize_t readv(int fd, const struct iovec *v, int count)
{
    int64_t number = shim_ours(fd);
    struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count };

    return number < 0 ? NEXT(readv)(fd, v, count) : receive_message(fd, number, &m, 0);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *m, unsigned count, int flags, struct timespec *timeout)
{
    int64_t number = shim_ours(fd);
    unsigned i;

    if (number < 0)
        return NEXT(recvmmsg)(fd, m, count, flags, timeout);
    for (i = 0; i < count; i++) {
        ssize_t n = receive_message(fd, number, &m[i].msg_hdr,
                                    i && flags & MSG_WAITFORONE ? flags | MSG_DONTWAIT : flags);
        if (n < 0)
            return i ? (int)i : -1;
        m[i].msg_len = (unsigned)n;
    }
    return (int)i;
}

/* The names under which programs compiled with _FORTIFY_SOURCE call them: room is what the compiler knows of
 * data. */

static void check_room(size_t n, size_t room)
{
    if (n > room)
        abort();
}

EXPORT ssize_t __read_chk(int fd, void *data, size_t n, size_t room);
EXPORT ssize_t __read_chk(int fd, void *data, size_t n, size_t room)
{
    check_room(n, room);
    return read(fd, data, n);
}

EXPORT ssize_t __recv_chk(int fd, void *data, size_t n, size_t room, int flags);
EXPORT ssize_t __recv_chk(int fd, void *data, size_t n, size_t room, int flags)
{
    check_room(n, room);
    return recv(fd, data, n, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *data, size_t n, size_t room, int flags, struct sockaddr *from,
                              socklen_t *len);
EXPORT ssize_t __recvfrom_chk(int fd, void *data, size_t n, size_t room, int flags, struct sockaddr *from,
                              socklen_t *len)
{
    check_room(n, room);
    return recvfrom(fd, data, n, flags, from, len);
}
