/* net/tcp/tcp_input.c - segment arrival in the order of RFC 9293 3.10.7.
 * SYN-SENT has its own rules (3.10.7.3). In every later state a segment goes through the steps of 3.10.7.4:
 * one function a step, in one array. A step that says DONE ends the processing; the first test of each says
 * why. */
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_metrics.h"
#include "net/tcp/tcp_trace.h"

enum step { GO_ON, DONE };

void tcp_drop(struct tcp_segment *seg, enum skb_drop_reason reason)
{
    seg->dropped = true;
    seg->reason = reason;
}
static enum step drop(struct tcp_segment *seg, enum skb_drop_reason reason)
{
    tcp_drop(seg, reason);
    return DONE;
}

void tcp_challenge_ack(struct tcp_sock *tp)
{
    uint64_t now = time_now();
    if (now - tp->challenge_since >= sec(1)) {
        tp->challenge_since = now;
        tp->challenges = 0;
    }
    if (tp->challenges++ >= (unsigned)READ_ONCE(tcp_state_of(tp)->challenge_ack_limit)) { /* RFC 5961 7 */
        tcp_count(tp->sk.net, TCP_COUNT_challenge_acks_held_back);
        return;
    }
    tcp_count(tp->sk.net, TCP_COUNT_challenge_acks);
    tcp_send_ack(tp);
}

struct tcp_options tcp_agree(const struct tcp_state *tcp, const struct tcp_options *theirs)
{
    struct tcp_options o = *theirs;
    o.mss = o.mss ? o.mss : TCP_MSS_DEFAULT;        /* RFC 9293 3.7.1, MUST-15 */
    o.has_wscale &= READ_ONCE(tcp->window_scaling); /* RFC 7323 2.2: both or none */
    o.sack_permitted &= READ_ONCE(tcp->sack);       /* RFC 2018 2 */
    o.has_timestamp &= READ_ONCE(tcp->timestamps);  /* RFC 7323 3.2 */
    return o;
}

void tcp_take_syn_options(struct tcp_sock *tp, const struct tcp_options *o)
{
    tp->peer_mss = o->mss;
    if (o->has_wscale) {
        tp->snd_wscale = o->wscale;
        tp->rcv_wscale = tcp_window_shift();
    }
    tp->sack_ok = o->sack_permitted;
    tp->n_reports = 0;
    tp->dsack_due = false;
    tcp_ts_begin(tp, o);
    tcp_update_mss(tp);
}

/* The peer's SYN: RFC 9293 3.10.7.2 and .3, RCV.NXT = SEG.SEQ+1, IRS = SEG.SEQ. */
static void take_syn(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    tp->irs = seg->seq;
    tp->rcv_nxt = tp->rcv_up = seg->seq + 1;
    tp->last_ack_sent = tp->rcv_nxt;
    tcp_ecn_begin(tp, seg);
    const struct tcp_options agreed = tcp_agree(tcp_state_of(tp), &seg->options);
    tcp_take_syn_options(tp, &agreed);
}

void tcp_establish(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    struct tcp_rtt *rtt = &tp->rtt;
    tp->snd_una = tp->snd_small = tp->iss + 1;
    tp->snd_wl1 = seg->seq - 1; /* whatever came before, this segment's window is the newest */
    tcp_update_window(tp, seg);
    tcp_timer_stop(tp, TCP_TIMER_REXMIT);
    if (tp->retransmits)
        rtt->rto = MIN(MAX(rtt->rto, sec(3)), rtt->most); /* RFC 6298 5.7; and Karn, RFC 6298 3: no sample */
    else if (tp->syn_sent_at)                             /* who sent a cookie did not note when */
        tcp_rtt_sample(rtt, time_now() - tp->syn_sent_at, 0);
    tp->last_ack_at = time_now();
    tcp_mtu_begin(tp);
    tcp_recovery_init(tp);
    tcp_metrics_recall(tp);
    tcp_buffers_begin(tp);
    tcp_quickack_begin(tp);
    tp->backoff = tp->retransmits = 0;
    tcp_trace_window(tp);
    tcp_set_state(tp, TCPS_ESTABLISHED);
    tcp_keepalive_restart(tp);
}

