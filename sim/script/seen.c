/* sim/script/seen.c - reading frames: Ethernet, ARP (RFC 826), IPv4 (RFC 791), ICMP (RFC 792), UDP (RFC 768),
 * TCP (RFC 9293 3.1). */
#include "sim/script/seen.h"
#include "sim/frame.h"
#include <string.h>

enum { TCP_SHORTEST = 20, QUOTED_PORTS = 8 };

static void put(struct seen *s, enum field f, int64_t v)
{
    s->has[f] = true;
    s->v[f] = v;
}

static int64_t number(const uint8_t *b, unsigned n)
{
    int64_t v = 0;

    while (n--)
        v = v << 8 | *b++;
    return v;
}

static bool sum_is_right(const struct seen *s, const uint8_t *b, size_t n)
{
    uint64_t src = (uint64_t)s->v[FIELD_SRC], dst = (uint64_t)s->v[FIELD_DST];
    uint32_t pseudo = (uint32_t)((src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff)) +
                      (uint32_t)s->v[FIELD_PROTO] + (uint32_t)n;

    return frame_sum(b, n, s->kind == KIND_ICMP ? 0 : pseudo) == 0xffff;
}

static void payload(struct seen *s, const uint8_t *b, size_t n)
{
    s->payload = (struct bytes){ b, n };
    put(s, FIELD_LEN, (int64_t)n);
}

/* ---- TCP ---- */

static void read_known_option(struct option_seen *o, const uint8_t *b)
{
    switch (o->number) {
    case 2: /* RFC 9293 3.2 */
        if (b[1] == 4)
            o->kind = OPT_MSS, o->a = number(b + 2, 2);
        break;
    case 3: /* RFC 7323 2.2 */
        if (b[1] == 3)
            o->kind = OPT_WSCALE, o->a = b[2];
        break;
    case 4: /* RFC 2018 2 */
        if (b[1] == 2)
            o->kind = OPT_SACKOK;
        break;
    case 5: /* RFC 2018 3 */
        if (b[1] < 10 || b[1] > 34 || b[1] % 8 != 2)
            break;
        o->kind = OPT_SACK;
        for (; o->blocks < b[1] / 8u; o->blocks++) {
            o->left[o->blocks] = number(b + 2 + 8 * o->blocks, 4);
            o->right[o->blocks] = number(b + 6 + 8 * o->blocks, 4);
        }
        break;
    case 8: /* RFC 7323 3.2 */
        if (b[1] == 10)
            o->kind = OPT_TS, o->a = number(b + 2, 4), o->b = number(b + 6, 4);
        break;
    }
}

static void read_options(struct seen *s, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n && s->n_options < OPTIONS_MOST;) {
        struct option_seen *o = &s->options[s->n_options++];

        *o = (struct option_seen){ .kind = OPT_OTHER, .number = b[i] };
        if (b[i] == 0) { /* RFC 9293 3.2 */
            o->kind = OPT_END;
            return;
        }
        if (b[i] == 1) {
            o->kind = OPT_NOP;
            i++;
            continue;
        }
        if (i + 1 >= n || b[i + 1] < 2 || i + b[i + 1] > n) {
            s->bad_options = true;
            return;
        }
        o->bytes = (struct bytes){ b + i + 2, b[i + 1] - 2u };
        read_known_option(o, b + i);
        i += b[i + 1];
    }
}

static void read_tcp(struct seen *s, const uint8_t *b, size_t n, bool quoted)
{
    size_t header = n < 13 ? 0 : (size_t)(b[12] >> 4) * 4;

    if (n < QUOTED_PORTS) {
        s->malformed = true;
        return;
    }
    put(s, FIELD_FROM, number(b, 2));
    put(s, FIELD_TO, number(b + 2, 2));
    put(s, FIELD_RAWSEQ, number(b + 4, 4));
    if (n < TCP_SHORTEST || header < TCP_SHORTEST || header > n) {
        s->malformed = !quoted;
        return;
    }
    put(s, FIELD_RAWACK, number(b + 8, 4));
    put(s, FIELD_DOFF, b[12] >> 4);
    s->flags = b[13];
    put(s, FIELD_RAWWIN, number(b + 14, 2));
    put(s, FIELD_URG, number(b + 18, 2));
    read_options(s, b + TCP_SHORTEST, header - TCP_SHORTEST);
    payload(s, b + header, n - header);
    s->bad_sum = !quoted && !sum_is_right(s, b, n);
}

