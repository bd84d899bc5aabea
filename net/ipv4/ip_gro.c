/* net/ipv4/ip_gro.c - what IPv4 says about trains (net/core/gro.h): whose headers say the same.
 * A packet with options, a fragment or one that is not for this station begins none, and neither does any
 * where packets are forwarded, which must leave as they came. */
#include "net/ipv4/ipv4.h"

enum { PLAIN = 4 << 4 | 5 }; /* version 4, no options */

static const struct inet_protocol *transport_of(struct net *net, const struct ip_hdr *ip)
{
    return net->ipv4->protocols[ip->protocol];
}

/* No padding behind it, and the header's sum is right (RFC 1122 3.2.1.2). */
static bool is_whole(const struct sk_buff *skb, const struct ip_hdr *ip)
{
    return be16_to_cpu(ip->tot_len) == skb->len && csum_fold_sum(csum_partial(ip, sizeof *ip, 0)) == 0xffff;
}

bool ip_gro_begins(struct sk_buff *skb)
{
    const struct ip_hdr *ip = skb_header(skb, sizeof *ip);
    struct net *net = dev_net(skb->dev);

    if (!ip || ip->version_ihl != PLAIN || be16_to_cpu(ip->frag_off) & ~IP_DF || skb->pkt_type != PACKET_HOST)
        return false;
    const struct inet_protocol *transport = transport_of(net, ip);
    return transport && transport->gro_begins && !READ_ONCE(net->ipv4->conf_all.forwarding) &&
           !raw_listens(net) && is_whole(skb, ip) && transport->gro_begins(skb, sizeof *ip);
}

/* What differs where nothing may: the type of service with its mark of congestion (RFC 3168 5), fragments,
 * the time to live. An ID says nothing where fragments cannot be (RFC 6864 4.1). */
static bool says_the_same(const struct ip_hdr *a, const struct ip_hdr *b)
{
    return a->tos == b->tos && a->frag_off.raw == b->frag_off.raw && a->ttl == b->ttl;
}

enum gro_verdict ip_gro_follows(struct sk_buff *train, struct sk_buff *skb)
{
    const struct ip_hdr *head = (const struct ip_hdr *)train->data, *ip = skb_header(skb, sizeof *ip);

    if (!ip || !be32_equal(ip->saddr, head->saddr) || !be32_equal(ip->daddr, head->daddr) ||
        ip->protocol != head->protocol)
        return GRO_STRANGER;
    if (ip->version_ihl != PLAIN || be16_to_cpu(ip->frag_off) & ~IP_DF) /* perhaps of the same stream */
        return GRO_BREAKS;
    return transport_of(dev_net(skb->dev), head)
        ->gro_follows(train, skb, sizeof *ip, says_the_same(ip, head) && is_whole(skb, ip));
}
