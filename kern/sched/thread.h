/* kern/sched/thread.h - threads of the kernel and of processes, and the scheduler. */
#pragma once
#include "kern/cpu/trap.h"
#include "kern/sched/spinlock.h"
#include "kern/sched/workqueue.h"

struct process;
struct task;
struct vm_space;

enum thread_state { THREAD_RUNNABLE, THREAD_SLEEPING, THREAD_DEAD };
enum { PRIO_NORMAL = 0, PRIO_LOW = 1, PRIO_IDLE = 2, PRIO_LEVELS = 3 }; /* ksoftirqd: PRIO_LOW */

struct thread {
    /* constant after creation */
    int tid;
    char name[16];
    void (*fn)(void *arg);
    void *arg;
    uint8_t *kstack; /* lowest address */
    uint64_t kstack_top;
    struct process *process; /* NULL: a kernel thread */
    struct task *task;       /* kern/proc's part of it; NULL: a kernel thread */
    struct list_head all;    /* every thread there is (THREADS lock) */
    struct list_head group;  /* kern/proc: the threads of its process */

    /* RUNQUEUE lock of the CPU it is on */
    struct list_head run;
    enum thread_state state;
    uint32_t cpu, prio, affinity; /* affinity: bit a CPU it may run on */
    int nice;                     /* -20 to 19: how long its slices are */
    bool in_kernel;               /* where the last tick found it */
    uint64_t system_ns;           /* of runtime_ns, by the ticks: in the kernel */
    uint64_t slept, preempted;    /* how often it gave up the CPU, or lost it */
    uint64_t faults;              /* its own: page faults that were mended */
    uint32_t traced_calls;        /* somebody wants to see its system calls (kern/proc/ptrace.c) */
    uint64_t slice_left, runtime_ns, last_start; /* ns; last_start: when it last got the CPU */

    /* its own, or with itself off every CPU */
    uint64_t rsp;           /* saved stack pointer while not running */
    struct vm_space *vm;    /* address space to run in; NULL: any */
    uint64_t fs_base;       /* user %fs, saved at switch */
    uint8_t *fpu;           /* XSAVE/FXSAVE area; NULL: kernel thread */
    struct trapframe *user; /* registers at the kernel's entry from user mode */

    uint32_t signal_pending; /* atomic: an interruptible sleep ends with -EINTR; set by kern/proc */
    int exit_code;
    struct work burial;    /* when it is dead */
    int32_t fail_nth;      /* kern/mm/fail_alloc.h; its own, debug kernels only */
    struct mutex *mutexes; /* that it holds, the last taken first; its own, debug kernels only */
};

void sched_init(void);           /* the boot CPU: its idle thread is the one that called kmain */
void sched_init_cpu(void);       /* each other CPU */
_Noreturn void sched_idle(void); /* the idle loop: halts when nothing runs */

/* A thread that will call fn(arg), not yet runnable; NULL when memory is out. Its affinity is every CPU. */
struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg);
void thread_start(struct thread *t);  /* make it runnable: on its cpu, or the least busy one it may run on */
_Noreturn void thread_exit(int code); /* the current thread; its stack and struct are freed later, as work */
void thread_set_cpu(struct thread *t, unsigned cpu); /* pin; before thread_start */
/* Let t run on these CPUs only, bit a CPU; it leaves one that is not among them at once if it waits there, at
 * its next switch if it runs. -EINVAL: none of them takes part. Process context; t is kept from going away by
 * the caller. */
int thread_set_affinity(struct thread *t, uint32_t affinity);
uint32_t thread_cpus(void); /* all CPUs that take part */
void thread_set_nice(struct thread *t, int nice);
uint64_t thread_slice(const struct thread *t); /* ns it may run while others wait */
/* How long it ran so far, up to now: in user mode and in the kernel. The sum is exact, the parts are where
 * the clock's ticks found it. */
struct cpu_times {
    uint64_t user_ns, system_ns;
};
struct cpu_times thread_cpu_times(struct thread *t);
/* What a CPU did since it takes part: programs in user mode, programs in the kernel and the kernel's own
 * threads, nothing. */
struct cpu_use {
    uint64_t user_ns, nice_ns, system_ns, idle_ns;
};
struct cpu_use sched_cpu_use(unsigned cpu);
/* The three averages of that over 1, 5 and 15 minutes, in units of 1 / LOAD_ONE. */
enum { LOAD_ONE = 1 << 11 };
void load_averages(uint64_t loads[3]);
unsigned sched_n_runnable(void); /* threads that run or wait for a CPU */
/* Called in a worker for a thread of a process once it is off every CPU; kern/proc supplies it.
 */
void process_thread_reaped(struct thread *t);
/* The clock ticked while t, a thread of a process, ran; kern/proc counts its CPU time. Hard irq. */
void process_tick(struct thread *t);

/* The current thread is about to sleep: from here on a thread_wake() counts, so the condition is looked at
 * after this and before schedule(). thread_set_runnable() takes it back. */
void thread_set_sleeping(void);
void thread_set_runnable(void);
/* Give up the CPU; preempt_count is 0. Without thread_set_sleeping() before, others that wait run first. */
void schedule(void);
void yield(void);
/* Make a sleeping thread runnable; any context. True if it was sleeping. */
bool thread_wake(struct thread *t);
/* At a hard irq's end or preempt_enable with need_resched set and preempt_count 0. */
void preempt_schedule(void);
/* A signal was sent: set signal_pending and end an interruptible sleep. */
void thread_interrupt(struct thread *t);
/* Sleep at least ns; -EINTR when a signal comes. Process context. */
int thread_sleep_until(uint64_t deadline);
/* The same, and signals wait until it is over: for short whiles. */
void thread_sleep_through(uint64_t deadline);
void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg); /* THREADS lock held meanwhile */
