/* sim/rawip.c - a kind of link whose frames are the IP packets themselves. There is nobody to ask for an
 * address on it: its devices have NETDEV_NOARP. */
#include "sim/rawip.h"

enum { IPV4 = 0x0800, IPV6 = 0x86dd }; /* EtherTypes */

static bool rawip_parse(struct sk_buff *skb, struct net_device *dev, enum skb_drop_reason *reason)
{
    const uint8_t *first = skb_header(skb, 1);

    if (!first) {
        *reason = SKB_DROP_ETH_SHORT;
        return false;
    }
    skb_reset_mac_header(skb);
    skb->dev = dev;
    skb->protocol = cpu_to_be16(*first >> 4 == 6 ? IPV6 : IPV4); /* RFC 791 3.1, RFC 8200 3: version first */
    skb->pkt_type = PACKET_HOST;
    return true;
}

static void rawip_create(struct sk_buff *skb, const struct net_device *dev, uint16_t protocol,
                         const uint8_t *dest)
{
    (void)dev, (void)dest;
    skb->protocol = cpu_to_be16(protocol);
    skb_reset_mac_header(skb);
}

void rawip_register(struct net *net, struct link_type *type)
{
    *type = (struct link_type){ .type = ARPHRD_NONE, .parse = rawip_parse, .create = rawip_create };
    link_type_register(net, type);
}

void rawip_unregister(struct link_type *type)
{
    link_type_unregister(type);
}
