/* net/ipv4/rtnl_neigh_test.c - neighbours by netlink: what `ip neigh` asks for, what comes back, what is
 * refused. */
#include "net/ipv4/ipv4.h"
#include "net/ipv4/neigh.h"
#include "net/netlink/netlink_test.h"
#include <arpa/inet.h>

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 7 }, mac_b[6] = { 2, 0, 0, 0, 0, 8 };

static struct nl_ask about_neighbour(const struct host *h, uint16_t type, uint16_t flags, const char *ip,
                                     uint16_t state, const uint8_t *mac)
{
    const struct ndmsg fixed = { .ndm_family = AF_INET,
                                 .ndm_ifindex = (int)h->vk->nic->dev->ifindex,
                                 .ndm_state = state };
    struct nl_ask q = ask(type, flags | NLM_F_ACK, &fixed, sizeof fixed);

    ask_ip(&q, NDA_DST, ip);
    if (mac)
        ask_attr(&q, NDA_LLADDR, mac, 6);
    return q;
}

static enum neigh_state state_of(const struct host *h, const char *ip)
{
    struct neigh_info info;

    CHECK_EQ(neigh_get(h->vk->nic->dev, cpu_to_be32(vk_parse_ip(ip, NULL)), &info), 0);
    return info.state;
}

TEST(a_neighbour_is_added_replaced_changed_and_removed)
{
    enum { ADD = NLM_F_CREATE | NLM_F_EXCL, REPLACE = NLM_F_CREATE | NLM_F_REPLACE };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = about_neighbour(&h, RTM_NEWNEIGH, ADD, "10.0.0.7", NUD_PERMANENT, mac_a), got;

    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK_EQ(state_of(&h, "10.0.0.7"), NEIGH_PERMANENT);
    CHECK_EQ(nl_error(sk, &q), -EEXIST);
    q = about_neighbour(&h, RTM_NEWNEIGH, REPLACE, "10.0.0.7", NUD_REACHABLE, mac_b);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK_EQ(state_of(&h, "10.0.0.7"), NEIGH_REACHABLE);
    q = about_neighbour(&h, RTM_GETNEIGH, 0, "10.0.0.7", 0, NULL);
    const struct nlmsghdr *m = nl_answer(sk, &q, &got);
    const struct ndmsg *fixed = (const struct ndmsg *)(m + 1);
    CHECK(m->nlmsg_type == RTM_NEWNEIGH && fixed->ndm_state == NUD_REACHABLE &&
          fixed->ndm_type == RTN_UNICAST);
    CHECK(!memcmp(nl_attr(m, sizeof *fixed, NDA_LLADDR) + 1, mac_b, 6));
    while (nl_read(sk, &got) > 0)
        ; /* its acknowledgement */
    q = about_neighbour(&h, RTM_NEWNEIGH, NLM_F_REPLACE, "10.0.0.9", NUD_STALE, mac_b);
    CHECK_EQ(nl_error(sk, &q), -ENOENT); /* ip neigh change */
    q = about_neighbour(&h, RTM_DELNEIGH, 0, "10.0.0.7", 0, NULL);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK_EQ(nl_error(sk, &q), -ENOENT);
    q = about_neighbour(&h, RTM_GETNEIGH, 0, "10.0.0.7", 0, NULL);
    CHECK_EQ(nl_error(sk, &q), -ENOENT);
    sim_run_for(ms(1));
    sock_release(sk);
    host_destroy(&h);
}

TEST(what_is_wrong_with_a_neighbour_is_said)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct ndmsg fixed = { .ndm_family = AF_INET, .ndm_ifindex = 99, .ndm_state = NUD_PERMANENT };
    struct nl_ask q = about_neighbour(&h, RTM_NEWNEIGH, NLM_F_CREATE, "10.0.0.7", NUD_PERMANENT, NULL);

    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* no MAC */
    q = about_neighbour(&h, RTM_NEWNEIGH, NLM_F_CREATE, "10.0.0.7", 0, mac_a);
    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* no state */
    q = about_neighbour(&h, RTM_NEWNEIGH, NLM_F_CREATE, "10.0.0.7", NUD_PERMANENT, NULL);
    ask_attr(&q, NDA_LLADDR, mac_a, 5);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = ask(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &fixed, sizeof fixed);
    CHECK_EQ(nl_error(sk, &q), -EINVAL); /* no address */
    ask_ip(&q, NDA_DST, "10.0.0.7");
    CHECK_EQ(nl_error(sk, &q), -ENODEV);
    fixed.ndm_ifindex = 0;
    q = ask(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &fixed, sizeof fixed);
    ask_ip(&q, NDA_DST, "10.0.0.7");
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    fixed = (struct ndmsg){ .ndm_family = AF_INET, .ndm_ifindex = 1, .ndm_flags = NTF_PROXY };
    q = ask(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &fixed, sizeof fixed);
    ask_ip(&q, NDA_DST, "10.0.0.7");
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    sock_release(sk);
    host_destroy(&h);
}

TEST(neighbours_are_dumped_by_device_and_changes_told)
{
    enum { MANY = 120 };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk), *monitor = nl_socket(h.vk);
    const struct ndmsg any = { .ndm_family = AF_INET };
    uint8_t part[8192];
    char text[20];
    struct nl_ask q, got;
    ssize_t n;

    for (unsigned i = 0; i < MANY; i++) {
        ksnprintf(text, sizeof text, "10.0.0.%u", 10 + i);
        q = about_neighbour(&h, RTM_NEWNEIGH, NLM_F_CREATE, text, NUD_PERMANENT, mac_a);
        CHECK_EQ(nl_error(sk, &q), 0);
    }
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
    for (uint32_t ifindex = 1; ifindex <= 2; ifindex++) {
        unsigned seen = 0;
        q = ask(RTM_GETNEIGH, NLM_F_DUMP, &any, sizeof any);
        ask_u32(&q, NDA_IFINDEX, ifindex);
        CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
        while ((n = vk_recv(sk, part, sizeof part, MSG_DONTWAIT)) > 0)
            for (const uint8_t *p = part; p < part + n;) {
                const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)p;
                seen += m->nlmsg_type == RTM_NEWNEIGH;
                p += NLMSG_ALIGN(m->nlmsg_len);
            }
        CHECK_EQ(seen, ifindex == h.vk->nic->dev->ifindex ? MANY : 0);
    }
    sim_run_for(ms(1));
    CHECK_EQ(vk_setsockopt_int(monitor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_NEIGH), 0);
    q = about_neighbour(&h, RTM_DELNEIGH, 0, "10.0.0.77", 0, NULL);
    CHECK_EQ(nl_error(sk, &q), 0);
    sim_run_for(ms(1));
    CHECK(nl_read(monitor, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_DELNEIGH);
    CHECK_EQ(nl_attr_u32(nl_first(&got), sizeof any, NDA_DST), inet_addr("10.0.0.77"));
    sock_release(monitor);
    sock_release(sk);
    host_destroy(&h);
}
