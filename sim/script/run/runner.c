/* sim/script/run/runner.c - the steps in order, and time between them. */
#include "sim/script/run/runner.h"
#include "sim/frame.h"
#include "sim/script/names.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool runner_fail(struct runner *r, const char *fmt, ...)
{
    va_list ap;

    if (r->failed)
        return false;
    r->failed = true;
    if (r->step)
        r->failed_at = r->step->place;
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    return false;
}

bool runner_values_failed(struct runner *r)
{
    if (!r->values.failed)
        return false;
    runner_fail(r, "%s", r->values.why);
    r->failed_at = r->values.failed_at;
    return true;
}

/* ---- time ---- */

/* Whoever the host asks for, here it is: the peer's card answers for every address but the host's own. */
static void answer_arp(struct runner *r, const struct seen *request)
{
    uint8_t frame[FRAME_ROOM];
    struct packet reply = { .ethertype = FRAME_ARP,
                            .arp_op = FRAME_ARP_REPLY,
                            .arp_sender_ip = (uint32_t)request->v[FIELD_TARGET],
                            .arp_target_ip = r->host->address };

    for (int i = 0; i < 6; i++) {
        reply.src_mac[i] = reply.arp_sender_mac[i] = (uint8_t)(r->host->peer_mac >> (40 - 8 * i));
        reply.dst_mac[i] = reply.arp_target_mac[i] = (uint8_t)(r->host->mac >> (40 - 8 * i));
    }
    if (request->v[FIELD_OP] == FRAME_ARP_REQUEST && request->v[FIELD_TARGET] != r->host->address)
        r->host->send(r->host, frame, packet_build(&reply, frame));
}

static void keep(struct runner *r, const struct arrival *a)
{
    struct arrival *copy = malloc(sizeof *copy);

    if (!copy)
        abort();
    *copy = *a;
    copy->next = NULL;
    *r->last_arrival = copy;
    r->last_arrival = &copy->next;
}

static void take_arrivals(struct runner *r)
{
    static struct seen s, quoted;
    struct arrival a;

    while ((a.n = r->host->take(r->host, a.frame, sizeof a.frame, &a.when))) {
        seen_read(&s, &quoted, false, a.frame, a.n);
        if (s.kind == KIND_ARP && !r->arp_by_script)
            answer_arp(r, &s);
        else
            keep(r, &a);
    }
    calls_look(r);
}

void runner_wait(struct runner *r, uint64_t until)
{
    struct host *h = r->host;

    do {
        h->run(h, until);
        take_arrivals(r);
    } while (h->now(h) < until);
    h->run(h, until); /* what the last one has set in motion at this very time */
    take_arrivals(r);
}

static uint64_t due_from(struct runner *r, uint64_t from)
{
    const struct step *s = r->step;
    int64_t time = s->time ? values_of(&r->values, s->time) : 0;

    if (time < 0)
        time = 0;
    return s->when == WHEN_AT ? (uint64_t)time : from + (uint64_t)time;
}

/* A step takes its time, where that is real: what follows is due behind its end. */
static uint64_t behind(const struct runner *r)
{
    return r->done > r->before ? r->done : r->before;
}

uint64_t runner_due(struct runner *r)
{
    return due_from(r, behind(r));
}

void runner_window(struct runner *r, uint64_t *earliest, uint64_t *latest)
{
    const struct step *s = r->step;
    uint64_t first = due_from(r, r->before), last = due_from(r, behind(r));
    uint64_t tolerance = s->tolerance ? (uint64_t)values_of(&r->values, s->tolerance) : r->tolerance;
    uint64_t slack = r->host->slack;

    if (s->when == WHEN_WITHIN)
        tolerance = slack;
    else
        tolerance += slack;
    *latest = last + tolerance;
    *earliest = s->when == WHEN_WITHIN ? r->before : first;
    *earliest = *earliest > tolerance ? *earliest - tolerance : 0;
}

/* ---- the small steps ---- */

static bool step_set(struct runner *r)
{
    char path[128];
    int err;

    snprintf(path, sizeof path, "%s", r->step->name);
    for (char *c = path; *c; c++)
        if (*c == '.')
            *c = '/';
    err = r->host->set(r->host, path, r->step->setting);
    if (!err)
        return true;
    return runner_fail(r, "%s cannot be set to %s: %s", r->step->name, r->step->setting,
                       name_of_errno(-err) ? name_of_errno(-err) : "an error");
}

static bool step_let(struct runner *r)
{
    int64_t value;

    if (r->step->kind == STEP_DEFAULT && values_get(&r->values, r->step->name, &value))
        return true;
    values_set(&r->values, r->step->name, values_of(&r->values, r->step->value));
    return true;
}

