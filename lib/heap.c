/* lib/heap.c - the pairing heap of heap.h.
 * Every node's key is at most its children's. A first child's prev is its parent, another child's its left
 * sibling, the root's NULL: so any node can be cut out without a search. */
#include "lib/heap.h"

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

/* Join two heaps; either may be NULL. The roots' next and prev are rewritten by the caller's use. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    if (!a)
        return b;
    if (!b)
        return a;
    if (before(b, a)) {
        struct heap_node *t = a;
        a = b;
        b = t;
    }
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    a->next = a->prev = NULL;
    return a;
}

/* Join a list of siblings to one heap: pairs from left to right, then the pairs from right to left. */
static struct heap_node *meld_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL, *all = NULL;

    while (first) {
        struct heap_node *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct heap_node *rest = pairs->next;
        pairs->next = NULL;
        all = meld(all, pairs);
        pairs = rest;
    }
    return all;
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
    *node = (struct heap_node){ .key = key, .seq = h->seq++, .queued = true };
    h->root = meld(h->root, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (node == h->root) {
        h->root = meld_siblings(node->child);
    } else {
        if (node->prev->child == node)
            node->prev->child = node->next;
        else
            node->prev->next = node->next;
        if (node->next)
            node->next->prev = node->prev;
        h->root = meld(h->root, meld_siblings(node->child));
    }
    if (h->root)
        h->root->prev = h->root->next = NULL;
    *node = (struct heap_node){ 0 };
}
