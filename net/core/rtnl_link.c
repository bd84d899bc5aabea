/* net/core/rtnl_link.c - links by netlink, rtnetlink(7): RTM_GETLINK, RTM_NEWLINK and RTM_SETLINK for devices
 * that are there. None is made or removed that way: RTM_DELLINK says so. */
#include "lib/string.h"
#include "net/core/netlink.h"

enum { NETDEV_LOWER_UP = 1 << 16 };                                   /* IFF_LOWER_UP */
enum { OPERSTATE_UNKNOWN = 0, OPERSTATE_DOWN = 2, OPERSTATE_UP = 6 }; /* RFC 2863 3.1.13 */
enum { LEAST_MTU = 68, ATTRS = IFLA_ALT_IFNAME + 1, ADDRESS_MOST = 32 /* Linux's MAX_ADDR_LEN */ };

static const struct nl_rule rules[ATTRS] = {
    [IFLA_ADDRESS] = { NL_MIN, 1 },
    [IFLA_BROADCAST] = { NL_MIN, 1 },
    [IFLA_IFNAME] = { NL_STRING, IFNAMSIZ - 1 },
    [IFLA_ALT_IFNAME] = { NL_STRING, 127 },
    [IFLA_MTU] = { NL_MIN, 4 },
    [IFLA_TXQLEN] = { NL_MIN, 4 },
    [IFLA_EXT_MASK] = { NL_MIN, 4 },
    [IFLA_LINKINFO] = { NL_NESTED, 0 },
    [IFLA_MASTER] = { NL_MIN, 4 },
    /* what no device here has: it is not ignored when it is to be set */
    [IFLA_LINK] = { NL_ANY, 0 },
    [IFLA_IFALIAS] = { NL_ANY, 0 },
    [IFLA_GROUP] = { NL_ANY, 0 },
    [IFLA_LINKMODE] = { NL_ANY, 0 },
    [IFLA_OPERSTATE] = { NL_ANY, 0 },
    [IFLA_CARRIER] = { NL_ANY, 0 },
};
static const uint8_t not_settable[] = { IFLA_BROADCAST, IFLA_MASTER,  IFLA_LINK,
                                        IFLA_IFALIAS,   IFLA_GROUP,   IFLA_LINKMODE,
                                        IFLA_OPERSTATE, IFLA_CARRIER, IFLA_ALT_IFNAME };

/* ---- telling ---- */

static uint32_t flags_of(const struct net_device *dev)
{
    uint32_t flags = READ_ONCE(dev->flags);

    if (flags & NETDEV_UP && dev->carrier)
        flags |= NETDEV_RUNNING | NETDEV_LOWER_UP;
    return flags;
}

static uint8_t operstate_of(const struct net_device *dev)
{
    if (!dev_flags(dev, NETDEV_UP) || !READ_ONCE(dev->carrier))
        return OPERSTATE_DOWN;
    return dev_flags(dev, NETDEV_LOOPBACK) ? OPERSTATE_UNKNOWN : OPERSTATE_UP;
}

static const char *qdisc_of(const struct net_device *dev)
{
    if (!dev_flags(dev, NETDEV_UP))
        return "noop";
    return dev_flags(dev, NETDEV_LOOPBACK) ? "noqueue" : "pfifo";
}

static void put_stats(struct nlmsg *m, struct net_device *dev)
{
    struct net_device_stats s;
    union {
        struct rtnl_link_stats64 stats;
        uint64_t words[sizeof(struct rtnl_link_stats64) / 8];
    } wide = { 0 };
    uint32_t narrow[ARRAY_SIZE(wide.words)];

    dev_get_stats(dev, &s);
    wide.stats.rx_packets = s.rx_packets;
    wide.stats.tx_packets = s.tx_packets;
    wide.stats.rx_bytes = s.rx_bytes;
    wide.stats.tx_bytes = s.tx_bytes;
    wide.stats.rx_errors = s.rx_errors;
    wide.stats.tx_errors = s.tx_errors;
    wide.stats.rx_dropped = s.rx_dropped;
    wide.stats.tx_dropped = s.tx_dropped;
    wide.stats.rx_missed_errors = s.rx_no_buffer;
    for (unsigned i = 0; i < ARRAY_SIZE(narrow); i++)
        narrow[i] = (uint32_t)wide.words[i]; /* the same fields in the same order */
    nl_put(m, IFLA_STATS64, &wide, sizeof wide);
    nl_put(m, IFLA_STATS, narrow, sizeof narrow);
}
_Static_assert(sizeof(struct rtnl_link_stats) * 2 == sizeof(struct rtnl_link_stats64), "field by field");

