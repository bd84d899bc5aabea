/* net/tcp/tcp_output.c - acting on the plan: from the write queue to segments.
 * The write queue holds text only. What is sent is a clone whose header is pushed into the headroom both
 * share; when an earlier clone is still out, a copy goes instead, so that no byte in flight ever changes. */
#include "lib/string.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_plan.h"
#include "net/tcp/tcp_trace.h"

/* What is to be sent again; not while F-RTO tries new text first (RFC 5682 3.1 step 2 b). */
static void view_lost(struct tcp_sock *tp, struct tcp_send_view *v)
{
    struct sk_buff *skb = tcp_board_next_lost(tp);
    v->lost = tp->frto != TCP_FRTO_NEW;
    v->lost_seq = skb ? tcp_cb(skb)->seq : tp->write_seq;
    v->lost_len = skb ? skb->len : 0;
}

static struct tcp_send_view view_of(struct tcp_sock *tp, bool override)
{
    /* RFC 3042 2: the first two duplicate ACKs each let one new segment go beyond the window; with SACK what
     * they tell of has left the flight, and that comes to the same */
    uint32_t limited = tp->recovery == TCP_OPEN ? MIN(tp->dupacks, 2u) * tp->mss : 0;
    struct tcp_send_view v = {
        .snd_una = tp->snd_una,
        .snd_nxt = tp->snd_nxt,
        .snd_wnd = tp->snd_wnd,
        .max_window = tp->max_window,
        .write_seq = tp->write_seq,
        .fin_queued = tp->fin_queued,
        .mss = tp->mss - tcp_sack_room(tp),
        .cwnd = tp->cwnd + limited,
        .flight = tcp_flight(tp),
        .small_in_flight = seq_after(tp->snd_small, tp->snd_una),
        .nodelay = tp->nodelay || tp->snd_urgent, /* RFC 9293 3.8.5: does not wait for more */
        .cork = (tp->cork || tp->more) && !tp->snd_urgent,
        .override = override,
    };
    if (tp->board.lost)
        view_lost(tp, &v);
    return v;
}

/* A second buffer behind skb with everything from len on: skb itself keeps len bytes. False: no memory. */
static bool split(struct tcp_sock *tp, struct sk_buff *skb, uint32_t len)
{
    uint32_t rest = skb->len - len, charged = skb->truesize;
    struct sk_buff *second = skb_split(skb, len, SKB_TX_HEADROOM);
    if (!second)
        return false;
    sock_wmem_change(&tp->sk, (int64_t)skb->truesize - charged);
    *tcp_cb(second) = *tcp_cb(skb);
    tcp_cb(second)->seq += len;
    tp->board.resent += tcp_cb(skb)->resent && !tcp_cb(skb)->sacked;
    tcp_cb(skb)->push = false;
    skb_set_owner_w(second, &tp->sk);
    skb_queue_after(&tp->write_queue, skb, second);
    tp->write_queue.bytes -= rest;
    return true;
}

/* Bytes taken off skb's front left room there: move the rest down, so that there is room behind. False: there
 * was none. */
static bool close_ranks(struct sk_buff *skb)
{
    uint32_t gap = skb_headroom(skb) - MIN(skb_headroom(skb), (uint32_t)SKB_TX_HEADROOM);
    if (!gap || skb_shared_data(skb))
        return false;
    skb->data = memmove(skb->data - gap, skb->data, skb->len);
    skb->tail -= gap;
    return true;
}

/* Move n bytes from next behind skb's, or as many of them as there is room for: how many. Where pages do not
 * fit behind pages, or bytes that lie in none are to follow, skb becomes linear. */
static uint32_t move_bytes(struct sk_buff *skb, struct sk_buff *next, uint32_t n)
{
    if (skb_is_nonlinear(skb)) {
        if (skb_move(skb, next, n))
            return n;
        if (skb_linearize(skb, n))
            return 0;
    }
    if (!skb_tailroom(skb) && !close_ranks(skb))
        return 0;
    n = MIN(n, skb_tailroom(skb));
    return skb_move(skb, next, n) ? n : 0;
}

/* Move bytes from the buffers behind skb, none of them sent yet, until it has len. */
static void fill(struct tcp_sock *tp, struct sk_buff *skb, uint32_t len)
{
    struct sk_buff *next;
    while (skb->len < len && (next = skb_queue_next(&tp->write_queue, skb))) {
        uint32_t n = move_bytes(skb, next, MIN(len - skb->len, next->len));
        if (!n)
            return;
        tcp_cb(next)->seq += n;
        if (next->len)
            continue;
        tcp_cb(skb)->push |= tcp_cb(next)->push;
        skb_unlink(&tp->write_queue, next);
        consume_skb(next);
    }
}

