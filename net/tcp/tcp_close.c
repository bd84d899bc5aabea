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

/* RFC 9293 3.10.5, and 3.10.4 where nobody knows us yet. */
static void end_connection(struct tcp_sock *tp)
{
    const uint32_t peer_expects_more = TCPS_BIT(SYN_RECEIVED) | TCPS_BIT(ESTABLISHED) | TCPS_BIT(FIN_WAIT_1) |
                                       TCPS_BIT(FIN_WAIT_2) | TCPS_BIT(CLOSE_WAIT);

    if (tp->sk.state == TCPS_LISTEN)
        tcp_listen_stop(tp);
    else if (tcp_in(tp, peer_expects_more) || (tp->send_head && tcp_in(tp, TCPS_SENDING)))
        tcp_abort(tp, ECONNRESET);
    else if (tp->sk.state == TCPS_SYN_SENT)
        tcp_fail(tp, ECONNRESET);
    else
        tcp_done(tp);
}

void tcp_disconnect(struct tcp_sock *tp)
{
    const be32 none = { 0 };
    struct sock *sk = &tp->sk;

    end_connection(tp);
    if (!sk->reading) /* else he has it */
        skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    port_table_set_ends(&sk->net->tcp->ports, sk, sk->addr_named ? sk->saddr : none, none, (be16){ 0 });
    sk->shutdown = 0;
    tp->fin_reached = tp->fin_queued = false;
    tp->rcv_urgent = TCP_URGENT_NONE;
    tp->connecting = tp->connected = false;
    sock_wake(sk);
}

static int shutdown_locked(struct tcp_sock *tp, int how)
{
    const bool closed = tp->sk.state == TCPS_CLOSED;
    const bool opening = tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED) | TCPS_BIT(CLOSED));

    if (tp->connecting && !opening) { /* it has come to something, though connect() was not asked again */
        tp->connecting = false;
        tp->connected = true;
    }
    if (tp->sk.state == TCPS_SYN_SENT || (tp->sk.state == TCPS_LISTEN && how != SHUT_WR)) {
        tcp_disconnect(tp);
        return 0;
    }
    if (tp->sk.state == TCPS_LISTEN)
        return 0;
    if (how != SHUT_WR)
        tp->sk.shutdown |= RCV_SHUTDOWN;
    if (how != SHUT_RD && closed)
        tp->sk.shutdown |= SEND_SHUTDOWN;
    else if (how != SHUT_RD)
        tcp_queue_fin(tp);
    sock_wake(&tp->sk);
    return closed ? -ENOTCONN : 0;
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
