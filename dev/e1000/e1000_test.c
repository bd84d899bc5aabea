/* dev/e1000/e1000_test.c - the driver against the register model: what QEMU's card cannot be made to do too.
 */
#include "dev/e1000/e1000.h"
#include "sim/dev_bench.h"
#include "sim/dev_model_e1000.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

/* ---- the bench with a model below ---- */

static void model_inject(struct dev_bench *b, const uint8_t *frame, uint32_t len)
{
    e1000_model_receive(b->card_arg, frame, len);
}

static void model_settle(struct dev_bench *b)
{
    (void)b;
    sim_run_for(ms(2));
}

static const struct bench_card model_card = { model_inject, model_settle };

static void model_sent(struct e1000_model *m, const uint8_t *frame, uint32_t len)
{
    bench_saw(m->arg, frame, len);
}

static struct e1000_model *setup(struct dev_bench *b)
{
    struct e1000_model *m = e1000_model_create();

    m->sent = model_sent;
    m->arg = b;
    bench_init(b, &m->host.device, &model_card, m);
    return m;
}

static struct e1000_model *setup_open(struct dev_bench *b)
{
    struct e1000_model *m = setup(b);

    bench_open(b);
    return m;
}

static void teardown(struct dev_bench *b, struct e1000_model *m)
{
    sim_run_idle();
    CHECK_EQ(b->rx_wrong, 0);
    CHECK_EQ(b->tx_wrong, 0);
    CHECK_EQ(bench_loose_skbs(b), 0);
    bench_fini(b);
    e1000_model_destroy(m);
}

static struct net_device_stats stats_of(struct dev_bench *b)
{
    struct net_device_stats stats;

    dev_get_stats(b->dev, &stats);
    return stats;
}

/* ---- coming and going ---- */

TEST(e1000_probe_reads_the_address_and_leaves_the_card_quiet) /* SDM 5.6.1 */
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    struct dev_bench b;
    struct e1000_model *m = setup(&b);

    CHECK(!memcmp(b.dev->dev_addr, mac, 6));
    CHECK(!strcmp(b.dev->name, "eth0"));
    CHECK_EQ(m->mask, 0);
    CHECK_EQ(m->live_dma, 0);
    CHECK(!m->host.irqs[0].handler);
    teardown(&b, m);
}

/* Probe a card that has something wrong. */
static int probe_bad(void (*spoil)(struct e1000_model *m))
{
    struct e1000_model *m = e1000_model_create();
    struct net *net = net_create("bad card");

    spoil(m);
    m->host.device.net = net;
    int err = e1000_driver.probe(&m->host.device);
    net_destroy(net);
    e1000_model_destroy(m);
    return err;
}

static void spoil_eeprom(struct e1000_model *m)
{
    m->eeprom_dead = true;
}
static void spoil_sum(struct e1000_model *m)
{
    m->eeprom[7] ^= 1;
}
static void spoil_mac(struct e1000_model *m)
{
    m->eeprom[0] |= 1; /* a group address; the sum is kept */
    m->eeprom[7]--;
}
static void spoil_reset(struct e1000_model *m)
{
    m->reset_hangs = true;
}

TEST(e1000_probe_refuses_a_card_that_is_broken)
{
    CHECK_EQ(probe_bad(spoil_eeprom), -EIO);
    CHECK_EQ(probe_bad(spoil_sum), -EINVAL);
    CHECK_EQ(probe_bad(spoil_mac), -EINVAL);
    CHECK_EQ(probe_bad(spoil_reset), -EIO);
}

TEST(e1000_open_undoes_itself_wherever_memory_ends)
{
    struct dev_bench b;
    struct e1000_model *m = setup(&b);
    unsigned n = 1, failures = 0;

    for (;; n++, failures++) {
        sim_fail_nth_alloc(n);
        int err = dev_open(b.dev);
        sim_fail_nth_alloc(0);
        if (!err)
            break;
        CHECK_EQ(err, -ENOMEM);
        CHECK_EQ(b.net->live_skbs, 0);
        CHECK_EQ(m->live_dma, 0);
        CHECK(!m->host.irqs[0].handler);
    }
    CHECK(failures > E1000_RX_RING);
    teardown(&b, m);
}

