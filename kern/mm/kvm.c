/* kern/mm/kvm.c - kernel stacks and device registers: mappings that come and go while the kernel runs.
 *
 * The lower half of the KVM range is cut into slots, the upper part of each a stack, the lower part never
 * mapped: a stack that overflows faults instead of writing into its neighbour. Slots in use are on no list;
 * of those free, the last few keep their pages, and pages are given back many stacks at a time, so that a
 * thread seldom costs a shootdown. The upper half holds ioremap's areas, in order of address, a page between
 * two. */
#include "kern/cpu/cpu.h"
#include "kern/mm/page.h"
#include "kern/mm/pagetable.h"
#include "kern/sched/spinlock.h"
#include "lib/string.h"
#include "net/port.h"

#define STACKS_END (KVM_BASE + (KVM_END - KVM_BASE) / 2)
enum { SLOT_SIZE = 2 * KSTACK_SIZE, SLOTS = 8192, SPARE_STACKS = 32, BATCH = 16 };

static struct spinlock lock = SPINLOCK_INIT("kernel mappings", RANK_KVM);
static uint16_t free_slots[SLOTS];         /* a stack of those without pages */
static uint16_t spare_slots[SPARE_STACKS]; /* and of those that keep theirs */
static unsigned n_free, n_slots_used_ever, n_spare;

static void *table_page(void)
{
    return page_alloc_zeroed(0);
}

/* ---- mapping pages; KVM lock ---- */

static uint64_t *kernel_pte(uint64_t va)
{
    return pagetable_walk(kernel_root, va, LEVEL_PAGE, NULL);
}

static bool map_page(uint64_t va, uint64_t pa, uint64_t rights)
{
    uint64_t *pte = pagetable_walk(kernel_root, va, LEVEL_PAGE, table_page);
    if (pte)
        *pte = pa | PTE_PRESENT | PTE_WRITE | PTE_NX | rights;
    return pte;
}

/* ---- stacks ---- */

static uint64_t slot_stack(unsigned slot)
{
    return KVM_BASE + (uint64_t)slot * SLOT_SIZE + SLOT_SIZE - KSTACK_SIZE;
}

/* Take the pages of [start, end) out of the tables; the caller frees them after a shootdown. */
static void stack_unmap(uint64_t start, void **stack_pages)
{
    for (unsigned i = 0; i < KSTACK_SIZE / PAGE_SIZE; i++) {
        uint64_t *pte = kernel_pte(start + i * PAGE_SIZE);
        stack_pages[i] = pte && *pte ? pte_page(*pte) : NULL;
        if (pte)
            *pte = 0;
    }
}

static void free_pages(void **stack_pages)
{
    for (unsigned i = 0; i < KSTACK_SIZE / PAGE_SIZE; i++)
        if (stack_pages[i])
            page_free(stack_pages[i], 0);
}

static bool stack_map(uint64_t start)
{
    for (uint64_t va = start; va < start + KSTACK_SIZE; va += PAGE_SIZE) {
        void *page = page_alloc(0);
        if (page && map_page(va, virt_to_phys(page), 0))
            continue;
        if (page)
            page_free(page, 0);
        void *mapped[KSTACK_SIZE / PAGE_SIZE]; /* nobody has touched them: no shootdown */
        stack_unmap(start, mapped);
        free_pages(mapped);
        return false;
    }
    return true;
}

static int slot_take(void)
{
    if (n_free)
        return free_slots[--n_free];
    return n_slots_used_ever < SLOTS ? (int)n_slots_used_ever++ : -1;
}

/* KVM lock. */
static uint64_t stack_new(void)
{
    int slot = slot_take();
    if (slot < 0)
        return 0;
    if (stack_map(slot_stack(slot)))
        return slot_stack(slot);
    free_slots[n_free++] = slot;
    return 0;
}

void *kstack_alloc(void)
{
    uint64_t flags = spin_lock(&lock);
    uint64_t stack = n_spare ? slot_stack(spare_slots[--n_spare]) : stack_new();
    spin_unlock(&lock, flags);
    return (void *)stack;
}

