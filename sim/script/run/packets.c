/* sim/script/run/packets.c - what the peer says, and what the host must have said. */
#include "sim/frame.h"
#include "sim/script/build.h"
#include "sim/script/names.h"
#include "sim/script/run/runner.h"
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 600, TIMES_MOST = 100000, PATIENCE_SECONDS = 60 };
#define TS_BASE 0xfffff000u /* of the peer's timestamps: they wrap, too */

static int64_t variable(const struct runner *r, const char *name)
{
    int64_t value = 0;

    values_get(&r->values, name, &value);
    return value;
}

struct flow *packets_flow(struct runner *r, const char *label)
{
    struct flow **at = &r->flows, *f;

    while (*at && strcmp((*at)->label, label))
        at = &(*at)->next;
    f = *at;
    if (f) {
        *at = f->next;
    } else {
        f = arena_alloc(&r->arena, sizeof *f);
        f->label = arena_copy(&r->arena, label, strlen(label));
        f->peer_ip = r->host->peer;
        f->peer_port = (uint16_t)(variable(r, "peerport") + r->n_flows);
        f->host_port = (uint16_t)variable(r, "port");
        flow_reset(f, r->isn, TS_BASE);
        r->n_flows++;
    }
    f->next = r->flows;
    return r->flows = f;
}

static struct flow *flow_of(const struct runner *r, const struct seen *s)
{
    struct flow *f = r->flows;

    while (f && !seen_belongs(s, f))
        f = f->next;
    return f;
}

/* ---- the peer ---- */

static bool has_flag(const struct packet_spec *s, uint8_t flag)
{
    return s->kind == KIND_TCP && s->flags & flag;
}

/* Ports that the script names stay the flow's, as does the address that a SYN comes from; a SYN without a
 * number begins it anew. */
static void adjust_flow(struct runner *r, struct flow *f, const struct packet_spec *s)
{
    if (s->kind != KIND_TCP && s->kind != KIND_UDP)
        return;
    if (s->fields[FIELD_FROM].a)
        f->peer_port = (uint16_t)values_of(&r->values, s->fields[FIELD_FROM].a);
    if (s->fields[FIELD_TO].a)
        f->host_port = (uint16_t)values_of(&r->values, s->fields[FIELD_TO].a);
    if (s->fields[FIELD_SRC].a && has_flag(s, SYN))
        f->peer_ip = (uint32_t)values_of(&r->values, s->fields[FIELD_SRC].a);
    if (has_flag(s, SYN) && !has_flag(s, ACK) && !s->fields[FIELD_SEQ].a && !f->host.known)
        flow_reset(f, r->isn, TS_BASE);
    if (s->fields[FIELD_ACK].a && !f->host.known) { /* a number of the host's, who has said nothing yet */
        f->host.known = true;
        f->host.isn = r->isn ^ 0x12340000;
    }
    f->used = true;
}

/* "peer", or "peer b" for the flow b. */
static const char *speaker(struct runner *r, const char *who, const struct flow *f)
{
    char text[80];

    if (!f || !*f->label)
        return who;
    snprintf(text, sizeof text, "%s %s", who, f->label);
    return arena_copy(&r->arena, text, strlen(text));
}

static void tell(struct runner *r, const struct arrival *a, const char *who, const struct flow *f)
{
    struct seen s, quoted;
    char text[LINE_MOST];

    seen_read(&s, &quoted, !strcmp(who, "peer"), a->frame, a->n);
    seen_relate(&s, s.kind == KIND_TCP ? f : NULL);
    if (s.about)
        seen_relate(s.about, flow_of(r, s.about));
    seen_text(&s, NULL, text, NULL, sizeof text);
    story_tell(&r->story, a->when, speaker(r, who, f), text);
}

static bool say(struct runner *r, struct flow *f, const struct packet_spec *spec)
{
    struct host *h = r->host;
    struct builder b = {
        &r->values, f, h->address, f->peer_ip, h->mac, h->peer_mac, (uint32_t)(h->now(h) / 1000000)
    };
    struct arrival a = { .when = h->now(h) };
    struct seen s, quoted;
    char why[160];

    a.n = build_frame(&b, spec, a.frame, why);
    if (!a.n || runner_values_failed(r))
        return runner_fail(r, "%s", why);
    tell(r, &a, "peer", f);
    seen_read(&s, &quoted, true, a.frame, a.n);
    if (s.kind == KIND_TCP && !s.bad_sum && !s.bad_ip_sum && !s.malformed)
        flow_note(f, &s);
    h->send(h, a.frame, a.n);
    runner_wait(r, h->now(h));
    return true;
}

