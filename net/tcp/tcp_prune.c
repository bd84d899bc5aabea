/* net/tcp/tcp_prune.c - what the peer's text may cost.
 * A window is counted in bytes, memory in truesize, and a peer that sends single bytes makes the one cost a
 * thousand times the other. So whenever what is queued costs more than the receive buffer, it is first moved
 * together, many small buffers into one; if that is not enough, out-of-order text is given up, the farthest
 * first, for it is needed last. The peer has been told by SACK that we have it, and RFC 2018 8 lets us change
 * our mind; we tell of it no more. Each step frees an eighth of the buffer or waits until it can, so that a
 * peer cannot make every segment pay for a walk along the queue. */
#include "lib/string.h"
#include "net/tcp/tcp.h"

enum {
    TOGETHER_MAX = 4032, /* text in a buffer that others were moved into: it fits a page with its trailer */
    PART = 8             /* what is worth a walk: this part of the buffer */
};

static uint64_t queued(const struct tcp_sock *tp)
{
    return (uint64_t)__atomic_load_n(&tp->sk.rmem_alloc, __ATOMIC_RELAXED);
}

static bool fits(const struct tcp_sock *tp, const struct sk_buff *skb)
{
    return queued(tp) + tp->ofo_truesize + skb->truesize <= tp->sk.rcvbuf;
}

/* ---- moving together ---- */

/* Buffers in a row without a hole, from first on. */
struct run {
    struct sk_buff *first;
    unsigned n;
    uint32_t bytes;
    uint64_t truesize;
};

/* As many as one buffer holds, at least one. */
static struct run run_from(const struct sk_buff_head *queue, struct sk_buff *first, bool sorted)
{
    struct run r = { .first = first, .n = 1, .bytes = first->len, .truesize = first->truesize };
    struct sk_buff *last = first, *next;
    while ((next = skb_queue_next(queue, last)) && r.bytes + next->len <= TOGETHER_MAX &&
           (!sorted || (tcp_cb(next)->seq == tcp_skb_end(last) && !tcp_cb(last)->fin))) {
        r.n++;
        r.bytes += next->len;
        r.truesize += next->truesize;
        last = next;
    }
    return r;
}

/* All that is in the run, in one buffer of its own; NULL when that would not save a third, or memory is out.
 */
static struct sk_buff *together(struct tcp_sock *tp, const struct sk_buff_head *queue, const struct run *r)
{
    uint64_t cost = sizeof(struct sk_buff) + 64 + r->bytes;
    if (r->bytes > TOGETHER_MAX || 3 * cost > 2 * r->truesize)
        return NULL;
    struct sk_buff *one = alloc_skb(tp->sk.net, r->bytes), *skb = r->first;
    if (!one)
        return NULL;
    *tcp_cb(one) = (struct tcp_skb_cb){ .seq = tcp_cb(r->first)->seq };
    for (unsigned i = 0; i < r->n; i++, skb = skb_queue_next(queue, skb)) {
        skb_put_data(one, skb->data, skb->len);
        tcp_cb(one)->fin |= tcp_cb(skb)->fin;
    }
    return one;
}

static void collapse_out_of_order(struct tcp_sock *tp)
{
    struct sk_buff_head *queue = &tp->ofo_queue;
    struct sk_buff *before = NULL, *at = skb_peek(queue);
    while (at) {
        struct run r = run_from(queue, at, true);
        struct sk_buff *one = together(tp, queue, &r);
        for (unsigned i = 0; i < r.n; i++) {
            struct sk_buff *skb = at;
            at = skb_queue_next(queue, skb);
            if (one) {
                tcp_ofo_unlink(tp, skb);
                consume_skb(skb);
            } else {
                before = skb;
            }
        }
        if (!one)
            continue;
        tcp_count(tp->sk.net, TCP_COUNT_buffers_collapsed);
        tcp_ofo_link(tp, before, one);
        before = one;
    }
    tp->ofo_packed = tp->ofo_truesize;
}

