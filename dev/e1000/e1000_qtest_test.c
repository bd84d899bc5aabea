/* dev/e1000/e1000_qtest_test.c - the driver against QEMU's own card; skipped where QEMU is not installed. */
#include "dev/e1000/e1000.h"
#include "sim/dev_qtest.h"
#include "sim/test.h"
#include <string.h>

static struct qtest *setup(struct dev_bench *b, const char *card)
{
    struct qtest *q = qtest_bench_init(b, card, E1000_VENDOR_INTEL, E1000_DEVICE_82540EM);

    bench_open(b);
    return q;
}

TEST(e1000_on_qemu_frames_of_every_length_come_and_go)
{
    struct dev_bench b;
    static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

    qtest_require();
    struct qtest *q = setup(&b, "e1000,mitigation=off");
    CHECK(!memcmp(b.dev->dev_addr, mac, 6));
    CHECK(b.dev->carrier);
    bench_exchange_lengths(&b, E1000_FRAME_MAX);
    qtest_bench_fini(&b, q);
}

TEST(e1000_on_qemu_the_rings_wrap)
{
    struct dev_bench b;
    const uint64_t total = 3 * E1000_RX_RING;

    qtest_require();
    struct qtest *q = setup(&b, "e1000");
    for (uint64_t n = 0; n < total; n++) {
        bench_inject(&b, n, 60 + n % 900);
        CHECK_EQ(bench_send(&b, 60 + n % 1300), 0);
        if (n % 16 == 15)
            bench_await(&b, n + 1, n + 1);
    }
    bench_await(&b, total, total);
    CHECK(qtest_interrupts(q) < total); /* frames share a poll, and sending needs none */
    qtest_bench_fini(&b, q);
}

TEST(e1000_on_qemu_the_card_fills_checksums)
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = setup(&b, "e1000");
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t len = 80 + i * 17, start = i & 1 ? 34 : 54, field = start + (i & 2 ? 6 : 16);
        uint8_t expected[E1000_FRAME_MAX];
        struct sk_buff *skb = alloc_skb_headroom(b.net, SKB_TX_HEADROOM, len);
        bench_fill(expected, b.dev->broadcast, i, len);
        memcpy(skb_put(skb, len), expected, len); /* what lies in the field is the pseudo-header's sum */
        be16 sum = csum_fold(csum_partial(expected + start, len - start, 0));
        memcpy(expected + field, &sum, 2);
        skb->dev = b.dev;
        skb->ip_summed = CHECKSUM_PARTIAL;
        skb->csum_start = (uint16_t)(skb_headroom(skb) + start);
        skb->csum_offset = (uint16_t)(field - start);
        CHECK_EQ(dev_queue_xmit(skb), 0);
        bench_await(&b, 0, i + 1);
        CHECK(b.tx_len == len && !memcmp(b.tx_frame, expected, len));
    }
    b.tx_wrong = 0; /* numbered frames with other bytes in them */
    qtest_bench_fini(&b, q);
}

TEST(e1000_on_qemu_fragments_are_gathered) /* SDM 3.3.6 */
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = setup(&b, "e1000");
    bench_send_all_pieces(&b, E1000_FRAME_MAX, 16);
    qtest_bench_fini(&b, q);
}

TEST(e1000_on_qemu_open_and_close_again)
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = setup(&b, "e1000");
    for (uint64_t n = 0; n < 3; n++) {
        bench_inject(&b, n, 500);
        bench_send(&b, 500);
        bench_await(&b, n + 1, n + 1);
        dev_close(b.dev);
        CHECK_EQ(b.net->live_skbs, 0);
        bench_open(&b);
    }
    qtest_bench_fini(&b, q);
}

TEST(e1000_on_qemu_lets_in_the_groups_that_are_asked_for) /* SDM 13.5.1 */
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = setup(&b, "e1000");
    bench_exchange_groups(&b);
    qtest_bench_fini(&b, q);
}
