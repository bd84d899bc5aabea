/* dev/virtio-net/virtio_net_model_test.c - the driver against the model: delays, full rings and overruns,
 * which QEMU's card cannot be made to show. */
#include "sim/dev_bench.h"
#include "sim/dev_model_virtio.h"
#include "sim/sim.h"
#include "sim/test.h"

static void inject(struct dev_bench *b, const uint8_t *frame, uint32_t len)
{
    virtio_model_receive(b->card_arg, frame, len);
}
static void settle(struct dev_bench *b)
{
    (void)b;
    sim_run_for(ms(2));
}
static const struct bench_card card = { inject, settle };

static void sent(struct virtio_model *m, const uint8_t *frame, uint32_t len)
{
    bench_saw(m->arg, frame, len);
}

static struct virtio_model *setup(struct dev_bench *b, bool event_idx)
{
    struct virtio_model *m = virtio_model_create();
    m->sent = sent;
    m->arg = b;
    m->no_event_idx = !event_idx;
    bench_init(b, &m->host.device, &card, m);
    bench_open(b);
    return m;
}

static void teardown(struct dev_bench *b, struct virtio_model *m)
{
    sim_run_idle();
    CHECK_EQ(b->rx_wrong, 0);
    CHECK_EQ(b->tx_wrong, 0);
    CHECK_EQ(bench_loose_skbs(b), 0);
    bench_fini(b);
    virtio_model_destroy(m);
}

TEST(virtio_net_frames_of_every_length_come_and_go)
{
    for (int event_idx = 0; event_idx <= 1; event_idx++) {
        struct dev_bench b;
        struct virtio_model *m = setup(&b, event_idx);
        bench_exchange_lengths(&b, VIRTIO_NET_FRAME_MAX);
        CHECK(m->frames_sent > 0 && m->frames_sent == b.sent);
        teardown(&b, m);
    }
}

TEST(virtio_net_fragments_are_gathered) /* virtio 1.2 2.7.5.1 */
{
    struct dev_bench b;
    struct virtio_model *m = setup(&b, true);

    CHECK(b.dev->features & NETIF_F_SG);
    bench_send_all_pieces(&b, VIRTIO_NET_FRAME_MAX, 1);
    m->tx_delay = us(5);
    bench_send_all_pieces(&b, VIRTIO_NET_FRAME_MAX, 100); /* the ring fills, stops and wakes */
    CHECK(!netif_queue_stopped(b.dev));
    teardown(&b, m);
}

TEST(virtio_net_in_a_short_queue_there_is_no_room_for_fragments)
{
    struct dev_bench b;
    struct virtio_model *m = virtio_model_create();

    m->ring = 16;
    m->sent = sent;
    m->arg = &b;
    bench_init(&b, &m->host.device, &card, m);
    bench_open(&b);
    CHECK(!(b.dev->features & NETIF_F_SG));
    m->tx_delay = us(5);
    bench_send_all_pieces(&b, VIRTIO_NET_FRAME_MAX, 40); /* gathered in software */
    teardown(&b, m);
}

TEST(virtio_net_a_full_ring_stops_the_queue_and_late_completions_wake_it) /* virtio 1.2 2.7.10 */
{
    for (int event_idx = 0; event_idx <= 1; event_idx++) {
        struct dev_bench b;
        struct virtio_model *m = setup(&b, event_idx);
        m->tx_delay = us(20);
        for (unsigned i = 0; i < 4 * VIRTIO_MODEL_RING; i++)
            CHECK_EQ(bench_send(&b, 60 + i % 1000), 0);
        CHECK(netif_queue_stopped(b.dev));
        for (unsigned i = 0; i < 40 && b.sent < b.sends; i++)
            bench_settle(&b);
        CHECK_EQ(b.sent, 4 * VIRTIO_MODEL_RING);
        CHECK(!netif_queue_stopped(b.dev));
        CHECK(m->interrupts > 0 && m->interrupts < b.sent / 4);
        teardown(&b, m);
    }
}

TEST(virtio_net_frames_that_find_no_buffer_overrun_the_card_and_nothing_else)
{
    struct dev_bench b;
    struct virtio_model *m = setup(&b, true);
    unsigned injected = 0;
    m->rx_delay = us(50);
    for (unsigned burst = 0; burst < 20; burst++) {
        for (unsigned i = 0; i < 3 * VIRTIO_MODEL_FIFO; i++, injected++)
            bench_inject(&b, b.rx_next,
                         100); /* a number that is due may be lost: the next burst begins with it */
        b.rx_wrong = 0;
        bench_settle(&b);
    }
    CHECK_EQ(m->frames_delivered, 20 * VIRTIO_MODEL_FIFO);
    CHECK_EQ(m->overruns, injected - m->frames_delivered);
    CHECK_EQ(b.received, m->frames_delivered);
    b.rx_wrong = 0; /* the numbers above repeat */
    m->rx_delay = 0;
    bench_inject(&b, b.rx_next, 100); /* and it goes on */
    bench_settle(&b);
    CHECK_EQ(b.received, m->frames_delivered);
    teardown(&b, m);
}

TEST(virtio_net_what_slips_in_while_the_driver_begins_to_listen_is_not_lost) /* virtio 1.2 2.7.7 */
{
    for (uint64_t delay = 0; delay < us(3); delay += 100) {
        struct dev_bench b;
        struct virtio_model *m = setup(&b, true);
        m->rx_delay = delay;
        for (unsigned i = 0; i < 30; i++) {
            bench_inject(&b, i, 64);
            sim_run_for(delay / 2 + i * 37);
        }
        bench_settle(&b);
        CHECK_EQ(b.received, 30);
        teardown(&b, m);
    }
}

TEST(virtio_net_closing_drops_what_a_hanging_card_never_sent)
{
    struct dev_bench b;
    struct virtio_model *m = setup(&b, true);
    m->tx_hangs = true;
    for (unsigned i = 0; i < 10; i++)
        bench_send(&b, 100);
    bench_settle(&b);
    CHECK_EQ(bench_loose_skbs(&b), 10);
    dev_close(b.dev);
    CHECK_EQ(bench_loose_skbs(&b), 0);
    m->tx_hangs = false;
    CHECK_EQ(dev_open(b.dev), 0);
    b.tx_next = b.sends;
    CHECK_EQ(bench_send(&b, 100), 0);
    bench_settle(&b);
    CHECK_EQ(b.sent, 1);
    teardown(&b, m);
}
