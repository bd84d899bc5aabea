/* kern/proc/ptrace.h - one process watches and steers the threads of another (ptrace(2)).
 *
 * A traced thread stops at what its tracer wants to see, always by itself and in process context: it marks
 * itself stopped, tells the tracer, and sleeps in ptrace_stop() until the tracer lets it go or SIGKILL comes.
 *
 * Locks. process_lock guards everything here. A tracee leaves its stop only under it; so who holds it and
 * finds `stopped` may read and write the tracee's registers: the trapframe on its kernel stack, and copies of
 * what a CPU holds (the FPU's registers, fs_base), which the tracee made before it was stopped and loads
 * again afterwards. Memory is read and written without the lock, through a reference to the address space.
 * Whoever tracks a tracee by its trace finds it under the lock as well: a thread that ends leaves its trace
 * to the tracer as an obituary, and a tracer that ends frees all of its own. */
#pragma once
#include "kern/proc/process.h"

enum call_place { CALL_NONE, CALL_ENTRY, CALL_EXIT }; /* where a stopped tracee is in a system call */

struct trace {
    struct list_head link;  /* tracer->tracees */
    struct process *tracer; /* holds no reference: it lets go of its tracees before it ends */
    struct task *task;      /* NULL: it has ended, and this is its obituary */
    int tid;
    int exit_status;         /* of an obituary */
    struct process *process; /* whose first thread it was, until that has ended as well; else NULL */

    uint64_t options;
    bool seized;
    bool calls;             /* it was let go on by PTRACE_SYSCALL */
    bool stepping;          /* by PTRACE_SINGLESTEP */
    bool stopped;           /* until its tracer lets it go */
    bool in_stop;           /* it is in ptrace_stop(), and uses this */
    bool told;              /* wait has told of the stop, or of the end */
    bool listening;         /* PTRACE_LISTEN: stopped with its process, and not the tracer's to read */
    bool trap;              /* it shall stop with PTRACE_EVENT_STOP */
    bool passed_group_stop; /* the tracer let it go on though its process is stopped */
    int code;               /* of the stop: a signal, with an event above it */
    int resume_signal;      /* what the tracer makes of a signal */
    uint64_t message;
    enum call_place place;
    int signo;               /* of the stop */
    struct signal_info info; /* and what is told with it */
    uint8_t *fpu;            /* copies while it is stopped */
    uint64_t fs_base;
    bool registers_changed; /* the copies are to be loaded */
};

/* ---- for the traced; process context, no lock held ---- */

/* The system call of a traced thread, with the stops before and after it that its tracer asked for. */
void ptrace_syscall(struct trapframe *tf);
/* A signal that was taken off its queue is shown to the tracer: what is left of it, 0: nothing. */
int ptrace_signal(int signo, struct signal_info *info);
/* Stops that are due on the way back to user mode: asked for by the tracer, or with the whole process. */
void ptrace_due_stops(void);
bool ptrace_stop_is_due_locked(const struct task *t);
/* Tell of an event, if the tracer wants to know. */
void ptrace_event(int event, uint64_t message);
/* exec is done: former_tid had the thread before. */
void ptrace_exec(int former_tid);

/* ---- for fork ---- */

/* Which event a fork with these flags is for the current thread's tracer, 0: none. */
int ptrace_fork_event(uint64_t clone_flags);
/* The child, not yet started, is traced as its maker is. -ENOMEM. */
int ptrace_adopt(struct task *child);

/* ---- for exit and wait; process_lock held ---- */

/* A thread that ends leaves its obituary; that of a process's first thread counts when the process has ended.
 */
void ptrace_task_ends_locked(struct task *t, int status);
/* A whole traced process has become a zombie: its tracer hears of it now. */
void ptrace_process_ends_locked(struct process *p);
void ptrace_tracer_ends_locked(struct process *p);
/* p, which was stopped, goes on; or it stops. */
void ptrace_process_changes_locked(struct process *p);
/* News of one of tracer's tracees that pid (as process_wait's) means: its tid and status, 0: none; *any:
 * there are such tracees. keep: as with WNOWAIT. */
int ptrace_wait_locked(struct process *tracer, int pid, int options, int *status, bool *any);
int ptrace_tracer_pid_locked(const struct task *t); /* 0: nobody */

/* The call itself. */
int64_t ptrace_request(int64_t request, int tid, uintptr_t addr, uintptr_t data);
