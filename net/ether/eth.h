/* net/ether/eth.h - Ethernet II frames (RFC 894); private to net/. */
#pragma once
#include "lib/string.h"
#include "net/core/net_namespace.h"

struct eth_hdr {
    uint8_t dest[ETH_ALEN], source[ETH_ALEN];
    be16 type;
};
_Static_assert(sizeof(struct eth_hdr) == ETH_HLEN, "RFC 894");

static inline const struct eth_hdr *eth_hdr(const struct sk_buff *skb)
{
    return skb_mac_header(skb);
}
static inline bool eth_addr_is_multicast(const uint8_t *addr) /* group bit; broadcast has it too */
{
    return addr[0] & 1;
}
static inline bool eth_addr_equal(const uint8_t *a, const uint8_t *b)
{
    uint32_t head[2];
    uint16_t tail[2];

    memcpy(&head[0], a, 4), memcpy(&head[1], b, 4);
    memcpy(&tail[0], a + 4, 2), memcpy(&tail[1], b + 4, 2);
    return head[0] == head[1] && tail[0] == tail[1];
}
bool eth_addr_is_zero(const uint8_t *a);

/* Read the header of a frame that dev received: skb's mac header, protocol and pkt_type are set and data
 * moves behind it. False: too short (*reason). Softirq. */
bool eth_type_trans(struct sk_buff *skb, struct net_device *dev, enum skb_drop_reason *reason);
/* Put a header in front of data: from dev to dest (NULL: broadcast). Process or softirq. */
void eth_header(struct sk_buff *skb, const struct net_device *dev, uint16_t protocol, const uint8_t *dest);

extern const struct net_module ether_module;
