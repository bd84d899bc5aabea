/* sim/dev_bench.h - a bench for a network driver: a struct net above it, a card below it (a model, or
 * QEMU's), and numbered frames whose every byte is known, so that whatever comes out at the other end is
 * checked. */
#pragma once
#include "net/core/net_namespace.h"
#include "sim/dev_host.h"

/* Frames are at least 22 bytes to carry their number and length; shorter ones are checked by the test. */
enum { BENCH_TYPE = 0x88b5, BENCH_FRAME_MIN = 22, BENCH_FRAME_MAX = 9000 };

struct dev_bench;
/* The card's far side. */
struct bench_card {
    void (*inject)(struct dev_bench *b, const uint8_t *frame,
                   uint32_t len);        /* a frame comes in on the wire */
    void (*settle)(struct dev_bench *b); /* let time pass until the card has done what it can */
};

struct dev_bench {
    struct net *net;
    struct device *device;
    const struct device_driver *driver;
    const struct bench_card *card;
    void *card_arg;
    struct net_device *dev;
    struct packet_type type;

    uint64_t received, rx_wrong, rx_next; /* frames handed up; with wrong bytes or out of order; number due */
    uint64_t sent, tx_wrong, tx_next;     /* the same on the wire */
    uint32_t rx_len, tx_len;              /* the last frame each way */
    uint8_t rx_frame[BENCH_FRAME_MAX], tx_frame[BENCH_FRAME_MAX];
    uint64_t sends; /* number of the next frame to send */
};

/* A net, the driver's probe, its device found. Fails the test if any of it does. */
void bench_init(struct dev_bench *b, struct device *d, const struct bench_card *card, void *card_arg);
/* Remove the driver, destroy the net; nothing may be left. */
void bench_fini(struct dev_bench *b);
void bench_open(struct dev_bench *b);

/* Fill a frame of len bytes to dest, with its number if it is long enough. */
void bench_fill(uint8_t *frame, const uint8_t dest[6], uint64_t number, uint32_t len);
/* A numbered frame for the device comes in on the wire. */
void bench_inject(struct dev_bench *b, uint64_t number, uint32_t len);
/* The stack sends the next numbered frame. What dev_queue_xmit() says. */
int bench_send(struct dev_bench *b, uint32_t len);
/* The same for a packet that goes on in n fragments, of which some may be parts of one page. */
int bench_send_pieces(struct dev_bench *b, uint32_t len, unsigned n);
/* Frames of many lengths in 1 to SKB_FRAGS_MAX fragments are sent and arrive; each in_flight together. */
void bench_send_all_pieces(struct dev_bench *b, uint32_t max, unsigned in_flight);
/* The card has put this on the wire: check and count it. */
void bench_saw(struct dev_bench *b, const uint8_t *frame, uint32_t len);
void bench_settle(struct dev_bench *b);
/* Settle until so many frames have been handed up and sent in all; fails the test when they do not come. */
void bench_await(struct dev_bench *b, uint64_t received, uint64_t sent);
/* Frames of many lengths from the shortest to max, each length near either end, come and go. */
void bench_exchange_lengths(struct dev_bench *b, uint32_t max);
/* The card lets in the frames to the groups that are asked for, and to no others, as groups come and go. */
void bench_exchange_groups(struct dev_bench *b);
/* sk_buffs alive beyond those in the receive ring. */
int64_t bench_loose_skbs(const struct dev_bench *b);