TEST(e1000_open_and_close_many_times_leave_nothing)
{
    struct dev_bench b;
    struct e1000_model *m = setup(&b);

    for (unsigned i = 0; i < 20; i++) {
        bench_open(&b);
        CHECK_EQ(b.net->ring_skbs, E1000_RX_RING);
        bench_inject(&b, i, 100);
        bench_settle(&b);
        CHECK_EQ(b.received, i + 1);
        dev_close(b.dev);
        CHECK_EQ(b.net->live_skbs, 0);
        CHECK_EQ(m->live_dma, 0);
        CHECK_EQ(m->mask, 0);
    }
    teardown(&b, m);
}

TEST(e1000_closing_drops_what_was_not_sent)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    m->tx_delay = ms(1);
    for (unsigned i = 0; i < 40; i++)
        bench_send(&b, 200);
    CHECK_EQ(bench_loose_skbs(&b), 40);
    dev_close(b.dev);
    CHECK_EQ(b.net->live_skbs, 0);
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_DOWN], 40);
    bench_settle(&b); /* what the card had begun does not come back */
    CHECK_EQ(b.sent, 0);
    teardown(&b, m);
}

TEST(e1000_a_phy_that_sleeps_is_woken) /* SDM 13.8 */
{
    struct dev_bench b;
    struct e1000_model *m = setup(&b);

    m->phy_ctrl = PHY_CTRL_POWER_DOWN;
    bench_open(&b);
    CHECK_EQ(m->phy_ctrl, PHY_CTRL_AUTONEG);
    CHECK(b.dev->carrier);
    teardown(&b, m);
}

/* ---- receive ---- */

TEST(e1000_frames_of_every_length_arrive)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
    uint8_t frame[E1000_FRAME_MAX];

    for (uint32_t len = ETH_HLEN; len <= E1000_FRAME_MAX; len++) {
        bench_fill(frame, b.dev->dev_addr, b.rx_next, len);
        e1000_model_receive(m, frame, len);
        bench_settle(&b);
        CHECK_EQ(b.rx_len, MAX(len, (uint32_t)ETH_FRAME_MIN));
        CHECK(!memcmp(b.rx_frame, frame, len));
    }
    CHECK_EQ(b.received, E1000_FRAME_MAX - ETH_HLEN + 1);
    teardown(&b, m);
}

TEST(e1000_the_receive_ring_wraps_many_times)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
    uint64_t n = 0;

    for (unsigned burst = 1; burst < 200; burst++) {
        for (unsigned i = 0; i < burst % MODEL_FIFO + 1; i++, n++)
            bench_inject(&b, n, BENCH_FRAME_MIN + (uint32_t)(n * 37 % 1400));
        bench_settle(&b);
        CHECK_EQ(b.received, n);
    }
    CHECK(n > 10 * E1000_RX_RING);
    teardown(&b, m);
}

TEST(e1000_a_poll_masks_and_writes_the_tail_once)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
    uint64_t tails = m->tail_writes_rx, interrupts = m->interrupts;

    m->rx_delay = us(10);
    for (unsigned i = 0; i < 30; i++)
        bench_inject(&b, i, 64);
    bench_settle(&b);
    CHECK_EQ(b.received, 30);
    CHECK_EQ(m->tail_writes_rx - tails, 1);
    CHECK_EQ(m->interrupts - interrupts, 1);
    teardown(&b, m);
}

