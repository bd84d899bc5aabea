/* sim/script/build.c - from the inside out: payload, transport header, IP header, Ethernet. What the script
 * does not say follows from the flow: the next number, all that was heard acknowledged, the last window. */
#include "sim/script/build.h"
#include "sim/frame.h"
#include <stdio.h>
#include <string.h>

enum { TRANSPORT_MOST = 65536 + 64 };

struct making {
    const struct builder *b;
    const struct packet_spec *s;
    bool from_peer; /* else it is a packet of the host's, to be quoted */
    uint8_t bytes[TRANSPORT_MOST];
    size_t n;
    const char *why;
};

static void put(uint8_t *at, unsigned n, uint64_t v)
{
    while (n--) {
        at[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* The field's value, or what it is when the script does not say. */
static int64_t value(const struct making *m, enum field f, int64_t otherwise)
{
    const struct match *given = &m->s->fields[f];

    return given->a ? values_of(m->b->values, given->a) : otherwise;
}

static bool given(const struct making *m, enum field f)
{
    return m->s->fields[f].a != NULL;
}

static uint16_t sum_of(const struct making *m, uint8_t protocol)
{
    uint32_t src = (uint32_t)value(m, FIELD_SRC, m->from_peer ? m->b->peer_ip : m->b->host_ip);
    uint32_t dst = (uint32_t)value(m, FIELD_DST, m->from_peer ? m->b->host_ip : m->b->peer_ip);
    uint32_t pseudo = (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + protocol + (uint32_t)m->n;
    uint16_t sum = (uint16_t)~frame_sum(m->bytes, m->n, protocol == PACKET_ICMP ? 0 : pseudo);

    return m->s->bad_sum ? (uint16_t)(sum ^ 0x5555) : sum;
}

/* The payload behind a header of n bytes: the text, or the pattern from position on. */
static void payload(struct making *m, size_t n, int64_t position)
{
    int64_t len = value(m, FIELD_LEN, 0);

    if (len < 0 || (uint64_t)len > 65535 - n) {
        m->why = "a payload of that length does not fit into an IP packet";
        len = 0;
    }
    for (int64_t i = 0; i < len; i++)
        m->bytes[n + (size_t)i] =
            m->s->has_text && (size_t)i < m->s->text.n ? m->s->text.at[i] : pattern(position + i);
    m->n = n + (size_t)len;
}

static int64_t port(const struct making *m, enum field f)
{
    bool of_peer = (f == FIELD_FROM) == m->from_peer;

    return value(m, f, of_peer ? m->b->flow->peer_port : m->b->flow->host_port);
}

/* ---- TCP ---- */

static uint32_t absolute(const struct match *m, struct values *v, uint32_t base, uint32_t otherwise)
{
    return m->a ? (uint32_t)values_of(v, m->a) + base : otherwise;
}

static size_t put_ts(const struct making *m, const struct option_spec *o, uint8_t *at)
{
    const struct flow *f = m->b->flow;

    at[0] = 8;
    at[1] = 10;
    put(at + 2, 4, absolute(&o->a, m->b->values, f->peer.ts_base, m->b->clock + f->peer.ts_base));
    put(at + 6, 4, absolute(&o->b, m->b->values, f->host.ts_base, f->host.said_ts ? f->host.ts_last : 0));
    return 10;
}

static size_t put_sack(const struct making *m, const struct option_spec *o, uint8_t *at)
{
    uint32_t base = m->b->flow->host.isn;

    at[0] = 5;
    at[1] = (uint8_t)(2 + 8 * o->blocks);
    for (unsigned i = 0; i < o->blocks; i++) {
        put(at + 2 + 8 * i, 4, absolute(&o->left[i], m->b->values, base, 0));
        put(at + 6 + 8 * i, 4, absolute(&o->right[i], m->b->values, base, 0));
    }
    return at[1];
}

static size_t put_plain(uint8_t *at, uint8_t kind, uint8_t n, uint64_t v)
{
    at[0] = kind;
    at[1] = (uint8_t)(n + 2);
    put(at + 2, n, v);
    return n + 2u;
}

static size_t put_option(const struct making *m, const struct option_spec *o, uint8_t *at)
{
    int64_t a = o->a.a ? values_of(m->b->values, o->a.a) : 0;

    switch (o->kind) {
    case OPT_END:
    case OPT_NOP:
        at[0] = o->kind == OPT_NOP;
        return 1;
    case OPT_MSS:
        return put_plain(at, 2, 2, (uint64_t)a);
    case OPT_WSCALE:
        return put_plain(at, 3, 1, (uint64_t)a);
    case OPT_SACKOK:
        return put_plain(at, 4, 0, 0);
    case OPT_SACK:
        return put_sack(m, o, at);
    case OPT_TS:
        return put_ts(m, o, at);
    case OPT_OTHER:
        put_plain(at, (uint8_t)a, 0, 0);
        at[1] = (uint8_t)(2 + o->bytes.n);
        memcpy(at + 2, o->bytes.at ? o->bytes.at : (const uint8_t *)"", o->bytes.n);
        return at[1];
    case OPT_RAW:
        memcpy(at, o->bytes.at, o->bytes.n);
        return o->bytes.n;
    }
    return 0;
}

/* The options' length in whole words. */
static size_t put_options(struct making *m, uint8_t *at)
{
    static const struct option_spec ts = { .kind = OPT_TS }, nop = { .next = &ts, .kind = OPT_NOP },
                                    agreed = { .next = &nop, .kind = OPT_NOP };
    const struct option_spec *o = m->s->options;
    uint8_t room[128] = { 0 };
    size_t n = 0;

    if (!m->s->options_given && flow_has_ts(m->b->flow) && m->from_peer)
        o = &agreed; /* RFC 7323 3.2: every segment, once agreed */
    for (; o && n <= 40; o = o->next)
        n += put_option(m, o, room + n);
    if (n > 40)
        m->why = "TCP has room for 40 bytes of options";
    n = n > 40 ? 40 : (n + 3) / 4 * 4;
    memcpy(at, room, n);
    return n;
}

static uint32_t window(struct making *m)
{
    struct side *peer = &m->b->flow->peer;
    bool syn = m->s->flags & SYN;
    uint32_t w;

    if (given(m, FIELD_WIN) && m->from_peer)
        peer->window = (uint32_t)value(m, FIELD_WIN, 0);
    w = peer->window >> (flow_scales(m->b->flow) && !syn ? peer->scale : 0); /* RFC 7323 2.2 */
    return (uint32_t)value(m, FIELD_RAWWIN, w > 65535 ? 65535 : w);
}

static void make_tcp(struct making *m)
{
    struct flow *f = m->b->flow;
    struct side *own = m->from_peer ? &f->peer : &f->host, *other = m->from_peer ? &f->host : &f->peer;
    bool ack = m->s->flags & ACK, syn = m->s->flags & SYN;
    uint32_t seq = (uint32_t)value(m, FIELD_SEQ, syn ? 0 : m->from_peer ? own->next : f->host_una);
    uint32_t raw_ack = (uint32_t)value(m, FIELD_ACK, other->next) + other->isn;
    uint8_t *h = m->bytes;
    size_t header;

    put(h, 2, (uint64_t)port(m, FIELD_FROM));
    put(h + 2, 2, (uint64_t)port(m, FIELD_TO));
    put(h + 4, 4, (uint64_t)value(m, FIELD_RAWSEQ, seq + own->isn));
    put(h + 8, 4, (uint64_t)value(m, FIELD_RAWACK, ack || given(m, FIELD_ACK) ? raw_ack : 0));
    header = 20 + put_options(m, h + 20);
    put(h + 12, 1, (uint64_t)value(m, FIELD_DOFF, (int64_t)header / 4) << 4);
    h[13] = m->s->flags;
    put(h + 14, 2, window(m));
    put(h + 18, 2, (uint64_t)value(m, FIELD_URG, 0));
    payload(m, header, (int64_t)(int32_t)seq - !syn);
    put(h + 16, 2, sum_of(m, PACKET_TCP));
}

/* ---- UDP, ICMP, ARP ---- */

static void make_udp(struct making *m)
{
    uint16_t sum;

    payload(m, 8, 0);
    put(m->bytes, 2, (uint64_t)port(m, FIELD_FROM));
    put(m->bytes + 2, 2, (uint64_t)port(m, FIELD_TO));
    put(m->bytes + 4, 2, (uint64_t)value(m, FIELD_LENGTH, (int64_t)m->n));
    sum = sum_of(m, PACKET_UDP);
    put(m->bytes + 6, 2, m->s->no_sum ? 0 : sum ? sum : 0xffff);
}

static size_t make_ip(struct making *m, uint8_t *out, size_t room);
static void make_transport(struct making *m);

/* The host's packet that this error is about: its IP header and the first bytes behind (RFC 792: 8). */
static size_t quote(struct making *m, uint8_t *at, size_t room)
{
    static struct making inner; /* large */
    size_t n, keep;

    inner = (struct making){ .b = m->b, .s = m->s->about, .from_peer = !m->from_peer };
    make_transport(&inner);
    n = make_ip(&inner, at, room);
    if (inner.why)
        m->why = inner.why;
    keep = (at[0] & 15u) * 4 + (size_t)value(m, FIELD_QUOTE, 8);
    return n < keep ? n : keep;
}

static void make_icmp(struct making *m)
{
    put(m->bytes, 1, (uint64_t)value(m, FIELD_TYPE, 0));
    put(m->bytes + 1, 1, (uint64_t)value(m, FIELD_CODE, 0));
    put(m->bytes + 4, 2, (uint64_t)value(m, FIELD_ICMPID, 0));
    put(m->bytes + 6, 2, (uint64_t)value(m, FIELD_NUM, value(m, FIELD_MTU, 0)));
    if (m->s->about)
        m->n = 8 + quote(m, m->bytes + 8, BUILD_MOST);
    else
        payload(m, 8, 0);
    put(m->bytes + 2, 2, sum_of(m, PACKET_ICMP));
}

static void make_arp(struct making *m) /* RFC 826 */
{
    uint8_t *h = m->bytes;

    put(h, 2, (uint64_t)value(m, FIELD_HW, 1));
    put(h + 2, 2, (uint64_t)value(m, FIELD_PT, FRAME_IPV4));
    put(h + 4, 1, (uint64_t)value(m, FIELD_HLEN, 6));
    put(h + 5, 1, (uint64_t)value(m, FIELD_PLEN, 4));
    put(h + 6, 2, (uint64_t)value(m, FIELD_OP, 1));
    put(h + 8, 6, (uint64_t)value(m, FIELD_SMAC, (int64_t)m->b->peer_mac));
    put(h + 14, 4, (uint64_t)value(m, FIELD_SENDER, m->b->peer_ip));
    put(h + 18, 6, (uint64_t)value(m, FIELD_TMAC, value(m, FIELD_OP, 1) == 2 ? (int64_t)m->b->host_mac : 0));
    put(h + 24, 4, (uint64_t)value(m, FIELD_TARGET, m->b->host_ip));
    m->n = 28;
}

static void make_transport(struct making *m)
{
    switch (m->s->kind) {
    case KIND_TCP:
        make_tcp(m);
        break;
    case KIND_UDP:
        make_udp(m);
        break;
    case KIND_ICMP:
        make_icmp(m);
        break;
    case KIND_ARP:
        make_arp(m);
        break;
    case KIND_OTHER:
        payload(m, 0, 0);
        break;
    case KIND_ANY:
        m->why = "'any' is for what the host sends";
    }
}

/* ---- IP ---- */

static uint8_t protocol(const struct making *m)
{
    static const uint8_t of_kind[] = { [KIND_TCP] = PACKET_TCP,
                                       [KIND_UDP] = PACKET_UDP,
                                       [KIND_ICMP] = PACKET_ICMP,
                                       [KIND_OTHER] = 0,
                                       [KIND_ARP] = 0 };

    return (uint8_t)value(m, FIELD_PROTO, of_kind[m->s->kind]);
}

/* Which bytes behind the header this packet has. */
static void part(struct making *m, size_t *from, size_t *to)
{
    *from = m->s->part_from ? (size_t)values_of(m->b->values, m->s->part_from) : 0;
    *to = m->s->part_to ? (size_t)values_of(m->b->values, m->s->part_to) : m->n;
    if (*from > *to || *to > m->n) {
        m->why = "that part lies outside of the packet";
        *from = *to = 0;
    }
}

static size_t make_ip(struct making *m, uint8_t *out, size_t room) /* RFC 791 3.1 */
{
    size_t from, to, header = 20 + m->s->ip_options.n, n;
    uint64_t more, fragment;

    part(m, &from, &to);
    n = header + to - from;
    if (n > room) {
        m->why = "the packet does not fit into a frame; send it in parts";
        return 0;
    }
    more = (uint64_t)value(m, FIELD_MORE, to < m->n);
    fragment = ((uint64_t)value(m, FIELD_OFFSET, (int64_t)from) / 8 & 0x1fff) | (more & 1) << 13 |
               ((uint64_t)value(m, FIELD_DF, 0) & 1) << 14;
    put(out, 1,
        (uint64_t)value(m, FIELD_VERSION, 4) << 4 |
            ((uint64_t)value(m, FIELD_IHL, (int64_t)header / 4) & 15));
    put(out + 1, 1, (uint64_t)value(m, FIELD_TOS, 0));
    put(out + 2, 2, (uint64_t)value(m, FIELD_TOTAL, (int64_t)n));
    put(out + 4, 2, (uint64_t)value(m, FIELD_ID, 0));
    put(out + 6, 2, fragment);
    put(out + 8, 1, (uint64_t)value(m, FIELD_TTL, 64));
    put(out + 9, 1, protocol(m));
    put(out + 10, 2, 0);
    put(out + 12, 4, (uint64_t)value(m, FIELD_SRC, m->from_peer ? m->b->peer_ip : m->b->host_ip));
    put(out + 16, 4, (uint64_t)value(m, FIELD_DST, m->from_peer ? m->b->host_ip : m->b->peer_ip));
    if (m->s->ip_options.n)
        memcpy(out + 20, m->s->ip_options.at, m->s->ip_options.n);
    put(out + 10, 2, (uint16_t)~frame_sum(out, header, 0) ^ (m->s->bad_ip_sum ? 0x5555 : 0));
    memcpy(out + header, m->bytes + from, to - from);
    return n;
}

static size_t make_ethernet(struct making *m, uint8_t *frame)
{
    bool arp = m->s->kind == KIND_ARP;
    size_t n, pad = (size_t)value(m, FIELD_PAD, 0) & 0x3ff, cut;

    put(frame, 6,
        (uint64_t)value(m, FIELD_MAC,
                        arp && value(m, FIELD_OP, 1) == 1 ? 0xffffffffffff : (int64_t)m->b->host_mac));
    put(frame + 6, 6, m->b->peer_mac);
    put(frame + 12, 2, arp ? FRAME_ARP : FRAME_IPV4);
    if (arp)
        memcpy(frame + FRAME_HEADER, m->bytes, n = m->n);
    else
        n = make_ip(m, frame + FRAME_HEADER, BUILD_MOST - FRAME_HEADER - pad);
    memset(frame + FRAME_HEADER + n, 0xee, pad);
    n += pad;
    cut = (size_t)value(m, FIELD_CUT, (int64_t)n);
    if (cut < n)
        return FRAME_HEADER + cut;
    n += FRAME_HEADER;
    for (; n < FRAME_MIN; n++)
        frame[n] = 0;
    return n;
}

size_t build_frame(const struct builder *b, const struct packet_spec *s, uint8_t frame[BUILD_MOST],
                   char why[160])
{
    static struct making m; /* large */
    size_t n;

    m = (struct making){ .b = b, .s = s, .from_peer = true };
    make_transport(&m);
    n = make_ethernet(&m, frame);
    if (m.why)
        snprintf(why, 160, "%s", m.why);
    return m.why ? 0 : n;
}
