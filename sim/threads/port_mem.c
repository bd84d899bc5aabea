/* sim/threads/port_mem.c - memory of net/port.h: every object one malloc, whose death ThreadSanitizer sees.
 * Allocations can be made to fail. */
#include "sim/threads/state.h"
#include <stdlib.h>
#include <string.h>

enum { FRESH = 0xcd, TOTAL = 512 << 20 };

struct pool {
    const char *name;
    size_t size;
    int64_t live;
};

void threads_fail_allocs(uint32_t per_million)
{
    __atomic_store_n(&machine.fail_per_million, per_million, __ATOMIC_RELAXED);
}

static bool refuse(const char *what)
{
    uint32_t per_million = __atomic_load_n(&machine.fail_per_million, __ATOMIC_RELAXED);

    not_in_irq(what);
    return per_million && threads_chance(1000000) < per_million;
}

static void count(int64_t *counter, int change)
{
    __atomic_fetch_add(counter, change, __ATOMIC_RELAXED);
}

void *mem_alloc(size_t size)
{
    void *p = refuse("mem_alloc()") ? NULL : calloc(1, size);

    count(&machine.live_memory, p != NULL);
    return p;
}

void mem_free(void *p)
{
    not_in_irq("mem_free()");
    count(&machine.live_memory, -(p != NULL));
    free(p);
}

uint64_t mem_total(void)
{
    return TOTAL;
}

struct pool *pool_create(const char *name, size_t size)
{
    struct pool *pool = refuse("pool_create()") ? NULL : calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pool->name = name;
    pool->size = size;
    count(&machine.live_pools, 1);
    return pool;
}

void pool_destroy(struct pool *pool)
{
    if (pool->live)
        panic("leak: %lld of %s", (long long)pool->live, pool->name);
    count(&machine.live_pools, -1);
    free(pool);
}

void *pool_get(struct pool *pool)
{
    void *object = refuse("pool_get()") ? NULL : malloc(pool->size);

    if (!object)
        return NULL;
    order_used(pool);
    count(&pool->live, 1);
    return memset(object, FRESH, pool->size);
}

void pool_put(struct pool *pool, void *object)
{
    not_in_irq("pool_put()");
    order_used(pool);
    count(&pool->live, -1);
    free(object);
}

void *dma_buffer_alloc(size_t size)
{
    void *p = NULL;

    if (refuse("dma_buffer_alloc()") || posix_memalign(&p, 64, size))
        return NULL;
    count(&machine.live_buffers, 1);
    return memset(p, FRESH, size);
}

void dma_buffer_free(void *p, size_t size)
{
    (void)size;
    not_in_irq("dma_buffer_free()");
    count(&machine.live_buffers, -(p != NULL));
    free(p);
}

void memory_check_leaks(void)
{
    if (machine.live_memory || machine.live_buffers || machine.live_pools)
        panic("leak: %lld pieces of memory, %lld buffers, %lld pools", (long long)machine.live_memory,
              (long long)machine.live_buffers, (long long)machine.live_pools);
}
