/* net/tcp/tcp_listen.c - passive opens: a SYN makes a child, the handshake's last ACK makes it acceptable.
 * The listener's queues hold the children's first references, which accept() hands on to the user. As in
 * Linux, at most backlog + 1 wait for accept(). While they do, a SYN is dropped, and the ACK of a child that
 * is half-open already is as if it were lost: our SYN+ACK goes again and asks for another. When too many are
 * half-open a cookie is sent instead (tcp_syncookie.c). The queues' lock is taken inside a child's. */
#include "net/tcp/tcp.h"

#define COOKIE_LIFE sec(120) /* a cookie is good for one to two minutes */

static struct tcp_listener *listener_create(void)
{
    struct tcp_listener *l = mem_alloc(sizeof *l);
    if (!l)
        return NULL;
    lock_init(&l->lock, "tcp listener", RANK_SOCK_LISTEN);
    list_init(&l->half_open);
    list_init(&l->established);
    return l;
}

/* Two sockets that share a port by SO_REUSEADDR may not both listen at one address. */
static bool is_listening(const struct sock *sk)
{
    return READ_ONCE(sk->state) == TCPS_LISTEN;
}
static bool another_listens(struct sock *sk)
{
    struct sock *other = port_table_lookup(&sk->net->tcp->ports, sk->saddr, sk->sport, (be32){ 0 },
                                           (be16){ 0 }, sk->bound_ifindex, is_listening);
    if (!other)
        return false;
    bool clash = other != sk && be32_equal(other->saddr, sk->saddr) && !(other->reuseport && sk->reuseport);
    sock_put(other);
    return clash;
}

static int begin_listening(struct tcp_sock *tp)
{
    if (tp->sk.state != TCPS_CLOSED || tp->connecting)
        return -EINVAL;
    int err = tcp_autobind(tp, tp->sk.saddr);
    if (err)
        return err;
    if (another_listens(&tp->sk))
        return -EADDRINUSE;
    if (!tp->listener)
        tp->listener = listener_create();
    if (!tp->listener)
        return -ENOMEM;
    tcp_set_state(tp, TCPS_LISTEN);
    return 0;
}

int tcp_listen(struct sock *sk, int backlog)
{
    struct tcp_sock *tp = tcp_sk(sk);
    lock_acquire(&sk->lock);
    int err = sk->state == TCPS_LISTEN ? 0 : begin_listening(tp);
    if (!err) {
        lock_acquire(&tp->listener->lock);
        tp->listener->closed = false;
        tp->listener->backlog =
            MIN((unsigned)backlog, (unsigned)READ_ONCE(sk->net->knobs.somaxconn)); /* negative: the most */
        lock_release(&tp->listener->lock);
    }
    lock_release(&sk->lock);
    return err;
}

/* ---- the queues ---- */

/* How many may be half-open. l->lock held, for all three. */
static uint32_t half_open_limit(const struct tcp_sock *parent)
{
    return MAX(parent->listener->backlog, (uint32_t)READ_ONCE(tcp_state_of(parent)->max_syn_backlog));
}
static bool accept_queue_full(const struct tcp_listener *l)
{
    return l->n_established > l->backlog;
}
static bool half_open_full(const struct tcp_sock *parent)
{
    return parent->listener->n_half_open >= half_open_limit(parent);
}

/* Put child on l's queue of half-open connections. 0; -ENOBUFS: no room; -ECONNREFUSED: closed. */
static int queue_child(struct tcp_sock *parent, struct tcp_sock *child, bool by_cookie)
{
    struct tcp_listener *l = parent->listener;
    int err = 0;
    lock_acquire(&l->lock);
    if (l->closed) {
        err = -ECONNREFUSED;
    } else if (accept_queue_full(l) || (!by_cookie && half_open_full(parent))) {
        err = -ENOBUFS;
    } else {
        list_add_tail(&child->accept_link, &l->half_open);
        l->n_half_open++;
        child->parent = parent;
        sock_hold(&parent->sk);
    }
    lock_release(&l->lock);
    return err;
}

