/* net/ipv4/ip_error.c - errors that concern one socket: its SO_ERROR and, with IP_RECVERR (ip(7)), a queue of
 * them. An entry of the queue is an sk_buff with the bytes of the datagram that the error is about; who says
 * so, about whom, and why is in its cb. */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/core/zerocopy.h"
#include "net/ipv4/ipv4.h"

struct error_cb {
    struct sock_extended_err ee;
    be32 offender, daddr; /* who says so; to whom the datagram went */
    be16 port;
};
_Static_assert(sizeof(struct error_cb) <= sizeof(((struct sk_buff *)0)->cb), "the owner's scratch");

static struct error_cb *error_cb(const struct sk_buff *skb)
{
    return (struct error_cb *)skb->cb;
}

/* Queue an entry with n bytes at data. Dropped when there is no memory or the socket has its fill. Lock
 * held. */
static void queue_error(struct sock *sk, const struct error_cb *cb, const void *data, uint32_t n)
{
    struct sk_buff *entry = alloc_skb(sk->net, n);

    if (!entry)
        return;
    if (__atomic_load_n(&sk->rmem_alloc, __ATOMIC_RELAXED) >= sk->rcvbuf) {
        kfree_skb_reason(entry, SKB_DROP_SOCKET_RCVBUF_FULL);
        return;
    }
    skb_put_data(entry, data, n);
    *error_cb(entry) = *cb;
    entry->tstamp = time_now();
    skb_set_owner_r(entry, sk);
    skb_queue_tail(&sk->error_queue, entry);
}

void inet_sock_error(struct sock *sk, struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info,
                     const uint8_t *payload, be16 port)
{
    bool hard, connected;
    int err = icmp_errno(type, code, &hard);
    const struct ip_hdr *quoted = (const struct ip_hdr *)skb->data;
    const struct error_cb cb = {
        .ee = { .ee_errno = (uint32_t)err,
                .ee_origin = SO_EE_ORIGIN_ICMP,
                .ee_type = type,
                .ee_code = code,
                .ee_info = info },
        .offender = ip_hdr(skb)->saddr,
        .daddr = quoted->daddr,
        .port = port,
    };

    if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED)
        ip_pmtu_learn(sk->net, quoted->daddr, info, be16_to_cpu(quoted->tot_len));
    lock_acquire(&sk->lock);
    connected = !ipv4_is_zero(sk->daddr);
    if (sk->recverr)
        queue_error(sk, &cb, payload, payload < skb->tail ? (uint32_t)(skb->tail - payload) : 0);
    if (sk->recverr || connected) {
        sk->err = err;
        sock_wake(sk);
    }
    lock_release(&sk->lock);
}

void inet_local_error(struct sock *sk, int err, be32 daddr, be16 port, uint32_t mtu)
{
    const struct error_cb cb = {
        .ee = { .ee_errno = (uint32_t)err, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = mtu },
        .daddr = daddr,
        .port = port,
    };

    lock_acquire(&sk->lock);
    if (sk->recverr) {
        queue_error(sk, &cb, "", 0);
        sock_wake(sk);
    }
    lock_release(&sk->lock);
}

/* The next entry's error becomes SO_ERROR, so that poll() goes on saying POLLERR. Lock held. */
static struct sk_buff *dequeue_error(struct sock *sk)
{
    struct sk_buff *entry = skb_dequeue(&sk->error_queue), *next = skb_peek(&sk->error_queue);

    if (entry)
        sk->err =
            next && error_cb(next)->ee.ee_origin == SO_EE_ORIGIN_ICMP ? (int)error_cb(next)->ee.ee_errno : 0;
    return entry;
}

/* What a program is told with IP_RECVERR. */
struct told {
    struct sock_extended_err ee;
    struct sockaddr_in offender;
};

/* Pages sent with MSG_ZEROCOPY are free again: no bytes, no address. */
static void tell_of_pages(struct message *msg, const struct told *told)
{
    put_cmsg(msg, SOL_IP, IP_RECVERR, told, sizeof *told);
    msg->name_len = 0;
    msg->flags |= MSG_ERRQUEUE;
}

ssize_t inet_receive_error(struct sock *sk, struct message *msg, int flags)
{
    struct told told = { .offender = { .sin_family = AF_UNSPEC } };

    if (zerocopy_take(sk, &told.ee)) {
        tell_of_pages(msg, &told);
        return 0;
    }
    lock_acquire(&sk->lock);
    struct sk_buff *entry = dequeue_error(sk);
    lock_release(&sk->lock);
    if (!entry)
        return -EAGAIN;
    const struct error_cb *cb = error_cb(entry);
    ssize_t n = datagram_copy(entry, msg, flags);
    sock_recv_stamp(sk, msg, entry);
    told.ee = cb->ee;
    if (cb->ee.ee_origin == SO_EE_ORIGIN_ICMP) {
        told.offender.sin_family = AF_INET;
        told.offender.sin_addr.s_addr = cb->offender.raw;
    }
    put_cmsg(msg, SOL_IP, IP_RECVERR, &told, sizeof told);
    if (msg->name)
        msg->name_len = (socklen_t)sockaddr_in_make(msg->name, cb->daddr, cb->port);
    msg->flags |= MSG_ERRQUEUE;
    consume_skb(entry);
    return n;
}
