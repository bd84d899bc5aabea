/* net/netlink/netlink_test.c - netlink sockets: names, requests right and wrong, dumps, groups, and memory
 * that is out. netlink(7), RFC 3549. */
#include "net/netlink/netlink_test.h"
#include "net/netlink/netlink.h"

static const struct ifinfomsg any_link;

static struct nl_ask ask_link(const char *name)
{
    struct nl_ask q = ask(RTM_GETLINK, 0, &any_link, sizeof any_link);

    ask_attr(&q, IFLA_IFNAME, name, strlen(name) + 1);
    return q;
}

/* ---- sockets and names ---- */

TEST(a_netlink_socket_is_raw_or_dgram_and_of_a_protocol_that_is_there)
{
    struct host h = host_create();
    struct sock *sk;

    CHECK_EQ(sock_create(h.vk->net, AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE, &sk), -ESOCKTNOSUPPORT);
    CHECK_EQ(sock_create(h.vk->net, AF_NETLINK, SOCK_RAW, 16, &sk), -EPROTONOSUPPORT);
    CHECK_EQ(sock_create(h.vk->net, AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE, &sk), 0);
    CHECK_EQ(sock_listen(sk, 1), -EOPNOTSUPP);
    sock_release(sk);
    host_destroy(&h);
}

static int bind_to(struct sock *sk, uint32_t portid, uint32_t groups)
{
    const struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups };

    return sock_bind(sk, (const struct sockaddr *)&name, sizeof name);
}

static struct sockaddr_nl name_of(struct sock *sk)
{
    struct sockaddr_storage s;
    struct sockaddr_nl name;

    CHECK_EQ(sock_getname(sk, &s, false), sizeof name);
    memcpy(&name, &s, sizeof name);
    return name;
}

TEST(a_port_is_the_process_s_number_if_that_is_free_and_belongs_to_one_socket)
{
    struct host h = host_create();
    struct sock *a = nl_socket(h.vk), *b = nl_socket(h.vk);
    const struct sockaddr_in other = { .sin_family = AF_INET };

    CHECK_EQ(name_of(a).nl_pid, 0);
    CHECK_EQ(bind_to(a, 0, 0x11), 0);
    CHECK_EQ(name_of(a).nl_pid, 1);
    CHECK_EQ(name_of(a).nl_groups, 0x11);
    CHECK_EQ(bind_to(b, 1, 0), -EADDRINUSE);
    CHECK_EQ(bind_to(b, 0, 0), 0);
    CHECK(name_of(b).nl_pid >> 31);
    CHECK_EQ(bind_to(b, 5, 0), -EINVAL); /* it has one */
    CHECK_EQ(bind_to(b, 0, 0), -EINVAL);
    CHECK_EQ(sock_bind(b, (const struct sockaddr *)&other, sizeof other), -EINVAL);
    CHECK_EQ(sock_bind(b, (const struct sockaddr *)&other, 4), -EINVAL);
    sock_release(a);
    sock_release(b);
    host_destroy(&h);
}

TEST(programs_speak_to_each_other_if_they_may)
{
    struct host h = host_create();
    struct sock *a = nl_socket(h.vk), *b = nl_socket(h.vk);
    const struct sockaddr_nl to_a = { .nl_family = AF_NETLINK, .nl_pid = 1 };
    const struct sockaddr_nl to_nobody = { .nl_family = AF_NETLINK, .nl_pid = 4711 };
    struct credentials nobody = { .pid = 3, .uid = 65534, .euid = 65534 };
    struct sockaddr_in from;
    struct nl_ask got;

    CHECK_EQ(bind_to(a, 1, 0), 0);
    CHECK_EQ(bind_to(b, 2, 0), 0);
    CHECK_EQ(sock_connect(b, (const struct sockaddr *)&to_a, sizeof to_a, 0), 0);
    CHECK_EQ(vk_send(b, "hello", 5, 0), 5);
    CHECK_EQ(vk_recvfrom(a, got.bytes, sizeof got.bytes, MSG_DONTWAIT, &from), 5);
    CHECK_EQ(((const struct sockaddr_nl *)(const void *)&from)->nl_pid, 2);
    CHECK_EQ(sock_connect(b, (const struct sockaddr *)&to_nobody, sizeof to_nobody, 0), 0);
    CHECK_EQ(vk_send(b, "hello", 5, 0), -ECONNREFUSED);
    sim_set_credentials(&nobody);
    CHECK_EQ(sock_connect(b, (const struct sockaddr *)&to_a, sizeof to_a, 0), -EPERM);
    sock_release(a);
    sock_release(b);
    host_destroy(&h);
}

