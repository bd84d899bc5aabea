/* sim/vk/vk_clients.c - the threads of programs: each has a connection, and on it at most one call under way.
 */
#include "sim/vk/daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER = VK_TRANSFER_MOST + 4 * VK_SMALL_MOST };

struct client {
    struct source source;
    struct list_head link; /* in calling while a call is under way */
    struct tp_call *call;
    struct vk_request request;
    struct msghdr header; /* of sendmsg and recvmsg */
    struct iovec vector;
    uint8_t bytes[BUFFER]; /* what the arguments point to, one behind the other */
};

static struct list_head calling = { &calling, &calling };

/* ---- arguments ---- */

static bool is_message(const struct vk_request *r)
{
    return r->number == SYS_sendmsg || r->number == SYS_recvmsg;
}

/* Give each argument that is a pointer its place in bytes, and those that are read their contents, which came
 * behind the request in `input`. False: they do not fit. */
static bool place_arguments(struct client *c, const uint8_t *input, size_t n)
{
    size_t used = 0;

    for (int i = 0; i < VK_ARGUMENTS; i++) {
        struct vk_argument *a = &c->request.a[i];
        if (a->kind == VK_WORD)
            continue;
        if (a->length > BUFFER - used)
            return false;
        a->word = (int64_t)(intptr_t)(c->bytes + used);
        used += (a->length + 15u) & ~15u;
        if (used > BUFFER)
            return false;
        if (!(a->kind & VK_IN)) {
            memset((void *)(intptr_t)a->word, 0, a->length);
            continue;
        }
        if (a->length > n)
            return false;
        memcpy((void *)(intptr_t)a->word, input, a->length);
        input += a->length;
        n -= a->length;
    }
    return true;
}

/* The header of a message whose parts came as arguments. */
static void make_header(struct client *c, int64_t arguments[VK_ARGUMENTS])
{
    const struct vk_argument *data = &c->request.a[1], *name = &c->request.a[2], *control = &c->request.a[3];

    c->vector = (struct iovec){ (void *)(intptr_t)data->word, data->length };
    c->header = (struct msghdr){
        .msg_name = name->length ? (void *)(intptr_t)name->word : NULL,
        .msg_namelen = name->length,
        .msg_iov = &c->vector,
        .msg_iovlen = 1,
        .msg_control = control->length ? (void *)(intptr_t)control->word : NULL,
        .msg_controllen = control->length,
    };
    arguments[1] = (int64_t)(intptr_t)&c->header;
    arguments[2] = c->request.a[4].word;
}

/* ---- replies ---- */

static bool makes_socket(int64_t number)
{
    return number == SYS_socket || number == SYS_accept || number == SYS_accept4;
}

static void output_lengths(const struct client *c, struct vk_reply *r)
{
    for (int i = 0; i < VK_ARGUMENTS; i++)
        if (c->request.a[i].kind & VK_OUT)
            r->lengths[i] = c->request.a[i].length;
    if (c->request.number == SYS_read || c->request.number == SYS_recvfrom ||
        c->request.number == SYS_recvmsg)
        r->lengths[1] = (uint32_t)(r->result < 0 ? 0 : r->result < r->lengths[1] ? r->result : r->lengths[1]);
    if (c->request.number != SYS_recvmsg)
        return;
    r->name_length = c->header.msg_namelen;
    r->message_flags = c->header.msg_flags;
    r->lengths[3] = r->result < 0 ? 0 : (uint32_t)c->header.msg_controllen;
}

static void attach_descriptor(struct msghdr *m, void *control, size_t size, int fd)
{
    struct cmsghdr *h;

    memset(control, 0, size);
    m->msg_control = control;
    m->msg_controllen = size;
    h = CMSG_FIRSTHDR(m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(h), &fd, sizeof fd);
}

/* Send r and the outputs; fd (-1: none) goes along and is closed. A program that is gone is not told. */
static void send_reply(struct client *c, struct vk_reply *r, int fd)
{
    struct iovec v[1 + VK_ARGUMENTS] = { { r, sizeof *r } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 1 };
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;

    for (int i = 0; i < VK_ARGUMENTS; i++)
        if (r->lengths[i])
            v[m.msg_iovlen++] = (struct iovec){ (void *)(intptr_t)c->request.a[i].word, r->lengths[i] };
    if (fd >= 0)
        attach_descriptor(&m, control.bytes, sizeof control.bytes, fd);
    sendmsg(c->source.fd, &m, MSG_NOSIGNAL);
    if (fd >= 0)
        close(fd);
}

/* The call is done with this result. */
static void finish(struct client *c, int64_t result)
{
    struct vk_socket *s = c->request.number == SYS_socket ? NULL : vk_socket_find(c->request.a[0].word);
    struct vk_reply r = { .result = result };
    int fd = -1;

    if (makes_socket(c->request.number) && result >= 0) {
        fd = vk_socket_create((int)result);
        if (fd < 0)
            r.result = fd;
        else if (!s)
            s = vk_socket_find(result);
    }
    if (s)
        vk_socket_tell(s, &r);
    output_lengths(c, &r);
    send_reply(c, &r, fd);
}

