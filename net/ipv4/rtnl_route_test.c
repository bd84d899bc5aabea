/* net/ipv4/rtnl_route_test.c - routes by netlink: what `ip route` asks for, what comes back, what is refused.
 * The model is what Linux answers. */
#include "net/ipv4/ipv4.h"
#include "net/netlink/netlink_test.h"
#include <arpa/inet.h>

static struct rtmsg fixed_of(const char *prefix, uint8_t type)
{
    unsigned len;

    vk_parse_ip(prefix, &len);
    return (struct rtmsg){ .rtm_family = AF_INET,
                           .rtm_dst_len = (uint8_t)len,
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = RTPROT_BOOT,
                           .rtm_type = type };
}

static struct nl_ask about_route(uint16_t what, uint16_t flags, const char *prefix, uint8_t type)
{
    const struct rtmsg fixed = fixed_of(prefix, type);
    struct nl_ask q = ask(what, flags | NLM_F_ACK, &fixed, sizeof fixed);

    ask_ip(&q, RTA_DST, prefix);
    return q;
}

static struct nl_ask add_route(const char *prefix)
{
    return about_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, prefix, RTN_UNICAST);
}

static struct rtmsg *fixed_in(struct nl_ask *q)
{
    return (struct rtmsg *)(void *)(q->bytes + NLMSG_HDRLEN);
}

/* The route to the prefix in MAIN: false if there is none. */
static bool route_to(const struct host *h, const char *prefix, struct fib_route *r)
{
    struct fib_walk w = { .table = 1 };
    unsigned len;
    const be32 dst = cpu_to_be32(vk_parse_ip(prefix, &len));

    while (fib_next(h->vk->net, &w, r))
        if (be32_equal(r->dst, dst) && r->prefix_len == len && r->table == TABLE_MAIN)
            return true;
    return false;
}

TEST(a_route_by_a_gateway_finds_its_device)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = add_route("8.0.0.0/8");
    struct fib_route r;

    ask_ip(&q, RTA_GATEWAY, "10.0.0.9");
    ask_u32(&q, RTA_PRIORITY, 7);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(route_to(&h, "8.0.0.0/8", &r));
    CHECK(r.n_nexthops == 1 && r.nexthops[0].dev == h.vk->nic->dev && r.metric == 7 &&
          r.origin == ORIGIN_BOOT);
    CHECK_EQ(nl_error(sk, &q), -EEXIST);
    sock_release(sk);
    host_destroy(&h);
}

TEST(flags_say_what_becomes_of_a_route_that_is_there) /* NLM_F_REPLACE, NLM_F_CREATE, NLM_F_APPEND */
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = about_route(RTM_NEWROUTE, NLM_F_REPLACE, "8.0.0.0/8", RTN_UNICAST);
    struct fib_route r;

    ask_ip(&q, RTA_GATEWAY, "10.0.0.9");
    CHECK_EQ(nl_error(sk, &q), -ENOENT); /* ip route change */
    q = about_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "8.0.0.0/8", RTN_UNICAST);
    ask_ip(&q, RTA_GATEWAY, "10.0.0.9");
    CHECK_EQ(nl_error(sk, &q), 0); /* ip route replace */
    CHECK_EQ(nl_error(sk, &q), 0);
    q = about_route(RTM_NEWROUTE, NLM_F_REPLACE, "8.0.0.0/8", RTN_UNICAST);
    ask_ip(&q, RTA_GATEWAY, "10.0.0.8");
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(route_to(&h, "8.0.0.0/8", &r) && r.nexthops[0].gateway.raw == inet_addr("10.0.0.8"));
    q = about_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, "8.0.0.0/8", RTN_UNICAST);
    ask_ip(&q, RTA_GATEWAY, "10.0.0.7");
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(route_to(&h, "8.0.0.0/8", &r) && r.nexthops[0].gateway.raw == inet_addr("10.0.0.8"));
    q = about_route(RTM_NEWROUTE, NLM_F_CREATE, "8.0.0.0/8", RTN_UNICAST);
    ask_ip(&q, RTA_GATEWAY, "10.0.0.6");
    CHECK_EQ(nl_error(sk, &q), 0); /* ip route prepend */
    CHECK(route_to(&h, "8.0.0.0/8", &r) && r.nexthops[0].gateway.raw == inet_addr("10.0.0.6"));
    sock_release(sk);
    host_destroy(&h);
}

