/* net/core/dev.c - network devices: made, registered, opened, closed.
 * A device is in net->devices from register_netdev to unregister_netdev; its flags say NETDEV_UP from the end
 * of ndo_open to the beginning of ndo_stop. Every change is told to the notifiers, in their order. */
#include "lib/string.h"
#include "net/core/netlink.h"

enum { TX_QUEUE_LEN = 1000, NETDEV_NUMBERS = 100 };

struct net_device *alloc_netdev(size_t priv_size, const char *name)
{
    struct net_device *dev = mem_alloc(sizeof *dev + priv_size);
    if (!dev)
        return NULL;
    memcpy(dev->name, name, strnlen(name, sizeof dev->name - 1));
    memset(dev->broadcast, 0xff, ETH_ALEN);
    dev->mtu = dev->max_mtu = ETH_DATA_LEN;
    dev->flags = NETDEV_BROADCAST | NETDEV_MULTICAST;
    dev->type = ARPHRD_ETHER;
    dev->tx_queue_len = TX_QUEUE_LEN;
    list_init(&dev->link);
    list_init(&dev->groups);
    return dev;
}

void free_netdev(struct net_device *dev)
{
    if (!dev)
        return;
    ASSERT(list_empty(&dev->link));
    mem_free(dev);
}

/* ---- look-up ---- */

static struct net_device *find_by_name(struct net *net, const char *name)
{
    struct net_device *dev;

    list_for_each_entry (dev, &net->devices, link)
        if (!strcmp(dev->name, name))
            return dev;
    return NULL;
}

struct net_device *dev_get_by_name(struct net *net, const char *name)
{
    lock_acquire(&net->devices_lock);
    struct net_device *dev = find_by_name(net, name);
    lock_release(&net->devices_lock);
    return dev;
}

struct net_device *dev_get_by_index(struct net *net, uint32_t ifindex)
{
    struct net_device *dev, *found = NULL;

    lock_acquire(&net->devices_lock);
    list_for_each_entry (dev, &net->devices, link)
        if (dev->ifindex == ifindex)
            found = dev;
    lock_release(&net->devices_lock);
    return found;
}

struct net_device *dev_next(struct net *net, const struct net_device *prev)
{
    lock_acquire(&net->devices_lock);
    const struct list_head *next = prev ? prev->link.next : net->devices.next;
    struct net_device *dev = next == &net->devices ? NULL : list_entry(next, struct net_device, link);
    lock_release(&net->devices_lock);
    return dev;
}

struct dev_name dev_name(const struct net_device *dev)
{
    struct dev_name name;

    lock_acquire(&dev_net(dev)->devices_lock);
    memcpy(name.text, dev->name, sizeof name.text);
    lock_release(&dev_net(dev)->devices_lock);
    return name;
}

bool netdev_next(struct net *net, uint32_t least, struct net_device_facts *f)
{
    struct net_device *dev, *best = NULL;

    lock_acquire(&net->devices_lock);
    list_for_each_entry (dev, &net->devices, link)
        if (dev->ifindex >= least && (!best || dev->ifindex < best->ifindex))
            best = dev;
    if (best) {
        *f = (struct net_device_facts){ .ifindex = best->ifindex,
                                        .mtu = READ_ONCE(best->mtu),
                                        .flags = READ_ONCE(best->flags),
                                        .tx_queue_len = best->tx_queue_len,
                                        .type = best->type,
                                        .carrier = READ_ONCE(best->carrier) };
        memcpy(f->name, best->name, sizeof f->name);
        memcpy(f->address, best->dev_addr, sizeof f->address);
        memcpy(f->broadcast, best->broadcast, sizeof f->broadcast);
        dev_get_stats(best, &f->stats);
    }
    lock_release(&net->devices_lock);
    return best;
}

void dev_get_stats(struct net_device *dev, struct net_device_stats *stats)
{
    net_counters_read(stats, &dev->stats, sizeof *stats);
    if (dev->ops->ndo_get_stats)
        dev->ops->ndo_get_stats(dev, stats);
}

/* ---- registering ---- */

