/* kern/sched/wait.h - wait queues (struct waitq of port.h) as the kernel itself uses them.
 *
 * To wait for a condition guarded by nothing but the queue:
 *
 *     int err = wait_event(&wq, condition, deadline);   0, -ETIMEDOUT, -EINTR
 *
 * The waiter is on the queue before the condition is looked at, so a wake between the look and the sleep is
 * not lost. */
#pragma once
#include "kern/sched/thread.h"
#include "net/port.h"

/* For a queue that is static and called wq. */
#define WAITQ_INIT(wq)                                                                                       \
    {                                                                                                        \
        .waiters = { &(wq).waiters, &(wq).waiters }                                                          \
    }
/* What a wake leaves to be done by the waker behind the queue's guard: fn may wake another queue. */
struct wake_later {
    struct wake_later *next;
    void (*fn)(struct wake_later *later);
};
/* Any change at all: what waitq_wake() passes on. */
enum { WAKE_ALL = -1 };
/* One entry on one queue; wake is called with the queue's guard held, in the waker's context: it must not
 * sleep. events: what changed (port.h), which a poller compares with what it asked for. It may put something
 * on the list *later. True: it took the wake, which counts for an exclusive entry. */
struct waiter {
    struct list_head link;
    bool (*wake)(struct waiter *w, int events, struct wake_later **later);
    struct thread *thread;
    bool woken;
    bool exclusive; /* not woken where another exclusive one took the wake, unless all are */
};
/* An entry that wakes the current thread; for poll, one such entry on each of many queues. */
void waiter_init(struct waiter *w);
void waitq_add(struct waitq *wq, struct waiter *w);
void waitq_remove(struct waitq *wq, struct waiter *w); /* harmless when it is on none */
/* Sleep until thread_wake(), a signal, or deadline; returns at once if w was woken since waiter_init (for a
 * poll over several waiters pass any(woken) through woken). 0, -ETIMEDOUT, -EINTR. */
int wait_sleep(const bool *woken, uint64_t deadline);

#define wait_event(wq, condition, deadline)                                                                  \
    ({                                                                                                       \
        int wait_err_ = 0;                                                                                   \
        while (!(condition) && !wait_err_) {                                                                 \
            struct waiter wait_w_;                                                                           \
            waiter_init(&wait_w_);                                                                           \
            waitq_add((wq), &wait_w_);                                                                       \
            if (!(condition))                                                                                \
                wait_err_ = wait_sleep(&wait_w_.woken, (deadline));                                          \
            waitq_remove((wq), &wait_w_);                                                                    \
        }                                                                                                    \
        wait_err_;                                                                                           \
    })
/* Sleep with l dropped; for conditions under a struct spinlock. Takes it again; *flags as spin_lock gave
 * them. */
int waitq_wait_spin(struct waitq *wq, struct spinlock *l, uint64_t *flags, uint64_t deadline);
