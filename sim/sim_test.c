/* sim/sim_test.c - the virtual world itself: order of events, timers, tasks, checks, faults, digest. */
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/test.h"
#include <errno.h>
#include <string.h>

static char order[64];

static void note(void *arg)
{
    strncat(order, arg, sizeof order - strlen(order) - 1);
}

TEST(events_run_in_order_of_time_then_of_arrival)
{
    order[0] = '\0';
    sim_at(ms(2), note, "c");
    sim_at(ms(1), note, "a");
    sim_at(ms(2), note, "d");
    sim_at(ms(1), note, "b");
    sim_run_until(ms(1));
    CHECK(strcmp(order, "ab") == 0);
    CHECK_EQ(time_now(), ms(1));
    sim_run_idle();
    CHECK(strcmp(order, "abcd") == 0);
    CHECK_EQ(time_now(), ms(2));
}

TEST(running_until_a_time_stops_there_even_without_events)
{
    sim_run_for(sec(5));
    CHECK_EQ(time_now(), sec(5));
    CHECK_EQ(time_wall() % sec(86400), sec(5));
}

/* ---- timers ---- */

struct counted_timer {
    struct timer timer;
    unsigned fired;
    uint64_t at, again;
};

static void timer_counts(struct timer *t)
{
    struct counted_timer *c = container_of(t, struct counted_timer, timer);

    CHECK_EQ(context_now(), CONTEXT_SOFTIRQ);
    CHECK(!timer_pending(t));
    c->fired++;
    c->at = time_now();
    if (c->again) {
        timer_set(t, c->again);
        c->again = 0;
    }
}

TEST(a_timer_fires_once_at_its_time)
{
    struct counted_timer c = { 0 };

    timer_init(&c.timer, timer_counts);
    CHECK(!timer_set(&c.timer, ms(3)));
    sim_run_idle();
    CHECK_EQ(c.fired, 1);
    CHECK_EQ(c.at, ms(3));
}

TEST(a_timer_moves_and_is_cancelled)
{
    struct counted_timer c = { 0 };

    timer_init(&c.timer, timer_counts);
    timer_set(&c.timer, ms(3));
    CHECK(timer_set(&c.timer, ms(7)));
    sim_run_until(ms(5));
    CHECK_EQ(c.fired, 0);
    CHECK(timer_cancel(&c.timer));
    CHECK(!timer_cancel_sync(&c.timer));
    sim_run_idle();
    CHECK_EQ(c.fired, 0);
}

TEST(a_timer_may_set_itself_and_the_past_means_now)
{
    struct counted_timer c = { .again = ms(9) };

    sim_run_until(ms(4));
    timer_init(&c.timer, timer_counts);
    timer_set(&c.timer, ms(1));
    sim_run_until(ms(4));
    CHECK_EQ(c.fired, 1);
    CHECK_EQ(c.at, ms(4));
    sim_run_idle();
    CHECK_EQ(c.at, ms(9));
}

/* ---- softirqs ---- */

struct noted_softirq {
    struct softirq softirq;
    const char *note;
    struct softirq *raises;
};

static void softirq_notes(struct softirq *s)
{
    struct noted_softirq *n = container_of(s, struct noted_softirq, softirq);

    note((void *)(uintptr_t)n->note);
    if (n->raises)
        softirq_raise(n->raises);
    n->raises = NULL;
}

static void raise_in_irq(void *arg)
{
    CHECK_EQ(context_now(), CONTEXT_IRQ);
    softirq_raise(arg);
}

TEST(softirqs_run_in_order_of_level_and_coalesce)
{
    struct noted_softirq rx = { .note = "r" }, tx = { .note = "t" }, hi = { .note = "h" };

    order[0] = '\0';
    softirq_open(&rx.softirq, SOFTIRQ_NET_RX, softirq_notes);
    softirq_open(&tx.softirq, SOFTIRQ_NET_TX, softirq_notes);
    softirq_open(&hi.softirq, SOFTIRQ_HI, softirq_notes);
    rx.raises = &rx.softirq;
    sim_irq(raise_in_irq, &rx.softirq);
    softirq_raise(&rx.softirq);
    softirq_raise(&tx.softirq);
    softirq_raise(&hi.softirq);
    CHECK(strcmp(order, "") == 0);
    sim_run_idle();
    CHECK(strcmp(order, "htrr") == 0);
}

static void tasklet_notes(struct tasklet *t)
{
    (void)t;
    note("k");
}

TEST(a_tasklet_runs_once_however_often_it_was_scheduled)
{
    struct tasklet t;

    order[0] = '\0';
    tasklet_init(&t, tasklet_notes);
    tasklet_schedule(&t);
    tasklet_schedule(&t);
    sim_run_idle();
    CHECK(strcmp(order, "k") == 0);
}

static void raise_for_ever(struct softirq *s)
{
    softirq_raise(s);
}

TEST(a_softirq_that_raises_itself_for_ever_is_found)
{
    struct softirq s;

    softirq_open(&s, SOFTIRQ_NET_RX, raise_for_ever);
    softirq_raise(&s);
    EXPECT_PANIC(sim_run_idle(), "the clock still shows");
    list_del(&s.link);
}

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

