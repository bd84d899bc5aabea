/* net/tcp/tcp_trace.h - trace points of a connection: its states, its windows, what it sends again. Which of
 * them there are is the sysctl tcp_trace, of which a connection takes a copy when it is made; a point that is
 * off costs one load. Read in /proc/trace (doc/tcp.md). Private to net/tcp; sk->lock held. */
#pragma once
#include "net/tcp/tcp.h"

enum { TCP_TRACE_STATE = 1, TCP_TRACE_WINDOW = 2, TCP_TRACE_RETRANSMIT = 4, TCP_TRACE_ALL = 7 };

void tcp_trace_state_on(const struct tcp_sock *tp, unsigned state);
void tcp_trace_window_on(struct tcp_sock *tp);
void tcp_trace_retransmit_on(const struct tcp_sock *tp, uint32_t length);

/* tp is about to enter this state. */
static inline void tcp_trace_state(const struct tcp_sock *tp, unsigned state)
{
    if (tp->tracing & TCP_TRACE_STATE)
        tcp_trace_state_on(tp, state);
}
/* Something happened that may have changed cwnd or ssthresh. */
static inline void tcp_trace_window(struct tcp_sock *tp)
{
    if (unlikely(tp->tracing & TCP_TRACE_WINDOW))
        tcp_trace_window_on(tp);
}
/* So many bytes of text go again; 0: a SYN or FIN. */
static inline void tcp_trace_retransmit(const struct tcp_sock *tp, uint32_t length)
{
    if (unlikely(tp->tracing & TCP_TRACE_RETRANSMIT))
        tcp_trace_retransmit_on(tp, length);
}
