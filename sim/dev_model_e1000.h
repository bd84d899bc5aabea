/* sim/dev_model_e1000.h - a register model of the 82540EM under virtual time, after the SDM rather than after
 * QEMU: a reset resets, the EEPROM and the PHY take their time, frames that find no buffer overrun a small
 * FIFO and are counted, and what is sent is done later. It panics when the driver breaks a rule of the card
 * (DMA without bus mastering, a descriptor with bits that must not be set, registers out of range). */
#pragma once
#include "dev/e1000/regs.h"
#include "sim/dev_host.h"

enum { MODEL_FIFO = 32, MODEL_FRAME_MAX = 16384 };

struct model_frame {
    struct model_frame *next;
    uint32_t len;
    uint8_t bytes[];
};

struct e1000_model {
    struct host_device host;
    uint32_t regs[E1000_REGISTERS_SIZE / 4];
    uint32_t command; /* PCI command register */
    uint16_t eeprom[EEPROM_WORDS];
    uint16_t phy_ctrl;
    uint32_t eerd_reads, mdic_reads; /* until what was asked for is there */
    uint32_t mask;                   /* IMS */
    bool link, in_interrupt;

    /* knobs of a test */
    uint64_t rx_delay, tx_delay; /* ns from a frame or a tail write to the DMA; 0: within the call */
    bool tx_hangs;               /* descriptors are never done */
    bool eeprom_dead, reset_hangs;
    bool long_frames; /* takes frames over 1,518 bytes as if RCTL.LPE were set */
    void (*rx_damage)(struct e1000_model *m,
                      struct e1000_rx_desc *d); /* before a descriptor is written back */
    void (*sent)(struct e1000_model *m, const uint8_t *frame, uint32_t len);
    void *arg;

    /* what it did */
    uint64_t tail_writes_rx, tail_writes_tx, rctl_writes, interrupts, contexts, frames_sent, frames_delivered;

    struct model_frame *fifo, **fifo_end;
    unsigned fifo_len;
    bool rx_event, tx_event; /* one is on its way */
    struct {
        uint8_t tucss, tucso;
    } context;
    uint8_t tx_frame[MODEL_FRAME_MAX];
    uint32_t tx_len;
    bool tx_sum;
};

/* A card with its link up; the caller fills in the knobs. */
struct e1000_model *e1000_model_create(void);
/* The driver must have been removed; panics if it left anything. */
void e1000_model_destroy(struct e1000_model *m);
/* A frame of at least 14 bytes, without FCS, arrives on the wire. */
void e1000_model_receive(struct e1000_model *m, const void *frame, uint32_t len);
void e1000_model_set_link(struct e1000_model *m, bool up);
/* Set causes in ICR as the card would. */
void e1000_model_raise(struct e1000_model *m, uint32_t causes);