TEST(e1000_without_memory_frames_are_counted_and_the_ring_stays_full)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    sim_fail_allocs(1000000);
    for (unsigned i = 0; i < 3 * E1000_RX_RING; i++) {
        bench_inject(&b, i, 300);
        bench_settle(&b);
    }
    sim_fail_allocs(0);
    CHECK_EQ(b.received, 0);
    CHECK_EQ(stats_of(&b).rx_dropped, 3 * E1000_RX_RING);
    CHECK_EQ(b.net->live_skbs, E1000_RX_RING);
    bench_inject(&b, 0, 300);
    bench_settle(&b);
    CHECK_EQ(b.received, 1);
    teardown(&b, m);
}

TEST(e1000_a_frame_over_several_buffers_is_one_error)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    m->long_frames = true;
    bench_inject(&b, 0, 5000); /* three buffers, EOP on the third */
    bench_inject(&b, 0, 400);
    bench_inject(&b, 0, 2049);
    bench_inject(&b, 1, 1514);
    bench_settle(&b);
    CHECK_EQ(b.received, 2);
    CHECK_EQ(stats_of(&b).rx_errors, 2);
    teardown(&b, m);
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
    struct e1000_model *m = setup_open(&b);

    m->rx_damage = damage_length;
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    m->rx_damage = damage_error;
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    m->rx_damage = NULL;
    CHECK_EQ(b.received, 0);
    CHECK_EQ(stats_of(&b).rx_errors, 2);
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    CHECK_EQ(b.received, 1);
    teardown(&b, m);
}

TEST(e1000_garbage_in_descriptors_never_hurts)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
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
    teardown(&b, m);
}

TEST(e1000_what_the_card_missed_is_counted) /* SDM 13.7: MPC is cleared by reading */
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    m->rx_delay = ms(1); /* no DMA meanwhile: the FIFO overruns */
    for (unsigned i = 0; i < MODEL_FIFO + 7; i++)
        bench_inject(&b, i, 100);
    bench_settle(&b);
    CHECK_EQ(b.received, MODEL_FIFO);
    CHECK_EQ(stats_of(&b).rx_no_buffer, 7);
    CHECK_EQ(stats_of(&b).rx_no_buffer, 7);
    teardown(&b, m);
}

TEST(e1000_frames_for_others_come_in_promiscuous_mode_only)
{
    static const uint8_t other[6] = { 0x02, 9, 9, 9, 9, 9 };
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
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
    teardown(&b, m);
}

/* ---- transmit ---- */

TEST(e1000_frames_of_every_length_are_sent)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    for (uint32_t len = ETH_HLEN; len <= E1000_FRAME_MAX; len++) {
        CHECK_EQ(bench_send(&b, len), 0);
        bench_settle(&b);
        CHECK_EQ(b.sent, b.sends);
        CHECK_EQ(b.tx_len, MAX(len, (uint32_t)ETH_FRAME_MIN));
        CHECK_EQ(bench_loose_skbs(&b), 0);
    }
    CHECK_EQ(stats_of(&b).tx_packets, b.sent);
    teardown(&b, m);
}

TEST(e1000_what_no_frame_can_be_is_dropped_and_counted)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    bench_send(&b, ETH_HLEN - 1);
    bench_send(&b, E1000_FRAME_MAX + 1);
    bench_settle(&b);
    CHECK_EQ(b.sent, 0);
    CHECK_EQ(stats_of(&b).tx_errors, 2);
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_TX_ERROR], 2);
    teardown(&b, m);
}

TEST(e1000_a_card_that_sends_at_once_never_interrupts_for_it)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    for (unsigned i = 0; i < 1000; i++)
        bench_send(&b, 60);
    CHECK_EQ(bench_loose_skbs(&b), 0);
    CHECK_EQ(m->interrupts, 0);
    bench_settle(&b);
    CHECK_EQ(b.sent, 1000);
    teardown(&b, m);
}

