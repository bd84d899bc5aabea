/* net/unix/unix_connect.c - how two local sockets become a pair: socketpair(), or connect() and accept().
 *
 * connect() makes the server's end itself and hangs it on the listener's queue; accept() takes it from there.
 * From that moment on both ends work: a client may write before anybody accepts. */
#include "lib/string.h"
#include "net/unix/unix.h"

struct sock *unix_peer_get(struct sock *sk)
{
    lock_acquire(&sk->lock);
    struct sock *peer = unix_sk(sk)->peer;
    if (peer)
        sock_hold(peer);
    lock_release(&sk->lock);
    return peer;
}

void unix_hang_up(struct sock *peer, bool reset)
{
    lock_acquire(&peer->lock);
    unix_set_shutdown(peer, RCV_SHUTDOWN | SEND_SHUTDOWN);
    if (reset)
        peer->err = ECONNRESET;
    sock_wake(peer);
    lock_release(&peer->lock);
}

/* Make peer (a reference is taken) the other end of sk. sk is nobody else's yet, or locked. */
static void set_peer(struct sock *sk, struct sock *peer)
{
    sock_hold(peer);
    unix_sk(sk)->peer = peer;
    unix_set_state(sk, UNIX_ESTABLISHED);
}

int unix_pair(struct sock *a, struct sock *b)
{
    set_peer(a, b);
    set_peer(b, a);
    credentials_now(&unix_sk(a)->peercred);
    unix_sk(b)->peercred = unix_sk(a)->peercred;
    return 0;
}

/* ---- the server's side ---- */

int unix_listen(struct sock *sk, int backlog)
{
    struct unix_sock *u = unix_sk(sk);
    int err = 0;

    if (!unix_is_connected_kind(sk))
        return -EOPNOTSUPP;
    lock_acquire(&sk->lock);
    if (!unix_name_of(sk) || (sk->state != UNIX_CLOSED && sk->state != UNIX_LISTENING)) {
        err = -EINVAL;
    } else {
        u->backlog = MIN((unsigned)backlog, (unsigned)SOCK_BACKLOG_MAX); /* listen(2): negative is much */
        unix_set_state(sk, UNIX_LISTENING);
        credentials_now(&u->peercred);
        waitq_wake(&u->room);
    }
    lock_release(&sk->lock);
    return err;
}

/* The first embryo, waited for. Lock held. 0 or -errno. */
static int take_embryo(struct sock *sk, int flags, struct unix_sock **child)
{
    struct unix_sock *u = unix_sk(sk);
    uint64_t deadline = sock_rcv_deadline(sk, flags);

    while (!(*child = list_first_entry(&u->embryos, struct unix_sock, embryo_link))) {
        if (sk->shutdown & RCV_SHUTDOWN)
            return -EINVAL;
        int err = sock_wait(sk, deadline);
        if (err)
            return err;
    }
    list_del(&(*child)->embryo_link);
    u->n_embryos--;
    waitq_wake(&u->room);
    return 0;
}

int unix_accept(struct sock *sk, int flags, struct sock **newsk)
{
    struct unix_sock *child;
    int err = -EINVAL;

    if (!unix_is_connected_kind(sk))
        return -EOPNOTSUPP;
    lock_acquire(&sk->lock);
    if (sk->state == UNIX_LISTENING)
        err = take_embryo(sk, flags, &child);
    lock_release(&sk->lock);
    if (err)
        return err;
    unix_flight_adopt(child);
    *newsk = &child->sk;
    return 0;
}

void unix_close_embryos(struct sock *listener)
{
    struct unix_sock *u = unix_sk(listener), *child;
    struct list_head embryos;

    list_init(&embryos);
    lock_acquire(&listener->lock);
    list_splice_tail(&u->embryos, &embryos);
    u->n_embryos = 0;
    lock_release(&listener->lock);
    while ((child = list_first_entry(&embryos, struct unix_sock, embryo_link))) {
        struct sock *client = unix_peer_get(&child->sk);
        list_del(&child->embryo_link);
        unix_flight_adopt(child);
        unix_hang_up(client, true);
        sock_put(client);
        sock_release(&child->sk);
    }
}

/* ---- the client's side ---- */

/* Asked with the lock for an answer that holds. */
static bool listens(const struct sock *sk)
{
    return READ_ONCE(sk->state) == UNIX_LISTENING && !READ_ONCE(sk->dead) &&
           !(READ_ONCE(sk->shutdown) & RCV_SHUTDOWN);
}

/* Hang child on the listener's queue when there is room. 0 or -errno. No lock held. */
static int enqueue_embryo(struct sock *listener, struct unix_sock *child, uint64_t deadline,
                          struct credentials *server)
{
    struct unix_sock *u = unix_sk(listener);
    int err = 0;

    lock_acquire(&listener->lock);
    for (;;) {
        if (!listens(listener))
            err = -ECONNREFUSED;
        else if (u->n_embryos > u->backlog) /* as Linux: one more than was asked for */
            err = deadline ? waitq_wait(&u->room, &listener->lock, deadline) : -EAGAIN;
        else
            break;
        if (err)
            break;
    }
    if (!err) {
        *server = u->peercred;
        unix_flight_lend(child, u);
        list_add_tail(&child->embryo_link, &u->embryos);
        u->n_embryos++;
        sock_wake_readers(listener);
    }
    lock_release(&listener->lock);
    return err == -ETIMEDOUT ? -EAGAIN : err;
}

