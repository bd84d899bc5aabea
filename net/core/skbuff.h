/* net/core/skbuff.h - struct sk_buff, the packet buffer.
 *
 *     head       data            tail        end
 *      |-headroom-|-- headlen ----|-tailroom--| count of sharers, canary, fragments
 *                                                                            |--|--|--|  in pages
 *
 * head <= data <= tail <= end, checked by every verb in every build: a violation panics and names the caller.
 * The bytes are counted apart from the descriptor (skb->shared): clones share them, and whoever wants to
 * write to shared bytes calls skb_cow() first. Every sk_buff has one owner at every moment; who is handed one
 * owns it.
 *
 * A packet that is being sent may go on in fragments: parts of pages that a file or a program has, too, and
 * may write to meanwhile. Then it is `nonlinear`: data_len of its len bytes are not between data and tail.
 * The list of fragments only ever grows, and a descriptor sees data_len bytes of it from frag_at on, so one
 * descriptor may pull or trim while a clone is with the card. What is received is always linear: loopback
 * gathers no fragments, and taps get copies. */
#pragma once
#include "lib/bytes.h"
#include "lib/checksum.h"
#include "lib/list.h"
#include "lib/refcount.h"
#include "net/core/drop.h"

struct net;
struct net_device;
struct sock;
struct dst_entry;
struct sk_buff;

/* What is known of the checksum. Receive: NONE (verify in software) or UNNECESSARY (the device or loopback
 * vouches). Transmit: NONE (the header's field is final) or PARTIAL (the field at csum_start + csum_offset
 * holds the folded pseudo-header sum, length included; whoever sends sums from csum_start to the end and
 * stores the result there). */
enum skb_ip_summed { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_PARTIAL };

/* Who the frame was addressed to (eth_type_trans decides). LOOPBACK: our own copy of what we sent to many. */
enum skb_pkt_type {
    PACKET_HOST,
    PACKET_BROADCAST,
    PACKET_MULTICAST,
    PACKET_OTHERHOST,
    PACKET_OUTGOING,
    PACKET_LOOPBACK
};

/* Headroom that every transmit path provides, so that no layer below has to copy: Ethernet 14, IPv4 up to 60,
 * TCP up to 60, a device's own header 12, rounded up. And the two bytes that put an IP header behind a
 * 14-byte Ethernet header on a word boundary. */
enum { SKB_TX_HEADROOM = 160, NET_IP_ALIGN = 2 };

struct sk_buff_head {
    struct list_head list;
    uint32_t qlen;  /* packets */
    uint64_t bytes; /* their len, summed */
};

/* Who wants to know when fragments are let go: the last reference calls done, which frees it. */
struct skb_notice {
    struct refcount refs;
    bool copied;                        /* some of them were copied after all; once set, stays */
    void (*done)(struct skb_notice *n); /* any lock may be held, so no socket's may be taken */
};
static inline void skb_notice_put(struct skb_notice *n)
{
    if (refcount_put(&n->refs))
        n->done(n);
}

/* A part of a page, with a reference to it, and to who is to be told, or NULL. */
struct skb_frag {
    void *page;
    uint32_t offset, len;
    struct skb_notice *notice;
};
enum { SKB_FRAGS_MAX = 17 }; /* 64 KiB that begin anywhere */

/* What lies behind end, at the next multiple of eight; for net/core/skb*.c. */
struct skb_shared {
    struct refcount refs;    /* descriptors that share all this */
    uint16_t slots, n_frags; /* room for fragments, fixed; how many there are */
    uint64_t canary;         /* SKB_CANARY, or somebody wrote past end */
    struct skb_frag frags[]; /* a reference to each one's page */
};

struct sk_buff {
    struct list_head list; /* in one sk_buff_head at most */
    uint8_t *head, *data, *tail, *end;
    struct skb_shared *shared;
    uint32_t len;                            /* tail - data + data_len */
    uint32_t truesize;                       /* bytes charged to a socket: descriptor and buffer */
    uint64_t id;                             /* for trace(): one number from the wire to the socket */
    struct net *net;                         /* whose it is: its pool and its counters */
    struct net_device *dev;                  /* arrived on, or leaves by */
    struct sock *sk;                         /* charged for it, or NULL */
    void (*destructor)(struct sk_buff *skb); /* undoes the charge; runs when the descriptor is freed */
    struct dst_entry *dst;                   /* the route, or NULL */
    uint64_t tstamp;                         /* arrival, time_now() */
    uint16_t mac_offset, network_offset, transport_offset; /* from head; SKB_OFFSET_NONE while unknown */
    be16 protocol;                                         /* EtherType */
    uint8_t pkt_type;                                      /* enum skb_pkt_type */
    uint8_t ip_summed;                                     /* enum skb_ip_summed */
    uint16_t csum_start;                                   /* from head */
    uint16_t csum_offset;                                  /* from csum_start */
    uint16_t gso_size;          /* not 0: to be cut into segments of that many payload bytes */
    uint32_t data_len, frag_at; /* bytes in fragments, and how many of the list's lie before them */
    uint64_t cb[6];             /* the current owner's scratch; each protocol overlays its own struct */
};
enum { SKB_OFFSET_NONE = 0xffff };
_Static_assert(sizeof(struct sk_buff) == 192, "three cache lines, cleared for every packet");

