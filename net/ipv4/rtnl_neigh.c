/* net/ipv4/rtnl_neigh.c - neighbours by netlink, rtnetlink(7): RTM_GETNEIGH, RTM_NEWNEIGH, RTM_DELNEIGH, and
 * what becomes of them. Entries that answer for others (NTF_PROXY) are not made one by one. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/neigh.h"
#include "net/ipv4/rtnl.h"

enum { ATTRS = NDA_MASTER + 1, TICK = 10000000 /* ns: USER_HZ is 100 */ };

static const struct nl_rule rules[ATTRS] = {
    [NDA_DST] = { NL_MIN, 4 },    [NDA_LLADDR] = { NL_MIN, 1 },  [NDA_CACHEINFO] = { NL_ANY, 0 },
    [NDA_PROBES] = { NL_ANY, 0 }, [NDA_IFINDEX] = { NL_MIN, 4 }, [NDA_MASTER] = { NL_MIN, 4 },
};

/* ---- states: ours, and the bits that programs know ---- */

static const uint8_t bits_of_state[] = {
    [NEIGH_INCOMPLETE] = NUD_INCOMPLETE, [NEIGH_REACHABLE] = NUD_REACHABLE, [NEIGH_STALE] = NUD_STALE,
    [NEIGH_DELAY] = NUD_DELAY,           [NEIGH_PROBE] = NUD_PROBE,         [NEIGH_FAILED] = NUD_FAILED,
    [NEIGH_PERMANENT] = NUD_PERMANENT,
};

/* Of the states that can be asked for; false: of none. NOARP is what never is asked, so it stays. */
static bool state_of_bits(uint16_t bits, enum neigh_state *state)
{
    static const enum neigh_state settable[] = { NEIGH_PERMANENT, NEIGH_REACHABLE, NEIGH_PROBE,
                                                 NEIGH_DELAY,     NEIGH_STALE,     NEIGH_FAILED,
                                                 NEIGH_INCOMPLETE };

    for (unsigned i = 0; i < ARRAY_SIZE(settable); i++) {
        *state = settable[i];
        if (bits & bits_of_state[settable[i]])
            return *state != NEIGH_INCOMPLETE;
    }
    *state = NEIGH_PERMANENT;
    return bits & NUD_NOARP;
}

/* ---- telling ---- */

static uint32_t ticks_since(uint64_t then, uint64_t now)
{
    return (uint32_t)((now - MIN(then, now)) / TICK);
}

/* False: no room. */
static bool put_neighbour(struct sk_buff *skb, const struct nl_to *to, uint16_t type,
                          const struct neigh_info *info)
{
    const struct ndmsg fixed = { .ndm_family = AF_INET,
                                 .ndm_ifindex = (int32_t)info->ifindex,
                                 .ndm_state = bits_of_state[info->state],
                                 .ndm_type = RTN_UNICAST };
    const uint64_t now = time_now();
    const struct nda_cacheinfo cache = { .ndm_confirmed = ticks_since(info->confirmed_at, now),
                                         .ndm_used = ticks_since(info->used_at, now),
                                         .ndm_updated = ticks_since(info->updated_at, now) };
    struct nlmsg m = nlmsg_begin(skb, to, type, &fixed, sizeof fixed);

    nl_put(&m, NDA_DST, &info->ip, sizeof info->ip);
    if (info->state != NEIGH_INCOMPLETE && info->state != NEIGH_FAILED)
        nl_put(&m, NDA_LLADDR, info->mac, ETH_ALEN);
    nl_put_u32(&m, NDA_PROBES, info->tries);
    nl_put(&m, NDA_CACHEINFO, &cache, sizeof cache);
    return nlmsg_end(&m);
}

static void heard(struct net *net, const struct neigh_info *info)
{
    static const struct nl_to nobodys_doing;

    if (!nl_heard(net, RTNLGRP_NEIGH))
        return;
    struct sk_buff *skb = nl_event(net, RTNLGRP_NEIGH);
    if (skb && put_neighbour(skb, &nobodys_doing, info->gone ? RTM_DELNEIGH : RTM_NEWNEIGH, info))
        nl_publish(net, RTNLGRP_NEIGH, skb);
    else
        consume_skb(skb);
}

/* ---- asked ---- */

/* Which ones a dump is about: *ifindex 0: all. *none: those that answer for others; there are none. */
static int parse_dump(struct nl_request *r, uint32_t *ifindex, bool *none)
{
    const struct nlattr *attrs[ATTRS];
    const struct ndmsg *fixed = nl_header(&r->in, sizeof *fixed);

    *ifindex = 0;
    *none = fixed && fixed->ndm_flags & NTF_PROXY;
    if (!fixed)
        return r->in.strict ? -EINVAL : 0; /* an old program's struct rtgenmsg */
    if (r->in.strict && (fixed->ndm_ifindex || fixed->ndm_state || fixed->ndm_type))
        return nl_complain(&r->in, -EINVAL, "Invalid values in header for neighbor dump request", NULL);
    int err = nl_parse_message(&r->in, sizeof *fixed, rules, ATTRS, attrs);
    if (err)
        return err;
    *ifindex = attrs[NDA_IFINDEX] ? nl_u32(attrs[NDA_IFINDEX]) : 0;
    *none |= attrs[NDA_MASTER] && nl_u32(attrs[NDA_MASTER]); /* of a bridge: there is none */
    return 0;
}

