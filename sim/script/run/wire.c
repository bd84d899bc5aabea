/* sim/script/run/wire.c - a guest in QEMU as the host of a script: frames by a datagram socket, one a frame;
 * calls by user/puppet.c at the end of a line. Time is real.
 *
 * The puppet makes one call after the other and must not wait, so its sockets do not block: a call that would
 * is made again until it does not (accept, connect, send, receive, poll). Before a call the guest is asked by
 * a ping whether it has dealt with what was sent to it: then the call finds what it would in virtual time. */
#include "sim/script/run/wire.h"
#include "sim/frame.h"
#include "sim/script/run/host.h"
#include "sim/script/run/puppet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 64, FRAMES = 512, FENCE_ID = 0xfe2d, PORTS_APART = 16, ANSWER_SECONDS = 20 };
static const uint64_t pause_between = UINT64_C(2000000);

struct wire_host {
    struct host host;
    int wire;
    struct puppet puppet;
    uint16_t peer_port;
    uint64_t began;
    bool dirty; /* something was sent since the last fence */
    uint16_t fences;
    struct {
        uint64_t when;
        size_t n;
        uint8_t bytes[FRAME_MAX];
    } frames[FRAMES];
    size_t first, count;
    struct { /* of the guest's descriptors */
        bool open, nonblocking;
    } files[DESCRIPTORS];
    struct knob *knobs; /* what they were before */
};

struct knob {
    struct knob *next;
    char path[128], before[64];
};

/* A call that may have to be made again. */
struct wire_call {
    struct host_call *call;
    bool connecting, done;
    uint64_t deadline; /* of poll() */
    int64_t result;
};

static struct wire_host *of(struct host *h)
{
    return (struct wire_host *)h;
}

static uint64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now(struct host *h)
{
    return clock_now() - of(h)->began;
}

/* ---- frames ---- */

static bool is_fence(const struct packet *p)
{
    return p->protocol == PACKET_ICMP && p->icmp_type == 0 && p->icmp_rest >> 16 == FENCE_ID;
}

/* A connection of an earlier script's, that is not over yet. */
static bool is_of_others(const struct wire_host *w, const struct packet *p)
{
    return p->protocol == PACKET_TCP && (p->dport < w->peer_port || p->dport >= w->peer_port + PORTS_APART);
}

/* Take one frame, if there is any within `timeout` ns: false, there is none. *fence: it is a fence's answer.
 */
static bool take_in(struct wire_host *w, uint64_t timeout, bool *fence)
{
    struct pollfd ready = { w->wire, POLLIN, 0 };
    struct packet p = { 0 };
    struct timespec t = { (time_t)(timeout / 1000000000), (long)(timeout % 1000000000) };
    size_t slot = (w->first + w->count) % FRAMES;
    ssize_t n;

    if (ppoll(&ready, 1, &t, NULL) <= 0)
        return false;
    if (w->count == FRAMES)
        puppet_give_up("the guest sends without end");
    n = recv(w->wire, w->frames[slot].bytes, FRAME_MAX, 0);
    if (n <= 0)
        puppet_give_up("the wire was cut");
    packet_parse(&p, w->frames[slot].bytes, (size_t)n);
    *fence = is_fence(&p);
    if (*fence || is_of_others(w, &p))
        return true;
    w->frames[slot].when = clock_now() - w->began;
    w->frames[slot].n = (size_t)n;
    w->count++;
    return true;
}

static void put_mac(uint8_t mac[6], uint64_t v)
{
    for (int i = 5; i >= 0; i--, v >>= 8)
        mac[i] = (uint8_t)v;
}

static void fence(struct wire_host *w)
{
    struct packet ping = { .protocol = PACKET_ICMP,
                           .icmp_type = 8,
                           .saddr = w->host.peer,
                           .daddr = w->host.address,
                           .icmp_rest = (uint32_t)FENCE_ID << 16 | ++w->fences };
    uint64_t deadline = clock_now() + ANSWER_SECONDS * UINT64_C(1000000000);
    uint8_t frame[FRAME_MAX];
    bool answered = false;
    size_t n;

    if (!w->dirty)
        return;
    put_mac(ping.src_mac, w->host.peer_mac);
    put_mac(ping.dst_mac, w->host.mac);
    n = packet_build(&ping, frame);
    if (send(w->wire, frame, n, 0) < 0)
        puppet_give_up("the wire was cut");
    while (!answered && clock_now() < deadline)
        take_in(w, deadline - clock_now(), &answered);
    if (!answered)
        puppet_give_up("the guest answers no ping any more");
    w->dirty = false;
}

