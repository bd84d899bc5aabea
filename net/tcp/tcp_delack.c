/* net/tcp/tcp_delack.c - when text is acknowledged: RFC 9293 3.8.6.3, RFC 5681 4.2.
 * Usually every second full segment, or after tcp_delack_time. At once when the peer may be sending slowly
 * and waits for our ACKs to send faster: at the beginning, after a pause, when it had to send something
 * again. That ends after some segments, and for good as soon as we answer what we receive (interactive): then
 * our own text will carry the acknowledgement. */
#include "net/tcp/tcp.h"

void tcp_quickack_begin(struct tcp_sock *tp)
{
    uint32_t most = (uint32_t)READ_ONCE(tcp_state_of(tp)->quickacks);
    uint32_t half_window = tp->rcv_wnd / (2 * tp->rcv_mss);
    if (!tp->interactive)
        tp->quickacks = MIN(MAX(half_window, 2u), most);
}

void tcp_quickack_again(struct tcp_sock *tp)
{
    tp->interactive = false;
    tcp_quickack_begin(tp);
}

void tcp_quickack_answered(struct tcp_sock *tp)
{
    if (!tp->bytes_received) /* what went before anything came is no answer */
        return;
    tp->interactive = true;
    tp->quickacks = 0;
}

void tcp_quickack_set(struct tcp_sock *tp, int value)
{
    bool owed = tcp_timer_running(tp, TCP_TIMER_DELACK), once = !(value & 1);
    tp->interactive = !value;
    tp->quickacks = 0;
    if (!value)
        return;
    tcp_quickack_begin(tp);
    if (!owed)
        return;
    tcp_send_ack(tp);
    if (once) {
        tp->interactive = true;
        tp->quickacks = 0;
    }
}

/* The peer was silent for longer than its time-out, and so begins with a small window (RFC 5681 4.1). */
static void look_for_pause(struct tcp_sock *tp)
{
    uint64_t now = tp->last_ack_at; /* this segment's ACK told the time */
    if (now - tp->last_text_at > tp->rtt.rto)
        tcp_quickack_begin(tp);
    tp->last_text_at = now;
}

void tcp_acknowledge_text(struct tcp_sock *tp, uint32_t n)
{
    tp->rcv_mss = MAX(tp->rcv_mss, MIN(n, (uint32_t)tcp_advertised_mss(tp)));
    look_for_pause(tp);
    uint64_t delay;
    if (tp->rcv_nxt - tp->last_ack_sent >= 2 * tp->rcv_mss || tp->dsack_due) /* SHLD-19; RFC 2883 4 */
        tp->ack_now = true;
    else if (tp->quickacks && tp->quickacks--)
        tp->ack_now = true;
    else if (tcp_timer_running(tp, TCP_TIMER_DELACK))
        return;
    else if ((delay = READ_ONCE(tcp_state_of(tp)->delack_time)) != 0)
        tcp_timer_start(tp, TCP_TIMER_DELACK, delay);
    else
        tp->ack_now = true;
}

void tcp_delack_fired(struct tcp_sock *tp, uint64_t now)
{
    (void)now;
    tcp_count(tp->sk.net, TCP_COUNT_delayed_acks);
    tcp_send_ack(tp);
}
