/* net/tcp/tcp_recovery.c - the state of repair.
 * OPEN -> FAST_RECOVERY when something is known to be lost: by SACK and time (tcp_rack.c) or number
 * (tcp_scoreboard.c), without SACK by the third duplicate ACK (tcp_newreno.c). -> LOSS on a time-out. Both
 * end when recover is acknowledged. How far the window falls and how it grows is the congestion module's
 * affair; between the two it is proportional rate reduction that says what goes (RFC 6937). */
#include "lib/string.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_trace.h"

static struct tcp_cong_view view_make(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    return (struct tcp_cong_view){
        .cwnd = tp->cwnd,
        .ssthresh = tp->ssthresh,
        .mss = tp->mss,
        .flight = news ? news->flight : tp->snd_nxt - tp->snd_una,
        .acked = news ? news->acked : 0,
        .cwnd_limited = tcp_window_in_use(tp),
        .echo = news && news->echo_of_mark,
        .rtt = news ? news->rtt : 0,
        .min_rtt = tp->rtt.min,
        .now = news ? news->now : time_now(),
        .hystart = READ_ONCE(tcp_state_of(tp)->hystart),
        .state = tp->cong_state,
    };
}

static void view_store(struct tcp_sock *tp, const struct tcp_cong_view *v)
{
    tp->cwnd = MAX(v->cwnd, tp->mss);
    tp->ssthresh = v->ssthresh;
}

void tcp_recovery_lower_threshold(struct tcp_sock *tp)
{
    struct tcp_cong_view v = view_make(tp, NULL);
    if (!v.cwnd_limited && !tp->cong->control) /* RFC 7661 4.4.1: of a window not in use, what was */
        v.cwnd = MIN(v.cwnd, MAX(v.flight, tp->usage.most));
    v.ssthresh = tp->cong->ssthresh(&v);
    view_store(tp, &v);
}

void tcp_recovery_count_resent(struct tcp_sock *tp, uint32_t n)
{
    tp->bytes_retrans += n;
    tcp_trace_retransmit(tp, n);
    if (tp->recovery == TCP_FAST_RECOVERY)
        tcp_count(tp->sk.net, TCP_COUNT_retransmits_fast);
    else if (tp->recovery == TCP_LOSS)
        tcp_count(tp->sk.net, TCP_COUNT_retransmits_in_loss);
}

void tcp_recovery_begin_with(struct tcp_sock *tp, const struct tcp_cong_ops *cong)
{
    tp->cong = cong;
    memset(tp->cong_state, 0, sizeof tp->cong_state);
    tp->round_end = cong->wants_rate ? (uint32_t)tp->rate.delivered : tp->snd_nxt; /* round_is_over() */
    tcp_pacing_choose(tp);
}

void tcp_recovery_init(struct tcp_sock *tp)
{
    tp->cwnd =
        tp->retransmits ? tp->mss : tcp_initial_window(tp); /* RFC 5681 3.1: a lost SYN means one segment */
    tp->ssthresh = TCP_CWND_MAX;                            /* RFC 5681 3.1: arbitrarily high */
    tp->recovery = TCP_OPEN;
    tp->recover = tp->iss; /* RFC 6582 3.2 step 1 */
    tp->rack = (struct tcp_rack){
        .fack = tp->snd_una, .end = tp->snd_una, .window_mult = 1, .dsack_round = tp->snd_una
    };
    tp->board = (struct tcp_board){ 0 };
    tp->undo.cwnd = 0;
    tp->tlp.out = false;
    tp->usage = (struct tcp_usage){ .end = tp->snd_nxt, .in_use_at = tp->last_sent_at };
    tp->rate = (struct tcp_rate){ .delivered = 0 };
    tcp_recovery_begin_with(tp, tp->cong);
}

void tcp_recovery_congested(struct tcp_sock *tp)
{
    tcp_recovery_lower_threshold(tp);
    tp->cwnd = MIN(tp->cwnd, tp->ssthresh);
}

/* A round trip is over when what was out at its beginning is acknowledged; for a module that looks at rates,
 * when something has arrived that was sent after its beginning, whatever is missing before it. */
static bool round_is_over(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    bool by_arrival = tp->cong->wants_rate;
    bool over = by_arrival ? news->sampled && seq_after_eq(tp->rate.prior, tp->round_end)
                           : seq_after(tp->snd_una, tp->round_end);
    if (over)
        tp->round_end = by_arrival ? (uint32_t)tp->rate.delivered : tp->snd_nxt;
    return over;
}

