/* net/core/dev_filter.c - which frames a device is asked to receive beside those to its own address: the
 * groups that somebody listens to, or all. The card may give more; who gets a frame is decided above. */
#include "lib/string.h"
#include "net/core/net_namespace.h"

/* NET_DEVICES lock held. */
static void set_rx_mode(struct net_device *dev)
{
    if (dev_flags(dev, NETDEV_UP) && dev->ops->ndo_set_rx_mode)
        dev->ops->ndo_set_rx_mode(dev);
}

void dev_set_rx_mode(struct net_device *dev)
{
    lock_acquire(&dev_net(dev)->devices_lock);
    set_rx_mode(dev);
    lock_release(&dev_net(dev)->devices_lock);
}

void dev_set_promiscuity(struct net_device *dev, int change)
{
    struct net *net = dev_net(dev);

    lock_acquire(&net->devices_lock);
    uint32_t before = dev->promiscuity;
    dev->promiscuity += (uint32_t)change;
    bool on = !before && dev->promiscuity, off = before && !dev->promiscuity;
    if (on)
        dev_update_flags(dev, NETDEV_PROMISC, 0);
    if (off)
        dev_update_flags(dev, 0, NETDEV_PROMISC);
    if (on || off)
        set_rx_mode(dev);
    lock_release(&net->devices_lock);
}

static struct netdev_group *find(struct net_device *dev, const uint8_t *address)
{
    struct netdev_group *g;

    list_for_each_entry (g, &dev->groups, link)
        if (!memcmp(g->address, address, ETH_ALEN))
            return g;
    return NULL;
}

int dev_group_add(struct net_device *dev, const uint8_t *address)
{
    struct netdev_group *fresh = mem_alloc(sizeof *fresh), *g;

    if (!fresh)
        return -ENOMEM;
    memcpy(fresh->address, address, ETH_ALEN);
    lock_acquire(&dev_net(dev)->devices_lock);
    g = find(dev, address);
    if (!g) {
        g = fresh;
        fresh = NULL;
        list_add_tail(&g->link, &dev->groups);
        dev->n_groups++;
        set_rx_mode(dev);
    }
    g->users++;
    lock_release(&dev_net(dev)->devices_lock);
    mem_free(fresh);
    return 0;
}

void dev_group_del(struct net_device *dev, const uint8_t *address)
{
    struct netdev_group *gone = NULL, *g;

    lock_acquire(&dev_net(dev)->devices_lock);
    g = find(dev, address);
    if (g && !--g->users) {
        gone = g;
        list_del(&g->link);
        dev->n_groups--;
        set_rx_mode(dev);
    }
    lock_release(&dev_net(dev)->devices_lock);
    mem_free(gone);
}
