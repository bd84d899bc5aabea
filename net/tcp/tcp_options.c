/* net/tcp/tcp_options.c - segments read, options read and written.
 * Everything a header claims about lengths is checked here, once; who holds a struct tcp_segment may trust
 * it. */
#include "net/tcp/tcp_options.h"
#include "lib/string.h"
#include "net/ipv4/ip.h"

enum tcp_option_kind { /* RFC 9293 3.2; RFC 7323 2.2, 3.2; RFC 2018 2 */
                       OPTION_END = 0,
                       OPTION_NOP = 1,
                       OPTION_MSS = 2,
                       OPTION_WSCALE = 3,
                       OPTION_SACK_PERMITTED = 4,
                       OPTION_SACK = 5,
                       OPTION_TIMESTAMP = 8
};
enum tcp_option_length {
    LENGTH_MSS = 4,
    LENGTH_WSCALE = 3,
    LENGTH_SACK_PERMITTED = 2,
    LENGTH_SACK = 2, /* and a block's for each */
    LENGTH_SACK_BLOCK = 8,
    LENGTH_TIMESTAMP = 10
};

static uint32_t read_be32(const uint8_t *p)
{
    be32 v;
    memcpy(&v, p, sizeof v);
    return be32_to_cpu(v);
}
static void write_be32(uint8_t *p, uint32_t value)
{
    be32 v = cpu_to_be32(value);
    memcpy(p, &v, sizeof v);
}

static void sacks_parse(const uint8_t *p, uint8_t length, struct tcp_options *o)
{
    unsigned n = (length - LENGTH_SACK) / LENGTH_SACK_BLOCK;
    if ((length - LENGTH_SACK) % LENGTH_SACK_BLOCK || n > TCP_SACKS_MAX) /* RFC 2018 3 */
        return;
    for (unsigned i = 0; i < n; i++, p += LENGTH_SACK_BLOCK)
        o->sacks[i] = (struct tcp_sack_block){ read_be32(p), read_be32(p + 4) };
    o->n_sacks = (uint8_t)n;
}

/* One option of known kind; one whose length is not the standard's is passed over like an unknown one. */
static void option_parse(const uint8_t *p, uint8_t length, struct tcp_options *o)
{
    switch (p[0]) {
    case OPTION_MSS:
        if (length == LENGTH_MSS)
            o->mss = (uint16_t)(p[2] << 8 | p[3]);
        break;
    case OPTION_WSCALE:
        if (length == LENGTH_WSCALE) {
            o->has_wscale = true;
            o->wscale = MIN(p[2], (uint8_t)TCP_WSCALE_MAX); /* RFC 7323 2.3: more than 14 means 14 */
        }
        break;
    case OPTION_SACK_PERMITTED:
        o->sack_permitted |= length == LENGTH_SACK_PERMITTED;
        break;
    case OPTION_SACK:
        sacks_parse(p + LENGTH_SACK, length, o);
        break;
    case OPTION_TIMESTAMP:
        if (length == LENGTH_TIMESTAMP) {
            o->has_timestamp = true;
            o->ts_val = read_be32(p + 2);
            o->ts_ecr = read_be32(p + 6);
        }
        break;
    }
}

