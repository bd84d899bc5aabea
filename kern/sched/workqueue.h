/* kern/sched/workqueue.h - work put off to process context: it may sleep, take mutexes and allocate at
 * leisure.
 *
 * Each CPU has a thread, kworker/N, that does the work queued there, one piece after the other in the order
 * in which it came. For work that must not sleep there are softirqs and tasklets (net/port.h), which are
 * sooner. */
#pragma once
#include "net/port.h"

struct work {
    struct list_head link; /* WORK lock */
    void (*fn)(struct work *w);
    unsigned cpu; /* WORK lock; whose list it is in */
    bool pending; /* WORK lock; in a list: fn is yet to begin */
};
void work_init(struct work *w, void (*fn)(struct work *w));
/* Run w->fn soon, in process context, on this CPU; on the one where it runs now, if it does: it never runs on
 * two. False if it was queued already. Once it has begun, it may be queued again, by itself too. It may free
 * the memory that w lies in. Any context; locks below rank WORK may be held. */
bool work_queue(struct work *w);
bool work_queue_on(unsigned cpu, struct work *w);
/* Return when w is neither queued nor running, if nobody queues it meanwhile. Process context; not from fn.
 */
void work_flush(struct work *w);
/* Take it back: afterwards it is not queued and does not run. True if that spared it a run. Process context;
 * not from fn. */
bool work_cancel_sync(struct work *w);

/* Work that is queued at a time. */
struct delayed_work {
    struct work work;
    struct timer timer;
};
void delayed_work_init(struct delayed_work *d, void (*fn)(struct work *w));
/* Queue it at `when`, or move it there. True if it waited for its time already. Process or softirq. */
bool delayed_work_queue(struct delayed_work *d, uint64_t when);
bool delayed_work_cancel_sync(struct delayed_work *d);

/* Return when everything queued before has been done, on every CPU. Process context. */
void workqueue_flush(void);
void workqueue_start(void); /* one thread a CPU, after smp_start(); what was queued before then runs */
uint64_t workqueue_done(unsigned cpu); /* pieces of work so far */
