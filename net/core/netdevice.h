/* net/core/netdevice.h - what a network driver and net/ know of each other: struct net_device and NAPI.
 *
 * A driver allocates a net_device, fills in its operations and features, and registers it. Receive: its top
 * half masks the card and calls napi_schedule(); net_rx_action() calls poll(budget) in softirq; poll hands
 * packets to napi_gro_receive() and completes only when it did fewer than budget. net/core alone runs the
 * poll / re-enable / look-again sequence, through the driver's quiet() and listen(). Transmit:
 * dev_queue_xmit() calls ndo_start_xmit under the device's tx lock, in process or softirq context. */
#pragma once
#include "net/core/skbuff.h"
#include "net/port.h"

enum { ETH_ALEN = 6, ETH_HLEN = 14, ETH_DATA_LEN = 1500, ETH_FRAME_MIN = 60, IFNAMSIZ_ = 16 };

/* What the device can do for a packet; the rest net/core does in software, in one place
 * (dev_hard_start_xmit). */
enum netdev_features {
    NETIF_F_HW_CSUM = 1 << 0, /* fills CHECKSUM_PARTIAL */
    NETIF_F_SG = 1 << 1,      /* gathers fragments */
    NETIF_F_TSO = 1 << 2,     /* cuts TCP segments by gso_size */
    NETIF_F_RXCSUM = 1 << 3,  /* vouches for received checksums */
    NETIF_F_GRO = 1 << 5,     /* its packets may go up in trains (net/core/gro.h) */
    NETIF_F_LOOPBACK = 1 << 4 /* what is sent never leaves the machine: no checksums, no neighbours */
};

/* Interface flags, with Linux's values. */
enum netdev_flags {
    NETDEV_UP = 0x1,
    NETDEV_BROADCAST = 0x2,
    NETDEV_LOOPBACK = 0x8,
    NETDEV_RUNNING = 0x40,
    NETDEV_NOARP = 0x80,
    NETDEV_PROMISC = 0x100,
    NETDEV_ALLMULTI = 0x200,
    NETDEV_MULTICAST = 0x1000
};

/* net/core counts what was received, irqs and polls; the driver what it sent and what went wrong. */
struct net_device_stats {
    uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped, rx_no_buffer;
    uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
    uint64_t irqs, polls; /* how often napi_schedule() and the poll ran */
};

/* Add n to one of them. Only one CPU at a time may; others read meanwhile. */
static inline void netdev_count(uint64_t *counter, uint64_t n)
{
    WRITE_ONCE(*counter, *counter + n);
}

enum netdev_tx { NETDEV_TX_OK, NETDEV_TX_BUSY };

