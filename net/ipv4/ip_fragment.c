/* net/ipv4/ip_fragment.c - reassembly (RFC 791 3.2, RFC 1122 3.3.2).
 * A datagram in parts is known by (source, destination, protocol, ID). Its fragments lie sorted and never
 * overlap: an overlap ends the whole datagram, as do parts that contradict each other. Memory is bounded for
 * each source and for all; over a bound the oldest datagram goes. Table and armed timer hold a reference
 * each. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

struct frag_key {
    be32 saddr, daddr;
    be16 id;
    uint16_t protocol;
};

/* A datagram of which some parts came. REASSEMBLY lock. */
struct frag_queue {
    struct list_head link, age, of_source; /* in its bucket, in oldest_first, in its source's oldest_first */
    struct frag_source *source;
    struct refcount refs;
    struct net *net;
    struct frag_key key;
    bool dead;                 /* no longer in the table */
    uint32_t received;         /* payload bytes that are here */
    uint32_t total;            /* payload bytes of the whole, 0 while unknown */
    size_t memory;             /* truesize of the parts, and this */
    uint8_t ecn;               /* bit n: a part came with ECN field n (RFC 3168 5) */
    uint32_t last_seen;        /* source->fragments when the latest part came */
    struct timer timer;        /* set once, by the first part to come (checklist 21) */
    struct sk_buff_head parts; /* IP header at data; sorted by offset */
};

/* A part's place, in its sk_buff's cb. */
struct frag_cb {
    uint32_t offset, end; /* payload bytes [offset, end) of the datagram */
};
_Static_assert(sizeof(struct frag_cb) <= sizeof(((struct sk_buff *)0)->cb), "fits the scratch");

static struct frag_cb *frag_cb(struct sk_buff *skb)
{
    return (struct frag_cb *)skb->cb;
}

static void frag_timeout(struct timer *t);

/* ---- the table ---- */

static void queue_put(struct frag_queue *q)
{
    if (refcount_put(&q->refs))
        mem_free(q);
}

static struct list_head *bucket_of(struct net *net, const struct frag_key *key)
{
    return &net->ipv4->frags.buckets[siphash(key, sizeof *key, &net->hash_key) % FRAG_BUCKETS];
}

/* Sources share a few accounts by hash: what they may hold is bounded, whoever they claim to be. */
static struct frag_source *source_of(struct net *net, be32 saddr)
{
    return &net->ipv4->frags.sources[siphash(&saddr, sizeof saddr, &net->hash_key) % FRAG_SOURCES];
}

static void charge(struct frag_queue *q, size_t size)
{
    q->memory += size;
    q->source->memory += size;
    q->net->ipv4->frags.memory += size;
}

static struct frag_queue *find(struct net *net, const struct frag_key *key)
{
    struct frag_queue *q;

    list_for_each_entry (q, bucket_of(net, key), link)
        if (!memcmp(&q->key, key, sizeof *key))
            return q;
    return NULL;
}

static struct frag_queue *create(struct net *net, const struct frag_key *key)
{
    struct frag_queue *q = mem_alloc(sizeof *q);
    if (!q)
        return NULL;
    refcount_set(&q->refs, 2); /* the table's and the timer's */
    q->net = net;
    q->key = *key;
    skb_queue_head_init(&q->parts);
    list_add(&q->link, bucket_of(net, key));
    list_add_tail(&q->age, &net->ipv4->frags.oldest_first);
    q->source = source_of(net, key->saddr);
    list_add_tail(&q->of_source, &q->source->oldest_first);
    charge(q, sizeof *q);
    timer_init(&q->timer, frag_timeout);
    timer_set(&q->timer, time_now() + READ_ONCE(net->ipv4->knobs.frag_timeout));
    return q;
}

/* Take q out of the table, its parts to parts. The caller drops q's table reference by queue_put(). */
static void unlist(struct frag_queue *q, struct sk_buff_head *parts)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(&q->parts)))
        skb_queue_tail(parts, skb);
    q->net->ipv4->frags.memory -= q->memory;
    q->source->memory -= q->memory;
    q->dead = true;
    list_del(&q->link);
    list_del(&q->age);
    list_del(&q->of_source);
    if (timer_cancel(&q->timer))
        queue_put(q);
}

static void destroy(struct frag_queue *q, enum skb_drop_reason reason)
{
    struct sk_buff_head parts;

    skb_queue_head_init(&parts);
    unlist(q, &parts);
    skb_queue_purge(&parts, reason);
    queue_put(q);
}

