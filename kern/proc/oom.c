/* kern/proc/oom.c - who ends when memory is out.
 *
 * Programs are refused the last part of memory (kern/mm/page.h), so the kernel itself still has some while
 * one of them is ended. A process counts with its pages and half of its children's, moved by its
 * oom_score_adj as proc(5) has it, so that a swarm of small ones weighs on who made it; of the heaviest the
 * largest child is ended, itself if it has none: a shell outlives what it started. Whoever shares the
 * victim's memory goes with it. pid 1 is spared. While somebody is on his way out, for no longer than a
 * grace, nobody else is chosen. */
#include "kern/proc/oom.h"
#include "kern/mm/mm.h"
#include "kern/mm/vm.h"
#include "kern/proc/signals.h"

enum { SPARED = -OOM_SCORE_ADJ_MAX };
#define LOOK_AGAIN ms(5)  /* between two looks whether memory has come */
#define GRACE      sec(2) /* for the one chosen; then another is */

static uint64_t grace_ends; /* PROCESS lock; until then whoever is on his way out is waited for */
static uint64_t
    next_look; /* PROCESS lock; thousands may ask, and one look at all processes serves them all */

struct candidate {
    struct process *process;
    int64_t score; /* pages */
    uint64_t total;
};

static bool is_ending(const struct process *p)
{
    return p->exiting || p->state == PROCESS_ZOMBIE || (p->pending.set & SIGNAL_BIT(SIGKILL));
}

static bool may_be_ended(const struct process *p)
{
    return p->pid != 1 && p->vm && !is_ending(p) && p->oom_score_adj != SPARED;
}

/* The child with most pages of its own that may be ended, or NULL; *all: what all of them have. process_lock
 * held. */
static struct process *largest_child(const struct process *parent, uint64_t *all)
{
    struct process *p, *largest = NULL;

    *all = 0;
    list_for_each_entry (p, &parent->children, sibling) {
        if (!may_be_ended(p) || p->vm == parent->vm)
            continue;
        *all += vm_resident(p->vm);
        if (!largest || vm_resident(p->vm) > vm_resident(largest->vm))
            largest = p;
    }
    return largest;
}

/* process_lock held. */
static void consider(struct process *p, void *arg)
{
    struct candidate *best = arg;
    uint64_t children;
    int64_t score;

    if (!may_be_ended(p))
        return;
    largest_child(p, &children);
    score = (int64_t)(vm_resident(p->vm) + children / 2);
    score += (int64_t)best->total / OOM_SCORE_ADJ_MAX * p->oom_score_adj;
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

static void count_going(struct process *p, void *arg)
{
    *(unsigned *)arg += p->vm && is_ending(p);
}

/* Is somebody with memory on his way out, who was chosen or ends by himself? process_lock held. */
static bool one_is_going(void)
{
    unsigned going = 0;

    if (time_now() < grace_ends)
        process_for_each_locked(count_going, &going);
    return going;
}

/* Who is to end; NULL: there is nobody. process_lock held. */
static struct process *choose(void)
{
    struct mm_stats mm;
    struct candidate best = { 0 };
    struct process *child;
    uint64_t children;

    mm_get_stats(&mm);
    best.total = mm.total;
    process_for_each_locked(consider, &best);
    child = best.process ? largest_child(best.process, &children) : NULL;
    return child ? child : best.process;
}

/* process_lock held. False: there is nobody. */
static bool kill_largest(void)
{
    struct process *victim = choose();

    if (!victim)
        return false;
    grace_ends = time_now() + GRACE;
    klog(LOG_ERROR, "out of memory: killed %s[%d], which had %llu KiB", victim->comm, victim->pid,
         (unsigned long long)vm_resident(victim->vm) * (PAGE_SIZE / 1024));
    process_for_each_locked(kill_sharer, victim->vm);
    return true;
}

/* process_lock held. False: nobody is left to end. */
static bool look_at_all(void)
{
    bool hope = one_is_going() || kill_largest();

    if (hope)
        next_look = time_now() + LOOK_AGAIN;
    return hope;
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
    hope = time_now() < next_look || look_at_all();
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
