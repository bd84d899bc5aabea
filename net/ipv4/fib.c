/* net/ipv4/fib.c - the routing tables: two tries of prefixes; what hangs on a prefix is a chain of routes,
 * the best first.
 *
 * A full table has a million prefixes and a few hundred ways to go. So a route of the chain is two pointers:
 * the next, and a struct fib_info that all routes share which differ in their prefix alone. */
#include "net/ipv4/fib.h"
#include "lib/string.h"
#include "net/ipv4/fib_trie.h"
#include "net/ipv4/ipv4.h"

enum { INFO_BUCKETS = 256, TABLES = 2 };

struct fib_alias { /* one route of a prefix */
    struct fib_alias *next;
    struct fib_info *info;
};

struct fib_state { /* ROUTE lock */
    struct fib_trie tables[TABLES];
    struct fib_info *infos[INFO_BUCKETS];
    struct list_head listeners; /* written by init functions only */
};

static unsigned table_of(const struct fib_route *r)
{
    bool local = r->table ? r->table == TABLE_LOCAL : r->type == ROUTE_LOCAL || r->type == ROUTE_BROADCAST;
    return local ? 0 : 1;
}

/* ---- what routes share ---- */

static size_t info_size(unsigned n_nexthops)
{
    return sizeof(struct fib_info) + n_nexthops * sizeof(struct fib_nexthop);
}

static bool info_fits(const struct fib_info *i, const struct fib_route *r)
{
    bool fits = i->type == r->type && i->scope == r->scope && i->origin == r->origin &&
                be32_equal(i->prefsrc, r->prefsrc) && i->metric == r->metric && i->mtu == r->mtu &&
                i->n_nexthops == r->n_nexthops;

    for (unsigned n = 0; fits && n < r->n_nexthops; n++)
        fits = i->nexthops[n].dev == r->nexthops[n].dev &&
               be32_equal(i->nexthops[n].gateway, r->nexthops[n].gateway) &&
               i->nexthops[n].weight == MAX(r->nexthops[n].weight, 1);
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
    struct fib_info *i = mem_alloc(info_size(r->n_nexthops));

    if (!i)
        return NULL;
    *i = (struct fib_info){ .type = r->type,
                            .scope = r->scope,
                            .origin = r->origin,
                            .n_nexthops = r->n_nexthops,
                            .prefsrc = r->prefsrc,
                            .metric = r->metric,
                            .mtu = r->mtu };
    for (unsigned n = 0; n < r->n_nexthops; n++) {
        i->nexthops[n] = r->nexthops[n];
        i->nexthops[n].weight = MAX(r->nexthops[n].weight, 1);
        i->weights += i->nexthops[n].weight;
    }
    if (i->n_nexthops > 1)
        WRITE_ONCE(ipv4->multipath, ipv4->multipath + 1);
    return i;
}

static struct fib_info *info_get(struct ipv4_state *ipv4, const struct fib_route *r)
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

static void route_fill(struct fib_route *r, unsigned table, const struct trie_place *p,
                       const struct fib_info *i)
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