bool tcp_child_has_room(struct tcp_sock *child)
{
    if (!child->parent)
        return true; /* the listener is gone, as whoever asks will find */
    struct tcp_listener *l = child->parent->listener;
    lock_acquire(&l->lock);
    bool room = !accept_queue_full(l) || l->closed;
    lock_release(&l->lock);
    return room;
}

bool tcp_child_established(struct tcp_sock *child)
{
    struct tcp_sock *parent = child->parent;
    if (!parent)
        return false;
    struct tcp_listener *l = parent->listener;
    lock_acquire(&l->lock);
    bool queued = !list_empty(&child->accept_link);
    if (queued) {
        list_del(&child->accept_link);
        list_add_tail(&child->accept_link, &l->established);
        l->n_half_open--;
        l->n_established++;
        child->acceptable = true;
    }
    lock_release(&l->lock);
    if (queued)
        sock_wake_readers(&parent->sk);
    return queued;
}

/* A child that waits for accept() stays there, so that the user learns how it ended. */
void tcp_child_forget(struct tcp_sock *child)
{
    struct tcp_sock *parent = child->parent;
    if (!parent)
        return;
    struct tcp_listener *l = parent->listener;
    lock_acquire(&l->lock);
    bool half_open = !list_empty(&child->accept_link) && !child->acceptable;
    if (half_open) {
        list_del(&child->accept_link);
        l->n_half_open--;
    }
    lock_release(&l->lock);
    if (!half_open)
        return;
    child->parent = NULL;
    sock_put(&parent->sk);
    sock_put(&child->sk);
}

/* Cut the tie between a child just taken off a queue and its listener. The child's reference is the caller's
 * now. */
static void leave_parent(struct tcp_sock *child, int abort_err)
{
    lock_acquire(&child->sk.lock);
    struct tcp_sock *parent = child->parent;
    child->parent = NULL;
    if (abort_err)
        tcp_abort(child, abort_err);
    lock_release(&child->sk.lock);
    sock_put(&parent->sk);
}

/* The oldest connection ready for accept(), off the queue; NULL if there is none. Listener's lock held. */
static struct tcp_sock *pop_established(struct tcp_listener *l)
{
    struct tcp_sock *child = list_first_entry(&l->established, struct tcp_sock, accept_link);
    if (child) {
        list_del(&child->accept_link);
        l->n_established--;
    }
    return child;
}

static struct tcp_sock *pop_any(struct tcp_listener *l)
{
    lock_acquire(&l->lock);
    struct tcp_sock *child = pop_established(l);
    if (!child && (child = list_first_entry(&l->half_open, struct tcp_sock, accept_link))) {
        list_del(&child->accept_link);
        l->n_half_open--;
    }
    lock_release(&l->lock);
    return child;
}

void tcp_listen_stop(struct tcp_sock *tp)
{
    struct tcp_listener *l = tp->listener;
    struct tcp_sock *child;
    lock_acquire(&l->lock);
    l->closed = true;
    lock_release(&l->lock);
    tcp_done(tp); /* no SYN finds us any more, and whoever sleeps in accept() is woken */
    lock_release(&tp->sk.lock);
    while ((child = pop_any(l))) {
        leave_parent(child, ECONNRESET);
        sock_put(&child->sk);
    }
    lock_acquire(&tp->sk.lock);
}

unsigned tcp_listen_ready(const struct tcp_sock *tp)
{
    struct tcp_listener *l = tp->listener;
    lock_acquire(&l->lock);
    unsigned n = l->n_established;
    lock_release(&l->lock);
    return n;
}

/* ---- accept() ---- */

/* Wait for a connection under the queues' own lock, because a child that becomes ready wakes us under it. */
static int wait_for_child(struct tcp_sock *tp, uint64_t deadline, struct tcp_sock **child)
{
    struct tcp_listener *l = tp->listener;
    int err = 0;
    lock_acquire(&l->lock);
    while (!err && !l->closed && list_empty(&l->established))
        err = deadline ? waitq_wait(&tp->sk.wq, &l->lock, deadline) : -EAGAIN;
    *child = pop_established(l);
    if (*child)
        err = 0;
    else if (l->closed)
        err = -EINVAL;
    lock_release(&l->lock);
    return err == -ETIMEDOUT ? -EAGAIN : err;
}

