/* user/tests/multicast.c - groups on the loopback device: options in all their forms, who hears what; and the
 * options of UDP. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <sys/socket.h>

static const char GROUP[] = "239.77.1.2", OTHER[] = "239.77.1.3";

static struct in_addr address(const char *ip)
{
    return (struct in_addr){ inet_addr(ip) };
}

static struct sockaddr_in at(const char *ip, int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = address(ip), .sin_port = htons(port) };
}

/* A receiver on *port (0: any, which is then told). */
static int receiver(int *port)
{
    struct sockaddr_in name = at("0.0.0.0", *port);
    socklen_t len = sizeof name;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), one = 1;

    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bind(s, (void *)&name, sizeof name);
    getsockname(s, (void *)&name, &len);
    *port = ntohs(name.sin_port);
    return s;
}

/* One that sends to groups by lo. */
static int sender(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct in_addr lo = address("127.0.0.1");

    setsockopt(s, SOL_IP, IP_MULTICAST_IF, &lo, sizeof lo);
    return s;
}

static void tell(int s, const char *group, int port)
{
    struct sockaddr_in to = at(group, port);

    sendto(s, "x", 1, 0, (void *)&to, sizeof to);
    usleep(20000);
}

static void hear(const char *who, int s)
{
    char c;
    int n = 0;

    while (recv(s, &c, 1, 0) == 1)
        n++;
    printf("%s heard %d\n", who, n);
}

static int by_address(int s, int option, const char *group)
{
    struct ip_mreq m = { address(group), address("127.0.0.1") };
    return setsockopt(s, SOL_IP, option, &m, sizeof m);
}

static int by_source(int s, int option, const char *group, const char *source)
{
    struct ip_mreq_source m = { address(group), address("127.0.0.1"), address(source) };
    return setsockopt(s, SOL_IP, option, &m, sizeof m);
}

static void show_option(int s, int level, int option, const char *name)
{
    int value = -1;
    socklen_t len = sizeof value;

    if (getsockopt(s, level, option, &value, &len))
        printf("%s: %s\n", name, errno_name(errno));
    else
        printf("%s = %d, %u bytes\n", name, value, (unsigned)len);
}

CASE(a_group_is_joined_heard_and_left)
{
    int port = 0, s = receiver(&port), out = sender();

    SHOW(by_address(s, IP_ADD_MEMBERSHIP, GROUP));
    SHOW(by_address(s, IP_ADD_MEMBERSHIP, GROUP));
    tell(out, GROUP, port);
    tell(out, OTHER, port);
    hear("the member", s);
    SHOW(by_address(s, IP_DROP_MEMBERSHIP, GROUP));
    SHOW(by_address(s, IP_DROP_MEMBERSHIP, GROUP));
    SHOW(by_address(s, IP_ADD_MEMBERSHIP, "10.1.2.3"));
}

CASE(members_and_bystanders)
{
    int port = 0, a = receiver(&port), b = receiver(&port), c = receiver(&port), out = sender(), zero = 0;

    by_address(a, IP_ADD_MEMBERSHIP, GROUP);
    by_address(b, IP_ADD_MEMBERSHIP, GROUP);
    tell(out, GROUP, port);
    hear("a", a), hear("b", b), hear("the bystander", c);
    show_option(c, SOL_IP, IP_MULTICAST_ALL, "IP_MULTICAST_ALL");
    SHOW(setsockopt(c, SOL_IP, IP_MULTICAST_ALL, &zero, sizeof zero));
    tell(out, GROUP, port);
    hear("a", a), hear("b", b), hear("the bystander", c);
    close(a), close(b);
    tell(out, GROUP, port);
    hear("the bystander", c);
}

