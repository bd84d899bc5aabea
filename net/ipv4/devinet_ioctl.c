/* net/ipv4/devinet_ioctl.c - addresses as ifconfig sees them, netdevice(7): each has a label, the device's
 * name or "eth0:1", by which it is asked for and set. With the device's own name the first so labelled is
 * meant. */
#include "lib/string.h"
#include "net/ipv4/devinet.h"
#include "net/ipv4/ipv4.h"

static void put_address(struct sockaddr *to, be32 addr)
{
    const struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { .s_addr = addr.raw } };
    memcpy(to, &in, sizeof *to);
}

static int get_address(const struct sockaddr *from, be32 *addr)
{
    be16 port;
    return sockaddr_in_parse(from, sizeof *from, addr, &port);
}

/* ---- asked ---- */

static void get_addr(const struct in_ifaddr *ifa, struct ifreq *r)
{
    put_address(&r->ifr_addr, ifa->local);
}

static void get_dstaddr(const struct in_ifaddr *ifa, struct ifreq *r)
{
    put_address(&r->ifr_dstaddr, ifa->peer);
}

static void get_netmask(const struct in_ifaddr *ifa, struct ifreq *r)
{
    put_address(&r->ifr_netmask, inet_netmask(ifa->prefix_len));
}

static void get_broadcast(const struct in_ifaddr *ifa, struct ifreq *r)
{
    put_address(&r->ifr_broadaddr, ifa->broadcast);
}

/* ---- set: ifa is a copy, to be changed; old what it was, NULL if there was none ---- */

/* The prefix an address had before classes were given up; what SIOCSIFADDR still means without a netmask.
 * Below 0: no address of a host. */
static int class_prefix(be32 addr)
{
    uint32_t first = be32_to_cpu(addr) >> 24;

    if (!first)
        return 0;
    if (ipv4_is_multicast(addr) || ipv4_is_limited_broadcast(addr))
        return -EINVAL;
    return first < 128 ? 8 : first < 192 ? 16 : 24;
}

/* As ifconfig's users expect: it follows from address and netmask. */
static be32 usual_broadcast(const struct net_device *dev, be32 addr, uint8_t prefix_len)
{
    const bool has = dev_flags(dev, NETDEV_BROADCAST) && prefix_len < 31; /* RFC 3021 */

    return (be32){ has ? addr.raw | ~inet_netmask(prefix_len).raw : 0 };
}

static int set_addr(const struct net_device *dev, struct in_ifaddr *ifa, be32 addr)
{
    int len = class_prefix(addr);

    if (len < 0)
        return len;
    ifa->local = ifa->peer = addr;
    ifa->prefix_len = (uint8_t)len;
    ifa->broadcast = usual_broadcast(dev, addr, (uint8_t)len);
    ifa->scope = ipv4_is_loopback(addr) ? SCOPE_HOST : SCOPE_UNIVERSE;
    return 0;
}

static int set_netmask(const struct net_device *dev, struct in_ifaddr *ifa, be32 mask)
{
    int len = inet_prefix_len(mask);

    if (len < 0)
        return len;
    if (be32_equal(ifa->broadcast, usual_broadcast(dev, ifa->local, ifa->prefix_len)))
        ifa->broadcast = usual_broadcast(dev, ifa->local, (uint8_t)len);
    ifa->prefix_len = (uint8_t)len;
    return 0;
}

static int set_broadcast(const struct net_device *dev, struct in_ifaddr *ifa, be32 addr)
{
    (void)dev;
    ifa->broadcast = addr;
    return 0;
}

static int set_dstaddr(const struct net_device *dev, struct in_ifaddr *ifa, be32 addr)
{
    (void)dev;
    if (class_prefix(addr) < 0)
        return -EINVAL;
    ifa->peer = addr;
    return 0;
}

static const struct request {
    unsigned number;
    void (*get)(const struct in_ifaddr *ifa, struct ifreq *r);
    int (*set)(const struct net_device *dev, struct in_ifaddr *ifa, be32 addr);
} requests[] = {
    { SIOCGIFADDR, get_addr, NULL },         { SIOCSIFADDR, NULL, set_addr },
    { SIOCGIFDSTADDR, get_dstaddr, NULL },   { SIOCSIFDSTADDR, NULL, set_dstaddr },
    { SIOCGIFNETMASK, get_netmask, NULL },   { SIOCSIFNETMASK, NULL, set_netmask },
    { SIOCGIFBRDADDR, get_broadcast, NULL }, { SIOCSIFBRDADDR, NULL, set_broadcast },
};

/* ---- which one ---- */

