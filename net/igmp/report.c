/* net/igmp/report.c - what this host tells the routers, and when.
 * Each device has one timer, armed for the first moment at which something is due. What is due: the answer to
 * a general query, the answer about one group, a report of changes. The reports are made when the timer runs,
 * from the state as it is then; nothing is kept of what was sent. */
#include "lib/string.h"
#include "net/igmp/igmp.h"

enum { ALL_HOSTS = 0xe0000001, ALL_ROUTERS = 0xe0000002, V3_ROUTERS = 0xe0000016 }; /* RFC 3376 4.2.14 */

uint64_t igmp_random_delay(uint64_t most)
{
    return most ? (uint64_t)random_u32() * (most >> 20) >> 12 : 0;
}

unsigned igmp_version(const struct mc_device *d)
{
    uint64_t now = time_now();

    return now < d->v1_until ? 1 : now < d->v2_until ? 2 : 3;
}

/* RFC 2236 6, RFC 3376 5: never 224.0.0.1; the other groups that no router passes on only if the
 * administrator likes. */
static bool reportable(const struct mc_group *g)
{
    uint32_t address = be32_to_cpu(g->address);

    if (address == ALL_HOSTS)
        return false;
    return address >> 8 != 0xe00000 || READ_ONCE(dev_net(g->on->dev)->igmp->knobs.report_link_local);
}

/* ---- sending ---- */

/* The IP header, with the Router Alert option (RFC 2113), TTL 1 and precedence 6 (RFC 3376 4). */
struct report_ip_hdr {
    struct ip_hdr ip;
    uint8_t router_alert[4];
};
_Static_assert(sizeof(struct report_ip_hdr) == 24, "RFC 2113 2.1");

/* Send skb, an IGMP message at data that fits the device's MTU. It goes to the device as ARP's packets do: no
 * route is asked, as the device is the matter, and no filter. */
static void send(struct mc_device *d, struct sk_buff *skb, be32 daddr)
{
    struct report_ip_hdr *h = skb_push(skb, sizeof *h);
    uint8_t mac[ETH_ALEN];

    *h = (struct report_ip_hdr){
        .ip = { .version_ihl = 4 << 4 | sizeof *h / 4,
                .tos = 0xc0,
                .tot_len = cpu_to_be16((uint16_t)skb->len),
                .frag_off = cpu_to_be16(IP_DF),
                .ttl = 1,
                .protocol = IPPROTO_IGMP,
                .saddr = inet_device_address(d->dev), /* zero if there is none: RFC 3376 4.2.13 */
                .daddr = daddr },
        .router_alert = { 0x94, 4, 0, 0 },
    };
    h->ip.check = csum_fold(csum_partial(h, sizeof *h, 0));
    skb->dev = d->dev;
    skb->protocol = cpu_to_be16(ETH_P_IP);
    skb_reset_network_header(skb);
    ip_group_mac(daddr, mac);
    d->dev->link_type->create(skb, d->dev, ETH_P_IP, mac);
    dev_queue_xmit(skb);
}

/* RFC 1112 appendix I, RFC 2236 2: type about group, to daddr. */
static void send_short(struct mc_device *d, uint8_t type, be32 group, be32 daddr)
{
    struct sk_buff *skb = alloc_skb_headroom(dev_net(d->dev), SKB_TX_HEADROOM, sizeof(struct igmp_hdr));

    if (!skb)
        return;
    struct igmp_hdr *ih = skb_put(skb, sizeof *ih);
    *ih = (struct igmp_hdr){ .type = type, .group = group };
    ih->check = csum_fold(csum_partial(ih, sizeof *ih, 0));
    send(d, skb, daddr);
}

/* ---- version 3: records into reports, as many as fit ---- */

struct report {
    struct mc_device *d;
    struct sk_buff *skb; /* NULL: none is begun */
    uint16_t n_records;
};

static void report_end(struct report *r)
{
    if (!r->skb)
        return;
    struct igmp_hdr *ih = (struct igmp_hdr *)r->skb->data;
    ih->group = cpu_to_be32(r->n_records); /* RFC 3376 4.2: reserved, number of records */
    ih->check = csum_fold(csum_partial(ih, r->skb->len, 0));
    send(r->d, r->skb, cpu_to_be32(V3_ROUTERS));
    *r = (struct report){ .d = r->d };
}

/* Room for one record with a source at least, in the report begun or in a new one. */
static bool report_room(struct report *r)
{
    const uint32_t size = READ_ONCE(r->d->dev->mtu) - sizeof(struct report_ip_hdr);

    if (r->skb && skb_tailroom(r->skb) < sizeof(struct igmpv3_record) + sizeof(be32))
        report_end(r);
    if (r->skb)
        return true;
    r->skb = alloc_skb_headroom(dev_net(r->d->dev), SKB_TX_HEADROOM, size);
    if (!r->skb)
        return false;
    *(struct igmp_hdr *)skb_put(r->skb, sizeof(struct igmp_hdr)) =
        (struct igmp_hdr){ .type = IGMP_V3_REPORT };
    return true;
}

