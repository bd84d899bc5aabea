/* net/tcp/tcp_state.c - a connection's life: created, moved along RFC 9293 figure 5, deleted.
 * sk->state changes in tcp_set_state() alone, and only along an arrow of that figure. */
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_trace.h"

static const char *const state_text[] = {
    [TCPS_ESTABLISHED] = "ESTABLISHED",
    [TCPS_SYN_SENT] = "SYN-SENT",
    [TCPS_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCPS_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCPS_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCPS_TIME_WAIT] = "TIME-WAIT",
    [TCPS_CLOSED] = "CLOSED",
    [TCPS_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCPS_LAST_ACK] = "LAST-ACK",
    [TCPS_LISTEN] = "LISTEN",
    [TCPS_CLOSING] = "CLOSING",
};
/* The arrows of RFC 9293 figure 5, from each state; every state also falls to CLOSED by a reset, an abort or
 * a time-out. */
static const uint32_t arrows[] = {
    [TCPS_CLOSED] = TCPS_BIT(LISTEN) | TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED), /* the last: a child */
    [TCPS_LISTEN] = 0,
    [TCPS_SYN_SENT] = TCPS_BIT(SYN_RECEIVED) | TCPS_BIT(ESTABLISHED),
    [TCPS_SYN_RECEIVED] = TCPS_BIT(ESTABLISHED),
    [TCPS_ESTABLISHED] = TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(CLOSE_WAIT),
    [TCPS_FIN_WAIT_1] = TCPS_BIT(FIN_WAIT_2) | TCPS_BIT(CLOSING) | TCPS_BIT(TIME_WAIT),
    [TCPS_FIN_WAIT_2] = TCPS_BIT(TIME_WAIT),
    [TCPS_CLOSE_WAIT] = TCPS_BIT(LAST_ACK),
    [TCPS_CLOSING] = TCPS_BIT(TIME_WAIT),
    [TCPS_LAST_ACK] = 0,
    [TCPS_TIME_WAIT] = 0,
};

const char *tcp_state_text(int state)
{
    return state_text[state];
}

int tcp_init_sock(struct sock *sk)
{
    struct tcp_sock *tp = tcp_sk(sk);
    sk->state = TCPS_CLOSED;
    sk->rcvbuf = (uint32_t)READ_ONCE(sk->net->tcp->rmem[1]);
    sk->sndbuf = (uint32_t)READ_ONCE(sk->net->tcp->wmem[1]);
    skb_queue_head_init(&tp->write_queue);
    skb_queue_head_init(&tp->ofo_queue);
    list_init(&tp->accept_link);
    tcp_rtt_init(&tp->rtt, &sk->net->tcp->rto);
    tcp_timers_init(tp);
    tp->cong = READ_ONCE(sk->net->tcp->cong);
    tp->keep_idle = READ_ONCE(sk->net->tcp->keep_idle);
    tp->keep_interval = READ_ONCE(sk->net->tcp->keep_interval);
    tp->keep_count = (unsigned)READ_ONCE(sk->net->tcp->keep_count);
    tp->tracing = (uint8_t)READ_ONCE(sk->net->tcp->trace);
    __atomic_fetch_add(&sk->net->tcp->mem.n_alloc, 1, __ATOMIC_RELAXED);
    tp->peer_mss = tp->mss = tp->rcv_mss = TCP_MSS_DEFAULT;
    return 0;
}

void tcp_set_state(struct tcp_sock *tp, enum tcp_state_name state)
{
    ASSERT(state == TCPS_CLOSED || (arrows[tp->sk.state] >> state & 1));
    tcp_mem_state_changes(tp, state);
    tcp_trace_state(tp, state);
    __atomic_store_n(&tp->sk.state, state, __ATOMIC_RELEASE); /* partner: is_listening() */
    sock_wake(&tp->sk);
}

static void free_unsent(struct tcp_sock *tp)
{
    tp->send_head = NULL;
    skb_queue_purge(&tp->write_queue, SKB_DROP_SOCKET_CLOSED);
    tp->board = (struct tcp_board){ 0 }; /* the sums of its marks, and places in it */
    tcp_ofo_purge(tp);
}

void tcp_done(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    if (sk->state == TCPS_CLOSED)
        return;
    tcp_hash_remove(sk->net, &tp->node);
    tcp_timers_cancel(tp);
    free_unsent(tp);
    if (sk->dead)
        skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    tcp_mem_settle(tp);
    sk->shutdown = RCV_SHUTDOWN | SEND_SHUTDOWN;
    tcp_set_state(tp, TCPS_CLOSED);
    if (sk->dead || !sk->port_named) /* what bind() named is the user's until he closes it (Linux) */
        port_table_unbind(&sk->net->tcp->ports, sk);
}

void tcp_fail(struct tcp_sock *tp, int err)
{
    if (!tp->sk.dead)
        tp->sk.err = err;
    tcp_done(tp);
}

void tcp_abort(struct tcp_sock *tp, int err)
{
    const uint32_t peer_knows_us = TCPS_SYNCHRONISED | TCPS_BIT(SYN_RECEIVED);
    if (tcp_in(tp, peer_knows_us & ~TCPS_BIT(TIME_WAIT))) /* RFC 9293 3.10.5 */
        tcp_send_reset(tp);
    tcp_fail(tp, err);
}

void tcp_destroy_sock(struct sock *sk)
{
    struct tcp_sock *tp = tcp_sk(sk);
    ASSERT(!tp->node.hashed && !sk->bound);
    free_unsent(tp);
    tcp_mem_forget(tp);
    __atomic_fetch_sub(&sk->net->tcp->mem.n_alloc, 1, __ATOMIC_RELAXED);
    dst_release(tp->dst);
    mem_free(tp->listener);
}
