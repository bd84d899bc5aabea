/* sim/wire_queue.h - the queue in front of a link: frames that wait until the line is free, and which of them
 * are dropped. Models of what routers do; not the queue of a kernel's device, which stands before it. */
#pragma once
#include "net/port.h"

enum wire_discipline {
    WIRE_DROP_TAIL, /* what does not fit is dropped */
    WIRE_RED,       /* Floyd and Jacobson, 1993: drops by chance as the average length grows */
    WIRE_CODEL      /* RFC 8289: drops while frames stay longer than target for an interval */
};
struct wire_queue_config {
    enum wire_discipline discipline;
    uint32_t limit;            /* frames; 0: no queue, the sender's card waits instead */
    uint32_t red_min, red_max; /* frames of average length; 0: limit / 4 and limit * 3 / 4 */
    uint32_t red_chance;       /* in a million, at red_max; 0: 100,000 */
    uint64_t codel_target;     /* ns; 0: 5 ms (RFC 8289 4.3) */
    uint64_t codel_interval;   /* ns; 0: 100 ms (RFC 8289 4.2) */
    uint32_t mark_above;       /* an IPv4 packet that finds more frames is marked, if it may be; 0: none is */
};

struct queued_frame {
    struct list_head link;
    uint64_t since; /* when it came */
    size_t n;
    uint8_t bytes[];
};

struct wire_queue {
    struct list_head frames; /* the oldest first */
    uint32_t length;
    uint64_t drops;

    double red_average;
    uint32_t red_since_drop; /* frames since the last that was dropped by chance */
    uint64_t red_idle_since;

    bool codel_dropping;
    uint64_t codel_first_above, codel_next_drop; /* 0: not above target */
    uint32_t codel_count, codel_last_count;
};

void wire_queue_init(struct wire_queue *q);
/* Put a copy of the frame behind the others, or drop it. */
void wire_queue_put(struct wire_queue *q, const struct wire_queue_config *c, const uint8_t *frame, size_t n);
/* The next frame to send, which the caller frees, or NULL: none is left. */
struct queued_frame *wire_queue_take(struct wire_queue *q, const struct wire_queue_config *c);
/* Free all that waits. */
void wire_queue_purge(struct wire_queue *q);