bool tcp_options_parse(const uint8_t *p, uint32_t n, struct tcp_options *o)
{
    *o = (struct tcp_options){ 0 };
    for (uint32_t at = 0; at < n;) {
        if (p[at] == OPTION_END)
            return true;
        if (p[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (n - at < 2 || p[at + 1] < 2 || p[at + 1] > n - at) /* RFC 9293 3.2, MUST-7 */
            return false;
        option_parse(p + at, p[at + 1], o);
        at += p[at + 1];
    }
    return true;
}

uint32_t tcp_options_length(const struct tcp_options *o)
{
    uint32_t n = 0;
    n += o->mss ? LENGTH_MSS : 0;
    n += o->has_wscale ? 1 + LENGTH_WSCALE : 0;
    n += o->has_timestamp ? 2 + LENGTH_TIMESTAMP : 0;
    n += o->sack_permitted ? 2 + LENGTH_SACK_PERMITTED : 0;
    n += o->n_sacks ? 2 + LENGTH_SACK + o->n_sacks * (uint32_t)LENGTH_SACK_BLOCK : 0;
    return n;
}

/* Behind two NOPs, so that the numbers lie on a word boundary (RFC 2018 3). */
static uint8_t *sacks_write(uint8_t *p, const struct tcp_options *o)
{
    const uint8_t bytes[] = { OPTION_NOP, OPTION_NOP, OPTION_SACK,
                              (uint8_t)(LENGTH_SACK + o->n_sacks * LENGTH_SACK_BLOCK) };
    memcpy(p, bytes, sizeof bytes);
    p += sizeof bytes;
    for (unsigned i = 0; i < o->n_sacks; i++, p += LENGTH_SACK_BLOCK) {
        write_be32(p, o->sacks[i].start);
        write_be32(p + 4, o->sacks[i].end);
    }
    return p;
}

uint32_t tcp_options_write(uint8_t *p, const struct tcp_options *o)
{
    const uint8_t *start = p;
    if (o->mss) {
        const uint8_t bytes[] = { OPTION_MSS, LENGTH_MSS, (uint8_t)(o->mss >> 8), (uint8_t)o->mss };
        memcpy(p, bytes, sizeof bytes);
        p += sizeof bytes;
    }
    if (o->sack_permitted) {
        const uint8_t bytes[] = { OPTION_NOP, OPTION_NOP, OPTION_SACK_PERMITTED, LENGTH_SACK_PERMITTED };
        memcpy(p, bytes, sizeof bytes);
        p += sizeof bytes;
    }
    if (o->has_timestamp) { /* the layout of RFC 7323 appendix A */
        const uint8_t bytes[] = { OPTION_NOP, OPTION_NOP, OPTION_TIMESTAMP, LENGTH_TIMESTAMP };
        memcpy(p, bytes, sizeof bytes);
        write_be32(p + 4, o->ts_val);
        write_be32(p + 8, o->ts_ecr);
        p += 12;
    }
    if (o->has_wscale) {
        const uint8_t bytes[] = { OPTION_NOP, OPTION_WSCALE, LENGTH_WSCALE, o->wscale };
        memcpy(p, bytes, sizeof bytes);
        p += sizeof bytes;
    }
    if (o->n_sacks)
        p = sacks_write(p, o);
    return (uint32_t)(p - start);
}

static bool bad(struct tcp_segment *seg, enum skb_drop_reason reason)
{
    seg->dropped = true;
    seg->reason = reason;
    return false;
}

bool tcp_checksum_right(const struct ip_hdr *ip, const void *segment, uint32_t n)
{
    csum_t sum = csum_pseudo_ipv4(ip->saddr, ip->daddr, ip->protocol, (uint16_t)n);
    return csum_fold_sum(csum_partial(segment, n, sum)) == 0xffff;
}

static void segment_fill(struct tcp_segment *seg, const struct tcp_hdr *th, const struct ip_hdr *ip)
{
    seg->seq = be32_to_cpu(th->seq);
    seg->ack = be32_to_cpu(th->ack);
    seg->flags = th->flags;
    seg->tos = ip->tos;
    seg->window = be16_to_cpu(th->window);
    seg->urgent = be16_to_cpu(th->urgent);
    seg->source = th->source;
    seg->dest = th->dest;
    seg->saddr = ip->saddr;
    seg->daddr = ip->daddr;
}

bool tcp_segment_parse(struct sk_buff *skb, struct tcp_segment *seg)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    const struct tcp_hdr *th = skb_header(skb, sizeof *th);
    *seg = (struct tcp_segment){ .skb = skb };
    if (!th)
        return bad(seg, SKB_DROP_TCP_SHORT);
    uint32_t header = (th->doff_rsrvd >> 4) * 4u;
    if (header < TCP_HEADER_MIN || header > skb->len) /* RFC 9293 3.1 */
        return bad(seg, SKB_DROP_TCP_HEADER_LENGTH);
    if (skb->ip_summed != CHECKSUM_UNNECESSARY &&
        !tcp_checksum_right(ip, skb->data, skb->len)) /* RFC 9293 3.1, MUST-3 */
        return bad(seg, SKB_DROP_TCP_CSUM);
    if (!tcp_options_parse((const uint8_t *)(th + 1), header - TCP_HEADER_MIN, &seg->options))
        return bad(seg, SKB_DROP_TCP_OPTIONS);
    segment_fill(seg, th, ip);
    skb_reset_transport_header(skb);
    skb_pull(skb, header);
    seg->packet = skb->len;
    seg->len = (skb_is_train(skb) ? gro_cb(skb)->bytes : skb->len) + tcp_segment_has(seg, TCP_FLAG_SYN) +
               tcp_segment_has(seg, TCP_FLAG_FIN);
    return true;
}
