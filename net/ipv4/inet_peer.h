/* net/ipv4/inet_peer.h - what is remembered of single destinations, whatever route leads there: the path's
 * MTU, a better first hop, and how connections to it fared; for net/. The table is bounded; who was not
 * needed for the longest time goes. All of it under the ROUTE lock. */
#pragma once
#include "lib/bytes.h"
#include "lib/list.h"
#include "net/core/netdevice.h"

struct dst_entry;

/* TCP's own: opaque here. */
enum { PEER_METRICS = 8 };
struct peer_metrics {
    uint32_t value[PEER_METRICS];
};

/* What became of earlier connections with addr. False: nothing is known, or it is older than an hour (RFC
 * 9040 7 leaves the time open). Process or softirq, locks below ROUTE may be held. */
bool peer_metrics_get(struct net *net, be32 addr, struct peer_metrics *m);
/* Remember m of addr for an hour. Without memory it is not. */
void peer_metrics_set(struct net *net, be32 addr, const struct peer_metrics *m);

/* Forget the metrics of all. */
void peer_metrics_forget(struct net *net);
struct inet_peer;
/* Call each for every destination whose metrics are known, the one longest unused first; under ROUTE. */
void peer_metrics_each(struct net *net, void (*each)(const struct inet_peer *p, void *arg), void *arg);

/* Packets to daddr that may not be fragmented were too big on the way: believe it (RFC 1191 6.3) for
 * net/ipv4/route/mtu_expires. told: the next hop's MTU, 0 from a router older than RFC 1191; length: of the
 * packet it was about. The caller has made sure that the packet was one of ours (RFC 5927 4). Routes made
 * before are stale afterwards. Softirq or process, locks below ROUTE may be held. */
void ip_pmtu_learn(struct net *net, be32 daddr, uint32_t told, uint32_t length);

/* ---- for net/ipv4 ---- */

enum { PEER_BUCKETS = 256, PEERS_MAX = 4096 };
#define PEER_METRICS_TIME sec(3600)

struct inet_peer {
    struct inet_peer *next; /* in its bucket */
    struct list_head age;   /* in peer_table.by_age */
    be32 addr;

    uint32_t mtu;    /* of the path, until mtu_until (0: not known) */
    bool mtu_locked; /* smaller than we go (RFC 1191 3): send it without DF and let routers cut */
    uint64_t mtu_until;

    /* the next hop that a redirect named (RFC 1122 3.3.1.2), in the place of which, until when */
    be32 gateway, instead_of;
    uint64_t gateway_until;

    unsigned redirects; /* that we sent it, without pause */
    uint64_t redirected_at;

    struct peer_metrics metrics;
    uint64_t metrics_until;
};

struct peer_table { /* ROUTE lock */
    struct inet_peer *buckets[PEER_BUCKETS];
    struct list_head by_age; /* the one longest unused first */
    unsigned count;
};

/* Read without a lock. */
struct peer_knobs {
    int32_t max, min_pmtu;
    uint64_t mtu_expires; /* ns */
};

/* What is remembered of addr, or NULL; the one that is used. ROUTE lock held, and the answer lasts as long.
 */
struct inet_peer *peer_find(struct net *net, be32 addr);
/* The same; made if need be (NULL: memory is out). */
struct inet_peer *peer_get(struct net *net, be32 addr);
/* What is known of the way to rt's destination joins the route's own values; dst->expires says for how long.
 * ROUTE lock held. */
void peer_apply(struct net *net, be32 daddr, struct dst_entry *dst);
void peer_init(struct net *net);
void peer_exit(struct net *net);
