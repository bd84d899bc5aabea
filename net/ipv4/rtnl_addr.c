/* net/ipv4/rtnl_addr.c - addresses by netlink, rtnetlink(7): RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. An
 * address with an end to its life is refused: nothing here would take it away. */
#include "lib/string.h"
#include "net/ipv4/ipv4.h"
#include "net/ipv4/rtnl.h"

enum { ATTRS = IFA_PROTO + 1, FOR_EVER = -1 /* a lifetime */, TICK = 10000000 /* ns: USER_HZ is 100 */ };

static const struct nl_rule rules[ATTRS] = {
    [IFA_LOCAL] = { NL_MIN, 4 },
    [IFA_ADDRESS] = { NL_MIN, 4 },
    [IFA_BROADCAST] = { NL_MIN, 4 },
    [IFA_LABEL] = { NL_STRING, IFNAMSIZ - 1 },
    [IFA_CACHEINFO] = { NL_MIN, sizeof(struct ifa_cacheinfo) },
    [IFA_FLAGS] = { NL_MIN, 4 },
    [IFA_RT_PRIORITY] = { NL_MIN, 4 },
    [IFA_PROTO] = { NL_MIN, 1 },
};

/* ---- telling ---- */

static void put_be32(struct nlmsg *m, uint16_t type, be32 addr)
{
    if (!ipv4_is_zero(addr))
        nl_put(m, type, &addr, sizeof addr);
}

/* ifa as a message. False: no room. */
static bool put_address(struct sk_buff *skb, const struct nl_to *to, uint16_t type,
                        const struct net_device *dev, const struct in_ifaddr *ifa)
{
    const struct ifaddrmsg fixed = { .ifa_family = AF_INET,
                                     .ifa_prefixlen = ifa->prefix_len,
                                     .ifa_flags = (uint8_t)ifa->flags,
                                     .ifa_scope = ifa->scope,
                                     .ifa_index = dev->ifindex };
    const struct ifa_cacheinfo life = { .ifa_prefered = (uint32_t)FOR_EVER,
                                        .ifa_valid = (uint32_t)FOR_EVER,
                                        .cstamp = (uint32_t)(ifa->made_at / TICK),
                                        .tstamp = (uint32_t)(ifa->changed_at / TICK) };
    struct nlmsg m = nlmsg_begin(skb, to, type, &fixed, sizeof fixed);

    put_be32(&m, IFA_ADDRESS, ifa->peer);
    put_be32(&m, IFA_LOCAL, ifa->local);
    put_be32(&m, IFA_BROADCAST, ifa->broadcast);
    nl_put_string(&m, IFA_LABEL, ifa->label);
    if (ifa->proto)
        nl_put_u8(&m, IFA_PROTO, ifa->proto);
    nl_put_u32(&m, IFA_FLAGS, ifa->flags);
    if (ifa->metric)
        nl_put_u32(&m, IFA_RT_PRIORITY, ifa->metric);
    nl_put(&m, IFA_CACHEINFO, &life, sizeof life);
    return nlmsg_end(&m);
}

void rtnl_addr_notify(struct net_device *dev, const struct in_ifaddr *ifa, uint16_t type)
{
    struct net *net = dev_net(dev);

    nl_changed(net);
    if (!nl_heard(net, RTNLGRP_IPV4_IFADDR))
        return;
    const struct nl_to to = nl_cause(net);
    struct sk_buff *skb = nl_event(net, RTNLGRP_IPV4_IFADDR);
    if (skb && put_address(skb, &to, type, dev, ifa))
        nl_publish(net, RTNLGRP_IPV4_IFADDR, skb);
    else
        consume_skb(skb);
}

/* ---- asked ---- */