CASE(sources_are_let_in_and_kept_out)
{
    int port = 0, only = receiver(&port), not = receiver(&port), out = sender();

    SHOW(by_source(only, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"));
    SHOW(by_address(not, IP_ADD_MEMBERSHIP, GROUP));
    SHOW(by_source(not, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"));
    SHOW(by_source(not, IP_BLOCK_SOURCE, GROUP, "127.0.0.1"));
    tell(out, GROUP, port);
    hear("only", only), hear("not", not );
    SHOW(by_source(not, IP_UNBLOCK_SOURCE, GROUP, "127.0.0.1"));
    SHOW(by_source(not, IP_UNBLOCK_SOURCE, GROUP, "127.0.0.1"));
    SHOW(by_source(only, IP_ADD_SOURCE_MEMBERSHIP, GROUP, "10.9.9.9"));
    SHOW(by_source(only, IP_BLOCK_SOURCE, GROUP, "10.9.9.9"));
    SHOW(by_source(only, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "127.0.0.1"));
    tell(out, GROUP, port);
    hear("only", only), hear("not", not );
    SHOW(by_source(only, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.9.9.9"));
    SHOW(by_source(only, IP_DROP_SOURCE_MEMBERSHIP, GROUP, "10.9.9.9"));
    SHOW(by_address(only, IP_DROP_MEMBERSHIP, GROUP));
    SHOW(by_source(only, IP_BLOCK_SOURCE, OTHER, "10.9.9.9"));
}

CASE(the_newer_forms)
{
    struct group_req g = { .gr_interface = 1 }; /* lo */
    struct group_source_req q = { .gsr_interface = 1 };
    struct sockaddr_in group = at(GROUP, 0), source = at("127.0.0.1", 0);
    int port = 0, s = receiver(&port), out = sender();

    memcpy(&g.gr_group, &group, sizeof group);
    memcpy(&q.gsr_group, &group, sizeof group);
    memcpy(&q.gsr_source, &source, sizeof source);
    SHOW(setsockopt(s, SOL_IP, MCAST_JOIN_GROUP, &g, sizeof g));
    SHOW(setsockopt(s, SOL_IP, MCAST_BLOCK_SOURCE, &q, sizeof q));
    tell(out, GROUP, port);
    hear("blocked", s);
    SHOW(setsockopt(s, SOL_IP, MCAST_UNBLOCK_SOURCE, &q, sizeof q));
    tell(out, GROUP, port);
    hear("unblocked", s);
    SHOW(setsockopt(s, SOL_IP, MCAST_LEAVE_GROUP, &g, sizeof g));
    SHOW(setsockopt(s, SOL_IP, MCAST_JOIN_SOURCE_GROUP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_IP, MCAST_LEAVE_SOURCE_GROUP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_IP, MCAST_LEAVE_GROUP, &g, sizeof g));
    SHOW(setsockopt(s, SOL_IP, MCAST_JOIN_GROUP, &g, 20));
}

CASE(a_whole_filter)
{
    struct {
        struct ip_msfilter f;
        struct in_addr more[3];
    } u = { .f = { .imsf_multiaddr = address(GROUP),
                   .imsf_interface = address("127.0.0.1"),
                   .imsf_fmode = MCAST_INCLUDE,
                   .imsf_numsrc = 2,
                   .imsf_slist = { address("10.9.9.1") } } };
    socklen_t len = IP_MSFILTER_SIZE(2);
    int port = 0, s = receiver(&port), out = sender();

    u.more[0] = address("127.0.0.1");
    SHOW(setsockopt(s, SOL_IP, IP_MSFILTER, &u, len));
    by_address(s, IP_ADD_MEMBERSHIP, GROUP);
    SHOW(setsockopt(s, SOL_IP, IP_MSFILTER, &u, len - 1));
    SHOW(setsockopt(s, SOL_IP, IP_MSFILTER, &u, len));
    tell(out, GROUP, port);
    hear("one of two", s);
    u.f.imsf_fmode = 7;
    SHOW(getsockopt(s, SOL_IP, IP_MSFILTER, &u, &len));
    printf("mode %u, %u sources, %u bytes\n", u.f.imsf_fmode, u.f.imsf_numsrc, (unsigned)len);
    u.f.imsf_numsrc = 0;
    SHOW(setsockopt(s, SOL_IP, IP_MSFILTER, &u, IP_MSFILTER_SIZE(0)));
    len = IP_MSFILTER_SIZE(2);
    SHOW(getsockopt(s, SOL_IP, IP_MSFILTER, &u, &len));
}

CASE(what_is_sent_to_groups)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0), number;
    struct in_addr a = address("127.0.0.1");
    socklen_t len = sizeof a;
    char byte = 9;

    show_option(s, SOL_IP, IP_MULTICAST_TTL, "IP_MULTICAST_TTL");
    show_option(s, SOL_IP, IP_MULTICAST_LOOP, "IP_MULTICAST_LOOP");
    SHOW(setsockopt(s, SOL_IP, IP_MULTICAST_TTL, &byte, 1));
    show_option(s, SOL_IP, IP_MULTICAST_TTL, "IP_MULTICAST_TTL");
    number = 256;
    SHOW(setsockopt(s, SOL_IP, IP_MULTICAST_TTL, &number, sizeof number));
    number = -1;
    SHOW(setsockopt(s, SOL_IP, IP_MULTICAST_TTL, &number, sizeof number));
    show_option(s, SOL_IP, IP_MULTICAST_TTL, "IP_MULTICAST_TTL");
    SHOW(setsockopt(t, SOL_IP, IP_MULTICAST_TTL, &number, sizeof number));
    SHOW(by_address(t, IP_ADD_MEMBERSHIP, GROUP));
    SHOW(setsockopt(s, SOL_IP, IP_MULTICAST_IF, &a, sizeof a));
    a.s_addr = 0;
    SHOW(getsockopt(s, SOL_IP, IP_MULTICAST_IF, &a, &len));
    printf("by %s\n", inet_ntoa(a));
    a = address("10.254.253.252");
    SHOW(setsockopt(s, SOL_IP, IP_MULTICAST_IF, &a, sizeof a));
    SHOW(setsockopt(s, SOL_IP, IP_MULTICAST_IF, &a, 3));
}

CASE(not_more_than_twenty_groups_a_socket)
{
    int port = 0, s = receiver(&port);
    char group[20];

    for (int i = 0; i < 20; i++) {
        snprintf(group, sizeof group, "239.77.2.%d", i);
        by_address(s, IP_ADD_MEMBERSHIP, group);
    }
    SHOW(by_address(s, IP_ADD_MEMBERSHIP, GROUP));
}

CASE(corked_datagrams)
{
    int port = 0, s = receiver(&port), out = socket(AF_INET, SOCK_DGRAM, 0), one = 1, zero = 0;
    struct sockaddr_in to = at("127.0.0.1", port);
    char got[100] = "";

    SHOW(sendto(out, "one ", 4, MSG_MORE, (void *)&to, sizeof to));
    SHOW(send(out, "two", 3, 0));
    SHOW(recv(s, got, sizeof got, 0));
    printf("'%s'\n", got);
    show_option(out, IPPROTO_UDP, UDP_CORK, "UDP_CORK");
    SHOW(setsockopt(out, IPPROTO_UDP, UDP_CORK, &one, sizeof one));
    SHOW(sendto(out, "a", 1, 0, (void *)&to, sizeof to));
    SHOW(sendto(out, "b", 1, 0, (void *)&to, sizeof to));
    SHOW(recv(s, got, sizeof got, 0));
    SHOW(setsockopt(out, IPPROTO_UDP, UDP_CORK, &zero, sizeof zero));
    SHOW(recv(s, got, sizeof got, 0));
}

CASE(segmented_datagrams)
{
    int port = 0, s = receiver(&port), out = socket(AF_INET, SOCK_DGRAM, 0), size = 3;
    struct sockaddr_in to = at("127.0.0.1", port);
    static char got[100000];

    SHOW(setsockopt(out, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size));
    show_option(out, IPPROTO_UDP, UDP_SEGMENT, "UDP_SEGMENT");
    SHOW(sendto(out, "abcdefgh", 8, 0, (void *)&to, sizeof to));
    SHOW(recv(s, got, sizeof got, 0));
    SHOW(recv(s, got, sizeof got, 0));
    SHOW(recv(s, got, sizeof got, 0));
    SHOW(recv(s, got, sizeof got, 0));
    size = -1;
    SHOW(setsockopt(out, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size));
    size = 70000;
    SHOW(setsockopt(out, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size));
}

CASE(raw_and_ping_sockets_are_named_and_shut_down)
{
    struct sockaddr_in to = at("127.0.0.1", 99), name;
    socklen_t len = sizeof name;
    int s = socket(AF_INET, SOCK_RAW, 253);
    char c;

    getsockname(s, (void *)&name, &len);
    printf("%s port %d\n", inet_ntoa(name.sin_addr), ntohs(name.sin_port));
    SHOW(shutdown(s, SHUT_WR));
    SHOW(sendto(s, "x", 1, 0, (void *)&to, sizeof to));
    SHOW(connect(s, (void *)&to, sizeof to));
    getsockname(s, (void *)&name, &len);
    printf("%s port %d\n", inet_ntoa(name.sin_addr), ntohs(name.sin_port));
    getpeername(s, (void *)&name, &len);
    printf("peer %s port %d\n", inet_ntoa(name.sin_addr), ntohs(name.sin_port));
    SHOW(shutdown(s, SHUT_RD));
    SHOW(recv(s, &c, 1, 0));
}
