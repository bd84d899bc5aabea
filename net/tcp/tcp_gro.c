/* net/tcp/tcp_gro.c - trains of segments (net/core/gro.h): which segments are one for the connection, and
 * when they are not. A train is text alone, in order, with the same acknowledgement, window and options
 * throughout, as if its sender had made one long segment. Anything else a segment can say (SYN, FIN, RST,
 * URG, a mark of congestion, a new window, other timestamps) keeps it out. RFC 9293 3.8.6.3 knows that such
 * merging leaves fewer acknowledgements. */
#include "lib/string.h"
#include "net/core/gro.h"
#include "net/tcp/tcp.h"

static const struct tcp_hdr *header_of(const struct sk_buff *skb, uint32_t n)
{
    const uint8_t *bytes = skb_header(skb, n + TCP_HEADER_MIN);
    return (const struct tcp_hdr *)(bytes ? bytes + n : NULL);
}

static uint32_t header_length(const struct tcp_hdr *th)
{
    return (th->doff_rsrvd >> 4) * 4u;
}

/* How much text lies behind the headers; 0 also where the header's length is impossible. */
static uint32_t text_of(const struct sk_buff *skb, const struct tcp_hdr *th, uint32_t n)
{
    uint32_t headers = n + header_length(th);
    return header_length(th) >= TCP_HEADER_MIN && headers < skb->len ? skb->len - headers : 0;
}

/* The sum is right, and need not be looked at again. */
static bool sum_is_right(struct sk_buff *skb, uint32_t n)
{
    const struct ip_hdr *ip = (const struct ip_hdr *)skb->data;
    if (skb->ip_summed != CHECKSUM_UNNECESSARY && !tcp_checksum_right(ip, skb->data + n, skb->len - n))
        return false;
    skb->ip_summed = CHECKSUM_UNNECESSARY;
    return true;
}

bool tcp_gro_begins(struct sk_buff *skb, uint32_t n)
{
    const struct tcp_hdr *th = header_of(skb, n);
    if (!th || th->flags != TCP_FLAG_ACK) /* behind a PSH comes a pause */
        return false;
    uint32_t text = text_of(skb, th, n);
    if (!text || !sum_is_right(skb, n))
        return false;
    *gro_cb(skb) = (struct gro_cb){ .bytes = text, .packets = 1, .next = be32_to_cpu(th->seq) + text };
    return true;
}

static bool says_the_same(const struct tcp_hdr *a, const struct tcp_hdr *b)
{
    return a->doff_rsrvd == b->doff_rsrvd && (a->flags | TCP_FLAG_PSH) == (b->flags | TCP_FLAG_PSH) &&
           a->ack.raw == b->ack.raw && a->window.raw == b->window.raw &&
           memcmp(a + 1, b + 1, header_length(a) - TCP_HEADER_MIN) == 0;
}

enum gro_verdict tcp_gro_follows(struct sk_buff *train, struct sk_buff *skb, uint32_t n, bool alike)
{
    const struct tcp_hdr *th = header_of(skb, n), *head = header_of(train, n);
    const struct gro_cb *cb = gro_cb(train);
    if (!th || th->source.raw != head->source.raw || th->dest.raw != head->dest.raw)
        return GRO_STRANGER;
    uint32_t text = text_of(skb, th, n), full = train->gso_size ? train->gso_size : cb->bytes;
    bool next = text && text <= full && be32_to_cpu(th->seq) == cb->next && cb->bytes + text <= GRO_BYTES_MAX;
    if (!alike || !next || !says_the_same(head, th) || !sum_is_right(skb, n))
        return GRO_BREAKS;
    bool last = text < full || th->flags & TCP_FLAG_PSH;
    skb_pull(skb, skb->len - text);
    return last ? GRO_LAST : GRO_FOLLOWS;
}

bool tcp_train_is_segment(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return seg->seq == tp->rcv_nxt && seg->len <= tp->rcv_wnd && skb_queue_empty(&tp->ofo_queue) &&
           tcp_in(tp, TCPS_MAY_RECEIVE) && !tp->sk.dead;
}
