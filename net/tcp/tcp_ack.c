/* net/tcp/tcp_ack.c - what an acknowledgement tells us: RFC 9293 3.10.7.4, fifth step, ESTABLISHED. */
#include "net/tcp/tcp.h"

/* What one ACK took off the write queue, but for what SACK blocks had told of before. */
struct taken_off {
    bool any, resent;
    uint64_t first_sent_at;  /* of the oldest buffer */
    uint64_t last_resent_at; /* the latest of those sent again */
};

static uint32_t scaled_window(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    /* RFC 7323 2.2: the window of a segment with SYN is never scaled */
    return tcp_segment_has(seg, TCP_FLAG_SYN) ? seg->window : seg->window << tp->snd_wscale;
}

/* What is in flight lay beyond a window that was shut, and was not kept. The peer answered all the while: its
 * silence counts from now on (RFC 9293 3.8.6.1, MUST-36), and so does the time-out. */
static void window_opens(struct tcp_sock *tp)
{
    tp->unacked_since = time_now();
    tp->backoff = 0;
    tcp_start_rexmit(tp);
}

void tcp_update_window(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    bool was_shut = !tp->snd_wnd;
    bool newer = seq_before(tp->snd_wl1, seg->seq) ||
                 (tp->snd_wl1 == seg->seq && seq_before_eq(tp->snd_wl2, seg->ack));
    if (!newer) /* RFC 9293 3.10.7.4: prevents old segments from setting the window */
        return;
    tp->snd_wnd = scaled_window(tp, seg);
    tp->max_window = MAX(tp->max_window, tp->snd_wnd);
    tp->snd_wl1 = seg->seq;
    tp->snd_wl2 = seg->ack;
    if (tp->snd_wnd)
        tp->persist_backoff = 0;
    if (was_shut && tp->snd_wnd && tp->snd_una != tp->snd_nxt)
        window_opens(tp);
}

/* RFC 5681 2: outstanding data, no text, no SYN or FIN, the same number, the same window. */
static bool is_duplicate(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return seg->ack == tp->snd_una && tp->snd_nxt != tp->snd_una && seg->len == 0 &&
           scaled_window(tp, seg) == tp->snd_wnd;
}

static void note(struct tcp_sock *tp, struct sk_buff *skb, struct taken_off *t, struct tcp_ack_news *news)
{
    const struct tcp_skb_cb *cb = tcp_cb(skb);
    if (cb->sacked)
        return;
    tcp_rack_delivered(tp, skb, news);
    tcp_rate_arrived(tp, skb);
    news->original |= !cb->resent && seq_before_eq(tcp_skb_end(skb), tp->recover);
    if (!t->any)
        t->first_sent_at = cb->sent_at;
    if (cb->resent)
        t->last_resent_at = MAX(t->last_resent_at, cb->last_sent_at);
    t->any = true;
    t->resent |= cb->resent;
}

/* Free what lies wholly below snd_una, and the acknowledged front of the next. */
static struct taken_off clean_write_queue(struct tcp_sock *tp, struct tcp_ack_news *news)
{
    struct taken_off t = { 0 };
    struct sk_buff *skb;
    while ((skb = skb_peek(&tp->write_queue)) && seq_before(tcp_cb(skb)->seq, tp->snd_una)) {
        uint32_t front = MIN(tp->snd_una - tcp_cb(skb)->seq, skb->len);
        note(tp, skb, &t, news);
        tcp_board_acked(tp, skb, front);
        skb_unlink(&tp->write_queue, skb);
        if (front < skb->len) {
            skb_pull(skb, front);
            tcp_cb(skb)->seq += front;
            skb_queue_head(&tp->write_queue, skb);
            break;
        }
        consume_skb(skb);
    }
    return t;
}

/* The round trip, or 0: RFC 6298 3 (Karn), where RFC 7323 4.1 knows which copy is acknowledged. */
static uint64_t round_trip(const struct tcp_sock *tp, const struct taken_off *t,
                           const struct tcp_segment *seg, const struct tcp_ack_news *news)
{
    if (t->resent)
        return tcp_ts_round_trip(tp, seg, t->last_resent_at);
    if (t->any)
        return MAX(news->now - t->first_sent_at, (uint64_t)1);
    return news->sacked_once ? MAX(news->now - news->sacked_sent_at, (uint64_t)1) : 0;
}

