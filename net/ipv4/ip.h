/* net/ipv4/ip.h - IPv4 as its transports see it: header, routes, output, registration; private to net/. */
#pragma once
#include "lib/bytes.h"
#include "net/core/dst.h"
#include "net/core/gro.h"
#include "net/core/sock.h"

struct ip_hdr { /* RFC 791 3.1 */
    uint8_t version_ihl, tos;
    be16 tot_len, id, frag_off;
    uint8_t ttl, protocol;
    be16 check;
    be32 saddr, daddr;
};
_Static_assert(sizeof(struct ip_hdr) == 20, "RFC 791 3.1");
enum { IP_RF = 0x8000, IP_DF = 0x4000, IP_MF = 0x2000, IP_OFFSET_MASK = 0x1fff }; /* frag_off, RFC 791 3.1 */
enum { IP_DEFAULT_TTL = 64, IP_MAX_PACKET = 65535 };                              /* RFC 1122 3.2.1.7 */

static inline unsigned ip_hdr_len(const struct ip_hdr *ip)
{
    return (ip->version_ihl & 0x0fu) * 4u;
}
static inline const struct ip_hdr *ip_hdr(const struct sk_buff *skb)
{
    return skb_network_header(skb);
}
static inline be32 ip_address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return cpu_to_be32((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d);
}
static inline bool ipv4_is_zero(be32 a)
{
    return a.raw == 0;
}
static inline bool ipv4_is_loopback(be32 a) /* 127/8, RFC 1122 3.2.1.3(g) */
{
    return be32_to_cpu(a) >> 24 == 127;
}
static inline bool ipv4_is_multicast(be32 a) /* 224/4, RFC 1112 4 */
{
    return be32_to_cpu(a) >> 28 == 14;
}
static inline bool ipv4_is_limited_broadcast(be32 a)
{
    return be32_to_cpu(a) == 0xffffffff;
}

/* ---- routes ---- */

/* What tells one flow from others. Zero is unknown, and the port of what has none. */
struct ip_flow {
    be32 daddr, saddr; /* saddr zero: any of ours */
    uint32_t ifindex;  /* 0: any device */
    uint8_t protocol;
    be16 sport, dport;
};
/* Look up the way of a flow; where a route has several, a flow keeps to one (RFC 2991). 0 and *dst with a
 * reference, or -ENETUNREACH, -EINVAL (saddr is not ours; a blackhole), -EHOSTUNREACH and -EACCES (such
 * routes), -ENOMEM. Process or softirq. */
int ip_route_flow(struct net *net, const struct ip_flow *flow, struct dst_entry **dst);
/* The same for a flow that only passes through: its source is not ours. Softirq. */
int ip_route_transit(struct net *net, const struct ip_flow *flow, struct dst_entry **dst);
/* The same where protocol and ports do not matter. */
int ip_route_output(struct net *net, be32 daddr, be32 saddr, uint32_t ifindex, struct dst_entry **dst);
bool dst_is_stale(const struct net *net, const struct dst_entry *dst);
/* What went along dst arrived: a new acknowledgement tells that the next hop is alive (RFC 1122 2.3.2.1, RFC
 * 4861 7.3.1). NULL is fine. Any context, cheap. */
void dst_confirm(const struct dst_entry *dst);
/* What a destination address is to this host, as seen on dev (NULL: on any). */
enum dst_kind inet_addr_kind(struct net *net, be32 addr, const struct net_device *dev);
/* dev's address, zero if it has none; the device that has addr, or NULL. */
be32 inet_device_address(const struct net_device *dev);
struct net_device *inet_device_by_address(struct net *net, be32 addr);

/* ---- groups: net/igmp registers this; without it a host is in 224.0.0.1 and no other ---- */

struct ip_tx;

struct inet_multicast {
    /* Does this host want what comes by dev from saddr to group? Any lock up to ROUTE may be held. */
    bool (*wanted)(struct net_device *dev, be32 group, be32 saddr, uint8_t protocol);
    /* Does sk? */
    bool (*allowed)(const struct sock *sk, be32 group, be32 saddr, uint32_t ifindex);
    /* The options from IP_MULTICAST_IF to IP_MULTICAST_ALL. */
    int (*setsockopt)(struct sock *sk, int option, const void *value, socklen_t len);
    int (*getsockopt)(struct sock *sk, int option, void *value, socklen_t *len);
    void (*leave_all)(struct sock *sk); /* sk is being closed */
};
void inet_set_multicast(struct net *net, const struct inet_multicast *m); /* a module's init and exit */
bool ip_group_wanted(struct net_device *dev, be32 group, be32 saddr, uint8_t protocol);
bool ip_group_allowed(const struct sock *sk, be32 group, be32 saddr, uint32_t ifindex);
int ip_group_setsockopt(struct sock *sk, int option, const void *value, socklen_t len);
int ip_group_getsockopt(struct sock *sk, int option, void *value, socklen_t *len);
/* For close: leave every group. Process context, no lock held. */
void ip_group_leave_all(struct sock *sk);
/* What tx and the way are where sk sends to a group: IP_MULTICAST_TTL (unless ttl, of a control message, is
 * one), _LOOP and _IF. sk->lock held. */