static void run(struct host *h, uint64_t until)
{
    uint64_t at = now(h), wait = until > at ? until - at : 0;
    bool ignored;

    take_in(of(h), wait < pause_between ? wait : pause_between, &ignored);
}

static void transmit(struct host *h, const uint8_t *frame, size_t n)
{
    if (send(of(h)->wire, frame, n, 0) < 0)
        puppet_give_up("the wire was cut");
    of(h)->dirty = true;
}

static size_t take(struct host *h, uint8_t *frame, size_t size, uint64_t *when)
{
    struct wire_host *w = of(h);
    size_t n;

    if (!w->count)
        return 0;
    n = w->frames[w->first].n < size ? w->frames[w->first].n : size;
    memcpy(frame, w->frames[w->first].bytes, n);
    *when = w->frames[w->first].when;
    w->first = (w->first + 1) % FRAMES;
    w->count--;
    return n;
}

/* ---- calls ---- */

static bool known(int64_t fd)
{
    return fd >= 0 && fd < DESCRIPTORS;
}

static void set_nonblocking(struct wire_host *w, int64_t fd)
{
    puppet_system_call(&w->puppet, SYS_fcntl, (const int64_t[6]){ fd, F_SETFL, O_NONBLOCK });
}

static void opened(struct wire_host *w, int64_t fd)
{
    if (!known(fd))
        return;
    w->files[fd].open = true;
    w->files[fd].nonblocking = false;
    set_nonblocking(w, fd);
}

/* Whether a connection that was begun stands: -EAGAIN if neither that nor an error is known. */
static int64_t connected(struct wire_host *w, int64_t fd)
{
    struct pollfd p = { (int)fd, POLLOUT, 0 };
    int32_t error = 0, len = sizeof error;
    struct host_call look = { .number = SYS_poll,
                              .arguments = { 0, 1, 0 },
                              .n_buffers = 1,
                              .buffers = { { 0, &p, sizeof p, true, true } } };
    struct host_call ask = { .number = SYS_getsockopt,
                             .arguments = { fd, SOL_SOCKET, SO_ERROR },
                             .n_buffers = 2,
                             .buffers = { { 3, &error, sizeof error, true, true },
                                          { 4, &len, sizeof len, true, true } } };

    if (puppet_call(&w->puppet, &look) <= 0)
        return -EAGAIN;
    puppet_call(&w->puppet, &ask);
    return -error;
}

static bool waits(const struct wire_host *w, const struct wire_call *c)
{
    int64_t fd = c->call->arguments[0];

    if (c->call->number == SYS_poll)
        return !c->result && clock_now() < c->deadline;
    if (!known(fd) || w->files[fd].nonblocking || c->call->arguments[3] & MSG_DONTWAIT)
        return false;
    return c->result == -EAGAIN || (c->call->number == SYS_connect && c->result == -EINPROGRESS);
}

static void attempt(struct wire_host *w, struct wire_call *c)
{
    struct host_call once = *c->call;

    if (c->call->number == SYS_poll)
        once.arguments[2] = 0;
    c->result = c->connecting ? connected(w, c->call->arguments[0]) : puppet_call(&w->puppet, &once);
    c->done = !waits(w, c);
    c->connecting = c->connecting || (!c->done && c->call->number == SYS_connect);
    if (c->done && (c->call->number == SYS_socket || c->call->number == SYS_accept))
        opened(w, c->result);
}

static void *begin(struct host *h, struct host_call *call)
{
    struct wire_host *w = of(h);
    struct wire_call *c = calloc(1, sizeof *c);
    int64_t fd = call->arguments[0];

    if (!c)
        abort();
    fence(w);
    c->call = call;
    if (call->number == SYS_poll && call->arguments[2] > 0)
        c->deadline = clock_now() + (uint64_t)call->arguments[2] * 1000000;
    if (call->number == SYS_fcntl && known(fd))
        w->files[fd].nonblocking = true;
    if (call->number == SYS_close && known(fd))
        w->files[fd].open = false;
    attempt(w, c);
    return c;
}

