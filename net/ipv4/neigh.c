/* net/ipv4/neigh.c - the cache of resolved addresses (RFC 1122 2.3.2; states as in RFC 4861 7.3.2).
 * An entry is INCOMPLETE (asking, holds a few packets, the oldest goes first), REACHABLE (confirmed lately),
 * STALE (use it, then ask), DELAY (used while stale), PROBE (asking its owner directly) or FAILED. Each entry
 * has one timer, which is always armed unless the entry is permanent; table and armed timer hold a reference
 * each. No entry asks more than once a second (RFC 1122 2.3.2.1). */
#include "lib/string.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"

enum { NEIGH_BUCKETS = 64, DAY_MS = 24 * 3600 * 1000 };
#define FAILED_KEPT sec(20)

struct neighbour {
    struct list_head link, lru; /* in its bucket; in arp_state.lru, the one used longest ago first */
    struct refcount refs;
    struct net_device *dev;
    be32 ip;
    uint8_t mac[ETH_ALEN];
    enum neigh_state state;
    bool permanent, dead; /* dead: no longer in the table */
    unsigned tries;       /* requests without an answer */
    uint64_t asked_at, used_at;
    struct timer timer;
    struct sk_buff_head waiting;
};

/* Read under NEIGH or without a lock; the timers that run keep what they were set for. */
struct neigh_knobs {
    int32_t entries_max, waiting_max, tries;
    uint64_t retransmit, reachable, delay_probe, stale_kept; /* ns */
};
static const struct neigh_knobs knobs_at_first = {
    .entries_max = 1024,
    .waiting_max = 16,
    .tries = 3,
    .retransmit = sec(1),
    .reachable = sec(30),  /* RFC 4861 10: REACHABLE_TIME */
    .delay_probe = sec(5), /* RFC 4861 10: DELAY_FIRST_PROBE_TIME */
    .stale_kept = sec(600),
};

struct arp_state {
    struct neigh_knobs knobs;
    struct sysctl_table sysctls;
    struct net_proc_file file;
    struct lock lock; /* NEIGH: the table, and all entries */
    struct list_head buckets[NEIGH_BUCKETS];
    struct list_head lru;
    unsigned count;
};

static const struct neigh_knobs *knobs_of(const struct neighbour *n)
{
    return &dev_net(n->dev)->arp->knobs;
}

static void neigh_timer(struct timer *t);

/* ---- entries ---- */

static void neigh_put(struct neighbour *n)
{
    if (refcount_put(&n->refs))
        mem_free(n);
}

static void arm(struct neighbour *n, uint64_t when)
{
    if (!timer_set(&n->timer, when))
        refcount_get(&n->refs);
}

static struct list_head *bucket_of(struct net *net, be32 ip)
{
    return &net->arp->buckets[siphash(&ip, sizeof ip, &net->hash_key) % NEIGH_BUCKETS];
}

static struct neighbour *find(struct net_device *dev, be32 ip)
{
    const struct list_head *bucket =
        bucket_of(dev_net(dev), ip); /* once: the loop's head is evaluated a turn */
    struct neighbour *n;

    list_for_each_entry (n, bucket, link)
        if (be32_equal(n->ip, ip) && n->dev == dev)
            return n;
    return NULL;
}

/* Take n out of the table; what waited for it moves to orphans. NEIGH lock held. */
static void unlist(struct arp_state *arp, struct neighbour *n, struct sk_buff_head *orphans)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(&n->waiting)))
        skb_queue_tail(orphans, skb);
    list_del(&n->link);
    list_del(&n->lru);
    arp->count--;
    n->dead = true;
    if (timer_cancel(&n->timer))
        neigh_put(n);
    neigh_put(n);
}

/* Room for one more: the entry used longest ago goes, unless it is permanent or just being asked for. */
static bool make_room(struct arp_state *arp, struct sk_buff_head *orphans)
{
    struct neighbour *n;

    if (arp->count < (unsigned)arp->knobs.entries_max)
        return true;
    list_for_each_entry (n, &arp->lru, lru) {
        if (!n->permanent && n->state != NEIGH_INCOMPLETE) {
            unlist(arp, n, orphans);
            return true;
        }
    }
    return false;
}

