/* net/ipv4/rtnl.h - what IPv4 answers and tells by netlink, rtnetlink(7); private to net/ipv4. */
#pragma once
#include "net/core/netlink.h"
#include "net/ipv4/devinet.h"
#include "net/ipv4/fib.h"

/* A module's init and exit: the handlers, and an ear for the routing tables. */
void rtnl_ipv4_init(struct net *net);
void rtnl_ipv4_exit(struct net *net);

/* ---- rtnl_addr.c ---- */

enum { RTNL_ADDR_HANDLERS = 3 };
extern const struct nl_handler rtnl_addr_handlers[RTNL_ADDR_HANDLERS];
/* Tell of ifa: RTM_NEWADDR or RTM_DELADDR. Process context. */
void rtnl_addr_notify(struct net_device *dev, const struct in_ifaddr *ifa, uint16_t type);

/* ---- rtnl_route.c, rtnl_route_tell.c ---- */

enum { RTNL_ROUTE_HANDLERS = 3, RTNL_ROUTE_ATTRS = RTA_NH_ID + 1 };
extern const struct nl_handler rtnl_route_handlers[RTNL_ROUTE_HANDLERS];
extern const struct nl_rule rtnl_route_rules[RTNL_ROUTE_ATTRS];
int rtnl_route_get(struct nl_request *r);
int rtnl_route_dump(struct nl_request *r);
/* Tells of a change: struct fib_listener's heard. */
void rtnl_route_heard(struct fib_listener *l, struct net *net, enum fib_event event,
                      const struct fib_route *route);

/* ---- rtnl_rule.c ---- */

enum { RTNL_RULE_HANDLERS = 1 };
extern const struct nl_handler rtnl_rule_handlers[RTNL_RULE_HANDLERS];

/* ---- rtnl_neigh.c: for the module of ARP ---- */

void rtnl_neigh_init(struct net *net);
void rtnl_neigh_exit(struct net *net);
