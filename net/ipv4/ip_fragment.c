/* net/ipv4/ip_fragment.c - reassembly (RFC 791 3.2, RFC 1122 3.3.2).
 * A datagram in parts is known by (source, destination, protocol, ID). Its fragments lie sorted and never
 * overlap: an overlap ends the whole datagram, as do parts that contradict each other. Memory for all is
 * bounded; over the bound the oldest datagram goes. Table and armed timer hold a reference each. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

struct frag_key {
    be32 saddr, daddr;
    be16 id;
    uint16_t protocol;
};

/* A datagram of which some parts came. REASSEMBLY lock. */
struct frag_queue {
    struct list_head link, age; /* in its bucket, in oldest_first */
    struct refcount refs;
    struct net *net;
    struct frag_key key;
    bool dead;                 /* no longer in the table */
    uint32_t received;         /* payload bytes that are here */
    uint32_t total;            /* payload bytes of the whole, 0 while unknown */
    size_t memory;             /* truesize of the parts */
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
    q->dead = true;
    list_del(&q->link);
    list_del(&q->age);
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

/* Memory for one more of that size: the oldest datagrams go (checklist 22). */
static void make_room(struct net *net, size_t size)
{
    struct frag_table *table = &net->ipv4->frags;

    while (table->memory + size > READ_ONCE(net->ipv4->knobs.frag_memory_max) &&
           !list_empty(&table->oldest_first))
        destroy(list_entry(table->oldest_first.next, struct frag_queue, age), SKB_DROP_FRAG_MEMORY);
}

/* ---- one part ---- */

/* Where the part lies. False if it cannot be so. */
static bool place(struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    uint16_t frag_off = be16_to_cpu(ip->frag_off);
    uint32_t n = skb->len - ip_hdr_len(ip), offset = (frag_off & IP_OFFSET_MASK) * 8u;

    *frag_cb(skb) = (struct frag_cb){ offset, offset + n };
    if (frag_off & IP_MF && (n == 0 || n % 8)) /* RFC 791 3.2: all but the last in units of eight */
        return false;
    return offset + n <= IP_MAX_PACKET - ip_hdr_len(ip); /* RFC 791 3.1: the total length is 16 bits */
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

static bool is_duplicate(struct frag_queue *q, struct sk_buff *skb, struct sk_buff *before)
{
    (void)q;
    return before && frag_cb(before)->offset == frag_cb(skb)->offset &&
           frag_cb(before)->end == frag_cb(skb)->end;
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

    *duplicate = is_duplicate(q, skb, before); /* RFC 791 3.2: the same again does no harm */
    if (overlap)
        return SKB_DROP_FRAG_OVERLAP; /* RFC 1858, RFC 5722: the safe rule */
    if (!length_agrees(q, skb))
        return SKB_DROP_FRAG_BAD;
    if (before)
        skb_queue_after(&q->parts, before, skb);
    else
        skb_queue_head(&q->parts, skb);
    q->received += frag_cb(skb)->end - frag_cb(skb)->offset;
    q->memory += skb->truesize;
    q->net->ipv4->frags.memory += skb->truesize;
    return SKB_NOT_DROPPED;
}

/* ---- the whole ---- */

/* One sk_buff from the parts, which are used up; NULL when memory is out. */
static struct sk_buff *join(struct net *net, struct sk_buff_head *parts, uint32_t total)
{
    struct sk_buff *first = skb_peek(parts), *part;
    unsigned hlen = ip_hdr_len(ip_hdr(first));
    struct sk_buff *whole = alloc_skb_headroom(net, SKB_TX_HEADROOM, hlen + total);

    if (!whole) {
        skb_queue_purge(parts, SKB_DROP_NO_MEMORY);
        return NULL;
    }
    skb_put_data(whole, first->data, hlen);
    skb_reset_network_header(whole);
    whole->dev = first->dev;
    whole->pkt_type = first->pkt_type;
    whole->protocol = first->protocol;
    whole->tstamp = first->tstamp;
    while ((part = skb_dequeue(parts))) {
        unsigned skip = ip_hdr_len(ip_hdr(part));
        skb_put_data(whole, part->data + skip, part->len - skip);
        consume_skb(part);
    }
    struct ip_hdr *ip = skb_network_header(whole);
    ip->tot_len = cpu_to_be16((uint16_t)whole->len);
    ip->frag_off = cpu_to_be16(0);
    ip->check = cpu_to_be16(0);
    ip->check = csum_fold(csum_partial(ip, hlen, 0));
    return whole;
}

/* Add skb to its datagram. Takes skb. True: the datagram is complete, its parts are in parts. */
static bool add_part(struct net *net, struct sk_buff *skb, struct sk_buff_head *parts, uint32_t *total)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    const struct frag_key key = { ip->saddr, ip->daddr, ip->id, ip->protocol };
    bool duplicate = false;

    make_room(net, skb->truesize);
    struct frag_queue *q = find(net, &key);
    if (!q)
        q = create(net, &key);
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
    *total = q->total;
    unlist(q, parts);
    queue_put(q);
    return true;
}

struct sk_buff *ip_defrag(struct net *net, struct sk_buff *skb)
{
    struct frag_table *table = &net->ipv4->frags;
    struct sk_buff_head parts;
    uint32_t total = 0;

    trace("ip_defrag", skb->id, skb->len);
    net_count(&net->ipv4->counters.reasm_reqds);
    if (!place(skb)) {
        kfree_skb_reason(skb, SKB_DROP_FRAG_BAD);
        return NULL;
    }
    skb_queue_head_init(&parts);
    lock_acquire(&table->lock);
    bool complete = add_part(net, skb, &parts, &total);
    lock_release(&table->lock);
    if (!complete)
        return NULL;
    net_count(&net->ipv4->counters.reasm_oks);
    return join(net, &parts, total);
}

/* ---- life ---- */

void ip_frag_init(struct frag_table *t)
{
    lock_init(&t->lock, "reassembly", RANK_REASSEMBLY);
    for (unsigned i = 0; i < FRAG_BUCKETS; i++)
        list_init(&t->buckets[i]);
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
}
