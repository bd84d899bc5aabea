/* kern/sched/load.c - the load averages of uptime and top: how many threads run or wait for a CPU, averaged
 * over 1, 5 and 15 minutes with exponential decay, a step every 5 s. There is no timer for it, so that an
 * idle machine sleeps on: ticks take the steps while programs run, and steps that nobody took were idle ones.
 */
#include "kern/sched/sched.h"

#define STEP sec(5)
enum { LONG_AGO = 1000 }; /* steps after which nothing is left of the longest average */

static struct spinlock lock = SPINLOCK_INIT("load average", RANK_LOAD);
static uint64_t averages[3], last_step; /* lock */

/* exp(-5 s / 1, 5, 15 min) * LOAD_ONE */
static const uint64_t decay[3] = { 1884, 2014, 2037 };

static void step(uint64_t runnable)
{
    for (unsigned i = 0; i < 3; i++)
        averages[i] =
            (averages[i] * decay[i] + runnable * LOAD_ONE * (LOAD_ONE - decay[i]) + LOAD_ONE / 2) / LOAD_ONE;
}

void load_average_update(uint64_t now)
{
    if (now < READ_ONCE(last_step) + STEP)
        return;
    uint64_t runnable = sched_n_runnable(), flags = spin_lock(&lock);
    uint64_t steps = now > last_step ? (now - last_step) / STEP : 0;
    for (uint64_t i = 1; i < MIN(steps, (uint64_t)LONG_AGO); i++)
        step(0);
    if (steps)
        step(runnable);
    last_step += steps * STEP;
    spin_unlock(&lock, flags);
}

void load_averages(uint64_t loads[3])
{
    load_average_update(time_now());
    uint64_t flags = spin_lock(&lock);
    for (unsigned i = 0; i < 3; i++)
        loads[i] = averages[i];
    spin_unlock(&lock, flags);
}