struct net_device_ops {
    /* Bring the card up: rings, buffers, irq. Process context. 0 or -errno (undone in reverse). */
    int (*ndo_open)(struct net_device *dev);
    /* Stop irqs and DMA, then free what open made. Process context. */
    void (*ndo_stop)(struct net_device *dev);
    /* Queue skb on the ring. OK: the driver owns skb (and frees it, also on an error it counts). BUSY: it
     * could not, skb stays the caller's; the driver has called netif_stop_queue(). The tx lock is held. */
    enum netdev_tx (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
    /* Optional. A batch of start_xmit calls has ended: ring the doorbell. Without it start_xmit rings it. */
    void (*ndo_xmit_flush)(struct net_device *dev);
    /* Optional: make the card's filter what NETDEV_PROMISC and _ALLMULTI and dev->groups ask for; too much is
     * no error. The device is open. NET_DEVICES lock held: does not sleep. */
    void (*ndo_set_rx_mode)(struct net_device *dev);
    int (*ndo_change_mtu)(struct net_device *dev, uint32_t mtu); /* optional: 0 or -EINVAL */
    int (*ndo_set_address)(struct net_device *dev,
                           const uint8_t *address); /* optional: while down; 0 or -errno */
    void (*ndo_get_stats)(struct net_device *dev,
                          struct net_device_stats *stats); /* optional: add the card's own */
    void (*ndo_tx_timeout)(struct net_device *dev);        /* optional: the queue was stopped for too long */
};

enum { NAPI_WEIGHT = 64, GRO_TRAINS = 4 };
struct napi_struct {
    struct softirq softirq; /* NET_RX; runs net_rx_action() on the CPU that took the interrupt */
    struct net_device *dev;
    int (*poll)(struct napi_struct *napi, int budget); /* packets handled, at most budget; softirq */
    void (*quiet)(struct napi_struct *napi);           /* no more interrupts, please; any context */
    bool (*listen)(struct napi_struct *napi); /* interrupts again; true if something slipped in meanwhile */
    uint32_t state;                           /* the bits below, atomic */
    int weight;                               /* budget of one poll */
    struct sk_buff *trains[GRO_TRAINS];       /* held back during a poll (net/core/gro.c) */
    unsigned n_trains;
};
/* SCHEDULED: whoever set it owns the poll. MISSED: scheduled again meanwhile, so look once more. */
enum { NAPI_SCHEDULED = 1 << 0, NAPI_DISABLED = 1 << 1, NAPI_MISSED = 1 << 2 };

struct link_type;

/* A group address that somebody listens to. */
struct netdev_group {
    struct list_head link; /* struct net_device.groups */
    uint8_t address[ETH_ALEN];
    uint32_t users;
};

struct net_device {
    /* set by the driver before register_netdev, constant afterwards */
    char name[16]; /* "eth0"; a %d in it is replaced by the lowest free number */
    uint8_t dev_addr[ETH_ALEN], broadcast[ETH_ALEN];
    uint32_t features, max_mtu;
    const struct net_device_ops *ops;
    uint16_t type; /* ARPHRD_ETHER 1, ARPHRD_LOOPBACK 772 */

    /* set by register_netdev */
    struct net *net;
    uint32_t ifindex;
    const struct link_type *link_type; /* how its frames are read and written */
    struct list_head link;             /* NET_DEVICES lock: in net->devices */

    uint32_t flags, mtu;     /* atomic: changed in process context by dev_open and friends; read anywhere */
    uint32_t promiscuity;    /* who wants all frames, beside the administrator; NET_DEVICES lock */
    struct list_head groups; /* struct netdev_group.link: group addresses to receive; NET_DEVICES lock */
    uint32_t n_groups;
    bool carrier;      /* netif_carrier_on/off, by the driver */
    bool carrier_told; /* NET_DEVICES lock: what who listens to RTNLGRP_LINK was told last */

    struct lock tx_lock; /* NETDEV_TX: all below, and the driver's transmit ring */
    struct sk_buff_head tx_queue;
    uint32_t tx_queue_len; /* limit of tx_queue in packets */
    bool tx_stopped;       /* netif_stop_queue: ring full */
    uint64_t tx_stopped_at;
    struct softirq tx_softirq; /* drains tx_queue when the ring has room again */
    struct timer tx_watchdog;  /* runs while the queue is stopped */

    struct net_device_stats stats; /* rx side by the polling CPU, tx side under tx_lock */
    void *ip_ptr;                  /* ipv4's part (struct in_device) */
    void *mc_ptr;                  /* igmp's part (struct mc_device) */
    uint64_t priv[];               /* the driver's part, netdev_priv() */
};

/* ---- for drivers: making and registering ---- */

/* What the world outside is told of a device. */
enum { NETDEV_TYPE_ETHER = 1 }; /* ARPHRD_ETHER */
struct net_device_facts {
    char name[16];
    uint8_t address[ETH_ALEN], broadcast[ETH_ALEN];
    uint32_t ifindex, mtu, flags, tx_queue_len;
    uint16_t type;
    bool carrier;
    struct net_device_stats stats;
};
/* The registered device with the least ifindex >= least. False: none. */
bool netdev_next(struct net *net, uint32_t least, struct net_device_facts *f);

/* A device with priv_size zeroed bytes of the driver's own and Ethernet's defaults (MTU 1500, flags). NULL
 * when memory is out. Process context. */
struct net_device *alloc_netdev(size_t priv_size, const char *name);
void free_netdev(struct net_device *dev); /* only while not registered */
static inline void *netdev_priv(struct net_device *dev)
{
    return dev->priv;
}
/* Give dev to net: it gets a name and an ifindex and may be opened. 0, -EEXIST, -ENOMEM. Process context. */
int register_netdev(struct net *net, struct net_device *dev);
/* Close it and take it out of its net; afterwards the caller frees it. Process context. */
void unregister_netdev(struct net_device *dev);

/* ---- for drivers: receive ---- */

/* Prepare napi, disabled; the driver then sets quiet and listen, which are required too. Before ndo_open
 * returns: napi_enable(). */
void netif_napi_add(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int));
void napi_enable(struct napi_struct *napi);
/* Wait until no poll runs, and let none start. Process context. */
void napi_disable(struct napi_struct *napi);
/* Top half: the card has been asked to be quiet; poll it soon on this CPU. Any context, from irq too. */
void napi_schedule(struct napi_struct *napi);
/* A buffer for a frame of up to size bytes, with NET_IP_ALIGN reserved; NULL when memory is out. Softirq or
 * process. */
