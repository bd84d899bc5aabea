/* net/ipv4/icmp.c - ICMP (RFC 792, RFC 1122 3.2.2): echo, errors sent, errors believed.
 * No error is ever sent about an error, nor about what was not addressed to us alone; and not too many. */
#include "net/ipv4/icmp.h"
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

enum {
    ICMP_QUOTE_MAX = 576 - sizeof(struct ip_hdr) - sizeof(struct icmp_hdr), /* RFC 1812 4.3.2.3 */
    ICMP_RATE = 100, /* errors a second, RFC 1812 4.3.2.8 */
    ICMP_RATE_MOST = 1000000,
    ICMP_BURST = 50
};

/* Read without a lock. */
struct icmp_knobs {
    int32_t msgs_per_sec, msgs_burst;
    bool echo_ignore_all;
};

struct icmp_state {
    struct icmp_knobs knobs;
    struct sysctl_table sysctls;
    uint64_t full_at; /* the token bucket of errors: when it will be full again; atomic */
    uint64_t in_msgs, out_msgs, in_echos, out_echo_reps, in_dest_unreachs, out_dest_unreachs;
    struct net_proc_file snmp_section;
};

static bool is_error(uint8_t type)
{
    return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* ---- sending errors ---- */

/* Is a token left? Instead of counting tokens remember when the bucket will be full again: each error moves
 * that time by what a token costs, and it may lie at most a burst ahead. */
static bool rate_allows(struct icmp_state *icmp)
{
    const uint64_t cost = sec(1) / (uint64_t)READ_ONCE(icmp->knobs.msgs_per_sec), now = time_now();
    const uint64_t burst = (uint64_t)READ_ONCE(icmp->knobs.msgs_burst);
    uint64_t full_at = READ_ONCE(icmp->full_at), start;

    do {
        start = MAX(full_at, now);
        if (start - now > cost * (burst - 1))
            return false;
    } while (!__atomic_compare_exchange_n(&icmp->full_at, &full_at, start + cost, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

/* RFC 1122 3.2.2: what no error may be about. skb has its IP header at ip_hdr(skb). */
static bool may_answer(const struct sk_buff *skb)
{
    struct net *net = skb->net;
    const struct ip_hdr *ip = ip_hdr(skb);
    const uint8_t *payload = (const uint8_t *)ip + ip_hdr_len(ip);

    if (skb->pkt_type != PACKET_HOST) /* a link broadcast */
        return false;
    if (be16_to_cpu(ip->frag_off) & IP_OFFSET_MASK) /* not the first fragment */
        return false;
    enum dst_kind to = inet_addr_kind(net, ip->daddr, skb->dev);
    if (to == DST_BROADCAST || to == DST_MULTICAST)
        return false;
    enum dst_kind from = inet_addr_kind(net, ip->saddr, skb->dev);
    if (ipv4_is_zero(ip->saddr) || from == DST_BROADCAST || from == DST_MULTICAST)
        return false;
    if (ip->protocol == IPPROTO_ICMP && (payload >= skb->tail || is_error(*payload))) /* an error itself */
        return false;
    return true;
}

static struct sk_buff *make_error(const struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    const uint8_t *quoted = skb_network_header(skb);
    uint32_t quote = MIN((uint32_t)(skb->tail - quoted), (uint32_t)ICMP_QUOTE_MAX);
    struct sk_buff *error = alloc_skb_headroom(skb->net, SKB_TX_HEADROOM, sizeof(struct icmp_hdr) + quote);
    if (!error)
        return NULL;
    struct icmp_hdr *ih = skb_put(error, sizeof *ih);
    *ih = (struct icmp_hdr){ .type = type, .code = code, .rest = cpu_to_be32(info) };
    skb_put_data(error, quoted, quote);
    ih->check = csum_fold(csum_partial(ih, error->len, 0));
    return error;
}

void icmp_send(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    struct net *net = skb->net;
    struct dst_entry *dst;

    if (!net->icmp || !may_answer(skb))
        return;
    be32 asker = ip_hdr(skb)->saddr, asked = ip_hdr(skb)->daddr;
    bool to_us = inet_addr_kind(net, asker, NULL) == DST_LOCAL;
    bool for_us = inet_addr_kind(net, asked, NULL) == DST_LOCAL;
    if (!to_us && !rate_allows(net->icmp)) {
        net_count(&net->drops[SKB_DROP_ICMP_RATE_LIMIT]);
        return;
    }
    if (ip_route_output(net, asker, for_us ? asked : (be32){ 0 }, 0, &dst))
        return;
    struct sk_buff *error = make_error(skb, type, code, info);
    if (error) {
        const struct ip_tx tx = { .saddr = dst->prefsrc, .daddr = asker, .protocol = IPPROTO_ICMP };
        net_count(&net->icmp->out_msgs);
        if (type == ICMP_DEST_UNREACH)
            net_count(&net->icmp->out_dest_unreachs);
        ip_queue_xmit(net, error, dst, &tx);
    }
    dst_release(dst);
}

int icmp_errno(uint8_t type, uint8_t code, bool *hard)
{
    static const struct {
        uint8_t err;
        bool hard;
    } unreach[] = {
        { ENETUNREACH, false },  { EHOSTUNREACH, false }, { ENOPROTOOPT, true },  { ECONNREFUSED, true },
        { EMSGSIZE, false },     { EOPNOTSUPP, false },   { ENETUNREACH, true },  { EHOSTDOWN, true },
        { ENONET, true },        { ENETUNREACH, true },   { EHOSTUNREACH, true }, { ENETUNREACH, false },
        { EHOSTUNREACH, false }, /* RFC 1122 3.2.2.1's codes, with the errnos that Linux gives */
    };

    *hard = false;
    if (type == ICMP_PARAMETERPROB)
        return EPROTO;
    if (type != ICMP_DEST_UNREACH || code >= ARRAY_SIZE(unreach))
        return EHOSTUNREACH;
    *hard = unreach[code].hard;
    return unreach[code].err;
}

/* ---- receiving ---- */

/* What each type's handler says: SKB_NOT_DROPPED when skb was used (and is taken), else why to drop it. */
typedef enum skb_drop_reason (*icmp_handler)(struct sk_buff *skb, const struct icmp_hdr *ih);

/* RFC 1122 3.2.2.6: an answer with the same data, from the address that was asked. skb itself becomes it. */
static enum skb_drop_reason icmp_echo(struct sk_buff *skb, const struct icmp_hdr *request)
{
    struct net *net = skb->net;
    const struct ip_hdr *ip = ip_hdr(skb);
    struct ip_tx tx = { .saddr = ip->daddr, .daddr = ip->saddr, .protocol = IPPROTO_ICMP, .tos = ip->tos };
    be16 check = csum_replace16(request->check, cpu_to_be16(ICMP_ECHO << 8 | request->code),
                                cpu_to_be16(ICMP_ECHOREPLY << 8 | request->code));
    struct dst_entry *dst;

    net_count(&net->icmp->in_echos);
    if (READ_ONCE(net->icmp->knobs.echo_ignore_all))
        return SKB_DROP_ICMP_IGNORED;
    if (inet_addr_kind(net, tx.saddr, skb->dev) != DST_LOCAL)
        return SKB_DROP_ICMP_BROADCAST; /* RFC 1122 3.2.2.6: MAY be discarded */
    if (skb_cow(skb, sizeof(struct ip_hdr) + ETH_HLEN))
        return SKB_DROP_NO_MEMORY;
    if (ip_route_output(net, tx.daddr, tx.saddr, 0, &dst))
        return SKB_DROP_IP_NO_ROUTE;
    struct icmp_hdr *reply = (struct icmp_hdr *)skb->data;
    reply->type = ICMP_ECHOREPLY;
    reply->check = check;
    skb->ip_summed = CHECKSUM_NONE;
    skb->pkt_type = PACKET_HOST;
    net_count(&net->icmp->out_msgs);
    net_count(&net->icmp->out_echo_reps);
    ip_queue_xmit(net, skb, dst, &tx);
    dst_release(dst);
    return SKB_NOT_DROPPED;
}

/* An error about a packet of ours: to the transport that sent it (RFC 1122 3.2.2.1). */
static enum skb_drop_reason icmp_error(struct sk_buff *skb, const struct icmp_hdr *ih)
{
    struct net *net = skb->net;
    uint8_t type = ih->type, code = ih->code;
    /* RFC 1191 4: the next hop's MTU; only there does the second word mean anything to us */
    bool too_big = type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED;
    uint32_t info = too_big ? be32_to_cpu(ih->rest) & 0xffff : 0;

    if (type == ICMP_DEST_UNREACH)
        net_count(&net->icmp->in_dest_unreachs);
    skb_pull(skb, sizeof *ih);
    const struct ip_hdr *quoted = skb_header(skb, sizeof *quoted);
    if (!quoted || quoted->version_ihl >> 4 != 4 || ip_hdr_len(quoted) < sizeof *quoted)
        return SKB_DROP_ICMP_SHORT;
    if (skb->len < ip_hdr_len(quoted) + 8) /* RFC 792: header and 64 bits of data */
        return SKB_DROP_ICMP_SHORT;
    if (inet_addr_kind(net, quoted->saddr, NULL) != DST_LOCAL)
        return SKB_DROP_ICMP_UNKNOWN; /* not a packet that we could have sent */
    raw_error(net, skb, type, code, info);
    const struct inet_protocol *transport = net->ipv4->protocols[quoted->protocol];
    if (!transport || !transport->err_handler)
        return SKB_DROP_ICMP_UNKNOWN;
    transport->err_handler(skb, type, code, info);
    consume_skb(skb);
    return SKB_NOT_DROPPED;
}

/* An answer to a ping: the raw sockets have had it, the sockets that ask by ICMP get it. */
static enum skb_drop_reason icmp_reply(struct sk_buff *skb, const struct icmp_hdr *ih)
{
    (void)ih;
    return ping_rcv(skb);
}

/* NULL: ignored. Source quench by RFC 6633 3, redirects as RFC 1122 3.2.2.2 lets a host with one gateway. */
static const icmp_handler handlers[] = {
    [ICMP_ECHOREPLY] = icmp_reply,     [ICMP_DEST_UNREACH] = icmp_error,  [ICMP_ECHO] = icmp_echo,
    [ICMP_TIME_EXCEEDED] = icmp_error, [ICMP_PARAMETERPROB] = icmp_error,
};

static void icmp_rcv(struct sk_buff *skb)
{
    const struct icmp_hdr *ih = skb_header(skb, sizeof *ih);
    enum skb_drop_reason reason = SKB_DROP_ICMP_UNKNOWN; /* RFC 1122 3.2.2: unknown types are discarded */

    trace("icmp_rcv", skb->id, skb->len);
    net_count(&skb->net->icmp->in_msgs);
    if (!ih)
        reason = SKB_DROP_ICMP_SHORT;
    else if (skb->ip_summed != CHECKSUM_UNNECESSARY && csum_fold_sum(csum_partial(ih, skb->len, 0)) != 0xffff)
        reason = SKB_DROP_ICMP_CSUM;
    else if (ih->type < ARRAY_SIZE(handlers) && handlers[ih->type])
        reason = handlers[ih->type](skb, ih);
    if (reason != SKB_NOT_DROPPED)
        kfree_skb_reason(skb, reason);
}

/* ---- registration ---- */

static void icmp_show_snmp(struct net *net, struct textbuf *out)
{
    const struct icmp_state *s = net->icmp;

    textbuf_printf(out, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InEchos OutMsgs OutDestUnreachs "
                        "OutEchoReps\n");
    textbuf_printf(out, "Icmp: %lu %lu %lu %lu %lu %lu %lu %lu\n", s->in_msgs,
                   net->drops[SKB_DROP_ICMP_SHORT] + net->drops[SKB_DROP_ICMP_CSUM],
                   net->drops[SKB_DROP_ICMP_CSUM], s->in_dest_unreachs, s->in_echos, s->out_msgs,
                   s->out_dest_unreachs, s->out_echo_reps);
}

static const struct inet_protocol icmp_protocol = { .handler = icmp_rcv, .err_handler = ping_err };

static const struct sysctl sysctls[] = {
    { SYSCTL_INT("net/ipv4/icmp_msgs_per_sec", struct icmp_knobs, msgs_per_sec, 1, ICMP_RATE_MOST,
                 "ICMP errors that are sent in a second, over time") },
    { SYSCTL_INT("net/ipv4/icmp_msgs_burst", struct icmp_knobs, msgs_burst, 1, ICMP_RATE_MOST,
                 "ICMP errors that may be sent at once") },
    { SYSCTL_BOOL("net/ipv4/icmp_echo_ignore_all", struct icmp_knobs, echo_ignore_all,
                  "do not answer pings") },
    { .path = NULL },
};

static int icmp_init(struct net *net)
{
    net->icmp = mem_alloc(sizeof *net->icmp);
    if (!net->icmp)
        return -ENOMEM;
    net->icmp->knobs = (struct icmp_knobs){ .msgs_per_sec = ICMP_RATE, .msgs_burst = ICMP_BURST };
    net_sysctl_register(net, &net->icmp->sysctls, sysctls, &net->icmp->knobs);
    net->icmp->snmp_section = (struct net_proc_file){ .name = "snmp", .show = icmp_show_snmp };
    net_proc_section_register(net, &net->icmp->snmp_section);
    return inet_add_protocol(net, &icmp_protocol, IPPROTO_ICMP);
}

static void icmp_exit(struct net *net)
{
    inet_del_protocol(net, IPPROTO_ICMP);
    net_proc_section_unregister(net, &net->icmp->snmp_section);
    net_sysctl_unregister(&net->icmp->sysctls);
    mem_free(net->icmp);
    net->icmp = NULL;
}

const struct net_module icmp_module = { .name = "icmp", .init = icmp_init, .exit = icmp_exit };
