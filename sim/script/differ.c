/* sim/script/differ.c - field by field: what the script names must be so; of TCP what it does not name must
 * be the next number, all acknowledged, and no text. */
#include "sim/script/differ.h"
#include "sim/frame.h"
#include "sim/script/names.h"
#include <stdio.h>
#include <string.h>

struct differing {
    const struct expectation *e;
    const struct packet_spec *spec;
    const struct seen *s;
    struct differences *d;
    bool quoted;
};

static void note(struct differing *x, const char *what, const char *expected, const char *came)
{
    struct difference *d;

    if (x->d->n == DIFFERENCES_MOST)
        return;
    d = &x->d->at[x->d->n++];
    snprintf(d->what, sizeof d->what, "%s%s", x->quoted ? "quoted " : "", what);
    snprintf(d->expected, sizeof d->expected, "%s", expected);
    snprintf(d->came, sizeof d->came, "%s", came);
}

static void note_number(struct differing *x, enum field f, int64_t expected)
{
    char a[64], b[64] = "none";

    value_text(expected, field_names[f].style, a, sizeof a);
    if (x->s->has[f])
        value_text(x->s->v[f], field_names[f].style, b, sizeof b);
    note(x, field_names[f].name, a, b);
}

static bool named(const struct differing *x, enum field f)
{
    return x->spec->fields[f].kind != MATCH_UNSET;
}

static void must_be(struct differing *x, enum field f, int64_t expected)
{
    if (!named(x, f) && (!x->s->has[f] || x->s->v[f] != expected))
        note_number(x, f, expected);
}

static void compare_fields(struct differing *x)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        const struct match *m = &x->spec->fields[f];
        char a[64], b[64] = "none";

        if (m->kind == MATCH_UNSET || m->kind == MATCH_ANY)
            continue;
        if (x->s->has[f] && values_match(x->e->values, m, x->s->v[f]))
            continue;
        values_describe(x->e->values, m, field_names[f].style, a, sizeof a);
        if (x->s->has[f])
            value_text(x->s->v[f], field_names[f].style, b, sizeof b);
        note(x, field_names[f].name, a, b);
    }
}

/* ---- IP ---- */

static void compare_part(struct differing *x)
{
    int64_t from = x->spec->part_from ? values_of(x->e->values, x->spec->part_from) : 0;
    int64_t to = x->spec->part_to ? values_of(x->e->values, x->spec->part_to) : -1;
    char a[64], b[64];
    int64_t came = x->s->v[FIELD_OFFSET] + (int64_t)x->s->payload.n;

    if (x->s->v[FIELD_OFFSET] == from && (to < 0 || came == to))
        return;
    snprintf(a, sizeof a, "%lld..%lld", (long long)from, (long long)to);
    snprintf(b, sizeof b, "%lld..%lld", (long long)x->s->v[FIELD_OFFSET], (long long)came);
    note(x, "part", a, b);
}

static void compare_ip(struct differing *x)
{
    const struct seen *s = x->s;

    must_be(x, FIELD_SRC, s->from_peer ? x->e->peer_ip : x->e->host_ip);
    must_be(x, FIELD_DST, s->from_peer ? x->e->host_ip : x->e->peer_ip);
    if (x->spec->has_part)
        compare_part(x);
    else if (s->fragment && !named(x, FIELD_OFFSET) && !named(x, FIELD_MORE))
        note(x, "part", "a whole packet", "a fragment");
    if (x->spec->has_ip_options && (s->ip_options.n != x->spec->ip_options.n ||
                                    memcmp(s->ip_options.at, x->spec->ip_options.at, s->ip_options.n)))
        note(x, "options", "those bytes", s->ip_options.n ? "others" : "none");
    if (x->spec->bad_sum || x->spec->bad_ip_sum)
        note(x, "checksum", "a wrong one, which is never right", "another");
    if (x->spec->no_sum && !s->no_sum)
        note(x, "checksum", "none", "one");
    if (s->bad_ip_sum)
        note(x, "checksum", "a right one of the IP header", "a wrong one");
    if (s->bad_sum)
        note(x, "checksum", "a right one", "a wrong one");
}

/* ---- TCP ---- */

static void flag_text(uint8_t flags, char *text, size_t size)
{
    size_t n = 0;

    snprintf(text, size, "noflags");
    for (unsigned i = 0; i < 8; i++)
        if (flags >> i & 1)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " " : "", tcp_flag_names[i]);
}

static void compare_flags(struct differing *x)
{
    uint8_t differ_in = (uint8_t)((x->s->flags ^ x->spec->flags) & ~x->spec->flags_free);
    char a[48], b[48];

    if (x->spec->any_flags || !differ_in)
        return;
    flag_text(x->spec->flags, a, sizeof a);
    flag_text(x->s->flags, b, sizeof b);
    note(x, "flags", a, b);
}

