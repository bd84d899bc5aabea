/* net/ipv4/icmp.c - ICMP that arrives (RFC 792, RFC 1122 3.2.2): questions are answered, errors go to those
 * they concern. What we send of ourselves is in icmp_error.c. */
#include "net/ipv4/icmp.h"
#include "lib/string.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/redirect.h"

enum {
    ICMP_RATE = 1000, /* errors a second, RFC 1812 4.3.2.8; as Linux */
    ICMP_BURST = 50,
    ICMP_RATE_MOST = 1000000,
    RATE_MASK = 1 << ICMP_DEST_UNREACH | 1 << ICMP_SOURCE_QUENCH | 1 << ICMP_REDIRECT |
                1 << ICMP_TIME_EXCEEDED | 1 << ICMP_PARAMETERPROB,
    DAY_MS = 24 * 3600 * 1000
};
#define HOST_INTERVAL sec(1)

/* What each type's handler says: SKB_NOT_DROPPED when skb was used (and is taken), else why to drop it. */
typedef enum skb_drop_reason (*icmp_handler)(struct sk_buff *skb, const struct icmp_hdr *ih);

/* ---- questions ---- */

/* May a question that went to daddr be answered? SKB_NOT_DROPPED, and whence: zero leaves it to the route. */
static enum skb_drop_reason may_answer(struct sk_buff *skb, be32 daddr, be32 *from)
{
    *from = daddr; /* RFC 1122 3.2.2.6: the address that was asked */
    if (inet_addr_kind(skb->net, daddr, skb->dev) == DST_LOCAL)
        return SKB_NOT_DROPPED;
    if (READ_ONCE(skb->net->icmp->knobs.echo_ignore_broadcasts))
        return SKB_DROP_ICMP_BROADCAST; /* RFC 1122 3.2.2.6, 3.2.2.8: MAY be discarded */
    *from = (be32){ 0 };
    return SKB_NOT_DROPPED;
}

/* skb itself becomes the answer. Its ICMP header is final. */
static enum skb_drop_reason send_answer(struct sk_buff *skb, struct ip_tx *tx)
{
    struct net *net = skb->net;
    struct ip_options options;
    struct dst_entry *dst;
    be32 way = tx->daddr;

    if (unlikely(ip_hdr_len(ip_hdr(skb)) > sizeof(struct ip_hdr))) { /* RFC 1122 3.2.2.6 */
        ip_options_echo(skb, &options);
        tx->options = options.len ? &options : NULL;
        if (!ipv4_is_zero(options.first_hop))
            way = options.first_hop;
    }
    if (ip_route_output(net, way, tx->saddr, 0, &dst))
        return SKB_DROP_IP_NO_ROUTE;
    tx->saddr = dst->prefsrc;
    skb->ip_summed = CHECKSUM_NONE;
    skb->pkt_type = PACKET_HOST;
    icmp_count_out(net->icmp, ((const struct icmp_hdr *)skb->data)->type);
    ip_queue_xmit(net, skb, dst, tx);
    dst_release(dst);
    return SKB_NOT_DROPPED;
}

/* RFC 1122 3.2.2.6: the same data back. */
static enum skb_drop_reason icmp_echo(struct sk_buff *skb, const struct icmp_hdr *request)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    struct ip_tx tx = { .daddr = ip->saddr, .protocol = IPPROTO_ICMP, .tos = ip->tos };
    be16 check = csum_replace16(request->check, cpu_to_be16(ICMP_ECHO << 8 | request->code),
                                cpu_to_be16(ICMP_ECHOREPLY << 8 | request->code));

    if (READ_ONCE(skb->net->icmp->knobs.echo_ignore_all))
        return SKB_DROP_ICMP_IGNORED;
    enum skb_drop_reason reason = may_answer(skb, ip->daddr, &tx.saddr);
    if (reason != SKB_NOT_DROPPED)
        return reason;
    if (skb_cow(skb, sizeof(struct ip_hdr) + ETH_HLEN))
        return SKB_DROP_NO_MEMORY;
    struct icmp_hdr *reply = (struct icmp_hdr *)skb->data;
    reply->type = ICMP_ECHOREPLY;
    /* RFC 1624 3: zero may be minus zero. Of nothing but zeroes all ones is the sum; of others it is right,
     * too. */
    reply->check = check.raw ? check : cpu_to_be16(0xffff);
    return send_answer(skb, &tx);
}

/* RFC 1122 3.2.2.8: what time is it here? */
static enum skb_drop_reason icmp_timestamp(struct sk_buff *skb, const struct icmp_hdr *request)
{
    struct message {
        struct icmp_hdr head;
        be32 originate, receive, transmit; /* milliseconds since midnight UT */
    };
    const struct ip_hdr *ip = ip_hdr(skb);
    struct ip_tx tx = { .daddr = ip->saddr, .protocol = IPPROTO_ICMP, .tos = ip->tos };

