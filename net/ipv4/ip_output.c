/* net/ipv4/ip_output.c - an IPv4 packet leaves: header, hooks, fragments, next hop.
 * skb->dst holds a reference to its route from ip_queue_xmit() until the sk_buff is freed. */
#include "lib/string.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

/* ---- the header ---- */

/* RFC 6864 4: an ID is needed only where fragments may arise, and then does not repeat soon for the same
 * source, destination and protocol. Flows share counters, but each begins elsewhere: who sees one cannot tell
 * another's. */
static be16 choose_id(struct net *net, const struct ip_tx *tx, bool df)
{
    struct {
        be32 saddr, daddr;
        uint64_t protocol;
    } flow = { tx->saddr, tx->daddr, tx->protocol };

    if (df)
        return cpu_to_be16(0);
    uint64_t hash = siphash(&flow, sizeof flow, &net->hash_key);
    uint32_t count = __atomic_fetch_add(&net->ipv4->ip_ids[hash % IP_ID_SLOTS], 1, __ATOMIC_RELAXED);
    return cpu_to_be16((uint16_t)(count + (hash >> 48)));
}

static unsigned header_len(const struct ip_tx *tx)
{
    return (unsigned)sizeof(struct ip_hdr) + (tx->options ? tx->options->len : 0);
}

/* The options behind the header. We, too, are on the way: RFC 791 3.1 has the source record itself. */
static void put_options(struct net *net, struct ip_hdr *ip, const struct ip_tx *tx)
{
    memcpy(ip + 1, tx->options->bytes, tx->options->len);
    if (!ipv4_is_zero(tx->options->first_hop))
        ip->daddr = tx->options->first_hop;
    ip_options_record(net, (uint8_t *)ip, tx->saddr);
}

/* IP_MTU_DISCOVER, ip(7). WANT: with DF what fits the path, and what does not is cut here; where the path's
 * MTU cannot be trusted, routers may cut. DO and PROBE: always. */
static bool wants_df(const struct sk_buff *skb, const struct dst_entry *dst, const struct ip_tx *tx)
{
    if (tx->discover == IP_PMTUDISC_WANT)
        return !dst->mtu_locked && (skb->gso_size || skb->len + header_len(tx) <= dst->mtu);
    return tx->discover == IP_PMTUDISC_DO || tx->discover == IP_PMTUDISC_PROBE;
}

static void push_header(struct net *net, struct sk_buff *skb, const struct ip_tx *tx, bool df)
{
    unsigned hlen = header_len(tx);
    struct ip_hdr *ip = skb_push(skb, hlen);

    *ip = (struct ip_hdr){
        .version_ihl = (uint8_t)(4 << 4 | hlen / 4),
        .tos = tx->tos,
        .tot_len = cpu_to_be16((uint16_t)skb->len),
        .id = choose_id(net, tx, df),
        .frag_off = cpu_to_be16(df ? IP_DF : 0),
        .ttl = tx->ttl || tx->no_wire
                   ? tx->ttl
                   : (uint8_t)READ_ONCE(net->ipv4->knobs.default_ttl), /* RFC 1122 3.2.1.7: never zero */
        .protocol = tx->protocol,
        .saddr = tx->saddr,
        .daddr = tx->daddr,
    };
    if (unlikely(tx->options))
        put_options(net, ip, tx);
    ip->check = csum_fold(csum_partial(ip, hlen, 0));
    skb_reset_network_header(skb);
    skb->protocol = cpu_to_be16(ETH_P_IP);
}

/* ---- fragments (RFC 791 2.3, 3.2) ---- */

static struct sk_buff *make_fragment(const struct sk_buff *skb, unsigned hlen, unsigned offset, unsigned n)
{
    struct sk_buff *frag = alloc_skb_headroom(skb->net, SKB_TX_HEADROOM, hlen + n);
    if (!frag)
        return NULL;
    struct ip_hdr *ip = skb_put(frag, hlen);
    memcpy(ip, skb->data, hlen);
    skb_copy_bits(skb, hlen + offset, skb_put(frag, n), n);
    if (hlen > sizeof *ip && offset)
        ip_options_fragment(frag->data, hlen);

    uint16_t before = be16_to_cpu(ip->frag_off); /* itself a fragment, perhaps: offsets add up */
    bool more = before & IP_MF || hlen + offset + n < skb->len;
    ip->frag_off = cpu_to_be16((uint16_t)(((before & IP_OFFSET_MASK) + offset / 8) | (more ? IP_MF : 0)));
    ip->tot_len = cpu_to_be16((uint16_t)(hlen + n));
    ip->check = cpu_to_be16(0);
    ip->check = csum_fold(csum_partial(ip, hlen, 0));

    skb_reset_network_header(frag);
    frag->protocol = skb->protocol;
    frag->dev = skb->dev;
    frag->dst = skb->dst;
    dst_hold(frag->dst);
    return frag;
}

