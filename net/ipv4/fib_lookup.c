/* net/ipv4/fib_lookup.c - asking the routing tables. The caller holds the ROUTE lock. */
#include "net/ipv4/fib_private.h"

static bool leads_by_index(const struct fib_info *i, uint32_t ifindex)
{
    for (unsigned n = 0; n < i->n_nexthops; n++)
        if (i->nexthops[n].dev->ifindex == ifindex && !i->nexthops[n].dead)
            return true;
    return !i->n_nexthops; /* a refusal is one whatever the device */
}

/* The best route to addr in a table, or NULL. */
static const struct fib_info *match(const struct fib_trie *t, be32 addr)
{
    struct fib_leaf *l = trie_match(t, be32_to_cpu(addr));
    return l ? fib_leaf_nth(l, 0) : NULL;
}

const struct fib_info *fib_match_local(const struct fib_state *fib, be32 addr)
{
    return match(&fib->tables[0], addr);
}

/* The longest prefix that has a route by that device: one length after the other. */
static const struct fib_info *match_by_device(const struct fib_trie *t, be32 addr, uint32_t ifindex)
{
    for (int len = 32; len >= 0; len--) {
        uint32_t prefix = be32_to_cpu(addr) & be32_to_cpu(inet_netmask((uint8_t)len));
        struct fib_leaf *l = trie_get(t, prefix, (unsigned)len);
        for (unsigned n = 0; n < fib_leaf_count(l); n++)
            if (leads_by_index(fib_leaf_nth(l, n), ifindex))
                return fib_leaf_nth(l, n);
    }
    return NULL;
}

const struct fib_info *fib_match(const struct fib_state *fib, be32 addr, uint32_t ifindex)
{
    const struct fib_info *own = fib_match_local(fib, addr);

    if (own && (own->type == ROUTE_LOCAL || !ifindex || leads_by_index(own, ifindex)))
        return own;
    if (ifindex)
        return match_by_device(&fib->tables[1], addr, ifindex);
    return match(&fib->tables[1], addr);
}

bool fib_names_gateway(const struct fib_state *fib, be32 gateway, const struct net_device *dev)
{
    for (unsigned b = 0; b < INFO_BUCKETS; b++)
        for (const struct fib_info *i = fib->infos[b]; i; i = i->next)
            for (unsigned n = 0; n < i->n_nexthops; n++)
                if (i->nexthops[n].dev == dev && be32_equal(i->nexthops[n].gateway, gateway))
                    return true;
    return false;
}

const struct fib_info *fib_any(const struct fib_state *fib)
{
    struct trie_place p = { 0 };
    struct fib_leaf *l;

    while ((l = trie_next(&fib->tables[1], &p)))
        if (fib_leaf_nth(l, 0)->type == ROUTE_UNICAST)
            return fib_leaf_nth(l, 0);
    return NULL;
}

static size_t info_bytes(const struct fib_state *fib)
{
    size_t sum = 0;

    for (unsigned b = 0; b < INFO_BUCKETS; b++)
        for (const struct fib_info *i = fib->infos[b]; i; i = i->next)
            sum += fib_info_size(i->n_nexthops);
    return sum;
}

void fib_measure(struct net *net, struct fib_size *size)
{
    const struct fib_state *fib = net->ipv4->fib;
    const struct fib_leaf *l;

    lock_acquire(&net->ipv4->route_lock);
    *size = (struct fib_size){ .routes = info_bytes(fib) };
    for (unsigned t = 0; t < TABLES; t++) {
        struct trie_place p = { 0 };
        size->trie += trie_bytes(&fib->tables[t]);
        while ((l = trie_next(&fib->tables[t], &p)))
            size->routes += fib_chain_size(fib_leaf_count(l));
    }
    lock_release(&net->ipv4->route_lock);
}
