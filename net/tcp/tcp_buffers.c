/* net/tcp/tcp_buffers.c - buffers that grow with the path, unless the user has set their size.
 * A sender in slow start doubles its rate each round trip, so a window should be twice what one round trip
 * brings: when half of it arrives within one, it doubles. A send buffer should hold twice the congestion
 * window: one window in flight and one to follow it. */
#include "net/tcp/tcp.h"

enum { OVERHEAD = 2 }; /* what a buffer costs for each byte of text, about */

void tcp_buffers_begin(struct tcp_sock *tp)
{
    tp->tune_end = tp->rcv_nxt + tp->sk.rcvbuf / OVERHEAD / 2;
    tp->tune_since = time_now();
}

/* The one that the handshake told, or we measured when we sent. Who only receives learns no more of it: good,
 * for a window that grew with the queue on the way would feed it. From a cookie we know none; then it is the
 * age of the ACK that the segment echoes (RFC 7323 3.3), or a guess. */
static uint64_t round_trip(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    if (tp->rtt.srtt)
        return tp->rtt.srtt;
    if (tp->ts_ok && seg->options.has_timestamp)
        return (tcp_ts_now(tp) - seg->options.ts_ecr) * TCP_TS_TICK;
    return ms(100);
}

/* The user keeps up, and the network could bring more. A quarter of a round trip is for bursts that fall on
 * both sides of a border. */
static bool window_may_be_the_limit(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return 4 * (time_now() - tp->tune_since) <= 5 * round_trip(tp, seg) &&
           tp->sk.receive_queue.bytes <= tp->sk.rcvbuf / 4;
}

void tcp_buffers_received(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    struct sock *sk = &tp->sk;
    uint32_t most = (uint32_t)READ_ONCE(tcp->rmem[2]);
    if (READ_ONCE(tcp->moderate_rcvbuf) && !sk->rcvbuf_set && sk->rcvbuf < most && !tcp_mem_short(tp) &&
        window_may_be_the_limit(tp, seg))
        WRITE_ONCE(sk->rcvbuf, MIN(2 * sk->rcvbuf, most));
    tcp_buffers_begin(tp);
}

void tcp_buffers_grow_send(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    uint32_t most = (uint32_t)READ_ONCE(tcp_state_of(tp)->wmem[2]);
    uint64_t wanted = (uint64_t)2 * OVERHEAD * tp->cwnd;
    if (!sk->sndbuf_set && sk->sndbuf < most && !tcp_mem_short(tp))
        WRITE_ONCE(sk->sndbuf, (uint32_t)MIN(wanted, (uint64_t)most));
}