/* dev as a message. False: no room. */
static bool put_link(struct sk_buff *skb, const struct nl_to *to, uint16_t type, struct net_device *dev,
                     uint32_t change, bool stats)
{
    const struct ifinfomsg info = { .ifi_type = dev->type,
                                    .ifi_index = (int)dev->ifindex,
                                    .ifi_flags = flags_of(dev),
                                    .ifi_change = change };
    struct nlmsg m = nlmsg_begin(skb, to, type, &info, sizeof info);

    nl_put_string(&m, IFLA_IFNAME, dev->name);
    nl_put_u32(&m, IFLA_TXQLEN, dev->tx_queue_len);
    nl_put_u8(&m, IFLA_OPERSTATE, operstate_of(dev));
    nl_put_u8(&m, IFLA_LINKMODE, 0);
    nl_put_u32(&m, IFLA_MTU, READ_ONCE(dev->mtu));
    nl_put_u32(&m, IFLA_MIN_MTU, LEAST_MTU);
    nl_put_u32(&m, IFLA_MAX_MTU, dev->max_mtu);
    nl_put_u32(&m, IFLA_GROUP, 0);
    nl_put_u32(&m, IFLA_PROMISCUITY, dev->promiscuity);
    nl_put_u32(&m, IFLA_NUM_TX_QUEUES, 1);
    nl_put_u32(&m, IFLA_NUM_RX_QUEUES, 1);
    nl_put_u8(&m, IFLA_CARRIER, dev->carrier);
    nl_put_string(&m, IFLA_QDISC, qdisc_of(dev));
    nl_put(&m, IFLA_ADDRESS, dev->dev_addr, ETH_ALEN);
    nl_put(&m, IFLA_BROADCAST, dev->broadcast, ETH_ALEN);
    if (stats)
        put_stats(&m, dev);
    return nlmsg_end(&m);
}

void rtnl_link_notify(struct net_device *dev, uint16_t type, uint32_t change)
{
    struct net *net = dev_net(dev);

    nl_changed(net);
    if (!nl_heard(net, RTNLGRP_LINK))
        return;
    const struct nl_to to = nl_cause(net);
    struct sk_buff *skb = nl_event(net, RTNLGRP_LINK);
    if (skb && put_link(skb, &to, type, dev, change, true))
        nl_publish(net, RTNLGRP_LINK, skb);
    else
        consume_skb(skb);
}

/* ---- asked ---- */

static bool wants_stats(const struct nlattr *const attrs[ATTRS])
{
    return !attrs[IFLA_EXT_MASK] || !(nl_u32(attrs[IFLA_EXT_MASK]) & RTEXT_FILTER_SKIP_STATS);
}

/* A strict dump's fixed part asks for nothing. */
static int check_dump(struct nl_request *r)
{
    const struct ifinfomsg *info = nl_header(&r->in, sizeof *info);

    if (!r->in.strict || !info)
        return info || !r->in.strict ? 0 : -EINVAL;
    if (info->ifi_pad || info->ifi_type || info->ifi_flags || info->ifi_change)
        return nl_complain(&r->in, -EINVAL, "Invalid values in header for link dump request", NULL);
    if (info->ifi_index)
        return nl_complain(&r->in, -EINVAL, "Filter by device index not supported for link dumps", NULL);
    return 0;
}

static struct net_device *next_link(struct net *net, uint64_t after)
{
    struct net_device *best = NULL;

    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev))
        if (dev->ifindex > after && (!best || dev->ifindex < best->ifindex))
            best = dev;
    return best;
}

