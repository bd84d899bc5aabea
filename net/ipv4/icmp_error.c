/* net/ipv4/icmp_error.c - ICMP errors that we send (RFC 1122 3.2.2, RFC 1812 4.3): about what, with which
 * words, and how many. And what an error that came means to a program. */
#include "lib/string.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ipv4.h"

enum {
    ICMP_QUOTE_MAX = 576 - sizeof(struct ip_hdr) - sizeof(struct icmp_hdr), /* RFC 1812 4.3.2.3 */
    HOST_BURST = 6,               /* errors to one host at once; as Linux */
    TOS_BITS = 0x1e,              /* RFC 1812 4.3.2.5: as the packet's that it is about, and */
    INTERNETWORK_CONTROL = 6 << 5 /* this precedence */
};

bool icmp_is_error(uint8_t type)
{
    return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* ---- how many ---- */

/* Take a token if one is left. Instead of counting tokens remember when the bucket will be full again: each
 * error moves that time by what a token costs, and it may lie at most a burst ahead. */
static bool take_token(uint64_t *bucket, uint64_t cost, uint64_t burst)
{
    const uint64_t now = time_now();
    uint64_t full_at = READ_ONCE(*bucket), start;

    do {
        start = MAX(full_at, now);
        if (start - now > cost * (burst - 1))
            return false;
    } while (!__atomic_compare_exchange_n(bucket, &full_at, start + cost, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

/* RFC 1812 4.3.2.8. The host's own limit comes first, so that one who asks for many takes none from others.
 * Hosts share buckets by hash: memory is bounded, and whom one shares with cannot be chosen. */
static bool rate_allows(struct net *net, be32 host, uint8_t type, uint8_t code)
{
    struct icmp_state *icmp = net->icmp;
    uint64_t interval = READ_ONCE(icmp->knobs.host_interval);

    if (!(READ_ONCE(icmp->knobs.rate_mask) >> type & 1))
        return true;
    if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) /* path-MTU discovery waits for it; as Linux */
        return true;
    uint64_t slot = siphash(&host, sizeof host, &net->hash_key) % ICMP_HOST_SLOTS;
    if (interval && !take_token(&icmp->host_full_at[slot], interval, HOST_BURST))
        return false;
    return take_token(&icmp->full_at, sec(1) / (uint64_t)READ_ONCE(icmp->knobs.msgs_per_sec),
                      (uint64_t)READ_ONCE(icmp->knobs.msgs_burst));
}

/* ---- about what ---- */

/* RFC 1122 3.2.2: a source that does not name one host. */
static bool names_no_host(struct net *net, be32 saddr, const struct net_device *dev)
{
    enum dst_kind kind = inet_addr_kind(net, saddr, dev);

    return ipv4_is_zero(saddr) || kind == DST_BROADCAST || kind == DST_MULTICAST ||
           be32_to_cpu(saddr) >> 28 == 15 /* class E */;
}

/* An error itself, or what may be one: RFC 1122 3.2.2; unknown types count, as no answer is safe. */
static bool is_about_error(const struct sk_buff *skb, const struct ip_hdr *ip)
{
    const uint8_t *type = (const uint8_t *)ip + ip_hdr_len(ip);

    return ip->protocol == IPPROTO_ICMP && (type >= skb->tail || icmp_is_error(*type) || *type >= ICMP_TYPES);
}

/* RFC 1122 3.2.2: what no error may be about. skb has its IP header at ip_hdr(skb). */
static bool may_answer(const struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);

    if (skb->pkt_type != PACKET_HOST) /* a link broadcast */
        return false;
    if (be16_to_cpu(ip->frag_off) & IP_OFFSET_MASK) /* not the first fragment */
        return false;
    enum dst_kind to = inet_addr_kind(skb->net, ip->daddr, skb->dev);
    if (to == DST_BROADCAST || to == DST_MULTICAST)
        return false;
    return !names_no_host(skb->net, ip->saddr, skb->dev) && !is_about_error(skb, ip);
}

/* ---- with which words ---- */

static struct sk_buff *make_error(const struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    const uint8_t *quoted = skb_network_header(skb);
    uint32_t quote = MIN((uint32_t)(skb->tail - quoted), (uint32_t)ICMP_QUOTE_MAX);
    struct sk_buff *error = alloc_skb_headroom(skb->net, SKB_TX_HEADROOM, sizeof(struct icmp_hdr) + quote);
    if (!error)
        return NULL;
    struct icmp_hdr *ih = skb_put(error, sizeof *ih);
    *ih = (struct icmp_hdr){ .type = type, .code = code, .rest = cpu_to_be32(info) };
    skb_put_data(error, quoted, quote); /* no extensions behind it, so RFC 4884's length stays zero */
    ih->check = csum_fold(csum_partial(ih, error->len, 0));
    return error;
}

void icmp_count_out(struct icmp_state *icmp, uint8_t type)
{
    net_count(&icmp->out_msgs);
    if (type < ICMP_TYPES)
        net_count(&icmp->out[type]);
}

void icmp_send(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    struct net *net = skb->net;
    struct dst_entry *dst;

    if (!net->icmp || !may_answer(skb))
        return;
    const struct ip_hdr *ip = ip_hdr(skb);
    be32 asker = ip->saddr, asked = ip->daddr;
    uint8_t tos = (uint8_t)((ip->tos & TOS_BITS) | INTERNETWORK_CONTROL);
    bool to_us = inet_addr_kind(net, asker, NULL) == DST_LOCAL;
    bool for_us = inet_addr_kind(net, asked, NULL) == DST_LOCAL;
    if (!to_us && !rate_allows(net, asker, type, code)) {
        net_count(&net->drops[SKB_DROP_ICMP_RATE_LIMIT]);
        return;
    }
    /* RFC 1812 4.3.2.4: from the address that was asked; a router answers from the link it answers by */
    if (ip_route_output(net, asker, for_us ? asked : (be32){ 0 }, 0, &dst))
        return;
    struct sk_buff *error = make_error(skb, type, code, info);
    if (error) {
        const struct ip_tx tx = {
            .saddr = dst->prefsrc, .daddr = asker, .protocol = IPPROTO_ICMP, .tos = tos
        };
        icmp_count_out(net->icmp, type);
        ip_queue_xmit(net, error, dst, &tx);
    }
    dst_release(dst);
}

/* ---- what an error means ---- */

int icmp_errno(uint8_t type, uint8_t code, bool *hard)
{
    static const struct {
        uint8_t err;
        bool hard;
    } unreach[] = {
        { ENETUNREACH, false },  { EHOSTUNREACH, false }, { ENOPROTOOPT, true },  { ECONNREFUSED, true },
        { EMSGSIZE, false },     { EOPNOTSUPP, false },   { ENETUNREACH, true },  { EHOSTDOWN, true },
        { ENONET, true },        { ENETUNREACH, true },   { EHOSTUNREACH, true }, { ENETUNREACH, false },
        { EHOSTUNREACH, false }, { EHOSTUNREACH, true },  { EHOSTUNREACH, true }, { EHOSTUNREACH, true },
        /* RFC 1122 3.2.2.1's codes and RFC 1812 5.2.7.1's, with the errnos that Linux gives */
    };

    *hard = false;
    if (type == ICMP_PARAMETERPROB)
        return EPROTO;
    if (type != ICMP_DEST_UNREACH || code >= ARRAY_SIZE(unreach))
        return EHOSTUNREACH;
    *hard = unreach[code].hard;
    return unreach[code].err;
}
