/* net/ipv4/devinet.c - the addresses of devices: given, taken away, asked for.
 * The list of a device changes between net_config_begin() and _end() only; who reads it elsewhere holds its
 * lock. Packets look at the first address alone, which is kept beside the list. */
#include "net/ipv4/devinet.h"
#include "lib/string.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/rtnl.h"

static be32 masked(be32 addr, uint8_t prefix_len)
{
    return (be32){ addr.raw & inet_netmask(prefix_len).raw };
}

/* Does the network of ifa hold addr? */
static bool holds(const struct in_ifaddr *ifa, be32 addr)
{
    return be32_equal(masked(ifa->peer, ifa->prefix_len), masked(addr, ifa->prefix_len));
}

static bool is_secondary(const struct in_ifaddr *ifa)
{
    return ifa->flags & IFA_F_SECONDARY;
}

/* ---- asked ---- */

bool inet_dev_has(const struct net_device *dev, be32 addr)
{
    struct in_device *ind = in_dev_get(dev);
    const struct in_ifaddr *ifa;
    bool has = false;

    if (be32_equal(addr, in_dev_address(dev)))
        return !ipv4_is_zero(addr);
    lock_acquire(&ind->lock);
    list_for_each_entry (ifa, &ind->addresses, link)
        has |= be32_equal(ifa->local, addr);
    lock_release(&ind->lock);
    return has;
}

be32 inet_select_addr(const struct net_device *dev, be32 dst, uint8_t scope)
{
    struct in_device *ind = in_dev_get(dev);
    const struct in_ifaddr *ifa;
    be32 first = { 0 };

    lock_acquire(&ind->lock);
    list_for_each_entry (ifa, &ind->addresses, link) {
        if (is_secondary(ifa) || ifa->scope > scope)
            continue;
        bool near = holds(ifa, dst);
        if (near || ipv4_is_zero(first))
            first = ifa->local;
        if (near)
            break;
    }
    lock_release(&ind->lock);
    return first;
}

bool inet_same_network(const struct net_device *dev, be32 a, be32 b)
{
    struct in_device *ind = in_dev_get(dev);
    const struct in_ifaddr *ifa;
    bool same = false;

    lock_acquire(&ind->lock);
    list_for_each_entry (ifa, &ind->addresses, link)
        same |= holds(ifa, a) && holds(ifa, b);
    lock_release(&ind->lock);
    return same;
}

be32 inet_device_address(const struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);

    return ind ? in_dev_address(dev) : (be32){ 0 };
}

struct net_device *inet_device_by_address(struct net *net, be32 addr)
{
    struct net_device *dev = dev_next(net, NULL);

    while (dev && !(in_dev_get(dev) && inet_dev_has(dev, addr)))
        dev = dev_next(net, dev);
    return dev;
}

struct in_ifaddr *inet_find_ifa(const struct net_device *dev, be32 local, be32 peer, uint8_t prefix_len)
{
    struct in_ifaddr *ifa;

    list_for_each_entry (ifa, &in_dev_get(dev)->addresses, link)
        if (be32_equal(ifa->local, local) && ifa->prefix_len == prefix_len && holds(ifa, peer))
            return ifa;
    return NULL;
}

/* ---- the list ---- */

/* The words that packets look at. INET_ADDR lock held. */
static void note_first(struct in_device *ind)
{
    const struct in_ifaddr *first = list_first_entry(&ind->addresses, struct in_ifaddr, link);
    bool none = list_empty(&ind->addresses);
    const be32 mask = none ? (be32){ 0 } : inet_netmask(first->prefix_len);
    be32 broadcast = none ? (be32){ 0 } : (be32){ first->local.raw | ~mask.raw };

    if (!none && !ipv4_is_zero(first->broadcast))
        broadcast = first->broadcast;
    WRITE_ONCE(ind->several, !none && ind->addresses.next != ind->addresses.prev);
    WRITE_ONCE(ind->address.raw, none ? 0 : first->local.raw);
    WRITE_ONCE(ind->netmask.raw, mask.raw);
    WRITE_ONCE(ind->broadcast.raw, broadcast.raw);
}

/* Where ifa, which becomes secondary if its network is there, stands: behind before. 0 or -errno. */
static int find_place(struct in_device *ind, struct in_ifaddr *ifa, struct list_head **before)
{
    struct in_ifaddr *other;

    *before = &ind->addresses;
    list_for_each_entry (other, &ind->addresses, link) {
        if (!is_secondary(other) && ifa->scope <= other->scope)
            *before = &other->link;
        if (other->prefix_len != ifa->prefix_len || !holds(other, ifa->peer))
            continue;
        if (be32_equal(other->local, ifa->local))
            return -EEXIST;
        if (other->scope != ifa->scope)
            return -EINVAL;
        ifa->flags |= IFA_F_SECONDARY;
    }
    if (is_secondary(ifa))
        *before = ind->addresses.prev;
    return 0;
}

static void list_ifa(struct in_device *ind, struct in_ifaddr *ifa, struct list_head *before)
{
    lock_acquire(&ind->lock);
    list_add(&ifa->link, before);
    note_first(ind);
    lock_release(&ind->lock);
}

static void unlist_ifa(struct in_device *ind, struct in_ifaddr *ifa)
{
    lock_acquire(&ind->lock);
    list_del(&ifa->link);
    note_first(ind);
    lock_release(&ind->lock);
}

