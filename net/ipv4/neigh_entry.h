/* net/ipv4/neigh_entry.h - the table of neighbours from inside: for neigh*.c. */
#pragma once
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/neigh.h"

enum { NEIGH_BUCKETS = 256, NEIGH_WAITING_MOST = 4096 };

/* Table, route and armed timer hold a reference each. */
struct neighbour {
    /* read without a lock, written with NEIGH */
    uint64_t shortcut; /* the MAC and NEIGH_USABLE, while a packet needs no look at the state; else 0 */
    bool used;         /* by a packet since it was last STALE; written by anybody */
    bool progress;     /* a layer above saw the neighbour answer, since it was last looked at; by anybody */

    /* constant */
    struct arp_state *arp;
    struct net_device *dev; /* not to be touched once dead: it may be gone */
    uint32_t ifindex;
    be32 ip;

    /* NEIGH lock */
    struct list_head link, age; /* in its bucket; in arp_state.aged, what was needed longest ago first */
    struct list_head changed;   /* in arp_state.changed, with a reference, until it is told */
    struct refcount refs;
    uint8_t mac[ETH_ALEN];
    enum neigh_state state;
    bool dead;      /* no longer in the table */
    unsigned tries; /* requests without an answer */
    uint64_t asked_at, used_at, confirmed_at, updated_at;
    struct timer timer; /* armed in all states but PERMANENT */
    struct sk_buff_head waiting;
};
#define NEIGH_USABLE ((uint64_t)1 << 63)

/* Read under NEIGH or without a lock; the timers that run keep what they were set for. */
struct neigh_knobs {
    int32_t gc_thresh1, gc_thresh2, gc_thresh3, waiting_max, mcast_tries, ucast_tries;
    uint64_t retransmit, reachable, delay_probe, stale_kept; /* ns */
};

struct arp_state {
    struct net *net;
    struct neigh_knobs knobs;
    struct sysctl_table sysctls;
    struct net_proc_file file;
    void (*listener)(struct net *net, const struct neigh_info *info); /* read without the lock */
    struct tasklet teller;

    struct lock lock; /* NEIGH: the table, and all entries */
    struct list_head buckets[NEIGH_BUCKETS];
    struct list_head aged, changed;
    unsigned count;   /* entries that may be collected: all but the permanent */
    unsigned waiting; /* packets that wait, in all */
};

/* ---- neigh_table.c: NEIGH lock held ---- */

void neigh_put(struct neighbour *n); /* any lock */
struct neighbour *neigh_find(struct net_device *dev, be32 ip);
/* A new entry, FAILED: nothing is known and nobody asks yet. Others may have to go for it. NULL: no room. */
struct neighbour *neigh_create(struct net_device *dev, be32 ip);
/* Take n out of the table; what waited for it moves to orphans. */
void neigh_unlist(struct neighbour *n, struct sk_buff_head *orphans);
/* n is in state from now on: shortcut, count and listener follow. */
void neigh_enter(struct neighbour *n, enum neigh_state state);
void neigh_arm(struct neighbour *n, uint64_t when);
void neigh_take_waiting(struct neighbour *n, struct sk_buff_head *to);
/* dst's packets go to n from now on, unless they go elsewhere already; then the next route is better. */
void neigh_bind(struct dst_entry *dst, struct neighbour *n);
void neigh_inform(const struct neighbour *n, struct neigh_info *info);
static inline bool neigh_address_known(const struct neighbour *n)
{
    return n->state != NEIGH_INCOMPLETE && n->state != NEIGH_FAILED;
}

/* ---- neigh.c: NEIGH lock held ---- */

void neigh_timer(struct timer *t); /* no lock */
/* n has mac; confirmed: its owner said so just now. What waited moves to ready. */
void neigh_learn(struct neighbour *n, const uint8_t *mac, bool confirmed, struct sk_buff_head *ready);
void neigh_give_up(struct neighbour *n, struct sk_buff_head *lost);
/* Ask n's owner whether it is still there. */
void neigh_probe(struct neighbour *n);
/* Send what waited to mac; no lock. */
void neigh_send_all(struct sk_buff_head *ready, const uint8_t *mac);

/* ---- neigh_admin.c ---- */

void neigh_knobs_init(struct arp_state *arp);
void neigh_show(struct net *net, struct textbuf *out);
