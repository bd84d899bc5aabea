/* net/ipv4/devinet.c - the addresses of devices.
 * A device has at most one. While it is up its address stands in the routing table: itself (LOCAL, by lo),
 * its network, and the two broadcast addresses of the network. */
#include "lib/string.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"

/* A route that dev's address brings with it. */
static int add(struct net_device *dev, be32 dst, uint8_t prefix_len, enum route_type type,
               enum route_scope scope)
{
    const struct fib_route route = {
        .dst = dst,
        .prefix_len = prefix_len,
        .type = (uint8_t)type,
        .scope = (uint8_t)scope,
        .origin = ORIGIN_KERNEL,
        .prefsrc = in_dev_address(dev),
        .n_nexthops = 1,
        .nexthops = { { .dev = dev } },
    };
    int err = fib_add(dev_net(dev), &route);
    return err == -EEXIST ? 0 : err;
}

/* Broadcasts exist where a network has room for them (RFC 3021: not in a /31). */
static bool has_broadcast(const struct net_device *dev, int prefix_len)
{
    return dev_flags(dev, NETDEV_BROADCAST) && prefix_len < 31;
}

static int add_address_routes(struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);
    uint8_t len = (uint8_t)inet_prefix_len(ind->netmask);
    be32 network = { ind->address.raw & ind->netmask.raw };
    bool loopback = dev_flags(dev, NETDEV_LOOPBACK);

    int err = add(dev, ind->address, 32, ROUTE_LOCAL, SCOPE_HOST);
    if (!err && len < 32)
        err = loopback ? add(dev, network, len, ROUTE_LOCAL, SCOPE_HOST)
                       : add(dev, network, len, ROUTE_UNICAST, SCOPE_LINK);
    if (!err && (has_broadcast(dev, len) || (loopback && len < 31))) /* as Linux: 127.255.255.255, too */
        err = add(dev, ind->broadcast, 32, ROUTE_BROADCAST, SCOPE_LINK);
    if (!err && has_broadcast(dev, len)) /* RFC 1122 3.3.6: the old form of broadcast, too */
        err = add(dev, network, 32, ROUTE_BROADCAST, SCOPE_LINK);
    return err;
}

int inet_set_address(struct net_device *dev, be32 addr, uint8_t prefix_len)
{
    struct net *net = dev_net(dev);
    struct in_device *ind = in_dev_get(dev);
    be32 mask = inet_netmask(prefix_len);

    fib_flush_device(net, dev);
    lock_acquire(&net->ipv4->route_lock);
    WRITE_ONCE(ind->address.raw, addr.raw);
    WRITE_ONCE(ind->netmask.raw, mask.raw);
    WRITE_ONCE(ind->broadcast.raw, addr.raw | ~mask.raw);
    lock_release(&net->ipv4->route_lock);
    route_invalidate(net);
    if (ipv4_is_zero(addr) || !dev_flags(dev, NETDEV_UP))
        return 0;
    int err = add_address_routes(dev);
    if (!err)
        arp_announce(dev);
    return err;
}

be32 inet_device_address(const struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);

    return ind ? in_dev_address(dev) : (be32){ 0 };
}

struct net_device *inet_device_by_address(struct net *net, be32 addr)
{
    struct net_device *dev = dev_next(net, NULL);

    while (dev && !be32_equal(inet_device_address(dev), addr))
        dev = dev_next(net, dev);
    return dev;
}

/* ---- what happens to devices ---- */

static int device_up(struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);

    if (ipv4_is_zero(ind->address) && dev_flags(dev, NETDEV_LOOPBACK))
        return inet_set_address(dev, cpu_to_be32(INADDR_LOOPBACK), 8); /* RFC 1122 3.2.1.3(g) */
    if (ipv4_is_zero(ind->address))
        return 0;
    int err = add_address_routes(dev);
    if (!err)
        arp_announce(dev);
    return err;
}

static int device_register(struct net_device *dev)
{
    struct in_device *ind = mem_alloc(sizeof *ind);
    if (!ind)
        return -ENOMEM;
    int err = inet_conf_add(&ind->conf, dev_net(dev), dev->name);
    if (err) {
        mem_free(ind);
        return err;
    }
    ind->dev = dev;
    dev->ip_ptr = ind;
    return 0;
}

static void device_down(struct net_device *dev)
{
    fib_flush_device(dev_net(dev), dev);
    arp_flush_device(dev);
}

int inet_device_event(struct net_device *dev, enum netdev_event event)
{
    switch (event) {
    case NETDEV_EVENT_REGISTER:
        return device_register(dev);
    case NETDEV_EVENT_UP:
        return device_up(dev);
    case NETDEV_EVENT_DOWN:
        device_down(dev);
        return 0;
    case NETDEV_EVENT_RENAMED:
        return 0;
    case NETDEV_EVENT_MTU:
        route_invalidate(dev_net(dev)); /* routes carry the MTU */
        return 0;
    case NETDEV_EVENT_UNREGISTER:
        arp_flush_device(dev); /* what was learned by packets that were under way while it closed */
        inet_conf_remove(&in_dev_get(dev)->conf);
        ip_frag_flush_device(dev);
        softirq_barrier(); /* what some CPU still does with them */
        mem_free(dev->ip_ptr);
        dev->ip_ptr = NULL;
        return 0;
    }
    return 0;
}