/* ---- RFC 9293 3.10.7.3: SYN-SENT ---- */

/* Fourth step there, "our SYN has been ACKed": ESTABLISHED. */
static void syn_sent_established(struct tcp_sock *tp, struct tcp_segment *seg)
{
    take_syn(tp, seg);
    tcp_establish(tp, seg);
    tcp_send_ack(tp);
    if (tp->fin_queued)
        tcp_set_state(tp, TCPS_FIN_WAIT_1);
    tcp_output(tp);
}

/* Fourth step, otherwise: both ends opened at once (RFC 9293 3.5, figure 8). */
static void syn_sent_simultaneous(struct tcp_sock *tp, struct tcp_segment *seg)
{
    take_syn(tp, seg);
    tp->snd_wnd = seg->window;
    tcp_set_state(tp, TCPS_SYN_RECEIVED);
    tcp_send_syn(tp);
}

static void receive_syn_sent(struct tcp_sock *tp, struct tcp_segment *seg)
{
    bool has_ack = tcp_segment_has(seg, TCP_FLAG_ACK);
    if (has_ack && seg->ack != tp->snd_nxt) { /* first: only ISS+1 acknowledges our SYN */
        tcp_reply_reset(seg);
        tcp_drop(seg, SKB_DROP_TCP_ACK_INVALID);
        return;
    }
    if (tcp_segment_has(seg, TCP_FLAG_RST)) { /* second; only with an acceptable ACK */
        tcp_drop(seg, SKB_DROP_TCP_RESET);
        if (has_ack)
            tcp_fail(tp, ECONNREFUSED);
        return;
    }
    if (!tcp_segment_has(seg, TCP_FLAG_SYN)) { /* fifth */
        tcp_drop(seg, SKB_DROP_TCP_FLAGS);
        return;
    }
    /* Text on the SYN is not acknowledged and so will come again (third, security, is RFC 9293 A.1's). */
    if (has_ack)
        syn_sent_established(tp, seg);
    else
        syn_sent_simultaneous(tp, seg);
}

/* ---- RFC 9293 3.10.7.4: the other states ---- */

/* The four cases of the table in 3.10.7.4, first step. With a shut window a segment at RCV.NXT goes on too:
 * its text will be cut to nothing, but its ACK, RST and URG count (MUST-66). */
static bool acceptable(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    uint32_t end = tp->rcv_nxt + tp->rcv_wnd;
    if (!tp->rcv_wnd)
        return seg->seq == tp->rcv_nxt;
    if (seq_within(seg->seq, tp->rcv_nxt, end))
        return true;
    return seg->len && seq_within(seg->seq + seg->len - 1, tp->rcv_nxt, end);
}

/* The peer of a simultaneous open repeats its SYN, now with an ACK (figure 8, line 7): that SYN lies before
 * the window, the ACK behind it counts. */
static bool strip_simultaneous_syn(const struct tcp_sock *tp, struct tcp_segment *seg)
{
    uint8_t both = TCP_FLAG_SYN | TCP_FLAG_ACK;
    if (tp->sk.state != TCPS_SYN_RECEIVED || (seg->flags & both) != both ||
        tcp_segment_has(seg, TCP_FLAG_RST) || seg->seq != tp->irs || seg->ack != tp->snd_nxt)
        return false;
    seg->flags &= (uint8_t)~TCP_FLAG_SYN;
    seg->seq++;
    seg->len--;
    return true;
}

/* RFC 9293 3.10.7.4: an ACK, and with SACK what came twice (RFC 2883 4). */
static void acknowledge_duplicate(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    uint32_t start = seg->seq + tcp_segment_has(seg, TCP_FLAG_SYN);
    tcp_sack_duplicate(tp, start, seq_min(start + tcp_segment_text(seg), tp->rcv_nxt));
    tcp_count(tp->sk.net, TCP_COUNT_texts_twice);
    tcp_quickack_again(tp);
    tcp_send_ack(tp);
}

