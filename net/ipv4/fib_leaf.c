/* net/ipv4/fib_leaf.c - what hangs on a prefix of a routing table, and what routes with different prefixes
 * share. */
#include "lib/string.h"
#include "net/ipv4/fib_private.h"

/* ---- what routes share ---- */

static bool info_fits(const struct fib_info *i, const struct fib_route *r)
{
    bool fits = i->type == r->type && i->scope == r->scope && i->origin == r->origin &&
                be32_equal(i->prefsrc, r->prefsrc) && i->metric == r->metric && i->mtu == r->mtu &&
                i->n_nexthops == r->n_nexthops;

    for (unsigned n = 0; fits && n < r->n_nexthops; n++)
        fits = i->nexthops[n].dev == r->nexthops[n].dev &&
               be32_equal(i->nexthops[n].gateway, r->nexthops[n].gateway) &&
               i->nexthops[n].weight == MAX(r->nexthops[n].weight, 1) &&
               i->nexthops[n].onlink == r->nexthops[n].onlink;
    return fits;
}

static struct fib_info **info_bucket(struct fib_state *fib, const struct fib_route *r)
{
    uint32_t h = r->metric + r->prefsrc.raw;

    for (unsigned n = 0; n < r->n_nexthops; n++)
        h = (h + r->nexthops[n].gateway.raw + r->nexthops[n].dev->ifindex) * 0x9e3779b1u;
    return &fib->infos[h >> 24];
}
_Static_assert(INFO_BUCKETS == 1 << (32 - 24), "the hash's top bits are the bucket");

static struct fib_info *info_create(struct ipv4_state *ipv4, const struct fib_route *r)
{
    struct fib_info *i = mem_alloc(fib_info_size(r->n_nexthops));

    if (!i)
        return NULL;
    *i = (struct fib_info){ .leaf = { .count = 1 },
                            .type = r->type,
                            .scope = r->scope,
                            .origin = r->origin,
                            .n_nexthops = r->n_nexthops,
                            .prefsrc = r->prefsrc,
                            .metric = r->metric,
                            .mtu = r->mtu };
    for (unsigned n = 0; n < r->n_nexthops; n++) {
        i->nexthops[n] = r->nexthops[n];
        i->nexthops[n].weight = MAX(r->nexthops[n].weight, 1);
        i->nexthops[n].dead = false;
        i->weights += i->nexthops[n].weight;
    }
    if (i->n_nexthops > 1)
        WRITE_ONCE(ipv4->multipath, ipv4->multipath + 1);
    return i;
}

struct fib_info *fib_info_get(struct ipv4_state *ipv4, const struct fib_route *r)
{
    struct fib_info **bucket = info_bucket(ipv4->fib, r), *i = *bucket;

    while (i && !info_fits(i, r))
        i = i->next;
    if (!i && (i = info_create(ipv4, r))) {
        i->next = *bucket;
        *bucket = i;
    }
    if (i)
        i->users++;
    return i;
}

void fib_info_mark(struct fib_info *i, const struct net_device *dev, bool dead)
{
    i->weights = 0;
    for (unsigned n = 0; n < i->n_nexthops; n++) {
        struct fib_nexthop *hop = &i->nexthops[n];
        if (hop->dev == dev)
            hop->dead = dead;
        if (!hop->dead)
            i->weights += hop->weight;
    }
}

void fib_route_fill(struct fib_route *r, unsigned table, const struct trie_place *p, const struct fib_info *i)
{
    *r = (struct fib_route){ .dst = cpu_to_be32(p->prefix),
                             .prefix_len = p->len,
                             .type = i->type,
                             .scope = i->scope,
                             .origin = i->origin,
                             .table = table ? TABLE_MAIN : TABLE_LOCAL,
                             .prefsrc = i->prefsrc,
                             .metric = i->metric,
                             .mtu = i->mtu,
                             .n_nexthops = i->n_nexthops };
    memcpy(r->nexthops, i->nexthops, i->n_nexthops * sizeof *i->nexthops);
}

void fib_info_put(struct ipv4_state *ipv4, struct fib_info *i)
{
    struct trie_place nowhere = { 0 };
    struct fib_route r;

    if (--i->users)
        return;
    fib_route_fill(&r, 0, &nowhere, i);
    struct fib_info **at = info_bucket(ipv4->fib, &r);
    while (*at != i)
        at = &(*at)->next;
    *at = i->next;
    if (i->n_nexthops > 1)
        WRITE_ONCE(ipv4->multipath, ipv4->multipath - 1);
    mem_free(i);
}

/* ---- what hangs on a prefix ---- */

/* Free what fib_leaf_with() made. */
void fib_leaf_free(struct fib_leaf *l)
{
    if (fib_leaf_count(l) > 1)
        mem_free(l);
}

struct fib_leaf *fib_leaf_with(struct fib_leaf *l, unsigned nth, struct fib_info *info)
{
    unsigned count = fib_leaf_count(l) + 1;

    if (count == 1)
        return &info->leaf;
    struct fib_chain *new = mem_alloc(fib_chain_size(count));
    if (!new)
        return NULL;
    new->leaf.count = count;
    for (unsigned n = 0; n < count; n++)
        new->infos[n] = n == nth ? info : fib_leaf_nth(l, n < nth ? n : n - 1);
    return &new->leaf;
}

struct fib_leaf *fib_leaf_without(struct fib_leaf *l, unsigned nth)
{
    struct fib_chain *chain = container_of(l, struct fib_chain, leaf);

    if (l->count == 2) {
        struct fib_leaf *left = &chain->infos[1 - nth]->leaf;
        mem_free(chain);
        return left;
    }
    l->count--;
    for (unsigned n = nth; n < l->count; n++)
        chain->infos[n] = chain->infos[n + 1];
    return l;
}
