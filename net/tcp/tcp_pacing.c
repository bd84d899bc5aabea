/* net/tcp/tcp_pacing.c - pacing by a timer.
 * What may go at once is a quantum: about a millisecond's worth, at least two segments, so that a fast
 * connection is not woken for each segment and a delayed ACK does not wait for a second one. A quantum may
 * begin when the one before has taken its time. What a timer fires late is made up for, up to LATE_MAX, so
 * that the rate is kept on the whole; a time in which there was nothing to send is not. */
#include "net/tcp/tcp_pacing.h"
#include "net/tcp/tcp.h"

#define LATE_MAX ms(10)

void tcp_pacing_choose(struct tcp_sock *tp)
{
    struct tcp_pacing *p = &tp->pacing;
    p->on =
        tp->cong->wants_pacing || tp->sk.max_pacing_rate != UINT64_MAX || READ_ONCE(tcp_state_of(tp)->pacing);
    p->module_rate = 0;
    if (p->on)
        tcp_pacing_update(tp);
}

/* As in Linux: twice the window a round trip in slow start, for it doubles; a fifth more afterwards, so that
 * the window and not the pace is what limits; and less than twice where slow start nears its end. */
uint64_t tcp_pacing_window_rate(const struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    bool slow_start = tp->cwnd < tp->ssthresh / 2;
    uint64_t percent =
        (uint64_t)(slow_start ? READ_ONCE(tcp->pacing_ss_ratio) : READ_ONCE(tcp->pacing_ca_ratio));
    uint64_t window = MAX(tp->cwnd, tcp_flight(tp)); /* at most 2^30 */
    if (!tp->rtt.srtt)
        return tp->sk.max_pacing_rate;
    return MIN(window * sec(1) / tp->rtt.srtt * percent / 100, tp->sk.max_pacing_rate);
}

void tcp_pacing_update(struct tcp_sock *tp)
{
    struct tcp_pacing *p = &tp->pacing;
    p->rate = p->module_rate ? MIN(p->module_rate, tp->sk.max_pacing_rate) : tcp_pacing_window_rate(tp);
}

static uint64_t time_of(const struct tcp_pacing *p, uint32_t bytes)
{
    return bytes * sec(1) / p->rate;
}

static void begin_quantum(struct tcp_sock *tp, uint64_t now)
{
    struct tcp_pacing *p = &tp->pacing;
    uint64_t about_a_ms = p->rate >> TCP_PACING_SHIFT;
    p->left = (uint32_t)CLAMP(about_a_ms, (uint64_t)2 * tp->mss, (uint64_t)TCP_PACING_QUANTUM_MAX);
    p->next = p->waits ? MAX(p->next, now - MIN(now, LATE_MAX)) : now;
    p->waits = p->next + time_of(p, p->left) <= now; /* it is late still */
}

bool tcp_pacing_take(struct tcp_sock *tp, uint32_t len)
{
    struct tcp_pacing *p = &tp->pacing;
    if (!p->rate || p->rate == UINT64_MAX)
        return true;
    if (!p->left) {
        uint64_t now = time_now();
        if (now < p->next) {
            tcp_timer_start(tp, TCP_TIMER_PACE, p->next - now);
            p->waits = true;
            return false;
        }
        begin_quantum(tp, now);
    }
    p->left -= MIN(len, p->left);
    p->next += time_of(p, len);
    return true;
}
