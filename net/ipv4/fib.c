/* net/ipv4/fib.c - the routing tables: two tries of prefixes.
 *
 * A full table has a million prefixes and a few hundred ways to go. So what a route is but for its prefix is
 * a struct fib_info that all share which have the same, and on most prefixes nothing hangs but a pointer to
 * one. Where a prefix has several routes a chain of them stands in between, the best first. */
#include "net/ipv4/fib.h"
#include "lib/string.h"
#include "net/ipv4/fib_private.h"

static unsigned table_of(const struct fib_route *r)
{
    bool local = r->table ? r->table == TABLE_LOCAL : r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST;
    return local ? 0 : 1;
}

/* ---- adding ---- */

static bool is_sound(const struct fib_route *r)
{
    bool leads = r->type == ROUTE_UNICAST || r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST;
    bool refuses = r->type == ROUTE_BLACKHOLE || r->type == ROUTE_UNREACHABLE || r->type == ROUTE_PROHIBIT;

    if (r->prefix_len > 32 || r->dst.raw & ~inet_netmask(r->prefix_len).raw)
        return false;
    if (r->table && r->table != TABLE_MAIN && r->table != TABLE_LOCAL)
        return false;
    for (unsigned n = 0; n < MIN((unsigned)r->n_nexthops, (unsigned)FIB_NEXTHOPS_MAX); n++)
        if (!r->nexthops[n].dev || r->nexthops[n].weight > 256)
            return false;
    return leads ? r->n_nexthops >= 1 && r->n_nexthops <= FIB_NEXTHOPS_MAX : refuses && !r->n_nexthops;
}

/* Which place in l a route with this info gets. *same: the one there now has its metric. */
static int find_place(struct fib_leaf *l, const struct fib_info *i, enum fib_insert_mode mode, unsigned *nth,
                      bool *same)
{
    unsigned n = 0;

    while (n < fib_leaf_count(l) && fib_leaf_nth(l, n)->metric < i->metric)
        n++;
    *nth = n;
    *same = n < fib_leaf_count(l) && fib_leaf_nth(l, n)->metric == i->metric;
    for (; n < fib_leaf_count(l) && fib_leaf_nth(l, n)->metric == i->metric; n++)
        if (fib_leaf_nth(l, n) == i && !(mode == FIB_REPLACE && n == *nth))
            return -EEXIST;
    if (mode == FIB_APPEND)
        *nth = n;
    return *same && mode == FIB_EXCLUSIVE ? -EEXIST : 0;
}

/* The prefix p, on which old hangs, gets info in the place of its nth, or before that. It cannot fail if old
 * is there. ROUTE lock held. */
static int leaf_insert(struct ipv4_state *ipv4, struct fib_trie *t, const struct trie_place *p,
                       struct fib_leaf *old, unsigned nth, struct fib_info *info, bool replace)
{
    struct fib_leaf *new;

    if (replace && old->count > 1) {
        fib_info_put(ipv4, fib_leaf_nth(old, nth));
        container_of(old, struct fib_chain, leaf)->infos[nth] = info;
        return 0;
    }
    new = replace ? &info->leaf : fib_leaf_with(old, nth, info);
    if (!new || trie_put(t, p->prefix, p->len, new))
        return -ENOMEM; /* then info is the only one: there is nothing to free */
    if (replace)
        fib_info_put(ipv4, fib_leaf_nth(old, 0));
    else
        fib_leaf_free(old);
    return 0;
}

/* The prefix of r gets info, whose user it becomes. *replaced: another had to go. ROUTE lock held. */
static int insert(struct ipv4_state *ipv4, struct fib_trie *t, const struct fib_route *r,
                  struct fib_info *info, enum fib_insert_mode mode, bool *replaced)
{
    const struct trie_place p = { .prefix = be32_to_cpu(r->dst), .len = r->prefix_len };
    struct fib_leaf *l = trie_get(t, p.prefix, p.len);
    unsigned nth;
    int err = find_place(l, info, mode, &nth, replaced);

    if (err)
        return err;
    *replaced = *replaced && mode == FIB_REPLACE;
    return leaf_insert(ipv4, t, &p, l, nth, info, *replaced);
}

