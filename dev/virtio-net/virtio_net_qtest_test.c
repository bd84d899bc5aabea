/* dev/virtio-net/virtio_net_qtest_test.c - the driver against QEMU's own card; skipped where QEMU is not
 * installed. */
#include "dev/virtio-net/virtio_net.h"
#include "lib/abi/errno.h"
#include "sim/dev_qtest.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

/* total frames each way, in groups that keep both rings busy. */
static void exchange(struct dev_bench *b, uint64_t total)
{
    for (uint64_t n = 0; n < total; n++) {
        bench_inject(b, n, 60 + n % 1400);
        CHECK_EQ(bench_send(b, 60 + n % 1300), 0);
        if (n % 32 == 31)
            bench_await(b, n + 1, n + 1);
    }
    bench_await(b, total, total);
}

TEST(virtio_net_on_qemu_frames_of_every_length_come_and_go)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    struct dev_bench b;

    qtest_require();
    struct qtest *q = qtest_bench_init(&b, "virtio-net-pci", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    bench_open(&b);
    CHECK(!memcmp(b.dev->dev_addr, mac, 6));
    CHECK(b.dev->carrier);
    bench_exchange_lengths(&b, VIRTIO_NET_FRAME_MAX);
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_the_rings_wrap_and_interrupts_are_fewer_than_frames) /* virtio 1.2 2.7.10 */
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q =
        qtest_bench_init(&b, "virtio-net-pci,disable-legacy=on", VIRTIO_VENDOR, VIRTIO_NET_MODERN);
    bench_open(&b);
    exchange(&b, 4 * VIRTQ_MAX);
    CHECK(qtest_interrupts(q) < 8 * VIRTQ_MAX);
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_fragments_are_gathered) /* virtio 1.2 2.7.5.1 */
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = qtest_bench_init(&b, "virtio-net-pci", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    bench_open(&b);
    CHECK(b.dev->features & NETIF_F_SG);
    bench_send_all_pieces(&b, VIRTIO_NET_FRAME_MAX, 16);
    qtest_bench_fini(&b, q);
}

/* More frames than a ring holds, one way at a time: each way has to wake up by itself. */
static void flood(const char *card)
{
    struct dev_bench b;
    const uint64_t total = 3 * VIRTQ_MAX;
    struct qtest *q = qtest_bench_init(&b, card, VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);

    bench_open(&b);
    for (uint64_t n = 0; n < total; n++)
        bench_inject(&b, n, 60 + n % 1400);
    bench_await(&b, total, 0);
    for (uint64_t n = 0; n < total; n++)
        CHECK_EQ(bench_send(&b, 60 + n % 1300), 0);
    bench_await(&b, total, total);
    bench_settle(&b);
    CHECK_EQ(bench_loose_skbs(&b), 0); /* freed without anything being received */
    bench_inject(&b, total, 60);
    bench_await(&b, total + 1, total);
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_survives_a_flood_each_way)
{
    qtest_require();
    flood("virtio-net-pci");
}

TEST(virtio_net_on_qemu_survives_a_flood_without_event_idx)
{
    qtest_require();
    flood("virtio-net-pci,event_idx=off");
}

TEST(virtio_net_on_qemu_open_undoes_itself_and_opens_again)
{
    struct dev_bench b;
    unsigned n = 1, failures = 0;

    qtest_require();
    struct qtest *q = qtest_bench_init(&b, "virtio-net-pci", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    for (;; failures++, n += n < 16 ? 1 : 37) {
        sim_fail_nth_alloc(n);
        int err = dev_open(b.dev);
        sim_fail_nth_alloc(0);
        if (!err)
            break;
        CHECK_EQ(err, -ENOMEM);
        CHECK_EQ(b.net->live_skbs, 0);
    }
    CHECK(failures > 16);
    for (uint64_t i = 0; i < 3; i++) {
        bench_inject(&b, i, 500);
        bench_send(&b, 500);
        bench_await(&b, i + 1, i + 1);
        dev_close(b.dev);
        CHECK_EQ(b.net->live_skbs, 0);
        bench_open(&b);
    }
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_without_memory_frames_are_counted_and_the_ring_stays_full)
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = qtest_bench_init(&b, "virtio-net-pci", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    bench_open(&b);
    sim_fail_allocs(1000000);
    for (unsigned i = 0; i < 600; i++) {
        bench_inject(&b, 0, 100);
        if (i % 8 == 7)
            bench_settle(&b);
    }
    while (b.dev->stats.rx_dropped < 600)
        bench_settle(&b);
    sim_fail_allocs(0);
    CHECK_EQ(b.received, 0);
    bench_inject(&b, 0, 100);
    bench_await(&b, 1, 0);
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_lets_in_the_groups_that_are_asked_for) /* virtio 1.2 5.1.6.5 */
{
    struct dev_bench b;

    qtest_require();
    struct qtest *q = qtest_bench_init(&b, "virtio-net-pci", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    bench_open(&b);
    bench_exchange_groups(&b);
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_more_groups_than_the_card_has_room_for_are_all_let_in)
{
    uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 0 };
    struct dev_bench b;

    qtest_require();
    struct qtest *q = qtest_bench_init(&b, "virtio-net-pci", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    bench_open(&b);
    for (group[5] = 0; group[5] < 70; group[5]++)
        CHECK_EQ(dev_group_add(b.dev, group), 0);
    group[5] = 69;
    uint8_t frame[60];
    bench_fill(frame, group, 0, sizeof frame);
    b.card->inject(&b, frame, sizeof frame);
    bench_await(&b, 1, 0);
    for (group[5] = 0; group[5] < 70; group[5]++)
        dev_group_del(b.dev, group);
    qtest_bench_fini(&b, q);
}

TEST(virtio_net_on_qemu_without_a_control_queue_all_frames_come)
{
    static const uint8_t group[6] = { 1, 0, 0x5e, 1, 2, 3 };
    struct dev_bench b;
    uint8_t frame[60];

    qtest_require();
    struct qtest *q =
        qtest_bench_init(&b, "virtio-net-pci,ctrl_vq=off", VIRTIO_VENDOR, VIRTIO_NET_TRANSITIONAL);
    bench_open(&b);
    bench_fill(frame, group, 0, sizeof frame);
    b.card->inject(&b, frame, sizeof frame);
    bench_await(&b, 1, 0);
    qtest_bench_fini(&b, q);
}
