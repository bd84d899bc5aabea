/* net/ipv4/rtnl_route_tell.c - routes told by netlink, rtnetlink(7): RTM_GETROUTE, all of them or the way to
 * one address, and what becomes of them. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/rtnl.h"

/* Bits of rtm_flags that say what a looked-up route is. */
enum { CLONED_BROADCAST = 0x10000000, CLONED_MULTICAST = 0x20000000 };
#define CLONED_LOCAL 0x80000000u

static void put_be32(struct nlmsg *m, uint16_t type, be32 addr)
{
    if (!ipv4_is_zero(addr))
        nl_put(m, type, &addr, sizeof addr);
}

/* ---- a route as a message ---- */

static uint8_t hop_flags(const struct fib_nexthop *hop)
{
    bool linked = READ_ONCE(hop->dev->carrier) && !hop->dead;

    return (uint8_t)((linked ? 0 : RTNH_F_LINKDOWN) | (hop->dead ? RTNH_F_DEAD : 0) |
                     (hop->onlink ? RTNH_F_ONLINK : 0));
}

static void put_multipath(struct nlmsg *m, const struct fib_route *route)
{
    uint32_t nest = nl_nest_begin(m, RTA_MULTIPATH);

    for (unsigned n = 0; n < route->n_nexthops; n++) {
        const struct fib_nexthop *hop = &route->nexthops[n];
        uint32_t begin = m->skb->len;
        struct rtnexthop *nh = nl_reserve(m, sizeof *nh);
        if (!nh)
            break;
        nh->rtnh_flags = hop_flags(hop);
        nh->rtnh_hops = (uint8_t)(MAX(hop->weight, 1) - 1);
        nh->rtnh_ifindex = (int)hop->dev->ifindex;
        put_be32(m, RTA_GATEWAY, hop->gateway);
        nh->rtnh_len = (uint16_t)(m->skb->len - begin);
    }
    nl_nest_end(m, nest);
}

static void put_mtu(struct nlmsg *m, uint32_t mtu)
{
    uint32_t nest = nl_nest_begin(m, RTA_METRICS);

    nl_put_u32(m, RTAX_MTU, mtu);
    nl_nest_end(m, nest);
}

/* False: no room. */
static bool put_route(struct sk_buff *skb, const struct nl_to *to, uint16_t type,
                      const struct fib_route *route)
{
    const struct fib_nexthop *only = route->n_nexthops == 1 ? &route->nexthops[0] : NULL;
    const struct rtmsg fixed = { .rtm_family = AF_INET,
                                 .rtm_dst_len = route->prefix_len,
                                 .rtm_table = route->table,
                                 .rtm_protocol = route->origin,
                                 .rtm_scope = route->scope,
                                 .rtm_type = route->type,
                                 .rtm_flags = only ? hop_flags(only) : 0 };
    struct nlmsg m = nlmsg_begin(skb, to, type, &fixed, sizeof fixed);

    nl_put_u32(&m, RTA_TABLE, route->table);
    if (route->prefix_len)
        nl_put(&m, RTA_DST, &route->dst, sizeof route->dst);
    if (route->metric)
        nl_put_u32(&m, RTA_PRIORITY, route->metric);
    if (route->mtu)
        put_mtu(&m, route->mtu);
    put_be32(&m, RTA_PREFSRC, route->prefsrc);
    if (only) {
        put_be32(&m, RTA_GATEWAY, only->gateway);
        nl_put_u32(&m, RTA_OIF, only->dev->ifindex);
    } else if (route->n_nexthops) {
        put_multipath(&m, route);
    }
    return nlmsg_end(&m);
}

/* ---- changes ---- */

void rtnl_route_heard(struct fib_listener *l, struct net *net, enum fib_event event,
                      const struct fib_route *route)
{
    const uint16_t type = event == FIB_REMOVED ? RTM_DELROUTE : RTM_NEWROUTE;

    (void)l;
    nl_changed(net);
    if (!nl_heard(net, RTNLGRP_IPV4_ROUTE))
        return;
    struct nl_to to = nl_cause(net);
    struct sk_buff *skb = nl_event(net, RTNLGRP_IPV4_ROUTE);
    to.flags = event == FIB_REPLACED ? NLM_F_REPLACE : event == FIB_ADDED ? NLM_F_CREATE : 0;
    if (skb && put_route(skb, &to, type, route))
        nl_publish(net, RTNLGRP_IPV4_ROUTE, skb);
    else
        consume_skb(skb);
}

