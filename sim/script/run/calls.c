/* sim/script/run/calls.c - calls that return at once, calls that are begun and end later, and what they must
 * return. */
#include "sim/script/run/calls.h"
#include "sim/script/names.h"
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* Linux's <linux/tcp.h> */
enum { LEVEL_TCP = 6, TCP_INFO_OPTION = 11, INFO_SIZE = 248 };

static void result_text(int64_t value, char *text, size_t size)
{
    const char *name = value < 0 ? name_of_errno(-value) : NULL;

    if (name)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "%lld", (long long)value);
}

static void expected_text(struct runner *r, const struct match *m, char *text, size_t size)
{
    int64_t value = m->kind == MATCH_IS ? values_of(&r->values, m->a) : 0;

    if (m->kind == MATCH_IS)
        result_text(value, text, size);
    else
        values_describe(&r->values, m, PLAIN, text, size);
}

/* ---- what it must have returned ---- */

static bool check_value(struct runner *r, const struct pending *p, const struct result_spec *want,
                        int64_t value)
{
    char expected[64], came[64];

    result_text(value, came, sizeof came);
    if (want->value.kind == MATCH_UNSET) {
        if (p->result >= 0)
            return true;
        return runner_fail(r, "%s() returned %s", p->spec->name->name, came);
    }
    if (values_match(&r->values, &want->value, value))
        return true;
    expected_text(r, &want->value, expected, sizeof expected);
    return runner_fail(r, "%s() should return %s and returned %s", p->spec->name->name, expected, came);
}

static bool check_address(struct runner *r, const struct pending *p, const struct result_spec *want)
{
    uint32_t ip = ntohl(p->memory->address.sin_addr.s_addr);
    char text[32];

    if (!want->has_address)
        return true;
    value_text(ip, ADDRESS, text, sizeof text);
    if (want->address.ip && (uint32_t)values_of(&r->values, want->address.ip) != ip)
        return runner_fail(r, "%s() told of the address %s", p->spec->name->name, text);
    if (want->address.port &&
        (uint16_t)values_of(&r->values, want->address.port) != ntohs(p->memory->address.sin_port))
        return runner_fail(r, "%s() told of port %u", p->spec->name->name,
                           ntohs(p->memory->address.sin_port));
    return true;
}

static bool receives(const struct call_spec *s)
{
    return s->name->code == CALL_RECV || s->name->code == CALL_RECVFROM;
}

/* The bytes received must be the text, or the pattern from where the stream was. */
static bool check_data(struct runner *r, const struct pending *p, const struct result_spec *want)
{
    const struct call_memory *m = p->memory;
    uint64_t from =
        m->fd >= 0 && m->fd < DESCRIPTORS && !r->files[m->fd].datagrams ? r->files[m->fd].received : 0;
    size_t n = p->result < 0 ? 0 : (size_t)p->result > m->n ? m->n : (size_t)p->result;

    if (want->has_text && p->result < 0) {
        char came[64];
        result_text(p->result, came, sizeof came);
        return runner_fail(r, "%s() should return that text and returned %s", p->spec->name->name, came);
    }
    if (want->has_text && (n != want->text.n || memcmp(m->data, want->text.at, n)))
        return runner_fail(r, "%s() returned %lld bytes, not that text: \"%.*s\"", p->spec->name->name,
                           (long long)p->result, (int)(n > 60 ? 60 : n), (const char *)m->data);
    for (size_t i = 0; i < n && !want->has_text && !(m->flags & MSG_OOB); i++)
        if (m->data[i] != pattern((int64_t)(from + i)))
            return runner_fail(r, "%s(): byte %llu of the stream is %#04x, it was sent as %#04x",
                               p->spec->name->name, (unsigned long long)from + i, m->data[i],
                               pattern((int64_t)(from + i)));
    return true;
}

/* Keep the book of the descriptor's streams. */
static void count_bytes(struct runner *r, const struct pending *p)
{
    const struct call_memory *m = p->memory;
    bool stays = m->flags & (MSG_PEEK | MSG_OOB);

    if (m->fd < 0 || m->fd >= DESCRIPTORS || p->result <= 0)
        return;
    if (receives(p->spec) && !stays)
        r->files[m->fd].received += (uint64_t)p->result;
    if (p->spec->name->code == CALL_SEND)
        r->files[m->fd].sent += (uint64_t)p->result;
}

static void note_descriptor(struct runner *r, const struct pending *p)
{
    enum call_code code = p->spec->name->code;
    bool made = code == CALL_SOCKET || code == CALL_ACCEPT;

    if (!made || p->result < 0 || p->result >= DESCRIPTORS)
        return;
    memset(&r->files[p->result], 0, sizeof r->files[p->result]);
    r->files[p->result].datagrams = code == CALL_SOCKET && p->call.arguments[1] == SOCK_DGRAM;
}

static bool returned(struct runner *r, const struct pending *p, const struct result_spec *want,
                     const char *names)
{
    int64_t value = call_value(p->spec, p->memory, p->result);

    note_descriptor(r, p);
    if (!want->has_text && !(want->has_address && want->value.kind == MATCH_UNSET && p->result >= 0) &&
        !check_value(r, p, want, value))
        return false;
    if (!check_address(r, p, want) || (receives(p->spec) && !check_data(r, p, want)))
        return false;
    count_bytes(r, p);
    if (names)
        values_set(&r->values, names, value);
    return true;
}