/* From now on child is sk's peer. 0, -EISCONN, -EINVAL. */
static int begin_connect(struct sock *sk, struct sock *child)
{
    int err = 0;

    lock_acquire(&sk->lock);
    if (sk->state == UNIX_ESTABLISHED)
        err = -EISCONN;
    else if (sk->state != UNIX_CLOSED)
        err = -EINVAL;
    if (!err) {
        set_peer(sk, child);
        unix_set_state(sk, UNIX_CONNECTING);
    }
    lock_release(&sk->lock);
    return err;
}

/* It came to something (err 0) or not: then sk is as it was. */
static void end_connect(struct sock *sk, struct sock *child, const struct credentials *server, int err)
{
    lock_acquire(&sk->lock);
    unix_set_state(sk, err ? UNIX_CLOSED : UNIX_ESTABLISHED);
    if (err)
        unix_sk(sk)->peer = NULL;
    else
        unix_sk(sk)->peercred = *server;
    sock_wake(sk);
    lock_release(&sk->lock);
    if (err)
        sock_put(child);
}

/* Connect sk to the listener through child, the server's end, whose reference is the caller's. */
static int connect_through(struct sock *sk, struct sock *listener, struct sock *child, int flags)
{
    struct credentials server;
    int err = unix_name_inherit(child, listener);

    if (!err)
        err = begin_connect(sk, child);
    if (err)
        return err;
    lock_acquire(&child->lock); /* whoever uses sk meanwhile finds it as sk's peer */
    set_peer(child, sk);
    credentials_now(&unix_sk(child)->peercred);
    lock_release(&child->lock);
    err = enqueue_embryo(listener, unix_sk(child), sock_snd_deadline(sk, flags), &server);
    end_connect(sk, child, &server, err);
    return err;
}

static int connect_to(struct sock *sk, struct sock *listener, int flags)
{
    struct sock *child;
    if (!listens(listener)) /* before it is asked what sk is (Linux) */
        return -ECONNREFUSED;
    int err = sk_alloc(sk->net, AF_UNIX, sk->type, 0, sk->ops, &child);

    if (err)
        return err;
    err = connect_through(sk, listener, child, flags);
    if (err) {                      /* nobody has seen it */
        lock_acquire(&child->lock); /* but who used sk meanwhile */
        struct sock *peer = unix_sk(child)->peer;
        unix_sk(child)->peer = NULL;
        lock_release(&child->lock);
        if (peer)
            sock_put(peer);
        sock_release(child);
    }
    return err;
}

int unix_stream_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    struct sock *listener;
    int err = unix_check_address(addr, len);

    if (!err && unix_passcred(sk))
        err = unix_autobind(sk);
    if (!err)
        err = unix_find(sk->net, addr, len, sk->type, &listener);
    if (err)
        return err;
    err = connect_to(sk, listener, flags);
    sock_put(listener);
    return err;
}

/* ---- datagrams: a peer is only whom send() sends to ---- */

/* What sk's peer was or would be: may it be sent to? unix(7): not one that is connected elsewhere. */
static int may_connect(struct sock *sk, struct sock *other)
{
    lock_acquire(&other->lock);
    const struct sock *its_peer = unix_sk(other)->peer;
    lock_release(&other->lock);
    return its_peer && its_peer != sk ? -EPERM : 0;
}

/* Take out of sk's queue what lies there; false: nothing. A datagram that somebody peeks at becomes his. Lock
 * held. */
static bool empty_queue(struct sock *sk, struct sk_buff_head *queue)
{
    struct unix_sock *u = unix_sk(sk);
    bool some = !skb_queue_empty(&sk->receive_queue);
    struct sk_buff *skb;

    while ((skb = skb_dequeue(&sk->receive_queue))) {
        if (skb == u->peeked)
            u->peeked = NULL;
        else
            skb_queue_tail(queue, skb);
    }
    return some;
}

void unix_forsake(struct sock *sk, struct sock *old)
{
    struct sk_buff_head queue;

    skb_queue_head_init(&queue);
    lock_acquire(&sk->lock);
    bool some = empty_queue(sk, &queue);
    lock_release(&sk->lock);
    skb_queue_purge(&queue, SKB_DROP_SOCKET_CLOSED);
    lock_acquire(&old->lock);
    if (some && !old->dead && unix_sk(old)->peer == sk) {
        old->err = ECONNRESET;
        sock_wake(old);
    }
    lock_release(&old->lock);
    lock_acquire(&unix_of(sk)->lock);
    list_del(&unix_sk(sk)->watch_link);
    lock_release(&unix_of(sk)->lock);
}

/* other: a reference that becomes sk's, or NULL. */
static void change_peer(struct sock *sk, struct sock *other)
{
    lock_acquire(&sk->lock);
    struct sock *old = unix_sk(sk)->peer;
    unix_sk(sk)->peer = other;
    unix_set_state(sk, other ? UNIX_ESTABLISHED : UNIX_CLOSED);
    sock_wake(sk);
    lock_release(&sk->lock);
    if (!old)
        return;
    if (old != other)
        unix_forsake(sk, old);
    sock_put(old);
}

int unix_dgram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    struct sock *other;

    (void)flags;
    if (len < sizeof(sa_family_t))
        return -EINVAL;
    if (addr->sa_family == AF_UNSPEC) {
        change_peer(sk, NULL);
        return 0;
    }
    int err = unix_check_address(addr, len);
    if (!err && unix_passcred(sk))
        err = unix_autobind(sk);
    if (!err)
        err = unix_find(sk->net, addr, len, sk->type, &other);
    if (err)
        return err;
    err = may_connect(sk, other);
    if (err) {
        sock_put(other);
        return err;
    }
    change_peer(sk, other);
    return 0;
}