static struct neighbour *create(struct net_device *dev, be32 ip)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct sk_buff_head none; /* only entries without waiting packets make room */

    skb_queue_head_init(&none);
    struct neighbour *n = make_room(arp, &none) ? mem_alloc(sizeof *n) : NULL;
    if (!n)
        return NULL;
    refcount_set(&n->refs, 1);
    n->dev = dev;
    n->ip = ip;
    n->state = NEIGH_FAILED; /* nothing is known and nobody asks yet */
    timer_init(&n->timer, neigh_timer);
    skb_queue_head_init(&n->waiting);
    list_add(&n->link, bucket_of(dev_net(dev), ip));
    list_add_tail(&n->lru, &arp->lru);
    arp->count++;
    return n;
}

static bool address_known(const struct neighbour *n)
{
    return n->state != NEIGH_INCOMPLETE && n->state != NEIGH_FAILED;
}

/* ---- asking ---- */

static void ask(struct neighbour *n, uint64_t now)
{
    const struct in_device *ind = in_dev_get(n->dev);
    /* one that may still be there is asked directly (RFC 1122 2.3.2.1(2)) */
    const uint8_t *dest = n->state == NEIGH_PROBE ? n->mac : NULL;

    n->tries++;
    n->asked_at = now;
    arm(n, now + knobs_of(n)->retransmit);
    arp_send(n->dev, ARP_REQUEST, dest, ind->address, NULL, n->ip);
}

static void start_asking(struct neighbour *n, uint64_t now)
{
    n->state = NEIGH_INCOMPLETE;
    n->tries = 0;
    if (n->asked_at && now < n->asked_at + knobs_of(n)->retransmit)
        arm(n, n->asked_at + knobs_of(n)->retransmit); /* RFC 1122 2.3.2.1: at most one a second */
    else
        ask(n, now);
}

/* The owner does not answer: what waits is lost, and so is the entry soon. NEIGH lock held. */
static void give_up(struct neighbour *n, uint64_t now, struct sk_buff_head *lost)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(&n->waiting)))
        skb_queue_tail(lost, skb);
    n->state = NEIGH_FAILED;
    arm(n, now + FAILED_KEPT);
}

/* What the timer means in each state. NEIGH lock held. */
static void expire(struct neighbour *n, uint64_t now, struct sk_buff_head *lost)
{
    switch (n->state) {
    case NEIGH_INCOMPLETE:
    case NEIGH_PROBE:
        if (n->tries >= (unsigned)knobs_of(n)->tries)
            give_up(n, now, lost);
        else
            ask(n, now);
        break;
    case NEIGH_REACHABLE:
        n->state = NEIGH_STALE;
        arm(n, now + knobs_of(n)->stale_kept);
        break;
    case NEIGH_DELAY: /* nobody confirmed it while it was used: ask */
        n->state = NEIGH_PROBE;
        n->tries = 0;
        ask(n, now);
        break;
    case NEIGH_STALE:
    case NEIGH_FAILED:
        unlist(dev_net(n->dev)->arp, n, lost);
        break; /* RFC 1122 2.3.2.1: flushed */
    }
}

/* RFC 1122 2.4: the layer above is told, by an ICMP host unreachable to the packet's source. */
static void report_unreachable(struct sk_buff_head *lost)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(lost))) {
        icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
        kfree_skb_reason(skb, SKB_DROP_NEIGH_UNREACHABLE);
    }
}

static void neigh_timer(struct timer *t)
{
    struct neighbour *n = container_of(t, struct neighbour, timer);
    struct arp_state *arp = dev_net(n->dev)->arp;
    struct sk_buff_head lost;

    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    if (!n->dead && !n->permanent && !timer_pending(t))
        expire(n, time_now(), &lost);
    lock_release(&arp->lock);
    neigh_put(n); /* the reference of the arming that ran */
    report_unreachable(&lost);
}

/* ---- output ---- */

/* Keep skb until the address is known; with too many the oldest goes (RFC 1122 2.3.2.2: keep the latest). */
static void wait_for_address(struct neighbour *n, struct sk_buff *skb)
{
    if (n->waiting.qlen >= (uint32_t)knobs_of(n)->waiting_max)
        kfree_skb_reason(skb_dequeue(&n->waiting), SKB_DROP_NEIGH_QUEUE_FULL);
    skb_queue_tail(&n->waiting, skb);
}

static int xmit(struct sk_buff *skb, const uint8_t *dest)
{
    struct net_device *dev = skb->dev;

    dev->link_type->create(skb, dev, ETH_P_IP, dest);
    return dev_queue_xmit(skb);
}

