/* kern/sched/sched.c - who runs: sleeping, waking, switching.
 *
 * A thread's state belongs to the run queue of its CPU. That lock is held from the moment a thread's state
 * says it is off until another runs on its CPU, and let go by that other one: so nobody who holds the lock
 * sees a thread half off its stack, and a thread found waiting may be run by any CPU at once.
 *
 * To sleep: thread_set_sleeping(), look at the condition, schedule(). A wake in between makes the thread
 * runnable again and schedule() returns. A preemption in between does not put it to sleep. */
#include "kern/debug/witness.h"
#include "kern/mm/vm.h"
#include "kern/sched/runqueue.h"
#include "kern/sched/softirq.h"
#include "lib/abi/errno.h"
#include "lib/format.h"

enum { MSR_FS_BASE = 0xc0000100 };
#define BALANCE_INTERVAL ms(40)
#define WAKE_GRANULARITY ms(2) /* what the running thread has at least before one that wakes comes first */

static struct thread idle_threads[MAX_CPUS];

void switch_stacks(uint64_t *save_rsp, uint64_t rsp); /* switch.S */

/* ---- switching; RUNQUEUE lock ---- */

/* The counter that time of t on rq's CPU goes to. */
static uint64_t *cpu_use_of(struct runqueue *rq, const struct thread *t)
{
    if (t == rq->idle)
        return &rq->idle_ns;
    if (t->in_kernel || !t->process)
        return &rq->system_ns;
    return t->nice > 0 ? &rq->nice_ns : &rq->user_ns;
}

static void account(struct runqueue *rq, struct thread *t, uint64_t now)
{
    uint64_t ran = now - t->last_start;
    t->runtime_ns += ran;
    t->system_ns += t->in_kernel ? ran : 0;
    t->slice_left -= MIN(ran, t->slice_left);
    t->last_start = now;
    *cpu_use_of(rq, t) += ran;
}

static void begin_slice(struct runqueue *rq, struct thread *t, uint64_t now)
{
    if (!t->slice_left)
        t->slice_left = thread_slice(t);
    t->last_start = now;
    rq->slice_end = t == rq->idle ? TIME_NEVER : now + t->slice_left;
    if (rq->n_queued)
        clock_event_by(rq->slice_end);
    if (t->process)
        clock_event_by(now + TICK);
}

static void save_user_state(struct thread *t)
{
    if (!t->fpu)
        return;
    fpu_save(t->fpu);
    t->fs_base = rdmsr(MSR_FS_BASE);
}

static void load_user_state(struct thread *t)
{
    if (t->vm)
        vm_activate(t->vm);
    if (!t->fpu)
        return;
    fpu_restore(t->fpu);
    wrmsr(MSR_FS_BASE, t->fs_base);
}

static void switch_threads(struct runqueue *rq, struct thread *prev, struct thread *next)
{
    struct cpu *c = this_cpu();
    if (prev == rq->idle)
        __atomic_fetch_and(&idle_cpus, ~(1u << c->id), __ATOMIC_SEQ_CST);
    rq->previous = prev;
    WRITE_ONCE(rq->current, next);
    c->current = next;
    c->context_switches++;
    save_user_state(prev);
    load_user_state(next);
    if (next->kstack_top)
        cpu_set_kernel_stack(next->kstack_top);
    switch_stacks(&prev->rsp, next->rsp);
}

/* The first thing a thread does when it has the CPU again: let go of what the one before it took. irqs off.
 */
static void finish_switch(void)
{
    struct runqueue *rq = this_runqueue();
    struct thread *prev = rq->previous, *expelled = rq->expelled;
    bool dead = prev && prev->state == THREAD_DEAD;
    rq->previous = rq->expelled = NULL;
    spin_unlock(&rq->lock, 0);
    if (dead)
        thread_bury(prev);
    if (expelled)
        runqueue_place(expelled);
}

/* prev, which ran and may go on, waits for its next turn: here, or elsewhere when nobody stands on its stack
 * any more. RUNQUEUE lock. */
