/* net/igmp/sockopt.c - the options of SOL_IP that concern groups, ip(7); RFC 3678.
 * Each comes in an old form, with the device given by one of its addresses, and in a new one, with its
 * number. Both are brought into one struct request; what is done with it does not ask which it was. */
#include "lib/string.h"
#include "net/igmp/igmp.h"
#include "net/ipv4/inet_ports.h"

struct request {
    be32 group, source;
    be32 address;     /* of the device, or zero */
    uint32_t ifindex; /* or zero */
};

enum { SOURCES_MOST = 4096 };

/* ---- which device ---- */

/* The one that is named, else the one by which the group is reached. NULL: there is none, or no memory to
 * find it. */
static struct net_device *device_of(struct net *net, const struct request *r)
{
    struct dst_entry *dst;

    if (r->ifindex)
        return dev_get_by_index(net, r->ifindex);
    if (!ipv4_is_zero(r->address))
        return inet_device_by_address(net, r->address);
    if (ip_route_output(net, r->group, (be32){ 0 }, 0, &dst))
        return NULL;
    struct net_device *dev = dst->dev;
    dst_release(dst);
    return dev;
}

/* ---- memberships of a socket: IGMP lock held ---- */

static struct mc_member *find(const struct sock *sk, be32 group, uint32_t ifindex)
{
    struct mc_member *m = sk->mc_groups;

    while (m && !(be32_equal(m->group, group) && m->ifindex == ifindex))
        m = m->next;
    return m;
}

/* The one that a request to leave means: no device named matches any. */
static struct mc_member **find_named(struct sock *sk, const struct request *r, uint32_t ifindex)
{
    struct mc_member **p;

    for (p = &sk->mc_groups; *p; p = &(*p)->next) {
        const struct mc_member *m = *p;
        if (!be32_equal(m->group, r->group))
            continue;
        if (r->ifindex ? m->ifindex == ifindex : ipv4_is_zero(r->address) || m->ifindex == ifindex)
            break;
    }
    return p;
}

static int count(const struct sock *sk)
{
    int n = 0;

    for (const struct mc_member *m = sk->mc_groups; m; m = m->next)
        n++;
    return n;
}

static void remove(struct mc_member **place)
{
    struct mc_member *m = *place;

    WRITE_ONCE(*place, m->next);
    mc_member_leave(m);
    mc_filter_free(&m->filter);
    mem_free(m);
}

/* Become a member of r's group on dev: for all sources, or for r's alone. */
static int join(struct sock *sk, const struct request *r, struct net_device *dev, bool exclude)
{
    if (find(sk, r->group, dev->ifindex))
        return -EADDRINUSE;
    if (count(sk) >= READ_ONCE(sk->net->igmp->knobs.max_memberships))
        return -ENOBUFS;
    struct mc_member *m = mem_alloc(sizeof *m);
    if (!m)
        return -ENOMEM;
    m->group = r->group;
    m->address = r->address;
    m->ifindex = dev->ifindex;
    m->filter.exclude = exclude;
    list_init(&m->in_group);
    int err = exclude ? 0 : mc_filter_add(&m->filter, r->source);
    if (!err)
        err = mc_member_join(mc_device_of(dev), m);
    if (err) {
        mc_filter_free(&m->filter);
        mem_free(m);
        return err;
    }
    m->next = sk->mc_groups;
    WRITE_ONCE(sk->mc_groups, m);
    return 0;
}

static int leave(struct sock *sk, const struct request *r, const struct net_device *dev)
{
    struct mc_member **place = find_named(sk, r, dev ? dev->ifindex : r->ifindex);

    if (!*place)
        return dev ? -EADDRNOTAVAIL : -ENODEV;
    remove(place);
    return 0;
}

/* ---- sources ---- */

static int copy_filter(const struct mc_filter *from, struct mc_filter *to)
{
    *to = (struct mc_filter){ .exclude = from->exclude };
    for (uint32_t i = 0; i < from->n; i++) {
        int err = mc_filter_add(to, from->sources[i]);
        if (err) {
            mc_filter_free(to);
            return err;
        }
    }
    return 0;
}