static int64_t times(struct runner *r)
{
    int64_t n = r->step->times ? values_of(&r->values, r->step->times) : 1;

    return n > TIMES_MOST ? TIMES_MOST : n;
}

bool step_peer(struct runner *r)
{
    struct flow *f = packets_flow(r, r->step->name);
    int64_t n = times(r);

    adjust_flow(r, f, r->step->packet);
    for (; n > 0; n--)
        if (!say(r, f, r->step->packet))
            return false;
    return true;
}

/* ---- the host ---- */

/* Until the next thing happens. */
static void wait_a_little(struct runner *r, uint64_t until)
{
    r->host->run(r->host, until);
    runner_wait(r, r->host->now(r->host));
}

static void drop_arrival(struct runner *r)
{
    struct arrival *a = r->arrivals;

    r->arrivals = a->next;
    if (!r->arrivals)
        r->last_arrival = &r->arrivals;
    free(a);
}

/* A SYN of the host's tells which ports its flow has, as does the first datagram. */
static bool learns(const struct flow *f, const struct packet_spec *spec, const struct seen *s)
{
    if (s->kind == KIND_UDP)
        return spec->kind == KIND_UDP && !f->used;
    return has_flag(spec, SYN) && !has_flag(spec, ACK) && s->kind == KIND_TCP && s->flags & SYN;
}

static void learn(struct runner *r, struct flow *f, const struct seen *s)
{
    if (s->kind == KIND_TCP && f->host_port != (uint16_t)s->v[FIELD_FROM])
        flow_reset(f, r->isn, TS_BASE);
    f->host_port = (uint16_t)s->v[FIELD_FROM];
    f->peer_port = (uint16_t)s->v[FIELD_TO];
    f->peer_ip = (uint32_t)s->v[FIELD_DST];
    f->used = true;
}

/* An error quotes a packet of another flow's, perhaps. */
static struct flow *quoted_flow(const struct runner *r, const struct seen *s, struct flow *f)
{
    struct flow *own = s->about ? flow_of(r, s->about) : NULL;

    return own ? own : f;
}

static void times_text(uint64_t earliest, uint64_t latest, char *text, size_t size)
{
    char a[32], b[32];

    time_text((int64_t)earliest, a, sizeof a);
    time_text((int64_t)latest, b, sizeof b);
    snprintf(text, size, "between %s and %s", a, b);
}

/* The end of the story: what came instead of what was expected. */
static bool fail_differing(struct runner *r, const struct arrival *a, const struct seen *s,
                           const struct differences *d)
{
    char text[LINE_MOST], under[LINE_MOST], line[LINE_MOST + 80], list[300] = "";
    const char *who;
    size_t n = 0;

    seen_text(s, d, text, under, sizeof text);
    who = speaker(r, "host", s->flow);
    story_tell(&r->story, a->when, who, text);
    for (n = strlen(under); n && under[n - 1] == ' '; n--)
        ;
    snprintf(line, sizeof line, "%*s%.*s", (int)strlen(who) + 2, "", (int)n, under);
    n = 0;
    story_tell(&r->story, a->when, "", line);
    snprintf(line, sizeof line, "expected: %s", r->step->text);
    story_tell(&r->story, a->when, "", line);
    for (unsigned i = 0; i < d->n && n < sizeof list - 1; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s: expected %s, came %s", i ? "; " : "",
                              d->at[i].what, d->at[i].expected, d->at[i].came);
    return runner_fail(r, "%s", list);
}

static bool in_time(struct runner *r, const struct arrival *a, uint64_t earliest, uint64_t latest)
{
    char window[80], came[32];

    if (a->when >= earliest && a->when <= latest)
        return true;
    times_text(earliest, latest, window, sizeof window);
    time_text((int64_t)a->when, came, sizeof came);
    return runner_fail(r, "it came too %s: expected %s, came at %s", a->when < earliest ? "early" : "late",
                       window, came);
}

