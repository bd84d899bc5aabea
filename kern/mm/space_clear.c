/* kern/mm/space_clear.c - the end of an address space: its pages and tables are freed.
 * What is in the tables lies in regions, so only their parts of the tables are looked at: first the pages of
 * all regions, then level by level the tables, which nothing is in any more. A CPU may still stand on the
 * root (a kernel thread runs on whatever tables there are) and look into tables ahead of any need; so the
 * root's entries are made not present, and that is known everywhere, before what is below them is freed. */
#include "kern/mm/page.h"
#include "kern/mm/space.h"
#include "net/port.h"

static uint64_t span_of(unsigned level)
{
    return 1ull << table_shift(level);
}

/* The first entry of a level in use that covers a part of [*va, end); steps over missing tables. */
static uint64_t *next_entry(struct vm_space *vm, unsigned level, uint64_t *va, uint64_t end)
{
    const uint64_t span = span_of(level), table_span = span_of(level + 1);
    while (*va < end) {
        uint64_t *entry = pagetable_walk(vm->root, *va, level, NULL);
        uint64_t table_end = ROUND_DOWN(*va, table_span) + table_span, stop = MIN(end, table_end);
        for (; entry && *va < stop; entry++, *va = ROUND_DOWN(*va, span) + span)
            if (*entry)
                return entry;
        *va = table_end;
    }
    return NULL;
}

/* Do fn with every entry of a level in use; each table below belongs to one entry. */
static void for_each_entry(struct vm_space *vm, unsigned level, void (*fn)(uint64_t *entry))
{
    struct vm_region *r;
    uint64_t *entry;
    list_for_each_entry (r, &vm->regions, link)
        for (uint64_t va = r->start; (entry = next_entry(vm, level, &va, r->end));
             va = ROUND_DOWN(va, span_of(level)) + span_of(level))
            fn(entry);
}

static void hide(uint64_t *entry)
{
    *entry &= ~PTE_PRESENT;
}

static void free_page(uint64_t *entry)
{
    page_put(pte_page(*entry));
    *entry = 0;
}

static void free_table(uint64_t *entry)
{
    page_free(pte_page(*entry), 0);
    *entry = 0;
}

static void check_empty(const struct vm_space *vm)
{
    for (unsigned i = 0; i < TABLE_ENTRIES / 2; i++)
        ASSERT(!vm->root[i]);
}

void space_clear(struct vm_space *vm)
{
    for_each_entry(vm, LEVEL_ROOT, hide);
    space_flush(vm, 0, USER_TOP);
    for_each_entry(vm, LEVEL_PAGE, free_page);
    for (unsigned level = LEVEL_PAGE + 1; level <= LEVEL_ROOT; level++)
        for_each_entry(vm, level, free_table);
    vm->resident = 0;
    if (CONFIG_DEBUG)
        check_empty(vm);
}