/* n is about to be used: true and its MAC if it can be, else skb waits. NEIGH lock held. */
static bool use(struct neighbour *n, struct sk_buff *skb, uint8_t *mac)
{
    uint64_t now = time_now();

    n->used_at = now;
    list_del(&n->lru);
    list_add_tail(&n->lru, &dev_net(n->dev)->arp->lru);
    if (n->state == NEIGH_STALE && !n->permanent) {
        n->state = NEIGH_DELAY;
        arm(n, now + knobs_of(n)->delay_probe);
    }
    if (address_known(n)) {
        memcpy(mac, n->mac, ETH_ALEN);
        return true;
    }
    wait_for_address(n, skb);
    if (n->state == NEIGH_FAILED)
        start_asking(n, now);
    return false;
}

static int resolve_and_xmit(struct sk_buff *skb, be32 next_hop)
{
    struct net_device *dev = skb->dev;
    struct arp_state *arp = dev_net(dev)->arp;
    uint8_t mac[ETH_ALEN];
    bool ready = false;

    lock_acquire(&arp->lock);
    struct neighbour *n = find(dev, next_hop);
    if (!n)
        n = create(dev, next_hop);
    if (n)
        ready = use(n, skb, mac);
    lock_release(&arp->lock);
    if (!n) {
        kfree_skb_reason(skb, SKB_DROP_NEIGH_TABLE_FULL);
        return -ENOBUFS;
    }
    return ready ? xmit(skb, mac) : 0;
}

/* RFC 1112 6.4: the low 23 bits of the group below 01-00-5E. */
static void multicast_mac(be32 group, uint8_t *mac)
{
    uint32_t g = be32_to_cpu(group);
    const uint8_t m[ETH_ALEN] = {
        0x01, 0x00, 0x5e, (uint8_t)(g >> 16 & 0x7f), (uint8_t)(g >> 8), (uint8_t)g
    };
    memcpy(mac, m, ETH_ALEN);
}

int neigh_output(struct sk_buff *skb)
{
    const struct dst_entry *dst = skb->dst;
    uint8_t mac[ETH_ALEN];

    trace("neigh_output", skb->id, skb->len);
    if (dst->dev->flags & (NETDEV_LOOPBACK | NETDEV_NOARP) || dst->kind == DST_BROADCAST)
        return xmit(skb, NULL);
    if (dst->kind == DST_MULTICAST) {
        multicast_mac(dst->gateway, mac);
        return xmit(skb, mac);
    }
    return resolve_and_xmit(skb, dst->gateway);
}

/* ---- what is learned ---- */

static void learn(struct neighbour *n, const uint8_t *mac, bool solicited, struct sk_buff_head *ready)
{
    uint64_t now = time_now();
    bool moved = memcmp(n->mac, mac, ETH_ALEN) != 0;
    struct sk_buff *skb;

    if (n->permanent)
        return;
    if (solicited) {
        n->state = NEIGH_REACHABLE;
        arm(n, now + knobs_of(n)->reachable);
    } else if (!address_known(n) || moved) {
        n->state = NEIGH_STALE; /* heard of, not confirmed */
        arm(n, now + knobs_of(n)->stale_kept);
    }
    memcpy(n->mac, mac, ETH_ALEN);
    n->tries = 0;
    while ((skb = skb_dequeue(&n->waiting)))
        skb_queue_tail(ready, skb);
}

void neigh_update(struct net_device *dev, be32 ip, const uint8_t *mac, bool create_entry, bool solicited)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct sk_buff_head ready;
    struct sk_buff *skb;

    skb_queue_head_init(&ready);
    lock_acquire(&arp->lock);
    struct neighbour *n = find(dev, ip);
    if (!n && create_entry)
        n = create(dev, ip);
    if (n)
        learn(n, mac, solicited, &ready);
    lock_release(&arp->lock);
    while ((skb = skb_dequeue(&ready)))
        xmit(skb, mac);
}

int neigh_set_permanent(struct net_device *dev, be32 ip, const uint8_t *mac)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct neighbour *n;

    lock_acquire(&arp->lock);
    n = find(dev, ip);
    if (n)
        n->permanent = false; /* who set it may change it */
    lock_release(&arp->lock);
    neigh_update(dev, ip, mac, true, true);
    lock_acquire(&arp->lock);
    n = find(dev, ip);
    if (n)
        n->permanent = true;
    lock_release(&arp->lock);
    return n ? 0 : -ENOBUFS;
}

int neigh_forget(struct net_device *dev, be32 ip)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct sk_buff_head lost;

    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    struct neighbour *n = find(dev, ip);
    if (n)
        unlist(arp, n, &lost);
    lock_release(&arp->lock);
    skb_queue_purge(&lost, SKB_DROP_UNRESOLVED_FLUSHED);
    return n ? 0 : -ENXIO;
}

