/* sim/port_pages.c - net/port.h's memory that programs may map; here nobody maps it. For both houses of the
 * host: one thread (sim/) and many (sim/threads/). */
#include "lib/refcount.h"
#include "net/port.h"

struct shared_pages {
    struct refcount refs;
    unsigned n;
    uint8_t bytes[];
};

struct shared_pages *shared_pages_create(unsigned n)
{
    struct shared_pages *p = mem_alloc(sizeof *p + (size_t)n * SHARED_PAGE_SIZE);

    if (!p)
        return NULL;
    refcount_set(&p->refs, 1);
    p->n = n;
    return p;
}

void *shared_pages_at(const struct shared_pages *p, unsigned i)
{
    ASSERT(i < p->n);
    return (void *)(p->bytes + (size_t)i * SHARED_PAGE_SIZE);
}

void shared_pages_get(struct shared_pages *p)
{
    refcount_get(&p->refs);
}

void shared_pages_put(struct shared_pages *p)
{
    if (p && refcount_put(&p->refs))
        mem_free(p);
}

unsigned shared_pages_users(const struct shared_pages *p)
{
    return (unsigned)refcount_read(&p->refs);
}
