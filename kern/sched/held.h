/* kern/sched/held.h - which locks this CPU holds: the one list behind every lock's rank check. */
#pragma once
#include "kern/cpu/cpu.h"
#include "kern/debug/witness.h"

/* Note that this CPU is about to take lock. Panics, naming both, if it holds one of the same rank or a higher
 * one. The caller stays on this CPU. */
#define held_push(lock, name, rank)                                                                          \
    (CONFIG_DEBUG ? held_push_at((lock), (name), (rank), __builtin_frame_address(0))                         \
                  : held_push_plain((lock), (name), (rank)))
/* Note that it has let go of lock; panics if it never had it. */
#define held_pop(lock, name)                                                                                 \
    (CONFIG_DEBUG ? held_pop_at((lock), (name), __builtin_frame_address(0)) : held_pop_plain((lock), (name)))
/* The debug kernel's witness wants the frame of the function that takes the lock; a release kernel is spared
 * the argument. */
void held_push_plain(const void *lock, const char *name, uint32_t rank);
void held_push_at(const void *lock, const char *name, uint32_t rank, const void *frame);
void held_pop_plain(const void *lock, const char *name);
void held_pop_at(const void *lock, const char *name, const void *frame);
/* Return when word looks free; reports once when that takes seconds. */
void spin_wait(const uint32_t *word, const char *name);
/* Wait for word and take it; for the debug kernel's statistics. */
void spin_contend(uint32_t *word, const char *name);
/* Take word, which is 0 while free. The lock is this CPU's last in the list. */
static inline void spin_acquire(uint32_t *word, const char *name)
{
    if (CONFIG_DEBUG && unlikely(READ_ONCE(*word)))
        spin_contend(word, name);
    else
        while (unlikely(__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE)))
            spin_wait(word, name);
}
static inline void spin_release(uint32_t *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}
