/* net/ipv4/route.h - a dst_entry with the question that it answers; private to the folder. */
#pragma once
#include "net/core/dst.h"

struct route_question {
    be32 daddr, saddr;
    uint32_t ifindex;
    uint32_t spread; /* of the flow, 16 bits; 0 while no route has several ways */
};
struct rtable {
    struct dst_entry dst; /* first: dst_release frees it */
    struct route_question q;
};
_Static_assert(offsetof(struct rtable, dst) == 0, "dst_release frees the dst_entry");

/* Answer q from the tables, and by what is known of the destination; the answer takes the place of *slot. 0,
 * or what ip_route_flow() says. ROUTE lock held. */
int route_make(struct net *net, struct rtable **slot, const struct route_question *q);
