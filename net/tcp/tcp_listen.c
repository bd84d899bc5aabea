/* net/tcp/tcp_listen.c - passive opens: listen(), accept(), and a segment for a listener.
 * A SYN leaves an entry in the SYN cache (tcp_syncache.c) or is answered by a cookie (tcp_syncookie.c); the
 * handshake's last ACK makes a connection (tcp_child.c), which waits here for accept(). The queue holds the
 * children's first references, which accept() hands on to the user. As in Linux, at most backlog + 1 wait.
 * While they do, a SYN is dropped, and the ACK of a half-open connection is as if it were lost: our SYN goes
 * again and asks for another. The queue's lock is taken inside a child's. */
#include "net/tcp/tcp.h"

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
    if (tp->sk.state != TCPS_CLOSED || tp->connecting || tp->connected)
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
        WRITE_ONCE(tp->listener->closed, false);
        /* negative: the most */
        WRITE_ONCE(tp->listener->backlog,
                   MIN((unsigned)backlog, (unsigned)READ_ONCE(sk->net->knobs.somaxconn)));
        lock_release(&tp->listener->lock);
    }
    lock_release(&sk->lock);
    return err;
}

/* ---- the queue for accept() ---- */

static bool is_full(const struct tcp_listener *l)
{
    return l->n_places > l->backlog;
}

int tcp_listen_take_place(struct tcp_listener *l)
{
    lock_acquire(&l->lock);
    int err = l->closed ? -ECONNREFUSED : is_full(l) ? -ENOBUFS : 0;
    l->n_places += !err;
    lock_release(&l->lock);
    return err;
}

void tcp_listen_leave_place(struct tcp_listener *l)
{
    lock_acquire(&l->lock);
    l->n_places--;
    lock_release(&l->lock);
}

bool tcp_listen_queue(struct tcp_sock *tp, struct tcp_sock *child)
{
    struct tcp_listener *l = tp->listener;
    lock_acquire(&l->lock);
    bool open = !l->closed;
    if (open) {
        list_add_tail(&child->accept_link, &l->established);
        l->n_established++;
    } else {
        l->n_places--;
    }
    lock_release(&l->lock);
    if (open)
        sock_wake_readers(&tp->sk);
    return open;
}

/* The oldest connection ready for accept(), off the queue with its reference; NULL if there is none.
 * Listener's lock held. */
static struct tcp_sock *pop(struct tcp_listener *l)
{
    struct tcp_sock *child = list_first_entry(&l->established, struct tcp_sock, accept_link);
    if (child) {
        list_del(&child->accept_link);
        l->n_established--;
        l->n_places--;
    }
    return child;
}

/* Reset the oldest that waits; false: none does. */
static bool abort_one(struct tcp_listener *l)
{
    lock_acquire(&l->lock);
    struct tcp_sock *child = pop(l);
    lock_release(&l->lock);
    if (!child)
        return false;
    lock_acquire(&child->sk.lock);
    tcp_abort(child, ECONNRESET);
    lock_release(&child->sk.lock);
    sock_put(&child->sk);
    return true;
}

void tcp_listen_stop(struct tcp_sock *tp)
{
    struct tcp_listener *l = tp->listener;
    lock_acquire(&l->lock);
    WRITE_ONCE(l->closed, true);
    lock_release(&l->lock);
    tcp_done(tp); /* no SYN finds us any more, and whoever sleeps in accept() is woken */
    lock_release(&tp->sk.lock);
    while (abort_one(l))
        ;
    tcp_syncache_forget(tp);
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
    *child = pop(l);
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

/* Third: a SYN. While those who wait for accept() fill the queue it is dropped (listen(2)), silently, for the
 * peer will ask again. */
static void receive_syn(struct tcp_sock *listener, struct tcp_segment *seg)
{
    struct tcp_listener *l = listener->listener;
    lock_acquire(&l->lock);
    bool full = is_full(l);
    lock_release(&l->lock);
    if (full) {
        tcp_count(seg->net, TCP_COUNT_listen_overflows);
        tcp_drop(seg, SKB_DROP_TCP_BACKLOG_FULL);
        return;
    }
    tcp_syncache_add(listener, seg);
}

/* Second: nothing was sent that it could acknowledge, unless it was a cookie. */
static void receive_ack(struct tcp_sock *listener, struct tcp_segment *seg)
{
    struct tcp_opening o;
    bool cookies_out = time_now() < READ_ONCE(listener->listener->cookies_until);
    if (cookies_out && !tcp_segment_has(seg, TCP_FLAG_SYN) && tcp_cookie_check(listener, seg, &o)) {
        tcp_child_refused(seg, tcp_child_open(listener, seg, &o));
        return;
    }
    tcp_reply_reset(seg);
    tcp_drop(seg, SKB_DROP_TCP_ACK_INVALID);
}

void tcp_listen_receive(struct tcp_sock *listener, struct tcp_segment *seg)
{
    if (tcp_segment_has(seg, TCP_FLAG_RST)) /* first: a reset cannot be meant for a listener */
        tcp_drop(seg, SKB_DROP_TCP_RESET);
    else if (tcp_segment_has(seg, TCP_FLAG_ACK)) /* second */
        receive_ack(listener, seg);
    else if (tcp_segment_has(seg, TCP_FLAG_SYN)) /* third */
        receive_syn(listener, seg);
    else /* fourth: should not occur */
        tcp_drop(seg, SKB_DROP_TCP_FLAGS);
}
