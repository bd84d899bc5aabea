/* net/ipv4/ip_options.h - the options of the IP header (RFC 791 3.1); for net/. */
#pragma once
#include "net/ipv4/inet_ports.h"

enum {
    IPOPT_END = 0,
    IPOPT_NOP = 1,
    IPOPT_RR = 7,
    IPOPT_TIMESTAMP = 68,
    IPOPT_LSRR = 131,
    IPOPT_SSRR = 137,
    IPOPT_ROUTER_ALERT = 148, /* RFC 2113 */
    IPOPT_COPIED = 0x80       /* in every fragment */
};
enum { IPOPT_TS_ONLY = 0, IPOPT_TS_AND_ADDRESS = 1, IPOPT_TS_PRESPECIFIED = 3 }; /* a timestamp's flag */

/* RFC 2113: routers on the way shall look at the packet; IGMP and RSVP ask for it. */
extern const struct ip_options ip_router_alert;

/* Where in a header each option begins, in bytes from the header's start; 0: it is not there. */
struct ip_option_places {
    uint8_t record_route, timestamp, source_route, router_alert;
};

/* Read the options of a header of hlen bytes. 0, or the octet (from the header's start) that is wrong, as a
 * Parameter Problem tells it (RFC 792). Nothing else in this file reads a header that was not found good. */
uint8_t ip_options_parse(const uint8_t *header, unsigned hlen, struct ip_option_places *places);
be32 ip_timestamp(void); /* milliseconds since midnight UT (RFC 791 3.1, RFC 792) */
/* We handle the packet: in its record route and timestamp, where there is room left, goes our address (RFC
 * 791 3.1). The header's checksum is the caller's. */
void ip_options_record(struct net *net, uint8_t *header, be32 address);

/* A received packet with options: is it to be accepted? mine: it is addressed to us. SKB_NOT_DROPPED, or why
 * not; then its sender was told where the rules say so. skb stays the caller's. Softirq. */
enum skb_drop_reason ip_options_receive(struct sk_buff *skb, bool mine);
/* skb, our own copy, is passed on by dst. */
void ip_options_forward(struct sk_buff *skb, const struct dst_entry *dst);
/* The options for an answer to skb (RFC 1122 3.2.2.6): record route and timestamp go on, a source route goes
 * back. */
void ip_options_echo(const struct sk_buff *skb, struct ip_options *out);
/* A fragment but the first has only the options that are to be copied (RFC 791 3.1): NOPs for the others. */
void ip_options_fragment(uint8_t *header, unsigned hlen);
/* Options as a program gives them: 0, or -EINVAL (malformed, longer than 40, or a source route). */
int ip_options_from_user(const void *bytes, size_t n, struct ip_options *out);

/* ---- ip_options_sock.c ---- */

/* setsockopt(), getsockopt() of IP_OPTIONS. 0 or -errno; -ENOPROTOOPT for streams. sk->lock is taken. */
int ip_options_set(struct sock *sk, const void *value, socklen_t len);
int ip_options_get(struct sock *sk, void *value, socklen_t *len);
/* A control message IP_RETOPTS that is sent along: 0 or -EINVAL. */
int ip_options_wish(const struct cmsghdr *c, struct ip_wishes *w);
/* What the message does not say the socket does. sk->lock held. */
void ip_options_choose(const struct sock *sk, struct ip_wishes *w);
/* The control messages about skb's options that sk wants. */
void ip_options_tell(const struct sock *sk, struct message *msg, const struct sk_buff *skb);
