/* kern/sched/spinlock.h - the kernel's own spinlock: irqs off on this CPU while held; ranks of lib/lockrank.h
 * from 100 on, taken in rising order. net/ uses struct lock of port.h instead. */
#pragma once
#include "kern/cpu/cpu.h"
#include "lib/lockrank.h"

struct spinlock {
    uint32_t word;
    enum lock_rank rank;
    const char *name;
    struct cpu *owner;
};
#define SPINLOCK_INIT(name_, rank_)                                                                          \
    {                                                                                                        \
        .name = (name_), .rank = (rank_)                                                                     \
    }
void spin_init(struct spinlock *l, const char *name, enum lock_rank rank);
uint64_t spin_lock(struct spinlock *l); /* irqs off, then take; the flags for spin_unlock */
void spin_unlock(struct spinlock *l, uint64_t flags);
bool spin_held(const struct spinlock *l); /* by this CPU */

/* A lock whose holder may sleep. Process context only. */
#include "kern/debug/site.h"
#include "net/port.h"
struct mutex_record { /* the witness's (kern/debug/witness_mutex.c); debug kernels only */
    uint32_t class;
    bool nests;          /* a thread may take several of the class */
    struct mutex *outer; /* of its owner's mutexes the one taken before */
    struct site taken_at, released_at;
};
struct mutex {
    struct spinlock guard;
    struct thread *owner;
    struct waitq wq;
    struct mutex_record record[CONFIG_DEBUG];
};
/* For one that is static and called m. */
#define MUTEX_INIT(m, name_)                                                                                 \
    {                                                                                                        \
        .guard = SPINLOCK_INIT(name_, RANK_MUTEX), .wq.waiters = { &(m).wq.waiters, &(m).wq.waiters }        \
    }
void mutex_init(struct mutex *m, const char *name);
/* A thread may take several mutexes of m's name: that they form no circle is kept by other means. */
void mutex_may_nest(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
