/* kern/proc/process.h - processes, and what kern/proc adds to a thread that runs one.
 *
 * A process is made by fork, gets a program by exec, and becomes a zombie when its last thread has left; wait
 * takes its status and forgets it. pids and the tids that programs see are one series of their own.
 *
 * One lock, process_lock, guards the tree of processes, their groups and sessions, and everything about
 * signals. Life: counted; the table of processes holds one reference until wait, each thread one until it is
 * reaped. */
#pragma once
#include "kern/cpu/trap.h"
#include "kern/proc/cred.h"
#include "kern/sched/wait.h"
#include "lib/abi/errno.h"
#include "lib/abi/process.h"
#include "lib/abi/signal.h"
#include "lib/refcount.h"

enum { PID_MAX = 32768, AUXV_WORDS = 40, OOM_SCORE_ADJ_MAX = 1000 };

/* What is told with a signal. */
struct signal_info {
    int32_t code, pid, status;
    uint32_t uid;
    uint64_t addr;               /* of a fault */
    uint64_t value;              /* of sigqueue, of a timer */
    int32_t timer, overrun;      /* of a timer */
    uint64_t user_ns, system_ns; /* a child's that ended */
};
/* Signals that wait to be delivered (sigqueue.c): bit signo - 1. */
struct signal_queue {
    uint64_t set;
    struct signal_info info[SIGRTMIN_KERNEL - 1];
    struct list_head realtime;
};

/* What threads used of the machine; summed up where they end, and where children are waited for. */
struct resource_use {
    uint64_t user_ns, system_ns;
    uint64_t faults;           /* page faults that were mended */
    uint64_t slept, preempted; /* how often they gave up the CPU, or lost it */
};

/* A thread of a process: kern/proc's part of struct thread (thread->task). */
struct task {
    int tid;
    struct process *process;
    struct thread *thread;
    struct list_head link; /* process->threads; PROCESS lock */

    /* PROCESS lock */
    char comm[16];
    int policy, nice; /* SCHED_*; what sched_* and setpriority were told */
    uint64_t blocked;
    uint64_t awaited;            /* blocked, but let in as long as sigtimedwait() waits for them */
    struct signal_queue pending; /* sent to this thread alone */

    /* its own */
    bool charged;        /* it counts against the limit of threads */
    uint64_t saved_mask; /* restored when no handler has run (sigsuspend, ppoll) */
    bool restore_mask;
    const struct cred *acting; /* as whom it acts for now; NULL: as its process */
    bool doomed;               /* another thread is in exec: leave; PROCESS lock to set */
    struct trace *trace;       /* PROCESS lock to change; kern/proc/ptrace.h; NULL: nobody traces it */
    struct restart {
        int64_t (*fn)(const struct restart *r); /* goes on with an interrupted call; NULL: there is none */
        uint64_t deadline, args[4];
    } restart;
    stack_t altstack;
    uintptr_t robust_list;     /* set_robust_list(2); 0: none */
    uintptr_t clear_child_tid; /* zeroed and woken as a futex at exit; 0: none */
    struct trapframe start;    /* the registers it begins with */
};

/* Where in its memory a program finds what it was started with, and its parts. */
struct program_places {
    uint64_t arg_start, arg_end, env_start, env_end; /* texts, each NUL-terminated */
    uint64_t stack;                                  /* the first stack pointer */
    uint64_t code_start, code_end, data_start, data_end;
};

enum process_state { PROCESS_RUNNING, PROCESS_STOPPED, PROCESS_ZOMBIE };

struct process {
    struct refcount refs;
    int pid;
    bool kernel_thread;  /* no program: no memory, no files, deaf to signals (kern/proc/kernel_threads.c) */
    uint64_t start_time; /* ns since boot */

    /* PROCESS lock */
    struct list_head all;               /* every process */
    struct process *parent;             /* NULL: pid 1 */
    struct list_head children, sibling; /* sibling: in parent's children */
    struct list_head threads;           /* struct task */
    struct list_head tracees;           /* struct trace: the threads that it traces */
    struct trace *leader_trace;         /* of its first thread, which has ended before the others */
    unsigned n_threads;
    struct list_head charged; /* kern/proc/limits.c: processes whose threads count */
    unsigned n_charged;
    int pgid, sid;
    struct tty *tty;    /* controlling terminal */
    int old_foreground; /* of a session's leader: the group in front when the terminal was hung up; 0: none */
    enum process_state state;
    bool exiting;            /* every thread leaves */
    int exit_status;         /* as wait4 tells it */
    int exit_signal;         /* for the parent; SIGCHLD, 0: none */
    int parent_death_signal; /* for itself, when the parent ends; 0: none */
    int stop_signal;
    bool stopping;             /* a signal that stops was taken, and nothing has called it off */
    bool stop_told, continued; /* wait has told of the stop; has yet to tell of going on */
    bool has_execed;           /* setpgid by the parent comes too late */
    bool vfork_pending;        /* its parent waits until it execs or ends */
    struct signal_queue pending;
    struct kernel_sigaction action[NSIG];
    struct resource_use ended;        /* by threads that ended */
    struct resource_use children_use; /* and by children waited for */
    char comm[16];
    int oom_score_adj;            /* the more, the sooner memory is taken from it; kept and told */
    struct program_places places; /* set by exec */
    uint64_t auxv[AUXV_WORDS];    /* set by exec; pairs, AT_NULL last */

