/* net/core/softnet.c - what each CPU has of its own: the queue of packets that loop back, and the doorbell
 * that waits for the end of a poll.
 * Only softirqs of its own CPU touch batch_depth and batch_dev, and they do not nest: no lock. */
#include "net/core/net_namespace.h"

enum { BACKLOG_BUDGET = 64 };

struct softnet {
    struct lock lock; /* SOFTNET: backlog */
    struct sk_buff_head backlog;
    struct softirq softirq;       /* NET_RX; runs process_backlog() */
    unsigned batch_depth;         /* > 0 between xmit_batch_begin and _end */
    struct net_device *batch_dev; /* has packets in its ring that its card was not told of */
};

static void process_backlog(struct softirq *s)
{
    struct softnet *sn = container_of(s, struct softnet, softirq);

    for (int budget = BACKLOG_BUDGET; budget; budget--) {
        lock_acquire(&sn->lock);
        struct sk_buff *skb = skb_dequeue(&sn->backlog);
        lock_release(&sn->lock);
        if (!skb)
            return;
        netif_receive_skb(skb);
    }
    softirq_raise(s);
}

void netif_rx(struct sk_buff *skb)
{
    struct softnet *sn = &skb->net->softnet[cpu_id()];

    lock_acquire(&sn->lock);
    bool room = sn->backlog.qlen < (uint32_t)READ_ONCE(skb->net->knobs.max_backlog);
    if (room)
        skb_queue_tail(&sn->backlog, skb);
    lock_release(&sn->lock);
    if (room)
        softirq_raise(&sn->softirq);
    else
        kfree_skb_reason(skb, SKB_DROP_BACKLOG_FULL);
}

void xmit_batch_begin(struct net *net)
{
    net->softnet[cpu_id()].batch_depth++;
}

void xmit_batch_end(struct net *net)
{
    struct softnet *sn = &net->softnet[cpu_id()];
    struct net_device *dev = sn->batch_dev;

    if (--sn->batch_depth || !dev)
        return;
    sn->batch_dev = NULL;
    netif_tx_lock(dev);
    if (dev_flags(dev, NETDEV_UP)) /* dev_close() clears it before it waits for the tx lock */
        dev_xmit_flush(dev);
    netif_tx_unlock(dev);
}

bool xmit_batch_defer(struct net_device *dev)
{
    if (context_now() != CONTEXT_SOFTIRQ)
        return false;
    struct softnet *sn = &dev_net(dev)->softnet[cpu_id()];
    if (!sn->batch_depth || (sn->batch_dev && sn->batch_dev != dev))
        return false;
    sn->batch_dev = dev;
    return true;
}

int softnet_init(struct net *net)
{
    net->softnet = mem_alloc(cpu_count() * sizeof *net->softnet);
    if (!net->softnet)
        return -ENOMEM;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct softnet *sn = &net->softnet[cpu];
        lock_init(&sn->lock, "softnet backlog", RANK_SOFTNET);
        skb_queue_head_init(&sn->backlog);
        softirq_open(&sn->softirq, SOFTIRQ_NET_RX, process_backlog);
    }
    return 0;
}

void softirq_settle(struct softirq *s)
{
    do {
        while (READ_ONCE(s->pending))
            sleep_through(ms(1)); /* nobody wakes us: the softirq does not know of us */
        softirq_barrier();        /* no longer pending: it runs, or it ran */
    } while (READ_ONCE(s->pending));
}

void softnet_settle(struct net *net)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct softnet *sn = &net->softnet[cpu];
        softirq_settle(&sn->softirq);
        lock_acquire(&sn->lock);
        skb_queue_purge(&sn->backlog, SKB_DROP_UNRESOLVED_FLUSHED);
        lock_release(&sn->lock);
    }
}

void softnet_exit(struct net *net)
{
    softnet_settle(net);
    mem_free(net->softnet);
}