struct net_device *inet_labelled(struct net *net, const char *label)
{
    char name[IFNAMSIZ];
    size_t n = 0;

    for (; n < sizeof name - 1 && label[n] && label[n] != ':'; n++)
        name[n] = label[n];
    name[n] = '\0';
    return dev_get_by_name(net, name);
}

/* By label; of several that have it the one whose address the request names, if it names one. */
static struct in_ifaddr *find_label(const struct net_device *dev, const struct ifreq *r)
{
    struct in_ifaddr *ifa, *first = NULL;
    be32 addr;
    bool named = !get_address(&r->ifr_addr, &addr);

    list_for_each_entry (ifa, &in_dev_get(dev)->addresses, link) {
        if (strcmp(ifa->label, r->ifr_name) != 0)
            continue;
        if (named && be32_equal(ifa->local, addr))
            return ifa;
        first = first ? first : ifa;
    }
    return first;
}

/* The first that bears this label, whatever address the request carries: that is the new one. */
static struct in_ifaddr *first_label(const struct net_device *dev, const struct ifreq *r)
{
    struct ifreq any = *r;

    any.ifr_addr.sa_family = AF_UNSPEC;
    return find_label(dev, &any);
}

static bool same(const struct in_ifaddr *a, const struct in_ifaddr *b)
{
    return be32_equal(a->local, b->local) && be32_equal(a->peer, b->peer) &&
           be32_equal(a->broadcast, b->broadcast) && a->prefix_len == b->prefix_len;
}

static int set(struct net_device *dev, const struct request *q, const struct ifreq *r)
{
    struct in_ifaddr *old = first_label(dev, r), new = { .scope = SCOPE_UNIVERSE };
    be32 addr;
    int err = get_address(&r->ifr_addr, &addr);

    if (err)
        return err;
    if (!old && q->set != set_addr)
        return -EADDRNOTAVAIL;
    if (old)
        new = *old;
    memcpy(new.label, r->ifr_name, sizeof new.label);
    if (q->set == set_addr && old && be32_equal(old->local, addr))
        return 0;
    err = q->set(dev, &new, addr);
    if (err || (old && same(old, &new)))
        return err;
    if (old)
        inet_delete_ifa(dev, old);
    return ipv4_is_zero(new.local) ? 0 : inet_insert_ifa(dev, &new);
}

int inet_address_ioctl(struct net *net, unsigned number, uintptr_t arg)
{
    const struct request *q = NULL;
    struct ifreq r;

    for (unsigned i = 0; i < ARRAY_SIZE(requests); i++)
        if (requests[i].number == number)
            q = &requests[i];
    if (!q)
        return -ENOTTY;
    int err = copy_from_user(&r, arg, sizeof r);
    if (err)
        return err;
    r.ifr_name[sizeof r.ifr_name - 1] = '\0';
    struct net_device *dev = inet_labelled(net, r.ifr_name);
    if (!dev)
        return -ENODEV;
    if (q->set)
        return set(dev, q, &r);
    const struct in_ifaddr *ifa = find_label(dev, &r);
    if (!ifa)
        return -EADDRNOTAVAIL;
    q->get(ifa, &r);
    return copy_to_user(arg, &r, sizeof r);
}

/* ---- all of them ---- */

int inet_list_addresses(struct net *net, uintptr_t arg)
{
    struct ifconf conf;
    int err = copy_from_user(&conf, arg, sizeof conf);
    int room = conf.ifc_len, used = 0;
    const struct in_ifaddr *ifa;

    for (struct net_device *dev = dev_next(net, NULL); dev && !err; dev = dev_next(net, dev)) {
        list_for_each_entry (ifa, &in_dev_get(dev)->addresses, link) {
            struct ifreq r = { 0 };
            if (err || (conf.ifc_buf && room - used < (int)sizeof r))
                break;
            memcpy(r.ifr_name, ifa->label, sizeof r.ifr_name);
            get_addr(ifa, &r);
            if (conf.ifc_buf)
                err = copy_to_user((uintptr_t)conf.ifc_buf + (unsigned)used, &r, sizeof r);
            used += (int)sizeof r;
        }
    }
    conf.ifc_len = used;
    return err ? err : copy_to_user(arg, &conf, sizeof conf);
}

int inet_alias_flags(struct net_device *dev, const struct ifreq *r)
{
    struct in_ifaddr *ifa = first_label(dev, r);

    if (!ifa)
        return -EADDRNOTAVAIL;
    if (!(r->ifr_flags & IFF_UP))
        inet_delete_ifa(dev, ifa);
    return 0;
}
