/* kern/mm/slab_cache.c - caches of objects of one size, cut out of slabs: blocks of pages with a header that
 * keeps a stack of the free objects' numbers.
 * A slab is in its cache's partial list while it has a free object, else in the full list. One that becomes
 * wholly free goes back to the page allocator unless it is the only one with free objects. All under the
 * cache's lock, in batches: slab.c's fronts stand before this. */
#include "kern/mm/page.h"
#include "kern/mm/slab.h"
#include "lib/format.h"
#include "net/port.h"

enum { MAX_SLAB_ORDER = 4, LEAKS_SHOWN = 8, MIN_ALIGN = 8 };

static uint64_t pages_held; /* atomic */

uint64_t slab_pages(void)
{
    return READ_ONCE(pages_held);
}

/* ---- layout ---- */

static void fit(struct kmem_cache *c, unsigned order)
{
    uint32_t block = PAGE_SIZE << order;
    c->order = order;
    for (c->per_slab = block / c->stride; c->per_slab; c->per_slab--) {
        c->first = ROUND_UP(sizeof(struct slab) + c->per_slab * sizeof(uint16_t), c->align);
        if (c->first + c->per_slab * c->stride <= block)
            return;
    }
}

static bool wastes_little(const struct kmem_cache *c)
{
    uint32_t block = PAGE_SIZE << c->order;
    return c->per_slab && block - c->per_slab * c->stride <= block / 8;
}

void cache_setup(struct kmem_cache *c, const char *name, size_t size, size_t align)
{
    *c = (struct kmem_cache){ .size = size, .align = MAX(align, (size_t)MIN_ALIGN), .number = -1 };
    ksnprintf(c->name, sizeof c->name, "%s", name);
    c->stride = ROUND_UP(ROUND_UP(size, 8) + (CONFIG_DEBUG ? sizeof(struct slab_trailer) : 0), c->align);
    for (unsigned order = 0; order <= MAX_SLAB_ORDER; order++) {
        fit(c, order);
        if (wastes_little(c))
            break;
    }
    ASSERT(size > 0 && c->per_slab > 0 && (c->align & (c->align - 1)) == 0 && c->align <= PAGE_SIZE);
    spin_init(&c->lock, c->name, RANK_SLAB);
    list_init(&c->partial);
    list_init(&c->full);
}

static void *object_at(const struct kmem_cache *c, struct slab *s, unsigned i)
{
    return (uint8_t *)s + c->first + i * c->stride;
}

static unsigned number_of(const struct kmem_cache *c, const struct slab *s, const void *p)
{
    uint32_t offset = (uint64_t)p - (uint64_t)s - c->first;
    if ((uint64_t)p < (uint64_t)s + c->first || offset % c->stride || offset / c->stride >= c->per_slab)
        panic("slab %s: %p is not the start of an object", c->name, p);
    return offset / c->stride;
}

struct slab *slab_of(const void *p)
{
    const struct page *pg = page_of(p);
    return pg->state == PAGE_SLAB ? pg->slab : NULL;
}

/* ---- slabs; the cache's lock ---- */

static void mark_pages(struct slab *s, unsigned order, enum page_state state)
{
    struct page *first = page_of(s);
    for (unsigned i = 0; i < 1u << order; i++) {
        first[i].state = state;
        first[i].slab = s;
    }
}

static bool slab_create(struct kmem_cache *c)
{
    struct slab *s = page_alloc(c->order);
    if (!s)
        return false;
    mark_pages(s, c->order, PAGE_SLAB);
    s->cache = c;
    s->n_free = c->per_slab;
    for (unsigned i = 0; i < c->per_slab; i++) {
        s->free[i] = c->per_slab - 1 - i; /* the lowest leaves first */
        if (CONFIG_DEBUG)
            slab_debug_init(c, object_at(c, s, i));
    }
    list_add(&s->link, &c->partial);
    c->slabs++;
    __atomic_fetch_add(&pages_held, 1ull << c->order, __ATOMIC_RELAXED);
    return true;
}

static void slab_free(struct kmem_cache *c, struct slab *s)
{
    list_del(&s->link);
    c->slabs--;
    __atomic_fetch_sub(&pages_held, 1ull << c->order, __ATOMIC_RELAXED);
    mark_pages(s, c->order, PAGE_USED);
    page_free(s, c->order);
}

static void *take_one(struct kmem_cache *c)
{
    if (list_empty(&c->partial) && !slab_create(c))
        return NULL;
    struct slab *s = list_first_entry(&c->partial, struct slab, link);
    void *p = object_at(c, s, s->free[--s->n_free]);
    if (!s->n_free) {
        list_del(&s->link);
        list_add(&s->link, &c->full);
    }
    c->taken++;
    return p;
}

static void give_one(struct kmem_cache *c, void *p)
{
    struct slab *s = slab_of(p);
    if (!s || s->cache != c || s->n_free >= c->per_slab)
        panic("slab %s: %p was not allocated from it", c->name, p);
    s->free[s->n_free++] = number_of(c, s, p);
    c->taken--;
    if (s->n_free == 1) {
        list_del(&s->link);
        list_add(&s->link, &c->partial);
    }
    bool only_one = c->partial.next == &s->link && c->partial.prev == &s->link;
    if (s->n_free == c->per_slab && !only_one)
        slab_free(c, s);
}

unsigned slab_take(struct kmem_cache *c, void **objects, unsigned n)
{
    unsigned got = 0;
    uint64_t flags = spin_lock(&c->lock);
    while (got < n && (objects[got] = take_one(c)))
        got++;
    spin_unlock(&c->lock, flags);
    return got;
}

void slab_give(struct kmem_cache *c, void **objects, unsigned n)
{
    uint64_t flags = spin_lock(&c->lock);
    for (unsigned i = 0; i < n; i++)
        give_one(c, objects[i]);
    spin_unlock(&c->lock, flags);
}

/* ---- the end of a cache ---- */

static void report_list(struct kmem_cache *c, struct list_head *slabs, unsigned *room)
{
    struct slab *s;
    list_for_each_entry (s, slabs, link)
        if (*room)
            *room -= slab_debug_report(c, s, *room);
}

static void report_leaks(struct kmem_cache *c)
{
    unsigned room = LEAKS_SHOWN;
    klog(LOG_ERROR, "slab %s: destroyed with %llu objects in use", c->name, (unsigned long long)c->taken);
    if (CONFIG_DEBUG) {
        report_list(c, &c->partial, &room);
        report_list(c, &c->full, &room);
    }
}

bool cache_release(struct kmem_cache *c)
{
    if (c->taken) {
        report_leaks(c);
        return false;
    }
    uint64_t flags = spin_lock(&c->lock);
    while (!list_empty(&c->partial))
        slab_free(c, list_first_entry(&c->partial, struct slab, link));
    spin_unlock(&c->lock, flags);
    return true;
}