static struct sk_buff *find(struct tcp_sock *tp, uint32_t seq)
{
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    while (skb && tcp_cb(skb)->seq != seq)
        skb = skb_queue_next(&tp->write_queue, skb);
    return skb;
}

/* What goes to the wire for skb; the original stays for retransmission. */
static struct sk_buff *wire_copy(struct sk_buff *skb)
{
    return skb_shared_data(skb) ? pskb_copy(skb) : skb_clone(skb);
}

static void note_sent(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_skb_cb *cb = tcp_cb(skb);
    cb->last_sent_at = tp->last_sent_at;
    if (!cb->sent)
        cb->sent_at = cb->last_sent_at;
    cb->sent = true;
    tcp_rate_mark(tp, skb);
    tp->data_segs_out++;
    tp->bytes_sent += skb->len;
    tp->prr.out += skb->len; /* of no meaning outside of recovery, which begins by clearing it */
}

/* Send skb (NULL: no text) at seq, with the FIN behind it if fin. False: no memory. */
static bool send_segment(struct tcp_sock *tp, struct sk_buff *skb, uint32_t seq, bool fin)
{
    uint8_t flags = TCP_FLAG_ACK | (fin ? TCP_FLAG_FIN : 0);
    tp->last_sent_at = time_now();
    if (!skb) {
        tcp_transmit_control(tp, seq, flags);
        return true;
    }
    struct sk_buff *out = wire_copy(skb);
    if (!out)
        return false;
    note_sent(tp, skb);
    tcp_transmit(tp, out, seq, flags | (tcp_cb(skb)->push || fin ? TCP_FLAG_PSH : 0));
    return true;
}

static bool emit_new(struct tcp_sock *tp, const struct tcp_plan *plan)
{
    struct sk_buff *skb = plan->len ? tp->send_head : NULL;
    if (skb) {
        ASSERT(tcp_cb(skb)->seq == plan->seq);
        fill(tp, skb, plan->len);
        if (skb->len > plan->len && !split(tp, skb, plan->len))
            return false;
    }
    uint32_t len = skb ? skb->len : 0;
    bool fin = plan->fin && plan->seq + len == tp->write_seq;
    if (!send_segment(tp, skb, plan->seq, fin))
        return false;
    if (len > tp->mss)
        tcp_mtu_sent(tp, skb);
    if (skb) {
        tp->send_head = skb_queue_next(&tp->write_queue, skb);
        tcp_quickack_text_out(tp);
    }
    tp->snd_nxt += len + fin;
    if (len < tp->mss)
        tp->snd_small = tp->snd_nxt;
    return true;
}

static bool emit_again(struct tcp_sock *tp, uint32_t seq)
{
    struct sk_buff *skb = find(tp, seq);
    if (skb && skb->len > tp->mss && !split(tp, skb, tp->mss)) /* the MSS has fallen since (RFC 1191 6.4) */
        return false;
    uint32_t end = skb ? tcp_skb_end(skb) : seq;
    bool fin = tp->fin_queued && end == tp->write_seq && seq_after(tp->snd_nxt, tp->write_seq);
    ASSERT(skb || fin);
    tcp_count(tp->sk.net, TCP_COUNT_segments_retransmitted);
    tp->total_retrans++;
    tcp_recovery_count_resent(tp, skb ? skb->len : 0);
    if (!send_segment(tp, skb, seq, fin))
        return false;
    tcp_undo_resent(tp);
    tcp_mtu_resent(tp, seq);
    if (skb)
        tcp_board_mark_resent(tp, skb);
    if (fin)
        tcp_board_fin_not_lost(tp);
    return true;
}

bool tcp_retransmit_first(struct tcp_sock *tp)
{
    if (tp->snd_una == tp->snd_nxt)
        return false;
    return emit_again(tp, tp->snd_una);
}

bool tcp_output_probe(struct tcp_sock *tp)
{
    struct tcp_send_view v = view_of(tp, true);
    v.cwnd = v.flight + v.mss;
    struct tcp_plan plan = tcp_plan_next(&v);
    if (plan.kind == TCP_PLAN_SEND)
        return emit_new(tp, &plan);
    struct sk_buff *last = skb_peek_tail(&tp->write_queue);
    while (last && !tcp_cb(last)->sent)
        last = skb_queue_prev(&tp->write_queue, last);
    return emit_again(tp, last ? tcp_cb(last)->seq : tp->snd_una);
}

