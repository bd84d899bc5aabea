/* net/ether/eth.c - the Ethernet header, read and written.
 * The loopback device frames its packets the same way, with addresses of zero, as Linux does: so that whoever
 * taps it sees Ethernet. */
#include "net/ether/eth.h"
#include "lib/string.h"

bool eth_addr_is_zero(const uint8_t *a)
{
    static const uint8_t zero[ETH_ALEN];
    return eth_addr_equal(a, zero);
}

static enum skb_pkt_type kind_of(const uint8_t *dest, const struct net_device *dev)
{
    if (eth_addr_equal(dest, dev->dev_addr))
        return PACKET_HOST;
    if (eth_addr_equal(dest, dev->broadcast))
        return PACKET_BROADCAST;
    return eth_addr_is_multicast(dest) ? PACKET_MULTICAST : PACKET_OTHERHOST;
}

bool eth_type_trans(struct sk_buff *skb, struct net_device *dev, enum skb_drop_reason *reason)
{
    const struct eth_hdr *eth = skb_header(skb, ETH_HLEN);
    if (!eth) {
        *reason = SKB_DROP_ETH_SHORT;
        return false;
    }
    trace("eth_type_trans", skb->id, skb->len);
    skb_reset_mac_header(skb);
    skb->dev = dev;
    skb->protocol = eth->type; /* below 1536 an IEEE 802.3 length: a type that nobody handles */
    skb->pkt_type = (uint8_t)kind_of(eth->dest, dev);
    skb_pull(skb, ETH_HLEN);
    return true;
}

void eth_header(struct sk_buff *skb, const struct net_device *dev, uint16_t protocol, const uint8_t *dest)
{
    struct eth_hdr *eth = skb_push(skb, ETH_HLEN);

    memcpy(eth->dest, dest ? dest : dev->broadcast, ETH_ALEN);
    memcpy(eth->source, dev->dev_addr, ETH_ALEN);
    eth->type = cpu_to_be16(protocol);
    skb->protocol = eth->type;
    skb_reset_mac_header(skb);
}

/* ---- registration: one link type a kind of device, in memory of this net ---- */

static const uint16_t framed_kinds[] = { ARPHRD_ETHER, ARPHRD_LOOPBACK };

static int ether_init(struct net *net)
{
    struct link_type *types = mem_alloc(sizeof *types * ARRAY_SIZE(framed_kinds));
    if (!types)
        return -ENOMEM;
    for (unsigned i = 0; i < ARRAY_SIZE(framed_kinds); i++) {
        types[i] =
            (struct link_type){ .type = framed_kinds[i], .parse = eth_type_trans, .create = eth_header };
        link_type_register(net, &types[i]);
    }
    net->ether = types;
    return 0;
}

static void ether_exit(struct net *net)
{
    for (unsigned i = 0; i < ARRAY_SIZE(framed_kinds); i++)
        link_type_unregister(&net->ether[i]);
    mem_free(net->ether);
}

const struct net_module ether_module = { .name = "ether", .init = ether_init, .exit = ether_exit };
