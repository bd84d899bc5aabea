/* net/igmp/sockopt_test.c - groups as programs see them: ip(7), RFC 3678. */
#include "net/igmp/igmp_test.h"

#define GROUP ip4(239, 1, 2, 3)
#define OTHER ip4(239, 1, 2, 4)
#define A     ip4(10, 0, 0, 2) /* the tap */
#define B     ip4(10, 0, 0, 8)

/* A datagram from saddr to group, and time for it to arrive. */
static void say(const struct host *h, uint32_t saddr, uint32_t group)
{
    struct packet p = { .protocol = PACKET_UDP,
                        .saddr = saddr,
                        .daddr = group,
                        .sport = 9,
                        .dport = PORT,
                        .payload = "x",
                        .payload_len = 1 };
    const uint8_t mac[6] = {
        1, 0, 0x5e, (uint8_t)(group >> 16 & 0x7f), (uint8_t)(group >> 8), (uint8_t)group
    };

    memcpy(p.dst_mac, mac, 6);
    tap_send(h->tap, &p);
    sim_run_for(ms(1));
}

static bool hears(struct sock *sk)
{
    char c;
    return vk_recv(sk, &c, 1, MSG_DONTWAIT) == 1;
}

static struct sock *receiver(const struct host *h, const char *addr)
{
    struct sock *sk = vk_socket(h->vk, SOCK_DGRAM);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_bind(sk, addr, PORT), 0);
    return sk;
}