/* Not acceptable: an ACK that tells the peer where we are, unless the segment is a reset. */
static void answer_unacceptable(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    if (tcp_segment_has(seg, TCP_FLAG_RST))
        return;
    if (tp->sk.state == TCPS_SYN_RECEIVED && tcp_segment_has(seg, TCP_FLAG_SYN) && seg->seq == tp->irs)
        tcp_send_syn(tp); /* our SYN+ACK was lost */
    else if (seg->len && !tcp_segment_has(seg, TCP_FLAG_SYN))
        acknowledge_duplicate(tp, seg);
    else
        tcp_challenge_ack(tp); /* RFC 5961 4.2; and ACK for ACK must not go on for ever */
}

/* RFC 7323 5.3 R1 comes before the RFC 9293 steps. */
static enum step step_timestamp(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (tcp_ts_missing(tp, seg)) /* RFC 7323 3.2: silently */
        return drop(seg, SKB_DROP_TCP_OPTIONS);
    if (!tcp_paws_rejects(tp, seg))
        return GO_ON;
    tcp_count(tp->sk.net, TCP_COUNT_paws_rejected);
    answer_unacceptable(tp, seg);
    return drop(seg, SKB_DROP_TCP_OLD_DATA);
}

/* The peer repeats its FIN, as BSD's and QEMU's do on every ACK until it is acknowledged: old, but the ACK in
 * it counts as any other. */
static bool repeats_fin(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    const uint32_t fin_received = TCPS_BIT(CLOSE_WAIT) | TCPS_BIT(CLOSING) | TCPS_BIT(LAST_ACK);
    const uint8_t relevant = TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST;
    return tcp_in(tp, fin_received) && (seg->flags & relevant) == TCP_FLAG_FIN &&
           seg->seq + seg->len == tp->rcv_nxt;
}

/* 3.10.7.4 first: while our window is shut valid ACKs count all the same. A peer that ran ahead of the window
 * acknowledges from there, and that may be all our user waits for before he reads again. */
static bool acks_beyond_shut_window(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    bool bare = !seg->len && (seg->flags & (TCP_FLAG_ACK | TCP_FLAG_RST)) == TCP_FLAG_ACK;
    return bare && !tp->rcv_wnd && seq_within(seg->seq, tp->rcv_nxt, tp->rcv_nxt + tp->sk.rcvbuf) &&
           seq_after(seg->ack, tp->snd_una) && seq_before_eq(seg->ack, tp->snd_nxt);
}

static enum step step_sequence(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (acceptable(tp, seg) || strip_simultaneous_syn(tp, seg)) {
        tcp_ts_update(tp, seg); /* RFC 7323 5.3 R3 */
        if (tp->ecn_ok)
            tcp_ecn_receive(tp, seg);
        return GO_ON;
    }
    if (repeats_fin(tp, seg)) {
        tp->ack_now = true;
        return GO_ON;
    }
    if (acks_beyond_shut_window(tp, seg))
        return GO_ON;
    answer_unacceptable(tp, seg);
    return drop(seg, tcp_segment_has(seg, TCP_FLAG_RST)              ? SKB_DROP_TCP_RESET
                     : seq_before(seg->seq, tp->rcv_nxt) && seg->len ? SKB_DROP_TCP_OLD_DATA
                                                                     : SKB_DROP_TCP_OUT_OF_WINDOW);
}

/* What the user is told of a reset; behind the peer's FIN it is writing that fails. */
static int error_of_reset(const struct tcp_sock *tp)
{
    switch (tp->sk.state) {
    case TCPS_SYN_RECEIVED:
        return ECONNREFUSED;
    case TCPS_CLOSE_WAIT:
        return EPIPE;
    default:
        return ECONNRESET;
    }
}

static enum step step_reset(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (!tcp_segment_has(seg, TCP_FLAG_RST))
        return GO_ON;
    if (seg->seq != tp->rcv_nxt) { /* RFC 5961 3.2: in the window, but not the one number that counts */
        tcp_challenge_ack(tp);
        return drop(seg, SKB_DROP_TCP_RESET);
    }
    tcp_count(tp->sk.net,
              tp->sk.state == TCPS_SYN_RECEIVED ? TCP_COUNT_embryonic_resets : TCP_COUNT_estab_resets);
    tcp_fail(tp, error_of_reset(tp));
    return drop(seg, SKB_DROP_TCP_RESET);
}

