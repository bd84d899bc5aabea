/* net/ipv4/devinet_test.c - several addresses on a device: which is primary, what routes they bring, which
 * one speaks; by netlink and by the labels of ifconfig. What `ip` prints on Linux was the model. */
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"
#include "net/netlink/netlink_test.h"
#include <arpa/inet.h>

static struct net_device *eth0(const struct host *h)
{
    return h->vk->nic->dev;
}

/* RTM_NEWADDR or RTM_DELADDR of "10.0.0.5/24". */
static struct nl_ask about_address(const struct host *h, uint16_t type, uint16_t flags, const char *text)
{
    struct ifaddrmsg fixed = { .ifa_family = AF_INET, .ifa_index = eth0(h)->ifindex };
    unsigned len;
    const be32 addr = cpu_to_be32(vk_parse_ip(text, &len));

    fixed.ifa_prefixlen = (uint8_t)len;
    struct nl_ask q = ask(type, flags | NLM_F_ACK, &fixed, sizeof fixed);
    ask_attr(&q, IFA_LOCAL, &addr, sizeof addr);
    ask_attr(&q, IFA_ADDRESS, &addr, sizeof addr);
    return q;
}

static int add_address(const struct host *h, struct sock *sk, const char *text)
{
    struct nl_ask q = about_address(h, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, text);

    return nl_error(sk, &q);
}

static int del_address(const struct host *h, struct sock *sk, const char *text)
{
    struct nl_ask q = about_address(h, RTM_DELADDR, 0, text);

    return nl_error(sk, &q);
}

/* The addresses of eth0 in order: "10.0.0.1/24 10.0.0.5/24+ ", + for a secondary one. */
static const char *addresses(const struct host *h, char *buf, size_t size)
{
    const struct in_ifaddr *ifa;
    size_t n = 0;

    buf[0] = '\0';
    list_for_each_entry (ifa, &in_dev_get(eth0(h))->addresses, link)
        n += (size_t)ksnprintf(buf + n, size - n, "%pI4/%u%s ", &ifa->local, ifa->prefix_len,
                               ifa->flags & IFA_F_SECONDARY ? "+" : "");
    return buf;
}

#define CHECK_ADDRESSES(h, text)                                                                             \
    do {                                                                                                     \
        char buf_[200];                                                                                      \
        if (strcmp(addresses(h, buf_, sizeof buf_), text) != 0)                                              \
            test_fail(__FILE__, __LINE__, "addresses are %s", buf_);                                         \
    } while (0)

static bool has_route(const struct host *h, const char *text, enum route_type type, const char *prefsrc)
{
    struct fib_walk w = { 0 };
    struct fib_route r;
    unsigned len;
    const be32 dst = cpu_to_be32(vk_parse_ip(text, &len));

    while (fib_next(h->vk->net, &w, &r))
        if (be32_equal(r.dst, dst) && r.prefix_len == len && r.type == type &&
            r.prefsrc.raw == inet_addr(prefsrc))
            return true;
    return false;
}

TEST(the_first_address_of_a_network_is_primary_and_the_others_go_with_it)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);

    CHECK_EQ(add_address(&h, sk, "10.0.0.5/24"), 0);
    CHECK_EQ(add_address(&h, sk, "10.7.0.1/16"), 0);
    CHECK_EQ(add_address(&h, sk, "10.0.0.6/24"), 0);
    CHECK_ADDRESSES(&h, "10.0.0.1/24 10.7.0.1/16 10.0.0.5/24+ 10.0.0.6/24+ ");
    CHECK(has_route(&h, "10.0.0.5", ROUTE_LOCAL, "10.0.0.1"));
    CHECK(has_route(&h, "10.7.0.0/16", ROUTE_UNICAST, "10.7.0.1"));
    CHECK(has_route(&h, "10.7.255.255", ROUTE_BROADCAST, "10.7.0.1"));
    CHECK_EQ(del_address(&h, sk, "10.0.0.5/24"), 0);
    CHECK(has_route(&h, "10.0.0.0/24", ROUTE_UNICAST, "10.0.0.1"));
    CHECK(!has_route(&h, "10.0.0.5", ROUTE_LOCAL, "10.0.0.1"));
    CHECK_EQ(del_address(&h, sk, "10.0.0.1/24"), 0);
    CHECK_ADDRESSES(&h, "10.7.0.1/16 ");
    CHECK(!has_route(&h, "10.0.0.0/24", ROUTE_UNICAST, "10.0.0.1"));
    CHECK(!has_route(&h, "10.0.0.6", ROUTE_LOCAL, "10.0.0.1"));
    CHECK(!has_route(&h, "10.0.0.255", ROUTE_BROADCAST, "10.0.0.1"));
    sim_run_for(ms(1));
    sock_release(sk);
    host_destroy(&h);
}