static bool done(struct host *h, void *call, int64_t *result)
{
    struct wire_call *c = call;

    if (!c->done) {
        fence(of(h));
        attempt(of(h), c);
    }
    if (!c->done)
        return false;
    *result = c->result;
    free(c);
    return true;
}

/* ---- knobs ---- */

/* Open a file of /proc/sys, read or write there. -errno, or how much. */
static int64_t on_knob(struct wire_host *w, const char *path, int flags, void *data, size_t n)
{
    char full[160];
    struct host_call open_it = { .number = SYS_open,
                                 .arguments = { 0, flags },
                                 .n_buffers = 1,
                                 .buffers = { { 0, full, 0, true, false } } };
    struct host_call use = { .number = flags == O_RDONLY ? SYS_read : SYS_write,
                             .arguments = { 0, 0, (int64_t)n },
                             .n_buffers = 1,
                             .buffers = { { 1, data, n, flags != O_RDONLY, flags == O_RDONLY } } };
    int64_t result;

    open_it.buffers[0].n = (size_t)snprintf(full, sizeof full, "/proc/sys/%s", path) + 1;
    use.arguments[0] = puppet_call(&w->puppet, &open_it);
    if (use.arguments[0] < 0)
        return use.arguments[0];
    result = puppet_call(&w->puppet, &use);
    puppet_system_call(&w->puppet, SYS_close, use.arguments);
    return result;
}

static int set(struct host *h, const char *path, const char *value)
{
    struct wire_host *w = of(h);
    struct knob *k = calloc(1, sizeof *k);
    char text[64];
    int64_t n;

    if (!k)
        abort();
    snprintf(k->path, sizeof k->path, "%s", path);
    n = on_knob(w, path, O_RDONLY, k->before, sizeof k->before - 1);
    if (n < 0) {
        free(k);
        return (int)n;
    }
    k->next = w->knobs;
    w->knobs = k;
    n = on_knob(w, path, O_WRONLY, text, (size_t)snprintf(text, sizeof text, "%s\n", value));
    return n < 0 ? (int)n : 0;
}

static void restore_knobs(struct wire_host *w)
{
    struct knob *k;

    while ((k = w->knobs)) {
        on_knob(w, k->path, O_WRONLY, k->before, strlen(k->before));
        w->knobs = k->next;
        free(k);
    }
}

/* ---- beginning and end ---- */

static bool counter(struct host *h, const char *section, const char *name, int64_t *value)
{
    (void)h, (void)section, (void)name, (void)value;
    return false; /* they count since the guest was booted */
}

static int64_t packets(struct host *h)
{
    (void)h;
    return 0;
}

static const char *end(struct host *h)
{
    struct wire_host *w = of(h);
    int32_t off[2] = { 1, 0 }; /* struct linger: no waiting, a reset */
    struct host_call reset = { .number = SYS_setsockopt,
                               .arguments = { 0, SOL_SOCKET, SO_LINGER, 0, sizeof off },
                               .n_buffers = 1,
                               .buffers = { { 3, off, sizeof off, true, false } } };

    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (w->files[fd].open) {
            reset.arguments[0] = fd;
            puppet_call(&w->puppet, &reset);
            puppet_system_call(&w->puppet, SYS_close, (const int64_t[6]){ fd });
        }
    restore_knobs(w);
    free(w);
    return NULL;
}

struct host *wire_start(const struct wire_config *config)
{
    struct wire_host *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->host = (struct host){ .now = now,
                             .run = run,
                             .send = transmit,
                             .take = take,
                             .begin = begin,
                             .done = done,
                             .set = set,
                             .counter = counter,
                             .packets = packets,
                             .end = end,
                             .slack = config->slack,
                             .address = config->address,
                             .peer = config->peer,
                             .mac = config->mac,
                             .peer_mac = config->peer_mac };
    w->wire = config->wire;
    w->puppet.line = config->line;
    w->peer_port = config->peer_port;
    w->dirty = true;
    w->began = clock_now();
    fence(w); /* the guest knows where the peer is */
    w->first = w->count = 0;
    w->began = clock_now();
    return &w->host;
}
