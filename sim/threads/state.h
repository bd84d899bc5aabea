/* sim/threads/state.h - the CPUs and threads of the machine; private to sim/threads/, and seen by no
 * sanitizer. A word called guard is a quiet lock (quiet.h) over what stands beside it. */
#pragma once
#include "sim/threads/quiet.h"
#include "sim/threads/threads.h"
#include <pthread.h>

enum { HELD_MAX = 16 };

struct cpu {
    unsigned id;
    struct process *thread; /* its own */
    uint32_t bh;            /* quiet lock: softirqs are off, or run */
    uint32_t bell;          /* futex: counts reasons to look */
    bool stop;

    uint32_t rounds; /* times that work began or ended: odd while some runs. Its address orders, too */

    uint32_t guard; /* the lists below */
    struct list_head irqs;
    struct list_head softirqs[SOFTIRQ_LEVELS];

    uint32_t timers_guard; /* the heap, and who hangs on it */
    struct heap timers;
    struct timer *running; /* whose function runs now */
    char timers_done;      /* its address orders: each function's end, timer_cancel_sync() */
};

struct process {
    const char *name;
    void (*fn)(void *arg);
    void *arg;
    pthread_t pthread;
    struct cpu *cpu; /* for a process: where it was last */
    enum context context;
    struct lock *held[HELD_MAX];
    unsigned held_count;
    uint64_t random;
    bool interrupted;

    struct list_head waiter; /* in a waitq, under its guard */
    uint32_t woken;          /* futex: WAITING, or how the wait ended */
};
enum { WAITING, WOKEN, INTERRUPTED };

struct machine {
    struct threads_options options;
    uint64_t started; /* the host's clock */
    struct cpu cpus[THREADS_CPUS_MAX];
    uint32_t threads; /* made so far: seeds each one's chance */
    uint32_t fail_per_million;
    int64_t live_memory, live_buffers, live_pools;
    uint32_t names_guard;
    struct list_head names; /* of sockets */
};
extern struct machine machine;

/* The thread that calls. */
struct process *self(void);
void self_is(struct process *p);
void process_init(struct process *p, const char *name, struct cpu *cpu);

void cpu_start(unsigned id);
void cpu_stop(struct cpu *cpu);
void cpu_kick(struct cpu *cpu);
/* Run one softirq of the highest level that has one; false: there is none. On the CPU's thread. */
bool cpu_softirq(struct cpu *cpu);
/* Run one timer that is due; false: none is. On the CPU's thread. */
bool cpu_timer(struct cpu *cpu);
/* When the host's clock shows it, the first timer is due. */
uint64_t cpu_next_timer(struct cpu *cpu);
/* The host's clock at time when of ours. */
uint64_t host_time(uint64_t when);

/* A process turns softirqs off (choosing its CPU), and on. */
void bh_off(struct process *p);
void bh_on(struct process *p);
void not_in_irq(const char *what);
void no_locks(const char *what);
void memory_check_leaks(void);
void waitq_interrupt(struct process *p);
