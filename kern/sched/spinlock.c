/* kern/sched/spinlock.c - spinlocks, and the ranks of all locks.
 * Ranks rise from each lock to the one taken inside it, so no two CPUs can wait for each other. That is
 * checked whenever a lock is taken, in every build: a wrong order panics the first time it is used, not the
 * first time it meets its counterpart. */
#include "kern/sched/spinlock.h"
#include "kern/sched/held.h"
#include "kern/sched/sched.h"
#include "net/port.h"

enum { LOOK_EVERY = 1 << 16 };
#define SPIN_REPORT sec(5)

/* The list is changed while interrupts may come, which put their own locks behind ours and take them off
 * again. So a place is counted before it is filled, and counts as rank 0, which any lock may follow, until it
 * is. */
static void place_free(struct cpu *c, unsigned n)
{
    WRITE_ONCE(c->locks_held[n - 1].rank, 0);
    barrier();
    WRITE_ONCE(c->n_locks_held, n - 1);
}

/* Which of the two was wrong, and where, the witness knows. */
static _Noreturn void bad_order(const struct cpu *c, const char *name, uint32_t rank, const void *frame)
{
    unsigned n = c->n_locks_held;
    if (CONFIG_DEBUG)
        witness_bad_order(name, rank, frame);
    panic("lock order: taking '%s' (rank %u) while holding '%s' (rank %u)", name, rank,
          c->locks_held[n - 1].name, c->locks_held[n - 1].rank);
}

static inline void push(const void *lock, const char *name, uint32_t rank, const void *frame)
{
    struct cpu *c = this_cpu();
    unsigned n = c->n_locks_held;
    if (unlikely(n && c->locks_held[n - 1].rank >= rank))
        bad_order(c, name, rank, frame);
    if (unlikely(n == ARRAY_SIZE(c->locks_held)))
        panic("too many locks held, taking '%s'", name);
    WRITE_ONCE(c->n_locks_held, n + 1);
    barrier();
    c->locks_held[n] = (struct held_lock){ lock, name, rank };
    if (CONFIG_DEBUG)
        witness_acquire(n, name, rank, frame);
}

void held_push_plain(const void *lock, const char *name, uint32_t rank)
{
    push(lock, name, rank, NULL);
}

void held_push_at(const void *lock, const char *name, uint32_t rank, const void *frame)
{
    push(lock, name, rank, frame);
}

static _Noreturn void not_held(const void *lock, const char *name, const void *frame)
{
    if (CONFIG_DEBUG)
        witness_not_held(lock, name, frame);
    panic("releasing '%s', which this CPU does not hold", name);
}

/* Seldom: locks are mostly let go in reverse. */
static void pop_from_below(struct cpu *c, const void *lock, const char *name, const void *frame)
{
    unsigned n = c->n_locks_held, at = n;
    while (at && c->locks_held[at - 1].lock != lock)
        at--;
    if (unlikely(!at))
        not_held(lock, name, frame);
    if (CONFIG_DEBUG)
        witness_release(at - 1, lock, frame);
    for (; at < n; at++)
        c->locks_held[at - 1] = c->locks_held[at];
    place_free(c, n);
}

static inline void pop(const void *lock, const char *name, const void *frame)
{
    struct cpu *c = this_cpu();
    unsigned n = c->n_locks_held;
    if (unlikely(!n || c->locks_held[n - 1].lock != lock)) {
        pop_from_below(c, lock, name, frame);
        return;
    }
    if (CONFIG_DEBUG)
        witness_release(n - 1, lock, frame);
    place_free(c, n);
}

/* Says so once when it takes long, unless the log itself may be what hangs. */
void spin_wait(const uint32_t *word, const char *name)
{
    uint64_t began = 0;
    bool reported = n_cpus <= 1 || this_cpu()->locks_held[this_cpu()->n_locks_held - 1].rank >= RANK_CONSOLE;
    for (unsigned i = 1; READ_ONCE(*word); i++) {
        cpu_relax();
        if (reported || i % LOOK_EVERY)
            continue;
        uint64_t now = time_now();
        began = began ? began : now;
        if (now - began > SPIN_REPORT) {
            klog(LOG_ERROR, "CPU %u has waited for lock '%s' for seconds, from %p", cpu_id(), name,
                 __builtin_return_address(0));
            reported = true;
        }
    }
}

void held_pop_plain(const void *lock, const char *name)
{
    pop(lock, name, NULL);
}

void held_pop_at(const void *lock, const char *name, const void *frame)
{
    pop(lock, name, frame);
}

void spin_contend(uint32_t *word, const char *name)
{
    const struct cpu *c = this_cpu();
    uint64_t began = rdtsc();
    while (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE))
        spin_wait(word, name);
    if (CONFIG_DEBUG)
        witness_contended(c->locks_held[c->n_locks_held - 1].rank, rdtsc() - began);
}

void spin_init(struct spinlock *l, const char *name, enum lock_rank rank)
{
    *l = (struct spinlock)SPINLOCK_INIT(name, rank);
}

uint64_t spin_lock(struct spinlock *l)
{
    uint64_t flags = irq_save();
    preempt_count_add(PREEMPT_ONE);
    held_push(l, l->name, l->rank);
    spin_acquire(&l->word, l->name);
    l->owner = this_cpu();
    return flags;
}

void spin_unlock(struct spinlock *l, uint64_t flags)
{
    held_pop(l, l->name);
    l->owner = NULL;
    spin_release(&l->word);
    preempt_count_sub(PREEMPT_ONE);
    irq_restore(flags);
    preempt_check();
}

bool spin_held(const struct spinlock *l)
{
    return READ_ONCE(l->word) && READ_ONCE(l->owner) == this_cpu();
}
