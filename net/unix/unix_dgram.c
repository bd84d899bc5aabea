/* net/unix/unix_dgram.c - local datagrams: SOCK_DGRAM, and SOCK_SEQPACKET, which has connections.
 *
 * None is lost: who sends to a full queue waits. Full it is for strangers only; two that are each other's
 * peer are limited by the sender's buffer. */
#include "net/core/datagram.h"
#include "net/unix/unix.h"

enum {
    BOOKKEEPING = 32,
    DATAGRAM_MAX = (1 << 20) - 4096
}; /* what Linux keeps back; one allocation's limit */

/* ---- send ---- */

/* To whom: the message's address, or the peer. 0 and *to with a reference, or -errno. */
static int destination(struct sock *sk, const struct message *msg, struct sock **to)
{
    const struct sockaddr *name = (const struct sockaddr *)msg->name;

    if (msg->name_len) {
        int err = unix_check_address(name, msg->name_len);
        return err ? err : unix_find(sk->net, name, msg->name_len, sk->type, to);
    }
    *to = unix_peer_get(sk);
    return *to ? 0 : -ENOTCONN;
}

/* Would `to` take something from sk? 0, or -errno; -EAGAIN: its queue is full. to's lock held. */
static int may_send(const struct sock *sk, struct sock *to)
{
    const struct sock *its_peer = unix_sk(to)->peer;

    if (to->dead)
        return -ECONNREFUSED;
    if (its_peer && its_peer != sk) /* unix(7): connected elsewhere */
        return -EPERM;
    if (to->shutdown & RCV_SHUTDOWN)
        return -EPIPE;
    return unix_queue_full(to, sk) ? -EAGAIN : 0;
}

static int hand_over(struct sock *sk, struct sock *to, struct sk_buff *skb, uint64_t deadline)
{
    int err;

    lock_acquire(&to->lock);
    while ((err = may_send(sk, to)) == -EAGAIN && deadline) {
        err = waitq_wait(&unix_sk(to)->room, &to->lock, deadline);
        if (err) {
            err = err == -ETIMEDOUT ? -EAGAIN : err;
            break;
        }
    }
    if (!err)
        unix_enqueue(sk, to, skb);
    lock_release(&to->lock);
    return err;
}

/* sk's peer is gone for good: forget it and what it sent, so that the next send says -ENOTCONN. */
static void disconnect_dead(struct sock *sk, struct sock *peer)
{
    bool ours;

    lock_acquire(&sk->lock);
    ours = unix_sk(sk)->peer == peer;
    if (ours) {
        unix_sk(sk)->peer = NULL;
        unix_set_state(sk, UNIX_CLOSED);
    }
    lock_release(&sk->lock);
    if (ours) {
        unix_forsake(sk, peer);
        sock_put(peer);
    }
}

static int send_to(struct sock *sk, struct sock *to, struct message *msg, const struct unix_cb *cb, int flags)
{
    uint64_t deadline = sock_snd_deadline(sk, flags);
    struct sk_buff *skb;
    int err = unix_make_skb(sk, msg, msg->iter.count, deadline, &skb);

    if (err)
        return err;
    *unix_cb(skb) = *cb;
    err = unix_flight_begin(skb, msg, to);
    if (!err)
        err = hand_over(sk, to, skb, deadline);
    if (err)
        consume_skb(skb);
    if (err == -ECONNREFUSED && sk->type == SOCK_DGRAM)
        disconnect_dead(sk, to);
    return err;
}