static void tell(struct net *net, enum fib_event event, const struct fib_route *route)
{
    struct fib_listener *l;

    list_for_each_entry (l, &net->ipv4->fib->listeners, link)
        l->heard(l, net, event, route);
}

int fib_insert(struct net *net, const struct fib_route *route, enum fib_insert_mode mode)
{
    struct ipv4_state *ipv4 = net->ipv4;
    struct fib_state *fib = ipv4->fib;
    struct fib_route r = *route;
    bool replaced = false;
    int err = -ENOMEM;

    if (!is_sound(&r))
        return -EINVAL;
    r.table = table_of(&r) ? TABLE_MAIN : TABLE_LOCAL;
    lock_acquire(&ipv4->route_lock);
    struct fib_info *info = fib_info_get(ipv4, &r);
    if (info)
        err = insert(ipv4, &fib->tables[table_of(&r)], &r, info, mode, &replaced);
    if (info && err)
        fib_info_put(ipv4, info);
    if (!err)
        route_changed(ipv4);
    lock_release(&ipv4->route_lock);
    if (!err)
        tell(net, replaced ? FIB_REPLACED : FIB_ADDED, &r);
    return err;
}

int fib_add(struct net *net, const struct fib_route *route)
{
    return fib_insert(net, route, FIB_APPEND);
}

/* ---- removing ---- */

/* Take the nth route from p, on which l hangs. ROUTE lock held. */
static void leaf_remove(struct ipv4_state *ipv4, struct fib_trie *t, const struct trie_place *p,
                        struct fib_leaf *l, unsigned nth)
{
    struct fib_info *gone = fib_leaf_nth(l, nth);

    if (l->count == 1)
        trie_remove(t, p->prefix, p->len);
    else
        (void)trie_put(t, p->prefix, p->len,
                       fib_leaf_without(l, nth)); /* its slot is there: it cannot fail */
    fib_info_put(ipv4, gone);
}

static bool is_like(const struct fib_info *i, const struct fib_route *like)
{
    const struct fib_nexthop *hop = like->n_nexthops ? &like->nexthops[0] : NULL;

    if ((like->type && i->type != like->type) || (like->scope && i->scope != like->scope) ||
        (like->origin && i->origin != like->origin) || (like->metric && i->metric != like->metric) ||
        (!ipv4_is_zero(like->prefsrc) && !be32_equal(i->prefsrc, like->prefsrc)))
        return false;
    if (!hop || (!hop->dev && ipv4_is_zero(hop->gateway)))
        return true;
    return i->n_nexthops && (!hop->dev || i->nexthops[0].dev == hop->dev) &&
           (ipv4_is_zero(hop->gateway) || be32_equal(i->nexthops[0].gateway, hop->gateway));
}

int fib_del(struct net *net, const struct fib_route *like)
{
    const struct trie_place p = { .prefix = be32_to_cpu(like->dst), .len = like->prefix_len };
    struct ipv4_state *ipv4 = net->ipv4;
    struct fib_state *fib = ipv4->fib;
    unsigned table = table_of(like);
    struct fib_route gone;

    if (like->prefix_len > 32 || like->dst.raw & ~inet_netmask(like->prefix_len).raw)
        return -ESRCH;
    lock_acquire(&ipv4->route_lock);
    struct fib_leaf *l = trie_get(&fib->tables[table], p.prefix, p.len);
    unsigned n = 0;
    while (n < fib_leaf_count(l) && !is_like(fib_leaf_nth(l, n), like))
        n++;
    bool found = n < fib_leaf_count(l);
    if (found) {
        fib_route_fill(&gone, table, &p, fib_leaf_nth(l, n));
        leaf_remove(ipv4, &fib->tables[table], &p, l, n);
        route_changed(ipv4);
    }
    lock_release(&ipv4->route_lock);
    if (!found)
        return -ESRCH;
    tell(net, FIB_REMOVED, &gone);
    return 0;
}

/* ---- walking ---- */

