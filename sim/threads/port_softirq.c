/* sim/threads/port_softirq.c - softirqs and tasklets of net/port.h: one list a level and CPU. Promised order:
 * what came before a raise comes before the run that follows; and what ran, before softirq_barrier() returns.
 */
#include "sim/threads/state.h"

void softirq_open(struct softirq *s, enum softirq_level level, void (*fn)(struct softirq *s))
{
    order_made(s, sizeof *s);
    *s = (struct softirq){ .fn = fn, .level = level };
    list_init(&s->link);
}

void softirq_raise(struct softirq *s)
{
    struct cpu *cpu = self()->cpu;

    order_used(s);
    if (!s->fn || (unsigned)s->level >= SOFTIRQ_LEVELS)
        panic("softirq_raise() of a softirq that was never opened");
    order_release(s);
    if (__atomic_exchange_n(&s->pending, 1, __ATOMIC_SEQ_CST))
        return;
    quiet_lock(&cpu->guard);
    list_add_tail(&s->link, &cpu->softirqs[s->level]);
    quiet_unlock(&cpu->guard);
    cpu_kick(cpu);
}

static struct softirq *take(struct cpu *cpu)
{
    struct softirq *s = NULL;

    quiet_lock(&cpu->guard);
    for (unsigned level = 0; level < SOFTIRQ_LEVELS && !s; level++)
        if (!list_empty(&cpu->softirqs[level]))
            s = list_first_entry(&cpu->softirqs[level], struct softirq, link);
    if (s)
        list_del(&s->link);
    quiet_unlock(&cpu->guard);
    return s;
}

bool cpu_softirq(struct cpu *cpu)
{
    struct softirq *s = take(cpu);

    if (!s)
        return false;
    void (*fn)(struct softirq *) = s->fn;
    __atomic_store_n(&s->pending, 0, __ATOMIC_SEQ_CST);
    order_acquire(s);
    threads_jostle(); /* whoever waits for pending to go does not wait for the function */
    fn(s);
    no_locks("at the end of a softirq");
    return true;
}

void softirq_barrier(void)
{
    no_locks("while softirqs are waited for");
    for (unsigned id = 0; id < machine.options.cpus; id++) {
        struct cpu *cpu = &machine.cpus[id];
        uint32_t now = __atomic_load_n(&cpu->rounds, __ATOMIC_SEQ_CST);
        while (now & 1 && __atomic_load_n(&cpu->rounds, __ATOMIC_SEQ_CST) == now)
            sleep_through(us(100));
        order_acquire(&cpu->rounds);
    }
}

/* ---- tasklets ---- */

static void tasklet_run(struct softirq *s)
{
    struct tasklet *t = container_of(s, struct tasklet, softirq);

    if (__atomic_exchange_n(&t->running, 1, __ATOMIC_SEQ_CST)) {
        softirq_raise(s); /* another CPU runs it: once more, after that */
        return;
    }
    order_acquire(t);
    t->fn(t);
    order_release(t);
    __atomic_store_n(&t->running, 0, __ATOMIC_SEQ_CST);
}

void tasklet_init(struct tasklet *t, void (*fn)(struct tasklet *t))
{
    softirq_open(&t->softirq, SOFTIRQ_TASKLET, tasklet_run);
    t->fn = fn;
    t->running = 0;
}

void tasklet_schedule(struct tasklet *t)
{
    softirq_raise(&t->softirq);
}
