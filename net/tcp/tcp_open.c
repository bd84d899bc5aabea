/* net/tcp/tcp_open.c - bind(), connect(), and names: how a connection gets its two ends. */
#include "net/tcp/tcp.h"

/* May sk and other not share a port at overlapping addresses? They may with SO_REUSEPORT on both, and with
 * SO_REUSEADDR on both unless other listens (socket(7)). */
static bool bind_conflict(const struct sock *sk, const struct sock *other)
{
    bool by_address = sk->reuseaddr && READ_ONCE(other->reuseaddr) && READ_ONCE(other->state) != TCPS_LISTEN;
    bool by_port = sk->reuseport && READ_ONCE(other->reuseport) && sk->uid == other->uid; /* socket(7) */
    return !by_address && !by_port;
}

static int bind_locked(struct sock *sk, be32 ip, uint16_t port)
{
    if (sk->bound || sk->state != TCPS_CLOSED)
        return -EINVAL;
    int err = inet_check_bind_address(sk, ip);
    if (!err)
        err = port_table_bind(&sk->net->tcp->ports, sk, ip, port, bind_conflict);
    if (!err) {
        sk->addr_named = !ipv4_is_zero(ip);
        sk->port_named = port;
    }
    return err;
}

int tcp_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    be32 ip;
    be16 port;
    int err = sockaddr_in_parse_bind(addr, len, &ip, &port);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    err = bind_locked(sk, ip, be16_to_cpu(port));
    lock_release(&sk->lock);
    return err;
}

int tcp_autobind(struct tcp_sock *tp, be32 addr)
{
    struct sock *sk = &tp->sk;
    return sk->bound ? 0 : port_table_bind(&sk->net->tcp->ports, sk, addr, 0, bind_conflict);
}

/* ---- connect() ---- */

/* Forget an earlier connection of this socket. */
static void reset_control_block(struct tcp_sock *tp)
{
    tcp_rtt_init(&tp->rtt, &tcp_state_of(tp)->rto);
    tp->rcv_wnd = tp->max_window = 0;
    tp->snd_wscale = tp->rcv_wscale = 0;
    tp->ts_ok = tp->sack_ok = tp->ecn_ok = false;
    tp->n_reports = 0;
    tp->dsack_due = false;
    tp->fin_queued = tp->fin_reached = false;
    tp->snd_urgent = false;
    tp->rcv_urgent = TCP_URGENT_NONE;
    tp->recovery = TCP_OPEN;
    tp->backoff = tp->persist_backoff = tp->retransmits = tp->dupacks = 0;
    tp->soft_err = 0;
    tp->sk.err = 0; /* sk->shutdown stays: who has shut down a fresh socket meant it (Linux) */
    tp->peer_mss = TCP_MSS_DEFAULT;
    tp->rcv_mss = TCP_MSS_DEFAULT;
    tp->bytes_received = tp->bytes_acked = tp->last_text_at = 0;
    tp->quickacks = 0;
    tp->interactive = false;
}

/* The route decides the address we speak from; a broadcast or multicast peer is none (RFC 1122 4.2.3.14). */
static int choose_route(struct tcp_sock *tp, be32 peer)
{
    struct sock *sk = &tp->sk;
    struct dst_entry *dst;
    int err = ip_route_output(sk->net, peer, sk->saddr, sk->bound_ifindex, &dst);
    if (err)
        return err;
    if (dst->kind != DST_UNICAST && dst->kind != DST_LOCAL) {
        dst_release(dst);
        return -ENETUNREACH;
    }
    dst_release(tp->dst);
    tp->dst = dst;
    return 0;
}

static int choose_ends(struct tcp_sock *tp, be32 peer, be16 port)
{
    struct sock *sk = &tp->sk;
    if (ipv4_is_zero(peer))
        peer = ip_address(127, 0, 0, 1); /* as 4.2BSD did, and all since */
    int err = choose_route(tp, peer);
    if (err)
        return err;
    be32 source = ipv4_is_zero(sk->saddr) ? tp->dst->prefsrc : sk->saddr;
    err = tcp_autobind(tp, source);
    if (err)
        return err == -EADDRINUSE ? -EADDRNOTAVAIL : err;
    port_table_set_ends(&sk->net->tcp->ports, sk, source, peer, port);
    const struct tcp_ends ends = tcp_ends_of(tp);
    err = tcp_hash_insert(sk->net, &tp->node, &ends);
    return err == -EADDRINUSE ? -EADDRNOTAVAIL : err;
}

