/* sim/mem_test.c - memory and user memory: who may touch it, how it is made to fail, what is a leak. */
#include "sim/sim.h"
#include "sim/test.h"
#include <errno.h>

static void allocate(void *arg)
{
    *(void **)arg = mem_alloc(1);
}

TEST(memory_is_not_allocated_in_an_irq)
{
    void *p;

    EXPECT_PANIC(sim_irq(allocate, &p), "mem_alloc() in irq context");
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

TEST(user_addresses_end_where_the_only_range_does)
{
    char user[16] = "0123456789", kernel[16] = "";

    sim_only_user_range((uintptr_t)user + 4, 8);
    CHECK_EQ(copy_from_user(kernel, (uintptr_t)user + 4, 8), 0);
    CHECK_EQ(copy_from_user(kernel, (uintptr_t)user + 3, 2), -EFAULT);
    CHECK_EQ(copy_to_user((uintptr_t)user + 11, kernel, 2), -EFAULT);
    sim_only_user_range(0, 0);
    CHECK_EQ(copy_to_user((uintptr_t)user, kernel, 16), 0);
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
