/* sim/sim.c - the virtual world's beginning, its end, and the loop between them.
 * Softirqs that are pending run before the clock moves or the next event starts. */
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/test.h"
#include <stdlib.h>
#include <string.h>

struct sim sim;

void sim_init(uint64_t seed)
{
    bool print_log = sim.print_log, print_trace = sim.print_trace;

    memset(&sim, 0, sizeof sim);
    sim.print_log = print_log;
    sim.print_trace = print_trace;
    sim.seed = seed;
    sim.random_kernel = seed;
    sim.random_world = ~seed;
    sim.digest = 14695981039346656037u; /* FNV-1a's offset basis */
    list_init(&sim.tasks);
    list_init(&sim.pools);
    list_init(&sim.names);
    sim.credentials = (struct credentials){ .pid = 1 };
    for (unsigned level = 0; level < SOFTIRQ_LEVELS; level++)
        list_init(&sim.softirqs[level]);
    task_init_body();
}

uint64_t sim_seed(void)
{
    return sim.seed;
}

/* An event of sim_at(), which frees itself. */
struct event {
    struct timer timer;
    void (*fn)(void *arg);
    void *arg;
};

static void event_fire(struct timer *t)
{
    struct event event = *container_of(t, struct event, timer);

    free(container_of(t, struct event, timer));
    event.fn(event.arg);
}

void sim_at(uint64_t when, void (*fn)(void *arg), void *arg)
{
    struct event *e = malloc(sizeof *e);

    if (!e)
        abort();
    e->fn = fn;
    e->arg = arg;
    timer_init(&e->timer, event_fire);
    timer_set(&e->timer, when);
}

static void events_free(void)
{
    struct heap_node *node;

    while ((node = heap_first(&sim.events))) {
        struct timer *t = container_of(node, struct timer, node);
        heap_remove(&sim.events, node);
        if (t->fn != event_fire)
            panic("a timer is still armed at the end (function %p)", (void *)(uintptr_t)t->fn);
        free(container_of(t, struct event, timer));
    }
}

void sim_fini(void)
{
    sim_no_locks("at the end of the test");
    task_report_stuck("at the end of the test");
    for (unsigned level = 0; level < SOFTIRQ_LEVELS; level++)
        if (!list_empty(&sim.softirqs[level]))
            panic("a softirq of level %u is still pending at the end", level);
    events_free();
    memory_check_leaks();
    task_free_all();
}

static void fire(struct timer *t)
{
    sim.context = CONTEXT_SOFTIRQ;
    sim.current = NULL;
    t->fn(t);
    sim_no_locks("at the end of an event");
}

static void count_event(uint64_t when)
{
    if (when > sim.now)
        sim.events_now = 0;
    if (++sim.events_now > SIM_LIVELOCK)
        panic("%d events have run and the clock still shows %llu ns", SIM_LIVELOCK,
              (unsigned long long)sim.now);
}

bool sim_step(uint64_t until)
{
    struct heap_node *first;
    uint64_t when;

    if (softirq_step()) {
        count_event(sim.now);
        return true;
    }
    first = heap_first(&sim.events);
    if (!first || first->key > until)
        return false;
    when = first->key;
    heap_remove(&sim.events, first);
    count_event(when);
    sim.now = when;
    fire(container_of(first, struct timer, node));
    return true;
}

static void enter_loop(const char *what)
{
    if (sim.current != &sim.body)
        panic("%s outside the body of a test; a task uses sim_sleep()", what);
    sim_no_locks("while events run");
}

static void leave_loop(void)
{
    sim.context = CONTEXT_PROCESS;
    sim.current = &sim.body;
}

void sim_run_until(uint64_t time)
{
    enter_loop("sim_run_until()");
    while (sim_step(time))
        ;
    sim.now = MAX(sim.now, time);
    leave_loop();
}

bool sim_run_one(uint64_t until)
{
    enter_loop("sim_run_one()");
    bool ran = sim_step(until);
    leave_loop();
    return ran;
}

uint64_t sim_next_event(void)
{
    struct heap_node *first = heap_first(&sim.events);

    if (softirq_any_pending())
        return sim.now;
    return first ? MAX(first->key, sim.now) : TIME_NEVER;
}

void sim_run_for(uint64_t duration)
{
    sim_run_until(sim.now + duration);
}

void sim_run_idle(void)
{
    enter_loop("sim_run_idle()");
    while (sim_step(TIME_NEVER))
        ;
    leave_loop();
    task_report_stuck("when no event is left");
}

static bool all_tasks_done(void)
{
    struct sim_task *t;

    list_for_each_entry (t, &sim.tasks, link)
        if (!t->done)
            return false;
    return true;
}

void sim_join(uint64_t limit)
{
    uint64_t until = sim.now + limit;

    enter_loop("sim_join()");
    while (!all_tasks_done() && sim_step(until))
        ;
    leave_loop();
    task_report_stuck("at sim_join()");
}
