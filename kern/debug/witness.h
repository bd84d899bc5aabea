/* kern/debug/witness.h - the witness of debug kernels: who took which lock where, and in what order.
 *
 * It remembers the place (struct site) where each lock that is held was taken, where preemption, softirqs and
 * interrupts went off, and for each order in which two locks were ever taken the two places of the first
 * time. So each of its reports names two places: the one that is wrong, and the one that it collides with.
 *
 * A release kernel calls none of this and does not link it: each call stands behind CONFIG_DEBUG. */
#pragma once
#include "kern/debug/site.h"
#include "kern/sched/thread.h"

struct textbuf;

/* ---- spinning locks; kern/debug/witness.c. frame: of the function that takes or releases it ---- */

/* Remember that this CPU's n-th lock (from 0) is now this one. The caller stays on this CPU. */
void witness_acquire(unsigned n, const char *name, uint32_t rank, const void *frame);
/* The n-th is let go; those above it are about to move down by one. */
void witness_release(unsigned n, const void *lock, const void *frame);
void witness_contended(uint32_t rank, uint64_t ticks); /* it was waited for so long, in ticks of the TSC */
/* The reports, each the end. */
_Noreturn void witness_bad_order(const char *name, uint32_t rank, const void *frame);
_Noreturn void witness_not_held(const void *lock, const char *name, const void *frame);

/* ---- sleeping ---- */

/* The caller may sleep here; it must hold no spinning lock, and softirqs, preemption and interrupts are on.
 */
void witness_may_sleep(const void *frame);
static inline __attribute__((always_inline)) void may_sleep(void)
{
    if (CONFIG_DEBUG)
        witness_may_sleep(__builtin_frame_address(0));
}

/* ---- mutexes; kern/debug/witness_mutex.c ---- */

void witness_mutex_init(struct mutex *m, const char *name);
void witness_mutex_wait(struct mutex *m,
                        const void *frame); /* it is about to be taken: is the order right? */
void witness_mutex_taken(struct mutex *m, bool waited, const void *frame);
void witness_mutex_release(struct mutex *m, const void *frame); /* panics if the caller does not own it */
/* The current thread goes ("ends", "returns to its program"): it may hold none. */
void witness_thread_leaves(const char *where);

/* ---- what /proc shows ---- */

void witness_show_locks(struct textbuf *out);   /* /proc/lockstat: how often, how often in vain */
void witness_show_orders(struct textbuf *out);  /* /proc/lockorder: each order seen, with both places */
void witness_show_irqsoff(struct textbuf *out); /* /proc/irqsoff: the longest times, with both places */

/* ---- shared by the witness's own files ---- */

/* A report of several lines, the first of which says what is wrong; then the end. */
struct report {
    char text[1024];
    int len;
};
void report_line(struct report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "what", and the place. */
void report_site(struct report *r, const char *what, const struct site *s);
/* Where this CPU's interrupts went off last; kern/debug/irqsoff.c. */
const struct site *irqs_off_site(void);
void mutexes_show(struct textbuf *out);
void mutexes_show_orders(struct textbuf *out);
