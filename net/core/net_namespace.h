/* net/core/net_namespace.h - struct net: one network with all its state; private to net/.
 * Protocols hang their own state on it, register what they handle, and know each other only through it. */
#pragma once
#include "lib/hash.h"
#include "net/core/gro.h"
#include "net/core/nlmsg.h"
#include "net/net.h"

struct ipv4_state;
struct arp_state;
struct icmp_state;
struct udp_state;
struct tcp_state;
struct raw_state;
struct packet_state;
struct ping_state;
struct igmp_state;
struct unix_state;
struct netlink_state;
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

enum { PACKET_TYPE_SLOTS = 16 };

/* net/core's knobs (net/core/sysctl.c); read without a lock. */
struct net_knobs {
    int32_t somaxconn, rmem_default, wmem_default, rmem_max, wmem_max, max_backlog, dev_weight;
    bool gro;
};

struct nl_handler;
struct nl_table { /* requests that one module answers (net/core/netlink.h) */
    struct list_head link;
    int protocol;
    const struct nl_handler *handlers;
    unsigned n;
};
struct nl_state {
    struct list_head tables; /* written by init functions only */
    struct nl_table links;   /* net/core's own */
    uint64_t listeners;      /* bit g: somebody listens to group g; read without a lock */
    /* net/netlink's: skb goes to group's listeners; NULL: what they should have heard is lost */
    void (*publish)(struct net *net, unsigned group, struct sk_buff *skb);
    uint32_t generation;     /* counts changes that were told; atomic. A dump sees that the tables moved */
    struct softirq carriers; /* tells of cables that came and went */

    struct nl_to cause; /* between net_config_begin() and _end(): the request that is being served */
    bool echo;          /* and its sender wants to be told what came of it */
};

struct net {
    const char *name;
    unsigned n_modules;       /* so many of net_modules[] are initialised */
    struct hash_key hash_key; /* random; for every hash table a peer could aim at */
    uint64_t next_skb_id;     /* atomic */

    struct softnet *softnet; /* one for each CPU: loop-back queue, its softirq, doorbells still to ring */
    struct pool *skb_pool;   /* struct sk_buff */

    struct lock devices_lock; /* NET_DEVICES: the lists below */
    struct list_head devices; /* struct net_device.link */
    uint32_t next_ifindex;
    struct list_head taps; /* struct packet_type.link, those of ETH_P_ALL */
    uint32_t tap_count;    /* read without the lock: without taps a packet costs one load */
    bool configuring;      /* somebody is between net_config_begin() and _end() */
    struct waitq config_wq;

    /* written by init functions only, before the first packet; read without a lock */
    struct packet_type *packet_types[PACKET_TYPE_SLOTS]; /* chains by EtherType */
    struct list_head link_types;
    struct list_head notifiers;
    struct list_head sock_families;
    struct list_head proc_files;
    struct list_head proc_sections;
    struct list_head sysctls; /* struct sysctl_table */

    struct net_knobs knobs;
    struct sysctl_table core_sysctls;
    struct nl_state nl;

    /* counters: atomic, relaxed */
    uint64_t drops[SKB_DROP_REASON_COUNT];
    int64_t live_skbs, ring_skbs;
    int64_t sockets; /* struct socks alive */
    uint64_t last_sock_ino;
    struct net_proc_file *core_proc_files;

    /* the protocols' own; each allocated by its init, NULL where a protocol is left out */
    struct net_device *loopback;
    struct link_type *ether;
    struct ipv4_state *ipv4;
    struct arp_state *arp;
    struct icmp_state *icmp;
    struct udp_state *udp;
    struct tcp_state *tcp;
    struct raw_state *raw;
    struct packet_state *packet;
    struct ping_state *ping;
    struct igmp_state *igmp;
    struct unix_state *unix_domain; /* `unix` is a macro of gcc's */
    struct netlink_state *netlink;
};

static inline struct net *dev_net(const struct net_device *dev)
{
    return dev->net;
}
/* Count one more of what several CPUs count. */
static inline void net_count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}
/* What it has come to. */
static inline uint64_t net_counted(const uint64_t *counter)
{
    return READ_ONCE(*counter);
}
static inline uint64_t net_dropped(const struct net *net, enum skb_drop_reason reason)
{
    return net_counted(&net->drops[reason]);
}
/* A copy of a struct that is nothing but such counters, size bytes long. */
void net_counters_read(void *to, const void *from, size_t size);
struct net_device *dev_get_by_name(struct net *net, const char *name); /* NULL if there is none */
struct net_device *dev_get_by_index(struct net *net, uint32_t ifindex);
/* The device behind prev (NULL: the first), or NULL at the end. Process context. */
struct net_device *dev_next(struct net *net, const struct net_device *prev);
/* Between these two the caller alone changes what devices, addresses and routes there are; opening a card
 * sleeps in the middle of it. 0, or -EINTR. Process context, no lock held. */
int net_config_begin(struct net *net) MUST_CHECK;
void net_config_end(struct net *net);
/* Set what an administrator may: NETDEV_UP, NETDEV_PROMISC, NETDEV_NOARP; other flags stay. 0, or what
 * opening the card said. */
