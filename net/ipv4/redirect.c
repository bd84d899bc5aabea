/* net/ipv4/redirect.c - ICMP redirects, sent and followed.
 * A redirect changes no route: what it says of one destination stands with what else is known of it
 * (inet_peer.h), for five minutes. Anybody on the link could send one; so it must come from the very router
 * that is in use. */
#include "net/ipv4/redirect.h"
#include "net/ipv4/ipv4.h"

#define REDIRECT_KEPT  sec(300)
#define REDIRECT_LOAD  ms(20)    /* the pause after the first; it doubles each time */
#define REDIRECT_QUIET ms(20480) /* without a packet to redirect for so long: from the start again */
enum { REDIRECTS_MAX = 9 };      /* who has not listened to so many will not */

/* ---- sending ---- */

/* RFC 1812 4.3.2.8: a limit. p is the sender's. ROUTE lock held. */
static bool is_due(struct inet_peer *p, uint64_t now)
{
    if (now >= p->redirected_at + REDIRECT_QUIET)
        p->redirects = 0;
    if (p->redirects >= REDIRECTS_MAX) {
        p->redirected_at = now;
        return false;
    }
    if (p->redirects && now < p->redirected_at + (REDIRECT_LOAD << p->redirects))
        return false;
    p->redirects++;
    p->redirected_at = now;
    return true;
}

bool redirect_may_send(struct net_device *dev, be32 sender)
{
    struct net *net = dev_net(dev);

    if (!INET_CONF_EITHER(dev, send_redirects))
        return false;
    lock_acquire(&net->ipv4->route_lock);
    struct inet_peer *p = peer_get(net, sender);
    bool due = p && is_due(p, time_now());
    lock_release(&net->ipv4->route_lock);
    return due;
}

/* ---- following ---- */

static bool follows_redirects(const struct net_device *dev)
{
    return READ_ONCE(in_dev_get(dev)->conf.forwarding) ? INET_CONF_BOTH(dev, accept_redirects)
                                                       : INET_CONF_EITHER(dev, accept_redirects);
}

/* RFC 1122 3.2.2.2: in the network of dev in which the old one is, and not ourselves or all of us. ROUTE lock
 * held. */
static bool is_neighbour(struct net *net, be32 gateway, be32 old, const struct net_device *dev)
{
    const struct in_device *ind = in_dev_get(dev);
    bool same_network = ((gateway.raw ^ ind->address.raw) & ind->netmask.raw) == 0 &&
                        ((old.raw ^ ind->address.raw) & ind->netmask.raw) == 0;

    return same_network && !ipv4_is_zero(ind->address) && !fib_match_local(net->ipv4->fib, gateway);
}

static bool is_trusted(struct net *net, be32 gateway, const struct net_device *dev)
{
    if (INET_CONF_EITHER(dev, shared_media) || !INET_CONF_EITHER(dev, secure_redirects))
        return true;
    return fib_names_gateway(net->ipv4->fib, gateway, dev);
}

/* Packets to daddr go by old now. ROUTE lock held. */
static bool is_first_hop(struct net *net, be32 daddr, be32 old, const struct net_device *dev)
{
    const struct inet_peer *p = peer_find(net, daddr);
    const struct fib_info *r = fib_match(net->ipv4->fib, daddr, 0);

    if (!r || r->type != ROUTE_UNICAST)
        return false;
    if (p && time_now() < p->gateway_until)
        return be32_equal(p->gateway, old);
    for (unsigned n = 0; n < r->n_nexthops; n++)
        if (r->nexthops[n].dev == dev && be32_equal(r->nexthops[n].gateway, old))
            return true;
    return false;
}

/* ROUTE lock held. */
static bool obey(struct net *net, be32 daddr, be32 old, be32 new)
{
    struct inet_peer *p = peer_get(net, daddr);

    if (!p)
        return false;
    if (time_now() >= p->gateway_until) /* else what the route says is known already */
        p->instead_of = old;
    p->gateway = new;
    p->gateway_until = time_now() + REDIRECT_KEPT;
    route_changed(net->ipv4);
    return true;
}

/* The redirect quotes a packet to daddr. */
static bool redirect(struct net_device *dev, be32 daddr, be32 old, be32 new)
{
    struct net *net = dev_net(dev);
    bool obeyed = false;

    lock_acquire(&net->ipv4->route_lock);
    if (is_first_hop(net, daddr, old, dev) && is_neighbour(net, new, old, dev) && is_trusted(net, new, dev))
        obeyed = obey(net, daddr, old, new);
    lock_release(&net->ipv4->route_lock);
    return obeyed;
}

enum skb_drop_reason redirect_rcv(struct sk_buff *skb, const struct icmp_hdr *ih)
{
    struct net_device *dev = skb->dev;
    be32 old = ip_hdr(skb)->saddr, new = ih->rest;

    if (ih->code > 3) /* RFC 792; RFC 1122 3.2.2.2: those of networks are taken as of hosts */
        return SKB_DROP_ICMP_UNKNOWN;
    skb_pull(skb, sizeof *ih);
    const struct ip_hdr *quoted = skb_header(skb, sizeof *quoted);
    if (!quoted || quoted->version_ihl >> 4 != 4)
        return SKB_DROP_ICMP_SHORT;
    if (!follows_redirects(dev))
        return SKB_DROP_ICMP_REDIRECT;
    if (inet_addr_kind(dev_net(dev), quoted->saddr, NULL) != DST_LOCAL)
        return SKB_DROP_ICMP_REDIRECT; /* not a packet that we could have sent */
    if (!redirect(dev, quoted->daddr, old, new))
        return SKB_DROP_ICMP_REDIRECT;
    consume_skb(skb);
    return SKB_NOT_DROPPED;
}