/* OPEN, RFC 9293 3.10.1: the SYN goes out. */
static int begin_connect(struct tcp_sock *tp, be32 peer, be16 port)
{
    reset_control_block(tp);
    int err = choose_ends(tp, peer, port);
    if (err)
        return err;
    dst_release(tp->dst); /* where there are several ways, both ports say which is the connection's */
    tp->dst = NULL;
    err = tcp_check_route(tp);
    if (err) { /* it was there a moment ago */
        tcp_hash_remove(tp->sk.net, &tp->node);
        return err;
    }
    tcp_update_mss(tp);
    const struct tcp_ends ends = tcp_ends_of(tp);
    tp->iss = tcp_initial_seq(tp->sk.net, &ends);
    tp->ts_offset = tcp_ts_offset(tp->sk.net, &ends);
    tp->snd_una = tp->iss;
    tp->snd_nxt = tp->write_seq = tp->snd_up = tp->iss + 1;
    tp->connecting = true;
    tp->syn_sent_at = time_now();
    tcp_count(tp->sk.net, TCP_COUNT_active_opens);
    tcp_set_state(tp, TCPS_SYN_SENT);
    tcp_send_syn(tp);
    tcp_start_rexmit(tp);
    return 0;
}

/* Wait until the attempt has ended one way or the other. */
static int await_connection(struct tcp_sock *tp, uint64_t deadline)
{
    struct sock *sk = &tp->sk;
    while (tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED))) {
        int err = sock_wait(sk, deadline);
        if (err)
            return err == -EAGAIN ? -EINPROGRESS : err;
    }
    tp->connected = sk->state != TCPS_CLOSED;
    tp->connecting = false;
    if (tp->connected)
        return 0;
    tcp_count(sk->net, TCP_COUNT_attempt_fails);
    int err = sock_error(sk);
    tcp_disconnect(tp); /* told: it is as if it had never been tried */
    return err ? err : -ECONNABORTED;
}

/* What an earlier connection brought and nobody read would come before the new stream. A reader may be
 * copying from it: his turn first. */
static int forget_unread(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    if (skb_queue_empty(&sk->receive_queue))
        return 0;
    int err = sock_lock_reader(sk, TIME_NEVER);
    if (err)
        return err;
    if (sk->state == TCPS_CLOSED)
        skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    sock_unlock_reader(sk);
    return sk->state == TCPS_CLOSED ? 0 : -EISCONN; /* another call may have been first */
}

/* A second call asks how the first one fares. */
static int connect_again(struct tcp_sock *tp, uint64_t deadline)
{
    int err = await_connection(tp, deadline);

    return err == -EINPROGRESS ? -EALREADY : err;
}

/* The address is looked at last: a socket that has a connection has it whatever is asked (Linux). */
static int connect_locked(struct tcp_sock *tp, const struct sockaddr *addr, socklen_t len, uint64_t deadline)
{
    be32 peer;
    be16 port;

    if (tp->connected)
        return -EISCONN;
    if (tp->connecting)
        return connect_again(tp, deadline);
    if (tp->sk.state != TCPS_CLOSED)
        return -EISCONN;
    int err = sockaddr_in_parse(addr, len, &peer, &port);
    if (!err)
        err = forget_unread(tp);
    if (!err)
        err = begin_connect(tp, peer, port);
    return err ? err : await_connection(tp, deadline);
}

int tcp_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    int err = 0;

    if (len < sizeof addr->sa_family)
        return -EINVAL;
    lock_acquire(&sk->lock);
    if (addr->sa_family == AF_UNSPEC) /* connect(2): dissolves what there is */
        tcp_disconnect(tcp_sk(sk));
    else
        err = connect_locked(tcp_sk(sk), addr, len, sock_snd_deadline(sk, flags));
    lock_release(&sk->lock);
    return err;
}

/* ---- names ---- */

int tcp_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    struct tcp_sock *tp = tcp_sk(sk);
    lock_acquire(&sk->lock);
    bool connected = !tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN) | TCPS_BIT(SYN_SENT));
    int len = -ENOTCONN;
    if (!peer)
        len = sockaddr_in_make(addr, sk->saddr, sk->sport);
    else if (connected)
        len = sockaddr_in_make(addr, sk->daddr, sk->dport);
    lock_release(&sk->lock);
    return len;
}
