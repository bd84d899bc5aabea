/* kern/mm/slab.h - what slab.c offers beyond mm.h: allocations in another's name, and the debug build's
 * checks; for kern/mm and kern/port.c. */
#pragma once
#include "kern/mm/mm.h"
#include "kern/sched/spinlock.h"
#include "lib/list.h"

/* One CPU's store of free objects of a cache; its CPU, softirqs off. */
enum { FRONT_MAX = 62 };
struct slab_front {
    uint32_t n, size; /* objects in it; how many it may hold */
    void *objects[FRONT_MAX];
};

struct kmem_cache {
    /* constant */
    char name[24];
    uint32_t size;                          /* as asked for */
    uint32_t stride;                        /* from one object to the next, trailer included */
    uint32_t align, order, per_slab, first; /* first: offset of object 0 in its slab */
    int number;                             /* in struct cpu.slab[]; -1: it has no fronts */
    /* SLAB lock (its own) */
    struct spinlock lock;
    struct list_head partial, full;
    uint64_t slabs, taken; /* objects out of the slabs, in fronts or in use */
    struct list_head all;  /* every cache (cache list lock) */
};

/* At the start of its pages; the objects follow. */
struct slab {
    struct kmem_cache *cache;
    struct list_head link;
    uint32_t n_free;
    uint16_t free[]; /* a stack of the free objects' numbers */
};

/* caller: the code that is named when this object is misused. */
void *kmalloc_from(size_t size, const void *caller);
void *kzalloc_from(size_t size, const void *caller);
void kfree_from(void *p, const void *caller);
void *kmem_cache_alloc_from(struct kmem_cache *c, const void *caller);
void kmem_cache_free_from(struct kmem_cache *c, void *p, const void *caller);
uint64_t slab_pages(void);

/* ---- kern/mm/slab_cache.c ---- */

/* Set up a cache whose memory exists, without fronts. */
void cache_setup(struct kmem_cache *c, const char *name, size_t size, size_t align);
/* Up to n objects from c's slabs (fewer when memory is out) / back to them. Softirqs off. */
unsigned slab_take(struct kmem_cache *c, void **objects, unsigned n);
void slab_give(struct kmem_cache *c, void **objects, unsigned n);
struct slab *slab_of(const void *p); /* NULL: p is no slab's */
/* Give back c's slabs. Objects still in use are reported, and keep theirs; false then. */
bool cache_release(struct kmem_cache *c);

/* ---- kern/mm/slab_debug.c: the debug build's marks on an object ---- */

/* Behind every object of a debug build. The bytes from the size asked for up to red are 0xbb while it is in
 * use; the whole object is 0xab while it is free. */
struct slab_trailer {
    uint64_t red;
    const void *allocated_by, *freed_by;
    uint32_t size; /* asked for */
    uint32_t state;
};
void slab_debug_init(struct kmem_cache *c, void *p); /* a new slab's object */
void slab_debug_alloc(struct kmem_cache *c, void *p, size_t size, const void *caller);
void slab_debug_free(struct kmem_cache *c, void *p, const void *caller);
/* Log each object of a slab that is still in use; how many. */
unsigned slab_debug_report(struct kmem_cache *c, struct slab *s, unsigned limit);
