/* net/igmp/igmp.c - multicast joins a network: its state, its devices, its files. */
#include "net/igmp/igmp.h"
#include "lib/string.h"

enum { MEMBERSHIPS_MAX = 20, SOURCES_MAX = 10 }; /* as in Linux */
#define ALL_HOSTS_GROUP cpu_to_be32(0xe0000001)

/* ---- devices ---- */

/* RFC 1112 7.2: every host is in 224.0.0.1, for ever, on each device; nobody is told. */
static int join_all_hosts(struct mc_device *d)
{
    d->all_hosts = (struct mc_member){ .group = ALL_HOSTS_GROUP, .filter = { .exclude = true } };
    list_init(&d->all_hosts.in_group);
    return mc_member_join(d, &d->all_hosts);
}

static int device_register(struct net_device *dev)
{
    struct igmp_state *igmp = dev_net(dev)->igmp;
    struct mc_device *d = mem_alloc(sizeof *d);

    if (!d)
        return -ENOMEM;
    d->dev = dev;
    list_init(&d->groups);
    d->general_at = d->change_at = TIME_NEVER;
    d->robustness = (uint32_t)READ_ONCE(igmp->knobs.robustness);
    d->query_interval = IGMP_QUERY_INTERVAL;
    timer_init(&d->timer, igmp_timer);
    dev->mc_ptr = d;
    lock_acquire(&igmp->lock);
    int err = join_all_hosts(d);
    lock_release(&igmp->lock);
    return err;
}

/* What was joined while the device was down, or before it went down, is told anew. */
static void device_up(struct mc_device *d)
{
    static const struct mc_filter nothing = { .exclude = false };
    struct mc_group *g;

    d->up = !dev_flags(d->dev, NETDEV_LOOPBACK); /* to whom would it be told there? */
    d->v1_until = d->v2_until = 0;
    d->robustness = (uint32_t)READ_ONCE(dev_net(d->dev)->igmp->knobs.robustness);
    list_for_each_entry (g, &d->groups, link) {
        igmp_joined(g);
        igmp_changed(g, &nothing);
    }
}

static void device_down(struct mc_device *d)
{
    igmp_forget(d);
    igmp_arm(d);
    d->up = false;
}

/* Its members are in no group any more; their sockets keep them until they leave. */
static void device_unregister(struct net_device *dev)
{
    struct igmp_state *igmp = dev_net(dev)->igmp;
    struct mc_device *d = mc_device_of(dev);

    if (!d)
        return;
    lock_acquire(&igmp->lock);
    d->up = false;
    igmp_forget(d);
    while (
        !list_empty(&d->groups)) { /* the last member takes its group with it, as nothing is told any more */
        struct mc_group *g = list_first_entry(&d->groups, struct mc_group, link);
        mc_member_leave(list_first_entry(&g->members, struct mc_member, in_group));
    }
    lock_release(&igmp->lock);
    timer_cancel_sync(&d->timer);
    dev->mc_ptr = NULL;
    mem_free(d);
}

static int device_event(struct net_device *dev, enum netdev_event event)
{
    struct igmp_state *igmp = dev_net(dev)->igmp;
    struct mc_device *d = mc_device_of(dev);

    if (event == NETDEV_EVENT_REGISTER)
        return device_register(dev);
    if (event == NETDEV_EVENT_UNREGISTER) {
        device_unregister(dev);
        return 0;
    }
    lock_acquire(&igmp->lock);
    if (event == NETDEV_EVENT_UP)
        device_up(d);
    else
        device_down(d);
    lock_release(&igmp->lock);
    return 0;
}

/* ---- /proc/net/igmp, /proc/net/mcfilter: as Linux prints them ---- */

static uint64_t ticks_until(uint64_t moment, uint64_t now)
{
    return moment == TIME_NEVER || moment < now ? 0 : (moment - now) / ms(10);
}

static void show_group(const struct mc_group *g, struct textbuf *out)
{
    if (g->users)
        textbuf_printf(out, "\t\t\t\t%08X %5u %d:%08lX\t\t%d\n", g->address.raw, g->users,
                       g->report_at != TIME_NEVER, ticks_until(g->report_at, time_now()), g->last_reporter);
}

static void show_groups(struct net *net, struct textbuf *out)
{
    const struct mc_group *g;

    textbuf_printf(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev)) {
        const struct mc_device *d = mc_device_of(dev);
        lock_acquire(&net->igmp->lock);
        textbuf_printf(out, "%u\t%-10s: %5u      V%u\n", dev->ifindex, dev_name(dev).text, d->n_groups,
                       igmp_version(d));
        list_for_each_entry (g, &d->groups, link)
            show_group(g, out);
        lock_release(&net->igmp->lock);
    }
}