TEST(the_last_address_takes_every_route_by_the_device_along)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);

    CHECK_EQ(vk_add_route(h.vk, "192.168.0.0/16", "10.0.0.2"), 0);
    CHECK_EQ(del_address(&h, sk, "10.0.0.1/24"), 0);
    CHECK(!has_route(&h, "192.168.0.0/16", ROUTE_UNICAST, "0.0.0.0"));
    CHECK(!has_route(&h, "192.168.0.0/16", ROUTE_UNICAST, "10.0.0.1"));
    CHECK_ADDRESSES(&h, "");
    sock_release(sk);
    host_destroy(&h);
}

TEST(one_address_in_two_networks_keeps_the_routes_that_both_bring)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);

    CHECK_EQ(add_address(&h, sk, "10.0.0.1/16"), 0);
    CHECK_EQ(del_address(&h, sk, "10.0.0.1/24"), 0);
    CHECK(has_route(&h, "10.0.0.1", ROUTE_LOCAL, "10.0.0.1"));
    CHECK(has_route(&h, "10.0.0.0/16", ROUTE_UNICAST, "10.0.0.1"));
    CHECK(!has_route(&h, "10.0.0.0/24", ROUTE_UNICAST, "10.0.0.1"));
    sim_run_for(ms(1));
    sock_release(sk);
    host_destroy(&h);
}

TEST(every_address_is_announced_defended_and_answers_arp_and_echo) /* RFC 826; RFC 5227 2.3 */
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct packet p;

    CHECK_EQ(add_address(&h, sk, "10.0.0.5/24"), 0);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    CHECK(p.arp_sender_ip == ip4(10, 0, 0, 5) && p.arp_target_ip == ip4(10, 0, 0, 5));
    p = (struct packet){ .ethertype = FRAME_ARP,
                         .arp_op = FRAME_ARP_REQUEST,
                         .arp_sender_ip = h.tap->ip,
                         .arp_target_ip = ip4(10, 0, 0, 5) };
    memset(p.dst_mac, 0xff, 6);
    memcpy(p.arp_sender_mac, h.tap->mac, 6);
    tap_send(h.tap, &p);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REPLY);
    CHECK(p.arp_op == FRAME_ARP_REPLY && p.arp_sender_ip == ip4(10, 0, 0, 5));
    p = echo_request(&h, "x", 1);
    p.daddr = ip4(10, 0, 0, 5);
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(p.saddr == ip4(10, 0, 0, 5) && p.icmp_type == 0);
    sock_release(sk);
    host_destroy(&h);
}

TEST(the_address_that_speaks_is_of_the_network_it_speaks_to)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct dst_entry *dst;
    struct packet p;

    CHECK_EQ(add_address(&h, sk, "10.7.0.1/16"), 0);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    CHECK_EQ(ip_route_output(h.vk->net, ip_address(10, 7, 1, 1), (be32){ 0 }, 0, &dst), 0);
    CHECK(be32_equal(dst->prefsrc, ip_address(10, 7, 0, 1)));
    dst_release(dst);
    CHECK(
        be32_equal(inet_select_addr(eth0(&h), ip_address(10, 7, 1, 1), SCOPE_LINK), ip_address(10, 7, 0, 1)));
    CHECK(
        be32_equal(inet_select_addr(eth0(&h), ip_address(9, 9, 9, 9), SCOPE_LINK), ip_address(10, 0, 0, 1)));
    CHECK(inet_same_network(eth0(&h), ip_address(10, 7, 1, 1), ip_address(10, 7, 255, 1)));
    CHECK(!inet_same_network(eth0(&h), ip_address(10, 7, 1, 1), ip_address(10, 0, 0, 2)));
    sock_release(sk);
    host_destroy(&h);
}