struct dump {
    struct nl_request *r;
    uint32_t ifindex;
    uint64_t nth; /* of all entries */
    bool full;
};

static void dump_one(const struct neigh_info *info, void *arg)
{
    struct dump *d = arg;

    if (d->full || d->nth++ < d->r->at[0])
        return;
    if (!d->ifindex || info->ifindex == d->ifindex)
        d->full = !put_neighbour(d->r->skb, &d->r->to, RTM_NEWNEIGH, info);
    if (!d->full)
        d->r->at[0] = d->nth;
}

static int dump_neighbours(struct nl_request *r)
{
    struct dump d = { .r = r };
    bool none;
    int err = parse_dump(r, &d.ifindex, &none);

    if (!err && !none)
        neigh_for_each(r->net, dump_one, &d);
    return err ? err : d.full;
}

/* A request's attributes, and the device and the address that it names. */
static int parse_request(struct nl_request *r, const struct nlattr *attrs[ATTRS], struct net_device **dev,
                         be32 *ip)
{
    int err = nl_parse_message(&r->in, sizeof(struct ndmsg), rules, ATTRS, attrs);

    if (err)
        return err;
    const struct ndmsg *fixed = nl_header(&r->in, sizeof *fixed);
    if (!attrs[NDA_DST])
        return nl_complain(&r->in, -EINVAL, "Network address not specified", NULL);
    *ip = nl_be32(attrs[NDA_DST]);
    if (fixed->ndm_flags & NTF_PROXY)
        return nl_complain(&r->in, -EOPNOTSUPP, "there are no proxy entries here", NULL);
    if (fixed->ndm_ifindex <= 0)
        return nl_complain(&r->in, -EINVAL, "Invalid device", NULL);
    *dev = dev_get_by_index(r->net, (uint32_t)fixed->ndm_ifindex);
    return *dev ? 0 : -ENODEV;
}

static int get_neighbour(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS];
    struct net_device *dev = NULL;
    struct neigh_info info;
    be32 ip = { 0 };
    int err = parse_request(r, attrs, &dev, &ip);

    if (err)
        return err;
    if (neigh_get(dev, ip, &info))
        return nl_complain(&r->in, -ENOENT, "Neighbour entry not found", NULL);
    put_neighbour(r->skb, &r->to, RTM_NEWNEIGH, &info);
    return 0;
}

/* ---- set ---- */

static unsigned flags_of(uint16_t flags)
{
    return (flags & NLM_F_CREATE ? NEIGH_CREATE : 0u) | (flags & NLM_F_EXCL ? NEIGH_EXCLUSIVE : 0u) |
           (flags & NLM_F_REPLACE ? NEIGH_REPLACE : 0u);
}

static int new_neighbour(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS];
    struct net_device *dev = NULL;
    enum neigh_state state;
    be32 ip = { 0 };
    int err = parse_request(r, attrs, &dev, &ip);

    if (err)
        return err;
    const struct ndmsg *fixed = nl_header(&r->in, sizeof *fixed);
    const struct nlattr *mac = attrs[NDA_LLADDR];
    if (mac && nl_size(mac) < ETH_ALEN)
        return nl_complain(&r->in, -EINVAL, "Invalid link address", mac);
    if (dev->flags & NETDEV_LOOPBACK)
        return nl_complain(&r->in, -EOPNOTSUPP, "this link has no addresses to resolve", NULL);
    if (!state_of_bits(fixed->ndm_state, &state))
        return nl_complain(&r->in, -EINVAL, "Invalid state", NULL);
    err = neigh_set(dev, ip, mac ? nl_data(mac) : NULL, state, flags_of(r->in.message->nlmsg_flags));
    if (err == -EINVAL && !mac)
        return nl_complain(&r->in, err, "No link layer address given", NULL);
    return err;
}

static int delete_neighbour(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS];
    struct net_device *dev = NULL;
    be32 ip = { 0 };
    int err = parse_request(r, attrs, &dev, &ip);

    if (err)
        return err;
    return neigh_forget(dev, ip) ? -ENOENT : 0;
}

static const struct nl_handler handlers[] = {
    { .type = RTM_GETNEIGH, .family = AF_INET, .doit = get_neighbour, .dump = dump_neighbours },
    { .type = RTM_NEWNEIGH, .family = AF_INET, .doit = new_neighbour },
    { .type = RTM_DELNEIGH, .family = AF_INET, .doit = delete_neighbour },
};

void rtnl_neigh_init(struct net *net)
{
    nl_register(net, &net->ipv4->rtnl.neighbours, NETLINK_ROUTE, handlers, ARRAY_SIZE(handlers));
    neigh_listen(net, heard);
}

void rtnl_neigh_exit(struct net *net)
{
    neigh_listen(net, NULL);
    nl_unregister(&net->ipv4->rtnl.neighbours);
}
