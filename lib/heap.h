/* lib/heap.h - a pairing heap of structs that carry their own links, least key first.
 * Insert and peek are O(1), removal of any entry O(log n) amortised. Equal keys leave in the order they came,
 * because the key is (key, seq) and the heap counts seq up. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    struct heap_node *child, *next, *prev; /* prev: the left sibling, or the parent of a first child */
    uint64_t key, seq;
    bool queued;
};
struct heap {
    struct heap_node *root;
    uint64_t seq;
};

/* Put node into h under key. It must not be in a heap. */
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key);
/* Take node out of h, wherever it is. It must be in h. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The entry with the least key, or NULL. It stays in. */
static inline struct heap_node *heap_first(const struct heap *h)
{
    return h->root;
}
static inline bool heap_queued(const struct heap_node *node)
{
    return node->queued;
}
