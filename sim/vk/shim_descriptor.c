/* sim/vk/shim_descriptor.c - which descriptors are placeholders, and for what; calls on what they stand for.
 */
#include "sim/vk/shim.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- whose it is ---- */

/* What is known of inodes: a small direct-mapped cache. An entry is one word, so that threads, forks and
 * signal handlers need no lock: the inode below, above it the number + 2; 0 is an empty entry, and the number
 * -1 is of a socket that is not ours. */
enum { CACHE = 4096 };
static _Atomic uint64_t cache[CACHE];

static bool cached(uint64_t inode, int64_t *number)
{
    uint64_t entry = atomic_load_explicit(&cache[inode % CACHE], memory_order_relaxed);

    *number = (int64_t)(entry >> 32) - 2;
    return entry && (uint32_t)entry == inode;
}

static void remember(uint64_t inode, int64_t number)
{
    if (inode <= UINT32_MAX)
        atomic_store_explicit(&cache[inode % CACHE], inode | (uint64_t)(number + 2) << 32,
                              memory_order_relaxed);
}

static int64_t ask_whose(int fd, uint64_t inode)
{
    struct vk_request r = { .operation = VK_IDENTIFY, .a[0].word = (int64_t)inode };
    struct outcome o;
    socklen_t size = sizeof(int);
    int domain = 0;

    if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_UNIX)
        return -1;
    return shim_exchange(&r, &o) < 0 ? -1 : o.reply.result;
}

int64_t shim_ours(int fd)
{
    int before = errno;
    struct stat st;
    int64_t number = -1;

    if (shim_daemon() && !syscall(SYS_fstat, fd, &st) && S_ISSOCK(st.st_mode) &&
        !cached(st.st_ino, &number)) {
        number = ask_whose(fd, st.st_ino);
        remember(st.st_ino, number);
    }
    errno = before;
    return number;
}

int shim_adopt(const struct outcome *o, int type_flags)
{
    int fd = o->descriptor;
    struct stat st;

    if (fd < 0 || syscall(SYS_fstat, fd, &st)) {
        errno = ENFILE; /* it could not be passed */
        return -1;
    }
    remember(st.st_ino, o->reply.result);
    if (!(type_flags & SOCK_CLOEXEC))
        fcntl(fd, F_SETFD, 0);
    if (type_flags & SOCK_NONBLOCK)
        fcntl(fd, F_SETFL, O_NONBLOCK | O_RDWR);
    return fd;
}

/* ---- calls ---- */

int64_t shim_result(int64_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* Let the placeholder say what the reply told. */
static void follow(int fd, const struct vk_reply *r)
{
    char bytes[VK_BYTES_MOST];

    if (r->drain)
        syscall(SYS_recvfrom, fd, bytes, r->drain, MSG_DONTWAIT, NULL, NULL);
    if (r->fill)
        while (syscall(SYS_sendto, fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) > 0)
            ;
}

int64_t shim_call(int fd, struct vk_request *r, struct outcome *o)
{
    int before = errno;
    int64_t result;

    r->operation = VK_CALL;
    r->nonblocking = r->number != SYS_socket && fcntl(fd, F_GETFL) & O_NONBLOCK;
    result = shim_exchange(r, o);
    if (result != -ENETDOWN)
        follow(r->number == SYS_socket ? o->descriptor : fd, &o->reply);
    errno = before;
    return result;
}

int64_t shim_simple_call(int fd, struct vk_request r)
{
    struct outcome o;

    return shim_result(shim_call(fd, &r, &o));
}