TEST(options_of_netlink_are_kept_and_others_are_unknown)
{
    static const int flags[] = { NETLINK_PKTINFO, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS,
                                 NETLINK_CAP_ACK, NETLINK_EXT_ACK,         NETLINK_GET_STRICT_CHK };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    uint32_t groups[2] = { 0 };
    socklen_t len = sizeof groups;

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        CHECK_EQ(vk_getsockopt_int(sk, SOL_NETLINK, flags[i]), 0);
        CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, flags[i], 7), 0);
        CHECK_EQ(vk_getsockopt_int(sk, SOL_NETLINK, flags[i]), 1);
    }
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, 99, 1), -ENOPROTOOPT);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, 1, 1), -ENOPROTOOPT);
    CHECK_EQ(sock_setsockopt(sk, SOL_NETLINK, NETLINK_EXT_ACK, "x", 1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_NETLINK, NETLINK_EXT_ACK), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0), -EINVAL);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 100), -EINVAL);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 1), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 36), 0);
    CHECK_EQ(sock_getsockopt(sk, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &len), 0);
    CHECK(len == 8 && groups[0] == 1 && groups[1] == 1 << 3);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, 1), 0);
    CHECK_EQ(name_of(sk).nl_groups, 0);
    sock_release(sk);
    host_destroy(&h);
}

/* ---- requests ---- */

TEST(a_link_is_found_by_its_name_and_by_its_index)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask_link("eth0"), got;
    const struct nlmsghdr *a = nl_answer(sk, &q, &got);
    const struct ifinfomsg *info = (const struct ifinfomsg *)(a + 1);
    struct ifinfomsg by_index = { .ifi_index = info->ifi_index };

    CHECK(a->nlmsg_type == RTM_NEWLINK && a->nlmsg_seq == 77 && a->nlmsg_pid == 1 && a->nlmsg_flags == 0);
    CHECK(info->ifi_type == ARPHRD_ETHER && info->ifi_flags & IFF_UP && info->ifi_flags & IFF_RUNNING);
    CHECK_EQ(nl_attr_u32(a, sizeof *info, IFLA_MTU), 1500);
    CHECK(!memcmp(nl_attr(a, sizeof *info, IFLA_ADDRESS) + 1, host_mac(&h), 6));
    q = ask(RTM_GETLINK, 0, &by_index, sizeof by_index);
    a = nl_answer(sk, &q, &got);
    CHECK(!strcmp((const char *)(nl_attr(a, sizeof *info, IFLA_IFNAME) + 1), "eth0"));
    q = ask_link("eth7");
    CHECK_EQ(nl_error(sk, &q), -ENODEV);
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_link_is_renamed_resized_and_closed_and_tells_who_listens)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk), *monitor = nl_socket(h.vk);
    struct ifinfomsg info = { .ifi_index = (int)h.vk->nic->dev->ifindex };
    struct nl_ask q = ask(RTM_NEWLINK, NLM_F_ACK, &info, sizeof info), got;

    CHECK_EQ(vk_setsockopt_int(monitor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_LINK), 0);
    ask_u32(&q, IFLA_MTU, 1400);
    ask_attr(&q, IFLA_IFNAME, "wan", 4);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(!strcmp(h.vk->nic->dev->name, "wan"));
    CHECK_EQ(h.vk->nic->dev->mtu, 1400);
    CHECK(nl_read(monitor, &got) > 0);
    CHECK_EQ(nl_attr_u32(nl_first(&got), sizeof info, IFLA_MTU), 1400);
    CHECK(nl_read(monitor, &got) > 0);
    CHECK(!strcmp((const char *)(nl_attr(nl_first(&got), sizeof info, IFLA_IFNAME) + 1), "wan"));
    info.ifi_change = IFF_UP;
    q = ask(RTM_NEWLINK, NLM_F_ACK, &info, sizeof info);
    CHECK_EQ(nl_error(sk, &q), 0);
    CHECK(!(h.vk->nic->dev->flags & NETDEV_UP));
    CHECK(nl_read(monitor, &got) > 0);
    CHECK(!(((const struct ifinfomsg *)(nl_first(&got) + 1))->ifi_flags & IFF_UP));
    sim_run_for(ms(1)); /* and nothing about the cable that went with it */
    CHECK_EQ(nl_read(monitor, &got), -EAGAIN);
    sock_release(monitor);
    sock_release(sk);
    host_destroy(&h);
}