    (void)request;
    if (skb->len < sizeof(struct message))
        return SKB_DROP_ICMP_SHORT;
    enum skb_drop_reason reason = may_answer(skb, ip->daddr, &tx.saddr);
    if (reason != SKB_NOT_DROPPED)
        return reason;
    if (skb_cow(skb, sizeof(struct ip_hdr) + ETH_HLEN))
        return SKB_DROP_NO_MEMORY;
    skb_trim(skb, sizeof(struct message));
    struct message *reply = (struct message *)skb->data;
    reply->head.type = ICMP_TIMESTAMPREPLY;
    reply->receive = reply->transmit = ip_timestamp();
    reply->head.check = cpu_to_be16(0);
    reply->head.check = csum_fold(csum_partial(reply, sizeof *reply, 0));
    return send_answer(skb, &tx);
}

/* ---- errors about packets of ours ---- */

/* RFC 4884 4: with extensions behind it the quotation says its own length, in words and at least 128 bytes.
 */
static void cut_extensions(struct sk_buff *skb, uint32_t rest)
{
    uint32_t quoted = (rest >> 16 & 0xff) * 4;

    if (quoted >= 128)
        skb_trim(skb, quoted);
}

/* An error about a packet of ours: to the transport that sent it (RFC 1122 3.2.2.1). */
static enum skb_drop_reason icmp_error(struct sk_buff *skb, const struct icmp_hdr *ih)
{
    struct net *net = skb->net;
    uint8_t type = ih->type, code = ih->code;
    uint32_t rest = be32_to_cpu(ih->rest);
    /* RFC 1191 4: the next hop's MTU; only there does the second word mean anything to us */
    uint32_t info = type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED ? rest & 0xffff : 0;