TEST(no_address_of_ours_and_no_broadcast_is_a_source_on_the_wire) /* RFC 1122 3.2.1.3 */
{
    static const char *const sources[] = { "10.0.0.1", "10.0.0.255", "10.7.0.1", "10.7.255.255" };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct packet p;

    CHECK_EQ(add_address(&h, sk, "10.7.0.1/16"), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(sources); i++) {
        uint64_t before = host_drops(&h, SKB_DROP_IP_SOURCE_INVALID);
        p = echo_request(&h, "x", 1);
        p.saddr = vk_parse_ip(sources[i], NULL);
        tap_send(h.tap, &p);
        sim_run_for(ms(5));
        CHECK_EQ(host_drops(&h, SKB_DROP_IP_SOURCE_INVALID), before + 1);
    }
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_peer_is_reached_by_a_route_of_its_own)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct ifaddrmsg fixed = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = eth0(&h)->ifindex };
    struct nl_ask q = ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_ACK, &fixed, sizeof fixed);

    ask_ip(&q, IFA_LOCAL, "10.9.0.1");
    ask_ip(&q, IFA_ADDRESS, "10.9.0.2");
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(has_route(&h, "10.9.0.2", ROUTE_UNICAST, "10.9.0.1"));
    CHECK(has_route(&h, "10.9.0.1", ROUTE_LOCAL, "10.9.0.1"));
    CHECK_EQ(nl_error(sk, &q), -EEXIST);
    sim_run_for(ms(1));
    sock_release(sk);
    host_destroy(&h);
}

TEST(addresses_come_back_with_their_routes_when_the_device_does)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);

    CHECK_EQ(add_address(&h, sk, "10.7.0.1/16"), 0);
    dev_close(eth0(&h));
    CHECK(!has_route(&h, "10.7.0.0/16", ROUTE_UNICAST, "10.7.0.1"));
    CHECK(!has_route(&h, "10.7.0.1", ROUTE_LOCAL, "10.7.0.1"));
    CHECK_EQ(add_address(&h, sk, "10.8.0.1/16"), 0);
    CHECK(has_route(&h, "10.8.0.1", ROUTE_LOCAL, "10.8.0.1")); /* ours, though nobody can reach it */
    CHECK(!has_route(&h, "10.8.0.0/16", ROUTE_UNICAST, "10.8.0.1"));
    CHECK_EQ(dev_open(eth0(&h)), 0);
    CHECK(has_route(&h, "10.7.0.0/16", ROUTE_UNICAST, "10.7.0.1"));
    CHECK(has_route(&h, "10.8.0.0/16", ROUTE_UNICAST, "10.8.0.1"));
    sim_run_for(ms(1));
    sock_release(sk);
    host_destroy(&h);
}

/* ---- netlink ---- */

