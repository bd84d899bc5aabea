/* net/ipv4/route.c - the way to a destination (RFC 1122 3.3.1): what the tables (fib.c) say, made into a
 * dst_entry, which packets and sockets keep. Answers are cached by their question; a change of the tables
 * makes all of them stale by counting route_generation up. */
#include "net/ipv4/route.h"
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

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

/* A router asks this for every packet that it passes on, and mostly for an address that it has seen before.
 * So answers that hold on any device are kept: an address, the table's generation (its low 31 bits: who keeps
 * an answer through two thousand million changes may be wrong), and whether it is ours. A slot is one word,
 * read and written whole, and so needs no lock: a word of another generation answers nothing. */
static uint64_t kind_word(be32 addr, uint32_t generation, enum dst_kind kind)
{
    return (uint64_t)addr.raw << 32 | (uint32_t)(generation << 1) | (kind == DST_LOCAL);
}

static uint64_t *kind_slot(struct ipv4_state *ipv4, be32 addr)
{
    return &ipv4->kinds[addr.raw * 0x9e3779b1u >> 26];
}
_Static_assert(KIND_SLOTS == 1 << (32 - 26), "the hash's top bits are the slot");

static enum dst_kind kind_by_table(struct net *net, be32 addr, const struct net_device *dev)
{
    struct ipv4_state *ipv4 = net->ipv4;
    enum dst_kind kind = DST_UNICAST;

    lock_acquire(&ipv4->route_lock);
    const struct fib_info *r = fib_match_local(ipv4->fib, addr);
    if (r && r->type == ROUTE_LOCAL)
        kind = DST_LOCAL;
    else if (r && r->type == ROUTE_BROADCAST && (!dev || r->nexthops[0].dev == dev))
        kind = DST_BROADCAST;
    if (!r || kind == DST_LOCAL)
        WRITE_ONCE(*kind_slot(ipv4, addr), kind_word(addr, ipv4->route_generation, kind));
    lock_release(&ipv4->route_lock);
    return kind;
}

enum dst_kind inet_addr_kind(struct net *net, be32 addr, const struct net_device *dev)
{
    if (ipv4_is_multicast(addr))
        return DST_MULTICAST;
    if (ipv4_is_limited_broadcast(addr))
        return DST_BROADCAST;
    if (dev && in_dev_get(dev) && be32_equal(addr, in_dev_address(dev)) && !ipv4_is_zero(addr))
        return DST_LOCAL; /* nearly every packet that arrives: no lock */
    uint64_t word = READ_ONCE(*kind_slot(net->ipv4, addr));
    uint64_t unicast = kind_word(addr, READ_ONCE(net->ipv4->route_generation), DST_UNICAST);
    if (word - unicast <= 1)
        return word == unicast ? DST_UNICAST : DST_LOCAL;
    return kind_by_table(net, addr, dev);
}

/* ---- the cache ---- */

void route_changed(struct ipv4_state *ipv4)
{
    uint32_t next = ipv4->route_generation + 1;

    WRITE_ONCE(ipv4->route_generation, next == DST_OBSOLETE ? next + 1 : next);
}

static struct rtable **cache_slot(struct ipv4_state *ipv4, const struct route_question *q)
{
    uint32_t h = (q->daddr.raw ^ q->saddr.raw ^ q->ifindex ^ q->spread) * 0x9e3779b1u;
    return &ipv4->route_cache[h >> 26];
}
_Static_assert(ROUTE_CACHE_SLOTS == 1 << (32 - 26), "the hash's top bits are the slot");

bool dst_is_stale(const struct net *net, const struct dst_entry *dst)
{
    return READ_ONCE(dst->generation) != READ_ONCE(net->ipv4->route_generation) ||
           (dst->expires && time_now() >= dst->expires);
}

static bool answers(const struct rtable *rt, const struct net *net, const struct route_question *q)
{
    return rt && be32_equal(rt->q.daddr, q->daddr) && be32_equal(rt->q.saddr, q->saddr) &&
           rt->q.ifindex == q->ifindex && rt->q.spread == q->spread && !dst_is_stale(net, &rt->dst);
}

static int answer(struct net *net, const struct route_question *q, struct dst_entry **dst)
{
    struct ipv4_state *ipv4 = net->ipv4;
    struct rtable **slot = cache_slot(ipv4, q);
    int err = 0;

    lock_acquire(&ipv4->route_lock);
    if (!answers(*slot, net, q))
        err = route_make(net, slot, q);
    if (!err) {
        *dst = &(*slot)->dst;
        dst_hold(*dst);
    }
    lock_release(&ipv4->route_lock);
    if (err == -ENETUNREACH)
        net_count(&ipv4->counters.out_no_routes);
    return err;
}

static bool has_multipath(const struct net *net)
{
    return READ_ONCE(net->ipv4->multipath);
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

/* "This host" (RFC 1122 3.2.1.3(a)) as a destination: ourselves. */
static be32 real_destination(be32 daddr)
{
    return ipv4_is_zero(daddr) ? cpu_to_be32(INADDR_LOOPBACK) : daddr;
}

int ip_route_flow(struct net *net, const struct ip_flow *f, struct dst_entry **dst)
{
    const struct route_question q = { .daddr = real_destination(f->daddr),
                                      .saddr = f->saddr,
                                      .ifindex = f->ifindex,
                                      .spread = has_multipath(net) ? flow_spread(net, f) : 0 };
    return answer(net, &q, dst);
}

int ip_route_transit(struct net *net, const struct ip_flow *f, struct dst_entry **dst)
{
    const struct route_question q = { .daddr = real_destination(f->daddr), .spread = flow_spread(net, f) };
    return answer(net, &q, dst);
}

int ip_route_output(struct net *net, be32 daddr, be32 saddr, uint32_t ifindex, struct dst_entry **dst)
{
    if (has_multipath(net)) {
        const struct ip_flow f = { .daddr = daddr, .saddr = saddr, .ifindex = ifindex };
        return ip_route_flow(net, &f, dst);
    }
    const struct route_question q = { real_destination(daddr), saddr, ifindex, 0 };
    return answer(net, &q, dst);
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
    peer_init(net);
    return fib_init(net);
}

void route_exit(struct net *net)
{
    for (unsigned i = 0; i < ROUTE_CACHE_SLOTS; i++)
        if (net->ipv4->route_cache[i])
            dst_release(&net->ipv4->route_cache[i]->dst);
    fib_exit(net);
    peer_exit(net);
}
