/* sim/threads/planted.c - races on purpose, one of each kind that the machine is to show: if one of them is
 * not reported, the machine hides such races of net/ too. What is right about each is what hides it from a
 * machine that orders too much: locks are taken around it, but not the same one on both sides. */
#include "sim/threads/work.h"

struct planted {
    struct lock lock, other;
    struct softirq softirqs[2];
    struct timer timer;
    uint64_t number; /* whose lock is forgotten */
};

/* ---- two CPUs ---- */

static void count_under(struct planted *p, struct lock *l)
{
    lock_acquire(l);
    p->number++;
    lock_release(l);
}

static void first_counts(struct softirq *s)
{
    struct planted *p = container_of(s, struct planted, softirqs[0]);

    count_under(p, &p->lock);
}

static void second_counts(struct softirq *s)
{
    struct planted *p = container_of(s, struct planted, softirqs[1]);

    count_under(p, &p->other);
}

static void plant(struct planted *p)
{
    lock_init(&p->lock, "planted", RANK_SOCK);
    lock_init(&p->other, "another", RANK_SOCK);
    softirq_open(&p->softirqs[0], SOFTIRQ_NET_RX, first_counts);
    softirq_open(&p->softirqs[1], SOFTIRQ_NET_RX, second_counts);
}

static void settle(struct planted *p)
{
    for (unsigned i = 0; i < 2; i++)
        while (READ_ONCE(p->softirqs[i].pending))
            process_sleep(ms(1));
}

static void raise_both(void *arg)
{
    static struct planted planted;
    struct planted *p = &planted;
    uint64_t until = time_now() + sec(5);
    (void)arg;

    plant(p);
    for (unsigned i = 0; work_goes_on() && time_now() < until; i++) {
        lock_acquire(&p->lock); /* chooses a CPU */
        softirq_raise(&p->softirqs[i % 2]);
        lock_release(&p->lock);
    }
    settle(p);
}

void start_planted_cpus(void)
{
    work_process("plants", raise_both, NULL);
}

/* ---- a process and a softirq ---- */

static void count_in_both(void *arg)
{
    static struct planted planted;
    struct planted *p = &planted;
    (void)arg;

    plant(p);
    for (unsigned i = 0; i < 200; i++) {
        lock_acquire(&p->other);
        softirq_raise(&p->softirqs[0]);
        p->number++;
        lock_release(&p->other);
    }
    settle(p);
}

void start_planted_process(void)
{
    work_process("plants", count_in_both, NULL);
}

/* ---- a timer ---- */

static void timer_counts(struct timer *t)
{
    struct planted *p = container_of(t, struct planted, timer);

    p->number++;
}

static void cancel_and_free(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 400; i++) {
        struct planted *p = mem_alloc(sizeof *p);
        timer_init(&p->timer, timer_counts);
        timer_set(&p->timer, time_now() + us(random_u32() % 1000));
        process_sleep(us(500));
        timer_cancel(&p->timer); /* timer_cancel_sync() is what is right */
        mem_free(p);
    }
}

void start_planted_timer(void)
{
    work_process("plants", cancel_and_free, NULL);
}