TEST(routes_that_refuse_have_no_next_hop)
{
    static const struct {
        uint8_t type;
        int err;
    } kinds[] = { { RTN_BLACKHOLE, -EINVAL }, { RTN_UNREACHABLE, -EHOSTUNREACH }, { RTN_PROHIBIT, -EACCES } };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct rtmsg to_it = { .rtm_family = AF_INET, .rtm_dst_len = 32 };
        struct nl_ask q = about_route(RTM_NEWROUTE, NLM_F_CREATE, "9.0.0.0/8", kinds[i].type);
        CHECK_EQ(nl_error(sk, &q), 0);
        q = ask(RTM_GETROUTE, 0, &to_it, sizeof to_it);
        ask_ip(&q, RTA_DST, "9.1.2.3");
        CHECK_EQ(nl_error(sk, &q), kinds[i].err);
        q = about_route(RTM_DELROUTE, 0, "9.0.0.0/8", kinds[i].type);
        CHECK_EQ(nl_error(sk, &q), 0);
        q = about_route(RTM_NEWROUTE, NLM_F_CREATE, "9.0.0.0/8", kinds[i].type);
        ask_u32(&q, RTA_OIF, 1);
        CHECK_EQ(nl_error(sk, &q), -EINVAL);
    }
    sock_release(sk);
    host_destroy(&h);
}

static struct nl_ask with_hops(struct nl_ask q, const struct rtnexthop *hops, size_t n)
{
    ask_attr(&q, RTA_MULTIPATH, hops, n);
    return q;
}

TEST(several_next_hops_have_weights)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct {
        struct rtnexthop nh;
        struct nlattr a;
        uint32_t gateway;
    } hops[9];
    struct fib_route r;
    struct nl_ask q, got;

    for (unsigned i = 0; i < 9; i++) {
        hops[i].nh = (struct rtnexthop){ .rtnh_len = sizeof hops[i], .rtnh_hops = (uint8_t)i };
        hops[i].a = (struct nlattr){ .nla_len = 8, .nla_type = RTA_GATEWAY };
        hops[i].gateway = htonl(0x0a000009 + i);
    }
    q = with_hops(add_route("13.0.0.0/8"), &hops[0].nh, 2 * sizeof *hops);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(route_to(&h, "13.0.0.0/8", &r));
    CHECK(r.n_nexthops == 2 && r.nexthops[1].weight == 2 && r.nexthops[1].gateway.raw == hops[1].gateway);
    const struct rtmsg main_only = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN };
    q = ask(RTM_GETROUTE, NLM_F_DUMP, &main_only, sizeof main_only);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
    const struct nlmsghdr *m = nl_answer(sk, &q, &got);
    m = (const struct nlmsghdr *)(const void *)((const uint8_t *)m + m->nlmsg_len); /* behind 10/24 */
    const struct nlattr *several = nl_attr(m, sizeof(struct rtmsg), RTA_MULTIPATH);
    CHECK(several && several->nla_len == 4 + 2 * sizeof *hops);
    while (nl_read(sk, &got) > 0)
        ;
    q = with_hops(add_route("14.0.0.0/8"), &hops[0].nh, sizeof hops);
    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* too many */
    hops[0].nh.rtnh_len = 7;
    q = with_hops(add_route("14.0.0.0/8"), &hops[0].nh, sizeof *hops);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    hops[0].nh.rtnh_len = sizeof *hops + 4;
    q = with_hops(add_route("14.0.0.0/8"), &hops[0].nh, sizeof *hops);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = with_hops(add_route("14.0.0.0/8"), &hops[0].nh, 0);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    sock_release(sk);
    host_destroy(&h);
}

