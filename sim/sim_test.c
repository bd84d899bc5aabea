/* sim/sim_test.c - the virtual world itself: order of events, timers, softirqs, digest. */
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/test.h"
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

TEST(an_armed_timer_is_a_leak)
{
    struct counted_timer c = { 0 };

    timer_init(&c.timer, timer_counts);
    timer_set(&c.timer, sec(1));
    EXPECT_PANIC(sim_fini(), "a timer is still armed");
    timer_cancel(&c.timer);
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
