/* net/ipv4/devinet_routes.c - the routes that an address brings: itself (LOCAL), its network, and the
 * broadcast addresses of the network. A route goes when the last address that brings it has gone. */
#include "net/ipv4/devinet.h"
#include "net/ipv4/ipv4.h"

/* What of a route depends on the address. */
struct brought_route {
    be32 dst, prefsrc;
    uint32_t metric;
    uint8_t prefix_len, type, scope;
};
enum { ROUTES_MOST = 5 };
struct brought {
    struct brought_route routes[ROUTES_MOST];
    unsigned n;
};

static void bring(struct brought *b, be32 dst, uint8_t prefix_len, enum route_type type,
                  enum route_scope scope, be32 prefsrc)
{
    b->routes[b->n++] = (struct brought_route){ .dst = dst,
                                                .prefix_len = prefix_len,
                                                .type = (uint8_t)type,
                                                .scope = (uint8_t)scope,
                                                .prefsrc = prefsrc };
}

static struct fib_route as_route(const struct brought_route *b, struct net_device *dev)
{
    return (struct fib_route){ .dst = b->dst,
                               .prefix_len = b->prefix_len,
                               .type = b->type,
                               .scope = b->scope,
                               .origin = ORIGIN_KERNEL,
                               .prefsrc = b->prefsrc,
                               .metric = b->metric,
                               .n_nexthops = 1,
                               .nexthops = { { .dev = dev } } };
}

/* The primary address of ifa's network: the source of its routes. */
static const struct in_ifaddr *primary_of(const struct net_device *dev, const struct in_ifaddr *ifa)
{
    uint32_t mask = inet_netmask(ifa->prefix_len).raw;
    const struct in_ifaddr *other;

    if (!(ifa->flags & IFA_F_SECONDARY))
        return ifa;
    list_for_each_entry (other, &in_dev_get(dev)->addresses, link)
        if (!(other->flags & IFA_F_SECONDARY) && other->prefix_len == ifa->prefix_len &&
            (other->peer.raw & mask) == (ifa->peer.raw & mask))
            return other;
    return ifa;
}

/* Broadcasts exist where a network has room for them (RFC 3021: not in a /31); the old form too, as RFC 1122
 * 3.3.6 wants it recognised, but not on lo. */
static void bring_broadcasts(struct brought *b, const struct net_device *dev, be32 network, uint8_t len,
                             be32 source)
{
    const be32 all_ones = { network.raw | ~inet_netmask(len).raw };

    if (len >= 31 || !(dev_flags(dev, NETDEV_BROADCAST | NETDEV_LOOPBACK)))
        return;
    bring(b, all_ones, 32, ROUTE_BROADCAST, SCOPE_LINK, source);
    if (!(dev_flags(dev, NETDEV_LOOPBACK)))
        bring(b, network, 32, ROUTE_BROADCAST, SCOPE_LINK, source);
}

static void bring_network(struct brought *b, const struct net_device *dev, const struct in_ifaddr *ifa,
                          be32 source)
{
    const be32 network = { ifa->peer.raw & inet_netmask(ifa->prefix_len).raw };
    bool more_than_itself = ifa->prefix_len < 32 || !be32_equal(network, ifa->local);

    if (ifa->flags & IFA_F_SECONDARY || ipv4_is_zero(network) || !more_than_itself)
        return;
    if (!(ifa->flags & IFA_F_NOPREFIXROUTE)) {
        bool loopback = dev_flags(dev, NETDEV_LOOPBACK);
        bring(b, network, ifa->prefix_len, loopback ? ROUTE_LOCAL : ROUTE_UNICAST,
              loopback ? SCOPE_HOST : SCOPE_LINK, source);
        b->routes[b->n - 1].metric = ifa->metric;
    }
    bring_broadcasts(b, dev, network, ifa->prefix_len, source);
}

/* All that ifa brings to dev as it is now. */
static struct brought brought_by(const struct net_device *dev, const struct in_ifaddr *ifa)
{
    const be32 source = primary_of(dev, ifa)->local;
    struct brought b = { .n = 0 };

    bring(&b, ifa->local, 32, ROUTE_LOCAL, SCOPE_HOST, source);
    if (!(dev_flags(dev, NETDEV_UP)))
        return b;
    if (!ipv4_is_zero(ifa->broadcast) && !ipv4_is_limited_broadcast(ifa->broadcast))
        bring(&b, ifa->broadcast, 32, ROUTE_BROADCAST, SCOPE_LINK, source);
    bring_network(&b, dev, ifa, source);
    return b;
}

int inet_add_routes(struct net_device *dev, const struct in_ifaddr *ifa)
{
    const struct brought b = brought_by(dev, ifa);
    int err = 0;

    if (dev_flags(dev, NETDEV_UP))
        fib_device_up(dev_net(dev), dev);
    for (unsigned i = 0; i < b.n && !err; i++) {
        const struct fib_route route = as_route(&b.routes[i], dev);
        err = fib_add(dev_net(dev), &route);
        if (err == -EEXIST)
            err = 0;
    }
    return err;
}

static bool same(const struct brought_route *a, const struct brought_route *b)
{
    return be32_equal(a->dst, b->dst) && a->prefix_len == b->prefix_len && a->type == b->type &&
           be32_equal(a->prefsrc, b->prefsrc) && a->metric == b->metric;
}

static bool still_brought(const struct net_device *dev, const struct brought_route *route)
{
    const struct in_ifaddr *ifa;

    list_for_each_entry (ifa, &in_dev_get(dev)->addresses, link) {
        const struct brought b = brought_by(dev, ifa);
        for (unsigned i = 0; i < b.n; i++)
            if (same(&b.routes[i], route))
                return true;
    }
    return false;
}

/* A route from an address that is nobody's any more. */
static bool is_from(const struct fib_route *route, const void *arg)
{
    const be32 *source = arg;

    return be32_equal(route->prefsrc, *source);
}

void inet_remove_routes(struct net_device *dev, const struct in_ifaddr *ifa)
{
    const struct brought b = brought_by(dev, ifa);

    for (unsigned i = 0; i < b.n; i++) {
        const struct fib_route route = as_route(&b.routes[i], dev);
        if (!still_brought(dev, &b.routes[i]))
            fib_del(dev_net(dev), &route); /* perhaps it has gone already */
    }
    if (!inet_device_by_address(dev_net(dev), ifa->local))
        fib_flush(dev_net(dev), is_from, &ifa->local);
}