ssize_t unix_dgram_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    struct unix_cb cb = { .files = NULL };
    size_t n = msg->iter.count;
    struct sock *to;
    int err = unix_sender_credentials(msg, &cb);

    if (err)
        return err;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (msg->name_len)
        err = unix_check_address((const struct sockaddr *)msg->name, msg->name_len);
    if (!err && READ_ONCE(sk->shutdown) & SEND_SHUTDOWN)
        err = -EPIPE; /* before it is asked who that is (Linux) */
    if (!err)
        err = destination(sk, msg, &to);
    if (err)
        return err;
    if (unix_passcred(sk))
        err = unix_autobind(sk);
    if (!err && (n + BOOKKEEPING > READ_ONCE(sk->sndbuf) || n > DATAGRAM_MAX))
        err = -EMSGSIZE;
    if (!err)
        err = send_to(sk, to, msg, &cb, flags);
    sock_put(to);
    return err ? err : (ssize_t)n;
}

ssize_t unix_seqpacket_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    if (READ_ONCE(sk->state) != UNIX_ESTABLISHED)
        return -ENOTCONN;
    msg->name_len = 0;
    return unix_dgram_sendmsg(sk, msg, flags);
}

/* ---- receive ---- */

/* Wait for a datagram. 0 and *skb (NULL: the end), or -errno. Lock held. */
static int wait_for_datagram(struct sock *sk, int flags, struct sk_buff **skb, uint32_t *skip)
{
    uint64_t deadline = sock_rcv_deadline(sk, flags);

    for (;;) {
        int err = sock_error(sk);
        if (err)
            return err;
        *skb = datagram_find(sk, flags, skip);
        if (*skb)
            return 0;
        bool ended = sk->shutdown & RCV_SHUTDOWN;
        if (ended && (deadline || sk->type == SOCK_SEQPACKET))
            return 0;
        err = sock_wait(sk, deadline);
        if (err)
            return err;
    }
}

/* Copy what lies behind the first skip bytes; they and the rest are the datagram. *n: how much that was. */
static ssize_t copy(struct sock *sk, struct sk_buff *skb, struct message *msg, int flags, uint32_t skip,
                    size_t *n)
{
    *n = MIN((size_t)(skb->len - skip), msg->iter.count);
    if (copy_to_iter(skb->data + skip, *n, &msg->iter))
        return -EFAULT;
    if (*n < skb->len - skip)
        msg->flags |= MSG_TRUNC;
    sock_recv_stamp(sk, msg, skb);
    unix_receive_extras(sk, skb, msg, flags);
    return (ssize_t)(flags & MSG_TRUNC ? skb->len - skip : *n);
}

/* The first datagram, taken out of the queue unless it is only looked at. The reader's turn and the lock are
 * held; the lock is dropped meanwhile. */
static ssize_t receive_one(struct sock *sk, struct message *msg, int flags)
{
    struct unix_sock *u = unix_sk(sk);
    struct sk_buff *skb;
    uint32_t skip;
    size_t copied = 0;
    int err = wait_for_datagram(sk, flags, &skb, &skip);

    if (err || !skb)
        return err;
    if (flags & MSG_PEEK) {
        u->peeked = skb;
    } else {
        skb_unlink(&sk->receive_queue, skb);
        waitq_wake(&u->room);
    }
    lock_release(&sk->lock);
    ssize_t n = copy(sk, skb, msg, flags, skip, &copied);
    lock_acquire(&sk->lock);
    sock_peek_moved(sk, flags & MSG_PEEK ? (int64_t)copied : -(int64_t)skb->len);
    bool ours = u->peeked != skb; /* we took it out, or connect() did and left it to us */
    u->peeked = NULL;
    if (ours) {
        lock_release(&sk->lock);
        unix_wake_watchers(sk);
        consume_skb(skb);
        lock_acquire(&sk->lock);
    }
    return n;
}

ssize_t unix_dgram_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    lock_acquire(&sk->lock);
    ssize_t n = sock_lock_reader(sk, sock_rcv_deadline(sk, flags));
    if (!n) {
        n = receive_one(sk, msg, flags);
        sock_unlock_reader(sk);
    }
    lock_release(&sk->lock);
    return n;
}

ssize_t unix_seqpacket_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    if (READ_ONCE(sk->state) != UNIX_ESTABLISHED)
        return -ENOTCONN;
    return unix_dgram_recvmsg(sk, msg, flags);
}
