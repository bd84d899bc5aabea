/* net/netlink/netlink_queue.c - messages on their way to programs.
 * What does not fit into a socket's receive buffer is lost, and its reader is told so once, by ENOBUFS: it
 * has to ask anew how things are. Until it has read all that lies there it gets no more. */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/netlink/netlink.h"

static struct netlink_cb *netlink_cb(const struct sk_buff *skb)
{
    return (struct netlink_cb *)skb->cb;
}

static struct netlink_state *state_of(struct net *net)
{
    return net->netlink;
}

/* ---- in ---- */

/* queue_lock held. */
static void lose(struct netlink_sock *nl)
{
    nl->drops++;
    if (nl->no_enobufs || nl->congested)
        return;
    WRITE_ONCE(nl->congested, true);
    nl->sk.err = ENOBUFS;
    sock_wake(&nl->sk);
}

void netlink_overrun(struct netlink_sock *nl)
{
    lock_acquire(&nl->queue_lock);
    lose(nl);
    lock_release(&nl->queue_lock);
}

static int queue(struct netlink_sock *nl, struct sk_buff *skb)
{
    int err = 0;

    lock_acquire(&nl->queue_lock);
    if (nl->sk.dead)
        err = -ECONNREFUSED;
    else
        err = sock_queue_rcv_skb(&nl->sk, skb);
    lock_release(&nl->queue_lock);
    return err;
}

int netlink_deliver(struct netlink_sock *nl, struct sk_buff *skb, uint32_t sender)
{
    *netlink_cb(skb) = (struct netlink_cb){ .portid = sender };
    int err = queue(nl, skb);
    if (err)
        kfree_skb_reason(skb, SKB_DROP_SOCKET_RCVBUF_FULL);
    return err;
}

void netlink_deliver_or_lose(struct netlink_sock *nl, struct sk_buff *skb)
{
    if (netlink_deliver(nl, skb, 0))
        netlink_overrun(nl);
}

int netlink_unicast(struct net *net, uint32_t portid, struct sk_buff *skb, uint32_t sender)
{
    struct netlink_state *state = state_of(net);
    struct netlink_sock *nl, *to = NULL;

    lock_acquire(&state->lock);
    list_for_each_entry (nl, &state->sockets, link)
        if (nl->portid == portid)
            to = nl;
    int err = to ? netlink_deliver(to, skb, sender) : -ECONNREFUSED;
    lock_release(&state->lock);
    if (!to)
        consume_skb(skb);
    return err;
}

/* A clone of skb for nl; what cannot be given is lost. NETLINK_TABLE lock held. */
static void deliver_clone(struct netlink_sock *nl, struct sk_buff *skb, unsigned group, uint32_t sender)
{
    struct sk_buff *clone = READ_ONCE(nl->congested) || !skb ? NULL : skb_clone(skb);

    if (clone) {
        *netlink_cb(clone) = (struct netlink_cb){ .portid = sender, .group = group };
        if (!queue(nl, clone))
            return;
        kfree_skb_reason(clone, SKB_DROP_SOCKET_RCVBUF_FULL);
    }
    netlink_overrun(nl);
}

void netlink_multicast(struct net *net, unsigned group, struct sk_buff *skb, uint32_t sender)
{
    struct netlink_state *state = state_of(net);
    struct netlink_sock *nl;

    lock_acquire(&state->lock);
    list_for_each_entry (nl, &state->sockets, link)
        if (nl->groups >> group & 1 && (!sender || nl->portid != sender))
            deliver_clone(nl, skb, group, sender);
    lock_release(&state->lock);
    consume_skb(skb);
}

/* Is skb about what the request that is served caused, and does its sender want to hear of it? */
static uint32_t echo_to(const struct net *net, const struct sk_buff *skb)
{
    const struct nlmsghdr *h = skb ? skb_header(skb, sizeof *h) : NULL;
    bool caused =
        h && h->nlmsg_pid && h->nlmsg_pid == net->nl.cause.portid && h->nlmsg_seq == net->nl.cause.seq;

    return caused && READ_ONCE(net->nl.echo) ? h->nlmsg_pid : 0;
}

