/* sim/threads/port_wait.c - the wait queues of net/port.h. A wake orders nothing by itself: whoever was woken
 * looks again, under the lock or at an atomic. */
#include "sim/threads/state.h"
#include <errno.h>

void waitq_init(struct waitq *wq)
{
    order_made(wq, sizeof *wq);
    wq->guard = 0;
    list_init(&wq->waiters);
}

static void hang_on(struct waitq *wq, struct process *p)
{
    __atomic_store_n(&p->woken, WAITING, __ATOMIC_SEQ_CST);
    quiet_lock(&wq->guard);
    list_add_tail(&p->waiter, &wq->waiters);
    quiet_unlock(&wq->guard);
}

/* Off wq again, unless a waker has taken us off: then wq may be gone. */
static void come_off(struct waitq *wq, struct process *p)
{
    if (__atomic_load_n(&p->woken, __ATOMIC_SEQ_CST) == WOKEN)
        return;
    quiet_lock(&wq->guard);
    list_del(&p->waiter);
    quiet_unlock(&wq->guard);
}

static int sleep_on(struct process *p, uint64_t deadline)
{
    uint64_t until = host_time(deadline);

    if (process_interrupted())
        return -EINTR;
    while (__atomic_load_n(&p->woken, __ATOMIC_SEQ_CST) == WAITING) {
        if (quiet_clock() >= until)
            return -ETIMEDOUT;
        quiet_sleep(&p->woken, WAITING, until);
    }
    return __atomic_load_n(&p->woken, __ATOMIC_SEQ_CST) == WOKEN ? 0 : -EINTR;
}

static void check_may_wait(const struct process *p, const struct lock *l)
{
    if (p->context != CONTEXT_PROCESS)
        panic("waiting outside process context");
    if (p->held_count != 1 || p->held[0] != l)
        panic("waiting with %u locks held, the last being %s", p->held_count,
              p->held_count ? p->held[p->held_count - 1]->name : "none");
}

int waitq_wait_unless(struct waitq *wq, struct lock *l, uint64_t deadline, bool (*over)(void *arg), void *arg)
{
    struct process *p = self();
    int result = 0;

    order_used(wq);
    check_may_wait(p, l);
    if (process_interrupted())
        return -EINTR;
    hang_on(wq, p);
    if (over && over(arg)) {
        come_off(wq, p);
        return 0;
    }
    lock_release(l);
    result = sleep_on(p, deadline);
    come_off(wq, p);
    lock_acquire(l);
    return result;
}

int waitq_wait(struct waitq *wq, struct lock *l, uint64_t deadline)
{
    return waitq_wait_unless(wq, l, deadline, NULL, NULL);
}

void waitq_wake(struct waitq *wq)
{
    not_in_irq("waitq_wake()");
    order_used(wq);
    quiet_lock(&wq->guard);
    while (!list_empty(&wq->waiters)) {
        struct process *p = list_first_entry(&wq->waiters, struct process, waiter);
        list_del(&p->waiter);
        __atomic_store_n(&p->woken, WOKEN, __ATOMIC_SEQ_CST);
        quiet_wake(&p->woken); /* the process is there until it has been joined */
    }
    quiet_unlock(&wq->guard);
}

void waitq_wake_events(struct waitq *wq, int events)
{
    (void)events; /* who polls here looks again */
    waitq_wake(wq);
}

void waitq_interrupt(struct process *p)
{
    uint32_t waiting = WAITING;

    __atomic_compare_exchange_n(&p->woken, &waiting, INTERRUPTED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    quiet_wake(&p->woken);
}

bool process_poll(struct waitq *wq, bool (*poll)(void *arg), void *arg, uint64_t deadline)
{
    struct process *p = self();
    int err = 0;
    bool ready = false;

    no_locks("while a process polls");
    while (!err && !ready) {
        hang_on(wq, p);
        ready = poll(arg);
        if (!ready)
            err = sleep_on(p, deadline);
        come_off(wq, p);
    }
    return ready;
}

void sleep_through(uint64_t duration)
{
    struct process *p = self();
    uint64_t until = host_time(time_now() + duration);

    no_locks("while a process sleeps");
    if (p->context != CONTEXT_PROCESS)
        panic("sleeping outside process context");
    while (quiet_clock() < until) {
        __atomic_store_n(&p->woken, WAITING, __ATOMIC_SEQ_CST);
        quiet_sleep(&p->woken, WAITING, until);
    }
}

void process_sleep(uint64_t duration)
{
    struct process *p = self();

    __atomic_store_n(&p->woken, WAITING, __ATOMIC_SEQ_CST);
    sleep_on(p, time_now() + duration);
}
