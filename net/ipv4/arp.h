/* net/ipv4/arp.h - address resolution (RFC 826) and its cache; private to net/ipv4. */
#pragma once
#include "net/ipv4/ip.h"

struct arp_hdr { /* RFC 826, for Ethernet and IPv4 */
    be16 hardware, protocol;
    uint8_t hardware_len, protocol_len;
    be16 op;
    uint8_t sender_mac[ETH_ALEN];
    be32 sender_ip;
    uint8_t target_mac[ETH_ALEN];
    be32 target_ip;
} __attribute__((packed));
_Static_assert(sizeof(struct arp_hdr) == 28, "RFC 826");
enum { ARP_REQUEST = 1, ARP_REPLY = 2, ARP_HARDWARE_ETHERNET = 1 };

/* ---- arp.c: the protocol ---- */

/* Send an ARP packet by dev: our MAC and sender as the sender. dest NULL: broadcast; target_mac NULL: zeros.
 * Process or softirq, locks up to NEIGH may be held. */
void arp_send(struct net_device *dev, uint16_t op, const uint8_t *dest, be32 sender,
              const uint8_t *target_mac, be32 target);
/* Tell the link that dev has its address (RFC 5227 2.3); nothing if it has none or does not speak ARP. */
void arp_announce(struct net_device *dev);
extern const struct net_module arp_module;

/* ---- neigh.c: the cache ---- */

enum neigh_state { NEIGH_INCOMPLETE, NEIGH_REACHABLE, NEIGH_STALE, NEIGH_DELAY, NEIGH_PROBE, NEIGH_FAILED };

/* Send the IP packet skb (IP header at data) to the next hop of its route: puts the link header in front, or
 * keeps it while the address is looked for. Takes skb. 0 or -errno as dev_queue_xmit, -ENOBUFS. Process or
 * softirq; sk->lock may be held. */
int neigh_output(struct sk_buff *skb);
/* mac is ip's address on dev, as a packet said: an entry is updated, and made if create. solicited: it was
 * the answer to our question. Sends what waited. Softirq. */
void neigh_update(struct net_device *dev, be32 ip, const uint8_t *mac, bool create, bool solicited);
/* An entry that stays (SIOCSARP). 0 or -ENOBUFS. Process context. */
int neigh_set_permanent(struct net_device *dev, be32 ip, const uint8_t *mac);
/* Forget ip on dev. 0 or -ENXIO. */
int neigh_forget(struct net_device *dev, be32 ip);
/* The MAC that is known for ip (SIOCGARP). 0 and *flags (ATF_*), or -ENXIO. */
int neigh_get(struct net_device *dev, be32 ip, uint8_t *mac, int *flags);
void arp_flush_device(struct net_device *dev);
int neigh_init(struct net *net);
void neigh_exit(struct net *net);
void neigh_show(struct net *net, struct textbuf *out);
