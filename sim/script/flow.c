/* sim/script/flow.c - the book that is kept of each flow. */
#include "sim/script/flow.h"
#include "sim/frame.h"
#include "sim/script/seen.h"

void flow_reset(struct flow *f, uint32_t isn, uint32_t ts_base)
{
    f->peer = (struct side){ .known = true, .isn = isn, .ts_base = ts_base, .window = 65535 };
    f->host = (struct side){ 0 };
    f->host_una = 0;
}

/* a is not behind b, around the wrap. */
static bool reaches(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

static bool join(struct side *s)
{
    for (unsigned i = 0; i < s->n_ahead; i++)
        if (reaches(s->next, s->ahead[i].from)) {
            if (reaches(s->ahead[i].to, s->next))
                s->next = s->ahead[i].to;
            s->ahead[i] = s->ahead[--s->n_ahead];
            return true;
        }
    return false;
}

void side_said(struct side *s, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    if (s->n_ahead == RANGES_MOST) /* the oldest is forgotten: the script then has to give its numbers */
        s->ahead[0] = s->ahead[--s->n_ahead];
    s->ahead[s->n_ahead].from = from;
    s->ahead[s->n_ahead++].to = to;
    while (join(s))
        ;
}

/* A SYN begins a side's numbers; the peer's are chosen before. */
static void note_syn(struct side *side, const struct seen *s)
{
    uint32_t raw = (uint32_t)s->v[FIELD_RAWSEQ];

    if (!s->from_peer && (!side->known || raw != side->isn))
        *side = (struct side){ .known = true, .isn = raw };
    side->offered_scale = side->offered_ts = false;
    for (unsigned i = 0; i < s->n_options; i++) {
        if (s->options[i].kind == OPT_WSCALE) {
            side->offered_scale = true;
            side->scale = s->options[i].a > 14 ? 14 : (uint8_t)s->options[i].a; /* RFC 7323 2.3 */
        }
        side->offered_ts = side->offered_ts || s->options[i].kind == OPT_TS;
    }
}

/* Timestamps in s are absolute still. */
static void note_ts(struct side *side, const struct seen *s)
{
    for (unsigned i = 0; i < s->n_options; i++) {
        if (s->options[i].kind != OPT_TS)
            continue;
        side->ts_last = (uint32_t)s->options[i].a;
        if (!side->said_ts && !s->from_peer)
            side->ts_base = side->ts_last;
        side->said_ts = true;
    }
}

void flow_note(struct flow *f, const struct seen *s)
{
    struct side *side = s->from_peer ? &f->peer : &f->host;
    uint32_t from, to, ack;

    if (s->flags & SYN)
        note_syn(side, s);
    note_ts(side, s);
    if (!side->known)
        return;
    from = (uint32_t)s->v[FIELD_RAWSEQ] - side->isn;
    to = from + (uint32_t)s->v[FIELD_LEN] + !!(s->flags & SYN) + !!(s->flags & FIN);
    side_said(side, from, to);
    ack = (uint32_t)s->v[FIELD_RAWACK] - f->host.isn;
    if (s->from_peer && s->flags & ACK && f->host.known && reaches(ack, f->host_una) &&
        reaches(f->host.next, ack))
        f->host_una = ack;
}

bool flow_scales(const struct flow *f)
{
    return f->peer.offered_scale && f->host.offered_scale;
}

bool flow_has_ts(const struct flow *f)
{
    return f->peer.offered_ts && f->host.offered_ts;
}

uint8_t pattern(int64_t i)
{
    int64_t phase = i % PATTERN_PERIOD;

    return (uint8_t)(phase < 0 ? phase + PATTERN_PERIOD : phase) ^ 0x5a;
}