/* Which addresses a strict dump is about: *ifindex 0: all. */
static int parse_dump(struct nl_request *r, uint32_t *ifindex)
{
    const struct nlattr *attrs[ATTRS];

    *ifindex = 0;
    if (!r->in.strict)
        return 0;
    const struct ifaddrmsg *fixed = nl_header(&r->in, sizeof *fixed);
    int err = fixed ? nl_parse_message(&r->in, sizeof *fixed, rules, ATTRS, attrs) : -EINVAL;
    if (err)
        return err;
    if (fixed->ifa_prefixlen || fixed->ifa_flags || fixed->ifa_scope)
        return nl_complain(&r->in, -EINVAL, "ipv4: Invalid values in header for address dump request", NULL);
    for (unsigned i = 0; i < ATTRS; i++)
        if (attrs[i])
            return nl_complain(&r->in, -EINVAL, "ipv4: Unsupported attribute in dump request", attrs[i]);
    *ifindex = fixed->ifa_index;
    return *ifindex && !dev_get_by_index(r->net, *ifindex) ? -ENODEV : 0;
}

/* From the r->at[1]th address of dev on. 1: there was no room. */
static int dump_device(struct nl_request *r, const struct net_device *dev)
{
    const struct in_ifaddr *ifa;
    uint64_t nth = 0;

    list_for_each_entry (ifa, &in_dev_get(dev)->addresses, link) {
        if (nth++ < r->at[1])
            continue;
        if (!put_address(r->skb, &r->to, RTM_NEWADDR, dev, ifa))
            return 1;
        r->at[1] = nth;
    }
    return 0;
}

/* at[0]: the devices that are done, at[1]: of the next one how many addresses are. */
static int dump_addresses(struct nl_request *r)
{
    uint32_t only;
    uint64_t nth = 0;
    int err = parse_dump(r, &only);

    for (struct net_device *dev = dev_next(r->net, NULL); dev && !err; dev = dev_next(r->net, dev)) {
        if (nth++ < r->at[0])
            continue;
        if (!only || dev->ifindex == only)
            err = dump_device(r, dev);
        if (!err)
            r->at[0] = nth, r->at[1] = 0;
    }
    return err;
}

/* ---- set ---- */

static int parse_life(struct nl_request *r, const struct nlattr *a)
{
    const struct ifa_cacheinfo *life = nl_data(a);

    if (!life->ifa_valid || life->ifa_prefered > life->ifa_valid)
        return nl_complain(&r->in, -EINVAL, "ipv4: address lifetime invalid", a);
    if (life->ifa_valid != (uint32_t)FOR_EVER || life->ifa_prefered != (uint32_t)FOR_EVER)
        return nl_complain(&r->in, -EOPNOTSUPP, "ipv4: an address lives for ever here", a);
    return 0;
}

/* The address that the request describes, of *dev. */
static int parse_address(struct nl_request *r, struct in_ifaddr *ifa, struct net_device **dev)
{
    const struct nlattr *attrs[ATTRS];
    int err = nl_parse_message(&r->in, sizeof(struct ifaddrmsg), rules, ATTRS, attrs);
    if (err)
        return err;
    const struct ifaddrmsg *fixed = nl_header(&r->in, sizeof *fixed);
    if (fixed->ifa_prefixlen > 32)
        return nl_complain(&r->in, -EINVAL, "ipv4: Invalid prefix length", NULL);
    if (!attrs[IFA_LOCAL])
        return nl_complain(&r->in, -EINVAL, "ipv4: Local address is not supplied", NULL);
    *dev = dev_get_by_index(r->net, fixed->ifa_index);
    if (!*dev)
        return nl_complain(&r->in, -ENODEV, "ipv4: Device not found", NULL);
    *ifa = (struct in_ifaddr){ .local = nl_be32(attrs[IFA_LOCAL]),
                               .prefix_len = fixed->ifa_prefixlen,
                               .scope = fixed->ifa_scope,
                               .flags = attrs[IFA_FLAGS] ? nl_u32(attrs[IFA_FLAGS]) : fixed->ifa_flags };
    ifa->peer = attrs[IFA_ADDRESS] ? nl_be32(attrs[IFA_ADDRESS]) : ifa->local;
    ifa->broadcast = attrs[IFA_BROADCAST] ? nl_be32(attrs[IFA_BROADCAST]) : (be32){ 0 };
    ifa->metric = attrs[IFA_RT_PRIORITY] ? nl_u32(attrs[IFA_RT_PRIORITY]) : 0;
    ifa->proto = attrs[IFA_PROTO] ? nl_u8(attrs[IFA_PROTO]) : 0;
    memcpy(ifa->label, (*dev)->name, sizeof ifa->label);
    if (attrs[IFA_LABEL])
        nl_string(attrs[IFA_LABEL], ifa->label, sizeof ifa->label);
    return attrs[IFA_CACHEINFO] ? parse_life(r, attrs[IFA_CACHEINFO]) : 0;
}