TEST(what_is_wrong_with_an_address_is_said_as_linux_does)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct ifa_cacheinfo bad = { .ifa_valid = 5, .ifa_prefered = 6 }, brief = { .ifa_valid = 5 };

    CHECK_EQ(add_address(&h, sk, "10.0.0.1/24"), -EEXIST);
    CHECK_EQ(del_address(&h, sk, "10.0.0.7/24"), -EADDRNOTAVAIL);
    CHECK_EQ(add_address(&h, sk, "0.0.0.0/8"), 0); /* none */
    struct nl_ask q = about_address(&h, RTM_NEWADDR, NLM_F_CREATE, "10.0.0.7/24");
    struct ifaddrmsg *fixed = (struct ifaddrmsg *)(void *)(q.bytes + NLMSG_HDRLEN);
    fixed->ifa_scope = SCOPE_LINK;
    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* in a network of another scope */
    fixed->ifa_index = 99;
    CHECK_EQ(nl_error(sk, &q), -ENODEV);
    fixed->ifa_prefixlen = 33;
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = about_address(&h, RTM_NEWADDR, NLM_F_CREATE, "10.0.0.7/24");
    ask_attr(&q, IFA_CACHEINFO, &bad, sizeof bad);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = about_address(&h, RTM_NEWADDR, NLM_F_CREATE, "10.0.0.7/24");
    ask_attr(&q, IFA_CACHEINFO, &brief, sizeof brief);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    q = about_address(&h, RTM_NEWADDR, NLM_F_CREATE, "10.0.0.7/24");
    ask_attr(&q, IFA_LABEL, "a label that is too long", 25);
    CHECK_EQ(nl_error(sk, &q), -ERANGE);
    const struct ifaddrmsg bare = { .ifa_family = AF_INET, .ifa_index = 1 };
    q = ask(RTM_NEWADDR, NLM_F_ACK, &bare, sizeof bare);
    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* no address */
    CHECK_ADDRESSES(&h, "10.0.0.1/24 ");
    sock_release(sk);
    host_destroy(&h);
}

TEST(addresses_are_dumped_in_parts_and_changes_told)
{
    enum { MANY = 100 };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk), *monitor = nl_socket(h.vk);
    const struct ifaddrmsg all = { .ifa_family = AF_INET };
    unsigned told = 0, parts = 0;
    struct nl_ask got;
    uint8_t part[8192];
    char text[20];
    ssize_t n;

    CHECK_EQ(vk_setsockopt_int(monitor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_IPV4_IFADDR), 0);
    for (unsigned i = 0; i < MANY; i++) {
        ksnprintf(text, sizeof text, "10.%u.0.1/16", 1 + i);
        CHECK_EQ(add_address(&h, sk, text), 0);
        CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_NEWADDR);
    }
    struct nl_ask q = ask(RTM_GETADDR, NLM_F_DUMP, &all, sizeof all);
    CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
    while ((n = vk_recv(sk, part, sizeof part, MSG_DONTWAIT)) > 0) {
        CHECK(n <= 4096);
        parts++;
        for (const uint8_t *p = part; p < part + n;) {
            const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)p;
            told += m->nlmsg_type == RTM_NEWADDR;
            p += NLMSG_ALIGN(m->nlmsg_len);
        }
    }
    CHECK_EQ(told, MANY + 2); /* and lo's, and the first */
    CHECK(parts > 2);
    CHECK_EQ(del_address(&h, sk, "10.5.0.1/16"), 0);
    CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_DELADDR);
    sim_run_for(ms(10));
    sock_release(monitor);
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_strict_dump_is_of_one_device_and_asks_nothing_else)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct ifaddrmsg fixed = { .ifa_family = AF_INET, .ifa_index = eth0(&h)->ifindex };
    struct nl_ask q = ask(RTM_GETADDR, NLM_F_DUMP, &fixed, sizeof fixed), got;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
    CHECK_EQ(nl_answer(sk, &q, &got)->nlmsg_type, RTM_NEWADDR);
    CHECK_EQ(got.n, nl_first(&got)->nlmsg_len); /* one */
    CHECK_EQ(nl_attr_u32(nl_first(&got), sizeof fixed, IFA_LOCAL), inet_addr("10.0.0.1"));
    CHECK(nl_read(sk, &got) > 0 && nl_first(&got)->nlmsg_type == NLMSG_DONE);
    fixed.ifa_index = 99;
    q = ask(RTM_GETADDR, NLM_F_DUMP, &fixed, sizeof fixed);
    CHECK_EQ(nl_answer(sk, &q, &got)->nlmsg_type, NLMSG_DONE);
    CHECK_EQ(*(const int *)(const void *)(nl_first(&got) + 1), -ENODEV);
    fixed = (struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_prefixlen = 3 };
    q = ask(RTM_GETADDR, NLM_F_DUMP, &fixed, sizeof fixed);
    CHECK_EQ(nl_answer(sk, &q, &got)->nlmsg_type, NLMSG_DONE);
    CHECK_EQ(*(const int *)(const void *)(nl_first(&got) + 1), -EINVAL);
    sock_release(sk);
    host_destroy(&h);
}

