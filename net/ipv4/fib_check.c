/* net/ipv4/fib_check.c - may a route be as somebody asks for it? For those who take routes from programs. */
#include "net/ipv4/fib.h"
#include "net/ipv4/ipv4.h"

/* A gateway is reached by a network that we are on: that says which device. */
static int gateway_device(struct net *net, struct fib_nexthop *hop)
{
    struct dst_entry *dst;
    int err = ip_route_output(net, hop->gateway, (be32){ 0 }, hop->dev ? hop->dev->ifindex : 0, &dst);

    if (err)
        return err;
    if (dst->kind == DST_UNICAST && be32_equal(dst->gateway, hop->gateway))
        hop->dev = dst->dev;
    else
        err = dst->kind == DST_UNICAST ? -ENETUNREACH : -EINVAL; /* behind another gateway; ourselves */
    dst_release(dst);
    return err;
}

static int check_hop(struct net *net, struct fib_route *route, struct fib_nexthop *hop, const char **wrong)
{
    if (!ipv4_is_zero(hop->gateway) && route->scope >= SCOPE_LINK) {
        *wrong = "Nexthop has invalid scope";
        return -EINVAL;
    }
    if (!ipv4_is_zero(hop->gateway) && !hop->onlink) {
        int err = gateway_device(net, hop);
        if (err)
            *wrong = "Nexthop has invalid gateway";
        return err;
    }
    if (!hop->dev)
        return -ENODEV;
    if (!(dev_flags(hop->dev, NETDEV_UP))) {
        *wrong = "Device for nexthop is not up";
        return -ENETDOWN;
    }
    return 0;
}

int fib_check(struct net *net, struct fib_route *route, const char **wrong)
{
    int err = 0;

    *wrong = NULL;
    for (unsigned n = 0; n < route->n_nexthops && !err; n++)
        err = check_hop(net, route, &route->nexthops[n], wrong);
    if (!err && !ipv4_is_zero(route->prefsrc) && inet_addr_kind(net, route->prefsrc, NULL) != DST_LOCAL) {
        *wrong = "Invalid prefsrc address";
        return -EINVAL;
    }
    return err;
}
