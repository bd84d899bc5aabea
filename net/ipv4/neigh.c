/* net/ipv4/neigh.c - what happens to a neighbour: asked for, heard of, confirmed, doubted, given up (RFC 1122
 * 2.3.2; states and timers as in RFC 4861 7.3). Nobody is asked for more than once a second (RFC 1122
 * 2.3.2.1). A packet whose route knows its neighbour reads one word of it and goes: all else is for the first
 * packet, and for those that come in doubt. */
#include "lib/string.h"
#include "net/ipv4/neigh_entry.h"

#define FAILED_KEPT sec(20)

static const struct neigh_knobs *knobs_of(const struct neighbour *n)
{
    return &n->arp->knobs;
}

/* ---- asking ---- */

/* Our address in the question: the one that the packet's route has for it; else the link's. */
static be32 who_asks(const struct neighbour *n)
{
    const struct sk_buff *skb = skb_peek(&n->waiting);

    return skb && !ipv4_is_zero(skb->dst->prefsrc) ? skb->dst->prefsrc
                                                   : inet_select_addr(n->dev, n->ip, SCOPE_LINK);
}

static void ask(struct neighbour *n, uint64_t now)
{
    /* one that may still be there is asked directly (RFC 1122 2.3.2.1(2)) */
    const uint8_t *dest = n->state == NEIGH_PROBE ? n->mac : NULL;
    be32 sender = who_asks(n);

    n->tries++;
    n->asked_at = now;
    neigh_arm(n, now + READ_ONCE(knobs_of(n)->retransmit));
    if (!ipv4_is_zero(sender)) /* RFC 5227 1.1: zero would say that we want the address for ourselves */
        arp_send(n->dev, ARP_REQUEST, dest, sender, NULL, n->ip);
}

static void start_asking(struct neighbour *n, uint64_t now)
{
    neigh_enter(n, NEIGH_INCOMPLETE);
    n->tries = 0;
    if (n->asked_at && now < n->asked_at + READ_ONCE(knobs_of(n)->retransmit))
        neigh_arm(n, n->asked_at +
                         READ_ONCE(knobs_of(n)->retransmit)); /* RFC 1122 2.3.2.1: at most one a second */
    else
        ask(n, now);
}

void neigh_probe(struct neighbour *n)
{
    neigh_enter(n, NEIGH_PROBE);
    n->tries = 0;
    ask(n, time_now());
}

void neigh_give_up(struct neighbour *n, struct sk_buff_head *lost)
{
    neigh_take_waiting(n, lost);
    neigh_enter(n, NEIGH_FAILED);
    neigh_arm(n, time_now() + FAILED_KEPT);
}

static void confirm(struct neighbour *n, uint64_t now)
{
    uint64_t base = READ_ONCE(knobs_of(n)->reachable);

    n->confirmed_at = now;
    n->tries = 0;
    WRITE_ONCE(n->progress, false);
    neigh_enter(n, NEIGH_REACHABLE);
    neigh_arm(n, now + base / 2 +
                     random_u32() % (base / 1000000 + 1) * 1000000); /* RFC 4861 6.3.2: 0.5 to 1.5 */
}

static void become_stale(struct neighbour *n, uint64_t now)
{
    neigh_enter(n, NEIGH_STALE);
    neigh_arm(n, now + READ_ONCE(knobs_of(n)->stale_kept));
}

/* ---- time ---- */

/* Few entries do no harm, and a stale one is asked before it is believed. Else RFC 1122 2.3.2.1: flushed. */
static void leave_or_stay(struct neighbour *n, uint64_t now, struct sk_buff_head *lost)
{
    if (n->arp->count <= (unsigned)READ_ONCE(knobs_of(n)->gc_thresh1))
        neigh_arm(n, now + READ_ONCE(knobs_of(n)->stale_kept));
    else
        neigh_unlist(n, lost);
}

