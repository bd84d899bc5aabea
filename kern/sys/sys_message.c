/* kern/sys/sys_message.c - sending and receiving: sendto(), sendmsg(), sendmmsg() and their opposites. What
 * they do with their arguments is net/core/user_message.c. */
#include "kern/proc/signals.h"
#include "kern/sys/sys_socket.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"

static const struct descriptor_ops descriptors = { files_from_control, files_to_control };

static int with_mode(const struct socket_ref *s, int flags)
{
    return flags | socket_dontwait(s);
}

/* A stream that nobody reads any more tells its writer by a signal, too; err: how sending ended. The same n.
 */
static int64_t sent(const struct socket_ref *s, int64_t n, int64_t err, int flags)
{
    if (err == -EPIPE && !(flags & MSG_NOSIGNAL) && sock_type(s->sk) == SOCK_STREAM)
        signal_send_self(SIGPIPE);
    return n;
}

SYSCALL_DEFINE6(sendto, int, fd, uintptr_t, buf, size_t, size, int, flags, uintptr_t, user, socklen_t, len)
{
    SOCKET_OF(s, fd);
    int64_t n = user_sendto(s.sk, buf, size, with_mode(&s, flags), user, len);

    return sent(&s, n, n, flags);
}

SYSCALL_DEFINE6(recvfrom, int, fd, uintptr_t, buf, size_t, size, int, flags, uintptr_t, user, uintptr_t,
                user_len)
{
    SOCKET_OF(s, fd);

    return user_recvfrom(s.sk, buf, size, with_mode(&s, flags), user, user_len);
}

SYSCALL_DEFINE3(sendmsg, int, fd, uintptr_t, user, int, flags)
{
    SOCKET_OF(s, fd);
    int64_t n = user_sendmsg(s.sk, user, with_mode(&s, flags), &descriptors);

    return sent(&s, n, n, flags);
}

SYSCALL_DEFINE3(recvmsg, int, fd, uintptr_t, user, int, flags)
{
    SOCKET_OF(s, fd);

    return user_recvmsg(s.sk, user, with_mode(&s, flags), &descriptors);
}

SYSCALL_DEFINE4(sendmmsg, int, fd, uintptr_t, user, unsigned, count, int, flags)
{
    int err;
    SOCKET_OF(s, fd);
    int64_t n = user_sendmmsg(s.sk, user, count, with_mode(&s, flags), &descriptors, &err);

    return sent(&s, n, err, flags);
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
    n = user_recvmmsg(s.sk, user, count, with_mode(&s, flags), deadline, &descriptors);
    now = time_now();
    if (n > 0 && timeout && timespec_to_user(timeout, deadline > now ? deadline - now : 0))
        return -EFAULT;
    return n;
}
