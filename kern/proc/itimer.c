/* kern/proc/itimer.c - SIGALRM after a while. */
#include "kern/proc/itimer.h"
#include "kern/proc/signals.h"

/* The least time from one alarm to the next: a program that asks for less must not keep a CPU from all else.
 */
#define LEAST_INTERVAL us(100)

static uint64_t time_left(const struct process *p)
{
    uint64_t now = time_now();

    if (!timer_pending(&p->itimer))
        return 0;
    return p->itimer_due > now ? p->itimer_due - now : 1;
}

static void fired(struct timer *t)
{
    struct process *p = container_of(t, struct process, itimer);
    uint64_t interval = READ_ONCE(p->itimer_interval);

    signal_send(p, SIGALRM, &(struct signal_info){ .code = SI_KERNEL });
    if (interval) {
        p->itimer_due = MAX(p->itimer_due + interval, time_now() + LEAST_INTERVAL);
        timer_set(t, p->itimer_due);
    }
}

void itimer_init(struct process *p)
{
    timer_init(&p->itimer, fired);
}

void itimer_get(struct process *p, uint64_t *value, uint64_t *interval)
{
    *value = time_left(p);
    *interval = p->itimer_interval;
}

void itimer_set(struct process *p, uint64_t value, uint64_t interval, uint64_t *old_value,
                uint64_t *old_interval)
{
    itimer_get(p, old_value, old_interval);
    WRITE_ONCE(p->itimer_interval, 0);
    timer_cancel_sync(&p->itimer);
    if (!value)
        return;
    p->itimer_due = time_now() + value;
    WRITE_ONCE(p->itimer_interval, interval);
    timer_set(&p->itimer, p->itimer_due);
}

void itimer_stop(struct process *p)
{
    uint64_t value, interval;

    itimer_set(p, 0, 0, &value, &interval);
}
