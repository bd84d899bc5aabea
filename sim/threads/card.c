/* sim/threads/card.c - the hardware half and the driver half of a card (card.h). The driver's half follows
 * the rules of net/core/netdevice.h; the hardware's is seen by no sanitizer but for the bytes that it moves.
 */
#include "sim/threads/card.h"
#include "lib/string.h"
#include "net/core/net_namespace.h"
#include "sim/threads/quiet.h"
#include <errno.h>

enum { SENT_MOST = 48, CARD_MTU = 1500 };

static struct card *card_of(const struct net_device *dev)
{
    return *(struct card **)netdev_priv((struct net_device *)dev);
}

/* ---- hardware ---- */

/* The next interrupt, on the next CPU, if the driver listens. guard held. */
static void interrupt(struct card *c)
{
    c->cause = true;
    if (!c->listening)
        return;
    c->cause = false;
    c->next_cpu = (c->next_cpu + 1) % cpu_count();
    irq_line_raise(&c->irq, c->next_cpu);
}

static bool for_card(const struct card *c, const uint8_t *frame)
{
    unsigned same = 0;

    while (same < ETH_ALEN && frame[same] == c->mac[same])
        same++;
    return frame[0] & 1 || same == ETH_ALEN || c->promiscuous;
}

static void receive(struct card *c, const uint8_t *frame, uint32_t len)
{
    quiet_lock(&c->guard);
    if (c->attached && for_card(c, frame) && c->filled - c->next < CARD_RING) {
        struct card_frame *slot = &c->ring[c->filled++ % CARD_RING];
        quiet_copy(slot->bytes, frame, len);
        slot->len = len;
        interrupt(c);
    }
    quiet_unlock(&c->guard);
}

static void put_on_wire(struct card *from, const uint8_t *frame, uint32_t len)
{
    struct wire_of_cards *w = from->wire;

    for (unsigned i = 0; i < w->n; i++) {
        if (w->cards[i] == from || threads_chance(1000000) < w->loss_per_million)
            continue;
        receive(w->cards[i], frame, len);
        if (threads_chance(1000000) < w->duplicates_per_million)
            receive(w->cards[i], frame, len);
    }
}

static void set_listening(struct card *c, bool on)
{
    quiet_lock(&c->guard);
    c->listening = on;
    quiet_unlock(&c->guard);
}

/* ---- driver: interrupts ---- */

static void card_interrupt(struct irq_line *irq)
{
    struct card *c = container_of(irq, struct card, irq);

    set_listening(c, false);
    napi_schedule(&c->napi);
}

static void card_quiet(struct napi_struct *napi)
{
    set_listening(container_of(napi, struct card, napi), false);
}

/* True if there was a cause while nobody listened: it does not interrupt by itself. */
static bool card_listen(struct napi_struct *napi)
{
    struct card *c = container_of(napi, struct card, napi);

    quiet_lock(&c->guard);
    bool slipped_in = c->cause;
    c->cause = false;
    c->listening = true;
    quiet_unlock(&c->guard);
    return slipped_in;
}

/* ---- driver: transmit ---- */

/* The checksum that skb still owes, into the copy alone: its bytes are not ours (RFC 1071). */
static void fill_checksum(uint8_t *frame, const struct sk_buff *skb)
{
    unsigned start = (unsigned)(skb->head + skb->csum_start - skb->data);
    uint32_t sum = 0;

    for (unsigned i = start; i < skb->len; i++)
        sum += (i - start) % 2 ? frame[i] : (uint32_t)frame[i] << 8;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    frame[start + skb->csum_offset] = (uint8_t)(~sum >> 8);
    frame[start + skb->csum_offset + 1] = (uint8_t)~sum;
}

static void send_frame(struct card *c, const struct sk_buff *skb)
{
    uint8_t frame[CARD_FRAME_MAX];

    order_read(skb->data, skb->len);
    quiet_copy(frame, skb->data, skb->len);
    if (skb->ip_summed == CHECKSUM_PARTIAL)
        fill_checksum(frame, skb);
    put_on_wire(c, frame, skb->len);
}

static enum netdev_tx card_xmit(struct sk_buff *skb, struct net_device *dev)
{
    struct card *c = card_of(dev);

    if (c->sent.qlen >= SENT_MOST) {
        netif_stop_queue(dev);
        return NETDEV_TX_BUSY;
    }
    if (skb->len > CARD_FRAME_MAX) {
        netdev_count(&dev->stats.tx_errors, 1);
        consume_skb(skb);
        return NETDEV_TX_OK;
    }
    netdev_count(&dev->stats.tx_packets, 1);
    netdev_count(&dev->stats.tx_bytes, skb->len);
    send_frame(c, skb);
    skb_queue_tail(&c->sent, skb);
    if (c->sent.qlen >= SENT_MOST)
        netif_stop_queue(dev);
    quiet_lock(&c->guard);
    interrupt(c);
    quiet_unlock(&c->guard);
    return NETDEV_TX_OK;
}