/* One source more (or less) in m's list, which says "all but these" or "only these". An empty list takes on
 * either meaning, as in Linux. 0 or -errno. */
static int change_source(struct mc_member *m, be32 source, bool exclude, bool more, int32_t most)
{
    struct mc_filter fresh;

    if (m->filter.n && m->filter.exclude != exclude)
        return -EINVAL;
    if (mc_filter_has(&m->filter, source) == more)
        return -EADDRNOTAVAIL;
    if (more && m->filter.n >= (uint32_t)most)
        return -ENOBUFS;
    int err = copy_filter(&m->filter, &fresh);
    if (err)
        return err;
    fresh.exclude = exclude;
    if (more)
        err = mc_filter_add(&fresh, source);
    else
        mc_filter_remove(&fresh, source);
    if (!err)
        mc_member_refilter(m, &fresh);
    mc_filter_free(&fresh);
    return err;
}

static int one_source(struct sock *sk, const struct request *r, struct net_device *dev, bool exclude,
                      bool more)
{
    struct mc_member *m = find(sk, r->group, dev->ifindex);
    struct mc_member **place = &sk->mc_groups;

    if (!m)
        return !exclude && more ? join(sk, r, dev, false) : -EINVAL;
    if (exclude || more || m->filter.exclude || m->filter.n != 1 || !mc_filter_has(&m->filter, r->source))
        return change_source(m, r->source, exclude, more, READ_ONCE(sk->net->igmp->knobs.max_sources));
    while (*place != m) /* RFC 3678 4.1.3: without the last source it is out of the group */
        place = &(*place)->next;
    remove(place);
    return 0;
}

/* The whole list at once; *fresh is taken. */
static int whole_filter(struct sock *sk, const struct request *r, struct net_device *dev,
                        struct mc_filter *fresh)
{
    struct mc_member *m = find(sk, r->group, dev->ifindex);

    if (!fresh->exclude && !fresh->n)
        return leave(sk, r, dev);
    if (fresh->n > (uint32_t)READ_ONCE(sk->net->igmp->knobs.max_sources))
        return -ENOBUFS;
    if (!m)
        return -EINVAL;
    mc_member_refilter(m, fresh);
    return 0;
}

/* ---- options: read ---- */

/* The group or source in a struct sockaddr_storage. */
static int parse_address(const struct sockaddr_storage *storage, be32 *address)
{
    struct sockaddr_in in;

    memcpy(&in, storage, sizeof in);
    *address = (be32){ in.sin_addr.s_addr };
    return in.sin_family == AF_INET ? 0 : -EINVAL;
}

static int parse_mreq(const void *value, socklen_t len, struct request *r)
{
    struct ip_mreqn mreq = { .imr_ifindex = 0 };

    if (len < sizeof(struct ip_mreq))
        return -EINVAL;
    memcpy(&mreq, value, len < sizeof mreq ? sizeof(struct ip_mreq) : sizeof mreq);
    if (mreq.imr_ifindex < 0)
        return -EINVAL;
    *r = (struct request){ .group = { mreq.imr_multiaddr.s_addr },
                           .address = { mreq.imr_address.s_addr },
                           .ifindex = (uint32_t)mreq.imr_ifindex };
    return 0;
}

static int parse_mreq_source(const void *value, socklen_t len, struct request *r)
{
    struct ip_mreq_source mreq;

    if (len != sizeof mreq)
        return -EINVAL;
    memcpy(&mreq, value, sizeof mreq);
    *r = (struct request){ .group = { mreq.imr_multiaddr.s_addr },
                           .source = { mreq.imr_sourceaddr.s_addr },
                           .address = { mreq.imr_interface.s_addr } };
    return 0;
}

