/* net/tcp/tcp_keepalive.c - is a silent peer still there? RFC 9293 3.8.4: off by default (MUST-25), not
 * before two hours of silence unless the program says so (MUST-28), and one probe that is not answered proves
 * nothing (MUST-29). The peer was heard when it last acknowledged anything: last_ack_at. While data are under
 * way the retransmission timer asks the same question, and this one only looks again later. */
#include "net/tcp/tcp.h"

static bool anything_under_way(const struct tcp_sock *tp)
{
    return tp->snd_una != tp->snd_nxt || tp->send_head;
}

/* As many probes as there may be went unanswered, or the user's own patience is over (RFC 5482). */
static bool peer_is_gone(const struct tcp_sock *tp, uint64_t silence)
{
    if (tp->user_timeout)
        return tp->keep_probes && silence >= tp->user_timeout;
    return tp->keep_probes >= tp->keep_count;
}

static void probe(struct tcp_sock *tp)
{
    tp->keep_probes++;
    tp->keep_probed_at = time_now();
    tcp_count(tp->sk.net, TCP_COUNT_keepalive_probes);
    tcp_transmit_control(tp, tp->snd_una - 1,
                         TCP_FLAG_ACK); /* 3.8.4: an old number, which must be answered */
}

void tcp_keepalive_fired(struct tcp_sock *tp, uint64_t now)
{
    uint64_t silence = now - tp->last_ack_at;

    if (!tp->sk.keepalive || !tcp_in(tp, TCPS_SYNCHRONISED & ~TCPS_BIT(TIME_WAIT)))
        return;
    if (tp->last_ack_at >= tp->keep_probed_at)
        tp->keep_probes = 0;
    if (anything_under_way(tp)) {
        tcp_timer_start(tp, TCP_TIMER_KEEP, tp->keep_idle);
        return;
    }
    if (!tp->keep_probes && silence < tp->keep_idle) {
        tcp_timer_start(tp, TCP_TIMER_KEEP, tp->keep_idle - silence);
        return;
    }
    if (peer_is_gone(tp, silence)) {
        tcp_count(tp->sk.net, TCP_COUNT_aborts_on_timeout);
        tcp_abort(tp, tp->soft_err ? tp->soft_err : ETIMEDOUT);
        return;
    }
    probe(tp);
    tcp_timer_start(tp, TCP_TIMER_KEEP, tp->keep_interval);
}

void tcp_keepalive_restart(struct tcp_sock *tp)
{
    uint64_t silence = time_now() - tp->last_ack_at;

    tp->keep_probes = 0;
    if (!tp->sk.keepalive || !tcp_in(tp, TCPS_SYNCHRONISED & ~TCPS_BIT(TIME_WAIT)))
        tcp_timer_stop(tp, TCP_TIMER_KEEP);
    else
        tcp_timer_start(tp, TCP_TIMER_KEEP, tp->keep_idle > silence ? tp->keep_idle - silence : 0);
}