/* RFC 1122 3.3.2: what came is discarded, and its source told, if the part that names the ports is here. */
static void frag_timeout(struct timer *t)
{
    struct frag_queue *q = container_of(t, struct frag_queue, timer);
    struct frag_table *table = &q->net->ipv4->frags;
    struct sk_buff_head parts;

    skb_queue_head_init(&parts);
    lock_acquire(&table->lock);
    if (!q->dead) {
        unlist(q, &parts);
        queue_put(q);
    }
    lock_release(&table->lock);
    struct sk_buff *first = skb_peek(&parts);
    if (first && frag_cb(first)->offset == 0)
        icmp_send(first, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0);
    skb_queue_purge(&parts, SKB_DROP_FRAG_TIMEOUT);
    queue_put(q);
}

/* Memory for one more of that size: the oldest datagrams go (checklist 22), of its own source first, so that
 * a flood from one address ends nobody else's. */
static void make_room(struct net *net, struct frag_source *source, size_t size)
{
    struct frag_table *table = &net->ipv4->frags;
    const struct ipv4_knobs *knobs = &net->ipv4->knobs;

    while (source->memory + size > READ_ONCE(knobs->frag_source_max) && !list_empty(&source->oldest_first))
        destroy(list_entry(source->oldest_first.next, struct frag_queue, of_source), SKB_DROP_FRAG_SOURCE);
    while (table->memory + size > READ_ONCE(knobs->frag_memory_max) && !list_empty(&table->oldest_first))
        destroy(list_entry(table->oldest_first.next, struct frag_queue, age), SKB_DROP_FRAG_MEMORY);
}

/* ---- one part ---- */

/* Cut so that a filter on the way could not read TCP's flags (RFC 1858 4.2, RFC 3128 4.2): nobody needs that.
 */
static bool hides_tcp_flags(const struct ip_hdr *ip, uint32_t offset, uint32_t n, bool more)
{
    enum { FLAGS_END = 16, UNIT = 8 };

    return ip->protocol == IPPROTO_TCP && (offset == UNIT || (offset == 0 && more && n < FLAGS_END));
}

/* Where the part lies. SKB_NOT_DROPPED, or why it cannot be so. */
static enum skb_drop_reason place(struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    uint16_t frag_off = be16_to_cpu(ip->frag_off);
    uint32_t n = skb->len - ip_hdr_len(ip), offset = (frag_off & IP_OFFSET_MASK) * 8u;
    bool more = frag_off & IP_MF;

    *frag_cb(skb) = (struct frag_cb){ offset, offset + n };
    if (n == 0 || (more && n % 8)) /* RFC 791 3.2: all but the last in units of eight */
        return SKB_DROP_FRAG_BAD;
    if (offset + n > IP_MAX_PACKET - ip_hdr_len(ip)) /* RFC 791 3.1: the total length is 16 bits */
        return SKB_DROP_FRAG_BAD;
    return hides_tcp_flags(ip, offset, n, more) ? SKB_DROP_FRAG_TINY : SKB_NOT_DROPPED;
}

/* The part behind which skb goes (NULL: in front of all); *overlap if it collides with a neighbour. */
static struct sk_buff *neighbour_before(struct frag_queue *q, struct sk_buff *skb, bool *overlap)
{
    struct sk_buff *before = skb_peek_tail(&q->parts);

    while (before && frag_cb(before)->offset > frag_cb(skb)->offset)
        before =
            before->list.prev == &q->parts.list ? NULL : list_entry(before->list.prev, struct sk_buff, list);
    struct sk_buff *behind = before ? skb_queue_next(&q->parts, before) : skb_peek(&q->parts);
    *overlap = (before && frag_cb(before)->end > frag_cb(skb)->offset) ||
               (behind && frag_cb(behind)->offset < frag_cb(skb)->end);
    return before;
}

/* The same bytes at the same place (RFC 791 3.2: no harm). Others there are an overlap like any. */
static bool is_duplicate(struct sk_buff *skb, struct sk_buff *before)
{
    if (!before || memcmp(frag_cb(before), frag_cb(skb), sizeof(struct frag_cb)))
        return false;
    return !memcmp(before->data + ip_hdr_len(ip_hdr(before)), skb->data + ip_hdr_len(ip_hdr(skb)),
                   frag_cb(skb)->end - frag_cb(skb)->offset);
}