/* Slots that are on no list. */
struct batch {
    uint16_t slots[BATCH];
    void *pages[BATCH][KSTACK_SIZE / PAGE_SIZE];
};

static void unmap_batch(struct batch *b)
{
    for (unsigned i = 0; i < BATCH; i++)
        stack_unmap(slot_stack(b->slots[i]), b->pages[i]);
}

/* After a shootdown. */
static void free_batch(struct batch *b)
{
    for (unsigned i = 0; i < BATCH; i++)
        free_pages(b->pages[i]);
    uint64_t flags = spin_lock(&lock);
    for (unsigned i = 0; i < BATCH; i++)
        free_slots[n_free++] = b->slots[i];
    spin_unlock(&lock, flags);
}

void kstack_free(void *stack)
{
    struct batch batch;
    uint64_t flags = spin_lock(&lock);
    spare_slots[n_spare++] = ((uint64_t)stack - KVM_BASE) / SLOT_SIZE;
    bool full = n_spare == SPARE_STACKS;
    if (full) {
        n_spare -= BATCH;
        memcpy(batch.slots, spare_slots + n_spare, sizeof batch.slots);
        unmap_batch(&batch);
    }
    spin_unlock(&lock, flags);
    if (!full)
        return;
    tlb_shootdown(0, 0);
    free_batch(&batch);
}

bool kstack_guard_hit(uint64_t va)
{
    return va >= KVM_BASE && va < KVM_BASE + (uint64_t)SLOTS * SLOT_SIZE &&
           (va - KVM_BASE) % SLOT_SIZE < SLOT_SIZE - KSTACK_SIZE;
}

/* ---- device registers ---- */

struct io_area {
    struct list_head link;
    uint64_t start, end;
};
static struct list_head io_areas = { &io_areas, &io_areas };

/* Put a into the first gap that takes size bytes and a page between neighbours. */
static bool area_place(struct io_area *a, uint64_t size)
{
    struct list_head *before = &io_areas;
    struct io_area *other;
    uint64_t start = STACKS_END;
    list_for_each_entry (other, &io_areas, link) {
        if (other->start - start >= size + PAGE_SIZE)
            break;
        start = other->end + PAGE_SIZE;
        before = &other->link;
    }
    if (start + size > KVM_END)
        return false;
    a->start = start;
    a->end = start + size;
    list_add(&a->link, before);
    return true;
}

static void area_unmap(const struct io_area *a)
{
    for (uint64_t va = a->start; va < a->end; va += PAGE_SIZE) {
        uint64_t *pte = kernel_pte(va);
        if (pte)
            *pte = 0;
    }
}

static bool area_map(const struct io_area *a, uint64_t pa)
{
    for (uint64_t va = a->start; va < a->end; va += PAGE_SIZE, pa += PAGE_SIZE)
        if (!map_page(va, pa, PTE_UNCACHED))
            return false;
    return true;
}

void *ioremap(uint64_t pa, size_t size)
{
    uint64_t offset = pa % PAGE_SIZE;
    struct io_area *a = kzalloc(sizeof *a);
    if (!a)
        return NULL;
    uint64_t flags = spin_lock(&lock);
    bool ok = area_place(a, ROUND_UP(size + offset, PAGE_SIZE));
    if (ok && !area_map(a, pa - offset)) {
        area_unmap(a);
        list_del(&a->link);
        ok = false;
    }
    spin_unlock(&lock, flags);
    if (ok)
        return (void *)(a->start + offset);
    kfree(a);
    return NULL;
}

static struct io_area *area_find(uint64_t va)
{
    struct io_area *a;
    list_for_each_entry (a, &io_areas, link)
        if (va >= a->start && va < a->end)
            return a;
    return NULL;
}

void iounmap(void *p, size_t size)
{
    uint64_t flags = spin_lock(&lock);
    struct io_area *a = area_find((uint64_t)p);
    ASSERT(a && (uint64_t)p + size <= a->end);
    area_unmap(a);
    spin_unlock(&lock, flags);
    tlb_shootdown(a->start, a->end); /* before another area may have the addresses */
    flags = spin_lock(&lock);
    list_del(&a->link);
    spin_unlock(&lock, flags);
    kfree(a);
}
