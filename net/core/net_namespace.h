/* net/core/net_namespace.h - struct net: one network with all its state; private to net/.
 * Protocols hang their own state on it, register what they handle, and know each other only through it. */
#pragma once
#include "lib/hash.h"
#include "net/core/netdevice.h"
#include "net/net.h"

struct ipv4_state;
struct arp_state;
struct icmp_state;
struct udp_state;
struct tcp_state;
struct softnet;
struct packet_type;
struct sock_family;

/* A protocol: a folder of net/ and one line in net/init.c. Called in the table's order, exits in reverse. */
struct net_module {
    const char *name;
    int (*init)(struct net *net); /* 0 or -errno, undone; registers packet types, socket types, /proc files */
    void (*exit)(struct net *net);
};
extern const struct net_module *const net_modules[]; /* net/init.c; ends with NULL */

struct net {
    const char *name;
    struct hash_key hash_key; /* random; for every hash table a peer could aim at */
    uint64_t next_skb_id;     /* atomic */

    struct softnet *softnet; /* one for each CPU: poll list, loop-back queue, their softirqs */
    struct pool *skb_pool;   /* struct sk_buff */

    struct lock devices_lock; /* NET_DEVICES: the three lists; readers in softirq hold it briefly */
    struct list_head devices; /* struct net_device.link */
    uint32_t next_ifindex;
    struct list_head packet_types; /* struct packet_type.link */

    /* written by init functions only */
    struct list_head sock_families;
    struct list_head proc_files;

    /* counters: atomic, relaxed */
    uint64_t drops[SKB_DROP_REASON_COUNT];
    int64_t live_skbs, ring_skbs;

    /* the protocols' own; each allocated by its init, NULL where a protocol is left out */
    struct ipv4_state *ipv4;
    struct arp_state *arp;
    struct icmp_state *icmp;
    struct udp_state *udp;
    struct tcp_state *tcp;
};

static inline struct net *dev_net(const struct net_device *dev)
{
    return dev->net;
}
struct net_device *dev_get_by_name(struct net *net, const char *name); /* NULL if there is none */
struct net_device *dev_get_by_index(struct net *net, uint32_t ifindex);

/* ---- who gets received frames ---- */

enum { ETH_P_IP = 0x0800, ETH_P_ARP = 0x0806, ETH_P_ALL = 0x0003 };

/* A handler for an EtherType, or a tap (ETH_P_ALL) that sees every frame in and out as a clone. */
struct packet_type {
    struct list_head link;
    uint16_t type;
    void (*func)(struct sk_buff *skb,
                 struct packet_type *pt); /* takes skb; softirq; network header at data */
};
void dev_add_pack(struct net *net, struct packet_type *pt);
void dev_remove_pack(struct net *net, struct packet_type *pt);

void net_proc_register(struct net *net, struct net_proc_file *f);
void net_proc_unregister(struct net *net, struct net_proc_file *f);