/* "eth%d" becomes the first name that is free. devices_lock held. 0 or -EEXIST. */
static int give_name(struct net *net, struct net_device *dev)
{
    char *number = strstr(dev->name, "%d");
    if (!number)
        return find_by_name(net, dev->name) ? -EEXIST : 0;
    for (unsigned i = 0; i < NETDEV_NUMBERS; i++) {
        ksnprintf(number, (size_t)(dev->name + sizeof dev->name - number), "%u", i);
        if (!find_by_name(net, dev->name))
            return 0;
    }
    return -EEXIST;
}

static const struct link_type *link_type_find(struct net *net, uint16_t type)
{
    struct link_type *lt;

    list_for_each_entry (lt, &net->link_types, link)
        if (lt->type == type)
            return lt;
    return NULL;
}

/* Tell every notifier; the first error ends it. */
static int notify(struct net_device *dev, enum netdev_event event)
{
    struct netdev_notifier *n;

    list_for_each_entry (n, &dev->net->notifiers, link) {
        int err = n->event(dev, event);
        if (err)
            return err;
    }
    return 0;
}

static int list_device(struct net *net, struct net_device *dev)
{
    lock_acquire(&net->devices_lock);
    int err = give_name(net, dev);
    if (!err) {
        dev->ifindex = ++net->next_ifindex;
        list_add_tail(&dev->link, &net->devices);
    }
    lock_release(&net->devices_lock);
    return err;
}

static void unlist_device(struct net *net, struct net_device *dev)
{
    lock_acquire(&net->devices_lock);
    list_del(&dev->link);
    lock_release(&net->devices_lock);
}

int register_netdev(struct net *net, struct net_device *dev)
{
    dev->net = net;
    dev->link_type = link_type_find(net, dev->type);
    if (!dev->link_type)
        return -EAFNOSUPPORT;
    dev_tx_init(dev);
    int err = list_device(net, dev);
    if (err)
        return err;
    err = notify(dev, NETDEV_EVENT_REGISTER);
    if (err) {
        notify(dev, NETDEV_EVENT_UNREGISTER);
        unlist_device(net, dev);
    } else {
        rtnl_link_notify(dev, RTM_NEWLINK, UINT32_MAX);
    }
    return err;
}

void unregister_netdev(struct net_device *dev)
{
    dev_close(dev);
    notify(dev, NETDEV_EVENT_UNREGISTER);
    rtnl_link_notify(dev, RTM_DELLINK, UINT32_MAX);
    unlist_device(dev->net, dev);
}

/* ---- one at a time ---- */

int net_config_begin(struct net *net)
{
    int err = 0;

    lock_acquire(&net->devices_lock);
    while (net->configuring && !err)
        err = waitq_wait(&net->config_wq, &net->devices_lock, TIME_NEVER);
    if (!err)
        net->configuring = true;
    lock_release(&net->devices_lock);
    return err;
}

void net_config_end(struct net *net)
{
    lock_acquire(&net->devices_lock);
    net->configuring = false;
    waitq_wake(&net->config_wq);
    lock_release(&net->devices_lock);
}

/* ---- opening and closing ---- */

