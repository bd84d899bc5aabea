/* kern/sched/selftest.h - the kernel's tests of itself, for what cannot be tried outside it: run instead of
 * init when the command line says `selftest`. */
#pragma once
#include "kern/sched/wait.h"

struct selftest {
    const char *name; /* a sentence; NULL ends a table */
    bool (*fn)(void); /* a thread of its own; true: passed */
};
extern const struct selftest sched_selftests[], work_selftests[], mm_selftests[];

/* Start the thread that runs all of them, a log line each, ends with `selftest: N passed, N failed` and
 * leaves the machine with status 0 or 1. Returns at once; the other CPUs are up. */
void selftest_run(void);
/* Make the mistake of that name; kern/sched/provoke.c. Leaves the machine with status 2 if it is survived. */
_Noreturn void provoke(const char *name);

/* ---- for the tests; kern/sched/selftest.c ---- */

/* Run fn(cpu) in a thread of its own on each CPU at once, and wait. False if one returned false or none came
 * back in time. */
bool selftest_on_all_cpus(bool (*fn)(unsigned cpu));
/* A counter that others raise and one waits for; it may be gone as soon as that one has seen it. */
struct tally {
    struct spinlock lock;
    unsigned count; /* lock */
    struct waitq wq;
};
void tally_init(struct tally *t);
void tally_add(struct tally *t);
/* Wait until it is n. False if that does not come in a minute: an emulated CPU may stand still for a while.
 */
bool tally_reaches(struct tally *t, unsigned n);
/* In the tests' own words: false, with a log line that names the condition, unless cond. */
bool selftest_check(bool cond, const char *what, const char *file, int line);
#define EXPECT(cond)                                                                                         \
    do {                                                                                                     \
        if (!selftest_check((cond), #cond, __FILE__, __LINE__))                                              \
            return false;                                                                                    \
    } while (0)
/* A sequence of numbers that is the same at every run. */
static inline uint32_t selftest_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223; /* Knuth, TAOCP vol. 2, 3.3.4 */
    return *state >> 8;
}