/* The next route behind w, the (w->nth - 1)th of *l, which hangs on *p. ROUTE lock held. */
static struct fib_info *step(const struct fib_state *fib, struct fib_walk *w, struct fib_leaf **l,
                             struct trie_place *p)
{
    for (; w->table < TABLES; *w = (struct fib_walk){ .table = (uint8_t)(w->table + 1) }) {
        *p = (struct trie_place){ .prefix = w->prefix, .len = w->len };
        while ((*l = trie_next(&fib->tables[w->table], p))) {
            uint32_t nth = p->prefix == w->prefix && p->len == w->len ? w->nth : 0;
            if (nth >= fib_leaf_count(*l))
                continue;
            *w = (struct fib_walk){ .prefix = p->prefix, .len = p->len, .nth = nth + 1, .table = w->table };
            return fib_leaf_nth(*l, nth);
        }
    }
    return NULL;
}

bool fib_next(struct net *net, struct fib_walk *w, struct fib_route *route)
{
    struct fib_leaf *l;
    struct trie_place p;

    lock_acquire(&net->ipv4->route_lock);
    const struct fib_info *i = step(net->ipv4->fib, w, &l, &p);
    if (i)
        fib_route_fill(route, w->table, &p, i);
    lock_release(&net->ipv4->route_lock);
    return i;
}

void fib_for_each(struct net *net, void (*fn)(const struct fib_route *route, void *arg), void *arg)
{
    struct fib_walk w = { 0 };
    struct fib_route r;

    while (fib_next(net, &w, &r))
        fn(&r, arg);
}

void fib_flush(struct net *net, bool (*gone)(const struct fib_route *route, const void *arg), const void *arg)
{
    struct ipv4_state *ipv4 = net->ipv4;
    struct fib_state *fib = ipv4->fib;
    const struct fib_info *i;
    struct fib_leaf *l;
    struct fib_walk w = { 0 };
    struct trie_place p;
    struct fib_route r;

    do {
        bool removed = false;
        lock_acquire(&ipv4->route_lock);
        i = step(fib, &w, &l, &p);
        if (i) {
            fib_route_fill(&r, w.table, &p, i);
            removed = gone(&r, arg);
        }
        if (removed) {
            leaf_remove(ipv4, &fib->tables[w.table], &p, l, --w.nth);
            route_changed(ipv4);
        }
        lock_release(&ipv4->route_lock);
        if (removed)
            tell(net, FIB_REMOVED, &r);
    } while (i);
}

static bool leads_by(const struct fib_route *r, const void *dev)
{
    for (unsigned n = 0; n < r->n_nexthops; n++)
        if (r->nexthops[n].dev == dev)
            return true;
    return false;
}

void fib_flush_device(struct net *net, const struct net_device *dev)
{
    fib_flush(net, leads_by, dev);
}

static bool leads_nowhere(const struct fib_route *r, const void *arg)
{
    (void)arg;
    for (unsigned n = 0; n < r->n_nexthops; n++)
        if (!r->nexthops[n].dead)
            return false;
    return r->n_nexthops;
}

/* Routes share what they lead by, so it is said once for all of them. */
static void mark_hops(struct net *net, const struct net_device *dev, bool dead)
{
    struct ipv4_state *ipv4 = net->ipv4;

    lock_acquire(&ipv4->route_lock);
    for (unsigned b = 0; b < INFO_BUCKETS; b++)
        for (struct fib_info *i = ipv4->fib->infos[b]; i; i = i->next)
            fib_info_mark(i, dev, dead);
    route_changed(ipv4);
    lock_release(&ipv4->route_lock);
}

void fib_device_down(struct net *net, const struct net_device *dev)
{
    mark_hops(net, dev, true);
    fib_flush(net, leads_nowhere, NULL);
}

void fib_device_up(struct net *net, const struct net_device *dev)
{
    mark_hops(net, dev, false);
}

/* ---- life ---- */

void fib_listen(struct net *net, struct fib_listener *l)
{
    list_add_tail(&l->link, &net->ipv4->fib->listeners);
}

void fib_unlisten(struct net *net, struct fib_listener *l)
{
    (void)net;
    list_del(&l->link);
}

int fib_init(struct net *net)
{
    struct fib_state *fib = mem_alloc(sizeof *fib);

    if (!fib)
        return -ENOMEM;
    list_init(&fib->listeners);
    net->ipv4->fib = fib;
    return 0;
}

static bool every(const struct fib_route *r, const void *arg)
{
    (void)r, (void)arg;
    return true;
}

void fib_exit(struct net *net)
{
    fib_flush(net, every, NULL);
    mem_free(net->ipv4->fib);
    net->ipv4->fib = NULL;
}
