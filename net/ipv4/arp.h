/* net/ipv4/arp.h - address resolution (RFC 826); private to net/ipv4. What it learns goes to neigh.h. */
#pragma once
#include "net/ipv4/ip.h"
#include "net/ipv4/neigh.h"

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
/* Tell the link that addr is dev's (RFC 5227 2.3); nothing if dev does not speak ARP. */
void arp_announce(struct net_device *dev, be32 addr);
extern const struct net_module arp_module;

/* The flags (ATF_*) by which arp(7) and /proc/net/arp tell of an entry. */
int arp_flags(const struct neigh_info *info);