TEST(what_is_wrong_with_a_route_is_said_as_linux_does)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = add_route("8.0.0.0/8");

    CHECK_EQ(nl_error(sk, &q), -ENODEV); /* by nothing */
    ask_ip(&q, RTA_GATEWAY, "99.9.9.9");
    CHECK_EQ(nl_error(sk, &q), -ENETUNREACH);
    q = add_route("8.0.0.0/8");
    ask_ip(&q, RTA_GATEWAY, "10.0.0.1"); /* ourselves */
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = add_route("8.0.0.1/8");
    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* bits behind the prefix */
    q = add_route("8.0.0.0/8");
    ask_u32(&q, RTA_OIF, 99);
    CHECK_EQ(nl_error(sk, &q), -ENODEV);
    q = add_route("8.0.0.0/8");
    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    ask_ip(&q, RTA_PREFSRC, "1.2.3.4");
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = add_route("8.0.0.0/8");
    fixed_in(&q)->rtm_dst_len = 33;
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = add_route("8.0.0.0/8");
    fixed_in(&q)->rtm_table = 100;
    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    fixed_in(&q)->rtm_table = RT_TABLE_MAIN;
    fixed_in(&q)->rtm_type = 77;
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    fixed_in(&q)->rtm_type = RTN_UNICAST;
    fixed_in(&q)->rtm_tos = 16;
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    q = about_route(RTM_DELROUTE, 0, "77.0.0.0/8", 0);
    CHECK_EQ(nl_error(sk, &q), -ESRCH);
    dev_close(h.vk->nic->dev);
    q = add_route("8.0.0.0/8");
    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    CHECK_EQ(nl_error(sk, &q), -ENETDOWN);
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_gateway_that_is_said_to_be_on_the_link_is_believed)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = add_route("8.0.0.0/8");
    struct fib_route r;

    ask_ip(&q, RTA_GATEWAY, "99.9.9.9");
    fixed_in(&q)->rtm_flags = RTNH_F_ONLINK;
    CHECK_EQ(nl_error(sk, &q), -ENODEV);
    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(route_to(&h, "8.0.0.0/8", &r) && r.nexthops[0].onlink);
    CHECK_EQ(nl_error(sk, &q), -EEXIST);
    sock_release(sk);
    host_destroy(&h);
}

TEST(of_the_metrics_the_mtu_is_kept_and_the_others_refused)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct {
        struct nlattr a;
        uint32_t value;
    } metric = { { 8, RTAX_MTU }, 1400 };
    struct nl_ask q = add_route("8.0.0.0/8");
    struct fib_route r;

    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    ask_attr(&q, RTA_METRICS, &metric, sizeof metric);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(route_to(&h, "8.0.0.0/8", &r) && r.mtu == 1400);
    metric.a.nla_type = RTAX_ADVMSS;
    q = add_route("9.0.0.0/8");
    ask_u32(&q, RTA_OIF, h.vk->nic->dev->ifindex);
    ask_attr(&q, RTA_METRICS, &metric, sizeof metric);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    sock_release(sk);
    host_destroy(&h);
}

