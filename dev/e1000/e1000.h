/* dev/e1000/e1000.h - Intel's 82540EM: two rings, a poll, one interrupt line; private to dev/e1000.
 *
 *             e1000_main.c   probe, open, stop: who calls what, in which order
 *             e1000_hw.c     the card itself: reset, EEPROM, PHY, link, its own counters
 *             e1000_rx.c     the receive ring        e1000_tx.c  the transmit ring
 *             e1000_napi.c   the interrupt and the poll that it asks for */
#pragma once
#include "dev/dev.h"
#include "dev/e1000/regs.h"
#include "net/core/netdevice.h"

enum { E1000_RX_RING = 256, E1000_TX_RING = 256 }; /* descriptors; RDLEN and TDLEN count in eights */
_Static_assert(E1000_RX_RING % 8 == 0 && E1000_TX_RING % 8 == 0, "SDM 13.4.27, 13.4.38");
enum { E1000_RX_BUFFER = 2048 };                    /* bytes the card may write: RCTL.BSIZE 0 */
enum { E1000_FRAME_MAX = ETH_HLEN + ETH_DATA_LEN }; /* without FCS */

/* The card owns the descriptors [RDH, RDT); `next` is the oldest of them, where it writes next. Every slot
 * holds a buffer at any time, also the one before `next`, which RDT keeps from the card: RDH == RDT means
 * that it has none. Softirq of the polling CPU only (and open and stop, when no poll runs). */
struct e1000_rx_ring {
    struct e1000_rx_desc *desc;
    dma_addr_t bus;
    struct sk_buff *skb[E1000_RX_RING];
    unsigned next;
    bool spanning; /* the last descriptor was not its frame's end: what follows belongs to it */
};

/* [clean, posted) belong to the card, [posted, next) are filled but not yet shown to it; one slot stays empty
 * so that full and empty differ. An sk_buff hangs on its last data descriptor. All under the device's tx
 * lock. */
struct e1000_tx_ring {
    struct e1000_tx_desc *desc;
    dma_addr_t bus;
    struct sk_buff *skb[E1000_TX_RING];
    unsigned next, posted, clean;
    uint8_t tucss, tucso; /* what the last context descriptor said: the card remembers it; 0, 0: none yet */
};

/* What the card has counted: its registers forget when read. */
struct e1000_hw_stats {
    uint64_t rx_errors, rx_missed, tx_errors;
};

enum { E1000_MTA_WORDS = 128 };

struct e1000 {
    struct device *device;
    struct net_device *netdev;
    struct mmio regs;
    uint32_t rctl;                 /* what RCTL holds; written while the device is open, process context */
    bool link_changed;             /* set by the interrupt, taken by the poll; atomic */
    uint32_t mta[E1000_MTA_WORDS]; /* what the card's table of groups holds; NET_DEVICES lock */
    struct napi_struct napi;
    struct e1000_rx_ring rx;
    struct e1000_tx_ring tx;
    struct e1000_hw_stats hw_stats; /* atomic */
};

extern const struct device_driver e1000_driver;

static inline uint32_t e1000_read(const struct e1000 *e, enum e1000_register reg)
{
    return mmio_read32(&e->regs, reg);
}
static inline void e1000_write(const struct e1000 *e, enum e1000_register reg, uint32_t value)
{
    mmio_write32(&e->regs, reg, value);
}

/* ---- e1000_hw.c; process context unless said ---- */

/* Bring the card into a known state: no interrupts, no DMA, rings empty (SDM 14.2, 14.3). 0, or -EIO when it
 * does not come back. */
int e1000_reset_hw(struct e1000 *e);
/* The station address out of the EEPROM. 0, -EIO when it cannot be read, -EINVAL when its sum or the address
 * is wrong. */
int e1000_read_mac(struct e1000 *e, uint8_t mac[ETH_ALEN]);
/* Set receive address 0, clear the multicast table, start the link (SDM 14.3). */
void e1000_init_hw(struct e1000 *e);
/* Tell the stack, and the log, whether there is a link now. Process or softirq. */
void e1000_update_link(struct e1000 *e);
/* RCTL = value, unless it is that already: a write costs QEMU's model a second without receive. */
void e1000_set_rctl(struct e1000 *e, uint32_t value);
/* Let in the frames to dev's groups, or to all of them: a hash of 4,096 bits (SDM 13.5.1), so others come in
 * too. Costs no write of RCTL. NET_DEVICES lock held. */
void e1000_set_groups(struct e1000 *e, const struct net_device *dev);
/* ndo_get_stats: add what the card has counted. */
void e1000_get_stats(struct net_device *dev, struct net_device_stats *stats);

/* ---- e1000_rx.c ---- */

/* The ring with a buffer in each slot. 0 or -ENOMEM (undone). Process context. */
int e1000_rx_alloc(struct e1000 *e);
void e1000_rx_free(struct e1000 *e);
/* Point the card at the ring and let it receive. */
void e1000_rx_start(struct e1000 *e);
void e1000_rx_stop(struct e1000 *e);
/* Hand up to budget frames to the stack; how many slots were emptied. Softirq. */
int e1000_clean_rx(struct e1000 *e, int budget);

/* ---- e1000_tx.c ---- */

int e1000_tx_alloc(struct e1000 *e); /* as above */
void e1000_tx_free(struct e1000 *e); /* drops what was never sent */
void e1000_tx_start(struct e1000 *e);
void e1000_tx_stop(struct e1000 *e);
/* Free what the card has sent, wake the queue, and ask for an interrupt if anything is still on its way. The
 * tx lock is held. */
void e1000_clean_tx(struct e1000 *e);
/* ndo_start_xmit and ndo_xmit_flush; the tx lock is held. */
enum netdev_tx e1000_xmit(struct sk_buff *skb, struct net_device *dev);
void e1000_xmit_flush(struct net_device *dev);
/* ndo_tx_timeout: drop what is in the ring and begin with an empty one. Softirq, no lock held. */
void e1000_tx_timeout(struct net_device *dev);

/* ---- e1000_napi.c ---- */

/* Top half; arg is the struct e1000. True if the card had asked. */
bool e1000_interrupt(void *arg);
int e1000_poll(struct napi_struct *napi, int budget);
void e1000_quiet(struct napi_struct *napi);
bool e1000_listen(struct napi_struct *napi);