int dev_change_flags(struct net_device *dev, uint32_t flags);
/* 0, -EINVAL (no name for a device) or -EEXIST. */
int dev_rename(struct net_device *dev, const char *name);
/* So many packets may wait for the card; those that do already stay. 0. */
int dev_set_tx_queue_len(struct net_device *dev, uint32_t packets);
/* Another hardware address. 0, -EOPNOTSUPP, -EBUSY (while it is up), -EADDRNOTAVAIL (a group's, or zero). */
int dev_set_address(struct net_device *dev, const uint8_t *address);
/* The device's counters, the card's own included. */
void dev_get_stats(struct net_device *dev, struct net_device_stats *stats);

/* ---- who gets received frames ---- */

enum { ETH_P_IP = 0x0800, ETH_P_ARP = 0x0806, ETH_P_ALL = 0x0003 };

/* A handler for an EtherType, or a tap (ETH_P_ALL) that sees every frame in and out as a clone. A tap is
 * called with devices_lock held: it takes only locks of higher rank. */
struct packet_type {
    struct list_head link;    /* taps */
    struct packet_type *next; /* the others: in their chain */
    uint16_t type;
    void (*func)(struct sk_buff *skb,
                 struct packet_type *pt); /* takes skb; softirq; network header at data */
    /* Optional, both: may a train begin with skb, and what is skb to that train (net/core/gro.h)? Network
     * header at data, of the train too. Softirq. */
    bool (*gro_begins)(struct sk_buff *skb);
    enum gro_verdict (*gro_follows)(struct sk_buff *train, struct sk_buff *skb);
};
/* Taps come and go at any time; other types only in a module's init and exit, while no packet flows. */
void dev_add_pack(struct net *net, struct packet_type *pt);
void dev_remove_pack(struct net *net, struct packet_type *pt);
/* Who handles an EtherType, or NULL. Softirq. */
struct packet_type *packet_type_find(struct net *net, uint16_t type);
/* Give every tap a clone of skb. Process or softirq. */
void dev_deliver_taps(struct net *net, struct sk_buff *skb);

/* ---- how a kind of link frames its packets ---- */

struct link_type {
    struct list_head link; /* in net->link_types */
    uint16_t type;         /* struct net_device.type: ARPHRD_ETHER, ... */
    /* A received frame: set mac header, protocol, pkt_type; data moves behind the link header. False: no such
     * frame; *reason says why. */
    bool (*parse)(struct sk_buff *skb, struct net_device *dev, enum skb_drop_reason *reason);
    /* Put the link header in front of data; dest NULL: the device's broadcast address. Room is the caller's
     * duty. */
    void (*create)(struct sk_buff *skb, const struct net_device *dev, uint16_t protocol, const uint8_t *dest);
};
/* A module's init does this once for each of its kinds; type is the copy to register. */
void link_type_register(struct net *net, struct link_type *type);
void link_type_unregister(struct link_type *type);

/* ---- what happens to devices ---- */

enum netdev_event {
    NETDEV_EVENT_REGISTER,
    NETDEV_EVENT_UP,
    NETDEV_EVENT_DOWN,
    NETDEV_EVENT_RENAMED,
    NETDEV_EVENT_MTU,
    NETDEV_EVENT_UNREGISTER
};
struct netdev_notifier {
    struct list_head link;                                         /* in net->notifiers */
    int (*event)(struct net_device *dev, enum netdev_event event); /* process context; REGISTER may fail */
};

/* ---- the CPU's own queue, for packets that loop back ---- */

/* Receive skb later, in softirq, as if it had just arrived on skb->dev; dropped when the queue is full. Takes
 * skb. Process or softirq; locks up to NETDEV_TX may be held. */
void netif_rx(struct sk_buff *skb);
int softnet_init(struct net *net); /* 0 or -ENOMEM */
/* Return when s neither runs nor waits to. Whoever raised it has stopped. Process context, no lock held. */
void softirq_settle(struct softirq *s);
/* Return when nothing loops back any more, all devices being down. Process context. */
void softnet_settle(struct net *net);
void softnet_exit(struct net *net);
/* Between these two, in softirq, doorbells are held back; the second one rings them. */
void xmit_batch_begin(struct net *net);
void xmit_batch_end(struct net *net);
/* Whether dev's doorbell may wait for xmit_batch_end(). */
bool xmit_batch_defer(struct net_device *dev);
/* Ring dev's doorbell now. tx lock held. */
void dev_xmit_flush(struct net_device *dev);
/* The transmit part of a device: made at registration, emptied when it closes. */
void dev_tx_init(struct net_device *dev);
void dev_tx_purge(struct net_device *dev);

/* ---- knobs ---- */

/* A module's init and exit: entries, about the fields of base, are the network's from now on. */
void net_sysctl_register(struct net *net, struct sysctl_table *t, const struct sysctl *entries, void *base);
void net_sysctl_unregister(struct sysctl_table *t);
void net_sysctl_init(struct net *net); /* net/core's own */

/* ---- files of /proc/net ---- */

void net_proc_register(struct net *net, struct net_proc_file *f);
void net_proc_unregister(struct net *net, struct net_proc_file *f);
/* Lines that a protocol adds to a file several share: section->name is "snmp", "netstat" or "sockstat". */
void net_proc_section_register(struct net *net, struct net_proc_file *section);
void net_proc_section_unregister(struct net *net, struct net_proc_file *section);
/* The files of net/core itself. 0 or -ENOMEM. */
int net_proc_init(struct net *net);
void net_proc_exit(struct net *net);