void seen_option_text(const struct option_seen *o, char *text, size_t size)
{
    size_t n;

    switch (o->kind) {
    case OPT_END:
        snprintf(text, size, "eol");
        break;
    case OPT_NOP:
        snprintf(text, size, "nop");
        break;
    case OPT_MSS:
        snprintf(text, size, "mss %lld", (long long)o->a);
        break;
    case OPT_WSCALE:
        snprintf(text, size, "wscale %lld", (long long)o->a);
        break;
    case OPT_SACKOK:
        snprintf(text, size, "sackOK");
        break;
    case OPT_TS:
        snprintf(text, size, "ts %lld ecr %lld", (long long)o->a, (long long)o->b);
        break;
    case OPT_SACK:
        n = (size_t)snprintf(text, size, "sack");
        for (unsigned i = 0; i < o->blocks; i++)
            n += (size_t)snprintf(text + n, size - n, " %lld:%lld", (long long)o->left[i],
                                  (long long)o->right[i]);
        break;
    default:
        snprintf(text, size, "kind %u", o->number);
    }
}

static bool same_kind(const struct expectation *e, const struct option_spec *want,
                      const struct option_seen *o)
{
    if (want->kind == OPT_OTHER)
        return o->number == (uint8_t)values_of(e->values, want->a.a);
    return (int)want->kind == o->kind;
}

static bool option_is(const struct expectation *e, const struct option_spec *want,
                      const struct option_seen *o)
{
    if (want->kind == OPT_OTHER)
        return o->bytes.n == want->bytes.n &&
               (!o->bytes.n || !memcmp(o->bytes.at, want->bytes.at, o->bytes.n));
    if (want->kind == OPT_SACK && want->blocks != o->blocks)
        return false;
    for (unsigned i = 0; want->kind == OPT_SACK && i < o->blocks; i++)
        if (!values_match(e->values, &want->left[i], o->left[i]) ||
            !values_match(e->values, &want->right[i], o->right[i]))
            return false;
    return values_match(e->values, &want->a, o->a) && values_match(e->values, &want->b, o->b);
}

/* What the script wants, in words; for one that is absent only its kind is told. */
static void want_text(const struct expectation *e, const struct option_spec *w, char *text, size_t size)
{
    struct option_seen plain = { .kind = w->kind, .blocks = w->blocks };
    char a[32], b[32];

    values_describe(e->values, &w->a, 0, a, sizeof a);
    values_describe(e->values, &w->b, 0, b, sizeof b);
    for (unsigned i = 0; i < w->blocks; i++) {
        plain.left[i] = w->left[i].a ? values_of(e->values, w->left[i].a) : 0;
        plain.right[i] = w->right[i].a ? values_of(e->values, w->right[i].a) : 0;
    }
    seen_option_text(&plain, text, size);
    if (w->kind == OPT_MSS || w->kind == OPT_WSCALE)
        snprintf(text, size, "%s %s", w->kind == OPT_MSS ? "mss" : "wscale", a);
    else if (w->kind == OPT_TS)
        snprintf(text, size, "ts %s ecr %s", a, b);
    else if (w->kind == OPT_OTHER)
        snprintf(text, size, "kind %s with its bytes", a);
}

/* One option of the script against those that came; taken marks what it stands for. */
static void compare_option(struct differing *x, const struct option_spec *want, bool taken[OPTIONS_MOST])
{
    const struct option_seen *other = NULL;
    char a[80], b[80] = "none";

    for (unsigned i = 0; i < x->s->n_options; i++) {
        const struct option_seen *o = &x->s->options[i];

        if (taken[i] || !same_kind(x->e, want, o))
            continue;
        other = o;
        taken[i] = true;
        if (!want->absent && option_is(x->e, want, o))
            return;
        break;
    }
    if (want->absent && !other)
        return;
    want_text(x->e, want, a, sizeof a);
    if (other)
        seen_option_text(other, b, sizeof b);
    note(x, "options", want->absent ? "no such option" : a, b);
}

static void compare_options(struct differing *x)
{
    bool taken[OPTIONS_MOST] = { false };
    char b[80];

    if (x->s->bad_options)
        note(x, "options", "lengths that fit", "one that does not");
    if (!x->spec->options_given)
        return;
    for (const struct option_spec *o = x->spec->options; o; o = o->next) {
        if (o->kind == OPT_RAW)
            note(x, "options", "options by their names; raw is for the peer", "others");
        if (o->kind != OPT_NOP && o->kind != OPT_END && o->kind != OPT_RAW) /* padding is free */
            compare_option(x, o, taken);
    }
    for (unsigned i = 0; i < x->s->n_options && !x->spec->options_open; i++) {
        const struct option_seen *o = &x->s->options[i];

        if (taken[i] || o->kind == OPT_NOP || o->kind == OPT_END)
            continue;
        seen_option_text(o, b, sizeof b);
        note(x, "options", "no other", b);
    }
}

