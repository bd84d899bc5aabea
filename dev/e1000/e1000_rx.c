/* dev/e1000/e1000_rx.c - the receive ring.
 *
 * Every slot always holds a buffer. A full slot is emptied by exchange: a fresh buffer goes in, the full one
 * goes up. Without a fresh one the frame is dropped and counted and the buffer stays, so that the ring cannot
 * run dry. Nothing the card writes is believed: a length beyond the buffer is an error like any other. */
#include "dev/e1000/e1000.h"
#include "lib/abi/errno.h"

enum { RX_TAIL_GAP = 1 }; /* RDH == RDT means none, so one slot stays ours */

/* Give the card skb in slot i: the buffer's address first, then the descriptor is clean. */
static void rx_put(struct e1000 *e, unsigned i, struct sk_buff *skb)
{
    e->rx.skb[i] = skb;
    e->rx.desc[i].addr = dma_map(e->device, skb->data);
}

int e1000_rx_alloc(struct e1000 *e)
{
    e->rx = (struct e1000_rx_ring){ 0 };
    e->rx.desc = dma_alloc(e->device, E1000_RX_RING * sizeof(struct e1000_rx_desc), &e->rx.bus);
    if (!e->rx.desc)
        return -ENOMEM;
    for (unsigned i = 0; i < E1000_RX_RING; i++) {
        struct sk_buff *skb = netdev_alloc_skb(e->netdev, E1000_RX_BUFFER);
        if (!skb) {
            e1000_rx_free(e);
            return -ENOMEM;
        }
        rx_put(e, i, skb);
        netdev_ring_skbs(e->netdev, 1);
    }
    return 0;
}

void e1000_rx_free(struct e1000 *e)
{
    for (unsigned i = 0; i < E1000_RX_RING && e->rx.skb[i]; i++) {
        netdev_ring_skbs(e->netdev, -1);
        consume_skb(e->rx.skb[i]);
    }
    dma_free(e->device, e->rx.desc, E1000_RX_RING * sizeof(struct e1000_rx_desc));
    e->rx = (struct e1000_rx_ring){ 0 };
}

static void rx_write_tail(struct e1000 *e)
{
    dma_wmb(); /* descriptors before the tail; partner: the card's fetch of [RDH, RDT) */
    e1000_write(e, REG_RDT, (e->rx.next + E1000_RX_RING - RX_TAIL_GAP) % E1000_RX_RING);
}

void e1000_rx_start(struct e1000 *e) /* SDM 14.4 */
{
    e1000_write(e, REG_RDBAL, (uint32_t)e->rx.bus);
    e1000_write(e, REG_RDBAH, (uint32_t)(e->rx.bus >> 32));
    e1000_write(e, REG_RDLEN, E1000_RX_RING * sizeof(struct e1000_rx_desc));
    e1000_write(e, REG_RDH, 0);
    rx_write_tail(e);
    e1000_set_rctl(e, e->rctl | RCTL_EN | RCTL_BAM | RCTL_SECRC);
}

void e1000_rx_stop(struct e1000 *e)
{
    e1000_set_rctl(e, 0);
}

/* Whether the descriptor is one whole good frame. A frame longer than a buffer lies in several descriptors,
 * EOP on the last: all of them are refused, and it counts as one error. */
static bool rx_frame_good(struct e1000 *e, uint8_t status, uint8_t errors, uint32_t length)
{
    bool end = status & RXD_EOP, whole = end && !e->rx.spanning;
    e->rx.spanning = !end;
    if (whole && !(errors & RXD_FRAME_ERRORS) && length <= E1000_RX_BUFFER)
        return true;
    netdev_count(&e->netdev->stats.rx_errors, end);
    return false;
}

/* Take the frame of length bytes out of slot i and put a fresh buffer there; NULL if there is none. */
static struct sk_buff *rx_exchange(struct e1000 *e, unsigned i, uint32_t length)
{
    struct sk_buff *full = e->rx.skb[i], *fresh = netdev_alloc_skb(e->netdev, E1000_RX_BUFFER);
    if (!fresh) {
        netdev_count(&e->netdev->stats.rx_dropped, 1);
        return NULL;
    }
    rx_put(e, i, fresh);
    skb_put(full, length);
    return full;
}

/* Empty the slot at rx.next. The frame, or NULL when it was dropped; *had is whether the card had filled it.
 */
static struct sk_buff *rx_take(struct e1000 *e, bool *had)
{
    unsigned i = e->rx.next;
    struct e1000_rx_desc *d = &e->rx.desc[i];
    uint8_t status = READ_ONCE(d->status);

    *had = status & RXD_DD;
    if (!*had)
        return NULL;
    dma_rmb(); /* DD before what it vouches for; partner: the card's write-back, status last */
    uint32_t length = READ_ONCE(d->length);
    struct sk_buff *skb = NULL;
    if (rx_frame_good(e, status, READ_ONCE(d->errors), length))
        skb = rx_exchange(e, i, length);
    WRITE_ONCE(d->status, 0);
    e->rx.next = (i + 1) % E1000_RX_RING;
    return skb;
}

int e1000_clean_rx(struct e1000 *e, int budget)
{
    int done = 0;

    for (; done < budget; done++) {
        bool had;
        struct sk_buff *skb = rx_take(e, &had);
        if (!had)
            break;
        if (!skb)
            continue;
        trace("e1000_clean_rx", skb->id, skb->len);
        napi_gro_receive(&e->napi, skb); /* may send an answer */
    }
    if (done)
        rx_write_tail(e); /* once a poll: each write is an exit from the guest */
    return done;
}
