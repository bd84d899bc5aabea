/* net/tcp/tcp_buffers.c - buffers that grow with the path, unless the user has set their size.
 * A receive buffer is too small when a whole window of it arrives within two round trips, for then the window
 * is what limits the sender; a send buffer when it does not hold twice the congestion window: one window in
 * flight and one to follow it. */
#include "net/tcp/tcp.h"

enum { OVERHEAD = 2 }; /* what a buffer costs for each byte of text, about */

void tcp_buffers_begin(struct tcp_sock *tp)
{
    tp->tune_end = tp->rcv_nxt + tp->sk.rcvbuf / 2;
    tp->tune_since = time_now();
}

/* The user keeps up, and the network could bring more. */
static bool window_is_the_limit(const struct tcp_sock *tp, uint64_t now)
{
    return now - tp->tune_since <= 2 * tp->rtt.srtt && tp->sk.receive_queue.bytes <= tp->sk.rcvbuf / 4;
}

void tcp_buffers_received(struct tcp_sock *tp)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    struct sock *sk = &tp->sk;
    uint32_t most = (uint32_t)READ_ONCE(tcp->rmem[2]);
    if (READ_ONCE(tcp->moderate_rcvbuf) && !sk->rcvbuf_set && sk->rcvbuf < most && !tcp_mem_short(tp) &&
        window_is_the_limit(tp, time_now()))
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
