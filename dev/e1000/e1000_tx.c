/* dev/e1000/e1000_tx.c - the transmit ring.
 *
 * Everything here runs under the device's tx lock. A packet takes one data descriptor a piece, the last with
 * EOP, and one context descriptor before them when its checksum lies elsewhere than the last one's. Every
 * descriptor asks for status (RS), so a slot is ours again when its DD is set. The queue is stopped before
 * the ring is full, in one place, and woken in one place; both hold the lock, so neither can miss the other.
 *
 * Interrupts: after the tail has been written the ring is looked at once. A card that was quick (QEMU's sends
 * inside the write) never interrupts for it; for one that was not, TXDW is asked for. So whoever leaves
 * descriptors with the card has asked, and nothing sent stays unfreed. */
#include "dev/e1000/e1000.h"
#include "lib/abi/errno.h"

/* a context, the linear bytes, all fragments */
enum { TX_PER_PACKET = 2 + SKB_FRAGS_MAX, TX_WAKE = E1000_TX_RING / 4 };

static unsigned tx_after(unsigned i)
{
    return (i + 1) % E1000_TX_RING;
}
/* Free slots; one is kept empty. */
static unsigned tx_room(const struct e1000_tx_ring *tx)
{
    return (tx->clean + E1000_TX_RING - tx->next - 1) % E1000_TX_RING;
}

int e1000_tx_alloc(struct e1000 *e)
{
    e->tx = (struct e1000_tx_ring){ 0 };
    e->tx.desc = dma_alloc(e->device, E1000_TX_RING * sizeof(struct e1000_tx_desc), &e->tx.bus);
    return e->tx.desc ? 0 : -ENOMEM;
}

static void tx_drop_all(struct e1000 *e)
{
    for (unsigned i = e->tx.clean; i != e->tx.next; i = tx_after(i)) {
        kfree_skb_reason(e->tx.skb[i], SKB_DROP_DEV_DOWN);
        e->tx.skb[i] = NULL;
    }
}

void e1000_tx_free(struct e1000 *e)
{
    tx_drop_all(e);
    dma_free(e->device, e->tx.desc, E1000_TX_RING * sizeof(struct e1000_tx_desc));
    e->tx = (struct e1000_tx_ring){ 0 };
}

void e1000_tx_start(struct e1000 *e) /* SDM 14.5 */
{
    e->tx.next = e->tx.posted = e->tx.clean = 0;
    e->tx.tucss = e->tx.tucso = 0;
    e1000_write(e, REG_TDBAL, (uint32_t)e->tx.bus);
    e1000_write(e, REG_TDBAH, (uint32_t)(e->tx.bus >> 32));
    e1000_write(e, REG_TDLEN, E1000_TX_RING * sizeof(struct e1000_tx_desc));
    e1000_write(e, REG_TDH, 0);
    e1000_write(e, REG_TDT, 0);
    e1000_write(e, REG_TIPG, TIPG_COPPER);
    e1000_write(e, REG_TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD);
}

void e1000_tx_stop(struct e1000 *e)
{
    e1000_write(e, REG_TCTL, TCTL_PSP);
}

static void tx_put(struct e1000 *e, struct e1000_tx_desc d, struct sk_buff *skb)
{
    e->tx.desc[e->tx.next] = d;
    e->tx.skb[e->tx.next] = skb;
    e->tx.next = tx_after(e->tx.next);
}

/* Tell the card where to begin its sum and where to store it, unless it knows (SDM 3.3.5: a context holds
 * until the next one). The field itself already holds the pseudo-header's sum, as TXSM wants it. */
static void tx_put_context(struct e1000 *e, uint8_t tucss, uint8_t tucso)
{
    if (e->tx.tucss == tucss && e->tx.tucso == tucso)
        return;
    tx_put(e,
           (struct e1000_tx_desc){ .context = { .tucss = tucss, .tucso = tucso },
                                   .cmd_len = (uint32_t)TXD_DEXT | TXD_RS },
           NULL);
    e->tx.tucss = tucss;
    e->tx.tucso = tucso;
}

/* Whether the card can send skb: a frame of a possible length, its checksum where eight bits can say it. */
static bool tx_possible(const struct sk_buff *skb)
{
    if (skb->len < ETH_HLEN || skb->len > E1000_FRAME_MAX)
        return false;
    if (skb->ip_summed != CHECKSUM_PARTIAL)
        return true;
    uint32_t headroom = skb_headroom(skb), field = (uint32_t)skb->csum_start + skb->csum_offset;
    return skb->csum_start > headroom && field - headroom <= UINT8_MAX && field + 2 <= headroom + skb->len;
}

