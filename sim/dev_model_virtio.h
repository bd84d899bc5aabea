/* sim/dev_model_virtio.h - a model of a virtio 1.x network card on PCI under virtual time, after the
 * specification (VIRTIO 1.2) rather than after QEMU: what is offered is taken and given back some time later,
 * frames that find no buffer overrun a small FIFO and are counted. It panics when the driver breaks a rule
 * (DMA without bus mastering, a queue used before it is enabled or the driver ready, a chain that cannot be).
 */
#pragma once
#include "dev/virtio-net/virtio_net.h"
#include "sim/dev_host.h"

enum { VIRTIO_MODEL_QUEUES = 2, VIRTIO_MODEL_RING = 64, VIRTIO_MODEL_FIFO = 32 };

struct virtio_model_queue {
    uint16_t size, vector, enabled, taken; /* taken: avail entries the card has consumed */
    uint64_t desc, avail, used;
};
struct virtio_model_frame {
    struct virtio_model_frame *next;
    uint32_t len;
    uint8_t bytes[];
};

struct virtio_model {
    struct host_device host;
    uint32_t command; /* PCI command register */
    uint32_t device_select, driver_select;
    uint64_t accepted;
    uint16_t config_vector, queue_select;
    uint8_t status;
    struct virtio_model_queue queues[VIRTIO_MODEL_QUEUES];
    bool in_interrupt;

    /* knobs of a test */
    uint64_t rx_delay, tx_delay; /* ns from a frame or a notification to the DMA; 0: within the call */
    bool tx_hangs;               /* what is offered is never given back */
    bool no_event_idx;           /* VIRTIO_F_EVENT_IDX is not offered */
    uint16_t ring;               /* the queues' size from the next reset on, at first VIRTIO_MODEL_RING */
    void (*sent)(struct virtio_model *m, const uint8_t *frame, uint32_t len);
    void *arg;

    /* what it did */
    uint64_t notifications, interrupts, overruns, frames_sent, frames_delivered;

    struct virtio_model_frame *fifo, **fifo_end;
    unsigned fifo_len;
    bool rx_event, tx_event; /* one is on its way */
};

/* A card with its link up; the caller fills in the knobs. */
struct virtio_model *virtio_model_create(void);
/* The driver must have been removed; panics if it left anything. */
void virtio_model_destroy(struct virtio_model *m);
/* A frame of at least 14 bytes arrives on the wire. */
void virtio_model_receive(struct virtio_model *m, const void *frame, uint32_t len);
