/* sim/vk/shim.c - libtowpath-shim.so, loaded with LD_PRELOAD: the IPv4 sockets of an unmodified program are a
 * virtual kernel's. TOWPATH_VK names the daemon's socket; without it nothing is changed.
 *
 * A descriptor is one of ours if it is a placeholder (remote.h). Which virtual socket it stands for is known
 * by its inode, so that dup, fork, exec and passing it on need no help; what is not known yet is asked of the
 * daemon. Whatever is not ours goes on to the C library. */
#include "sim/vk/remote.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
/* The C library's own function of that name. */
#define NEXT(name)                                                                                           \
    ({                                                                                                       \
        static __typeof__(name) *next_;                                                                      \
        if (!next_)                                                                                          \
            next_ = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                             \
        next_;                                                                                               \
    })

/* ---- the connection of this thread ---- */

enum { CONNECTION_LEAST = 500 }; /* out of the way of programs that count on low numbers */

struct line {
    int fd;    /* -1: none */
    pid_t pid; /* whose it is: a child does not use its parent's */
    /* The outputs of a reply are of unequal length, and how long each is stands before them: so they come
     * here first. Not in the thread's own storage, since small stacks have to hold that. */
    uint8_t incoming[sizeof(struct vk_reply) + VK_TRANSFER_MOST + 4 * VK_SMALL_MOST];
};

static pthread_key_t line_key; /* closes it when the thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread struct line *line;

static void close_line(void *value)
{
    syscall(SYS_close, ((struct line *)value)->fd);
    free(value);
    line = NULL;
}

static void make_key(void)
{
    pthread_key_create(&line_key, close_line);
}

static int connect_to_daemon(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = getenv(VK_ENVIRONMENT);
    int low, fd;

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    low = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (low < 0)
        return -1;
    fd = fcntl(low, F_DUPFD_CLOEXEC, CONNECTION_LEAST);
    if (fd < 0)
        fd = low;
    else
        syscall(SYS_close, low);
    if (syscall(SYS_connect, fd, &address, sizeof address) == 0)
        return fd;
    syscall(SYS_close, fd);
    return -1;
}

static struct line *line_create(void)
{
    struct line *l = malloc(sizeof *l);

    if (!l)
        return NULL;
    l->fd = -1;
    pthread_once(&once, make_key);
    pthread_setspecific(line_key, l);
    return l;
}

/* Is there a connection? One is made if there is none yet. */
static bool connected(void)
{
    if (!line)
        line = line_create();
    if (!line || (line->fd >= 0 && line->pid == getpid()))
        return line;
    if (line->fd >= 0)
        syscall(SYS_close, line->fd); /* the parent's */
    line->fd = connect_to_daemon();
    line->pid = getpid();
    return line->fd >= 0;
}

/* ---- a call ---- */

struct outcome {
    struct vk_reply reply;
    int descriptor; /* of the host, that came along; -1: none */
};

static int64_t send_request(const struct vk_request *r)
{
    struct iovec v[1 + VK_ARGUMENTS] = { { (void *)(uintptr_t)r, sizeof *r } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 1 };

    for (int i = 0; i < VK_ARGUMENTS; i++)
        if (r->a[i].kind & VK_IN && r->a[i].length)
            v[m.msg_iovlen++] = (struct iovec){ (void *)(intptr_t)r->a[i].word, r->a[i].length };
    return syscall(SYS_sendmsg, line->fd, &m, MSG_NOSIGNAL);
}

static void take_descriptor(struct msghdr *m, struct outcome *o)
{
    struct cmsghdr *h = CMSG_FIRSTHDR(m);

    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
        memcpy(&o->descriptor, CMSG_DATA(h), sizeof o->descriptor);
}

