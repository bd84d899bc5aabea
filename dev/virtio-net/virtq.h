/* dev/virtio-net/virtq.h - the driver's half of a split virtqueue; knows no network.
 *
 *     desc    what lies where: chains of buffers, linked by next
 *     avail   heads of chains we offer; idx counts them; at its end used_event: interrupt us there
 *     used    heads of chains the device is done with; at its end avail_event: notify it there
 *
 * Each side writes its own ring and counts its index up for ever, modulo 65,536. Section numbers are those of
 * 'Virtual I/O Device (VIRTIO) Version 1.2'. The caller serialises all calls for one queue. */
#pragma once
#include "dev/dev.h"

enum { VIRTQ_MAX = 256 }; /* entries: each ring fits in a page */
enum { VIRTQ_CHAIN_MAX = 20 };

struct virtq_desc { /* 2.7.5 */
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};
enum { VIRTQ_DESC_NEXT = 1, VIRTQ_DESC_WRITE = 2 }; /* WRITE: the device writes it */
struct virtq_avail {                                /* 2.7.6; used_event follows the ring */
    uint16_t flags, idx, ring[];
};
enum { VIRTQ_AVAIL_NO_INTERRUPT = 1 };
struct virtq_used_elem {
    uint32_t id, len;
};
struct virtq_used { /* 2.7.8; avail_event follows the ring */
    uint16_t flags, idx;
    struct virtq_used_elem ring[];
};
enum { VIRTQ_USED_NO_NOTIFY = 1 };
_Static_assert(sizeof(struct virtq_desc) == 16 && sizeof(struct virtq_used_elem) == 8, "virtio 1.2 2.7");
_Static_assert(offsetof(struct virtq_used, ring) == 4 && offsetof(struct virtq_avail, ring) == 4,
               "virtio 1.2 2.7");

/* A piece of memory that the device reads or writes. */
struct virtq_seg {
    dma_addr_t addr;
    uint32_t len;
};

struct virtq {
    struct device *device;
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    dma_addr_t desc_bus, avail_bus, used_bus;
    uint16_t index, size;
    uint32_t notify_at;      /* the transport's: where to notify */
    bool event_idx;          /* VIRTIO_F_EVENT_IDX was negotiated */
    uint16_t free, n_free;   /* unused descriptors, linked by next */
    uint16_t added, kicked;  /* avail->idx as it is, and as it was at the last kick */
    uint16_t taken;          /* used->idx up to which we have looked */
    void *cookie[VIRTQ_MAX]; /* by head of a chain; NULL: not with the device */
};

/* Make the rings: size entries, at most VIRTQ_MAX. 0 or -ENOMEM. Process context. */
int virtq_init(struct virtq *q, struct device *d, uint16_t index, uint16_t size, bool event_idx);
/* The device must have been reset. */
void virtq_free(struct virtq *q);
/* Offer a chain: n_out pieces for the device to read, then n_in to write. cookie (not NULL) comes back from
 * virtq_take(). False, and nothing happens, when there are too few descriptors. Seen by the device at once,
 * noticed after virtq_kick_prepare() says so. */
bool virtq_add(struct virtq *q, const struct virtq_seg *segs, unsigned n_out, unsigned n_in, void *cookie);
/* Whether the device wants to be notified of what was added since the last call. */
bool virtq_kick_prepare(struct virtq *q);
/* The cookie of the oldest chain that the device is done with, *len what it says it has written; NULL if
 * there is none. What the device says is bounded to what there is; nonsense is skipped. */
void *virtq_take(struct virtq *q, uint32_t *len);
/* After a reset: the cookie of a chain that never came back, NULL when there is none left. */
void *virtq_take_unused(struct virtq *q);
/* No interrupts, please. Advice only: one may come all the same. Any context. */
void virtq_quiet(struct virtq *q);
/* An interrupt when n more chains (1: the next one) are done. True if they already are: then none will come.
 */
bool virtq_listen(struct virtq *q, uint16_t n);
/* The head that the next chain will have: what a driver keeps beside the chain can lie at this index. */
static inline uint16_t virtq_next_head(const struct virtq *q)
{
    return q->free;
}
static inline uint16_t virtq_in_flight(const struct virtq *q)
{
    return (uint16_t)(q->added - q->taken);
}
