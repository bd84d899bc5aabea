/* dev/virtio-net/virtio_net_main.c - the driver's way in: probe and remove, open and stop, the interrupt.
 *
 * Interrupts are MSI-X messages: edges. A frame that lands between the last look and the re-enable raises
 * nothing, so listen() looks once more and says whether something slipped in. */
#include "dev/virtio-net/virtio_net.h"
#include "lib/abi/errno.h"

enum {
    WANTED = 1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_MAC | 1 << VIRTIO_NET_F_STATUS |
             1 << VIRTIO_NET_F_CTRL_VQ | 1 << VIRTIO_NET_F_CTRL_RX | 1 << VIRTIO_F_EVENT_IDX
};

/* ---- interrupts and polling ---- */

static bool config_interrupt(void *arg)
{
    struct virtio_net *n = arg;

    __atomic_store_n(&n->link_changed, true, __ATOMIC_RELEASE); /* partner: the exchange in virtio_net_poll */
    napi_schedule(&n->napi);
    return true;
}

static bool queue_interrupt(void *arg)
{
    struct virtio_net *n = arg;

    trace("virtio_net_interrupt", 0, 0);
    virtq_quiet(&n->rx);
    napi_schedule(&n->napi);
    return true;
}

static void virtio_net_quiet(struct napi_struct *napi)
{
    virtq_quiet(&container_of(napi, struct virtio_net, napi)->rx);
}

static bool virtio_net_listen(struct napi_struct *napi)
{
    return virtq_listen(&container_of(napi, struct virtio_net, napi)->rx, 1);
}

static void update_link(struct virtio_net *n)
{
    bool up = !virtio_has(&n->pci, VIRTIO_NET_F_STATUS) ||
              virtio_config_read16(&n->pci, VIRTIO_NET_CONFIG_STATUS) & VIRTIO_NET_S_LINK_UP;

    if (up == n->netdev->carrier)
        return;
    if (up)
        netif_carrier_on(n->netdev);
    else
        netif_carrier_off(n->netdev);
    klog(LOG_INFO, "%s: link %s", n->netdev->name, up ? "up" : "down");
}

static int virtio_net_poll(struct napi_struct *napi, int budget)
{
    struct virtio_net *n = container_of(napi, struct virtio_net, napi);

    if (__atomic_exchange_n(&n->link_changed, false, __ATOMIC_ACQUIRE))
        update_link(n);
    netif_tx_lock(n->netdev);
    virtio_net_clean_tx(n);
    netif_tx_unlock(n->netdev);
    return virtio_net_clean_rx(n, budget);
}

/* ---- open and stop ---- */

static void queues_free(struct virtio_net *n)
{
    virtio_net_rx_drain(n);
    virtio_net_tx_free(n);
    virtio_net_ctrl_free(n);
    virtq_free(&n->rx);
    virtq_free(&n->tx);
}

/* The queues with their memory; after an error queues_free() takes what there is. */
static int queues_alloc(struct virtio_net *n)
{
    int err = virtio_queue_init(&n->pci, &n->rx, VIRTIO_NET_QUEUE_RX, VECTOR_QUEUES);
    if (!err)
        err = virtio_queue_init(&n->pci, &n->tx, VIRTIO_NET_QUEUE_TX, VECTOR_QUEUES);
    if (!err)
        err = virtio_net_tx_alloc(n);
    if (!err)
        err = virtio_net_ctrl_alloc(n);
    return err ? err : virtio_net_rx_fill(n);
}

static int irqs_request(struct virtio_net *n)
{
    int err = device_irq_request(n->pci.device, VECTOR_CONFIG, config_interrupt, n);
    if (err)
        return err;
    err = device_irq_request(n->pci.device, VECTOR_QUEUES, queue_interrupt, n);
    if (err)
        device_irq_free(n->pci.device, VECTOR_CONFIG, n);
    return err;
}

