/* net/loopback/loopback.c - the device "lo": what it sends it receives, on the same CPU, later.
 * Nothing leaves memory, so no checksum is made or verified on the way. */
#include "net/loopback/loopback.h"
#include "net/core/dst.h"

enum { LOOPBACK_MTU = 65535 };

static int loopback_open(struct net_device *dev)
{
    netif_carrier_on(dev);
    return 0;
}

static void loopback_stop(struct net_device *dev)
{
    netif_carrier_off(dev);
}

static enum netdev_tx loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
    enum skb_drop_reason reason;

    netdev_count(&dev->stats.tx_packets, 1);
    netdev_count(&dev->stats.tx_bytes, skb->len);
    netdev_count(&dev->stats.rx_packets, 1);
    netdev_count(&dev->stats.rx_bytes, skb->len);
    /* the receiver holds it from now on: the sender is charged no longer, and its route means nothing here */
    skb_orphan(skb);
    dst_release(skb->dst);
    skb->dst = NULL;
    skb->tstamp = time_now();
    skb->ip_summed = CHECKSUM_UNNECESSARY;
    if (dev->link_type->parse(skb, dev, &reason))
        netif_rx(skb);
    else
        kfree_skb_reason(skb, reason);
    return NETDEV_TX_OK;
}

static const struct net_device_ops loopback_ops = {
    .ndo_open = loopback_open,
    .ndo_stop = loopback_stop,
    .ndo_start_xmit = loopback_xmit,
};

static int loopback_init(struct net *net)
{
    struct net_device *dev = alloc_netdev(0, "lo");
    if (!dev)
        return -ENOMEM;
    dev->ops = &loopback_ops;
    dev->type = ARPHRD_LOOPBACK;
    dev->flags = NETDEV_LOOPBACK;
    dev->features = NETIF_F_LOOPBACK | NETIF_F_HW_CSUM | NETIF_F_RXCSUM;
    dev->mtu = dev->max_mtu = LOOPBACK_MTU;
    for (unsigned i = 0; i < ETH_ALEN; i++)
        dev->broadcast[i] = 0;
    int err = register_netdev(net, dev);
    if (err) {
        free_netdev(dev);
        return err;
    }
    net->loopback = dev;
    return 0;
}

static void loopback_exit(struct net *net)
{
    unregister_netdev(net->loopback);
    free_netdev(net->loopback);
}

const struct net_module loopback_module = { .name = "loopback",
                                            .init = loopback_init,
                                            .exit = loopback_exit };
