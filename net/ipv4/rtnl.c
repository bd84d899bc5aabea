/* net/ipv4/rtnl.c - IPv4 offers its requests to who asks by netlink. */
#include "net/ipv4/rtnl.h"
#include "net/ipv4/ipv4.h"

void rtnl_ipv4_init(struct net *net)
{
    struct rtnl_ipv4 *r = &net->ipv4->rtnl;

    nl_register(net, &r->addresses, NETLINK_ROUTE, rtnl_addr_handlers, RTNL_ADDR_HANDLERS);
    nl_register(net, &r->routes, NETLINK_ROUTE, rtnl_route_handlers, RTNL_ROUTE_HANDLERS);
    nl_register(net, &r->rules, NETLINK_ROUTE, rtnl_rule_handlers, RTNL_RULE_HANDLERS);
    r->ear.heard = rtnl_route_heard;
    fib_listen(net, &r->ear);
}

void rtnl_ipv4_exit(struct net *net)
{
    struct rtnl_ipv4 *r = &net->ipv4->rtnl;

    fib_unlisten(net, &r->ear);
    nl_unregister(&r->rules);
    nl_unregister(&r->routes);
    nl_unregister(&r->addresses);
}
