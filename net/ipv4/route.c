/* net/ipv4/route.c - the way to a destination (RFC 1122 3.3.1): what the tables (fib.c) say, made into a
 * dst_entry, which packets and sockets keep. Answers are cached by their question; a change of the tables
 * makes all of them stale by counting route_generation up. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

struct rtable {
    struct dst_entry dst; /* first: dst_release frees it */
    be32 daddr, saddr;    /* as they were asked for */
    uint32_t ifindex;
    uint16_t spread; /* of the flow; 0 while no route has several ways */
};
_Static_assert(offsetof(struct rtable, dst) == 0, "dst_release frees the dst_entry");

/* ---- prefixes ---- */

be32 inet_netmask(uint8_t prefix_len)
{
    return cpu_to_be32(prefix_len ? ~(uint32_t)0 << (32 - prefix_len) : 0);
}

int inet_prefix_len(be32 netmask)
{
    uint32_t m = be32_to_cpu(netmask);
    int len = m == UINT32_MAX ? 32 : __builtin_clz(~m);
    return inet_netmask((uint8_t)len).raw == netmask.raw ? len : -EINVAL;
}

/* ---- what an address is ---- */

static enum dst_kind kind_by_table(struct net *net, be32 addr, const struct net_device *dev)
{
    enum dst_kind kind = DST_UNICAST;

    lock_acquire(&net->ipv4->route_lock);
    const struct fib_info *r = fib_match_local(net->ipv4->fib, addr);
    if (r && r->type == ROUTE_LOCAL)
        kind = DST_LOCAL;
    else if (r && r->type == ROUTE_BROADCAST && (!dev || r->nexthops[0].dev == dev))
        kind = DST_BROADCAST;
    lock_release(&net->ipv4->route_lock);
    return kind;
}

enum dst_kind inet_addr_kind(struct net *net, be32 addr, const struct net_device *dev)
{
    if (ipv4_is_multicast(addr))
        return DST_MULTICAST;
    if (ipv4_is_limited_broadcast(addr))
        return DST_BROADCAST;
    const struct in_device *ind = dev ? in_dev_get(dev) : NULL;
    if (ind && be32_equal(addr, ind->address) && !ipv4_is_zero(addr))
        return DST_LOCAL; /* nearly every packet that arrives: no lock */
    return kind_by_table(net, addr, dev);
}

/* ---- the way out ---- */

/* Of several next hops the one that gets this part of all flows; only one by the device asked for will do. */
static const struct fib_nexthop *choose_hop(const struct fib_info *r, uint32_t ifindex, uint16_t spread)
{
    uint32_t point = spread * r->weights >> 16;

    for (unsigned n = 0; n < r->n_nexthops; n++) {
        const struct fib_nexthop *hop = &r->nexthops[n];
        if (ifindex ? hop->dev->ifindex == ifindex : point < hop->weight)
            return hop;
        point -= hop->weight;
    }
    return &r->nexthops[0]; /* an address of ours is reached whatever the device */
}

static void rtable_fill(struct rtable *rt, const struct ipv4_state *ipv4, struct net_device *dev,
                        enum dst_kind kind, be32 gateway, be32 prefsrc, uint32_t mtu)
{
    bool direct = kind != DST_UNICAST || ipv4_is_zero(gateway);
    uint32_t link_mtu = READ_ONCE(dev->mtu);

    if (!ipv4_is_zero(rt->saddr))
        prefsrc = rt->saddr;
    refcount_set(&rt->dst.refs, 1);
    rt->dst.dev = dev;
    rt->dst.kind = kind;
    rt->dst.gateway = direct ? rt->daddr : gateway;
    rt->dst.prefsrc = ipv4_is_zero(prefsrc) ? in_dev_get(dev)->address : prefsrc;
    rt->dst.mtu = mtu ? MIN(mtu, link_mtu) : link_mtu;
    rt->dst.generation = ipv4->route_generation;
}

