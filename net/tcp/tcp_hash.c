/* net/tcp/tcp_hash.c - which connection is it? Four-tuples in chains, by a keyed hash, so that no peer can
 * aim at one chain. The table holds a reference to what is in it, so whatever a look-up finds under a
 * stripe's lock is alive. */
#include "net/tcp/tcp.h"

enum { STRIPE_BITS = 6, GROWTH = 4, CROWDED = 2, SPARSE = 8 };
_Static_assert(1 << STRIPE_BITS == TCP_STRIPES, "the lowest bits of the hash choose the stripe");

void tcp_table_init(struct tcp_table *t)
{
    for (int i = 0; i < TCP_STRIPES; i++) {
        struct tcp_stripe *s = &t->stripes[i];
        lock_init(&s->lock, "tcp connections", RANK_SOCK_TABLE);
        s->chains = &s->only;
    }
}

static uint64_t hash_of(const struct net *net, const struct tcp_ends *ends)
{
    return siphash(ends, sizeof *ends, &net->hash_key);
}
static struct tcp_stripe *stripe_of(struct net *net, uint64_t hash)
{
    return &net->tcp->table.stripes[hash % TCP_STRIPES];
}
static struct tcp_node **chain_of(const struct tcp_stripe *s, uint64_t hash)
{
    return &s->chains[hash >> STRIPE_BITS & s->mask];
}

static void node_hold(struct tcp_node *node)
{
    if (node->time_wait)
        refcount_get(&tcp_node_timewait(node)->refs);
    else
        sock_hold(&tcp_node_sock(node)->sk);
}
void tcp_node_put(struct net *net, struct tcp_node *node)
{
    if (node->time_wait)
        tcp_timewait_put(net, tcp_node_timewait(node));
    else
        sock_put(&tcp_node_sock(node)->sk);
}

/* ---- the stripe's lock held ---- */

static void move_all(const struct net *net, struct tcp_stripe *s, struct tcp_node **chains, uint32_t mask)
{
    for (uint32_t i = 0; i <= s->mask; i++) {
        struct tcp_node *next;
        for (struct tcp_node *node = s->chains[i]; node; node = next) {
            struct tcp_node **chain = &chains[hash_of(net, &node->ends) >> STRIPE_BITS & mask];
            next = node->next;
            node->next = *chain;
            *chain = node;
        }
    }
}

/* size chains from now on, unless there is no memory for them: the table is right with any number. */
static void resize(const struct net *net, struct tcp_stripe *s, uint32_t size)
{
    struct tcp_node **old = s->chains;
    struct tcp_node *only = NULL, **chains = size > 1 ? mem_alloc(size * sizeof(struct tcp_node *)) : &only;
    if (!chains)
        return;
    move_all(net, s, chains, size - 1);
    s->only = only;
    s->chains = size > 1 ? chains : &s->only;
    s->mask = size - 1;
    if (old != &s->only)
        mem_free(old);
}

/* As many chains as the nodes want: GROWTH times as many or as few, and not at each coming and going. */
static void fit(const struct net *net, struct tcp_stripe *s)
{
    uint32_t size = s->mask + 1;
    if (s->n > CROWDED * size)
        resize(net, s, size * GROWTH);
    else if (s->n * SPARSE < size && size > 1)
        resize(net, s, size / GROWTH);
}

static struct tcp_node *find(const struct tcp_stripe *s, uint64_t hash, const struct tcp_ends *ends)
{
    struct tcp_node *node = *chain_of(s, hash);
    while (node && !tcp_ends_equal(&node->ends, ends))
        node = node->next;
    return node;
}

/* What points to node. */
static struct tcp_node **link_to(const struct tcp_stripe *s, uint64_t hash, const struct tcp_node *node)
{
    struct tcp_node **link = chain_of(s, hash);
    while (*link != node)
        link = &(*link)->next;
    return link;
}

/* ---- for all ---- */

int tcp_hash_insert(struct net *net, struct tcp_node *node, const struct tcp_ends *ends)
{
    uint64_t hash = hash_of(net, ends);
    struct tcp_stripe *s = stripe_of(net, hash);
    lock_acquire(&s->lock);
    bool taken = find(s, hash, ends) != NULL;
    if (!taken) {
        struct tcp_node **chain = chain_of(s, hash);
        node->ends = *ends;
        node->next = *chain;
        node->hashed = true;
        *chain = node;
        s->n++;
        fit(net, s);
        node_hold(node);
    }
    lock_release(&s->lock);
    return taken ? -EADDRINUSE : 0;
}

void tcp_hash_replace(struct net *net, struct tcp_node *from, struct tcp_node *to)
{
    uint64_t hash = hash_of(net, &from->ends);
    struct tcp_stripe *s = stripe_of(net, hash);
    lock_acquire(&s->lock);
    to->ends = from->ends;
    to->next = from->next;
    to->hashed = true;
    *link_to(s, hash, from) = to;
    from->hashed = false;
    lock_release(&s->lock);
}

void tcp_hash_remove(struct net *net, struct tcp_node *node)
{
    if (!node->hashed)
        return;
    uint64_t hash = hash_of(net, &node->ends);
    struct tcp_stripe *s = stripe_of(net, hash);
    lock_acquire(&s->lock);
    *link_to(s, hash, node) = node->next;
    node->hashed = false;
    s->n--;
    fit(net, s);
    lock_release(&s->lock);
    tcp_node_put(net, node);
}

struct tcp_node *tcp_hash_lookup(struct net *net, const struct tcp_ends *ends)
{
    uint64_t hash = hash_of(net, ends);
    struct tcp_stripe *s = stripe_of(net, hash);
    lock_acquire(&s->lock);
    struct tcp_node *node = find(s, hash, ends);
    if (node)
        node_hold(node);
    lock_release(&s->lock);
    return node;
}

/* The cursor's node in the stripe, or the next one behind it; NULL: the stripe is through. */
static struct tcp_node *walk_stripe(const struct tcp_stripe *s, struct tcp_cursor *at)
{
    for (; at->chain <= s->mask; at->chain++, at->nth = 0) {
        struct tcp_node *node = s->chains[at->chain];
        for (uint32_t i = 0; node && i < at->nth; i++)
            node = node->next;
        if (node) {
            at->nth++;
            return node;
        }
    }
    return NULL;
}

struct tcp_node *tcp_hash_walk(struct net *net, struct tcp_cursor *at)
{
    struct tcp_node *node = NULL;
    for (; !node && at->stripe < TCP_STRIPES; at->stripe += !node) {
        struct tcp_stripe *s = &net->tcp->table.stripes[at->stripe];
        lock_acquire(&s->lock);
        node = walk_stripe(s, at);
        if (node)
            node_hold(node);
        else
            at->chain = at->nth = 0;
        lock_release(&s->lock);
    }
    return node;
}

/* ISN = M + F(four-tuple, secret), where M counts 4-microsecond ticks (RFC 6528 3, RFC 9293 3.4.1). */
uint32_t tcp_initial_seq(struct net *net, const struct tcp_ends *ends)
{
    return (uint32_t)(time_now() / us(4)) + (uint32_t)siphash(ends, sizeof *ends, &net->tcp->isn_key);
}
