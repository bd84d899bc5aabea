/* net/tcp/tcp_reassembly.c - text into its place: RFC 9293 3.10.7.4, seventh step.
 * ofo_queue is sorted by sequence number, no two buffers in it overlap or touch rcv_nxt, and its memory is
 * bounded. receive_queue is the stream without holes. No byte is ever in both, nor twice in one. */
#include "lib/string.h"
#include "net/tcp/tcp.h"

enum { COALESCE_MAX = 256 }; /* texts up to this size move into the buffer before them */

/* Cut what lies before seq off the front of skb. */
static void trim_front(struct sk_buff *skb, uint32_t seq)
{
    uint32_t n = MIN(seq_ahead(tcp_cb(skb)->seq, seq), skb->len);
    skb_pull(skb, n);
    tcp_cb(skb)->seq += n;
}

/* Cut what lies at or behind seq off the end; with text cut off, its FIN goes too. */
static void trim_end(struct sk_buff *skb, uint32_t seq)
{
    uint32_t keep = seq_ahead(tcp_cb(skb)->seq, seq);
    if (skb->len <= keep)
        return;
    skb_trim(skb, keep);
    tcp_cb(skb)->fin = false;
}

static bool is_empty(struct sk_buff *skb)
{
    return skb->len == 0 && !tcp_cb(skb)->fin;
}

/* ---- in order ---- */

/* Small texts share one buffer, or a peer that sends single bytes could have us hold a full-sized one for
 * each. */
static bool coalesce(struct sock *sk, struct sk_buff *skb)
{
    struct sk_buff *tail = skb_peek_tail(&sk->receive_queue);
    if (!tail || skb->len > COALESCE_MAX || skb_tailroom(tail) < skb->len || skb_shared_data(tail))
        return false;
    skb_put_data(tail, skb->data, skb->len);
    sk->receive_queue.bytes += skb->len;
    consume_skb(skb);
    return true;
}

/* skb begins at rcv_nxt: it becomes part of the stream. */
static void append(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct sock *sk = &tp->sk;
    ASSERT(tcp_cb(skb)->seq == tp->rcv_nxt);
    tp->rcv_nxt += skb->len;
    tp->bytes_received += skb->len;
    tp->rcv_wnd -= MIN(skb->len, tp->rcv_wnd);
    tp->fin_reached |= tcp_cb(skb)->fin;
    if (!skb->len) {
        consume_skb(skb);
        return;
    }
    if (coalesce(sk, skb))
        return;
    skb_set_owner_r(skb, sk);
    skb_queue_tail(&sk->receive_queue, skb);
}

/* ---- out of order ---- */

static void ofo_unlink(struct tcp_sock *tp, struct sk_buff *skb)
{
    skb_unlink(&tp->ofo_queue, skb);
    tp->ofo_truesize -= skb->truesize;
}

/* Move what rcv_nxt has reached from the out-of-order queue into the stream. */
static void drain(struct tcp_sock *tp)
{
    struct sk_buff *skb;
    while ((skb = skb_peek(&tp->ofo_queue)) && !seq_after(tcp_cb(skb)->seq, tp->rcv_nxt)) {
        ofo_unlink(tp, skb);
        tcp_sack_duplicate(tp, tcp_cb(skb)->seq, seq_min(tp->rcv_nxt, tcp_skb_end(skb)));
        trim_front(skb, tp->rcv_nxt);
        if (is_empty(skb) || tcp_cb(skb)->seq != tp->rcv_nxt)
            kfree_skb_reason(skb, SKB_DROP_TCP_OLD_DATA);
        else
            append(tp, skb);
    }
}

/* The last buffer that begins at or before seq, or NULL. Text mostly comes behind all others: from the end.
 */
static struct sk_buff *predecessor(struct tcp_sock *tp, uint32_t seq)
{
    struct sk_buff *skb = skb_peek_tail(&tp->ofo_queue), *found = NULL;
    if (skb && seq_before_eq(tcp_cb(skb)->seq, seq))
        return skb;
    for (skb = skb_peek(&tp->ofo_queue); skb && seq_before_eq(tcp_cb(skb)->seq, seq);
         skb = skb_queue_next(&tp->ofo_queue, skb))
        found = skb;
    return found;
}

/* Make room for skb among those behind it: the wholly covered go, of the last one what is new stays in
 * place and skb is cut. */
