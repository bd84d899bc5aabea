/* kern/proc/ptrace.c - the tracee's side of ptrace(2): where a traced thread stops, and how it goes on; and
 * what becomes of traces when threads, processes and tracers end. See ptrace.h for the locking. */
#include "kern/proc/ptrace.h"
#include "kern/cpu/cpu.h"
#include "kern/mm/mm.h"
#include "kern/proc/ptrace_private.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "kern/sys/syscall.h"
#include "lib/abi/ptrace.h"

enum { MSR_FS_BASE = (int)0xc0000100, RFLAGS_TF = 0x100, SYSGOOD = 0x80 };

/* ---- stopping ---- */

static bool is_killed(const struct task *t)
{
    const struct process *p = t->process;

    return p->exiting || t->doomed || ((p->pending.set | t->pending.set) & SIGNAL_BIT(SIGKILL));
}

/* SIGCHLD for the tracer, and whoever waits there looks. */
static void tell_tracer(struct trace *tr, int code, int status)
{
    struct process *tracer = tr->tracer;
    struct signal_info info = { .code = code, .pid = tr->tid, .status = status };

    if (code != CLD_TRAPPED || !(tracer->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
        signal_send_locked(tracer, SIGCHLD, &info);
    waitq_wake(&tracer->wait_children);
}

/* Copy what only a CPU holds, while this thread still has it. */
static void save_registers(struct trace *tr)
{
    fpu_save(tr->fpu);
    tr->fs_base = rdmsr((uint32_t)MSR_FS_BASE);
    tr->registers_changed = false;
}

static void load_registers(const struct trace *tr)
{
    if (!tr->registers_changed)
        return;
    fpu_restore(tr->fpu);
    current_thread()->fs_base = tr->fs_base;
    wrmsr((uint32_t)MSR_FS_BASE, tr->fs_base);
}

/* process_lock held. The stop begins. */
static void enter_stop(struct trace *tr, int code)
{
    if (tr->stepping)
        tr->task->thread->user->rflags &= ~(uint64_t)RFLAGS_TF;
    tr->stepping = false;
    save_registers(tr);
    tr->code = code;
    tr->resume_signal = 0;
    tr->told = tr->listening = false;
    tr->stopped = tr->in_stop = true;
    tell_tracer(tr, CLD_TRAPPED, code & 0x7f);
}

/* False: the stop is over. A signal that comes between the look and the sleep ends the sleep at once. */
static bool still_stopped(struct task *t)
{
    uint64_t flags = spin_lock(&process_lock);
    bool stopped = t->trace->stopped && !is_killed(t);

    if (stopped)
        __atomic_store_n(&t->thread->signal_pending, 0, __ATOMIC_SEQ_CST);
    spin_unlock(&process_lock, flags);
    return stopped;
}

/* process_lock held. The stop is over; a tracer that detached leaves the trace to us. The tracer's signal. */
static int leave_stop(struct task *t)
{
    struct trace *tr = t->trace;
    int signo = tr->stopped ? 0 : tr->resume_signal; /* still stopped: killed */

    tr->stopped = tr->in_stop = tr->listening = false;
    tr->place = CALL_NONE;
    load_registers(tr);
    if (!tr->tracer) {
        t->trace = NULL;
        trace_free(tr);
    }
    return signo;
}

/* Stop the current thread with this code until its tracer lets it go. What the tracer gives it as a signal;
 * at once 0 when it is not traced any more, or is being killed. */
static int ptrace_stop(int code, int signo, const struct signal_info *info, enum call_place place)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);
    bool stops = t->trace && !is_killed(t);
    int resume = 0;

    if (stops) {
        t->trace->signo = signo;
        t->trace->info = *info;
        t->trace->place = place;
        enter_stop(t->trace, code);
    }
    spin_unlock(&process_lock, flags);
    if (!stops)
        return 0;
    while (still_stopped(t))
        thread_sleep_until(TIME_NEVER);
    flags = spin_lock(&process_lock);
    resume = leave_stop(t);
    spin_unlock(&process_lock, flags);
    signal_deliverable(); /* what came meanwhile counts again */
    return resume;
}

/* ---- stops on the way back to user mode ---- */

static bool stops_with_process(const struct task *t)
{
    return t->process->state == PROCESS_STOPPED && !t->trace->passed_group_stop;
}

bool ptrace_stop_is_due_locked(const struct task *t)
{
    return t->trace && t->trace->tracer && (t->trace->trap || stops_with_process(t)) && !is_killed(t);
}

/* The code of the stop that is due, 0: none is. */
static int take_due_stop(struct task *t)
{
    uint64_t flags = spin_lock(&process_lock);
    int code = 0;

    if (ptrace_stop_is_due_locked(t)) {
        bool group = stops_with_process(t);
        code = group ? t->process->stop_signal : SIGTRAP;
        code |= t->trace->seized ? PTRACE_EVENT_STOP << 8 : 0;
        t->trace->passed_group_stop |= group;
        t->trace->trap = false;
    }
    spin_unlock(&process_lock, flags);
    return code;
}

