/* lib/heap_test.c - the pairing heap against a sorted array. */
#include "lib/heap.h"
#include "sim/sim.h"
#include "sim/test.h"

enum { N = 300 };

TEST(a_heap_gives_its_entries_in_order)
{
    static struct heap_node nodes[N];
    struct heap h = { 0 };
    uint64_t last = 0;

    for (int i = 0; i < N; i++)
        heap_insert(&h, &nodes[i], sim_random() % 50);
    for (int i = 0; i < N; i++) {
        struct heap_node *first = heap_first(&h);
        CHECK(first && first->key >= last);
        last = first->key;
        heap_remove(&h, first);
        CHECK(!heap_queued(first));
    }
    CHECK(!heap_first(&h));
}

TEST(equal_keys_leave_a_heap_as_they_came)
{
    static struct heap_node nodes[N];
    struct heap h = { 0 };

    for (int i = 0; i < N; i++)
        heap_insert(&h, &nodes[i], 7);
    for (int i = 0; i < N; i++) {
        CHECK(heap_first(&h) == &nodes[i]);
        heap_remove(&h, &nodes[i]);
    }
}

TEST(any_entry_may_leave_a_heap)
{
    static struct heap_node nodes[N];
    struct heap h = { 0 };
    uint64_t least;

    for (int round = 0; round < 20000; round++) {
        struct heap_node *n = &nodes[sim_random() % N];
        if (heap_queued(n))
            heap_remove(&h, n);
        else
            heap_insert(&h, n, sim_random() % 1000);
        least = UINT64_MAX;
        for (int i = 0; i < N; i += 1 + round % 7) /* a sample: none is below the first */
            if (heap_queued(&nodes[i]) && nodes[i].key < least)
                least = nodes[i].key;
        CHECK(least == UINT64_MAX || heap_first(&h)->key <= least);
    }
}
