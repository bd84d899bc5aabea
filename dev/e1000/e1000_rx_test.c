/* dev/e1000/e1000_rx_test.c - the receive ring against the register model. */
#include "dev/e1000/model_bench_test.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

TEST(e1000_frames_of_every_length_arrive)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint8_t frame[E1000_FRAME_MAX];

    for (uint32_t len = ETH_HLEN; len <= E1000_FRAME_MAX; len++) {
        bench_fill(frame, b.dev->dev_addr, b.rx_next, len);
        e1000_model_receive(m, frame, len);
        bench_settle(&b);
        CHECK_EQ(b.rx_len, MAX(len, (uint32_t)ETH_FRAME_MIN));
        CHECK(!memcmp(b.rx_frame, frame, len));
    }
    CHECK_EQ(b.received, E1000_FRAME_MAX - ETH_HLEN + 1);
    model_teardown(&b, m);
}

TEST(e1000_the_receive_ring_wraps_many_times)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint64_t n = 0;

    for (unsigned burst = 1; burst < 200; burst++) {
        for (unsigned i = 0; i < burst % MODEL_FIFO + 1; i++, n++)
            bench_inject(&b, n, BENCH_FRAME_MIN + (uint32_t)(n * 37 % 1400));
        bench_settle(&b);
        CHECK_EQ(b.received, n);
    }
    CHECK(n > 10 * E1000_RX_RING);
    model_teardown(&b, m);
}

TEST(e1000_a_poll_masks_and_writes_the_tail_once)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint64_t tails = m->tail_writes_rx, interrupts = m->interrupts;

    m->rx_delay = us(10);
    for (unsigned i = 0; i < 30; i++)
        bench_inject(&b, i, 64);
    bench_settle(&b);
    CHECK_EQ(b.received, 30);
    CHECK_EQ(m->tail_writes_rx - tails, 1);
    CHECK_EQ(m->interrupts - interrupts, 1);
    model_teardown(&b, m);
}

TEST(e1000_without_memory_frames_are_counted_and_the_ring_stays_full)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    sim_fail_allocs(1000000);
    for (unsigned i = 0; i < 3 * E1000_RX_RING; i++) {
        bench_inject(&b, i, 300);
        bench_settle(&b);
    }
    sim_fail_allocs(0);
    CHECK_EQ(b.received, 0);
    CHECK_EQ(model_stats(&b).rx_dropped, 3 * E1000_RX_RING);
    CHECK_EQ(b.net->live_skbs, E1000_RX_RING);
    bench_inject(&b, 0, 300);
    bench_settle(&b);
    CHECK_EQ(b.received, 1);
    model_teardown(&b, m);
}

TEST(e1000_a_frame_over_several_buffers_is_one_error)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    m->long_frames = true;
    bench_inject(&b, 0, 5000); /* three buffers, EOP on the third */
    bench_inject(&b, 0, 400);
    bench_inject(&b, 0, 2049);
    bench_inject(&b, 1, 1514);
    bench_settle(&b);
    CHECK_EQ(b.received, 2);
    CHECK_EQ(model_stats(&b).rx_errors, 2);
    model_teardown(&b, m);
}

static void damage_length(struct e1000_model *m, struct e1000_rx_desc *d)
{
    (void)m;
    d->length = 0xffff;
}
static void damage_error(struct e1000_model *m, struct e1000_rx_desc *d)
{
    (void)m;
    d->errors = RXD_CE;
}
static void damage_anything(struct e1000_model *m, struct e1000_rx_desc *d)
{
    (void)m;
    d->length = (uint16_t)sim_random();
    d->errors = sim_chance(500000) ? 0 : (uint8_t)sim_random();
    d->status = (uint8_t)sim_random();
    d->addr = sim_random();
}

TEST(e1000_a_length_beyond_the_buffer_or_an_error_is_refused)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    m->rx_damage = damage_length;
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    m->rx_damage = damage_error;
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    m->rx_damage = NULL;
    CHECK_EQ(b.received, 0);
    CHECK_EQ(model_stats(&b).rx_errors, 2);
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    CHECK_EQ(b.received, 1);
    model_teardown(&b, m);
}

TEST(e1000_garbage_in_descriptors_never_hurts)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    struct e1000 *e = netdev_priv(b.dev);

    m->rx_damage = damage_anything;
    for (unsigned i = 0; i < 10000; i++) {
        bench_inject(&b, i, 22 + i % 1400);
        if (i % 16 == 0) { /* and DD where the card was never told to write */
            e->rx.desc[sim_random() % E1000_RX_RING].status = (uint8_t)sim_random();
            e->tx.desc[sim_random() % E1000_TX_RING].status = (uint8_t)sim_random();
            e1000_model_raise(m, (uint32_t)sim_random());
        }
        sim_run_for(us(10));
        for (unsigned k = 0; k < E1000_RX_RING; k++) /* the model refuses a slot that it has written before */
            if (k != e->rx.next)
                e->rx.desc[k].status = 0;
    }
    CHECK_EQ(bench_loose_skbs(&b), 0);
    dev_close(b.dev);
    b.rx_wrong = 0;
    model_teardown(&b, m);
}

TEST(e1000_what_the_card_missed_is_counted) /* SDM 13.7: MPC is cleared by reading */
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    m->rx_delay = ms(1); /* no DMA meanwhile: the FIFO overruns */
    for (unsigned i = 0; i < MODEL_FIFO + 7; i++)
        bench_inject(&b, i, 100);
    bench_settle(&b);
    CHECK_EQ(b.received, MODEL_FIFO);
    CHECK_EQ(model_stats(&b).rx_no_buffer, 7);
    CHECK_EQ(model_stats(&b).rx_no_buffer, 7);
    model_teardown(&b, m);
}

TEST(e1000_frames_for_others_come_in_promiscuous_mode_only)
{
    static const uint8_t other[6] = { 0x02, 9, 9, 9, 9, 9 };
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint8_t frame[100];
    uint64_t writes = m->rctl_writes;

    bench_fill(frame, other, 0, sizeof frame);
    for (unsigned i = 0; i < 3; i++) { /* off, on, on again */
        e1000_model_receive(m, frame, sizeof frame);
        bench_settle(&b);
        b.dev->flags |= NETDEV_PROMISC;
        b.dev->ops->ndo_set_rx_mode(b.dev);
    }
    CHECK_EQ(m->frames_delivered, 2);
    CHECK_EQ(b.net->drops[SKB_DROP_ETH_OTHER_HOST], 2);
    CHECK_EQ(m->rctl_writes - writes, 1);
    model_teardown(&b, m);
}

TEST(e1000_lets_in_the_groups_that_are_asked_for_without_a_write_of_rctl) /* SDM 13.5.1 */
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint64_t writes = m->rctl_writes;
    static const uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 3 };

    CHECK_EQ(dev_group_add(b.dev, group), 0);
    CHECK_EQ(m->rctl_writes, writes);
    dev_group_del(b.dev, group);
    bench_exchange_groups(&b);
    model_teardown(&b, m);
}
