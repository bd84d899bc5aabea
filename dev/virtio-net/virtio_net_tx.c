/* dev/virtio-net/virtio_net_tx.c - transmit.
 *
 * Everything here runs under the device's tx lock. A packet is a chain of descriptors: its header and itself,
 * piece by piece. The device sends at its leisure; it is asked for one interrupt, when the last packet
 * offered so far is done, so that sent packets never stay unfreed and a burst costs one interrupt. */
#include "dev/virtio-net/virtio_net.h"
#include "lib/abi/errno.h"

enum { TX_CHAIN_LINEAR = 2, TX_CHAIN_MAX = TX_CHAIN_LINEAR + SKB_FRAGS_MAX };
_Static_assert((int)TX_CHAIN_MAX <= (int)VIRTQ_CHAIN_MAX, "what a driver may offer at once");

static size_t headers_size(const struct virtio_net *n)
{
    return sizeof(struct virtio_net_hdr) * n->tx.size;
}

/* A queue that is short has no place for fragments. */
static void choose_chain(struct virtio_net *n)
{
    bool gathers = n->tx.size >= 3 * TX_CHAIN_MAX;

    n->tx_chain = gathers ? TX_CHAIN_MAX : TX_CHAIN_LINEAR;
    if (gathers)
        n->netdev->features |= NETIF_F_SG;
    else
        n->netdev->features &= ~(uint32_t)NETIF_F_SG;
}

int virtio_net_tx_alloc(struct virtio_net *n)
{
    choose_chain(n);
    n->headers = dma_alloc(n->pci.device, headers_size(n), &n->headers_bus);
    return n->headers ? 0 : -ENOMEM;
}

void virtio_net_tx_free(struct virtio_net *n)
{
    struct sk_buff *skb;

    while ((skb = virtq_take_unused(&n->tx)))
        kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
    if (n->headers)
        dma_free(n->pci.device, n->headers, headers_size(n));
    n->headers = NULL;
}

static struct virtio_net_hdr tx_header(const struct sk_buff *skb)
{
    if (skb->ip_summed != CHECKSUM_PARTIAL)
        return (struct virtio_net_hdr){ 0 };
    return (struct virtio_net_hdr){ /* 5.1.6.2 */
                                    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                    .csum_start = (uint16_t)(skb->csum_start - skb_headroom(skb)),
                                    .csum_offset = skb->csum_offset
    };
}

static dma_addr_t tx_put_header(struct virtio_net *n, const struct sk_buff *skb)
{
    uint16_t i = virtq_next_head(&n->tx);

    n->headers[i] = tx_header(skb);
    return n->headers_bus + i * sizeof(struct virtio_net_hdr);
}

/* Whether skb is a frame of a possible length, with the checksum it asks for inside. */
static bool tx_possible(const struct sk_buff *skb)
{
    if (skb->len < ETH_HLEN || skb->len > VIRTIO_NET_FRAME_MAX)
        return false;
    uint32_t headroom = skb_headroom(skb), field = (uint32_t)skb->csum_start + skb->csum_offset;
    return skb->ip_summed != CHECKSUM_PARTIAL ||
           (skb->csum_start >= headroom && field + 2 <= headroom + skb->len);
}

/* skb has a slot for each of its pieces: there is room for tx_chain. */
static void tx_put_packet(struct virtio_net *n, struct sk_buff *skb)
{
    struct virtq_seg segs[TX_CHAIN_MAX];
    unsigned pieces = 0;

    segs[pieces++] = (struct virtq_seg){ tx_put_header(n, skb), sizeof(struct virtio_net_hdr) };
    segs[pieces++] = (struct virtq_seg){ dma_map(n->pci.device, skb->data), skb_headlen(skb) };
    if (skb_is_nonlinear(skb)) {
        struct skb_walk w = skb_walk_from(skb, skb_headlen(skb), skb->data_len);
        while (skb_walk_next(&w))
            segs[pieces++] = (struct virtq_seg){ dma_map(n->pci.device, w.bytes), w.n };
    }
    virtq_add(&n->tx, segs, pieces, 0, skb);
}

enum netdev_tx virtio_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
    struct virtio_net *n = netdev_priv(dev);

    if (n->tx.n_free < n->tx_chain)
        return NETDEV_TX_BUSY; /* the queue has been stopped below */
    if (!tx_possible(skb)) {
        netdev_count(&dev->stats.tx_errors, 1);
        kfree_skb_reason(skb, SKB_DROP_DEV_TX_ERROR);
        return NETDEV_TX_OK;
    }
    trace("virtio_net_xmit", skb->id, skb->len);
    netdev_count(&dev->stats.tx_packets, 1);
    netdev_count(&dev->stats.tx_bytes, skb->len);
    tx_put_packet(n, skb);
    if (n->tx.n_free < n->tx_chain) {
        netif_stop_queue(dev);
        virtio_net_xmit_flush(dev); /* wakes it at once if the device was quick */
    }
    return NETDEV_TX_OK;
}

void virtio_net_xmit_flush(struct net_device *dev)
{
    struct virtio_net *n = netdev_priv(dev);

    virtio_kick(&n->pci, &n->tx);
    virtio_net_clean_tx(n);
}

static void tx_free_sent(struct virtio_net *n)
{
    struct sk_buff *skb;
    uint32_t len;

    while ((skb = virtq_take(&n->tx, &len)))
        consume_skb(skb);
}

void virtio_net_clean_tx(struct virtio_net *n)
{
    do
        tx_free_sent(n);
    while (virtq_in_flight(&n->tx) && virtq_listen(&n->tx, virtq_in_flight(&n->tx)));
    if (netif_queue_stopped(n->netdev) && n->tx.n_free >= n->tx.size / 3) /* more than tx_chain */
        netif_wake_queue(n->netdev);
}
