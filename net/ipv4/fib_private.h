/* net/ipv4/fib_private.h - how the routing tables are made; for fib*.c alone. */
#pragma once
#include "net/ipv4/fib.h"
#include "net/ipv4/fib_trie.h"
#include "net/ipv4/ipv4.h"

enum { INFO_BUCKETS = 256, TABLES = 2 };

struct fib_chain {
    struct fib_leaf leaf;
    struct fib_info *infos[];
};

struct fib_state { /* ROUTE lock */
    struct fib_trie tables[TABLES];
    struct fib_info *infos[INFO_BUCKETS];
    struct list_head listeners; /* written by init functions only */
};

/* ---- fib_leaf.c: what routes share. ROUTE lock held. ---- */

static inline size_t fib_info_size(unsigned n_nexthops)
{
    return sizeof(struct fib_info) + n_nexthops * sizeof(struct fib_nexthop);
}
/* The info for all of r but its prefix, with one user more. NULL: memory is out. */
struct fib_info *fib_info_get(struct ipv4_state *ipv4, const struct fib_route *r);
void fib_info_put(struct ipv4_state *ipv4, struct fib_info *i);
/* The next hops by dev are dead, or alive. */
void fib_info_mark(struct fib_info *i, const struct net_device *dev, bool dead);
/* The route of prefix p in a table that has info i. */
void fib_route_fill(struct fib_route *r, unsigned table, const struct trie_place *p,
                    const struct fib_info *i);

/* ---- what hangs on a prefix ---- */

static inline unsigned fib_leaf_count(const struct fib_leaf *l)
{
    return l ? l->count : 0;
}
static inline struct fib_info *fib_leaf_nth(struct fib_leaf *l, unsigned n)
{
    if (l->count == 1)
        return container_of(l, struct fib_info, leaf);
    return container_of(l, struct fib_chain, leaf)->infos[n];
}
static inline size_t fib_chain_size(unsigned count)
{
    return count > 1 ? sizeof(struct fib_chain) + count * sizeof(struct fib_info *) : 0;
}
/* A leaf with info as the nth beside what l has; l stays as it is. NULL: memory is out. */
struct fib_leaf *fib_leaf_with(struct fib_leaf *l, unsigned nth, struct fib_info *info);
/* A leaf of at least two without its nth; l is gone, or is itself what is left. */
struct fib_leaf *fib_leaf_without(struct fib_leaf *l, unsigned nth);
/* Free what fib_leaf_with() made; the infos stay. NULL is fine. */
void fib_leaf_free(struct fib_leaf *l);
