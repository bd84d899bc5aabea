/* kern/port.c - net/port.h in the kernel: memory, locks, contexts. Timers, softirqs, waiting, user memory,
 * CPUs and the log are where they belong: kern/time, kern/sched, kern/mm, kern/cpu, kern/debug; chance and
 * trace points stand beside this file. */
#include "net/port.h"
#include "kern/mm/page.h"
#include "kern/mm/slab.h"
#include "kern/sched/held.h"
#include "kern/sched/softirq.h"

enum { DMA_ALIGN = 64 };

/* ---- memory ---- */

void *mem_alloc(size_t size)
{
    return kzalloc_from(size, __builtin_return_address(0));
}

void mem_free(void *p)
{
    kfree_from(p, __builtin_return_address(0));
}

uint64_t mem_total(void)
{
    return page_total() * PAGE_SIZE;
}

/* A pool is a slab cache under another name. */
static struct kmem_cache *cache_of(struct pool *pool)
{
    return (struct kmem_cache *)pool;
}

struct pool *pool_create(const char *name, size_t size)
{
    return (struct pool *)kmem_cache_create(name, size, _Alignof(max_align_t));
}

void pool_destroy(struct pool *pool)
{
    kmem_cache_destroy(cache_of(pool));
}

void *pool_get(struct pool *pool)
{
    return kmem_cache_alloc_from(cache_of(pool), __builtin_return_address(0));
}

void pool_put(struct pool *pool, void *object)
{
    kmem_cache_free_from(cache_of(pool), object, __builtin_return_address(0));
}

void *dma_buffer_alloc(size_t size) /* kmalloc's classes of whole cache lines are aligned to one */
{
    return kmalloc_from(ROUND_UP(size, DMA_ALIGN), __builtin_return_address(0));
}

void dma_buffer_free(void *p, size_t size)
{
    (void)size;
    kfree_from(p, __builtin_return_address(0));
}

/* ---- locks ---- */

void lock_init(struct lock *l, const char *name, enum lock_rank rank)
{
    *l = (struct lock){ .name = name, .rank = rank };
}

void lock_acquire(struct lock *l)
{
    ASSERT(!in_hardirq());
    local_bh_disable();
    held_push(l, l->name, l->rank);
    spin_acquire(&l->word, l->name);
    l->owner = this_cpu();
}

void lock_release(struct lock *l)
{
    held_pop(l, l->name);
    l->owner = NULL;
    spin_release(&l->word);
    local_bh_enable();
}

bool lock_held(const struct lock *l)
{
    return READ_ONCE(l->owner) == this_cpu();
}

/* ---- contexts ---- */

enum context context_now(void)
{
    return in_hardirq() ? CONTEXT_IRQ : in_softirq() ? CONTEXT_SOFTIRQ : CONTEXT_PROCESS;
}
