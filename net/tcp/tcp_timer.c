/* net/tcp/tcp_timer.c - what happens when nothing happens.
 * A connection has several deadlines and one timer, which is armed for the earliest of them or before that.
 * Its callback runs in softirq without a lock, takes sk->lock, and looks at the deadlines again: they may
 * have moved or gone. The armed timer holds a reference to its sock, which the callback gives back. */
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_trace.h"

/* Since when does the peer owe us an acknowledgement? */
static uint64_t unanswered_since(const struct tcp_sock *tp)
{
    if (tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED)))
        return tp->syn_sent_at;
    /* RFC 9293 3.8.6.1, MUST-36: a peer with a shut window is alive as long as it answers */
    return tp->snd_wnd ? tp->unacked_since : MAX(tp->unacked_since, tp->last_ack_at);
}

/* How long it may owe us one: R2 of RFC 9293 3.8.3, or what the user said. */
static uint64_t give_up_after(const struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    if (tp->user_timeout)
        return tp->user_timeout;
    if (tp->sk.state == TCPS_SYN_SENT)
        return READ_ONCE(tcp->syn_give_up);
    if (tp->sk.state == TCPS_SYN_RECEIVED)
        return READ_ONCE(tcp->synack_give_up);
    uint64_t data = READ_ONCE(tcp->data_give_up);
    return tp->sk.dead ? MIN(data, READ_ONCE(tcp->orphan_give_up)) : data;
}

/* RFC 6298 5.5-5.7 and RFC 9293 3.8.3: the oldest segment was not acknowledged in time. There is no R1: since
 * no ACK confirms it any more, the first hop is probed by itself (RFC 4861 7.3.1). */
static bool gave_up(const struct tcp_sock *tp, uint64_t now)
{
    if (tp->sk.state == TCPS_SYN_SENT && tp->syn_count)
        return tp->retransmits > tp->syn_count;
    return now - unanswered_since(tp) >= give_up_after(tp);
}

static void time_out(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_aborts_on_timeout);
    tcp_fail(tp, tp->soft_err ? tp->soft_err : ETIMEDOUT); /* RFC 1122 4.2.3.9: a soft error explains it */
}

static void resend(struct tcp_sock *tp)
{
    if (tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED))) {
        tcp_count(tp->sk.net, TCP_COUNT_syns_again);
        tcp_trace_retransmit(tp, 0);
        tcp_send_syn(tp);
        return;
    }
    tcp_recovery_timeout(tp);
    tcp_retransmit_first(tp); /* RFC 6298 5.4 */
}

/* RFC 5482 3: the peer's time began with the first copy, though a probe (RFC 8985 7) went since; and not
 * before a window that was shut has opened (tcp_ack.c). */
static void note_first_timeout(struct tcp_sock *tp, uint64_t now)
{
    struct sk_buff *oldest = skb_peek(&tp->write_queue);
    uint64_t sent_at = oldest && tcp_cb(oldest)->sent ? tcp_cb(oldest)->sent_at : now - tp->rtt.rto;
    tp->unacked_since = MAX(tp->unacked_since, sent_at);
}

static void rexmit_fired(struct tcp_sock *tp, uint64_t now)
{
    if (!tp->retransmits++)
        note_first_timeout(tp, now);
    if (tcp_orphan_must_go(tp)) {
        tcp_orphan_abort(tp);
        return;
    }
    if (gave_up(tp, now)) {
        time_out(tp);
        return;
    }
    tcp_count(tp->sk.net, TCP_COUNT_timeouts);
    if (!tp->timeout_since)
        tp->timeout_since = now;
    tp->timeouts++;
    tcp_mtu_timeout(tp);
    resend(tp);
    tp->backoff++;        /* RFC 6298 5.5 */
    tcp_start_rexmit(tp); /* 5.6 */
}

/* tcp(7), TCP_USER_TIMEOUT: how much longer may text wait for the window, although the peer answers? */
static uint64_t patience_with_window(const struct tcp_sock *tp, uint64_t now)
{
    uint64_t waited = now - tp->shut_since;
    if (!tp->user_timeout)
        return UINT64_MAX;
    return tp->user_timeout > waited ? tp->user_timeout - waited : 0;
}

/* RFC 9293 3.8.6.1: probe a shut window, ever more rarely, for as long as the peer answers (MUST-35, 36). An
 * open window that is merely silly is overridden instead (3.8.6.2.1). */
static void persist_fired(struct tcp_sock *tp, uint64_t now)
{
    /* a connection that nobody has open does not get that patience */
    uint64_t since = tp->sk.dead ? tp->orphaned_at : tp->last_ack_at;
    if (!tp->persist_backoff)
        tp->shut_since = now;
    if (tcp_orphan_must_go(tp)) {
        tcp_orphan_abort(tp);
        return;
    }
    if (now - since >= give_up_after(tp) || !patience_with_window(tp, now)) {
        time_out(tp);
        return;
    }
    if (tp->snd_wnd && tp->snd_una == tp->snd_nxt) {
        tcp_output_override(tp);
        return;
    }
    tcp_send_probe(tp);
    tp->persist_backoff++;
    uint64_t wait = tcp_rto_backed_off(&tp->rtt, tp->persist_backoff); /* MUST-37 */
    tcp_timer_start(tp, TCP_TIMER_PERSIST, MIN(wait, patience_with_window(tp, now)));
}