struct sk_buff *netdev_alloc_skb(struct net_device *dev, uint32_t size);
/* A received frame, MAC header at data, FCS cut off. Takes skb. Softirq, from poll. */
void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb);

/* ---- for drivers: transmit and link ---- */

/* The ring is (nearly) full: no start_xmit until netif_wake_queue(). tx lock held. */
void netif_stop_queue(struct net_device *dev);
/* There is room again. Any softirq or process context, tx lock held or not. */
void netif_wake_queue(struct net_device *dev);
static inline bool netif_queue_stopped(const struct net_device *dev)
{
    return READ_ONCE(dev->tx_stopped);
}
/* Is the device's queue more than half full? Any context; it may be otherwise by now. */
static inline bool netif_tx_behind(const struct net_device *dev)
{
    return READ_ONCE(dev->tx_queue.qlen) > dev->tx_queue_len / 2;
}
/* The tx lock, for a driver's poll that reclaims the transmit ring. */
void netif_tx_lock(struct net_device *dev);
void netif_tx_unlock(struct net_device *dev);
void netif_carrier_on(struct net_device *dev);
void netif_carrier_off(struct net_device *dev);
/* Counts of sk_buffs that lie in a device's receive ring by design; shown beside the live ones. Any context.
 */
void netdev_ring_skbs(struct net_device *dev, int change);

/* ---- for net/ ---- */

/* Deliver a frame whose protocol is known (eth_type_trans has run): taps first, then the packet type's
 * handler. Takes skb. Softirq. */
void netif_receive_skb(struct sk_buff *skb);
/* Queue skb (complete frame) on the device's queueing discipline and send what the ring takes. Takes skb.
 * Process or softirq, no lock above NETDEV_TX. 0 if queued, -ENOBUFS or -ENETDOWN if dropped (and counted).
 */
int dev_queue_xmit(struct sk_buff *skb);
/* Its name as it is now: it may be renamed while it is read. Takes the NET_DEVICES lock. */
struct dev_name {
    char text[16];
};
struct dev_name dev_name(const struct net_device *dev);
/* What is set of flags (NETDEV_*). Any context. */
static inline uint32_t dev_flags(const struct net_device *dev, uint32_t flags)
{
    return READ_ONCE(dev->flags) & flags;
}
/* Set some of its flags, clear others, and do nothing about it; what they were. */
uint32_t dev_update_flags(struct net_device *dev, uint32_t set, uint32_t clear);
int dev_open(struct net_device *dev);   /* process context */
void dev_close(struct net_device *dev); /* process context */
int dev_set_mtu(struct net_device *dev, uint32_t mtu);
/* One more (change 1) or one less (-1) who wants to see all frames. Process context, no lock held. */
void dev_set_promiscuity(struct net_device *dev, int change);
/* One more (one less) who listens to the group address; the card's filter follows while the device is open.
 * 0 or -ENOMEM. Process or softirq, no lock of rank NET_DEVICES or above held. */
int dev_group_add(struct net_device *dev, const uint8_t *address);
void dev_group_del(struct net_device *dev, const uint8_t *address);
/* The card's filter as flags and groups ask for; harmless while the device is down. */
void dev_set_rx_mode(struct net_device *dev);
