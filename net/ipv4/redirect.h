/* net/ipv4/redirect.h - ICMP redirects: a shorter way for one destination (RFC 792, RFC 1122 3.2.2.2, RFC
 * 1812 5.2.7.2); private to net/ipv4. */
#pragma once
#include "net/core/drop.h"
#include "net/ipv4/icmp.h"

/* A packet came by dev and is sent out there again, towards dst: may its sender be told now? Not too often
 * (it does not seem to listen), and counted as told. Softirq. */
bool redirect_may_send(struct net_device *dev, be32 sender);
/* A redirect (ICMP header ih at data, IP header at ip_hdr(skb)). SKB_NOT_DROPPED: obeyed, skb is taken.
 * Softirq. */
enum skb_drop_reason redirect_rcv(struct sk_buff *skb, const struct icmp_hdr *ih);
