/* net/tcp/tcp_recv.c - from the receive queue to the user's memory: RECEIVE, RFC 9293 3.10.3.
 * Bytes are copied with no lock held. The buffer stays in the queue meanwhile: only the reader whose turn it
 * is takes buffers out, arriving segments are added at the tail. */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/core/zerocopy.h"
#include "net/ipv4/inet_ports.h"
#include "net/tcp/tcp.h"

struct reader {
    struct iov_iter *iter;
    int flags;
    uint64_t deadline;
    ssize_t copied, enough; /* enough: SO_RCVLOWAT, what is worth returning with */
    size_t peeked;          /* MSG_PEEK: bytes looked at that are still in the queue */
    uint64_t stamp;         /* SO_TIMESTAMP: when the last of them came */
};

/* 0 at the end of the stream, or the error; only asked when the queue has nothing more. */
static int end_or_error(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    if (tp->fin_reached) /* whatever came behind the peer's FIN is the writers' business */
        return 0;
    if (sk->err)
        return sock_error(sk);
    return sk->shutdown & RCV_SHUTDOWN ? 0 : -ENOTCONN;
}
static bool at_end(const struct tcp_sock *tp)
{
    return tp->sk.err || (tp->sk.shutdown & RCV_SHUTDOWN) || tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN));
}

/* The buffer behind the bytes peeked at, and where in it they end. NULL: no more. */
static struct sk_buff *next_buffer(struct tcp_sock *tp, const struct reader *r, uint32_t *offset)
{
    size_t skip = r->peeked;
    struct sk_buff *skb = skb_peek(&tp->sk.receive_queue);
    while (skb && skip >= skb->len) {
        skip -= skb->len;
        skb = skb_queue_next(&tp->sk.receive_queue, skb);
    }
    *offset = (uint32_t)skip;
    return skb;
}

void tcp_consume(struct tcp_sock *tp, struct sk_buff *skb, uint32_t n)
{
    struct sock *sk = &tp->sk;
    if (n == skb->len) {
        skb_unlink(&sk->receive_queue, skb);
        consume_skb(skb);
        return;
    }
    skb_pull(skb, n);
    sk->receive_queue.bytes -= n;
}

/* n bytes of skb are behind the reader. */
static void pass(struct tcp_sock *tp, struct reader *r, struct sk_buff *skb, uint32_t n)
{
    if (r->flags & MSG_PEEK) {
        r->peeked += n;
        return;
    }
    tcp_consume(tp, skb, n);
    if (tp->rcv_urgent)
        tcp_urgent_passed(tp);
}

/* Bytes from where the reader is to the mark; 0: he is there. Only while there is a mark. */
static uint32_t distance_to_mark(const struct tcp_sock *tp, const struct reader *r)
{
    return tcp_mark(tp) - tcp_read_seq(tp) - (uint32_t)r->peeked;
}

/* A read that does not begin at the mark ends before it (RFC 6093 2.1). */
static uint32_t up_to_mark(const struct tcp_sock *tp, const struct reader *r, uint32_t n)
{
    uint32_t ahead = distance_to_mark(tp, r);
    return ahead ? MIN(n, ahead) : n;
}

/* Copy what one buffer has. Bytes, or -EFAULT. Lock held, dropped for the copy. */
static ssize_t copy_some(struct tcp_sock *tp, struct reader *r, struct sk_buff *skb, uint32_t offset)
{
    struct sock *sk = &tp->sk;
    uint32_t n = (uint32_t)MIN((size_t)(skb->len - offset), r->iter->count);
    if (tp->rcv_urgent)
        n = up_to_mark(tp, r, n);
    const uint8_t *data = skb->data + offset;
    if (unlikely(READ_ONCE(sk->timestamp) != STAMP_NONE))
        r->stamp = skb->tstamp;
    int err = 0;
    lock_release(&sk->lock);
    if (r->flags & MSG_TRUNC) /* tcp(7): thrown away, not copied */
        r->iter->count -= n;
    else
        err = copy_to_iter(data, n, r->iter);
    lock_acquire(&sk->lock);
    if (err)
        return err;
    pass(tp, r, skb, n);
    sock_peek_moved(sk, r->flags & MSG_PEEK ? (int64_t)n : -(int64_t)n);
    return n;
}

/* Enough for this call? Without MSG_WAITALL anything is (RFC 9293 3.9.1.3: no waiting for PUSH). */
static bool satisfied(const struct reader *r)
{
    return r->copied >= r->enough && !(r->flags & MSG_WAITALL);
}

/* No room is no reason not to wait: who asks for no bytes learns that there are some (Linux). */
static ssize_t receive_all(struct tcp_sock *tp, struct reader *r)
{
    do {
        uint32_t offset;
        bool at_mark = tp->rcv_urgent && !distance_to_mark(tp, r);
        if (at_mark && r->copied)
            return r->copied;
        struct sk_buff *skb = next_buffer(tp, r, &offset);
        if (skb && at_mark && !tp->sk.oobinline) { /* MSG_OOB is the way to that byte */
            pass(tp, r, skb, 1);
            continue;
        }
        if (skb) {
            ssize_t n = copy_some(tp, r, skb, offset);
            if (n < 0)
                return r->copied ? r->copied : n;
            r->copied += n;
            continue;
        }
        if (satisfied(r))
            return r->copied;
        if (at_end(tp))
            return r->copied ? r->copied : end_or_error(tp);
        int err = sock_wait(&tp->sk, r->deadline);
        if (err)
            return r->copied ? r->copied : err;
    } while (r->iter->count);
    return r->copied;
}