static void requeue(struct runqueue *rq, struct thread *prev)
{
    if (prev->affinity & 1u << rq->cpu) {
        runqueue_add(rq, prev, prev->slice_left > 0);
        return;
    }
    prev->state =
        THREAD_RUNNABLE; /* it looks at its condition once more: nobody else may queue it meanwhile */
    rq->expelled = prev;
}

/* Run who is due. irqs off, no lock held. */
static void reschedule(bool preempted)
{
    struct runqueue *rq = this_runqueue();
    spin_lock(&rq->lock);
    struct thread *prev = rq->current;
    uint64_t now = time_now();
    account(rq, prev, now);
    WRITE_ONCE(this_cpu()->need_resched, 0);
    if (prev != rq->idle && (preempted || prev->state == THREAD_RUNNABLE)) {
        prev->preempted++;
        requeue(rq, prev);
    } else {
        prev->slept++;
    }
    struct thread *next = runqueue_pick(rq, now);
    next = next ? next : rq->idle;
    begin_slice(rq, next, now);
    if (next != prev)
        switch_threads(rq, prev, next);
    finish_switch();
}

void schedule(void)
{
    if (CONFIG_DEBUG && this_cpu()->current != this_cpu()->idle)
        may_sleep();
    ASSERT(preempt_count() == 0);
    uint64_t flags = irq_save();
    reschedule(false);
    irq_restore(flags);
}

void preempt_schedule(void)
{
    uint64_t flags = irq_save();
    if (this_cpu()->need_resched)
        reschedule(true);
    irq_restore(flags);
}

void preempt_check_slow(void)
{
    if (irqs_enabled()) /* else whoever has them off is not done yet */
        preempt_schedule();
}

void preempt_enable(void)
{
    preempt_count_sub(PREEMPT_ONE);
    preempt_check();
}

void yield(void)
{
    uint64_t flags = irq_save();
    current_thread()->slice_left = 0;
    irq_restore(flags);
    schedule();
}

void sched_first_run(void)
{
    finish_switch();
    irq_enable();
}

void sched_exit(void)
{
    irq_disable();
    uint64_t flags = spin_lock(&this_runqueue()->lock);
    current_thread()->state = THREAD_DEAD;
    spin_unlock(&this_runqueue()->lock, flags);
    reschedule(false);
    panic("a dead thread runs");
}

/* ---- sleeping and waking ---- */

static struct runqueue *lock_runqueue_of(const struct thread *t)
{
    for (;;) {
        unsigned cpu = READ_ONCE(t->cpu);
        struct runqueue *rq = runqueue_of(cpu);
        uint64_t flags = spin_lock(&rq->lock);
        if (t->cpu == cpu)
            return rq;
        spin_unlock(&rq->lock, flags);
    }
}

static void set_state(enum thread_state state)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = this_runqueue();
    spin_lock(&rq->lock);
    ASSERT(rq->current != rq->idle);
    rq->current->state = state;
    spin_unlock(&rq->lock, 0);
    irq_restore(flags);
}

void thread_set_sleeping(void)
{
    set_state(THREAD_SLEEPING);
}

void thread_set_runnable(void)
{
    set_state(THREAD_RUNNABLE);
}

/* Whether t, which wakes, comes before the thread that runs. One that ran long enough loses what is left of
 * its slice to it. */
static bool comes_first(struct runqueue *rq, const struct thread *t)
{
    struct thread *running = rq->current;
    if (running == rq->idle || t->prio != running->prio)
        return t->prio < running->prio;
    if (time_now() - running->last_start < WAKE_GRANULARITY)
        return false;
    running->slice_left = 0;
    return true;
}

static void request_resched(unsigned cpu)
{
    WRITE_ONCE(cpus[cpu].need_resched, 1);
    if (cpu != cpu_id())
        cpu_kick(cpu);
}

/* t gets a place in rq; rq's CPU is told what follows from that. RUNQUEUE lock. */
static void enqueue(struct runqueue *rq, struct thread *t)
{
    bool first = comes_first(rq, t), local = rq->cpu == cpu_id();
    runqueue_add(rq, t, first);
    if (first || !local) /* another CPU sets its own clock event, on its way through reschedule() */
        request_resched(rq->cpu);
    else
        clock_event_by(rq->slice_end);
    if (rq->current != rq->idle)
        offer_work(t->affinity);
}

