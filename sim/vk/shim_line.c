/* sim/vk/shim_line.c - this thread's connection to the daemon, with at most one request under way on it. A
 * call from a signal handler that finds one under way has a connection of its own. All come through the door
 * (remote.h), which is opened by the path of the daemon once and then shared with children. */
#include "sim/vk/shim.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTION_LEAST = 500 }; /* out of the way of programs that count on low numbers */

struct line {
    int fd;    /* -1: none */
    pid_t pid; /* whose it is: a child does not use its parent's */
    bool busy; /* a request is under way */
    /* The outputs of a reply are of unequal length, and how long each is stands before them: so they come
     * here first. Not in the thread's own storage, since small stacks have to hold that. */
    uint8_t incoming[sizeof(struct vk_reply) + VK_TRANSFER_MOST + 4 * VK_SMALL_MOST];
};

static pthread_key_t line_key; /* closes it when the thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread struct line *line;

/* ---- the daemon ---- */

static struct {
    bool known;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* empty: none */
} daemon_socket;

static _Atomic int door = -1;

/* The program may go to another folder, so a path from here is made one from the root. */
static void learn_path(void)
{
    const char *given = getenv(VK_ENVIRONMENT);
    char *whole = given ? realpath(given, NULL) : NULL;
    const char *path = whole ? whole : given;

    if (path && strlen(path) < sizeof daemon_socket.path)
        strcpy(daemon_socket.path, path);
    free(whole);
    daemon_socket.known = true;
}

const char *shim_daemon(void)
{
    if (!daemon_socket.known)
        learn_path();
    return *daemon_socket.path ? daemon_socket.path : NULL;
}

/* fd under a number out of the program's way. */
static int move_away(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, CONNECTION_LEAST);

    if (high < 0)
        return fd;
    syscall(SYS_close, fd);
    return high;
}

static int open_door(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), none = -1;

    if (fd < 0)
        return -1;
    fd = move_away(fd);
    strcpy(address.sun_path, shim_daemon());
    if (syscall(SYS_connect, fd, &address, sizeof address) == 0 &&
        atomic_compare_exchange_strong(&door, &none, fd))
        return fd;
    syscall(SYS_close, fd); /* there is no daemon, or another thread was faster */
    return atomic_load(&door);
}

/* ---- requests and replies on a connection ---- */

static int64_t send_request(int fd, const struct vk_request *r)
{
    struct iovec v[1 + VK_ARGUMENTS] = { { (void *)(uintptr_t)r, sizeof *r } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 1 };

    for (int i = 0; i < VK_ARGUMENTS; i++)
        if (r->a[i].kind & VK_IN && r->a[i].length)
            v[m.msg_iovlen++] = (struct iovec){ (void *)(intptr_t)r->a[i].word, r->a[i].length };
    return syscall(SYS_sendmsg, fd, &m, MSG_NOSIGNAL);
}

static int descriptor_of(struct msghdr *m)
{
    struct cmsghdr *h = CMSG_FIRSTHDR(m);
    int fd = -1;

    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(h), sizeof fd);
    return fd;
}

/* The reply and what follows it into the n bytes at `reply`; its length or -1. A signal that ends the wait is
 * passed on once if `interruptible`; the reply then tells how far the call got. */
static ssize_t receive_reply(int fd, void *reply, size_t n, int *descriptor, bool interruptible)
{
    const struct vk_request interrupt = { .operation = VK_INTERRUPT };
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec v = { reply, n };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t got;

    while ((got = syscall(SYS_recvmsg, fd, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
        if (interruptible)
            send_request(fd, &interrupt);
        interruptible = false;
    }
    if (got >= 0)
        *descriptor = descriptor_of(&m);
    return got;
}

static int connect_to_daemon(void)
{
    const struct vk_request r = { .operation = VK_CONNECT };
    int through = atomic_load(&door) >= 0 ? atomic_load(&door) : open_door(), fd = -1;
    struct vk_reply reply;

    if (through < 0 || send_request(through, &r) < 0 ||
        receive_reply(through, &reply, sizeof reply, &fd, false) < (ssize_t)sizeof reply || fd < 0)
        return -1;
    return move_away(fd);
}

/* ---- lines ---- */

/* Not by malloc(): a signal handler may need one. NULL: memory is out. */
static struct line *line_create(void)
{
    struct line *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (l == MAP_FAILED)
        return NULL;
    l->fd = -1;
    return l;
}

static void line_destroy(struct line *l)
{
    if (l->fd >= 0)
        syscall(SYS_close, l->fd);
    munmap(l, sizeof *l);
}

static void thread_ends(void *value)
{
    line_destroy(value);
    line = NULL;
}

static void make_key(void)
{
    pthread_key_create(&line_key, thread_ends);
}

/* Is l connected? It is if it can be. In a child of its owner it is connected anew. */
static bool line_connect(struct line *l)
{
    if (l->fd >= 0 && l->pid == getpid())
        return true;
    if (l->fd >= 0)
        syscall(SYS_close, l->fd); /* the parent's */
    l->fd = connect_to_daemon();
    l->pid = getpid();
    l->busy = false;
    return l->fd >= 0;
}

/* The line of this thread; NULL: memory is out. */
static struct line *own_line(void)
{
    if (line)
        return line;
    line = line_create();
    pthread_once(&once, make_key);
    pthread_setspecific(line_key, line);
    return line;
}

/* ---- a request of this thread ---- */

/* The reply's outputs, which stand one behind the other, to where they are wanted. */
static void place_outputs(const struct line *l, const struct vk_request *r, const struct outcome *o)
{
    const uint8_t *at = l->incoming + sizeof o->reply;

    for (int i = 0; i < VK_ARGUMENTS; i++) {
        if (r->a[i].kind & VK_OUT)
            memcpy((void *)(intptr_t)r->a[i].word, at, o->reply.lengths[i]);
        at += o->reply.lengths[i];
    }
}

static int64_t exchange_on(struct line *l, const struct vk_request *r, struct outcome *o)
{
    if (!line_connect(l) || send_request(l->fd, r) < 0 ||
        receive_reply(l->fd, l->incoming, sizeof l->incoming, &o->descriptor, true) <
            (ssize_t)sizeof o->reply)
        return -ENETDOWN;
    memcpy(&o->reply, l->incoming, sizeof o->reply);
    place_outputs(l, r, o);
    return o->reply.result;
}

int64_t shim_exchange(const struct vk_request *r, struct outcome *o)
{
    struct line *l = own_line();
    bool nested = l && l->busy && l->pid == getpid();
    int64_t result;

    if (nested)
        l = line_create();
    *o = (struct outcome){ .descriptor = -1 };
    if (!l)
        return -ENETDOWN;
    l->busy = true;
    result = exchange_on(l, r, o);
    l->busy = false;
    if (nested)
        line_destroy(l);
    return result;
}
