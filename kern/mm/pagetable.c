/* kern/mm/pagetable.c - finding an entry in a page table. */
#include "kern/mm/pagetable.h"

/* Rights are in the last entry; the tables above it allow everything that their half of memory may have. */
static uint64_t table_entry(const void *table, uint64_t va)
{
    return virt_to_phys(table) | PTE_PRESENT | PTE_WRITE | (va < USER_TOP ? PTE_USER : 0);
}

uint64_t *pagetable_walk(uint64_t *root, uint64_t va, unsigned level, void *(*alloc)(void))
{
    const unsigned last = table_shift(level);
    uint64_t *table = root;
    for (unsigned shift = table_shift(LEVEL_ROOT); shift > last; shift -= TABLE_BITS) {
        uint64_t *entry = &table[va >> shift & (TABLE_ENTRIES - 1)];
        if (unlikely(!*entry)) {
            void *below = alloc ? alloc() : NULL;
            if (!below)
                return NULL;
            *entry = table_entry(below, va);
        }
        if (unlikely(*entry & PTE_LARGE))
            return NULL;
        table = pte_page(*entry);
    }
    return &table[va >> last & (TABLE_ENTRIES - 1)];
}