/* A signal that ends the wait is passed on once; the reply then tells how far the call got. */
static ssize_t receive_reply(struct msghdr *m)
{
    const struct vk_request interrupt = { .operation = VK_INTERRUPT };
    bool interrupted = false;
    ssize_t n;

    while ((n = syscall(SYS_recvmsg, line->fd, m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
        if (!interrupted)
            send_request(&interrupt);
        interrupted = true;
    }
    return n;
}

/* Make the request; the outputs are where its arguments point. The result, -ENETDOWN if the daemon is gone.
 */
static int64_t exchange(const struct vk_request *r, struct outcome *o)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec v = { NULL, sizeof line->incoming };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    const uint8_t *at;

    *o = (struct outcome){ .descriptor = -1 };
    if (!connected() || send_request(r) < 0)
        return -ENETDOWN;
    v.iov_base = line->incoming;
    if (receive_reply(&m) < (ssize_t)sizeof o->reply)
        return -ENETDOWN;
    memcpy(&o->reply, line->incoming, sizeof o->reply);
    take_descriptor(&m, o);
    at = line->incoming + sizeof o->reply;
    for (int i = 0; i < VK_ARGUMENTS; i++) {
        if (r->a[i].kind & VK_OUT)
            memcpy((void *)(intptr_t)r->a[i].word, at, o->reply.lengths[i]);
        at += o->reply.lengths[i];
    }
    return o->reply.result;
}

/* ---- placeholders ---- */

static void follow(int fd, uint32_t flags)
{
    char byte;

    if (flags & VK_DRAIN)
        syscall(SYS_recvfrom, fd, &byte, 1, MSG_DONTWAIT, NULL, NULL);
    if (flags & VK_FILL)
        while (syscall(SYS_sendto, fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) > 0)
            ;
}

/* What is known of inodes: a small direct-mapped cache. 0 means free; number -1: not ours. */
enum { CACHE = 4096 };
static struct {
    uint64_t inode;
    int64_t number;
} cache[CACHE];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static bool cached(uint64_t inode, int64_t *number)
{
    bool hit;

    pthread_mutex_lock(&cache_lock);
    hit = cache[inode % CACHE].inode == inode;
    *number = cache[inode % CACHE].number;
    pthread_mutex_unlock(&cache_lock);
    return hit;
}

static void remember(uint64_t inode, int64_t number)
{
    pthread_mutex_lock(&cache_lock);
    cache[inode % CACHE].inode = inode;
    cache[inode % CACHE].number = number;
    pthread_mutex_unlock(&cache_lock);
}

static int64_t ask_whose(int fd, uint64_t inode)
{
    struct vk_request r = { .operation = VK_IDENTIFY, .a[0].word = (int64_t)inode };
    struct outcome o;
    socklen_t size = sizeof(int);
    int domain = 0;

    if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_UNIX)
        return -1;
    return exchange(&r, &o) < 0 ? -1 : o.reply.result;
}

static bool enabled(void)
{
    static int is = -1;

    if (is < 0)
        is = getenv(VK_ENVIRONMENT) != NULL;
    return is;
}

/* The number of the virtual socket behind fd, or -1: it is none of ours. errno stays what it was. */
static int64_t ours(int fd)
{
    int before = errno;
    struct stat st;
    int64_t number = -1;

    if (!enabled() || syscall(SYS_fstat, fd, &st) || !S_ISSOCK(st.st_mode)) {
        errno = before;
        return -1;
    }
    if (!cached(st.st_ino, &number)) {
        number = ask_whose(fd, st.st_ino);
        remember(st.st_ino, number);
    }
    errno = before;
    return number;
}

/* ---- making calls ---- */

#define WORD(w)                                                                                              \
    {                                                                                                        \
        .word = (int64_t)(w)                                                                                 \
    }
#define DATA(p, n, k)                                                                                        \
    {                                                                                                        \
        .word = (int64_t)(intptr_t)(p), .kind = (p) ? (k) : VK_WORD, .length = (p) ? (uint32_t)(n) : 0       \
    }

static int64_t result_of(int64_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

static bool nonblocking(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

/* Make the call r on the virtual socket behind fd; *o is filled. The result or -errno. */
static int64_t call_on(int fd, struct vk_request *r, struct outcome *o)
{
    int64_t result;

    r->operation = VK_CALL;
    r->nonblocking = nonblocking(fd);
    result = exchange(r, o);
    if (result != -ENETDOWN)
        follow(fd, o->reply.flags);
    return result;
}

static int64_t simple_call(int fd, struct vk_request r)
{
    struct outcome o;

    return result_of(call_on(fd, &r, &o));
}

/* ---- sockets come into being ---- */

static int adopt(const struct outcome *o, int flags)
{
    int fd = o->descriptor;
    struct stat st;

    if (fd < 0 || syscall(SYS_fstat, fd, &st)) {
        errno = ENFILE; /* it could not be passed */
        return -1;
    }
    remember(st.st_ino, o->reply.result);
    if (!(flags & SOCK_CLOEXEC))
        fcntl(fd, F_SETFD, 0);
    if (flags & SOCK_NONBLOCK)
        fcntl(fd, F_SETFL, O_NONBLOCK | O_RDWR);
    return fd;
}

EXPORT int socket(int domain, int type, int protocol)
{
    const int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct vk_request r = { .number = SYS_socket,
                            .a = { WORD(domain), WORD(type & ~flags), WORD(protocol) } };
    struct outcome o;
    int64_t result;
    int fd;

    if (!enabled() || domain != AF_INET)
        return NEXT(socket)(domain, type, protocol);
    result = exchange(&r, &o);
    if (result < 0)
        return (int)result_of(result);
    fd = adopt(&o, flags);
    if (fd >= 0)
        follow(fd, o.reply.flags);
    return fd;
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
    result = call_on(fd, &r, &o);
    return result < 0 ? (int)result_of(result) : adopt(&o, flags);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(accept4)(fd, addr, len, flags) : accept_ours(fd, number, addr, len, flags);
}

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(accept)(fd, addr, len) : accept_ours(fd, number, addr, len, 0);
}

/* ---- names, connections, options ---- */

EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    int64_t number = ours(fd);

    if (number < 0)
        return NEXT(bind)(fd, addr, len);
    return (int)simple_call(
        fd,
        (struct vk_request){ .number = SYS_bind, .a = { WORD(number), DATA(addr, len, VK_IN), WORD(len) } });
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int64_t number = ours(fd);

    if (number < 0)
        return NEXT(connect)(fd, addr, len);
    return (int)simple_call(fd,
                            (struct vk_request){ .number = SYS_connect,
                                                 .a = { WORD(number), DATA(addr, len, VK_IN), WORD(len) } });
}

