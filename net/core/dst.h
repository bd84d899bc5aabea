/* net/core/dst.h - struct dst_entry: where packets to one destination go; private to net/.
 * Counted: sk_buffs, sockets and the routing cache hold references. Constant once made, but for the neighbour
 * that it meets; a change of the routing table makes it stale rather than changing it. */
#pragma once
#include "lib/bytes.h"
#include "lib/refcount.h"
#include "net/core/netdevice.h"

struct neighbour;

enum dst_kind { DST_UNICAST, DST_LOCAL, DST_BROADCAST, DST_MULTICAST };
struct dst_entry {
    struct refcount refs;
    struct net_device *dev;
    enum dst_kind kind;
    be32 gateway;        /* next hop, or the destination itself */
    be32 prefsrc;        /* the source address to use */
    uint32_t mtu;        /* of the whole path, as far as it is known (RFC 1191) */
    uint32_t link_mtu;   /* of its first link */
    bool mtu_locked;     /* the path's MTU is too small to be trusted: no DF (inet_peer.h) */
    uint64_t expires;    /* 0: never; from then on stale, because something in it was true for a time only */
    uint32_t generation; /* of the table it was made from: stale when they differ; DST_OBSOLETE: of none */
    /* who that next hop is: NULL until a packet went there, then the same to the end (net/ipv4/neigh.h) */
    struct neighbour *neigh;
    void (*destroy)(
        struct dst_entry *dst); /* NULL, or lets go of what hangs on it, just before it is freed */
};
enum { DST_OBSOLETE = 0 };
/* dst answers no look-up any more; who holds it finds it stale. Any context. */
static inline void dst_obsolete(struct dst_entry *dst)
{
    WRITE_ONCE(dst->generation, (uint32_t)DST_OBSOLETE);
}
void dst_hold(struct dst_entry *dst);
/* Let go; the last one frees it. NULL is fine. Any context but hard irq. */
void dst_release(struct dst_entry *dst);