/* ---- UDP, ICMP ---- */

static void read_udp(struct seen *s, const uint8_t *b, size_t n, bool quoted)
{
    if (n < 8) {
        s->malformed = true;
        return;
    }
    put(s, FIELD_FROM, number(b, 2));
    put(s, FIELD_TO, number(b + 2, 2));
    put(s, FIELD_LENGTH, number(b + 4, 2));
    s->no_sum = !number(b + 6, 2);
    if (quoted)
        return;
    if (s->v[FIELD_LENGTH] < 8 || (size_t)s->v[FIELD_LENGTH] > n) {
        s->malformed = true;
        return;
    }
    s->bad_sum = !s->no_sum && !sum_is_right(s, b, (size_t)s->v[FIELD_LENGTH]);
    payload(s, b + 8, (size_t)s->v[FIELD_LENGTH] - 8);
}

static bool quotes(int64_t type)
{
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; /* RFC 792 */
}

static void read_ip(struct seen *s, struct seen *quoted, const uint8_t *b, size_t n);

static void read_icmp(struct seen *s, struct seen *quoted, const uint8_t *b, size_t n)
{
    if (n < 8) {
        s->malformed = true;
        return;
    }
    put(s, FIELD_TYPE, b[0]);
    put(s, FIELD_CODE, b[1]);
    s->bad_sum = quoted && !sum_is_right(s, b, n);
    if (quotes(b[0]) && quoted) {
        put(s, FIELD_MTU, number(b + 6, 2));
        put(s, FIELD_QUOTE, (int64_t)n - 28);
        quoted->from_peer = !s->from_peer;
        s->about = quoted;
        read_ip(quoted, NULL, b + 8, n - 8);
    } else {
        put(s, FIELD_ICMPID, number(b + 4, 2));
        put(s, FIELD_NUM, number(b + 6, 2));
    }
    payload(s, b + 8, n - 8);
}

/* ---- IP; quoted NULL: this is the quoted one, which may be cut short ---- */

static void ip_fields(struct seen *s, const uint8_t *b)
{
    put(s, FIELD_VERSION, b[0] >> 4);
    put(s, FIELD_IHL, b[0] & 15);
    put(s, FIELD_TOS, b[1]);
    put(s, FIELD_TOTAL, number(b + 2, 2));
    put(s, FIELD_ID, number(b + 4, 2));
    put(s, FIELD_DF, b[6] >> 6 & 1);
    put(s, FIELD_MORE, b[6] >> 5 & 1);
    put(s, FIELD_OFFSET, (number(b + 6, 2) & 0x1fff) * 8);
    put(s, FIELD_TTL, b[8]);
    put(s, FIELD_PROTO, b[9]);
    put(s, FIELD_SRC, number(b + 12, 4));
    put(s, FIELD_DST, number(b + 16, 4));
}

static void read_transport(struct seen *s, struct seen *quoted, const uint8_t *b, size_t n)
{
    s->fragment = s->v[FIELD_MORE] || s->v[FIELD_OFFSET];
    payload(s, b, n);
    if (s->fragment)
        return;
    switch (s->v[FIELD_PROTO]) {
    case PACKET_TCP:
        s->kind = KIND_TCP;
        read_tcp(s, b, n, !quoted);
        break;
    case PACKET_UDP:
        s->kind = KIND_UDP;
        read_udp(s, b, n, !quoted);
        break;
    case PACKET_ICMP:
        s->kind = KIND_ICMP;
        read_icmp(s, quoted, b, n);
        break;
    }
}

static void read_ip(struct seen *s, struct seen *quoted, const uint8_t *b, size_t n)
{
    size_t header, total;

    s->kind = KIND_OTHER;
    if (n < 20) {
        s->malformed = true;
        return;
    }
    ip_fields(s, b);
    header = (size_t)s->v[FIELD_IHL] * 4;
    total = (size_t)s->v[FIELD_TOTAL];
    if (s->v[FIELD_VERSION] != 4 || header < 20 || header > n || total < header || (quoted && total > n)) {
        s->malformed = true;
        return;
    }
    s->bad_ip_sum = quoted && frame_sum(b, header, 0) != 0xffff;
    s->ip_options = (struct bytes){ b + 20, header - 20 };
    read_transport(s, quoted, b + header, (total < n ? total : n) - header);
}

