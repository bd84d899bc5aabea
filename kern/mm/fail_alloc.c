/* kern/mm/fail_alloc.c - which allocation is to fail. */
#include "kern/mm/fail_alloc.h"
#include "kern/debug/site.h"
#include "kern/sched/thread.h"
#include "lib/format.h"
#include "net/port.h"

bool fail_alloc_armed;
struct fail_alloc_knobs {
    int32_t thread_nth;  /* as written; the count itself is in struct thread */
    int32_t nth, every;  /* atomic: nth counts down to 0 */
    uint64_t asked;      /* atomic; allocations since every was set */
    uint64_t failed;     /* atomic */
    struct site last_at; /* where the last one failed */
} fail_alloc_knobs;

/* Count one down at most to zero; true for the one that gets there. Interrupts in between may lose a count,
 * never the zero. */
static bool was_last(int32_t *left)
{
    int32_t now = READ_ONCE(*left);
    while (now > 0)
        if (__atomic_compare_exchange_n(left, &now, now - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return now == 1;
    return false;
}

static bool is_every_nth(struct fail_alloc_knobs *k)
{
    int32_t every = READ_ONCE(k->every);
    return every > 0 && __atomic_add_fetch(&k->asked, 1, __ATOMIC_RELAXED) % (uint64_t)every == 0;
}

bool fail_alloc_now(const void *frame)
{
    struct fail_alloc_knobs *k = &fail_alloc_knobs;
    struct thread *t = current_thread();
    bool thread_s = t && was_last(&t->fail_nth), anybody_s = was_last(&k->nth); /* each counts each time */
    bool fails = is_every_nth(k) || thread_s || anybody_s;
    if (!fails)
        return false;
    site_take(&k->last_at, frame);
    __atomic_fetch_add(&k->failed, 1, __ATOMIC_RELAXED);
    return true;
}

/* ---- the knobs ---- */

static void arm(void *base)
{
    struct fail_alloc_knobs *k = base;
    k->asked = 0;
    WRITE_ONCE(fail_alloc_armed, true);
}

static void arm_thread(void *base)
{
    struct fail_alloc_knobs *k = base;
    current_thread()->fail_nth = k->thread_nth;
    arm(base);
}

static int show_left(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, "%d", current_thread()->fail_nth);
}

static int show_last(const void *base, char *buf, size_t size)
{
    const struct fail_alloc_knobs *k = base;
    return site_format(buf, size, &k->last_at);
}

const struct sysctl fail_alloc_sysctls[] = {
    { SYSCTL_INT("debug/fail_alloc_every", struct fail_alloc_knobs, every, 0, INT32_MAX,
                 "every Nth allocation of kernel memory fails; 0: none (debug kernels)"),
      .changed = arm },
    { SYSCTL_SHOW("debug/fail_alloc_last", show_last,
                  "where the last one was made to fail (debug kernels)") },
    { SYSCTL_INT("debug/fail_alloc_nth", struct fail_alloc_knobs, nth, 0, INT32_MAX,
                 "the Nth allocation from now on fails, whoever makes it (debug kernels)"),
      .changed = arm },
    { SYSCTL_INT(
          "debug/fail_nth", struct fail_alloc_knobs, thread_nth, 0, INT32_MAX,
          "the Nth allocation of the thread that writes this fails; reading it shows how many are left "
          "until then (debug kernels)"),
      .changed = arm_thread, .show = show_left },
    { SYSCTL_U64("debug/fail_alloc_failed", struct fail_alloc_knobs, failed, 0, INT64_MAX,
                 "how many were made to fail (debug kernels)"),
      .read_only = true },
    { .path = NULL },
};