TEST(the_way_to_an_address_is_told)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct rtmsg one = { .rtm_family = AF_INET, .rtm_dst_len = 32 };
    struct nl_ask q = ask(RTM_GETROUTE, 0, &one, sizeof one), got;

    CHECK_EQ(vk_add_route(h.vk, "0.0.0.0/0", "10.0.0.2"), 0);
    ask_ip(&q, RTA_DST, "8.8.8.8");
    const struct nlmsghdr *m = nl_answer(sk, &q, &got);
    const struct rtmsg *fixed = (const struct rtmsg *)(m + 1);
    CHECK(m->nlmsg_type == RTM_NEWROUTE && fixed->rtm_flags & RTM_F_CLONED && fixed->rtm_type == RTN_UNICAST);
    CHECK_EQ(nl_attr_u32(m, sizeof *fixed, RTA_GATEWAY), inet_addr("10.0.0.2"));
    CHECK_EQ(nl_attr_u32(m, sizeof *fixed, RTA_PREFSRC), inet_addr("10.0.0.1"));
    CHECK_EQ(nl_attr_u32(m, sizeof *fixed, RTA_OIF), h.vk->nic->dev->ifindex);
    q = ask(RTM_GETROUTE, 0, &one, sizeof one);
    ask_ip(&q, RTA_DST, "10.0.0.1");
    m = nl_answer(sk, &q, &got);
    fixed = (const struct rtmsg *)(m + 1);
    CHECK(fixed->rtm_type == RTN_LOCAL && fixed->rtm_table == RT_TABLE_MAIN);
    ask_u32(&q, RTA_IIF, 2);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    q = ask(RTM_GETROUTE, 0, &one, sizeof one);
    ask_ip(&q, RTA_DST, "8.8.8.8");
    ask_ip(&q, RTA_SRC, "9.9.9.9");
    CHECK_EQ(nl_error(sk, &q), -ENETUNREACH); /* not ours */
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_thousand_routes_are_dumped_once_each_and_by_table)
{
    enum { MANY = 1000 };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct rtmsg what = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN };
    struct fib_route r = {
        .prefix_len = 24, .type = ROUTE_UNICAST, .n_nexthops = 1, .nexthops = { { .dev = h.vk->nic->dev } }
    };
    unsigned seen[2] = { 0 };
    uint8_t part[8192];
    ssize_t n;

    for (unsigned i = 0; i < MANY; i++) {
        r.dst = cpu_to_be32(0x14000000 + (i << 8));
        CHECK_EQ(fib_add(h.vk->net, &r), 0);
    }
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
    for (unsigned pass = 0; pass < 2; pass++) {
        what.rtm_table = pass ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
        struct nl_ask q = ask(RTM_GETROUTE, NLM_F_DUMP, &what, sizeof what);
        CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
        while ((n = vk_recv(sk, part, sizeof part, MSG_DONTWAIT)) > 0)
            for (const uint8_t *p = part; p < part + n;) {
                const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)p;
                seen[pass] += m->nlmsg_type == RTM_NEWROUTE;
                p += NLMSG_ALIGN(m->nlmsg_len);
            }
    }
    CHECK_EQ(seen[0], MANY + 1);
    CHECK_EQ(seen[1], 3 + 3); /* lo's and eth0's */
    what.rtm_table = 100;
    struct nl_ask q = ask(RTM_GETROUTE, NLM_F_DUMP, &what, sizeof what), got;
    CHECK_EQ(nl_answer(sk, &q, &got)->nlmsg_type, NLMSG_DONE);
    CHECK_EQ(*(const int *)(const void *)(nl_first(&got) + 1), -ENOENT);
    sock_release(sk);
    host_destroy(&h);
}

TEST(who_listens_hears_of_routes_that_come_and_go)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk), *monitor = nl_socket(h.vk);
    struct nl_ask q = add_route("8.0.0.0/8"), got;

    CHECK_EQ(vk_setsockopt_int(monitor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_IPV4_ROUTE), 0);
    ask_ip(&q, RTA_GATEWAY, "10.0.0.9");
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_NEWROUTE);
    CHECK_EQ(nl_attr_u32(nl_first(&got), sizeof(struct rtmsg), RTA_DST), inet_addr("8.0.0.0"));
    CHECK_EQ(vk_add_route(h.vk, "9.0.0.0/8", "10.0.0.9"), 0); /* by ioctl, too */
    CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_pid == 0);
    q = about_route(RTM_DELROUTE, 0, "8.0.0.0/8", 0);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_DELROUTE);
    dev_close(h.vk->nic->dev);
    CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_DELROUTE);
    sock_release(monitor);
    sock_release(sk);
    host_destroy(&h);
}

TEST(there_are_three_rules_and_none_can_be_made)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct fib_rule_hdr any = { .family = AF_INET };
    struct nl_ask q = ask(RTM_GETRULE, NLM_F_DUMP, &any, sizeof any), got;
    const struct nlmsghdr *m = nl_answer(sk, &q, &got);
    static const uint32_t tables[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT };

    for (unsigned i = 0; i < 3; i++) {
        CHECK(m->nlmsg_type == RTM_NEWRULE && nl_attr_u32(m, sizeof any, FRA_TABLE) == tables[i]);
        m = (const struct nlmsghdr *)(const void *)((const uint8_t *)m + m->nlmsg_len);
    }
    CHECK_EQ((const uint8_t *)m - got.bytes, got.n);
    CHECK(nl_read(sk, &got) > 0 && nl_first(&got)->nlmsg_type == NLMSG_DONE);
    q = ask(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE, &any, sizeof any);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    sock_release(sk);
    host_destroy(&h);
}
