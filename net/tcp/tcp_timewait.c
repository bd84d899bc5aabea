/* net/tcp/tcp_timewait.c - the end of the one that closed first: FIN-WAIT-2 and TIME-WAIT.
 * In TIME-WAIT nothing is queued any more; the connection only keeps its four-tuple from being used again for
 * 2 MSL and repeats its last acknowledgement (RFC 9293 3.6, figure 12). */
#include "net/tcp/tcp.h"

uint64_t tcp_fin_wait_time(const struct tcp_sock *tp)
{
    return tp->linger2 < 0 ? 0 : tp->linger2 ? sec(tp->linger2) : READ_ONCE(tcp_state_of(tp)->fin_timeout);
}

void tcp_fin_wait_2(struct tcp_sock *tp)
{
    tcp_set_state(tp, TCPS_FIN_WAIT_2);
    tcp_timer_stop(tp, TCP_TIMER_REXMIT);
    if (tp->sk.dead) /* nobody waits for the peer's FIN: not for ever then */
        tcp_timer_start(tp, TCP_TIMER_STATE, tcp_fin_wait_time(tp));
}

void tcp_time_wait(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_time_waits);
    tcp_set_state(tp, TCPS_TIME_WAIT);
    tp->sk.shutdown = RCV_SHUTDOWN | SEND_SHUTDOWN;
    tcp_timer_stop(tp, TCP_TIMER_REXMIT);
    tcp_timer_stop(tp, TCP_TIMER_PROBE);
    tcp_timer_stop(tp, TCP_TIMER_REORDER);
    tcp_timer_stop(tp, TCP_TIMER_PERSIST);
    tcp_timer_stop(tp, TCP_TIMER_KEEP);
    tcp_timer_start(tp, TCP_TIMER_STATE, READ_ONCE(tcp_state_of(tp)->time_wait));
}

/* RFC 1122 4.2.2.13 (a), RFC 6191 2: a SYN beyond all the numbers of the old connection, or later by the
 * peer's clock, may begin a new one. */
static bool may_reopen(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    const uint8_t relevant = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;
    bool later = tp->ts_ok && seg->options.has_timestamp && seq_after(seg->options.ts_val, tp->ts_recent);
    return (seg->flags & relevant) == TCP_FLAG_SYN && (later || seq_after(seg->seq, tp->rcv_nxt));
}

bool tcp_time_wait_receive(struct tcp_sock *tp, struct tcp_segment *seg)
{
    if (may_reopen(tp, seg)) {
        tcp_done(tp);
        return false;
    }
    if (tcp_segment_has(seg, TCP_FLAG_RST)) { /* RFC 1337 3 (F1): no assassination */
        tcp_drop(seg, SKB_DROP_TCP_RESET);
        return true;
    }
    tcp_drop(seg, SKB_DROP_TCP_OLD_DATA);
    /* RFC 9293 3.10.7.4 eighth: the peer's FIN again; our ACK was lost. 2 MSL begin anew. */
    if (tcp_segment_has(seg, TCP_FLAG_FIN) && seg->seq + seg->len == tp->rcv_nxt)
        tcp_timer_start(tp, TCP_TIMER_STATE, READ_ONCE(tcp_state_of(tp)->time_wait));
    if (seg->len)
        tcp_send_ack(tp);
    else if (seg->seq != tp->rcv_nxt)
        tcp_challenge_ack(tp);
    return true;
}
