/* sim/port_mem.c - memory of net/port.h: every object one malloc, so that AddressSanitizer sees its edges and
 * its death. What lives is counted; any allocation can be made to fail. */
#include "sim/state.h"
#include "sim/undefined.h"
#include <stdlib.h>
#include <string.h>

enum {
    FRESH = 0xcd,     /* what memory holds that was not zeroed: the same in every run */
    TOTAL = 512 << 20 /* what a guest has by default */
};

/* Count an allocation; true if it is to fail. */
static bool refuse(const char *what)
{
    sim_not_in_irq(what);
    sim.alloc_count++;
    if (sim.fail_at && sim.alloc_count == sim.fail_at)
        return true;
    return sim.fail_per_million && sim_chance(sim.fail_per_million);
}

void sim_fail_nth_alloc(uint64_t n)
{
    sim.fail_at = n ? sim.alloc_count + n : 0;
}

void sim_fail_allocs(uint32_t per_million)
{
    sim.fail_per_million = per_million;
}

uint64_t sim_alloc_count(void)
{
    return sim.alloc_count;
}

uint64_t sim_live_objects(void)
{
    uint64_t live = sim.live_memory + sim.live_buffers;
    struct pool *pool;

    list_for_each_entry (pool, &sim.pools, link)
        live += pool->live;
    return live;
}

/* The same in every run, but not to be used before it is written; which is not seen of a device outside. */
static void *fresh(void *p, size_t size)
{
    memset(p, FRESH, size);
    if (!sim.dma_alloc)
        memory_is_undefined(p, size);
    return p;
}

static void leaked(const char *what, uint64_t n)
{
    klog(LOG_ERROR, "leak: %llu %s", (unsigned long long)n, what);
    host_show_leaks();
    panic("leak: %llu %s", (unsigned long long)n, what);
}

void *mem_alloc(size_t size)
{
    void *p = refuse("mem_alloc()") ? NULL : calloc(1, size);

    sim.live_memory += p != NULL;
    return p;
}

void mem_free(void *p)
{
    sim_not_in_irq("mem_free()");
    sim.live_memory -= p != NULL;
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
    list_add_tail(&pool->link, &sim.pools);
    return pool;
}

void pool_destroy(struct pool *pool)
{
    if (pool->live)
        leaked(pool->name, pool->live);
    list_del(&pool->link);
    free(pool);
}

void *pool_get(struct pool *pool)
{
    void *object = refuse("pool_get()") ? NULL : malloc(pool->size);

    if (!object)
        return NULL;
    pool->live++;
    return fresh(object, pool->size);
}

void pool_put(struct pool *pool, void *object)
{
    sim_not_in_irq("pool_put()");
    if (!pool->live)
        panic("pool %s gets back more objects than it gave", pool->name);
    pool->live--;
    free(object);
}

void sim_set_dma_memory(void *(*alloc)(size_t size), void (*release)(void *p))
{
    sim.dma_alloc = alloc;
    sim.dma_free = release;
}

static void *aligned_buffer(size_t size)
{
    void *p = NULL;

    if (sim.dma_alloc)
        return sim.dma_alloc(size);
    return posix_memalign(&p, 64, size) ? NULL : p;
}

void *dma_buffer_alloc(size_t size)
{
    void *p = refuse("dma_buffer_alloc()") ? NULL : aligned_buffer(size);

    if (!p)
        return NULL;
    sim.live_buffers++;
    return fresh(p, size);
}

void dma_buffer_free(void *p, size_t size)
{
    sim_not_in_irq("dma_buffer_free()");
    if (!p)
        return;
    memset(p, FRESH, size); /* a size larger than was allocated is caught here */
    sim.live_buffers--;
    if (sim.dma_free)
        sim.dma_free(p);
    else
        free(p);
}

void memory_check_leaks(void)
{
    struct pool *pool = list_first_entry(&sim.pools, struct pool, link);

    if (pool)
        panic("leak: pool %s was not destroyed, %llu of its objects are out", pool->name,
              (unsigned long long)pool->live);
    if (sim.live_memory)
        leaked("pieces of mem_alloc() memory", sim.live_memory);
    if (sim.live_buffers)
        leaked("DMA buffers", sim.live_buffers);
}
