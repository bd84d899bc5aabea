/* net/udp/udp_output.c - a datagram leaves.
 * What the send needs of the socket is taken under its lock into a struct udp_flow; the bytes are copied from
 * the user without it. */
#include "lib/string.h"
#include "net/core/zerocopy.h"
#include "net/ipv4/ip_options.h"
#include "net/udp/udp_internal.h"

/* Whom to send to: the message's address, or the peer's. */
static int destination(const struct sock *sk, const struct message *msg, struct udp_flow *flow)
{
    if (msg->name && msg->name_len) {
        if (msg->name->ss_family == AF_UNSPEC) /* send(2): as AF_INET (Linux) */
            msg->name->ss_family = AF_INET;
        int err = sockaddr_in_parse((const struct sockaddr *)msg->name, msg->name_len, &flow->ip.daddr,
                                    &flow->dport);
        return err ? err : flow->dport.raw ? 0 : -EINVAL;
    }
    flow->ip.daddr = sk->daddr;
    flow->dport = sk->dport;
    return ipv4_is_zero(sk->daddr) ? -EDESTADDRREQ : 0; /* a peer's port may be 0 (Linux) */
}

/* The datagram's own wishes go before the socket's. */
static void choose_header(struct udp_flow *flow, const struct sock *sk, struct ip_wishes *w)
{
    flow->ip.saddr = ipv4_is_zero(w->saddr) ? sk->saddr : w->saddr;
    flow->ip.protocol = IPPROTO_UDP;
    flow->ip.ttl = w->ttl > 0 ? (uint8_t)w->ttl : sk->ttl;
    flow->ip.tos = w->tos >= 0 ? (uint8_t)w->tos : sk->tos;
    flow->ip.discover = (uint8_t)sk->pmtudisc;
    flow->sport = sk->sport;
    flow->ifindex = w->ifindex ? w->ifindex : sk->bound_ifindex;
    flow->broadcast = sk->broadcast;
    flow->no_check = sk->no_check;
    ip_options_choose(sk, w);
    flow->ip.options = w->options.len ? &w->options : NULL; /* which outlives the send */
    if (unlikely(ipv4_is_multicast(flow->ip.daddr)))
        ip_group_choose(sk, w->ttl, &flow->ip, &flow->ifindex);
}

/* All that the send needs of sk. Lock held. */
static int prepare(struct sock *sk, const struct message *msg, struct ip_wishes *wishes, int flags,
                   struct udp_flow *flow)
{
    int err = destination(sk, msg, flow);
    if (!err)
        err = sock_error(sk); /* RFC 1122 4.1.3.3: an ICMP error is told by the next call */
    if (!err && sk->shutdown & SEND_SHUTDOWN)
        err = -EPIPE;
    if (!err)
        err = udp_autobind(sk);
    if (!err)
        err = sock_wait_for_room(sk, sock_snd_deadline(sk, flags));
    if (!err)
        choose_header(flow, sk, wishes);
    return err;
}

/* The header, with the checksum left to the device (or to whoever stands in for it). */
static void push_header(struct sk_buff *skb, const struct udp_flow *flow)
{
    struct udp_hdr *uh = skb_push(skb, sizeof *uh);

    skb_reset_transport_header(skb);
    *uh = (struct udp_hdr){ .source = flow->sport,
                            .dest = flow->dport,
                            .len = cpu_to_be16((uint16_t)skb->len) };
    if (flow->no_check) /* RFC 768: zero is 'none' */
        return;
    csum_t pseudo = csum_pseudo_ipv4(flow->ip.saddr, flow->ip.daddr, IPPROTO_UDP, (uint16_t)skb->len);
    uh->check.raw = csum_fold_sum(pseudo);
    skb->ip_summed = CHECKSUM_PARTIAL;
    skb->csum_start = skb->transport_offset;
    skb->csum_offset = offsetof(struct udp_hdr, check);
}

int udp_route(struct sock *sk, struct udp_flow *flow, struct dst_entry **dst)
{
    int err = ip_route_flow(sk->net,
                            &(struct ip_flow){ .daddr = flow->ip.daddr,
                                               .saddr = flow->ip.saddr,
                                               .ifindex = flow->ifindex,
                                               .protocol = IPPROTO_UDP,
                                               .sport = flow->sport,
                                               .dport = flow->dport },
                            dst);
    if (err)
        return err;
    if (ipv4_is_zero(flow->ip.daddr)) /* "this host": the route knows which address that is */
        flow->ip.daddr = (*dst)->gateway;
    flow->ip.saddr = (*dst)->prefsrc;
    if ((*dst)->kind != DST_BROADCAST || flow->broadcast)
        return 0;
    dst_release(*dst);
    return -EACCES;
}