static void clean_sent(struct card *c)
{
    struct sk_buff *skb;

    netif_tx_lock(c->dev);
    while ((skb = skb_dequeue(&c->sent)))
        consume_skb(skb);
    if (netif_queue_stopped(c->dev))
        netif_wake_queue(c->dev);
    netif_tx_unlock(c->dev);
}

/* ---- driver: receive ---- */

/* The next frame, in a fresh buffer; *any: there was one. */
static struct sk_buff *take_frame(struct card *c, bool *any)
{
    struct sk_buff *skb = netdev_alloc_skb(c->dev, CARD_FRAME_MAX);
    struct card_frame *slot;

    quiet_lock(&c->guard);
    slot = c->next == c->filled ? NULL : &c->ring[c->next++ % CARD_RING];
    if (slot && skb) {
        uint8_t *bytes = skb_put(skb, slot->len);
        quiet_copy(bytes, slot->bytes, slot->len);
        order_written(bytes, slot->len);
    }
    quiet_unlock(&c->guard);
    *any = slot;
    if (slot && skb)
        return skb;
    consume_skb(skb);
    return NULL;
}

static int card_poll(struct napi_struct *napi, int budget)
{
    struct card *c = container_of(napi, struct card, napi);
    int done = 0;

    clean_sent(c);
    for (bool any = true; done < budget; done++) {
        struct sk_buff *skb = take_frame(c, &any);
        if (!any)
            break;
        if (skb)
            napi_gro_receive(napi, skb);
        else
            netdev_count(&c->dev->stats.rx_dropped, 1);
    }
    return done;
}

/* ---- driver: open and stop ---- */

static int card_open(struct net_device *dev)
{
    struct card *c = card_of(dev);

    napi_enable(&c->napi);
    irq_line_enable(&c->irq);
    quiet_lock(&c->guard);
    c->filled = c->next = 0;
    c->cause = false;
    c->listening = c->attached = true;
    quiet_unlock(&c->guard);
    netif_carrier_on(dev);
    return 0;
}

static void card_stop(struct net_device *dev)
{
    struct card *c = card_of(dev);

    quiet_lock(&c->guard);
    c->attached = c->listening = false;
    quiet_unlock(&c->guard);
    irq_line_quiesce(&c->irq);
    napi_disable(&c->napi);
    set_listening(c, false);
    irq_line_quiesce(&c->irq); /* the last poll may have listened */
    clean_sent(c);
    netif_carrier_off(dev);
}

static void card_set_rx_mode(struct net_device *dev)
{
    struct card *c = card_of(dev);

    quiet_lock(&c->guard);
    c->promiscuous = READ_ONCE(dev->flags) & NETDEV_PROMISC;
    quiet_unlock(&c->guard);
}

static const struct net_device_ops card_ops = {
    .ndo_open = card_open,
    .ndo_stop = card_stop,
    .ndo_start_xmit = card_xmit,
    .ndo_set_rx_mode = card_set_rx_mode,
};

struct card *card_create(struct net *net, const char *name, const uint8_t mac[6], uint32_t features,
                         struct wire_of_cards *wire)
{
    struct card *c = mem_alloc(sizeof *c);
    struct net_device *dev = alloc_netdev(sizeof c, name);

    c->ring = mem_alloc(CARD_RING * sizeof *c->ring);
    *(struct card **)netdev_priv(dev) = c;
    c->dev = dev;
    c->wire = wire;
    skb_queue_head_init(&c->sent);
    irq_line_init(&c->irq, card_interrupt);
    memcpy(c->mac, mac, ETH_ALEN);
    memcpy(dev->dev_addr, mac, ETH_ALEN);
    dev->features = features;
    dev->max_mtu = CARD_MTU;
    dev->ops = &card_ops;
    netif_napi_add(dev, &c->napi, card_poll);
    c->napi.quiet = card_quiet;
    c->napi.listen = card_listen;
    if (register_netdev(net, dev))
        panic("no %s", name);
    ASSERT(wire->n < WIRE_CARDS_MAX);
    wire->cards[wire->n++] = c;
    return c;
}

void card_destroy(struct card *c)
{
    unregister_netdev(c->dev);
    free_netdev(c->dev);
    mem_free(c->ring);
    mem_free(c);
}