TEST(a_group_s_datagrams_come_to_all_its_members_and_to_no_host_that_is_none) // RFC 1112 7.1; checklist
{
    struct host h = host_create();
    struct sock *a = receiver(&h, NULL), *b = receiver(&h, "239.1.2.3");

    say(&h, A, GROUP);
    CHECK(!hears(a) && !hears(b));
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_NOT_FOR_US), 1);
    CHECK_EQ(join(a, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(join(b, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    say(&h, A, GROUP);
    CHECK(hears(a) && hears(b));
    say(&h, A, OTHER);
    CHECK(!hears(a) && !hears(b));
    vk_close(a);
    vk_close(b);
    say(&h, A, GROUP);
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_NOT_FOR_US), 3);
    expect_alive(&h);
    host_destroy(&h);
}

TEST(who_joined_nothing_hears_what_others_joined_unless_he_says_no) // ip(7), IP_MULTICAST_ALL
{
    struct host h = host_create();
    struct sock *member = receiver(&h, NULL), *bystander = receiver(&h, NULL);

    CHECK_EQ(join(member, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(vk_getsockopt_int(bystander, SOL_IP, IP_MULTICAST_ALL), 1);
    say(&h, A, GROUP);
    CHECK(hears(member) && hears(bystander));
    CHECK_EQ(vk_setsockopt_int(bystander, SOL_IP, IP_MULTICAST_ALL, 0), 0);
    say(&h, A, GROUP);
    CHECK(hears(member) && !hears(bystander));
    CHECK_EQ(vk_setsockopt_int(bystander, SOL_IP, IP_MULTICAST_ALL, 2), -EINVAL);
    vk_close(member);
    CHECK_EQ(join(bystander, IP_ADD_MEMBERSHIP, OTHER, 0), 0);
    say(&h, A, ip4(224, 0, 0, 1)); /* for all hosts, but he joined another */
    CHECK(!hears(bystander));
    CHECK_EQ(host_drops(&h, SKB_DROP_UDP_NO_MEMBER), 1);
    vk_close(bystander);
    host_destroy(&h);
}

TEST(each_member_has_its_own_sources) // RFC 3376 3.1, RFC 3678 3
{
    struct host h = host_create();
    struct sock *only_a = receiver(&h, NULL), *not_a = receiver(&h, NULL);

    CHECK_EQ(join(only_a, IP_ADD_SOURCE_MEMBERSHIP, GROUP, A), 0);
    say(&h, B, GROUP); /* the host's own filter already stops it */
    CHECK(!hears(only_a) && !hears(not_a));
    CHECK_EQ(host_drops(&h, SKB_DROP_IP_NOT_FOR_US), 1);
    CHECK_EQ(join(not_a, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(join(not_a, IP_BLOCK_SOURCE, GROUP, A), 0);
    say(&h, A, GROUP);
    CHECK(hears(only_a) && !hears(not_a));
    say(&h, B, GROUP);
    CHECK(!hears(only_a) && hears(not_a));
    CHECK_EQ(join(not_a, IP_UNBLOCK_SOURCE, GROUP, A), 0);
    say(&h, A, GROUP);
    CHECK(hears(only_a) && hears(not_a));
    vk_close(only_a);
    vk_close(not_a);
    host_destroy(&h);
}

TEST(a_raw_socket_joins_too) // raw(7)
{
    struct host h = host_create();
    struct sock *sk;
    char got[64];

    CHECK_EQ(sock_create(h.vk->net, AF_INET, SOCK_RAW, IPPROTO_UDP, &sk), 0);
    CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B), 0);
    say(&h, A, GROUP);
    CHECK_EQ(vk_recv(sk, got, sizeof got, MSG_DONTWAIT), -EAGAIN);
    say(&h, B, GROUP);
    CHECK_EQ(vk_recv(sk, got, sizeof got, MSG_DONTWAIT), 29);
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_is_sent_to_a_group_has_its_own_ttl_and_comes_back_to_members) // RFC 1112 6.1, 6.2; ip(7)
{
    struct host h = host_create();
    struct sock *sk = receiver(&h, NULL);
    struct packet p;

    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    sim_run_for(sec(3));
    tap_flush(h.tap);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_MULTICAST_TTL), 1);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_MULTICAST_LOOP), 1);
    CHECK_EQ(vk_sendto(sk, "1", 1, 0, "239.1.2.3", PORT), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.ttl == 1 && p.checksum_ok && p.dst_mac[0] == 1 && p.dst_mac[3] == 1 && p.dst_mac[5] == 3);
    CHECK(hears(sk));
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MULTICAST_TTL, 33), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MULTICAST_LOOP, 0), 0);
    CHECK_EQ(vk_sendto(sk, "2", 1, 0, "239.1.2.3", PORT), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(p.ttl == 33 && !hears(sk));
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MULTICAST_TTL, 0), 0); /* not beyond this host */
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MULTICAST_LOOP, 1), 0);
    CHECK_EQ(vk_sendto(sk, "3", 1, 0, "239.1.2.3", PORT), 1);
    EXPECT_SILENCE(h.tap, ms(100));
    CHECK(hears(sk));
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MULTICAST_TTL, -1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_MULTICAST_TTL), 1);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MULTICAST_TTL, 256), -EINVAL);
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_is_broadcast_comes_back_to_who_is_bound_to_the_port) // RFC 1122 3.3.6; as Linux does it
{
    struct host h = host_create();
    struct sock *sk = receiver(&h, NULL);
    struct packet p;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(vk_sendto(sk, "1", 1, 0, "10.0.0.255", PORT), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(hears(sk));
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_device_for_groups_is_chosen_by_address_or_number) // ip(7), IP_MULTICAST_IF
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM), *member = receiver(&h, NULL);
    struct ip_mreqn m = { .imr_address.s_addr = htonl(INADDR_LOOPBACK) };
    struct in_addr got;
    socklen_t len = sizeof got;
    struct packet p;

    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MULTICAST_IF, &m.imr_address, sizeof m.imr_address), 0);
    CHECK_EQ(sock_getsockopt(sk, SOL_IP, IP_MULTICAST_IF, &got, &len), 0);
    CHECK_EQ(got.s_addr, htonl(INADDR_LOOPBACK));
    m.imr_multiaddr.s_addr = htonl(GROUP);
    CHECK_EQ(sock_setsockopt(member, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), 0); /* on lo */
    CHECK_EQ(vk_sendto(sk, "1", 1, 0, "239.1.2.3", PORT), 1);
    EXPECT_SILENCE(h.tap, sec(2));
    CHECK(hears(member) && !hears(member));
    m = (struct ip_mreqn){ .imr_ifindex = (int)h.vk->nic->dev->ifindex };
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MULTICAST_IF, &m, sizeof m), 0);
    CHECK_EQ(vk_sendto(sk, "2", 1, 0, "239.1.2.3", PORT), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK_EQ(p.saddr, h.vk->addr);
    m.imr_ifindex = 99;
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MULTICAST_IF, &m, sizeof m), -EADDRNOTAVAIL);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MULTICAST_IF, &m, 3), -EINVAL);
    vk_close(sk);
    vk_close(member);
    host_destroy(&h);
}

TEST(what_cannot_be_joined_or_left_is_refused) // ip(7)
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM), *stream = vk_socket(h.vk, SOCK_STREAM);
    struct ip_mreqn m = { { htonl(GROUP) }, { 0 }, 99 };

    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), -ENODEV);
    m.imr_ifindex = 0;
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_ADD_MEMBERSHIP, &m, 7), -EINVAL);
    CHECK_EQ(sock_setsockopt(stream, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), -EPROTO);
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, ip4(10, 0, 0, 2), 0), -EINVAL);
    CHECK_EQ(join(sk, IP_DROP_MEMBERSHIP, GROUP, 0), -EADDRNOTAVAIL);
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), -EADDRINUSE);
    CHECK_EQ(join(sk, IP_DROP_SOURCE_MEMBERSHIP, GROUP, A), -EADDRNOTAVAIL);
    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A), 0);
    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A), -EADDRNOTAVAIL);
    CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B), -EINVAL); /* it says "all but these" */
    CHECK_EQ(join(sk, IP_UNBLOCK_SOURCE, OTHER, A), -EINVAL);
    vk_close(sk);
    vk_close(stream);
    host_destroy(&h);
}

