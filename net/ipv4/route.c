/* net/ipv4/route.c - the routing table: the longest prefix wins (RFC 1122 3.3.1).
 * Our own addresses and the broadcast addresses of our networks are routes too, of kinds LOCAL and BROADCAST,
 * so that one look-up says all. Answers are cached as dst_entries; a change of the table makes all of them
 * stale by counting route_generation up. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

struct rtable {
    struct dst_entry dst; /* first: dst_release frees it */
    be32 daddr, saddr;    /* as they were asked for */
    uint32_t ifindex;
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

static bool prefix_matches(const struct fib_route *r, be32 addr)
{
    return ((addr.raw ^ r->dst.raw) & inet_netmask(r->prefix_len).raw) == 0;
}

/* ---- the table ---- */

static bool stands_before(const struct fib_route *a, const struct fib_route *b)
{
    return a->prefix_len != b->prefix_len ? a->prefix_len > b->prefix_len : a->metric < b->metric;
}

static bool same_route(const struct fib_route *a, const struct fib_route *b)
{
    return a->prefix_len == b->prefix_len && be32_equal(a->dst, b->dst) && a->metric == b->metric &&
           a->dev == b->dev && a->kind == b->kind && be32_equal(a->gateway, b->gateway);
}

static void changed(struct ipv4_state *ipv4)
{
    uint32_t next = ipv4->route_generation + 1;

    WRITE_ONCE(ipv4->route_generation, next == DST_OBSOLETE ? next + 1 : next);
}

int fib_add(struct net *net, const struct fib_route *route)
{
    struct ipv4_state *ipv4 = net->ipv4;
    struct fib_route *new = mem_alloc(sizeof *new), *r;
    int err = 0;

    if (!new)
        return -ENOMEM;
    *new = *route;
    lock_acquire(&ipv4->route_lock);
    list_for_each_entry (r, &ipv4->routes, link) {
        if (same_route(r, new))
            err = -EEXIST;
        if (err || stands_before(new, r))
            break;
    }
    if (!err) {
        list_add_tail(&new->link, &r->link);
        changed(ipv4);
    }
    lock_release(&ipv4->route_lock);
    if (err)
        mem_free(new);
    return err;
}

static void remove_route(struct ipv4_state *ipv4, struct fib_route *r)
{
    list_del(&r->link);
    mem_free(r);
    changed(ipv4);
}

static bool is_like(const struct fib_route *r, const struct fib_route *like)
{
    return r->prefix_len == like->prefix_len && be32_equal(r->dst, like->dst) && r->kind == like->kind &&
           (!like->dev || r->dev == like->dev) &&
           (ipv4_is_zero(like->gateway) || be32_equal(r->gateway, like->gateway));
}

int fib_del(struct net *net, const struct fib_route *like)
{
    struct ipv4_state *ipv4 = net->ipv4;
    struct fib_route *r, *tmp;
    int err = -ESRCH;

    lock_acquire(&ipv4->route_lock);
    list_for_each_entry_safe (r, tmp, &ipv4->routes, link) {
        if (is_like(r, like)) {
            remove_route(ipv4, r);
            err = 0;
            break;
        }
    }
    lock_release(&ipv4->route_lock);
    return err;
}

void fib_flush_device(struct net *net, const struct net_device *dev)
{
    struct ipv4_state *ipv4 = net->ipv4;
    const struct in_device *ind = in_dev_get(dev);
    struct fib_route *r, *tmp;

    lock_acquire(&ipv4->route_lock);
    list_for_each_entry_safe (r, tmp, &ipv4->routes, link) {
        /* local routes lead to lo, whosever address it is */
        bool gone = r->kind == DST_LOCAL ? be32_equal(r->prefsrc, ind->address) : r->dev == dev;
        if (gone)
            remove_route(ipv4, r);
    }
    lock_release(&ipv4->route_lock);
}

void fib_for_each(struct net *net, void (*fn)(const struct fib_route *route, void *arg), void *arg)
{
    struct fib_route *r;

    lock_acquire(&net->ipv4->route_lock);
    list_for_each_entry (r, &net->ipv4->routes, link)
        fn(r, arg);
    lock_release(&net->ipv4->route_lock);
}

