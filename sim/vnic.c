/* sim/vnic.c - the virtual card: the half that is hardware, then the half that is its driver. */
#include "sim/vnic.h"
#include "lib/string.h"
#include "sim/frame.h"
#include "sim/rawip.h"
#include "sim/sim.h"
#include <errno.h>

enum { RING_DEFAULT = 64, TX_STOP_BELOW = 2 };
enum { BUFFER_SIZE = FRAME_MAX };

/* ---- hardware ---- */

static void raise_irq(void *arg)
{
    struct vnic *v = arg;

    v->cause = false;
    v->dev->stats.irqs++;
    v->napi.quiet(&v->napi);
    napi_schedule(&v->napi);
}

static void interrupt(struct vnic *v)
{
    v->cause = true;
    if (v->listening)
        sim_irq(raise_irq, v);
}

static bool is_raw_ip(const struct vnic *v)
{
    return v->dev->type == ARPHRD_NONE;
}

static bool for_us(const struct vnic *v, const uint8_t *frame)
{
    return is_raw_ip(v) || frame[0] & 1 || dev_flags(v->dev, NETDEV_PROMISC) ||
           memcmp(frame, v->dev->dev_addr, ETH_ALEN) == 0;
}

static void frame_arrives(struct wire_port *port, const uint8_t *frame, size_t n)
{
    struct vnic *v = container_of(port, struct vnic, port);
    unsigned slot = v->rx.filled % v->rx_size;

    if (n < (is_raw_ip(v) ? 1u : (size_t)ETH_HLEN) || n > BUFFER_SIZE) {
        v->dev->stats.rx_errors++;
        return;
    }
    if (!for_us(v, frame))
        return;
    if (v->rx.filled - v->rx.next == v->rx_size) {
        v->dev->stats.rx_no_buffer++;
        return;
    }
    memcpy(v->rx.skb[slot]->data, frame, n);
    v->rx.length[slot] = (uint32_t)n;
    v->rx.filled++;
    interrupt(v);
}

/* The checksum a frame still owes, if the card offers that. */
static void fill_checksum(const struct sk_buff *skb, uint8_t *frame)
{
    unsigned start = (unsigned)(skb->head + skb->csum_start - skb->data), at = start + skb->csum_offset;
    uint16_t check = (uint16_t)~frame_sum(frame + start, skb->len - start, 0);

    frame[at] = (uint8_t)(check >> 8);
    frame[at + 1] = (uint8_t)check;
}

static uint64_t put_on_wire(struct vnic *v, const struct sk_buff *skb)
{
    uint8_t frame[BUFFER_SIZE] = { 0 };

    skb_copy_bits(skb, 0, frame, skb->len);
    if (skb->ip_summed == CHECKSUM_PARTIAL)
        fill_checksum(skb, frame);
    return wire_transmit(&v->port, frame, is_raw_ip(v) ? skb->len : MAX(skb->len, (uint32_t)ETH_FRAME_MIN));
}

static void transmission_done(struct timer *t)
{
    interrupt(container_of(t, struct vnic, tx_done));
}

/* ---- driver: transmit; the tx lock is held ---- */

static unsigned tx_free(const struct vnic *v)
{
    return v->tx_size - (v->tx.next - v->tx.clean);
}

static enum netdev_tx vnic_xmit(struct sk_buff *skb, struct net_device *dev)
{
    struct vnic *v = *(struct vnic **)netdev_priv(dev);
    unsigned slot = v->tx.next % v->tx_size;

    if (tx_free(v) < TX_STOP_BELOW) {
        netif_stop_queue(dev);
        return NETDEV_TX_BUSY;
    }
    trace("vnic_xmit", skb->id, skb->len);
    v->tx.skb[slot] = skb;
    v->tx.done_at[slot] = put_on_wire(v, skb);
    v->tx.next++;
    dev->stats.tx_packets++;
    dev->stats.tx_bytes += skb->len;
    if (!timer_pending(&v->tx_done))
        timer_set(&v->tx_done, v->tx.done_at[slot]);
    if (tx_free(v) < TX_STOP_BELOW) {
        v->tx.stops++;
        netif_stop_queue(dev);
    }
    return NETDEV_TX_OK;
}

static void clean_tx(struct vnic *v)
{
    unsigned slot;

    netif_tx_lock(v->dev);
    for (; v->tx.clean != v->tx.next; v->tx.clean++) {
        slot = v->tx.clean % v->tx_size;
        if (v->tx.done_at[slot] > time_now()) {
            timer_set(&v->tx_done, v->tx.done_at[slot]);
            break;
        }
        consume_skb(v->tx.skb[slot]);
    }
    if (netif_queue_stopped(v->dev) && tx_free(v) >= v->tx_size / 2)
        netif_wake_queue(v->dev);
    netif_tx_unlock(v->dev);
}

/* ---- driver: receive ---- */

static bool checksum_is_good(const struct vnic *v, const struct sk_buff *skb)
{
    struct packet p = { 0 };

    packet_parse(&p, skb->data, skb->len);
    return v->dev->features & NETIF_F_RXCSUM && !p.malformed && p.ip_checksum_ok && p.checksum_ok;
}

