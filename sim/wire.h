/* sim/wire.h - a wire: every frame that a port transmits reaches every other port, late, or not at all.
 * Two ports make a cable, more a hub. All chance is the simulation's, so faults repeat with the seed. */
#pragma once
#include "net/port.h"
#include "sim/wire_queue.h"

struct pcapng;
struct wire;

/* What hangs on a wire: a card, or a tap. */
struct wire_port {
    struct list_head link; /* in wire->ports */
    struct wire *wire;
    void (*receive)(struct wire_port *port, const uint8_t *frame,
                    size_t n); /* softirq; frame lives for the call */
    uint64_t busy_until;       /* it still transmits */
    uint64_t last_arrival;     /* of what it has sent: jitter does not reorder */
    bool in_burst;             /* the bad state of burst_loss */
    struct wire_queue queue;   /* what waits until busy_until */
    struct timer free_at;      /* runs at busy_until while something waits */
};

struct wire {
    const char *name;
    /* set at any time */
    uint64_t delay;                             /* ns from the end of transmission to arrival */
    uint64_t bits_per_second;                   /* 0: transmission takes no time */
    uint32_t loss, duplicate, reorder, corrupt; /* chances in a million, for each frame and receiver */
    uint64_t reorder_delay;                     /* how late a reordered frame is; ns */
    uint64_t jitter;                            /* up to so much later, evenly; ns */
    /* Loss in bursts (Gilbert and Elliott): with these chances in a million a frame begins or ends a bad
     * time, in which frames are lost with the chance burst_loss. burst_enter 0: never. */
    uint32_t burst_enter, burst_leave, burst_loss;
    struct wire_queue_config queue; /* in front of each port; limit 0: none */
    bool down;                      /* everything is lost */
    /* Optional: false loses the frame before chance is asked. For a test that drops a chosen one. */
    bool (*filter)(void *arg, const uint8_t *frame, size_t n);
    void *filter_arg;

    struct list_head ports, in_flight;
    bool raw_ip;                    /* carries IP packets without a link header */
    uint64_t sent, delivered, lost; /* frames */
    struct pcapng *capture;
};

/* A wire without delay, limit or fault. */
struct wire *wire_create(const char *name);
/* All ports must have been taken off. Frames in flight are lost. */
void wire_destroy(struct wire *w);
void wire_attach(struct wire *w, struct wire_port *port);
/* Take port off; frames on their way to it are lost. */
void wire_detach(struct wire_port *port);
/* Send a frame from port; it is copied. The time when port may send again: when the last bit has left, or at
 * once if the wire has a queue. Any context but irq. */
uint64_t wire_transmit(struct wire_port *port, const uint8_t *frame, size_t n);
/* Write every frame sent from now on to the file at path (pcapng). 0, or -errno if it cannot be written. */
int wire_capture(struct wire *w, const char *path);
/* Let every wire made from now on leave a capture called <prefix><its name>.pcapng; NULL: none. prefix is
 * kept. */
void wire_capture_all(const char *prefix);