/* ---- life ---- */

/* An empty buffer with size bytes between head and end; data == tail == head. NULL when memory is out.
 * Process or softirq. The caller owns it. */
struct sk_buff *alloc_skb(struct net *net, uint32_t size);
/* The same with headroom already reserved: room for size bytes of payload behind it. */
struct sk_buff *alloc_skb_headroom(struct net *net, uint32_t headroom, uint32_t size);
/* Free because it was dropped: counts reason, leaves a trace point. Takes skb; NULL is fine. */
void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason);
/* Free because it did its work: nothing is counted. Takes skb; NULL is fine. */
void consume_skb(struct sk_buff *skb);
/* A second descriptor for the same bytes; NULL when memory is out. Neither may write to the bytes afterwards.
 */
struct sk_buff *skb_clone(struct sk_buff *skb);
/* A copy of descriptor and bytes, linear, with the same headroom at least. */
struct sk_buff *skb_copy(const struct sk_buff *skb);
/* A copy of descriptor and linear bytes; the fragments are parts of the same pages. */
struct sk_buff *pskb_copy(const struct sk_buff *skb);
/* Make the linear bytes skb's own, with headroom for at least headroom bytes: copies if they are shared or
 * there is too little. 0 or -ENOMEM; skb stays the caller's. Header pointers taken before are stale. */
int skb_cow(struct sk_buff *skb, uint32_t headroom) MUST_CHECK;
bool skb_shared_data(const struct sk_buff *skb);
/* Nobody is charged for skb any longer: runs its destructor now. */
void skb_orphan(struct sk_buff *skb);

/* ---- the verbs: each returns a pointer to the bytes it opened ---- */

/* Make headroom in an empty buffer: move data and tail by n. */
void skb_reserve(struct sk_buff *skb, uint32_t n);
/* Open n bytes behind tail / in front of data; the bytes are not cleared. Too little room panics. */
void *skb_put(struct sk_buff *skb, uint32_t n);
void *skb_push(struct sk_buff *skb, uint32_t n);
/* Take n bytes off the front: the new data, or NULL, and nothing happens, if there are fewer. Of a nonlinear
 * packet fragments go too. */
void *skb_pull(struct sk_buff *skb, uint32_t n);
/* Cut the packet to len bytes; a longer len changes nothing. */
void skb_trim(struct sk_buff *skb, uint32_t len);

static inline uint32_t skb_headroom(const struct sk_buff *skb)
{
    return (uint32_t)(skb->data - skb->head);
}
static inline bool skb_is_nonlinear(const struct sk_buff *skb)
{
    return unlikely(skb->data_len);
}
/* tail - data */
static inline uint32_t skb_headlen(const struct sk_buff *skb)
{
    return skb->len - skb->data_len;
}
/* Behind fragments nothing can be put. */
static inline uint32_t skb_tailroom(const struct sk_buff *skb)
{
    return skb_is_nonlinear(skb) ? 0 : (uint32_t)(skb->end - skb->tail);
}
/* Look before you read: the first n bytes as a header, or NULL if the packet is shorter. data does not move.
 */
static inline const void *skb_header(const struct sk_buff *skb, uint32_t n)
{
    return likely(skb_headlen(skb) >= n) ? skb->data : NULL;
}
void skb_put_data(struct sk_buff *skb, const void *src, uint32_t n);

/* ---- fragments: net/core/skb_frag.c ---- */

/* An empty buffer with headroom and room for that many fragments (at most SKB_FRAGS_MAX), and for linear
 * bytes before them. NULL when memory is out. Process or softirq. */
struct sk_buff *alloc_skb_frags(struct net *net, uint32_t headroom, uint32_t linear, unsigned slots);
/* Append bytes of a page (net/port.h), of which skb takes a reference of its own, as it does of notice (NULL:
 * nobody is to be told). truesize grows by len. False: skb has no slot left. */
bool skb_add_frag(struct sk_buff *skb, void *page, uint32_t offset, uint32_t len, struct skb_notice *notice);
/* Move the first n bytes of from behind those of to, which nobody else may be looking at: to its tailroom, or
 * page by page to its slots; truesize goes with pages. False, and nothing moved: there is no such room. */
bool skb_move(struct sk_buff *to, struct sk_buff *from, uint32_t n);
/* A second packet with headroom and everything from len on; skb keeps len bytes. Linear bytes are copied,
 * pages shared; truesize goes with pages. cb is not copied. NULL, and nothing changed: memory is out. */
