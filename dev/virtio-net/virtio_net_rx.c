/* dev/virtio-net/virtio_net_rx.c - receive.
 *
 * Every descriptor has a buffer, and a full one is emptied by exchange, as in dev/e1000. The device's header
 * lies in front of the frame in the same buffer. A frame is one buffer: mergeable buffers are not negotiated,
 * and the MTU is far below a buffer's size. */
#include "dev/virtio-net/virtio_net.h"
#include "lib/abi/errno.h"

static void rx_post(struct virtio_net *n, struct sk_buff *skb)
{
    struct virtq_seg seg = { dma_map(n->pci.device, skb->data), VIRTIO_NET_RX_BUFFER };
    bool added = virtq_add(&n->rx, &seg, 0, 1, skb);
    ASSERT(added); /* as many buffers as descriptors, by construction */
}

int virtio_net_rx_fill(struct virtio_net *n)
{
    for (uint16_t i = 0; i < n->rx.size; i++) {
        struct sk_buff *skb = netdev_alloc_skb(n->netdev, VIRTIO_NET_RX_BUFFER);
        if (!skb)
            return -ENOMEM;
        netdev_ring_skbs(n->netdev, 1);
        rx_post(n, skb);
    }
    return 0;
}

void virtio_net_rx_drain(struct virtio_net *n)
{
    struct sk_buff *skb;

    while ((skb = virtq_take_unused(&n->rx))) {
        netdev_ring_skbs(n->netdev, -1);
        consume_skb(skb);
    }
}

/* What to hand up for the full buffer, which held len bytes: itself, when it is good and a fresh one could go
 * in its place; else NULL, and it goes back. */
static struct sk_buff *rx_exchange(struct virtio_net *n, struct sk_buff *full, uint32_t len)
{
    struct sk_buff *fresh = NULL;

    if (len < sizeof(struct virtio_net_hdr) || len > VIRTIO_NET_RX_BUFFER) {
        netdev_count(&n->netdev->stats.rx_errors, 1);
    } else {
        fresh = netdev_alloc_skb(n->netdev, VIRTIO_NET_RX_BUFFER);
        netdev_count(&n->netdev->stats.rx_dropped, !fresh);
    }
    rx_post(n, fresh ? fresh : full);
    if (!fresh)
        return NULL;
    skb_put(full, len);
    skb_pull(full, sizeof(struct virtio_net_hdr));
    return full;
}

int virtio_net_clean_rx(struct virtio_net *n, int budget)
{
    int done = 0;

    for (; done < budget; done++) {
        uint32_t len;
        struct sk_buff *full = virtq_take(&n->rx, &len);
        if (!full)
            break;
        struct sk_buff *skb = rx_exchange(n, full, len);
        if (!skb)
            continue;
        trace("virtio_net_clean_rx", skb->id, skb->len);
        napi_gro_receive(&n->napi, skb); /* may send an answer */
    }
    if (done)
        virtio_kick(&n->pci, &n->rx);
    return done;
}