/* Cut skb into pieces that fit mtu and send them. skb stays the caller's. */
static int send_fragments(struct sk_buff *skb, uint32_t mtu)
{
    struct ipv4_state *ipv4 = skb->net->ipv4;
    unsigned hlen = ip_hdr_len(ip_hdr(skb)), payload = skb->len - hlen;
    unsigned piece = ROUND_DOWN(mtu - hlen, 8u); /* RFC 791 3.2: all but the last a multiple of 8 */

    for (unsigned offset = 0; offset < payload; offset += piece) {
        struct sk_buff *frag = make_fragment(skb, hlen, offset, MIN(piece, payload - offset));
        if (!frag)
            return -ENOBUFS;
        net_count(&ipv4->counters.frag_creates);
        int err = neigh_output(frag);
        if (err)
            return err;
    }
    net_count(&ipv4->counters.frag_oks);
    return 0;
}

static int ip_fragment(struct sk_buff *skb, uint32_t mtu)
{
    int err = 0;

    if (skb->ip_summed == CHECKSUM_PARTIAL) { /* no device could fill it in from the pieces */
        err = skb_is_nonlinear(skb) ? skb_linearize(skb, 0) : skb_cow(skb, 0);
        if (!err)
            err = skb_checksum_help(skb);
    }
    if (!err)
        err = send_fragments(skb, mtu);
    if (!err) {
        consume_skb(skb);
        return 0;
    }
    net_count(&skb->net->ipv4->counters.frag_fails);
    kfree_skb_reason(skb, SKB_DROP_NO_MEMORY);
    return err;
}

/* ---- the way down ---- */

int ip_output(struct sk_buff *skb)
{
    const struct dst_entry *dst = skb->dst;

    trace("ip_output", skb->id, skb->len);
    if (!ip_hook_pass(skb->net, IP_HOOK_POSTROUTING, skb))
        return -EPERM;
    if (skb->len <= dst->mtu || skb->gso_size)
        return neigh_output(skb);
    if (!(be16_to_cpu(ip_hdr(skb)->frag_off) & IP_DF))
        return ip_fragment(skb, dst->mtu);
    if (skb->len <= dst->link_mtu) /* a probe; or somebody else's, who is to find out (ip_forward.c) */
        return neigh_output(skb);
    kfree_skb_reason(skb, SKB_DROP_IP_TOO_BIG); /* RFC 791 3.1 */
    return -EMSGSIZE;
}

/* skb, complete, leaves along dst. */
static int send_along(struct sk_buff *skb, struct dst_entry *dst, bool no_loop)
{
    dst_hold(dst);
    dst_release(skb->dst);
    skb->dst = dst;
    skb->dev = dst->dev;
    net_count(&skb->net->ipv4->counters.out_requests);
    if (!ip_hook_pass(skb->net, IP_HOOK_LOCAL_OUT, skb))
        return -EPERM;
    if (unlikely(dst->kind == DST_BROADCAST || dst->kind == DST_MULTICAST))
        return ip_output_to_many(skb, no_loop);
    return ip_output(skb);
}

int ip_queue_xmit(struct net *net, struct sk_buff *skb, struct dst_entry *dst, const struct ip_tx *tx)
{
    trace("ip_queue_xmit", skb->id, skb->len);
    if (skb->len > IP_MAX_PACKET - header_len(tx)) {
        kfree_skb_reason(skb, SKB_DROP_IP_TOO_BIG);
        return -EMSGSIZE;
    }
    /* an answer written into a received packet may be short of room in front */
    if (skb_headroom(skb) < header_len(tx) + ETH_HLEN && skb_cow(skb, SKB_TX_HEADROOM)) {
        kfree_skb_reason(skb, SKB_DROP_NO_MEMORY);
        return -ENOBUFS;
    }
    bool df = wants_df(skb, dst, tx);
    if (df && tx->discover == IP_PMTUDISC_DO && skb->len + sizeof(struct ip_hdr) > dst->mtu &&
        !skb->gso_size) {
        kfree_skb_reason(skb, SKB_DROP_IP_TOO_BIG); /* RFC 1191 3: as large as the path is known to be */
        return -EMSGSIZE;
    }
    push_header(net, skb, tx, df);
    return send_along(skb, dst, tx->no_loop);
}

int ip_send_made(struct sk_buff *skb, struct dst_entry *dst)
{
    struct ip_hdr *ip = (struct ip_hdr *)skb->data;

    if (skb->len < sizeof *ip || ip_hdr_len(ip) < sizeof *ip || ip_hdr_len(ip) > skb->len) {
        kfree_skb_reason(skb, SKB_DROP_IP_HEADER_LENGTH);
        return -EINVAL;
    }
    if (ipv4_is_zero(ip->saddr))
        ip->saddr = dst->prefsrc;
    if (!ip->id.raw)
        ip->id = choose_id(
            skb->net, &(struct ip_tx){ .saddr = ip->saddr, .daddr = ip->daddr, .protocol = ip->protocol },
            false);
    ip->tot_len = cpu_to_be16((uint16_t)skb->len);
    ip->check = cpu_to_be16(0);
    ip->check = csum_fold(csum_partial(ip, ip_hdr_len(ip), 0));
    skb_reset_network_header(skb);
    skb->protocol = cpu_to_be16(ETH_P_IP);
    return send_along(skb, dst, false);
}
