/* net/ipv4/rtnl_route.c - routes by netlink, rtnetlink(7): RTM_NEWROUTE and RTM_DELROUTE. There are two
 * tables; of the metrics the MTU alone is kept. What else a program wants of a route is refused rather than
 * forgotten. */
#include "net/ipv4/ipv4.h"
#include "net/ipv4/rtnl.h"

const struct nl_rule rtnl_route_rules[RTNL_ROUTE_ATTRS] = {
    [RTA_DST] = { NL_MIN, 4 },     [RTA_SRC] = { NL_MIN, 4 },        [RTA_IIF] = { NL_MIN, 4 },
    [RTA_OIF] = { NL_MIN, 4 },     [RTA_GATEWAY] = { NL_MIN, 4 },    [RTA_PRIORITY] = { NL_MIN, 4 },
    [RTA_PREFSRC] = { NL_MIN, 4 }, [RTA_METRICS] = { NL_NESTED, 0 }, [RTA_MULTIPATH] = { NL_ANY, 0 },
    [RTA_FLOW] = { NL_ANY, 0 },    [RTA_CACHEINFO] = { NL_ANY, 0 },  [RTA_TABLE] = { NL_MIN, 4 },
    [RTA_MARK] = { NL_MIN, 4 },    [RTA_VIA] = { NL_ANY, 0 },        [RTA_ENCAP_TYPE] = { NL_ANY, 0 },
    [RTA_ENCAP] = { NL_ANY, 0 },   [RTA_UID] = { NL_MIN, 4 },        [RTA_IP_PROTO] = { NL_MIN, 1 },
    [RTA_SPORT] = { NL_MIN, 2 },   [RTA_DPORT] = { NL_MIN, 2 },      [RTA_NH_ID] = { NL_MIN, 4 },
};

/* ---- what is asked for ---- */

static int refuse_what_is_not_here(struct nl_request *r, const struct rtmsg *fixed,
                                   const struct nlattr *const attrs[RTNL_ROUTE_ATTRS])
{
    static const uint8_t not_here[] = { RTA_FLOW, RTA_VIA, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_NH_ID };

    for (unsigned i = 0; i < sizeof not_here; i++)
        if (attrs[not_here[i]])
            return nl_complain(&r->in, -EOPNOTSUPP, "ipv4: no such thing in a route here",
                               attrs[not_here[i]]);
    if (fixed->rtm_tos)
        return nl_complain(&r->in, -EOPNOTSUPP, "ipv4: no routes by type of service here", NULL);
    return 0;
}

/* 0: where the type belongs. Other tables do not exist. */
static int parse_table(struct nl_request *r, uint32_t table, struct fib_route *route)
{
    if (table != RT_TABLE_UNSPEC && table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL)
        return nl_complain(&r->in, -EOPNOTSUPP, "ipv4: there are the tables main and local only", NULL);
    route->table = table == RT_TABLE_UNSPEC ? TABLE_MAIN : (uint8_t)table;
    return 0;
}

static int parse_metrics(struct nl_request *r, const struct nlattr *a, struct fib_route *route)
{
    enum { KNOWN = RTAX_MAX + 1 };
    static const struct nl_rule rules[KNOWN] = {
        [RTAX_LOCK] = { NL_MIN, 4 },
        [RTAX_MTU] = { NL_MIN, 4 },
        [RTAX_LOCK + 2 ... RTAX_MAX] = { NL_ANY, 0 },
    };
    const struct nlattr *attrs[KNOWN];
    int err = nl_parse_nested(&r->in, a, rules, KNOWN, attrs);

    for (unsigned i = 0; i < KNOWN && !err; i++)
        if (attrs[i] && i != RTAX_MTU)
            err = nl_complain(&r->in, -EOPNOTSUPP, "ipv4: of the metrics the mtu alone is kept", attrs[i]);
    if (!err && attrs[RTAX_MTU])
        route->mtu = nl_u32(attrs[RTAX_MTU]);
    return err;
}

static int parse_device(struct nl_request *r, uint32_t ifindex, struct fib_nexthop *hop)
{
    hop->dev = ifindex ? dev_get_by_index(r->net, ifindex) : NULL;
    return ifindex && !hop->dev ? -ENODEV : 0;
}