/* ---- calls in progress ---- */

static struct pending *start(struct runner *r, const struct call_spec *spec, const char *label)
{
    struct pending *p = arena_alloc(&r->arena, sizeof *p);

    p->label = label;
    p->spec = spec;
    p->memory = arena_alloc(&r->arena, sizeof *p->memory);
    if (!call_make(r, spec, &p->call, p->memory)) {
        free(p->memory->data);
        return NULL;
    }
    p->handle = r->host->begin(r->host, &p->call);
    p->next = r->pending;
    r->pending = p;
    runner_wait(r, r->host->now(r->host));
    return p;
}

void calls_look(struct runner *r)
{
    for (struct pending *p = r->pending; p; p = p->next)
        if (p->handle && r->host->done(r->host, p->handle, &p->result)) {
            p->handle = NULL;
            p->when = r->host->now(r->host);
        }
}

/* Its result was looked at. */
static void forget(struct runner *r, struct pending *p)
{
    struct pending **at = &r->pending;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    free(p->memory->data);
}

bool step_call(struct runner *r)
{
    const struct call_spec *spec = &r->step->call;
    struct pending *p = start(r, spec, NULL);
    bool good;

    if (!p)
        return false;
    if (p->handle)
        return runner_fail(r, "%s() waits; a call that is to wait is begun: begin NAME: %s(...)",
                           spec->name->name, spec->name->name);
    good = returned(r, p, &spec->result, spec->names);
    forget(r, p);
    return good;
}

static struct pending *find(struct runner *r, const char *label)
{
    struct pending *p = r->pending;

    while (p && (!p->label || strcmp(p->label, label)))
        p = p->next;
    return p;
}

bool step_begin(struct runner *r)
{
    struct pending *p;

    if (find(r, r->step->name))
        return runner_fail(r, "a call named %s has begun and not ended", r->step->name);
    p = start(r, &r->step->call, r->step->name);
    if (p && !p->handle) {
        char came[64];
        result_text(call_value(p->spec, p->memory, p->result), came, sizeof came);
        return runner_fail(r, "%s() was to wait and returned %s at once", p->spec->name->name, came);
    }
    return p != NULL;
}

bool step_end(struct runner *r)
{
    struct pending *p = find(r, r->step->name);
    uint64_t earliest, latest;
    char when[32];
    bool good;

    if (!p)
        return runner_fail(r, "no call named %s has begun", r->step->name);
    runner_window(r, &earliest, &latest);
    while (p->handle && r->host->now(r->host) < latest) {
        r->host->run(r->host, latest);
        runner_wait(r, r->host->now(r->host));
    }
    if (p->handle)
        return runner_fail(r, "%s() waits still", p->spec->name->name);
    time_text((int64_t)p->when, when, sizeof when);
    if (p->when < earliest || p->when > latest)
        return runner_fail(r, "%s() returned too %s, at %s", p->spec->name->name,
                           p->when < earliest ? "early" : "late", when);
    story_tell(&r->story, p->when, "", r->step->text);
    r->before = p->when > r->before ? p->when : r->before;
    good = returned(r, p, &r->step->call.result, r->step->call.names);
    forget(r, p);
    return good;
}

/* ---- TCP_INFO ---- */

static int64_t member(const uint8_t *info, const struct info_name *n)
{
    uint64_t v = 0;

    memcpy(&v, info + n->offset, n->size); /* little-endian, as x86 is */
    return (int64_t)v * n->unit;
}

static bool check_members(struct runner *r, const uint8_t *info)
{
    char expected[64];

    for (const struct info_spec *i = r->step->info; i; i = i->next) {
        int64_t value = member(info, i->name);

        if (values_match(&r->values, &i->value, value))
            continue;
        values_describe(&r->values, &i->value, PLAIN, expected, sizeof expected);
        return runner_fail(r, "%s should be %s and is %lld", i->name->name, expected, (long long)value);
    }
    return true;
}

bool step_info(struct runner *r)
{
    uint8_t info[INFO_SIZE] = { 0 };
    int32_t len = sizeof info;
    int64_t result = 0;
    struct host_call c = { .number = SYS_getsockopt,
                           .n_buffers = 2,
                           .arguments = { values_of(&r->values, r->step->value), LEVEL_TCP,
                                          TCP_INFO_OPTION } };
    void *handle;

    c.buffers[0].argument = 3, c.buffers[0].at = info, c.buffers[0].n = sizeof info, c.buffers[0].out = true;
    c.buffers[1].argument = 4, c.buffers[1].at = &len, c.buffers[1].n = sizeof len;
    c.buffers[1].in = c.buffers[1].out = true;
    handle = r->host->begin(r->host, &c);
    while (!r->host->done(r->host, handle, &result))
        r->host->run(r->host, r->host->now(r->host));
    if (result < 0)
        return runner_fail(r, "TCP_INFO: %s", name_of_errno(-result) ? name_of_errno(-result) : "an error");
    return check_members(r, info);
}