static int flags_of(const struct neighbour *n)
{
    return (address_known(n) ? ATF_COM : 0) | (n->permanent ? ATF_PERM : 0);
}

int neigh_get(struct net_device *dev, be32 ip, uint8_t *mac, int *flags)
{
    struct arp_state *arp = dev_net(dev)->arp;

    lock_acquire(&arp->lock);
    struct neighbour *n = find(dev, ip);
    if (n) {
        memcpy(mac, n->mac, ETH_ALEN);
        *flags = flags_of(n);
    }
    lock_release(&arp->lock);
    return n ? 0 : -ENXIO;
}

/* Forget all of dev (NULL: of every device). */
static void flush(struct net *net, const struct net_device *dev)
{
    struct arp_state *arp = net->arp;
    struct neighbour *n, *tmp;
    struct sk_buff_head lost;

    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    list_for_each_entry_safe (n, tmp, &arp->lru, lru)
        if (!dev || n->dev == dev)
            unlist(arp, n, &lost);
    lock_release(&arp->lock);
    skb_queue_purge(&lost, SKB_DROP_UNRESOLVED_FLUSHED);
}

void arp_flush_device(struct net_device *dev)
{
    flush(dev_net(dev), dev);
}

/* ---- /proc/net/arp ---- */

void neigh_show(struct net *net, struct textbuf *out)
{
    struct neighbour *n;
    char ip[16], mac[18];

    textbuf_printf(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
    lock_acquire(&net->arp->lock);
    list_for_each_entry (n, &net->arp->lru, lru) {
        ksnprintf(ip, sizeof ip, "%pI4", &n->ip);
        ksnprintf(mac, sizeof mac, "%pM", n->mac);
        textbuf_printf(out, "%-16s 0x%-10x0x%-10x%s     *        %s\n", ip, ARP_HARDWARE_ETHERNET,
                       (unsigned)flags_of(n), mac, n->dev->name);
    }
    lock_release(&net->arp->lock);
}

/* ---- life ---- */

static const struct sysctl sysctls[] = {
    { SYSCTL_INT("net/ipv4/neigh/default/gc_thresh3", struct neigh_knobs, entries_max, 8, 65536,
                 "neighbours that are kept at most") },
    { SYSCTL_INT("net/ipv4/neigh/default/unres_qlen", struct neigh_knobs, waiting_max, 1, 1024,
                 "packets that wait for one neighbour's address; with more the oldest goes") },
    { SYSCTL_INT("net/ipv4/neigh/default/mcast_solicit", struct neigh_knobs, tries, 1, 100,
                 "how often a neighbour is asked for before it counts as unreachable") },
    { SYSCTL_MS("net/ipv4/neigh/default/retrans_time_ms", struct neigh_knobs, retransmit, 10, DAY_MS,
                "time between two of those questions, ms") },
    { SYSCTL_MS("net/ipv4/neigh/default/base_reachable_time_ms", struct neigh_knobs, reachable, 10, DAY_MS,
                "how long a confirmed address is believed, ms") },
    { SYSCTL_SECONDS("net/ipv4/neigh/default/delay_first_probe_time", struct neigh_knobs, delay_probe, 0,
                     3600, "how long a stale address is used before its owner is asked, seconds") },
    { SYSCTL_SECONDS("net/ipv4/neigh/default/gc_stale_time", struct neigh_knobs, stale_kept, 1, 86400,
                     "how long an address that nobody uses is kept, seconds") },
    { .path = NULL },
};

int neigh_init(struct net *net)
{
    struct arp_state *arp = mem_alloc(sizeof *arp);
    if (!arp)
        return -ENOMEM;
    arp->knobs = knobs_at_first;
    net_sysctl_register(net, &arp->sysctls, sysctls, &arp->knobs);
    lock_init(&arp->lock, "neighbours", RANK_NEIGH);
    for (unsigned i = 0; i < NEIGH_BUCKETS; i++)
        list_init(&arp->buckets[i]);
    list_init(&arp->lru);
    arp->file = (struct net_proc_file){ .name = "arp", .show = neigh_show };
    net_proc_register(net, &arp->file);
    net->arp = arp;
    return 0;
}

void neigh_exit(struct net *net)
{
    flush(net, NULL);
    net_proc_unregister(net, &net->arp->file);
    net_sysctl_unregister(&net->arp->sysctls);
    mem_free(net->arp);
    net->arp = NULL;
}
