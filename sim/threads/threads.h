/* sim/threads/threads.h - net/ on real threads: the third house of net/port.h, made for ThreadSanitizer.
 *
 * A CPU is a thread that runs what hardware and softirqs do there: interrupts, timers, softirqs, one at a
 * time. A process is a thread too. While it holds a lock it is on one CPU and keeps its softirqs out, as the
 * contract says; without one it runs beside everything else, and it may be on another CPU the next time.
 * Nothing else orders it: not the CPU it shares, not the queue it is woken from (quiet.h).
 *
 * Time is the host's, sped up. Runs differ: the seed decides what is chosen, not who comes first. */
#pragma once
#include "net/port.h"

enum { THREADS_CPUS_MAX = 8 };

struct threads_options {
    unsigned cpus;
    unsigned speed; /* so many seconds pass in one */
    uint64_t seed;
    bool verbose; /* log lines of all levels, not errors alone */
};
/* The CPUs begin; the caller becomes a process. */
void threads_start(const struct threads_options *options);
/* The CPUs end; no process but the caller and nothing that is still to run may be left. Panics if memory
 * leaked. */
void threads_stop(void);

/* ---- processes ---- */

struct process;
/* A process that runs fn(arg). name is kept, not copied. */
struct process *process_start(const char *name, void (*fn)(void *arg), void *arg);
/* Make every wait of p, this one and all later ones, end with -EINTR; then wait for its end and forget it. */
void process_interrupt(struct process *p);
void process_join(struct process *p);
/* Let time pass; ends early when the process is interrupted. */
void process_sleep(uint64_t duration);
bool process_interrupted(void);
/* Wait until poll(arg) is true, looking again whenever wq is woken; false: deadline, or interrupted. No lock
 * held. */
bool process_poll(struct waitq *wq, bool (*poll)(void *arg), void *arg, uint64_t deadline);

/* ---- hardware ---- */

/* An interrupt line: fn runs in irq context on the CPU that it is raised on; raised again before it began,
 * it runs once. */
struct irq_line {
    struct list_head link;
    void (*fn)(struct irq_line *irq);
    uint32_t pending, running, guard;
};
void irq_line_init(struct irq_line *irq, void (*fn)(struct irq_line *irq));
/* What came before this comes before fn. */
void irq_line_enable(struct irq_line *irq);
void irq_line_raise(struct irq_line *irq, unsigned cpu);
/* It does not run, and is not pending, afterwards; nobody may raise it any more. Process context. */
void irq_line_quiesce(struct irq_line *irq);

/* ---- chance and faults ---- */

/* A number below n, from the calling thread's own seeded stream. */
uint64_t threads_chance(uint64_t n);
/* Let each allocation fail with this chance in a million. */
void threads_fail_allocs(uint32_t per_million);
/* Once in a while give way to another thread: where the order matters. */
void threads_jostle(void);

/* An open file that stands for sk (taking the reference) or, NULL, for nothing; one reference. NULL: no
 * memory. */
struct sock;
struct passed_file;
struct passed_file *threads_file(struct sock *sk);