/* How many members of g name source, in filters of that kind. */
static unsigned long count_members(const struct mc_group *g, be32 source, bool exclude)
{
    const struct mc_member *m;
    unsigned long n = 0;

    list_for_each_entry (m, &g->members, in_group)
        n += m->filter.exclude == exclude && mc_filter_has(&m->filter, source);
    return n;
}

/* Is m the first member of its group to name its i-th source? */
static bool names_first(const struct mc_member *m, uint32_t i)
{
    const struct mc_member *other;

    list_for_each_entry (other, &m->joined->members, in_group) {
        if (other == m)
            return true;
        if (mc_filter_has(&other->filter, m->filter.sources[i]))
            return false;
    }
    return true;
}

static void show_sources(const struct mc_group *g, struct textbuf *out)
{
    const struct net_device *dev = g->on->dev;
    const struct mc_member *m;

    list_for_each_entry (m, &g->members, in_group) {
        for (uint32_t i = 0; i < m->filter.n; i++) {
            be32 source = m->filter.sources[i];
            if (names_first(m, i))
                textbuf_printf(out, "%3u %6s 0x%08x 0x%08x %6lu %6lu\n", dev->ifindex, dev_name(dev).text,
                               be32_to_cpu(g->address), be32_to_cpu(source), count_members(g, source, false),
                               count_members(g, source, true));
        }
    }
}

static void show_filters(struct net *net, struct textbuf *out)
{
    const struct mc_group *g;

    textbuf_printf(out, "Idx Device        MCA        SRC    INC    EXC\n");
    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev)) {
        lock_acquire(&net->igmp->lock);
        list_for_each_entry (g, &mc_device_of(dev)->groups, link)
            show_sources(g, out);
        lock_release(&net->igmp->lock);
    }
}

/* ---- registration ---- */

static const struct sysctl sysctls[] = {
    { SYSCTL_INT("net/ipv4/igmp_max_memberships", struct igmp_knobs, max_memberships, 0, 65536,
                 "groups that one socket may be in") },
    { SYSCTL_INT("net/ipv4/igmp_max_msf", struct igmp_knobs, max_sources, 0, 4096,
                 "sources that one socket may name for one group") },
    { SYSCTL_INT("net/ipv4/igmp_qrv", struct igmp_knobs, robustness, 1, 7,
                 "how often a change of membership is told, until a querier says otherwise (RFC 3376 8.1)") },
    { SYSCTL_BOOL("net/ipv4/igmp_link_local_mcast_reports", struct igmp_knobs, report_link_local,
                  "tell routers of groups in 224.0.0.0/24, too") },
    { .path = NULL },
};

static const struct inet_multicast multicast = { .wanted = mc_wanted,
                                                 .allowed = mc_allowed,
                                                 .setsockopt = mc_setsockopt,
                                                 .getsockopt = mc_getsockopt,
                                                 .leave_all = mc_leave_all };
static const struct inet_protocol protocol = { .handler = igmp_rcv };

static int igmp_init(struct net *net)
{
    struct igmp_state *igmp = mem_alloc(sizeof *igmp);

    if (!igmp)
        return -ENOMEM;
    net->igmp = igmp;
    lock_init(&igmp->lock, "groups", RANK_IGMP);
    igmp->knobs = (struct igmp_knobs){ MEMBERSHIPS_MAX, SOURCES_MAX, IGMP_ROBUSTNESS, true };
    net_sysctl_register(net, &igmp->sysctls, sysctls, &igmp->knobs);
    igmp->notifier = (struct netdev_notifier){ .event = device_event };
    list_add_tail(&igmp->notifier.link, &net->notifiers);
    igmp->groups_file = (struct net_proc_file){ .name = "igmp", .show = show_groups };
    net_proc_register(net, &igmp->groups_file);
    igmp->filters_file = (struct net_proc_file){ .name = "mcfilter", .show = show_filters };
    net_proc_register(net, &igmp->filters_file);
    inet_set_multicast(net, &multicast);
    return inet_add_protocol(net, &protocol, IPPROTO_IGMP);
}

static void igmp_exit(struct net *net)
{
    struct igmp_state *igmp = net->igmp;

    inet_del_protocol(net, IPPROTO_IGMP);
    inet_set_multicast(net, NULL);
    net_proc_unregister(net, &igmp->filters_file);
    net_proc_unregister(net, &igmp->groups_file);
    list_del(&igmp->notifier.link);
    net_sysctl_unregister(&igmp->sysctls);
    mem_free(igmp);
    net->igmp = NULL;
}

const struct net_module igmp_module = { .name = "igmp", .init = igmp_init, .exit = igmp_exit };
