/* net/tcp/tcp_ipv4.c - between IPv4 and TCP: which socket is a segment for, and what an ICMP error means.
 * A connection is looked for first, then a listener; what fits neither is answered as RFC 9293 3.10.7.1 says
 * of CLOSED. */
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp.h"

static bool is_listening(const struct sock *sk)
{
    return __atomic_load_n(&sk->state, __ATOMIC_ACQUIRE) == TCPS_LISTEN; /* and then there is a queue */
}

/* RFC 1122 4.2.3.10: no connection with a broadcast or multicast address at either end, and no reset to one.
 */
static bool is_unicast(const struct tcp_segment *seg)
{
    return seg->skb->pkt_type == PACKET_HOST && inet_addr_kind(seg->net, seg->daddr, NULL) == DST_LOCAL;
}

/* RFC 9293 3.10.7.2 and, when nobody listens, 3.10.7.1. */
static void deliver_to_listener(struct tcp_segment *seg)
{
    struct net *net = seg->net;
    if (!is_unicast(seg)) {
        tcp_drop(seg, SKB_DROP_IP_NOT_FOR_US);
        return;
    }
    struct sock *sk = port_table_lookup(&net->tcp->ports, seg->daddr, seg->dest, seg->saddr, seg->source,
                                        seg->skb->dev->ifindex, is_listening);
    if (sk) {
        tcp_listen_receive(tcp_sk(sk), seg);
        sock_put(sk);
        return;
    }
    tcp_reply_reset(seg);
    tcp_drop(seg, SKB_DROP_TCP_NO_SOCKET);
}

/* Is there a connection, or what is left of one? Then it has had seg. */
static bool deliver_to_connection(struct tcp_segment *seg)
{
    const struct tcp_ends ends = tcp_segment_ends(seg);
    struct tcp_node *node;
    bool taken = false;
    while (!taken && (node = tcp_hash_lookup(seg->net, &ends))) {
        taken = node->time_wait ? tcp_timewait_receive(tcp_node_timewait(node), seg)
                                : tcp_receive(tcp_node_sock(node), seg);
        tcp_node_put(seg->net, node);
    }
    return taken;
}

static void deliver(struct tcp_segment *seg)
{
    if (deliver_to_connection(seg))
        return;
    if (READ_ONCE(seg->net->tcp->syncache.n) && tcp_syncache_receive(seg))
        return;
    /* A half-open connection is in one table until its child is in the other: but it may have changed between
     * our two looks. A SYN can wait for its repetition. */
    if (tcp_segment_has(seg, TCP_FLAG_ACK) && deliver_to_connection(seg))
        return;
    deliver_to_listener(seg);
}

static void tcp_v4_rcv(struct sk_buff *skb)
{
    struct tcp_segment seg;
    if (tcp_segment_parse(skb, &seg)) {
        seg.net = dev_net(skb->dev);
        tcp_count(seg.net, TCP_COUNT_segments_in);
        if (skb_is_train(skb))
            tcp_count_many(seg.net, TCP_COUNT_segments_in, gro_cb(skb)->packets - 1);
        trace("tcp.receive", skb->id, skb->len);
        deliver(&seg);
    }
    if (seg.dropped)
        kfree_skb_reason(seg.skb, seg.reason);
    else
        consume_skb(seg.skb);
}

/* ---- ICMP ---- */

/* RFC 5927 4.1: an error about a segment that is not in flight was made up, or came too late. */
static bool in_flight(const struct tcp_sock *tp, uint32_t seq)
{
    return seq_within(seq, tp->snd_una, tp->snd_nxt);
}

/* RFC 1191 6.4: smaller segments from now on, and at once again what was too big; not a sign of congestion.
 */
static void path_mtu_fell(struct tcp_sock *tp, uint32_t mtu, uint32_t length)
{
    uint32_t before = tp->mss;
    ip_pmtu_learn(tp->sk.net, tp->sk.daddr, mtu, length);
    if (tcp_check_route(tp) || tp->mss >= before) /* the new route has the new MTU */
        return;
    if (tcp_in(tp, TCPS_SENDING)) {
        tcp_recovery_too_big(tp);
        tcp_output(tp);
    }
}

/* RFC 1122 4.2.3.9 and RFC 5461 2: a hard error ends an attempt to connect; a connection that stands, and
 * every soft error, waits for the time-out to tell. */
static void take_error(struct tcp_sock *tp, uint8_t type, uint8_t code)
{
    bool hard;
    int err = icmp_errno(type, code, &hard);
    if (hard && tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED)))
        tcp_fail(tp, err);
    else
        tp->soft_err = err;
}

/* That a packet was too big is news about the path alone. */
static bool is_hard(uint8_t type, uint8_t code)
{
    bool hard;
    icmp_errno(type, code, &hard);
    return hard && !(type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED);
}

/* length: of the packet that the error quotes. */
static void connection_error(struct tcp_sock *tp, uint32_t seq, uint32_t length, uint8_t type, uint8_t code,
                             uint32_t info)
{
    lock_acquire(&tp->sk.lock);
    if (tcp_in(tp, TCPS_BIT(CLOSED)) || !in_flight(tp, seq))
        tcp_count(tp->sk.net, TCP_COUNT_icmps_not_in_flight);
    else if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED)
        path_mtu_fell(tp, info, length);
    else
        take_error(tp, type, code);
    lock_release(&tp->sk.lock);
}

static void tcp_v4_err(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    enum { QUOTED = 8 }; /* RFC 792: ports and sequence number */
    const struct ip_hdr *ip = skb_header(skb, sizeof *ip);
    if (type == ICMP_SOURCE_QUENCH ||
        type == ICMP_REDIRECT) /* RFC 6633 3; a redirect is the route's affair */
        return;
    if (!ip || !skb_header(skb, ip_hdr_len(ip) + QUOTED))
        return;
    const struct tcp_hdr *th = (const struct tcp_hdr *)(skb->data + ip_hdr_len(ip));
    const struct tcp_ends ends = { ip->saddr, ip->daddr, th->source, th->dest };
    struct net *net = dev_net(skb->dev);
    struct tcp_node *node = tcp_hash_lookup(net, &ends);
    if (!node) {
        tcp_syncache_error(net, &ends, be32_to_cpu(th->seq), is_hard(type, code));
        return;
    }
    if (!node->time_wait)
        connection_error(tcp_node_sock(node), be32_to_cpu(th->seq), be16_to_cpu(ip->tot_len), type, code,
                         info);
    tcp_node_put(net, node);
}

const struct inet_protocol tcp_protocol = { .handler = tcp_v4_rcv,
                                            .err_handler = tcp_v4_err,
                                            .gro_begins = tcp_gro_begins,
                                            .gro_follows = tcp_gro_follows };