TEST(e1000_a_full_ring_stops_the_queue_and_wakes_it)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    uint64_t tails = m->tail_writes_rx;
    m->tx_delay = us(20);
    for (unsigned i = 0; i < 4 * E1000_TX_RING; i++)
        CHECK_EQ(bench_send(&b, 60 + i % 1000), 0);
    CHECK(netif_queue_stopped(b.dev));
    for (unsigned i = 0; i < 40 && b.sent < b.sends; i++)
        bench_settle(&b);
    CHECK_EQ(b.sent, 4 * E1000_TX_RING);
    CHECK(!netif_queue_stopped(b.dev));
    CHECK(m->interrupts > 0);
    CHECK_EQ(m->tail_writes_rx, tails); /* polls that received nothing */
    teardown(&b, m);
}

/* Whether the bytes from start on, checksum included, sum up (the pseudo-header's part was 0). */
static void sum_sent(struct e1000_model *m, const uint8_t *frame, uint32_t len)
{
    struct dev_bench *b = m->arg;
    uint32_t start = b->sent & 1 ? 34 : 54;

    b->tx_wrong += csum_fold_sum(csum_partial(frame + start, len - start, 0)) != 0xffff;
    b->sent++;
}

TEST(e1000_a_full_ring_has_room_for_context_descriptors)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    m->tx_delay = us(1);
    m->sent = sum_sent;
    for (unsigned i = 0; i < 900; i++) { /* each needs a context, for the last one had another */
        struct sk_buff *skb = alloc_skb_headroom(b.net, SKB_TX_HEADROOM, 100 + i);
        bench_fill(skb_put(skb, 100 + i), b.dev->dev_addr, i, 100 + i);
        skb->dev = b.dev;
        skb->ip_summed = CHECKSUM_PARTIAL;
        skb->csum_start = (uint16_t)(skb_headroom(skb) + (i & 1 ? 34 : 54));
        skb->csum_offset = 6;
        memset(skb->data + (i & 1 ? 34 : 54) + 6, 0, 2);
        CHECK_EQ(dev_queue_xmit(skb), 0);
    }
    CHECK(netif_queue_stopped(b.dev));
    sim_run_for(ms(10));
    CHECK_EQ(b.sent, 900);
    CHECK_EQ(m->contexts, 900);
    teardown(&b, m);
}

/* Send a frame whose checksum from start on the card shall store offset bytes further; whether it did. */
static bool checksum_right(struct dev_bench *b, uint32_t len, uint16_t start, uint16_t offset)
{
    static const uint8_t peer[6] = { 0x02, 0, 0, 0, 0, 2 };
    uint16_t pseudo = (uint16_t)sim_random();
    struct sk_buff *skb = alloc_skb_headroom(b->net, SKB_TX_HEADROOM, len);
    uint8_t *frame = skb_put(skb, len);

    bench_fill(frame, peer, b->sends, len);
    memcpy(frame + start + offset, &pseudo, 2);
    skb->dev = b->dev;
    skb->ip_summed = CHECKSUM_PARTIAL;
    skb->csum_start = (uint16_t)(skb_headroom(skb) + start);
    skb->csum_offset = offset;
    uint8_t expected[BENCH_FRAME_MAX];
    memcpy(expected, frame, len);
    be16 sum = csum_fold(csum_partial(expected + start, len - start, 0));
    memcpy(expected + start + offset, &sum, 2);

    uint64_t sent = b->sent;
    dev_queue_xmit(skb);
    bench_settle(b);
    b->tx_wrong = 0; /* the number's frame has other bytes now */
    return b->sent == sent + 1 && !memcmp(b->tx_frame, expected, len);
}

TEST(e1000_the_card_fills_checksums) /* SDM 3.5.8 */
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    for (uint32_t len = 64; len < E1000_FRAME_MAX; len += 7) {
        CHECK(checksum_right(&b, len, 34, 6));  /* UDP */
        CHECK(checksum_right(&b, len, 34, 16)); /* TCP */
    }
    CHECK(checksum_right(&b, 300, 74, 16)); /* TCP behind all of IPv4's options */
    teardown(&b, m);
}