void ptrace_due_stops(void)
{
    int code;

    while ((code = take_due_stop(current_task())))
        ptrace_stop(code, code >> 8 ? SIGTRAP : 0, &(struct signal_info){ .code = code }, CALL_NONE);
}

/* A signal that the tracer put in another's place. It waits again if the thread blocks it. */
static int replace_signal(int signo, struct signal_info *info)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);

    *info = (struct signal_info){ .code = SI_USER };
    if (t->blocked & SIGNAL_BIT(signo)) {
        signal_send_task_locked(t, signo, info);
        signo = 0;
    }
    spin_unlock(&process_lock, flags);
    return signo;
}

int ptrace_signal(int signo, struct signal_info *info)
{
    int resume;
    bool killed = false;
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = current_task();

    killed = !t->trace || is_killed(t);
    spin_unlock(&process_lock, flags);
    if (killed)
        return signo;
    resume = ptrace_stop(signo, signo, info, CALL_NONE);
    if (resume && resume != signo)
        resume = replace_signal(resume, info);
    signal_stop_may_follow(resume);
    return resume;
}

/* ---- stops at system calls ---- */

/* How Linux shows the result of a call that is perhaps begun again (its include/linux/errno.h). */
enum { ERESTARTSYS = 512, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

static uint64_t result_shown(const struct trapframe *tf)
{
    if ((int64_t)tf->rax != -EINTR || tf->vector != VECTOR_SYSCALL)
        return tf->rax;
    switch (syscall_restart_of(tf->error)) {
    case RESTART:
        return (uint64_t)-ERESTARTSYS;
    case UNHANDLED:
        return (uint64_t)-ERESTARTNOHAND;
    default:
        return current_task()->restart.fn ? (uint64_t)-ERESTART_RESTARTBLOCK : tf->rax;
    }
}

static void report_call(enum call_place place)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);
    bool wanted = t->trace && t->trace->calls;
    int code = SIGTRAP | (wanted && (t->trace->options & PTRACE_O_TRACESYSGOOD) ? SYSGOOD : 0);
    int signo;

    spin_unlock(&process_lock, flags);
    if (!wanted)
        return;
    signo = ptrace_stop(code, SIGTRAP, &(struct signal_info){ .code = code }, place);
    if (signo)
        signal_tgkill(t->process->pid, t->tid, signo);
}

/* The call's number is in error while its tracer looks, so that it may change it; -1: it is not made. */
static void make_call(struct trapframe *tf)
{
    if ((int64_t)tf->error == -1)
        return;
    tf->rax = tf->error;
    syscall_dispatch(tf);
}

void ptrace_syscall(struct trapframe *tf)
{
    uint64_t result, shown;

    tf->rax = (uint64_t)-ENOSYS;
    report_call(CALL_ENTRY);
    if (READ_ONCE(current_process()->exiting))
        return;
    make_call(tf);
    result = tf->rax;
    shown = tf->rax = result_shown(tf);
    report_call(CALL_EXIT);
    if (tf->rax == shown)
        tf->rax = result;
}

/* ---- events ---- */

static bool wants_event(const struct trace *tr, int event)
{
    return tr && (tr->options & 1ull << event);
}

void ptrace_event(int event, uint64_t message)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);
    bool wanted = wants_event(t->trace, event);
    int code = SIGTRAP | event << 8;

    if (wanted)
        t->trace->message = message;
    spin_unlock(&process_lock, flags);
    if (wanted)
        ptrace_stop(code, SIGTRAP, &(struct signal_info){ .code = code }, CALL_NONE);
}

void ptrace_exec(int former_tid)
{
    struct task *t = current_task();
    uint64_t flags = spin_lock(&process_lock);
    bool plain = t->trace && !t->trace->seized && !wants_event(t->trace, PTRACE_EVENT_EXEC);

    if (plain)
        signal_send_task_locked(t, SIGTRAP, &(struct signal_info){ .code = SI_USER, .pid = t->process->pid });
    spin_unlock(&process_lock, flags);
    ptrace_event(PTRACE_EVENT_EXEC, (uint64_t)former_tid);
}

/* ---- children ---- */

int ptrace_fork_event(uint64_t clone_flags)
{
    int event = (clone_flags & CLONE_VFORK)          ? PTRACE_EVENT_VFORK
                : (clone_flags & CSIGNAL) == SIGCHLD ? PTRACE_EVENT_FORK
                                                     : PTRACE_EVENT_CLONE;
    uint64_t flags = spin_lock(&process_lock);
    bool wanted = wants_event(current_task()->trace, event);

    spin_unlock(&process_lock, flags);
    return wanted ? event : 0;
}

int ptrace_adopt(struct task *child)
{
    struct trace *tr = trace_alloc(), *maker;
    uint64_t flags;

    if (!tr)
        return -ENOMEM;
    flags = spin_lock(&process_lock);
    maker = current_task()->trace;
    if (maker && maker->tracer) {
        tr->options = maker->options;
        tr->seized = maker->seized;
        trace_attach_locked(tr, maker->tracer, child);
        tr = NULL;
    }
    spin_unlock(&process_lock, flags);
    if (tr)
        trace_free(tr);
    return 0;
}