static bool step_check(struct runner *r)
{
    int64_t value = values_of(&r->values, r->step->value);
    char expected[64];

    if (values_match(&r->values, &r->step->match, value))
        return true;
    values_describe(&r->values, &r->step->match, PLAIN, expected, sizeof expected);
    return runner_fail(r, "expected %s, it is %lld", expected, (long long)value);
}

static bool step_wait(struct runner *r)
{
    int64_t time = values_of(&r->values, r->step->value);

    r->before += time > 0 ? (uint64_t)time : 0;
    runner_wait(r, r->before);
    return true;
}

static bool step_tolerance(struct runner *r)
{
    r->tolerance = (uint64_t)values_of(&r->values, r->step->value);
    return true;
}

static bool step_nothing(struct runner *r)
{
    r->arp_by_script = r->arp_by_script || r->step->kind == STEP_ARP;
    return true;
}

static bool (*const kinds[])(struct runner *r) = {
    [STEP_PEER] = step_peer,       [STEP_HOST] = step_host,
    [STEP_CALL] = step_call,       [STEP_BEGIN] = step_begin,
    [STEP_END] = step_end,         [STEP_SET] = step_set,
    [STEP_LET] = step_let,         [STEP_DEFAULT] = step_let,
    [STEP_SILENCE] = step_silence, [STEP_WAIT] = step_wait,
    [STEP_CHECK] = step_check,     [STEP_INFO] = step_info,
    [STEP_IGNORE] = step_ignore,   [STEP_TOLERANCE] = step_tolerance,
    [STEP_NETWORK] = step_nothing, [STEP_ARP] = step_nothing,
};

static bool run_step(struct runner *r, const struct step *s)
{
    bool awaited = s->kind == STEP_HOST || s->kind == STEP_END;

    r->step = s;
    if (!awaited) {
        r->before = runner_due(r);
        runner_wait(r, r->before);
    }
    if (!awaited && s->kind != STEP_PEER && s->kind != STEP_LET && s->kind != STEP_DEFAULT)
        story_tell(&r->story, r->host->now(r->host), "", s->text);
    if (!kinds[s->kind](r) || runner_values_failed(r))
        return false;
    r->done = r->host->slack ? r->host->now(r->host) : 0;
    return true;
}

/* ---- what expressions ask for ---- */

static bool function(void *arg, const char *name, const char *argument, int64_t *value)
{
    struct runner *r = arg;
    char section[32];
    const char *dot;

    if (!argument) {
        *value = !strcmp(name, "host") ? r->host->address : r->host->peer;
        if (!strcmp(name, "hostmac") || !strcmp(name, "peermac"))
            *value = (int64_t)(*name == 'h' ? r->host->mac : r->host->peer_mac);
        return !strcmp(name, "host") || !strcmp(name, "peer") || !strcmp(name, "hostmac") ||
               !strcmp(name, "peermac");
    }
    if (!strcmp(name, "isn")) {
        *value = packets_flow(r, argument)->host.isn;
        return packets_flow(r, argument)->host.known;
    }
    if (!strcmp(name, "now"))
        return *value = (int64_t)r->host->now(r->host), true;
    if (!strcmp(name, "packets"))
        return *value = r->host->packets(r->host), true;
    dot = strchr(argument, '.');
    if (!dot)
        return false;
    snprintf(section, sizeof section, "%.*s", (int)(dot - argument), argument);
    return r->host->counter(r->host, section, dot + 1, value);
}

/* ---- from beginning to end ---- */

static void finish(struct runner *r)
{
    const char *left;

    r->took = r->host->now(r->host);
    r->step = NULL;
    left = r->host->end(r->host);
    r->host = NULL;
    if (left)
        runner_fail(r, "%s", left);
}

bool runner_run(struct runner *r, const struct script *s, struct host *host,
                const struct runner_config *config)
{
    const struct step *step;

    *r = (struct runner){
        .host = host, .isn = config->isn, .last_arrival = &r->arrivals, .tolerance = TOLERANCE_MS * 1000000
    };
    r->values = (struct values){ .arena = &r->arena, .function = function, .arg = r };
    values_set(&r->values, "port", config->port);
    values_set(&r->values, "peerport", config->peer_port);
    story_begin(&r->story, &r->arena);
    for (step = s->steps; step && run_step(r, step); step = step->next)
        r->failed_at = step->place;
    if (!r->failed)
        packets_all_expected(r);
    if (!r->failed || host->slack) /* a virtual one that failed is left as it is: the process ends */
        finish(r);
    return !r->failed;
}

void runner_free(struct runner *r)
{
    struct arrival *a;

    while ((a = r->arrivals)) {
        r->arrivals = a->next;
        free(a);
    }
    arena_free(&r->arena);
}
