/* kern/mm/page.h - one struct page for each physical page; for kern/mm alone. */
#pragma once
#include "kern/mm/mm.h"
#include "lib/list.h"

enum page_state { PAGE_RESERVED, PAGE_FREE, PAGE_FRONT, PAGE_USED, PAGE_SLAB };
struct slab;

struct page {
    union {
        struct list_head free; /* PAGE_FREE: in its order's list (PAGE lock) */
        struct slab *slab;     /* PAGE_SLAB: what it is part of */
    };
    uint32_t refs; /* atomic */
    uint8_t state; /* PAGE_FREE and PAGE_USED: of a block, in its first page */
    uint8_t order; /* of that block */
};
_Static_assert(sizeof(struct page) == 24, "0.6 % of memory");

/* The struct page of an address in the direct map. */
struct page *page_of(const void *p);
void page_array_init(void); /* after regions_init() */
void page_init(void);       /* after kernel_map_init() */
void kernel_map_init(void); /* kern/mm/kernel_map.c */
void slab_init(void);       /* kern/mm/slab.c */

uint64_t page_total(void);      /* pages that the allocator was given */
uint64_t page_count_free(void); /* those that are free now, on all CPUs; a moment's picture */