static enum step step_syn(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (!tcp_segment_has(seg, TCP_FLAG_SYN))
        return GO_ON;
    tcp_count(tp->sk.net, TCP_COUNT_syn_challenges);
    tcp_challenge_ack(tp); /* RFC 5961 4.2, whatever the number */
    return drop(seg, SKB_DROP_TCP_FLAGS);
}

/* SYN-RECEIVED, fifth step: the ACK of our SYN, and nothing else, opens the connection. */
static enum step open_by_ack(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (!seq_after(seg->ack, tp->snd_una) || seq_after(seg->ack, tp->snd_nxt)) {
        tcp_reply_reset(seg);
        return drop(seg, SKB_DROP_TCP_ACK_INVALID);
    }
    tcp_establish(tp, seg);
    if (tp->fin_queued) /* RFC 9293 3.10.4: a CLOSE in SYN-RECEIVED was waiting for this */
        tcp_set_state(tp, TCPS_FIN_WAIT_1);
    return GO_ON;
}

/* RFC 5961 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT. */
static bool ack_plausible(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return seq_before_eq(seg->ack, tp->snd_nxt) && seq_after_eq(seg->ack, tp->snd_una - tp->max_window);
}

/* What the acknowledgement of our FIN means in each state (RFC 9293 3.10.7.4, fifth). */
static enum step fin_acked(struct tcp_sock *tp)
{
    if (tcp_in(tp, TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(CLOSING) | TCPS_BIT(LAST_ACK)))
        tcp_metrics_save(tp);
    switch (tp->sk.state) {
    case TCPS_FIN_WAIT_1:
        tcp_fin_wait_2(tp);
        return GO_ON;
    case TCPS_CLOSING:
        tcp_time_wait(tp);
        return DONE;
    case TCPS_LAST_ACK:
        tcp_done(tp);
        return DONE;
    default:
        return GO_ON;
    }
}

static enum step step_ack(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (!tcp_segment_has(seg, TCP_FLAG_ACK)) /* fifth: "if the ACK bit is off, drop the segment" */
        return drop(seg, SKB_DROP_TCP_FLAGS);
    if (tp->sk.state == TCPS_SYN_RECEIVED && open_by_ack(tp, seg) == DONE)
        return DONE;
    if (!ack_plausible(tp, seg)) {
        tcp_challenge_ack(tp);
        return drop(seg, SKB_DROP_TCP_ACK_INVALID);
    }
    tcp_ack(tp, seg);
    bool our_fin = tp->fin_queued && tp->snd_una == tp->write_seq + 1;
    return our_fin ? fin_acked(tp) : GO_ON;
}

static enum step step_urgent(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (tcp_segment_has(seg, TCP_FLAG_URG) || tp->rcv_urgent == TCP_URGENT_AWAITED)
        tcp_urgent_receive(tp, seg);
    return GO_ON;
}

/* The user is gone, or has shut down both ways: half of that leaves the other end a reader (RFC 1122
 * 4.2.2.13). */
static bool nobody_reads(const struct tcp_sock *tp)
{
    return tp->sk.dead ||
           ((tp->sk.shutdown & RCV_SHUTDOWN) && tcp_in(tp, TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(FIN_WAIT_2)));
}

/* Nobody will ever read it: the peer must learn that its data is lost (RFC 9293 3.6.1, RFC 1122 4.2.2.13). */
static enum step refuse_text(struct tcp_sock *tp, struct tcp_segment *seg)
{
    tcp_count(tp->sk.net, TCP_COUNT_aborts_on_data);
    tcp_abort(tp, ECONNRESET);
    return drop(seg, SKB_DROP_TCP_CLOSING);
}

