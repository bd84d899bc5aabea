/* kern/sched/provoke.c - mistakes made on purpose: `selftest provoke=NAME` makes one, so that a test outside
 * can read how the kernel reports it. */
#include "kern/debug/console.h"
#include "kern/mm/mm.h"
#include "kern/sched/selftest.h"
#include "kern/sched/thread.h"
#include "lib/string.h"

enum { SIZE = 100, LEAKS = 2, IRQS_OFF_MS = 150, IRQS_OFF_TIMES = 3 };
/* A function that a report is to name. */
#define PLACE __attribute__((noinline)) static void

static uint8_t *object(void)
{
    uint8_t *p = kmalloc(SIZE);
    if (!p)
        panic("no memory to make a mistake with");
    return p;
}

static void double_free(void)
{
    uint8_t *p = object();
    kfree(p);
    kfree(p);
}

static void overrun(void)
{
    uint8_t *volatile p = object();
    p[SIZE] = 1;
    kfree(p);
}

static void use_after_free(void)
{
    uint8_t *volatile p = object();
    kfree(p);
    p[5] = 1;
    for (unsigned i = 0; i < 1000; i++) /* until it is given out again */
        object();
}

static void page_double_free(void)
{
    void *p = page_alloc(1);
    page_free(p, 1);
    page_free(p, 1);
}

static void leak(void)
{
    struct pool *pool = pool_create("leaky", SIZE);
    for (unsigned i = 0; pool && i < LEAKS; i++)
        pool_get(pool);
    pool_destroy(pool);
}

static struct lock socket_lock, route_lock;

PLACE take_socket(void)
{
    lock_acquire(&socket_lock);
}

PLACE take_route(void)
{
    lock_acquire(&route_lock);
}

PLACE drop_socket(void)
{
    lock_release(&socket_lock);
}

static void lock_order(void)
{
    take_route();
    take_socket();
}

static void lock_order_seen(void)
{
    lock_acquire(&socket_lock);
    lock_acquire(&route_lock);
    lock_release(&route_lock);
    lock_release(&socket_lock);
    lock_order();
}

static void lock_twice(void)
{
    lock_acquire(&socket_lock);
    lock_acquire(&socket_lock);
}

static void wait_with_two_locks(void)
{
    struct waitq wq;
    waitq_init(&wq);
    lock_acquire(&socket_lock);
    lock_acquire(&route_lock);
    waitq_wait(&wq, &route_lock, TIME_NEVER);
}

/* ---- sleeping where one may not ---- */

PLACE sleep_a_while(void)
{
    thread_sleep_until(time_now() + ms(1));
}

static void sleep_with_lock(void)
{
    take_route();
    sleep_a_while();
}

PLACE disable_preemption(void)
{
    preempt_disable();
}

static void sleep_without_preemption(void)
{
    disable_preemption();
    sleep_a_while();
}

static void touch_user_memory_with_lock(void)
{
    uint32_t word;
    take_route();
    if (copy_from_user(&word, PAGE_SIZE, sizeof word))
        klog(LOG_INFO, "no such user memory");
}

static struct mutex first, second, third;

static void sleeping_tasklet(struct tasklet *t)
{
    (void)t;
    mutex_lock(&first);
}

static void sleep_in_softirq(void)
{
    static struct tasklet t;
    tasklet_init(&t, sleeping_tasklet);
    tasklet_schedule(&t);
    thread_sleep_until(time_now() + sec(1));
}

/* ---- letting go of what one does not hold ---- */

static void holder(void *arg)
{
    (void)arg;
    take_socket();
    for (;;)
        cpu_relax();
}

static void unlock_by_another_cpu(void)
{
    struct thread *t = thread_create("holder", holder, NULL);
    if (!t || n_cpus < 2)
        panic("no other CPU to make a mistake with");
    thread_set_cpu(t, !cpu_id());
    thread_start(t);
    while (!READ_ONCE(socket_lock.word))
        sleep_a_while();
    drop_socket();
}

