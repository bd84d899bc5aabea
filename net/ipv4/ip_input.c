/* net/ipv4/ip_input.c - an IPv4 packet arrives: is it whole, is it honest, is it for us?
 * Each check stands alone and names its rule; a packet that fails one is dropped without a sound, except
 * where the rule says to answer. Behind ip_rcv_check() the header may be trusted. */
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

/* ---- checks ---- */

/* The header itself, and the packet's length against it, in the order of RFC 1812 5.2.2; but version and
 * header length come before the checksum, as they tell what it covers. */
static enum skb_drop_reason check_header(struct sk_buff *skb)
{
    const struct ip_hdr *ip = skb_header(skb, sizeof *ip);

    if (!ip)
        return SKB_DROP_IP_SHORT;
    if (ip->version_ihl >> 4 != 4) /* RFC 1122 3.2.1.1 */
        return SKB_DROP_IP_VERSION;
    unsigned hlen = ip_hdr_len(ip);
    if (hlen < sizeof *ip || hlen > skb->len) /* RFC 791 3.1 IHL: at least 5 */
        return SKB_DROP_IP_HEADER_LENGTH;
    if (csum_fold_sum(csum_partial(ip, hlen, 0)) != 0xffff) /* RFC 1122 3.2.1.2 */
        return SKB_DROP_IP_CSUM;
    unsigned total = be16_to_cpu(ip->tot_len);
    if (total < hlen || total > skb->len) /* RFC 791 3.1 */
        return SKB_DROP_IP_TOTAL_LENGTH;
    skb_trim(skb, total); /* RFC 894: behind it lies the padding of a short frame */
    return SKB_NOT_DROPPED;
}

/* RFC 1122 3.2.1.3: what may not be a source on the wire. */
static bool source_is_possible(const struct sk_buff *skb, be32 saddr)
{
    if (dev_flags(skb->dev, NETDEV_LOOPBACK) || skb->pkt_type == PACKET_LOOPBACK)
        return true; /* we sent it */
    if (ipv4_is_zero(saddr) || ipv4_is_loopback(saddr) || ipv4_is_multicast(saddr) ||
        ipv4_is_limited_broadcast(saddr))
        return false;
    be32 ours = in_dev_address(skb->dev);
    if (ipv4_is_zero(ours))
        return true;
    bool our_own = be32_equal(saddr, ours);
    bool subnet_broadcast = dev_flags(skb->dev, NETDEV_BROADCAST) &&
                            be32_equal(saddr, in_dev_broadcast(skb->dev)) &&
                            !be32_equal(in_dev_netmask(skb->dev), inet_netmask(32));
    if (our_own || subnet_broadcast)
        return false;
    return likely(!READ_ONCE(in_dev_get(skb->dev)->several)) ||
           inet_addr_kind(skb->net, saddr, skb->dev) == DST_UNICAST; /* of another of our networks */
}

static bool destination_is_possible(const struct sk_buff *skb, be32 daddr)
{
    if (dev_flags(skb->dev, NETDEV_LOOPBACK))
        return true;
    return !ipv4_is_loopback(daddr) && !ipv4_is_zero(daddr); /* RFC 1122 3.2.1.3(a), (g): never on the wire */
}

static enum skb_drop_reason ip_rcv_check(struct sk_buff *skb)
{
    enum skb_drop_reason reason = check_header(skb);
    if (reason != SKB_NOT_DROPPED)
        return reason;
    const struct ip_hdr *ip = ip_hdr(skb);
    if (!source_is_possible(skb, ip->saddr))
        return SKB_DROP_IP_SOURCE_INVALID;
    if (unlikely(READ_ONCE(in_dev_get(skb->dev)->conf.source_check)) &&
        !ip_source_is_reached(skb->dev, ip->saddr))
        return SKB_DROP_IP_REVERSE_PATH;
    if (!destination_is_possible(skb, ip->daddr))
        return SKB_DROP_IP_NOT_FOR_US;
    return SKB_NOT_DROPPED;
}

/* ---- delivery ---- */

/* The header is done with: to the raw sockets, then to the transport. */
static void ip_local_deliver_finish(struct sk_buff *skb)
{
    struct net *net = dev_net(skb->dev);
    uint8_t protocol = ip_hdr(skb)->protocol;
    const struct inet_protocol *transport = net->ipv4->protocols[protocol];
    bool raw = raw_deliver(net, skb);

    net_count(&net->ipv4->counters.in_delivers);
    if (transport) {
        skb_pull(skb, ip_hdr_len(ip_hdr(skb)));
        skb_reset_transport_header(skb);
        transport->handler(skb);
    } else if (raw) {
        consume_skb(skb);
    } else {
        icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0); /* RFC 1122 3.2.2.1 */
        kfree_skb_reason(skb, SKB_DROP_IP_NO_PROTOCOL);
    }
}

static void ip_local_deliver(struct sk_buff *skb)
{
    struct net *net = dev_net(skb->dev);

    trace("ip_local_deliver", skb->id, skb->len);
    if (be16_to_cpu(ip_hdr(skb)->frag_off) & (IP_MF | IP_OFFSET_MASK)) {
        skb = ip_defrag(net, skb);
        if (!skb)
            return;
    }
    if (ip_hook_pass(net, IP_HOOK_LOCAL_IN, skb))
        ip_local_deliver_finish(skb);
}

/* Groups are for those who joined them (RFC 1112 7.1). */
static bool for_us(struct net *net, const struct ip_hdr *ip, struct net_device *dev)
{
    enum dst_kind kind = inet_addr_kind(net, ip->daddr, dev);
    return kind == DST_LOCAL || kind == DST_BROADCAST ||
           (kind == DST_MULTICAST && ip_group_wanted(dev, ip->daddr, ip->saddr, ip->protocol));
}

void ip_rcv(struct sk_buff *skb, struct packet_type *pt)
{
    struct net *net = dev_net(skb->dev);

    (void)pt;
    trace("ip_rcv", skb->id, skb->len);
    net_count(&net->ipv4->counters.in_receives);
    enum skb_drop_reason reason = ip_rcv_check(skb);
    if (reason != SKB_NOT_DROPPED) {
        if (reason == SKB_DROP_IP_SOURCE_INVALID || reason == SKB_DROP_IP_REVERSE_PATH)
            ip_log_martian(skb);
        kfree_skb_reason(skb, reason);
        return;
    }
    if (!ip_hook_pass(net, IP_HOOK_PREROUTING, skb))
        return;
    bool mine = for_us(net, ip_hdr(skb), skb->dev);
    if (unlikely(ip_hdr_len(ip_hdr(skb)) > sizeof(struct ip_hdr))) {
        reason = ip_options_receive(skb, mine);
        if (reason != SKB_NOT_DROPPED) {
            kfree_skb_reason(skb, reason);
            return;
        }
    }
    if (mine)
        ip_local_deliver(skb);
    else
        ip_forward(skb);
}