/* Who caused it hears of it as of an answer; if it listens too, not twice. */
void netlink_publish(struct net *net, unsigned group, struct sk_buff *skb)
{
    struct netlink_state *state = state_of(net);
    uint32_t echo = echo_to(net, skb);
    struct netlink_sock *nl;

    lock_acquire(&state->lock);
    list_for_each_entry (nl, &state->sockets, link)
        if (nl->groups >> group & 1 || (echo && nl->portid == echo))
            deliver_clone(nl, skb, nl->portid == echo ? 0 : group, 0);
    lock_release(&state->lock);
    consume_skb(skb);
}

/* ---- out ---- */

/* queue_lock held. Positive errno, once. */
static int take_error(struct netlink_sock *nl)
{
    int err = nl->sk.err;

    nl->sk.err = 0;
    return err;
}

/* Wait for a message. 0 and *skb, the caller's, or -errno. */
static int receive(struct netlink_sock *nl, int flags, struct sk_buff **skb)
{
    struct sock *sk = &nl->sk;
    uint64_t deadline = sock_rcv_deadline(sk, flags);

    *skb = NULL;
    lock_acquire(&nl->queue_lock);
    int err = -take_error(nl);
    while (!err && !(*skb = skb_peek(&sk->receive_queue))) {
        err = deadline ? waitq_wait(&sk->wq, &nl->queue_lock, deadline) : -EAGAIN;
        if (!err)
            err = -take_error(nl);
    }
    if (*skb && flags & MSG_PEEK) {
        *skb = skb_clone(*skb);
        err = *skb ? 0 : -ENOBUFS;
    } else if (*skb) {
        skb_unlink(&sk->receive_queue, *skb);
    }
    if (skb_queue_empty(&sk->receive_queue))
        WRITE_ONCE(nl->congested, false);
    lock_release(&nl->queue_lock);
    return err == -ETIMEDOUT ? -EAGAIN : err;
}

static void tell_sender(const struct netlink_sock *nl, struct message *msg, const struct netlink_cb *cb)
{
    const struct sockaddr_nl from = { .nl_family = AF_NETLINK,
                                      .nl_pid = cb->portid,
                                      .nl_groups = cb->group && cb->group <= 32 ? 1u << (cb->group - 1) : 0 };
    const struct nl_pktinfo info = { .group = cb->group };

    if (msg->name) {
        memcpy(msg->name, &from, sizeof from);
        msg->name_len = sizeof from;
    }
    if (nl->pktinfo)
        put_cmsg(msg, SOL_NETLINK, NETLINK_PKTINFO, &info, sizeof info);
}

static bool is_empty(struct netlink_sock *nl)
{
    lock_acquire(&nl->queue_lock);
    bool empty = skb_queue_empty(&nl->sk.receive_queue);
    lock_release(&nl->queue_lock);
    return empty;
}

ssize_t netlink_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct netlink_sock *nl = netlink_sk(sk);
    struct sk_buff *skb;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (is_empty(nl))
        netlink_dump_more(nl); /* where memory was out last time */
    int err = receive(nl, flags, &skb);
    if (err)
        return err;
    const struct netlink_cb cb = *netlink_cb(skb);
    ssize_t n = datagram_copy(skb, msg, flags);
    tell_sender(nl, msg, &cb);
    consume_skb(skb);
    netlink_dump_more(nl);
    return n;
}

int netlink_poll(struct sock *sk)
{
    struct netlink_sock *nl = netlink_sk(sk);
    int events = POLLOUT | POLLWRNORM | POLLWRBAND;

    lock_acquire(&nl->queue_lock);
    if (!skb_queue_empty(&sk->receive_queue))
        events |= POLLIN | POLLRDNORM;
    if (sk->err)
        events |= POLLERR;
    lock_release(&nl->queue_lock);
    return events;
}
