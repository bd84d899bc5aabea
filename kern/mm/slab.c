/* kern/mm/slab.c - kernel memory: the fronts before the caches, kmalloc's size classes, the list of caches.
 * Each CPU has a front for each cache: a store of free objects that it alone touches, with softirqs off, so
 * that most allocations take no lock. It is filled and emptied by halves. */
#include "kern/mm/slab.h"
#include "kern/cpu/cpu.h"
#include "kern/mm/fail_alloc.h"
#include "kern/mm/page.h"
#include "kern/sched/softirq.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/port.h"

enum { MAX_NUMBERS = 64, KMALLOC_SLAB_MAX = 2048, KMALLOC_STEP = 16, CACHE_LINE = 64 };

static const uint16_t class_sizes[] = { 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048 };
static struct kmem_cache kmalloc_caches[ARRAY_SIZE(class_sizes)];
static uint8_t class_of[KMALLOC_SLAB_MAX / KMALLOC_STEP + 1]; /* by size in steps, rounded up */
static struct kmem_cache front_cache;                         /* of struct slab_front; has none itself */

static struct spinlock list_lock = SPINLOCK_INIT("list of slab caches", RANK_SLAB);
static struct list_head caches = { &caches, &caches };
static uint64_t numbers; /* bit n: in use */

/* ---- fronts; softirqs off ---- */

static unsigned front_size(const struct kmem_cache *c)
{
    return c->stride <= 256 ? FRONT_MAX : c->stride <= 1024 ? FRONT_MAX / 2 : FRONT_MAX / 4;
}

/* This CPU's front for c; NULL if it has none. */
static struct slab_front *front_of(struct kmem_cache *c)
{
    if (c->number < 0)
        return NULL;
    void **place = &this_cpu()->slab[c->number];
    if (unlikely(!*place) && slab_take(&front_cache, place, 1)) {
        struct slab_front *f = *place;
        f->n = 0;
        f->size = front_size(c);
    }
    return *place;
}

static void *front_take(struct kmem_cache *c)
{
    struct slab_front *f = front_of(c);
    void *p;
    if (unlikely(!f))
        return slab_take(c, &p, 1) ? p : NULL;
    if (unlikely(!f->n))
        f->n = slab_take(c, f->objects, f->size / 2);
    return likely(f->n) ? f->objects[--f->n] : NULL;
}

static void front_give(struct kmem_cache *c, void *p)
{
    struct slab_front *f = front_of(c);
    if (unlikely(!f)) {
        slab_give(c, &p, 1);
        return;
    }
    if (unlikely(f->n == f->size)) { /* the oldest half: the newest are in the CPU's own cache */
        unsigned half = f->size / 2;
        slab_give(c, f->objects, half);
        memmove(f->objects, f->objects + half, (f->n - half) * sizeof(void *));
        f->n -= half;
    }
    f->objects[f->n++] = p;
}

/* ---- caches ---- */

static void *cache_alloc(struct kmem_cache *c, size_t size, const void *caller)
{
    ASSERT(!in_hardirq());
    if (fail_alloc())
        return NULL;
    local_bh_disable();
    void *p = front_take(c);
    local_bh_enable();
    if (CONFIG_DEBUG && p)
        slab_debug_alloc(c, p, size, caller);
    return p;
}

static void cache_free(struct kmem_cache *c, void *p, const void *caller)
{
    ASSERT(!in_hardirq());
    if (CONFIG_DEBUG)
        slab_debug_free(c, p, caller);
    local_bh_disable();
    front_give(c, p);
    local_bh_enable();
}

void *kmem_cache_alloc_from(struct kmem_cache *c, const void *caller)
{
    return cache_alloc(c, c->size, caller);
}

void kmem_cache_free_from(struct kmem_cache *c, void *p, const void *caller)
{
    struct slab *s = slab_of(p);
    if (!s || s->cache != c)
        panic("slab %s: %p freed by %p is not its object", c->name, p, caller);
    cache_free(c, p, caller);
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
    return kmem_cache_alloc_from(c, __builtin_return_address(0));
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
    kmem_cache_free_from(c, p, __builtin_return_address(0));
}

static void cache_enlist(struct kmem_cache *c)
{
    uint64_t flags = spin_lock(&list_lock);
    list_add_tail(&c->all, &caches);
    if (~numbers) {
        c->number = __builtin_ctzll(~numbers);
        numbers |= 1ull << c->number;
    }
    spin_unlock(&list_lock, flags);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
    struct kmem_cache *c = kmalloc(sizeof *c);
    if (!c)
        return NULL;
    cache_setup(c, name, size, align);
    cache_enlist(c);
    return c;
}