/* What a route is to who sends along it; below 0: the error that it stands for. */
static int kind_of_route(const struct fib_info *r)
{
    switch ((enum route_type)r->type) {
    case ROUTE_UNICAST:
        return DST_UNICAST;
    case ROUTE_LOCAL:
        return DST_LOCAL;
    case ROUTE_BROADCAST:
        return DST_BROADCAST;
    case ROUTE_BLACKHOLE:
        return -EINVAL;
    case ROUTE_UNREACHABLE:
        return -EHOSTUNREACH;
    case ROUTE_PROHIBIT:
        return -EACCES;
    }
    return -ENETUNREACH;
}

static int resolve_by_table(struct net *net, struct rtable *rt)
{
    const struct fib_info *r = fib_match(net->ipv4->fib, rt->daddr, rt->ifindex);
    if (!r)
        return -ENETUNREACH;
    int kind = kind_of_route(r);
    if (kind < 0)
        return kind;
    const struct fib_nexthop *hop = choose_hop(r, rt->ifindex, rt->spread);
    bool local = kind == DST_LOCAL;
    rtable_fill(rt, net->ipv4, local && net->loopback ? net->loopback : hop->dev, (enum dst_kind)kind,
                hop->gateway, local ? rt->daddr : r->prefsrc, r->mtu);
    return 0;
}

/* A destination that no prefix stands for: 255.255.255.255 and groups leave by the device asked for, or
 * saddr's, or where the table would send them, or the first that leads anywhere. */
static struct net_device *link_device(struct net *net, const struct rtable *rt)
{
    const struct fib_state *fib = net->ipv4->fib;
    const struct fib_info *r = NULL;

    if (rt->ifindex)
        return dev_get_by_index(net, rt->ifindex);
    if (!ipv4_is_zero(rt->saddr))
        r = fib_match_local(fib, rt->saddr);
    if (!r)
        r = fib_match(fib, rt->daddr, 0);
    if (!r || !r->n_nexthops)
        r = fib_any(fib);
    return r ? r->nexthops[0].dev : NULL;
}

static int resolve_by_link(struct net *net, struct rtable *rt)
{
    struct net_device *dev = link_device(net, rt);

    if (!dev || !(dev->flags & NETDEV_UP) || !in_dev_get(dev))
        return -ENETUNREACH;
    rtable_fill(rt, net->ipv4, dev, ipv4_is_multicast(rt->daddr) ? DST_MULTICAST : DST_BROADCAST, (be32){ 0 },
                (be32){ 0 }, 0);
    return 0;
}

/* Look the question in rt up and answer it there. ROUTE lock held. */
static int resolve(struct net *net, struct rtable *rt)
{
    if (!ipv4_is_zero(rt->saddr)) {
        const struct fib_info *own = fib_match_local(net->ipv4->fib, rt->saddr);
        if (!own || own->type != ROUTE_LOCAL) /* RFC 1122 3.2.1.3: a source address is one of ours */
            return -EINVAL;
    }
    bool no_prefix = ipv4_is_multicast(rt->daddr) || ipv4_is_limited_broadcast(rt->daddr);
    int err = no_prefix ? resolve_by_link(net, rt) : resolve_by_table(net, rt);
    if (!err && ipv4_is_loopback(rt->saddr) && !(rt->dst.dev->flags & NETDEV_LOOPBACK))
        return -EINVAL; /* RFC 1122 3.2.1.3(g): 127/8 stays inside */
    return err;
}

/* ---- the cache ---- */

void route_changed(struct ipv4_state *ipv4)
{
    uint32_t next = ipv4->route_generation + 1;

    WRITE_ONCE(ipv4->route_generation, next == DST_OBSOLETE ? next + 1 : next);
}