/* Bring t, which is in no queue, from rq, locked, to a CPU that suits it: that one's queue, locked. Its
 * affinity may change while neither is. */
static struct runqueue *carry(struct runqueue *rq, struct thread *t)
{
    t->cpu = choose_cpu(t);
    while (t->cpu != rq->cpu) {
        spin_unlock(&rq->lock, 0);
        rq = runqueue_of(t->cpu);
        spin_lock(&rq->lock);
        if (!(t->affinity & 1u << rq->cpu))
            t->cpu = choose_cpu(t);
    }
    return rq;
}

void runqueue_place(struct thread *t)
{
    struct runqueue *rq = runqueue_of(t->cpu);
    spin_lock(&rq->lock);
    rq = carry(rq, t);
    enqueue(rq, t);
    spin_unlock(&rq->lock, 0);
}

bool thread_wake(struct thread *t)
{
    uint64_t flags = irq_save(); /* t is nowhere between the two locks: nothing may come in between */
    struct runqueue *rq = lock_runqueue_of(t);
    bool sleeping = t->state == THREAD_SLEEPING, off = rq->current != t && list_empty(&t->run);
    if (sleeping)
        t->state = THREAD_RUNNABLE;
    if (sleeping && off) {
        rq = carry(rq, t);
        enqueue(rq, t);
    }
    spin_unlock(&rq->lock, 0);
    irq_restore(flags);
    preempt_check();
    return sleeping;
}

void thread_interrupt(struct thread *t)
{
    __atomic_store_n(&t->signal_pending, 1, __ATOMIC_SEQ_CST);
    unsigned cpu = READ_ONCE(t->cpu);
    if (!thread_wake(t) && cpu != cpu_id()) /* perhaps in user mode there, without a clock event to end it */
        cpu_kick(cpu);
}

/* ---- the clock ---- */

/* Who runs here ran in the kernel, or in user mode, since the last look: as the interrupt found it. */
static void count_tick(struct runqueue *rq, uint64_t now)
{
    struct thread *t = rq->current;
    spin_lock(&rq->lock);
    t->in_kernel = !this_cpu()->interrupted_user;
    account(rq, t, now);
    spin_unlock(&rq->lock, 0);
    load_average_update(now);
    if (t->process)
        process_tick(t);
}

uint64_t sched_tick(uint64_t now)
{
    struct runqueue *rq = this_runqueue();
    struct thread *t = rq->current;
    if (t == rq->idle)
        return TIME_NEVER;
    count_tick(rq, now);
    if (now >= rq->balanced + BALANCE_INTERVAL) {
        rq->balanced = now;
        pull_work(READ_ONCE(rq->n_queued));
    }
    uint64_t next = t->process ? now + TICK : TIME_NEVER;
    if (!READ_ONCE(rq->n_queued))
        return next;
    if (now < rq->slice_end)
        return MIN(next, rq->slice_end);
    WRITE_ONCE(this_cpu()->need_resched, 1);
    return TIME_NEVER;
}

/* ---- where and how long a thread may run ---- */

uint32_t thread_cpus(void)
{
    return READ_ONCE(sched_cpus);
}

int thread_set_affinity(struct thread *t, uint32_t affinity)
{
    if (!(affinity & READ_ONCE(sched_cpus)))
        return -EINVAL;
    uint64_t flags = irq_save();
    struct runqueue *rq = lock_runqueue_of(t);
    bool here = affinity & 1u << rq->cpu, queued = !list_empty(&t->run) && t->state != THREAD_DEAD;
    t->affinity = affinity;
    if (!here && queued) {
        runqueue_remove(rq, t);
        t->state = THREAD_RUNNABLE;
    }
    if (!here && rq->current == t)
        request_resched(rq->cpu);
    spin_unlock(&rq->lock, 0);
    if (!here && queued)
        runqueue_place(t);
    irq_restore(flags);
    preempt_check();
    return 0;
}