TEST(what_cannot_be_set_is_refused_as_linux_does)
{
    static const struct {
        uint16_t type;
        const char *value;
        size_t n;
        int err;
    } wrong[] = {
        { IFLA_MTU, "\x14\0\0", 4, -EINVAL },
        { IFLA_MTU, "\0\0\1", 4, -EINVAL },
        { IFLA_IFNAME, "lo", 3, -EEXIST },
        { IFLA_IFNAME, "a/b", 4, -EINVAL },
        { IFLA_IFNAME, "", 1, -EINVAL },
        { IFLA_IFNAME, "sixteen letters.", 17, -ERANGE },
        { IFLA_MTU, "\1\2", 2, -ERANGE },
        { IFLA_MASTER, "\1\0\0", 4, -EOPNOTSUPP },
        { IFLA_ADDRESS, "\2\0\0\0\0", 5, -EINVAL },
        { IFLA_ADDRESS, "\2\0\0\0\0\1", 6, -EOPNOTSUPP },
        { IFLA_TXQLEN, "\0\0\0\xff", 4, -ERANGE },
        { IFLA_IFALIAS, "x", 1, -EOPNOTSUPP },
    };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct ifinfomsg info = { .ifi_index = (int)h.vk->nic->dev->ifindex };

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct nl_ask q = ask(RTM_SETLINK, NLM_F_ACK, &info, sizeof info);
        ask_attr(&q, wrong[i].type, wrong[i].value, wrong[i].n);
        CHECK_EQ(nl_error(sk, &q), wrong[i].err);
    }
    CHECK(!strcmp(h.vk->nic->dev->name, "eth0"));
    CHECK_EQ(h.vk->nic->dev->mtu, 1500);
    sock_release(sk);
    host_destroy(&h);
}

TEST(links_are_neither_made_nor_removed)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &any_link, sizeof any_link);

    ask_attr(&q, IFLA_IFNAME, "dummy0", 7);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    q = ask(RTM_NEWLINK, NLM_F_ACK, &any_link, sizeof any_link);
    CHECK_EQ(nl_error(sk, &q), -ENODEV); /* by which ip sees that links can be set this way */
    q = ask(RTM_SETLINK, NLM_F_ACK, &any_link, sizeof any_link);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = ask(RTM_DELLINK, NLM_F_ACK, &any_link, sizeof any_link);
    ask_attr(&q, IFLA_IFNAME, "eth0", 5);
    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    q = ask(RTM_DELLINK, NLM_F_ACK, &any_link, sizeof any_link);
    ask_attr(&q, IFLA_IFNAME, "eth1", 5);
    CHECK_EQ(nl_error(sk, &q), -ENODEV);
    sock_release(sk);
    host_destroy(&h);
}