/* ---- all of them ---- */

struct filter {
    uint32_t table, ifindex; /* 0: any, here and below */
    uint8_t origin, type;
    bool cached; /* those that were looked up, not those that were set: none are told */
};

static int check_dump(struct nl_request *r, const struct rtmsg *fixed,
                      const struct nlattr *const attrs[RTNL_ROUTE_ATTRS])
{
    if (fixed->rtm_dst_len || fixed->rtm_src_len || fixed->rtm_tos || fixed->rtm_scope)
        return nl_complain(&r->in, -EINVAL, "Invalid values in header for FIB dump request", NULL);
    if (fixed->rtm_flags & ~(unsigned)(RTM_F_CLONED | RTM_F_PREFIX))
        return nl_complain(&r->in, -EINVAL, "Invalid flags for FIB dump request", NULL);
    for (unsigned i = 0; i < RTNL_ROUTE_ATTRS; i++)
        if (attrs[i] && i != RTA_TABLE && i != RTA_OIF)
            return nl_complain(&r->in, -EINVAL, "Unsupported attribute in dump request", attrs[i]);
    return 0;
}

static int parse_dump(struct nl_request *r, struct filter *f)
{
    const struct nlattr *attrs[RTNL_ROUTE_ATTRS];

    *f = (struct filter){ .table = 0 };
    const struct rtmsg *fixed = nl_header(&r->in, sizeof *fixed);
    if (!fixed)
        return r->in.strict ? -EINVAL : 0; /* an old program's struct rtgenmsg */
    f->cached = fixed->rtm_flags & RTM_F_CLONED;
    if (!r->in.strict)
        return 0;
    int err = nl_parse_message(&r->in, sizeof *fixed, rtnl_route_rules, RTNL_ROUTE_ATTRS, attrs);
    if (!err)
        err = check_dump(r, fixed, attrs);
    if (err)
        return err;
    f->table = attrs[RTA_TABLE] ? nl_u32(attrs[RTA_TABLE]) : fixed->rtm_table;
    f->ifindex = attrs[RTA_OIF] ? nl_u32(attrs[RTA_OIF]) : 0;
    f->origin = fixed->rtm_protocol;
    f->type = fixed->rtm_type;
    if (f->table && f->table != RT_TABLE_MAIN && f->table != RT_TABLE_LOCAL)
        return nl_complain(&r->in, -ENOENT, "ipv4: FIB table does not exist", NULL);
    return f->ifindex && !dev_get_by_index(r->net, f->ifindex) ? -ENODEV : 0;
}

static bool passes(const struct filter *f, const struct fib_route *route)
{
    bool by = !f->ifindex;

    for (unsigned n = 0; n < route->n_nexthops; n++)
        by |= route->nexthops[n].dev->ifindex == f->ifindex;
    return by && (!f->table || f->table == route->table) && (!f->origin || f->origin == route->origin) &&
           (!f->type || f->type == route->type);
}

/* One table, from w on. 1: there was no room. */
static int dump_table(struct nl_request *r, const struct filter *f, uint8_t table, struct fib_walk *w)
{
    struct fib_walk next = *w;
    struct fib_route route;

    while (fib_next(r->net, &next, &route) && route.table == table) {
        if (passes(f, &route) && !put_route(r->skb, &r->to, RTM_NEWROUTE, &route))
            return 1;
        *w = next;
    }
    return 0;
}

/* MAIN comes first, as on Linux. at[0]: the tables that are done; at[1], at[2]: the walk through the next. */
int rtnl_route_dump(struct nl_request *r)
{
    static const uint8_t order[] = { TABLE_MAIN, TABLE_LOCAL };
    struct fib_walk w;
    struct filter f;
    int err = parse_dump(r, &f);

    if (f.cached)
        return err;
    _Static_assert(sizeof w <= 2 * sizeof r->at[1], "it is kept there");
    for (; r->at[0] < ARRAY_SIZE(order) && !err; r->at[0] += !err) {
        memcpy(&w, &r->at[1], sizeof w);
        if (!r->at[3])
            w = (struct fib_walk){ .table = order[r->at[0]] == TABLE_MAIN };
        err = dump_table(r, &f, order[r->at[0]], &w);
        memcpy(&r->at[1], &w, sizeof w);
        r->at[3] = err > 0; /* in the middle */
    }
    return err;
}

