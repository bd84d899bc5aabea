/* net/core/receive.c - a received frame on its way to the handler of its EtherType.
 * Handlers are found without a lock: their table is written before the first packet flows. */
#include "net/core/net_namespace.h"

/* ---- who handles what ---- */

static struct packet_type **packet_type_slot(struct net *net, uint16_t type)
{
    return &net->packet_types[(type ^ type >> 8) % PACKET_TYPE_SLOTS];
}

void dev_add_pack(struct net *net, struct packet_type *pt)
{
    lock_acquire(&net->devices_lock);
    if (pt->type == ETH_P_ALL) {
        list_add_tail(&pt->link, &net->taps);
        WRITE_ONCE(net->tap_count, net->tap_count + 1);
    } else {
        struct packet_type **slot = packet_type_slot(net, pt->type);
        pt->next = *slot;
        *slot = pt;
    }
    lock_release(&net->devices_lock);
}

void dev_remove_pack(struct net *net, struct packet_type *pt)
{
    lock_acquire(&net->devices_lock);
    if (pt->type == ETH_P_ALL) {
        list_del(&pt->link);
        WRITE_ONCE(net->tap_count, net->tap_count - 1);
    } else {
        struct packet_type **p = packet_type_slot(net, pt->type);
        while (*p != pt)
            p = &(*p)->next;
        *p = pt->next;
    }
    lock_release(&net->devices_lock);
}

struct packet_type *packet_type_find(struct net *net, uint16_t type)
{
    struct packet_type *pt = *packet_type_slot(net, type);
    while (pt && pt->type != type)
        pt = pt->next;
    return pt;
}

void dev_deliver_taps(struct net *net, struct sk_buff *skb)
{
    struct packet_type *pt;

    if (likely(!READ_ONCE(net->tap_count)) || skb->pkt_type == PACKET_LOOPBACK) /* they saw it leave */
        return;
    lock_acquire(&net->devices_lock);
    list_for_each_entry (pt, &net->taps, link) {
        struct sk_buff *clone = skb_is_nonlinear(skb) ? skb_copy(skb) : skb_clone(skb);
        if (clone)
            pt->func(clone, pt);
    }
    lock_release(&net->devices_lock);
}

void link_type_register(struct net *net, struct link_type *type)
{
    list_add_tail(&type->link, &net->link_types);
}

void link_type_unregister(struct link_type *type)
{
    list_del(&type->link);
}

/* ---- the way up ---- */

struct sk_buff *netdev_alloc_skb(struct net_device *dev, uint32_t size)
{
    struct sk_buff *skb = alloc_skb_headroom(dev_net(dev), NET_IP_ALIGN, size);
    if (skb)
        skb->dev = dev;
    return skb;
}

void netif_receive_skb(struct sk_buff *skb)
{
    struct net *net = dev_net(skb->dev);

    trace("netif_receive_skb", skb->id, skb->len);
    skb_reset_network_header(skb);
    dev_deliver_taps(net, skb);
    if (skb->pkt_type == PACKET_OTHERHOST) {
        kfree_skb_reason(skb, SKB_DROP_ETH_OTHER_HOST);
        return;
    }
    struct packet_type *pt = packet_type_find(net, be16_to_cpu(skb->protocol));
    if (pt)
        pt->func(skb, pt);
    else
        kfree_skb_reason(skb, SKB_DROP_ETH_UNKNOWN_TYPE);
}

void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
    struct net_device *dev = napi->dev;
    enum skb_drop_reason reason;

    trace("napi_gro_receive", skb->id, skb->len);
    skb->dev = dev;
    skb->tstamp = time_now();
    netdev_count(&dev->stats.rx_packets, 1);
    netdev_count(&dev->stats.rx_bytes, skb->len);
    if (!dev->link_type->parse(skb, dev, &reason)) {
        netdev_count(&dev->stats.rx_errors, 1);
        kfree_skb_reason(skb, reason);
        return;
    }
    gro_receive(napi, skb);
}
