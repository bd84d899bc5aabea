/* net/unix/unix_stream.c - a stream of bytes between two local sockets.
 *
 * The bytes lie in the reader's queue in the pieces in which they were written, each charged to the writer. A
 * reader takes as many as fit, but stops behind a piece that brought open files, and, where it asks for
 * credentials, before one by somebody else: what comes beside the bytes belongs to these bytes. */
#include "lib/string.h"
#include "net/unix/unix.h"

enum { PIECE_MAX = 16000 }; /* bytes in one sk_buff: with its trailer it fits an allocation of 16 KiB */

/* ---- send ---- */

/* Hand skb over. 0, or -EPIPE and it stays the caller's. */
static int hand_over(struct sock *sk, struct sock *peer, struct sk_buff *skb)
{
    int err = 0;

    lock_acquire(&peer->lock);
    if (peer->dead || peer->shutdown & RCV_SHUTDOWN)
        err = -EPIPE;
    else
        unix_enqueue(sk, peer, skb);
    lock_release(&peer->lock);
    return err;
}

static int send_piece(struct sock *sk, struct sock *peer, struct message *msg, const struct unix_cb *cb,
                      uint64_t deadline)
{
    size_t most = MIN((size_t)PIECE_MAX, (size_t)READ_ONCE(sk->sndbuf) / 2), n = MIN(msg->iter.count, most);
    struct sk_buff *skb;
    int err = unix_make_skb(sk, msg, n, deadline, &skb);

    if (err)
        return err;
    *unix_cb(skb) = *cb;
    err = unix_flight_begin(skb, msg, peer);
    if (!err)
        err = hand_over(sk, peer, skb);
    if (err)
        consume_skb(skb);
    return err;
}

static ssize_t send_all(struct sock *sk, struct sock *peer, struct message *msg, const struct unix_cb *cb,
                        int flags)
{
    uint64_t deadline = sock_snd_deadline(sk, flags);
    size_t whole = msg->iter.count;

    if (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN)
        return -EPIPE;
    while (msg->iter.count) {
        size_t before = msg->iter.count;
        int err = send_piece(sk, peer, msg, cb, deadline);
        if (err)
            return before < whole ? (ssize_t)(whole - before) : err;
    }
    return (ssize_t)whole;
}

ssize_t unix_stream_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    struct unix_cb cb = { .files = NULL };
    int err = unix_sender_credentials(msg, &cb);

    if (err)
        return err;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (msg->name_len)
        return READ_ONCE(sk->state) == UNIX_ESTABLISHED ? -EISCONN : -EOPNOTSUPP;
    struct sock *peer = unix_peer_get(sk);
    if (!peer)
        return -ENOTCONN;
    ssize_t n = send_all(sk, peer, msg, &cb, flags);
    sock_put(peer);
    return n;
}

/* ---- receive ---- */

struct reading {
    struct message *msg;
    int flags;
    size_t copied, enough; /* enough: what is worth returning with */
    uint64_t deadline;
    struct sk_buff *last; /* MSG_PEEK: the piece looked at before */
    size_t skip;          /* and SO_PEEK_OFF: bytes from its front, or the queue's, that are passed over */
    struct ucred creds;   /* of the first piece */
    bool has_creds, files;
};

/* The piece to read next; NULL: none is there. Lock held. */
static struct sk_buff *next_piece(struct sock *sk, struct reading *r)
{
    struct sk_buff *skb =
        r->last ? skb_queue_next(&sk->receive_queue, r->last) : skb_peek(&sk->receive_queue);

    while (skb && r->skip && r->skip >= skb->len - unix_cb(skb)->consumed) {
        r->skip -= skb->len - unix_cb(skb)->consumed;
        r->last = skb;
        skb = skb_queue_next(&sk->receive_queue, skb);
    }
    return skb;
}

/* Wait until there is a piece. 1: there is; 0: end of what can be had now; or -errno. Lock held. */
static int wait_for_piece(struct sock *sk, struct reading *r, struct sk_buff **skb)
{
    while (!(*skb = next_piece(sk, r))) {
        if (r->copied >= r->enough)
            return 0;
        int err = sock_error(sk);
        if (err)
            return err;
        if (sk->shutdown & RCV_SHUTDOWN)
            return 0;
        err = sock_wait(sk, r->deadline);
        if (err)
            return err;
    }
    return 1;
}

