/* net/ipv4/fib_test.c - the routing tables: what counts, who hears of it, and ten thousand routes at once. */
#include "net/ipv4/fib.h"
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include "sim/netconfig.h"

static be32 ip(const char *text)
{
    return cpu_to_be32(vk_parse_ip(text, NULL));
}

static struct fib_route by_gateway(const struct host *h, const char *prefix, uint8_t len, const char *gateway)
{
    return (struct fib_route){ .dst = ip(prefix),
                               .prefix_len = len,
                               .type = ROUTE_UNICAST,
                               .n_nexthops = 1,
                               .nexthops = { { .dev = h->vk->nic->dev, .gateway = ip(gateway) } } };
}

static struct fib_route refusal(const char *prefix, uint8_t len, enum route_type type)
{
    return (struct fib_route){ .dst = ip(prefix), .prefix_len = len, .type = (uint8_t)type };
}

/* The next hop of a flow to an address with that source port, 0 if there is none. */
static uint32_t hop_of(const struct host *h, const char *to, uint16_t port)
{
    const struct ip_flow flow = {
        .daddr = ip(to), .protocol = IPPROTO_UDP, .sport = cpu_to_be16(port), .dport = cpu_to_be16(9)
    };
    struct dst_entry *dst;

    if (ip_route_flow(h->vk->net, &flow, &dst))
        return 0;
    uint32_t gateway = be32_to_cpu(dst->gateway);
    dst_release(dst);
    return gateway;
}

static int error_of(const struct host *h, const char *to)
{
    struct dst_entry *dst;
    int err = ip_route_output(h->vk->net, ip(to), (be32){ 0 }, 0, &dst);

    if (!err)
        dst_release(dst);
    return err;
}

TEST(of_routes_with_one_prefix_the_lowest_metric_wins) /* RFC 1812 5.2.4.3 (4) */
{
    static const uint32_t metrics[] = { 30, 10, 20 };
    struct host h = host_create();
    struct net *net = h.vk->net;
    struct fib_route r;

    for (unsigned i = 0; i < 3; i++) {
        r = by_gateway(&h, "172.16.0.0", 12, "10.0.0.0");
        r.nexthops[0].gateway = cpu_to_be32(ip4(10, 0, 0, (uint8_t)metrics[i]));
        r.metric = metrics[i];
        CHECK_EQ(fib_add(net, &r), 0);
        CHECK_EQ(fib_add(net, &r), -EEXIST);
    }
    for (unsigned best = 10; best <= 30; best += 10) {
        CHECK_EQ(hop_of(&h, "172.16.1.1", 1), ip4(10, 0, 0, (uint8_t)best));
        r = (struct fib_route){ .dst = ip("172.16.0.0"), .prefix_len = 12, .metric = best };
        CHECK_EQ(fib_del(net, &r), 0);
        CHECK_EQ(fib_del(net, &r), -ESRCH);
    }
    CHECK_EQ(hop_of(&h, "172.16.1.1", 1), 0);
    host_destroy(&h);
}

