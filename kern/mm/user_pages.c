/* kern/mm/user_pages.c - the pages of an address space.
 * A page that several spaces share is read-only in all of them, whatever their regions allow; the first write
 * takes a copy, or the page itself once nobody else has it. A translation that became narrower is flushed
 * from every CPU that may know it before its page is freed or the mutex is let go. */
#include "kern/cpu/cpu.h"
#include "kern/mm/page.h"
#include "kern/mm/space.h"
#include "lib/abi/errno.h"
#include "lib/string.h"
#include "net/port.h"

enum { GATHER = 64, FLUSH_SINGLE_MAX = 16, AROUND = 16 /* pages, a divisor of a table's */ };

static void *user_table(void)
{
    return page_alloc_user_zeroed();
}

static uint64_t *user_pte(struct vm_space *vm, uint64_t va)
{
    return pagetable_walk(vm->root, va, LEVEL_PAGE, NULL);
}

/* An entry for page by a region's rights; writable says that it is nobody else's. */
static uint64_t make_pte(const void *page, uint32_t prot, bool writable)
{
    uint64_t pte = virt_to_phys(page) | PTE_USER | (prot & VM_EXEC ? 0 : PTE_NX);
    if (!(prot & (VM_READ | VM_WRITE | VM_EXEC)))
        return pte | PTE_HIDDEN;
    return pte | PTE_PRESENT | (writable && (prot & VM_WRITE) ? PTE_WRITE : 0);
}

/* ---- translations in the CPUs ---- */

static bool is_long(uint64_t start, uint64_t end)
{
    return end - start > FLUSH_SINGLE_MAX * PAGE_SIZE;
}

static void flush_here(uint64_t start, uint64_t end)
{
    if (is_long(start, end)) {
        uint64_t root;
        __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root) : : "memory");
        return;
    }
    for (uint64_t va = start; va < end; va += PAGE_SIZE)
        tlb_flush_page(va);
}

void space_flush(struct vm_space *vm, uint64_t start, uint64_t end)
{
    preempt_disable();
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* entries written before cpus is read; partner: vm_activate() */
    uint32_t cpus_using = READ_ONCE(vm->cpus), me = 1u << cpu_id();
    if (cpus_using & ~me)
        tlb_shootdown(is_long(start, end) ? 0 : start, is_long(start, end) ? 0 : end);
    else if (cpus_using & me)
        flush_here(start, end);
    preempt_enable();
}

/* ---- walking a range ---- */

/* Where what a missing table would map ends; va has no entry of LEVEL_PAGE. */
static uint64_t missing_end(struct vm_space *vm, uint64_t va)
{
    unsigned level = LEVEL_LARGE_PAGE;
    while (level < LEVEL_ROOT && !pagetable_walk(vm->root, va, level, NULL))
        level++;
    uint64_t span = (uint64_t)PAGE_SIZE << 9 * (level - 1);
    return ROUND_DOWN(va, span) + span;
}

/* The first present or hidden page at or above *va and below end; steps over missing tables. */
static uint64_t *next_pte(struct vm_space *vm, uint64_t *va, uint64_t end)
{
    while (*va < end) {
        uint64_t *pte = user_pte(vm, *va),
                 table_end = ROUND_DOWN(*va, (uint64_t)LARGE_PAGE_SIZE) + LARGE_PAGE_SIZE;
        if (!pte) {
            *va = missing_end(vm, *va);
            continue;
        }
        for (uint64_t stop = MIN(end, table_end); *va < stop; *va += PAGE_SIZE, pte++)
            if (*pte)
                return pte;
    }
    return NULL;
}

/* Take out at most GATHER pages from *va on; how many. */
static unsigned gather(struct vm_space *vm, uint64_t *va, uint64_t end, void **gathered)
{
    unsigned n = 0;
    uint64_t *pte;
    for (; n < GATHER && (pte = next_pte(vm, va, end)); *va += PAGE_SIZE) {
        gathered[n++] = pte_page(*pte);
        *pte = 0;
    }
    return n;
}

void pages_unmap(struct vm_space *vm, uint64_t start, uint64_t end)
{
    void *gathered[GATHER];
    for (uint64_t va = start; va < end;) {
        uint64_t from = va;
        unsigned n = gather(vm, &va, end, gathered);
        if (n)
            space_flush(vm, from, MIN(va, end));
        vm->resident -= n;
        while (n)
            page_put(gathered[--n]);
    }
}

