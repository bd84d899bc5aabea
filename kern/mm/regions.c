/* kern/mm/regions.c - which physical memory is whose when the kernel starts.
 * Free is what the loader calls usable, less what it calls anything else, the low 1 MiB (the other CPUs start
 * there), the kernel's image and the loader's modules. Early memory is cut from the largest free range that
 * the boot tables reach, and is never given back. */
#include "kern/mm/regions.h"
#include "kern/boot/boot.h"
#include "lib/string.h"
#include "net/port.h"

enum { MAX_RESERVED = BOOT_MAX_REGIONS + BOOT_MAX_MODULES + 3, LOW_MEMORY = 1 << 20 };
#define BOOT_TABLES_END (4ull << 30)

static struct memory_range reserved[MAX_RESERVED];
static unsigned n_reserved;
static struct memory_range early; /* start moves up as memory is taken */
static uint64_t early_start;

static void reserve(uint64_t start, uint64_t end)
{
    ASSERT(n_reserved < MAX_RESERVED);
    reserved[n_reserved++] = (struct memory_range){ ROUND_DOWN(start, PAGE_SIZE), ROUND_UP(end, PAGE_SIZE) };
}

static void reserve_all(void)
{
    reserve(0, LOW_MEMORY);
    reserve(virt_to_phys(kernel_start), virt_to_phys(kernel_end));
    for (unsigned i = 0; i < boot_info.n_modules; i++)
        reserve(boot_info.modules[i].start, boot_info.modules[i].start + boot_info.modules[i].length);
    for (unsigned i = 0; i < boot_info.n_regions; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        if (!r->usable)
            reserve(r->start, r->start + r->length);
    }
}

/* The first free stretch of [from, end): where it ends, or false if there is none. */
static bool first_free(uint64_t *from, uint64_t *stop, uint64_t end)
{
    bool moved = true;
    while (moved) { /* past every range that covers *from */
        moved = false;
        for (unsigned i = 0; i < n_reserved; i++)
            if (reserved[i].start <= *from && *from < reserved[i].end) {
                *from = reserved[i].end;
                moved = true;
            }
    }
    *stop = end;
    for (unsigned i = 0; i < n_reserved; i++)
        if (reserved[i].start > *from)
            *stop = MIN(*stop, reserved[i].start);
    return *from < *stop;
}

void regions_for_each_free(void (*fn)(struct memory_range range))
{
    for (unsigned i = 0; i < boot_info.n_regions; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        uint64_t from = ROUND_UP(r->start, PAGE_SIZE), end = ROUND_DOWN(r->start + r->length, PAGE_SIZE),
                 stop;
        for (; r->usable && from < end && first_free(&from, &stop, end); from = stop)
            fn((struct memory_range){ from, stop });
    }
}

void regions_for_each(void (*fn)(struct memory_range range))
{
    fn((struct memory_range){ 0, LOW_MEMORY });
    for (unsigned i = 0; i < boot_info.n_regions; i++) {
        const struct boot_region *r = &boot_info.regions[i];
        bool tables = r->length <= FIRMWARE_TABLES_MAX && r->start + r->length <= BOOT_TABLES_END;
        if (r->usable || tables)
            fn((struct memory_range){ r->start, r->start + r->length });
    }
}

uint64_t regions_end(void)
{
    uint64_t end = 0;
    for (unsigned i = 0; i < boot_info.n_regions; i++)
        if (boot_info.regions[i].usable)
            end = MAX(end, boot_info.regions[i].start + boot_info.regions[i].length);
    return ROUND_DOWN(end, PAGE_SIZE);
}

static void keep_largest(struct memory_range range)
{
    range.end = MIN(range.end, BOOT_TABLES_END);
    if (range.start < range.end && range.end - range.start > early.end - early.start)
        early = range;
}

void regions_init(void)
{
    reserve_all();
    regions_for_each_free(keep_largest);
    early_start = early.start;
}

void *early_alloc(size_t size)
{
    size = ROUND_UP(size, PAGE_SIZE);
    if (early.end - early.start < size)
        panic("no room for %zu bytes while the kernel is set up: memory is too small", size);
    void *p = phys_to_virt(early.start);
    early.start += size;
    return memset(p, 0, size);
}

void regions_close_early(void)
{
    reserve(early_start, early.start);
}
