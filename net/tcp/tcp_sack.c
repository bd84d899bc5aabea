/* net/tcp/tcp_sack.c - SACK blocks that come in: what they cover is marked (RFC 2018 5), the duplicate that a
 * first block may tell of is noted (RFC 2883 4). A buffer counts as arrived when a block covers all of it. */
#include "net/tcp/tcp.h"

/* RFC 2883 4: it lies below the acknowledgement, or within the second block. */
static bool is_dsack(const struct tcp_segment *seg)
{
    const struct tcp_options *o = &seg->options;
    if (seq_before_eq(o->sacks[0].end, seg->ack))
        return true;
    return o->n_sacks > 1 && seq_after_eq(o->sacks[0].start, o->sacks[1].start) &&
           seq_before_eq(o->sacks[0].end, o->sacks[1].end);
}

/* A block of what is in flight; all else is old, or made up. */
static bool believable(const struct tcp_sock *tp, const struct tcp_sack_block *b)
{
    return seq_before(b->start, b->end) && seq_after_eq(b->start, tp->snd_una) &&
           seq_before_eq(b->end, tp->snd_nxt);
}

static void arrived(struct tcp_sock *tp, struct sk_buff *skb, struct tcp_ack_news *news)
{
    struct tcp_skb_cb *cb = tcp_cb(skb);
    tcp_rack_delivered(tp, skb, news);
    tcp_rate_arrived(tp, skb);
    tcp_board_mark_sacked(tp, skb);
    news->original |= !cb->resent && seq_before_eq(tcp_skb_end(skb), tp->recover);
    if (!cb->resent)
        news->sacked_sent_at = MAX(news->sacked_sent_at, cb->sent_at);
    news->sacked_once |= !cb->resent;
}

/* Blocks mostly grow at the end that was walked last. */
static struct sk_buff *begin_at(const struct tcp_sock *tp, uint32_t start)
{
    struct sk_buff *hint = tp->board.walked;
    return hint && seq_before_eq(tcp_cb(hint)->seq, start) ? hint : skb_peek(&tp->write_queue);
}

static void mark(struct tcp_sock *tp, const struct tcp_sack_block *b, struct tcp_ack_news *news)
{
    struct sk_buff *skb = begin_at(tp, b->start);
    for (; skb && skb != tp->send_head; skb = skb_queue_next(&tp->write_queue, skb)) {
        if (seq_after(tcp_skb_end(skb), b->end))
            return;
        if (seq_before(tcp_cb(skb)->seq, b->start) || tcp_cb(skb)->sacked)
            continue;
        tp->board.walked = skb;
        arrived(tp, skb, news);
    }
}

/* Did the last ACK have it too? Each block is repeated in the ACKs that follow. */
static bool seen(const struct tcp_board *board, const struct tcp_sack_block *b)
{
    for (unsigned i = 0; i < ARRAY_SIZE(board->seen); i++)
        if (board->seen[i].start == b->start && board->seen[i].end == b->end)
            return true;
    return false;
}

void tcp_sack_take(struct tcp_sock *tp, const struct tcp_segment *seg, struct tcp_ack_news *news)
{
    const struct tcp_options *o = &seg->options;
    news->dsack = is_dsack(seg);
    if (news->dsack) {
        tcp_count(tp->sk.net, TCP_COUNT_dsacks_in);
        tp->dsacks_in++;
        tcp_undo_dsack(tp, o->sacks[0].end);
    }
    for (unsigned i = news->dsack; i < o->n_sacks; i++) {
        if (seq_before_eq(o->sacks[i].end, seg->ack)) /* old */
            continue;
        news->blocks = true;
        if (!believable(tp, &o->sacks[i]))
            tcp_count(tp->sk.net, TCP_COUNT_sacks_refused);
        else if (!seen(&tp->board, &o->sacks[i]))
            mark(tp, &o->sacks[i], news);
    }
    for (unsigned i = 0; i < TCP_SACKS_MAX; i++)
        tp->board.seen[i] = i < o->n_sacks ? o->sacks[i] : (struct tcp_sack_block){ 0, 0 };
    tcp_count(tp->sk.net, TCP_COUNT_sacks_in);
}
