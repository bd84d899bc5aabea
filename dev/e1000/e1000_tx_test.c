/* dev/e1000/e1000_tx_test.c - the transmit ring against the register model. */
#include "dev/e1000/model_bench_test.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

TEST(e1000_frames_of_every_length_are_sent)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    for (uint32_t len = ETH_HLEN; len <= E1000_FRAME_MAX; len++) {
        CHECK_EQ(bench_send(&b, len), 0);
        bench_settle(&b);
        CHECK_EQ(b.sent, b.sends);
        CHECK_EQ(b.tx_len, MAX(len, (uint32_t)ETH_FRAME_MIN));
        CHECK_EQ(bench_loose_skbs(&b), 0);
    }
    CHECK_EQ(model_stats(&b).tx_packets, b.sent);
    model_teardown(&b, m);
}

TEST(e1000_what_no_frame_can_be_is_dropped_and_counted)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    bench_send(&b, ETH_HLEN - 1);
    bench_send(&b, E1000_FRAME_MAX + 1);
    bench_settle(&b);
    CHECK_EQ(b.sent, 0);
    CHECK_EQ(model_stats(&b).tx_errors, 2);
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_TX_ERROR], 2);
    model_teardown(&b, m);
}

TEST(e1000_fragments_are_gathered) /* SDM 3.3.6 */
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    CHECK(b.dev->features & NETIF_F_SG);
    bench_send_all_pieces(&b, E1000_FRAME_MAX, 1);
    m->tx_delay = us(1);
    bench_send_all_pieces(&b, E1000_FRAME_MAX, 200); /* the ring fills, stops and wakes */
    CHECK(!netif_queue_stopped(b.dev));
    model_teardown(&b, m);
}

TEST(e1000_a_card_that_sends_at_once_never_interrupts_for_it)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    for (unsigned i = 0; i < 1000; i++)
        bench_send(&b, 60);
    CHECK_EQ(bench_loose_skbs(&b), 0);
    CHECK_EQ(m->interrupts, 0);
    bench_settle(&b);
    CHECK_EQ(b.sent, 1000);
    model_teardown(&b, m);
}

TEST(e1000_a_full_ring_stops_the_queue_and_wakes_it)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

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
    model_teardown(&b, m);
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
    struct e1000_model *m = model_setup_open(&b);

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
    model_teardown(&b, m);
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
    struct e1000_model *m = model_setup_open(&b);

    for (uint32_t len = 64; len < E1000_FRAME_MAX; len += 7) {
        CHECK(checksum_right(&b, len, 34, 6));  /* UDP */
        CHECK(checksum_right(&b, len, 34, 16)); /* TCP */
    }
    CHECK(checksum_right(&b, 300, 74, 16)); /* TCP behind all of IPv4's options */
    model_teardown(&b, m);
}

TEST(e1000_a_context_is_sent_when_it_changes_only) /* SDM 3.3.5 */
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    for (unsigned i = 0; i < 10; i++)
        CHECK(checksum_right(&b, 100 + i, 34, 16));
    CHECK_EQ(m->contexts, 1);
    CHECK(checksum_right(&b, 100, 34, 6));
    CHECK_EQ(m->contexts, 2);
    dev_close(b.dev); /* and the card forgets it */
    bench_open(&b);
    CHECK(checksum_right(&b, 100, 34, 6));
    CHECK_EQ(m->contexts, 3);
    model_teardown(&b, m);
}

TEST(e1000_a_checksum_that_eight_bits_cannot_reach_is_dropped)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    CHECK(!checksum_right(&b, 600, 250, 16));
    CHECK(!checksum_right(&b, 100, 34, 65)); /* the field ends behind the frame */
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_TX_ERROR], 2);
    model_teardown(&b, m);
}

TEST(e1000_a_transmitter_that_hangs_is_started_again)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    m->tx_hangs = true;
    for (unsigned i = 0; i < E1000_TX_RING + 100; i++)
        bench_send(&b, 100);
    CHECK(netif_queue_stopped(b.dev));
    m->tx_hangs = false;
    sim_run_for(sec(6));
    CHECK(!netif_queue_stopped(b.dev));
    CHECK_EQ(bench_loose_skbs(&b), 0);
    CHECK(model_stats(&b).tx_errors == 1);
    CHECK_EQ(b.sent + b.net->drops[SKB_DROP_DEV_DOWN], b.sends);
    CHECK(b.sent > 0);
    b.tx_wrong = 0; /* numbers are missing */
    model_teardown(&b, m);
}
