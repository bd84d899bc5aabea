/* sim/port_task.c - tasks and the wait queues of net/port.h. A task is a coroutine on a stack of its own; the
 * loop of events resumes it, and it switches back when it waits or ends. The body of a test has no coroutine:
 * while it waits, the loop runs on top of it. */
#include "lib/format.h"
#include "sim/fiber.h"
#include "sim/state.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* ---- switching stacks; AddressSanitizer must be told each time (fiber.h) ---- */

enum { GUARD = 4096 };

/* Stacks of tasks that are done, for the next ones. */
static struct {
    void *stacks[16];
    unsigned n;
} spare;

static void *stack_alloc(void)
{
    char *p;

    if (spare.n)
        return spare.stacks[--spare.n];
    p = mmap(NULL, SIM_STACK_SIZE + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p, GUARD, PROT_NONE))
        abort();
    return p + GUARD;
}

static void stack_free(void *stack)
{
    fiber_forget_stack(stack, SIM_STACK_SIZE); /* the next user of these addresses starts afresh */
    if (spare.n < ARRAY_SIZE(spare.stacks)) {
        spare.stacks[spare.n++] = stack;
        return;
    }
    munmap((char *)stack - GUARD, SIM_STACK_SIZE + GUARD);
}

/* swapcontext(), but out of the two calls that AddressSanitizer does not warn about. */
static void switch_context(ucontext_t *from, const ucontext_t *to)
{
    volatile bool resumed = false;

    getcontext(from); /* returns a second time when somebody switches back */
    if (!resumed) {
        resumed = true;
        setcontext(to);
    }
}

static void switch_to_task(struct sim_task *t)
{
    fiber_start_switch(&sim.loop_fake_stack, t->stack, SIM_STACK_SIZE);
    switch_context(&sim.loop, &t->context);
    fiber_finish_switch(sim.loop_fake_stack, NULL, NULL);
}

static void switch_to_loop(struct sim_task *t)
{
    void **fake_stack = t->done ? NULL : &t->fake_stack;

    fiber_start_switch(fake_stack, sim.loop_stack, sim.loop_stack_size);
    switch_context(&t->context, &sim.loop);
    fiber_finish_switch(t->fake_stack, &sim.loop_stack, &sim.loop_stack_size);
}

static void task_main(void)
{
    struct sim_task *t = sim.current;

    fiber_finish_switch(NULL, &sim.loop_stack, &sim.loop_stack_size);
    t->fn(t->arg);
    sim_no_locks("at the end of a task");
    t->done = true;
    switch_to_loop(t);
    abort(); /* nobody resumes a finished task */
}

/* ---- tasks ---- */

static void resume(struct timer *timer)
{
    struct sim_task *t = container_of(timer, struct sim_task, resume);

    t->runnable = true;
    if (t == &sim.body)
        return; /* its own loop looks */
    sim.context = CONTEXT_PROCESS;
    sim.current = t;
    switch_to_task(t);
    sim.current = NULL;
    if (t->done) {
        stack_free(t->stack);
        t->stack = NULL;
    }
}

/* Let others run until t is resumed. */
static void give_way(struct sim_task *t)
{
    t->runnable = false;
    if (t != &sim.body) {
        switch_to_loop(t);
        return;
    }
    while (!t->runnable)
        if (!sim_step(TIME_NEVER))
            task_report_stuck("when no event is left");
    sim.context = CONTEXT_PROCESS;
    sim.current = t;
}

static void wait_ended(struct sim_task *t, int result)
{
    list_del(&t->waiter.link);
    timer_cancel(&t->timeout);
    t->waiting = false;
    t->result = result;
    timer_set(&t->resume, sim.now);
}

static void queue_woken(struct sim_waiter *w)
{
    wait_ended(container_of(w, struct sim_task, waiter), 0);
}

static void wait_timed_out(struct timer *timer)
{
    wait_ended(container_of(timer, struct sim_task, timeout), -ETIMEDOUT);
}

int task_sleep(const char *what, uint64_t deadline)
{
    struct sim_task *t = sim.current;

    sim_no_locks("while a task sleeps");
    t->waiting = true;
    t->waits_with = what;
    t->waits_since = sim.now;
    if (deadline != TIME_NEVER)
        timer_set(&t->timeout, deadline);
    if (t->signalled)
        wait_ended(t, -EINTR);
    else if (sim.spurious_per_million && sim_chance(sim.spurious_per_million))
        wait_ended(t, 0);
    give_way(t);
    return t->result;
}

void task_wake(struct sim_task *t)
{
    if (t->waiting)
        wait_ended(t, 0);
}

static void task_init(struct sim_task *t, const char *name)
{
    t->name = name;
    list_init(&t->waiter.link);
    t->waiter.woken = queue_woken;
    timer_init(&t->timeout, wait_timed_out);
    timer_init(&t->resume, resume);
}

void task_init_body(void)
{
    task_init(&sim.body, "the test");
    sim.current = &sim.body;
    sim.context = CONTEXT_PROCESS;
}

