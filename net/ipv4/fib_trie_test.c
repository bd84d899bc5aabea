/* net/ipv4/fib_trie_test.c - the trie of prefixes against a list that is read from end to end. */
#include "lib/abi/errno.h"
#include "net/ipv4/fib_trie.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <stdlib.h>

enum { MANY = 2000, LOOKUPS = 4000 };

struct listed {
    uint32_t prefix;
    unsigned len;
    bool there;
};

static uint32_t mask(unsigned len)
{
    return len ? UINT32_MAX << (32 - len) : 0;
}

/* Prefixes that lie within each other: few different first bytes, all lengths. */
static struct listed any_prefix(void)
{
    uint32_t addr = (uint32_t)sim_random() & (sim_random() % 4 ? 0x070fffff : UINT32_MAX);
    unsigned len = (unsigned)(sim_random() % 33);

    return (struct listed){ .prefix = addr & mask(len), .len = len, .there = true };
}

static struct listed *find(struct listed *list, unsigned n, uint32_t prefix, unsigned len)
{
    for (unsigned i = 0; i < n; i++)
        if (list[i].prefix == prefix && list[i].len == len)
            return &list[i];
    return NULL;
}

static const struct listed *longest(const struct listed *list, unsigned n, uint32_t addr)
{
    const struct listed *best = NULL;

    for (unsigned i = 0; i < n; i++)
        if (list[i].there && (addr & mask(list[i].len)) == list[i].prefix &&
            (!best || list[i].len > best->len))
            best = &list[i];
    return best;
}

static unsigned fill(struct fib_trie *t, struct listed *list)
{
    unsigned n = 0;

    while (n < MANY) {
        struct listed p = any_prefix();
        if (find(list, n, p.prefix, p.len))
            continue;
        list[n] = p;
        CHECK_EQ(trie_put(t, p.prefix, p.len, &list[n]), 0);
        n++;
    }
    return n;
}

static void compare(const struct fib_trie *t, const struct listed *list, unsigned n)
{
    for (unsigned i = 0; i < LOOKUPS; i++) {
        /* anywhere, or near a prefix: at its first and last address, and just outside */
        const struct listed *p = &list[sim_random() % n];
        uint32_t near[] = { (uint32_t)sim_random(), p->prefix, p->prefix | ~mask(p->len), p->prefix - 1 };
        uint32_t addr = near[i % 4];
        CHECK(trie_match(t, addr) == longest(list, n, addr));
    }
    for (unsigned i = 0; i < n; i++)
        CHECK(trie_get(t, list[i].prefix, list[i].len) == (list[i].there ? &list[i] : NULL));
}

TEST(the_trie_finds_what_a_list_finds) /* RFC 1812 5.2.4.3: the longest match */
{
    static struct listed list[MANY];
    struct fib_trie t = { 0 };
    unsigned n = fill(&t, list);

    compare(&t, list, n);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < n; i++) {
            if (sim_random() % 2)
                continue;
            if (list[i].there)
                trie_remove(&t, list[i].prefix, list[i].len);
            else
                CHECK_EQ(trie_put(&t, list[i].prefix, list[i].len, &list[i]), 0);
            list[i].there = !list[i].there;
        }
        compare(&t, list, n);
    }
    for (unsigned i = 0; i < n; i++)
        if (list[i].there)
            trie_remove(&t, list[i].prefix, list[i].len);
    CHECK(!t.root); /* and sim_fini finds no memory left over */
}

static int by_order(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    return (x->len > y->len) - (x->len < y->len);
}

TEST(the_trie_is_walked_in_order)
{
    static struct listed list[MANY];
    struct fib_trie t = { 0 };
    struct trie_place p = { 0 };

    CHECK(!trie_next(&t, &p));
    for (unsigned n = 0; n < MANY;) {
        struct listed new = any_prefix();
        if (!find(list, n, new.prefix, new.len))
            list[n++] = new;
    }
    qsort(list, MANY, sizeof *list, by_order);
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQ(trie_put(&t, list[i].prefix, list[i].len, &list[i]), 0);
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(trie_next(&t, &p) == &list[i]);
        CHECK_EQ(p.prefix, list[i].prefix);
        CHECK_EQ(p.len, list[i].len);
        if (i % 3 == 0) /* who walks may remove what it has seen */
            trie_remove(&t, list[i].prefix, list[i].len);
    }
    CHECK(!trie_next(&t, &p));
    p = (struct trie_place){ 0 };
    for (unsigned i = 0; i < MANY; i++)
        if (i % 3)
            CHECK(trie_next(&t, &p) == &list[i]);
    for (unsigned i = 0; i < MANY; i++)
        if (i % 3)
            trie_remove(&t, list[i].prefix, list[i].len);
    CHECK(!t.root);
}

TEST(a_trie_without_memory_is_as_it_was)
{
    static struct listed list[MANY];
    struct fib_trie t = { 0 };
    unsigned refused = 0;

    sim_fail_allocs(300000);
    for (unsigned i = 0; i < MANY; i++) {
        struct listed p = any_prefix();
        if (find(list, i, p.prefix, p.len))
            continue;
        list[i] = p;
        list[i].there = !trie_put(&t, p.prefix, p.len, &list[i]);
        refused += !list[i].there;
    }
    CHECK(refused > MANY / 10);
    compare(&t, list, MANY);
    for (unsigned i = 0; i < MANY; i++)
        if (list[i].there)
            trie_remove(&t, list[i].prefix, list[i].len);
    CHECK(!t.root);
}
