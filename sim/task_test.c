/* sim/task_test.c - tasks, wait queues, and the checks of locks and contexts. */
#include "sim/sim.h"
#include "sim/test.h"
#include <errno.h>
#include <string.h>

/* ---- tasks and wait queues ---- */

struct waiting {
    struct lock lock;
    struct waitq wq;
    bool ready;
    uint64_t deadline, woke_at;
    int result;
};

static void waiting_init(struct waiting *w, uint64_t deadline)
{
    *w = (struct waiting){ .deadline = deadline };
    lock_init(&w->lock, "waiting", RANK_SOCK);
    waitq_init(&w->wq);
}

static void wait_until_ready(void *arg)
{
    struct waiting *w = arg;

    CHECK_EQ(context_now(), CONTEXT_PROCESS);
    lock_acquire(&w->lock);
    while (!w->ready && w->result == 0)
        w->result = waitq_wait(&w->wq, &w->lock, w->deadline);
    w->woke_at = time_now();
    lock_release(&w->lock);
}

static void make_ready(void *arg)
{
    struct waiting *w = arg;

    lock_acquire(&w->lock);
    w->ready = true;
    waitq_wake(&w->wq);
    lock_release(&w->lock);
}

TEST(a_task_waits_until_it_is_woken)
{
    struct waiting w;
    struct sim_task *t;

    waiting_init(&w, TIME_NEVER);
    t = sim_spawn("waiter", wait_until_ready, &w);
    sim_at(ms(5), make_ready, &w);
    sim_run_until(ms(4));
    CHECK(!sim_task_done(t));
    sim_run_idle();
    CHECK(sim_task_done(t));
    CHECK_EQ(w.result, 0);
    CHECK_EQ(w.woke_at, ms(5));
}

TEST(a_wait_ends_at_its_deadline)
{
    struct waiting w;

    waiting_init(&w, ms(7));
    sim_spawn("waiter", wait_until_ready, &w);
    sim_run_idle();
    CHECK_EQ(w.result, -ETIMEDOUT);
    CHECK_EQ(w.woke_at, ms(7));
}

TEST(a_wait_may_end_for_no_reason)
{
    struct waiting w;

    waiting_init(&w, TIME_NEVER);
    sim_spurious_wakeups(1000000);
    lock_acquire(&w.lock);
    CHECK_EQ(waitq_wait(&w.wq, &w.lock, TIME_NEVER), 0);
    CHECK_EQ(time_now(), 0);
    lock_release(&w.lock);
    sim_spurious_wakeups(500000);
    sim_at(ms(5), make_ready, &w);
    wait_until_ready(&w);
    CHECK_EQ(w.woke_at, ms(5));
}

TEST(a_signal_ends_this_wait_and_the_next)
{
    struct waiting w;
    struct sim_task *t;

    waiting_init(&w, TIME_NEVER);
    t = sim_spawn("waiter", wait_until_ready, &w);
    sim_run_until(ms(1));
    sim_signal(t, true);
    sim_run_idle();
    CHECK_EQ(w.result, -EINTR);
    CHECK_EQ(w.woke_at, ms(1));
}

TEST(the_body_of_a_test_waits_like_a_task)
{
    struct waiting w;

    waiting_init(&w, TIME_NEVER);
    sim_at(ms(5), make_ready, &w);
    wait_until_ready(&w);
    CHECK_EQ(w.woke_at, ms(5));
    sim_sleep(ms(2));
    CHECK_EQ(time_now(), ms(7));
    CHECK_EQ(context_now(), CONTEXT_PROCESS);
}

static char order[8];

static void sleep_and_note(void *arg)
{
    for (int i = 0; i < 3; i++) {
        strcat(order, arg);
        sim_sleep(ms(1));
    }
}

TEST(tasks_take_turns_in_virtual_time)
{
    order[0] = '\0';
    sim_spawn("a", sleep_and_note, "a");
    sim_spawn("b", sleep_and_note, "b");
    sim_join(sec(1));
    CHECK(strcmp(order, "ababab") == 0);
}

