/* kern/mm/regions.h - which physical memory is whose when the kernel starts; for kern/mm alone. */
#pragma once
#include "kern/mm/mm.h"

struct memory_range {
    uint64_t start, end;
};
/* Reserved ranges of other than RAM up to this long hold firmware tables: the direct map shows them too. */
enum { FIRMWARE_TABLES_MAX = 64 << 20 };

void regions_init(void);
/* Zeroed, page-aligned memory that is never given back; until regions_close_early(). Panics when there is
 * none.
 */
void *early_alloc(size_t size);
void regions_close_early(void);
/* Each stretch of memory that nobody uses; page-aligned. */
void regions_for_each_free(void (*fn)(struct memory_range range));
/* Each stretch that the direct map must reach. */
void regions_for_each(void (*fn)(struct memory_range range));
/* First address above all usable memory. */
uint64_t regions_end(void);