TEST(who_is_no_administrator_may_ask_but_not_change)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct credentials nobody = { .pid = 3, .uid = 65534, .euid = 65534 };
    const struct ifinfomsg down = { .ifi_index = (int)h.vk->nic->dev->ifindex, .ifi_change = IFF_UP };
    struct nl_ask q = ask(RTM_NEWLINK, NLM_F_ACK, &down, sizeof down), got;

    sim_set_credentials(&nobody);
    CHECK_EQ(nl_error(sk, &q), -EPERM);
    CHECK(h.vk->nic->dev->flags & NETDEV_UP);
    q = ask_link("lo");
    CHECK_EQ(nl_answer(sk, &q, &got)->nlmsg_type, RTM_NEWLINK);
    sock_release(sk);
    host_destroy(&h);
}

TEST(an_error_quotes_the_request_and_says_in_words_what_is_wrong)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct ifinfomsg info = { .ifi_index = (int)h.vk->nic->dev->ifindex };
    struct nl_ask q = ask(RTM_SETLINK, NLM_F_ACK, &info, sizeof info), got;

    ask_u32(&q, IFLA_MTU, 20);
    const struct nlmsghdr *a = nl_answer(sk, &q, &got);
    CHECK_EQ(a->nlmsg_len, NLMSG_HDRLEN + 4 + q.n);
    CHECK(!memcmp((const uint8_t *)(a + 1) + 4, q.bytes, q.n));
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_EXT_ACK, 1), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_CAP_ACK, 1), 0);
    a = nl_answer(sk, &q, &got);
    CHECK_EQ(a->nlmsg_flags, NLM_F_CAPPED | NLM_F_ACK_TLVS);
    const struct nlattr *text = nl_attr(a, sizeof(struct nlmsgerr), NLMSGERR_ATTR_MSG);
    CHECK(text && !strcmp((const char *)(text + 1), "mtu less than device minimum"));
    sock_release(sk);
    host_destroy(&h);
}

TEST(messages_of_one_call_are_served_one_after_the_other)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask_link("lo"), second = ask_link("none"), got;

    memcpy(q.bytes + q.n, second.bytes, second.n);
    CHECK_EQ(vk_send(sk, q.bytes, q.n + second.n, 0), q.n + second.n);
    CHECK(nl_read(sk, &got) > 0 && nl_first(&got)->nlmsg_type == RTM_NEWLINK);
    CHECK(nl_read(sk, &got) > 0 && nl_first(&got)->nlmsg_type == NLMSG_ERROR);
    CHECK_EQ(nl_read(sk, &got), -EAGAIN);
    sock_release(sk);
    host_destroy(&h);
}

/* ---- malformed ---- */

TEST(a_message_whose_length_is_wrong_is_not_answered) /* as Linux: nobody knows what it would have been */
{
    static const uint32_t lengths[] = { 0, 1, 15, 1000, UINT32_MAX };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask_link("lo"), got;

    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        ((struct nlmsghdr *)(void *)q.bytes)->nlmsg_len = lengths[i];
        CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
        CHECK_EQ(nl_read(sk, &got), -EAGAIN);
    }
    CHECK_EQ(vk_send(sk, q.bytes, 0, 0), -ENODATA);
    for (size_t n = 1; n < sizeof(struct nlmsghdr); n++)
        CHECK_EQ(vk_send(sk, q.bytes, n, 0), n);
    CHECK_EQ(nl_read(sk, &got), -EAGAIN);
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_fixed_part_that_is_cut_off_is_an_error)
{
    static const uint16_t types[] = { RTM_GETLINK, RTM_SETLINK, RTM_NEWLINK, RTM_DELLINK };
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        for (uint32_t n = 1; n < sizeof any_link; n++) {
            struct nl_ask q = ask(types[i], NLM_F_ACK, &any_link, n);
            ((struct nlmsghdr *)(void *)q.bytes)->nlmsg_len = NLMSG_HDRLEN + n;
            CHECK_EQ(nl_error(sk, &q), -EINVAL);
        }
    }
    sock_release(sk);
    host_destroy(&h);
}