/* The same for the stream, whose buffers a reader may be copying from with the lock dropped. */
static void collapse_stream(struct tcp_sock *tp)
{
    struct sk_buff_head *queue = &tp->sk.receive_queue;
    struct sk_buff *at = skb_peek(queue);
    if (tp->sk.reading)
        return;
    while (at) {
        struct run r = run_from(queue, at, false);
        struct sk_buff *one = together(tp, queue, &r);
        if (one) {
            tcp_count(tp->sk.net, TCP_COUNT_buffers_collapsed);
            skb_queue_before(queue, at, one);
            skb_set_owner_r(one, &tp->sk);
        }
        for (unsigned i = 0; i < r.n; i++) {
            struct sk_buff *skb = at;
            at = skb_queue_next(queue, skb);
            if (one) {
                skb_unlink(queue, skb);
                consume_skb(skb);
            }
        }
    }
}

/* Where much has come since the last time, or much is air. */
static void collapse(struct tcp_sock *tp)
{
    uint32_t worth = tp->sk.rcvbuf / PART;
    if (tp->ofo_truesize > tp->ofo_packed + worth)
        collapse_out_of_order(tp);
    if (queued(tp) > 2 * tp->sk.receive_queue.bytes + worth)
        collapse_stream(tp);
}

/* ---- giving up ---- */

/* Both limits: the connection's and the host's. */
static bool admits(struct tcp_sock *tp, const struct sk_buff *skb)
{
    return fits(tp, skb) && tcp_mem_receive(tp, skb->truesize);
}

/* Free at least an eighth of the buffer of what lies behind skb. */
static void prune(struct tcp_sock *tp, struct sk_buff *skb)
{
    const uint64_t least = tp->ofo_truesize - MIN(tp->ofo_truesize, (uint64_t)tp->sk.rcvbuf / PART);
    struct sk_buff *last;
    bool any = false;
    while ((last = skb_peek_tail(&tp->ofo_queue)) && seq_after(tcp_cb(last)->seq, tcp_cb(skb)->seq) &&
           (tp->ofo_truesize > least || !fits(tp, skb))) {
        tcp_sack_pruned(tp, tcp_cb(last)->seq);
        tcp_ofo_unlink(tp, last);
        kfree_skb_reason(last, SKB_DROP_TCP_OFO_PRUNED);
        any = true;
    }
    if (any)
        tcp_count(tp->sk.net, TCP_COUNT_out_of_order_pruned);
}

/* What is next in line waits for nothing but the reader, and its window was promised: twice the buffer, and
 * always one. */
static enum skb_drop_reason admit_in_order(struct tcp_sock *tp, const struct sk_buff *skb)
{
    if (skb_queue_empty(&tp->sk.receive_queue))
        return SKB_NOT_DROPPED;
    if (queued(tp) + tp->ofo_truesize + skb->truesize > 2 * (uint64_t)tp->sk.rcvbuf)
        return SKB_DROP_SOCKET_RCVBUF_FULL;
    return tcp_mem_receive(tp, skb->truesize) ? SKB_NOT_DROPPED : SKB_DROP_TCP_MEMORY;
}

/* There is too little: make some. */
static enum skb_drop_reason make_room(struct tcp_sock *tp, struct sk_buff *skb)
{
    tcp_count(tp->sk.net, TCP_COUNT_prunes);
    collapse(tp);
    if (!admits(tp, skb))
        prune(tp, skb);
    if (admits(tp, skb))
        return SKB_NOT_DROPPED;
    if (tcp_cb(skb)->seq == tp->rcv_nxt)
        return admit_in_order(tp, skb);
    return fits(tp, skb) ? SKB_DROP_TCP_MEMORY : SKB_DROP_TCP_OFO_FULL;
}

enum skb_drop_reason tcp_make_room(struct tcp_sock *tp, struct sk_buff *skb)
{
    return admits(tp, skb) ? SKB_NOT_DROPPED : make_room(tp, skb);
}
