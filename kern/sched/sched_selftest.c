/* kern/sched/sched_selftest.c - threads, waiting, timers and softirqs, on all CPUs at once. */
#include "kern/mm/mm.h"
#include "kern/sched/selftest.h"
#include "kern/sched/softirq.h"
#include "lib/abi/errno.h"

enum { ROUNDS = 2000, THREADS = 8, TIMERS = 20 };
#define PATIENCE sec(60) /* an emulated CPU may stand still for a while */

/* Start fn(arg) pinned to a CPU (-1: anywhere). */
static bool start(void (*fn)(void *arg), void *arg, int cpu)
{
    struct thread *t = thread_create("selftest-peer", fn, arg);
    if (!t)
        return false;
    if (cpu >= 0)
        thread_set_cpu(t, cpu);
    thread_start(t);
    return true;
}

/* ---- waiting ---- */

static struct {
    struct lock lock;
    struct waitq wq;
    unsigned turn; /* lock */
    bool timed_out;
    struct tally done;
} table;

static void play(void *arg)
{
    unsigned me = (uint64_t)arg;
    for (unsigned i = 0; i < ROUNDS && !table.timed_out; i++) {
        lock_acquire(&table.lock);
        while (table.turn != me && !table.timed_out)
            if (waitq_wait(&table.wq, &table.lock, time_now() + PATIENCE) == -ETIMEDOUT)
                table.timed_out = true;
        table.turn = !me;
        waitq_wake(&table.wq);
        lock_release(&table.lock);
    }
    tally_add(&table.done);
}

static bool no_wake_up_is_lost(void)
{
    lock_init(&table.lock, "selftest", RANK_SOCK);
    waitq_init(&table.wq);
    tally_init(&table.done);
    EXPECT(start(play, (void *)0, 0) && start(play, (void *)1, n_cpus - 1));
    EXPECT(tally_reaches(&table.done, 2) && !table.timed_out);
    return true;
}

static bool waiting_ends_in_time(void)
{
    const bool never = false;
    uint64_t began = time_now();
    EXPECT(wait_sleep(&never, began + ms(20)) == -ETIMEDOUT && time_now() >= began + ms(20));
    EXPECT(thread_sleep_until(time_now() + ms(5)) == 0);
    EXPECT(wait_sleep(&never, began) == -ETIMEDOUT);
    return true;
}

static struct tally sleeper_done;
static int sleeper_result;

static void sleep_long(void *arg)
{
    *(struct thread **)arg = current_thread();
    sleeper_result = thread_sleep_until(time_now() + PATIENCE);
    tally_add(&sleeper_done);
}

static bool a_signal_ends_a_sleep(void)
{
    struct thread *sleeper = NULL;
    tally_init(&sleeper_done);
    EXPECT(start(sleep_long, &sleeper, -1));
    while (!READ_ONCE(sleeper))
        yield();
    thread_interrupt(sleeper);
    EXPECT(tally_reaches(&sleeper_done, 1) && sleeper_result == -EINTR);
    return true;
}

/* ---- threads ---- */

static struct {
    struct mutex mutex;
    unsigned inside, most, total; /* mutex */
    struct tally done;
} room;

static void enter_room(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 50; i++) {
        mutex_lock(&room.mutex);
        room.inside++;
        room.most = MAX(room.most, room.inside);
        if (i % 10 == 0)
            thread_sleep_until(time_now() + us(100));
        room.total++;
        room.inside--;
        mutex_unlock(&room.mutex);
    }
    tally_add(&room.done);
}

static bool a_mutex_lets_one_in(void)
{
    mutex_init(&room.mutex, "selftest");
    tally_init(&room.done);
    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(start(enter_room, NULL, -1));
    EXPECT(tally_reaches(&room.done, THREADS));
    EXPECT(room.most == 1 && room.total == THREADS * 50);
    return true;
}

static bool stop_spinning;

static void spin(void *arg)
{
    while (!READ_ONCE(stop_spinning))
        cpu_relax();
    tally_add(arg);
}

static void just_count(void *arg)
{
    tally_add(arg);
}

static bool a_slice_ends(void) /* nobody who computes keeps another from the CPU */
{
    struct tally spun, counted;
    tally_init(&spun);
    tally_init(&counted);
    stop_spinning = false;
    for_each_cpu (i)
        EXPECT(start(spin, &spun, i) && start(just_count, &counted, i));
    bool ok = tally_reaches(&counted, n_cpus);
    WRITE_ONCE(stop_spinning, true);
    EXPECT(ok && tally_reaches(&spun, n_cpus));
    return true;
}