    struct waitq wait_children; /* waits in wait4, and of a parent in vfork */

    /* set at creation or by exec while there is one thread, read by its own threads; others take PROCESS lock
     * and look at state first */
    struct vm_space *vm;
    struct files *files;
    struct inode *cwd;  /* PROCESS lock */
    struct inode *root; /* PROCESS lock; NULL: the tree's */
    struct file *exe;   /* PROCESS lock; the program's file, being run; may be NULL */
    uint32_t umask;
    bool membarrier;                    /* registered for membarrier(2) */
    uint32_t personality;               /* ADDR_NO_RANDOMIZE or 0; kept and told */
    struct cred cred;                   /* PROCESS lock to change */
    struct rlimit limits[RLIM_NLIMITS]; /* PROCESS lock to set */

    struct list_head timers;              /* PROCESS lock; struct posix_timer */
    struct timer itimer;                  /* ITIMER_REAL */
    uint64_t itimer_due, itimer_interval; /* ns; interval 0: once */
    struct cpu_timer {
        uint64_t due, interval; /* ns of the process's CPU time; due 0: not set, interval 0: once */
    } cpu_timers[2];            /* PROCESS lock; ITIMER_VIRTUAL, ITIMER_PROF */
};

extern struct spinlock process_lock; /* rank PROCESS */

/* Make pid 1 and run init= of the command line, else /sbin/init, in it. Missing: one line, and the machine
 * ends with status 1. Process context, once. */
void process_start_init(void);

static inline struct process *current_process(void)
{
    return current_thread()->process;
}
static inline struct task *current_task(void)
{
    return current_thread()->task;
}

/* ---- the table (process.c) ---- */

/* A process without threads, child of parent (NULL: pid 1), in no table yet. NULL: memory is out. */
struct process *process_create(struct process *parent);
/* Put p in the table, as a child of its parent, the caller. */
void process_publish(struct process *p);
void process_get(struct process *p);
void process_put(struct process *p);
/* The process with this pid, which may be a zombie, with a reference; NULL: none. */
struct process *process_find(int pid);
struct process *process_find_locked(int pid); /* process_lock held; no reference taken */
/* The process with the least pid >= least, with a reference; NULL: none. */
struct process *process_next(int least);
/* Has no member of this group a parent in another group of their session, who could continue it? process_lock
 * held. (POSIX, "orphaned process group") */
bool process_group_is_orphaned_locked(int pgid);
/* Every process, process_lock held; fn must not take it. */
void process_for_each_locked(void (*fn)(struct process *p, void *arg), void *arg);
unsigned process_count(void);
int process_last_pid(void); /* given out last */
int pid_alloc(void);        /* a free pid or tid, -EAGAIN: none */
void pid_free(int pid);
/* Its current directory, address space, files or program with a reference; NULL: a zombie has none. */
struct inode *process_cwd(struct process *p);
struct inode *process_root(void); /* the caller's root directory, with a reference */
struct vm_space *process_vm(struct process *p);
struct files *process_files(struct process *p);
struct file *process_exe(struct process *p);
/* May the caller look into p's memory and files, and trace it? Root may, and p's own user. */
bool process_may_inspect(struct process *p);
/* Name thread tid of p (0: the first one, and so the process); cut to what fits. 0 or -ESRCH. */
int process_rename(struct process *p, int tid, const char *name);
/* What its threads used so far, those that ended included; what one thread used. */
struct resource_use process_use(struct process *p);
struct resource_use process_use_locked(struct process *p);   /* process_lock held */
struct resource_use process_children_use(struct process *p); /* of the children waited for */
struct resource_use task_use(struct task *t);
void resource_use_add(struct resource_use *sum, const struct resource_use *u);
/* process_lock held; NULL: there is no such thread in p; in any process. */
struct task *task_find_locked(struct process *p, int tid);
struct task *task_find_any_locked(int tid);

/* A thread of p that will begin with the registers in task->start; not started. NULL: memory is out. */
struct task *task_create(struct process *p);
void task_start(struct task *t);

/* ---- beginning and end ---- */

struct fork_request {
    uint64_t flags;  /* CLONE_*; the low byte is the signal at exit */
    uintptr_t stack; /* 0: the parent's */
    uintptr_t parent_tid, child_tid;
    uint64_t tls;
};
/* fork, vfork, clone: the child's pid (or tid), -EAGAIN, -ENOMEM, -EINVAL, -EFAULT. */
int64_t process_fork(const struct fork_request *r);

/* End the process (every thread of it) with this wait status. */
void process_begin_exit(int status);
/* End the current thread; the last one ends the process. */
_Noreturn void task_exit(int status);
/* For exec: all other threads of the process leave; returns when they have. -EINTR when the process itself
 * must end. */
int process_end_other_threads(void);

/* wait4/waitid: pid > 0: that child; -1: any; 0: own group; < -1: group -pid. options: WEXITED, WUNTRACED,
 * WCONTINUED, WNOHANG, WNOWAIT. The child's pid with *status (and *use), 0 (WNOHANG: none yet), -ECHILD,
 * -EINTR. */
int process_wait(int pid, int options, int *status, struct resource_use *use);
