/* net/tcp/tcp_send.c - from the user's memory to the write queue: SEND, RFC 9293 3.10.2.
 * The bytes are copied into fresh buffers with no lock held, or their pages referred to; then, under
 * sk->lock, the state is looked at again and the buffers are queued. Writers take turns, so that the bytes of
 * one call stay together. */
#include "lib/string.h"
#include "net/core/dst.h"
#include "net/core/zerocopy.h"
#include "net/tcp/tcp.h"

enum { BATCH = 16 };      /* buffers filled between two times the lock is taken */
enum { SPARE_SLOTS = 3 }; /* a segment touches one page more than it fills; and two for what is added */

static bool has_room(struct tcp_sock *tp)
{
    return tcp_mem_send_room(tp) && __atomic_load_n(&tp->sk.wmem_alloc, __ATOMIC_RELAXED) < tp->sk.sndbuf;
}

/* 0 when bytes may be queued now, or why they never will be. */
static int send_error(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    if (sk->err)
        return sock_error(sk);
    if ((sk->shutdown & SEND_SHUTDOWN) || tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN)))
        return -EPIPE;
    return 0;
}

/* Wait for a connection and for room in the send buffer. */
static int await_room(struct tcp_sock *tp, uint64_t deadline)
{
    struct sock *sk = &tp->sk;
    bool full = !has_room(tp);
    int err;
    while (!(err = send_error(tp)) &&
           (!tcp_in(tp, TCPS_MAY_SEND) || (full && !(sock_stream_writable(sk) && tcp_mem_send_room(tp))))) {
        err = sock_wait(sk, deadline);
        if (err)
            return err;
    }
    return err;
}

/* Up to most bytes from iter in a buffer that has room for mss, so that a later write can be added. */
static int copy_one(struct net *net, struct iov_iter *iter, uint32_t most, uint32_t mss, struct sk_buff **out)
{
    uint32_t n = (uint32_t)MIN((size_t)most, iter->count);
    struct sk_buff *skb = alloc_skb_headroom(net, SKB_TX_HEADROOM, mss);
    if (!skb)
        return -ENOMEM;
    int err = copy_from_iter(skb_put(skb, n), n, iter);
    if (err) {
        consume_skb(skb);
        return err;
    }
    *out = skb;
    return 0;
}

/* Append the pages of the next bytes to skb, up to mss, as far as there are slots. */
static int refer_to_pages(struct sk_buff *skb, struct iov_iter *iter, uint32_t mss, struct skb_notice *notice)
{
    while (skb->len < mss && iter->count) {
        struct page_part p;
        int err = iov_iter_page(iter, mss - skb->len, &p);
        if (err)
            return err;
        bool added = skb_add_frag(skb, p.page, p.offset, p.len, notice);
        page_put(p.page);
        if (!added)
            break;
        iov_iter_advance(iter, p.len);
    }
    return 0;
}

/* The same as copy_one() in fragments, with a few slots more than needed: a later write may be added. */
static int refer_to_one(struct net *net, struct iov_iter *iter, uint32_t mss, struct skb_notice *notice,
                        struct sk_buff **out)
{
    struct sk_buff *skb = alloc_skb_frags(net, SKB_TX_HEADROOM, 0, mss / SHARED_PAGE_SIZE + SPARE_SLOTS);
    if (!skb)
        return -ENOMEM;
    int err = refer_to_pages(skb, iter, mss, notice);
    if (err && !skb->len) {
        consume_skb(skb);
        return err;
    }
    *out = skb;
    return 0;
}

/* How a call's bytes become buffers. */
struct filling {
    uint32_t mss;
    uint32_t first; /* bytes of the first buffer: what the last one in the queue has room for */
    int64_t limit;  /* of truesize */
    bool pages;     /* are referred to */
    struct skb_notice *notice;
};

/* Fill up to limit bytes of send buffer. What was copied before an error is kept; the error if that is
 * nothing. No lock held. */
static int fill_batch(struct net *net, struct iov_iter *iter, struct filling f, struct sk_buff_head *fresh)
{
    skb_queue_head_init(fresh);
    while (iter->count && f.limit > 0 && fresh->qlen < BATCH) {
        struct sk_buff *skb;
        uint32_t most = skb_queue_empty(fresh) ? f.first : f.mss;
        int err =
            f.pages ? refer_to_one(net, iter, most, f.notice, &skb) : copy_one(net, iter, most, f.mss, &skb);
        if (err)
            return skb_queue_empty(fresh) ? err : 0;
        f.limit -= skb->truesize;
        skb_queue_tail(fresh, skb);
    }
    return 0;
}

/* Add skb's bytes to the last buffer, if that has not been sent and has room. */
static bool append_to_tail(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct sk_buff *tail = skb_peek_tail(&tp->write_queue);
    uint32_t n = skb->len;
    if (!tp->send_head || skb_shared_data(tail) || tail->len + n > tp->mss)
        return false;
    uint32_t charged = tail->truesize;
    if (!skb_move(tail, skb, n))
        return false;
    sock_wmem_change(&tp->sk, (int64_t)tail->truesize - charged);
    tp->write_queue.bytes += n;
    tcp_cb(tail)->push |= tcp_cb(skb)->push;
    tp->write_seq += n;
    consume_skb(skb);
    return true;
}

