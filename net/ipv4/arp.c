/* net/ipv4/arp.c - who has which address: the packets of RFC 826, and the manners of RFC 5227.
 * What is learned goes to the cache in neigh.c; this file keeps nothing but the time of the last defence. */
#include "net/ipv4/arp.h"
#include "lib/string.h"
#include "net/ether/eth.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/rtnl.h"

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
    return !dev_flags(dev, NETDEV_LOOPBACK | NETDEV_NOARP);
}

void arp_announce(struct net_device *dev, be32 addr)
{
    if (speaks_arp(dev) && INET_CONF_EITHER(dev, arp_notify))
        arp_send(dev, ARP_REQUEST, NULL, addr, NULL, addr); /* RFC 5227 2.3 */
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
        be32_equal(arp->sender_ip, in_dev_broadcast(dev)) || ipv4_is_limited_broadcast(arp->sender_ip))
        return SKB_DROP_ARP_BAD_SENDER;
    return SKB_NOT_DROPPED;
}

/* Somebody else claims our address: say once in a while that it is ours (RFC 5227 2.4(b)). */
static void defend(struct net_device *dev, const struct arp_hdr *arp)
{
    struct in_device *ind = in_dev_get(dev);
    uint64_t now = time_now(), last = READ_ONCE(ind->defended_at);

    if (last && now < last + DEFEND_INTERVAL)
        return;
    WRITE_ONCE(ind->defended_at, now);
    klog(LOG_WARNING, "%s: %pM claims our address %pI4", dev_name(dev).text, arp->sender_mac,
         &arp->sender_ip);
    arp_send(dev, ARP_REQUEST, NULL, arp->sender_ip, NULL, arp->sender_ip); /* arp_notify or not */
}

/* Is target ours, and do we say so to sender? By default a host answers for all of its addresses on every
 * link (RFC 1122 3.3.4.2's weak model, as Linux); arp_ignore narrows it. */
static bool is_for_us(struct net_device *dev, be32 target, be32 sender)
{
    enum { ANY = 0, OF_DEVICE = 1, NONE = 8 };
    int32_t ignore = INET_CONF_MAX(dev, arp_ignore);
    bool of_device = inet_dev_has(dev, target);

    if (ignore == ANY)
        return of_device ||
               (!ipv4_is_loopback(target) && inet_addr_kind(dev_net(dev), target, NULL) == DST_LOCAL);
    if (ignore == OF_DEVICE || !of_device)
        return of_device && ignore < NONE;
    return ignore < NONE && inet_same_network(dev, sender, target);
}

/* RFC 1027: do we pass packets on from dev to target? Probes and announcements are between hosts of one link.
 */
static bool stands_for(struct net_device *dev, const struct arp_hdr *arp)
{
    struct dst_entry *dst;

    if (be16_to_cpu(arp->op) != ARP_REQUEST || !INET_CONF_EITHER(dev, proxy_arp) ||
        !INET_CONF_EITHER(dev, forwarding) || ipv4_is_zero(arp->sender_ip) ||
        be32_equal(arp->sender_ip, arp->target_ip))
        return false;
    if (ip_route_output(dev_net(dev), arp->target_ip, (be32){ 0 }, 0, &dst))
        return false;
    bool elsewhere = dst->kind == DST_UNICAST && dst->dev != dev;
    dst_release(dst);
    return elsewhere;
}

static void answer(struct net_device *dev, const struct arp_hdr *arp)
{
    arp_send(dev, ARP_REPLY, arp->sender_mac, arp->target_ip, arp->sender_mac, arp->sender_ip);
}

/* Learn from the packet, and answer it if it asks for us. True if it was for us. */
static bool process(struct net_device *dev, const struct arp_hdr *arp)
{
    uint16_t op = be16_to_cpu(arp->op);

    if (ipv4_is_zero(in_dev_address(dev)))
        return false;
    if (inet_dev_has(dev, arp->sender_ip)) {
        if (!eth_addr_equal(arp->sender_mac, dev->dev_addr))
            defend(dev, arp);
        return true;
    }
    bool for_us = is_for_us(dev, arp->target_ip, arp->sender_ip);
    bool for_other = !for_us && stands_for(dev, arp);
    if (!ipv4_is_zero(arp->sender_ip)) /* zero: an address probe, which tells nothing (RFC 5227 1.1) */
        /* RFC 826: update an entry that is there (the merge flag), make one only if we are the target */
        neigh_update(dev, arp->sender_ip, arp->sender_mac, for_us || for_other, op == ARP_REPLY && for_us);
    if ((for_us && op == ARP_REQUEST) || for_other)
        answer(dev, arp);
    return for_us || for_other;
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
    rtnl_neigh_init(net);
    return 0;
}

static void arp_exit(struct net *net)
{
    rtnl_neigh_exit(net);
    dev_remove_pack(net, &net->ipv4->arp_packet_type);
    neigh_exit(net);
}

const struct net_module arp_module = { .name = "arp", .init = arp_init, .exit = arp_exit };