static enum step step_text(struct tcp_sock *tp, struct tcp_segment *seg)
{
    uint32_t text = tcp_segment_text(seg);
    if ((!text && !tcp_segment_has(seg, TCP_FLAG_FIN)) || !tcp_in(tp, TCPS_MAY_RECEIVE))
        return GO_ON;
    if (nobody_reads(tp) && seq_after(seg->seq + text, tp->rcv_nxt))
        return refuse_text(tp, seg);
    bool gap = !skb_queue_empty(&tp->ofo_queue);
    bool in_order = tcp_queue_text(tp, seg) && !tp->fin_reached;
    if (in_order && !gap)
        tcp_acknowledge_text(tp, MIN(text, seg->packet));
    else if (tp->fin_reached)
        tp->ack_now = true;
    else
        tcp_send_ack(tp); /* RFC 5681 4.2: at once, out of order or filling a gap; and old text too */
    if (in_order)
        sock_wake_readers(&tp->sk);
    if (seq_after(tp->rcv_nxt, tp->tune_end))
        tcp_buffers_received(tp, seg);
    return GO_ON;
}

static enum step step_fin(struct tcp_sock *tp, struct tcp_segment *seg)
{
    (void)seg;
    if (!tp->fin_reached || !tcp_in(tp, TCPS_MAY_RECEIVE)) /* each FIN counts once */
        return GO_ON;
    tp->rcv_nxt++;
    tp->ack_now = true;
    tp->sk.shutdown |= RCV_SHUTDOWN;
    switch (tp->sk.state) {
    case TCPS_ESTABLISHED:
        tcp_set_state(tp, TCPS_CLOSE_WAIT);
        break;
    case TCPS_FIN_WAIT_1: /* our FIN is not acknowledged, or the ACK step had moved us on */
        tcp_set_state(tp, TCPS_CLOSING);
        break;
    case TCPS_FIN_WAIT_2:
        tcp_time_wait(tp);
        break;
    }
    return GO_ON;
}

/* RFC 9293 3.10.7.4 in its order. Its third step, security and compartment, has no user since RFC 9293 A.1.
 */
static enum step (*const steps[])(struct tcp_sock *tp, struct tcp_segment *seg) = {
    step_timestamp, step_sequence, step_reset, step_syn, step_ack, step_urgent, step_text, step_fin,
};

static void receive_segment(struct tcp_sock *tp, struct tcp_segment *seg)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i](tp, seg) == DONE)
            break;
    if (tp->sk.state == TCPS_CLOSED)
        return;
    tcp_trace_window(tp);
    tcp_output(tp); /* the ACK may have opened the window; what it sends acknowledges too */
    tcp_flush_ack(tp);
}

static void end_segment(struct tcp_segment *seg)
{
    if (seg->dropped)
        kfree_skb_reason(seg->skb, seg->reason);
    else
        consume_skb(seg->skb);
}

/* A train goes its way as so many segments; the first stays the caller's. */
static void receive_one_by_one(struct tcp_sock *tp, struct tcp_segment *seg)
{
    struct tcp_segment next = *seg;
    struct sk_buff_head followers;
    skb_train_open(seg->skb, &followers);
    seg->len = seg->packet;
    next.seq += seg->len;
    receive_segment(tp, seg);
    while ((next.skb = skb_dequeue(&followers))) {
        struct tcp_segment one = next;
        one.len = one.packet = next.skb->len;
        next.seq += one.len;
        if (tp->sk.state == TCPS_CLOSED)
            tcp_drop(&one, SKB_DROP_TCP_CLOSING);
        else
            receive_segment(tp, &one);
        end_segment(&one);
    }
}

void tcp_receive_locked(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (skb_is_train(seg->skb) && !tcp_train_is_segment(tp, seg))
        receive_one_by_one(tp, seg);
    else
        receive_segment(tp, seg);
}

bool tcp_receive(struct tcp_sock *tp, struct tcp_segment *seg)
{
    bool taken = true;
    lock_acquire(&tp->sk.lock);
    tp->segs_in++;
    switch (tp->sk.state) {
    case TCPS_CLOSED: /* since the look-up */
        taken = false;
        break;
    case TCPS_SYN_SENT:
        receive_syn_sent(tp, seg);
        break;
    default:
        tcp_receive_locked(tp, seg);
    }
    lock_release(&tp->sk.lock);
    return taken;
}
