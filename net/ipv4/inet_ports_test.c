/* net/ipv4/inet_ports_test.c - the table of local ports, with sockets that do nothing else. */
#include "net/ipv4/inet_ports.h"
#include "sim/sim.h"
#include "sim/test.h"

enum { PORT = 80, CHILDREN = 5 };

struct bench {
    struct net *net;
    struct port_table table;
    struct sock *holder, *children[CHILDREN];
};

static struct sock *new_socket(struct bench *b)
{
    struct sock *sk;

    CHECK_EQ(sock_create(b->net, AF_INET, SOCK_DGRAM, 0, &sk), 0);
    return sk;
}

static void inherit(struct bench *b, struct sock *child)
{
    lock_acquire(&child->lock);
    port_table_inherit(&b->table, child, b->holder);
    lock_release(&child->lock);
}

/* A holder of PORT and sockets that inherited it, as a listener's connections do. */
static void bench_create(struct bench *b)
{
    *b = (struct bench){ .net = NULL }; /* as port_table_init() expects it */
    b->net = net_create("test");
    port_table_init(&b->table, "test ports");
    b->holder = new_socket(b);
    lock_acquire(&b->holder->lock);
    CHECK_EQ(port_table_bind(&b->table, b->holder, (be32){ 0 }, PORT, NULL), 0);
    lock_release(&b->holder->lock);
    for (int i = 0; i < CHILDREN; i++) {
        b->children[i] = new_socket(b);
        inherit(b, b->children[i]);
    }
}

static void free_socket(struct bench *b, struct sock *sk)
{
    port_table_unbind(&b->table, sk);
    sock_release(sk);
}

static void bench_destroy(struct bench *b)
{
    free_socket(b, b->holder);
    for (int i = 0; i < CHILDREN; i++)
        free_socket(b, b->children[i]);
    net_destroy(b->net);
}

static int asked;
static bool count(const struct sock *sk)
{
    (void)sk;
    asked++;
    return true;
}

/* A server has thousands of connections, most of them in TIME-WAIT: a SYN must not walk past all of them. */
TEST(a_look_up_does_not_walk_the_connections_of_a_port)
{
    struct bench b;
    bench_create(&b);
    struct sock *found =
        port_table_lookup(&b.table, (be32){ 1 }, cpu_to_be16(PORT), (be32){ 2 }, cpu_to_be16(9), 1, count);

    CHECK(found == b.holder && asked == 1);
    sock_put(found);
    bench_destroy(&b);
}

/* bind(2): the port is in use as long as a connection has it, even when the listener is gone. */
TEST(a_port_is_taken_while_a_connection_inherits_it)
{
    struct bench b;
    bench_create(&b);
    struct sock *other = new_socket(&b);

    port_table_unbind(&b.table, b.holder);
    lock_acquire(&other->lock);
    CHECK_EQ(port_table_bind(&b.table, other, (be32){ 0 }, PORT, NULL), -EADDRINUSE);
    for (int i = 0; i < CHILDREN; i++)
        port_table_unbind(&b.table, b.children[i]);
    CHECK_EQ(port_table_bind(&b.table, other, (be32){ 0 }, PORT, NULL), 0);
    lock_release(&other->lock);
    free_socket(&b, other);
    bench_destroy(&b);
}