struct sk_buff *skb_split(struct sk_buff *skb, uint32_t len, uint32_t headroom);
/* Append n bytes of from's fragments, from their offset on, to to, which is fresh and has as many slots.
 * truesize stays. For net/core/skb*.c. */
void skb_share_frags(struct sk_buff *to, const struct sk_buff *from, uint32_t offset, uint32_t n);
/* All bytes into one linear buffer of its own with tailroom, if they are nonlinear or have less. 0 or
 * -ENOMEM; skb stays the caller's. truesize stays. Header pointers taken before are stale. */
int skb_linearize(struct sk_buff *skb, uint32_t tailroom) MUST_CHECK;
/* Copy n bytes from offset on, wherever they lie. offset + n <= len. */
void skb_copy_bits(const struct sk_buff *skb, uint32_t offset, void *dst, uint32_t n);
/* The sum of n bytes from offset on. */
csum_t skb_checksum(const struct sk_buff *skb, uint32_t offset, uint32_t n);
/* The references of all fragments, dropped. For net/core/skb*.c. */
void skb_frags_release(struct skb_shared *shared);

/* The bytes of a packet, one stretch of memory after the other:
 *     struct skb_walk w = skb_walk_from(skb, 0, skb->len);
 *     while (skb_walk_next(&w)) ... w.bytes, w.n */
struct skb_walk {
    const void *bytes;
    uint32_t n;
    const struct sk_buff *skb;
    uint32_t at, left; /* from skb's first byte on; how many are to come */
    uint32_t passed;   /* bytes of the fragments before the one with this index */
    unsigned index;
};
struct skb_walk skb_walk_from(const struct sk_buff *skb, uint32_t offset, uint32_t n);
bool skb_walk_next(struct skb_walk *w);
/* How many stretches there are: what a driver needs descriptors for. */
unsigned skb_count_pieces(const struct sk_buff *skb);

/* ---- where the headers are ---- */

static inline void skb_reset_mac_header(struct sk_buff *skb)
{
    skb->mac_offset = (uint16_t)(skb->data - skb->head);
}
static inline void skb_reset_network_header(struct sk_buff *skb)
{
    skb->network_offset = (uint16_t)(skb->data - skb->head);
}
static inline void skb_reset_transport_header(struct sk_buff *skb)
{
    skb->transport_offset = (uint16_t)(skb->data - skb->head);
}
static inline void *skb_mac_header(const struct sk_buff *skb)
{
    return skb->head + skb->mac_offset;
}
static inline void *skb_network_header(const struct sk_buff *skb)
{
    return skb->head + skb->network_offset;
}
static inline void *skb_transport_header(const struct sk_buff *skb)
{
    return skb->head + skb->transport_offset;
}

/* ---- trains (net/core/gro.h) ---- */

/* The first packet behind a train's head, taken off; NULL when there is none, or skb is no train. */
static inline struct sk_buff *skb_train_take(struct sk_buff *skb)
{
    if (likely(!skb->gso_size))
        return NULL;
    struct sk_buff *follower = list_first_entry(&skb->list, struct sk_buff, list);
    if (follower)
        list_del(&follower->list);
    return follower;
}

/* All packets behind a train's head, which is a packet like others then. */
void skb_train_open(struct sk_buff *head, struct sk_buff_head *followers);

/* ---- checksums ---- */

/* Fill the checksum that a CHECKSUM_PARTIAL packet still owes, in software. The linear bytes must be skb's
 * own. Fragments are summed where they lie: who has the sum made while others may write to the pages must
 * make the packet linear before. 0, or -EINVAL when csum_start or csum_offset lie outside the packet. */
int skb_checksum_help(struct sk_buff *skb) MUST_CHECK;

/* ---- queues: the caller locks ---- */

void skb_queue_head_init(struct sk_buff_head *q);
static inline bool skb_queue_empty(const struct sk_buff_head *q)
{
    return list_empty(&q->list);
}
void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *skb);
void skb_queue_head(struct sk_buff_head *q, struct sk_buff *skb);
/* Put skb just behind (before) an entry that is in q. */
void skb_queue_after(struct sk_buff_head *q, struct sk_buff *entry, struct sk_buff *skb);
void skb_queue_before(struct sk_buff_head *q, struct sk_buff *entry, struct sk_buff *skb);
struct sk_buff *skb_peek(const struct sk_buff_head *q);
struct sk_buff *skb_peek_tail(const struct sk_buff_head *q);
/* The entry behind skb, or NULL at the end. */
struct sk_buff *skb_queue_next(const struct sk_buff_head *q, const struct sk_buff *skb);
/* The entry before skb, or NULL at the front. */
struct sk_buff *skb_queue_prev(const struct sk_buff_head *q, const struct sk_buff *skb);
struct sk_buff *skb_dequeue(struct sk_buff_head *q);
void skb_unlink(struct sk_buff_head *q, struct sk_buff *skb);
/* Free everything in q as dropped for reason. */
void skb_queue_purge(struct sk_buff_head *q, enum skb_drop_reason reason);
