/* net/tcp/tcp_child.c - the handshake's last ACK makes a connection: a control block that takes over from its
 * listener what the user set there, and from the handshake what both sides agreed upon. It comes into being
 * with its lock held and is let go in ESTABLISHED or beyond: nobody else ever sees it half-open. */
#include "net/core/zerocopy.h"
#include "net/tcp/tcp.h"

static void inherit_tcp(struct tcp_sock *tp, const struct tcp_sock *from)
{
    tp->nodelay = from->nodelay;
    tp->cork = from->cork;
    tp->user_mss = from->user_mss;
    tp->cong = from->cong;
    tp->user_timeout = from->user_timeout;
    tp->keep_idle = from->keep_idle;
    tp->keep_interval = from->keep_interval;
    tp->keep_count = from->keep_count;
    tp->linger2 = from->linger2;
    tp->defer_accept = from->defer_accept;
    tp->notsent_lowat = from->notsent_lowat;
}

/* What a connection takes over from the socket it was accepted on. */
static void inherit(struct sock *sk, struct sock *from)
{
    lock_acquire(&from->lock);
    sk->rcvbuf = from->rcvbuf;
    sk->sndbuf = from->sndbuf;
    sk->rcvbuf_set = from->rcvbuf_set;
    sk->sndbuf_set = from->sndbuf_set;
    sk->reuseaddr = from->reuseaddr;
    sk->reuseport = from->reuseport;
    sk->uid = from->uid;
    sk->keepalive = from->keepalive;
    sk->linger = from->linger;
    sk->linger_seconds = from->linger_seconds;
    sk->rcvtimeo = from->rcvtimeo;
    sk->sndtimeo = from->sndtimeo;
    sk->bound_ifindex = from->bound_ifindex;
    sk->ttl = from->ttl;
    sk->tos = from->tos;
    sk->mark = from->mark;
    sk->priority = from->priority;
    sk->max_pacing_rate = from->max_pacing_rate;
    sk->rcvlowat = from->rcvlowat;
    sk->oobinline = from->oobinline;
    if (from->zerocopy_on)
        (void)zerocopy_set(sk, true); /* or it stays off: memory is out, and the calls copy */
    inherit_tcp(tcp_sk(sk), tcp_sk(from));
    lock_release(&from->lock);
}

static void address(struct sock *sk, const struct tcp_segment *seg)
{
    sk->saddr = seg->daddr;
    sk->sport = seg->dest;
    sk->daddr = seg->saddr;
    sk->dport = seg->source;
}

/* RFC 9293 3.10.7.2 third, as our SYN went out: RCV.NXT, IRS, ISS, SND.NXT, SND.UNA. Text on the peer's SYN
 * was not acknowledged, so it comes again (MUST-31 leaves that open). */
static void prepare(struct tcp_sock *tp, const struct tcp_opening *o)
{
    tp->irs = o->syn.seq;
    tp->rcv_nxt = tp->rcv_up = tp->last_ack_sent = o->syn.seq + 1;
    tp->rcv_wnd = o->window;
    tp->iss = tp->snd_una = o->iss;
    tp->snd_nxt = tp->write_seq = tp->snd_up = o->iss + 1;
    const struct tcp_ends ends = tcp_ends_of(tp);
    tp->ts_offset = tcp_ts_offset(tp->sk.net, &ends);
    tcp_ecn_begin(tp, &o->syn);
    tcp_take_syn_options(tp, &o->syn.options);
    tp->syn_sent_at = o->sent_at;
    tp->connected = true; /* accept() gives nothing else */
    tp->retransmits = tp->total_retrans = o->retransmits;
}

/* A child in CLOSED; NULL: no memory, or no way to the peer. */
static struct tcp_sock *create(struct tcp_sock *listener, const struct tcp_opening *o)
{
    struct sock *sk;
    if (sk_alloc(listener->sk.net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &tcp_sock_ops, &sk))
        return NULL;
    inherit(sk, &listener->sk);
    address(sk, &o->syn);
    lock_acquire(&sk->lock);
    int err = tcp_check_route(tcp_sk(sk));
    if (!err)
        prepare(tcp_sk(sk), o);
    lock_release(&sk->lock);
    if (!err)
        return tcp_sk(sk);
    sock_put(sk);
    return NULL;
}

/* Into both tables and on to ESTABLISHED by seg. The child's lock held, which has seg's text then. 0, or
 * -EADDRINUSE: somebody else was faster. */
static int establish(struct tcp_sock *listener, struct tcp_sock *child, struct tcp_segment *seg)
{
    const struct tcp_ends ends = tcp_ends_of(child);
    int err = tcp_hash_insert(child->sk.net, &child->node, &ends);
    if (err)
        return err;
    port_table_inherit(&child->sk.net->tcp->ports, &child->sk, &listener->sk);
    tcp_set_state(child, TCPS_SYN_RECEIVED);
    tcp_receive_locked(child, seg);
    return 0;
}

int tcp_child_open(struct tcp_sock *listener, struct tcp_segment *seg, const struct tcp_opening *o)
{
    int err = tcp_listen_take_place(listener->listener);
    if (err)
        return err;
    struct tcp_sock *child = create(listener, o);
    if (!child) {
        tcp_listen_leave_place(listener->listener);
        return -ENOMEM;
    }
    sock_hold(&child->sk); /* the queue gets the first reference; this one is ours */
    lock_acquire(&child->sk.lock);
    err = establish(listener, child, seg);
    if (err) {
        tcp_listen_leave_place(listener->listener);
        sock_put(&child->sk);
    } else if (!tcp_listen_queue(listener, child)) {
        tcp_abort(child, ECONNRESET); /* RFC 9293 3.10.4: the listener was closed meanwhile */
        sock_put(&child->sk);
    }
    lock_release(&child->sk.lock);
    sock_put(&child->sk);
    if (!err)
        tcp_count(seg->net, TCP_COUNT_passive_opens);
    return err;
}

void tcp_child_refused(struct tcp_segment *seg, int err)
{
    if (!err)
        return;
    if (err == -ENOBUFS)
        tcp_count(seg->net, TCP_COUNT_listen_overflows);
    tcp_drop(seg, err == -ENOBUFS  ? SKB_DROP_TCP_BACKLOG_FULL
                  : err == -ENOMEM ? SKB_DROP_NO_MEMORY
                                   : SKB_DROP_TCP_NO_SOCKET);
}
