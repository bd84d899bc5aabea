/* net/ipv4/neigh_table.c - the table of neighbours: what is in it, who has to leave when it is full, and who
 * is told of changes.
 *
 * An entry's life is a reference of the table and one of each route that sends through it. A route keeps its
 * first entry for good; when that one dies the route becomes obsolete, and whoever holds it looks up anew. */
#include "lib/string.h"
#include "net/ipv4/neigh_entry.h"

void neigh_put(struct neighbour *n)
{
    if (refcount_put(&n->refs))
        mem_free(n);
}

void neigh_arm(struct neighbour *n, uint64_t when)
{
    if (!timer_set(&n->timer, when))
        refcount_get(&n->refs);
}

static struct list_head *bucket_of(struct arp_state *arp, be32 ip)
{
    return &arp->buckets[siphash(&ip, sizeof ip, &arp->net->hash_key) % NEIGH_BUCKETS];
}

struct neighbour *neigh_find(struct net_device *dev, be32 ip)
{
    const struct list_head *bucket =
        bucket_of(dev_net(dev)->arp, ip); /* once: the loop's head is evaluated a turn */
    struct neighbour *n;

    list_for_each_entry (n, bucket, link)
        if (be32_equal(n->ip, ip) && n->dev == dev)
            return n;
    return NULL;
}

/* ---- changes ---- */

/* The listener is to hear of n; later, as its locks rank below ours. */
static void note_change(struct neighbour *n)
{
    struct arp_state *arp = n->arp;

    n->updated_at = time_now();
    if (!READ_ONCE(arp->listener) || !list_empty(&n->changed))
        return;
    refcount_get(&n->refs);
    list_add_tail(&n->changed, &arp->changed);
    tasklet_schedule(&arp->teller);
}

void neigh_inform(const struct neighbour *n, struct neigh_info *info)
{
    *info = (struct neigh_info){ .ifindex = n->ifindex,
                                 .ip = n->ip,
                                 .state = n->state,
                                 .gone = n->dead,
                                 .confirmed_at = n->confirmed_at,
                                 .used_at = n->used_at,
                                 .updated_at = n->updated_at,
                                 .tries = n->tries };
    if (neigh_address_known(n))
        memcpy(info->mac, n->mac, ETH_ALEN);
}

/* What is to be told of the oldest change. False: none is left. */
static bool next_change(struct arp_state *arp, struct neigh_info *info)
{
    lock_acquire(&arp->lock);
    struct neighbour *n = list_first_entry(&arp->changed, struct neighbour, changed);
    if (n) {
        list_del(&n->changed);
        neigh_inform(n, info);
        neigh_put(n);
    }
    lock_release(&arp->lock);
    return n != NULL;
}

static void tell(struct tasklet *t)
{
    struct arp_state *arp = container_of(t, struct arp_state, teller);
    struct neigh_info info;

    while (next_change(arp, &info)) {
        void (*fn)(struct net *, const struct neigh_info *) = READ_ONCE(arp->listener);
        if (fn)
            fn(arp->net, &info);
    }
}

void neigh_listen(struct net *net, void (*fn)(struct net *net, const struct neigh_info *info))
{
    struct arp_state *arp = net->arp;

    struct waitq wq;

    waitq_init(&wq);
    lock_acquire(&arp->lock);
    WRITE_ONCE(arp->listener, fn);
    while (!fn && (READ_ONCE(arp->teller.softirq.pending) || READ_ONCE(arp->teller.running)))
        waitq_wait(&wq, &arp->lock,
                   time_now() + ms(1)); /* nobody wakes it: the tasklet does not know of us */
    lock_release(&arp->lock);
}

/* ---- states ---- */

static uint64_t shortcut_of(const struct neighbour *n)
{
    uint64_t word = 0;

    if (!neigh_address_known(n) || n->state == NEIGH_STALE || n->dead) /* STALE: its next use matters */
        return 0;
    memcpy(&word, n->mac, ETH_ALEN);
    return word | NEIGH_USABLE;
}

void neigh_enter(struct neighbour *n, enum neigh_state state)
{
    n->arp->count += (n->state == NEIGH_PERMANENT) - (unsigned)(state == NEIGH_PERMANENT);
    n->state = state;
    if (state == NEIGH_STALE)
        WRITE_ONCE(n->used, false);
    WRITE_ONCE(n->shortcut, shortcut_of(n));
    note_change(n);
}

void neigh_take_waiting(struct neighbour *n, struct sk_buff_head *to)
{
    struct sk_buff *skb;

    n->arp->waiting -= n->waiting.qlen;
    while ((skb = skb_dequeue(&n->waiting)))
        skb_queue_tail(to, skb);
}

void neigh_unlist(struct neighbour *n, struct sk_buff_head *orphans)
{
    neigh_take_waiting(n, orphans);
    list_del(&n->link);
    list_del(&n->age);
    n->arp->count -= n->state != NEIGH_PERMANENT;
    n->dead = true;
    WRITE_ONCE(n->shortcut, 0);
    note_change(n);
    if (timer_cancel(&n->timer))
        neigh_put(n);
    neigh_put(n);
}

/* ---- routes ---- */

static void unbind(struct dst_entry *dst)
{
    neigh_put(dst->neigh);
}