TEST(a_route_is_added_before_behind_or_in_the_place_of_another)
{
    struct host h = host_create();
    struct net *net = h.vk->net;
    struct fib_route a = by_gateway(&h, "0.0.0.0", 0, "10.0.0.10"),
                     b = by_gateway(&h, "0.0.0.0", 0, "10.0.0.11"),
                     c = by_gateway(&h, "0.0.0.0", 0, "10.0.0.12");

    CHECK_EQ(fib_insert(net, &a, FIB_EXCLUSIVE), 0);
    CHECK_EQ(fib_insert(net, &b, FIB_EXCLUSIVE), -EEXIST);
    CHECK_EQ(fib_insert(net, &b, FIB_APPEND), 0);
    CHECK_EQ(hop_of(&h, "8.8.8.8", 1), ip4(10, 0, 0, 10));
    CHECK_EQ(fib_insert(net, &c, FIB_PREPEND), 0);
    CHECK_EQ(hop_of(&h, "8.8.8.8", 1), ip4(10, 0, 0, 12));
    CHECK_EQ(fib_insert(net, &b, FIB_REPLACE), -EEXIST); /* it stands there, but not first */
    CHECK_EQ(fib_insert(net, &c, FIB_REPLACE), 0);
    CHECK_EQ(fib_del(net, &c), 0);
    CHECK_EQ(hop_of(&h, "8.8.8.8", 1), ip4(10, 0, 0, 10));
    CHECK_EQ(fib_insert(net, &c, FIB_REPLACE), 0);
    CHECK_EQ(hop_of(&h, "8.8.8.8", 1), ip4(10, 0, 0, 12));
    CHECK_EQ(fib_del(net, &a), -ESRCH); /* replaced */
    host_destroy(&h);
}

TEST(a_route_that_makes_no_sense_is_refused)
{
    struct host h = host_create();
    struct fib_route r = by_gateway(&h, "172.16.0.1", 12, "10.0.0.9");

    CHECK_EQ(fib_add(h.vk->net, &r), -EINVAL); /* bits behind the prefix */
    r = by_gateway(&h, "172.16.0.0", 33, "10.0.0.9");
    CHECK_EQ(fib_add(h.vk->net, &r), -EINVAL);
    r = by_gateway(&h, "172.16.0.0", 12, "10.0.0.9");
    r.n_nexthops = 0;
    CHECK_EQ(fib_add(h.vk->net, &r), -EINVAL);
    r.n_nexthops = FIB_NEXTHOPS_MAX + 1;
    CHECK_EQ(fib_add(h.vk->net, &r), -EINVAL);
    r.n_nexthops = 2; /* the second has no device */
    CHECK_EQ(fib_add(h.vk->net, &r), -EINVAL);
    r = refusal("172.16.0.0", 12, (enum route_type)9);
    CHECK_EQ(fib_add(h.vk->net, &r), -EINVAL);
    host_destroy(&h);
}

TEST(routes_may_refuse) /* RFC 1812 5.2.7.1, ip-route(8) */
{
    struct host h = host_create();
    struct net *net = h.vk->net;
    const struct fib_route refusals[] = { by_gateway(&h, "0.0.0.0", 0, "10.0.0.9"),
                                          refusal("172.16.0.0", 16, ROUTE_BLACKHOLE),
                                          refusal("172.17.0.0", 16, ROUTE_UNREACHABLE),
                                          refusal("172.18.0.0", 16, ROUTE_PROHIBIT) };

    for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++)
        CHECK_EQ(fib_add(net, &refusals[i]), 0);
    CHECK_EQ(error_of(&h, "172.15.0.1"), 0);
    CHECK_EQ(error_of(&h, "172.16.0.1"), -EINVAL);
    CHECK_EQ(error_of(&h, "172.17.0.1"), -EHOSTUNREACH);
    CHECK_EQ(error_of(&h, "172.18.0.1"), -EACCES);
    host_destroy(&h);
}

TEST(flows_spread_over_next_hops_by_weight_and_each_keeps_to_its_own) /* RFC 2991, RFC 2992 */
{
    enum { FLOWS = 4000 };
    struct host h = host_create();
    struct fib_route r = by_gateway(&h, "0.0.0.0", 0, "10.0.0.10");
    unsigned by_first = 0;
    uint32_t hops[FLOWS];

    r.n_nexthops = 2;
    r.nexthops[0].weight = 3;
    r.nexthops[1] = (struct fib_nexthop){ .dev = h.vk->nic->dev, .gateway = ip("10.0.0.11") };
    CHECK_EQ(fib_add(h.vk->net, &r), 0);
    for (unsigned i = 0; i < FLOWS; i++) {
        hops[i] = hop_of(&h, "8.8.8.8", (uint16_t)i);
        CHECK(hops[i] == ip4(10, 0, 0, 10) || hops[i] == ip4(10, 0, 0, 11));
        by_first += hops[i] == ip4(10, 0, 0, 10);
    }
    CHECK(by_first > FLOWS * 70 / 100 && by_first < FLOWS * 80 / 100); /* three of four */
    route_invalidate(h.vk->net);
    for (unsigned i = 0; i < FLOWS; i++)
        CHECK_EQ(hop_of(&h, "8.8.8.8", (uint16_t)i), hops[i]);
    host_destroy(&h);
}

