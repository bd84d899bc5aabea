/* sim/threads/card.h - network cards on a wire. The ring of received frames and the interrupt line are
 * hardware, which works beside the CPUs and orders nothing. Each interrupt comes on another CPU than the
 * last. */
#pragma once
#include "net/core/netdevice.h"
#include "sim/threads/threads.h"

enum { WIRE_CARDS_MAX = 4, CARD_RING = 128, CARD_FRAME_MAX = 2048 };

struct card_frame {
    uint32_t len;
    uint8_t bytes[CARD_FRAME_MAX];
};

struct card {
    struct net_device *dev;
    struct napi_struct napi;
    struct irq_line irq;
    struct wire_of_cards *wire;

    /* hardware, under guard (a quiet lock) */
    uint32_t guard;
    uint32_t attached, listening, cause, filled, next, next_cpu;
    struct card_frame *ring;
    bool promiscuous;
    uint8_t mac[ETH_ALEN];

    /* tx lock */
    struct sk_buff_head sent; /* until the interrupt that says so */
};

struct wire_of_cards {
    struct card *cards[WIRE_CARDS_MAX]; /* constant once traffic flows */
    unsigned n;
    uint32_t loss_per_million, duplicates_per_million;
};

/* A card called name on wire, features as the device offers them. Process context. */
struct card *card_create(struct net *net, const char *name, const uint8_t mac[6], uint32_t features,
                         struct wire_of_cards *wire);
void card_destroy(struct card *card);