void neigh_bind(struct dst_entry *dst, struct neighbour *n)
{
    if (dst->neigh == n)
        return;
    if (dst->neigh) { /* that one is dead; others may be reading it, so it stays */
        dst_obsolete(dst);
        return;
    }
    refcount_get(&n->refs);
    dst->destroy = unbind;
    __atomic_store_n(&dst->neigh, n, __ATOMIC_RELEASE); /* partner: the load in neigh_output() */
}

void dst_confirm(const struct dst_entry *dst)
{
    struct neighbour *n = dst ? __atomic_load_n(&dst->neigh, __ATOMIC_ACQUIRE) : NULL;

    if (n && !READ_ONCE(n->progress))
        WRITE_ONCE(n->progress, true);
}

/* ---- who has to leave ---- */

/* Nobody needs it: it did not answer, or was heard of and never (no longer) used. */
static bool is_idle(const struct neighbour *n)
{
    return n->state == NEIGH_FAILED || (neigh_address_known(n) && n->state != NEIGH_PERMANENT && !n->used);
}

static bool is_asked_for(const struct neighbour *n)
{
    return n->state == NEIGH_INCOMPLETE;
}

/* Entries that are in use come last, and each use gives one a second chance. */
static bool had_its_chance(const struct neighbour *n)
{
    return n->state != NEIGH_PERMANENT && !n->used;
}

/* Take out entries that are so, the oldest first, until no more than most are left. */
static void collect(struct arp_state *arp, bool (*is_so)(const struct neighbour *), unsigned most,
                    struct sk_buff_head *lost)
{
    struct neighbour *n, *tmp;

    list_for_each_entry_safe (n, tmp, &arp->aged, age) {
        if (arp->count <= most)
            return;
        if (is_so(n))
            neigh_unlist(n, lost);
    }
}

static void forget_use(struct arp_state *arp)
{
    struct neighbour *n;

    list_for_each_entry (n, &arp->aged, age)
        WRITE_ONCE(n->used, false);
}

/* A scan of the whole network, or a flood of strangers, fills the table: room comes from those who are of no
 * use, then from those asked for longest, so that a conversation in progress keeps its neighbour. At
 * gc_thresh3 many leave at once, down to gc_thresh2: the walk is paid for by those that come after. */
static bool make_room(struct arp_state *arp)
{
    unsigned low = (unsigned)READ_ONCE(arp->knobs.gc_thresh2),
             most = (unsigned)READ_ONCE(arp->knobs.gc_thresh3);
    struct sk_buff_head lost;

    if (likely(arp->count < most))
        return true;
    low = MIN(low, most - 1);
    skb_queue_head_init(&lost);
    collect(arp, is_idle, low, &lost);
    collect(arp, is_asked_for, low, &lost);
    if (arp->count >= most)
        collect(arp, had_its_chance, most - 1, &lost);
    if (arp->count >= most) {
        forget_use(arp);
        collect(arp, had_its_chance, most - 1, &lost);
    }
    skb_queue_purge(&lost, SKB_DROP_NEIGH_TABLE_FULL);
    return arp->count < most;
}

struct neighbour *neigh_create(struct net_device *dev, be32 ip)
{
    struct arp_state *arp = dev_net(dev)->arp;
    struct neighbour *n = make_room(arp) ? mem_alloc(sizeof *n) : NULL;

    if (!n)
        return NULL;
    refcount_set(&n->refs, 1);
    n->arp = arp;
    n->dev = dev;
    n->ifindex = dev->ifindex;
    n->ip = ip;
    n->state = NEIGH_FAILED;
    list_init(&n->changed);
    timer_init(&n->timer, neigh_timer);
    skb_queue_head_init(&n->waiting);
    list_add(&n->link, bucket_of(arp, ip));
    list_add_tail(&n->age, &arp->aged);
    arp->count++;
    return n;
}

/* Forget all of dev (NULL: of every device). */
static void flush(struct arp_state *arp, const struct net_device *dev)
{
    struct neighbour *n, *tmp;
    struct sk_buff_head lost;

    skb_queue_head_init(&lost);
    lock_acquire(&arp->lock);
    list_for_each_entry_safe (n, tmp, &arp->aged, age)
        if (!dev || n->dev == dev)
            neigh_unlist(n, &lost);
    lock_release(&arp->lock);
    skb_queue_purge(&lost, SKB_DROP_UNRESOLVED_FLUSHED);
}

void arp_flush_device(struct net_device *dev)
{
    flush(dev_net(dev)->arp, dev);
}

/* ---- life ---- */

int neigh_init(struct net *net)
{
    struct arp_state *arp = mem_alloc(sizeof *arp);
    if (!arp)
        return -ENOMEM;
    arp->net = net;
    lock_init(&arp->lock, "neighbours", RANK_NEIGH);
    for (unsigned i = 0; i < NEIGH_BUCKETS; i++)
        list_init(&arp->buckets[i]);
    list_init(&arp->aged);
    list_init(&arp->changed);
    tasklet_init(&arp->teller, tell);
    neigh_knobs_init(arp);
    arp->file = (struct net_proc_file){ .name = "arp", .show = neigh_show };
    net_proc_register(net, &arp->file);
    net->arp = arp;
    return 0;
}

void neigh_exit(struct net *net)
{
    flush(net->arp, NULL);
    neigh_listen(net, NULL);
    net_proc_unregister(net, &net->arp->file);
    net_sysctl_unregister(&net->arp->sysctls);
    mem_free(net->arp);
    net->arp = NULL;
}
