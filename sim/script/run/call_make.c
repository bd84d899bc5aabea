/* sim/script/run/call_make.c - arguments as Linux wants them on x86-64. */
#include "sim/script/names.h"
#include "sim/script/run/calls.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

static int64_t value(struct runner *r, const struct call_spec *s, unsigned i, int64_t otherwise)
{
    if (i >= s->n)
        return otherwise;
    if (s->arguments[i].kind != ARG_VALUE) {
        runner_fail(r, "argument %u of %s() is to be a number or a name", i + 1, s->name->name);
        r->failed_at = s->arguments[i].place;
        return 0;
    }
    return values_of(&r->values, s->arguments[i].a);
}

static void buffer(struct host_call *c, unsigned argument, void *at, size_t n, bool in, bool out)
{
    c->buffers[c->n_buffers].argument = argument;
    c->buffers[c->n_buffers].at = at;
    c->buffers[c->n_buffers].n = n;
    c->buffers[c->n_buffers].in = in;
    c->buffers[c->n_buffers++].out = out;
}

/* ---- addresses ---- */

static void address(struct runner *r, const struct call_spec *s, unsigned i, struct call_memory *m)
{
    const struct argument *a = &s->arguments[i];

    if (a->kind != ARG_ADDRESS) {
        runner_fail(r, "argument %u of %s() is to be an address such as peer:80 or :80", i + 1,
                    s->name->name);
        r->failed_at = a->place;
        return;
    }
    m->address.sin_family = AF_INET;
    m->address.sin_addr.s_addr = htonl(a->address.ip ? (uint32_t)values_of(&r->values, a->address.ip) : 0);
    m->address.sin_port = htons(a->address.port ? (uint16_t)values_of(&r->values, a->address.port) : 0);
}

static void address_in(struct runner *r, const struct call_spec *s, unsigned i, struct host_call *c,
                       struct call_memory *m, unsigned argument)
{
    address(r, s, i, m);
    buffer(c, argument, &m->address, sizeof m->address, true, false);
    c->arguments[argument + 1] = sizeof m->address;
}

static void address_out(struct host_call *c, struct call_memory *m, unsigned argument)
{
    m->address_len = sizeof m->address;
    buffer(c, argument, &m->address, sizeof m->address, false, true);
    buffer(c, argument + 1, &m->address_len, sizeof m->address_len, true, true);
}

/* ---- data ---- */

static void allocate(struct runner *r, struct call_memory *m, int64_t n)
{
    if (n < 0 || n > TRANSFER_MOST) {
        runner_fail(r, "0 to %d bytes can be sent or received at once, not %lld", TRANSFER_MOST,
                    (long long)n);
        n = 0;
    }
    m->n = (size_t)n;
    m->data = malloc(m->n + !m->n);
    if (!m->data)
        abort();
}

static uint64_t position(const struct runner *r, int64_t fd, bool send)
{
    if (fd < 0 || fd >= DESCRIPTORS || r->files[fd].datagrams)
        return 0;
    return send ? r->files[fd].sent : r->files[fd].received;
}

/* "text", or so many bytes of the pattern. */
static void data_in(struct runner *r, const struct call_spec *s, struct host_call *c, struct call_memory *m)
{
    const struct argument *a = &s->arguments[1];
    uint64_t from = position(r, m->fd, true);

    allocate(r, m, a->kind == ARG_BYTES ? (int64_t)a->bytes.n : value(r, s, 1, 0));
    for (size_t i = 0; i < m->n; i++)
        m->data[i] = a->kind == ARG_BYTES ? a->bytes.at[i] : pattern((int64_t)(from + i));
    buffer(c, 1, m->data, m->n, true, false);
    c->arguments[2] = (int64_t)m->n;
}

static void data_out(struct runner *r, const struct call_spec *s, struct host_call *c, struct call_memory *m)
{
    allocate(r, m, value(r, s, 1, 0));
    buffer(c, 1, m->data, m->n, false, true);
    c->arguments[2] = (int64_t)m->n;
}