TEST(an_address_without_memory_is_not_half_there)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = about_address(&h, RTM_NEWADDR, NLM_F_CREATE, "10.7.0.1/16"), got;

    for (unsigned nth = 1; nth < 20; nth++) {
        sim_fail_nth_alloc(nth);
        vk_send(sk, q.bytes, q.n, 0);
        sim_fail_nth_alloc(0);
        while (nl_read(sk, &got) != -EAGAIN)
            ;
        bool there = inet_dev_has(eth0(&h), ip_address(10, 7, 0, 1));
        CHECK_EQ(there, has_route(&h, "10.7.0.1", ROUTE_LOCAL, "10.7.0.1"));
        CHECK_EQ(there, has_route(&h, "10.7.0.0/16", ROUTE_UNICAST, "10.7.0.1"));
        if (there)
            CHECK_EQ(del_address(&h, sk, "10.7.0.1/16"), 0);
        sim_run_for(ms(1));
    }
    sock_release(sk);
    host_destroy(&h);
}

/* ---- labels ---- */

static struct ifreq labelled(const char *label, const char *addr)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(addr) };
    struct ifreq r = { .ifr_flags = 0 };

    strncpy(r.ifr_name, label, sizeof r.ifr_name - 1);
    memcpy(&r.ifr_addr, &in, sizeof in);
    return r;
}

TEST(an_alias_is_an_address_with_a_label_of_its_own) /* ifconfig eth0:1 */
{
    struct host h = host_create();
    struct ifreq r = labelled("eth0:1", "10.7.0.1"), list[8];
    struct ifconf conf = { .ifc_len = sizeof list, .ifc_req = list };

    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFADDR, &r), -EADDRNOTAVAIL);
    r = labelled("eth0:1", "10.7.0.1");
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFADDR, &r), 0);
    CHECK_ADDRESSES(&h, "10.0.0.1/24 10.7.0.1/8 ");
    r = labelled("eth0:1", "255.255.0.0");
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFNETMASK, &r), 0);
    CHECK_ADDRESSES(&h, "10.0.0.1/24 10.7.0.1/16 ");
    r = labelled("eth0", "10.7.0.1"); /* that one has another label */
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFADDR, &r), 0);
    CHECK_EQ(((struct sockaddr_in *)(void *)&r.ifr_addr)->sin_addr.s_addr, inet_addr("10.0.0.1"));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFCONF, &conf), 0);
    CHECK_EQ(conf.ifc_len, 3 * sizeof *list);
    CHECK(!strcmp(list[1].ifr_name, "eth0") && !strcmp(list[2].ifr_name, "eth0:1"));
    r = labelled("eth0:1", "0.0.0.0");
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags &= ~IFF_UP;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    CHECK_ADDRESSES(&h, "10.0.0.1/24 ");
    CHECK(eth0(&h)->flags & NETDEV_UP);
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), -EADDRNOTAVAIL);
    sim_run_for(ms(1));
    host_destroy(&h);
}

TEST(labels_follow_a_device_that_is_renamed)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct ifreq r = labelled("eth0:x", "10.7.0.1");
    char labels[100] = "";
    const struct in_ifaddr *ifa;

    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFADDR, &r), 0);
    CHECK_EQ(add_address(&h, sk, "10.8.0.1/24"), 0);
    CHECK_EQ(dev_rename(eth0(&h), "wan"), 0);
    list_for_each_entry (ifa, &in_dev_get(eth0(&h))->addresses, link)
        strcat(strcat(labels, ifa->label), " ");
    CHECK(!strcmp(labels, "wan wan:x wan:2 "));
    sim_run_for(ms(1));
    sock_release(sk);
    host_destroy(&h);
}
