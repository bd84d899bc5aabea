/* sim/vk/shim_socket.c - the calls that make, name and connect sockets, and their options. */
#include "sim/vk/shim.h"
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* ---- sockets come into being ---- */

EXPORT int socket(int domain, int type, int protocol)
{
    const int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct vk_request r = { .number = SYS_socket,
                            .a = { WORD(domain), WORD(type & ~flags), WORD(protocol) } };
    struct outcome o;
    int64_t result;

    if (!shim_daemon() || domain != AF_INET)
        return NEXT(socket)(domain, type, protocol);
    result = shim_call(-1, &r, &o);
    return result < 0 ? (int)shim_result(result) : shim_adopt(&o, flags);
}

static int accept_ours(int fd, int64_t number, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct vk_request r = { .number = SYS_accept,
                            .a = { WORD(number), DATA(addr, addr ? *len : 0, VK_OUT),
                                   DATA(len, sizeof *len, VK_IN_OUT) } };
    struct outcome o;
    int64_t result;

    if (!addr)
        r.a[2] = (struct vk_argument)WORD(0);
    result = shim_call(fd, &r, &o);
    return result < 0 ? (int)shim_result(result) : shim_adopt(&o, flags);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(accept4)(fd, addr, len, flags) : accept_ours(fd, number, addr, len, flags);
}

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(accept)(fd, addr, len) : accept_ours(fd, number, addr, len, 0);
}

/* ---- names, connections, options ---- */

EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    int64_t number = shim_ours(fd);

    if (number < 0)
        return NEXT(bind)(fd, addr, len);
    return (int)shim_simple_call(
        fd,
        (struct vk_request){ .number = SYS_bind, .a = { WORD(number), DATA(addr, len, VK_IN), WORD(len) } });
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int64_t number = shim_ours(fd);

    if (number < 0)
        return NEXT(connect)(fd, addr, len);
    return (int)shim_simple_call(
        fd, (struct vk_request){ .number = SYS_connect,
                                 .a = { WORD(number), DATA(addr, len, VK_IN), WORD(len) } });
}

EXPORT int listen(int fd, int backlog)
{
    int64_t number = shim_ours(fd);

    if (number < 0)
        return NEXT(listen)(fd, backlog);
    return (int)shim_simple_call(
        fd, (struct vk_request){ .number = SYS_listen, .a = { WORD(number), WORD(backlog) } });
}

EXPORT int shutdown(int fd, int how)
{
    int64_t number = shim_ours(fd);

    if (number < 0)
        return NEXT(shutdown)(fd, how);
    return (int)shim_simple_call(
        fd, (struct vk_request){ .number = SYS_shutdown, .a = { WORD(number), WORD(how) } });
}

static int name_of(int fd, int64_t number, long call, struct sockaddr *addr, socklen_t *len)
{
    return (int)shim_simple_call(fd, (struct vk_request){ .number = call,
                                                          .a = { WORD(number), DATA(addr, *len, VK_OUT),
                                                                 DATA(len, sizeof *len, VK_IN_OUT) } });
}

EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(getsockname)(fd, addr, len) : name_of(fd, number, SYS_getsockname, addr, len);
}

EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    int64_t number = shim_ours(fd);

    return number < 0 ? NEXT(getpeername)(fd, addr, len) : name_of(fd, number, SYS_getpeername, addr, len);
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    int64_t number = shim_ours(fd);

    if (number < 0)
        return NEXT(setsockopt)(fd, level, option, value, len);
    return (int)shim_simple_call(fd, (struct vk_request){ .number = SYS_setsockopt,
                                                          .a = { WORD(number), WORD(level), WORD(option),
                                                                 DATA(value, len, VK_IN), WORD(len) } });
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    int64_t number = shim_ours(fd);

    if (number < 0)
        return NEXT(getsockopt)(fd, level, option, value, len);
    return (int)shim_simple_call(
        fd, (struct vk_request){ .number = SYS_getsockopt,
                                 .a = { WORD(number), WORD(level), WORD(option), DATA(value, *len, VK_OUT),
                                        DATA(len, sizeof *len, VK_IN_OUT) } });
}

/* How many bytes a request of ioctl(2) reads and writes that the virtual kernel answers; 0: it is the
 * placeholder's own, as FIONBIO and FIOASYNC are. */
static uint32_t travels(unsigned long request)
{
    switch (request) {
    case FIONREAD:
    case TIOCOUTQ:
    case SIOCATMARK:
        return sizeof(int);
    case SIOCGIFNAME:
    case SIOCGIFINDEX:
    case SIOCGIFFLAGS:
    case SIOCGIFADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFBRDADDR:
    case SIOCGIFMTU:
    case SIOCGIFHWADDR:
        return sizeof(struct ifreq);
    default:
        return 0;
    }
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *argument;
    int64_t number;

    va_start(ap, request);
    argument = va_arg(ap, void *);
    va_end(ap);
    number = travels(request) ? shim_ours(fd) : -1;
    if (number < 0)
        return NEXT(ioctl)(fd, request, argument);
    return (int)shim_simple_call(fd,
                                 (struct vk_request){ .number = SYS_ioctl,
                                                      .a = { WORD(number), WORD(request),
                                                             DATA(argument, travels(request), VK_IN_OUT) } });
}
