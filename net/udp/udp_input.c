/* net/udp/udp_input.c - a datagram arrives, and an error about one of ours.
 * On a receive queue data is the payload; the headers stand before it, where recvfrom() reads the source. */
#include "net/udp/udp_internal.h"

static bool checksum_right(const struct sk_buff *skb, const struct udp_hdr *uh)
{
    const struct ip_hdr *ip = ip_hdr(skb);

    if (skb->ip_summed == CHECKSUM_UNNECESSARY || uh->check.raw == 0) /* RFC 768: zero is 'none' */
        return true;
    csum_t pseudo = csum_pseudo_ipv4(ip->saddr, ip->daddr, IPPROTO_UDP, (uint16_t)skb->len);
    return csum_fold_sum(csum_partial(skb->data, skb->len, pseudo)) == 0xffff;
}

static enum skb_drop_reason check(struct sk_buff *skb)
{
    const struct udp_hdr *uh = skb_header(skb, sizeof *uh);

    if (!uh)
        return SKB_DROP_UDP_SHORT;
    uint16_t len = be16_to_cpu(uh->len);
    if (len < sizeof *uh || len > skb->len) /* RFC 768 "Length" */
        return SKB_DROP_UDP_LENGTH;
    skb_trim(skb, len);
    return checksum_right(skb, uh) ? SKB_NOT_DROPPED : SKB_DROP_UDP_CSUM; /* RFC 1122 4.1.3.4 */
}

static enum skb_drop_reason queue(struct sock *sk, struct sk_buff *skb)
{
    enum skb_drop_reason reason = SKB_NOT_DROPPED;

    inet_cb(skb)->ifindex = skb->dev->ifindex;
    lock_acquire(&sk->lock);
    inet_cb(skb)->drops = sk->drops;
    if (sk->dead)
        reason = SKB_DROP_SOCKET_CLOSED;
    else if (sock_queue_rcv_skb(sk, skb))
        reason = SKB_DROP_SOCKET_RCVBUF_FULL;
    lock_release(&sk->lock);
    net_count(reason == SKB_NOT_DROPPED ? &sk->net->udp->in_datagrams : &sk->net->udp->rcvbuf_errors);
    return reason;
}

/* A broadcast or group's: a clone for one of those that get it. False: sk does not want it. */
static bool deliver_clone(struct sock *sk, void *arg)
{
    struct sk_buff *skb = arg;
    const struct ip_hdr *ip = ip_hdr(skb);

    if (ipv4_is_multicast(ip->daddr) && !ip_group_allowed(sk, ip->daddr, ip->saddr, skb->dev->ifindex))
        return false;
    struct sk_buff *clone = skb_clone(skb);
    if (!clone)
        return true;
    enum skb_drop_reason reason = queue(sk, clone);
    if (reason != SKB_NOT_DROPPED)
        kfree_skb_reason(clone, reason);
    return true;
}

/* RFC 1122 4.1.3.5, socket(7): all that are bound to the port get it. Nobody is told where there is none. */
static enum skb_drop_reason deliver_to_all(struct sk_buff *skb, const struct udp_hdr *uh)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    unsigned n;

    skb_pull(skb, sizeof *uh);
    n = port_table_each(&skb->net->udp->ports, ip->daddr, uh->dest, ip->saddr, uh->source, skb->dev->ifindex,
                        deliver_clone, skb);
    if (!n)
        return SKB_DROP_UDP_NO_MEMBER;
    consume_skb(skb);
    return SKB_NOT_DROPPED;
}

static enum skb_drop_reason deliver(struct sk_buff *skb)
{
    struct net *net = skb->net;
    const struct ip_hdr *ip = ip_hdr(skb);
    const struct udp_hdr *uh = (const struct udp_hdr *)skb->data;
    enum dst_kind kind = inet_addr_kind(net, ip->daddr, skb->dev);

    if (kind == DST_BROADCAST || kind == DST_MULTICAST)
        return deliver_to_all(skb, uh);
    struct sock *sk = port_table_lookup(&net->udp->ports, ip->daddr, uh->dest, ip->saddr, uh->source,
                                        skb->dev->ifindex, NULL);
    if (!sk) {
        icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0); /* RFC 1122 4.1.3.1 */
        return SKB_DROP_UDP_NO_SOCKET;
    }
    skb_pull(skb, sizeof *uh);
    enum skb_drop_reason reason = queue(sk, skb);
    sock_put(sk);
    return reason;
}

void udp_rcv(struct sk_buff *skb)
{
    trace("udp_rcv", skb->id, skb->len);
    enum skb_drop_reason reason = check(skb);
    if (reason == SKB_NOT_DROPPED)
        reason = deliver(skb);
    if (reason != SKB_NOT_DROPPED)
        kfree_skb_reason(skb, reason);
}

/* RFC 1122 4.1.3.3: errors are passed up; the next call on the socket fails. One that is not connected could
 * not tell which of its datagrams is meant, unless it asked to be told (IP_RECVERR). */
void udp_err(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    struct net *net = skb->net;
    const struct ip_hdr *ip = (const struct ip_hdr *)skb->data;
    const struct udp_hdr *uh = (const struct udp_hdr *)(skb->data + ip_hdr_len(ip));

    struct sock *sk = port_table_lookup(&net->udp->ports, ip->saddr, uh->source, ip->daddr, uh->dest,
                                        skb->dev->ifindex, NULL);
    if (!sk)
        return;
    inet_sock_error(sk, skb, type, code, info, (const uint8_t *)(uh + 1), uh->dest);
    sock_put(sk);
}

ssize_t udp_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct sk_buff *skb;

    if (flags & MSG_ERRQUEUE)
        return inet_receive_error(sk, msg, flags);
    int err = datagram_receive(sk, flags, &skb);
    if (err || !skb)
        return err;
    const struct udp_hdr *uh = skb_transport_header(skb);
    ssize_t n = datagram_copy(skb, msg, flags);
    msg->name_len = msg->name ? (socklen_t)sockaddr_in_make(msg->name, ip_hdr(skb)->saddr, uh->source) : 0;
    if (flags & MSG_PEEK)
        datagram_peeked(sk, n);
    ip_tell(sk, msg, skb);
    trace("udp_recvmsg", skb->id, skb->len);
    consume_skb(skb);
    return n;
}