static void info_put(struct ipv4_state *ipv4, struct fib_info *i)
{
    struct trie_place nowhere = { 0 };
    struct fib_route r;

    if (--i->users)
        return;
    route_fill(&r, 0, &nowhere, i);
    struct fib_info **at = info_bucket(ipv4->fib, &r);
    while (*at != i)
        at = &(*at)->next;
    *at = i->next;
    if (i->n_nexthops > 1)
        WRITE_ONCE(ipv4->multipath, ipv4->multipath - 1);
    mem_free(i);
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

/* Where in the chain at *head a route with this info belongs. *same: there is one of its metric. */
static int find_stand(struct fib_alias **head, const struct fib_info *i, enum fib_insert_mode mode,
                      struct fib_alias ***stand, bool *same)
{
    struct fib_alias **at = head;

    while (*at && (*at)->info->metric < i->metric)
        at = &(*at)->next;
    *same = *at && (*at)->info->metric == i->metric;
    *stand = at;
    for (; *at && (*at)->info->metric == i->metric; at = &(*at)->next)
        if ((*at)->info == i && !(mode == FIB_REPLACE && at == *stand))
            return -EEXIST;
    if (mode == FIB_APPEND)
        *stand = at;
    return *same && mode == FIB_EXCLUSIVE ? -EEXIST : 0;
}

/* The chain of prefix gets info, whose user it becomes. *replaced: another had to go. ROUTE lock held. */
static int chain_insert(struct ipv4_state *ipv4, struct fib_trie *t, const struct fib_route *r,
                        struct fib_info *info, enum fib_insert_mode mode, bool *replaced)
{
    const uint32_t prefix = be32_to_cpu(r->dst);
    struct fib_alias *head = trie_get(t, prefix, r->prefix_len), *first = head, **stand;
    int err = find_stand(&head, info, mode, &stand, replaced);

    if (err)
        return err;
    *replaced = *replaced && mode == FIB_REPLACE;
    if (*replaced) {
        info_put(ipv4, (*stand)->info);
        (*stand)->info = info;
        return 0;
    }
    struct fib_alias *new = mem_alloc(sizeof *new);
    if (!new)
        return -ENOMEM;
    *new = (struct fib_alias){ .next = *stand, .info = info };
    *stand = new;
    if (head != first && (err = trie_put(t, prefix, r->prefix_len, head)))
        mem_free(new); /* it stood first: nothing else has changed */
    return err;
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
    struct fib_info *info = info_get(ipv4, &r);
    if (info)
        err = chain_insert(ipv4, &fib->tables[table_of(&r)], &r, info, mode, &replaced);
    if (info && err)
        info_put(ipv4, info);
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

/* Take the route at *at out of the chain of p. ROUTE lock held. */
static void chain_remove(struct ipv4_state *ipv4, struct fib_trie *t, const struct trie_place *p,
                         struct fib_alias *head, struct fib_alias *gone)
{
    struct fib_alias **at = &head, *first = head;

    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    if (!head)
        trie_remove(t, p->prefix, p->len);
    else if (head != first)
        (void)trie_put(t, p->prefix, p->len, head); /* its slot is there: it cannot fail */
    info_put(ipv4, gone->info);
    mem_free(gone);
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
    struct fib_alias *head = trie_get(&fib->tables[table], p.prefix, p.len), *a = head;
    while (a && !is_like(a->info, like))
        a = a->next;
    if (a) {
        route_fill(&gone, table, &p, a->info);
        chain_remove(ipv4, &fib->tables[table], &p, head, a);
        route_changed(ipv4);
    }
    lock_release(&ipv4->route_lock);
    if (!a)
        return -ESRCH;
    tell(net, FIB_REMOVED, &gone);
    return 0;
}

/* ---- walking ---- */

/* The next route behind w; *head: of which chain. ROUTE lock held. */
static struct fib_alias *step(const struct fib_state *fib, struct fib_walk *w, struct fib_alias **head,
                              struct trie_place *p)
{
    for (; w->table < TABLES; *w = (struct fib_walk){ .table = (uint8_t)(w->table + 1) }) {
        *p = (struct trie_place){ .prefix = w->prefix, .len = w->len };
        while ((*head = trie_next(&fib->tables[w->table], p))) {
            struct fib_alias *a = *head;
            uint32_t nth = p->prefix == w->prefix && p->len == w->len ? w->nth : 0;
            for (uint32_t n = nth; a && n; n--)
                a = a->next;
            if (a) {
                *w = (struct fib_walk){
                    .prefix = p->prefix, .len = p->len, .nth = nth + 1, .table = w->table
                };
                return a;
            }
        }
    }
    return NULL;
}

bool fib_next(struct net *net, struct fib_walk *w, struct fib_route *route)
{
    struct fib_alias *head;
    struct trie_place p;

    lock_acquire(&net->ipv4->route_lock);
    const struct fib_alias *a = step(net->ipv4->fib, w, &head, &p);
    if (a)
        route_fill(route, w->table, &p, a->info);
    lock_release(&net->ipv4->route_lock);
    return a;
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
    struct fib_alias *a, *head;
    struct fib_walk w = { 0 };
    struct trie_place p;
    struct fib_route r;

    do {
        bool removed = false;
        lock_acquire(&ipv4->route_lock);
        a = step(fib, &w, &head, &p);
        if (a) {
            route_fill(&r, w.table, &p, a->info);
            removed = gone(&r, arg);
        }
        if (removed) {
            chain_remove(ipv4, &fib->tables[w.table], &p, head, a);
            route_changed(ipv4);
            w.nth--;
        }
        lock_release(&ipv4->route_lock);
        if (removed)
            tell(net, FIB_REMOVED, &r);
    } while (a);
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

/* ---- looking up ---- */

static bool leads_by_index(const struct fib_info *i, uint32_t ifindex)
{
    for (unsigned n = 0; n < i->n_nexthops; n++)
        if (i->nexthops[n].dev->ifindex == ifindex)
            return true;
    return !i->n_nexthops; /* a refusal is one whatever the device */
}

const struct fib_info *fib_match_local(const struct fib_state *fib, be32 addr)
{
    const struct fib_alias *a = trie_match(&fib->tables[0], be32_to_cpu(addr));
    return a ? a->info : NULL;
}

/* The longest prefix that has a route by that device: one length after the other. */
static const struct fib_info *match_by_device(const struct fib_trie *t, be32 addr, uint32_t ifindex)
{
    for (int len = 32; len >= 0; len--) {
        uint32_t prefix = be32_to_cpu(addr) & be32_to_cpu(inet_netmask((uint8_t)len));
        for (const struct fib_alias *a = trie_get(t, prefix, (unsigned)len); a; a = a->next)
            if (leads_by_index(a->info, ifindex))
                return a->info;
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
    const struct fib_alias *a = trie_match(&fib->tables[1], be32_to_cpu(addr));
    return a ? a->info : NULL;
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
    const struct fib_alias *a;

    while ((a = trie_next(&fib->tables[1], &p)))
        if (a->info->type == ROUTE_UNICAST)
            return a->info;
    return NULL;
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
