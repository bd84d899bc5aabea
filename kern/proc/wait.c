/* kern/proc/wait.c - wait4, waitid: what has become of a child. */
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"

struct wait_request {
    int pid, options;
    struct process *reaped; /* to be put after the lock is dropped */
    int status;
    struct resource_use use;
};

static bool is_asked_for(const struct process *child, int pid)
{
    if (pid > 0)
        return child->pid == pid;
    if (pid == -1)
        return true;
    return child->pgid == (pid ? -pid : current_process()->pgid);
}

/* wait4(2): children that were cloned to send another signal than SIGCHLD are waited for with WCLONE, all
 * with WALL. */
static bool is_of_the_kind(const struct process *child, int options)
{
    if (options & WALL)
        return true;
    return (child->exit_signal != SIGCHLD) == !!(options & (int)WCLONE);
}

/* Does the caller trace it? Then its stops are told by ptrace. */
static bool is_our_tracee(const struct process *child)
{
    struct task *t;

    list_for_each_entry (t, &child->threads, link)
        if (ptrace_tracer_pid_locked(t) == current_process()->pid)
            return true;
    return false;
}

/* Has child something to tell? *status: what; process_lock held. */
static bool has_news(struct process *child, int options, int *status)
{
    if (child->state == PROCESS_ZOMBIE && (options & WEXITED)) {
        *status = child->exit_status;
        return true;
    }
    if (is_our_tracee(child))
        return false;
    if (child->state == PROCESS_STOPPED && (options & WUNTRACED) && !child->stop_told) {
        *status = child->stop_signal << 8 | 0x7f;
        return true;
    }
    if (child->state == PROCESS_RUNNING && (options & WCONTINUED) && child->continued) {
        *status = 0xffff;
        return true;
    }
    return false;
}

/* process_lock held. */
static void take_news(struct wait_request *r, struct process *child)
{
    r->use = child->ended;
    resource_use_add(&r->use, &child->children_use);
    if (r->options & WNOWAIT)
        return;
    child->stop_told = true;
    child->continued = false;
    if (child->state != PROCESS_ZOMBIE)
        return;
    resource_use_add(&child->parent->children_use, &r->use);
    process_forget_locked(child);
    r->reaped = child;
}

/* What look_at_children() found, none, or the news of a tracee. process_lock held. */
static int look_at_tracees(struct wait_request *r, int found)
{
    bool any = false;
    int tid = ptrace_wait_locked(current_process(), r->pid, r->options, &r->status, &any);

    return tid ? tid : any ? 0 : found;
}

/* Look at every child once: a pid, 0 (none has news), -ECHILD (none is asked for). */
static int look_at_children(struct wait_request *r)
{
    struct process *child, *next;
    uint64_t flags = spin_lock(&process_lock);
    int result = -ECHILD;

    list_for_each_entry_safe (child, next, &current_process()->children, sibling) {
        if (!is_asked_for(child, r->pid) || !is_of_the_kind(child, r->options))
            continue;
        result = 0;
        if (!has_news(child, r->options, &r->status))
            continue;
        result = child->pid;
        take_news(r, child);
        break;
    }
    if (result <= 0)
        result = look_at_tracees(r, result);
    spin_unlock(&process_lock, flags);
    return result;
}

int process_wait(int pid, int options, int *status, struct resource_use *use)
{
    struct wait_request r = { .pid = pid, .options = options };
    int found = 0, err = 0;

    if (pid == INT32_MIN)
        return -ESRCH;
    if (options & WNOHANG)
        found = look_at_children(&r);
    else
        err = wait_event(&current_process()->wait_children, found || (found = look_at_children(&r)),
                         TIME_NEVER);
    if (r.reaped)
        process_put(r.reaped);
    *status = r.status;
    *use = r.use;
    return found ? found : err; /* the signal may be the child's own SIGCHLD: wait_event looked once more */
}
