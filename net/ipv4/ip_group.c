/* net/ipv4/ip_group.c - packets for many: what IPv4 itself knows of groups (RFC 1112).
 * Who is in which group is net/igmp's matter; here is the place where that hangs, and the way of a packet for
 * many out and, as a copy, back in. */
#include "net/ipv4/ipv4.h"

enum { ALL_HOSTS = 0xe0000001 };

void inet_set_multicast(struct net *net, const struct inet_multicast *m)
{
    net->ipv4->multicast = m;
}

bool ip_group_wanted(struct net_device *dev, be32 group, be32 saddr, uint8_t protocol)
{
    const struct inet_multicast *m = dev_net(dev)->ipv4->multicast;

    return m ? m->wanted(dev, group, saddr, protocol) : be32_to_cpu(group) == ALL_HOSTS; /* RFC 1112 7.2 */
}

bool ip_group_allowed(const struct sock *sk, be32 group, be32 saddr, uint32_t ifindex)
{
    const struct inet_multicast *m = sk->net->ipv4->multicast;

    return !m || m->allowed(sk, group, saddr, ifindex);
}

int ip_group_setsockopt(struct sock *sk, int option, const void *value, socklen_t len)
{
    const struct inet_multicast *m = sk->net->ipv4->multicast;

    return m ? m->setsockopt(sk, option, value, len) : -ENOPROTOOPT;
}

int ip_group_getsockopt(struct sock *sk, int option, void *value, socklen_t *len)
{
    const struct inet_multicast *m = sk->net->ipv4->multicast;

    return m ? m->getsockopt(sk, option, value, len) : -ENOPROTOOPT;
}

void ip_group_leave_all(struct sock *sk)
{
    if (sk->mc_groups)
        sk->net->ipv4->multicast->leave_all(sk);
}

/* ---- sending ---- */

void ip_group_choose(const struct sock *sk, int ttl, struct ip_tx *tx, uint32_t *ifindex)
{
    tx->ttl = ttl > 0 ? (uint8_t)ttl : sk->mc_ttl;
    tx->no_wire = !tx->ttl; /* RFC 1112 6.1 */
    tx->no_loop = !sk->mc_loop;
    if (!*ifindex)
        *ifindex = sk->mc_ifindex;
    if (ipv4_is_zero(tx->saddr))
        tx->saddr = sk->mc_address;
}

/* A copy of skb, which leaves by skb->dev, as if it had just come in there. Short of memory there is none. */
static void loop_back(struct sk_buff *skb)
{
    struct sk_buff *copy = skb_clone(skb);

    if (!copy)
        return;
    copy->pkt_type = PACKET_LOOPBACK;
    copy->ip_summed = CHECKSUM_UNNECESSARY;
    copy->tstamp = time_now();
    netif_rx(copy);
}

int ip_output_to_many(struct sk_buff *skb, bool no_loop)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    bool loops = !no_loop && !dev_flags(skb->dev, NETDEV_LOOPBACK); /* there it comes back by itself */

    if (skb->dst->kind == DST_MULTICAST)
        loops = loops && ip_group_wanted(skb->dev, ip->daddr, ip->saddr, ip->protocol);
    if (loops)
        loop_back(skb);
    if (!ip->ttl) { /* RFC 1112 6.1: not beyond this host */
        consume_skb(skb);
        return 0;
    }
    return ip_output(skb);
}
