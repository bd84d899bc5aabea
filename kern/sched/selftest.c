/* kern/sched/selftest.c - running the kernel's tests of itself. */
#include "kern/sched/selftest.h"
#include "kern/boot/boot.h"
#include "kern/debug/console.h"
#include "lib/abi/errno.h"

#define PATIENCE sec(60)

bool selftest_check(bool cond, const char *what, const char *file, int line)
{
    if (!cond)
        klog(LOG_ERROR, "%s:%d: expected %s", file, line, what);
    return cond;
}

void tally_init(struct tally *t)
{
    spin_init(&t->lock, "selftest", RANK_PROCESS);
    t->count = 0;
    waitq_init(&t->wq);
}

void tally_add(struct tally *t)
{
    uint64_t flags = spin_lock(&t->lock);
    t->count++;
    waitq_wake(&t->wq); /* under the lock: behind it, t may be gone */
    spin_unlock(&t->lock, flags);
}

bool tally_reaches(struct tally *t, unsigned n)
{
    uint64_t deadline = time_now() + PATIENCE, flags = spin_lock(&t->lock);
    while (t->count < n && waitq_wait_spin(&t->wq, &t->lock, &flags, deadline) != -ETIMEDOUT)
        ;
    bool reached = t->count >= n;
    spin_unlock(&t->lock, flags);
    return reached;
}

/* ---- one thread on each CPU ---- */

static struct {
    bool (*fn)(unsigned cpu);
    unsigned failed; /* atomic */
    struct tally done;
} team;

static void team_member(void *arg)
{
    (void)arg;
    if (!team.fn(cpu_id()))
        __atomic_fetch_add(&team.failed, 1, __ATOMIC_SEQ_CST);
    tally_add(&team.done);
}

bool selftest_on_all_cpus(bool (*fn)(unsigned cpu))
{
    team.fn = fn;
    team.failed = 0;
    tally_init(&team.done);
    for_each_cpu (i) {
        struct thread *t = thread_create("selftest-cpu", team_member, NULL);
        EXPECT(t);
        thread_set_cpu(t, i);
        thread_start(t);
    }
    EXPECT(tally_reaches(&team.done, n_cpus));
    return READ_ONCE(team.failed) == 0;
}

/* ---- all tests ---- */

static unsigned passed, failed;

static void run_table(const struct selftest *test)
{
    for (; test->name; test++) {
        uint64_t began = time_now();
        bool ok = test->fn();
        klog(ok ? LOG_INFO : LOG_ERROR, "selftest: %s: %s (%llu ms)", ok ? "passed" : "FAILED", test->name,
             (unsigned long long)((time_now() - began) / ms(1)));
        *(ok ? &passed : &failed) += 1;
    }
}

static void run_all(void *arg)
{
    char mistake[32];
    (void)arg;
    if (cmdline_get("provoke", mistake, sizeof mistake))
        provoke(mistake);
    run_table(mm_selftests);
    run_table(sched_selftests);
    run_table(work_selftests);
    klog(LOG_INFO, "selftest: %u passed, %u failed", passed, failed);
    machine_exit(failed ? 1 : 0);
}

void selftest_run(void)
{
    struct thread *t = thread_create("selftest", run_all, NULL);
    if (!t)
        panic("no memory for the self-tests");
    thread_start(t);
}