int udp_transmit(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst, const struct udp_flow *flow)
{
    push_header(skb, flow);
    skb_set_owner_w(skb, sk);
    trace("udp_sendmsg", skb->id, skb->len);
    net_count(&sk->net->udp->out_datagrams);
    int err = ip_queue_xmit(sk->net, skb, dst, &flow->ip);
    if (err == -EMSGSIZE)
        inet_local_error(sk, EMSGSIZE, flow->ip.daddr, flow->dport, dst->mtu);
    else if (err == -ENOBUFS)
        net_count(&sk->net->udp->sndbuf_errors);
    return err;
}

/* The next n bytes of the message in a buffer of their own. 0 and *skb, or -errno. */
static int gather(struct sock *sk, struct message *msg, size_t n, struct sk_buff **skb)
{
    *skb = alloc_skb_headroom(sk->net, SKB_TX_HEADROOM, (uint32_t)n);
    if (!*skb) {
        net_count(&sk->net->udp->sndbuf_errors);
        return -ENOBUFS;
    }
    int err = copy_from_iter(skb_put(*skb, (uint32_t)n), n, &msg->iter);
    if (err)
        consume_skb(*skb);
    return err;
}

/* udp(7), UDP_SEGMENT: one message, several datagrams, each of size bytes but the last. One look at the
 * socket and one at the route serve all. An error tells of the first that failed; those before it are on
 * their way. */
static int send_segments(struct sock *sk, struct message *msg, size_t size, struct dst_entry *dst,
                         const struct udp_flow *flow)
{
    struct sk_buff *skb;
    int err = 0;

    if (size + sizeof(struct udp_hdr) + sizeof(struct ip_hdr) > dst->mtu ||
        msg->iter.count > UDP_SEGMENTS_MAX * size)
        return -EINVAL;
    while (!err && msg->iter.count) {
        err = gather(sk, msg, MIN(size, msg->iter.count), &skb);
        if (!err)
            err = udp_transmit(sk, skb, dst, flow);
    }
    return err;
}

static int send_by(struct sock *sk, struct message *msg, size_t segment, struct dst_entry *dst,
                   const struct udp_flow *flow)
{
    struct sk_buff *skb;

    if (unlikely(segment && msg->iter.count > segment))
        return send_segments(sk, msg, segment, dst, flow);
    int err = gather(sk, msg, msg->iter.count, &skb);
    return err ? err : udp_transmit(sk, skb, dst, flow);
}

/* A control message UDP_SEGMENT goes before the option. 0 or -EINVAL. */
static int segment_size(const struct sock *sk, const struct message *msg, uint16_t *size)
{
    *size = udp_sk(sk)->segment;
    for (const struct cmsghdr *c = cmsg_first(msg); c; c = cmsg_next(msg, c)) {
        if (c->cmsg_level != IPPROTO_UDP)
            continue;
        if (c->cmsg_type != UDP_SEGMENT || c->cmsg_len != CMSG_LEN(sizeof *size))
            return -EINVAL;
        memcpy(size, CMSG_DATA(c), sizeof *size);
    }
    return 0;
}

static int name_first(struct sock *sk)
{
    if (likely(READ_ONCE(sk->bound))) /* once it is, it stays so but for connect(AF_UNSPEC) */
        return 0;
    lock_acquire(&sk->lock);
    int err = udp_autobind(sk);
    lock_release(&sk->lock);
    return err;
}

static ssize_t send_datagram(struct sock *sk, struct message *msg, int flags)
{
    struct udp_flow flow = { .ifindex = 0 };
    struct ip_wishes wishes;
    struct dst_entry *dst;
    size_t n = msg->iter.count;
    uint16_t segment;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    int err = name_first(sk); /* whatever comes of the rest (Linux) */
    if (err)
        return err;
    if (n > UDP_MAX_PAYLOAD)
        return -EMSGSIZE;
    err = ip_wishes_parse(msg, &wishes);
    if (!err)
        err = segment_size(sk, msg, &segment);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    bool corked = udp_corked(sk, flags);
    if (!corked || !udp_sk(sk)->pending)
        err = prepare(sk, msg, &wishes, flags, &flow);
    lock_release(&sk->lock);
    if (!err && unlikely(corked))
        return udp_append(sk, msg, &flow, flags);
    if (!err)
        err = udp_route(sk, &flow, &dst);
    if (err)
        return err;
    if (unlikely(flags & MSG_CONFIRM)) /* send(2): the program has heard from there */
        dst_confirm(dst);
    err = flags & MSG_PROXY ? 0 : send_by(sk, msg, segment, dst, &flow);
    dst_release(dst);
    return err ? err : (ssize_t)n;
}

/* MSG_ZEROCOPY: a datagram is copied, and the program is told so, as Linux does where a card cannot gather.
 */
ssize_t udp_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    struct skb_notice *notice;
    ssize_t n = zerocopy_begin(sk, flags, msg->iter.count, &notice);

    if (n)
        return n;
    n = send_datagram(sk, msg, flags);
    if (unlikely(notice)) {
        notice->copied = true;
        zerocopy_end(notice, n);
    }
    return n;
}