static void count_thread(struct thread *t, void *arg)
{
    (void)t;
    ++*(unsigned *)arg;
}

static unsigned n_threads(void)
{
    unsigned n = 0;
    thread_for_each(count_thread, &n);
    return n;
}

static bool the_dead_are_buried(void)
{
    struct tally counted;
    struct mm_stats before, after;
    tally_init(&counted);
    thread_sleep_until(time_now() + ms(10)); /* those of the test before */
    unsigned n = n_threads();
    mm_get_stats(&before);
    for (unsigned i = 0; i < 200; i++)
        EXPECT(start(just_count, &counted, i % n_cpus));
    EXPECT(tally_reaches(&counted, 200));
    for (uint64_t until = time_now() + PATIENCE; n_threads() > n && time_now() < until;)
        thread_sleep_until(time_now() + ms(1));
    EXPECT(n_threads() == n);
    mm_get_stats(&after);
    EXPECT(after.free + 256 > before.free); /* 200 stacks are 800 pages; some are kept for the next */
    return true;
}

/* ---- timers ---- */

static struct {
    struct timer timers[TIMERS];
    unsigned order[TIMERS], n;
    struct tally done;
} clocks;

static void note_timer(struct timer *t)
{
    clocks.order[clocks.n++] = t - clocks.timers;
    tally_add(&clocks.done);
}

static bool timers_ring_in_order(void)
{
    tally_init(&clocks.done);
    clocks.n = 0;
    preempt_disable(); /* one CPU's timers */
    uint64_t base = time_now() + ms(20);
    for (unsigned i = 0; i < TIMERS; i++) {
        unsigned k = i * 7 % TIMERS;
        timer_init(&clocks.timers[k], note_timer);
        timer_set(&clocks.timers[k], base + k * us(500));
    }
    preempt_enable();
    bool cancelled = timer_cancel(&clocks.timers[3]) && !timer_cancel(&clocks.timers[3]);
    EXPECT(cancelled && timer_set(&clocks.timers[5], base + ms(40)));
    EXPECT(tally_reaches(&clocks.done, TIMERS - 1));
    for (unsigned i = 1; i < TIMERS - 2; i++)
        EXPECT(clocks.order[i - 1] < clocks.order[i]);
    EXPECT(clocks.order[TIMERS - 2] == 5);
    return true;
}

static struct {
    struct timer timer;
    unsigned inside, rung;
} bell;

static void ring(struct timer *t)
{
    WRITE_ONCE(bell.inside, 1);
    for (uint64_t until = time_now() + us(200); time_now() < until;)
        cpu_relax();
    bell.rung++;
    timer_set(t, time_now() + us(50));
    WRITE_ONCE(bell.inside, 0);
}

static bool cancel_while_ringing(unsigned cpu)
{
    for (unsigned i = 0; i < 200; i++) {
        if (cpu == 0)
            timer_set(&bell.timer, time_now());
        else
            timer_cancel(&bell.timer);
    }
    return true;
}

static bool a_cancelled_timer_is_still(void)
{
    timer_init(&bell.timer, ring);
    for (unsigned i = 0; i < 20; i++) {
        EXPECT(selftest_on_all_cpus(cancel_while_ringing));
        timer_set(&bell.timer, time_now());
        thread_sleep_until(time_now() + us(300)); /* it rings, or has just been set again */
        timer_cancel_sync(&bell.timer);
        unsigned rung = bell.rung;
        EXPECT(!READ_ONCE(bell.inside) && !timer_pending(&bell.timer));
        thread_sleep_until(time_now() + ms(1));
        EXPECT(READ_ONCE(bell.rung) == rung);
    }
    EXPECT(bell.rung > 0);
    return true;
}

/* ---- softirqs ---- */

static struct {
    struct softirq softirq;
    uint64_t until;
    unsigned runs, in_ksoftirqd;
    bool over;
} flood;

static void flood_run(struct softirq *s)
{
    flood.runs++;
    flood.in_ksoftirqd += current_thread()->prio == PRIO_LOW;
    for (uint64_t until = time_now() + us(100); time_now() < until;)
        cpu_relax();
    if (time_now() < flood.until)
        softirq_raise(s);
    else
        WRITE_ONCE(flood.over, true);
}

/* A softirq that never ends by itself, and this thread on the same CPU: it goes on meanwhile. */
static void live_beside_flood(void *arg)
{
    unsigned steps = 0;
    softirq_open(&flood.softirq, SOFTIRQ_NET_RX, flood_run);
    flood.until = time_now() + ms(100);
    softirq_raise(&flood.softirq);
    while (!READ_ONCE(flood.over) && time_now() < flood.until + PATIENCE)
        steps++;
    flood.runs = steps ? flood.runs : 0;
    tally_add(arg);
}

