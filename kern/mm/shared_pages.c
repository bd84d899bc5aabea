/* kern/mm/shared_pages.c - pages that a part of the kernel and programs see both.
 * They are all there from the beginning and lie anywhere; each mapping is a reference, and the last one frees
 * them, whether their maker or a mapping. */
#include "kern/mm/shared_pages.h"
#include "kern/mm/slab.h"
#include "lib/abi/errno.h"
#include "lib/refcount.h"

_Static_assert((int)SHARED_PAGE_SIZE == (int)PAGE_SIZE, "what a page is to net/");

struct shared_pages {
    struct vm_object object;
    struct refcount refs;
    unsigned n;
    void *pages[]; /* one reference each */
};

static struct shared_pages *of(struct vm_object *o)
{
    return container_of(o, struct shared_pages, object);
}

static void *page_if_there(struct vm_object *o, uint64_t index)
{
    if (index >= of(o)->n)
        return NULL;
    page_get(of(o)->pages[index]);
    return of(o)->pages[index];
}

static int page_of(struct vm_object *o, uint64_t index, void **page)
{
    *page = page_if_there(o, index);
    return *page ? 0 : -ENXIO;
}

static void get(struct vm_object *o)
{
    refcount_get(&of(o)->refs);
}

static void put(struct vm_object *o)
{
    shared_pages_put(of(o));
}

static const struct vm_object_ops object_ops = {
    .page = page_of, .page_if_there = page_if_there, .get = get, .put = put
};

struct shared_pages *shared_pages_create(unsigned n)
{
    struct shared_pages *p = kzalloc(sizeof *p + n * sizeof *p->pages);

    if (!p)
        return NULL;
    vm_object_init(&p->object, &object_ops);
    refcount_set(&p->refs, 1);
    for (p->n = 0; p->n < n; p->n++) {
        p->pages[p->n] = page_alloc_user_zeroed();
        if (!p->pages[p->n]) {
            shared_pages_put(p);
            return NULL;
        }
    }
    return p;
}

void *shared_pages_at(const struct shared_pages *p, unsigned i)
{
    ASSERT(i < p->n);
    return p->pages[i];
}

void shared_pages_put(struct shared_pages *p)
{
    if (!p || !refcount_put(&p->refs))
        return;
    for (unsigned i = 0; i < p->n; i++)
        page_put(p->pages[i]);
    kfree(p);
}

void shared_pages_get(struct shared_pages *p)
{
    refcount_get(&p->refs);
}

unsigned shared_pages_users(const struct shared_pages *p)
{
    return (unsigned)refcount_read(&p->refs);
}

struct vm_object *shared_pages_object(struct shared_pages *p)
{
    return &p->object;
}
