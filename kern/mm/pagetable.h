/* kern/mm/pagetable.h - the processor's page tables: four levels of 512 entries (Intel SDM vol. 3, 4.5); for
 * kern/mm alone. */
#pragma once
#include "kern/mm/mm.h"

#define PTE_PRESENT  (1ull << 0)
#define PTE_WRITE    (1ull << 1)
#define PTE_USER     (1ull << 2)
#define PTE_UNCACHED (1ull << 4 | 1ull << 3) /* PCD, PWT */
#define PTE_LARGE    (1ull << 7)
#define PTE_GLOBAL   (1ull << 8)
#define PTE_HIDDEN   (1ull << 9) /* ours: holds a page that nobody may touch now (PROT_NONE) */
#define PTE_NX       (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull
enum { TABLE_BITS = 9, TABLE_ENTRIES = 1 << TABLE_BITS, LARGE_PAGE_SIZE = 2 << 20 };
enum { LEVEL_PAGE = 1, LEVEL_LARGE_PAGE = 2, LEVEL_ROOT = 4 };

extern uint64_t *kernel_root; /* the tables that every address space shares its upper half with */

/* Where the bits of an address that choose an entry of that level begin. */
static inline unsigned table_shift(unsigned level)
{
    return PAGE_SHIFT + TABLE_BITS * (level - 1);
}
static inline void *pte_page(uint64_t pte)
{
    return phys_to_virt(pte & PTE_ADDRESS);
}
static inline void tlb_flush_page(uint64_t va) /* this CPU's */
{
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
static inline void load_root(const uint64_t *root)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(virt_to_phys(root)) : "memory");
}

/* The entry for va at a level; missing tables above it come zeroed from alloc. NULL when alloc has none left,
 * or with alloc NULL when there is no table, or a large page in the way. The caller locks. */
uint64_t *pagetable_walk(uint64_t *root, uint64_t va, unsigned level, void *(*alloc)(void));
