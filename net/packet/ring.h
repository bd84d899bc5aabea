/* net/packet/ring.h - frames put where the program reads them without a call, packet(7) PACKET_RX_RING in the
 * form TPACKET_V2; private to net/packet.
 *
 * The ring is blocks of whole pages, each with as many frames as fit. A frame begins with a status word that
 * says whose it is; the kernel fills those that are its own in order and gives each away with that word. The
 * program writes what it likes there: of all its memory only the status of the next frame is ever read, and
 * where things lie is kept here. Whoever calls serialises (the packet socket's queue lock). */
#pragma once
#include "lib/abi/socket.h"
#include "net/port.h"

enum {
    RING_BYTES_MAX = 32 << 20,
    /* As Linux lays out a frame: header, sockaddr_ll, room for a link header of 16, all aligned. */
    RING_HEADER = 52,
    RING_RESERVE_MAX = 0xffff - 80, /* tp_net has 16 bits */
};

struct packet_ring {
    struct shared_pages *pages; /* NULL: there is no ring */
    uint32_t block_size, frame_size, frames_per_block, n_frames, reserve;
    uint32_t next; /* frame to be filled */
};

/* What is known of a frame. */
struct ring_frame {
    const void *data;
    uint32_t len, snaplen;      /* on the wire; bytes at data that are wanted */
    uint32_t status;            /* TP_STATUS_* beside TP_STATUS_USER */
    uint32_t link_header;       /* bytes at data that are one */
    uint64_t wall;              /* ns since 1970 */
    struct sockaddr_ll address; /* whose */
};

/* A ring of that geometry, reserve bytes free before each packet. 0, -EINVAL, -ENOMEM. Process context. */
int packet_ring_create(const struct tpacket_req *req, uint32_t reserve, struct packet_ring *ring);
/* Is the next frame the kernel's? Any context, and so the next two. */
bool packet_ring_has_room(const struct packet_ring *ring);
/* Fill the next frame, which must be the kernel's; what does not fit is cut. */
void packet_ring_fill(struct packet_ring *ring, const struct ring_frame *f);
/* Is the frame that was filled last still the program's? */
bool packet_ring_readable(const struct packet_ring *ring);
