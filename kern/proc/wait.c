/* kern/proc/wait.c - wait4, waitid: what has become of a child. */
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

/* Has child something to tell? *status: what; process_lock held. */
static bool has_news(struct process *child, int options, int *status)
{
    if (child->state == PROCESS_ZOMBIE && (options & WEXITED)) {
        *status = child->exit_status;
        return true;
    }
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

/* Look at every child once: a pid, 0 (none has news), -ECHILD (none is asked for). */
static int look_at_children(struct wait_request *r)
{
    struct process *child, *next;
    uint64_t flags = spin_lock(&process_lock);
    int result = -ECHILD;

    list_for_each_entry_safe (child, next, &current_process()->children, sibling) {
        if (!is_asked_for(child, r->pid))
            continue;
        result = 0;
        if (!has_news(child, r->options, &r->status))
            continue;
        result = child->pid;
        take_news(r, child);
        break;
    }
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
