/* net/core/xmit.c - from dev_queue_xmit() to the driver.
 * tx_lock makes the order on the wire that of the calls. The queue is used only while the ring is full: a
 * packet goes straight to the ring when nobody waits before it. What a device cannot do for a packet is done
 * here in software, and nowhere else. */
#include "net/core/net_namespace.h"

enum { TX_BATCH = 64 };
#define TX_TIMEOUT sec(5)

void netif_tx_lock(struct net_device *dev)
{
    lock_acquire(&dev->tx_lock);
}

void netif_tx_unlock(struct net_device *dev)
{
    lock_release(&dev->tx_lock);
}

void dev_xmit_flush(struct net_device *dev)
{
    if (dev->ops->ndo_xmit_flush)
        dev->ops->ndo_xmit_flush(dev);
}

static void end_batch(struct net_device *dev)
{
    if (dev->ops->ndo_xmit_flush && !xmit_batch_defer(dev))
        dev->ops->ndo_xmit_flush(dev);
}

/* Make of skb what dev can send. 0 or -errno. */
static int fall_back_to_software(struct sk_buff *skb, const struct net_device *dev)
{
    bool sum = skb->ip_summed == CHECKSUM_PARTIAL && !(dev->features & NETIF_F_HW_CSUM);

    /* A page that is summed here might be written to before the card reads it: sum what nobody else has. */
    if (skb_is_nonlinear(skb) && (sum || !(dev->features & NETIF_F_SG))) {
        int err = skb_linearize(skb, 0);
        if (err)
            return err;
    }
    if (!sum)
        return 0;
    int err = skb_cow(skb, 0); /* the checksum is written into bytes that a clone may share */
    return err ? err : skb_checksum_help(skb);
}

/* Hand skb to the driver. Takes skb, except when it says BUSY. tx lock held. */
static enum netdev_tx dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
    if (fall_back_to_software(skb, dev)) {
        netdev_count(&dev->stats.tx_dropped, 1);
        kfree_skb_reason(skb, SKB_DROP_DEV_TX_ERROR);
        return NETDEV_TX_OK;
    }
    trace("ndo_start_xmit", skb->id, skb->len);
    return dev->ops->ndo_start_xmit(skb, dev);
}

static bool is_up(const struct net_device *dev)
{
    return dev_flags(dev, NETDEV_UP);
}

static bool may_transmit(const struct net_device *dev)
{
    return !netif_queue_stopped(dev) && is_up(dev);
}

/* Send what waits, as far as the ring takes it, n packets at most. True if it stopped at n. tx lock held. */
static bool drain(struct net_device *dev, int n)
{
    bool sent = false;

    while (n && may_transmit(dev)) {
        struct sk_buff *skb = skb_dequeue(&dev->tx_queue);
        if (!skb)
            break;
        if (dev_hard_start_xmit(skb, dev) == NETDEV_TX_BUSY) {
            skb_queue_head(&dev->tx_queue, skb);
            break;
        }
        sent = true;
        n--;
    }
    if (sent)
        end_batch(dev);
    return n == 0;
}

static void net_tx_action(struct softirq *s)
{
    struct net_device *dev = container_of(s, struct net_device, tx_softirq);

    netif_tx_lock(dev);
    bool more = drain(dev, TX_BATCH);
    netif_tx_unlock(dev);
    if (more)
        softirq_raise(s);
}

static int drop_down(struct sk_buff *skb)
{
    kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
    return -ENETDOWN;
}

/* Put skb behind what waits and send what the ring takes. tx lock held: dev_close() says that the device is
 * down before it empties the queue, so nothing is put there behind it. */
static int enqueue(struct sk_buff *skb, struct net_device *dev)
{
    if (!is_up(dev))
        return drop_down(skb);
    if (dev->tx_queue.qlen >= dev->tx_queue_len) {
        netdev_count(&dev->stats.tx_dropped, 1);
        kfree_skb_reason(skb, SKB_DROP_DEV_TX_FULL);
        return -ENOBUFS;
    }
    skb_queue_tail(&dev->tx_queue, skb);
    if (drain(dev, TX_BATCH))
        softirq_raise(&dev->tx_softirq);
    return 0;
}

int dev_queue_xmit(struct sk_buff *skb)
{
    struct net_device *dev = skb->dev;

    trace("dev_queue_xmit", skb->id, skb->len);
    if (!is_up(dev)) /* no tap hears of it */
        return drop_down(skb);
    skb->pkt_type = PACKET_OUTGOING;
    dev_deliver_taps(dev_net(dev), skb);
    netif_tx_lock(dev);
    int err = enqueue(skb, dev);
    netif_tx_unlock(dev);
    return err;
}

/* ---- stop and wake ---- */

void netif_stop_queue(struct net_device *dev)
{
    uint64_t now = time_now();

    WRITE_ONCE(dev->tx_stopped_at, now);
    WRITE_ONCE(dev->tx_stopped, true);
    timer_set(&dev->tx_watchdog, now + TX_TIMEOUT);
}

void netif_wake_queue(struct net_device *dev)
{
    WRITE_ONCE(dev->tx_stopped, false);
    /* Look again: a packet may have been queued between the stop and now. The softirq takes the tx lock, so
     * it sees whatever was queued before this, whether or not the caller holds it. */
    softirq_raise(&dev->tx_softirq);
}

static void tx_timeout(struct timer *t)
{
    struct net_device *dev = container_of(t, struct net_device, tx_watchdog);

    if (!netif_queue_stopped(dev) || !is_up(dev))
        return;
    uint64_t due = READ_ONCE(dev->tx_stopped_at) + TX_TIMEOUT;
    if (time_now() < due) {
        timer_set(t, due);
        return;
    }
    klog(LOG_WARNING, "%s: transmit queue stopped for too long", dev->name);
    if (dev->ops->ndo_tx_timeout)
        dev->ops->ndo_tx_timeout(dev);
}

/* ---- life ---- */

void dev_tx_init(struct net_device *dev)
{
    lock_init(&dev->tx_lock, dev->name, RANK_NETDEV_TX);
    skb_queue_head_init(&dev->tx_queue);
    softirq_open(&dev->tx_softirq, SOFTIRQ_NET_TX, net_tx_action);
    timer_init(&dev->tx_watchdog, tx_timeout);
}

void dev_tx_purge(struct net_device *dev)
{
    netif_tx_lock(dev);
    skb_queue_purge(&dev->tx_queue, SKB_DROP_DEV_DOWN);
    WRITE_ONCE(dev->tx_stopped, false);
    netif_tx_unlock(dev);
    softirq_settle(&dev->tx_softirq);
    timer_cancel_sync(&dev->tx_watchdog);
}