/* The packet that came against the present step. */
static bool compare(struct runner *r, struct flow *f, const struct arrival *a)
{
    const struct packet_spec *spec = r->step->packet;
    static struct seen s, quoted;
    struct differences d;
    struct expectation e = { &r->values, f, r->host->address, f->peer_ip, false };

    seen_read(&s, &quoted, false, a->frame, a->n);
    e.learns = learns(f, spec, &s);
    if (e.learns)
        learn(r, f, &s);
    e.peer_ip = f->peer_ip;
    if (s.kind == KIND_TCP && seen_belongs(&s, f) && s.flags & SYN && !s.malformed) {
        flow_note(f, &s); /* a SYN's own number is what the others count from */
        f->host.next = 0;
    }
    seen_relate(&s, spec->kind == KIND_TCP && seen_belongs(&s, f) ? f : flow_of(r, &s));
    if (s.about)
        seen_relate(s.about, e.flow = quoted_flow(r, &s, f));
    differ(&e, spec, &s, &d);
    if (runner_values_failed(r))
        return false;
    if (d.n)
        return fail_differing(r, a, &s, &d);
    tell(r, a, "host", f);
    if (s.kind == KIND_TCP && !s.malformed) {
        seen_read(&s, &quoted, false, a->frame, a->n);
        flow_note(f, &s);
    }
    return true;
}

static void tell_any(struct runner *r, const struct arrival *a, char text[LINE_MOST])
{
    static struct seen s, quoted;

    seen_read(&s, &quoted, false, a->frame, a->n);
    seen_relate(&s, flow_of(r, &s));
    if (s.about)
        seen_relate(s.about, flow_of(r, s.about));
    seen_text(&s, NULL, text, NULL, LINE_MOST);
    story_tell(&r->story, a->when, speaker(r, "host", flow_of(r, &s)), text);
}

/* Wait on, so that the story says what came instead, if anything does. */
static bool fail_nothing(struct runner *r, uint64_t earliest, uint64_t latest)
{
    uint64_t patience = r->host->now(r->host) + PATIENCE_SECONDS * UINT64_C(1000000000);
    char window[80], text[LINE_MOST];

    times_text(earliest, latest, window, sizeof window);
    snprintf(text, sizeof text, "expected, %s, and did not come: %s", window, r->step->text);
    story_tell(&r->story, latest, "", text);
    while (!r->arrivals && r->host->now(r->host) < patience)
        wait_a_little(r, patience);
    if (r->arrivals)
        tell_any(r, r->arrivals, text);
    return runner_fail(r, "nothing came %s", window);
}

static bool hear(struct runner *r, struct flow *f)
{
    uint64_t earliest, latest;
    struct arrival *a;

    runner_window(r, &earliest, &latest);
    while (!r->arrivals && r->host->now(r->host) < latest)
        wait_a_little(r, latest);
    a = r->arrivals;
    if (!a)
        return fail_nothing(r, earliest, latest);
    if (!compare(r, f, a) || !in_time(r, a, earliest, latest))
        return false;
    r->before = a->when;
    drop_arrival(r);
    return true;
}

bool step_host(struct runner *r)
{
    struct flow *f = packets_flow(r, r->step->name);
    int64_t n = times(r);
    bool good = true;

    for (int64_t i = 0; i < n && good; i++)
        good = hear(r, f);
    return good;
}

/* ---- and nothing else ---- */

static bool unexpected(struct runner *r, const char *what)
{
    struct arrival *a = r->arrivals;
    char text[LINE_MOST], when[32];

    if (!a)
        return true;
    tell_any(r, a, text);
    time_text((int64_t)a->when, when, sizeof when);
    return runner_fail(r, "%s, at %s came: %s", what, when, text);
}

bool step_silence(struct runner *r)
{
    int64_t time = values_of(&r->values, r->step->value);

    if (!unexpected(r, "before the silence"))
        return false;
    r->before += time > 0 ? (uint64_t)time : 0;
    runner_wait(r, r->before);
    return unexpected(r, "expected silence");
}

/* What comes meanwhile, and had come before, is nobody's business; but its numbers count as heard. */
bool step_ignore(struct runner *r)
{
    int64_t time = values_of(&r->values, r->step->value);
    static struct seen s, quoted;

    r->before += time > 0 ? (uint64_t)time : 0;
    runner_wait(r, r->before);
    while (r->arrivals) {
        struct flow *f;

        seen_read(&s, &quoted, false, r->arrivals->frame, r->arrivals->n);
        f = flow_of(r, &s);
        if (f && !s.malformed)
            flow_note(f, &s);
        drop_arrival(r);
    }
    return true;
}

bool packets_all_expected(struct runner *r)
{
    runner_wait(r, r->host->now(r->host));
    return unexpected(r, "the script says no more");
}