/* Does skb agree with what is known of the whole length? Notes it when skb is the last part. */
static bool length_agrees(struct frag_queue *q, struct sk_buff *skb)
{
    uint32_t end = frag_cb(skb)->end;

    if (be16_to_cpu(ip_hdr(skb)->frag_off) & IP_MF)
        return !q->total || end < q->total;
    const struct sk_buff *last = skb_peek_tail(&q->parts);
    if ((q->total && q->total != end) || (last && frag_cb((struct sk_buff *)last)->end > end))
        return false;
    q->total = end;
    return true;
}

/* Put skb among the parts of q. SKB_NOT_DROPPED, or why skb, and with it all of q, must go; a duplicate is
 * said to be FRAG_OVERLAP with *duplicate set, and then only skb goes. */
static enum skb_drop_reason insert(struct frag_queue *q, struct sk_buff *skb, bool *duplicate)
{
    bool overlap;
    struct sk_buff *before = neighbour_before(q, skb, &overlap);

    if (overlap) { /* RFC 1858 3, RFC 5722 4, RFC 8200 4.5: the safe rule */
        *duplicate = is_duplicate(skb, before);
        return SKB_DROP_FRAG_OVERLAP;
    }
    if (!length_agrees(q, skb))
        return SKB_DROP_FRAG_BAD;
    if (before)
        skb_queue_after(&q->parts, before, skb);
    else
        skb_queue_head(&q->parts, skb);
    q->received += frag_cb(skb)->end - frag_cb(skb)->offset;
    q->ecn |= (uint8_t)(1 << (ip_hdr(skb)->tos & 3));
    charge(q, skb->truesize);
    return SKB_NOT_DROPPED;
}

/* So many other fragments of its source came since q's latest that q is rather one of an earlier round of IDs
 * (RFC 4963 3): mixing the two is worse than losing one. */
static bool is_left_over(struct net *net, const struct frag_queue *q)
{
    uint32_t most = (uint32_t)READ_ONCE(net->ipv4->knobs.frag_max_dist);

    return most && q->source->fragments - q->last_seen > most;
}

/* The datagram that skb belongs to, new if need be. NULL when memory is out. */
static struct frag_queue *queue_of(struct net *net, const struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    const struct frag_key key = { ip->saddr, ip->daddr, ip->id, ip->protocol };
    struct frag_source *source = source_of(net, ip->saddr);

    source->fragments++;
    make_room(net, source, sizeof(struct frag_queue) + skb->truesize);
    struct frag_queue *q = find(net, &key);
    if (q && is_left_over(net, q)) {
        destroy(q, SKB_DROP_FRAG_DISTANCE);
        q = NULL;
    }
    if (!q)
        q = create(net, &key);
    if (q)
        q->last_seen = source->fragments;
    return q;
}

/* ---- the whole ---- */

/* RFC 3168 5.3: what one part has met the whole has met; but parts that know no ECN cannot have met it. */
static bool ecn_agrees(struct ip_hdr *ip, uint8_t seen)
{
    enum { NOT_ECT = 1 << 0, CE = 1 << 3 };

    if (!(seen & CE))
        return true;
    ip->tos |= 3;
    return !(seen & NOT_ECT);
}

/* What is known of the whole, besides its parts. */
struct frag_sum {
    uint32_t total;
    uint8_t ecn;
};

static struct sk_buff *begin_whole(struct net *net, const struct sk_buff *first, uint32_t size)
{
    struct sk_buff *whole = alloc_skb_headroom(net, SKB_TX_HEADROOM, size);

    if (!whole)
        return NULL;
    skb_put_data(whole, first->data, ip_hdr_len(ip_hdr(first)));
    skb_reset_network_header(whole);
    whole->dev = first->dev;
    whole->pkt_type = first->pkt_type;
    whole->protocol = first->protocol;
    whole->tstamp = first->tstamp;
    return whole;
}

/* One sk_buff from the parts, which are used up; NULL when it cannot be. */
static struct sk_buff *join(struct net *net, struct sk_buff_head *parts, const struct frag_sum *sum)
{
    struct sk_buff *first = skb_peek(parts), *part;
    unsigned hlen = ip_hdr_len(ip_hdr(first));
    bool fits = hlen + sum->total <= IP_MAX_PACKET; /* the last part's header may have been shorter */
    struct sk_buff *whole = fits ? begin_whole(net, first, hlen + sum->total) : NULL;

