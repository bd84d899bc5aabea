/* sim/port_softirq.c - softirqs and tasklets of net/port.h: one list a level; the loop runs the first entry
 * of the highest level before it looks at the clock. */
#include "sim/state.h"

void softirq_open(struct softirq *s, enum softirq_level level, void (*fn)(struct softirq *s))
{
    *s = (struct softirq){ .fn = fn, .level = level };
    list_init(&s->link);
}

void softirq_raise(struct softirq *s)
{
    if (!s->fn || (unsigned)s->level >= SOFTIRQ_LEVELS)
        panic("softirq_raise() of a softirq that was never opened");
    if (s->pending)
        return;
    s->pending = 1;
    list_add_tail(&s->link, &sim.softirqs[s->level]);
}

static void softirq_run(struct softirq *s)
{
    list_del(&s->link);
    s->pending = 0;
    sim.context = CONTEXT_SOFTIRQ;
    sim.current = NULL;
    s->fn(s);
    sim_no_locks("at the end of a softirq");
}

bool softirq_any_pending(void)
{
    for (unsigned level = 0; level < SOFTIRQ_LEVELS; level++)
        if (!list_empty(&sim.softirqs[level]))
            return true;
    return false;
}

bool softirq_step(void)
{
    for (unsigned level = 0; level < SOFTIRQ_LEVELS; level++) {
        if (list_empty(&sim.softirqs[level]))
            continue;
        softirq_run(list_first_entry(&sim.softirqs[level], struct softirq, link));
        return true;
    }
    return false;
}

void softirq_barrier(void)
{
    sim_no_locks("while softirqs are waited for"); /* none runs while we do */
}

static void tasklet_run(struct softirq *s)
{
    struct tasklet *t = container_of(s, struct tasklet, softirq);

    t->fn(t); /* with one CPU it cannot run twice at once; may free t */
}

void tasklet_init(struct tasklet *t, void (*fn)(struct tasklet *t))
{
    *t = (struct tasklet){ .fn = fn };
    softirq_open(&t->softirq, SOFTIRQ_TASKLET, tasklet_run);
}

void tasklet_schedule(struct tasklet *t)
{
    softirq_raise(&t->softirq);
}
