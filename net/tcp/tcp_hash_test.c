/* net/tcp/tcp_hash_test.c - the table of connections, with thousands of them that do nothing else. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <errno.h>

enum { MANY = 10000 };

struct crowd {
    struct net *net;
    struct tcp_timewait nodes[MANY]; /* the smaller of the two that a table holds */
};

static struct tcp_ends ends_of(uint32_t i)
{
    return (struct tcp_ends){ ip_address(10, 0, 0, 1), ip_address(10, 0, 1 + (uint8_t)(i / 30000), 2),
                              cpu_to_be16(80), cpu_to_be16((uint16_t)(1024 + i % 30000)) };
}

static struct crowd *crowd_create(uint32_t n)
{
    struct crowd *c = mem_alloc(sizeof *c);
    c->net = net_create("test");
    for (uint32_t i = 0; i < n; i++) {
        const struct tcp_ends ends = ends_of(i);
        c->nodes[i].node.time_wait = true;
        refcount_set(&c->nodes[i].refs, 1);
        CHECK_EQ(tcp_hash_insert(c->net, &c->nodes[i].node, &ends), 0);
    }
    return c;
}

static void crowd_destroy(struct crowd *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        tcp_hash_remove(c->net, &c->nodes[i].node);
    net_destroy(c->net);
    mem_free(c);
}

/* Chains in all, and nodes in the longest. */
static uint32_t chains_of(struct net *net, uint32_t *longest)
{
    uint32_t n = 0;
    *longest = 0;
    for (int i = 0; i < TCP_STRIPES; i++) {
        const struct tcp_stripe *s = &net->tcp->table.stripes[i];
        n += s->mask + 1;
        for (uint32_t chain = 0; chain <= s->mask; chain++) {
            uint32_t length = 0;
            for (struct tcp_node *node = s->chains[chain]; node; node = node->next)
                length++;
            *longest = MAX(*longest, length);
        }
    }
    return n;
}

TEST(ten_thousand_are_each_found_in_a_short_chain)
{
    struct crowd *c = crowd_create(MANY);
    uint32_t longest;
    for (uint32_t i = 0; i < MANY; i++) {
        const struct tcp_ends ends = ends_of(i);
        struct tcp_node *node = tcp_hash_lookup(c->net, &ends);
        CHECK(node == &c->nodes[i].node);
        tcp_node_put(c->net, node);
        CHECK_EQ(tcp_hash_insert(c->net, node, &ends), -EADDRINUSE);
    }
    CHECK(chains_of(c->net, &longest) >= MANY / 2);
    CHECK(longest <= 12); /* two on the mean */
    const struct tcp_ends nobody = ends_of(MANY);
    CHECK(!tcp_hash_lookup(c->net, &nobody));
    crowd_destroy(c, MANY);
}

TEST(chains_go_when_their_nodes_have_gone)
{
    struct crowd *c = crowd_create(MANY);
    uint32_t longest, many = chains_of(c->net, &longest);
    for (uint32_t i = 100; i < MANY; i++)
        tcp_hash_remove(c->net, &c->nodes[i].node);
    CHECK(chains_of(c->net, &longest) < many / 8);
    for (uint32_t i = 0; i < 100; i++) {
        const struct tcp_ends ends = ends_of(i);
        tcp_node_put(c->net, tcp_hash_lookup(c->net, &ends));
    }
    crowd_destroy(c, 100);
}

TEST(a_table_that_gets_no_memory_is_only_slower)
{
    struct crowd *c;
    sim_fail_allocs(0);
    c = crowd_create(0);
    sim_fail_allocs(1000000);
    for (uint32_t i = 0; i < 1000; i++) {
        const struct tcp_ends ends = ends_of(i);
        c->nodes[i].node.time_wait = true;
        refcount_set(&c->nodes[i].refs, 1);
        CHECK_EQ(tcp_hash_insert(c->net, &c->nodes[i].node, &ends), 0);
        CHECK(tcp_hash_lookup(c->net, &ends) == &c->nodes[i].node);
        refcount_set(&c->nodes[i].refs, 2);
    }
    sim_fail_allocs(0);
    crowd_destroy(c, 1000);
}

TEST(a_walk_meets_each_once)
{
    struct crowd *c = crowd_create(MANY);
    struct tcp_cursor at = { 0 };
    struct tcp_node *node;
    uint32_t n = 0;
    while ((node = tcp_hash_walk(c->net, &at))) {
        struct tcp_timewait *tw = tcp_node_timewait(node);
        CHECK_EQ(tw->answered_at++, 0);
        tcp_node_put(c->net, node);
        n++;
    }
    CHECK_EQ(n, MANY);
    crowd_destroy(c, MANY);
}