/* One piece of a packet, the last with skb (SDM 3.3.6: what popts says counts in the first; it is the same in
 * all). */
static void tx_put_piece(struct e1000 *e, const void *bytes, uint32_t n, uint8_t popts, struct sk_buff *skb)
{
    tx_put(e,
           (struct e1000_tx_desc){ .addr = dma_map(e->device, bytes),
                                   .cmd_len = (uint32_t)TXD_DEXT | TXD_TYPE_DATA | TXD_IFCS | TXD_RS |
                                              (skb ? TXD_EOP : 0u) | n,
                                   .popts = popts },
           skb);
}

static void tx_put_packet(struct e1000 *e, struct sk_buff *skb)
{
    uint8_t popts = 0;

    if (skb->ip_summed == CHECKSUM_PARTIAL) {
        uint32_t start = skb->csum_start - skb_headroom(skb);
        tx_put_context(e, (uint8_t)start, (uint8_t)(start + skb->csum_offset));
        popts = TXD_POPTS_TXSM;
    }
    if (!skb_is_nonlinear(skb)) {
        tx_put_piece(e, skb->data, skb->len, popts, skb);
        return;
    }
    struct skb_walk w = skb_walk_from(skb, 0, skb->len);
    while (skb_walk_next(&w))
        tx_put_piece(e, w.bytes, w.n, popts, w.left ? NULL : skb);
}

enum netdev_tx e1000_xmit(struct sk_buff *skb, struct net_device *dev)
{
    struct e1000 *e = netdev_priv(dev);

    if (tx_room(&e->tx) < TX_PER_PACKET)
        return NETDEV_TX_BUSY; /* the queue has been stopped below */
    if (!tx_possible(skb)) {
        netdev_count(&dev->stats.tx_errors, 1);
        kfree_skb_reason(skb, SKB_DROP_DEV_TX_ERROR);
        return NETDEV_TX_OK;
    }
    trace("e1000_xmit", skb->id, skb->len);
    netdev_count(&dev->stats.tx_packets, 1);
    netdev_count(&dev->stats.tx_bytes, skb->len);
    tx_put_packet(e, skb);
    if (tx_room(&e->tx) < TX_PER_PACKET) {
        netif_stop_queue(dev);
        e1000_xmit_flush(dev); /* wakes it at once if the card is quick */
    }
    return NETDEV_TX_OK;
}

void e1000_xmit_flush(struct net_device *dev)
{
    struct e1000 *e = netdev_priv(dev);

    if (e->tx.posted == e->tx.next)
        return;
    dma_wmb(); /* descriptors before the tail; partner: the card's fetch of [TDH, TDT) */
    e->tx.posted = e->tx.next;
    e1000_write(e, REG_TDT, e->tx.posted);
    e1000_clean_tx(e);
}

void e1000_tx_timeout(struct net_device *dev)
{
    struct e1000 *e = netdev_priv(dev);

    klog(LOG_WARNING, "%s: the card has stopped sending, its transmitter starts again", dev->name);
    netif_tx_lock(dev);
    netdev_count(&dev->stats.tx_errors, 1);
    e1000_tx_stop(e);
    tx_drop_all(e);
    e1000_tx_start(e);
    netif_wake_queue(dev);
    netif_tx_unlock(dev);
}

static bool tx_sent(const struct e1000_tx_ring *tx)
{
    if (tx->clean == tx->posted || !(READ_ONCE(tx->desc[tx->clean].status) & TXD_DD))
        return false;
    dma_rmb(); /* DD before the buffer is used again; partner: the card's write-back after its read */
    return true;
}

void e1000_clean_tx(struct e1000 *e)
{
    struct e1000_tx_ring *tx = &e->tx;

    for (; tx_sent(tx); tx->clean = tx_after(tx->clean)) {
        consume_skb(tx->skb[tx->clean]);
        tx->skb[tx->clean] = NULL;
    }
    if (netif_queue_stopped(e->netdev) && tx_room(tx) >= TX_WAKE)
        netif_wake_queue(e->netdev);
    if (tx->clean != tx->posted)
        e1000_write(e, REG_IMS, INT_TXDW);
}