/* TCP_INQ: how much waits behind what was read; at the end of the stream, 1 more. */
static void tell_inq(struct tcp_sock *tp, struct message *msg)
{
    lock_acquire(&tp->sk.lock);
    const int32_t inq = (int32_t)tcp_before_mark(tp) + (tp->fin_reached && !tp->sk.receive_queue.bytes);
    lock_release(&tp->sk.lock);
    put_cmsg(msg, IPPROTO_TCP, TCP_CM_INQ, &inq, sizeof inq);
}

ssize_t tcp_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct tcp_sock *tp = tcp_sk(sk);
    if (flags & MSG_ERRQUEUE)
        return inet_receive_error(sk, msg, flags);
    msg->name_len = 0;
    if (flags & MSG_OOB)
        return tcp_urgent_recvmsg(tp, msg, flags);
    lock_acquire(&sk->lock);
    struct reader r = { .iter = &msg->iter,
                        .flags = flags,
                        .peeked = sock_peek_begin(sk, flags),
                        .deadline = sock_rcv_deadline(sk, flags),
                        .enough = msg->iter.count ? (ssize_t)MIN((size_t)sk->rcvlowat, msg->iter.count) : 1 };
    ssize_t n = sock_lock_reader(sk, r.deadline);
    if (!n) {
        n = receive_all(tp, &r);
        tcp_mem_settle(tp);
        if (n > 0 && !(flags & MSG_PEEK))
            tcp_window_update(tp);
        sock_unlock_reader(sk);
    }
    lock_release(&sk->lock);
    if (r.stamp && n >= 0)
        sock_put_stamp(sk, msg, r.stamp);
    if (READ_ONCE(tp->inq) && n >= 0)
        tell_inq(tp, msg);
    return n;
}

/* ---- readiness ---- */

/* TCP_NOTSENT_LOWAT: who has more than that waiting to be sent is not asked for more. */
static bool may_write_more(struct tcp_sock *tp)
{
    uint32_t unsent = seq_ahead(tp->snd_nxt, tp->write_seq);

    if ((!tp->notsent_lowat || unsent < tp->notsent_lowat) && tcp_mem_send_room(tp))
        return sock_stream_writable(&tp->sk);
    __atomic_store_n(&tp->sk.nospace, true, __ATOMIC_SEQ_CST); /* to be told when something was sent */
    return false;
}

static int poll_connection(struct tcp_sock *tp)
{
    struct sock *sk = &tp->sk;
    int mask = 0;
    bool skips_one = tcp_at_mark(tp) && !sk->oobinline; /* the byte at the mark is not read */
    if (sk->receive_queue.bytes >= (uint64_t)sk->rcvlowat + skips_one)
        mask |= POLLIN | POLLRDNORM;
    if (sk->shutdown & RCV_SHUTDOWN)
        mask |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (sk->state == TCPS_CLOSED || sk->shutdown == (RCV_SHUTDOWN | SEND_SHUTDOWN))
        mask |= POLLHUP;
    bool opening = tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED));
    if ((sk->shutdown & SEND_SHUTDOWN) || (!opening && may_write_more(tp)))
        mask |= POLLOUT | POLLWRNORM;
    if (sk->err)
        mask |= POLLERR;
    if (tp->rcv_urgent == TCP_URGENT_HERE)
        mask |= POLLPRI;
    if (zerocopy_pending(sk))
        mask |= POLLERR;
    return mask;
}

int tcp_poll(struct sock *sk)
{
    struct tcp_sock *tp = tcp_sk(sk);
    lock_acquire(&sk->lock);
    int mask = 0;
    if (sk->state == TCPS_LISTEN)
        mask = tcp_accept_ready(tp) ? POLLIN | POLLRDNORM : 0;
    else
        mask = poll_connection(tp);
    lock_release(&sk->lock);
    return mask;
}

int tcp_ioctl(struct sock *sk, unsigned request, uintptr_t arg)
{
    const struct tcp_sock *tp = tcp_sk(sk);
    int bytes = 0;

    lock_acquire(&sk->lock);
    bool known =
        request == FIONREAD || request == TIOCOUTQ || request == SIOCOUTQNSD || request == SIOCATMARK;
    bool listening = sk->state == TCPS_LISTEN && request != SIOCATMARK;
    if (request == FIONREAD)
        bytes = (int)tcp_before_mark(tp);
    else if (request == SIOCATMARK)
        bytes = tcp_at_mark(tp);
    else if (request == TIOCOUTQ && tcp_in(tp, TCPS_SENDING)) /* not acknowledged */
        bytes = (int)seq_ahead(tp->snd_una, tp->write_seq);
    else if (request == SIOCOUTQNSD && tcp_in(tp, TCPS_SENDING)) /* not sent */
        bytes = (int)seq_ahead(tp->snd_nxt, tp->write_seq);
    lock_release(&sk->lock);
    if (!known)
        return -ENOTTY;
    return listening ? -EINVAL : copy_to_user(arg, &bytes, sizeof bytes);
}
