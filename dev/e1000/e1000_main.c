/* dev/e1000/e1000_main.c - the driver's way in: probe and remove, open and stop.
 *
 * A probed card is registered and quiet: it neither interrupts nor does DMA. open() makes it work, in an
 * order in which nothing is used before it is there; stop() is open() backwards. */
#include "dev/e1000/e1000.h"
#include "lib/abi/errno.h"

static int e1000_open(struct net_device *dev)
{
    struct e1000 *e = netdev_priv(dev);
    int err = e1000_reset_hw(e);
    if (err)
        return err;
    err = e1000_rx_alloc(e);
    if (err)
        return err;
    err = e1000_tx_alloc(e);
    if (err)
        goto free_rx;
    err = device_irq_request(e->device, 0, e1000_interrupt, e);
    if (err)
        goto free_tx;

    device_set_master(e->device, true);
    e1000_init_hw(e);
    e1000_tx_start(e);
    e1000_rx_start(e);
    napi_enable(&e->napi);
    e1000_update_link(e);
    e1000_listen(&e->napi);
    return 0;

free_tx:
    e1000_tx_free(e);
free_rx:
    e1000_rx_free(e);
    return err;
}

static void e1000_stop(struct net_device *dev)
{
    struct e1000 *e = netdev_priv(dev);

    napi_disable(&e->napi); /* no poll runs, so nobody listens again */
    e1000_quiet(&e->napi);
    device_irq_free(e->device, 0, e);
    e1000_rx_stop(e);
    e1000_tx_stop(e);
    e1000_reset_hw(e); /* and waits for DMA on its way */
    device_set_master(e->device, false);
    netif_carrier_off(dev);
    e1000_tx_free(e);
    e1000_rx_free(e);
}

static void e1000_set_rx_mode(struct net_device *dev)
{
    struct e1000 *e = netdev_priv(dev);
    uint32_t all = RCTL_UPE | RCTL_MPE;

    e1000_set_rctl(e, dev_flags(dev, NETDEV_PROMISC) ? e->rctl | all : e->rctl & ~all);
    e1000_set_groups(e, dev);
}

/* Nothing to do: opening the card writes dev_addr to it. */
static int e1000_set_address(struct net_device *dev, const uint8_t *address)
{
    (void)dev;
    (void)address;
    return 0;
}

static const struct net_device_ops e1000_netdev_ops = {
    .ndo_open = e1000_open,
    .ndo_stop = e1000_stop,
    .ndo_start_xmit = e1000_xmit,
    .ndo_xmit_flush = e1000_xmit_flush,
    .ndo_set_rx_mode = e1000_set_rx_mode,
    .ndo_set_address = e1000_set_address,
    .ndo_get_stats = e1000_get_stats,
    .ndo_tx_timeout = e1000_tx_timeout,
};

static void e1000_init_netdev(struct e1000 *e, struct device *d, struct net_device *dev)
{
    e->device = d;
    e->netdev = dev;
    d->driver_data = e;
    dev->ops = &e1000_netdev_ops;
    dev->features = NETIF_F_HW_CSUM | NETIF_F_SG | NETIF_F_GRO;
    dev->max_mtu = ETH_DATA_LEN;
    netif_napi_add(dev, &e->napi, e1000_poll);
    e->napi.quiet = e1000_quiet;
    e->napi.listen = e1000_listen;
}

/* The registers mapped, the card reset and its address known. 0 or -errno, undone. */
static int e1000_attach(struct e1000 *e)
{
    int err = device_map_bar(e->device, E1000_BAR_REGISTERS, &e->regs);
    if (err)
        return err;
    err = e->regs.size < E1000_REGISTERS_SIZE ? -ENODEV : e1000_reset_hw(e);
    if (!err)
        err = e1000_read_mac(e, e->netdev->dev_addr);
    if (err)
        device_unmap_bar(e->device, &e->regs);
    return err;
}

static int e1000_probe(struct device *d)
{
    struct net_device *dev = alloc_netdev(sizeof(struct e1000), "eth%d");
    if (!dev)
        return -ENOMEM;
    struct e1000 *e = netdev_priv(dev);
    e1000_init_netdev(e, d, dev);
    int err = e1000_attach(e);
    if (err)
        goto free_dev;
    err = register_netdev(d->net, dev);
    if (err)
        goto unmap;
    klog(LOG_INFO, "%s: 82540EM at %s, %pM", dev->name, d->name, dev->dev_addr);
    return 0;

unmap:
    device_unmap_bar(d, &e->regs);
free_dev:
    free_netdev(dev);
    return err;
}

static void e1000_remove(struct device *d)
{
    struct e1000 *e = d->driver_data;
    struct net_device *dev = e->netdev;

    unregister_netdev(dev); /* stops it */
    device_unmap_bar(d, &e->regs);
    free_netdev(dev);
    d->driver_data = NULL;
}

static const struct device_id e1000_ids[] = { { E1000_VENDOR_INTEL, E1000_DEVICE_82540EM }, { 0 } };
const struct device_driver e1000_driver = {
    .name = "e1000", .ids = e1000_ids, .probe = e1000_probe, .remove = e1000_remove
};