static void read_arp(struct seen *s, const uint8_t *b, size_t n)
{
    s->kind = KIND_ARP;
    s->malformed = n < 28;
    if (s->malformed)
        return;
    put(s, FIELD_HW, number(b, 2));
    put(s, FIELD_PT, number(b + 2, 2));
    put(s, FIELD_HLEN, b[4]);
    put(s, FIELD_PLEN, b[5]);
    put(s, FIELD_OP, number(b + 6, 2));
    put(s, FIELD_SMAC, number(b + 8, 6));
    put(s, FIELD_SENDER, number(b + 14, 4));
    put(s, FIELD_TMAC, number(b + 18, 6));
    put(s, FIELD_TARGET, number(b + 24, 4));
}

void seen_read(struct seen *s, struct seen *quoted, bool from_peer, const uint8_t *frame, size_t n)
{
    *s = (struct seen){ .from_peer = from_peer };
    *quoted = (struct seen){ 0 };
    if (n < FRAME_HEADER) {
        s->malformed = true;
        return;
    }
    put(s, FIELD_MAC, number(from_peer ? frame : frame + 6, 6));
    if (number(frame + 12, 2) == FRAME_IPV4)
        read_ip(s, quoted, frame + FRAME_HEADER, n - FRAME_HEADER);
    else if (number(frame + 12, 2) == FRAME_ARP)
        read_arp(s, frame + FRAME_HEADER, n - FRAME_HEADER);
}

/* ---- flows ---- */

bool seen_belongs(const struct seen *s, const struct flow *f)
{
    int64_t peer = s->v[s->from_peer ? FIELD_SRC : FIELD_DST];

    return s->kind == KIND_TCP && s->has[FIELD_FROM] && peer == f->peer_ip &&
           s->v[s->from_peer ? FIELD_FROM : FIELD_TO] == f->peer_port &&
           s->v[s->from_peer ? FIELD_TO : FIELD_FROM] == f->host_port;
}

/* Around the wrap: what lies just before 0 is negative. */
static int64_t relative(int64_t raw, uint32_t base)
{
    uint32_t v = (uint32_t)raw - base;

    return v > 0xf0000000u ? (int64_t)v - 0x100000000 : (int64_t)v;
}

static void relate_options(struct seen *s, const struct side *own, const struct side *other)
{
    for (unsigned i = 0; i < s->n_options; i++) {
        struct option_seen *o = &s->options[i];

        for (unsigned b = 0; b < o->blocks; b++) {
            o->left[b] = relative(o->left[b], other->isn);
            o->right[b] = relative(o->right[b], other->isn);
        }
        if (o->kind == OPT_TS) {
            o->a = relative(o->a, own->said_ts ? own->ts_base : (uint32_t)o->a);
            o->b = s->flags & ACK ? relative(o->b, other->ts_base) : 0; /* means nothing without ACK */
        }
    }
}

void seen_relate(struct seen *s, const struct flow *f)
{
    const struct side *own, *other;
    bool scaled;

    s->flow = f;
    if (!f || s->kind != KIND_TCP || !s->has[FIELD_RAWSEQ])
        return;
    own = s->from_peer ? &f->peer : &f->host;
    other = s->from_peer ? &f->host : &f->peer;
    if (own->known || s->flags & SYN)
        put(s, FIELD_SEQ, own->known ? relative(s->v[FIELD_RAWSEQ], own->isn) : 0);
    if (s->has[FIELD_RAWACK] && s->flags & ACK && other->known)
        put(s, FIELD_ACK, relative(s->v[FIELD_RAWACK], other->isn));
    scaled = flow_scales(f) && !(s->flags & SYN); /* RFC 7323 2.2 */
    if (s->has[FIELD_RAWWIN])
        put(s, FIELD_WIN, s->v[FIELD_RAWWIN] << (scaled ? own->scale : 0));
    relate_options(s, own, other);
}
