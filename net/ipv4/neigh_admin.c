/* net/ipv4/neigh_admin.c - neighbours as an administrator sees and sets them: arp(8), ip-neighbour(8), the
 * knobs of arp(7), /proc/net/arp. */
#include "lib/string.h"
#include "net/ipv4/neigh_entry.h"

enum { DAY_MS = 24 * 3600 * 1000, ENTRIES_MOST = 65536 };

/* ---- setting ---- */

static bool wants_mac(enum neigh_state state)
{
    return state != NEIGH_FAILED && state != NEIGH_INCOMPLETE;
}

/* May n get mac and state? */
static int may_set(const struct neighbour *n, const uint8_t *mac, enum neigh_state state, unsigned flags)
{
    if (!n)
        return flags & NEIGH_CREATE ? (wants_mac(state) && !mac ? -EINVAL : 0) : -ENOENT;
    if (flags & NEIGH_EXCLUSIVE)
        return -EEXIST;
    bool known = neigh_address_known(n);
    if (wants_mac(state) && !mac && !known)
        return -EINVAL;
    if (mac && known && memcmp(n->mac, mac, ETH_ALEN) && !(flags & NEIGH_REPLACE))
        return -EEXIST;
    return 0;
}

/* NEIGH lock held. */
static void set(struct neighbour *n, const uint8_t *mac, enum neigh_state state, struct sk_buff_head *ready,
                struct sk_buff_head *lost)
{
    if (state == NEIGH_FAILED) {
        neigh_give_up(n, lost);
        return;
    }
    const uint8_t *known = mac ? mac : n->mac;
    neigh_learn(n, known, state != NEIGH_STALE, ready);
    if (state == NEIGH_PERMANENT) {
        if (timer_cancel(&n->timer))
            neigh_put(n);
        neigh_enter(n, NEIGH_PERMANENT);
    } else if (state == NEIGH_PROBE || state == NEIGH_DELAY) {
        neigh_probe(n);
    } else if (state == NEIGH_STALE && n->state == NEIGH_REACHABLE) {
        neigh_enter(n, NEIGH_STALE);
    }
}

int neigh_set(struct net_device *dev, be32 ip, const uint8_t *mac, enum neigh_state state, unsigned flags)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct sk_buff_head ready, lost;
    uint8_t dest[ETH_ALEN];

    skb_queue_head_init(&ready);
    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    struct neighbour *n = neigh_find(dev, ip);
    int err = may_set(n, mac, state, flags);
    if (!err && !n) {
        n = neigh_create(dev, ip);
        err = n ? 0 : -ENOBUFS;
    }
    if (!err) {
        set(n, mac, state, &ready, &lost);
        memcpy(dest, n->mac, ETH_ALEN);
    }
    lock_release(&arp->lock);
    if (!err)
        neigh_send_all(&ready, dest);
    skb_queue_purge(&lost, SKB_DROP_NEIGH_UNREACHABLE);
    return err;
}

int neigh_set_permanent(struct net_device *dev, be32 ip, const uint8_t *mac)
{
    return neigh_set(dev, ip, mac, NEIGH_PERMANENT, NEIGH_CREATE | NEIGH_REPLACE);
}

int neigh_forget(struct net_device *dev, be32 ip)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct sk_buff_head lost;

    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    struct neighbour *n = neigh_find(dev, ip);
    if (n)
        neigh_unlist(n, &lost);
    lock_release(&arp->lock);
    skb_queue_purge(&lost, SKB_DROP_UNRESOLVED_FLUSHED);
    return n ? 0 : -ENXIO;
}

/* ---- telling ---- */

int neigh_get(struct net_device *dev, be32 ip, struct neigh_info *info)
{
    struct arp_state *arp = dev_net(dev)->arp;

    lock_acquire(&arp->lock);
    struct neighbour *n = neigh_find(dev, ip);
    if (n)
        neigh_inform(n, info);
    lock_release(&arp->lock);
    return n ? 0 : -ENXIO;
}

void neigh_for_each(struct net *net, void (*fn)(const struct neigh_info *info, void *arg), void *arg)
{
    struct neighbour *n;
    struct neigh_info info;

    lock_acquire(&net->arp->lock);
    list_for_each_entry (n, &net->arp->aged, age) {
        neigh_inform(n, &info);
        fn(&info, arg);
    }
    lock_release(&net->arp->lock);
}