static void cut_against_successors(struct tcp_sock *tp, struct sk_buff *skb, struct sk_buff *next)
{
    while (next && seq_before(tcp_cb(next)->seq, tcp_skb_end(skb))) {
        struct sk_buff *after = skb_queue_next(&tp->ofo_queue, next);
        tcp_sack_duplicate(tp, tcp_cb(next)->seq, seq_min(tcp_skb_end(next), tcp_skb_end(skb)));
        if (seq_after(tcp_skb_end(next), tcp_skb_end(skb))) {
            trim_end(skb, tcp_cb(next)->seq);
            return;
        }
        tcp_cb(skb)->fin |= tcp_cb(next)->fin && tcp_skb_end(next) == tcp_skb_end(skb);
        ofo_unlink(tp, next);
        kfree_skb_reason(next, SKB_DROP_TCP_OLD_DATA);
        next = after;
    }
}

static void ofo_insert(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct sk_buff *before = predecessor(tp, tcp_cb(skb)->seq);
    struct sk_buff *next = before ? skb_queue_next(&tp->ofo_queue, before) : skb_peek(&tp->ofo_queue);
    tcp_sack_queued(tp, tcp_cb(skb)->seq, tcp_skb_end(skb));
    if (before) {
        tcp_sack_duplicate(tp, tcp_cb(skb)->seq, seq_min(tcp_skb_end(before), tcp_skb_end(skb)));
        trim_front(skb, tcp_skb_end(before));
        if (tcp_cb(skb)->fin && tcp_skb_end(skb) == tcp_skb_end(before))
            tcp_cb(before)->fin = true;
    }
    cut_against_successors(tp, skb, next);
    if (skb->len == 0 && (!tcp_cb(skb)->fin || (before && tcp_cb(before)->fin))) {
        kfree_skb_reason(skb, SKB_DROP_TCP_OLD_DATA);
        return;
    }
    if (before)
        skb_queue_after(&tp->ofo_queue, before, skb);
    else
        skb_queue_head(&tp->ofo_queue, skb);
    tp->ofo_truesize += skb->truesize;
}

/* ---- segments ---- */

/* seg's buffer with its place in its control block; seg no longer has it. */
static struct sk_buff *take(struct tcp_segment *seg)
{
    struct sk_buff *skb = seg->skb;
    *tcp_cb(skb) = (struct tcp_skb_cb){
        .seq = seg->seq + tcp_segment_has(seg, TCP_FLAG_SYN),
        .fin = tcp_segment_has(seg, TCP_FLAG_FIN),
    };
    seg->skb = NULL;
    return skb;
}

static void give_back(struct tcp_segment *seg, struct sk_buff *skb, enum skb_drop_reason reason)
{
    seg->skb = skb;
    tcp_drop(seg, reason);
}

static bool memory_is_out(const struct tcp_sock *tp, const struct sk_buff *skb)
{
    int64_t queued = __atomic_load_n(&tp->sk.rmem_alloc, __ATOMIC_RELAXED);
    return queued + skb->truesize > 2 * (int64_t)tp->sk.rcvbuf;
}

bool tcp_queue_text(struct tcp_sock *tp, struct tcp_segment *seg)
{
    struct sk_buff *skb = take(seg);
    tcp_sack_duplicate(tp, tcp_cb(skb)->seq, seq_min(tcp_skb_end(skb), tp->rcv_nxt));
    trim_front(skb, tp->rcv_nxt); /* RFC 9293 3.10.7.4 first: only the part inside the window counts */
    trim_end(skb, tp->rcv_nxt + tp->rcv_wnd);
    if (is_empty(skb) || seq_before(tcp_skb_end(skb), tp->rcv_nxt)) {
        give_back(seg, skb, SKB_DROP_TCP_OLD_DATA);
        return false;
    }
    if (tcp_cb(skb)->seq != tp->rcv_nxt) {
        tcp_count(tp->sk.net, TCP_COUNT_out_of_order_in);
        if (tp->ofo_truesize + skb->truesize > tp->sk.rcvbuf)
            give_back(seg, skb, SKB_DROP_TCP_OFO_FULL);
        else
            ofo_insert(tp, skb);
        return false;
    }
    if (memory_is_out(tp, skb)) {
        give_back(seg, skb, SKB_DROP_SOCKET_RCVBUF_FULL);
        return false;
    }
    append(tp, skb);
    drain(tp);
    tcp_sack_advanced(tp);
    return true;
}
