/* kern/mm/page.c - the buddy allocator: blocks of 2^order pages, each aligned to its own size.
 * A free block's first page has state PAGE_FREE and its order, and is in that order's list; no other page has
 * that state. Two free buddies never lie side by side: freeing joins them. Single pages pass through a front
 * on each CPU that no lock guards (irqs are off), so most allocations touch nothing shared. */
#include "kern/mm/page.h"
#include "kern/cpu/cpu.h"
#include "kern/mm/fail_alloc.h"
#include "kern/mm/regions.h"
#include "kern/sched/spinlock.h"
#include "lib/string.h"
#include "net/port.h"

enum { FRONT_SIZE = 64, FRONT_BATCH = 32 };
enum {
    LEFT_TO_PROGRAMS = 8,
    RESERVE_SHARE = 64,
    RESERVE_MOST = 4096
}; /* one part in that many of memory, at most so many pages */

struct front { /* its CPU, irqs off */
    uint32_t n;
    struct page *pages[FRONT_SIZE];
};
static struct front fronts[MAX_CPUS];

static struct page *pages; /* of every physical page up to the end of memory */
static uint64_t n_pages;
static struct spinlock lock = SPINLOCK_INIT("page allocator", RANK_PAGE);
static struct list_head free_blocks[MAX_ORDER + 1];
static uint64_t total, free_in_blocks; /* pages */
static uint64_t reserve;               /* programs get none of the last pages; fixed by page_init() */

struct page *page_of(const void *p)
{
    uint64_t pfn = virt_to_phys(p) >> PAGE_SHIFT;
    ASSERT(pfn < n_pages);
    return &pages[pfn];
}

static void *page_address(const struct page *pg)
{
    return phys_to_virt((uint64_t)(pg - pages) << PAGE_SHIFT);
}

/* ---- blocks; PAGE lock ---- */

static void block_insert(struct page *pg, unsigned order)
{
    pg->state = PAGE_FREE;
    pg->order = order;
    list_add(&pg->free, &free_blocks[order]);
}

static struct page *free_buddy(const struct page *pg, unsigned order)
{
    uint64_t pfn = (uint64_t)(pg - pages) ^ (1ull << order);
    if (pfn >= n_pages || pages[pfn].state != PAGE_FREE || pages[pfn].order != order)
        return NULL;
    return &pages[pfn];
}

static void block_free(struct page *pg, unsigned order)
{
    struct page *buddy;
    free_in_blocks += 1ull << order;
    for (; order < MAX_ORDER && (buddy = free_buddy(pg, order)); order++) {
        list_del(&buddy->free);
        buddy->state = PAGE_USED; /* no longer a block of its own */
        pg = MIN(pg, buddy);
    }
    block_insert(pg, order);
}

static struct page *block_alloc(unsigned order)
{
    unsigned have = order;
    while (have <= MAX_ORDER && list_empty(&free_blocks[have]))
        have++;
    if (have > MAX_ORDER)
        return NULL;
    struct page *pg = list_first_entry(&free_blocks[have], struct page, free);
    list_del(&pg->free);
    while (have > order) { /* give back upper halves until it fits */
        have--;
        block_insert(pg + (1ull << have), have);
    }
    free_in_blocks -= 1ull << order;
    pg->state = PAGE_USED;
    return pg;
}

/* ---- the fronts; irqs off ---- */

static void front_refill(struct front *f)
{
    uint64_t flags = spin_lock(&lock);
    struct page *pg;
    while (f->n < FRONT_BATCH && (pg = block_alloc(0))) {
        pg->state = PAGE_FRONT;
        f->pages[f->n++] = pg;
    }
    spin_unlock(&lock, flags);
}

static void front_drain(struct front *f)
{
    uint64_t flags = spin_lock(&lock);
    while (f->n > FRONT_SIZE - FRONT_BATCH)
        block_free(f->pages[--f->n], 0);
    spin_unlock(&lock, flags);
}

static struct page *front_alloc(void)
{
    uint64_t flags = irq_save();
    struct front *f = &fronts[this_cpu()->id];
    if (!f->n)
        front_refill(f);
    struct page *pg = f->n ? f->pages[--f->n] : NULL;
    if (pg)
        pg->state = PAGE_USED;
    irq_restore(flags);
    return pg;
}

static void front_free(struct page *pg)
{
    uint64_t flags = irq_save();
    struct front *f = &fronts[this_cpu()->id];
    if (f->n == FRONT_SIZE)
        front_drain(f);
    pg->state = PAGE_FRONT;
    f->pages[f->n++] = pg;
    irq_restore(flags);
}

/* ---- what others call ---- */

static struct page *block_alloc_locked(unsigned order)
{
    uint64_t flags = spin_lock(&lock);
    struct page *pg = block_alloc(order);
    spin_unlock(&lock, flags);
    return pg;
}