/* Which of a list's sources belong into a record. */
enum pick { PICK_ALL, PICK_PASSING, PICK_BLOCKED };

static bool picked(const struct mc_group *g, be32 source, enum pick pick)
{
    return pick == PICK_ALL || mc_filter_passes(&g->filter, source) == (pick == PICK_PASSING);
}

static uint32_t count_picked(const struct mc_group *g, const be32 *sources, uint32_t n, enum pick pick)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++)
        count += picked(g, sources[i], pick);
    return count;
}

/* A record about g with those of n sources that are to be picked. What does not fit goes into further
 * reports, or is left out where the record says "all but these" (RFC 3376 4.2.16). */
static void report_add(struct report *r, uint8_t type, const struct mc_group *g, const be32 *sources,
                       uint32_t n, enum pick pick)
{
    uint32_t i = 0, left = count_picked(g, sources, n, pick);
    bool one_only = type == RECORD_IS_EXCLUDE || type == RECORD_TO_EXCLUDE;

    do {
        if (!report_room(r))
            return;
        struct igmpv3_record *record = skb_put(r->skb, sizeof *record);
        uint32_t fits = MIN(left, skb_tailroom(r->skb) / (uint32_t)sizeof(be32));
        *record = (struct igmpv3_record){ .type = type,
                                          .n_sources = cpu_to_be16((uint16_t)fits),
                                          .group = g->address };
        r->n_records++;
        for (left -= fits; fits; i++) {
            if (picked(g, sources[i], pick)) {
                skb_put_data(r->skb, &sources[i], sizeof(be32));
                fits--;
            }
        }
    } while (left && !one_only);
}

/* ---- answers to queries ---- */

static void add_current_state(struct report *r, const struct mc_group *g)
{
    if (g->users && reportable(g))
        report_add(r, g->filter.exclude ? RECORD_IS_EXCLUDE : RECORD_IS_INCLUDE, g, g->filter.sources,
                   g->filter.n, PICK_ALL);
}

/* RFC 3376 5.2: the whole state, or of the sources that were asked for those that we take, if there are any.
 */
static void answer_about(struct report *r, struct mc_group *g)
{
    if (!g->asked.n)
        add_current_state(r, g);
    else if (g->users && reportable(g) && count_picked(g, g->asked.sources, g->asked.n, PICK_PASSING))
        report_add(r, RECORD_IS_INCLUDE, g, g->asked.sources, g->asked.n, PICK_PASSING);
    mc_filter_free(&g->asked);
}

/* Versions 1 and 2: one report, to the group itself; unsolicited ones are repeated (RFC 2236 3). */
static void report_group(struct mc_group *g, uint64_t now)
{
    if (!reportable(g) || !g->users)
        return;
    send_short(g->on, igmp_version(g->on) == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT, g->address, g->address);
    g->last_reporter = true;
    if (g->unsolicited && --g->unsolicited)
        g->report_at = now + igmp_random_delay(IGMP_V2_UNSOLICITED);
}

/* ---- changes (RFC 3376 5.1) ---- */

static bool has_change(const struct mc_group *g)
{
    return g->mode_left || g->n_changes;
}

/* The sources whose change is still to be told; how many. */
static uint32_t changed_sources(const struct mc_group *g, be32 *sources)
{
    for (uint32_t i = 0; i < g->n_changes; i++)
        sources[i] = g->changes[i].source;
    return g->n_changes;
}

static void add_changes(struct report *r, struct mc_group *g)
{
    if (g->mode_left) { /* it tells all sources, the changed ones too */
        report_add(r, g->filter.exclude ? RECORD_TO_EXCLUDE : RECORD_TO_INCLUDE, g, g->filter.sources,
                   g->filter.n, PICK_ALL);
        return;
    }
    be32 *sources = mem_alloc(g->n_changes * sizeof *sources);
    if (!sources)
        return;
    uint32_t n = changed_sources(g, sources);
    if (count_picked(g, sources, n, PICK_PASSING))
        report_add(r, RECORD_ALLOW, g, sources, n, PICK_PASSING);
    if (count_picked(g, sources, n, PICK_BLOCKED))
        report_add(r, RECORD_BLOCK, g, sources, n, PICK_BLOCKED);
    mem_free(sources);
}

/* They have been told once more. */
static void count_changes_down(struct mc_group *g)
{
    uint32_t kept = 0;

    if (g->mode_left)
        g->mode_left--;
    for (uint32_t i = 0; i < g->n_changes; i++)
        if (--g->changes[i].left)
            g->changes[kept++] = g->changes[i];
    g->n_changes = kept;
}

