/* kern/mm/space_clear.c - the end of an address space: its pages and tables are freed.
 * Pages lie in regions, so only their parts of the tables are looked at for them. Tables may be left from
 * mappings that are gone; those above the last level are looked through for them. A CPU may still stand on
 * the root (a kernel thread runs on whatever tables there are) and look into tables ahead of any need; so the
 * root's entries are taken out, and that is known everywhere, before what is below them is freed. */
#include "kern/mm/page.h"
#include "kern/mm/space.h"
#include "net/port.h"

enum { STRIDE = 8 };

/* Put the pages of [start, end); table is of a level, for all of it. */
static void put_pages(const uint64_t *table, unsigned level, uint64_t start, uint64_t end)
{
    const uint64_t span = 1ull << table_shift(level);
    for (uint64_t va = start, next; va < end; va = next) {
        uint64_t entry = table[va >> table_shift(level) & (TABLE_ENTRIES - 1)];
        next = ROUND_DOWN(va, span) + span;
        if (entry && level == LEVEL_PAGE)
            page_put(pte_page(entry));
        else if (entry)
            put_pages(pte_page(entry), level - 1, va, MIN(end, next));
    }
}

/* The first entry in use among n from i on; n: there is none. Most are not, so they are looked at by strides.
 */
static unsigned next_used(const uint64_t *table, unsigned i, unsigned n)
{
    while (i < n && !table[i]) {
        const uint64_t *t = &table[i];
        if (i % STRIDE || t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7])
            i++;
        else
            i += STRIDE;
    }
    return i;
}

/* Free a table of a level and those below it, in which there are no pages any more. */
static void free_table(uint64_t *table, unsigned level)
{
    for (unsigned i = 0; level > LEVEL_PAGE && (i = next_used(table, i, TABLE_ENTRIES)) < TABLE_ENTRIES; i++)
        free_table(pte_page(table[i]), level - 1);
    page_free(table, 0);
}

static void hide_root_entries(struct vm_space *vm)
{
    const unsigned half = TABLE_ENTRIES / 2;
    for (unsigned i = 0; (i = next_used(vm->root, i, half)) < half; i++)
        vm->root[i] &= ~PTE_PRESENT;
    space_flush(vm, 0, USER_TOP);
}

void space_clear(struct vm_space *vm)
{
    const unsigned half = TABLE_ENTRIES / 2;
    struct vm_region *r;
    hide_root_entries(vm);
    list_for_each_entry (r, &vm->regions, link)
        put_pages(vm->root, LEVEL_ROOT, r->start, r->end);
    for (unsigned i = 0; (i = next_used(vm->root, i, half)) < half; i++) {
        free_table(pte_page(vm->root[i]), LEVEL_ROOT - 1);
        vm->root[i] = 0;
    }
    vm->resident = 0;
}
