/* net/ipv4/rtnl.h - what IPv4 answers and tells by netlink, rtnetlink(7); private to net/ipv4. */
#pragma once
#include "net/core/netlink.h"
#include "net/ipv4/devinet.h"

/* A module's init and exit: the handlers, and an ear for the routing tables. */
void rtnl_ipv4_init(struct net *net);
void rtnl_ipv4_exit(struct net *net);

/* ---- rtnl_addr.c ---- */

enum { RTNL_ADDR_HANDLERS = 3 };
extern const struct nl_handler rtnl_addr_handlers[RTNL_ADDR_HANDLERS];
/* Tell of ifa: RTM_NEWADDR or RTM_DELADDR. Process context. */
void rtnl_addr_notify(struct net_device *dev, const struct in_ifaddr *ifa, uint16_t type);
