/* sim/vk/vk_sockets.c - virtual sockets and their placeholders (remote.h).
 * bytes: how many of the daemon's lie in the placeholder, as far as the daemon knows. full: the program's
 * side was told to fill it. */
#include "sim/vk/daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct vk_socket {
    struct source source; /* our end of the placeholder */
    int number;
    uint64_t inode;         /* of the program's end */
    struct list_head link;  /* in sockets */
    struct list_head dirty; /* in changed, or empty */
    uint32_t bytes;
    bool full, told_eof;
};

enum { READABLE = POLLIN | POLLPRI | POLLRDHUP | POLLHUP | POLLERR, WRITABLE = POLLOUT | POLLHUP | POLLERR };

static struct list_head sockets = { &sockets, &sockets }, changed = { &changed, &changed };
static struct vk_socket **by_number;
static int by_number_size;

/* ---- finding ---- */

struct vk_socket *vk_socket_find(int64_t number)
{
    return number >= 0 && number < by_number_size ? by_number[number] : NULL;
}

int64_t vk_socket_identify(uint64_t inode)
{
    struct vk_socket *s;

    list_for_each_entry (s, &sockets, link)
        if (s->inode == inode)
            return s->number;
    return -EBADF;
}

static int remember(struct vk_socket *s)
{
    if (s->number >= by_number_size) {
        int size = s->number * 2;
        struct vk_socket **more = realloc(by_number, (size_t)size * sizeof(struct vk_socket *));
        if (!more)
            return -ENOMEM;
        for (int i = by_number_size; i < size; i++)
            more[i] = NULL;
        by_number = more;
        by_number_size = size;
    }
    by_number[s->number] = s;
    list_add_tail(&s->link, &sockets);
    return 0;
}

/* ---- what the placeholder says ---- */

/* Take everything out of our end: the program's end has room again. */
static void empty(struct vk_socket *s)
{
    char bytes[4096];

    while (recv(s->source.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

/* Something can be read, and perhaps more than when this was last said. Of the end it has been told already.
 */
static void tell_readable(struct vk_socket *s)
{
    if (s->bytes < VK_BYTES_MOST && !s->told_eof)
        s->bytes += send(s->source.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* The peer sends no more: to the program its placeholder's peer has done the same. It cannot be taken back,
 * so a socket that is merely not connected yet (POLLHUP alone) does not count. POLLHUP itself cannot be
 * shown: whoever shuts down both ways is never told that the other end is gone. */
static void tell_the_end(struct vk_socket *s, int events)
{
    if (s->told_eof || !(events & POLLRDHUP))
        return;
    s->told_eof = true;
    shutdown(s->source.fd, SHUT_WR);
}

/* Fillers that come while the socket is writable were sent before that was known: out with them. While it is
 * full nobody looks, so that they stay. */
static void look_for_fillers(struct vk_socket *s, bool look)
{
    source_change(&s->source, look ? EPOLLIN : 0);
}

static void settle(struct vk_socket *s)
{
    int events = tp_ready(vk.process, s->number);

    tell_the_end(s, events);
    if (events & READABLE)
        tell_readable(s);
    if (events & WRITABLE && s->full) {
        s->full = false;
        empty(s);
        look_for_fillers(s, true);
    }
}

void vk_sockets_settle(void)
{
    struct vk_socket *s;

    while ((s = list_first_entry(&changed, struct vk_socket, dirty))) {
        list_del(&s->dirty);
        settle(s);
    }
}

void vk_socket_tell(struct vk_socket *s, struct vk_reply *r)
{
    int events = tp_ready(vk.process, s->number);

    if (!(events & READABLE) && !s->told_eof) {
        r->drain = s->bytes;
        s->bytes = 0;
    }
    if (!s->full && !(events & WRITABLE)) {
        s->full = true;
        look_for_fillers(s, false);
        r->fill = true;
    }
}

/* ---- beginning and end ---- */

static void socket_changed(void *arg)
{
    struct vk_socket *s = arg;

    if (list_empty(&s->dirty))
        list_add_tail(&s->dirty, &changed);
}

static void destroy(struct vk_socket *s)
{
    list_del(&s->dirty);
    list_del(&s->link);
    by_number[s->number] = NULL;
    source_remove(&s->source);
    tp_syscall(vk.process, SYS_close, s->number, 0, 0, 0, 0, 0);
    source_free(s);
}

/* These are served before any request of the same round: a program that has closed a socket and then asks for
 * its port again must find it free. */
static void placeholder_ready(struct source *source, uint32_t events)
{
    struct vk_socket *s = (struct vk_socket *)source;

    if (events & EPOLLHUP) {
        destroy(s);
        return;
    }
    if (events & EPOLLIN)
        empty(s);
}

static struct vk_socket *create(int number, int our_end, int their_end)
{
    struct vk_socket *s = calloc(1, sizeof *s);
    int smallest = 1; /* the host's least buffer: a few bytes fill it */
    struct stat st;

    if (!s || fstat(their_end, &st))
        return s;
    s->source =
        (struct source){ .fd = our_end, .interest = EPOLLIN, .ready = placeholder_ready, .first = true };
    s->number = number;
    s->inode = st.st_ino;
    list_init(&s->dirty);
    setsockopt(their_end, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
    return s;
}

int vk_socket_create(int number)
{
    int ends[2], err;
    struct vk_socket *s;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        err = -errno;
        tp_syscall(vk.process, SYS_close, number, 0, 0, 0, 0, 0);
        return err;
    }
    s = create(number, ends[0], ends[1]);
    if (!s || remember(s) || source_add(&s->source) || tp_watch(vk.process, number, socket_changed, s))
        vk_die("no memory for another socket");
    socket_changed(s);
    return ends[1];
}
