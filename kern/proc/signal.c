/* kern/proc/signal.c - sending signals: queues, masks, who is woken. Delivery is delivery.c's.
 * All state is guarded by process_lock. */
#include "kern/proc/posix_timer.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "lib/abi/socket.h"
#include "lib/string.h"

static const uint64_t ignored_by_default =
    SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH);
static const uint64_t stops =
    SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);
static const uint64_t unblockable = SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP);

struct waitq signal_arrivals = WAITQ_INIT(signal_arrivals);

/* ---- process_lock held ---- */

static bool task_blocks(const struct task *t, int signo)
{
    return (t->blocked | t->awaited) & SIGNAL_BIT(signo);
}

/* Nothing is ignored that a tracer may want to see. */
static bool is_traced(const struct process *p)
{
    struct task *t;

    list_for_each_entry (t, &p->threads, link)
        if (t->trace)
            return true;
    return false;
}

static bool process_blocks(const struct process *p, int signo)
{
    struct task *t;

    list_for_each_entry (t, &p->threads, link)
        if (task_blocks(t, signo))
            return true;
    return false;
}

/* Would it change nothing if it were delivered? pid 1 gets only what it has a handler for. */
static bool is_ignored(const struct process *p, int signo)
{
    uintptr_t handler = p->action[signo - 1].handler;

    if (handler == SIG_DFL)
        return p->pid == 1 || (ignored_by_default & SIGNAL_BIT(signo));
    return handler == SIG_IGN && !(unblockable & SIGNAL_BIT(signo));
}

static void drop_everywhere(struct process *p, uint64_t set)
{
    struct task *t;

    signal_queue_drop(&p->pending, set);
    list_for_each_entry (t, &p->threads, link)
        signal_queue_drop(&t->pending, set);
}

static void interrupt_all(struct process *p)
{
    struct task *t;

    list_for_each_entry (t, &p->threads, link)
        thread_interrupt(t->thread);
}

void signal_tell_parent_locked(struct process *p, int code, int status)
{
    struct signal_info info = { .code = code, .pid = p->pid, .uid = p->cred.uid.real, .status = status };

    if (!p->parent)
        return;
    if (!(p->parent->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
        signal_send_locked(p->parent, SIGCHLD, &info);
    waitq_wake(&p->parent->wait_children);
}

static void go_on(struct process *p)
{
    if (p->state != PROCESS_STOPPED)
        return;
    p->state = PROCESS_RUNNING;
    p->continued = true;
    ptrace_process_changes_locked(p);
    signal_tell_parent_locked(p, CLD_CONTINUED, SIGCONT);
    interrupt_all(p);
}

/* What sending does besides queueing: stop and continue signals cancel each other. */
static void before_queueing(struct process *p, int signo)
{
    if (stops & SIGNAL_BIT(signo))
        drop_everywhere(p, SIGNAL_BIT(SIGCONT));
    if (signo == SIGCONT)
        drop_everywhere(p, stops);
    if (signo == SIGCONT || signo == SIGKILL) {
        p->stopping = false;
        go_on(p);
    }
}

/* Interrupt one thread that takes the signal; all of them where it ends the process. */
static void interrupt_taker(struct process *p, int signo)
{
    struct task *t;

    if (signo == SIGKILL) {
        interrupt_all(p);
        return;
    }
    list_for_each_entry (t, &p->threads, link) {
        if (t->blocked & SIGNAL_BIT(signo))
            continue;
        thread_interrupt(t->thread);
        return;
    }
}

int signal_send_locked(struct process *p, int signo, const struct signal_info *info)
{
    int err;

    if (p->state == PROCESS_ZOMBIE || p->kernel_thread)
        return 0;
    before_queueing(p, signo);
    if (is_ignored(p, signo) && !process_blocks(p, signo) && !is_traced(p))
        return 0;
    err = signal_queue_add(&p->pending, signo, info);
    if (!err)
        interrupt_taker(p, signo);
    return err;
}

int signal_send_task_locked(struct task *t, int signo, const struct signal_info *info)
{
    struct process *p = t->process;
    int err;

    if (p->kernel_thread)
        return 0;
    before_queueing(p, signo);
    if (is_ignored(p, signo) && !task_blocks(t, signo) && !t->trace)
        return 0;
    err = signal_queue_add(&t->pending, signo, info);
    if (!err && !(t->blocked & SIGNAL_BIT(signo)))
        thread_interrupt(t->thread);
    return err;
}

void signal_share_end_locked(struct process *child)
{
    struct task *t = current_task();
    struct process *p = t->process;
    uint64_t due = (p->pending.set | t->pending.set) & ~t->blocked & ~stops & ~ignored_by_default;

    for (int signo = 1; signo <= NSIG; signo++)
        if ((due & SIGNAL_BIT(signo)) && p->action[signo - 1].handler == SIG_DFL)
            signal_queue_add(&child->pending, signo, &(struct signal_info){ .code = SI_KERNEL });
    child->exiting = p->exiting;
    child->exit_status = p->exit_status;
}

/* Does something wait for the current thread? Sets its signal_pending to that. */
static bool recompute_pending(void)
{
    struct task *t = current_task();
    struct process *p = t->process;
    bool pending = ((p->pending.set | t->pending.set) & ~t->blocked) || p->exiting || t->doomed ||
                   ptrace_stop_is_due_locked(t);

    __atomic_store_n(&t->thread->signal_pending, pending, __ATOMIC_SEQ_CST);
    return pending;
}

/* ---- process_lock not held ---- */

int signal_send(struct process *p, int signo, const struct signal_info *info)
{
    uint64_t flags = spin_lock(&process_lock);
    int err = signal_send_locked(p, signo, info);

    spin_unlock(&process_lock, flags);
    return err;
}

void signal_send_self(int signo)
{
    uint64_t flags = spin_lock(&process_lock);

    signal_send_task_locked(current_task(), signo,
                            &(struct signal_info){ .code = SI_USER,
                                                   .pid = current_process()->pid,
                                                   .uid = current_cred()->uid.real });
    spin_unlock(&process_lock, flags);
}

void signal_force(int signo, const struct signal_info *info)
{
    struct task *t = current_task();
    struct kernel_sigaction *action = &t->process->action[signo - 1];
    uint64_t flags = spin_lock(&process_lock);
    bool deaf = action->handler == SIG_IGN || (t->blocked & SIGNAL_BIT(signo));

    if (deaf)
        action->handler = SIG_DFL;
    t->blocked &= ~SIGNAL_BIT(signo);
    signal_queue_drop(&t->pending, SIGNAL_BIT(signo));
    signal_queue_add(&t->pending, signo, info);
    thread_interrupt(t->thread);
    spin_unlock(&process_lock, flags);
}

void signal_set_blocked(uint64_t mask)
{
    uint64_t flags = spin_lock(&process_lock);

    current_task()->blocked = mask & ~unblockable;
    current_task()->awaited = 0;
    recompute_pending();
    spin_unlock(&process_lock, flags);
}

void signal_await(uint64_t set)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);

    t->awaited = t->blocked & set;
    t->blocked &= ~set;
    recompute_pending();
    spin_unlock(&process_lock, flags);
}

