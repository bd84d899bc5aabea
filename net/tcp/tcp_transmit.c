/* net/tcp/tcp_transmit.c - from sequence numbers to a segment on the wire: header, options, checksum, route.
 * The checksum is left to whoever sends (CHECKSUM_PARTIAL), so that no byte is touched for it here. */
#include "lib/string.h"
#include "net/tcp/tcp.h"

enum { IP_AND_TCP_HEADER = 40, MSS_MIN = 64, MSS_MAX = 15360 }; /* the last: one buffer, one allocation */

static struct tcp_options options_for(const struct tcp_sock *tp, uint8_t flags)
{
    struct tcp_options o = { 0 };
    if (flags & TCP_FLAG_SYN) {
        o.mss = tcp_advertised_mss(tp); /* RFC 9293 3.7.1, MUST-14 */
        /* RFC 7323 2.2: offered in a SYN, returned in a SYN+ACK only when the SYN had it */
        o.has_wscale = flags & TCP_FLAG_ACK ? tp->rcv_wscale : READ_ONCE(tcp_state_of(tp)->window_scaling);
        o.wscale = tcp_window_shift();
        o.sack_permitted =
            flags & TCP_FLAG_ACK ? tp->sack_ok : READ_ONCE(tcp_state_of(tp)->sack); /* RFC 2018 2 */
    }
    /* RFC 7323 3.2: offered and returned likewise, then on every segment; the echo counts with ACK only */
    bool first = (flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
    o.has_timestamp = tp->ts_ok || (first && READ_ONCE(tcp_state_of(tp)->timestamps));
    if (o.has_timestamp) {
        o.ts_val = tcp_ts_now(tp);
        o.ts_ecr = flags & TCP_FLAG_ACK ? tp->ts_recent : 0;
    }
    return o;
}

/* The field holds the pseudo-header's sum; the rest is added from csum_start on (RFC 9293 3.1). */
static void checksum_partial(struct sk_buff *skb, struct tcp_hdr *th, be32 saddr, be32 daddr)
{
    csum_t pseudo = csum_pseudo_ipv4(saddr, daddr, IPPROTO_TCP, (uint16_t)skb->len);
    th->check = (be16){ csum_fold_sum(pseudo) };
    skb->ip_summed = CHECKSUM_PARTIAL;
    skb->csum_start = (uint16_t)skb_headroom(skb);
    skb->csum_offset = offsetof(struct tcp_hdr, check);
}

/* What we owed is settled by this segment. */
static void acked_by_it(struct tcp_sock *tp)
{
    tp->ack_now = false;
    tp->last_ack_sent = tp->rcv_nxt;
    tcp_timer_stop(tp, TCP_TIMER_DELACK);
}

/* On every ACK (RFC 2018 4); a full segment that was cut before there was something to tell has no room. */
static void add_sacks(struct tcp_sock *tp, struct tcp_options *o, uint32_t text, uint8_t flags)
{
    uint32_t room = text ? tp->mss - MIN(text, tp->mss) : TCP_OPTIONS_MAX;
    if ((flags & (TCP_FLAG_ACK | TCP_FLAG_SYN | TCP_FLAG_RST)) == TCP_FLAG_ACK)
        tcp_sack_write(tp, o, room);
}

static void header_push(struct tcp_sock *tp, struct sk_buff *skb, uint32_t seq, uint8_t flags)
{
    struct tcp_options o = options_for(tp, flags);
    if (tp->n_reports || tp->dsack_due)
        add_sacks(tp, &o, skb->len, flags);
    uint32_t length = TCP_HEADER_MIN + tcp_options_length(&o);
    struct tcp_hdr *th = skb_push(skb, length);
    *th = (struct tcp_hdr){
        .source = tp->sk.sport,
        .dest = tp->sk.dport,
        .seq = cpu_to_be32(seq),
        .ack = cpu_to_be32(flags & TCP_FLAG_ACK ? tp->rcv_nxt : 0),
        .doff_rsrvd = (uint8_t)(length / 4 << 4),
        .flags = flags,
        .window = cpu_to_be16(tcp_select_window(tp, flags & TCP_FLAG_SYN)),
    };
    if (tp->snd_urgent)
        tcp_urgent_write(tp, th, seq);
    tcp_options_write((uint8_t *)(th + 1), &o);
    skb_reset_transport_header(skb);
    checksum_partial(skb, th, tp->sk.saddr, tp->sk.daddr);
}

int tcp_check_route(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    struct dst_entry *dst;
    if (tp->dst && !dst_is_stale(sk->net, tp->dst))
        return 0;
    const struct ip_flow flow = { .daddr = sk->daddr,
                                  .saddr = sk->saddr,
                                  .ifindex = sk->bound_ifindex,
                                  .protocol = IPPROTO_TCP,
                                  .sport = sk->sport,
                                  .dport = sk->dport };
    int err = ip_route_flow(sk->net, &flow, &dst);
    if (err)
        return err;
    dst_release(tp->dst);
    tp->dst = dst;
    tcp_update_mss(tp);
    return 0;
}

void tcp_transmit(struct tcp_sock *tp, struct sk_buff *skb, uint32_t seq, uint8_t flags)
{
    struct sock *sk = &tp->sk;
    if (tcp_check_route(tp)) {
        kfree_skb_reason(skb, SKB_DROP_IP_NO_ROUTE);
        return;
    }
    bool new_text = skb->len && seq == tp->snd_nxt;
    header_push(tp, skb, seq, flags | tcp_ecn_flags(tp, flags, new_text));
    if (flags & TCP_FLAG_ACK)
        acked_by_it(tp);
    tp->segs_out++;
    tcp_count(sk->net, TCP_COUNT_segments_out);
    trace("tcp.transmit", skb->id, skb->len);
    const struct ip_tx tx = {
        .saddr = sk->saddr,
        .daddr = sk->daddr,
        .protocol = IPPROTO_TCP,
        .ttl = sk->ttl,
        /* RFC 3168 5: the two low bits are ours */
        .tos = (uint8_t)(ROUND_DOWN(sk->tos, 4) | (new_text ? tcp_ecn_codepoint(tp) : 0)),
        .discover = IP_PMTUDISC_WANT, /* RFC 1191 3 */
    };
    /* A segment that cannot leave is a segment lost: retransmission repairs both alike. */
    (void)ip_queue_xmit(sk->net, skb, tp->dst, &tx);
}

void tcp_transmit_control(struct tcp_sock *tp, uint32_t seq, uint8_t flags)
{
    struct sk_buff *skb = alloc_skb_headroom(tp->sk.net, SKB_TX_HEADROOM, 0);
    if (skb)
        tcp_transmit(tp, skb, seq, flags);
}

/* b's header and options in front of skb, of which mss may be announced at most. */
static void bare_push(struct sk_buff *skb, const struct tcp_ends *ends, const struct tcp_bare *b,
                      uint32_t mss)
{
    struct tcp_options o = b->options;
    o.mss = (uint16_t)MIN((uint32_t)o.mss, mss);
    uint32_t length = TCP_HEADER_MIN + tcp_options_length(&o);
    struct tcp_hdr *th = skb_push(skb, length);
    *th = (struct tcp_hdr){
        .source = ends->lport,
        .dest = ends->pport,
        .seq = cpu_to_be32(b->seq),
        .ack = cpu_to_be32(b->ack),
        .doff_rsrvd = (uint8_t)(length / 4 << 4),
        .flags = b->flags,
        .window = cpu_to_be16(b->window),
    };
    tcp_options_write((uint8_t *)(th + 1), &o);
    skb_reset_transport_header(skb);
    checksum_partial(skb, th, ends->local, ends->peer);
}

void tcp_send_bare(struct net *net, const struct tcp_ends *ends, const struct tcp_bare *b)
{
    const struct ip_flow flow = { .daddr = ends->peer,
                                  .saddr = ends->local,
                                  .ifindex = b->ifindex,
                                  .protocol = IPPROTO_TCP,
                                  .sport = ends->lport,
                                  .dport = ends->pport };
    struct dst_entry *dst;
    if (ip_route_flow(net, &flow, &dst))
        return;
    struct sk_buff *skb = alloc_skb_headroom(net, SKB_TX_HEADROOM, 0);
    if (skb) {
        bare_push(skb, ends, b, dst->link_mtu - IP_AND_TCP_HEADER);
        tcp_count(net, TCP_COUNT_segments_out);
        const struct ip_tx tx = { .saddr = ends->local,
                                  .daddr = ends->peer,
                                  .protocol = IPPROTO_TCP,
                                  .ttl = b->ttl,
                                  .tos = (uint8_t)ROUND_DOWN(b->tos, 4), /* RFC 3168 5 */
                                  .discover = IP_PMTUDISC_WANT };
        (void)ip_queue_xmit(net, skb, dst, &tx);
    }
    dst_release(dst);
}

/* RFC 9293 3.5.2, group 1: with the number it acknowledges; or, if it acknowledges none, acknowledging it. */
void tcp_reply_reset(const struct tcp_segment *seg)
{
    if (tcp_segment_has(seg, TCP_FLAG_RST)) /* RFC 9293 3.5.2: never a reset for a reset */
        return;
    bool has_ack = tcp_segment_has(seg, TCP_FLAG_ACK);
    const struct tcp_ends ends = tcp_segment_ends(seg);
    const struct tcp_bare reset = {
        .seq = has_ack ? seg->ack : 0,
        .ack = has_ack ? 0 : seg->seq + seg->len,
        .flags = has_ack ? TCP_FLAG_RST : TCP_FLAG_RST | TCP_FLAG_ACK,
    };
    tcp_count(seg->net, TCP_COUNT_resets_out);
    tcp_send_bare(seg->net, &ends, &reset);
}

/* RFC 9293 3.7.1: what fits into the first link's MTU, options not counted (RFC 6691 2). */
uint16_t tcp_advertised_mss(const struct tcp_sock *tp)
{
    uint32_t mss = tp->dst ? tp->dst->link_mtu - IP_AND_TCP_HEADER : TCP_MSS_DEFAULT;
    if (tp->user_mss)
        mss = MIN(mss, (uint32_t)tp->user_mss);
    return (uint16_t)CLAMP(mss, (uint32_t)MSS_MIN, (uint32_t)UINT16_MAX);
}

void tcp_update_mss(struct tcp_sock *tp)
{
    uint32_t mtu = tp->dst ? tp->dst->mtu : IP_AND_TCP_HEADER + TCP_MSS_DEFAULT;
    mtu = tcp_mtu_limit(tp, mtu);
    uint32_t mss = MIN(mtu - IP_AND_TCP_HEADER, (uint32_t)tp->peer_mss); /* RFC 9293 3.7.1, MUST-16 */
    if (tp->user_mss)
        mss = MIN(mss, (uint32_t)tp->user_mss);
    if (tp->ts_ok)
        mss -= MIN(mss, (uint32_t)TCP_TIMESTAMP_LENGTH); /* RFC 6691 2 */
    tp->mss = CLAMP(mss, (uint32_t)MSS_MIN, (uint32_t)MSS_MAX);
}
