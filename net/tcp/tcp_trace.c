/* net/tcp/tcp_trace.c - what the trace points of a connection tell. Where a packet's point has the packet's
 * number, these have the connection's: its own port times 100,000 and the peer's. */
#include "net/tcp/tcp_trace.h"

static const char *const state_point[] = {
    [TCPS_ESTABLISHED] = "tcp.established",
    [TCPS_SYN_SENT] = "tcp.syn_sent",
    [TCPS_SYN_RECEIVED] = "tcp.syn_received",
    [TCPS_FIN_WAIT_1] = "tcp.fin_wait_1",
    [TCPS_FIN_WAIT_2] = "tcp.fin_wait_2",
    [TCPS_TIME_WAIT] = "tcp.time_wait",
    [TCPS_CLOSED] = "tcp.closed",
    [TCPS_CLOSE_WAIT] = "tcp.close_wait",
    [TCPS_LAST_ACK] = "tcp.last_ack",
    [TCPS_LISTEN] = "tcp.listen",
    [TCPS_CLOSING] = "tcp.closing",
};

static uint64_t connection(const struct tcp_sock *tp)
{
    return (uint64_t)be16_to_cpu(tp->sk.sport) * 100000 + be16_to_cpu(tp->sk.dport);
}

void tcp_trace_state_on(const struct tcp_sock *tp, unsigned state)
{
    trace(state_point[state], connection(tp), tp->sk.state);
}

void tcp_trace_window_on(struct tcp_sock *tp)
{
    if (tp->cwnd != tp->traced_cwnd)
        trace("tcp.cwnd", connection(tp), tp->cwnd);
    if (tp->ssthresh != tp->traced_ssthresh)
        trace("tcp.ssthresh", connection(tp), tp->ssthresh);
    tp->traced_cwnd = tp->cwnd;
    tp->traced_ssthresh = tp->ssthresh;
}

void tcp_trace_retransmit_on(const struct tcp_sock *tp, uint32_t length)
{
    static const char *const why[] = { [TCP_OPEN] = "tcp.retransmit_probe",
                                       [TCP_FAST_RECOVERY] = "tcp.retransmit_fast",
                                       [TCP_LOSS] = "tcp.retransmit_timeout" };
    bool syn = tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED));
    trace(syn ? "tcp.retransmit_syn" : why[tp->recovery], connection(tp), length);
}