static struct rtable **cache_slot(struct ipv4_state *ipv4, const struct rtable *q)
{
    uint32_t h = (q->daddr.raw ^ q->saddr.raw ^ q->ifindex ^ q->spread) * 0x9e3779b1u;
    return &ipv4->route_cache[h >> 26];
}
_Static_assert(ROUTE_CACHE_SLOTS == 1 << (32 - 26), "the hash's top bits are the slot");

static bool answers(const struct rtable *rt, const struct ipv4_state *ipv4, const struct rtable *question)
{
    return rt && READ_ONCE(rt->dst.generation) == ipv4->route_generation &&
           be32_equal(rt->daddr, question->daddr) && be32_equal(rt->saddr, question->saddr) &&
           rt->ifindex == question->ifindex && rt->spread == question->spread;
}

/* Make a cache entry for question in slot. ROUTE lock held. */
static int fill_slot(struct net *net, struct rtable **slot, const struct rtable *question)
{
    struct rtable *rt = mem_alloc(sizeof *rt);
    if (!rt)
        return -ENOMEM;
    *rt = *question;
    int err = resolve(net, rt);
    if (err) {
        mem_free(rt);
        return err;
    }
    if (*slot)
        dst_release(&(*slot)->dst);
    *slot = rt;
    return 0;
}

static int answer(struct net *net, const struct rtable *question, struct dst_entry **dst)
{
    struct ipv4_state *ipv4 = net->ipv4;
    struct rtable **slot = cache_slot(ipv4, question);
    int err = 0;

    lock_acquire(&ipv4->route_lock);
    if (!answers(*slot, ipv4, question))
        err = fill_slot(net, slot, question);
    if (!err) {
        *dst = &(*slot)->dst;
        dst_hold(*dst);
    }
    lock_release(&ipv4->route_lock);
    if (err == -ENETUNREACH)
        net_count(&ipv4->counters.out_no_routes);
    return err;
}

/* Which part of all flows this one is in: RFC 2992 1, a hash, so that its packets do not overtake each other.
 * Keyed, so that nobody can choose the way of his packets. */
static uint16_t flow_spread(const struct net *net, const struct ip_flow *f)
{
    const struct {
        be32 daddr, saddr;
        be16 sport, dport;
        uint32_t protocol;
    } key = { f->daddr, f->saddr, f->sport, f->dport, f->protocol };

    return (uint16_t)siphash(&key, sizeof key, &net->hash_key);
}

int ip_route_flow(struct net *net, const struct ip_flow *f, struct dst_entry **dst)
{
    struct rtable question = { .daddr = f->daddr, .saddr = f->saddr, .ifindex = f->ifindex };

    if (ipv4_is_zero(f->daddr))
        question.daddr = cpu_to_be32(INADDR_LOOPBACK); /* "this host", RFC 1122 3.2.1.3(a): ourselves */
    if (fib_has_multipath(net->ipv4->fib))
        question.spread = flow_spread(net, f);
    return answer(net, &question, dst);
}

int ip_route_output(struct net *net, be32 daddr, be32 saddr, uint32_t ifindex, struct dst_entry **dst)
{
    return ip_route_flow(net, &(struct ip_flow){ .daddr = daddr, .saddr = saddr, .ifindex = ifindex }, dst);
}

bool dst_is_stale(const struct net *net, const struct dst_entry *dst)
{
    return READ_ONCE(dst->generation) != READ_ONCE(net->ipv4->route_generation);
}

void route_invalidate(struct net *net)
{
    lock_acquire(&net->ipv4->route_lock);
    route_changed(net->ipv4);
    lock_release(&net->ipv4->route_lock);
}

/* ---- life ---- */

int route_init(struct net *net)
{
    lock_init(&net->ipv4->route_lock, "routes", RANK_ROUTE);
    net->ipv4->route_generation = 1;
    return fib_init(net);
}

void route_exit(struct net *net)
{
    for (unsigned i = 0; i < ROUTE_CACHE_SLOTS; i++)
        if (net->ipv4->route_cache[i])
            dst_release(&net->ipv4->route_cache[i]->dst);
    fib_exit(net);
}