TEST(a_stuck_task_is_named)
{
    struct waiting w;

    waiting_init(&w, TIME_NEVER);
    sim_spawn("anna", wait_until_ready, &w);
    EXPECT_PANIC(sim_run_idle(), "stuck when no event is left; anna waits with lock waiting");
    sim_at(ms(1), make_ready, &w);
    sim_run_idle();
}

TEST(a_stuck_body_is_named)
{
    struct waiting w;

    waiting_init(&w, TIME_NEVER);
    EXPECT_PANIC(wait_until_ready(&w), "the test waits with lock waiting");
}

TEST(an_unfinished_task_is_a_leak)
{
    struct waiting w;

    waiting_init(&w, TIME_NEVER);
    sim_spawn("berta", wait_until_ready, &w);
    sim_run_for(sec(1));
    EXPECT_PANIC(sim_fini(), "stuck at the end of the test; berta waits");
    make_ready(&w);
    sim_run_idle();
}

/* ---- locks and contexts ---- */

static void take_twice(struct lock *l)
{
    lock_acquire(l);
    lock_acquire(l);
}

static void take_both(struct lock *first, struct lock *second)
{
    lock_acquire(first);
    lock_acquire(second);
}

static void take(void *arg)
{
    lock_acquire(arg);
}

static void run_holding(struct lock *l)
{
    lock_acquire(l);
    sim_run_for(ms(1));
}

TEST(a_lock_is_not_taken_twice_nor_against_its_rank)
{
    struct lock sock, route;

    lock_init(&sock, "sock", RANK_SOCK);
    lock_init(&route, "route", RANK_ROUTE);
    EXPECT_PANIC(take_twice(&sock), "sock acquired twice");
    EXPECT_PANIC(take_both(&route, &sock), "lock order: sock (rank 20) while holding route (rank 40)");
    EXPECT_PANIC(lock_release(&sock), "sock released but not held");
    EXPECT_PANIC(sim_irq(take, &sock), "lock_acquire() in irq context");
    EXPECT_PANIC(run_holding(&sock), "lock sock held while events run");
    take_both(&sock, &route);
    CHECK(lock_held(&sock) && lock_held(&route));
    lock_release(&sock);
    CHECK(!lock_held(&sock) && lock_held(&route));
    lock_release(&route);
}

TEST(a_lock_held_at_the_end_of_an_event_is_found)
{
    struct lock sock;

    lock_init(&sock, "sock", RANK_SOCK);
    sim_at(ms(1), take, &sock);
    EXPECT_PANIC(sim_run_idle(), "lock sock held at the end of an event");
    EXPECT_PANIC((sim_spawn("t", take, &sock), sim_run_until(0)), "lock sock held at the end of a task");
}

static void wait_with_none(struct waiting *w)
{
    (void)waitq_wait(&w->wq, &w->lock, TIME_NEVER);
}

static void wait_with_two(struct waiting *w, struct lock *second)
{
    take_both(&w->lock, second);
    (void)waitq_wait(&w->wq, &w->lock, TIME_NEVER);
}

static void wait_in_event(void *arg)
{
    struct waiting *w = arg;

    lock_acquire(&w->lock);
    (void)waitq_wait(&w->wq, &w->lock, TIME_NEVER);
}

TEST(waiting_needs_process_context_and_exactly_one_lock)
{
    struct waiting w;
    struct lock route;

    waiting_init(&w, TIME_NEVER);
    lock_init(&route, "route", RANK_ROUTE);
    EXPECT_PANIC(wait_with_none(&w), "waiting with 0 locks held");
    EXPECT_PANIC(wait_with_two(&w, &route), "waiting with 2 locks held, the last being route");
    sim_at(ms(1), wait_in_event, &w);
    EXPECT_PANIC(sim_run_idle(), "waiting outside process context");
}
