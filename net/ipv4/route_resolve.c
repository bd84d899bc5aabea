/* net/ipv4/route_resolve.c - the way out for one destination, or why there is none: the tables' answer with
 * its device, next hop and source address. Runs when the cache (route.c) has no answer. */
#include "net/ipv4/ipv4.h"
#include "net/ipv4/route.h"

/* Of several next hops, of those alive, the one that gets this part of all flows; only one by the device
 * asked for will do. */
static const struct fib_nexthop *choose_hop(const struct fib_info *r, uint32_t ifindex, uint32_t spread)
{
    uint32_t point = spread * r->weights >> 16;

    for (unsigned n = 0; n < r->n_nexthops; n++) {
        const struct fib_nexthop *hop = &r->nexthops[n];
        if (hop->dead)
            continue;
        if (ifindex ? hop->dev->ifindex == ifindex : point < hop->weight)
            return hop;
        point -= hop->weight;
    }
    return &r->nexthops[0]; /* an address of ours is reached whatever the device */
}

/* What is ours on this host only is no source on a link. */
static be32 our_address_on(const struct net_device *dev, be32 hop)
{
    return inet_select_addr(dev, hop, dev_flags(dev, NETDEV_LOOPBACK) ? SCOPE_HOST : SCOPE_LINK);
}

static void rtable_fill(struct rtable *rt, const struct ipv4_state *ipv4, struct net_device *dev,
                        enum dst_kind kind, be32 gateway, be32 prefsrc, uint32_t mtu)
{
    bool direct = kind != DST_UNICAST || ipv4_is_zero(gateway);
    uint32_t link_mtu = READ_ONCE(dev->mtu);

    if (!ipv4_is_zero(rt->q.saddr))
        prefsrc = rt->q.saddr;
    refcount_set(&rt->dst.refs, 1);
    rt->dst.dev = dev;
    rt->dst.kind = kind;
    rt->dst.gateway = direct ? rt->q.daddr : gateway;
    rt->dst.prefsrc = ipv4_is_zero(prefsrc) ? our_address_on(dev, rt->dst.gateway) : prefsrc;
    rt->dst.mtu = rt->dst.link_mtu = mtu ? MIN(mtu, link_mtu) : link_mtu;
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
    const struct fib_info *r = fib_match(net->ipv4->fib, rt->q.daddr, rt->q.ifindex);
    if (!r)
        return -ENETUNREACH;
    int kind = kind_of_route(r);
    if (kind < 0)
        return kind;
    const struct fib_nexthop *hop = choose_hop(r, rt->q.ifindex, rt->q.spread);
    bool local = kind == DST_LOCAL;
    rtable_fill(rt, net->ipv4, local && net->loopback ? net->loopback : hop->dev, (enum dst_kind)kind,
                hop->gateway, local ? rt->q.daddr : r->prefsrc, r->mtu);
    return 0;
}

/* A destination that no prefix stands for: 255.255.255.255 and groups leave by the device asked for, or
 * saddr's, or where the table would send them, or the first that leads anywhere. */
static struct net_device *link_device(struct net *net, const struct rtable *rt)
{
    const struct fib_state *fib = net->ipv4->fib;
    const struct fib_info *r = NULL;

    if (rt->q.ifindex)
        return dev_get_by_index(net, rt->q.ifindex);
    if (!ipv4_is_zero(rt->q.saddr))
        r = fib_match_local(fib, rt->q.saddr);
    if (!r)
        r = fib_match(fib, rt->q.daddr, 0);
    if (!r || !r->n_nexthops)
        r = fib_any(fib);
    return r ? r->nexthops[0].dev : NULL;
}

static int resolve_by_link(struct net *net, struct rtable *rt)
{
    struct net_device *dev = link_device(net, rt);

    if (!dev || !dev_flags(dev, NETDEV_UP) || !in_dev_get(dev))
        return -ENETUNREACH;
    rtable_fill(rt, net->ipv4, dev, ipv4_is_multicast(rt->q.daddr) ? DST_MULTICAST : DST_BROADCAST,
                (be32){ 0 }, (be32){ 0 }, 0);
    return 0;
}

/* Look the question in rt up and answer it there. */
static int resolve(struct net *net, struct rtable *rt)
{
    if (!ipv4_is_zero(rt->q.saddr)) {
        const struct fib_info *own = fib_match_local(net->ipv4->fib, rt->q.saddr);
        if (!own || own->type != ROUTE_LOCAL) /* RFC 1122 3.2.1.3: a source address is one of ours */
            return -EINVAL;
    }
    bool no_prefix = ipv4_is_multicast(rt->q.daddr) || ipv4_is_limited_broadcast(rt->q.daddr);
    int err = no_prefix ? resolve_by_link(net, rt) : resolve_by_table(net, rt);
    if (!err && rt->dst.kind == DST_UNICAST)
        peer_apply(net, rt->q.daddr, &rt->dst);
    if (!err && ipv4_is_loopback(rt->q.saddr) && !dev_flags(rt->dst.dev, NETDEV_LOOPBACK))
        return -EINVAL; /* RFC 1122 3.2.1.3(g): 127/8 stays inside */
    return err;
}

int route_make(struct net *net, struct rtable **slot, const struct route_question *q)
{
    struct rtable *rt = mem_alloc(sizeof *rt);
    if (!rt)
        return -ENOMEM;
    rt->q = *q;
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