/* ---- life of a trace; process_lock held from here on ---- */

struct trace *trace_alloc(void)
{
    struct trace *tr = kzalloc(sizeof *tr);

    if (!tr)
        return NULL;
    list_init(&tr->link);
    tr->fpu = task_fpu_alloc();
    if (tr->fpu)
        return tr;
    kfree(tr);
    return NULL;
}

void trace_free(struct trace *tr)
{
    list_del(&tr->link);
    task_fpu_free(tr->fpu);
    kfree(tr);
}

/* A new tracee stops as soon as it can: by a signal, or when it was seized, by a trap. */
void trace_attach_locked(struct trace *tr, struct process *tracer, struct task *t)
{
    tr->tracer = tracer;
    tr->task = t;
    tr->tid = t->tid;
    t->trace = tr;
    list_add_tail(&tr->link, &tracer->tracees);
    if (tr->seized)
        tr->trap = true;
    else
        signal_queue_add(&t->pending, SIGSTOP, &(struct signal_info){ .code = SI_KERNEL });
}

void trace_let_go_locked(struct trace *tr, int signo)
{
    tr->resume_signal = signo;
    tr->stopped = tr->listening = false;
    tr->task->thread->traced_calls = tr->calls;
    thread_interrupt(tr->task->thread);
}

void trace_detach_locked(struct trace *tr, int signo)
{
    struct task *t = tr->task;

    list_del(&tr->link);
    tr->tracer = NULL;
    tr->calls = false;
    if (!t) {
        if (tr->process)
            tr->process->leader_trace = NULL;
        trace_free(tr);
    } else if (tr->in_stop) { /* it frees its trace when it leaves the stop */
        trace_let_go_locked(tr, signo);
    } else {
        t->thread->traced_calls = 0;
        t->trace = NULL;
        trace_free(tr);
        thread_interrupt(t->thread); /* to look anew whether it is stopped with its process */
    }
}

/* Its process goes on, or stops anew. */
void ptrace_process_changes_locked(struct process *p)
{
    struct task *t;

    list_for_each_entry (t, &p->threads, link) {
        struct trace *tr = t->trace;
        if (!tr)
            continue;
        tr->passed_group_stop = false;
        if (tr->seized && tr->stopped)
            tr->trap = true;
        if (tr->listening)
            trace_let_go_locked(tr, 0);
    }
}

/* ---- ends ---- */

static void become_obituary(struct trace *tr, int status)
{
    tr->exit_status = status;
    tr->told = false;
    tell_tracer(tr, status & 0x7f ? CLD_KILLED : CLD_EXITED, status & 0x7f ? status & 0x7f : status >> 8);
}

void ptrace_task_ends_locked(struct task *t, int status)
{
    struct trace *tr = t->trace;
    bool leader = t->tid == t->process->pid;

    t->trace = NULL;
    if (!tr)
        return;
    tr->task = NULL;
    tr->stopped = false;
    if (!tr->tracer || (leader && t->doomed)) { /* exec: another thread has its number now */
        trace_free(tr);
        return;
    }
    if (!leader) {
        become_obituary(tr, status);
        return;
    }
    tr->told = true; /* nothing is told before the whole process has ended */
    tr->process = t->process;
    t->process->leader_trace = tr;
}

void ptrace_process_ends_locked(struct process *p)
{
    struct trace *tr = p->leader_trace;

    p->leader_trace = NULL;
    if (!tr)
        return;
    tr->process = NULL;
    if (tr->tracer == p->parent) /* which waits for its child as always */
        trace_free(tr);
    else
        become_obituary(tr, p->exit_status);
}

void ptrace_tracer_ends_locked(struct process *p)
{
    struct trace *tr, *next;

    list_for_each_entry_safe (tr, next, &p->tracees, link) {
        struct task *t = tr->task;
        if (t && (tr->options & PTRACE_O_EXITKILL))
            signal_send_locked(t->process, SIGKILL, &(struct signal_info){ .code = SI_KERNEL });
        trace_detach_locked(tr, 0);
    }
}

/* ---- wait ---- */

static bool is_asked_for(const struct trace *tr, int pid)
{
    if (pid > 0)
        return tr->tid == pid;
    if (pid == -1 || !tr->task)
        return true;
    return tr->task->process->pgid == (pid ? -pid : current_process()->pgid);
}

int ptrace_wait_locked(struct process *tracer, int pid, int options, int *status, bool *any)
{
    struct trace *tr;

    list_for_each_entry (tr, &tracer->tracees, link) {
        int tid = tr->tid;
        if (!is_asked_for(tr, pid))
            continue;
        *any = true;
        if (tr->told || (tr->task ? !tr->stopped : !(options & WEXITED)))
            continue;
        *status = tr->task ? tr->code << 8 | 0x7f : tr->exit_status;
        if (options & WNOWAIT)
            return tid;
        if (tr->task)
            tr->told = true;
        else
            trace_free(tr);
        return tid;
    }
    return 0;
}

int ptrace_tracer_pid_locked(const struct task *t)
{
    return t->trace && t->trace->tracer ? t->trace->tracer->pid : 0;
}
