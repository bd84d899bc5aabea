/* net/ipv4/inet_ioctl.c - the requests by which ifconfig, route and arp work: netdevice(7), arp(7), rtentry.
 * Each request is one line of a table. A device's request gets its struct ifreq in kernel memory, and what it
 * leaves there goes back to the user when the table says so. */
#include "lib/string.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"

static int get_address(const struct sockaddr *from, be32 *addr)
{
    be16 port;
    return sockaddr_in_parse(from, sizeof *from, addr, &port);
}

/* ---- what a device is asked ---- */

static int get_flags(struct net_device *dev, struct ifreq *r)
{
    uint32_t flags = READ_ONCE(dev->flags);

    if (flags & NETDEV_UP && READ_ONCE(dev->carrier))
        flags |= NETDEV_RUNNING;
    r->ifr_flags = (short)flags;
    return 0;
}

static int set_flags(struct net_device *dev, struct ifreq *r)
{
    if (strchr(r->ifr_name, ':'))
        return inet_alias_flags(dev, r);
    return dev_change_flags(dev, (uint16_t)r->ifr_flags);
}

static int get_mtu(struct net_device *dev, struct ifreq *r)
{
    r->ifr_mtu = (int)READ_ONCE(dev->mtu);
    return 0;
}

static int set_mtu(struct net_device *dev, struct ifreq *r)
{
    return dev_set_mtu(dev, (uint32_t)MAX(r->ifr_mtu, 0));
}

static int get_hwaddr(struct net_device *dev, struct ifreq *r)
{
    memset(&r->ifr_hwaddr, 0, sizeof r->ifr_hwaddr);
    r->ifr_hwaddr.sa_family = dev->type;
    memcpy(r->ifr_hwaddr.sa_data, dev->dev_addr, ETH_ALEN);
    return 0;
}

static int set_hwaddr(struct net_device *dev, struct ifreq *r)
{
    if (r->ifr_hwaddr.sa_family != dev->type)
        return -EINVAL;
    return dev_set_address(dev, (const uint8_t *)r->ifr_hwaddr.sa_data);
}

static int set_name(struct net_device *dev, struct ifreq *r)
{
    char name[IFNAMSIZ];

    memcpy(name, r->ifr_newname, sizeof name);
    name[sizeof name - 1] = '\0';
    return dev_rename(dev, name);
}

static int set_txqlen(struct net_device *dev, struct ifreq *r)
{
    return r->ifr_qlen < 0 ? -EINVAL : dev_set_tx_queue_len(dev, (uint32_t)r->ifr_qlen);
}

static int get_index(struct net_device *dev, struct ifreq *r)
{
    r->ifr_ifindex = (int)dev->ifindex;
    return 0;
}

static int get_metric(struct net_device *dev, struct ifreq *r)
{
    (void)dev;
    r->ifr_metric = 0;
    return 0;
}

static int get_txqlen(struct net_device *dev, struct ifreq *r)
{
    r->ifr_qlen = (int)dev->tx_queue_len;
    return 0;
}

static int get_map(struct net_device *dev, struct ifreq *r)
{
    (void)dev;
    memset(&r->ifr_map, 0, sizeof r->ifr_map);
    return 0;
}

static const struct device_request {
    unsigned request;
    bool gives_back;
    int (*fn)(struct net_device *dev, struct ifreq *r);
} device_requests[] = {
    { SIOCGIFFLAGS, true, get_flags },   { SIOCSIFFLAGS, false, set_flags },
    { SIOCGIFMTU, true, get_mtu },       { SIOCSIFMTU, false, set_mtu },
    { SIOCGIFHWADDR, true, get_hwaddr }, { SIOCGIFINDEX, true, get_index },
    { SIOCGIFMETRIC, true, get_metric }, { SIOCGIFTXQLEN, true, get_txqlen },
    { SIOCGIFMAP, true, get_map },       { SIOCSIFHWADDR, false, set_hwaddr },
    { SIOCSIFNAME, false, set_name },    { SIOCSIFTXQLEN, false, set_txqlen },
};

static int device_ioctl(struct net *net, const struct device_request *d, uintptr_t arg)
{
    struct ifreq r;
    int err = copy_from_user(&r, arg, sizeof r);
    if (err)
        return err;
    r.ifr_name[sizeof r.ifr_name - 1] = '\0';
    struct net_device *dev = inet_labelled(net, r.ifr_name);
    if (!dev)
        return -ENODEV;
    err = d->fn(dev, &r);
    if (err || !d->gives_back)
        return err;
    return copy_to_user(arg, &r, sizeof r);
}

/* ---- lists ---- */

static int get_name(struct net *net, uintptr_t arg)
{
    struct ifreq r;
    int err = copy_from_user(&r, arg, sizeof r);
    if (err)
        return err;
    struct net_device *dev = dev_get_by_index(net, (uint32_t)r.ifr_ifindex);
    if (!dev)
        return -ENODEV;
    memcpy(r.ifr_name, dev_name(dev).text, sizeof r.ifr_name);
    return copy_to_user(arg, &r, sizeof r);
}

/* ---- routes ---- */

