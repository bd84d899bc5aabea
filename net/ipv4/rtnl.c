/* net/ipv4/rtnl.c - IPv4 offers its requests to who asks by netlink. */
#include "net/ipv4/rtnl.h"
#include "net/ipv4/ipv4.h"

void rtnl_ipv4_init(struct net *net)
{
    struct rtnl_ipv4 *r = &net->ipv4->rtnl;

    nl_register(net, &r->addresses, NETLINK_ROUTE, rtnl_addr_handlers, RTNL_ADDR_HANDLERS);
}

void rtnl_ipv4_exit(struct net *net)
{
    nl_unregister(&net->ipv4->rtnl.addresses);
}