/* The best route to addr; ifindex 0: by any device. Own addresses are reached whatever the device. */
static const struct fib_route *fib_lookup(const struct ipv4_state *ipv4, be32 addr, uint32_t ifindex)
{
    const struct fib_route *r;

    list_for_each_entry (r, &ipv4->routes, link)
        if (prefix_matches(r, addr) && (!ifindex || r->kind == DST_LOCAL || r->dev->ifindex == ifindex))
            return r;
    return NULL;
}

/* ---- what an address is ---- */

static enum dst_kind kind_by_table(struct net *net, be32 addr, const struct net_device *dev)
{
    enum dst_kind kind = DST_UNICAST;

    lock_acquire(&net->ipv4->route_lock);
    const struct fib_route *r = fib_lookup(net->ipv4, addr, 0);
    if (r && (r->kind == DST_LOCAL || !dev || r->dev == dev))
        kind = r->kind;
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

/* The route for a destination that no prefix stands for: 255.255.255.255 and groups leave by the device of
 * saddr, or of the default route, or the first that can. */
static const struct fib_route *link_route(const struct ipv4_state *ipv4, be32 saddr, uint32_t ifindex)
{
    const struct fib_route *r, *best = NULL;

    list_for_each_entry (r, &ipv4->routes, link) {
        const bool own = !ipv4_is_zero(saddr) && be32_equal(r->prefsrc, saddr);
        if (ifindex && r->dev->ifindex != ifindex)
            continue;
        if (own && (r->kind == DST_UNICAST || ipv4_is_loopback(saddr)))
            return r;
        if (r->kind != DST_UNICAST)
            continue;
        if (!best || r->prefix_len == 0)
            best = r;
    }
    return best;
}

static enum dst_kind kind_of_destination(be32 daddr, const struct fib_route *r)
{
    if (ipv4_is_multicast(daddr))
        return DST_MULTICAST;
    return ipv4_is_limited_broadcast(daddr) ? DST_BROADCAST : r->kind;
}

static void rtable_fill(struct rtable *rt, const struct ipv4_state *ipv4, const struct fib_route *r)
{
    enum dst_kind kind = kind_of_destination(rt->daddr, r);
    bool direct = kind != DST_UNICAST || ipv4_is_zero(r->gateway);

    refcount_set(&rt->dst.refs, 1);
    rt->dst.dev = r->dev;
    rt->dst.kind = kind;
    rt->dst.gateway = direct ? rt->daddr : r->gateway;
    rt->dst.prefsrc = kind == DST_LOCAL ? rt->daddr : r->prefsrc;
    if (!ipv4_is_zero(rt->saddr))
        rt->dst.prefsrc = rt->saddr;
    rt->dst.mtu = READ_ONCE(r->dev->mtu);
    rt->dst.generation = ipv4->route_generation;
}

/* Look the question in rt up and answer it there. ROUTE lock held. */
static int resolve(const struct ipv4_state *ipv4, struct rtable *rt)
{
    if (!ipv4_is_zero(rt->saddr)) {
        const struct fib_route *own = fib_lookup(ipv4, rt->saddr, 0);
        if (!own || own->kind != DST_LOCAL) /* RFC 1122 3.2.1.3: a source address is one of ours */
            return -EINVAL;
    }
    bool no_prefix = ipv4_is_multicast(rt->daddr) || ipv4_is_limited_broadcast(rt->daddr);
    const struct fib_route *r =
        no_prefix ? link_route(ipv4, rt->saddr, rt->ifindex) : fib_lookup(ipv4, rt->daddr, rt->ifindex);
    if (!r)
        return -ENETUNREACH;
    if (ipv4_is_loopback(rt->saddr) && !(r->dev->flags & NETDEV_LOOPBACK))
        return -EINVAL; /* RFC 1122 3.2.1.3(g): 127/8 stays inside */
    rtable_fill(rt, ipv4, r);
    return 0;
}

static struct rtable **cache_slot(struct ipv4_state *ipv4, be32 daddr, be32 saddr, uint32_t ifindex)
{
    uint32_t h = (daddr.raw ^ saddr.raw ^ ifindex) * 0x9e3779b1u;
    return &ipv4->route_cache[h >> 26];
}
_Static_assert(ROUTE_CACHE_SLOTS == 1 << (32 - 26), "the hash's top bits are the slot");

static bool answers(const struct rtable *rt, const struct ipv4_state *ipv4, const struct rtable *question)
{
    return rt && READ_ONCE(rt->dst.generation) == ipv4->route_generation &&
           be32_equal(rt->daddr, question->daddr) && be32_equal(rt->saddr, question->saddr) &&
           rt->ifindex == question->ifindex;
}

/* Make a cache entry for question in slot. ROUTE lock held. */
static int fill_slot(struct ipv4_state *ipv4, struct rtable **slot, const struct rtable *question)
{
    struct rtable *rt = mem_alloc(sizeof *rt);
    if (!rt)
        return -ENOMEM;
    *rt = *question;
    int err = resolve(ipv4, rt);
    if (err) {
        mem_free(rt);
        return err;
    }
    if (*slot)
        dst_release(&(*slot)->dst);
    *slot = rt;
    return 0;
}

int ip_route_output(struct net *net, be32 daddr, be32 saddr, uint32_t ifindex, struct dst_entry **dst)
{
    struct ipv4_state *ipv4 = net->ipv4;
    if (ipv4_is_zero(daddr))
        daddr = cpu_to_be32(INADDR_LOOPBACK); /* "this host", RFC 1122 3.2.1.3(a): ourselves */
    const struct rtable question = { .daddr = daddr, .saddr = saddr, .ifindex = ifindex };
    struct rtable **slot = cache_slot(ipv4, daddr, saddr, ifindex);
    int err = 0;

    lock_acquire(&ipv4->route_lock);
    if (!answers(*slot, ipv4, &question))
        err = fill_slot(ipv4, slot, &question);
    if (!err) {
        *dst = &(*slot)->dst;
        dst_hold(*dst);
    }
    lock_release(&ipv4->route_lock);
    if (err == -ENETUNREACH)
        net_count(&ipv4->counters.out_no_routes);
    return err;
}

bool dst_is_stale(const struct net *net, const struct dst_entry *dst)
{
    return READ_ONCE(dst->generation) != READ_ONCE(net->ipv4->route_generation);
}

void route_invalidate(struct net *net)
{
    lock_acquire(&net->ipv4->route_lock);
    changed(net->ipv4);
    lock_release(&net->ipv4->route_lock);
}

/* ---- /proc/net/route ---- */

static void show_one(const struct fib_route *r, void *arg)
{
    struct textbuf *out = arg;
    char line[128];
    unsigned flags = RTF_UP;

    if (r->kind != DST_UNICAST)
        return;
    if (!ipv4_is_zero(r->gateway))
        flags |= RTF_GATEWAY;
    if (r->prefix_len == 32)
        flags |= RTF_HOST;
    ksnprintf(line, sizeof line, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%d\t%u\t%u", r->dev->name,
              r->dst.raw, r->gateway.raw, flags, 0, 0u, r->metric, inet_netmask(r->prefix_len).raw, 0, 0u,
              0u);
    textbuf_printf(out, "%-127s\n", line);
}

void route_show(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "%-127s\n",
                   "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
                   "\tWindow\tIRTT");
    fib_for_each(net, show_one, out);
}

/* ---- life ---- */

void route_init(struct net *net)
{
    lock_init(&net->ipv4->route_lock, "routes", RANK_ROUTE);
    list_init(&net->ipv4->routes);
    net->ipv4->route_generation = 1;
}

void route_exit(struct net *net)
{
    struct fib_route *r, *tmp;

    for (unsigned i = 0; i < ROUTE_CACHE_SLOTS; i++)
        if (net->ipv4->route_cache[i])
            dst_release(&net->ipv4->route_cache[i]->dst);
    list_for_each_entry_safe (r, tmp, &net->ipv4->routes, link)
        remove_route(net->ipv4, r);
}