static int dump_links(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS] = { NULL };
    struct net_device *dev;
    int err = check_dump(r);

    if (!err && r->in.message->nlmsg_len >= NLMSG_HDRLEN + sizeof(struct ifinfomsg))
        err = nl_parse_message(&r->in, sizeof(struct ifinfomsg), rules, ATTRS, attrs);
    if (err)
        return err;
    if (attrs[IFLA_LINKINFO] || attrs[IFLA_MASTER]) /* those of a kind, of a bridge: there are none */
        return 0;
    while ((dev = next_link(r->net, r->at[0]))) {
        if (!put_link(r->skb, &r->to, RTM_NEWLINK, dev, 0, wants_stats(attrs)))
            return 1;
        r->at[0] = dev->ifindex;
    }
    return 0;
}

/* The device that a request names, by index or by name. 0 or -EINVAL, -ENODEV. */
static int find_link(struct nl_request *r, const struct nlattr *const attrs[ATTRS], struct net_device **dev)
{
    const struct ifinfomsg *info = nl_header(&r->in, sizeof *info);
    const struct nlattr *name = attrs[IFLA_IFNAME] ? attrs[IFLA_IFNAME] : attrs[IFLA_ALT_IFNAME];
    char text[IFNAMSIZ];

    if (info->ifi_index < 0)
        return nl_complain(&r->in, -EINVAL, "ifindex can't be negative", NULL);
    if (!info->ifi_index && !name)
        return -EINVAL;
    if (info->ifi_index) {
        *dev = dev_get_by_index(r->net, (uint32_t)info->ifi_index);
    } else {
        nl_string(name, text, sizeof text);
        *dev = dev_get_by_name(r->net, text);
    }
    return *dev ? 0 : -ENODEV;
}

static bool names_a_link(struct nl_request *r, const struct nlattr *const attrs[ATTRS])
{
    const struct ifinfomsg *info = nl_header(&r->in, sizeof *info);

    return info->ifi_index || attrs[IFLA_IFNAME] || attrs[IFLA_ALT_IFNAME];
}

static int get_link(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS];
    struct net_device *dev;
    int err = nl_parse_message(&r->in, sizeof(struct ifinfomsg), rules, ATTRS, attrs);

    if (!err)
        err = find_link(r, attrs, &dev);
    if (err)
        return err;
    return put_link(r->skb, &r->to, RTM_NEWLINK, dev, 0, wants_stats(attrs)) ? 0 : -EMSGSIZE;
}

/* ---- set ---- */

static int set_address(struct nl_request *r, struct net_device *dev, const struct nlattr *a)
{
    if (nl_size(a) < ETH_ALEN)
        return -EINVAL;
    (void)r;
    return dev_set_address(dev, nl_data(a));
}

static int set_mtu(struct nl_request *r, struct net_device *dev, const struct nlattr *a)
{
    uint32_t mtu = nl_u32(a);

    if (mtu < LEAST_MTU)
        return nl_complain(&r->in, -EINVAL, "mtu less than device minimum", NULL);
    if (mtu > dev->max_mtu)
        return nl_complain(&r->in, -EINVAL, "mtu greater than device maximum", NULL);
    return dev_set_mtu(dev, mtu);
}

static int set_name(struct nl_request *r, struct net_device *dev, const struct nlattr *a)
{
    const struct ifinfomsg *info = nl_header(&r->in, sizeof *info);
    char name[IFNAMSIZ];

    nl_string(a, name, sizeof name);
    return info->ifi_index ? dev_rename(dev, name) : 0; /* without an index it said which one */
}

static int set_txqlen(struct nl_request *r, struct net_device *dev, const struct nlattr *a)
{
    if (nl_u32(a) > INT32_MAX)
        return nl_complain(&r->in, -ERANGE, "tx_queue_len out of range", NULL);
    return dev_set_tx_queue_len(dev, nl_u32(a));
}

