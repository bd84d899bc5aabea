/* net/ipv4/route_show.c - /proc/net/route: the table MAIN, as Linux prints it, a line a next hop. */
#include "net/ipv4/ipv4.h"

static void show_hop(struct textbuf *out, const struct fib_route *r, const struct fib_nexthop *hop)
{
    const struct dev_name device = hop->dev ? dev_name(hop->dev) : (struct dev_name){ "*" };
    char line[128];
    unsigned flags = RTF_UP;

    if (!hop->dev)
        flags |= RTF_REJECT;
    if (!ipv4_is_zero(hop->gateway))
        flags |= RTF_GATEWAY;
    if (r->prefix_len == 32)
        flags |= RTF_HOST;
    ksnprintf(line, sizeof line, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%d\t%u\t%u", device.text,
              r->dst.raw, hop->gateway.raw, flags, 0, 0u, r->metric, inet_netmask(r->prefix_len).raw,
              r->mtu ? (int)r->mtu - 40 : 0, 0u, 0u);
    textbuf_printf(out, "%-127s\n", line);
}

static void show_route(const struct fib_route *r, void *out)
{
    static const struct fib_nexthop nowhere;

    if (r->table != TABLE_MAIN)
        return;
    for (unsigned n = 0; n < r->n_nexthops; n++)
        show_hop(out, r, &r->nexthops[n]);
    if (!r->n_nexthops)
        show_hop(out, r, &nowhere);
}

void route_show(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "%-127s\n",
                   "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
                   "\tWindow\tIRTT");
    fib_for_each(net, show_route, out);
}
