/* kern/proc/oom.c - who ends when memory is out.
 *
 * Programs are refused the last part of memory (kern/mm/page.h), so the kernel itself still has some while
 * one of them is ended: the one that has most pages, moved by its oom_score_adj as proc(5) has it, and with
 * it whoever shares its memory. pid 1 is spared. Until it is gone, and for no longer than its grace, nobody
 * else is chosen. */
#include "kern/proc/oom.h"
#include "kern/mm/mm.h"
#include "kern/mm/vm.h"
#include "kern/proc/signals.h"

enum { SPARED = -OOM_SCORE_ADJ_MAX };
#define LOOK_AGAIN ms(5)  /* between two looks whether memory has come */
#define GRACE      sec(2) /* for the one chosen; then another is */

static struct {     /* PROCESS lock */
    uint64_t until; /* nobody is chosen before then, unless the one chosen is gone */
    int pid;        /* of the one chosen last */
} last;

struct candidate {
    struct process *process;
    int64_t score; /* pages */
    uint64_t total;
};

static bool is_ending(const struct process *p)
{
    return p->exiting || p->state == PROCESS_ZOMBIE || (p->pending.set & SIGNAL_BIT(SIGKILL));
}

/* process_lock held. */
static void consider(struct process *p, void *arg)
{
    struct candidate *best = arg;
    int64_t score;

    if (p->pid == 1 || !p->vm || is_ending(p) || p->oom_score_adj == SPARED)
        return;
    score = (int64_t)vm_resident(p->vm) + (int64_t)best->total / OOM_SCORE_ADJ_MAX * p->oom_score_adj;
    if (best->process && score <= best->score)
        return;
    best->process = p;
    best->score = score;
}

static void kill_sharer(struct process *p, void *arg)
{
    if (p->vm == arg && p->pid != 1)
        signal_send_locked(p, SIGKILL, &(struct signal_info){ .code = SI_KERNEL });
}

/* Is the one chosen last still on its way? process_lock held. */
static bool one_is_going(void)
{
    const struct process *p = last.pid ? process_find_locked(last.pid) : NULL;

    return p && p->vm && time_now() < last.until;
}

/* process_lock held. False: there is nobody. */
static bool kill_largest(void)
{
    struct mm_stats mm;
    struct candidate best = { 0 };

    mm_get_stats(&mm);
    best.total = mm.total;
    process_for_each_locked(consider, &best);
    if (!best.process)
        return false;
    last.pid = best.process->pid;
    last.until = time_now() + GRACE;
    klog(LOG_ERROR, "out of memory: killed %s[%d], which had %llu KiB", best.process->comm, best.process->pid,
         (unsigned long long)vm_resident(best.process->vm) * (PAGE_SIZE / 1024));
    process_for_each_locked(kill_sharer, best.process->vm);
    return true;
}

bool oom_relieve(void)
{
    uint64_t flags;
    bool hope;

    if (is_ending(current_process()))
        return false;
    if (!memory_is_short())
        return true;
    flags = spin_lock(&process_lock);
    hope = one_is_going() || kill_largest();
    spin_unlock(&process_lock, flags);
    if (!hope || is_ending(current_process()))
        return false;
    thread_sleep_through(time_now() + LOOK_AGAIN);
    return true;
}

bool oom_try_again(int64_t err)
{
    return err == -ENOMEM && memory_is_short() && oom_relieve();
}