/* How many samples a round trip will bring, as a power of two: RFC 7323 G, FlightSize / (2 * SMSS). */
static unsigned log2_samples(const struct tcp_sock *tp, uint32_t flight)
{
    uint32_t one = 2 * tp->mss;
    return flight > one ? (unsigned)(__builtin_clz(one) - __builtin_clz(flight)) : 0;
}

/* RFC 6298 5.7: a fresh sample ends the backoff. */
static void sample_rtt(struct tcp_sock *tp, const struct taken_off *t, const struct tcp_segment *seg,
                       struct tcp_ack_news *news)
{
    news->rtt = round_trip(tp, t, seg, news);
    if (!news->rtt)
        return;
    tcp_rtt_sample(&tp->rtt, news->rtt, log2_samples(tp, news->flight));
    tp->backoff = 0;
}

/* RFC 6298 5.2 and 5.3. In fast recovery without SACK the first partial ACK alone restarts the timer
 * (RFC 6582 3.2). */
static void reset_timer(struct tcp_sock *tp)
{
    if (tp->snd_una == tp->snd_nxt) {
        tcp_timer_stop(tp, TCP_TIMER_REXMIT);
        tcp_timer_stop(tp, TCP_TIMER_PROBE);
        tcp_timer_stop(tp, TCP_TIMER_REORDER);
    } else if (tp->recovery != TCP_FAST_RECOVERY || tp->sack_ok) {
        tcp_start_rexmit(tp);
    }
}

/* The front of what is left had been SACKed: the peer must have thrown it away since (RFC 2018 8). */
static void look_for_reneging(struct tcp_sock *tp)
{
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    if (!tp->board.sacked || !skb || !tcp_cb(skb)->sacked || seq_after(tcp_cb(skb)->seq, tp->snd_una))
        return;
    tcp_count(tp->sk.net, TCP_COUNT_sack_reneging);
    tcp_board_forget_sacks(tp);
    tcp_board_lose_all(tp);
}

static struct tcp_ack_news news_of(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return (struct tcp_ack_news){
        .now = tp->last_ack_at,
        .flight = tp->snd_nxt - tp->snd_una,
        .acked = seg->ack - tp->snd_una,
        .fack = tp->rack.fack,
        .duplicate = is_duplicate(tp, seg),
        .echo_of_mark = tp->ecn_ok && tcp_segment_has(seg, TCP_FLAG_ECE),
        .has_echo = tp->ts_ok && seg->options.has_timestamp,
        .echo = seg->options.ts_ecr,
    };
}

void tcp_ack(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    tp->last_ack_at = time_now();
    if (seq_before(seg->ack, tp->snd_una)) /* RFC 9293 3.10.7.4: a duplicate, to be ignored */
        return;
    struct tcp_ack_news news = news_of(tp, seg);
    struct taken_off t = { 0 };
    uint32_t had = tp->snd_una + tp->board.sacked;
    tcp_update_window(tp, seg);
    if (seg->options.n_sacks && tp->sack_ok)
        tcp_sack_take(tp, seg, &news);
    if (news.acked) {
        tp->snd_una = seg->ack;
        tp->bytes_acked += news.acked;
        tp->retransmits = 0;
        dst_confirm(tp->dst);
        if (tp->snd_urgent)
            tcp_urgent_acked(tp);
        t = clean_write_queue(tp, &news);
        if (seq_after(tp->snd_una, tp->write_seq)) /* the FIN, which has no buffer */
            tcp_board_fin_not_lost(tp);
    }
    news.delivered = tp->snd_una + tp->board.sacked - had;
    if (news.acked)
        look_for_reneging(tp);
    sample_rtt(tp, &t, seg, &news);
    news.sampled = tcp_rate_ack(tp, &news);
    tcp_recovery_ack(tp, &news);
    if (tp->pacing.on)
        tcp_pacing_update(tp);
    if (!news.acked)
        return;
    reset_timer(tp);
    tcp_mem_settle(tp);
    if (tp->cwnd > tp->sk.sndbuf / 4) /* it may soon hold less than two windows */
        tcp_buffers_grow_send(tp);
    sock_wake_writers(&tp->sk); /* room to write; or a close() that lingers */
}
