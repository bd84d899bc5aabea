/* kern/sys/sys_sched.c - system calls about who runs where, and how much: sched_*, nice, get/setpriority.
 * There is one policy, time-sharing: how long a thread's slices are follows from its nice value. SCHED_BATCH
 * is the same, SCHED_IDLE the same at nice 19; the real-time policies are refused as to somebody who may not
 * have them. */
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"

enum { NICE_MIN = -20, NICE_MAX = 19, RT_PRIORITY_MAX = 99 };

/* The thread with this tid (0: the caller), process_lock held. */
static struct task *find_thread(int tid)
{
    return tid ? task_find_any_locked(tid) : current_task();
}

SYSCALL_DEFINE0(sched_yield)
{
    yield();
    return 0;
}

/* ---- affinity ---- */

SYSCALL_DEFINE3(sched_getaffinity, int, tid, unsigned, size, uintptr_t, user_mask)
{
    uint64_t mask, flags;
    struct task *t;

    if (size < sizeof mask || size % sizeof mask)
        return -EINVAL;
    flags = spin_lock(&process_lock);
    t = find_thread(tid);
    mask = t ? READ_ONCE(t->thread->affinity) & thread_cpus() : 0;
    spin_unlock(&process_lock, flags);
    if (!t)
        return -ESRCH;
    return copy_to_user(user_mask, &mask, sizeof mask) ? -EFAULT : (int64_t)sizeof mask;
}

SYSCALL_DEFINE3(sched_setaffinity, int, tid, unsigned, size, uintptr_t, user_mask)
{
    uint64_t mask = 0, flags;
    struct task *t;
    int err = -ESRCH;

    if (copy_from_user(&mask, user_mask, MIN((size_t)size, sizeof mask)))
        return -EFAULT;
    flags = spin_lock(&process_lock);
    t = find_thread(tid);
    if (t)
        err = t->process->kernel_thread ? -EINVAL : thread_set_affinity(t->thread, (uint32_t)mask);
    spin_unlock(&process_lock, flags);
    if (!err && t == current_task())
        schedule(); /* if this CPU is not among them any more, it goes on elsewhere */
    return err;
}

/* ---- policies ---- */

static bool policy_exists(int policy)
{
    return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_BATCH ||
           policy == SCHED_IDLE;
}

static bool is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int set_policy(int tid, int policy, int priority)
{
    uint64_t flags;
    struct task *t;

    if (!policy_exists(policy))
        return -EINVAL;
    if (is_realtime(policy) ? priority < 1 || priority > RT_PRIORITY_MAX : priority != 0)
        return -EINVAL;
    flags = spin_lock(&process_lock);
    t = find_thread(tid);
    if (t && !is_realtime(policy)) {
        t->policy = policy;
        thread_set_nice(t->thread, policy == SCHED_IDLE ? NICE_MAX : t->nice);
    }
    spin_unlock(&process_lock, flags);
    return !t ? -ESRCH : is_realtime(policy) ? -EPERM : 0;
}

SYSCALL_DEFINE3(sched_setscheduler, int, tid, int, policy, uintptr_t, user_param)
{
    int32_t priority;

    if (tid < 0 || policy < 0 || !user_param)
        return -EINVAL;
    return copy_from_user(&priority, user_param, sizeof priority) ? -EFAULT
                                                                  : set_policy(tid, policy, priority);
}

/* The thread's policy, or -ESRCH. */
static int policy_of(int tid)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = find_thread(tid);
    int policy = t ? t->policy : -ESRCH;

    spin_unlock(&process_lock, flags);
    return policy;
}

SYSCALL_DEFINE2(sched_setparam, int, tid, uintptr_t, user_param)
{
    int32_t priority;
    int policy;

    if (tid < 0 || !user_param)
        return -EINVAL;
    if (copy_from_user(&priority, user_param, sizeof priority))
        return -EFAULT;
    policy = policy_of(tid);
    return policy < 0 ? policy : set_policy(tid, policy, priority);
}

SYSCALL_DEFINE1(sched_getscheduler, int, tid)
{
    return tid < 0 ? -EINVAL : policy_of(tid);
}

SYSCALL_DEFINE2(sched_getparam, int, tid, uintptr_t, user_param)
{
    int32_t priority = 0;
    int policy;

    if (tid < 0 || !user_param)
        return -EINVAL;
    policy = policy_of(tid);
    return policy < 0 ? policy : copy_to_user(user_param, &priority, sizeof priority);
}

SYSCALL_DEFINE1(sched_get_priority_max, int, policy)
{
    return !policy_exists(policy) ? -EINVAL : is_realtime(policy) ? RT_PRIORITY_MAX : 0;
}

SYSCALL_DEFINE1(sched_get_priority_min, int, policy)
{
    return !policy_exists(policy) ? -EINVAL : is_realtime(policy) ? 1 : 0;
}

SYSCALL_DEFINE2(sched_rr_get_interval, int, tid, uintptr_t, user)
{
    uint64_t flags, slice;
    struct task *t;

    if (tid < 0)
        return -EINVAL;
    flags = spin_lock(&process_lock);
    t = find_thread(tid);
    slice = t ? thread_slice(t->thread) : 0;
    spin_unlock(&process_lock, flags);
    return t ? timespec_to_user(user, slice) : -ESRCH;
}

/* ---- nice values ---- */

/* A walk over all processes of setpriority or getpriority. */
struct priority_walk {
    int which, who;
    bool set;
    int nice;  /* to set; or the least one found */
    int found; /* processes that were meant */
};

static bool is_meant(const struct priority_walk *w, const struct process *p)
{
    return w->which == PRIO_PGRP ? p->pgid == w->who : p->cred.uid.real == (uint32_t)w->who;
}

static void visit_task(struct priority_walk *w, struct task *t)
{
    w->found++;
    if (w->set) {
        t->nice = w->nice;
        thread_set_nice(t->thread, t->policy == SCHED_IDLE ? NICE_MAX : w->nice);
    } else {
        w->nice = MIN(w->nice, t->nice);
    }
}

static void visit_process(struct process *p, void *arg)
{
    struct priority_walk *w = arg;
    struct task *t;

    if (!is_meant(w, p))
        return;
    list_for_each_entry (t, &p->threads, link)
        visit_task(w, t);
}

static void walk_priorities(struct priority_walk *w)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = w->which == PRIO_PROCESS ? find_thread(w->who) : NULL;

    if (w->which == PRIO_PGRP && !w->who)
        w->who = current_process()->pgid;
    if (w->which == PRIO_USER && !w->who)
        w->who = (int)current_cred()->uid.real;
    if (t)
        visit_task(w, t);
    if (w->which != PRIO_PROCESS)
        process_for_each_locked(visit_process, w);
    spin_unlock(&process_lock, flags);
}

static int clamp_nice(int64_t nice)
{
    return (int)MAX(MIN(nice, (int64_t)NICE_MAX), (int64_t)NICE_MIN);
}

SYSCALL_DEFINE3(setpriority, int, which, int, who, int, nice)
{
    struct priority_walk w = { .which = which, .who = who, .set = true, .nice = clamp_nice(nice) };

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    walk_priorities(&w);
    return w.found ? 0 : -ESRCH;
}

/* 20 - nice, so that no result looks like an error (getpriority(2)). */
SYSCALL_DEFINE2(getpriority, int, which, int, who)
{
    struct priority_walk w = { .which = which, .who = who, .nice = NICE_MAX };

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    walk_priorities(&w);
    return w.found ? 20 - w.nice : -ESRCH;
}
