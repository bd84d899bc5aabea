/* sim/script/arena.h - memory that is given back all at once: what a script consists of. */
#pragma once
#include <stddef.h>

struct arena {
    struct arena_block *blocks;
};

/* n bytes of zeroes, aligned for anything. Aborts when memory is out. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy of n bytes with a NUL behind them. */
char *arena_copy(struct arena *a, const void *from, size_t n);
void arena_free(struct arena *a);
