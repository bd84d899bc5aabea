/* sim/script/arena.c - one block an allocation, so that AddressSanitizer sees each one's edges. */
#include "sim/script/arena.h"
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b = calloc(1, sizeof *b + n);

    if (!b)
        abort();
    b->next = a->blocks;
    a->blocks = b;
    return b->bytes;
}

char *arena_copy(struct arena *a, const void *from, size_t n)
{
    char *copy = arena_alloc(a, n + 1);

    if (n)
        memcpy(copy, from, n);
    return copy;
}

void arena_free(struct arena *a)
{
    struct arena_block *b;

    while ((b = a->blocks)) {
        a->blocks = b->next;
        free(b);
    }
}
