/* sim/vnic.h - the virtual card: a real struct net_device whose rings lead to a wire.
 *
 * Receive: slots that always hold a buffer; an arriving frame fills the next, and the card interrupts unless
 * it was asked to be quiet. Transmit: a ring whose slots are done when the wire has taken their last bit; the
 * queue stops before the ring is full. So NAPI, stop and wake run as they do on a card. */
#pragma once
#include "net/core/netdevice.h"
#include "sim/wire.h"

enum { VNIC_RING_MAX = 256 };

struct vnic_config {
    uint32_t features;         /* enum netdev_features that the card offers */
    unsigned rx_ring, tx_ring; /* slots, at most VNIC_RING_MAX; 0: 64 */
    bool raw_ip;               /* no link header, no ARP (rawip.h); offers no checksums */
};

struct vnic {
    struct net_device *dev;
    struct wire_port port;
    struct napi_struct napi;
    unsigned rx_size, tx_size;
    bool listening; /* may interrupt */
    bool cause;     /* something happened since the last interrupt */

    struct { /* slots [next, filled) hold frames; the indices run freely */
        struct sk_buff *skb[VNIC_RING_MAX];
        uint32_t length[VNIC_RING_MAX];
        unsigned next, filled;
    } rx;
    struct { /* tx lock: slots [clean, next) belong to the card */
        struct sk_buff *skb[VNIC_RING_MAX];
        uint64_t done_at[VNIC_RING_MAX];
        unsigned clean, next;
        uint64_t stops; /* how often the queue was stopped */
    } tx;
    struct timer tx_done; /* the oldest slot's last bit has left */
};

/* A card called name ("eth0") with this MAC on w, registered with net and closed. config NULL: no features,
 * rings of 64. NULL when memory is out. Process context. */
struct vnic *vnic_create(struct net *net, const char *name, const uint8_t mac[6], struct wire *w,
                         const struct vnic_config *config);
/* Unregister and free. */
void vnic_destroy(struct vnic *v);