/* What the timer means in each state. NEIGH lock held. */
static void expire(struct neighbour *n, uint64_t now, struct sk_buff_head *lost)
{
    const struct neigh_knobs *knobs = knobs_of(n);
    bool progress = READ_ONCE(n->progress); /* RFC 4861 7.3.1: what TCP sees counts as an answer */

    switch (n->state) {
    case NEIGH_INCOMPLETE:
        if (n->tries >= (unsigned)READ_ONCE(knobs->mcast_tries))
            neigh_give_up(n, lost);
        else
            ask(n, now);
        break;
    case NEIGH_PROBE:
        if (progress)
            confirm(n, now);
        else if (n->tries >= (unsigned)READ_ONCE(knobs->ucast_tries))
            neigh_give_up(n, lost);
        else
            ask(n, now);
        break;
    case NEIGH_REACHABLE:
        if (progress)
            confirm(n, now);
        else
            become_stale(n, now);
        break;
    case NEIGH_DELAY: /* nobody confirmed it while it was used: ask */
        if (progress)
            confirm(n, now);
        else
            neigh_probe(n);
        break;
    case NEIGH_STALE:
        leave_or_stay(n, now, lost);
        break;
    case NEIGH_FAILED:
        neigh_unlist(n, lost);
        break;
    case NEIGH_PERMANENT:
        break;
    }
}

/* RFC 1122 2.4: the layer above is told, by an ICMP host unreachable to the packet's source (RFC 1812 5.3.2.2
 * where that is somebody else). */
static void report_unreachable(struct sk_buff_head *lost)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(lost))) {
        icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
        kfree_skb_reason(skb, SKB_DROP_NEIGH_UNREACHABLE);
    }
}

void neigh_timer(struct timer *t)
{
    struct neighbour *n = container_of(t, struct neighbour, timer);
    struct arp_state *arp = n->arp;
    struct sk_buff_head lost;

    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    if (!n->dead && !timer_pending(t))
        expire(n, time_now(), &lost);
    lock_release(&arp->lock);
    neigh_put(n); /* the reference of the arming that ran */
    report_unreachable(&lost);
}

/* ---- output ---- */

/* Keep skb until the address is known; with too many the oldest goes (RFC 1122 2.3.2.2: keep the latest). */
static void wait_for_address(struct neighbour *n, struct sk_buff *skb)
{
    struct arp_state *arp = n->arp;

    if (n->waiting.qlen >= (uint32_t)READ_ONCE(arp->knobs.waiting_max)) {
        kfree_skb_reason(skb_dequeue(&n->waiting), SKB_DROP_NEIGH_QUEUE_FULL);
        arp->waiting--;
    }
    if (arp->waiting >= NEIGH_WAITING_MOST) { /* a scan with many packets to each */
        kfree_skb_reason(skb, SKB_DROP_NEIGH_QUEUE_FULL);
        return;
    }
    arp->waiting++;
    skb_queue_tail(&n->waiting, skb);
}

static int xmit(struct sk_buff *skb, const uint8_t *dest)
{
    struct net_device *dev = skb->dev;

    dev->link_type->create(skb, dev, ETH_P_IP, dest);
    return dev_queue_xmit(skb);
}

void neigh_send_all(struct sk_buff_head *ready, const uint8_t *mac)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(ready)))
        xmit(skb, mac);
}

/* n is about to be used: true and its MAC if it can be, else skb waits. NEIGH lock held. */
static bool use(struct neighbour *n, struct sk_buff *skb, uint8_t *mac)
{
    uint64_t now = time_now();

    n->used_at = now;
    WRITE_ONCE(n->used, true);
    list_del(&n->age);
    list_add_tail(&n->age, &n->arp->aged);
    if (n->state == NEIGH_STALE) {
        WRITE_ONCE(n->progress, false);
        neigh_enter(n, NEIGH_DELAY);
        neigh_arm(n, now + READ_ONCE(knobs_of(n)->delay_probe));
    }
    if (neigh_address_known(n)) {
        memcpy(mac, n->mac, ETH_ALEN);
        return true;
    }
    wait_for_address(n, skb);
    if (n->state == NEIGH_FAILED)
        start_asking(n, now);
    return false;
}