static void second_link(struct host *h, int flags)
{
    struct ifreq r = { .ifr_name = "eth1" };

    r.ifr_flags = (short)flags;
    CHECK_EQ(vk_ioctl(h->vk, SIOCSIFFLAGS, &r), 0);
}

TEST(next_hops_by_a_device_that_is_down_are_left_out) /* ip-route(8): dead */
{
    static const uint8_t mac[6] = { 2, 9, 0, 0, 0, 1 };
    enum { FLOWS = 100 };
    struct host h = host_create();
    struct wire *far = wire_create("far");
    struct vnic *eth1 = vnic_create(h.vk->net, "eth1", mac, far, NULL);
    struct fib_route r = by_gateway(&h, "0.0.0.0", 0, "10.0.0.10"),
                     only = by_gateway(&h, "11.0.0.0", 8, "10.0.1.9");
    bool used[2] = { false, false };

    CHECK_EQ(netconfig_address(h.vk->net, "eth1", ip4(10, 0, 1, 1), 24), 0);
    only.nexthops[0].dev = eth1->dev;
    r.n_nexthops = 2;
    r.nexthops[1] = (struct fib_nexthop){ .dev = eth1->dev, .gateway = ip("10.0.1.9") };
    CHECK_EQ(fib_add(h.vk->net, &r), 0);
    CHECK_EQ(fib_add(h.vk->net, &only), 0);

    second_link(&h, 0);
    for (unsigned i = 0; i < FLOWS; i++)
        CHECK_EQ(hop_of(&h, "8.8.8.8", (uint16_t)i), ip4(10, 0, 0, 10));
    CHECK_EQ(fib_del(h.vk->net, &only), -ESRCH); /* it had no other */

    second_link(&h, IFF_UP);
    for (unsigned i = 0; i < FLOWS; i++)
        used[hop_of(&h, "8.8.8.8", (uint16_t)i) == ip4(10, 0, 1, 9)] = true;
    CHECK(used[0] && used[1]);

    vnic_destroy(eth1); /* and now the whole route goes, for nothing may point to the device any more */
    CHECK_EQ(hop_of(&h, "8.8.8.8", 1), 0);
    wire_destroy(far);
    host_destroy(&h);
}

/* ---- who hears of it ---- */

struct ear {
    struct fib_listener l;
    unsigned heard[3];
    struct fib_route last;
};

static void hear(struct fib_listener *l, struct net *net, enum fib_event event, const struct fib_route *route)
{
    struct ear *ear = container_of(l, struct ear, l);

    CHECK(!lock_held(&net->ipv4->route_lock));
    ear->heard[event]++;
    ear->last = *route;
}