    if (!whole) {
        skb_queue_purge(parts, fits ? SKB_DROP_NO_MEMORY : SKB_DROP_FRAG_BAD);
        return NULL;
    }
    while ((part = skb_dequeue(parts))) {
        unsigned skip = ip_hdr_len(ip_hdr(part));
        skb_put_data(whole, part->data + skip, part->len - skip);
        consume_skb(part);
    }
    struct ip_hdr *ip = skb_network_header(whole);
    if (!ecn_agrees(ip, sum->ecn)) {
        kfree_skb_reason(whole, SKB_DROP_FRAG_BAD);
        return NULL;
    }
    ip->tot_len = cpu_to_be16((uint16_t)whole->len);
    ip->frag_off = cpu_to_be16(0);
    ip->check = cpu_to_be16(0);
    ip->check = csum_fold(csum_partial(ip, hlen, 0));
    return whole;
}

/* Add skb to its datagram. Takes skb. True: the datagram is complete, its parts are in parts. */
static bool add_part(struct net *net, struct sk_buff *skb, struct sk_buff_head *parts, struct frag_sum *sum)
{
    bool duplicate = false;
    struct frag_queue *q = queue_of(net, skb);

    if (!q) {
        kfree_skb_reason(skb, SKB_DROP_NO_MEMORY);
        return false;
    }
    enum skb_drop_reason reason = insert(q, skb, &duplicate);
    if (reason != SKB_NOT_DROPPED) {
        kfree_skb_reason(skb, reason);
        if (!duplicate)
            destroy(q, reason);
        return false;
    }
    if (!q->total || q->received != q->total) /* no overlaps: the sum tells that no hole is left */
        return false;
    *sum = (struct frag_sum){ q->total, q->ecn };
    unlist(q, parts);
    queue_put(q);
    return true;
}

struct sk_buff *ip_defrag(struct net *net, struct sk_buff *skb)
{
    struct frag_table *table = &net->ipv4->frags;
    enum skb_drop_reason reason = place(skb);
    struct sk_buff_head parts;
    struct frag_sum sum;

    trace("ip_defrag", skb->id, skb->len);
    net_count(&net->ipv4->counters.reasm_reqds);
    if (reason != SKB_NOT_DROPPED) {
        kfree_skb_reason(skb, reason);
        return NULL;
    }
    skb_queue_head_init(&parts);
    lock_acquire(&table->lock);
    bool complete = add_part(net, skb, &parts, &sum);
    lock_release(&table->lock);
    if (!complete)
        return NULL;
    struct sk_buff *whole = join(net, &parts, &sum);
    if (whole)
        net_count(&net->ipv4->counters.reasm_oks);
    return whole;
}

static bool came_by(const struct frag_queue *q, const struct net_device *dev)
{
    const struct sk_buff *skb = skb_peek(&q->parts);

    while (skb && skb->dev != dev)
        skb = skb_queue_next(&q->parts, skb);
    return skb;
}

void ip_frag_flush_device(struct net_device *dev)
{
    struct frag_table *table = &dev_net(dev)->ipv4->frags;
    struct frag_queue *q, *next;

    lock_acquire(&table->lock);
    list_for_each_entry_safe (q, next, &table->oldest_first, age)
        if (came_by(q, dev))
            destroy(q, SKB_DROP_UNRESOLVED_FLUSHED);
    lock_release(&table->lock);
}

/* ---- life ---- */

void ip_frag_init(struct frag_table *t)
{
    lock_init(&t->lock, "reassembly", RANK_REASSEMBLY);
    for (unsigned i = 0; i < FRAG_BUCKETS; i++)
        list_init(&t->buckets[i]);
    for (unsigned i = 0; i < FRAG_SOURCES; i++)
        list_init(&t->sources[i].oldest_first);
    list_init(&t->oldest_first);
}

void ip_frag_exit(struct net *net)
{
    struct frag_table *table = &net->ipv4->frags;
    struct frag_queue *q, *tmp;

    lock_acquire(&table->lock);
    list_for_each_entry_safe (q, tmp, &table->oldest_first, age)
        destroy(q, SKB_DROP_UNRESOLVED_FLUSHED);
    lock_release(&table->lock);
    softirq_barrier(); /* a timer that went off meanwhile waits for the lock */
}