    skb_pull(skb, sizeof *ih);
    cut_extensions(skb, rest);
    const struct ip_hdr *quoted = skb_header(skb, sizeof *quoted);
    if (!quoted || quoted->version_ihl >> 4 != 4 || ip_hdr_len(quoted) < sizeof *quoted)
        return SKB_DROP_ICMP_SHORT;
    if (skb->len < ip_hdr_len(quoted) + 8) /* RFC 792: header and 64 bits of data */
        return SKB_DROP_ICMP_SHORT;
    if (inet_addr_kind(net, quoted->saddr, NULL) != DST_LOCAL)
        return SKB_DROP_ICMP_UNKNOWN; /* RFC 5927 4.1: not a packet that we could have sent */
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

/* NULL: ignored, as source quench is by RFC 6633 3. */
static const icmp_handler handlers[] = {
    [ICMP_ECHOREPLY] = icmp_reply,     [ICMP_DEST_UNREACH] = icmp_error,  [ICMP_ECHO] = icmp_echo,
    [ICMP_REDIRECT] = redirect_rcv,    [ICMP_TIME_EXCEEDED] = icmp_error, [ICMP_PARAMETERPROB] = icmp_error,
    [ICMP_TIMESTAMP] = icmp_timestamp,
};

static void icmp_rcv(struct sk_buff *skb)
{
    const struct icmp_hdr *ih = skb_header(skb, sizeof *ih);
    enum skb_drop_reason reason = SKB_DROP_ICMP_UNKNOWN; /* RFC 1122 3.2.2: unknown types are discarded */
    struct icmp_state *icmp = skb->net->icmp;

    trace("icmp_rcv", skb->id, skb->len);
    net_count(&icmp->in_msgs);
    if (!ih) {
        reason = SKB_DROP_ICMP_SHORT;
    } else if (skb->ip_summed != CHECKSUM_UNNECESSARY &&
               csum_fold_sum(csum_partial(ih, skb->len, 0)) != 0xffff) {
        reason = SKB_DROP_ICMP_CSUM;
    } else {
        if (ih->type < ICMP_TYPES)
            net_count(&icmp->in[ih->type]);
        if (ih->type < ARRAY_SIZE(handlers) && handlers[ih->type])
            reason = handlers[ih->type](skb, ih);
    }
    if (reason != SKB_NOT_DROPPED)
        kfree_skb_reason(skb, reason);
}

/* ---- /proc/net/snmp ---- */

static const struct {
    uint8_t type;
    const char *name;
} columns[] = {
    { ICMP_DEST_UNREACH, "DestUnreachs" },
    { ICMP_TIME_EXCEEDED, "TimeExcds" },
    { ICMP_PARAMETERPROB, "ParmProbs" },
    { ICMP_SOURCE_QUENCH, "SrcQuenchs" },
    { ICMP_REDIRECT, "Redirects" },
    { ICMP_ECHO, "Echos" },
    { ICMP_ECHOREPLY, "EchoReps" },
    { ICMP_TIMESTAMP, "Timestamps" },
    { ICMP_TIMESTAMPREPLY, "TimestampReps" },
    { 17, "AddrMasks" },
    { 18, "AddrMaskReps" },
};

static void show_names(struct textbuf *out, const char *direction)
{
    for (unsigned i = 0; i < ARRAY_SIZE(columns); i++)
        textbuf_printf(out, " %s%s", direction, columns[i].name);
}

static void show_counts(struct textbuf *out, const uint64_t *counts)
{
    for (unsigned i = 0; i < ARRAY_SIZE(columns); i++)
        textbuf_printf(out, " %lu", net_counted(&counts[columns[i].type]));
}

/* Of each type that there was, its name or how often. */
static void show_each(struct textbuf *out, const uint64_t *counts, const char *name)
{
    for (unsigned type = 0; type < ICMP_TYPES; type++) {
        uint64_t n = net_counted(&counts[type]);
        if (n && name)
            textbuf_printf(out, " %s%u", name, type);
        else if (n)
            textbuf_printf(out, " %lu", n);
    }
}

/* Linux prints these lines only when there is something in them. */
static void show_types(struct textbuf *out, const struct icmp_state *s)
{
    if (!net_counted(&s->in_msgs) && !net_counted(&s->out_msgs))
        return;
    textbuf_printf(out, "IcmpMsg:");
    show_each(out, s->in, "InType");
    show_each(out, s->out, "OutType");
    textbuf_printf(out, "\nIcmpMsg:");
    show_each(out, s->in, NULL);
    show_each(out, s->out, NULL);
    textbuf_printf(out, "\n");
}

static void icmp_show_snmp(struct net *net, struct textbuf *out)
{
    const struct icmp_state *s = net->icmp;

    textbuf_printf(out, "Icmp: InMsgs InErrors InCsumErrors");
    show_names(out, "In");
    textbuf_printf(out, " OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost");
    show_names(out, "Out");
    textbuf_printf(out, "\nIcmp: %lu %lu %lu", net_counted(&s->in_msgs),
                   net_dropped(net, SKB_DROP_ICMP_SHORT) + net_dropped(net, SKB_DROP_ICMP_CSUM),
                   net_dropped(net, SKB_DROP_ICMP_CSUM));
    show_counts(out, s->in);
    textbuf_printf(out, " %lu %d %d %d", net_counted(&s->out_msgs), 0, 0,
                   0); /* what a limit held is not counted */
    show_counts(out, s->out);
    textbuf_printf(out, "\n");
    show_types(out, s);
}

/* ---- registration ---- */

static const struct inet_protocol icmp_protocol = { .handler = icmp_rcv, .err_handler = ping_err };

static const struct sysctl sysctls[] = {
    { SYSCTL_INT("net/ipv4/icmp_msgs_per_sec", struct icmp_knobs, msgs_per_sec, 1, ICMP_RATE_MOST,
                 "ICMP errors that are sent in a second, over time") },
    { SYSCTL_INT("net/ipv4/icmp_msgs_burst", struct icmp_knobs, msgs_burst, 1, ICMP_RATE_MOST,
                 "ICMP errors that may be sent at once") },
    { SYSCTL_MS("net/ipv4/icmp_ratelimit", struct icmp_knobs, host_interval, 0, DAY_MS,
                "time between two ICMP errors to one host, over time, ms; 0: no limit a host") },
    { SYSCTL_U64("net/ipv4/icmp_ratemask", struct icmp_knobs, rate_mask, 0, INT32_MAX,
                 "which ICMP types have these limits: bit n stands for type n") },
    { SYSCTL_BOOL("net/ipv4/icmp_echo_ignore_all", struct icmp_knobs, echo_ignore_all,
                  "do not answer pings") },
    { SYSCTL_BOOL("net/ipv4/icmp_echo_ignore_broadcasts", struct icmp_knobs, echo_ignore_broadcasts,
                  "do not answer pings and time-stamp requests to broadcast addresses and groups") },
    { .path = NULL },
};

static int icmp_init(struct net *net)
{
    int err = inet_add_protocol(net, &icmp_protocol, IPPROTO_ICMP);
    if (err)
        return err;
    struct icmp_state *icmp = mem_alloc(sizeof *icmp);
    if (!icmp) {
        inet_del_protocol(net, IPPROTO_ICMP);
        return -ENOMEM;
    }
    icmp->knobs = (struct icmp_knobs){ .msgs_per_sec = ICMP_RATE,
                                       .msgs_burst = ICMP_BURST,
                                       .host_interval = HOST_INTERVAL,
                                       .rate_mask = RATE_MASK,
                                       .echo_ignore_broadcasts = true };
    net_sysctl_register(net, &icmp->sysctls, sysctls, &icmp->knobs);
    icmp->snmp_section = (struct net_proc_file){ .name = "snmp", .show = icmp_show_snmp };
    net_proc_section_register(net, &icmp->snmp_section);
    net->icmp = icmp;
    return 0;
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
