/* net/ipv4/ip_forward.c - a router passes a packet on (RFC 1812 5.2, 5.3).
 * Here the packet is whole and honest (ip_input.c) and somebody else's. What may not go on is dropped and,
 * where the rules say so, its sender told why; a host that is no router is silent about all of it. */
#include "lib/string.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/redirect.h"

/* ---- may it go on? ---- */

/* 0/8, 127/8, class E (RFC 1812 5.3.7) and 169.254/16 (RFC 3927 7): addresses that mean nothing on another
 * link. */
static bool means_nothing_elsewhere(be32 addr)
{
    uint32_t a = be32_to_cpu(addr);

    return a >> 24 == 0 || a >> 24 == 127 || a >> 28 == 15 || a >> 16 == 0xa9fe;
}

/* What never leaves its own link: a frame that was broadcast there (RFC 1812 5.3.4), limited broadcasts
 * (class E, too), and groups (no multicast routing here). */
static bool stays_on_its_link(const struct sk_buff *skb, const struct ip_hdr *ip)
{
    return skb->pkt_type != PACKET_HOST || ipv4_is_multicast(ip->daddr) ||
           means_nothing_elsewhere(ip->daddr) || means_nothing_elsewhere(ip->saddr);
}

static void refuse(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info,
                   enum skb_drop_reason reason)
{
    icmp_send(skb, type, code, info);
    kfree_skb_reason(skb, reason);
}

/* Where routes have several ways: a fragment goes by its addresses alone, as only the first has ports. */
static int by_flow(struct net *net, const struct sk_buff *skb, struct dst_entry **dst)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    const be16 *ports = (const be16 *)((const uint8_t *)ip + ip_hdr_len(ip));
    struct ip_flow f = { .daddr = ip->daddr, .saddr = ip->saddr, .protocol = ip->protocol };
    bool has_ports = ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP;

    if (has_ports && !(be16_to_cpu(ip->frag_off) & (IP_MF | IP_OFFSET_MASK)) &&
        skb->len >= ip_hdr_len(ip) + 2 * sizeof *ports) {
        f.sport = ports[0];
        f.dport = ports[1];
    }
    return ip_route_transit(net, &f, dst);
}

/* There is no way on for skb, and err says why: its sender is told (RFC 1812 5.2.7.1). */
static void refuse_for(struct sk_buff *skb, int err)
{
    switch (err) {
    case -ENOMEM:
        kfree_skb_reason(skb, SKB_DROP_NO_MEMORY);
        return;
    case -EINVAL: /* a blackhole */
        kfree_skb_reason(skb, SKB_DROP_IP_NO_ROUTE);
        return;
    case -EACCES:
        refuse(skb, ICMP_DEST_UNREACH, ICMP_ADMIN_PROHIBITED, 0, SKB_DROP_IP_NO_ROUTE);
        return;
    case -EHOSTUNREACH:
        refuse(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0, SKB_DROP_IP_NO_ROUTE);
        return;
    default:
        refuse(skb, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, 0, SKB_DROP_IP_NO_ROUTE);
    }
}

/* RFC 2644: a broadcast of another link of ours goes there only where that is asked for. */
static bool may_go_there(const struct sk_buff *skb, const struct dst_entry *dst)
{
    if (dst->kind == DST_UNICAST)
        return true;
    return dst->kind == DST_BROADCAST && INET_CONF_BOTH(skb->dev, bc_forwarding);
}

/* The way on. False: there is none, and skb is gone. */
static bool find_way(struct net *net, struct sk_buff *skb, struct dst_entry **dst)
{
    int err = READ_ONCE(net->ipv4->multipath) ? by_flow(net, skb, dst)
                                              : ip_route_output(net, ip_hdr(skb)->daddr, (be32){ 0 }, 0, dst);

    if (err) {
        refuse_for(skb, err);
        return false;
    }
    if (!may_go_there(skb, *dst)) {
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
    const struct ip_hdr *ip = ip_hdr(skb);

    return dst->dev == skb->dev && ip_hdr_len(ip) == sizeof *ip &&
           inet_same_network(dst->dev, ip->saddr, dst->gateway);
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
    if (!READ_ONCE(in_dev_get(skb->dev)->conf.forwarding) ||
        stays_on_its_link(skb, ip)) { /* RFC 1122 3.3.1.1 */
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
    if (sender_takes_a_detour(skb, dst) && redirect_may_send(skb->dev, ip->saddr))
        icmp_send(skb, ICMP_REDIRECT, ICMP_REDIR_HOST, be32_to_cpu(dst->gateway));
    send_on(net, skb, dst);
}