void vk_clients_settle(void)
{
    struct client *c, *next;
    int64_t result;

    list_for_each_entry_safe (c, next, &calling, link) {
        if (!tp_call_done(c->call, &result))
            continue;
        tp_call_end(c->call);
        c->call = NULL;
        list_del(&c->link);
        finish(c, result);
    }
}

/* ---- requests ---- */

static void set_nonblocking(const struct vk_request *r)
{
    int flags = r->nonblocking ? O_NONBLOCK : 0;

    if (r->number != SYS_socket)
        tp_syscall(vk.process, SYS_fcntl, r->a[0].word, F_SETFL, flags, 0, 0, 0);
}

static void begin_call(struct client *c)
{
    int64_t arguments[VK_ARGUMENTS];

    for (int i = 0; i < VK_ARGUMENTS; i++)
        arguments[i] = c->request.a[i].word;
    if (is_message(&c->request))
        make_header(c, arguments);
    set_nonblocking(&c->request);
    c->call = tp_call_begin(vk.process, c->request.number, arguments);
    if (c->call)
        list_add_tail(&c->link, &calling);
    else
        finish(c, -ENOMEM);
}

static void end_client(struct client *c)
{
    int64_t result;

    source_remove(&c->source);
    if (c->call) {
        tp_call_interrupt(c->call);
        if (tp_call_done(c->call, &result) && result >= 0 && makes_socket(c->request.number))
            tp_syscall(vk.process, SYS_close, result, 0, 0, 0, 0, 0);
        tp_call_end(c->call);
        list_del(&c->link);
    }
    source_free(c);
}

static bool client_create(int fd);

static int new_connection(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return -errno;
    if (client_create(ends[0]))
        return ends[1];
    close(ends[1]);
    return -ENOMEM;
}

/* What needs no call of the virtual kernel. */
static void serve_question(struct client *c, const struct vk_request *r)
{
    struct vk_reply reply = { .result = 0 };
    int fd = -1;

    if (r->operation == VK_IDENTIFY)
        reply.result = vk_socket_identify((uint64_t)r->a[0].word);
    else if ((fd = new_connection()) < 0)
        reply.result = fd;
    send_reply(c, &reply, fd);
}

/* Only calls that a program's side makes; numbers are small and arguments bounded by place_arguments(). */
static void serve_request(struct client *c, const struct vk_request *r, const uint8_t *input, size_t n)
{
    if (r->operation == VK_INTERRUPT) {
        if (c->call)
            tp_call_interrupt(c->call);
        return;
    }
    if (c->call || r->operation > VK_IDENTIFY) {
        end_client(c); /* it does not keep to the rules */
        return;
    }
    c->request = *r;
    if (r->operation != VK_CALL)
        serve_question(c, r);
    else if (place_arguments(c, input, n))
        begin_call(c);
    else
        finish(c, -EINVAL);
}

static void client_ready(struct source *s, uint32_t events)
{
    static uint8_t packet[sizeof(struct vk_request) + BUFFER];
    struct client *c = (struct client *)s;
    struct vk_request r;
    ssize_t n = recv(s->fd, packet, sizeof packet, MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < (ssize_t)sizeof r) {
        end_client(c); /* it is gone, or sends nonsense */
        return;
    }
    memcpy(&r, packet, sizeof r);
    serve_request(c, &r, packet + sizeof r, (size_t)n - sizeof r);
}

/* ---- connections ---- */

/* A client at the other end of fd, which is closed if there cannot be one. */
static bool client_create(int fd)
{
    struct client *c = calloc(1, sizeof *c);

    if (c) {
        c->source = (struct source){ .fd = fd, .interest = EPOLLIN, .ready = client_ready };
        list_init(&c->link);
        if (!source_add(&c->source))
            return true;
    }
    free(c);
    close(fd);
    return false;
}

static void listener_ready(struct source *s, uint32_t events)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    if (fd >= 0)
        client_create(fd);
}

void vk_clients_listen(const char *path)
{
    static struct source listener = { .interest = EPOLLIN, .ready = listener_ready };
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof address.sun_path)
        vk_die("%s: the path of a socket has at most %zu characters", path, sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    listener.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener.fd < 0)
        vk_die("socket: %m");
    if (connect(listener.fd, (struct sockaddr *)&address, sizeof address) == 0)
        vk_die("%s: another towpath-vk serves it", path);
    close(listener.fd);
    listener.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    if (bind(listener.fd, (struct sockaddr *)&address, sizeof address) || listen(listener.fd, 64))
        vk_die("%s: %m", path);
    if (source_add(&listener))
        vk_die("epoll_ctl: %m");
}