void thread_set_nice(struct thread *t, int nice)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = lock_runqueue_of(t);
    t->nice = nice;
    t->slice_left = MIN(t->slice_left, thread_slice(t));
    spin_unlock(&rq->lock, 0);
    irq_restore(flags);
}

/* A step of nice is a quarter more or less, as in Linux: 10 ms at 0, 80 ms at most, half of one at least. */
uint64_t thread_slice(const struct thread *t)
{
    uint64_t slice = TIME_SLICE;
    for (int i = 0; i < t->nice; i++)
        slice = slice * 4 / 5;
    for (int i = 0; i > t->nice; i--)
        slice = slice * 5 / 4;
    return MAX(MIN(slice, ms(80)), us(500));
}

/* ---- who used the CPUs ---- */

struct cpu_times thread_cpu_times(struct thread *t)
{
    uint64_t flags = irq_save();
    struct runqueue *rq = lock_runqueue_of(t);
    uint64_t now = time_now(), ran = rq->current == t && now > t->last_start ? now - t->last_start : 0;
    uint64_t system = t->system_ns + (t->in_kernel ? ran : 0);
    struct cpu_times times = { t->runtime_ns + ran - system, system };
    spin_unlock(&rq->lock, 0);
    irq_restore(flags);
    return times;
}

struct cpu_use sched_cpu_use(unsigned cpu)
{
    struct runqueue *rq = runqueue_of(cpu);
    uint64_t flags = spin_lock(&rq->lock);
    uint64_t now = time_now(), ran = now > rq->current->last_start ? now - rq->current->last_start : 0;
    uint64_t *running = cpu_use_of(rq, rq->current);
    struct cpu_use use = { rq->user_ns, rq->nice_ns, rq->system_ns, rq->idle_ns };
    if (running == &rq->user_ns)
        use.user_ns += ran;
    else if (running == &rq->nice_ns)
        use.nice_ns += ran;
    else if (running == &rq->system_ns)
        use.system_ns += ran;
    else
        use.idle_ns += ran;
    spin_unlock(&rq->lock, flags);
    return use;
}

unsigned sched_n_runnable(void)
{
    unsigned n = 0;
    for_each_cpu (i)
        n += READ_ONCE(runqueue_of(i)->n_queued) +
             (READ_ONCE(runqueue_of(i)->current) != runqueue_of(i)->idle);
    return n;
}

/* ---- idling ---- */

static void init_this_cpu(void)
{
    struct cpu *c = this_cpu();
    struct runqueue *rq = runqueue_of(c->id);
    struct thread *idle = &idle_threads[c->id];
    *idle = (struct thread){ .prio = PRIO_IDLE, .cpu = c->id, .affinity = 1u << c->id };
    ksnprintf(idle->name, sizeof idle->name, "idle/%u", c->id);
    list_init(&idle->run);
    list_init(&idle->all);
    list_init(&idle->group);
    runqueue_init(rq, c->id);
    rq->current = rq->idle = idle;
    c->runqueue = rq;
    c->idle = c->current = idle;
    __atomic_fetch_or(&sched_cpus, 1u << c->id, __ATOMIC_SEQ_CST);
}

void sched_init(void)
{
    init_this_cpu();
}

void sched_init_cpu(void)
{
    init_this_cpu();
}

static bool nothing_to_do(const struct cpu *c)
{
    __atomic_fetch_or(&idle_cpus, 1u << c->id, __ATOMIC_SEQ_CST); /* before the look; partner: offer_work() */
    return !READ_ONCE(c->need_resched) && !c->softirq_pending && !pull_work(0);
}

_Noreturn void sched_idle(void)
{
    struct cpu *c = this_cpu();
    for (;;) {
        irq_disable();
        bool halt = nothing_to_do(c);
        if (CONFIG_DEBUG)
            witness_irqs_on();
        if (halt)
            __asm__ volatile("sti; hlt" ::
                                 : "memory"); /* an irq after the look ends the hlt: sti waits for it */
        irq_enable();
        local_bh_disable();
        local_bh_enable(); /* runs softirqs that are left */
        schedule();
    }
}