static int parse_group_req(const void *value, socklen_t len, struct request *r)
{
    struct group_req req;

    if (len < sizeof req)
        return -EINVAL;
    memcpy(&req, value, sizeof req);
    *r = (struct request){ .ifindex = req.gr_interface };
    return parse_address(&req.gr_group, &r->group);
}

static int parse_group_source_req(const void *value, socklen_t len, struct request *r)
{
    struct group_source_req req;

    if (len != sizeof req)
        return -EINVAL;
    memcpy(&req, value, sizeof req);
    *r = (struct request){ .ifindex = req.gsr_interface };
    int err = parse_address(&req.gsr_group, &r->group);
    if (!err && parse_address(&req.gsr_source, &r->source))
        err = -EADDRNOTAVAIL;
    return err;
}

/* Which kind a request is, whatever its form. */
enum action { JOIN, LEAVE, INCLUDE_MORE, INCLUDE_LESS, EXCLUDE_MORE, EXCLUDE_LESS };

static const struct form {
    int option;
    enum action action;
    int (*parse)(const void *value, socklen_t len, struct request *r);
} forms[] = {
    { IP_ADD_MEMBERSHIP, JOIN, parse_mreq },
    { IP_DROP_MEMBERSHIP, LEAVE, parse_mreq },
    { IP_ADD_SOURCE_MEMBERSHIP, INCLUDE_MORE, parse_mreq_source },
    { IP_DROP_SOURCE_MEMBERSHIP, INCLUDE_LESS, parse_mreq_source },
    { IP_BLOCK_SOURCE, EXCLUDE_MORE, parse_mreq_source },
    { IP_UNBLOCK_SOURCE, EXCLUDE_LESS, parse_mreq_source },
    { MCAST_JOIN_GROUP, JOIN, parse_group_req },
    { MCAST_LEAVE_GROUP, LEAVE, parse_group_req },
    { MCAST_JOIN_SOURCE_GROUP, INCLUDE_MORE, parse_group_source_req },
    { MCAST_LEAVE_SOURCE_GROUP, INCLUDE_LESS, parse_group_source_req },
    { MCAST_BLOCK_SOURCE, EXCLUDE_MORE, parse_group_source_req },
    { MCAST_UNBLOCK_SOURCE, EXCLUDE_LESS, parse_group_source_req },
};

static int act(struct sock *sk, enum action action, const struct request *r, struct net_device *dev)
{
    switch (action) {
    case LEAVE:
        return leave(sk, r, dev);
    case JOIN:
        return join(sk, r, dev, true);
    default:
        return one_source(sk, r, dev, action == EXCLUDE_MORE || action == EXCLUDE_LESS,
                          action == INCLUDE_MORE || action == EXCLUDE_MORE);
    }
}

static int set_by_form(struct sock *sk, const struct form *form, const void *value, socklen_t len)
{
    struct igmp_state *igmp = sk->net->igmp;
    struct request r;
    int err = form->parse(value, len, &r);

    if (err)
        return err;
    if (sk->type == SOCK_STREAM)
        return -EPROTO;
    if (!ipv4_is_multicast(r.group))
        return form->action == LEAVE ? -EADDRNOTAVAIL : -EINVAL;
    struct net_device *dev = device_of(sk->net, &r);
    if (!dev && form->action != LEAVE)
        return -ENODEV;
    lock_acquire(&igmp->lock);
    err = act(sk, form->action, &r, dev);
    lock_release(&igmp->lock);
    return err;
}

/* ---- whole filters ---- */

/* IP_MSFILTER and MCAST_MSFILTER begin so; the sources follow at so many bytes, each so large. */
struct filter_form {
    struct request r;
    uint32_t mode, n;
    size_t sources_at, source_size;
};

