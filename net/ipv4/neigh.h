/* net/ipv4/neigh.h - neighbours: which MAC an address of the link has (RFC 1122 2.3.2); for net/.
 *
 * An entry is INCOMPLETE (asking, holds a few packets), REACHABLE (confirmed lately), STALE (use it, then
 * ask), DELAY (used while stale), PROBE (asking its owner directly), FAILED, or PERMANENT (somebody said so).
 * States and timers are those of RFC 4861 7.3, which fit ARP as well. */
#pragma once
#include "lib/format.h"
#include "net/core/dst.h"

enum neigh_state {
    NEIGH_INCOMPLETE,
    NEIGH_REACHABLE,
    NEIGH_STALE,
    NEIGH_DELAY,
    NEIGH_PROBE,
    NEIGH_FAILED,
    NEIGH_PERMANENT
};

/* ---- for packets ---- */

/* Send the IP packet skb (IP header at data) to the next hop of its route: puts the link header in front, or
 * keeps it while the address is looked for. Takes skb. 0 or -errno as dev_queue_xmit, -ENOBUFS. Process or
 * softirq; sk->lock may be held. */
int neigh_output(struct sk_buff *skb);
/* mac is ip's address on dev, as a packet said: an entry is updated, and made if create. reply: the packet
 * was an answer to us; it confirms only what we asked for. Sends what waited. Softirq. */
void neigh_update(struct net_device *dev, be32 ip, const uint8_t *mac, bool create, bool reply);

/* ---- for administrators ---- */

/* An entry as it is told. Times are of time_now(), 0: never. */
struct neigh_info {
    uint32_t ifindex;
    be32 ip;
    uint8_t mac[ETH_ALEN]; /* zeros while unknown */
    enum neigh_state state;
    bool gone; /* no longer in the table */
    uint64_t confirmed_at, used_at, updated_at;
    unsigned tries; /* requests without an answer */
};
enum neigh_set_flags { NEIGH_CREATE = 1, NEIGH_EXCLUSIVE = 2, NEIGH_REPLACE = 4 };

/* Say what ip on dev is: mac (NULL: keep what is known) and state (STALE, REACHABLE, PERMANENT, FAILED, or
 * PROBE: ask now). flags: NEIGH_CREATE: make one that is not there (else -ENOENT); NEIGH_EXCLUSIVE: -EEXIST
 * if it is there; NEIGH_REPLACE: another MAC may take the place of the one known (else -EEXIST). 0, -EINVAL
 * (no mac for one that needs it), -ENOBUFS. Process context. */
int neigh_set(struct net_device *dev, be32 ip, const uint8_t *mac, enum neigh_state state, unsigned flags);
/* An entry that stays (SIOCSARP), whatever was there. 0 or -ENOBUFS. Process context. */
int neigh_set_permanent(struct net_device *dev, be32 ip, const uint8_t *mac);
/* Forget ip on dev. 0 or -ENXIO. */
int neigh_forget(struct net_device *dev, be32 ip);
/* What is known of ip on dev: 0 or -ENXIO. */
int neigh_get(struct net_device *dev, be32 ip, struct neigh_info *info);
/* Call fn for each entry with the NEIGH lock held. */
void neigh_for_each(struct net *net, void (*fn)(const struct neigh_info *info, void *arg), void *arg);
/* From now on fn hears of each entry that changed, in softirq, with no lock held, soon afterwards; several
 * changes of one entry may be told as one. fn NULL: no longer; returns when fn does not run. One listener at
 * most. Process context. */
void neigh_listen(struct net *net, void (*fn)(struct net *net, const struct neigh_info *info));
/* Forget all of dev. */
void arp_flush_device(struct net_device *dev);

int neigh_init(struct net *net);
void neigh_exit(struct net *net);
