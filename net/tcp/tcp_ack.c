/* net/tcp/tcp_ack.c - what an acknowledgement tells us: RFC 9293 3.10.7.4, fifth step, ESTABLISHED. */
#include "net/tcp/tcp.h"

/* What one ACK took off the write queue. */
struct acked {
    uint64_t sent_at;   /* of the oldest buffer; 0: there was none */
    uint64_t resent_at; /* the latest of all; 0: none was sent again */
};

static uint32_t scaled_window(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    /* RFC 7323 2.2: the window of a segment with SYN is never scaled */
    return tcp_segment_has(seg, TCP_FLAG_SYN) ? seg->window : seg->window << tp->snd_wscale;
}

void tcp_update_window(struct tcp_sock *tp, const struct tcp_segment *seg)
{
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
}

/* RFC 5681 2: outstanding data, no text, no SYN or FIN, the same number, the same window. */
static bool is_duplicate(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return seg->ack == tp->snd_una && tp->snd_nxt != tp->snd_una && seg->len == 0 &&
           scaled_window(tp, seg) == tp->snd_wnd;
}

static void note(struct acked *a, struct sk_buff *skb)
{
    const struct tcp_skb_cb *cb = tcp_cb(skb);
    a->resent_at = MAX(a->resent_at, cb->resent_at);
    if (!a->sent_at)
        a->sent_at = cb->sent_at;
}

/* Free what lies wholly below snd_una, and the acknowledged front of the next. */
static struct acked clean_write_queue(struct tcp_sock *tp)
{
    struct acked a = { 0 };
    struct sk_buff *skb;
    while ((skb = skb_peek(&tp->write_queue)) && seq_before(tcp_cb(skb)->seq, tp->snd_una)) {
        note(&a, skb);
        if (seq_before(tp->snd_una, tcp_skb_end(skb))) {
            uint32_t front = tp->snd_una - tcp_cb(skb)->seq;
            skb_unlink(&tp->write_queue, skb);
            skb_pull(skb, front);
            tcp_cb(skb)->seq += front;
            skb_queue_head(&tp->write_queue, skb);
            break;
        }
        skb_unlink(&tp->write_queue, skb);
        consume_skb(skb);
    }
    return a;
}

/* RFC 6298 3 and 5.7: a fresh sample ends the backoff. The time of the round trip, or 0 without a sample. */
static uint64_t sample_rtt(struct tcp_sock *tp, const struct acked *a, const struct tcp_segment *seg)
{
    uint64_t m = 0;
    if (a->resent_at) /* Karn, RFC 6298 3: which copy is acknowledged? RFC 7323 4.1 may know */
        m = tcp_ts_round_trip(tp, seg, a->resent_at);
    else if (a->sent_at)
        m = time_now() - a->sent_at;
    if (!m)
        return 0;
    tcp_rtt_sample(&tp->rtt, m);
    tp->backoff = 0;
    return m;
}

/* RFC 6298 5.2 and 5.3. In fast recovery the first partial ACK alone restarts the timer (RFC 6582 3.2). */
static void reset_timer(struct tcp_sock *tp)
{
    if (tp->snd_una == tp->snd_nxt)
        tcp_timer_stop(tp, TCP_TIMER_REXMIT);
    else if (tp->recovery != TCP_FAST_RECOVERY)
        tcp_start_rexmit(tp);
}

static void new_ack(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    uint32_t flight = tp->snd_nxt - tp->snd_una, acked = seg->ack - tp->snd_una;
    tp->snd_una = seg->ack;
    tp->bytes_acked += acked;
    tp->retransmits = 0;
    dst_confirm(tp->dst);
    struct acked a = clean_write_queue(tp);
    uint64_t rtt = sample_rtt(tp, &a, seg);
    tcp_recovery_new_ack(tp, acked, flight, rtt);
    reset_timer(tp);
    sock_wake_writers(&tp->sk); /* room to write; or a close() that lingers */
}

void tcp_ack(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    tp->last_ack_at = time_now();
    if (seq_before(seg->ack, tp->snd_una)) /* RFC 9293 3.10.7.4: a duplicate, to be ignored */
        return;
    bool duplicate = is_duplicate(tp, seg);
    tcp_update_window(tp, seg);
    if (seg->ack != tp->snd_una)
        new_ack(tp, seg);
    else if (duplicate)
        tcp_recovery_duplicate_ack(tp);
}