TEST(e1000_a_context_is_sent_when_it_changes_only) /* SDM 3.3.5 */
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    for (unsigned i = 0; i < 10; i++)
        CHECK(checksum_right(&b, 100 + i, 34, 16));
    CHECK_EQ(m->contexts, 1);
    CHECK(checksum_right(&b, 100, 34, 6));
    CHECK_EQ(m->contexts, 2);
    dev_close(b.dev); /* and the card forgets it */
    bench_open(&b);
    CHECK(checksum_right(&b, 100, 34, 6));
    CHECK_EQ(m->contexts, 3);
    teardown(&b, m);
}

TEST(e1000_a_checksum_that_eight_bits_cannot_reach_is_dropped)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    CHECK(!checksum_right(&b, 600, 250, 16));
    CHECK(!checksum_right(&b, 100, 34, 65)); /* the field ends behind the frame */
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_TX_ERROR], 2);
    teardown(&b, m);
}

TEST(e1000_a_transmitter_that_hangs_is_started_again)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    m->tx_hangs = true;
    for (unsigned i = 0; i < E1000_TX_RING + 100; i++)
        bench_send(&b, 100);
    CHECK(netif_queue_stopped(b.dev));
    m->tx_hangs = false;
    sim_run_for(sec(6));
    CHECK(!netif_queue_stopped(b.dev));
    CHECK_EQ(bench_loose_skbs(&b), 0);
    CHECK(stats_of(&b).tx_errors == 1);
    CHECK_EQ(b.sent + b.net->drops[SKB_DROP_DEV_DOWN], b.sends);
    CHECK(b.sent > 0);
    b.tx_wrong = 0; /* numbers are missing */
    teardown(&b, m);
}

/* ---- interrupts and link ---- */

TEST(e1000_an_interrupt_of_another_device_is_left_alone)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
    uint64_t polls = b.dev->stats.polls;

    CHECK(!host_device_interrupt(&m->host, 0));
    bench_settle(&b);
    CHECK_EQ(b.dev->stats.polls, polls);
    teardown(&b, m);
}

TEST(e1000_interrupts_stay_off_until_the_poll_is_done)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    e1000_model_raise(m, INT_RXT0); /* the top half has run, the softirq has not */
    CHECK_EQ(m->mask, 0);
    CHECK_EQ(m->interrupts, 1);
    for (unsigned i = 0; i < 1000; i++)
        e1000_model_raise(m, INT_RXT0);
    CHECK_EQ(m->interrupts, 1);
    bench_settle(&b); /* listening again brings the one that was latched */
    CHECK_EQ(m->interrupts, 2);
    CHECK(m->mask & INT_RXT0);
    teardown(&b, m);
}

TEST(e1000_more_frames_than_a_budget_are_polled_on_without_interrupts)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);
    uint64_t n = 0;

    while (n < 3 * NAPI_WEIGHT) /* DMA goes on while the poll is only scheduled */
        bench_inject(&b, n++, 64);
    CHECK_EQ(m->interrupts, 1);
    bench_settle(&b);
    CHECK_EQ(b.received, n);
    CHECK(m->interrupts <= 2);
    CHECK(b.dev->stats.polls >= 3);
    teardown(&b, m);
}

TEST(e1000_the_carrier_follows_the_link)
{
    struct dev_bench b;
    struct e1000_model *m = setup_open(&b);

    CHECK(b.dev->carrier);
    for (unsigned i = 0; i < 5; i++) {
        e1000_model_set_link(m, false);
        bench_settle(&b);
        CHECK(!b.dev->carrier);
        e1000_model_set_link(m, true);
        bench_settle(&b);
        CHECK(b.dev->carrier);
    }
    bench_inject(&b, 0, 100);
    bench_settle(&b);
    CHECK_EQ(b.received, 1);
    teardown(&b, m);
}
