/* net/igmp/query.c - a router asks who is in which group; another host says that it is.
 * Answers are not given at once but after a random time, so that not all hosts answer together; what exactly
 * is due when another question comes meanwhile is RFC 3376 5.2. */
#include "net/igmp/igmp.h"

enum { ALL_HOSTS = 0xe0000001 };

struct query {
    unsigned version;
    uint64_t delay; /* the answer may be late by so much, ns */
    be32 group;     /* zero: general */
    uint32_t n;
    const be32 *sources;
};

/* RFC 3376 4.1.1 and 4.1.7: up to 127 as it is, above a number with an exponent. */
uint32_t igmp_decode_code(uint8_t code)
{
    if (code < 128)
        return code;
    return ((code & 0xfu) + 16) << ((code >> 4 & 7) + 3);
}

static uint64_t tenths(uint32_t n)
{
    return n * ms(100);
}

/* RFC 3376 7.1: its length and its first bytes tell a query's version. False: it is none. */
static bool parse(const struct sk_buff *skb, struct query *q)
{
    const struct igmpv3_query *m = (const struct igmpv3_query *)skb->data;

    *q = (struct query){ .version = 3, .group = m->hdr.group };
    if (skb->len == sizeof m->hdr) {
        q->version = m->hdr.code ? 2 : 1;
        q->delay = m->hdr.code ? tenths(m->hdr.code) : IGMP_V1_RESPONSE_DELAY;
        return true;
    }
    if (skb->len < sizeof *m)
        return false; /* "MUST be silently ignored" */
    q->delay = tenths(igmp_decode_code(m->hdr.code));
    q->n = be16_to_cpu(m->n_sources);
    q->sources = m->sources;
    return q->n <= (skb->len - sizeof *m) / sizeof(be32);
}

/* RFC 3376 4.1.6, 4.1.7, 8.12, 8.13: what the querier says of itself; and how long an older one is
 * remembered. */
static void learn(struct mc_device *d, const struct query *q, const struct igmpv3_query *m)
{
    const uint32_t own = (uint32_t)READ_ONCE(dev_net(d->dev)->igmp->knobs.robustness);
    uint64_t until = time_now() + d->robustness * d->query_interval + q->delay;
    unsigned before = igmp_version(d);

    if (q->version == 1)
        d->v1_until = until;
    else if (q->version == 2)
        d->v2_until = until;
    if (igmp_version(d) != before)
        igmp_forget(d); /* RFC 3376 7.2.1 */
    if (q->version < 3)
        return;
    d->robustness = m->s_qrv & 7 ? m->s_qrv & 7 : own;
    d->query_interval = m->qqic ? sec(igmp_decode_code(m->qqic)) : IGMP_QUERY_INTERVAL;
}

/* RFC 3376 5.2, rules 3 to 5: about g, which was asked for, at the latest at the moment at. */
static void ask_about(struct mc_group *g, const struct query *q, uint64_t at)
{
    bool pending = g->report_at != TIME_NEVER;

    g->report_at = MIN(g->report_at, at);
    if (!q->n || (pending && !g->asked.n)) { /* 4: about the whole group */
        mc_filter_free(&g->asked);
        return;
    }
    for (uint32_t i = 0; i < q->n; i++) { /* 3, 5 */
        if (mc_filter_add(&g->asked, q->sources[i])) {
            mc_filter_free(&g->asked); /* short of memory: tell all */
            return;
        }
    }
}

static void schedule_v3(struct mc_device *d, const struct query *q, uint64_t now)
{
    uint64_t at = now + igmp_random_delay(q->delay);

    if (d->general_at <= at) /* 1 */
        return;
    struct mc_group *g = mc_group_find(d, q->group);
    if (ipv4_is_zero(q->group))
        d->general_at = at; /* 2 */
    else if (g && g->users)
        ask_about(g, q, at);
}

/* RFC 2236 3: a timer for each group that is asked for; one that runs goes on unless it would be too late. */
static void schedule_older(struct mc_device *d, const struct query *q, uint64_t now)
{
    struct mc_group *g;

    list_for_each_entry (g, &d->groups, link)
        if (g->users && (ipv4_is_zero(q->group) || be32_equal(q->group, g->address)) &&
            (g->report_at == TIME_NEVER || g->report_at > now + q->delay))
            g->report_at = now + igmp_random_delay(q->delay);
}

static enum skb_drop_reason query(struct mc_device *d, const struct sk_buff *skb)
{
    be32 daddr = ip_hdr(skb)->daddr;
    struct query q;

    if (!parse(skb, &q) || (!ipv4_is_zero(q.group) && !ipv4_is_multicast(q.group)))
        return SKB_DROP_IGMP_BAD;
    /* RFC 3376 9.1: a general query to another group is a trick */
    if (ipv4_is_zero(q.group) && ipv4_is_multicast(daddr) && be32_to_cpu(daddr) != ALL_HOSTS)
        return SKB_DROP_IGMP_BAD;
    if (!d->up)
        return SKB_NOT_DROPPED;
    learn(d, &q, (const struct igmpv3_query *)skb->data);
    if (igmp_version(d) == 3)
        schedule_v3(d, &q, time_now());
    else
        schedule_older(d, &q, time_now());
    igmp_arm(d);
    return SKB_NOT_DROPPED;
}

/* RFC 2236 3: somebody else told of the group, so we need not. Version 3 has all tell. */
static void heard_report(struct mc_device *d, be32 group)
{
    struct mc_group *g = mc_group_find(d, group);

    if (!g || igmp_version(d) == 3)
        return;
    g->report_at = TIME_NEVER;
    g->unsolicited = 0;
    g->last_reporter = false;
    igmp_arm(d);
}

/* Lock held. */
static enum skb_drop_reason receive(struct mc_device *d, const struct sk_buff *skb)
{
    const struct igmp_hdr *ih = (const struct igmp_hdr *)skb->data;

    switch (ih->type) {
    case IGMP_QUERY:
        return query(d, skb);
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT:
        heard_report(d, ih->group);
        return SKB_NOT_DROPPED;
    case IGMP_V2_LEAVE:
    case IGMP_V3_REPORT:
        return SKB_NOT_DROPPED; /* for routers */
    default:
        return SKB_DROP_IGMP_UNKNOWN; /* RFC 2236 2.1 */
    }
}

void igmp_rcv(struct sk_buff *skb)
{
    struct igmp_state *igmp = skb->net->igmp;
    enum skb_drop_reason reason;

    trace("igmp_rcv", skb->id, skb->len);
    if (skb->len < sizeof(struct igmp_hdr)) {
        reason = SKB_DROP_IGMP_SHORT;
    } else if (csum_fold_sum(csum_partial(skb->data, skb->len, 0)) != 0xffff) { /* RFC 3376 4.1.2 */
        reason = SKB_DROP_IGMP_CSUM;
    } else {
        lock_acquire(&igmp->lock);
        reason = receive(mc_device_of(skb->dev), skb);
        lock_release(&igmp->lock);
    }
    if (reason == SKB_NOT_DROPPED)
        consume_skb(skb);
    else
        kfree_skb_reason(skb, reason);
}