int tcp_accept(struct sock *sk, int flags, struct sock **newsk)
{
    struct tcp_sock *child;
    lock_acquire(&sk->lock);
    bool listening = sk->state == TCPS_LISTEN;
    uint64_t deadline = sock_rcv_deadline(sk, flags);
    lock_release(&sk->lock);
    if (!listening)
        return -EINVAL;
    int err = wait_for_child(tcp_sk(sk), deadline, &child);
    if (err)
        return err;
    leave_parent(child, 0);
    *newsk = &child->sk;
    return 0;
}

bool tcp_accept_ready(struct tcp_sock *tp)
{
    struct tcp_listener *l = tp->listener;
    lock_acquire(&l->lock);
    bool ready = !list_empty(&l->established);
    lock_release(&l->lock);
    return ready;
}

/* ---- RFC 9293 3.10.7.2: a segment for a listener ---- */

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
    inherit_tcp(tcp_sk(sk), tcp_sk(from));
    lock_release(&from->lock);
}

static void address_child(struct sock *sk, const struct tcp_segment *seg)
{
    sk->saddr = seg->daddr;
    sk->sport = seg->dest;
    sk->daddr = seg->saddr;
    sk->dport = seg->source;
}

/* RFC 1122 4.2.2.13 (a): beyond those of the connection that a SYN ended. */
static uint32_t first_number(const struct tcp_segment *seg)
{
    const struct tcp_ends ends = tcp_segment_ends(seg);
    uint32_t iss = tcp_initial_seq(seg->net, &ends);
    return seg->reopens && !seq_after(iss, seg->beyond) ? seg->beyond + TCP_WINDOW_FIELD : iss;
}

/* RFC 9293 3.10.7.2 third: RCV.NXT, IRS, ISS, SND.NXT, SND.UNA. Text on the SYN is not acknowledged, so it
 * comes again (MUST-31 leaves that open). */
static void prepare_child(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    tp->passive = true;
    tp->irs = seg->seq;
    tp->rcv_nxt = tp->rcv_up = tp->last_ack_sent = seg->seq + 1;
    tp->iss = first_number(seg);
    tp->snd_una = tp->iss;
    tp->snd_nxt = tp->write_seq = tp->snd_up = tp->iss + 1;
    tcp_ecn_begin(tp, seg);
    tcp_take_syn_options(tp, &seg->options);
}

/* Enter the child into all tables. Child's lock held. 0 or -errno, undone. */
static int enter_child(struct tcp_sock *parent, struct tcp_sock *child, bool by_cookie)
{
    const struct tcp_ends ends = tcp_ends_of(child);
    int err = tcp_hash_insert(child->sk.net, &child->node, &ends);
    if (err)
        return err;
    err = queue_child(parent, child, by_cookie);
    if (err) {
        tcp_hash_remove(child->sk.net, &child->node);
        return err;
    }
    sock_hold(&child->sk); /* the queue has the first reference; this one is the caller's */
    port_table_inherit(&child->sk.net->tcp->ports, &child->sk, &parent->sk);
    tcp_set_state(child, TCPS_SYN_RECEIVED);
    child->syn_sent_at = time_now();
    return 0;
}

/* A child in CLOSED that the SYN seg asks for; NULL: no memory, or no way to the peer. */
static struct tcp_sock *new_child(struct tcp_sock *listener, const struct tcp_segment *seg)
{
    struct sock *sk;
    if (sk_alloc(seg->net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &tcp_sock_ops, &sk))
        return NULL;
    inherit(sk, &listener->sk);
    address_child(sk, seg);
    lock_acquire(&sk->lock);
    int err = tcp_check_route(tcp_sk(sk));
    if (!err)
        prepare_child(tcp_sk(sk), seg);
    lock_release(&sk->lock);
    if (!err)
        return tcp_sk(sk);
    sock_put(sk);
    return NULL;
}

static void refuse_child(struct tcp_segment *seg, int err)
{
    if (err == -ENOBUFS) { /* RFC 9293 3.10.1: silently, the peer will ask again */
        tcp_count(seg->net, TCP_COUNT_listen_overflows);
        tcp_drop(seg, SKB_DROP_TCP_BACKLOG_FULL);
    } else {
        tcp_drop(seg, err == -ENOMEM ? SKB_DROP_NO_MEMORY : SKB_DROP_TCP_NO_SOCKET);
    }
}

