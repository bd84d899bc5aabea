/* net/core/datagram.c - receiving datagrams: one call, one datagram, whole or cut. */
#include "net/core/datagram.h"
#include "net/core/zerocopy.h"

struct sk_buff *datagram_find(struct sock *sk, int flags, uint32_t *skip)
{
    struct sk_buff *skb = skb_peek(&sk->receive_queue);

    *skip = sock_peek_begin(sk, flags);
    while (skb && *skip && *skip >= skb->len) {
        *skip -= skb->len;
        skb = skb_queue_next(&sk->receive_queue, skb);
    }
    return skb;
}

/* Wait until there is something to say: a datagram, an error, the end. Lock held. */
static int wait_for_datagram(struct sock *sk, int flags, struct sk_buff **skb, uint32_t *skip)
{
    uint64_t deadline = sock_rcv_deadline(sk, flags);

    while (!(*skb = datagram_find(sk, flags, skip))) {
        int err = sock_error(sk);
        if (err)
            return err;
        if (sk->shutdown & RCV_SHUTDOWN && deadline) /* as in Linux, who does not wait gets -EAGAIN */
            return 0;
        err = sock_wait(sk, deadline);
        if (err)
            return err;
    }
    return sock_error(sk);
}

/* A clone of skb, which stays in the queue, from skip on. */
static int look(struct sk_buff *skb, uint32_t skip, struct sk_buff **clone)
{
    *clone = skb_clone(skb);
    if (!*clone)
        return -ENOMEM;
    if (skip)
        skb_pull(*clone, skip);
    return 0;
}

int datagram_receive(struct sock *sk, int flags, struct sk_buff **skb)
{
    struct sk_buff *first;
    uint32_t skip;

    *skb = NULL;
    lock_acquire(&sk->lock);
    int err = wait_for_datagram(sk, flags, &first, &skip);
    if (!err && first && flags & MSG_PEEK) {
        err = look(first, skip, skb);
    } else if (!err && first) {
        skb_unlink(&sk->receive_queue, first);
        *skb = first;
        sock_peek_moved(sk, -(int64_t)first->len);
    }
    lock_release(&sk->lock);
    return err;
}

void datagram_peeked(struct sock *sk, ssize_t n)
{
    if (READ_ONCE(sk->peek_off) < 0 || n <= 0)
        return;
    lock_acquire(&sk->lock);
    sock_peek_moved(sk, n);
    lock_release(&sk->lock);
}

ssize_t datagram_copy(const struct sk_buff *skb, struct message *msg, int flags)
{
    size_t n = MIN((size_t)skb->len, msg->iter.count);

    if (copy_to_iter(skb->data, n, &msg->iter))
        return -EFAULT;
    if (n < skb->len)
        msg->flags |= MSG_TRUNC;
    return (ssize_t)(flags & MSG_TRUNC ? skb->len : n);
}

uint64_t wall_at(uint64_t time)
{
    return time_wall() - (time_now() - time);
}

void sock_recv_stamp(const struct sock *sk, struct message *msg, const struct sk_buff *skb)
{
    if (unlikely(READ_ONCE(sk->timestamp) != STAMP_NONE))
        sock_put_stamp(sk, msg, skb->tstamp ? skb->tstamp : time_now()); /* asked for after it came */
}

void sock_put_stamp(const struct sock *sk, struct message *msg, uint64_t time)
{
    uint64_t ns = wall_at(time);
    const int64_t timeval[2] = { (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1) / us(1)) };
    const int64_t timespec[2] = { (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1)) };

    uint8_t stamp = READ_ONCE(sk->timestamp);
    bool new = READ_ONCE(sk->stamp_new);
    if (stamp == STAMP_US)
        put_cmsg(msg, SOL_SOCKET, new ? SO_TIMESTAMP_NEW : SCM_TIMESTAMP, timeval, sizeof timeval);
    if (stamp == STAMP_NS)
        put_cmsg(msg, SOL_SOCKET, new ? SO_TIMESTAMPNS_NEW : SCM_TIMESTAMPNS, timespec, sizeof timespec);
}

int datagram_shutdown(struct sock *sk, int how)
{
    static const uint8_t bits[] = {
        [SHUT_RD] = RCV_SHUTDOWN, [SHUT_WR] = SEND_SHUTDOWN, [SHUT_RDWR] = RCV_SHUTDOWN | SEND_SHUTDOWN
    };

    lock_acquire(&sk->lock);
    sk->shutdown |= bits[how];
    int err = sk->daddr.raw ? 0 : -ENOTCONN;
    sock_wake(sk);
    lock_release(&sk->lock);
    return err;
}

int datagram_ioctl(struct sock *sk, unsigned request, uintptr_t arg)
{
    int bytes = 0;

    if (request != FIONREAD && request != TIOCOUTQ)
        return -ENOTTY;
    lock_acquire(&sk->lock);
    const struct sk_buff *first = skb_peek(&sk->receive_queue);
    if (request == TIOCOUTQ)
        bytes = (int)__atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED);
    else if (first)
        bytes = (int)first->len;
    lock_release(&sk->lock);
    return copy_to_user(arg, &bytes, sizeof bytes);
}

int datagram_poll(struct sock *sk)
{
    int events = 0;

    lock_acquire(&sk->lock);
    if (!skb_queue_empty(&sk->receive_queue))
        events |= POLLIN | POLLRDNORM;
    if (sk->shutdown & RCV_SHUTDOWN)
        events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (sk->shutdown == (RCV_SHUTDOWN | SEND_SHUTDOWN))
        events |= POLLHUP;
    if (sk->err || !skb_queue_empty(&sk->error_queue) || zerocopy_pending(sk))
        events |= POLLERR;
    if (__atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED) < sk->sndbuf)
        events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    lock_release(&sk->lock);
    return events;
}
