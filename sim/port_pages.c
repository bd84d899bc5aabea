/* sim/port_pages.c - net/port.h's pages: those that programs may map (here nobody maps them) and those that
 * packets refer to. For both houses of the host: one thread (sim/) and many (sim/threads/). */
#include "lib/abi/errno.h"
#include "lib/refcount.h"
#include "net/port.h"
#include "sim/host_pages.h"

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

/* ---- pages of packets: what counts a page lies in front of it ---- */

struct page_note {
    struct refcount refs;
    uint64_t canary;
    void *buffer; /* what was allocated: twice a page, so that there is an aligned one in it */
};
#define PAGE_CANARY 0x656761706567616bu

static struct page_note *note_of(void *page)
{
    struct page_note *n = (struct page_note *)page - 1;

    ASSERT((uintptr_t)page % SHARED_PAGE_SIZE == 0);
    if (n->canary != PAGE_CANARY || refcount_read(&n->refs) <= 0)
        panic("%p is no page", page);
    return n;
}

void *host_page_alloc(void)
{
    void *buffer = dma_buffer_alloc(2 * (size_t)SHARED_PAGE_SIZE);

    if (!buffer)
        return NULL;
    uintptr_t page = ROUND_UP((uintptr_t)buffer + sizeof(struct page_note), (uintptr_t)SHARED_PAGE_SIZE);
    struct page_note *n = (struct page_note *)page - 1;
    *n = (struct page_note){ .canary = PAGE_CANARY, .buffer = buffer };
    refcount_set(&n->refs, 1);
    return (void *)page;
}

void page_get(void *page)
{
    refcount_get(&note_of(page)->refs);
}

void page_put(void *page)
{
    struct page_note *n = note_of(page);

    if (refcount_put(&n->refs))
        dma_buffer_free(n->buffer, 2 * (size_t)SHARED_PAGE_SIZE);
}

unsigned host_page_refs(void *page)
{
    return (unsigned)refcount_read(&note_of(page)->refs);
}

/* The program's memory is not counted by pages here: what it reads from is a copy. */
int user_page_get(uintptr_t start, size_t n, void **page)
{
    size_t within = start % SHARED_PAGE_SIZE;
    int err = within + n <= SHARED_PAGE_SIZE ? 0 : -EFAULT;

    *page = err ? NULL : host_page_alloc();
    if (!err)
        err = *page ? copy_from_user((uint8_t *)*page + within, start, n) : -ENOMEM;
    if (err && *page)
        page_put(*page);
    return err;
}
