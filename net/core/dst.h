/* net/core/dst.h - struct dst_entry: where packets to one destination go; private to net/.
 * Counted: sk_buffs, sockets and the routing cache hold references. Constant once made; a change of the
 * routing table makes it stale rather than changing it. */
#pragma once
#include "lib/bytes.h"
#include "lib/refcount.h"
#include "net/core/netdevice.h"

enum dst_kind { DST_UNICAST, DST_LOCAL, DST_BROADCAST, DST_MULTICAST };
struct dst_entry {
    struct refcount refs;
    struct net_device *dev;
    enum dst_kind kind;
    be32 gateway; /* next hop, or the destination itself */
    be32 prefsrc; /* the source address to use */
    uint32_t mtu;
    uint32_t generation; /* of the table it was made from: stale when they differ */
};
void dst_hold(struct dst_entry *dst);
/* Let go; the last one frees it. NULL is fine. Any context but hard irq. */
void dst_release(struct dst_entry *dst);
