/* kern/sched/wait.c - wait queues: sleeping until somebody says that something changed.
 * A waiter is on its queue before its condition is looked at for the last time, so a change after that look
 * finds it there. It leaves the queue under the guard, so a waker that still uses it is waited for. */
#include "kern/sched/wait.h"
#include "kern/sched/held.h"
#include "kern/sched/sched.h"
#include "kern/sched/sleep.h"
#include "lib/abi/errno.h"

/* ---- the guard: a spinlock of one word ---- */

static uint64_t guard_lock(struct waitq *wq)
{
    uint64_t flags = irq_save();
    preempt_count_add(PREEMPT_ONE);
    held_push(&wq->guard, "wait queue", RANK_WAITQ);
    spin_acquire(&wq->guard, "wait queue");
    return flags;
}

static void guard_unlock(struct waitq *wq, uint64_t flags)
{
    held_pop(&wq->guard, "wait queue");
    spin_release(&wq->guard);
    preempt_count_sub(PREEMPT_ONE);
    irq_restore(flags);
    preempt_check();
}

/* ---- queues ---- */

void waitq_init(struct waitq *wq)
{
    wq->guard = 0;
    list_init(&wq->waiters);
}

static bool wake_thread(struct waiter *w, int events, struct wake_later **later)
{
    (void)events, (void)later;
    WRITE_ONCE(w->woken, true);
    thread_wake(w->thread);
    return true;
}

void waiter_init(struct waiter *w)
{
    *w = (struct waiter){ .wake = wake_thread, .thread = current_thread() };
    list_init(&w->link);
}

void waitq_add(struct waitq *wq, struct waiter *w)
{
    uint64_t flags = guard_lock(wq);
    list_add_tail(&w->link, &wq->waiters);
    guard_unlock(wq, flags);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* on the queue before the look; partner: waitq_wake_events() */
}

void waitq_remove(struct waitq *wq, struct waiter *w)
{
    uint64_t flags = guard_lock(wq);
    list_del(&w->link);
    guard_unlock(wq, flags);
}

/* Guard held. */
static void wake_waiters(struct waitq *wq, int events, struct wake_later **later)
{
    struct waiter *w;
    bool taken = false;

    list_for_each_entry (w, &wq->waiters, link)
        if (!w->exclusive || !taken || events == WAKE_ALL)
            taken |= w->wake(w, events, later) && w->exclusive;
}

static void do_later(struct wake_later *later)
{
    while (later) {
        struct wake_later *next = later->next;
        later->fn(later);
        later = next;
    }
}

void waitq_wake_events(struct waitq *wq, int events)
{
    struct wake_later *later = NULL;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the change before the look; partner: waitq_add() */
    if (READ_ONCE(wq->waiters.next) == &wq->waiters)
        return;
    uint64_t flags = guard_lock(wq);
    wake_waiters(wq, events, &later);
    guard_unlock(wq, flags);
    do_later(later); /* wq may be gone */
}

void waitq_wake(struct waitq *wq)
{
    waitq_wake_events(wq, WAKE_ALL);
}

/* ---- sleeping ---- */

struct alarm {
    struct timer timer;
    struct thread *thread;
};

static void alarm_rings(struct timer *t)
{
    thread_wake(container_of(t, struct alarm, timer)->thread);
}

/* Why the current thread need not sleep (any more); 1 if it must. */
static int sleep_over(const bool *woken, uint64_t deadline, enum sleep_kind kind)
{
    if (READ_ONCE(*woken))
        return 0;
    if (kind == SLEEP_INTERRUPTIBLE && READ_ONCE(current_thread()->signal_pending))
        return -EINTR;
    return deadline != TIME_NEVER && time_now() >= deadline ? -ETIMEDOUT : 1;
}

int sleep_until(const bool *woken, uint64_t deadline, enum sleep_kind kind)
{
    struct alarm alarm = { .thread = current_thread() };
    may_sleep();
    thread_set_sleeping();
    int over = sleep_over(woken, deadline, kind);
    if (over <= 0) {
        thread_set_runnable();
        return over;
    }
    if (deadline != TIME_NEVER) {
        timer_init(&alarm.timer, alarm_rings);
        timer_set(&alarm.timer, deadline);
    }
    schedule();
    if (deadline != TIME_NEVER)
        timer_cancel_sync(&alarm.timer);
    over = sleep_over(woken, deadline, kind);
    return MIN(over, 0);
}

int wait_sleep(const bool *woken, uint64_t deadline)
{
    return sleep_until(woken, deadline, SLEEP_INTERRUPTIBLE);
}

void thread_sleep_through(uint64_t deadline)
{
    const bool never = false;
    while (!sleep_until(&never, deadline, SLEEP_UNINTERRUPTIBLE))
        ;
}

void sleep_through(uint64_t duration)
{
    thread_sleep_through(time_now() + duration);
}

int thread_sleep_until(uint64_t deadline)
{
    const bool never = false;
    int err;
    while (!(err = wait_sleep(&never, deadline)))
        ;
    return err == -ETIMEDOUT ? 0 : err;
}

/* ---- with a lock dropped meanwhile ---- */

int waitq_wait_unless(struct waitq *wq, struct lock *l, uint64_t deadline, bool (*over)(void *arg), void *arg)
{
    struct waiter w;
    ASSERT(lock_held(l) && this_cpu()->n_locks_held == 1);
    waiter_init(&w);
    waitq_add(wq, &w);
    bool need_not = over(arg);
    lock_release(l);
    int err = need_not ? 0 : wait_sleep(&w.woken, deadline);
    waitq_remove(wq, &w);
    lock_acquire(l);
    return err;
}

/* It changes under l, so nothing happened since the caller looked. */
static bool unchanged(void *arg)
{
    (void)arg;
    return false;
}

int waitq_wait(struct waitq *wq, struct lock *l, uint64_t deadline)
{
    return waitq_wait_unless(wq, l, deadline, unchanged, NULL);
}

int waitq_wait_spin_kind(struct waitq *wq, struct spinlock *l, uint64_t *flags, uint64_t deadline,
                         enum sleep_kind kind)
{
    struct waiter w;
    ASSERT(spin_held(l) && this_cpu()->n_locks_held == 1);
    waiter_init(&w);
    waitq_add(wq, &w);
    spin_unlock(l, *flags);
    int err = sleep_until(&w.woken, deadline, kind);
    waitq_remove(wq, &w);
    *flags = spin_lock(l);
    return err;
}

int waitq_wait_spin(struct waitq *wq, struct spinlock *l, uint64_t *flags, uint64_t deadline)
{
    return waitq_wait_spin_kind(wq, l, flags, deadline, SLEEP_INTERRUPTIBLE);
}
