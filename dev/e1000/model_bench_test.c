/* dev/e1000/model_bench_test.c - the driver on a bench with the register model below. */
#include "dev/e1000/model_bench_test.h"
#include "sim/sim.h"
#include "sim/test.h"

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

struct e1000_model *model_setup(struct dev_bench *b)
{
    struct e1000_model *m = e1000_model_create();

    m->sent = model_sent;
    m->arg = b;
    bench_init(b, &m->host.device, &model_card, m);
    return m;
}

struct e1000_model *model_setup_open(struct dev_bench *b)
{
    struct e1000_model *m = model_setup(b);

    bench_open(b);
    return m;
}

void model_teardown(struct dev_bench *b, struct e1000_model *m)
{
    sim_run_idle();
    CHECK_EQ(b->rx_wrong, 0);
    CHECK_EQ(b->tx_wrong, 0);
    CHECK_EQ(bench_loose_skbs(b), 0);
    bench_fini(b);
    e1000_model_destroy(m);
}

struct net_device_stats model_stats(struct dev_bench *b)
{
    struct net_device_stats stats;

    dev_get_stats(b->dev, &stats);
    return stats;
}
