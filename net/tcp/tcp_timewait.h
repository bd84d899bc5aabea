/* net/tcp/tcp_timewait.h - TIME-WAIT: what is kept of a connection that ended (RFC 9293 3.6.1).
 * So that its four-tuple is not used again within 2 MSL, and so that its last acknowledgement can be
 * repeated, it needs no control block but these numbers. Private to net/tcp. */
#pragma once
#include "net/ipv4/inet_ports.h"
#include "net/tcp/tcp_hash.h"

struct tcp_segment;

struct tcp_timewait {
    struct tcp_node node; /* first; the table holds a reference */
    struct refcount refs;
    struct port_shadow port; /* its port is not free; the port table's lock */
    struct list_head link;   /* in struct tcp_timewaits.waiting, or on none: it is over */
    uint64_t expires;        /* the same lock, READ_ONCE without it */
    uint64_t ts_recent_at;
    uint32_t snd_nxt, rcv_nxt, rcv_wnd;
    uint32_t ts_recent, ts_offset;
    uint32_t answered_at; /* in ms: when a segment that tells nothing was last answered; READ_ONCE */
    uint32_t ifindex;
    uint8_t ttl, tos, rcv_wscale;
    bool ts_ok;
};
_Static_assert(sizeof(struct tcp_timewait) <= 160, "there may be many of them");

static inline struct tcp_timewait *tcp_node_timewait(struct tcp_node *node)
{
    return container_of(node, struct tcp_timewait, node);
}

/* All of one struct net: who waits longest is first, and the timer is set for him. */
struct tcp_timewaits {
    struct net *net;
    struct pool *pool;
    struct lock lock; /* SOCK_TABLE: what follows, and the entries' link and expires */
    struct list_head waiting;
    uint32_t n;
    struct timer timer;
};

/* 0 or -ENOMEM. */
int tcp_timewaits_init(struct net *net);
/* End them all. Process context, no lock held; nobody else has a reference. */
void tcp_timewaits_exit(struct net *net);
/* A segment for a connection in TIME-WAIT. False: it makes way for the new connection that seg asks for.
 * Softirq, no lock held. */
bool tcp_timewait_receive(struct tcp_timewait *tw, struct tcp_segment *seg);
/* It is over, if it is not already. */
void tcp_timewait_end(struct net *net, struct tcp_timewait *tw);
void tcp_timewait_put(struct net *net, struct tcp_timewait *tw);
