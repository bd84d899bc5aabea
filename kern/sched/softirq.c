/* kern/sched/softirq.c - work that interrupts put off, and ksoftirqd.
 *
 * A raised softirq waits in its level's list of the CPU that raised it, pending set, until that CPU runs it.
 * It is off the list before pending is cleared, and pending is cleared before it runs: so a raise while it
 * runs puts it on a list again, and one before changes nothing.
 *
 * Softirqs run at the end of interrupts and when they are enabled again, until the budget is spent; then the
 * CPU is handed over: its ksoftirqd runs all but timers, and in its turn only, until nothing is left. So a
 * flood of packets leaves programs their share. */
#include "kern/sched/softirq.h"
#include "kern/sched/sched.h"
#include "kern/sys/kernel_knobs.h"
#include "lib/format.h"

enum { SOFTIRQ_ROUNDS = 10, ALL_LEVELS = (1 << SOFTIRQ_LEVELS) - 1 };
enum { URGENT_LEVELS = 1 << SOFTIRQ_HI | 1 << SOFTIRQ_TIMER };

struct softirq_cpu { /* its CPU; the lists and handed_over with irqs off */
    struct list_head lists[SOFTIRQ_LEVELS];
    struct thread *ksoftirqd; /* NULL until it is started */
    bool handed_over;
    uint32_t rounds; /* begun and ended: odd while one runs. Atomic */
    uint64_t runs[SOFTIRQ_LEVELS];
};
static struct softirq_cpu softirq_cpus[MAX_CPUS];

/* ---- raising ---- */

void softirq_open(struct softirq *s, enum softirq_level level, void (*fn)(struct softirq *s))
{
    *s = (struct softirq){ .fn = fn, .level = level };
    list_init(&s->link);
}

static void enlist(struct softirq *s)
{
    struct cpu *c = this_cpu();
    struct softirq_cpu *sc = c->softirq;
    list_add_tail(&s->link, &sc->lists[s->level]);
    c->softirq_pending |= 1u << s->level;
}

void softirq_raise(struct softirq *s)
{
    uint64_t flags = irq_save();
    if (!__atomic_exchange_n(&s->pending, 1, __ATOMIC_ACQ_REL))
        enlist(s);
    irq_restore(flags);
    local_bh_disable(); /* outside interrupts and softirqs, enabling them again runs it */
    local_bh_enable();
}

/* ---- running ---- */

static void run_level(struct softirq_cpu *sc, enum softirq_level level)
{
    struct list_head batch; /* what is raised from here on waits for the next round */
    list_init(&batch);
    irq_disable();
    list_splice_tail(&sc->lists[level], &batch);
    irq_enable();
    while (!list_empty(&batch)) {
        struct softirq *s = list_first_entry(&batch, struct softirq, link);
        list_del(&s->link);
        __atomic_store_n(&s->pending, 0, __ATOMIC_SEQ_CST);
        s->fn(s);
        sc->runs[level]++;
    }
}

/* One round over some levels. irqs off on entry and return, on in between. */
static void run_round(struct cpu *c, uint32_t levels)
{
    struct softirq_cpu *sc = c->softirq;
    uint32_t due = c->softirq_pending & levels;
    c->softirq_pending &= ~due;
    if (CONFIG_DEBUG)
        witness_softirqs_off();
    preempt_count_add(SOFTIRQ_RUNNING);
    __atomic_fetch_add(&sc->rounds, 1, __ATOMIC_SEQ_CST); /* partner: softirq_barrier() */
    irq_enable();
    for (unsigned level = 0; level < SOFTIRQ_LEVELS; level++)
        if (due & 1u << level)
            run_level(sc, level);
    irq_disable();
    __atomic_store_n(&sc->rounds, sc->rounds + 1, __ATOMIC_RELEASE);
    preempt_count_sub(SOFTIRQ_RUNNING);
}