/* One of several next hops, with its attributes. */
static int parse_hop(struct nl_request *r, const struct rtnexthop *nh, struct fib_nexthop *hop)
{
    const struct nlattr *attrs[RTNL_ROUTE_ATTRS];
    int err = nl_parse(&r->in, nh + 1, nh->rtnh_len - sizeof *nh, rtnl_route_rules, RTNL_ROUTE_ATTRS, attrs);

    if (!err && (attrs[RTA_VIA] || attrs[RTA_ENCAP] || attrs[RTA_FLOW]))
        err = nl_complain(&r->in, -EOPNOTSUPP, "ipv4: no such thing in a route here", NULL);
    if (err)
        return err;
    hop->gateway = attrs[RTA_GATEWAY] ? nl_be32(attrs[RTA_GATEWAY]) : (be32){ 0 };
    hop->weight = (uint16_t)(nh->rtnh_hops + 1);
    hop->onlink = nh->rtnh_flags & RTNH_F_ONLINK;
    return parse_device(r, (uint32_t)nh->rtnh_ifindex, hop);
}

static int parse_multipath(struct nl_request *r, const struct nlattr *a, struct fib_route *route)
{
    const uint8_t *p = nl_data(a), *end = p + nl_size(a);
    int err = 0;

    while (!err && (size_t)(end - p) >= sizeof(struct rtnexthop)) {
        const struct rtnexthop *nh = (const struct rtnexthop *)(const void *)p;
        if (nh->rtnh_len < sizeof *nh || nh->rtnh_len > (size_t)(end - p))
            break;
        if (route->n_nexthops == FIB_NEXTHOPS_MAX)
            return nl_complain(&r->in, -EINVAL, "ipv4: too many nexthops", a);
        err = parse_hop(r, nh, &route->nexthops[route->n_nexthops++]);
        p += MIN((size_t)NLMSG_ALIGN((unsigned)nh->rtnh_len), (size_t)(end - p));
    }
    if (!err && (p != end || !route->n_nexthops))
        return nl_complain(&r->in, -EINVAL, "Invalid nexthop configuration - extra data after nexthops", a);
    return err;
}

static bool leads_somewhere(unsigned type)
{
    return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_BROADCAST || type == RTN_UNSPEC;
}

static int parse_hops(struct nl_request *r, const struct nlattr *const attrs[RTNL_ROUTE_ATTRS],
                      uint32_t flags, struct fib_route *route)
{
    const bool single = attrs[RTA_OIF] || attrs[RTA_GATEWAY];
    struct fib_nexthop *hop = &route->nexthops[0];

    if (!leads_somewhere(route->type))
        return single || attrs[RTA_MULTIPATH]
                   ? nl_complain(&r->in, -EINVAL, "Route with an error and a nexthop", NULL)
                   : 0;
    if (attrs[RTA_MULTIPATH])
        return parse_multipath(r, attrs[RTA_MULTIPATH], route);
    route->n_nexthops = 1;
    hop->onlink = flags & RTNH_F_ONLINK;
    hop->gateway = attrs[RTA_GATEWAY] ? nl_be32(attrs[RTA_GATEWAY]) : (be32){ 0 };
    return parse_device(r, attrs[RTA_OIF] ? nl_u32(attrs[RTA_OIF]) : 0, hop);
}

static int parse_prefix(struct nl_request *r, const struct rtmsg *fixed,
                        const struct nlattr *const attrs[RTNL_ROUTE_ATTRS], struct fib_route *route)
{
    if (fixed->rtm_dst_len > 32)
        return nl_complain(&r->in, -EINVAL, "Invalid prefix length", NULL);
    route->prefix_len = fixed->rtm_dst_len;
    route->dst = attrs[RTA_DST] ? nl_be32(attrs[RTA_DST]) : (be32){ 0 };
    if (route->dst.raw & ~inet_netmask(route->prefix_len).raw)
        return nl_complain(&r->in, -EINVAL, "Invalid prefix for given prefix length", NULL);
    return 0;
}

