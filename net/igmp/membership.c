/* net/igmp/membership.c - who is in which group, and with which sources.
 * A group's filter on a device follows from the filters of its members (RFC 3376 3.2): computed anew whenever
 * one of them changes, compared with what it was, and the difference is what is told to the routers. */
#include "lib/string.h"
#include "net/igmp/igmp.h"

/* ---- filters ---- */

bool mc_filter_has(const struct mc_filter *f, be32 source)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (be32_equal(f->sources[i], source))
            return true;
    return false;
}

bool mc_filter_passes(const struct mc_filter *f, be32 source)
{
    return mc_filter_has(f, source) != f->exclude;
}

static int make_room(struct mc_filter *f)
{
    if (f->n < f->room)
        return 0;
    uint32_t room = f->room ? 2 * f->room : 8;
    be32 *sources = mem_alloc(room * sizeof *sources);
    if (!sources)
        return -ENOMEM;
    if (f->n)
        memcpy(sources, f->sources, f->n * sizeof *sources);
    mem_free(f->sources);
    f->sources = sources;
    f->room = room;
    return 0;
}

int mc_filter_add(struct mc_filter *f, be32 source)
{
    if (mc_filter_has(f, source))
        return 0;
    int err = make_room(f);
    if (!err)
        f->sources[f->n++] = source;
    return err;
}

bool mc_filter_remove(struct mc_filter *f, be32 source)
{
    for (uint32_t i = 0; i < f->n; i++) {
        if (be32_equal(f->sources[i], source)) {
            f->sources[i] = f->sources[--f->n];
            return true;
        }
    }
    return false;
}

void mc_filter_free(struct mc_filter *f)
{
    mem_free(f->sources);
    *f = (struct mc_filter){ .exclude = false };
}

/* ---- what all members together want ---- */

static bool any_excludes(const struct mc_group *g)
{
    const struct mc_member *m;

    list_for_each_entry (m, &g->members, in_group)
        if (m->filter.exclude)
            return true;
    return false;
}

static bool somebody_takes(const struct mc_group *g, be32 source)
{
    const struct mc_member *m;

    list_for_each_entry (m, &g->members, in_group)
        if (mc_filter_passes(&m->filter, source))
            return true;
    return false;
}

/* RFC 3376 3.2: does somebody exclude, so does the device, and only what nobody takes; else all that is
 * included. Every source in the answer is named by a member. Short of memory the filter is the wider one. */
static struct mc_filter combine(const struct mc_group *g)
{
    struct mc_filter f = { .exclude = any_excludes(g) };
    const struct mc_member *m;
    int err = 0;

    list_for_each_entry (m, &g->members, in_group)
        for (uint32_t i = 0; i < m->filter.n && !err; i++)
            if (somebody_takes(g, m->filter.sources[i]) != f.exclude)
                err = mc_filter_add(&f, m->filter.sources[i]);
    if (err) {
        mc_filter_free(&f);
        f.exclude = true;
    }
    return f;
}

static bool same_filter(const struct mc_filter *a, const struct mc_filter *b)
{
    if (a->exclude != b->exclude || a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!mc_filter_has(b, a->sources[i]))
            return false;
    return true;
}

/* A member of g changed. */
static void refresh(struct mc_group *g)
{
    struct mc_filter before = g->filter;

    g->filter = combine(g);
    if (!same_filter(&before, &g->filter))
        igmp_changed(g, &before);
    mc_filter_free(&before);
}

/* ---- groups of a device ---- */

struct mc_group *mc_group_find(const struct mc_device *d, be32 group)
{
    struct mc_group *g;

    list_for_each_entry (g, &d->groups, link)
        if (be32_equal(g->address, group))
            return g;
    return NULL;
}

static struct mc_group *group_create(struct mc_device *d, be32 address)
{
    struct mc_group *g = mem_alloc(sizeof *g);

    if (!g)
        return NULL;
    g->on = d;
    g->address = address;
    list_init(&g->members);
    g->report_at = TIME_NEVER;
    list_add_tail(&g->link, &d->groups);
    return g;
}

void mc_group_settle(struct mc_group *g)
{
    if (g->users || g->mode_left || g->n_changes || g->unsolicited)
        return;
    list_del(&g->link);
    mc_filter_free(&g->filter);
    mc_filter_free(&g->asked);
    mem_free(g->changes);
    mem_free(g);
}

/* The card's own filter follows (RFC 1112 7.2). Without memory for that the group is not joined. */
static int let_in(struct mc_group *g)
{
    uint8_t mac[ETH_ALEN];

    if (g->in_filter)
        return 0;
    ip_group_mac(g->address, mac);
    int err = dev_group_add(g->on->dev, mac);
    g->in_filter = !err;
    return err;
}

static void shut_out(struct mc_group *g)
{
    uint8_t mac[ETH_ALEN];

    ip_group_mac(g->address, mac);
    if (g->in_filter)
        dev_group_del(g->on->dev, mac);
    g->in_filter = false;
}

int mc_member_join(struct mc_device *d, struct mc_member *m)
{
    struct mc_group *g = mc_group_find(d, m->group);

    if (!g)
        g = group_create(d, m->group);
    if (!g)
        return -ENOMEM;
    int err = let_in(g);
    if (err) {
        mc_group_settle(g);
        return err;
    }
    m->joined = g;
    list_add_tail(&m->in_group, &g->members);
    if (!g->users++) {
        d->n_groups++;
        igmp_joined(g);
    }
    refresh(g);
    return 0;
}

void mc_member_leave(struct mc_member *m)
{
    struct mc_group *g = m->joined;

    if (!g)
        return;
    list_del(&m->in_group);
    m->joined = NULL;
    refresh(g);
    if (!--g->users) {
        g->on->n_groups--;
        shut_out(g);
        igmp_left(g);
        mc_group_settle(g);
    }
}

void mc_member_refilter(struct mc_member *m, struct mc_filter *fresh)
{
    struct mc_filter old = m->filter;

    m->filter = *fresh;
    *fresh = (struct mc_filter){ .exclude = false };
    mc_filter_free(&old);
    if (m->joined)
        refresh(m->joined);
}

/* ---- what comes in ---- */

static struct igmp_state *state_of(struct net *net)
{
    return net->igmp;
}

bool mc_wanted(struct net_device *dev, be32 group, be32 saddr, uint8_t protocol)
{
    struct igmp_state *igmp = state_of(dev_net(dev));

    lock_acquire(&igmp->lock);
    const struct mc_group *g = mc_group_find(mc_device_of(dev), group);
    /* queries come from routers, whom no program lists */
    bool wanted = g && g->users && (protocol == IPPROTO_IGMP || mc_filter_passes(&g->filter, saddr));
    lock_release(&igmp->lock);
    return wanted;
}

bool mc_allowed(const struct sock *sk, be32 group, be32 saddr, uint32_t ifindex)
{
    struct igmp_state *igmp = state_of(sk->net);
    bool allowed = sk->mc_all; /* IP_MULTICAST_ALL: what somebody else of this host joined, too */

    if (!READ_ONCE(sk->mc_groups))
        return allowed;
    lock_acquire(&igmp->lock);
    for (const struct mc_member *m = sk->mc_groups; m; m = m->next) {
        if (be32_equal(m->group, group) && m->ifindex == ifindex) {
            allowed = mc_filter_passes(&m->filter, saddr);
            break;
        }
    }
    lock_release(&igmp->lock);
    return allowed;
}
