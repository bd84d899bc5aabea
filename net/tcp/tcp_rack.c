/* net/tcp/tcp_rack.c - loss told by time: what was sent some while before something that has arrived is lost
 * (RFC 8985 6). Some while is the reordering window: nothing while the network has kept the order and three
 * segments say so, else a quarter of the least round trip, and more when D-SACKs tell that this is not
 * enough. */
#include "net/tcp/tcp.h"

enum { DUPTHRESH = 3, WINDOW_PERSIST = 16 };

static bool sent_after(uint64_t t1, uint32_t end1, uint64_t t2, uint32_t end2)
{
    return t1 > t2 || (t1 == t2 && seq_after(end1, end2));
}

/* 6.2 step 2: of something sent again, was it the first copy that arrived? */
static bool ambiguous(const struct tcp_sock *tp, const struct tcp_skb_cb *cb, uint64_t rtt,
                      const struct tcp_ack_news *news)
{
    if (!cb->resent)
        return false;
    if (news->has_echo && tcp_ts_before(tp, news->echo, cb->last_sent_at))
        return true;
    return rtt < tp->rtt.min;
}

static void note_reordering(struct tcp_sock *tp)
{
    tp->rack.reordered = true;
    tp->reorderings++;
    tcp_count(tp->sk.net, TCP_COUNT_reorderings);
}

void tcp_rack_delivered(struct tcp_sock *tp, struct sk_buff *skb, const struct tcp_ack_news *news)
{
    struct tcp_rack *r = &tp->rack;
    const struct tcp_skb_cb *cb = tcp_cb(skb);
    uint32_t end = tcp_skb_end(skb);
    uint64_t rtt = news->now - cb->last_sent_at;
    if (seq_before(end, news->fack) && !cb->resent) /* 6.2 step 3 */
        note_reordering(tp);
    r->fack = seq_max(r->fack, end);
    if (ambiguous(tp, cb, rtt, news))
        return;
    r->rtt = rtt;
    if (!sent_after(cb->last_sent_at, end, r->sent_at, r->end))
        return;
    r->sent_at = cb->last_sent_at;
    r->end = end;
}

/* 6.2 step 4 */
void tcp_rack_adapt(struct tcp_sock *tp, bool dsack)
{
    struct tcp_rack *r = &tp->rack;
    if (!dsack || seq_before(tp->snd_una, r->dsack_round)) /* once a round trip */
        return;
    r->dsack_round = tp->snd_nxt;
    r->window_mult = (uint8_t)MIN(r->window_mult + 1, UINT8_MAX);
    r->window_persist = WINDOW_PERSIST;
}

void tcp_rack_recovered(struct tcp_sock *tp)
{
    struct tcp_rack *r = &tp->rack;
    if (r->window_persist && !--r->window_persist)
        r->window_mult = 1;
}

static uint64_t reordering_window(const struct tcp_sock *tp)
{
    const struct tcp_rack *r = &tp->rack;
    if (!r->reordered && (tp->recovery != TCP_OPEN || tp->board.sacked >= DUPTHRESH * tp->mss))
        return 0;
    return MIN(r->window_mult * tp->rtt.min / 4, tp->rtt.srtt);
}

/* 6.2 step 5. Nothing that was sent behind what arrived last can have been overtaken by it. */
void tcp_rack_detect(struct tcp_sock *tp)
{
    const struct tcp_rack *r = &tp->rack;
    uint64_t now = time_now(), window = reordering_window(tp), wait = 0;
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    for (; skb && skb != tp->send_head; skb = skb_queue_next(&tp->write_queue, skb)) {
        const struct tcp_skb_cb *cb = tcp_cb(skb);
        if (cb->sacked || cb->lost_now || !sent_after(r->sent_at, r->end, cb->last_sent_at, tcp_skb_end(skb)))
            continue;
        uint64_t late = cb->last_sent_at + r->rtt + window;
        if (late <= now)
            tcp_board_mark_lost(tp, skb);
        else
            wait = MAX(wait, late - now);
    }
    if (wait)
        tcp_timer_start(tp, TCP_TIMER_REORDER, wait);
    else
        tcp_timer_stop(tp, TCP_TIMER_REORDER);
}
