/* bench/route.c - what a look-up costs in a full routing table.
 *
 *     usage: route [PREFIXES [SEED]]
 *
 * A virtual kernel gets a table that is made up, by a seed, to be like the global one: lengths as they are
 * spread there, most prefixes in blocks that have others already, few next hops. Then it is asked for random
 * addresses, for one address after the other, and for addresses as traffic has them: some destinations are
 * much asked for, and packets come in trains. Independent look-ups overlap in the processor; in the chain
 * each waits for the one before. */
#include "net/ipv4/ipv4.h"
#include "sim/towpath.h"
#include "sim/towpath_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ADDRESSES = 1 << 20, ROUNDS = 8, NEXT_HOPS = 64, BLOCKS = 1 << 16 };

/* ---- chance, and time ---- */

static uint64_t state;

static uint64_t chance(void) /* xorshift64*, Vigna 2016 */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)((chance() >> 32) * n >> 32);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the table ---- */

/* How many of 10,000 prefixes have this length. */
static const struct {
    uint8_t len;
    uint16_t share;
} lengths[] = { { 24, 5480 }, { 22, 1120 }, { 23, 950 }, { 20, 640 }, { 21, 620 }, { 19, 430 },
                { 16, 240 },  { 18, 220 },  { 17, 130 }, { 15, 30 },  { 14, 20 },  { 25, 30 },
                { 26, 30 },   { 27, 20 },   { 13, 10 },  { 12, 6 },   { 28, 6 },   { 29, 6 },
                { 32, 6 },    { 11, 3 },    { 10, 2 },   { 8, 1 } };

static uint8_t any_length(void)
{
    unsigned point = below(10000), i = 0;

    while (i < ARRAY_SIZE(lengths) - 1 && point >= lengths[i].share)
        point -= lengths[i++].share;
    return lengths[i].len;
}

/* An address of unicast space, three times of four in a /16 that has prefixes already. */
static uint32_t any_place(void)
{
    static uint16_t blocks[BLOCKS];
    static unsigned n;
    uint16_t block;

    if (n && (n == BLOCKS || below(4)))
        block = blocks[below(n)];
    else
        block = blocks[n++] = (uint16_t)((1 + below(223)) << 8 | below(256));
    return (uint32_t)block << 16 | below(1 << 16);
}

static void must(const char *what, int64_t result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "route: %s: %ld\n", what, (long)result);
    exit(1);
}

/* Add n different prefixes; they are kept for who asks later. */
static struct fib_route *fill(struct net *net, struct net_device *dev, unsigned n)
{
    struct fib_route *routes = calloc(n, sizeof *routes);

    for (unsigned i = 0; i < n;) {
        uint8_t len = any_length();
        struct fib_route r = { .dst = { cpu_to_be32(any_place()).raw & inet_netmask(len).raw },
                               .prefix_len = len,
                               .type = ROUTE_UNICAST,
                               .n_nexthops = 1,
                               .nexthops = {
                                   { .dev = dev, .gateway = cpu_to_be32(0x0a000002 + below(NEXT_HOPS)) } } };
        int err = fib_insert(net, &r, FIB_EXCLUSIVE);
        if (err == -EEXIST)
            continue;
        must("fib_insert", err);
        routes[i++] = r;
    }
    return routes;
}

/* ---- the questions ---- */

static be32 random_address(const struct fib_route *routes, unsigned n, unsigned i)
{
    (void)routes, (void)n, (void)i;
    return cpu_to_be32((1 + below(223)) << 24 | below(1 << 24));
}

static be32 next_address(const struct fib_route *routes, unsigned n, unsigned i)
{
    (void)routes, (void)n;
    return cpu_to_be32(0x0b000000 + i * 64); /* across 64 million addresses */
}

/* Trains of eight packets on average; of the prefixes a tenth has nine tenths of the traffic. */
static be32 traffic_address(const struct fib_route *routes, unsigned n, unsigned i)
{
    static be32 now;

    if (i && below(8))
        return now;
    const struct fib_route *r = &routes[below(below(10) ? (n + 9) / 10 : n)];
    now = cpu_to_be32(be32_to_cpu(r->dst) | (below(1 << 16) & ~be32_to_cpu(inet_netmask(r->prefix_len))));
    return now;
}

/* ns a look-up. chained: the next question depends on the answer (which is never at an odd address). */
static double measure(struct net *net, const be32 *to, bool chained, unsigned *found)
{
    const struct fib_state *fib = net->ipv4->fib;
    uintptr_t last = 0;

    *found = 0;
    double start = seconds();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < ADDRESSES; i++) {
            const struct fib_info *r =
                fib_match(fib, (be32){ to[i].raw + (uint32_t)(chained ? last & 1 : 0) }, 0);
            *found += r != NULL;
            last = (uintptr_t)r;
        }
    return (seconds() - start) * 1e9 / ((double)ADDRESSES * ROUNDS);
}

/* The whole question as a packet asks it: lock, cache, and if need be a new entry. */
static double measure_route(struct net *net, const be32 *to)
{
    struct dst_entry *dst;

    double start = seconds();
    for (unsigned i = 0; i < ADDRESSES; i++)
        if (!ip_route_output(net, to[i], (be32){ 0 }, 0, &dst))
            dst_release(dst);
    return (seconds() - start) * 1e9 / ADDRESSES;
}

static void ask(struct net *net, const struct fib_route *routes, unsigned n, const char *name,
                be32 (*address)(const struct fib_route *, unsigned, unsigned))
{
    static be32 to[ADDRESSES];
    unsigned found;

    for (unsigned i = 0; i < ADDRESSES; i++)
        to[i] = address(routes, n, i);
    double apart = measure(net, to, false, &found), chained = measure(net, to, true, &found);
    printf("  %-12s %10.1f %12.1f %14.1f %10.0f %%\n", name, apart, chained, measure_route(net, to),
           100.0 * found / ((double)ADDRESSES * ROUNDS));
}

static void empty(struct net *net, const struct fib_route *routes, unsigned n)
{
    double start = seconds();

    for (unsigned i = 0; i < n; i++)
        must("fib_del", fib_del(net, &routes[i]));
    printf("removed in %.2f s, %.0f ns a route\n", seconds() - start, (seconds() - start) * 1e9 / n);
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 500000;
    struct fib_size size;

    state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 1;
    must("start", tp_start(&(struct tp_world){ .seed = 1 }));
    struct tp_wire *wire = tp_wire_create("wire", NULL);
    struct tp_kernel *k = tp_kernel_create("router");
    must("device", tp_device_add(k, "eth0", wire, NULL));
    must("address", tp_address_set(k, "eth0", "10.0.0.1/24"));

    double start = seconds();
    struct fib_route *routes = fill(k->net, dev_get_by_name(k->net, "eth0"), n);
    double built = seconds() - start;
    fib_measure(k->net, &size);
    printf("%u prefixes, %u next hops: built in %.2f s, %.0f ns a route\n", n, NEXT_HOPS, built,
           built * 1e9 / n);
    printf("bytes a prefix: %.1f (trie %.1f, routes %.1f)\n", (double)(size.trie + size.routes) / n,
           (double)size.trie / n, (double)size.routes / n);
    printf("ns a look-up:     overlapping    in a chain    whole question   found\n");
    ask(k->net, routes, n, "random", random_address);
    ask(k->net, routes, n, "in order", next_address);
    ask(k->net, routes, n, "traffic", traffic_address);
    empty(k->net, routes, n);

    free(routes);
    tp_kernel_destroy(k);
    tp_wire_destroy(wire);
    tp_end();
    return 0;
}