static int virtio_net_open(struct net_device *dev)
{
    struct virtio_net *n = netdev_priv(dev);
    int err = virtio_negotiate(&n->pci, WANTED);
    if (err)
        return err;
    err = queues_alloc(n);
    if (err)
        goto reset;
    err = irqs_request(n);
    if (err)
        goto reset;

    device_set_master(n->pci.device, true);
    virtio_config_vector(&n->pci, VECTOR_CONFIG);
    virtio_start(&n->pci);
    napi_enable(&n->napi);
    update_link(n);
    virtio_kick(&n->pci, &n->rx);
    napi_schedule(&n->napi); /* the first poll begins to listen */
    return 0;

reset:
    virtio_reset(&n->pci);
    queues_free(n);
    return err;
}

static void virtio_net_stop(struct net_device *dev)
{
    struct virtio_net *n = netdev_priv(dev);

    napi_disable(&n->napi);
    virtio_reset(&n->pci); /* no DMA and no interrupts from here on */
    device_irq_free(n->pci.device, VECTOR_QUEUES, n);
    device_irq_free(n->pci.device, VECTOR_CONFIG, n);
    device_set_master(n->pci.device, false);
    netif_carrier_off(dev);
    queues_free(n);
}

/* ---- probe and remove ---- */

static const struct net_device_ops virtio_net_ops = {
    .ndo_open = virtio_net_open,
    .ndo_stop = virtio_net_stop,
    .ndo_start_xmit = virtio_net_xmit,
    .ndo_xmit_flush = virtio_net_xmit_flush,
    .ndo_set_rx_mode = virtio_net_set_rx_mode,
};

static void init_netdev(struct virtio_net *n, struct device *d, struct net_device *dev)
{
    n->netdev = dev;
    d->driver_data = n;
    dev->ops = &virtio_net_ops;
    dev->max_mtu = ETH_DATA_LEN;
    netif_napi_add(dev, &n->napi, virtio_net_poll);
    n->napi.quiet = virtio_net_quiet;
    n->napi.listen = virtio_net_listen;
}

/* Read what the device is, then leave it reset. */
static int read_device(struct virtio_net *n)
{
    int err = virtio_negotiate(&n->pci, WANTED);
    if (err)
        return err;
    if (!virtio_has(&n->pci, VIRTIO_NET_F_MAC))
        return -ENODEV;
    for (unsigned i = 0; i < ETH_ALEN; i++)
        n->netdev->dev_addr[i] = virtio_config_read8(&n->pci, VIRTIO_NET_CONFIG_MAC + i);
    n->netdev->features = NETIF_F_GRO | (virtio_has(&n->pci, VIRTIO_NET_F_CSUM) ? NETIF_F_HW_CSUM : 0u);
    return virtio_reset(&n->pci);
}

static int virtio_net_probe(struct device *d)
{
    struct net_device *dev = alloc_netdev(sizeof(struct virtio_net), "eth%d");
    if (!dev)
        return -ENOMEM;
    struct virtio_net *n = netdev_priv(dev);
    init_netdev(n, d, dev);
    int err = virtio_pci_map(&n->pci, d);
    if (err)
        goto free_dev;
    err = read_device(n);
    if (err)
        goto unmap;
    err = device_msix_enable(d, VECTORS) == VECTORS ? 0 : -ENODEV;
    if (err)
        goto unmap;
    err = register_netdev(d->net, dev);
    if (err)
        goto unmap;
    klog(LOG_INFO, "%s: virtio-net at %s, %pM", dev->name, d->name, dev->dev_addr);
    return 0;

unmap:
    virtio_pci_unmap(&n->pci);
free_dev:
    free_netdev(dev);
    return err;
}

static void virtio_net_remove(struct device *d)
{
    struct virtio_net *n = d->driver_data;
    struct net_device *dev = n->netdev;

    unregister_netdev(dev); /* stops it */
    virtio_pci_unmap(&n->pci);
    free_netdev(dev);
    d->driver_data = NULL;
}

static const struct device_id virtio_net_ids[] = { { VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL },
                                                   { VIRTIO_VENDOR, VIRTIO_NET_MODERN },
                                                   { 0 } };
const struct device_driver virtio_net_driver = {
    .name = "virtio-net", .ids = virtio_net_ids, .probe = virtio_net_probe, .remove = virtio_net_remove
};