static void add_rate(const struct tcp_sock *tp, const struct tcp_ack_news *news, struct tcp_cong_view *v)
{
    if (news->sampled) {
        v->rate = tcp_rate_latest(&tp->rate);
        v->app_limited = tp->rate.sample_limited;
    }
    v->delivered = news->delivered;
    v->pipe = tcp_flight(tp);
    v->repairing = tp->recovery != TCP_OPEN;
}

static void control(struct tcp_sock *tp, struct tcp_cong_view *v)
{
    v->pacing_rate = tp->pacing.module_rate;
    tp->cong->control(v);
    tp->pacing.module_rate = v->pacing_rate;
    if (v->holds_back)
        tcp_rate_limited(tp);
}

static void ask_module(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    struct tcp_cong_view v = view_make(tp, news);
    v.round = round_is_over(tp, news);
    if (v.round && tp->cong->wants_chance)
        v.chance = random_u32();
    if (tp->cong->wants_rate)
        add_rate(tp, news, &v);
    if (tp->cong->control)
        control(tp, &v);
    else
        tp->cong->ack(&v);
    view_store(tp, &v);
}

static void grow(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    if (!tp->cong->control)
        ask_module(tp, news);
}

/* In fast recovery without SACK the window is how duplicate ACKs are counted (RFC 5681 3.2): not then. */
static void give_control(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    if (news->delivered && (tp->sack_ok || tp->recovery != TCP_FAST_RECOVERY))
        ask_module(tp, news);
}

/* ---- fast recovery with SACK ---- */

static void reduce(struct tcp_sock *tp, uint32_t delivered, uint32_t least)
{
    uint32_t pipe = tcp_flight(tp);
    tp->prr.delivered += delivered;
    tp->cwnd = pipe + MAX(tcp_prr_quota(&tp->prr, pipe, tp->ssthresh, delivered, tp->mss), least);
}

/* RFC 6675 5 (4.1) to (4.3): the first lost segment goes at once. */
static void enter_fast_recovery(struct tcp_sock *tp, uint32_t delivered)
{
    tcp_count(tp->sk.net, TCP_COUNT_sack_recoveries);
    tcp_undo_save(tp);
    tp->prr = (struct tcp_prr){ .flight = MAX(tp->snd_nxt - tp->snd_una, 1u) };
    tcp_recovery_lower_threshold(tp);
    tp->recovery = TCP_FAST_RECOVERY;
    tp->recover = tp->snd_nxt;
    reduce(tp, delivered, tp->mss);
}

/* What is lost by now? Without holes in what has arrived there is nothing to look for. */
static void detect_loss(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    if (!tp->sack_ok) /* RFC 8985 3, RFC 6675 2: both need the peer's SACK; tcp_newreno.c does without */
        return;
    if (!tp->board.sacked && tp->recovery == TCP_OPEN && !tcp_timer_running(tp, TCP_TIMER_REORDER))
        return;
    if (READ_ONCE(tcp_state_of(tp)->rack)) {
        tcp_rack_adapt(tp, news && news->dsack);
        tcp_rack_detect(tp);
    } else {
        tcp_board_mark_overtaken(tp);
    }
}

void tcp_recovery_reordering(struct tcp_sock *tp)
{
    detect_loss(tp, NULL);
    bool only_probe = tp->mtu.on && tcp_mtu_look(tp);
    if (tp->recovery == TCP_OPEN && tp->board.lost && !only_probe)
        enter_fast_recovery(tp, 0);
    else if (tp->recovery == TCP_FAST_RECOVERY)
        reduce(tp, 0, tp->board.lost ? tp->mss : 0);
    tcp_output(tp);
}

/* ---- what an ACK means in each state ---- */

static void ack_open(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    if (tp->board.lost)
        enter_fast_recovery(tp, news->delivered);
    else if (news->acked)
        grow(tp, news);
    else if (news->duplicate && !tp->sack_ok)
        tcp_newreno_duplicate_ack(tp);
}

static void ack_fast_recovery(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    bool recovered = news->acked && seq_after_eq(tp->snd_una, tp->recover);
    if (recovered) {
        tp->recovery = TCP_OPEN;
        if (!tp->sack_ok)
            tcp_newreno_full_ack(tp);
        else
            tp->cwnd = tp->ssthresh; /* RFC 6937 3: at the end of recovery */
        tcp_rack_recovered(tp);
        if (tp->board.lost) /* of what was sent since */
            enter_fast_recovery(tp, news->delivered);
    } else if (tp->sack_ok) {
        reduce(tp, news->delivered, 0);
    } else if (news->acked) {
        tcp_newreno_partial_ack(tp, news->acked);
    } else if (news->duplicate) {
        tcp_newreno_duplicate_ack(tp);
    }
}

