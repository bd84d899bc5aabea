/* kern/proc/delivery.c - on the way back to user mode: signals are acted on, a thread that must leave leaves.
 *
 * A system call that a signal interrupted has -EINTR in rax. It is begun again (rip moves back over the two
 * bytes of `syscall`) if no handler runs, or the handler was set with SA_RESTART, and the call is one of
 * those that Linux restarts (signal(7)). */
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "kern/sys/syscall.h"
#include "lib/abi/ptrace.h"

enum { SYSCALL_LENGTH = 2, SYS_RESTART_SYSCALL = 219 };
enum default_action { END, STOP, IGNORE };

static enum default_action default_action(int signo)
{
    switch (signo) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
        return IGNORE;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return STOP;
    default:
        return END;
    }
}

/* action: of the handler that is about to run; NULL: none. */
static bool begins_again(uint64_t nr, const struct kernel_sigaction *action)
{
    switch (syscall_restart_of(nr)) {
    case RESTART:
        return !action || (action->flags & SA_RESTART);
    case UNHANDLED:
        return !action;
    default:
        return false;
    }
}

/* The first signal to be acted on after an interrupted call decides what becomes of the call. */
static void settle_interrupted_call(struct trapframe *tf, const struct kernel_sigaction *action)
{
    struct restart *restart = &current_task()->restart;

    if (action)
        restart->fn = NULL;
    if (tf->vector != VECTOR_SYSCALL)
        return;
    tf->vector = 0;
    if ((int64_t)tf->rax != -EINTR)
        return;
    if (begins_again(tf->error, action))
        tf->rax = tf->error;
    else if (restart->fn)
        tf->rax = SYS_RESTART_SYSCALL;
    else
        return;
    tf->rip -= SYSCALL_LENGTH;
}

/* ---- stopping ---- */

/* process_lock held. */
static void stop_now(struct process *p, int signo)
{
    struct task *t;

    p->state = PROCESS_STOPPED;
    p->stopping = false;
    p->stop_signal = signo;
    p->stop_told = p->continued = false;
    ptrace_process_changes_locked(p);
    signal_tell_parent_locked(p, CLD_STOPPED, signo);
    list_for_each_entry (t, &p->threads, link)
        thread_interrupt(t->thread); /* they stop on their own way back to user mode */
}

/* Unless its group is orphaned: nobody would let it go on; or SIGCONT or SIGKILL came since the signal was
 * taken off its queue. */
static void stop_process(struct process *p, int signo)
{
    uint64_t flags = spin_lock(&process_lock);

    if (p->stopping && (signo == SIGSTOP || !process_group_is_orphaned_locked(p->pgid)))
        stop_now(p, signo);
    spin_unlock(&process_lock, flags);
}

/* False: the process goes on. A signal that comes between the look and the sleep ends the sleep at once. */
static bool still_stopped(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = current_task();
    bool stopped = p->state == PROCESS_STOPPED && !p->exiting && !t->doomed &&
                   !ptrace_stop_is_due_locked(t) && !(t->trace && t->trace->passed_group_stop);

    if (stopped)
        __atomic_store_n(&current_thread()->signal_pending, 0, __ATOMIC_SEQ_CST);
    spin_unlock(&process_lock, flags);
    return stopped;
}

static void sleep_while_stopped(struct process *p)
{
    while (still_stopped(p))
        thread_sleep_until(TIME_NEVER);
    signal_deliverable(); /* what came meanwhile counts again */
}

/* ---- handlers ---- */

static void run_handler(struct trapframe *tf, int signo, const struct signal_info *info,
                        const struct kernel_sigaction *action)
{
    struct task *t = current_task();
    uint64_t old_mask = t->restore_mask ? t->saved_mask : t->blocked;
    uint64_t mask = t->blocked | action->mask;

    settle_interrupted_call(tf, action);
    if (sigframe_push(tf, signo, info, action, old_mask)) {
        process_begin_exit(SIGSEGV); /* no room for the frame */
        return;
    }
    t->restore_mask = false;
    if (!(action->flags & SA_NODEFER))
        mask |= SIGNAL_BIT(signo);
    signal_set_blocked(mask);
}

static struct kernel_sigaction take_action(struct process *p, int signo)
{
    uint64_t flags = spin_lock(&process_lock);
    struct kernel_sigaction action = p->action[signo - 1];

    if ((action.flags & SA_RESETHAND) && action.handler != SIG_IGN)
        p->action[signo - 1].handler = SIG_DFL;
    spin_unlock(&process_lock, flags);
    return action;
}

static void end_by(int signo)
{
    if (READ_ONCE(current_task()->trace))
        ptrace_event(PTRACE_EVENT_EXIT, (uint64_t)signo);
    process_begin_exit(signo);
}

static void act_on(struct trapframe *tf, int signo, const struct signal_info *info)
{
    struct process *p = current_process();
    struct kernel_sigaction action = take_action(p, signo);

    if (action.handler == SIG_IGN)
        return;
    if (action.handler != SIG_DFL)
        run_handler(tf, signo, info, &action);
    else if (default_action(signo) == STOP)
        stop_process(p, signo);
    else if (default_action(signo) == END)
        end_by(signo);
}

static void leave_if_due(void)
{
    struct process *p = current_process();

    if (READ_ONCE(p->exiting) || READ_ONCE(current_task()->doomed))
        task_exit(p->exit_status);
}

static void deliver_signals(struct trapframe *tf)
{
    struct process *p = current_process();
    struct task *t = current_task();
    struct signal_info info;
    int signo;

    do {
        leave_if_due();
        if (READ_ONCE(t->trace))
            ptrace_due_stops();
        if (READ_ONCE(p->state) == PROCESS_STOPPED)
            sleep_while_stopped(p);
        leave_if_due();
        signo = signal_dequeue(~signal_blocked(), &info);
        if (signo && signo != SIGKILL && READ_ONCE(t->trace))
            signo = ptrace_signal(signo, &info);
        if (signo)
            act_on(tf, signo, &info);
    } while (signo || signal_deliverable());
    settle_interrupted_call(tf, NULL);
}

void return_to_user(struct trapframe *tf)
{
    struct thread *self = current_thread();

    if (READ_ONCE(this_cpu()->need_resched))
        schedule();
    if (READ_ONCE(self->signal_pending) || READ_ONCE(self->task->doomed))
        deliver_signals(tf);
    if (self->task->restore_mask) {
        signal_end_temporary_mask();
        if (READ_ONCE(self->signal_pending)) /* by what only the temporary mask blocked */
            deliver_signals(tf);
    }
}
