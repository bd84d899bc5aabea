/* dev/virtio-net/virtq_test.c - a queue with the test as its device. */
#include "dev/virtio-net/virtq.h"
#include "sim/dev_host.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <stdlib.h>
#include <string.h>

enum { SIZE = 8 };

static const struct host_device_ops heap_ops = { .dma_alloc = host_heap_alloc, .dma_free = host_heap_free };

struct rig {
    struct host_device host;
    struct virtq q;
    uint16_t seen; /* avail entries the device has consumed */
    uint16_t pending[SIZE], n_pending;
};

static void rig_init(struct rig *r, bool event_idx)
{
    *r = (struct rig){ 0 };
    host_device_init(&r->host, &heap_ops, "rig", 0x1af4, 0x1041);
    CHECK_EQ(virtq_init(&r->q, &r->host.device, 0, SIZE, event_idx), 0);
}

static void *cookie(unsigned i)
{
    return (void *)(uintptr_t)(i + 1);
}

static bool add(struct rig *r, unsigned pieces, unsigned i)
{
    struct virtq_seg segs[2] = { { 0x1000 + i, 10 }, { 0x2000 + i, 20 } };
    return virtq_add(&r->q, segs, pieces, 0, cookie(i));
}

/* The device takes the next chain it was offered. */
static uint16_t device_consume(struct rig *r)
{
    CHECK(r->seen != r->q.avail->idx);
    return r->q.avail->ring[r->seen++ % SIZE];
}

/* The device is done with the chain that begins at head. */
static void device_return(struct rig *r, uint32_t head, uint32_t len)
{
    r->q.used->ring[r->q.used->idx % SIZE] = (struct virtq_used_elem){ head, len };
    r->q.used->idx++;
}

static void device_set_avail_event(struct rig *r, uint16_t event)
{
    memcpy(&r->q.used->ring[SIZE], &event, sizeof event);
}

TEST(virtq_chains_come_back_in_any_order_and_indices_wrap) /* virtio 1.2 2.7 */
{
    struct rig r;
    unsigned next = 0, outstanding = 0;
    bool out[100000 + SIZE] = { false };

    rig_init(&r, true);
    while (next < 100000) {
        while (add(&r, 1 + next % 2, next)) {
            out[next++] = true;
            outstanding++;
        }
        while (r.seen != r.q.avail->idx)
            r.pending[r.n_pending++] = device_consume(&r);
        unsigned pick = (unsigned)(sim_random() % r.n_pending);
        device_return(&r, r.pending[pick], pick);
        r.pending[pick] = r.pending[--r.n_pending];
        uint32_t len;
        uintptr_t c = (uintptr_t)virtq_take(&r.q, &len);
        CHECK(c && out[c - 1] && len == pick);
        out[c - 1] = false;
        CHECK(!virtq_take(&r.q, &len));
        outstanding--;
        CHECK_EQ(virtq_in_flight(&r.q), outstanding);
    }
    while (virtq_take_unused(&r.q))
        outstanding--;
    CHECK_EQ(outstanding, 0);
    CHECK_EQ(r.q.n_free, SIZE);
    virtq_free(&r.q);
}

TEST(virtq_a_device_that_lies_is_not_believed)
{
    struct rig r;
    uint32_t len;

    rig_init(&r, false);
    for (unsigned i = 0; i < SIZE; i++)
        CHECK(add(&r, 1, i));
    CHECK(!add(&r, 1, SIZE));
    device_return(&r, 0xffffffff, 1); /* no such chain */
    device_return(&r, SIZE, 1);
    device_return(&r, 3, 1);
    device_return(&r, 3, 1); /* a second time */
    CHECK(virtq_take(&r.q, &len) == cookie(3));
    CHECK(!virtq_take(&r.q, &len));
    r.q.used->idx = (uint16_t)(r.q.used->idx + 1000); /* more than were ever offered */
    for (unsigned i = 0; i < 2 * SIZE; i++)
        virtq_take(&r.q, &len);
    while (virtq_take_unused(&r.q))
        ;
    CHECK_EQ(r.q.n_free, SIZE);
    virtq_free(&r.q);
}

TEST(virtq_kicks_only_when_the_device_wants_to_know) /* virtio 1.2 2.7.10 */
{
    struct rig r;

    rig_init(&r, true);
    device_set_avail_event(&r, 2); /* tell me when entry 2 is there */
    add(&r, 1, 0);
    CHECK(!virtq_kick_prepare(&r.q));
    add(&r, 1, 1);
    CHECK(!virtq_kick_prepare(&r.q));
    add(&r, 1, 2);
    add(&r, 1, 3);
    CHECK(virtq_kick_prepare(&r.q));
    CHECK(!virtq_kick_prepare(&r.q)); /* nothing new */
    while (virtq_take_unused(&r.q))
        ;
    virtq_free(&r.q);

    rig_init(&r, false);
    add(&r, 1, 0);
    CHECK(virtq_kick_prepare(&r.q));
    r.q.used->flags = VIRTQ_USED_NO_NOTIFY;
    add(&r, 1, 1);
    CHECK(!virtq_kick_prepare(&r.q));
    while (virtq_take_unused(&r.q))
        ;
    virtq_free(&r.q);
}

TEST(virtq_listening_says_what_slipped_in) /* virtio 1.2 2.7.10 */
{
    struct rig r;
    uint32_t len;

    rig_init(&r, true);
    for (unsigned i = 0; i < 4; i++)
        add(&r, 1, i);
    CHECK(!virtq_listen(&r.q, 1));
    CHECK_EQ(r.q.avail->ring[SIZE], 0); /* used_event: entry 0 */
    device_return(&r, 0, 0);
    CHECK(virtq_listen(&r.q, 1));
    CHECK(!virtq_listen(&r.q, 4)); /* three are still out */
    CHECK_EQ(r.q.avail->ring[SIZE], 3);
    CHECK(virtq_take(&r.q, &len));
    CHECK(!virtq_listen(&r.q, 1));
    virtq_quiet(&r.q);
    CHECK_EQ(r.q.avail->ring[SIZE], 0); /* behind: 65,535 entries to go */
    while (virtq_take_unused(&r.q))
        ;
    virtq_free(&r.q);
}