static int insert(struct nl_request *r, struct net_device *dev, const struct in_ifaddr *ifa)
{
    if (ipv4_is_zero(ifa->local))
        return 0; /* as Linux: none was wanted */
    int err = inet_insert_ifa(dev, ifa);
    if (err == -EINVAL)
        return nl_complain(&r->in, err, "ipv4: Invalid scope value", NULL);
    return err;
}

/* What of an address may change while it is there. */
static void change(struct net_device *dev, struct in_ifaddr *old, const struct in_ifaddr *new)
{
    if (old->metric != new->metric) {
        const struct in_ifaddr before = *old;
        old->metric = new->metric;
        inet_add_routes(dev, old);
        inet_remove_routes(dev, &before);
    }
    old->proto = new->proto;
    old->changed_at = time_now();
    rtnl_addr_notify(dev, old, RTM_NEWADDR);
}

static int new_address(struct nl_request *r)
{
    const uint16_t flags = r->in.message->nlmsg_flags;
    struct net_device *dev = NULL;
    struct in_ifaddr ifa;
    int err = parse_address(r, &ifa, &dev);

    if (err)
        return err;
    struct in_ifaddr *old = inet_find_ifa(dev, ifa.local, ifa.peer, ifa.prefix_len);
    if (!old)
        return insert(r, dev, &ifa);
    if (flags & NLM_F_EXCL || !(flags & NLM_F_REPLACE))
        return nl_complain(&r->in, -EEXIST, "ipv4: Address already assigned", NULL);
    change(dev, old, &ifa);
    return 0;
}

/* Is ifa what the attributes say, as far as they say something? */
static bool is_meant(const struct in_ifaddr *ifa, const struct nlattr *const attrs[ATTRS], uint8_t prefix_len)
{
    char label[IFNAMSIZ];

    if (attrs[IFA_LOCAL] && !be32_equal(ifa->local, nl_be32(attrs[IFA_LOCAL])))
        return false;
    if (attrs[IFA_LABEL]) {
        nl_string(attrs[IFA_LABEL], label, sizeof label);
        if (strcmp(ifa->label, label) != 0)
            return false;
    }
    if (!attrs[IFA_ADDRESS])
        return true;
    uint32_t differ = (ifa->peer.raw ^ nl_be32(attrs[IFA_ADDRESS]).raw) & inet_netmask(ifa->prefix_len).raw;
    return ifa->prefix_len == prefix_len && !differ;
}

static int delete_address(struct nl_request *r)
{
    const struct nlattr *attrs[ATTRS];
    struct in_ifaddr *ifa;
    int err = nl_parse_message(&r->in, sizeof(struct ifaddrmsg), rules, ATTRS, attrs);
    if (err)
        return err;
    const struct ifaddrmsg *fixed = nl_header(&r->in, sizeof *fixed);
    struct net_device *dev = dev_get_by_index(r->net, fixed->ifa_index);
    if (!dev)
        return nl_complain(&r->in, -ENODEV, "ipv4: Device not found", NULL);
    list_for_each_entry (ifa, &in_dev_get(dev)->addresses, link) {
        if (is_meant(ifa, attrs, fixed->ifa_prefixlen)) {
            inet_delete_ifa(dev, ifa);
            return 0;
        }
    }
    return nl_complain(&r->in, -EADDRNOTAVAIL, "ipv4: Address not found", NULL);
}

const struct nl_handler rtnl_addr_handlers[RTNL_ADDR_HANDLERS] = {
    { .type = RTM_NEWADDR, .family = AF_INET, .doit = new_address },
    { .type = RTM_DELADDR, .family = AF_INET, .doit = delete_address },
    { .type = RTM_GETADDR, .family = AF_INET, .dump = dump_addresses },
};
