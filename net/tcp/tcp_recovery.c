/* net/tcp/tcp_recovery.c - loss: noticed and repaired.
 * OPEN -> FAST_RECOVERY on the third duplicate ACK (RFC 5681 3.2, RFC 6582), -> LOSS on a time-out; both end
 * when recover is acknowledged. How far the window falls and how it grows is the congestion module's
 * affair. */
#include "net/tcp/tcp.h"

enum { DUPACK_THRESHOLD = 3 }; /* RFC 5681 3.2 */

static struct tcp_cong_view view_make(const struct tcp_sock *tp, uint32_t acked, uint32_t flight,
                                      uint64_t rtt)
{
    struct tcp_cong_view v = {
        .cwnd = tp->cwnd,
        .ssthresh = tp->ssthresh,
        .mss = tp->mss,
        .flight = flight,
        .acked = acked,
        .cwnd_limited = tp->cwnd_limited,
        .rtt = rtt,
        .now = time_now(),
    };
    for (size_t i = 0; i < ARRAY_SIZE(v.state); i++)
        v.state[i] = tp->cong_state[i];
    return v;
}

static void view_store(struct tcp_sock *tp, const struct tcp_cong_view *v)
{
    tp->cwnd = MAX(v->cwnd, tp->mss);
    tp->ssthresh = v->ssthresh;
    for (size_t i = 0; i < ARRAY_SIZE(v->state); i++)
        tp->cong_state[i] = v->state[i];
}

static void lower_threshold(struct tcp_sock *tp)
{
    struct tcp_cong_view v = view_make(tp, 0, tp->snd_nxt - tp->snd_una, 0);
    v.ssthresh = tp->cong->ssthresh(&v);
    view_store(tp, &v);
}

uint32_t tcp_flight(const struct tcp_sock *tp)
{
    uint32_t sent = tp->snd_nxt - tp->snd_una;
    uint32_t lost = tp->recovery == TCP_LOSS ? seq_ahead(tp->high_rxt, tp->recover) : 0;
    return sent - MIN(lost, sent);
}

void tcp_recovery_init(struct tcp_sock *tp)
{
    struct tcp_cong_view v = view_make(tp, 0, 0, tp->rtt.srtt);
    tp->cong->init(&v);
    view_store(tp, &v);
    if (tp->retransmits)
        tp->cwnd = tp->mss; /* RFC 5681 3.1: a lost SYN means one segment to begin with */
    tp->recovery = TCP_OPEN;
    tp->recover = tp->iss; /* RFC 6582 3.2 step 1 */
}

void tcp_recovery_idle(struct tcp_sock *tp)
{
    if (time_now() - tp->last_sent_at < tp->rtt.rto)
        return;
    struct tcp_cong_view v = view_make(tp, 0, 0, 0);
    tp->cong->init(&v); /* the restart window is the initial one at most */
    tp->cwnd = MIN(tp->cwnd, v.cwnd);
}

/* RFC 6582 3.2 steps 2 to 4 (RFC 5681 3.2 steps 2 and 3). */
static void enter_fast_recovery(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_fast_retransmits);
    lower_threshold(tp);
    tp->recovery = TCP_FAST_RECOVERY;
    tp->recover = tp->snd_nxt;
    tp->partial_ack_seen = false;
    tcp_retransmit_first(tp);
    tp->cwnd = tp->ssthresh + DUPACK_THRESHOLD * tp->mss;
}

void tcp_recovery_duplicate_ack(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_duplicate_acks_in);
    tp->dupacks++;
    if (tp->recovery == TCP_FAST_RECOVERY)
        tp->cwnd += tp->mss; /* RFC 5681 3.2 step 4: another segment has left the network */
    else if (tp->recovery == TCP_OPEN && tp->dupacks == DUPACK_THRESHOLD &&
             seq_after(tp->snd_una, tp->recover)) /* RFC 6582 3.2 step 2: not the echo of an old recovery */
        enter_fast_recovery(tp);
}

/* RFC 6582 3.2 step 3, "partial acknowledgements": the next hole is lost too. */
static void partial_ack(struct tcp_sock *tp, uint32_t acked)
{
    tcp_count(tp->sk.net, TCP_COUNT_partial_acks);
    tcp_retransmit_first(tp);
    tp->cwnd -= MIN(acked, tp->cwnd - tp->mss);
    if (acked >= tp->mss)
        tp->cwnd += tp->mss;
    if (!tp->partial_ack_seen) /* the timer is restarted by the first one only */
        tcp_start_rexmit(tp);
    tp->partial_ack_seen = true;
}

/* RFC 6582 3.2 step 3, "full acknowledgements", option 1: no burst. */
static void full_ack(struct tcp_sock *tp)
{
    uint32_t flight = tp->snd_nxt - tp->snd_una;
    tp->cwnd = MIN(tp->ssthresh, MAX(flight, tp->mss) + tp->mss);
    tp->recovery = TCP_OPEN;
}

static void grow(struct tcp_sock *tp, uint32_t acked, uint32_t flight, uint64_t rtt)
{
    struct tcp_cong_view v = view_make(tp, acked, flight, rtt);
    tp->cong->ack(&v);
    view_store(tp, &v);
}

void tcp_recovery_new_ack(struct tcp_sock *tp, uint32_t acked, uint32_t flight, uint64_t rtt)
{
    bool recovered = seq_after_eq(tp->snd_una, tp->recover);
    tp->dupacks = 0;
    if (tp->recovery == TCP_FAST_RECOVERY) {
        if (recovered)
            full_ack(tp);
        else
            partial_ack(tp, acked);
        return;
    }
    if (tp->recovery == TCP_LOSS) {
        tp->high_rxt = seq_max(tp->high_rxt, tp->snd_una);
        if (recovered)
            tp->recovery = TCP_OPEN;
    }
    grow(tp, acked, flight, rtt);
}

/* From here on everything in flight counts as lost and is sent again in order. */
static void begin_loss(struct tcp_sock *tp)
{
    tp->recovery = TCP_LOSS;
    tp->recover = tp->snd_nxt; /* RFC 6582 3.2 step 4 */
    tp->high_rxt = tp->snd_una;
    tp->dupacks = 0;
}

void tcp_recovery_too_big(struct tcp_sock *tp)
{
    if (tp->recovery == TCP_FAST_RECOVERY)
        tp->cwnd = tp->ssthresh; /* deflate first */
    begin_loss(tp);
}

void tcp_recovery_timeout(struct tcp_sock *tp)
{
    if (tp->retransmits == 1) /* RFC 5681 3.1: ssthresh falls once for each loss */
        lower_threshold(tp);
    struct tcp_cong_view v = view_make(tp, 0, tp->snd_nxt - tp->snd_una, 0);
    tp->cong->timeout(&v);
    view_store(tp, &v);
    begin_loss(tp);
    tp->cwnd_limited = true; /* by definition: a window of one segment and more to send */
}
