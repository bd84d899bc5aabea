/* net/tcp/tcp_hash.h - the table of four-tuples in use: connections, and what is left of them in TIME-WAIT.
 * The table is cut into stripes, each with its lock and with chains of its own, which become more or fewer as
 * its nodes do: so a look-up meets two nodes on the mean, however many there are, and no lock stops all.
 * Private to net/tcp. */
#pragma once
#include "lib/bytes.h"
#include "net/port.h"

struct net;

/* Both ends of a connection, as we see them. */
struct tcp_ends {
    be32 local, peer;
    be16 lport, pport;
};
_Static_assert(sizeof(struct tcp_ends) == 12, "no padding: it is hashed as bytes");

static inline bool tcp_ends_equal(const struct tcp_ends *a, const struct tcp_ends *b)
{
    return be32_equal(a->peer, b->peer) && be16_equal(a->pport, b->pport) && be32_equal(a->local, b->local) &&
           be16_equal(a->lport, b->lport);
}

/* What a struct tcp_sock and a struct tcp_timewait have in the table. */
struct tcp_node {
    struct tcp_node *next;
    struct tcp_ends ends;
    bool hashed;
    bool time_wait; /* part of a struct tcp_timewait, not of a struct tcp_sock */
};

enum { TCP_STRIPES = 64 };
struct tcp_stripe {
    struct lock lock;         /* SOCK_TABLE: what follows, and the nodes' next and hashed */
    struct tcp_node **chains; /* mask + 1 of them: only, or an allocation */
    struct tcp_node *only;
    uint32_t mask, n;
};
struct tcp_table {
    struct tcp_stripe stripes[TCP_STRIPES];
};

void tcp_table_init(struct tcp_table *t);
/* Enter node, of a struct tcp_sock, under ends, with a reference. 0, or -EADDRINUSE if they are taken. */
int tcp_hash_insert(struct net *net, struct tcp_node *node, const struct tcp_ends *ends);
/* Put to (time_wait set) into the place of from, which is in the table. The table's reference moves on to
 * to's; from's is the caller's. */
void tcp_hash_replace(struct net *net, struct tcp_node *from, struct tcp_node *to);
/* Take it out and drop the reference; harmless when it is not in. */
void tcp_hash_remove(struct net *net, struct tcp_node *node);
/* Who has these ends, with a reference, or NULL. No lock needed. */
struct tcp_node *tcp_hash_lookup(struct net *net, const struct tcp_ends *ends);
void tcp_node_put(struct net *net, struct tcp_node *node);

/* A place in a walk of the table, which begins at { 0 }. */
struct tcp_cursor {
    uint32_t stripe, chain, nth;
};
/* The node at the cursor, with a reference, and the cursor moves on; NULL: that was all. The table may change
 * meanwhile: what comes or goes may be missed, or seen twice. */
struct tcp_node *tcp_hash_walk(struct net *net, struct tcp_cursor *at);