TEST(every_type_with_every_length_and_bytes_by_chance_is_survived)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = { .n = 0 }, got;

    for (unsigned i = 0; i < 4000; i++) {
        random_bytes(q.bytes, sizeof q.bytes);
        struct nlmsghdr *m = (struct nlmsghdr *)(void *)q.bytes;
        m->nlmsg_len = 16 + random_u32() % 80;
        m->nlmsg_type = (uint16_t)(16 + random_u32() % 30);
        q.bytes[16] = random_u32() % 4 ? AF_INET : 0;
        q.bytes[20] &= 3; /* an index or a length that may be right */
        q.bytes[21] = q.bytes[22] = q.bytes[23] = 0;
        for (unsigned at = 28; at < 96; at += 8) { /* attributes that may be ones */
            q.bytes[at] = (uint8_t)(random_u32() % 4 ? 8 : random_u32());
            q.bytes[at + 1] = 0;
            q.bytes[at + 2] %= 32;
            q.bytes[at + 3] = 0;
        }
        CHECK_EQ(vk_send(sk, q.bytes, m->nlmsg_len, 0), m->nlmsg_len);
        while (nl_read(sk, &got) >= 0)
            ;
    }
    sock_release(sk);
    host_destroy(&h);
}

TEST(strict_checking_refuses_what_else_is_ignored)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask_link("lo"), got;

    ask_u32(&q, 60, 1); /* no such attribute here */
    CHECK_EQ(nl_answer(sk, &q, &got)->nlmsg_type, RTM_NEWLINK);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1), 0);
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    q = ask_link("lo");
    ask_put(&q, "\2\0\1", 4); /* an attribute of 2 bytes */
    CHECK_EQ(nl_error(sk, &q), -EINVAL);
    sock_release(sk);
    host_destroy(&h);
}

/* ---- dumps ---- */

TEST(a_dump_ends_with_done_and_only_one_runs_at_a_time)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask(RTM_GETLINK, NLM_F_DUMP, &any_link, sizeof any_link), got;

    CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
    CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
    CHECK(vk_recv(sk, NULL, 0, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC) > 500); /* how much room it takes */
    CHECK(nl_read(sk, &got) > 0);
    CHECK(nl_first(&got)->nlmsg_type == RTM_NEWLINK && nl_first(&got)->nlmsg_flags == NLM_F_MULTI);
    CHECK(nl_read(sk, &got) > 0); /* the second one */
    CHECK_EQ(((const struct nlmsgerr *)(nl_first(&got) + 1))->error, -EBUSY);
    CHECK(nl_read(sk, &got) > 0);
    CHECK(nl_first(&got)->nlmsg_type == NLMSG_DONE && nl_first(&got)->nlmsg_len == 20);
    CHECK_EQ(nl_read(sk, &got), -EAGAIN);
    CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n); /* left unread: closing ends it */
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_dump_of_a_family_that_is_not_there_is_empty)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct rtgenmsg unknown = { .rtgen_family = 0 };
    struct nl_ask q = ask(RTM_GETLINK + 60, NLM_F_DUMP, &unknown, sizeof unknown);

    CHECK_EQ(nl_error(sk, &q), -EOPNOTSUPP);
    sock_release(sk);
    host_destroy(&h);
}

TEST(a_dump_says_that_the_table_changed_meanwhile)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    struct nl_ask q = ask(RTM_GETLINK, NLM_F_DUMP, &any_link, sizeof any_link), got;

    CHECK_EQ(vk_send(sk, q.bytes, q.n, 0), q.n);
    CHECK_EQ(dev_rename(h.vk->nic->dev, "other"), 0);
    CHECK(nl_read(sk, &got) > 0);
    CHECK(nl_read(sk, &got) > 0);
    CHECK_EQ(nl_first(&got)->nlmsg_flags, NLM_F_MULTI | NLM_F_DUMP_INTR);
    sock_release(sk);
    host_destroy(&h);
}

