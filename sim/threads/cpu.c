/* sim/threads/cpu.c - the threads: CPUs, which run interrupts, timers and softirqs one at a time, and
 * processes, which pass from CPU to CPU. */
#include "sim/threads/state.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MIGRATE_ONE_IN = 8, YIELD_ONE_IN = 24, NAP_ONE_IN = 1500, NAP_NS = 60000 };

struct machine machine;
static __thread struct process *current;

struct process *self(void)
{
    return current;
}

void self_is(struct process *p)
{
    current = p;
}

/* ---- chance: each thread has a stream of its own, so that it orders nothing ---- */

static uint64_t splitmix(uint64_t *state) /* Steele, Lea and Flood, 2014 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t threads_chance(uint64_t n)
{
    return splitmix(&self()->random) % n;
}

void threads_jostle(void)
{
    if (threads_chance(YIELD_ONE_IN) == 0)
        sched_yield();
    else if (threads_chance(NAP_ONE_IN) == 0)
        nanosleep(&(struct timespec){ .tv_nsec = (long)threads_chance(NAP_NS) }, NULL);
}

void random_bytes(void *dst, size_t n)
{
    uint8_t *bytes = dst;

    not_in_irq("random_bytes()");
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(splitmix(&self()->random) >> 56);
}

uint32_t random_u32(void)
{
    not_in_irq("random_u32()");
    return (uint32_t)(splitmix(&self()->random) >> 32);
}

/* ---- context ---- */

enum context context_now(void)
{
    return self()->context;
}

unsigned cpu_id(void)
{
    return self()->cpu->id;
}

unsigned cpu_count(void)
{
    return machine.options.cpus;
}

void not_in_irq(const char *what)
{
    if (self()->context == CONTEXT_IRQ)
        panic("%s in irq context", what);
}

void bh_off(struct process *p)
{
    if (p->context != CONTEXT_PROCESS)
        return; /* the CPU's own thread has it as long as it runs a softirq */
    if (threads_chance(MIGRATE_ONE_IN) == 0)
        p->cpu = &machine.cpus[threads_chance(machine.options.cpus)];
    quiet_lock(&p->cpu->bh);
}

void bh_on(struct process *p)
{
    if (p->context == CONTEXT_PROCESS)
        quiet_unlock(&p->cpu->bh);
}

/* ---- a CPU ---- */

void cpu_kick(struct cpu *cpu)
{
    __atomic_fetch_add(&cpu->bell, 1, __ATOMIC_SEQ_CST);
    quiet_wake(&cpu->bell);
}

static struct irq_line *take_irq(struct cpu *cpu)
{
    struct irq_line *irq = NULL;

    quiet_lock(&cpu->guard);
    if (!list_empty(&cpu->irqs)) {
        irq = list_first_entry(&cpu->irqs, struct irq_line, link);
        list_del(&irq->link);
        __atomic_fetch_add(&irq->running, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&irq->pending, 0, __ATOMIC_SEQ_CST);
    }
    quiet_unlock(&cpu->guard);
    return irq;
}

static bool cpu_irq(struct cpu *cpu)
{
    struct irq_line *irq = take_irq(cpu);

    if (!irq)
        return false;
    self()->context = CONTEXT_IRQ;
    quiet_lock(&irq->guard); /* one line is not handled twice at once */
    order_acquire(irq);
    irq->fn(irq);
    order_release(irq);
    quiet_unlock(&irq->guard);
    self()->context = CONTEXT_SOFTIRQ;
    __atomic_fetch_sub(&irq->running, 1, __ATOMIC_SEQ_CST);
    return true;
}

/* Timers and softirqs run with bh held: what a process of this CPU does under a lock they do not interrupt.
 */
static bool cpu_work(struct cpu *cpu)
{
    if (cpu_irq(cpu))
        return true;
    quiet_lock(&cpu->bh);
    __atomic_fetch_add(&cpu->rounds, 1, __ATOMIC_SEQ_CST);
    bool ran = cpu_timer(cpu) || cpu_softirq(cpu);
    order_release(&cpu->rounds);
    __atomic_fetch_add(&cpu->rounds, 1, __ATOMIC_SEQ_CST);
    quiet_unlock(&cpu->bh);
    return ran;
}