/* 2 MSL are over (RFC 9293 3.10.8), or the peer of an orphan never sent its FIN. */
static void state_fired(struct tcp_sock *tp, uint64_t now)
{
    (void)now;
    tcp_done(tp);
}

/* RFC 8985 6.3: what was late is lost by now. */
static void reorder_fired(struct tcp_sock *tp, uint64_t now)
{
    (void)now;
    if (tcp_in(tp, TCPS_SENDING))
        tcp_recovery_reordering(tp);
}

static void pace_fired(struct tcp_sock *tp, uint64_t now)
{
    (void)now;
    tcp_output(tp);
}

static void (*const fired[])(struct tcp_sock *tp, uint64_t now) = {
    [TCP_TIMER_REXMIT] = rexmit_fired,      [TCP_TIMER_PROBE] = tcp_tlp_fired,
    [TCP_TIMER_REORDER] = reorder_fired,    [TCP_TIMER_PACE] = pace_fired,
    [TCP_TIMER_PERSIST] = persist_fired,    [TCP_TIMER_DELACK] = tcp_delack_fired,
    [TCP_TIMER_KEEP] = tcp_keepalive_fired, [TCP_TIMER_STATE] = state_fired,
};
_Static_assert(ARRAY_SIZE(fired) == TCP_TIMER_COUNT, "one a timer");

/* See to it that the timer fires at deadline or before. */
static void arm(struct tcp_sock *tp, uint64_t deadline)
{
    struct tcp_timers *t = &tp->timers;
    if (timer_pending(&t->timer) && t->armed_for <= deadline)
        return;
    t->armed_for = deadline;
    if (!timer_set(&t->timer, deadline))
        sock_hold(&tp->sk);
}

/* Let those happen that are due; the earliest of the others. */
static uint64_t fire(struct tcp_sock *tp, uint64_t now)
{
    uint64_t next = TIME_NEVER, *deadlines = tp->timers.deadlines;
    for (int kind = 0; kind < TCP_TIMER_COUNT; kind++) {
        if (deadlines[kind] > now)
            continue;
        deadlines[kind] = TIME_NEVER;
        fired[kind](tp, now);
    }
    for (int kind = 0; kind < TCP_TIMER_COUNT; kind++)
        next = MIN(next, deadlines[kind]);
    return next;
}

static void timer_fn(struct timer *timer)
{
    struct tcp_sock *tp = container_of(timer, struct tcp_sock, timers.timer);
    lock_acquire(&tp->sk.lock);
    uint64_t next = fire(tp, time_now());
    tcp_trace_window(tp);
    if (next != TIME_NEVER)
        arm(tp, next);
    lock_release(&tp->sk.lock);
    sock_put(&tp->sk);
}

void tcp_timers_init(struct tcp_sock *tp)
{
    timer_init(&tp->timers.timer, timer_fn);
    for (int kind = 0; kind < TCP_TIMER_COUNT; kind++)
        tp->timers.deadlines[kind] = TIME_NEVER;
}

void tcp_timer_start(struct tcp_sock *tp, enum tcp_timer_kind kind, uint64_t duration)
{
    uint64_t deadline = time_now() + duration;
    tp->timers.deadlines[kind] = deadline;
    arm(tp, deadline);
}

void tcp_timer_stop(struct tcp_sock *tp, enum tcp_timer_kind kind)
{
    tp->timers.deadlines[kind] = TIME_NEVER;
}

void tcp_timers_cancel(struct tcp_sock *tp)
{
    for (int kind = 0; kind < TCP_TIMER_COUNT; kind++)
        tcp_timer_stop(tp, kind);
    if (timer_cancel(&tp->timers.timer))
        sock_put(&tp->sk);
}

void tcp_timers_cancel_sync(struct tcp_sock *tp)
{
    if (timer_cancel_sync(&tp->timers.timer))
        sock_put(&tp->sk);
}

/* The user's time-out ends a wait that is longer. */
static uint64_t until_user_timeout(const struct tcp_sock *tp, uint64_t now)
{
    uint64_t waited = tp->retransmits ? now - unanswered_since(tp) : 0;

    if (!tp->user_timeout)
        return UINT64_MAX;
    return tp->user_timeout > waited ? tp->user_timeout - waited : ms(1);
}

void tcp_start_rexmit(struct tcp_sock *tp)
{
    uint64_t rto = tcp_rto_backed_off(&tp->rtt, tp->backoff);
    tcp_timer_start(tp, TCP_TIMER_REXMIT, MIN(rto, until_user_timeout(tp, time_now())));
}
