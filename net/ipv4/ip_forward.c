/* net/ipv4/ip_forward.c - a router passes a packet on (RFC 1812 5.2, 5.3).
 * Here the packet is whole and honest (ip_input.c) and somebody else's. What may not go on is dropped and,
 * where the rules say so, its sender told why; a host that is no router is silent about all of it. */
#include "lib/string.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

/* ---- may it go on? ---- */

/* What never leaves its own link: a frame that was broadcast there (RFC 1812 5.3.4), limited broadcasts,
 * groups (no multicast routing here), and addresses that mean nothing on another link (RFC 1812 5.3.7). */
static bool stays_on_its_link(const struct sk_buff *skb, be32 daddr)
{
    return skb->pkt_type != PACKET_HOST || ipv4_is_multicast(daddr) || ipv4_is_limited_broadcast(daddr) ||
           be32_to_cpu(daddr) >> 28 == 15 /* class E */ || be32_to_cpu(daddr) >> 24 == 0;
}

static void refuse(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info,
                   enum skb_drop_reason reason)
{
    icmp_send(skb, type, code, info);
    kfree_skb_reason(skb, reason);
}

/* The way on. False: there is none, and skb is gone. */
static bool find_way(struct net *net, struct sk_buff *skb, struct dst_entry **dst)
{
    int err = ip_route_output(net, ip_hdr(skb)->daddr, (be32){ 0 }, 0, dst);

    if (err == -ENOMEM) {
        kfree_skb_reason(skb, SKB_DROP_NO_MEMORY);
        return false;
    }
    if (err) {
        refuse(skb, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, 0, SKB_DROP_IP_NO_ROUTE); /* RFC 1812 5.2.7.1 */
        return false;
    }
    if ((*dst)->kind != DST_UNICAST) { /* a broadcast of one of our other links: RFC 2644 */
        dst_release(*dst);
        kfree_skb_reason(skb, SKB_DROP_IP_NOT_FOR_US);
        return false;
    }
    return true;
}

/* RFC 1812 5.2.7.2: it leaves where it came in, and its sender is on that link: the sender could do without
 * us. */
static bool sender_takes_a_detour(const struct sk_buff *skb, const struct dst_entry *dst)
{
    const struct in_device *ind = in_dev_get(dst->dev);
    const struct ip_hdr *ip = ip_hdr(skb);
    uint32_t mask = ind->netmask.raw;

    return dst->dev == skb->dev && ip_hdr_len(ip) == sizeof *ip && !ipv4_is_zero(ind->address) &&
           ((ip->saddr.raw ^ ind->address.raw) & mask) == 0 &&
           ((dst->gateway.raw ^ ind->address.raw) & mask) == 0;
}

/* ---- on its way ---- */

/* RFC 1812 5.3.1; the checksum follows the change (RFC 1624): TTL is the upper half of its 16-bit word. */
static void decrease_ttl(struct sk_buff *skb)
{
    struct ip_hdr *ip = (struct ip_hdr *)skb->data;
    be16 before = cpu_to_be16((uint16_t)(ip->ttl << 8 | ip->protocol));

    ip->ttl--;
    ip->check = csum_replace16(ip->check, before, cpu_to_be16((uint16_t)(ip->ttl << 8 | ip->protocol)));
}

/* Takes skb, and the reference to dst with it. */
static void send_on(struct net *net, struct sk_buff *skb, struct dst_entry *dst)
{
    if (skb_cow(skb, ETH_HLEN)) { /* a tap may look at the same bytes */
        dst_release(dst);
        kfree_skb_reason(skb, SKB_DROP_NO_MEMORY);
        return;
    }
    skb_reset_network_header(skb);
    decrease_ttl(skb);
    if (ip_hdr_len((const struct ip_hdr *)skb->data) > sizeof(struct ip_hdr))
        ip_options_forward(skb, dst);
    dst_release(skb->dst);
    skb->dst = dst;
    skb->dev = dst->dev;
    skb->ip_summed = CHECKSUM_NONE; /* what the card vouched for is the receiver's to verify */
    net_count(&net->ipv4->counters.forw_datagrams);
    if (ip_hook_pass(net, IP_HOOK_FORWARD, skb))
        ip_output(skb);
}

void ip_forward(struct sk_buff *skb)
{
    struct net *net = dev_net(skb->dev);
    const struct ip_hdr *ip = ip_hdr(skb);
    struct dst_entry *dst;

    trace("ip_forward", skb->id, skb->len);
    if (!READ_ONCE(net->ipv4->forwarding) || stays_on_its_link(skb, ip->daddr)) { /* RFC 1122 3.3.1.1 */
        kfree_skb_reason(skb, SKB_DROP_IP_NOT_FOR_US);
        return;
    }
    if (ip->ttl <= 1) { /* RFC 1812 5.3.1: it would go out with zero */
        refuse(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0, SKB_DROP_IP_TTL);
        return;
    }
    if (!find_way(net, skb, &dst))
        return;
    if (skb->len > dst->link_mtu &&
        be16_to_cpu(ip->frag_off) & IP_DF) { /* RFC 1191 4: the next hop's MTU is told */
        refuse(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, dst->link_mtu, SKB_DROP_IP_TOO_BIG);
        dst_release(dst);
        return;
    }
    if (sender_takes_a_detour(skb, dst))
        icmp_send(skb, ICMP_REDIRECT, ICMP_REDIR_HOST, be32_to_cpu(dst->gateway));
    send_on(net, skb, dst);
}
