/* kern/mm/kernel_map.c - the kernel's final page tables.
 * Nothing is both writable and executable: the image's text is executable and read-only, its rodata
 * read-only, its data not executable; the direct map is not executable, and where it shows text and rodata
 * again it is read-only too. The upper half's root entries never change after kernel_map_init(), so every
 * address space has a copy of them. */
#include "kern/boot/boot.h"
#include "kern/mm/page.h"
#include "kern/mm/pagetable.h"
#include "kern/mm/regions.h"

uint64_t *kernel_root;

static void *early_table(void)
{
    return early_alloc(PAGE_SIZE);
}

static void map_image(const char *start, const char *end, uint64_t rights)
{
    for (uint64_t va = (uint64_t)start; va < (uint64_t)end; va += PAGE_SIZE)
        *pagetable_walk(kernel_root, va, LEVEL_PAGE, early_table) =
            virt_to_phys((void *)va) | PTE_PRESENT | PTE_GLOBAL | rights;
}

static bool is_read_only_image(uint64_t pa, uint64_t size)
{
    return pa < virt_to_phys(kernel_rodata_end) && pa + size > virt_to_phys(kernel_text_start);
}

static void map_small_pages(uint64_t pa)
{
    for (uint64_t end = pa + LARGE_PAGE_SIZE; pa < end; pa += PAGE_SIZE) {
        uint64_t write = is_read_only_image(pa, PAGE_SIZE) ? 0 : PTE_WRITE;
        *pagetable_walk(kernel_root, DIRECT_MAP + pa, LEVEL_PAGE, early_table) =
            pa | PTE_PRESENT | PTE_GLOBAL | PTE_NX | write;
    }
}

static void map_directly(struct memory_range range)
{
    uint64_t end = ROUND_UP(range.end, LARGE_PAGE_SIZE);
    for (uint64_t pa = ROUND_DOWN(range.start, LARGE_PAGE_SIZE); pa < end; pa += LARGE_PAGE_SIZE) {
        uint64_t *entry = pagetable_walk(kernel_root, DIRECT_MAP + pa, LEVEL_LARGE_PAGE, early_table);
        if (*entry) /* the range before ended in the same 2 MiB */
            continue;
        if (is_read_only_image(pa, LARGE_PAGE_SIZE))
            map_small_pages(pa);
        else
            *entry = pa | PTE_PRESENT | PTE_WRITE | PTE_LARGE | PTE_GLOBAL | PTE_NX;
    }
}

void kernel_map_init(void)
{
    kernel_root = early_table();
    map_image(kernel_text_start, kernel_text_end, 0);
    map_image(kernel_rodata_start, kernel_rodata_end, PTE_NX);
    map_image(kernel_data_start, kernel_data_end, PTE_NX | PTE_WRITE);
    regions_for_each(map_directly);
    _Static_assert(KVM_END - KVM_BASE == 1ull << 39 && KVM_BASE % (1ull << 39) == 0, "one root entry");
    pagetable_walk(kernel_root, KVM_BASE, LEVEL_ROOT - 1, early_table);
    load_root(kernel_root);
}
