/* sim/state.h - struct sim, all state of the virtual world; private to sim/.
 * `current` is the task that runs, NULL while an event does; `held` are the locks of whichever runs, and is
 * empty whenever control passes from one to another. */
#pragma once
#include "sim/sim.h"
#include <ucontext.h>

enum { SIM_MAX_HELD = 16, SIM_STACK_SIZE = 256 * 1024 };
enum { SIM_LIVELOCK = 1000000 }; /* events without the clock moving */

/* An entry of a wait queue. woken is called when the queue is woken, the entry being off it again. */
struct sim_waiter {
    struct list_head link;
    void (*woken)(struct sim_waiter *w);
};

struct sim_task {
    struct list_head link; /* in sim.tasks */
    const char *name;
    void (*fn)(void *arg);
    void *arg;
    bool done, runnable, signalled;

    /* waiting */
    struct sim_waiter waiter; /* in a waitq while it waits for that one alone */
    bool waiting;
    const char *waits_with; /* the lock given to waitq_wait, or what else it waits for */
    uint64_t waits_since;
    int result;
    struct timer timeout, resume;

    /* the coroutine; the body of a test uses the host's own stack */
    ucontext_t context;
    void *stack;
    void *fake_stack; /* AddressSanitizer's */
};

struct pool {
    struct list_head link; /* in sim.pools */
    const char *name;
    size_t size;
    uint64_t live;
};

struct sim {
    uint64_t seed, now;
    struct heap events;  /* of struct timer.node */
    uint64_t events_now; /* since the clock moved */
    struct list_head softirqs[SOFTIRQ_LEVELS];

    enum context context;
    struct sim_task *current;
    void (*before_wait)(void *arg);
    void *before_wait_arg;
    struct sim_task body; /* the test's */
    struct list_head tasks;
    ucontext_t loop; /* where the events run: the host's stack */
    const void *loop_stack;
    size_t loop_stack_size;
    void *loop_fake_stack;

    struct lock *held[SIM_MAX_HELD];
    unsigned held_count;

    struct list_head pools;
    uint64_t live_memory, live_buffers;
    void *(*dma_alloc)(size_t size); /* sim_set_dma_memory() */
    void (*dma_free)(void *p);
    uint64_t alloc_count, fail_at;
    uint32_t fail_per_million, spurious_per_million;
    uintptr_t bad_user;
    size_t bad_user_len;
    uintptr_t only_user;
    size_t only_user_len; /* 0: no such limit */

    struct list_head names; /* of sockets: sim/port_files.c */
    struct credentials credentials;
    unsigned urgent_signals;

    uint64_t random_kernel, random_world;
    uint64_t digest;
    bool print_log, print_trace;
    void (*on_trace)(const char *point, uint64_t id, uint32_t value);
};
extern struct sim sim;

/* Panic unless the caller is in process or softirq context; what names the call. */
void sim_not_in_irq(const char *what);
/* Panic if a lock is held; what names the moment. */
void sim_no_locks(const char *what);
/* Run one softirq or event not later than until. False if there is none. */
bool sim_step(uint64_t until);
/* Run one pending softirq, the highest level first. False if there is none. */
bool softirq_step(void);
bool softirq_any_pending(void);
/* Sleep until task_wake() or deadline: 0, -ETIMEDOUT, -EINTR. No lock held; what is said if it is stuck. */
int task_sleep(const char *what, uint64_t deadline);
/* End t's sleep, if it sleeps. Any context but irq. */
void task_wake(struct sim_task *t);
void task_init_body(void);
void task_free_all(void);
/* Panic with the names of the tasks that wait, if there are any. */
void task_report_stuck(const char *when);
/* Fail the test if memory is left over. */
void memory_check_leaks(void);

/* ---- supplied by the program around the simulation: test_main.c, or towpath.c in the library ---- */

void host_log_line(const char *line);
_Noreturn void host_panic(const char *text);
/* Something was allocated and never freed; show what is known about it. The panic follows. */
void host_show_leaks(void);
