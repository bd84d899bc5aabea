/* sim/threads/work_netlink.c - links, addresses, routes and neighbours asked for, changed and listened to by
 * netlink; and groups joined, heard and left. */
#include "lib/abi/netlink.h"
#include "sim/threads/work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* ---- requests, built byte by byte ---- */

struct request {
    _Alignas(8) uint8_t bytes[512];
    uint32_t n;
};

static void put(struct request *q, const void *data, size_t n)
{
    memcpy(q->bytes + q->n, data, n);
    q->n += NLMSG_ALIGN((uint32_t)n);
    memcpy(q->bytes, &q->n, sizeof q->n); /* nlmsg_len */
}

static struct request request(uint16_t type, uint16_t flags, const void *fixed, size_t n)
{
    const struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST };
    struct request q = { .n = 0 };

    put(&q, &h, sizeof h);
    put(&q, fixed, n);
    return q;
}

static void attribute(struct request *q, uint16_t type, const void *data, size_t n)
{
    const struct nlattr a = { .nla_len = (uint16_t)(sizeof a + n), .nla_type = type };

    put(q, &a, sizeof a);
    put(q, data, n);
}

static struct sock *netlink_socket(void *arg, uint32_t groups)
{
    const struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = groups };
    struct sock *sk;

    if (sock_create(world.hosts[arg_host(arg)].net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &sk))
        return NULL;
    sock_bind(sk, (const struct sockaddr *)&nl, sizeof nl);
    return sk;
}

/* Read what lies there. */
static void drain(struct sock *sk, const char *what)
{
    uint8_t data[8192];

    while (vk_recv(sk, data, sizeof data, MSG_DONTWAIT) > 0)
        work_count(what);
}

/* ---- dumps and listeners ---- */

static void dumper(void *arg)
{
    static const uint16_t types[] = { RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH };
    const struct ifinfomsg nothing = { .ifi_family = AF_UNSPEC };

    while (work_goes_on()) {
        struct sock *sk = netlink_socket(arg, 0);
        for (unsigned i = 0; sk && i < 20 && work_goes_on(); i++) {
            struct request q = request(types[threads_chance(4)], NLM_F_DUMP, &nothing, sizeof nothing);
            vk_send(sk, q.bytes, q.n, MSG_DONTWAIT);
            drain(sk, "answers");
        }
        if (sk)
            vk_close(sk);
        process_sleep(ms(2));
    }
}

static bool readable(void *sk)
{
    return sock_poll(sk) & (POLLIN | POLLERR);
}

static void listener(void *arg)
{
    const uint32_t groups = 1 << (RTNLGRP_LINK - 1) | 1 << (RTNLGRP_NEIGH - 1) |
                            1 << (RTNLGRP_IPV4_IFADDR - 1) | 1 << (RTNLGRP_IPV4_ROUTE - 1);

    while (work_goes_on()) {
        struct sock *sk = netlink_socket(arg, groups);
        for (unsigned i = 0; sk && i < 30 && work_goes_on(); i++)
            if (process_poll(sock_waitq(sk), readable, sk, time_now() + ms(100)))
                drain(sk, "told");
        if (sk)
            vk_close(sk);
    }
}

/* ---- changes ---- */

static struct request change_link(uint32_t ifindex)
{
    static const char *const names[] = { "eth0", "wan" };
    const struct ifinfomsg m = { .ifi_index = (int)ifindex,
                                 .ifi_flags = (unsigned)threads_chance(2) * IFF_PROMISC,
                                 .ifi_change = IFF_PROMISC };
    const uint32_t mtu = (uint32_t)(600 + threads_chance(900));
    struct request q = request(RTM_NEWLINK, 0, &m, sizeof m);

    if (threads_chance(2))
        attribute(&q, IFLA_MTU, &mtu, sizeof mtu);
    if (threads_chance(8) == 0)
        attribute(&q, IFLA_IFNAME, names[threads_chance(2)], 5);
    return q;
}

static struct request change_address(uint32_t ifindex)
{
    const struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = ifindex };
    const uint32_t ip = htonl(0x0a030001 + (uint32_t)threads_chance(3));
    struct request q = request(threads_chance(2) ? RTM_NEWADDR : RTM_DELADDR, NLM_F_CREATE, &m, sizeof m);

    attribute(&q, IFA_LOCAL, &ip, sizeof ip);
    attribute(&q, IFA_ADDRESS, &ip, sizeof ip);
    return q;
}

static void changer(void *arg)
{
    const uint32_t eth0 = 2;

    while (work_goes_on()) {
        struct sock *sk = netlink_socket(arg, 0);
        for (unsigned i = 0; sk && i < 20 && work_goes_on(); i++) {
            struct request q = threads_chance(2) ? change_link(eth0) : change_address(eth0);
            vk_send(sk, q.bytes, q.n, MSG_DONTWAIT);
            drain(sk, "refusals of changes");
            work_count("changes");
            process_sleep(ms(threads_chance(4)));
        }
        if (sk)
            vk_close(sk);
    }
}

/* ---- groups ---- */

enum { GROUP_PORT = 6500 };

static void change_membership(struct sock *sk, int option, unsigned group)
{
    const struct ip_mreqn m = { .imr_multiaddr.s_addr = htonl(0xef010100 + group), .imr_ifindex = 2 };

    sock_setsockopt(sk, IPPROTO_IP, option, &m, sizeof m);
}

static void block_source(struct sock *sk, int option, unsigned group)
{
    const struct ip_mreq_source m = { .imr_multiaddr.s_addr = htonl(0xef010100 + group),
                                      .imr_interface.s_addr = htonl(INADDR_ANY),
                                      .imr_sourceaddr.s_addr = htonl(0x0a000001) };

    sock_setsockopt(sk, IPPROTO_IP, option, &m, sizeof m);
}

static void member(void *arg)
{
    static const int options[] = { IP_ADD_MEMBERSHIP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP };
    static const int sources[] = { IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE, IP_ADD_SOURCE_MEMBERSHIP,
                                   IP_DROP_SOURCE_MEMBERSHIP };
    static const uint8_t data[100];

    while (work_goes_on()) {
        struct sock *sk;
        if (sock_create(world.hosts[arg_host(arg)].net, AF_INET, SOCK_DGRAM, 0, &sk))
            continue;
        vk_setsockopt_int(sk, SOL_SOCKET, SO_REUSEADDR, 1);
        vk_bind(sk, NULL, GROUP_PORT);
        for (unsigned i = 0; i < 60 && work_goes_on(); i++) {
            unsigned group = (unsigned)threads_chance(3);
            if (threads_chance(3))
                change_membership(sk, options[threads_chance(3)], group);
            else
                block_source(sk, sources[threads_chance(4)], group);
            vk_sendto(sk, data, sizeof data, MSG_DONTWAIT, group ? "239.1.1.1" : "239.1.1.0", GROUP_PORT);
            drain(sk, "datagrams to groups");
        }
        vk_close(sk);
    }
}

void start_netlink(void)
{
    start_udp();
    start_changes();
    for (unsigned host = 0; host < 2; host++) {
        work_process("dumper", dumper, work_arg(host, 0));
        work_process("listener", listener, work_arg(host, 0));
        work_process("listener", listener, work_arg(host, 1));
        work_process("changer", changer, work_arg(host, 0));
        work_process("changer", changer, work_arg(host, 1));
    }
}

void start_groups(void)
{
    for (unsigned host = 0; host < HOSTS; host++)
        for (unsigned n = 0; n < 2; n++)
            work_process("member", member, work_arg(host, n));
    start_changes();
}