struct sim_task *sim_spawn(const char *name, void (*fn)(void *arg), void *arg)
{
    struct sim_task *t = calloc(1, sizeof *t);

    if (!t || getcontext(&t->context))
        abort();
    task_init(t, name);
    t->fn = fn;
    t->arg = arg;
    t->stack = stack_alloc();
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = SIM_STACK_SIZE;
    makecontext(&t->context, task_main, 0);
    list_add_tail(&t->link, &sim.tasks);
    timer_set(&t->resume, sim.now);
    return t;
}

bool sim_task_done(const struct sim_task *t)
{
    return t->done;
}

void sim_task_free(struct sim_task *t)
{
    if (!t->done)
        panic("task %s is freed before it is done", t->name);
    list_del(&t->link);
    free(t);
}

void sim_signal(struct sim_task *t, bool pending)
{
    t->signalled = pending;
    if (pending && t->waiting)
        wait_ended(t, -EINTR);
}

void sim_sleep(uint64_t duration)
{
    struct waitq nobody_wakes;
    struct lock lock;
    uint64_t until = sim.now + duration;

    waitq_init(&nobody_wakes);
    lock_init(&lock, "sim_sleep", RANK_SOCK_LISTEN);
    lock_acquire(&lock);
    while (sim.now < until && waitq_wait(&nobody_wakes, &lock, until) != -EINTR)
        ;
    lock_release(&lock);
}

void sleep_through(uint64_t duration)
{
    struct sim_task *t = sim.current;
    uint64_t until = sim.now + duration;

    if (sim.context != CONTEXT_PROCESS || !t)
        panic("sleeping outside process context");
    sim_no_locks("while a task sleeps");
    while (sim.now < until) {
        t->waiting = true;
        t->waits_with = "sleep_through";
        t->waits_since = sim.now;
        timer_set(&t->timeout, until);
        give_way(t);
    }
}

void task_report_stuck(const char *when)
{
    char names[512] = "";
    struct sim_task *t;
    size_t n = 0;

    list_for_each_entry (t, &sim.tasks, link)
        if (!t->done && n < sizeof names)
            n += (size_t)ksnprintf(names + n, sizeof names - n, "; %s waits with lock %s since %llu ns",
                                   t->name, t->waits_with ? t->waits_with : "(none)",
                                   (unsigned long long)t->waits_since);
    if (sim.body.waiting && n < sizeof names)
        n += (size_t)ksnprintf(names + n, sizeof names - n, "; the test waits with lock %s since %llu ns",
                               sim.body.waits_with, (unsigned long long)sim.body.waits_since);
    if (n)
        panic("stuck %s%s", when, names);
}

void task_free_all(void)
{
    struct sim_task *t, *next;

    list_for_each_entry_safe (t, next, &sim.tasks, link) {
        list_del(&t->link);
        free(t);
    }
}

/* ---- wait queues ---- */

void waitq_init(struct waitq *wq)
{
    wq->guard = 0;
    list_init(&wq->waiters);
}

void sim_spurious_wakeups(uint32_t per_million)
{
    sim.spurious_per_million = per_million;
}

static void check_may_wait(const struct lock *l)
{
    if (sim.context != CONTEXT_PROCESS || !sim.current)
        panic("waiting outside process context");
    if (sim.held_count != 1 || sim.held[0] != l)
        panic("waiting with %u locks held, the last being %s", sim.held_count,
              sim.held_count ? sim.held[sim.held_count - 1]->name : "none");
}

void sim_before_wait(void (*fn)(void *arg), void *arg)
{
    sim.before_wait = fn;
    sim.before_wait_arg = arg;
}

static void let_another_cpu_act(void)
{
    void (*fn)(void *arg) = sim.before_wait;

    sim.before_wait = NULL;
    if (fn)
        fn(sim.before_wait_arg);
}

int waitq_wait_unless(struct waitq *wq, struct lock *l, uint64_t deadline, bool (*over)(void *arg), void *arg)
{
    struct sim_task *t = sim.current;
    int result;

    check_may_wait(l);
    if (t->signalled)
        return -EINTR;
    let_another_cpu_act();
    if (over && over(arg))
        return 0;
    list_add_tail(&t->waiter.link, &wq->waiters);
    lock_release(l);
    result = task_sleep(l->name, deadline);
    lock_acquire(l);
    return result;
}

int waitq_wait(struct waitq *wq, struct lock *l, uint64_t deadline)
{
    return waitq_wait_unless(wq, l, deadline, NULL, NULL);
}

void waitq_wake(struct waitq *wq)
{
    struct list_head woken;

    sim_not_in_irq("waitq_wake()");
    list_init(&woken);
    list_splice_tail(&wq->waiters, &woken); /* who hangs itself on again waits for the next wake */
    while (!list_empty(&woken)) {
        struct sim_waiter *w = list_first_entry(&woken, struct sim_waiter, link);
        list_del(&w->link);
        w->woken(w);
    }
}

void waitq_wake_events(struct waitq *wq, int events)
{
    (void)events; /* who polls here looks again */
    waitq_wake(wq);
}