static struct neighbour *neighbour_of(struct dst_entry *dst)
{
    struct neighbour *n = dst->neigh;

    if (n && !n->dead)
        return n;
    n = neigh_find(dst->dev, dst->gateway);
    if (!n)
        n = neigh_create(dst->dev, dst->gateway);
    if (n)
        neigh_bind(dst, n);
    return n;
}

static int resolve_and_xmit(struct sk_buff *skb)
{
    struct arp_state *arp = skb->net->arp;
    uint8_t mac[ETH_ALEN];
    bool ready = false;

    lock_acquire(&arp->lock);
    struct neighbour *n = neighbour_of(skb->dst);
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
void ip_group_mac(be32 group, uint8_t *mac)
{
    uint32_t g = be32_to_cpu(group);
    const uint8_t m[ETH_ALEN] = {
        0x01, 0x00, 0x5e, (uint8_t)(g >> 16 & 0x7f), (uint8_t)(g >> 8), (uint8_t)g
    };
    memcpy(mac, m, ETH_ALEN);
}

/* The way of a packet whose route has not met its neighbour yet, or whose neighbour is in doubt. */
static int output_slowly(struct sk_buff *skb)
{
    const struct dst_entry *dst = skb->dst;
    uint8_t mac[ETH_ALEN];

    if (dev_flags(dst->dev, NETDEV_LOOPBACK | NETDEV_NOARP) || dst->kind == DST_BROADCAST)
        return xmit(skb, NULL);
    if (dst->kind == DST_MULTICAST) {
        ip_group_mac(dst->gateway, mac);
        return xmit(skb, mac);
    }
    return resolve_and_xmit(skb);
}

int neigh_output(struct sk_buff *skb)
{
    struct neighbour *n = __atomic_load_n(&skb->dst->neigh, __ATOMIC_ACQUIRE); /* partner: neigh_bind() */
    uint64_t shortcut;

    trace("neigh_output", skb->id, skb->len);
    if (!n || !(shortcut = READ_ONCE(n->shortcut)))
        return output_slowly(skb);
    if (!READ_ONCE(n->used))
        WRITE_ONCE(n->used, true);
    return xmit(skb, (const uint8_t *)&shortcut); /* its first bytes are the MAC */
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "NEIGH_USABLE lies behind the MAC");

/* ---- what is learned ---- */

void neigh_learn(struct neighbour *n, const uint8_t *mac, bool confirmed, struct sk_buff_head *ready)
{
    uint64_t now = time_now();
    bool news = !neigh_address_known(n) || memcmp(n->mac, mac, ETH_ALEN) != 0;

    memcpy(n->mac, mac, ETH_ALEN);
    if (confirmed)
        confirm(n, now);
    else if (news)
        become_stale(n, now); /* heard of, not confirmed */
    n->tries = 0;
    neigh_take_waiting(n, ready);
    if (!confirmed && !skb_queue_empty(ready)) { /* what waited uses it now (RFC 4861 7.3.3) */
        neigh_enter(n, NEIGH_DELAY);
        neigh_arm(n, now + READ_ONCE(knobs_of(n)->delay_probe));
    }
}

void neigh_update(struct net_device *dev, be32 ip, const uint8_t *mac, bool create, bool reply)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct sk_buff_head ready;

    skb_queue_head_init(&ready);
    lock_acquire(&arp->lock);
    struct neighbour *n = neigh_find(dev, ip);
    if (!n && create)
        n = neigh_create(dev, ip);
    if (n && n->state != NEIGH_PERMANENT)
        neigh_learn(n, mac, reply && n->tries, &ready); /* an answer to no question confirms nothing */
    lock_release(&arp->lock);
    neigh_send_all(&ready, mac);
}