static void enqueue(struct tcp_sock *tp, struct sk_buff *skb, bool push)
{
    *tcp_cb(skb) = (struct tcp_skb_cb){ .seq = tp->write_seq, .push = push };
    if (append_to_tail(tp, skb))
        return;
    tp->write_seq += skb->len;
    skb_set_owner_w(skb, &tp->sk);
    skb_queue_tail(&tp->write_queue, skb);
    if (!tp->send_head)
        tp->send_head = skb;
}

/* Everything in fresh goes behind the write queue; the last byte of the call is pushed (RFC 9293 3.9.1.2,
 * MUST-60). */
static void enqueue_batch(struct tcp_sock *tp, struct sk_buff_head *fresh, bool last)
{
    struct sk_buff *skb;
    tcp_rate_resume(tp);
    while ((skb = skb_dequeue(fresh)))
        enqueue(tp, skb, last && skb_queue_empty(fresh));
    if (tp->oob)
        tcp_urgent_send(tp);
    tcp_mem_settle(tp);
    tcp_output(tp);
}

/* May the route's device be given pages? One that gathers but cannot sum would have them copied there. */
static bool device_takes_pages(const struct tcp_sock *tp)
{
    const uint32_t needed = NETIF_F_SG | NETIF_F_HW_CSUM;
    return tp->dst && (tp->dst->dev->features & needed) == needed;
}

/* Pages of the kernel's that it hands down, or those of a program that asked for it. */
static bool can_be_referred_to(const struct tcp_sock *tp, const struct iov_iter *iter)
{
    return iter->kind == ITER_PAGES || (tp->notice && iter->kind == ITER_USER);
}

static struct filling filling_for(const struct tcp_sock *tp, const struct iov_iter *iter)
{
    const struct sock *sk = &tp->sk;
    const struct sk_buff *tail = tp->send_head ? skb_peek_tail(&tp->write_queue) : NULL;
    return (struct filling){
        .mss = tp->mss,
        .first = tail && tail->len < tp->mss ? tp->mss - tail->len : tp->mss,
        .limit = sk->sndbuf - __atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED),
        .pages = can_be_referred_to(tp, iter) && device_takes_pages(tp),
        .notice = tp->notice,
    };
}

/* One round: wait, copy without the lock, queue. Bytes queued, or -errno. */
static ssize_t send_some(struct tcp_sock *tp, struct iov_iter *iter, uint64_t deadline)
{
    struct sock *sk = &tp->sk;
    struct sk_buff_head fresh;
    int err = await_room(tp, deadline);
    if (err)
        return err;
    struct filling f = filling_for(tp, iter);
    f.limit = MIN(f.limit, tcp_mem_send_room(tp));
    if (tp->notice && !f.pages)
        tp->notice->copied = true;
    lock_release(&sk->lock);
    err = fill_batch(sk->net, iter, f, &fresh);
    lock_acquire(&sk->lock);
    if (!err)
        err = send_error(tp); /* the connection may have died meanwhile */
    if (err) {
        skb_queue_purge(&fresh, SKB_DROP_SOCKET_CLOSED);
        return err;
    }
    ssize_t n = (ssize_t)fresh.bytes;
    enqueue_batch(tp, &fresh, !iter->count);
    return n;
}

static ssize_t send_all(struct tcp_sock *tp, struct iov_iter *iter, uint64_t deadline)
{
    ssize_t sent = 0;
    if (!iter->count) {
        tcp_output(tp); /* MSG_MORE may have ended */
        return send_error(tp);
    }
    while (iter->count) {
        ssize_t n = send_some(tp, iter, deadline);
        if (n < 0)
            return sent ? sent : n;
        sent += n;
    }
    return sent;
}

/* It is the caller's turn to write. */
static ssize_t send_in_turn(struct tcp_sock *tp, struct message *msg, int flags, uint64_t deadline)
{
    ssize_t n = zerocopy_begin(&tp->sk, flags, msg->iter.count, &tp->notice);
    if (n)
        return n;
    tp->more = flags & MSG_MORE;
    tp->oob = flags & MSG_OOB;
    n = send_all(tp, &msg->iter, deadline);
    zerocopy_end(tp->notice, n);
    tp->notice = NULL;
    return n;
}

ssize_t tcp_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    struct tcp_sock *tp = tcp_sk(sk);
    lock_acquire(&sk->lock);
    uint64_t deadline = sock_snd_deadline(sk, flags);
    ssize_t n = sock_lock_writer(sk, deadline);
    if (unlikely(msg->control_len) && !n && tcp_in(tp, TCPS_MAY_SEND) && cmsg_check_socket(msg)) {
        sock_unlock_writer(sk);
        n = -EINVAL;
    }
    if (!n) {
        n = send_in_turn(tp, msg, flags, deadline);
        sock_unlock_writer(sk);
    }
    lock_release(&sk->lock);
    return n;
}