/* Those flags that ifi_change names, or all of them where it names none: as Linux reads it. */
static int set_flags(struct nl_request *r, struct net_device *dev)
{
    const struct ifinfomsg *info = nl_header(&r->in, sizeof *info);
    uint32_t flags = info->ifi_flags;

    if (!info->ifi_flags && !info->ifi_change)
        return 0;
    if (info->ifi_change)
        flags = (flags & info->ifi_change) | (READ_ONCE(dev->flags) & ~info->ifi_change);
    return dev_change_flags(dev, flags);
}

/* In Linux's order; what was done before an error stays done. */
static int set_link(struct nl_request *r, struct net_device *dev, const struct nlattr *const attrs[ATTRS])
{
    int err = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(not_settable); i++)
        if (attrs[not_settable[i]] && (not_settable[i] != IFLA_ALT_IFNAME || attrs[IFLA_IFNAME]))
            return nl_complain(&r->in, -EOPNOTSUPP, "not a thing that can be set here",
                               attrs[not_settable[i]]);
    if (attrs[IFLA_ADDRESS])
        err = set_address(r, dev, attrs[IFLA_ADDRESS]);
    if (!err && attrs[IFLA_MTU])
        err = set_mtu(r, dev, attrs[IFLA_MTU]);
    if (!err && attrs[IFLA_IFNAME])
        err = set_name(r, dev, attrs[IFLA_IFNAME]);
    if (!err)
        err = set_flags(r, dev);
    if (!err && attrs[IFLA_TXQLEN])
        err = set_txqlen(r, dev, attrs[IFLA_TXQLEN]);
    return err;
}

static int new_link(struct nl_request *r)
{
    const uint16_t flags = r->in.message->nlmsg_flags;
    const struct nlattr *attrs[ATTRS];
    struct net_device *dev = NULL;
    int err = nl_parse_message(&r->in, sizeof(struct ifinfomsg), rules, ATTRS, attrs);

    if (err)
        return err;
    err = names_a_link(r, attrs)                     ? find_link(r, attrs, &dev)
          : r->in.message->nlmsg_type == RTM_NEWLINK ? -ENODEV
                                                     : -EINVAL;
    bool make = r->in.message->nlmsg_type == RTM_NEWLINK && flags & NLM_F_CREATE;
    if (err && err != -ENODEV)
        return err;
    if (!dev)
        return make ? nl_complain(&r->in, -EOPNOTSUPP, "Unknown device type", NULL) : -ENODEV;
    if (r->in.message->nlmsg_type == RTM_NEWLINK && flags & NLM_F_EXCL)
        return -EEXIST;
    return set_link(r, dev, attrs);
}

/* Every device here is a card, or lo. */
static int del_link(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS];
    struct net_device *dev;
    int err = nl_parse_message(&r->in, sizeof(struct ifinfomsg), rules, ATTRS, attrs);

    if (!err)
        err = find_link(r, attrs, &dev);
    return err ? err : -EOPNOTSUPP;
}

static const struct nl_handler handlers[] = {
    { .type = RTM_GETLINK, .doit = get_link, .dump = dump_links },
    { .type = RTM_NEWLINK, .doit = new_link },
    { .type = RTM_SETLINK, .doit = new_link },
    { .type = RTM_DELLINK, .doit = del_link },
};

/* ---- carriers ---- */

/* A driver saw a cable come or go. devices_lock guards carrier_told. */
static void tell_carriers(struct softirq *s)
{
    struct net *net = container_of(s, struct net, nl.carriers);
    struct net_device *dev;

    lock_acquire(&net->devices_lock);
    list_for_each_entry (dev, &net->devices, link) {
        bool carrier = READ_ONCE(dev->carrier);
        if (dev->carrier_told != carrier && dev_flags(dev, NETDEV_UP)) {
            dev->carrier_told = carrier;
            rtnl_link_notify(dev, RTM_NEWLINK, 0);
        }
    }
    lock_release(&net->devices_lock);
}

/* ---- life ---- */

void rtnl_link_init(struct net *net)
{
    softirq_open(&net->nl.carriers, SOFTIRQ_NET_TX, tell_carriers);
    nl_register(net, &net->nl.links, NETLINK_ROUTE, handlers, ARRAY_SIZE(handlers));
}

void rtnl_link_settle(struct net *net)
{
    softirq_settle(&net->nl.carriers);
}