/* ---- groups ---- */

TEST(who_does_not_read_is_told_once_that_something_was_lost) /* netlink(7): ENOBUFS */
{
    struct host h = host_create();
    struct sock *monitor = nl_socket(h.vk);
    struct nl_ask got;
    unsigned n = 0;

    CHECK_EQ(bind_to(monitor, 0, RTMGRP_LINK), 0);
    CHECK_EQ(vk_setsockopt_int(monitor, SOL_SOCKET, SO_RCVBUF, 4096), 0);
    for (unsigned i = 0; i < 20; i++)
        CHECK_EQ(dev_set_mtu(h.vk->nic->dev, 1000 + i), 0);
    CHECK(sock_poll(monitor) & POLLERR);
    CHECK_EQ(nl_read(monitor, &got), -ENOBUFS);
    while (nl_read(monitor, &got) > 0)
        n++;
    CHECK(n > 0 && n < 20);
    CHECK_EQ(dev_set_mtu(h.vk->nic->dev, 1500), 0); /* and goes on */
    CHECK(nl_read(monitor, &got) > 0);
    sock_release(monitor);
    host_destroy(&h);
}

TEST(an_echo_tells_who_caused_it_what_came_of_it) /* NLM_F_ECHO */
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct ifinfomsg info = { .ifi_index = (int)h.vk->nic->dev->ifindex };
    struct nl_ask q = ask(RTM_SETLINK, NLM_F_ACK | NLM_F_ECHO, &info, sizeof info), got;

    ask_u32(&q, IFLA_MTU, 1300);
    const struct nlmsghdr *a = nl_answer(sk, &q, &got);
    CHECK(a->nlmsg_type == RTM_NEWLINK && a->nlmsg_seq == 77 && a->nlmsg_pid == 1);
    CHECK(nl_read(sk, &got) > 0 && nl_first(&got)->nlmsg_type == NLMSG_ERROR);
    sock_release(sk);
    host_destroy(&h);
}

/* ---- memory ---- */

TEST(a_request_without_memory_is_an_error_and_leaks_nothing)
{
    struct host h = host_create();
    struct sock *sk = nl_socket(h.vk);
    const struct ifinfomsg info = { .ifi_index = (int)h.vk->nic->dev->ifindex };
    struct nl_ask dump = ask(RTM_GETLINK, NLM_F_DUMP, &any_link, sizeof any_link), get = ask_link("lo");
    struct nl_ask set = ask(RTM_SETLINK, NLM_F_ACK | NLM_F_ECHO, &info, sizeof info), got;
    const struct nl_ask *const all[] = { &dump, &get, &set };

    ask_u32(&set, IFLA_MTU, 1300);
    CHECK_EQ(bind_to(sk, 0, RTMGRP_LINK), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        for (unsigned nth = 1; nth < 12; nth++) {
            sim_fail_nth_alloc(nth);
            ssize_t sent = vk_send(sk, all[i]->bytes, all[i]->n, 0);
            CHECK(sent == all[i]->n || sent == -ENOBUFS);
            for (unsigned reads = 0; reads < 6; reads++)
                nl_read(sk, &got);
            sim_fail_nth_alloc(0);
            while (nl_read(sk, &got) != -EAGAIN)
                ;
            CHECK_EQ(dev_set_mtu(h.vk->nic->dev, 1500), 0);
            while (nl_read(sk, &got) != -EAGAIN)
                ;
        }
    }
    CHECK_EQ(nl_answer(sk, &get, &got)->nlmsg_type, RTM_NEWLINK);
    sock_release(sk);
    host_destroy(&h);
}
