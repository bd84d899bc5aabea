/* dev/e1000/model_bench_test.h - the driver on a bench with the register model below; for its tests. */
#pragma once
#include "dev/e1000/e1000.h"
#include "lib/abi/errno.h"
#include "sim/dev_bench.h"
#include "sim/dev_model_e1000.h"

/* A model with the driver bound to it; in model_setup_open() its interface is up. */
struct e1000_model *model_setup(struct dev_bench *b);
struct e1000_model *model_setup_open(struct dev_bench *b);
/* No frame was wrong, no sk_buff is loose, and nothing is left behind. */
void model_teardown(struct dev_bench *b, struct e1000_model *m);
struct net_device_stats model_stats(struct dev_bench *b);