static void make_transfer(struct runner *r, const struct call_spec *s, struct host_call *c,
                          struct call_memory *m)
{
    bool send = s->name->code == CALL_SEND || s->name->code == CALL_SENDTO;

    c->number = send ? SYS_sendto : SYS_recvfrom;
    if (send)
        data_in(r, s, c, m);
    else
        data_out(r, s, c, m);
    m->flags = c->arguments[3] = value(r, s, s->name->code == CALL_SENDTO ? 3 : 2, 0);
    if (s->name->code == CALL_SENDTO)
        address_in(r, s, 2, c, m, 4);
    else if (!send)
        address_out(c, m, 4);
}

/* ---- options ---- */

/* The level follows from the option's name; a number is an option of SOL_SOCKET. */
static void option_name(struct runner *r, const struct call_spec *s, struct host_call *c)
{
    const struct argument *a = &s->arguments[1];
    const char *name = a->kind == ARG_VALUE && a->a->kind == EXPR_NAME ? a->a->name : "";
    int level = option_level(name, strlen(name));

    if (level < 0) {
        runner_fail(r, "argument 2 of %s() is to be the name of an option", s->name->name);
        r->failed_at = a->place;
    }
    c->arguments[1] = level;
    c->arguments[2] = value(r, s, 1, 0);
}

static bool is_time(const struct host_call *c)
{
    return c->arguments[1] == SOL_SOCKET &&
           (c->arguments[2] == SO_RCVTIMEO || c->arguments[2] == SO_SNDTIMEO);
}

static void option_value(struct runner *r, const struct call_spec *s, const struct host_call *c,
                         struct call_memory *m)
{
    const struct argument *a = &s->arguments[2];
    int32_t pair[2] = { 0 };
    int64_t v;
    struct timeval tv;

    m->option_len = sizeof pair[0];
    if (a->kind == ARG_BYTES) {
        m->option_len = a->bytes.n > OPTION_ROOM ? OPTION_ROOM : (int32_t)a->bytes.n;
        memcpy(m->option, a->bytes.at, (size_t)m->option_len);
        return;
    }
    if (a->kind == ARG_PAIR) {
        pair[1] = (int32_t)values_of(&r->values, a->b);
        m->option_len = sizeof pair;
    }
    v = a->kind == ARG_PAIR ? values_of(&r->values, a->a) : value(r, s, 2, 0);
    pair[0] = (int32_t)v;
    memcpy(m->option, pair, sizeof pair);
    if (!is_time(c))
        return;
    tv = (struct timeval){ v / 1000000000, v / 1000 % 1000000 };
    memcpy(m->option, &tv, sizeof tv);
    m->option_len = sizeof tv;
}

static void make_option(struct runner *r, const struct call_spec *s, struct host_call *c,
                        struct call_memory *m)
{
    option_name(r, s, c);
    if (s->name->code == CALL_SETSOCKOPT) {
        c->number = SYS_setsockopt;
        option_value(r, s, c, m);
        buffer(c, 3, m->option, (size_t)m->option_len, true, false);
        c->arguments[4] = m->option_len;
    } else {
        c->number = SYS_getsockopt;
        m->option_len = OPTION_ROOM;
        buffer(c, 3, m->option, OPTION_ROOM, false, true);
        buffer(c, 4, &m->option_len, sizeof m->option_len, true, true);
    }
}

/* ---- the others ---- */

static void make_socket(struct runner *r, const struct call_spec *s, struct host_call *c)
{
    c->number = SYS_socket;
    c->arguments[1] = value(r, s, 0, 0); /* tcp or udp, before the family takes the place */
    c->arguments[0] = AF_INET;
    c->arguments[2] = 0;
}

/* poll(fd, events [, timeout]); the timeout a time, none: 0. */
static void make_poll(struct runner *r, const struct call_spec *s, struct host_call *c, struct call_memory *m)
{
    c->number = SYS_poll;
    m->poll = (struct pollfd){ (int)m->fd, (short)value(r, s, 1, 0), 0 };
    buffer(c, 0, &m->poll, sizeof m->poll, true, true);
    c->arguments[1] = 1;
    c->arguments[2] = value(r, s, 2, 0) / 1000000;
}