/* Tell the link (RFC 5227 2.3), if dev is on it. */
static void announce(struct net_device *dev, const struct in_ifaddr *ifa)
{
    if (dev_flags(dev, NETDEV_UP))
        arp_announce(dev, ifa->local);
}

int inet_insert_ifa(struct net_device *dev, const struct in_ifaddr *like)
{
    struct in_device *ind = in_dev_get(dev);
    struct list_head *before;
    struct in_ifaddr *ifa = mem_alloc(sizeof *ifa);

    if (!ifa)
        return -ENOMEM;
    *ifa = *like;
    ifa->flags = (like->flags & IFA_F_NOPREFIXROUTE) | IFA_F_PERMANENT;
    ifa->made_at = ifa->changed_at = time_now();
    int err = find_place(ind, ifa, &before);
    if (err) {
        mem_free(ifa);
        return err;
    }
    list_ifa(ind, ifa, before);
    err = inet_add_routes(dev, ifa);
    if (err) {
        unlist_ifa(ind, ifa);
        inet_remove_routes(dev, ifa);
        mem_free(ifa);
        return err;
    }
    route_invalidate(dev_net(dev)); /* who sends from "the device's address" */
    rtnl_addr_notify(dev, ifa, RTM_NEWADDR);
    announce(dev, ifa);
    return 0;
}

static void delete_one(struct net_device *dev, struct in_ifaddr *ifa)
{
    struct in_device *ind = in_dev_get(dev);

    unlist_ifa(ind, ifa);
    rtnl_addr_notify(dev, ifa, RTM_DELADDR);
    inet_remove_routes(dev, ifa);
    mem_free(ifa);
}

void inet_delete_ifa(struct net_device *dev, struct in_ifaddr *ifa)
{
    struct in_device *ind = in_dev_get(dev);
    struct in_ifaddr *other, *tmp;

    if (!is_secondary(ifa))
        list_for_each_entry_safe (other, tmp, &ind->addresses, link)
            if (is_secondary(other) && other->prefix_len == ifa->prefix_len && holds(ifa, other->peer))
                delete_one(dev, other);
    delete_one(dev, ifa);
    if (list_empty(&ind->addresses)) /* as Linux: without an address it speaks no IPv4 */
        fib_device_down(dev_net(dev), dev);
    route_invalidate(dev_net(dev));
}

void inet_delete_all(struct net_device *dev)
{
    struct list_head *addresses = &in_dev_get(dev)->addresses;

    while (!list_empty(addresses))
        inet_delete_ifa(dev, list_first_entry(addresses, struct in_ifaddr, link));
}

/* ---- what happens to devices ---- */

/* RFC 1122 3.2.1.3(g) */
static int loopback_address(struct net_device *dev)
{
    struct in_ifaddr ifa = { .local = cpu_to_be32(INADDR_LOOPBACK), .prefix_len = 8, .scope = SCOPE_HOST };

    ifa.peer = ifa.local;
    memcpy(ifa.label, dev->name, sizeof ifa.label);
    return inet_insert_ifa(dev, &ifa);
}

static int device_up(struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);
    const struct in_ifaddr *ifa;
    int err = 0;

    if (list_empty(&ind->addresses) && dev_flags(dev, NETDEV_LOOPBACK))
        return loopback_address(dev);
    list_for_each_entry (ifa, &ind->addresses, link) {
        if (!err)
            err = inet_add_routes(dev, ifa);
        if (!err)
            announce(dev, ifa);
    }
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
    lock_init(&ind->lock, "addresses", RANK_INET_ADDR);
    list_init(&ind->addresses);
    dev->ip_ptr = ind;
    return 0;
}

static void device_down(struct net_device *dev)
{
    fib_device_down(dev_net(dev), dev);
    arp_flush_device(dev);
}

/* Labels follow, as Linux lets them: what stood behind the colon stays, and each has its own. */
static void device_renamed(struct net_device *dev)
{
    struct in_device *ind = in_dev_get(dev);
    struct in_ifaddr *ifa;
    unsigned nth = 0;

    list_for_each_entry (ifa, &ind->addresses, link) {
        char after[IFNAMSIZ];
        const char *colon = strchr(ifa->label, ':');
        if (colon)
            ksnprintf(after, sizeof after, "%s", colon);
        else
            ksnprintf(after, sizeof after, ":%u", nth);
        if (!nth++)
            after[0] = '\0';
        size_t n = MIN(strlen(dev->name), sizeof ifa->label - 1 - strlen(after));
        memcpy(ifa->label, dev->name, n);
        memcpy(ifa->label + n, after, strlen(after) + 1);
        rtnl_addr_notify(dev, ifa, RTM_NEWADDR);
    }
}

static void device_unregister(struct net_device *dev)
{
    if (!dev->ip_ptr)
        return;
    inet_delete_all(dev);
    fib_flush_device(dev_net(dev), dev);
    arp_flush_device(dev); /* what was learned by packets that were under way while it closed */
    inet_conf_remove(&in_dev_get(dev)->conf);
    ip_frag_flush_device(dev);
    softirq_barrier(); /* what some CPU still does with them */
    mem_free(dev->ip_ptr);
    dev->ip_ptr = NULL;
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
        break;
    case NETDEV_EVENT_RENAMED:
        device_renamed(dev);
        break;
    case NETDEV_EVENT_MTU:
        route_invalidate(dev_net(dev)); /* routes carry the MTU */
        break;
    case NETDEV_EVENT_UNREGISTER:
        device_unregister(dev);
        break;
    }
    return 0;
}
