/* kern/sched/provoke.c - mistakes made on purpose: `selftest provoke=NAME` makes one, so that a test outside
 * can read how the kernel reports it. */
#include "kern/debug/console.h"
#include "kern/mm/mm.h"
#include "kern/sched/selftest.h"
#include "lib/string.h"

enum { SIZE = 100, LEAKS = 2 };

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

static void lock_order(void)
{
    lock_acquire(&route_lock);
    lock_acquire(&socket_lock);
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
};

void provoke(const char *name)
{
    lock_init(&socket_lock, "a socket", RANK_SOCK);
    lock_init(&route_lock, "the routes", RANK_ROUTE);
    for (unsigned i = 0; i < ARRAY_SIZE(mistakes); i++)
        if (strcmp(mistakes[i].name, name) == 0)
            mistakes[i].make();
    klog(LOG_ERROR, "provoke=%s: the kernel goes on", name);
    machine_exit(2);
}