/* Empty the next slot by exchange; NULL when there is no fresh buffer: the frame is dropped, the old one
 * stays. */
static struct sk_buff *take_frame(struct vnic *v)
{
    unsigned slot = v->rx.next++ % v->rx_size;
    struct sk_buff *full = v->rx.skb[slot], *fresh = netdev_alloc_skb(v->dev, BUFFER_SIZE);

    if (!fresh) {
        v->dev->stats.rx_dropped++;
        return NULL;
    }
    v->rx.skb[slot] = fresh;
    skb_put(full, v->rx.length[slot]);
    if (checksum_is_good(v, full))
        full->ip_summed = CHECKSUM_UNNECESSARY;
    return full;
}

static int vnic_poll(struct napi_struct *napi, int budget)
{
    struct vnic *v = container_of(napi, struct vnic, napi);
    int done = 0;

    clean_tx(v);
    for (; done < budget && v->rx.next != v->rx.filled; done++) {
        struct sk_buff *skb = take_frame(v);
        if (!skb)
            continue;
        trace("vnic_clean_rx", skb->id, skb->len);
        napi_gro_receive(napi, skb);
    }
    return done;
}

static void vnic_quiet(struct napi_struct *napi)
{
    container_of(napi, struct vnic, napi)->listening = false;
}

/* Like a card with edges (virtio): a cause that came while it was quiet does not interrupt by itself. */
static bool vnic_listen(struct napi_struct *napi)
{
    struct vnic *v = container_of(napi, struct vnic, napi);
    bool slipped_in = v->cause;

    v->cause = false;
    v->listening = true;
    return slipped_in;
}

/* ---- driver: open and stop ---- */

static void free_rx(struct vnic *v)
{
    for (unsigned i = 0; i < v->rx_size && v->rx.skb[i]; i++) {
        consume_skb(v->rx.skb[i]);
        netdev_ring_skbs(v->dev, -1);
        v->rx.skb[i] = NULL;
    }
}

static int vnic_open(struct net_device *dev)
{
    struct vnic *v = *(struct vnic **)netdev_priv(dev);

    v->rx.next = v->rx.filled = v->tx.next = v->tx.clean = 0;
    for (unsigned i = 0; i < v->rx_size; i++) {
        v->rx.skb[i] = netdev_alloc_skb(dev, BUFFER_SIZE);
        if (!v->rx.skb[i]) {
            free_rx(v);
            return -ENOMEM;
        }
        netdev_ring_skbs(dev, 1);
    }
    napi_enable(&v->napi);
    v->cause = false;
    v->listening = true;
    wire_attach(v->port.wire, &v->port);
    netif_carrier_on(dev);
    return 0;
}

static void vnic_stop(struct net_device *dev)
{
    struct vnic *v = *(struct vnic **)netdev_priv(dev);
    struct wire *w = v->port.wire;

    wire_detach(&v->port);
    v->port.wire = w; /* for the next open */
    timer_cancel_sync(&v->tx_done);
    v->listening = false;
    napi_disable(&v->napi);
    for (; v->tx.clean != v->tx.next; v->tx.clean++)
        consume_skb(v->tx.skb[v->tx.clean % v->tx_size]);
    free_rx(v);
    netif_carrier_off(dev);
}

static const struct net_device_ops vnic_ops = {
    .ndo_open = vnic_open,
    .ndo_stop = vnic_stop,
    .ndo_start_xmit = vnic_xmit,
};

static unsigned ring_size(unsigned wanted)
{
    return wanted ? MIN(wanted, (unsigned)VNIC_RING_MAX) : RING_DEFAULT;
}

struct vnic *vnic_create(struct net *net, const char *name, const uint8_t mac[6], struct wire *w,
                         const struct vnic_config *config)
{
    static const struct vnic_config plain;
    struct vnic *v = mem_alloc(sizeof *v);
    struct net_device *dev = v ? alloc_netdev(sizeof(struct vnic *), name) : NULL;

    if (!dev) {
        mem_free(v);
        return NULL;
    }
    config = config ? config : &plain;
    *(struct vnic **)netdev_priv(dev) = v;
    if (config->raw_ip) {
        dev->type = ARPHRD_NONE;
        dev->flags = NETDEV_NOARP | NETDEV_MULTICAST;
    }
    v->dev = dev;
    v->port.wire = w;
    v->port.receive = frame_arrives;
    v->rx_size = ring_size(config->rx_ring);
    v->tx_size = ring_size(config->tx_ring);
    timer_init(&v->tx_done, transmission_done);
    memcpy(dev->dev_addr, mac, ETH_ALEN);
    dev->features = config->features;
    dev->max_mtu = BUFFER_SIZE - ETH_HLEN;
    dev->ops = &vnic_ops;
    netif_napi_add(dev, &v->napi, vnic_poll);
    v->napi.quiet = vnic_quiet;
    v->napi.listen = vnic_listen;
    if (register_netdev(net, dev) == 0)
        return v;
    free_netdev(dev);
    mem_free(v);
    return NULL;
}

void vnic_destroy(struct vnic *v)
{
    unregister_netdev(v->dev);
    free_netdev(v->dev);
    mem_free(v);
}