TEST(memberships_and_sources_have_their_limits) // igmp_max_memberships, igmp_max_msf
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    for (uint32_t i = 0; i < 20; i++)
        CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP + i, 0), 0);
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP + 20, 0), -ENOBUFS);
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A + i), 0);
    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A + 10), -ENOBUFS);
    vk_close(sk);
    host_destroy(&h);
}

static void put_group(struct sockaddr_storage *storage, uint32_t address)
{
    const struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };

    memcpy(storage, &in, sizeof in);
}

TEST(the_forms_of_rfc_3678_do_the_same) // RFC 3678 5.1
{
    struct host h = host_create();
    struct sock *sk = receiver(&h, NULL);
    struct group_req g = { .gr_interface = h.vk->nic->dev->ifindex };
    struct group_source_req s = { .gsr_interface = h.vk->nic->dev->ifindex };

    put_group(&g.gr_group, GROUP);
    put_group(&s.gsr_group, OTHER);
    put_group(&s.gsr_source, A);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof g), 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_JOIN_SOURCE_GROUP, &s, sizeof s), 0);
    say(&h, B, GROUP);
    CHECK(hears(sk));
    say(&h, B, OTHER);
    CHECK(!hears(sk));
    say(&h, A, OTHER);
    CHECK(hears(sk));
    put_group(&s.gsr_group, GROUP);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_BLOCK_SOURCE, &s, sizeof s), 0);
    say(&h, A, GROUP);
    CHECK(!hears(sk));
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_UNBLOCK_SOURCE, &s, sizeof s), 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_LEAVE_GROUP, &g, sizeof g), 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_LEAVE_GROUP, &g, sizeof g), -EADDRNOTAVAIL);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof g - 1), -EINVAL);
    g.gr_group.ss_family = AF_INET6;
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof g), -EINVAL);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_whole_filter_is_set_and_read_at_once) // RFC 3678 4.2, 5.2
{
    struct host h = host_create();
    struct sock *sk = receiver(&h, NULL);
    union {
        struct ip_msfilter f;
        uint8_t bytes[64];
    } u = { .f = { { htonl(GROUP) }, { 0 }, MCAST_INCLUDE, 2, { { htonl(A) } } } };
    const socklen_t size = offsetof(struct ip_msfilter, imsf_slist) + 2 * 4;
    socklen_t len = size;

    memcpy(u.bytes + offsetof(struct ip_msfilter, imsf_slist) + 4, &(uint32_t){ htonl(B) }, 4);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MSFILTER, &u, size), -EINVAL); /* not a member yet */
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MSFILTER, &u, size - 1), -EINVAL); /* longer than it is */
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MSFILTER, &u, size), 0);
    say(&h, B, GROUP);
    CHECK(hears(sk));
    say(&h, B + 1, GROUP);
    CHECK(!hears(sk));
    u.f.imsf_numsrc = 1; /* room for one */
    CHECK_EQ(sock_getsockopt(sk, SOL_IP, IP_MSFILTER, &u, &len), 0);
    CHECK(u.f.imsf_fmode == MCAST_INCLUDE && u.f.imsf_numsrc == 2 && u.f.imsf_slist[0].s_addr == htonl(A));
    CHECK_EQ(len, size - 4);
    u.f.imsf_numsrc = 0; /* nothing from nobody: out of it */
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MSFILTER, &u, 16), 0);
    CHECK_EQ(sock_getsockopt(sk, SOL_IP, IP_MSFILTER, &u, &len), -EADDRNOTAVAIL);
    u.f.imsf_numsrc = UINT32_MAX;
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_MSFILTER, &u, 16), -ENOBUFS);
    vk_close(sk);
    host_destroy(&h);
}

static void read_file(const struct host *h, const char *name, char *text, size_t size)
{
    struct textbuf out = { .buf = text, .size = size };

    net_proc_find(h->vk->net, name)->show(h->vk->net, &out);
}

TEST(proc_net_igmp_and_mcfilter_tell_who_is_where) // as Linux prints them
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    char text[2000];

    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A), 0);
    read_file(&h, "igmp", text, sizeof text);
    CHECK(strstr(text, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n") == text);
    CHECK(strstr(text, "\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"));
    CHECK(strstr(text, "\teth0      :     2      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
                       "\t\t\t\t030201EF     1 0:00000000\t\t0\n"));
    read_file(&h, "mcfilter", text, sizeof text);
    CHECK(strstr(text, "   eth0 0xef010203 0x0a000002      0      1\n"));
    vk_close(sk);
    host_destroy(&h);
}

TEST(joining_survives_every_failure_of_memory)
{
    struct host h = host_create();

    for (uint64_t n = 1; n < 12; n++) {
        struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
        sim_fail_nth_alloc(n);
        int err = join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, A);
        CHECK(!err || err == -ENOMEM || err == -ENODEV); /* no memory for the way to the group: no device */
        join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B);
        sim_fail_nth_alloc(0);
        sim_run_for(sec(3));
        vk_close(sk);
        sim_run_for(sec(3));
    }
    expect_alive(&h);
    host_destroy(&h);
}
