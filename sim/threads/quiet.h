/* sim/threads/quiet.h - what the machine under net/ is built of, unseen by ThreadSanitizer, and the few words
 * that tell it what orders two threads.
 *
 * ThreadSanitizer takes two accesses for ordered when a lock, an atomic or a condition variable lies between
 * them. The machine needs all three for itself, and each of them would order more than net/port.h promises:
 * a race of net/ would then hide behind the machine's own list of softirqs. So the machine is compiled
 * without the sanitizer, waits by bare futex calls, and says by order_release() and order_acquire() what the
 * contract says, and nothing else. */
#pragma once
#include "net/port.h"

/* ---- a lock and a sleep that order nothing in ThreadSanitizer's eyes ---- */

/* A sleeping lock in one word, 0 at first. */
void quiet_lock(uint32_t *word);
bool quiet_try_lock(uint32_t *word);
void quiet_unlock(uint32_t *word);
/* Sleep while *word is value, until quiet_wake() or the host's clock shows until (ns, TIME_NEVER: for ever).
 * May return for no reason. */
void quiet_sleep(uint32_t *word, uint32_t value, uint64_t until);
void quiet_wake(uint32_t *word);
/* CLOCK_MONOTONIC in ns. */
uint64_t quiet_clock(void);
/* Copy as a device would, by DMA: nothing is seen of it. */
void quiet_copy(void *dst, const void *src, size_t n);

/* ---- what ThreadSanitizer is told ---- */

/* What the thread did before order_release(at) comes before what another does after order_acquire(at). */
void order_release(void *at);
void order_acquire(void *at);
/* l is taken or let go: reports then name the locks that were held. */
void order_lock_taking(struct lock *l);
void order_lock_taken(struct lock *l);
void order_lock_letting_go(struct lock *l);
void order_lock_let_go(struct lock *l);
/* The object at p is used, made anew, or its n bytes are read or written by a device: so that its use after
 * it was freed, or while it is made, is seen. */
void order_used(const void *p);
void order_made(void *p, size_t n);
void order_read(const void *p, size_t n);
void order_written(void *p, size_t n);
/* Where the calling thread is, to stderr. */
void order_show_stack(void);