static bool a_flood_goes_to_ksoftirqd(void)
{
    struct tally done;
    tally_init(&done);
    EXPECT(start(live_beside_flood, &done, 0));
    EXPECT(tally_reaches(&done, 1));
    EXPECT(flood.over && flood.in_ksoftirqd > 0 && flood.runs > flood.in_ksoftirqd);
    return true;
}

static struct {
    struct softirq softirq;
    unsigned runs;
    enum context context;
    bool nested;
} probe;

static void probe_run(struct softirq *s)
{
    (void)s;
    probe.runs++;
    probe.context = context_now();
}

struct drum {
    struct timer timer;
    uint64_t until;
};

static void beat(struct timer *t)
{
    struct drum *drum = container_of(t, struct drum, timer);
    if (time_now() < drum->until)
        timer_set(t, time_now() + us(20));
}

/* Each clock interrupt takes a lock, wherever it comes. */
static bool take_a_lock_under_interrupts(unsigned cpu)
{
    struct drum drum = { .until = time_now() + ms(300) };
    struct lock lock;
    (void)cpu;
    lock_init(&lock, "selftest", RANK_SOCK);
    timer_init(&drum.timer, beat);
    timer_set(&drum.timer, time_now());
    while (time_now() < drum.until) {
        lock_acquire(&lock);
        EXPECT(lock_held(&lock));
        lock_release(&lock);
    }
    timer_cancel_sync(&drum.timer);
    return true;
}

static bool interrupts_do_not_disturb_the_list_of_locks(void)
{
    return selftest_on_all_cpus(take_a_lock_under_interrupts);
}

static bool releasing_a_lock_runs_softirqs(void)
{
    struct lock lock;
    lock_init(&lock, "selftest", RANK_SOCK);
    softirq_open(&probe.softirq, SOFTIRQ_HI, probe_run);
    lock_acquire(&lock);
    softirq_raise(&probe.softirq);
    softirq_raise(&probe.softirq);
    EXPECT(probe.runs == 0 && lock_held(&lock));
    lock_release(&lock);
    EXPECT(probe.runs == 1 && probe.context == CONTEXT_SOFTIRQ && context_now() == CONTEXT_PROCESS);
    softirq_raise(&probe.softirq);
    EXPECT(probe.runs == 2);
    return true;
}

static struct {
    struct tasklet tasklet;
    unsigned inside, most, runs; /* inside: atomic */
} alone;

static void alone_run(struct tasklet *t)
{
    (void)t;
    unsigned inside = __atomic_add_fetch(&alone.inside, 1, __ATOMIC_SEQ_CST);
    alone.most = MAX(alone.most, inside);
    alone.runs++;
    for (uint64_t until = time_now() + us(20); time_now() < until;)
        cpu_relax();
    __atomic_sub_fetch(&alone.inside, 1, __ATOMIC_SEQ_CST);
}

static bool schedule_tasklet_often(unsigned cpu)
{
    (void)cpu;
    for (unsigned i = 0; i < 500; i++)
        tasklet_schedule(&alone.tasklet);
    return true;
}

static bool a_tasklet_is_alone(void)
{
    tasklet_init(&alone.tasklet, alone_run);
    EXPECT(selftest_on_all_cpus(schedule_tasklet_often));
    while (READ_ONCE(alone.tasklet.softirq.pending)) /* ksoftirqd may have it */
        thread_sleep_until(time_now() + ms(1));
    EXPECT(alone.runs > 0 && alone.most == 1);
    return true;
}

const struct selftest sched_selftests[] = {
    { "no wake-up is lost between two CPUs", no_wake_up_is_lost },
    { "waiting ends at its deadline, not before", waiting_ends_in_time },
    { "a signal ends a sleep", a_signal_ends_a_sleep },
    { "a mutex lets one in at a time", a_mutex_lets_one_in },
    { "a thread that computes leaves the CPU to others", a_slice_ends },
    { "threads that ended leave nothing behind", the_dead_are_buried },
    { "timers ring in order, cancelled ones do not", timers_ring_in_order },
    { "a timer is still after a synchronous cancel", a_cancelled_timer_is_still },
    { "a flood of softirqs goes to ksoftirqd and leaves programs their share", a_flood_goes_to_ksoftirqd },
    { "releasing a lock runs what was raised meanwhile, once", releasing_a_lock_runs_softirqs },
    { "interrupts do not disturb the list of locks held", interrupts_do_not_disturb_the_list_of_locks },
    { "a tasklet runs on one CPU at a time", a_tasklet_is_alone },
    { 0 },
};