TEST(a_listener_hears_of_each_change)
{
    struct host h = host_create();
    struct net *net = h.vk->net;
    struct ear ear = { .l = { .heard = hear } };
    struct fib_route r = by_gateway(&h, "172.16.0.0", 12, "10.0.0.9");

    fib_listen(net, &ear.l);
    CHECK_EQ(fib_add(net, &r), 0);
    CHECK(ear.heard[FIB_ADDED] == 1 && ear.last.table == TABLE_MAIN && ear.last.prefix_len == 12);
    CHECK_EQ(fib_add(net, &r), -EEXIST);
    CHECK_EQ(ear.heard[FIB_ADDED], 1);
    r.nexthops[0].gateway = ip("10.0.0.10");
    CHECK_EQ(fib_insert(net, &r, FIB_REPLACE), 0);
    CHECK_EQ(ear.heard[FIB_REPLACED], 1);
    CHECK(be32_equal(ear.last.nexthops[0].gateway, ip("10.0.0.10")));
    r = (struct fib_route){ .dst = ip("172.16.0.0"), .prefix_len = 12 };
    CHECK_EQ(fib_del(net, &r), 0);
    CHECK(ear.heard[FIB_REMOVED] == 1 && be32_equal(ear.last.nexthops[0].gateway, ip("10.0.0.10")));
    fib_flush_device(net, h.vk->nic->dev);
    CHECK_EQ(ear.heard[FIB_REMOVED], 1 + 4); /* the address, its network, two broadcasts */
    fib_unlisten(net, &ear.l);
    host_destroy(&h);
}

/* ---- many ---- */

enum { ROUTES = 10000 };

static struct fib_route nth_route(const struct host *h, uint32_t n)
{
    struct fib_route r = by_gateway(h, "0.0.0.0", 0, "10.0.0.9");
    uint8_t len = (uint8_t)(16 + n % 17);

    r.dst = cpu_to_be32((0x0b000000 + n * 0x3779b1) & be32_to_cpu(inet_netmask(len)));
    r.prefix_len = len;
    r.metric = n; /* so that no two are the same */
    return r;
}

static void count(const struct fib_route *r, void *arg)
{
    unsigned *n = arg;

    (void)r;
    ++*n;
}

TEST(ten_thousand_routes_come_and_go_under_traffic) /* packets flow all the time, and nothing is left */
{
    struct host h = host_create();
    struct net *net = h.vk->net;
    unsigned before = 0, now = 0;

    fib_for_each(net, count, &before);
    for (uint32_t n = 0; n < ROUTES; n++) {
        const struct fib_route r = nth_route(&h, n);
        CHECK_EQ(fib_add(net, &r), 0);
        if (n % 100 == 0)
            expect_alive(&h);
        CHECK(hop_of(&h, "10.0.0.2", 1) == ip4(10, 0, 0, 2));
    }
    fib_for_each(net, count, &now);
    CHECK_EQ(now, before + ROUTES);
    for (uint32_t n = 0; n < ROUTES; n++) {
        const struct fib_route r = nth_route(&h, n * 7919 % ROUTES);
        CHECK_EQ(fib_del(net, &r), 0);
        if (n % 100 == 0)
            expect_alive(&h);
    }
    now = 0;
    fib_for_each(net, count, &now);
    CHECK_EQ(now, before);
    host_destroy(&h);
}

TEST(a_walk_that_pauses_sees_each_route_once)
{
    struct host h = host_create();
    struct fib_walk w = { 0 };
    struct fib_route r,
        two[2] = { by_gateway(&h, "0.0.0.0", 0, "10.0.0.9"), by_gateway(&h, "0.0.0.0", 0, "10.0.0.8") };
    unsigned local = 0, ways = 0;

    CHECK_EQ(fib_add(h.vk->net, &two[0]), 0);
    CHECK_EQ(fib_add(h.vk->net, &two[1]), 0);
    while (fib_next(h.vk->net, &w, &r)) {
        if (r.table == TABLE_LOCAL) {
            CHECK_EQ(ways, 0);
            local++;
        } else if (ways < 2) {
            CHECK(be32_equal(r.nexthops[0].gateway, two[ways++].nexthops[0].gateway));
        } else {
            CHECK(be32_equal(r.dst, ip("10.0.0.0")) && r.prefix_len == 24);
            ways++;
        }
    }
    CHECK_EQ(ways, 3);
    CHECK_EQ(local, 3 + 3); /* lo: its address, 127/8, 127.255.255.255; eth0: its address, two broadcasts */
    host_destroy(&h);
}