uint32_t dev_update_flags(struct net_device *dev, uint32_t set, uint32_t clear)
{
    uint32_t old = READ_ONCE(dev->flags);

    while (!__atomic_compare_exchange_n(&dev->flags, &old, (old | set) & ~clear, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
        ;
    return old;
}

int dev_open(struct net_device *dev)
{
    if (dev_flags(dev, NETDEV_UP))
        return 0;
    int err = dev->ops->ndo_open(dev);
    if (err)
        return err;
    dev_update_flags(dev, NETDEV_UP, 0);
    dev_set_rx_mode(dev);
    lock_acquire(&dev_net(dev)->devices_lock);
    dev->carrier_told = READ_ONCE(dev->carrier);
    lock_release(&dev_net(dev)->devices_lock);
    rtnl_link_notify(dev, RTM_NEWLINK, NETDEV_UP);
    notify(dev, NETDEV_EVENT_UP);
    return 0;
}

void dev_close(struct net_device *dev)
{
    if (!dev_flags(dev, NETDEV_UP))
        return;
    notify(dev, NETDEV_EVENT_DOWN);
    dev_update_flags(dev, 0, NETDEV_UP);
    dev_tx_purge(dev);
    dev->ops->ndo_stop(dev);
    rtnl_link_notify(dev, RTM_NEWLINK, NETDEV_UP);
}

int dev_change_flags(struct net_device *dev, uint32_t flags)
{
    uint32_t changed = (READ_ONCE(dev->flags) ^ flags) & (NETDEV_PROMISC | NETDEV_NOARP);

    if (changed) {
        dev_update_flags(dev, changed & flags, changed & ~flags);
        dev_set_rx_mode(dev);
        rtnl_link_notify(dev, RTM_NEWLINK, changed);
    }
    if (flags & NETDEV_UP)
        return dev_open(dev);
    dev_close(dev);
    return 0;
}

/* A name is part of paths, and of labels behind which a colon stands. */
static bool is_name(const char *name)
{
    if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
        return false;
    for (; *name; name++)
        if (*name == '/' || *name == ':' || *name == '%' || (unsigned char)*name <= ' ')
            return false;
    return true;
}

int dev_rename(struct net_device *dev, const char *name)
{
    struct net *net = dev_net(dev);

    if (strnlen(name, sizeof dev->name) == sizeof dev->name || !is_name(name))
        return -EINVAL;
    lock_acquire(&net->devices_lock);
    const struct net_device *other = find_by_name(net, name);
    if (!other)
        memcpy(dev->name, name, strlen(name) + 1);
    lock_release(&net->devices_lock);
    if (other)
        return other == dev ? 0 : -EEXIST;
    notify(dev, NETDEV_EVENT_RENAMED);
    rtnl_link_notify(dev, RTM_NEWLINK, 0);
    return 0;
}

int dev_set_tx_queue_len(struct net_device *dev, uint32_t packets)
{
    if (packets == dev->tx_queue_len)
        return 0;
    WRITE_ONCE(dev->tx_queue_len, packets);
    rtnl_link_notify(dev, RTM_NEWLINK, 0);
    return 0;
}

int dev_set_address(struct net_device *dev, const uint8_t *address)
{
    static const uint8_t none[ETH_ALEN];

    if (!dev->ops->ndo_set_address)
        return -EOPNOTSUPP;
    if (address[0] & 1 || !memcmp(address, none, ETH_ALEN)) /* IEEE 802.3 3.2.3: a group's */
        return -EADDRNOTAVAIL;
    if (dev_flags(dev, NETDEV_UP))
        return -EBUSY;
    int err = dev->ops->ndo_set_address(dev, address);
    if (err)
        return err;
    memcpy(dev->dev_addr, address, ETH_ALEN);
    rtnl_link_notify(dev, RTM_NEWLINK, 0);
    return 0;
}

int dev_set_mtu(struct net_device *dev, uint32_t mtu)
{
    if (mtu < 68 || mtu > dev->max_mtu) /* RFC 791 3.2: every module forwards 68 bytes unfragmented */
        return -EINVAL;
    int err = dev->ops->ndo_change_mtu ? dev->ops->ndo_change_mtu(dev, mtu) : 0;
    if (!err && mtu != dev->mtu) {
        WRITE_ONCE(dev->mtu, mtu);
        notify(dev, NETDEV_EVENT_MTU);
        rtnl_link_notify(dev, RTM_NEWLINK, 0);
    }
    return err;
}

/* Also from a driver's interrupt: who listens hears of it later, in softirq. */
static void set_carrier(struct net_device *dev, bool carrier)
{
    WRITE_ONCE(dev->carrier, carrier);
    if (dev->net && nl_heard(dev->net, RTNLGRP_LINK))
        softirq_raise(&dev->net->nl.carriers);
}

void netif_carrier_on(struct net_device *dev)
{
    set_carrier(dev, true);
}

void netif_carrier_off(struct net_device *dev)
{
    set_carrier(dev, false);
}

void netdev_ring_skbs(struct net_device *dev, int change)
{
    __atomic_fetch_add(&dev->net->ring_skbs, change, __ATOMIC_RELAXED);
}
