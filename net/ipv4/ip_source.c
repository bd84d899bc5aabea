/* net/ipv4/ip_source.c - where a packet claims to come from: the reverse-path check (RFC 3704), and a line in
 * the log about the impossible. */
#include "net/ipv4/ipv4.h"

/* ---- is it possible? ---- */

static bool leads_by(const struct fib_info *r, const struct net_device *dev)
{
    for (unsigned n = 0; n < r->n_nexthops; n++)
        if (r->nexthops[n].dev == dev && !r->nexthops[n].dead)
            return true;
    return false;
}

/* RFC 3704 2.2 (strict: an answer would leave by this device), 2.4 (loose: there is a way at all). ROUTE lock
 * held. */
static bool has_way_back(const struct fib_state *fib, be32 saddr, const struct net_device *dev, int32_t mode)
{
    const struct fib_info *r = fib_match(fib, saddr, 0);

    if (!r || r->type != ROUTE_UNICAST)
        return false;
    return mode == RP_FILTER_LOOSE || leads_by(r, dev);
}

bool ip_source_is_reached(const struct net_device *dev, be32 saddr)
{
    struct ipv4_state *ipv4 = dev_net(dev)->ipv4;
    int32_t mode = READ_ONCE(in_dev_get(dev)->conf.source_check);

    if (dev_flags(dev, NETDEV_LOOPBACK))
        return true;
    lock_acquire(&ipv4->route_lock);
    bool reached = has_way_back(ipv4->fib, saddr, dev, mode);
    lock_release(&ipv4->route_lock);
    return reached;
}

/* ---- telling ---- */

enum { MARTIANS_PER_SPAN = 10 };
#define MARTIAN_SPAN sec(5)

void ip_log_martian(const struct sk_buff *skb)
{
    struct ipv4_state *ipv4 = dev_net(skb->dev)->ipv4;
    const struct ip_hdr *ip = ip_hdr(skb);
    const uint64_t now = time_now();

    if (!INET_CONF_EITHER(skb->dev, log_martians))
        return;
    lock_acquire(&ipv4->route_lock);
    if (now >= ipv4->martians_until) {
        ipv4->martians_until = now + MARTIAN_SPAN;
        ipv4->martians = 0;
    }
    bool tell = ipv4->martians++ < MARTIANS_PER_SPAN;
    lock_release(&ipv4->route_lock);
    if (tell)
        klog(LOG_WARNING, "martian source %pI4 to %pI4, on %s", (const void *)&ip->saddr,
             (const void *)&ip->daddr, skb->dev->name);
}