static bool other_sender(const struct sock *sk, const struct reading *r, struct sk_buff *skb)
{
    const struct unix_cb *cb = unix_cb(skb);

    if (!r->copied || !unix_passcred(sk))
        return false;
    return cb->has_creds != r->has_creds || memcmp(&cb->creds, &r->creds, sizeof cb->creds);
}

/* Tell what comes beside the first bytes, and note whose they are. */
static void begin_with(struct sock *sk, struct reading *r, struct sk_buff *skb)
{
    r->creds = unix_cb(skb)->creds;
    r->has_creds = unix_cb(skb)->has_creds;
    unix_receive_extras(sk, skb, r->msg, r->flags);
}

/* Files that come with a later piece. */
static void take_files(struct reading *r, struct sk_buff *skb)
{
    if (unix_cb(skb)->files && !r->msg->files)
        r->msg->files = r->flags & MSG_PEEK ? unix_flight_peek(skb) : unix_flight_land(skb);
}

/* Copy what fits of skb; the reader's turn keeps it in place. Bytes, or -EFAULT. No lock held. */
static ssize_t copy_piece(struct sock *sk, struct reading *r, struct sk_buff *skb)
{
    const struct unix_cb *cb = unix_cb(skb);
    size_t from = cb->consumed + r->skip, n = MIN(skb->len - from, r->msg->iter.count);

    if (copy_to_iter(skb->data + from, n, &r->msg->iter))
        return -EFAULT;
    r->files = cb->files;
    if (!r->copied)
        begin_with(sk, r, skb);
    else
        take_files(r, skb);
    return (ssize_t)n;
}

/* n bytes of skb were read. True: it is used up and out of the queue, the caller frees it. Lock held. */
static bool consume(struct sock *sk, struct reading *r, struct sk_buff *skb, size_t n)
{
    if (r->flags & MSG_PEEK) {
        sock_peek_moved(sk, (int64_t)n);
        r->last = skb;
        r->skip = 0;
        return false;
    }
    sock_peek_moved(sk, -(int64_t)n);
    unix_cb(skb)->consumed += (uint32_t)n;
    if (unix_cb(skb)->consumed < skb->len)
        return false;
    skb_unlink(&sk->receive_queue, skb);
    return true;
}

/* One piece. 1: go on; 0: that was all; or -errno. Lock held, dropped meanwhile. */
static int read_piece(struct sock *sk, struct reading *r)
{
    struct sk_buff *skb;
    int more = wait_for_piece(sk, r, &skb);

    if (more <= 0)
        return more;
    if (other_sender(sk, r, skb))
        return 0;
    lock_release(&sk->lock);
    ssize_t n = copy_piece(sk, r, skb);
    lock_acquire(&sk->lock);
    if (n < 0)
        return (int)n;
    r->copied += (size_t)n;
    if (consume(sk, r, skb, (size_t)n)) {
        lock_release(&sk->lock);
        consume_skb(skb);
        lock_acquire(&sk->lock);
    }
    return r->msg->iter.count && !r->files;
}

ssize_t unix_stream_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct reading r = { .msg = msg, .flags = flags, .deadline = sock_rcv_deadline(sk, flags) };
    int err;

    if (flags & MSG_OOB)
        return -EINVAL;
    r.enough = flags & MSG_WAITALL ? msg->iter.count : MIN((size_t)READ_ONCE(sk->rcvlowat), msg->iter.count);
    r.enough = MAX(r.enough, (size_t)1);
    lock_acquire(&sk->lock);
    err = sk->state == UNIX_ESTABLISHED ? sock_lock_reader(sk, r.deadline) : -EINVAL;
    if (!err) {
        r.skip = sock_peek_begin(sk, flags);
        while ((err = read_piece(sk, &r)) > 0)
            ;
        sock_unlock_reader(sk);
    }
    lock_release(&sk->lock);
    return r.copied ? (ssize_t)r.copied : err;
}