static int parse_route(struct nl_request *r, struct fib_route *route)
{
    const struct nlattr *attrs[RTNL_ROUTE_ATTRS];
    int err = nl_parse_message(&r->in, sizeof(struct rtmsg), rtnl_route_rules, RTNL_ROUTE_ATTRS, attrs);
    if (err)
        return err;
    const struct rtmsg *fixed = nl_header(&r->in, sizeof *fixed);
    *route = (struct fib_route){ .type = fixed->rtm_type,
                                 .scope = fixed->rtm_scope,
                                 .origin = fixed->rtm_protocol,
                                 .metric = attrs[RTA_PRIORITY] ? nl_u32(attrs[RTA_PRIORITY]) : 0 };
    if (attrs[RTA_PREFSRC])
        route->prefsrc = nl_be32(attrs[RTA_PREFSRC]);
    err = refuse_what_is_not_here(r, fixed, attrs);
    if (!err)
        err = parse_prefix(r, fixed, attrs, route);
    if (!err)
        err = parse_table(r, attrs[RTA_TABLE] ? nl_u32(attrs[RTA_TABLE]) : fixed->rtm_table, route);
    if (!err && attrs[RTA_METRICS])
        err = parse_metrics(r, attrs[RTA_METRICS], route);
    return err ? err : parse_hops(r, attrs, fixed->rtm_flags, route);
}

/* ---- new ---- */

/* Is there a route with this one's prefix, table and metric? */
static bool has_alike(struct net *net, const struct fib_route *route)
{
    struct fib_walk w = { .prefix = be32_to_cpu(route->dst),
                          .len = route->prefix_len,
                          .table = route->table == TABLE_MAIN };
    struct fib_route r;

    while (fib_next(net, &w, &r) && be32_equal(r.dst, route->dst) && r.prefix_len == route->prefix_len &&
           r.table == route->table)
        if (r.metric == route->metric)
            return true;
    return false;
}

/* What the flags say of routes that are there already, as rtnetlink(7). */
static enum fib_insert_mode mode_of(uint16_t flags)
{
    if (flags & NLM_F_EXCL)
        return FIB_EXCLUSIVE;
    if (flags & NLM_F_REPLACE)
        return FIB_REPLACE;
    return flags & NLM_F_APPEND ? FIB_APPEND : FIB_PREPEND;
}

static int new_route(struct nl_request *r)
{
    const uint16_t flags = r->in.message->nlmsg_flags;
    const char *wrong;
    struct fib_route route;
    int err = parse_route(r, &route);

    if (!err && (route.type == RTN_UNSPEC || route.type > RTN_PROHIBIT || route.type == RTN_ANYCAST ||
                 route.type == RTN_MULTICAST))
        err = nl_complain(&r->in, -EINVAL, "Invalid route type", NULL);
    if (!err && route.scope > RT_SCOPE_HOST)
        err = nl_complain(&r->in, -EINVAL, "Invalid scope", NULL);
    if (err)
        return err;
    err = fib_check(r->net, &route, &wrong);
    if (err)
        return wrong ? nl_complain(&r->in, err, wrong, NULL) : err;
    if (!(flags & NLM_F_CREATE) && !has_alike(r->net, &route))
        return -ENOENT;
    err = fib_insert(r->net, &route, mode_of(flags));
    return err == -EEXIST && mode_of(flags) == FIB_REPLACE ? 0 : err; /* it is there as it is wanted */
}

/* ---- del ---- */

static int delete_route(struct nl_request *r)
{
    struct fib_route like;
    int err = parse_route(r, &like);

    if (err)
        return err == -EOPNOTSUPP ? -ESRCH : err; /* such a route there is not */
    if (like.scope == RT_SCOPE_NOWHERE)
        like.scope = 0; /* any */
    return fib_del(r->net, &like);
}

const struct nl_handler rtnl_route_handlers[RTNL_ROUTE_HANDLERS] = {
    { .type = RTM_NEWROUTE, .family = AF_INET, .doit = new_route },
    { .type = RTM_DELROUTE, .family = AF_INET, .doit = delete_route },
    { .type = RTM_GETROUTE, .family = AF_INET, .doit = rtnl_route_get, .dump = rtnl_route_dump },
};
