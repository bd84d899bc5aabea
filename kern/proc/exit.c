/* kern/proc/exit.c - the end of threads and processes.
 * A thread leaves from its own context only; whoever wants it gone marks it and interrupts its sleep. */
#include "kern/cpu/cpu.h"
#include "kern/debug/console.h"
#include "kern/fs/tty.h"
#include "kern/mm/vm.h"
#include "kern/proc/futex.h"
#include "kern/proc/itimer.h"
#include "kern/proc/posix_timer.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"

void task_switch_vm(struct vm_space *vm)
{
    irq_disable();
    current_thread()->vm = vm;
    vm_activate(vm);
    irq_enable();
}

void process_begin_exit(int status)
{
    struct process *p = current_process();
    uint64_t flags = spin_lock(&process_lock);
    struct task *t;

    if (!p->exiting) {
        p->exiting = true;
        p->exit_status = status;
        list_for_each_entry (t, &p->threads, link)
            thread_interrupt(t->thread);
    }
    spin_unlock(&process_lock, flags);
}

int process_end_other_threads(void)
{
    struct process *p = current_process();
    struct task *self = current_task(), *t;
    uint64_t flags = spin_lock(&process_lock);
    int err;

    list_for_each_entry (t, &p->threads, link) {
        if (t == self || self->doomed) /* doomed: another thread was faster */
            continue;
        t->doomed = true;
        thread_interrupt(t->thread);
    }
    spin_unlock(&process_lock, flags);
    err = wait_event(&p->wait_children, READ_ONCE(p->n_threads) == 1, TIME_NEVER);
    if (!err && self->tid != p->pid) {
        pid_free(self->tid);
        flags = spin_lock(&process_lock);
        self->tid = p->pid; /* the process's first thread is gone: this is it now */
        if (self->trace)
            self->trace->tid = self->tid;
        spin_unlock(&process_lock, flags);
    }
    return err;
}

/* pid 1 has ended: nobody is left to run the machine. */
static _Noreturn void init_ended(int status)
{
    if (status & 0x7f)
        klog(LOG_ERROR, "init was killed by signal %d", status & 0x7f);
    else
        klog(LOG_ERROR, "init ended with status %d", status >> 8);
    machine_exit(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
}

struct group_search {
    int pgid;
    bool stopped;
};

static void search_stopped(struct process *p, void *arg)
{
    struct group_search *g = arg;

    g->stopped |= p->pgid == g->pgid && p->state == PROCESS_STOPPED;
}

static void hang_up(struct process *p, void *arg)
{
    const struct group_search *g = arg;

    if (p->pgid != g->pgid)
        return;
    signal_send_locked(p, SIGHUP, &(struct signal_info){ .code = SI_KERNEL });
    signal_send_locked(p, SIGCONT, &(struct signal_info){ .code = SI_KERNEL });
}

/* process_lock held. If this group has been orphaned and has stopped members, nobody else would wake them. */
static void release_orphans(int pgid)
{
    struct group_search g = { .pgid = pgid };

    process_for_each_locked(search_stopped, &g);
    if (g.stopped && process_group_is_orphaned_locked(pgid))
        process_for_each_locked(hang_up, &g);
}

/* process_lock held. Children go to pid 1, which collects those that are zombies already. */
static void give_children_away(struct process *p)
{
    struct process *init = process_find_locked(1), *child, *next;
    const struct signal_info info = { .code = SI_USER, .pid = p->pid };

    list_for_each_entry_safe (child, next, &p->children, sibling) {
        list_del(&child->sibling);
        child->parent = init;
        child->exit_signal = SIGCHLD; /* no other, or clone() could kill pid 1 */
        if (child->parent_death_signal)
            signal_send_locked(child, child->parent_death_signal, &info);
        list_add_tail(&child->sibling, &init->children);
        if (child->pgid != p->pgid && child->sid == p->sid)
            release_orphans(child->pgid);
    }
    waitq_wake(&init->wait_children);
}

/* process_lock held. Does the parent want to hear of its children's ends at all? (sigaction(2), SIGCHLD) */
static bool parent_ignores(const struct process *parent)
{
    const struct kernel_sigaction *a = &parent->action[SIGCHLD - 1];

    return a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT);
}

/* process_lock held. */
static void tell_parent(struct process *p)
{
    struct signal_info info = {
        .pid = p->pid, .uid = p->cred.uid.real, .user_ns = p->ended.user_ns, .system_ns = p->ended.system_ns
    };
    int killed_by = p->exit_status & 0x7f;

    info.code = killed_by ? CLD_KILLED : CLD_EXITED;
    info.status = killed_by ? killed_by : p->exit_status >> 8;
    if (p->exit_signal)
        signal_send_locked(p->parent, p->exit_signal, &info);
    waitq_wake(&p->parent->wait_children);
}

/* From here on the process is a zombie, or forgotten if the parent does not care. */
static void become_zombie(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    bool forgotten;

    ptrace_tracer_ends_locked(p);
    ptrace_process_ends_locked(p);
    give_children_away(p);
    p->state = PROCESS_ZOMBIE;
    p->vfork_pending = false;
    if (p->parent && p->parent->pgid != p->pgid && p->parent->sid == p->sid)
        release_orphans(p->pgid);
    tell_parent(p);
    forgotten = p->exit_signal == SIGCHLD && parent_ignores(p->parent);
    if (forgotten)
        process_forget_locked(p);
    spin_unlock(&process_lock, flags);
    if (forgotten)
        process_put(p);
}

/* The last thread leaves. */
static void process_end(struct process *p)
{
    if (p->pid == 1)
        init_ended(p->exit_status);
    itimer_stop(p);
    posix_timers_end(p);
    process_release_resources(p);
    if (p->sid == p->pid)
        tty_session_ends(p);
    become_zombie(p);
}

/* pthread_join and its like wait for this word. */
static void clear_tid(struct task *t)
{
    int32_t zero = 0;

    if (t->clear_child_tid && !copy_to_user(t->clear_child_tid, &zero, sizeof zero))
        futex_wake(t->process->vm, t->clear_child_tid, false, 1, UINT32_MAX);
}

/* Off the process's list of threads. True: it was the last one. */
static bool leave_process(struct task *t, int status)
{
    struct process *p = t->process;
    struct resource_use use = task_use(t);
    uint64_t flags = spin_lock(&process_lock);
    bool last = --p->n_threads == 0;

    list_del(&t->link);
    ptrace_task_ends_locked(t, p->exiting ? p->exit_status : status);
    resource_use_add(&p->ended, &use);
    if (last && !p->exiting) {
        p->exiting = true;
        p->exit_status = status;
    }
    waitq_wake(&p->wait_children);
    spin_unlock(&process_lock, flags);
    return last;
}

_Noreturn void task_exit(int status)
{
    struct task *t = current_task();
    struct process *p = t->process;

    futex_thread_ends(t);
    clear_tid(t);
    if (p->pid == 1 && p->n_threads == 1)
        init_ended(p->exiting ? p->exit_status : status);
    task_switch_vm(NULL);
    if (leave_process(t, status))
        process_end(p);
    thread_exit(0);
}

void process_vfork_done(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);

    p->vfork_pending = false;
    if (p->parent)
        waitq_wake(&p->parent->wait_children);
    spin_unlock(&process_lock, flags);
}