/* RFC 5682 3.1 steps 2 and 3: new text before what may not be lost at all. */
static void step_frto(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    bool more = seq_before(tp->snd_nxt, tp->write_seq) && seq_before(tp->snd_nxt, tp->snd_una + tp->snd_wnd);
    if (tp->frto == TCP_FRTO_RESENT && news->acked && more)
        tp->frto = TCP_FRTO_NEW;
    else if (news->acked || news->duplicate || news->blocks)
        tp->frto = TCP_FRTO_OFF;
}

/* What the time-outs began is over, repaired or found needless. */
static void end_timeouts(struct tcp_sock *tp)
{
    tp->timeout_recoveries++;
    tp->timeout_time += time_now() - tp->timeout_since;
    tp->timeout_since = 0;
}

static void ack_loss(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    if (news->acked && seq_after_eq(tp->snd_una, tp->recover)) {
        tp->recovery = TCP_OPEN;
        tp->frto = TCP_FRTO_OFF;
        tcp_rack_recovered(tp);
    } else if (tp->frto) {
        step_frto(tp, news);
    }
    if (news->acked)
        grow(tp, news);
}

void tcp_recovery_ack(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    static void (*const in_state[])(struct tcp_sock * tp, const struct tcp_ack_news *news) = {
        [TCP_OPEN] = ack_open, [TCP_FAST_RECOVERY] = ack_fast_recovery, [TCP_LOSS] = ack_loss
    };
    if (news->acked)
        tp->dupacks = 0;
    else if (news->duplicate)
        tcp_count(tp->sk.net, TCP_COUNT_duplicate_acks_in);
    if (tp->tlp.out)
        tcp_tlp_ack(tp, news);
    if (!tp->undo.cwnd || !tcp_undo_try(tp, news))
        detect_loss(tp, news);
    if (!tp->mtu.on || !tcp_mtu_look(tp))
        in_state[tp->recovery](tp, news);
    if (tp->cong->control)
        give_control(tp, news);
    if (tp->timeout_since && tp->recovery != TCP_LOSS)
        end_timeouts(tp);
    if (news->echo_of_mark)
        tcp_ecn_echoed(tp);
}

/* ---- time-outs ---- */

/* From here on everything in flight counts as lost and is sent again in order. */
static void begin_loss(struct tcp_sock *tp)
{
    tp->recovery = TCP_LOSS;
    tp->recover = tp->snd_nxt; /* RFC 6582 3.2 step 4 */
    tp->dupacks = 0;
    tp->frto = TCP_FRTO_OFF;
    tp->tlp.out = false;
    tcp_timer_stop(tp, TCP_TIMER_PROBE);
    tcp_timer_stop(tp, TCP_TIMER_REORDER);
    tcp_board_lose_all(tp);
}

void tcp_recovery_too_big(struct tcp_sock *tp)
{
    if (tp->recovery == TCP_FAST_RECOVERY)
        tp->cwnd = tp->ssthresh; /* deflate first */
    tp->undo.cwnd = 0;
    begin_loss(tp);
}

/* RFC 2018 8: the oldest segment is one the peer said it had. It must have thrown it away. */
static bool reneged(const struct tcp_sock *tp)
{
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    return tp->board.sacked && skb && tcp_cb(skb)->sacked;
}

void tcp_recovery_timeout(struct tcp_sock *tp)
{
    bool first = tp->retransmits == 1;
    if (first) { /* RFC 5681 3.1: ssthresh falls once for each loss */
        tcp_undo_save(tp);
        tcp_recovery_lower_threshold(tp);
    }
    struct tcp_cong_view v = view_make(tp, NULL);
    tp->cong->timeout(&v);
    view_store(tp, &v);
    if (reneged(tp))
        tcp_board_forget_sacks(tp);
    begin_loss(tp);
    if (first && tp->sack_ok && READ_ONCE(tcp_state_of(tp)->frto_on))
        tp->frto = TCP_FRTO_RESENT; /* RFC 5682 3.1 step 1 */
    tp->usage.full = true;          /* by definition: a window of one segment and more to send */
    tp->usage.end = tp->snd_nxt;
}