/* RFC 6298 5.1 while something is in flight; while nothing is but something waits, the persist timer. */
static void set_timers(struct tcp_sock *tp, enum tcp_plan_kind why)
{
    if (tp->snd_una != tp->snd_nxt) {
        tcp_timer_stop(tp, TCP_TIMER_PERSIST);
        if (!tcp_timer_running(tp, TCP_TIMER_REXMIT))
            tcp_start_rexmit(tp);
        tcp_tlp_schedule(tp);
        return;
    }
    tcp_timer_stop(tp, TCP_TIMER_REXMIT);
    if (why == TCP_PLAN_IDLE || why == TCP_PLAN_PACE)
        tcp_timer_stop(tp, TCP_TIMER_PERSIST);
    else if (!tcp_timer_running(tp, TCP_TIMER_PERSIST))
        tcp_timer_start(tp, TCP_TIMER_PERSIST, tcp_rto_backed_off(&tp->rtt, tp->persist_backoff));
}

static bool emit(struct tcp_sock *tp, const struct tcp_plan *plan)
{
    return plan->kind == TCP_PLAN_SEND ? emit_new(tp, plan) : emit_again(tp, plan->seq);
}
static bool to_be_sent(const struct tcp_plan *plan)
{
    return plan->kind == TCP_PLAN_SEND || plan->kind == TCP_PLAN_RESEND;
}

/* Too much would only wait in our own card's queue, or not fit in. What is in flight will be acknowledged and
 * have us go on, so this needs no timer. */
static bool card_is_behind(const struct tcp_sock *tp)
{
    return tp->dst && tp->snd_una != tp->snd_nxt && netif_tx_behind(tp->dst->dev);
}

static struct tcp_plan next_plan(struct tcp_sock *tp, bool override)
{
    struct tcp_send_view v = view_of(tp, override);
    struct tcp_plan plan = tcp_plan_next(&v);
    if (plan.kind == TCP_PLAN_SEND && card_is_behind(tp))
        plan.kind = TCP_PLAN_CARD;
    if (tp->pacing.on && to_be_sent(&plan) && !tcp_pacing_take(tp, plan.len))
        plan.kind = TCP_PLAN_PACE;
    return plan;
}

static void output(struct tcp_sock *tp, bool override)
{
    if (!tcp_in(tp, TCPS_SENDING))
        return;
    if (tp->snd_una == tp->snd_nxt && tp->send_head)
        tcp_window_idle(tp);
    for (bool sent = false;; sent = true) {
        struct tcp_plan plan = next_plan(tp, override);
        if (tp->mtu.on && plan.kind == TCP_PLAN_SEND)
            tcp_mtu_plan(tp, &plan);
        if (!to_be_sent(&plan) || !emit(tp, &plan)) {
            if (sent || plan.kind == TCP_PLAN_CWND)
                tcp_window_used(tp, plan.kind);
            set_timers(tp, plan.kind);
            return;
        }
        override = false;
    }
}

void tcp_output(struct tcp_sock *tp)
{
    output(tp, false);
}

void tcp_output_override(struct tcp_sock *tp)
{
    output(tp, true);
}

void tcp_send_ack(struct tcp_sock *tp)
{
    tcp_transmit_control(tp, tp->snd_nxt, TCP_FLAG_ACK);
}

void tcp_flush_ack(struct tcp_sock *tp)
{
    if (tp->ack_now)
        tcp_send_ack(tp);
}

void tcp_send_syn(struct tcp_sock *tp)
{
    bool answer = tp->sk.state == TCPS_SYN_RECEIVED;
    tcp_transmit_control(tp, tp->iss, answer ? TCP_FLAG_SYN | TCP_FLAG_ACK : TCP_FLAG_SYN);
}

void tcp_send_reset(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_resets_out);
    tcp_transmit_control(tp, tp->snd_nxt, TCP_FLAG_RST | TCP_FLAG_ACK);
}

void tcp_send_probe(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_window_probes);
    if (tcp_urgent_in_reach(tp)) /* RFC 9293 3.8.5: even if the window is shut */
        tcp_transmit_control(tp, tp->snd_una, TCP_FLAG_ACK);
    tcp_transmit_control(tp, tp->snd_una - 1, TCP_FLAG_ACK);
}
