/* net/core/datagram.c - receiving datagrams: one call, one datagram, whole or cut. */
#include "net/core/datagram.h"
#include "net/core/zerocopy.h"

/* Wait until there is something to say: a datagram, an error, the end. Lock held. */
static int wait_for_datagram(struct sock *sk, int flags)
{
    uint64_t deadline = sock_rcv_deadline(sk, flags);

    while (skb_queue_empty(&sk->receive_queue)) {
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

int datagram_receive(struct sock *sk, int flags, struct sk_buff **skb)
{
    *skb = NULL;
    lock_acquire(&sk->lock);
    int err = wait_for_datagram(sk, flags);
    struct sk_buff *first = err ? NULL : skb_peek(&sk->receive_queue);
    if (first && flags & MSG_PEEK) {
        *skb = skb_clone(first);
        err = *skb ? 0 : -ENOMEM;
    } else if (first) {
        skb_unlink(&sk->receive_queue, first);
        *skb = first;
    }
    lock_release(&sk->lock);
    return err;
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
    if (likely(READ_ONCE(sk->timestamp) == STAMP_NONE))
        return;
    uint64_t ns = wall_at(skb->tstamp);
    const int64_t timeval[2] = { (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1) / us(1)) };
    const int64_t timespec[2] = { (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1)) };

    uint8_t stamp = READ_ONCE(sk->timestamp);
    if (stamp == STAMP_US)
        put_cmsg(msg, SOL_SOCKET, SCM_TIMESTAMP, timeval, sizeof timeval);
    if (stamp == STAMP_NS)
        put_cmsg(msg, SOL_SOCKET, SCM_TIMESTAMPNS, timespec, sizeof timespec);
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
