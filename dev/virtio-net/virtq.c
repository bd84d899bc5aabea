/* dev/virtio-net/virtq.c - the driver's half of a split virtqueue.
 *
 * In two places a full barrier is needed even on x86, because each side writes one word and then reads the
 * other's: publish avail.idx, then read avail_event (virtq_kick_prepare); write used_event, then read
 * used.idx (virtq_listen). Leave one out and now and then a wake-up is lost. */
#include "dev/virtio-net/virtq.h"
#include "lib/abi/errno.h"

static size_t avail_size(uint16_t size)
{
    return sizeof(struct virtq_avail) + sizeof(uint16_t) * (size + 1u);
}
static size_t used_size(uint16_t size)
{
    return sizeof(struct virtq_used) + sizeof(struct virtq_used_elem) * size + sizeof(uint16_t);
}
/* 2.7.7: in the avail ring, ours to write. */
static uint16_t *used_event(struct virtq *q)
{
    return &q->avail->ring[q->size];
}
/* 2.7.8: in the used ring, the device's to write. */
static uint16_t avail_event(struct virtq *q)
{
    const uint16_t *event = (const void *)&q->used->ring[q->size];
    return READ_ONCE(*event);
}

int virtq_init(struct virtq *q, struct device *d, uint16_t index, uint16_t size, bool event_idx)
{
    *q = (struct virtq){ .device = d, .index = index, .size = size, .n_free = size, .event_idx = event_idx };
    q->desc = dma_alloc(d, sizeof(struct virtq_desc) * size, &q->desc_bus);
    q->avail = dma_alloc(d, avail_size(size), &q->avail_bus);
    q->used = dma_alloc(d, used_size(size), &q->used_bus);
    if (!q->desc || !q->avail || !q->used) {
        virtq_free(q);
        return -ENOMEM;
    }
    for (uint16_t i = 0; i < size; i++)
        q->desc[i].next = (uint16_t)(i + 1);
    return 0;
}

void virtq_free(struct virtq *q)
{
    if (q->desc)
        dma_free(q->device, q->desc, sizeof(struct virtq_desc) * q->size);
    if (q->avail)
        dma_free(q->device, q->avail, avail_size(q->size));
    if (q->used)
        dma_free(q->device, q->used, used_size(q->size));
    *q = (struct virtq){ 0 };
}

bool virtq_add(struct virtq *q, const struct virtq_seg *segs, unsigned n_out, unsigned n_in, void *cookie)
{
    unsigned n = n_out + n_in;
    uint16_t head = q->free, i = head;

    ASSERT(n > 0 && n <= VIRTQ_CHAIN_MAX && cookie);
    if (q->n_free < n)
        return false;
    for (unsigned k = 0; k < n; k++) {
        struct virtq_desc *d = &q->desc[i];
        d->addr = segs[k].addr;
        d->len = segs[k].len;
        d->flags = (uint16_t)((k < n_out ? 0 : VIRTQ_DESC_WRITE) | (k + 1 < n ? VIRTQ_DESC_NEXT : 0));
        i = d->next;
    }
    q->free = i;
    q->n_free = (uint16_t)(q->n_free - n);
    q->cookie[head] = cookie;
    q->avail->ring[q->added % q->size] = head;
    dma_wmb(); /* descriptors and entry before the index; partner: the device reads idx, then the ring */
    WRITE_ONCE(q->avail->idx, ++q->added);
    return true;
}

bool virtq_kick_prepare(struct virtq *q)
{
    uint16_t old = q->kicked, new = q->added;

    q->kicked = new;
    dma_mb(); /* our idx before its avail_event; partner: it writes avail_event, then reads idx once more */
    if (!q->event_idx)
        return new != old && !(READ_ONCE(q->used->flags) & VIRTQ_USED_NO_NOTIFY);
    return (uint16_t)(new - avail_event(q) - 1) < (uint16_t)(new - old); /* 2.7.10 */
}

/* Put the chain that begins at head back on the free list. */
static void *release_chain(struct virtq *q, uint16_t head)
{
    void *cookie = q->cookie[head];
    uint16_t last = head, n = 1;

    for (; q->desc[last].flags & VIRTQ_DESC_NEXT; n++)
        last = q->desc[last].next;
    q->desc[last].next = q->free;
    q->free = head;
    q->n_free = (uint16_t)(q->n_free + n);
    q->cookie[head] = NULL;
    return cookie;
}

void *virtq_take(struct virtq *q, uint32_t *len)
{
    while (virtq_in_flight(q) && READ_ONCE(q->used->idx) != q->taken) {
        dma_rmb(); /* index before entry; partner: the device writes the entry, then idx */
        const struct virtq_used_elem *e = &q->used->ring[q->taken % q->size];
        uint32_t head = READ_ONCE(e->id);
        *len = READ_ONCE(e->len);
        q->taken++;
        if (head < q->size && q->cookie[head])
            return release_chain(q, (uint16_t)head);
    }
    return NULL;
}

void *virtq_take_unused(struct virtq *q)
{
    for (uint16_t head = 0; head < q->size; head++)
        if (q->cookie[head])
            return release_chain(q, head);
    return NULL;
}

void virtq_quiet(struct virtq *q)
{
    if (q->event_idx)
        WRITE_ONCE(*used_event(q), (uint16_t)(READ_ONCE(q->taken) - 1)); /* as far ahead as 16 bits go */
    else
        WRITE_ONCE(q->avail->flags, VIRTQ_AVAIL_NO_INTERRUPT);
}

bool virtq_listen(struct virtq *q, uint16_t n)
{
    uint16_t last = (uint16_t)(q->taken + n - 1);

    if (q->event_idx)
        WRITE_ONCE(*used_event(q), last);
    else
        WRITE_ONCE(q->avail->flags, 0);
    dma_mb(); /* our used_event before its idx; partner: it writes idx, then reads used_event */
    return (int16_t)(READ_ONCE(q->used->idx) - last) > 0;
}