uint64_t signal_blocked(void)
{
    return current_task()->blocked;
}

void signal_set_temporary_mask(uint64_t mask)
{
    struct task *t = current_task();

    t->saved_mask = t->blocked;
    t->restore_mask = true;
    signal_set_blocked(mask);
}

bool signal_waits(uint64_t set)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);
    bool waits = (t->pending.set | t->process->pending.set) & set;

    spin_unlock(&process_lock, flags);
    return waits;
}

void signal_end_temporary_mask(void)
{
    struct task *t = current_task();

    if (!t->restore_mask)
        return;
    t->restore_mask = false;
    signal_set_blocked(t->saved_mask);
}

bool signal_deliverable(void)
{
    uint64_t flags = spin_lock(&process_lock);
    bool pending = recompute_pending();

    spin_unlock(&process_lock, flags);
    return pending;
}

/* SIGKILL first, then what the thread did itself, then by number. */
static int choose(uint64_t set)
{
    const uint64_t first = SIGNAL_BIT(SIGKILL), faults = SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) |
                                                         SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |
                                                         SIGNAL_BIT(SIGFPE);
    uint64_t best = set & first ? set & first : set & faults ? set & faults : set;

    return best ? __builtin_ctzll(best) + 1 : 0;
}

/* What was sent to the thread comes first, but for the end of the process. */
static struct signal_queue *queue_to_take_from(struct task *t, uint64_t set)
{
    struct process *p = t->process;

    if (p->pending.set & set & SIGNAL_BIT(SIGKILL))
        return &p->pending;
    return t->pending.set & set ? &t->pending : &p->pending;
}

int signal_dequeue(uint64_t set, struct signal_info *info)
{
    struct task *t = current_task();
    struct process *p = t->process;
    uint64_t flags = spin_lock(&process_lock);
    struct signal_queue *q = queue_to_take_from(t, set);
    int signo = choose(q->set & set);

    if (signo) {
        signal_queue_take(q, signo, info);
        if (info->code == SI_TIMER)
            posix_timer_taken_locked(p, info);
        p->stopping |= (stops & SIGNAL_BIT(signo)) != 0;
    }
    recompute_pending();
    spin_unlock(&process_lock, flags);
    return signo;
}

void signal_stop_may_follow(int signo)
{
    uint64_t flags = spin_lock(&process_lock);

    current_process()->stopping |= signo && (stops & SIGNAL_BIT(signo));
    spin_unlock(&process_lock, flags);
}

int signal_action(int signo, const struct kernel_sigaction *new, struct kernel_sigaction *old)
{
    struct process *p = current_process();
    uint64_t flags;

    if (signo < 1 || signo > NSIG || (new && (unblockable & SIGNAL_BIT(signo))))
        return -EINVAL;
    flags = spin_lock(&process_lock);
    *old = p->action[signo - 1];
    if (new) {
        p->action[signo - 1] = *new;
        p->action[signo - 1].mask &= ~unblockable;
        if (is_ignored(p, signo))
            drop_everywhere(p, SIGNAL_BIT(signo));
    }
    spin_unlock(&process_lock, flags);
    return 0;
}

void signal_reset_handlers(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);

    for (int i = 0; i < NSIG; i++) {
        uintptr_t handler = p->action[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;
        p->action[i] = (struct kernel_sigaction){ .handler = handler };
    }
    spin_unlock(&process_lock, flags);
}