EXPORT int listen(int fd, int backlog)
{
    int64_t number = ours(fd);

    if (number < 0)
        return NEXT(listen)(fd, backlog);
    return (int)simple_call(
        fd, (struct vk_request){ .number = SYS_listen, .a = { WORD(number), WORD(backlog) } });
}

EXPORT int shutdown(int fd, int how)
{
    int64_t number = ours(fd);

    if (number < 0)
        return NEXT(shutdown)(fd, how);
    return (int)simple_call(fd,
                            (struct vk_request){ .number = SYS_shutdown, .a = { WORD(number), WORD(how) } });
}

static int name_of(int fd, int64_t number, long call, struct sockaddr *addr, socklen_t *len)
{
    return (int)simple_call(fd, (struct vk_request){ .number = call,
                                                     .a = { WORD(number), DATA(addr, *len, VK_OUT),
                                                            DATA(len, sizeof *len, VK_IN_OUT) } });
}

EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(getsockname)(fd, addr, len) : name_of(fd, number, SYS_getsockname, addr, len);
}

EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(getpeername)(fd, addr, len) : name_of(fd, number, SYS_getpeername, addr, len);
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    int64_t number = ours(fd);

    if (number < 0)
        return NEXT(setsockopt)(fd, level, option, value, len);
    return (int)simple_call(fd, (struct vk_request){ .number = SYS_setsockopt,
                                                     .a = { WORD(number), WORD(level), WORD(option),
                                                            DATA(value, len, VK_IN), WORD(len) } });
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    int64_t number = ours(fd);

    if (number < 0)
        return NEXT(getsockopt)(fd, level, option, value, len);
    return (int)simple_call(
        fd, (struct vk_request){ .number = SYS_getsockopt,
                                 .a = { WORD(number), WORD(level), WORD(option), DATA(value, *len, VK_OUT),
                                        DATA(len, sizeof *len, VK_IN_OUT) } });
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *argument;
    int64_t number;

    va_start(ap, request);
    argument = va_arg(ap, void *);
    va_end(ap);
    /* FIONBIO and FIOASYNC are the placeholder's own; only what asks for data must travel. */
    if (request != FIONREAD && request != TIOCOUTQ)
        return NEXT(ioctl)(fd, request, argument);
    number = ours(fd);
    if (number < 0)
        return NEXT(ioctl)(fd, request, argument);
    return (int)simple_call(
        fd, (struct vk_request){ .number = SYS_ioctl,
                                 .a = { WORD(number), WORD(request), DATA(argument, sizeof(int), VK_OUT) } });
}

/* ---- sending ---- */

static ssize_t sent(int64_t result, int flags)
{
    if (result == -EPIPE && !(flags & MSG_NOSIGNAL))
        raise(SIGPIPE);
    return result_of(result);
}

static int64_t send_piece(int fd, int64_t number, const void *data, size_t n, int flags,
                          const struct sockaddr *to, socklen_t len)
{
    struct vk_request r = { .number = SYS_sendto,
                            .a = { WORD(number), DATA(data, n, VK_IN), WORD(n), WORD(flags),
                                   DATA(to, len, VK_IN), WORD(to ? len : 0) } };
    struct outcome o;

    return call_on(fd, &r, &o);
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
    int64_t number = ours(fd);

    return number < 0 ? NEXT(sendto)(fd, data, n, flags, to, len)
                      : send_all(fd, number, data, n, flags, to, len);
}

