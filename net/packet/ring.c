/* net/packet/ring.c - the bookkeeping of a ring of frames. */
#include "net/packet/ring.h"
#include "lib/abi/errno.h"
#include "lib/string.h"

enum { LINK_HEADER_ROOM = 16 };
_Static_assert(RING_HEADER == sizeof(struct tpacket2_hdr) + sizeof(struct sockaddr_ll), "TPACKET2_HDRLEN");

static uint32_t align(uint32_t n)
{
    return ROUND_UP(n, (uint32_t)TPACKET_ALIGNMENT);
}

static bool is_sound(const struct tpacket_req *req, uint32_t reserve)
{
    if (!req->tp_block_size || !req->tp_block_nr || req->tp_block_size > INT32_MAX ||
        req->tp_block_size % SHARED_PAGE_SIZE)
        return false;
    if (req->tp_frame_size < RING_HEADER + reserve || req->tp_frame_size % TPACKET_ALIGNMENT ||
        req->tp_frame_size > req->tp_block_size)
        return false;
    return (uint64_t)(req->tp_block_size / req->tp_frame_size) * req->tp_block_nr == req->tp_frame_nr;
}

int packet_ring_create(const struct tpacket_req *req, uint32_t reserve, struct packet_ring *ring)
{
    uint64_t bytes = (uint64_t)req->tp_block_size * req->tp_block_nr;

    if (!is_sound(req, reserve))
        return -EINVAL;
    if (bytes > RING_BYTES_MAX)
        return -ENOMEM;
    *ring = (struct packet_ring){ .pages = shared_pages_create((unsigned)(bytes / SHARED_PAGE_SIZE)),
                                  .block_size = req->tp_block_size,
                                  .frame_size = req->tp_frame_size,
                                  .frames_per_block = req->tp_block_size / req->tp_frame_size,
                                  .n_frames = req->tp_frame_nr,
                                  .reserve = reserve };
    return ring->pages ? 0 : -ENOMEM;
}

/* Where frame i begins, in bytes from the ring's start. */
static uint32_t place_of(const struct packet_ring *ring, uint32_t i)
{
    return i / ring->frames_per_block * ring->block_size + i % ring->frames_per_block * ring->frame_size;
}

/* Frames are aligned, so it lies in one page. */
static uint32_t *status_of(const struct packet_ring *ring, uint32_t i)
{
    uint32_t at = place_of(ring, i);
    uint8_t *page = shared_pages_at(ring->pages, at / SHARED_PAGE_SIZE);

    return (uint32_t *)(page + at % SHARED_PAGE_SIZE);
}

static void write_at(const struct packet_ring *ring, uint32_t at, const void *src, uint32_t n)
{
    while (n) {
        uint32_t start = at % SHARED_PAGE_SIZE, now = MIN(n, SHARED_PAGE_SIZE - start);
        uint8_t *page = shared_pages_at(ring->pages, at / SHARED_PAGE_SIZE);
        memcpy(page + start, src, now);
        src = (const uint8_t *)src + now;
        at += now;
        n -= now;
    }
}

bool packet_ring_has_room(const struct packet_ring *ring)
{
    /* Partner: the program's store, when it has read the frame. */
    return __atomic_load_n(status_of(ring, ring->next), __ATOMIC_ACQUIRE) == TP_STATUS_KERNEL;
}

void packet_ring_fill(struct packet_ring *ring, const struct ring_frame *f)
{
    const uint32_t at = place_of(ring, ring->next);
    const uint32_t net = align(RING_HEADER + LINK_HEADER_ROOM) + ring->reserve, mac = net - f->link_header;
    const uint32_t snaplen = MIN(f->snaplen, ring->frame_size > mac ? ring->frame_size - mac : 0);
    const struct tpacket2_hdr header = { .tp_len = f->len,
                                         .tp_snaplen = snaplen,
                                         .tp_mac = (uint16_t)mac,
                                         .tp_net = (uint16_t)net,
                                         .tp_sec = (uint32_t)(f->wall / sec(1)),
                                         .tp_nsec = (uint32_t)(f->wall % sec(1)) };

    /* the status is the kernel's until the end: a program may look at it meanwhile */
    write_at(ring, at + sizeof header.tp_status, &header.tp_len, sizeof header - sizeof header.tp_status);
    write_at(ring, at + sizeof header, &f->address, sizeof f->address);
    write_at(ring, at + mac, f->data, snaplen);
    /* All of the frame before its status; partner: the program's look at it. */
    __atomic_store_n(status_of(ring, ring->next), TP_STATUS_USER | f->status, __ATOMIC_RELEASE);
    ring->next = (ring->next + 1) % ring->n_frames;
}

bool packet_ring_readable(const struct packet_ring *ring)
{
    uint32_t last = (ring->next ? ring->next : ring->n_frames) - 1;

    return __atomic_load_n(status_of(ring, last), __ATOMIC_ACQUIRE) != TP_STATUS_KERNEL;
}