static void cpu_loop(void *arg)
{
    struct cpu *cpu = arg;

    self()->context = CONTEXT_SOFTIRQ;
    for (;;) {
        uint32_t bell = __atomic_load_n(&cpu->bell, __ATOMIC_SEQ_CST);
        if (cpu_work(cpu)) {
            threads_jostle();
            continue;
        }
        if (__atomic_load_n(&cpu->stop, __ATOMIC_SEQ_CST))
            return;
        quiet_sleep(&cpu->bell, bell, cpu_next_timer(cpu));
    }
}

void cpu_start(unsigned id)
{
    struct cpu *cpu = &machine.cpus[id];

    *cpu = (struct cpu){ .id = id };
    list_init(&cpu->irqs);
    for (unsigned level = 0; level < SOFTIRQ_LEVELS; level++)
        list_init(&cpu->softirqs[level]);
    cpu->thread = process_start("cpu", cpu_loop, cpu);
}

void cpu_stop(struct cpu *cpu)
{
    __atomic_store_n(&cpu->stop, true, __ATOMIC_SEQ_CST);
    cpu_kick(cpu);
    process_join(cpu->thread);
    if (heap_first(&cpu->timers))
        panic("a timer of CPU %u is armed at the end", cpu->id);
}

/* ---- interrupt lines ---- */

void irq_line_init(struct irq_line *irq, void (*fn)(struct irq_line *irq))
{
    *irq = (struct irq_line){ .fn = fn };
    list_init(&irq->link);
}

void irq_line_enable(struct irq_line *irq)
{
    order_release(irq);
}

void irq_line_raise(struct irq_line *irq, unsigned id)
{
    struct cpu *cpu = &machine.cpus[id];

    if (__atomic_exchange_n(&irq->pending, 1, __ATOMIC_SEQ_CST))
        return;
    quiet_lock(&cpu->guard);
    list_add_tail(&irq->link, &cpu->irqs);
    quiet_unlock(&cpu->guard);
    cpu_kick(cpu);
}

void irq_line_quiesce(struct irq_line *irq)
{
    while (__atomic_load_n(&irq->pending, __ATOMIC_SEQ_CST) ||
           __atomic_load_n(&irq->running, __ATOMIC_SEQ_CST))
        sched_yield();
    order_acquire(irq);
}

/* ---- processes ---- */

void process_init(struct process *p, const char *name, struct cpu *cpu)
{
    uint64_t nth = __atomic_add_fetch(&machine.threads, 1, __ATOMIC_RELAXED);

    *p = (struct process){ .name = name, .cpu = cpu };
    p->random = machine.options.seed * 0x9e3779b97f4a7c15 + nth;
    list_init(&p->waiter);
}

static void *thread_main(void *arg)
{
    struct process *p = arg;

    self_is(p);
    p->fn(p->arg);
    no_locks("at the end of a process");
    return NULL;
}

struct process *process_start(const char *name, void (*fn)(void *arg), void *arg)
{
    struct process *p = malloc(sizeof *p);
    bool is_cpu = fn == cpu_loop;

    if (!p)
        abort();
    process_init(p, name, is_cpu ? arg : &machine.cpus[machine.threads % machine.options.cpus]);
    p->fn = fn;
    p->arg = arg;
    if (pthread_create(&p->pthread, NULL, thread_main, p))
        panic("no thread for %s", name);
    return p;
}

void process_interrupt(struct process *p)
{
    __atomic_store_n(&p->interrupted, true, __ATOMIC_SEQ_CST);
    waitq_interrupt(p);
}

void process_join(struct process *p)
{
    pthread_join(p->pthread, NULL);
    free(p);
}

bool process_interrupted(void)
{
    return __atomic_load_n(&self()->interrupted, __ATOMIC_SEQ_CST);
}

/* ---- the machine ---- */

void threads_start(const struct threads_options *options)
{
    static struct process caller;

    machine = (struct machine){ .options = *options, .started = quiet_clock() };
    list_init(&machine.names);
    process_init(&caller, "main", &machine.cpus[0]);
    self_is(&caller);
    for (unsigned id = 0; id < options->cpus; id++)
        cpu_start(id);
}

void threads_stop(void)
{
    no_locks("at the end");
    for (unsigned id = 0; id < machine.options.cpus; id++)
        cpu_stop(&machine.cpus[id]);
    memory_check_leaks();
}
