/* net/ipv4/ipv4.h - what the files of net/ipv4 share: the state of IPv4 in a struct net; private to the
 * folder. */
#pragma once
#include "net/ipv4/devinet.h"
#include "net/ipv4/fib.h"
#include "net/ipv4/inet_conf.h"
#include "net/ipv4/inet_peer.h"
#include "net/ipv4/inet_ports.h"
#include "net/ipv4/ip.h"
#include "net/ipv4/ip_hooks.h"

enum { FRAG_MEMORY_MAX = 4 << 20, FRAG_SOURCE_MAX = 1 << 20, FRAG_MAX_DIST = 64 };
#define FRAG_TIMEOUT sec(30) /* RFC 1122 3.3.2 allows 60 to 120, RFC 791 15; Linux waits 30 */

enum { ROUTE_CACHE_SLOTS = 64, KIND_SLOTS = 64, IP_ID_SLOTS = 1024, FRAG_BUCKETS = 64, FRAG_SOURCES = 256 };

/* Read without a lock (af_inet.c has the table). */
struct ipv4_knobs {
    int32_t default_ttl, port_range[2];
    uint64_t frag_memory_max, frag_source_max, frag_timeout; /* bytes, bytes, ns */
    int32_t frag_max_dist;
};

/* The account of the sources that share a hash. */
struct frag_source {
    struct list_head oldest_first;
    size_t memory;
    uint32_t fragments; /* that came, ever */
};

struct frag_table {
    struct lock lock; /* REASSEMBLY */
    struct frag_source sources[FRAG_SOURCES];
    struct list_head buckets[FRAG_BUCKETS];
    struct list_head oldest_first;
    size_t memory; /* of all that wait */
};

/* What /proc/net/snmp tells and no drop reason counts already. */
struct ip_counters {
    uint64_t in_receives, in_delivers, out_requests, out_no_routes;
    uint64_t forw_datagrams;
    uint64_t reasm_reqds, reasm_oks, frag_oks, frag_fails, frag_creates;
};

/* What is answered by netlink (rtnl.h). */
struct rtnl_ipv4 {
    struct nl_table addresses, routes, rules, neighbours;
    struct fib_listener ear;
};

struct ipv4_state {
    /* written by init functions only */
    const struct inet_multicast *multicast; /* NULL: net/igmp is left out */
    const struct inet_protocol *protocols[256];
    struct packet_type packet_type, arp_packet_type;
    struct netdev_notifier notifier;
    struct net_proc_file route_file, snmp_section, netstat_section, sockstat_section;
    struct rtnl_ipv4 rtnl;

    struct lock route_lock; /* ROUTE: the tables, their cache, what is known of peers */
    struct fib_state *fib;
    uint32_t multipath; /* so many struct fib_info have several next hops; read without the lock */
    struct rtable *route_cache[ROUTE_CACHE_SLOTS];
    uint64_t kinds[KIND_SLOTS]; /* what addresses are, read without the lock (route.c) */
    uint32_t route_generation;  /* counts changes of the table */
    struct peer_table peers;
    uint64_t martians_until; /* logged martians are counted until then */
    unsigned martians;

    struct frag_table frags;
    struct ip_hook_point hooks[IP_HOOK_POINTS];
    uint32_t ip_ids[IP_ID_SLOTS]; /* atomic */
    struct ip_counters counters;
    struct inet_conf conf_all, conf_default; /* forwarding: RFC 1812 2.2.8.1: off unless asked for */
    struct sysctl_table forward_table;
    struct ipv4_knobs knobs;
    struct peer_knobs peer_knobs;
    struct sysctl_table sysctls;
};

/* Ask the hooks of place about skb. True: go on. False: skb is gone (dropped and counted, or stolen). */
static inline bool ip_hook_pass(struct net *net, enum ip_hook_place place, struct sk_buff *skb)
{
    return likely(!READ_ONCE(net->ipv4->hooks[place].count)) || ip_hook_ask(net, place, skb);
}

/* ---- route.c ---- */

be32 inet_netmask(uint8_t prefix_len);
/* The length of a netmask, or -EINVAL if its ones are not all on the left. */
int inet_prefix_len(be32 netmask);
/* Every cached route is stale from now on. */
void route_invalidate(struct net *net);
/* The same for who holds the ROUTE lock. */
void route_changed(struct ipv4_state *ipv4);
int route_init(struct net *net); /* 0 or -ENOMEM */
void route_exit(struct net *net);

/* ---- route_show.c ---- */

void route_show(struct net *net, struct textbuf *out); /* /proc/net/route */

/* ---- ip_input.c, ip_forward.c, ip_output.c, ip_fragment.c ---- */

void ip_rcv(struct sk_buff *skb, struct packet_type *pt);
/* struct packet_type's questions (ip_gro.c). */
bool ip_gro_begins(struct sk_buff *skb);
enum gro_verdict ip_gro_follows(struct sk_buff *train, struct sk_buff *skb);
/* Pass on a packet that is not for us (checked, IP header at data), or drop it and tell its sender. Takes
 * skb. Softirq. */
void ip_forward(struct sk_buff *skb);
/* A packet with its header complete and skb->dst and skb->dev set: hook POSTROUTING, fragments, neigh_output.
 * Takes skb. 0 or -errno. Process or softirq. */
int ip_output(struct sk_buff *skb);
/* The same for a broadcast or a group (ip_group.c): this host gets a copy, if it listens and no_loop does not
 * say otherwise. */
int ip_output_to_many(struct sk_buff *skb, bool no_loop);
/* Keep the fragment skb (network header at data). The whole datagram when this completed it, else NULL. Takes
 * skb. Softirq. */
struct sk_buff *ip_defrag(struct net *net, struct sk_buff *skb);
/* Drop the datagrams that wait for more, if a part came by dev, which goes. Process context. */
void ip_frag_flush_device(struct net_device *dev);
void ip_frag_init(struct frag_table *t);
void ip_frag_exit(struct net *net);

/* ---- ip_source.c ---- */

/* Would answers to saddr go out by dev (or anywhere), as dev's rp_filter wants it? Softirq. */
bool ip_source_is_reached(const struct net_device *dev, be32 saddr);
/* Log that skb's source is impossible, if that is wanted (log_martians) and not too often. */
void ip_log_martian(const struct sk_buff *skb);

/* ---- raw.c ---- */

/* Give each raw socket that wants it a clone of skb (IP header at data). True if one did. Softirq. */
bool raw_deliver(struct net *net, struct sk_buff *skb);
/* Is there any raw socket? */
bool raw_listens(const struct net *net);

/* An ICMP error that quotes a packet of ours (its IP header at data): for the raw sockets that may have sent
 * it. Softirq. */
void raw_error(struct net *net, struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info);

/* ---- ping.c ---- */

/* An echo reply for this host, ICMP header at data. SKB_NOT_DROPPED: taken. Softirq. */
enum skb_drop_reason ping_rcv(struct sk_buff *skb);
/* An error about an echo request of ours. */
void ping_err(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info);

extern const struct net_module ipv4_module, icmp_module, raw_module, ping_module;
