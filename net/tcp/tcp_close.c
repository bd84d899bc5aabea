/* net/tcp/tcp_close.c - close() and shutdown(): RFC 9293 3.10.4 and 3.6.
 * After close() nobody reads or writes (sk->dead); what is queued still goes out, the FIN behind it, and the
 * connection lives on by its timers' and tables' references. */
#include "net/tcp/tcp.h"

void tcp_queue_fin(struct tcp_sock *tp)
{
    tp->sk.shutdown |= SEND_SHUTDOWN;
    if (tp->fin_queued)
        return;
    tp->fin_queued = true; /* in SYN-SENT and SYN-RECEIVED it waits for ESTABLISHED */
    if (tp->sk.state == TCPS_ESTABLISHED)
        tcp_set_state(tp, TCPS_FIN_WAIT_1);
    else if (tp->sk.state == TCPS_CLOSE_WAIT)
        tcp_set_state(tp, TCPS_LAST_ACK);
    tcp_output(tp);
}

/* ---- shutdown() ---- */

static int shutdown_locked(struct tcp_sock *tp, int how)
{
    if (tp->sk.state == TCPS_LISTEN) {
        if (how != SHUT_WR)
            tcp_listen_stop(tp);
        return 0;
    }
    if (tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(SYN_SENT)))
        return -ENOTCONN;
    if (how != SHUT_WR)
        tp->sk.shutdown |= RCV_SHUTDOWN;
    if (how != SHUT_RD)
        tcp_queue_fin(tp);
    sock_wake(&tp->sk);
    return 0;
}

int tcp_shutdown(struct sock *sk, int how)
{
    lock_acquire(&sk->lock);
    int err = shutdown_locked(tcp_sk(sk), how);
    lock_release(&sk->lock);
    return err;
}

/* ---- close() ---- */

/* SO_LINGER with a time: wait until the peer has acknowledged our FIN (RFC 9293 3.6, socket(7)). */
static void linger(struct tcp_sock *tp)
{
    const uint32_t fin_on_its_way = TCPS_BIT(FIN_WAIT_1) | TCPS_BIT(CLOSING) | TCPS_BIT(LAST_ACK);
    uint64_t deadline = time_now() + sec(tp->sk.linger_seconds);
    while (tcp_in(tp, fin_on_its_way))
        if (sock_wait(&tp->sk, deadline))
            return;
}

/* No answer will be understood and no data may be lost silently: reset (RFC 9293 3.10.4). */
static bool must_abort(const struct tcp_sock *tp)
{
    const struct sock *sk = &tp->sk;
    bool hard = sk->linger && !sk->linger_seconds; /* socket(7): the "hard" close */
    bool unread = sk->receive_queue.bytes > 0;     /* RFC 1122 4.2.2.13, RFC 2525 2.17: data was not read */
    if (unread)
        tcp_count(sk->net, TCP_COUNT_aborts_on_close);
    else if (hard)
        tcp_count(sk->net, TCP_COUNT_aborts_on_data);
    return hard || unread;
}

static void close_connection(struct tcp_sock *tp)
{
    if (tp->sk.state == TCPS_SYN_SENT) { /* RFC 9293 3.10.4: nobody knows us yet */
        tcp_done(tp);
    } else if (tcp_in(tp, ~(uint32_t)TCPS_BIT(TIME_WAIT)) && must_abort(tp)) {
        tcp_abort(tp, ECONNRESET);
    } else {
        tcp_queue_fin(tp);
        if (tp->sk.linger)
            linger(tp);
    }
}

void tcp_close(struct sock *sk)
{
    struct tcp_sock *tp = tcp_sk(sk);
    lock_acquire(&sk->lock);
    sk->dead = true;
    tp->orphaned_at = time_now();
    tcp_orphan_begin(tp);
    if (sk->state == TCPS_LISTEN)
        tcp_listen_stop(tp);
    else if (sk->state != TCPS_CLOSED)
        close_connection(tp);
    skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    tcp_mem_settle(tp);
    if (tcp_orphan_must_go(tp))
        tcp_orphan_abort(tp);
    if (sk->state == TCPS_FIN_WAIT_2) /* RFC 9293 3.6.1: nobody waits for the peer's FIN any more */
        tcp_timer_start(tp, TCP_TIMER_STATE, tcp_fin_wait_time(tp));
    if (sk->state == TCPS_CLOSED)
        port_table_unbind(&sk->net->tcp->ports, sk);
    lock_release(&sk->lock);
}
