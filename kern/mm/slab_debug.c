/* kern/mm/slab_debug.c - finding overruns, double frees and use after free in the debug build.
 * An object is in use or free, as its trailer says; anything else there was written by an overrun. Free
 * objects are filled with 0xab, which is looked at when they are given out again: a write through a stale
 * pointer between the two is found, and a read returns nonsense that is easy to recognise. */
#include "kern/debug/ksyms.h"
#include "kern/mm/slab.h"
#include "lib/string.h"
#include "net/port.h"

enum { POISON = 0xab, RED = 0xbb, NAME_MAX = 64 };
enum { STATE_FREE = 0x66726565, STATE_USED = 0x75736564 };
#define RED_WORD    0xbbbbbbbbbbbbbbbbull
#define POISON_WORD 0xababababababababull

static struct slab_trailer *trailer_of(const struct kmem_cache *c, const void *p)
{
    return (struct slab_trailer *)((uint64_t)p + ROUND_UP(c->size, 8));
}

_Noreturn static void complain(const struct kmem_cache *c, const void *p, const char *what,
                               const void *caller)
{
    const struct slab_trailer *t = trailer_of(c, p);
    char now[NAME_MAX], allocated[NAME_MAX], freed[NAME_MAX];
    ksym_format(now, sizeof now, (uint64_t)caller);
    ksym_format(allocated, sizeof allocated, (uint64_t)t->allocated_by);
    ksym_format(freed, sizeof freed, (uint64_t)t->freed_by);
    panic("slab %s: %s: object %p, size %u, seen by %s, allocated by %s, freed by %s", c->name, what, p,
          t->size, now, allocated, freed);
}

static void fill_poison(const struct kmem_cache *c, void *p)
{
    memset(p, POISON, ROUND_UP(c->size, 8));
}

static bool is_poison(const struct kmem_cache *c, const void *p)
{
    const uint64_t *word = p, *end = word + ROUND_UP(c->size, 8) / 8;
    uint64_t differs = 0;
    while (word < end)
        differs |= *word++ ^ POISON_WORD;
    return !differs;
}

static bool red_zone_whole(const struct kmem_cache *c, const void *p)
{
    const struct slab_trailer *t = trailer_of(c, p);
    const uint8_t *byte = (const uint8_t *)p + t->size;
    while (byte < (const uint8_t *)t)
        if (*byte++ != RED)
            return false;
    return t->red == RED_WORD;
}

void slab_debug_init(struct kmem_cache *c, void *p)
{
    fill_poison(c, p);
    *trailer_of(c, p) = (struct slab_trailer){ .red = RED_WORD, .state = STATE_FREE };
}

void slab_debug_alloc(struct kmem_cache *c, void *p, size_t size, const void *caller)
{
    struct slab_trailer *t = trailer_of(c, p);
    if (t->state != STATE_FREE || t->red != RED_WORD)
        complain(c, p, "overrun into a free object", caller);
    if (!is_poison(c, p))
        complain(c, p, "written after it was freed", caller);
    memset((uint8_t *)p + size, RED, (uint8_t *)t - (uint8_t *)p - size);
    t->size = size;
    t->state = STATE_USED;
    t->allocated_by = caller;
}

void slab_debug_free(struct kmem_cache *c, void *p, const void *caller)
{
    struct slab_trailer *t = trailer_of(c, p);
    if (t->state == STATE_FREE)
        complain(c, p, "freed twice", caller);
    if (t->state != STATE_USED || t->size > c->size || !red_zone_whole(c, p))
        complain(c, p, "overrun", caller);
    t->state = STATE_FREE;
    t->freed_by = caller;
    fill_poison(c, p);
}

unsigned slab_debug_report(struct kmem_cache *c, struct slab *s, unsigned limit)
{
    unsigned found = 0;
    for (unsigned i = 0; i < c->per_slab && found < limit; i++) {
        const uint8_t *p = (const uint8_t *)s + c->first + i * c->stride;
        const struct slab_trailer *t = trailer_of(c, p);
        char who[NAME_MAX];
        if (t->state != STATE_USED)
            continue;
        ksym_format(who, sizeof who, (uint64_t)t->allocated_by);
        klog(LOG_ERROR, "slab %s: leaked: object %p, size %u, allocated by %s", c->name, p, t->size, who);
        found++;
    }
    return found;
}
