/* net/tcp/tcp_reassembly.c - text into its place: RFC 9293 3.10.7.4, seventh step.
 * ofo_queue (tcp_ofo.c) is sorted by sequence number, no two buffers in it overlap or touch rcv_nxt.
 * receive_queue is the stream without holes. No byte is ever in both, nor twice in one; what both may cost is
 * tcp_prune.c's affair. */
#include "lib/string.h"
#include "net/tcp/tcp.h"

enum {
    COALESCE_MAX = 256, /* texts up to this size move into the buffer before them, */
    WASTEFUL = 3        /* and those whose buffer costs more than so many times their size */
};

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

/* Small texts, and larger ones in far larger buffers, share one: or a peer that sends single bytes could have
 * us hold a full-sized buffer for each. */
bool tcp_coalesce(struct sk_buff_head *queue, struct sk_buff *tail, struct sk_buff *skb)
{
    bool wasteful = skb->len <= COALESCE_MAX || skb->truesize > WASTEFUL * skb->len;
    if (!tail || !wasteful || skb_tailroom(tail) < skb->len || skb_shared_data(tail))
        return false;
    skb_put_data(tail, skb->data, skb->len);
    queue->bytes += skb->len;
    consume_skb(skb);
    return true;
}

/* ---- in order ---- */

/* skb begins at rcv_nxt: it becomes part of the stream. */
static void append(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct sock *sk = &tp->sk;
    ASSERT(tcp_cb(skb)->seq == tp->rcv_nxt);
    tp->rcv_nxt += skb->len;
    tp->bytes_received += skb->len;
    tp->data_segs_in++;
    tp->rcv_wnd -= MIN(skb->len, tp->rcv_wnd);
    tp->fin_reached |= tcp_cb(skb)->fin;
    if (!skb->len) {
        consume_skb(skb);
        return;
    }
    if (tcp_coalesce(&sk->receive_queue, skb_peek_tail(&sk->receive_queue), skb))
        return;
    skb_set_owner_r(skb, sk);
    skb_queue_tail(&sk->receive_queue, skb);
}

/* The packets behind a train's head, which were made sure to be next (tcp_gro.c). */
static void append_followers(struct tcp_sock *tp, struct sk_buff_head *followers)
{
    struct sk_buff *skb;
    enum skb_drop_reason refused = SKB_NOT_DROPPED;
    while ((skb = skb_dequeue(followers))) {
        *tcp_cb(skb) = (struct tcp_skb_cb){ .seq = tp->rcv_nxt };
        refused = tcp_make_room(tp, skb);
        if (refused != SKB_NOT_DROPPED) {
            kfree_skb_reason(skb, refused);
            break;
        }
        append(tp, skb);
    }
    skb_queue_purge(followers, refused);
}

static void append_all(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct sk_buff_head followers;
    if (!skb_is_train(skb)) {
        append(tp, skb);
        return;
    }
    skb_train_open(skb, &followers);
    append(tp, skb);
    append_followers(tp, &followers);
}

/* ---- out of order ---- */

/* Move what rcv_nxt has reached from the out-of-order queue into the stream; nothing can lie behind its end.
 */
static void drain(struct tcp_sock *tp)
{
    struct sk_buff *skb;
    while (!tp->fin_reached && (skb = skb_peek(&tp->ofo_queue)) &&
           !seq_after(tcp_cb(skb)->seq, tp->rcv_nxt)) {
        tcp_ofo_unlink(tp, skb);
        tcp_sack_duplicate(tp, tcp_cb(skb)->seq, seq_min(tp->rcv_nxt, tcp_skb_end(skb)));
        trim_front(skb, tp->rcv_nxt);
        if (is_empty(skb) || tcp_cb(skb)->seq != tp->rcv_nxt)
            kfree_skb_reason(skb, SKB_DROP_TCP_OLD_DATA);
        else
            append(tp, skb);
    }
    while (tp->fin_reached && (skb = skb_peek(&tp->ofo_queue))) { /* the peer contradicts itself */
        tcp_ofo_unlink(tp, skb);
        kfree_skb_reason(skb, SKB_DROP_TCP_OLD_DATA);
    }
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
        tcp_ofo_unlink(tp, next);
        kfree_skb_reason(next, SKB_DROP_TCP_OLD_DATA);
        next = after;
    }
}

/* Is nothing of skb to be taken? A FIN within text is not, at the end of the text it is news; and behind a
 * FIN there is nothing. */
static bool is_covered(struct sk_buff *before, struct sk_buff *skb)
{
    if (tcp_cb(before)->fin)
        return true;
    if (seq_after(tcp_skb_end(skb), tcp_skb_end(before)))
        return false;
    if (tcp_skb_end(skb) == tcp_skb_end(before))
        tcp_cb(before)->fin |= tcp_cb(skb)->fin;
    return true;
}

/* Put skb, which is charged for by then, into its place. Takes it. */
static void ofo_insert(struct tcp_sock *tp, struct sk_buff *before, struct sk_buff *skb)
{
    struct sk_buff *next = before ? skb_queue_next(&tp->ofo_queue, before) : skb_peek(&tp->ofo_queue);
    tcp_sack_queued(tp, tcp_cb(skb)->seq, tcp_skb_end(skb));
    if (before) {
        tcp_sack_duplicate(tp, tcp_cb(skb)->seq, seq_min(tcp_skb_end(before), tcp_skb_end(skb)));
        if (is_covered(before, skb)) {
            kfree_skb_reason(skb, SKB_DROP_TCP_OLD_DATA);
            return;
        }
        trim_front(skb, tcp_skb_end(before));
    }
    cut_against_successors(tp, skb, next);
    bool fin = tcp_cb(skb)->fin;
    if (before && tcp_skb_end(before) == tcp_cb(skb)->seq && tcp_coalesce(&tp->ofo_queue, before, skb))
        tcp_cb(before)->fin = fin;
    else
        tcp_ofo_link(tp, before, skb);
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

/* Behind a hole. A peer that goes on behind its own FIN makes no sense. */
static void queue_out_of_order(struct tcp_sock *tp, struct tcp_segment *seg, struct sk_buff *skb)
{
    tcp_count(tp->sk.net, TCP_COUNT_out_of_order_in);
    tp->ofo_in++;
    enum skb_drop_reason refused = tcp_make_room(tp, skb);
    if (refused != SKB_NOT_DROPPED) {
        give_back(seg, skb, refused);
        return;
    }
    struct sk_buff *before = tcp_ofo_predecessor(tp, tcp_cb(skb)->seq);
    if (before && tcp_cb(before)->fin && seq_after(tcp_skb_end(skb), tcp_skb_end(before)))
        give_back(seg, skb, SKB_DROP_TCP_OUT_OF_WINDOW);
    else
        ofo_insert(tp, before, skb);
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
        queue_out_of_order(tp, seg, skb);
        return false;
    }
    enum skb_drop_reason refused = skb->len ? tcp_make_room(tp, skb) : SKB_NOT_DROPPED;
    if (refused != SKB_NOT_DROPPED) {
        give_back(seg, skb, refused);
        return false;
    }
    append_all(tp, skb);
    drain(tp);
    tcp_sack_advanced(tp);
    return true;
}