EXPORT ssize_t send(int fd, const void *data, size_t n, int flags)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(send)(fd, data, n, flags) : send_all(fd, number, data, n, flags, NULL, 0);
}

EXPORT ssize_t write(int fd, const void *data, size_t n)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(write)(fd, data, n) : send_all(fd, number, data, n, 0, NULL, 0);
}

/* All pieces of memory one behind the other, at most VK_TRANSFER_MOST; the caller frees it. */
static uint8_t *gather(const struct iovec *v, size_t count, size_t *n)
{
    uint8_t *data = malloc(VK_TRANSFER_MOST);

    *n = 0;
    for (size_t i = 0; data && i < count && *n < VK_TRANSFER_MOST; i++) {
        size_t piece = v[i].iov_len < VK_TRANSFER_MOST - *n ? v[i].iov_len : VK_TRANSFER_MOST - *n;
        memcpy(data + *n, v[i].iov_base, piece);
        *n += piece;
    }
    return data;
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

static size_t total(const struct iovec *v, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += v[i].iov_len;
    return n;
}

static ssize_t send_message(int fd, int64_t number, const struct msghdr *m, int flags)
{
    size_t n;
    uint8_t *data = gather(m->msg_iov, m->msg_iovlen, &n);
    struct vk_request r = { .number = SYS_sendmsg,
                            .a = { WORD(number), DATA(data, n, VK_IN),
                                   DATA(m->msg_name, m->msg_namelen, VK_IN),
                                   DATA(m->msg_control, m->msg_controllen, VK_IN), WORD(flags) } };
    struct outcome o;
    int64_t result = data ? call_on(fd, &r, &o) : -ENOMEM;

    free(data);
    return sent(result, flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(sendmsg)(fd, m, flags) : send_message(fd, number, m, flags);
}

EXPORT ssize_t writev(int fd, const struct iovec *v, int count)
{
    int64_t number = ours(fd);
    const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count };

    return number < 0 ? NEXT(writev)(fd, v, count) : send_message(fd, number, &m, 0);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags)
{
    int64_t number = ours(fd);
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
    return simple_call(fd, r);
}

EXPORT ssize_t recvfrom(int fd, void *data, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(recvfrom)(fd, data, n, flags, from, len)
                      : receive_from(fd, number, data, n, flags, from, len);
}

EXPORT ssize_t recv(int fd, void *data, size_t n, int flags)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(recv)(fd, data, n, flags) : receive_from(fd, number, data, n, flags, NULL, NULL);
}

EXPORT ssize_t read(int fd, void *data, size_t n)
{
    int64_t number = ours(fd);

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
    int64_t result = data ? call_on(fd, &r, &o) : -ENOMEM;

    if (result >= 0) {
        scatter(m->msg_iov, m->msg_iovlen, data, o.reply.lengths[1]);
        m->msg_namelen = o.reply.name_length;
        m->msg_controllen = o.reply.lengths[3];
        m->msg_flags = o.reply.message_flags;
    }
    free(data);
    return result_of(result);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    int64_t number = ours(fd);

    return number < 0 ? NEXT(recvmsg)(fd, m, flags) : receive_message(fd, number, m, flags);
}

EXPORT ssize_t readv(int fd, const struct iovec *v, int count)
{
    int64_t number = ours(fd);
    struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)count };

    return number < 0 ? NEXT(readv)(fd, v, count) : receive_message(fd, number, &m, 0);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *m, unsigned count, int flags, struct timespec *timeout)
{
    int64_t number = ours(fd);
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

/* ---- files to sockets ---- */

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    int64_t number = ours(out);
    size_t most = count < VK_TRANSFER_MOST ? count : VK_TRANSFER_MOST;
    off_t at = offset ? *offset : lseek(in, 0, SEEK_CUR);
    uint8_t *data;
    ssize_t n;

    if (number < 0)
        return NEXT(sendfile)(out, in, offset, count);
    data = malloc(most ? most : 1);
    n = data ? pread(in, data, most, at) : -1;
    if (n > 0)
        n = send_all(out, number, data, (size_t)n, 0, NULL, 0);
    free(data);
    if (n > 0 && offset)
        *offset = at + n;
    else if (n > 0)
        lseek(in, at + n, SEEK_SET);
    return n;
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count);
EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    return sendfile(out, in, offset, count);
}