static void *take(unsigned order)
{
    ASSERT(order <= MAX_ORDER);
    struct page *pg = order ? block_alloc_locked(order) : front_alloc();
    if (!pg)
        return NULL;
    pg->order = order;
    WRITE_ONCE(pg->refs, 1);
    return page_address(pg);
}

void *page_alloc(unsigned order)
{
    return fail_alloc() ? NULL : take(order);
}

static void *zeroed(void *p, unsigned order)
{
    return p ? memset(p, 0, (size_t)PAGE_SIZE << order) : NULL;
}

void *page_alloc_zeroed(unsigned order)
{
    return zeroed(page_alloc(order), order);
}

/* ---- for programs ---- */

bool memory_is_short(void)
{
    return READ_ONCE(free_in_blocks) < reserve;
}

bool memory_is_for_programs(void)
{
    return READ_ONCE(free_in_blocks) < total / LEFT_TO_PROGRAMS;
}

void *page_alloc_user(void)
{
    return memory_is_short() ? NULL : take(0);
}

void *page_alloc_user_zeroed(void)
{
    return zeroed(page_alloc_user(), 0);
}

static void check_freed(const struct page *pg, const void *p, unsigned order, const void *caller)
{
    if (pg->state != PAGE_USED || ((uint64_t)p & (PAGE_SIZE - 1)))
        panic("page_free(%p) by %p: not an allocated page (state %u)", p, caller, pg->state);
    if (pg->order != order || READ_ONCE(pg->refs) != 1)
        panic("page_free(%p, %u) by %p: order %u, %u references", p, order, caller, pg->order, pg->refs);
}

void page_free(void *p, unsigned order)
{
    struct page *pg = page_of(p);
    check_freed(pg, p, order, __builtin_return_address(0));
    WRITE_ONCE(pg->refs, 0);
    if (order == 0) {
        front_free(pg);
        return;
    }
    uint64_t flags = spin_lock(&lock);
    block_free(pg, order);
    spin_unlock(&lock, flags);
}

void page_get(void *p)
{
    struct page *pg = page_of(p);
    ASSERT(READ_ONCE(pg->refs) > 0 && pg->order == 0);
    __atomic_fetch_add(&pg->refs, 1, __ATOMIC_RELAXED);
}

void page_put(void *p)
{
    struct page *pg = page_of(p);
    uint32_t refs = READ_ONCE(pg->refs);
    ASSERT(refs > 0);
    if (refs > 1 && __atomic_sub_fetch(&pg->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    WRITE_ONCE(pg->refs, 1); /* nobody else knows it: page_free wants the last reference */
    page_free(p, 0);
}

unsigned page_refs(void *p)
{
    return __atomic_load_n(&page_of(p)->refs, __ATOMIC_ACQUIRE);
}

uint64_t page_total(void)
{
    return total;
}

uint64_t page_count_free(void)
{
    uint64_t n = READ_ONCE(free_in_blocks);
    for_each_cpu (i)
        n += READ_ONCE(fronts[i].n);
    return n;
}

void page_count_blocks(uint64_t blocks[MAX_ORDER + 1])
{
    struct page *pg;
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        uint64_t flags = spin_lock(&lock);
        blocks[order] = 0;
        list_for_each_entry (pg, &free_blocks[order], free)
            blocks[order]++;
        spin_unlock(&lock, flags);
    }
    for_each_cpu (i)
        blocks[0] += READ_ONCE(fronts[i].n);
}

/* ---- setting up ---- */

void page_array_init(void)
{
    n_pages = regions_end() >> PAGE_SHIFT;
    pages = early_alloc(n_pages * sizeof *pages); /* zeroed: PAGE_RESERVED */
    for (unsigned i = 0; i <= MAX_ORDER; i++)
        list_init(&free_blocks[i]);
}

static unsigned largest_order(uint64_t pfn, uint64_t n)
{
    unsigned order = 0;
    while (order < MAX_ORDER && !(pfn & (1ull << order)) && (2ull << order) <= n)
        order++;
    return order;
}

static void free_range(struct memory_range range)
{
    uint64_t pfn = range.start >> PAGE_SHIFT, end = range.end >> PAGE_SHIFT;
    total += end - pfn;
    while (pfn < end) {
        unsigned order = largest_order(pfn, end - pfn);
        block_free(&pages[pfn], order);
        pfn += 1ull << order;
    }
}

void page_init(void)
{
    regions_close_early();
    regions_for_each_free(free_range);
    reserve = MIN(total / RESERVE_SHARE, (uint64_t)RESERVE_MOST);
    klog(LOG_INFO, "memory: %llu of %llu MiB free", (unsigned long long)(free_in_blocks >> 8),
         (unsigned long long)(n_pages >> 8));
}