void ip_group_choose(const struct sock *sk, int ttl, struct ip_tx *tx, uint32_t *ifindex);
/* The group's Ethernet address, RFC 1112 6.4. */
void ip_group_mac(be32 group, uint8_t *mac);

/* ---- output ---- */

enum { IP_OPTIONS_MAX = 40 };
/* Options of a header that is to be sent: len is a multiple of four. first_hop: where a source route begins,
 * and so the header's destination; zero: there is none. */
struct ip_options {
    uint8_t len, bytes[IP_OPTIONS_MAX];
    be32 first_hop;
};

/* Fields of the IP header a sender chooses. */
struct ip_tx {
    be32 saddr, daddr;
    uint8_t protocol, ttl, tos;       /* ttl 0: the default */
    uint8_t discover;                 /* IP_PMTUDISC_*: with DF or without; 0 (DONT): without */
    const struct ip_options *options; /* NULL: none */
    bool no_loop;                     /* to a group: this host does not get it */
    bool no_wire;                     /* to a group, TTL 0: only this host gets it */
};
/* Put an IP header in front of skb (transport header at data, headroom for it and a link header) and
 * send it along dst, whose reference stays the caller's: filter hook LOCAL_OUT, fragmentation, neigh_output.
 * Takes skb. 0, or -errno (-EMSGSIZE: may not be fragmented and too big; -ENOBUFS; -EHOSTUNREACH). Process or
 * softirq; sk->lock may be held. */
int ip_queue_xmit(struct net *net, struct sk_buff *skb, struct dst_entry *dst, const struct ip_tx *tx);

/* The same for skb that begins with a header its sender made (IP_HDRINCL): what raw(7) lists is filled in,
 * source and ID where they are zero, total length and checksum always. -EINVAL: no whole header. */
int ip_send_made(struct sk_buff *skb, struct dst_entry *dst);

/* ---- input: transports register by protocol number ---- */

struct inet_protocol {
    /* A datagram for this host: transport header at data, the IP header still at ip_hdr(skb), trimmed to its
     * total length. Takes skb. Softirq. */
    void (*handler)(struct sk_buff *skb);
    /* An ICMP error came that quotes one of ours: skb (not taken) has the quoted IP header at data with its
     * options and at least 8 bytes behind it. info is the next-hop MTU for 3/4 (RFC 1191), else 0. */
    void (*err_handler)(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info);
    /* Optional, both: net/core/gro.h's questions, of packets whose transport header lies n bytes behind data.
     * alike: their IP headers allow it. Softirq. */
    bool (*gro_begins)(struct sk_buff *skb, uint32_t n);
    enum gro_verdict (*gro_follows)(struct sk_buff *train, struct sk_buff *skb, uint32_t n, bool alike);
};
int inet_add_protocol(struct net *net, const struct inet_protocol *p, uint8_t protocol); /* 0 or -EEXIST */
void inet_del_protocol(struct net *net, uint8_t protocol);

/* ICMP types and codes that transports meet (RFC 792, RFC 1122 3.2.2.1). */
enum icmp_type {
    ICMP_ECHOREPLY = 0,
    ICMP_DEST_UNREACH = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETERPROB = 12,
    ICMP_TIMESTAMP = 13,
    ICMP_TIMESTAMPREPLY = 14
};
enum icmp_unreach_code {
    ICMP_NET_UNREACH = 0,
    ICMP_HOST_UNREACH = 1,
    ICMP_PROT_UNREACH = 2,
    ICMP_PORT_UNREACH = 3,
    ICMP_FRAG_NEEDED = 4,
    ICMP_SR_FAILED = 5,
    ICMP_ADMIN_PROHIBITED = 13 /* RFC 1812 5.2.7.1 */
};
enum { ICMP_EXC_TTL = 0, ICMP_EXC_FRAGTIME = 1 }; /* codes of ICMP_TIME_EXCEEDED */
enum { ICMP_REDIR_HOST = 1 }; /* the one code of ICMP_REDIRECT that is sent, RFC 1812 5.2.7.2 */
/* Answer the received packet skb (IP header at ip_hdr(skb), not taken) with an ICMP error, if the rules of
 * RFC 1122 3.2.2 and the rate limit allow. Softirq. */
void icmp_send(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info);
/* The errno a socket gets for an ICMP error, and whether it is a hard one (RFC 1122 4.2.3.9). */
int icmp_errno(uint8_t type, uint8_t code, bool *hard);