/* A round that begins after we looked sees what was done before: both are sequentially consistent. */
void softirq_barrier(void)
{
    for_each_cpu (i) {
        const uint32_t *rounds = &softirq_cpus[i].rounds;
        uint32_t now = __atomic_load_n(rounds, __ATOMIC_SEQ_CST);
        while (now & 1 && __atomic_load_n(rounds, __ATOMIC_SEQ_CST) == now)
            sleep_through(us(100));
    }
}

static uint32_t levels_for_all(const struct softirq_cpu *sc)
{
    return sc->handed_over ? URGENT_LEVELS : ALL_LEVELS;
}

/* Run what is pending within the budget. irqs off, not in a softirq or hard irq. */
static void run_pending(struct cpu *c)
{
    struct softirq_cpu *sc = c->softirq;
    uint32_t levels = levels_for_all(sc);
    if (!(c->softirq_pending & levels))
        return;
    uint64_t until = time_now() + us(READ_ONCE(kernel_knobs.softirq_usecs));
    for (unsigned round = 0; c->softirq_pending & levels; round++) {
        if (round && sc->ksoftirqd && (round == SOFTIRQ_ROUNDS || time_now() >= until)) {
            sc->handed_over = true;
            thread_wake(sc->ksoftirqd);
            return;
        }
        run_round(c, levels);
    }
}

static bool may_run(void)
{
    return !(preempt_count() & (SOFTIRQ_MASK | HARDIRQ_MASK));
}

void softirq_irq_exit(void)
{
    struct cpu *c = this_cpu();
    if (c->softirq_pending && may_run())
        run_pending(c);
}

static void run_on_enable(void)
{
    if (!irqs_enabled()) { /* under a spinlock: run at the end of an interrupt that comes after it */
        cpu_kick(cpu_id());
        return;
    }
    irq_disable();
    run_pending(this_cpu());
    irq_enable();
}

void local_bh_enable(void)
{
    preempt_count_sub(SOFTIRQ_DISABLE_ONE - PREEMPT_ONE); /* not to another CPU before the look */
    if (unlikely(this_cpu()->softirq_pending) && may_run())
        run_on_enable();
    preempt_enable();
}

/* ---- ksoftirqd ---- */

/* One round, or the end of the hand-over. True if there was something to run. irqs off. */
static bool ksoftirqd_round(struct cpu *c)
{
    struct softirq_cpu *sc = c->softirq;
    if (!c->softirq_pending) {
        sc->handed_over = false;
        return false;
    }
    run_round(c, ALL_LEVELS);
    return true;
}

static void ksoftirqd(void *arg)
{
    (void)arg;
    for (;;) {
        thread_set_sleeping();
        irq_disable();
        if (!ksoftirqd_round(this_cpu())) {
            irq_enable();
            schedule();
            continue;
        }
        irq_enable();
        thread_set_runnable();
        preempt_check();
    }
}

void ksoftirqd_start(void)
{
    for_each_cpu (i) {
        char name[16];
        ksnprintf(name, sizeof name, "ksoftirqd/%u", i);
        struct thread *t = thread_create(name, ksoftirqd, NULL);
        if (!t)
            panic("no memory for %s", name);
        t->prio = PRIO_LOW;
        thread_set_cpu(t, i);
        softirq_cpus[i].ksoftirqd = t;
        thread_start(t);
    }
}

void softirq_init_cpu(void)
{
    struct softirq_cpu *sc = &softirq_cpus[cpu_id()];
    for (unsigned i = 0; i < SOFTIRQ_LEVELS; i++)
        list_init(&sc->lists[i]);
    this_cpu()->softirq = sc;
}

uint64_t softirq_runs(unsigned cpu, enum softirq_level level)
{
    return READ_ONCE(softirq_cpus[cpu].runs[level]);
}

/* ---- tasklets ---- */

static void tasklet_run(struct softirq *s)
{
    struct tasklet *t = container_of(s, struct tasklet, softirq);
    if (__atomic_exchange_n(&t->running, 1, __ATOMIC_ACQUIRE)) {
        softirq_raise(s); /* another CPU runs it: once more, after that */
        return;
    }
    t->fn(t);
    __atomic_store_n(&t->running, 0, __ATOMIC_RELEASE);
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