int arp_flags(const struct neigh_info *info)
{
    bool known = info->state != NEIGH_INCOMPLETE && info->state != NEIGH_FAILED;

    return (known ? ATF_COM : 0) | (info->state == NEIGH_PERMANENT ? ATF_PERM : 0);
}

void neigh_show(struct net *net, struct textbuf *out)
{
    struct neighbour *n;
    struct neigh_info info;
    char ip[16], mac[18];

    textbuf_printf(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
    lock_acquire(&net->arp->lock);
    list_for_each_entry (n, &net->arp->aged, age) {
        neigh_inform(n, &info);
        ksnprintf(ip, sizeof ip, "%pI4", &n->ip);
        ksnprintf(mac, sizeof mac, "%pM", info.mac);
        textbuf_printf(out, "%-16s 0x%-10x0x%-10x%s     *        %s\n", ip, ARP_HARDWARE_ETHERNET,
                       (unsigned)arp_flags(&info), mac, dev_name(n->dev).text);
    }
    lock_release(&net->arp->lock);
}

/* ---- knobs ---- */

static const struct sysctl sysctls[] = {
    { SYSCTL_INT("net/ipv4/neigh/default/gc_thresh1", struct neigh_knobs, gc_thresh1, 0, ENTRIES_MOST,
                 "with no more neighbours than that none is forgotten for its age") },
    { SYSCTL_INT("net/ipv4/neigh/default/gc_thresh2", struct neigh_knobs, gc_thresh2, 1, ENTRIES_MOST,
                 "so many neighbours are left when the table was full and had to be cleared") },
    { SYSCTL_INT("net/ipv4/neigh/default/gc_thresh3", struct neigh_knobs, gc_thresh3, 8, ENTRIES_MOST,
                 "neighbours that are kept at most, beside the permanent ones") },
    { SYSCTL_INT("net/ipv4/neigh/default/unres_qlen", struct neigh_knobs, waiting_max, 1, 1024,
                 "packets that wait for one neighbour's address; with more the oldest goes") },
    { SYSCTL_INT("net/ipv4/neigh/default/mcast_solicit", struct neigh_knobs, mcast_tries, 1, 100,
                 "how often a neighbour is asked for before it counts as unreachable") },
    { SYSCTL_INT("net/ipv4/neigh/default/ucast_solicit", struct neigh_knobs, ucast_tries, 1, 100,
                 "how often a neighbour that was known is asked itself whether it is still there") },
    { SYSCTL_MS("net/ipv4/neigh/default/retrans_time_ms", struct neigh_knobs, retransmit, 10, DAY_MS,
                "time between two of those questions, ms") },
    { SYSCTL_MS(
        "net/ipv4/neigh/default/base_reachable_time_ms", struct neigh_knobs, reachable, 10, DAY_MS,
        "how long a confirmed address is believed, ms; each time between half and three halves of it") },
    { SYSCTL_SECONDS("net/ipv4/neigh/default/delay_first_probe_time", struct neigh_knobs, delay_probe, 0,
                     3600, "how long a stale address is used before its owner is asked, seconds") },
    { SYSCTL_SECONDS("net/ipv4/neigh/default/gc_stale_time", struct neigh_knobs, stale_kept, 1, 86400,
                     "how long an address that nobody uses is kept, seconds") },
    { .path = NULL },
};

void neigh_knobs_init(struct arp_state *arp)
{
    arp->knobs = (struct neigh_knobs){
        .gc_thresh1 = 128,
        .gc_thresh2 = 512,
        .gc_thresh3 = 1024,
        .waiting_max = 16,
        .mcast_tries = 3,
        .ucast_tries = 3,
        .retransmit = sec(1),
        .reachable = sec(30),  /* RFC 4861 10: REACHABLE_TIME */
        .delay_probe = sec(5), /* RFC 4861 10: DELAY_FIRST_PROBE_TIME */
        .stale_kept = sec(600),
    };
    net_sysctl_register(arp->net, &arp->sysctls, sysctls, &arp->knobs);
}