static void make_name(const struct call_spec *s, struct host_call *c, struct call_memory *m)
{
    c->number = s->name->code == CALL_GETSOCKNAME ? SYS_getsockname : SYS_getpeername;
    address_out(c, m, 1);
}

static void make_fionread(struct host_call *c, struct call_memory *m)
{
    c->number = SYS_ioctl;
    c->arguments[1] = FIONREAD;
    buffer(c, 2, m->option, sizeof(int32_t), false, true);
}

/* Those that have but numbers behind the descriptor. */
static bool make_plain(struct runner *r, const struct call_spec *s, struct host_call *c)
{
    static const struct {
        enum call_code code;
        long number;
    } plain[] = { { CALL_LISTEN, SYS_listen }, { CALL_CLOSE, SYS_close }, { CALL_SHUTDOWN, SYS_shutdown } };

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i].code == s->name->code) {
            c->number = plain[i].number;
            c->arguments[1] = value(r, s, 1, 0);
            return true;
        }
    if (s->name->code != CALL_NONBLOCK)
        return false;
    c->number = SYS_fcntl;
    c->arguments[1] = F_SETFL;
    c->arguments[2] = O_NONBLOCK;
    return true;
}

bool call_make(struct runner *r, const struct call_spec *s, struct host_call *c, struct call_memory *m)
{
    *c = (struct host_call){ 0 };
    *m = (struct call_memory){ 0 };
    m->fd = c->arguments[0] = value(r, s, 0, 0);
    if (make_plain(r, s, c))
        return !r->failed && !runner_values_failed(r);
    switch (s->name->code) {
    case CALL_SOCKET:
        make_socket(r, s, c);
        break;
    case CALL_BIND:
    case CALL_CONNECT:
        c->number = s->name->code == CALL_BIND ? SYS_bind : SYS_connect;
        address_in(r, s, 1, c, m, 1);
        break;
    case CALL_ACCEPT:
        c->number = SYS_accept;
        address_out(c, m, 1);
        break;
    case CALL_SETSOCKOPT:
    case CALL_GETSOCKOPT:
        make_option(r, s, c, m);
        break;
    case CALL_POLL:
        make_poll(r, s, c, m);
        break;
    case CALL_GETSOCKNAME:
    case CALL_GETPEERNAME:
        make_name(s, c, m);
        break;
    case CALL_FIONREAD:
        make_fionread(c, m);
        break;
    default:
        make_transfer(r, s, c, m);
    }
    return !r->failed && !runner_values_failed(r);
}

/* ---- and back ---- */

static int64_t option_result(const struct call_spec *s, const struct call_memory *m)
{
    int32_t v = 0;
    struct timeval tv;

    if (!strcmp(s->arguments[1].a->name, "SO_RCVTIMEO") || !strcmp(s->arguments[1].a->name, "SO_SNDTIMEO")) {
        memcpy(&tv, m->option, sizeof tv);
        return tv.tv_sec * 1000000000 + tv.tv_usec * 1000;
    }
    memcpy(&v, m->option, sizeof v);
    return !strcmp(s->arguments[1].a->name, "SO_ERROR") ? -v : v; /* so that it is known by its name */
}

int64_t call_value(const struct call_spec *s, const struct call_memory *m, int64_t result)
{
    int32_t v;

    if (result < 0)
        return result;
    switch (s->name->code) {
    case CALL_GETSOCKOPT:
        return option_result(s, m);
    case CALL_POLL:
        return m->poll.revents;
    case CALL_GETSOCKNAME:
    case CALL_GETPEERNAME:
        return ntohs(m->address.sin_port);
    case CALL_FIONREAD:
        memcpy(&v, m->option, sizeof v);
        return v;
    default:
        return result;
    }
}
