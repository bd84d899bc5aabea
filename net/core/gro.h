/* net/core/gro.h - packets of one stream that a single poll finds go up as one: a train.
 *
 * Its head is a packet as any other, headers and all. The packets behind it have had theirs taken off, which
 * said nothing new: they hang on head->list, in the order of the stream. gso_size says that a packet is a
 * train: it is what each of its packets but the last has of payload. Between net_rx_action() and the
 * transport a train is one packet with one owner, and freed as one; the transport takes it apart
 * (skb_train_take()). A train never leaves the host: a network that forwards makes none. */
#pragma once
#include "net/core/netdevice.h"

struct napi_struct;

/* What a packet is to a train. */
enum gro_verdict {
    GRO_STRANGER, /* of another stream */
    GRO_FOLLOWS,  /* the next; its headers have been pulled */
    GRO_LAST,     /* the next, and nothing may follow it */
    GRO_BREAKS    /* of the same stream, but not the next: the train must go before it */
};

enum { GRO_BYTES_MAX = 65535 - 120 }; /* payload; a train is no larger than an IPv4 packet with any headers */

/* What whoever made a train remembers in its head's cb; lost when the transport uses it. */
struct gro_cb {
    uint32_t bytes; /* payload, of all packets */
    uint32_t packets;
    uint32_t next; /* the number with which the next packet goes on */
};
static inline struct gro_cb *gro_cb(struct sk_buff *skb)
{
    return (struct gro_cb *)skb->cb;
}

static inline bool skb_is_train(const struct sk_buff *skb)
{
    return unlikely(skb->gso_size) && !list_empty(&skb->list);
}

/* skb, whose link header has been read, goes up now, or when the poll ends, perhaps in a train. Takes skb.
 * Softirq, from poll. */
void gro_receive(struct napi_struct *napi, struct sk_buff *skb);
/* The poll has ended: all that was held goes up. */
void gro_flush(struct napi_struct *napi);
