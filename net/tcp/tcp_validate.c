/* net/tcp/tcp_validate.c - is the congestion window in use? One that is not proves nothing about the path: it
 * must not grow (RFC 7661 4.3), what is left of it shrinks towards what is used (RFC 2861 3), and after an
 * idle time it begins small again (RFC 5681 4.1). The last two are net.ipv4.tcp_slow_start_after_idle. A
 * module with control() keeps its own window. */
#include "net/tcp/tcp.h"

uint32_t tcp_initial_window(const struct tcp_sock *tp)
{
    return tcp_cong_initial_window(tp->mss, (uint32_t)READ_ONCE(tcp_state_of(tp)->initial_window));
}

/* RFC 7661 4.2: as a whole round trip shows it. In slow start half of the window is enough, for it may
 * double (4.3). */
bool tcp_window_in_use(const struct tcp_sock *tp)
{
    const struct tcp_usage *u = &tp->usage;
    return u->full || (tp->cwnd < tp->ssthresh && tp->cwnd <= 2 * u->most);
}

static bool may_shrink(const struct tcp_sock *tp)
{
    return READ_ONCE(tcp_state_of(tp)->slow_start_after_idle) && !tp->cong->control &&
           tp->recovery == TCP_OPEN;
}

/* RFC 2861 3.1, RFC 7661 4.4.3: what was safe once is remembered as the threshold. */
static void remember(struct tcp_sock *tp)
{
    tp->ssthresh = MAX(tp->ssthresh, tp->cwnd - tp->cwnd / 4);
}

/* RFC 2861 3.2: once a time-out, to the middle of what there is and what was used. Not where it is the send
 * buffer that is too small: that one grows with the window. */
static void shrink_unused(struct tcp_sock *tp)
{
    struct tcp_usage *u = &tp->usage;
    uint32_t used = MAX(u->used, tcp_initial_window(tp));
    if (may_shrink(tp) && !tp->sk.nospace && used < tp->cwnd) {
        remember(tp);
        tp->cwnd = (tp->cwnd + used) / 2;
    }
    u->used = 0;
    u->in_use_at = tp->last_sent_at;
}

void tcp_window_used(struct tcp_sock *tp, enum tcp_plan_kind why)
{
    struct tcp_usage *u = &tp->usage;
    uint32_t flight = tcp_flight(tp);
    bool full = why == TCP_PLAN_CWND || flight + tp->mss > tp->cwnd;
    if (full || seq_after_eq(tp->snd_una, u->end) || (!u->full && flight > u->most)) {
        u->full = full;
        u->most = flight;
        u->end = tp->snd_nxt;
    }
    u->used = MAX(u->used, flight);
    if (tcp_window_in_use(tp)) {
        u->used = 0;
        u->in_use_at = tp->last_sent_at;
    } else if (tp->last_sent_at - u->in_use_at >= tp->rtt.rto) {
        shrink_unused(tp);
    }
}

/* RFC 5681 4.1: the restart window is the initial one, or less. */
void tcp_window_idle(struct tcp_sock *tp)
{
    if (time_now() - tp->last_sent_at < tp->rtt.rto)
        return;
    uint32_t restart = tcp_initial_window(tp);
    if (tp->cwnd <= restart || !may_shrink(tp))
        return;
    remember(tp);
    tp->cwnd = restart;
}