static int parse_filter(int option, const void *value, socklen_t len, struct filter_form *f)
{
    struct ip_msfilter old;
    struct group_filter new;

    if (option == IP_MSFILTER) {
        *f = (struct filter_form){ .sources_at = offsetof(struct ip_msfilter, imsf_slist),
                                   .source_size = sizeof old.imsf_slist[0] };
        if (len < f->sources_at)
            return -EINVAL;
        memcpy(&old, value, f->sources_at);
        f->r.group.raw = old.imsf_multiaddr.s_addr;
        f->r.address.raw = old.imsf_interface.s_addr;
        f->mode = old.imsf_fmode;
        f->n = old.imsf_numsrc;
        return 0;
    }
    *f = (struct filter_form){ .sources_at = offsetof(struct group_filter, gf_slist),
                               .source_size = sizeof new.gf_slist[0] };
    if (len < f->sources_at)
        return -EINVAL;
    memcpy(&new, value, f->sources_at);
    f->r.ifindex = new.gf_interface;
    f->mode = new.gf_fmode;
    f->n = new.gf_numsrc;
    return parse_address(&new.gf_group, &f->r.group);
}

static int parse_sources(int option, const uint8_t *at, const struct filter_form *f, struct mc_filter *filter)
{
    int err = 0;

    *filter = (struct mc_filter){ .exclude = f->mode == MCAST_EXCLUDE };
    for (uint32_t i = 0; i < f->n && !err; i++) {
        be32 source;
        if (option == IP_MSFILTER)
            memcpy(&source, at + i * f->source_size, sizeof source);
        else
            err = parse_address((const struct sockaddr_storage *)(at + i * f->source_size), &source);
        if (!err)
            err = mc_filter_add(filter, source);
    }
    return err;
}

static int set_filter(struct sock *sk, int option, const void *value, socklen_t len)
{
    struct igmp_state *igmp = sk->net->igmp;
    struct mc_filter filter;
    struct filter_form f;
    int err = parse_filter(option, value, len, &f);

    if (err)
        return err;
    if (f.n > SOURCES_MOST)
        return -ENOBUFS;
    if (f.sources_at + f.n * f.source_size > len || f.mode > MCAST_INCLUDE || !ipv4_is_multicast(f.r.group))
        return -EINVAL;
    struct net_device *dev = device_of(sk->net, &f.r);
    if (!dev)
        return -ENODEV;
    err = parse_sources(option, (const uint8_t *)value + f.sources_at, &f, &filter);
    if (!err) {
        lock_acquire(&igmp->lock);
        err = whole_filter(sk, &f.r, dev, &filter);
        lock_release(&igmp->lock);
    }
    mc_filter_free(&filter);
    return err;
}

/* Write mode, number, and as many sources as the caller has room for back into value. */
static void give_filter(int option, const struct mc_filter *filter, const struct filter_form *f, void *value)
{
    const uint32_t numbers[2] = { filter->exclude ? MCAST_EXCLUDE : MCAST_INCLUDE, filter->n };
    uint8_t *at = (uint8_t *)value + f->sources_at;

    memcpy(at - sizeof numbers, numbers, sizeof numbers);
    for (uint32_t i = 0; i < MIN(f->n, filter->n); i++, at += f->source_size) {
        if (option == IP_MSFILTER)
            memcpy(at, &filter->sources[i], sizeof(be32));
        else
            sockaddr_in_make((struct sockaddr_storage *)at, filter->sources[i], cpu_to_be16(0));
    }
}

static int get_filter(struct sock *sk, int option, void *value, socklen_t *len)
{
    struct igmp_state *igmp = sk->net->igmp;
    struct filter_form f;
    int err = parse_filter(option, value, *len, &f);

    if (err)
        return err;
    if (!ipv4_is_multicast(f.r.group))
        return -EINVAL;
    f.n = MIN(f.n, (uint32_t)((*len - f.sources_at) / f.source_size));
    const struct net_device *dev = device_of(sk->net, &f.r);
    if (!dev)
        return -ENODEV;
    lock_acquire(&igmp->lock);
    const struct mc_member *m = find(sk, f.r.group, dev->ifindex);
    if (m) {
        give_filter(option, &m->filter, &f, value);
        *len = (socklen_t)(f.sources_at + MIN(f.n, m->filter.n) * f.source_size);
    }
    lock_release(&igmp->lock);
    return m ? 0 : -EADDRNOTAVAIL;
}