/* Nobody uses c any more, so that another CPU's front is nobody's. */
static void drop_fronts(struct kmem_cache *c)
{
    if (c->number < 0)
        return;
    local_bh_disable();
    for_each_cpu (i) {
        struct slab_front *f = cpus[i].slab[c->number];
        cpus[i].slab[c->number] = NULL;
        if (!f)
            continue;
        slab_give(c, f->objects, f->n);
        slab_give(&front_cache, (void **)&f, 1);
    }
    local_bh_enable();
}

void kmem_cache_destroy(struct kmem_cache *c)
{
    drop_fronts(c);
    uint64_t flags = spin_lock(&list_lock);
    list_del(&c->all);
    if (c->number >= 0)
        numbers &= ~(1ull << c->number);
    c->number = -1;
    spin_unlock(&list_lock, flags);
    if (cache_release(c))
        kfree(c); /* else an object in use still leads to it */
}

/* ---- kmalloc ---- */

static unsigned order_of(size_t size)
{
    unsigned order = 0;
    while (((size_t)PAGE_SIZE << order) < size)
        order++;
    return order;
}

void *kmalloc_from(size_t size, const void *caller)
{
    if (size <= KMALLOC_SLAB_MAX)
        return cache_alloc(&kmalloc_caches[class_of[(size + KMALLOC_STEP - 1) / KMALLOC_STEP]], size, caller);
    return size <= (size_t)PAGE_SIZE << MAX_ORDER ? page_alloc(order_of(size)) : NULL;
}

void *kzalloc_from(size_t size, const void *caller)
{
    void *p = kmalloc_from(size, caller);
    return p ? memset(p, 0, size) : NULL;
}

void kfree_from(void *p, const void *caller)
{
    if (!p)
        return;
    struct slab *s = slab_of(p);
    if (s)
        cache_free(s->cache, p, caller);
    else
        page_free(p, page_of(p)->order);
}

void *kmalloc(size_t size)
{
    return kmalloc_from(size, __builtin_return_address(0));
}

void *kzalloc(size_t size)
{
    return kzalloc_from(size, __builtin_return_address(0));
}

void kfree(void *p)
{
    kfree_from(p, __builtin_return_address(0));
}

/* ---- all caches ---- */

static uint64_t in_fronts(const struct kmem_cache *c)
{
    uint64_t n = 0;
    for (unsigned i = 0; c->number >= 0 && i < n_cpus; i++) {
        const struct slab_front *f = cpus[i].slab[c->number];
        n += f ? READ_ONCE(f->n) : 0;
    }
    return n;
}

static void show_cache(struct textbuf *out, const struct kmem_cache *c)
{
    textbuf_printf(
        out, "%-17s %6llu %6llu %6u %4u %4u : tunables    0    0    0 : slabdata %6llu %6llu      0\n",
        c->name, (unsigned long long)(c->taken - in_fronts(c)), (unsigned long long)(c->slabs * c->per_slab),
        c->size, c->per_slab, 1u << c->order, (unsigned long long)c->slabs, (unsigned long long)c->slabs);
}

void slab_show(struct textbuf *out)
{
    struct kmem_cache *c;
    textbuf_printf(
        out, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> "
             "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> "
             "<num_slabs> <sharedavail>\n");
    uint64_t flags = spin_lock(&list_lock);
    list_for_each_entry (c, &caches, all)
        show_cache(out, c);
    spin_unlock(&list_lock, flags);
}

void slab_init(void)
{
    unsigned class = 0;
    cache_setup(&front_cache, "slab-front", sizeof(struct slab_front), CACHE_LINE);
    for (unsigned i = 0; i < ARRAY_SIZE(class_sizes); i++) {
        char name[24];
        ksnprintf(name, sizeof name, "kmalloc-%u", class_sizes[i]);
        cache_setup(&kmalloc_caches[i], name, class_sizes[i], class_sizes[i] % CACHE_LINE ? 16 : CACHE_LINE);
        cache_enlist(&kmalloc_caches[i]);
    }
    for (unsigned step = 0; step < ARRAY_SIZE(class_of); step++) {
        while (class_sizes[class] < step * KMALLOC_STEP)
            class ++;
        class_of[step] = class;
    }
}
