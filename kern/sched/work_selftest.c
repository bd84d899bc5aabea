/* kern/sched/work_selftest.c - the kernel's tests of its work queues. */
#include "kern/sched/selftest.h"
#include "kern/sched/thread.h"

enum { PIECES = 20, ROUNDS = 200 };

/* ---- order, context, coalescing ---- */

static struct {
    struct work pieces[PIECES];
    struct mutex mutex;
    unsigned order[PIECES], n;
    bool right_context, right_cpu;
    unsigned cpu;
} line;

static void note_place(struct work *w)
{
    line.right_context &= context_now() == CONTEXT_PROCESS && preempt_count() == 0 && irqs_enabled();
    line.right_cpu &= cpu_id() == line.cpu;
    mutex_lock(&line.mutex);
    if (w == &line.pieces[0])
        thread_sleep_until(time_now() + ms(5)); /* the others wait for it */
    line.order[line.n++] = w - line.pieces;
    mutex_unlock(&line.mutex);
}

static bool work_comes_in_order(void)
{
    mutex_init(&line.mutex, "selftest work");
    line.n = 0;
    line.right_context = line.right_cpu = true;
    line.cpu = n_cpus - 1;
    for (unsigned i = 0; i < PIECES; i++) {
        work_init(&line.pieces[i], note_place);
        EXPECT(work_queue_on(line.cpu, &line.pieces[i]));
    }
    bool again = work_queue_on(line.cpu, &line.pieces[PIECES - 1]);
    workqueue_flush();
    EXPECT(!again && line.n == PIECES);
    for (unsigned i = 0; i < PIECES; i++)
        EXPECT(line.order[i] == i);
    EXPECT(line.right_context && line.right_cpu);
    return true;
}

/* ---- taking it back ---- */

static struct {
    struct work work;
    unsigned inside, most, runs; /* inside: atomic */
    bool again;
} busy;

static void be_busy(struct work *w)
{
    unsigned inside = __atomic_add_fetch(&busy.inside, 1, __ATOMIC_SEQ_CST);
    busy.most = MAX(busy.most, inside);
    busy.runs++;
    thread_sleep_until(time_now() + us(300));
    __atomic_sub_fetch(&busy.inside, 1, __ATOMIC_SEQ_CST);
    if (READ_ONCE(busy.again))
        work_queue(w);
}

static bool queue_often(unsigned cpu)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        work_queue_on(cpu, &busy.work);
    return true;
}

static bool cancelled_work_is_still(void)
{
    work_init(&busy.work, be_busy);
    for (unsigned i = 0; i < 20; i++) {
        busy.again = i % 2;
        EXPECT(selftest_on_all_cpus(queue_often));
        thread_sleep_until(time_now() + us(200));
        WRITE_ONCE(busy.again, false);
        work_cancel_sync(&busy.work);
        unsigned runs = busy.runs;
        EXPECT(!READ_ONCE(busy.inside) && !busy.work.pending);
        thread_sleep_until(time_now() + ms(1));
        EXPECT(READ_ONCE(busy.runs) == runs);
    }
    EXPECT(busy.runs > 0 && busy.most == 1);
    return true;
}

static bool a_flush_waits(void)
{
    unsigned runs = busy.runs;
    EXPECT(work_queue(&busy.work));
    work_flush(&busy.work);
    EXPECT(busy.runs == runs + 1 && !READ_ONCE(busy.inside));
    EXPECT(!work_cancel_sync(&busy.work));
    return true;
}

/* ---- later ---- */

static struct {
    struct delayed_work work;
    uint64_t came;
    struct tally done;
} later;

static void note_time(struct work *w)
{
    (void)w;
    later.came = time_now();
    tally_add(&later.done);
}

static bool delayed_work_comes_in_time(void)
{
    uint64_t due = time_now() + ms(20);
    tally_init(&later.done);
    delayed_work_init(&later.work, note_time);
    EXPECT(!delayed_work_queue(&later.work, time_now() + sec(3600)));
    EXPECT(delayed_work_queue(&later.work, due));
    EXPECT(tally_reaches(&later.done, 1));
    EXPECT(later.came >= due);
    delayed_work_queue(&later.work, time_now() + sec(3600));
    EXPECT(delayed_work_cancel_sync(&later.work) && !delayed_work_cancel_sync(&later.work));
    return true;
}

const struct selftest work_selftests[] = {
    { "work runs in process context, on its CPU, in order and once", work_comes_in_order },
    { "work that was taken back does not run, and never on two CPUs", cancelled_work_is_still },
    { "a flush waits until the work is done", a_flush_waits },
    { "delayed work comes in time, not before", delayed_work_comes_in_time },
    { 0 },
};
