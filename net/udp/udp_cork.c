/* net/udp/udp_cork.c - several calls, one datagram: UDP_CORK and MSG_MORE, udp(7).
 * The first call says where to; what the calls bring is gathered in one buffer, which grows, until a call
 * without MSG_MORE or the end of UDP_CORK sends it. */
#include "net/udp/udp_internal.h"

struct udp_pending {
    struct udp_flow flow;
    struct ip_options options; /* flow.ip.options, if there are any */
    struct sk_buff *skb;       /* the bytes so far: at most UDP_MAX_PAYLOAD */
};

static void pending_free(struct udp_pending *p)
{
    if (p)
        consume_skb(p->skb);
    mem_free(p);
}

bool udp_corked(const struct sock *sk, int flags)
{
    const struct udp_sock *us = udp_sk(sk);

    return flags & MSG_MORE || us->cork || us->pending;
}

/* What is pending is the caller's from now on. */
static struct udp_pending *take_pending(struct sock *sk)
{
    lock_acquire(&sk->lock);
    struct udp_pending *p = udp_sk(sk)->pending;
    udp_sk(sk)->pending = NULL;
    lock_release(&sk->lock);
    return p;
}

void udp_cork_forget(struct sock *sk)
{
    pending_free(take_pending(sk));
}

int udp_uncork(struct sock *sk)
{
    struct udp_pending *p = take_pending(sk);
    struct dst_entry *dst;

    if (!p)
        return 0;
    int err = udp_route(sk, &p->flow, &dst);
    if (!err) {
        err = udp_transmit(sk, p->skb, dst, &p->flow);
        p->skb = NULL;
        dst_release(dst);
    }
    pending_free(p);
    return err;
}

/* Room for n bytes more in p's buffer, in a larger one if need be. 0 or -ENOBUFS. */
static int make_room(struct sock *sk, struct udp_pending *p, uint32_t n)
{
    uint32_t len = p->skb ? p->skb->len : 0;

    if (p->skb && skb_tailroom(p->skb) >= n)
        return 0;
    struct sk_buff *larger = alloc_skb_headroom(sk->net, SKB_TX_HEADROOM, MAX(2 * len, len + n));
    if (!larger)
        return -ENOBUFS;
    if (p->skb)
        skb_put_data(larger, p->skb->data, len);
    consume_skb(p->skb);
    p->skb = larger;
    return 0;
}

/* Put piece's bytes behind what waits. Lock held. */
static int append(struct sock *sk, const struct sk_buff *piece, const struct udp_flow *flow)
{
    struct udp_sock *us = udp_sk(sk);

    if (!us->pending) {
        us->pending = mem_alloc(sizeof *us->pending);
        if (!us->pending)
            return -ENOBUFS;
        us->pending->flow = *flow;
        if (flow->ip.options) {
            us->pending->options = *flow->ip.options;
            us->pending->flow.ip.options = &us->pending->options;
        }
    }
    struct udp_pending *p = us->pending;
    if ((p->skb ? p->skb->len : 0) + piece->len > UDP_MAX_PAYLOAD)
        return -EMSGSIZE;
    int err = make_room(sk, p, piece->len);
    if (!err)
        skb_put_data(p->skb, piece->data, piece->len);
    return err;
}

ssize_t udp_append(struct sock *sk, struct message *msg, const struct udp_flow *flow, int flags)
{
    const size_t n = msg->iter.count;
    struct sk_buff *piece = alloc_skb(sk->net, (uint32_t)n); /* user memory is not read under the lock */

    if (!piece)
        return -ENOBUFS;
    int err = copy_from_iter(skb_put(piece, (uint32_t)n), n, &msg->iter);
    if (!err) {
        lock_acquire(&sk->lock);
        err = append(sk, piece, flow);
        lock_release(&sk->lock);
    }
    consume_skb(piece);
    if (err == -EMSGSIZE || err == -ENOBUFS)
        udp_cork_forget(sk); /* as in Linux: all of it is lost */
    if (!err && !(flags & MSG_MORE) && !udp_sk(sk)->cork)
        err = udp_uncork(sk);
    return err ? err : (ssize_t)n;
}
