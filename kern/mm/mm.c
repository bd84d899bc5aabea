/* kern/mm/mm.c - bringing memory up, in order: who owns what, struct pages, final tables, allocators. */
#include "kern/mm/mm.h"
#include "kern/mm/page.h"
#include "kern/mm/regions.h"
#include "kern/mm/slab.h"

void mm_init(void)
{
    regions_init();
    page_array_init();
    kernel_map_init();
    page_init();
    slab_init();
}

void mm_get_stats(struct mm_stats *s)
{
    *s = (struct mm_stats){ .total = page_total(), .free = page_count_free(), .slab = slab_pages() };
}