/* ---- the way to one address ---- */

static int parse_get(struct nl_request *r, struct ip_flow *flow)
{
    const struct nlattr *attrs[RTNL_ROUTE_ATTRS];
    int err = nl_parse_message(&r->in, sizeof(struct rtmsg), rtnl_route_rules, RTNL_ROUTE_ATTRS, attrs);

    if (err)
        return err;
    if (attrs[RTA_IIF])
        return nl_complain(&r->in, -EOPNOTSUPP, "ipv4: the way of what comes in is not told", attrs[RTA_IIF]);
    *flow = (struct ip_flow){ .daddr = attrs[RTA_DST] ? nl_be32(attrs[RTA_DST]) : (be32){ 0 },
                              .saddr = attrs[RTA_SRC] ? nl_be32(attrs[RTA_SRC]) : (be32){ 0 },
                              .ifindex = attrs[RTA_OIF] ? nl_u32(attrs[RTA_OIF]) : 0 };
    flow->protocol = attrs[RTA_IP_PROTO] ? nl_u8(attrs[RTA_IP_PROTO]) : 0;
    if (attrs[RTA_SPORT])
        memcpy(&flow->sport, nl_data(attrs[RTA_SPORT]), sizeof flow->sport);
    if (attrs[RTA_DPORT])
        memcpy(&flow->dport, nl_data(attrs[RTA_DPORT]), sizeof flow->dport);
    if (!ipv4_is_zero(flow->saddr) && inet_addr_kind(r->net, flow->saddr, NULL) != DST_LOCAL)
        return -ENETUNREACH; /* as Linux: from there leads no way */
    return flow->ifindex && !dev_get_by_index(r->net, flow->ifindex) ? -ENODEV : 0;
}

static void put_way(struct nl_request *r, const struct ip_flow *flow, const struct dst_entry *dst)
{
    static const struct {
        uint8_t type;
        uint32_t flags;
    } kinds[] = {
        [DST_UNICAST] = { RTN_UNICAST, 0 },
        [DST_LOCAL] = { RTN_LOCAL, CLONED_LOCAL },
        [DST_BROADCAST] = { RTN_BROADCAST, CLONED_LOCAL | CLONED_BROADCAST },
        [DST_MULTICAST] = { RTN_MULTICAST, CLONED_MULTICAST },
    };
    const bool from = !ipv4_is_zero(flow->saddr);
    const struct rtmsg fixed = { .rtm_family = AF_INET,
                                 .rtm_dst_len = 32,
                                 .rtm_src_len = from ? 32 : 0,
                                 .rtm_table = RT_TABLE_MAIN, /* as Linux, whichever it was */
                                 .rtm_type = kinds[dst->kind].type,
                                 .rtm_flags = RTM_F_CLONED | kinds[dst->kind].flags };
    const struct rta_cacheinfo cache = { .rta_clntref = 1 };
    struct nlmsg m = nlmsg_begin(r->skb, &r->to, RTM_NEWROUTE, &fixed, sizeof fixed);

    nl_put(&m, RTA_DST, &flow->daddr, sizeof flow->daddr);
    put_be32(&m, RTA_SRC, flow->saddr);
    nl_put_u32(&m, RTA_OIF, dst->dev->ifindex);
    nl_put_u32(&m, RTA_TABLE, fixed.rtm_table);
    if (!from)
        put_be32(&m, RTA_PREFSRC, dst->prefsrc);
    if (dst->kind == DST_UNICAST && !be32_equal(dst->gateway, flow->daddr))
        put_be32(&m, RTA_GATEWAY, dst->gateway);
    if (dst->mtu != READ_ONCE(dst->dev->mtu))
        put_mtu(&m, dst->mtu);
    nl_put_u32(&m, RTA_UID, r->uid);
    nl_put(&m, RTA_CACHEINFO, &cache, sizeof cache);
    nlmsg_end(&m);
}

int rtnl_route_get(struct nl_request *r)
{
    struct dst_entry *dst;
    struct ip_flow flow;
    int err = parse_get(r, &flow);

    if (!err)
        err = ip_route_flow(r->net, &flow, &dst);
    if (err)
        return err;
    put_way(r, &flow, dst);
    dst_release(dst);
    return 0;
}
