/* net/tcp/tcp_scoreboard.c - the marks on what was sent (RFC 6675 3), and their sums.
 * A buffer is in flight, or sacked, or lost_now; board.sacked and board.lost count the bytes of the last two.
 * Sent again, a lost buffer is in flight once more. Nothing behind send_head has a mark. */
#include "net/tcp/tcp.h"

static bool fin_sent(const struct tcp_sock *tp)
{
    return tp->fin_queued && seq_after(tp->snd_nxt, tp->write_seq);
}

/* The buffer behind skb among those that were sent, or NULL. */
static struct sk_buff *next_sent(const struct tcp_sock *tp, struct sk_buff *skb)
{
    struct sk_buff *next = skb_queue_next(&tp->write_queue, skb);
    return next == tp->send_head ? NULL : next;
}
static struct sk_buff *first_sent(const struct tcp_sock *tp)
{
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    return skb == tp->send_head ? NULL : skb;
}

static void clear_lost(struct tcp_sock *tp, struct sk_buff *skb)
{
    if (tcp_cb(skb)->lost_now)
        tp->board.lost -= skb->len;
    tcp_cb(skb)->lost_now = false;
}

void tcp_board_mark_sacked(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_board *b = &tp->board;
    ASSERT(!tcp_cb(skb)->sacked);
    clear_lost(tp, skb);
    tcp_cb(skb)->sacked = true;
    b->resent -= tcp_cb(skb)->resent;
    b->high_sacked = b->sacked ? seq_max(b->high_sacked, tcp_skb_end(skb)) : tcp_skb_end(skb);
    b->sacked += skb->len;
}

void tcp_board_mark_lost(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_skb_cb *cb = tcp_cb(skb);
    struct tcp_board *b = &tp->board;
    if (cb->sacked || cb->lost_now)
        return;
    cb->lost = cb->lost_now = true;
    b->lost += skb->len;
    if (b->first && seq_before(cb->seq, tcp_cb(b->first)->seq))
        b->first = skb;
}

void tcp_board_mark_resent(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_board *b = &tp->board;
    struct tcp_skb_cb *cb = tcp_cb(skb);
    clear_lost(tp, skb);
    if (cb->resent || cb->sacked)
        return;
    cb->resent = true;
    if (!b->resent++)
        b->resent_since = cb->last_sent_at;
}

void tcp_board_fin_not_lost(struct tcp_sock *tp)
{
    tp->board.lost -= tp->board.fin_lost;
    tp->board.fin_lost = false;
}

void tcp_board_lose_all(struct tcp_sock *tp)
{
    tp->board.first = NULL;
    for (struct sk_buff *skb = first_sent(tp); skb; skb = next_sent(tp, skb))
        tcp_board_mark_lost(tp, skb);
    if (fin_sent(tp) && !tp->board.fin_lost) {
        tp->board.fin_lost = true;
        tp->board.lost++;
    }
}

void tcp_board_lose_none(struct tcp_sock *tp)
{
    for (struct sk_buff *skb = first_sent(tp); skb; skb = next_sent(tp, skb))
        clear_lost(tp, skb);
    tcp_board_fin_not_lost(tp);
}

void tcp_board_forget_sacks(struct tcp_sock *tp)
{
    for (struct sk_buff *skb = first_sent(tp); skb; skb = next_sent(tp, skb)) {
        tp->board.resent += tcp_cb(skb)->sacked && tcp_cb(skb)->resent;
        tcp_cb(skb)->sacked = false;
    }
    tp->board.sacked = 0;
}

void tcp_board_acked(struct tcp_sock *tp, struct sk_buff *skb, uint32_t n)
{
    struct tcp_board *b = &tp->board;
    b->sacked -= tcp_cb(skb)->sacked ? n : 0;
    b->lost -= tcp_cb(skb)->lost_now ? n : 0;
    b->resent -= n == skb->len && tcp_cb(skb)->resent && !tcp_cb(skb)->sacked;
    if (b->first == skb)
        b->first = NULL;
    if (b->walked == skb)
        b->walked = NULL;
}

struct sk_buff *tcp_board_next_lost(struct tcp_sock *tp)
{
    struct tcp_board *b = &tp->board;
    if (b->lost == b->fin_lost)
        return NULL;
    if (!b->first)
        b->first = first_sent(tp);
    while (!tcp_cb(b->first)->lost_now) {
        b->first = next_sent(tp, b->first);
        ASSERT(b->first);
    }
    return b->first;
}

void tcp_board_mark_overtaken(struct tcp_sock *tp)
{
    enum { DUPTHRESH = 3 }; /* RFC 6675 2 */
    uint32_t above = tp->board.sacked, segments = 0;
    for (struct sk_buff *skb = first_sent(tp); skb; skb = next_sent(tp, skb))
        segments += tcp_cb(skb)->sacked;
    for (struct sk_buff *skb = first_sent(tp); skb; skb = next_sent(tp, skb)) {
        if (segments < DUPTHRESH && above <= (DUPTHRESH - 1) * tp->mss)
            return;
        if (tcp_cb(skb)->sacked) {
            above -= skb->len;
            segments--;
        } else if (!tcp_cb(skb)->lost) { /* what went again may be on its way: only a time-out tells */
            tcp_board_mark_lost(tp, skb);
        }
    }
}