static int name_from_user(struct net *net, uintptr_t user, struct net_device **dev)
{
    char name[16];
    int err = 0;

    *dev = NULL;
    if (!user)
        return 0;
    for (unsigned i = 0; i < sizeof name && !err; i++) { /* it may end just before an unmapped page */
        err = copy_from_user(&name[i], user + i, 1);
        if (!err && !name[i])
            break;
    }
    name[sizeof name - 1] = '\0';
    if (err)
        return err;
    *dev = dev_get_by_name(net, name);
    return *dev ? 0 : -ENODEV;
}

static int parse_route(struct net *net, const struct rtentry *rt, struct fib_route *route)
{
    be32 mask = { 0 };
    int err = get_address(&rt->rt_dst, &route->dst);
    if (!err && rt->rt_flags & RTF_GATEWAY)
        err = get_address(&rt->rt_gateway, &route->nexthops[0].gateway);
    if (!err && rt->rt_genmask.sa_family == AF_INET)
        err = get_address(&rt->rt_genmask, &mask);
    if (err)
        return err;
    int len = rt->rt_flags & RTF_HOST ? 32 : inet_prefix_len(mask);
    if (len < 0 || route->dst.raw & ~inet_netmask((uint8_t)len).raw)
        return -EINVAL;
    route->prefix_len = (uint8_t)len;
    route->type = ROUTE_UNICAST;
    route->n_nexthops = 1;
    route->metric = (uint32_t)MAX(rt->rt_metric - 1, 0); /* the user's counts from 1 */
    return name_from_user(net, (uintptr_t)rt->rt_dev, &route->nexthops[0].dev);
}

static int add_route(struct net *net, struct fib_route *route)
{
    const char *wrong; /* nobody to tell it */

    route->scope = ipv4_is_zero(route->nexthops[0].gateway) ? SCOPE_LINK : SCOPE_UNIVERSE;
    route->origin = ORIGIN_BOOT;
    int err = fib_check(net, route, &wrong);
    return err ? err : fib_add(net, route);
}

static int route_ioctl(struct net *net, unsigned request, uintptr_t arg)
{
    struct rtentry rt;
    struct fib_route route = { 0 };
    int err = copy_from_user(&rt, arg, sizeof rt);
    if (!err)
        err = parse_route(net, &rt, &route);
    if (err)
        return err;
    return request == SIOCADDRT ? add_route(net, &route) : fib_del(net, &route);
}

/* ---- neighbours ---- */

static int arp_device(struct net *net, const struct arpreq *r, be32 ip, struct net_device **dev)
{
    struct dst_entry *dst;

    if (r->arp_dev[0]) {
        *dev = dev_get_by_name(net, r->arp_dev);
        return *dev ? 0 : -ENODEV;
    }
    int err = ip_route_output(net, ip, (be32){ 0 }, 0, &dst);
    if (err)
        return err;
    *dev = dst->dev;
    dst_release(dst);
    return 0;
}

static int arp_ioctl(struct net *net, unsigned request, uintptr_t arg)
{
    struct arpreq r;
    struct neigh_info info;
    struct net_device *dev = NULL;
    be32 ip = { 0 };
    int err = copy_from_user(&r, arg, sizeof r);
    if (err)
        return err;
    r.arp_dev[sizeof r.arp_dev - 1] = '\0';
    err = get_address(&r.arp_pa, &ip);
    if (!err)
        err = arp_device(net, &r, ip, &dev);
    if (err)
        return err;
    if (request == SIOCSARP)
        return neigh_set_permanent(dev, ip, (const uint8_t *)r.arp_ha.sa_data);
    if (request == SIOCDARP)
        return neigh_forget(dev, ip);
    memset(&r.arp_ha, 0, sizeof r.arp_ha);
    r.arp_ha.sa_family = dev->type;
    err = neigh_get(dev, ip, &info);
    if (err)
        return err;
    memcpy(r.arp_ha.sa_data, info.mac, ETH_ALEN);
    r.arp_flags = arp_flags(&info);
    return copy_to_user(arg, &r, sizeof r);
}

static int answer(struct net *net, unsigned request, uintptr_t arg)
{
    for (unsigned i = 0; i < ARRAY_SIZE(device_requests); i++)
        if (device_requests[i].request == request)
            return device_ioctl(net, &device_requests[i], arg);
    switch (request) {
    case SIOCGIFNAME:
        return get_name(net, arg);
    case SIOCGIFCONF:
        return inet_list_addresses(net, arg);
    case SIOCETHTOOL: /* no device here has anything to tell that way */
        return -EOPNOTSUPP;
    case SIOCADDRT:
    case SIOCDELRT:
        return route_ioctl(net, request, arg);
    case SIOCSARP:
    case SIOCGARP:
    case SIOCDARP:
        return arp_ioctl(net, request, arg);
    default:
        return inet_address_ioctl(net, request, arg);
    }
}

int inet_ioctl(struct sock *sk, unsigned request, uintptr_t arg)
{
    int err = net_config_begin(sk->net);
    if (err)
        return err;
    err = answer(sk->net, request, arg);
    net_config_end(sk->net);
    return err;
}