static void report_changes(struct mc_device *d, uint64_t now)
{
    struct report r = { .d = d };
    struct mc_group *g, *tmp;
    bool more = false;

    list_for_each_entry_safe (g, tmp, &d->groups, link) {
        if (!has_change(g))
            continue;
        add_changes(&r, g);
        count_changes_down(g);
        more |= has_change(g);
        mc_group_settle(g);
    }
    report_end(&r);
    d->change_at = more ? now + igmp_random_delay(IGMP_V3_UNSOLICITED) : TIME_NEVER;
}

/* source is to be told so often from now on. Short of memory it is not told. */
static void note_source(struct mc_group *g, be32 source, uint32_t times)
{
    for (uint32_t i = 0; i < g->n_changes; i++) {
        if (be32_equal(g->changes[i].source, source)) {
            g->changes[i].left = times;
            return;
        }
    }
    struct mc_change *changes = mem_alloc((g->n_changes + 1) * sizeof *changes);
    if (!changes)
        return;
    if (g->n_changes)
        memcpy(changes, g->changes, g->n_changes * sizeof *changes);
    mem_free(g->changes);
    g->changes = changes;
    g->changes[g->n_changes++] = (struct mc_change){ source, times };
}

static void note_difference(struct mc_group *g, const struct mc_filter *a, const struct mc_filter *b)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (!mc_filter_has(b, a->sources[i]))
            note_source(g, a->sources[i], g->on->robustness);
}

void igmp_changed(struct mc_group *g, const struct mc_filter *before)
{
    struct mc_device *d = g->on;

    if (!d->up || !reportable(g) || igmp_version(d) < 3)
        return;
    if (before->exclude !=
        g->filter.exclude) { /* tells all sources: what was to be told of some is told by it */
        g->mode_left = d->robustness;
        g->n_changes = 0;
    } else {
        note_difference(g, before, &g->filter);
        note_difference(g, &g->filter, before);
    }
    d->change_at = time_now();
    igmp_arm(d);
}

void igmp_joined(struct mc_group *g)
{
    struct mc_device *d = g->on;

    g->last_reporter = false;
    if (!d->up || !reportable(g) || igmp_version(d) == 3)
        return;
    g->unsolicited = d->robustness; /* RFC 2236 3: at once, and again */
    g->report_at = time_now();
    igmp_arm(d);
}

void igmp_left(struct mc_group *g)
{
    g->report_at = TIME_NEVER;
    g->unsolicited = 0;
    mc_filter_free(&g->asked);
    if (g->on->up && g->last_reporter && reportable(g) && igmp_version(g->on) == 2) /* RFC 2236 3 */
        send_short(g->on, IGMP_V2_LEAVE, g->address, cpu_to_be32(ALL_ROUTERS));
}

/* ---- the timer ---- */

void igmp_forget(struct mc_device *d)
{
    struct mc_group *g, *tmp;

    d->general_at = d->change_at = TIME_NEVER;
    list_for_each_entry_safe (g, tmp, &d->groups, link) {
        g->mode_left = g->n_changes = g->unsolicited = 0;
        g->report_at = TIME_NEVER;
        mc_filter_free(&g->asked);
        mc_group_settle(g);
    }
}

void igmp_arm(struct mc_device *d)
{
    uint64_t first = MIN(d->general_at, d->change_at);
    const struct mc_group *g;

    list_for_each_entry (g, &d->groups, link)
        first = MIN(first, g->report_at);
    if (first != TIME_NEVER)
        timer_set(&d->timer, first);
    else
        timer_cancel(&d->timer);
}

/* What is due in version 3. */
static void run_v3(struct mc_device *d, uint64_t now)
{
    struct report r = { .d = d };
    bool general = d->general_at <= now;
    struct mc_group *g;

    if (general)
        d->general_at = TIME_NEVER;
    list_for_each_entry (g, &d->groups, link) {
        bool asked = g->report_at <= now;
        if (asked)
            g->report_at = TIME_NEVER;
        if (general)
            add_current_state(&r, g);
        else if (asked)
            answer_about(&r, g);
    }
    report_end(&r);
    if (d->change_at <= now)
        report_changes(d, now);
}

static void run_older(struct mc_device *d, uint64_t now)
{
    struct mc_group *g;

    list_for_each_entry (g, &d->groups, link) {
        if (g->report_at <= now) {
            g->report_at = TIME_NEVER;
            report_group(g, now);
        }
    }
}

void igmp_timer(struct timer *t)
{
    struct mc_device *d = container_of(t, struct mc_device, timer);
    struct igmp_state *igmp = dev_net(d->dev)->igmp;
    uint64_t now = time_now();

    lock_acquire(&igmp->lock);
    if (d->up && igmp_version(d) == 3)
        run_v3(d, now);
    else if (d->up)
        run_older(d, now);
    igmp_arm(d);
    lock_release(&igmp->lock);
}