/* An acknowledgement that the script does not name is that of all that the peer has said. */
static void compare_numbers(struct differing *x)
{
    const struct flow *f = x->e->flow;
    const struct side *own = x->s->from_peer ? &f->peer : &f->host,
                      *other = x->s->from_peer ? &f->host : &f->peer;

    if (x->spec->any_flags || x->quoted)
        return;
    if (!named(x, FIELD_RAWSEQ) && (own->known || x->spec->flags & SYN))
        must_be(x, FIELD_SEQ, x->spec->flags & SYN ? 0 : own->next);
    if (!named(x, FIELD_RAWACK) && x->spec->flags & ACK)
        must_be(x, FIELD_ACK, other->next);
    must_be(x, FIELD_LEN, 0);
}

static void compare_ports(struct differing *x)
{
    const struct flow *f = x->e->flow;

    if (x->e->learns && !x->quoted)
        return;
    must_be(x, FIELD_FROM, x->s->from_peer ? f->peer_port : f->host_port);
    must_be(x, FIELD_TO, x->s->from_peer ? f->host_port : f->peer_port);
}

/* ---- the payload ---- */

static void compare_payload(struct differing *x)
{
    const struct seen *s = x->s;
    bool echo = s->kind == KIND_ICMP && !s->about;
    int64_t seq = s->kind == KIND_TCP ? s->v[FIELD_SEQ] - !(s->flags & SYN) : 0;
    char a[64], b[64];

    if (x->quoted || s->fragment || (s->kind == KIND_TCP && !s->has[FIELD_SEQ]) || s->kind == KIND_OTHER ||
        (s->kind == KIND_ICMP && !echo))
        return;
    for (size_t i = 0; i < s->payload.n; i++) {
        uint8_t want =
            x->spec->has_text && i < x->spec->text.n ? x->spec->text.at[i] : pattern(seq + (int64_t)i);
        if (s->payload.at[i] == want)
            continue;
        snprintf(a, sizeof a, "%#04x at byte %zu", want, i);
        snprintf(b, sizeof b, "%#04x", s->payload.at[i]);
        note(x, "text", a, b);
        return;
    }
}

static void compare(struct differing *x);

static void compare_kind(struct differing *x)
{
    switch (x->spec->kind) {
    case KIND_TCP:
        compare_flags(x);
        compare_ports(x);
        compare_numbers(x);
        if (!x->quoted)
            compare_options(x);
        break;
    case KIND_UDP:
        compare_ports(x);
        break;
    case KIND_ICMP:
        if (x->spec->about && x->s->about) {
            struct differing inner = { x->e, x->spec->about, x->s->about, x->d, true };
            compare(&inner);
        } else if (x->spec->about) {
            note(x, "about", "a packet that is quoted", "none");
        }
        break;
    default:
        break;
    }
}

static const char *kind_text(const struct seen *s)
{
    static const char *const names[] = { [KIND_ANY] = "something else",
                                         [KIND_TCP] = "tcp",
                                         [KIND_UDP] = "udp",
                                         [KIND_ICMP] = "icmp",
                                         [KIND_OTHER] = "another protocol or a fragment",
                                         [KIND_ARP] = "arp" };

    return names[s->kind];
}

/* A fragment behind the first has no header to tell its kind by, only the protocol's number. */
static bool kind_fits(const struct packet_spec *spec, const struct seen *s)
{
    static const int64_t numbers[] = {
        [KIND_TCP] = PACKET_TCP, [KIND_UDP] = PACKET_UDP, [KIND_ICMP] = PACKET_ICMP
    };

    if (spec->kind == s->kind)
        return true;
    return s->fragment && spec->kind <= KIND_ICMP && spec->kind != KIND_ANY &&
           s->v[FIELD_PROTO] == numbers[spec->kind];
}

/* What of a fragment can be told. */
static void compare_fragment(struct differing *x)
{
    for (int f = FIELD_VERSION; f < FIELD_FROM; f++)
        if (named(x, (enum field)f) &&
            !(x->s->has[f] && values_match(x->e->values, &x->spec->fields[f], x->s->v[f]))) {
            char a[64];
            values_describe(x->e->values, &x->spec->fields[f], field_names[f].style, a, sizeof a);
            note(x, field_names[f].name, a, "another");
        }
    compare_ip(x);
}

static void compare(struct differing *x)
{
    struct seen kind = { .kind = x->spec->kind };

    if (!kind_fits(x->spec, x->s)) {
        note(x, "packet", kind_text(&kind), kind_text(x->s));
        return;
    }
    if (x->s->malformed)
        note(x, "packet", "lengths that fit together", "some that do not");
    if (x->s->fragment) {
        compare_fragment(x);
        return;
    }
    compare_kind(x);
    compare_fields(x);
    if (x->s->kind != KIND_ARP)
        compare_ip(x);
    compare_payload(x);
}

void differ(const struct expectation *e, const struct packet_spec *spec, const struct seen *s,
            struct differences *d)
{
    struct differing x = { e, spec, s, d, false };

    d->n = 0;
    if (spec->kind != KIND_ANY)
        compare(&x);
}
