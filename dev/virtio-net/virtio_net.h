/* dev/virtio-net/virtio_net.h - a virtio network card, one pair of queues; private to dev/virtio-net.
 *
 *             virtio_pci.c         a virtio device on PCI          virtq.c   a queue; neither knows a network
 *             virtio_net_main.c    probe, open, stop, interrupt, link
 *             virtio_net_rx.c      receive     virtio_net_tx.c    transmit
 *             virtio_net_ctrl.c    which frames the card lets in */
#pragma once
#include "dev/virtio-net/virtio_pci.h"
#include "net/core/netdevice.h"

enum { VIRTIO_NET_TRANSITIONAL = 0x1000, VIRTIO_NET_MODERN = 0x1041 }; /* 4.1.2 */
enum {
    VIRTIO_NET_F_CSUM = 0,
    VIRTIO_NET_F_MAC = 5,
    VIRTIO_NET_F_STATUS = 16,
    VIRTIO_NET_F_CTRL_VQ = 17,
    VIRTIO_NET_F_CTRL_RX = 18
};                                                                                          /* 5.1.3 */
enum { VIRTIO_NET_CONFIG_MAC = 0, VIRTIO_NET_CONFIG_STATUS = 6, VIRTIO_NET_S_LINK_UP = 1 }; /* 5.1.4 */
enum { VIRTIO_NET_QUEUE_RX, VIRTIO_NET_QUEUE_TX, VIRTIO_NET_QUEUE_CTRL };                   /* 5.1.2 */
enum { VECTOR_CONFIG, VECTOR_QUEUES, VECTORS };                                             /* ours */

struct virtio_net_hdr { /* 5.1.6: in front of each frame, both ways */
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};
enum { VIRTIO_NET_HDR_F_NEEDS_CSUM = 1 };
_Static_assert(sizeof(struct virtio_net_hdr) == 12, "virtio 1.2 5.1.6");

enum { VIRTIO_NET_FRAME_MAX = ETH_HLEN + ETH_DATA_LEN };
enum { VIRTIO_NET_RX_BUFFER = 2048 };

struct virtio_net {
    struct virtio_pci pci;
    struct net_device *netdev;
    struct napi_struct napi;
    bool link_changed; /* set by the interrupt, taken by the poll; atomic */
    struct virtq rx;   /* the polling CPU's */

    /* NETDEV_TX */
    struct virtq tx;
    unsigned tx_chain; /* descriptors that the longest packet takes */
    struct virtio_net_hdr
        *headers; /* one for each packet on its way; not in the packet, whose bytes may be shared */
    dma_addr_t headers_bus;

    /* NET_DEVICES */
    struct virtq ctrl;
    void *command; /* one at a time; NULL: the card has no such queue, and lets all frames in */
    dma_addr_t command_bus;
};

extern const struct device_driver virtio_net_driver;

/* ---- virtio_net_rx.c ---- */

/* Put a buffer into every slot. 0 or -ENOMEM (what was put in stays, for virtio_net_rx_drain). */
int virtio_net_rx_fill(struct virtio_net *n);
void virtio_net_rx_drain(struct virtio_net *n); /* free them; the device has been reset */
/* Hand up to budget frames to the stack; how many there were. Softirq. */
int virtio_net_clean_rx(struct virtio_net *n, int budget);

/* ---- virtio_net_tx.c ---- */

int virtio_net_tx_alloc(struct virtio_net *n); /* the headers; 0 or -ENOMEM */
void virtio_net_tx_free(struct virtio_net *n); /* drops what was not sent; the device has been reset */
/* Free what was sent, wake the queue, and have an interrupt come for the rest. The tx lock is held. */
void virtio_net_clean_tx(struct virtio_net *n);
enum netdev_tx virtio_net_xmit(struct sk_buff *skb, struct net_device *dev);
void virtio_net_xmit_flush(struct net_device *dev);

/* ---- virtio_net_ctrl.c ---- */

/* The queue of commands, where the card has one. 0, -ENOMEM, -ENODEV. */
int virtio_net_ctrl_alloc(struct virtio_net *n);
void virtio_net_ctrl_free(struct virtio_net *n); /* the device has been reset */
/* ndo_set_rx_mode: waits for the card, which answers in microseconds. */
void virtio_net_set_rx_mode(struct net_device *dev);