static void sleep_and_note(void *arg)
{
    for (int i = 0; i < 3; i++) {
        note(arg);
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

static void copy_in_softirq(void *arg)
{
    char c;
    int err = copy_from_user(&c, (uintptr_t)arg, 1);

    (void)err;
}

static int copy_holding(struct lock *l, char *c)
{
    lock_acquire(l);
    return copy_from_user(c, (uintptr_t)c, 1);
}

TEST(user_memory_is_touched_in_process_context_without_locks)
{
    struct lock sock;
    char c = 'x';

    lock_init(&sock, "sock", RANK_SOCK);
    EXPECT_PANIC(copy_holding(&sock, &c), "lock sock held while user memory is touched");
    sim_at(0, copy_in_softirq, &c);
    EXPECT_PANIC(sim_run_idle(), "copy_from_user() outside process context");
}

static void allocate(void *arg)
{
    *(void **)arg = mem_alloc(1);
}

TEST(memory_is_not_allocated_in_an_irq)
{
    void *p;

    EXPECT_PANIC(sim_irq(allocate, &p), "mem_alloc() in irq context");
}

/* ---- faults and leaks ---- */

TEST(a_bad_user_address_is_refused_and_nothing_else)
{
    char user[16] = "0123456789", kernel[16] = "";

    sim_bad_user_range((uintptr_t)user + 8, 4);
    CHECK_EQ(copy_from_user(kernel, (uintptr_t)user, 8), 0);
    CHECK_EQ(copy_from_user(kernel, (uintptr_t)user, 9), -EFAULT);
    CHECK_EQ(copy_to_user((uintptr_t)user + 11, kernel, 1), -EFAULT);
    CHECK_EQ(copy_to_user((uintptr_t)user + 12, kernel, 1), 0);
    CHECK_EQ(copy_to_user(0, kernel, 1), -EFAULT);
    CHECK_EQ(copy_from_user(kernel, UINTPTR_MAX - 2, 8), -EFAULT);
    CHECK_EQ(copy_from_user(kernel, 0, 0), 0);
}

TEST(the_chosen_allocation_fails)
{
    void *p, *q;

    sim_fail_nth_alloc(2);
    p = mem_alloc(8);
    q = mem_alloc(8);
    CHECK(p && !q);
    q = mem_alloc(8);
    CHECK(q);
    CHECK_EQ(sim_live_objects(), 2);
    mem_free(p);
    mem_free(q);
    mem_free(NULL);
    CHECK_EQ(sim_live_objects(), 0);
}

TEST(a_share_of_allocations_fails)
{
    unsigned failed = 0;

    sim_fail_allocs(250000);
    for (int i = 0; i < 10000; i++) {
        void *p = mem_alloc(1);
        failed += p == NULL;
        mem_free(p);
    }
    CHECK(failed > 2300 && failed < 2700);
}

TEST(memory_left_over_is_a_leak)
{
    struct pool *pool = pool_create("things", 24);
    void *thing = pool_get(pool), *p, *buffer;

    EXPECT_PANIC(pool_destroy(pool), "leak: 1 things");
    EXPECT_PANIC(sim_fini(), "pool things was not destroyed, 1 of its objects are out");
    pool_put(pool, thing);
    EXPECT_PANIC(pool_put(pool, thing), "pool things gets back more");
    pool_destroy(pool);
    p = mem_alloc(3);
    EXPECT_PANIC(sim_fini(), "leak: 1 pieces of mem_alloc() memory");
    mem_free(p);
    buffer = dma_buffer_alloc(100);
    CHECK_EQ((uintptr_t)buffer % 64, 0);
    EXPECT_PANIC(sim_fini(), "leak: 1 DMA buffers");
    dma_buffer_free(buffer, 100);
}

TEST(an_armed_timer_is_a_leak)
{
    struct counted_timer c = { 0 };

    timer_init(&c.timer, timer_counts);
    timer_set(&c.timer, sec(1));
    EXPECT_PANIC(sim_fini(), "a timer is still armed");
    timer_cancel(&c.timer);
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

/* ---- the digest ---- */

static uint64_t digest_of_noise(uint64_t seed)
{
    sim_fini();
    sim_init(seed);
    for (int i = 0; i < 100; i++) {
        trace("noise", random_u32(), (uint32_t)sim_random());
        sim_run_for(us(3));
    }
    return sim_digest();
}

TEST(same_seed_same_digest_other_seed_other_digest)
{
    uint64_t a = digest_of_noise(1), b = digest_of_noise(2);

    CHECK(a != b);
    CHECK(digest_of_noise(1) == a);
    CHECK(digest_of_noise(2) == b);
}

TEST(the_digest_knows_time_point_packet_and_length)
{
    uint64_t digests[5];

    for (int i = 0; i < 5; i++) {
        sim_fini();
        sim_init(1);
        sim_run_for(i == 1);
        trace(i == 2 ? "b" : "a", i == 3, i == 4);
        digests[i] = sim_digest();
        for (int j = 0; j < i; j++)
            CHECK(digests[i] != digests[j]);
    }
}