/* ---- IP_MULTICAST_*: what is sent ---- */

static int parse_number(const void *value, socklen_t len, int *number)
{
    if (len >= sizeof *number)
        memcpy(number, value, sizeof *number);
    else if (len)
        *number = *(const uint8_t *)value;
    else
        return -EINVAL;
    return 0;
}

/* By which device groups are sent to: an address (struct in_addr), or one of the forms that name a group. */
static int set_interface(struct sock *sk, const void *value, socklen_t len)
{
    struct request r = { .ifindex = 0 };
    int err = 0;

    if (len >= sizeof(struct ip_mreq))
        err = parse_mreq(value, len, &r);
    else if (len >= sizeof r.address)
        memcpy(&r.address, value, sizeof r.address);
    else
        err = -EINVAL;
    if (err || sk->type == SOCK_STREAM)
        return -EINVAL;
    const struct net_device *dev = r.ifindex || !ipv4_is_zero(r.address) ? device_of(sk->net, &r) : NULL;
    if (!dev && (r.ifindex || !ipv4_is_zero(r.address)))
        return -EADDRNOTAVAIL;
    if (dev && sk->bound_ifindex && sk->bound_ifindex != dev->ifindex)
        return -EINVAL;
    sk->mc_ifindex = dev ? dev->ifindex : 0;
    sk->mc_address = r.address;
    return 0;
}

static int set_number(struct sock *sk, int option, int number)
{
    switch (option) {
    case IP_MULTICAST_TTL:
        if (sk->type == SOCK_STREAM || number < -1 || number > 255)
            return -EINVAL;
        sk->mc_ttl = number == -1 ? 1 : (uint8_t)number; /* RFC 1112 6.1 */
        return 0;
    case IP_MULTICAST_LOOP:
        sk->mc_loop = number != 0;
        return 0;
    case IP_MULTICAST_ALL:
        if (number != 0 && number != 1)
            return -EINVAL;
        sk->mc_all = number;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int mc_setsockopt(struct sock *sk, int option, const void *value, socklen_t len)
{
    int number, err;

    for (unsigned i = 0; i < ARRAY_SIZE(forms); i++)
        if (forms[i].option == option)
            return set_by_form(sk, &forms[i], value, len);
    if (option == IP_MSFILTER || option == MCAST_MSFILTER)
        return set_filter(sk, option, value, len);
    if (option == IP_MULTICAST_IF)
        err = 0;
    else
        err = parse_number(value, len, &number);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    err = option == IP_MULTICAST_IF ? set_interface(sk, value, len) : set_number(sk, option, number);
    lock_release(&sk->lock);
    return err;
}

/* ip(7): a byte will do for what fits into one. */
static int give_number(int number, void *value, socklen_t *len)
{
    if (*len && *len < sizeof number) {
        *(uint8_t *)value = (uint8_t)number;
        *len = 1;
        return 0;
    }
    return sockopt_give(value, len, &number, sizeof number);
}

int mc_getsockopt(struct sock *sk, int option, void *value, socklen_t *len)
{
    switch (option) {
    case IP_MULTICAST_TTL:
        return give_number(sk->mc_ttl, value, len);
    case IP_MULTICAST_LOOP:
        return give_number(sk->mc_loop, value, len);
    case IP_MULTICAST_ALL:
        return give_number(sk->mc_all, value, len);
    case IP_MULTICAST_IF:
        return sockopt_give(value, len, &sk->mc_address, sizeof sk->mc_address);
    case IP_MSFILTER:
    case MCAST_MSFILTER:
        return get_filter(sk, option, value, len);
    default:
        return -ENOPROTOOPT;
    }
}

/* ---- the end ---- */

void mc_leave_all(struct sock *sk)
{
    struct igmp_state *igmp = sk->net->igmp;

    lock_acquire(&igmp->lock);
    while (sk->mc_groups)
        remove(&sk->mc_groups);
    lock_release(&igmp->lock);
}
