/* kern/proc/itimer.c - SIGALRM after a while; SIGVTALRM and SIGPROF after so much use of the CPU. */
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

/* ---- by CPU time: process_lock held ---- */

static uint64_t time_used(struct process *p, int which)
{
    struct resource_use use = process_use_locked(p);

    return use.user_ns + (which == ITIMER_PROF ? use.system_ns : 0);
}

static struct cpu_timer *cpu_timer_of(struct process *p, int which)
{
    return &p->cpu_timers[which == ITIMER_PROF];
}

static void read_cpu_timer(struct process *p, int which, uint64_t *value, uint64_t *interval)
{
    const struct cpu_timer *t = cpu_timer_of(p, which);
    uint64_t used = t->due ? time_used(p, which) : 0;

    *value = !t->due ? 0 : t->due > used ? t->due - used : 1;
    *interval = t->interval;
}

static void expire_cpu_timer(struct process *p, int which)
{
    struct cpu_timer *t = cpu_timer_of(p, which);
    uint64_t used = t->due ? time_used(p, which) : 0;

    if (!t->due || used < t->due)
        return;
    t->due = t->interval ? MAX(t->due + t->interval, used + 1) : 0;
    signal_send_locked(p, which == ITIMER_PROF ? SIGPROF : SIGVTALRM,
                       &(struct signal_info){ .code = SI_KERNEL });
}

/* ---- process_lock not held ---- */

void cpu_timer_get(struct process *p, int which, uint64_t *value, uint64_t *interval)
{
    uint64_t flags = spin_lock(&process_lock);

    read_cpu_timer(p, which, value, interval);
    spin_unlock(&process_lock, flags);
}

void cpu_timer_set(struct process *p, int which, uint64_t value, uint64_t interval, uint64_t *old_value,
                   uint64_t *old_interval)
{
    uint64_t flags = spin_lock(&process_lock);
    struct cpu_timer *t = cpu_timer_of(p, which);

    read_cpu_timer(p, which, old_value, old_interval);
    t->due = value ? time_used(p, which) + value : 0;
    t->interval = interval;
    spin_unlock(&process_lock, flags);
}

/* RLIMIT_CPU, in seconds: SIGXCPU at the soft one and then every second (the limit moves, as in Linux), the
 * end at the hard one. */
static void expire_cpu_limit(struct process *p)
{
    struct rlimit *limit = &p->limits[RLIMIT_CPU];
    uint64_t used;

    if (limit->rlim_cur == RLIM_INFINITY)
        return;
    used = time_used(p, ITIMER_PROF) / sec(1);
    if (used >= MAX(limit->rlim_max, 1ull)) {
        signal_send_locked(p, SIGKILL, &(struct signal_info){ .code = SI_KERNEL });
    } else if (used >= MAX(limit->rlim_cur, 1ull)) {
        signal_send_locked(p, SIGXCPU, &(struct signal_info){ .code = SI_KERNEL });
        limit->rlim_cur = used + 1;
    }
}

void process_tick(struct thread *thread)
{
    struct process *p = thread->process;
    uint64_t flags;

    if (!READ_ONCE(p->cpu_timers[0].due) && !READ_ONCE(p->cpu_timers[1].due) &&
        READ_ONCE(p->limits[RLIMIT_CPU].rlim_cur) == RLIM_INFINITY)
        return;
    flags = spin_lock(&process_lock);
    expire_cpu_timer(p, ITIMER_VIRTUAL);
    expire_cpu_timer(p, ITIMER_PROF);
    expire_cpu_limit(p);
    spin_unlock(&process_lock, flags);
}