static void accept_syn(struct tcp_sock *listener, struct tcp_segment *seg)
{
    struct tcp_sock *child = new_child(listener, seg);
    int err = -ENOMEM;
    if (child) {
        lock_acquire(&child->sk.lock);
        err = enter_child(listener, child, false);
        if (!err) {
            tcp_send_syn(child);
            tcp_start_rexmit(child);
        }
        lock_release(&child->sk.lock);
        sock_put(&child->sk);
    }
    if (err)
        refuse_child(seg, err);
    else
        tcp_count(seg->net, TCP_COUNT_passive_opens);
}

/* ---- SYN cookies, RFC 4987 3.6 ---- */

/* Shall this SYN be answered by a cookie? Not when those who wait for accept() alone fill the queue. */
static bool wants_cookie(struct tcp_sock *listener)
{
    struct tcp_listener *l = listener->listener;
    int32_t knob = READ_ONCE(tcp_state_of(listener)->syncookies);
    if (!knob)
        return false;
    lock_acquire(&l->lock);
    bool full = half_open_full(listener), room = !accept_queue_full(l) && !l->closed;
    lock_release(&l->lock);
    return room && (full || knob == 2);
}

static void answer_by_cookie(struct tcp_sock *listener, struct tcp_segment *seg)
{
    WRITE_ONCE(listener->listener->cookies_until, time_now() + COOKIE_LIFE);
    tcp_cookie_send(listener, seg);
}

/* seg acknowledges a cookie: a child as if it had waited half-open, and seg is the next that it receives. */
static void open_by_cookie(struct tcp_sock *listener, struct tcp_segment *seg, const struct tcp_segment *syn)
{
    struct tcp_sock *child = new_child(listener, syn);
    int err = -ENOMEM;
    if (child) {
        lock_acquire(&child->sk.lock);
        child->iss = child->snd_una = seg->ack - 1;
        child->snd_nxt = child->write_seq = child->snd_up = seg->ack;
        child->ts_offset = tcp_cookie_clock(seg);
        child->by_cookie = true;
        (void)tcp_select_window(child, true); /* what the cookie's SYN+ACK offered */
        err = enter_child(listener, child, true);
        if (!err)
            tcp_start_rexmit(
                child); /* should the ACK be deferred: from here on it is half-open like any other */
        lock_release(&child->sk.lock);
        if (!err && !tcp_receive(child, seg))
            tcp_drop(seg, SKB_DROP_TCP_NO_SOCKET);
        sock_put(&child->sk);
    }
    if (err)
        refuse_child(seg, err);
    else
        tcp_count(seg->net, TCP_COUNT_passive_opens);
}

/* RFC 9293 3.10.7.2 second: nothing was sent that it could acknowledge, unless it was a cookie. */
static void receive_ack(struct tcp_sock *listener, struct tcp_segment *seg)
{
    struct tcp_segment syn;
    bool cookies_out = time_now() < READ_ONCE(listener->listener->cookies_until);
    if (cookies_out && !tcp_segment_has(seg, TCP_FLAG_SYN) && tcp_cookie_check(seg, &syn)) {
        open_by_cookie(listener, seg, &syn);
        return;
    }
    tcp_reply_reset(seg);
    tcp_drop(seg, SKB_DROP_TCP_ACK_INVALID);
}

void tcp_listen_receive(struct tcp_sock *listener, struct tcp_segment *seg)
{
    if (tcp_segment_has(seg, TCP_FLAG_RST)) { /* first: a reset cannot be meant for a listener */
        tcp_drop(seg, SKB_DROP_TCP_RESET);
    } else if (tcp_segment_has(seg, TCP_FLAG_ACK)) { /* second */
        receive_ack(listener, seg);
    } else if (tcp_segment_has(seg, TCP_FLAG_SYN)) { /* third */
        if (wants_cookie(listener))
            answer_by_cookie(listener, seg);
        else
            accept_syn(listener, seg);
    } else { /* fourth: should not occur */
        tcp_drop(seg, SKB_DROP_TCP_FLAGS);
    }
}
