/* kern/sched/held.h - which locks this CPU holds: the one list behind every lock's rank check. */
#pragma once
#include "kern/cpu/cpu.h"

/* Note that this CPU is about to take lock. Panics, naming both, if it holds one of the same rank or a higher
 * one. The caller stays on this CPU. */
void held_push(const void *lock, const char *name, uint32_t rank);
/* Note that it has let go of lock; panics if it never had it. */
void held_pop(const void *lock, const char *name);
/* Return when word looks free; reports once when that takes seconds. */
void spin_wait(const uint32_t *word, const char *name);
/* Take word, which is 0 while free. */
static inline void spin_acquire(uint32_t *word, const char *name)
{
    while (unlikely(__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE)))
        spin_wait(word, name);
}
static inline void spin_release(uint32_t *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}