static void unlock_twice(void)
{
    take_socket();
    drop_socket();
    lock_release(&socket_lock);
}

PLACE take_mutex(struct mutex *m)
{
    mutex_lock(m);
}

PLACE drop_mutex(struct mutex *m)
{
    mutex_unlock(m);
}

static void mutex_holder(void *arg)
{
    take_mutex(arg);
    thread_sleep_until(TIME_NEVER);
}

static void mutex_unlock_by_another(void)
{
    struct thread *t = thread_create("holder", mutex_holder, &first);
    if (!t)
        panic("no memory to make a mistake with");
    thread_start(t);
    while (!READ_ONCE(first.owner))
        sleep_a_while();
    drop_mutex(&first);
}

static void mutex_unlock_twice(void)
{
    take_mutex(&first);
    drop_mutex(&first);
    mutex_unlock(&first);
}

static void end_with_mutex(void)
{
    take_mutex(&first);
    thread_exit(0);
}

/* ---- mutexes in a circle ---- */

PLACE two_mutexes(struct mutex *outer, struct mutex *inner)
{
    take_mutex(outer);
    mutex_lock(inner);
    mutex_unlock(inner);
    mutex_unlock(outer);
}

static void mutex_order(void)
{
    two_mutexes(&first, &second);
    two_mutexes(&second, &first);
}

static void mutex_circle(void)
{
    two_mutexes(&first, &second);
    two_mutexes(&second, &third);
    two_mutexes(&third, &first);
}

/* ---- interrupts off for too long ---- */

PLACE work_without_interrupts(void)
{
    uint64_t flags = irq_save(), until = time_now() + ms(IRQS_OFF_MS);
    while (time_now() < until)
        cpu_relax();
    irq_restore(flags);
}

static void irqs_off(void)
{
    for (volatile unsigned i = 0; i < IRQS_OFF_TIMES; i++) /* one place, not three unrolled ones */
        work_without_interrupts();
}

__attribute__((noinline)) static unsigned deeper(unsigned depth)
{
    volatile uint8_t big[256];
    memset((void *)big, (int)depth, sizeof big);
    return depth ? deeper(depth - 1) + big[7] : 0;
}

static void stack_overflow(void)
{
    deeper(KSTACK_SIZE / 128);
}

static const struct mistake {
    const char *name;
    void (*make)(void);
} mistakes[] = {
    { "double-free", double_free },
    { "overrun", overrun },
    { "use-after-free", use_after_free },
    { "page-double-free", page_double_free },
    { "leak", leak },
    { "lock-order", lock_order },
    { "lock-twice", lock_twice },
    { "wait-with-two-locks", wait_with_two_locks },
    { "stack-overflow", stack_overflow },
    { "lock-order-seen", lock_order_seen },
    { "sleep-with-lock", sleep_with_lock },
    { "sleep-without-preemption", sleep_without_preemption },
    { "sleep-in-softirq", sleep_in_softirq },
    { "user-memory-with-lock", touch_user_memory_with_lock },
    { "unlock-by-another-cpu", unlock_by_another_cpu },
    { "unlock-twice", unlock_twice },
    { "mutex-unlock-by-another", mutex_unlock_by_another },
    { "mutex-unlock-twice", mutex_unlock_twice },
    { "mutex-order", mutex_order },
    { "mutex-circle", mutex_circle },
    { "end-with-mutex", end_with_mutex },
    { "irqs-off", irqs_off },
};

void provoke(const char *name)
{
    lock_init(&socket_lock, "a socket", RANK_SOCK);
    lock_init(&route_lock, "the routes", RANK_ROUTE);
    mutex_init(&first, "the first");
    mutex_init(&second, "the second");
    mutex_init(&third, "the third");
    for (unsigned i = 0; i < ARRAY_SIZE(mistakes); i++)
        if (strcmp(mistakes[i].name, name) == 0)
            mistakes[i].make();
    klog(LOG_ERROR, "provoke=%s: the kernel goes on", name);
    machine_exit(2);
}