int pages_move(struct vm_space *vm, uint64_t from, uint64_t to, uint64_t len)
{
    uint64_t *pte;
    for (uint64_t va = from; next_pte(vm, &va, from + len); va += PAGE_SIZE)
        if (!pagetable_walk(vm->root, va - from + to, LEVEL_PAGE, user_table))
            return -ENOMEM;
    for (uint64_t va = from; (pte = next_pte(vm, &va, from + len)); va += PAGE_SIZE) {
        *user_pte(vm, va - from + to) = *pte;
        *pte = 0;
    }
    space_flush(vm, from, from + len);
    return 0;
}

void pages_protect(struct vm_space *vm, uint64_t start, uint64_t end, uint32_t prot)
{
    uint64_t *pte;
    for (uint64_t va = start; (pte = next_pte(vm, &va, end)); va += PAGE_SIZE)
        *pte = make_pte(pte_page(*pte), prot, false); /* the next write finds out whether it is shared */
    space_flush(vm, start, end);
}

bool pages_share(struct vm_space *from, struct vm_space *to, const struct vm_region *r)
{
    uint64_t *pte;
    if (r->prot & (VM_SHARED | VM_DONT_FORK | VM_WIPE_ON_FORK))
        return true;
    for (uint64_t va = r->start; (pte = next_pte(from, &va, r->end)); va += PAGE_SIZE) {
        uint64_t *copy = pagetable_walk(to->root, va, LEVEL_PAGE, user_table);
        if (!copy)
            return false;
        *pte &= ~PTE_WRITE;
        *copy = *pte;
        page_get(pte_page(*pte));
        to->resident++;
    }
    return true;
}

/* ---- one page ---- */

void *page_at(struct vm_space *vm, uint64_t va)
{
    const uint64_t *pte = user_pte(vm, va);
    return pte && *pte ? pte_page(*pte) : NULL;
}

static int page_demand_zero(struct vm_space *vm, const struct vm_region *r, uint64_t *pte)
{
    void *page = page_alloc_user_zeroed();
    if (!page)
        return -ENOMEM;
    *pte = make_pte(page, r->prot, true);
    vm->resident++;
    return 0;
}

static void *page_copy(const void *page)
{
    void *copy = page_alloc_user();
    return copy ? memcpy(copy, page, PAGE_SIZE) : NULL;
}

/* Show what else is there of the object around va, in the same page table: a program that reads one page will
 * read the next. */
static void map_around(struct vm_space *vm, const struct vm_region *r, uint64_t va)
{
    struct vm_object *o = r->object;
    uint64_t window = ROUND_DOWN(va, (uint64_t)AROUND * PAGE_SIZE);
    uint64_t end = MIN(window + (uint64_t)AROUND * PAGE_SIZE, r->end);
    for (uint64_t at = MAX(window, r->start); at < end; at += PAGE_SIZE) {
        uint64_t *pte = user_pte(vm, at);
        void *page = *pte ? NULL : o->ops->page_if_there(o, (r->offset + (at - r->start)) >> PAGE_SHIFT);
        if (!page)
            continue;
        *pte = make_pte(page, r->prot, r->prot & VM_SHARED);
        vm->resident++;
    }
}

/* The object's page, or for a write to a private region a copy of it. */
static int page_from_object(struct vm_space *vm, const struct vm_region *r, uint64_t *pte, uint64_t va,
                            bool write)
{
    struct vm_object *o = r->object;
    bool shared = r->prot & VM_SHARED;
    void *page;
    int err = o->ops->page(o, (r->offset + (va - r->start)) >> PAGE_SHIFT, &page);
    if (err)
        return err;
    if (write && !shared) {
        void *copy = page_copy(page);
        page_put(page);
        if (!copy)
            return -ENOMEM;
        page = copy;
    }
    *pte = make_pte(page, r->prot, write || shared);
    vm->resident++;
    if (!write)
        map_around(vm, r, va);
    return 0;
}

static int page_copy_on_write(struct vm_space *vm, const struct vm_region *r, uint64_t *pte, uint64_t va)
{
    void *old = pte_page(*pte);
    if ((r->prot & VM_SHARED) || page_refs(old) == 1) {
        *pte = make_pte(old, r->prot, true);
        return 0;
    }
    void *own = page_copy(old);
    if (!own)
        return -ENOMEM;
    *pte = make_pte(own, r->prot, true);
    space_flush(vm, va, va + PAGE_SIZE); /* another thread may still read the old one */
    page_put(old);
    return 0;
}

int page_make_present(struct vm_space *vm, const struct vm_region *r, uint64_t va, bool write)
{
    uint64_t *pte = pagetable_walk(vm->root, va, LEVEL_PAGE, user_table);
    if (!pte)
        return -ENOMEM;
    if (!*pte)
        return r->object ? page_from_object(vm, r, pte, va, write) : page_demand_zero(vm, r, pte);
    if (write && !(*pte & PTE_WRITE))
        return page_copy_on_write(vm, r, pte, va);
    return 0;
}
