/* net/ipv4/arp.c - who has which address: the packets of RFC 826, and the manners of RFC 5227.
 * What is learned goes to the cache in neigh.c; this file keeps nothing but the time of the last defence. */
#include "net/ipv4/arp.h"
#include "lib/string.h"
#include "net/ether/eth.h"
#include "net/ipv4/ipv4.h"

#define DEFEND_INTERVAL sec(10) /* RFC 5227 1.1 */

void arp_send(struct net_device *dev, uint16_t op, const uint8_t *dest, be32 sender,
              const uint8_t *target_mac, be32 target)
{
    struct sk_buff *skb = alloc_skb_headroom(dev_net(dev), SKB_TX_HEADROOM, sizeof(struct arp_hdr));
    if (!skb)
        return; /* the timer asks again */
    struct arp_hdr *arp = skb_put(skb, sizeof *arp);
    *arp = (struct arp_hdr){
        .hardware = cpu_to_be16(ARP_HARDWARE_ETHERNET),
        .protocol = cpu_to_be16(ETH_P_IP),
        .hardware_len = ETH_ALEN,
        .protocol_len = sizeof(be32),
        .op = cpu_to_be16(op),
        .sender_ip = sender,
        .target_ip = target,
    };
    memcpy(arp->sender_mac, dev->dev_addr, ETH_ALEN);
    if (target_mac)
        memcpy(arp->target_mac, target_mac, ETH_ALEN);
    skb->dev = dev;
    skb_reset_network_header(skb);
    dev->link_type->create(skb, dev, ETH_P_ARP, dest);
    dev_queue_xmit(skb);
}

static bool speaks_arp(const struct net_device *dev)
{
    return !(dev->flags & (NETDEV_LOOPBACK | NETDEV_NOARP));
}

void arp_announce(struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);

    if (speaks_arp(dev) && !ipv4_is_zero(ind->address))
        arp_send(dev, ARP_REQUEST, NULL, ind->address, NULL, ind->address); /* RFC 5227 2.3 */
}

/* ---- receive ---- */

/* RFC 826 "Packet Reception": do I have the hardware type, speak the protocol, know the operation? */
static enum skb_drop_reason check(const struct arp_hdr *arp, const struct net_device *dev)
{
    uint16_t op = be16_to_cpu(arp->op);

    if (be16_to_cpu(arp->hardware) != ARP_HARDWARE_ETHERNET || be16_to_cpu(arp->protocol) != ETH_P_IP)
        return SKB_DROP_ARP_BAD;
    if (arp->hardware_len != ETH_ALEN || arp->protocol_len != sizeof(be32))
        return SKB_DROP_ARP_BAD;
    if (op != ARP_REQUEST && op != ARP_REPLY)
        return SKB_DROP_ARP_BAD;
    if (eth_addr_is_multicast(arp->sender_mac) || eth_addr_is_zero(arp->sender_mac))
        return SKB_DROP_ARP_BAD_SENDER;
    if (ipv4_is_multicast(arp->sender_ip) || ipv4_is_loopback(arp->sender_ip) ||
        be32_equal(arp->sender_ip, in_dev_get(dev)->broadcast) || ipv4_is_limited_broadcast(arp->sender_ip))
        return SKB_DROP_ARP_BAD_SENDER;
    return SKB_NOT_DROPPED;
}

/* Somebody else claims our address: say once in a while that it is ours (RFC 5227 2.4(b)). */
static void defend(struct net_device *dev, const struct arp_hdr *arp)
{
    struct in_device *ind = in_dev_get(dev);
    uint64_t now = time_now();

    if (ind->defended_at && now < ind->defended_at + DEFEND_INTERVAL)
        return;
    ind->defended_at = now;
    klog(LOG_WARNING, "%s: %pM claims our address %pI4", dev->name, arp->sender_mac, &arp->sender_ip);
    arp_announce(dev);
}

/* Learn from the packet, and answer it if it asks for us. True if it was for us. */
static bool process(struct net_device *dev, const struct arp_hdr *arp)
{
    const struct in_device *ind = in_dev_get(dev);
    bool for_us = be32_equal(arp->target_ip, ind->address);
    uint16_t op = be16_to_cpu(arp->op);

    if (ipv4_is_zero(ind->address))
        return false;
    if (be32_equal(arp->sender_ip, ind->address)) {
        if (!eth_addr_equal(arp->sender_mac, dev->dev_addr))
            defend(dev, arp);
        return true;
    }
    if (!ipv4_is_zero(arp->sender_ip)) /* zero: an address probe, which tells nothing (RFC 5227 1.1) */
        /* RFC 826: update an entry that is there (the merge flag), make one only if we are the target */
        neigh_update(dev, arp->sender_ip, arp->sender_mac, for_us, op == ARP_REPLY && for_us);
    if (for_us && op == ARP_REQUEST)
        arp_send(dev, ARP_REPLY, arp->sender_mac, ind->address, arp->sender_mac, arp->sender_ip);
    return for_us;
}

static void arp_rcv(struct sk_buff *skb, struct packet_type *pt)
{
    struct net_device *dev = skb->dev;
    const struct arp_hdr *arp = skb_header(skb, sizeof *arp);

    (void)pt;
    trace("arp_rcv", skb->id, skb->len);
    if (!arp) {
        kfree_skb_reason(skb, SKB_DROP_ARP_SHORT);
        return;
    }
    enum skb_drop_reason reason = speaks_arp(dev) ? check(arp, dev) : SKB_DROP_ARP_BAD;
    if (reason == SKB_NOT_DROPPED && !process(dev, arp))
        reason = SKB_DROP_ARP_NOT_FOR_US;
    if (reason == SKB_NOT_DROPPED)
        consume_skb(skb);
    else
        kfree_skb_reason(skb, reason);
}

static int arp_init(struct net *net)
{
    int err = neigh_init(net);
    if (err)
        return err;
    net->ipv4->arp_packet_type = (struct packet_type){ .type = ETH_P_ARP, .func = arp_rcv };
    dev_add_pack(net, &net->ipv4->arp_packet_type);
    return 0;
}

static void arp_exit(struct net *net)
{
    dev_remove_pack(net, &net->ipv4->arp_packet_type);
    neigh_exit(net);
}

const struct net_module arp_module = { .name = "arp", .init = arp_init, .exit = arp_exit };
