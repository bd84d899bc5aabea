/* dev/e1000/e1000_test.c - probe, open and close, interrupts and link, against the register model: what
 * QEMU's card cannot be made to do too. */
#include "dev/e1000/model_bench_test.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

/* ---- coming and going ---- */

TEST(e1000_probe_reads_the_address_and_leaves_the_card_quiet) /* SDM 5.6.1 */
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    struct dev_bench b;
    struct e1000_model *m = model_setup(&b);

    CHECK(!memcmp(b.dev->dev_addr, mac, 6));
    CHECK(!strcmp(b.dev->name, "eth0"));
    CHECK_EQ(m->mask, 0);
    CHECK_EQ(m->host.live_dma, 0);
    CHECK(!m->host.irqs[0].handler);
    model_teardown(&b, m);
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
    struct e1000_model *m = model_setup(&b);
    unsigned n = 1, failures = 0;

    for (;; n++, failures++) {
        sim_fail_nth_alloc(n);
        int err = dev_open(b.dev);
        sim_fail_nth_alloc(0);
        if (!err)
            break;
        CHECK_EQ(err, -ENOMEM);
        CHECK_EQ(b.net->live_skbs, 0);
        CHECK_EQ(m->host.live_dma, 0);
        CHECK(!m->host.irqs[0].handler);
    }
    CHECK(failures > E1000_RX_RING);
    model_teardown(&b, m);
}

TEST(e1000_open_and_close_many_times_leave_nothing)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup(&b);

    for (unsigned i = 0; i < 20; i++) {
        bench_open(&b);
        CHECK_EQ(b.net->ring_skbs, E1000_RX_RING);
        bench_inject(&b, i, 100);
        bench_settle(&b);
        CHECK_EQ(b.received, i + 1);
        dev_close(b.dev);
        CHECK_EQ(b.net->live_skbs, 0);
        CHECK_EQ(m->host.live_dma, 0);
        CHECK_EQ(m->mask, 0);
    }
    model_teardown(&b, m);
}

TEST(e1000_closing_drops_what_was_not_sent)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    m->tx_delay = ms(1);
    for (unsigned i = 0; i < 40; i++)
        bench_send(&b, 200);
    CHECK_EQ(bench_loose_skbs(&b), 40);
    dev_close(b.dev);
    CHECK_EQ(b.net->live_skbs, 0);
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_DOWN], 40);
    bench_settle(&b); /* what the card had begun does not come back */
    CHECK_EQ(b.sent, 0);
    model_teardown(&b, m);
}

TEST(e1000_a_phy_that_sleeps_is_woken) /* SDM 13.8 */
{
    struct dev_bench b;
    struct e1000_model *m = model_setup(&b);

    m->phy_ctrl = PHY_CTRL_POWER_DOWN;
    bench_open(&b);
    CHECK_EQ(m->phy_ctrl, PHY_CTRL_AUTONEG);
    CHECK(b.dev->carrier);
    model_teardown(&b, m);
}

/* ---- interrupts and link ---- */

TEST(e1000_an_interrupt_of_another_device_is_left_alone)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint64_t polls = b.dev->stats.polls;

    CHECK(!host_device_interrupt(&m->host, 0));
    bench_settle(&b);
    CHECK_EQ(b.dev->stats.polls, polls);
    model_teardown(&b, m);
}

TEST(e1000_interrupts_stay_off_until_the_poll_is_done)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

    e1000_model_raise(m, INT_RXT0); /* the top half has run, the softirq has not */
    CHECK_EQ(m->mask, 0);
    CHECK_EQ(m->interrupts, 1);
    for (unsigned i = 0; i < 1000; i++)
        e1000_model_raise(m, INT_RXT0);
    CHECK_EQ(m->interrupts, 1);
    bench_settle(&b); /* listening again brings the one that was latched */
    CHECK_EQ(m->interrupts, 2);
    CHECK(m->mask & INT_RXT0);
    model_teardown(&b, m);
}

TEST(e1000_more_frames_than_a_budget_are_polled_on_without_interrupts)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);
    uint64_t n = 0;

    while (n < 3 * NAPI_WEIGHT) /* DMA goes on while the poll is only scheduled */
        bench_inject(&b, n++, 64);
    CHECK_EQ(m->interrupts, 1);
    bench_settle(&b);
    CHECK_EQ(b.received, n);
    CHECK(m->interrupts <= 2);
    CHECK(b.dev->stats.polls >= 3);
    model_teardown(&b, m);
}

TEST(e1000_the_carrier_follows_the_link)
{
    struct dev_bench b;
    struct e1000_model *m = model_setup_open(&b);

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
    model_teardown(&b, m);
}
