/* user/tests/udp_loop.c - datagrams over the loopback device: control messages both ways, the error queue,
 * ports shared, options of SOL_IP and SOL_SOCKET. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static char buf[70000];

static struct sockaddr_in at(const char *ip, int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_addr.s_addr = inet_addr(ip),
                                 .sin_port = htons(port) };
}

static int bound(int type, const char *ip, struct sockaddr_in *name)
{
    socklen_t len = sizeof *name;
    int s = socket(AF_INET, SOCK_DGRAM | type, 0);

    *name = at(ip, 0);
    bind(s, (void *)name, sizeof *name);
    getsockname(s, (void *)name, &len);
    return s;
}

static void set(int s, int level, int option, int value)
{
    setsockopt(s, level, option, &value, sizeof value);
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

static void show_cmsg(const struct cmsghdr *c)
{
    const void *data = CMSG_DATA(c);
    struct in_pktinfo info;
    int number = 0;

    printf("  level %d type %d length %u", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len);
    if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
        memcpy(&info, data, sizeof info);
        printf(": device %d, ours %s", info.ipi_ifindex, inet_ntoa(info.ipi_spec_dst));
        printf(", to %s", inet_ntoa(info.ipi_addr));
    } else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) {
        memcpy(&number, data, sizeof number);
        printf(": ttl %d", number);
    } else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_TOS) {
        printf(": tos %d", *(const unsigned char *)data);
    } else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) {
        struct {
            uint32_t error;
            uint8_t origin, type, code, pad;
            uint32_t info, more;
            struct sockaddr_in offender;
        } e;
        memcpy(&e, data, sizeof e);
        printf(": %s, origin %d, type %d, code %d, info %u", errno_name(e.error), e.origin, e.type, e.code,
               e.info);
        printf(", by family %d %s", e.offender.sin_family,
               e.offender.sin_family ? inet_ntoa(e.offender.sin_addr) : "nobody");
    } else if (c->cmsg_level == SOL_SOCKET) {
        int64_t stamp[2];
        struct timespec now;
        memcpy(stamp, data, sizeof stamp);
        clock_gettime(CLOCK_REALTIME, &now);
        printf(": %s", now.tv_sec - stamp[0] >= 0 && now.tv_sec - stamp[0] < 5 ? "now" : "another time");
    }
    printf("\n");
}

/* Wait until all that was sent before has arrived, errors included: what is sent to oneself comes last. */
static void settle(void)
{
    struct sockaddr_in a;
    int s = bound(0, "127.0.0.1", &a);

    for (int i = 0; i < 2; i++) {
        sendto(s, "x", 1, 0, (void *)&a, sizeof a);
        recv(s, buf, 1, 0);
    }
    close(s);
}

static void receive(int s, int flags, size_t room)
{
    static union {
        char bytes[512];
        struct cmsghdr align;
    } control;
    struct sockaddr_in from = { 0 };
    struct iovec iov = { buf, 100 };
    struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1 };
    int n;

    m.msg_control = control.bytes;
    m.msg_controllen = room;
    settle();
    errno = 0;
    n = recvmsg(s, &m, flags | MSG_DONTWAIT);
    if (n < 0) {
        printf("recvmsg: %s\n", errno_name(errno));
        return;
    }
    printf("%d bytes from %s, flags %x\n", n, inet_ntoa(from.sin_addr), m.msg_flags);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        show_cmsg(c);
}

CASE(what_is_told_beside_a_datagram)
{
    struct sockaddr_in a, b;
    int s = bound(0, "0.0.0.0", &a), t = bound(0, "127.0.0.1", &b);

    a.sin_addr.s_addr = inet_addr("127.0.0.5");
    set(t, SOL_IP, IP_TTL, 7);
    set(t, SOL_IP, IP_TOS, 0x10);
    sendto(t, "one", 3, 0, (void *)&a, sizeof a);
    receive(s, 0, 500);
    set(s, SOL_IP, IP_PKTINFO, 1);
    set(s, SOL_IP, IP_RECVTTL, 1);
    set(s, SOL_IP, IP_RECVTOS, 1);
    set(s, SOL_SOCKET, SO_TIMESTAMP, 1);
    sendto(t, "two", 3, 0, (void *)&a, sizeof a);
    receive(s, MSG_PEEK, 500);
    receive(s, 0, 500);
    set(s, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    sendto(t, "three", 5, 0, (void *)&a, sizeof a);
    receive(s, 0, 500);
    sendto(t, "four", 4, 0, (void *)&a, sizeof a);
    receive(s, 0, 70);
    sendto(t, "five", 4, 0, (void *)&a, sizeof a);
    receive(s, 0, 0);
    set(s, SOL_IP, IP_PKTINFO, 0);
    set(s, SOL_SOCKET, SO_TIMESTAMPNS, 0);
    sendto(t, "six", 3, 0, (void *)&a, sizeof a);
    receive(s, 0, 500);
    show_option(s, SOL_IP, IP_RECVTTL, "IP_RECVTTL");
    show_option(s, SOL_IP, IP_PKTINFO, "IP_PKTINFO");
}

/* sendmsg() with one control message. */
static int send_wish(int s, const struct sockaddr_in *to, int level, int type, const void *data, size_t n)
{
    static union {
        char bytes[100];
        struct cmsghdr align;
    } control;
    struct iovec iov = { "wish", 4 };
    struct msghdr m = { .msg_name = (void *)to, .msg_namelen = sizeof *to, .msg_iov = &iov, .msg_iovlen = 1 };

    memset(&control, 0, sizeof control);
    m.msg_control = control.bytes;
    m.msg_controllen = CMSG_SPACE(n);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
    return sendmsg(s, &m, 0);
}

CASE(what_a_datagram_wishes)
{
    struct sockaddr_in a, b;
    int s = bound(0, "0.0.0.0", &a), t = bound(0, "0.0.0.0", &b);
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = inet_addr("127.0.0.9") };
    int ttl = 33, tos = 4, bad = 300;

    set(s, SOL_IP, IP_RECVTTL, 1);
    set(s, SOL_IP, IP_RECVTOS, 1);
    a.sin_addr.s_addr = inet_addr("127.0.0.1");
    SHOW(send_wish(t, &a, SOL_IP, IP_TTL, &ttl, sizeof ttl));
    receive(s, 0, 500);
    SHOW(send_wish(t, &a, SOL_IP, IP_TOS, &tos, sizeof tos));
    receive(s, 0, 500);
    SHOW(send_wish(t, &a, SOL_IP, IP_TOS, &tos, 1));
    receive(s, 0, 500);
    SHOW(send_wish(t, &a, SOL_IP, IP_PKTINFO, &info, sizeof info));
    receive(s, 0, 500);
    SHOW(send_wish(t, &a, SOL_IP, IP_PKTINFO, &info, 4));
    SHOW(send_wish(t, &a, SOL_IP, IP_TTL, &bad, sizeof bad));
    SHOW(send_wish(t, &a, SOL_IP, IP_TTL, (int[]){ 0 }, 4));
    SHOW(send_wish(t, &a, SOL_IP, 99, &bad, sizeof bad));
    SHOW(send_wish(t, &a, SOL_SOCKET, SCM_RIGHTS, (int[]){ 1 }, 4));
    receive(s, 0, 500);
    SHOW(send_wish(t, &a, 1234, 1, &bad, sizeof bad));
    receive(s, 0, 500);
}

/* A port that nobody has: bound and let go of. */
static struct sockaddr_in nobody(void)
{
    struct sockaddr_in a;

    close(bound(0, "127.0.0.1", &a));
    return a;
}

CASE(errors_with_and_without_a_queue)
{
    struct sockaddr_in a, gone = nobody();
    int s = bound(0, "127.0.0.1", &a);
    struct pollfd p = { s, POLLIN | POLLPRI, 0 };

    SHOW(sendto(s, "x", 1, 0, (void *)&gone, sizeof gone));
    receive(s, 0, 500);
    SHOW(sendto(s, "x", 1, 0, (void *)&gone, sizeof gone));
    receive(s, MSG_ERRQUEUE, 500);
    settle();
    set(s, SOL_IP, IP_RECVERR, 1);
    show_option(s, SOL_IP, IP_RECVERR, "IP_RECVERR");
    SHOW(sendto(s, "lost", 4, 0, (void *)&gone, sizeof gone));
    SHOW(poll(&p, 1, 1000));
    printf("%x\n", p.revents);
    show_option(s, SOL_SOCKET, SO_ERROR, "SO_ERROR");
    show_option(s, SOL_SOCKET, SO_ERROR, "SO_ERROR");
    SHOW(poll(&p, 1, 0));
    receive(s, MSG_ERRQUEUE, 500);
    receive(s, MSG_ERRQUEUE, 500);
    SHOW(poll(&p, 1, 0));
    SHOW(sendto(s, "again", 5, 0, (void *)&gone, sizeof gone));
    receive(s, 0, 500);
    receive(s, 0, 500);
    receive(s, MSG_ERRQUEUE, 500);
    set(s, SOL_IP, IP_RECVERR, 0);
    SHOW(connect(s, (void *)&gone, sizeof gone));
    for (int i = 0; i < 3; i++) {
        SHOW(send(s, "x", 1, 0));
        settle();
    }
    SHOW(recv(s, buf, 10, MSG_DONTWAIT));
}

CASE(a_datagram_too_big_for_the_way)
{
    struct sockaddr_in a, b;
    int s = bound(0, "127.0.0.1", &a), t = bound(0, "127.0.0.1", &b), mtu = 0;
    socklen_t len = sizeof mtu;

    SHOW(sendto(t, buf, 65508, 0, (void *)&a, sizeof a));
    SHOW(sendto(t, buf, 65507, 0, (void *)&a, sizeof a));
    SHOW(recv(s, buf, sizeof buf, 0));
    show_option(t, SOL_IP, IP_MTU, "IP_MTU");
    SHOW(connect(t, (void *)&a, sizeof a));
    SHOW(getsockopt(t, SOL_IP, IP_MTU, &mtu, &len));
    printf("an MTU: %d\n", mtu >= 1500);
    show_option(t, SOL_IP, IP_MTU_DISCOVER, "IP_MTU_DISCOVER");
    SHOW(setsockopt(t, SOL_IP, IP_MTU_DISCOVER, (int[]){ 9 }, 4));
    SHOW(setsockopt(t, SOL_IP, IP_MTU_DISCOVER, (int[]){ IP_PMTUDISC_DO }, 4));
    show_option(t, SOL_IP, IP_MTU_DISCOVER, "IP_MTU_DISCOVER");
}

CASE(ports_are_shared_by_those_who_agree)
{
    struct sockaddr_in a, first;
    int s[4], n[4] = { 0 }, total = 0, spread = 0, one = 1;

    for (int i = 0; i < 4; i++) {
        s[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(s[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    }
    first = at("127.0.0.1", 0);
    bind(s[0], (void *)&first, sizeof first);
    getsockname(s[0], (void *)&first, &(socklen_t){ sizeof first });
    for (int i = 1; i < 4; i++)
        SHOW(bind(s[i], (void *)&first, sizeof first));
    int other = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(bind(other, (void *)&first, sizeof first));
    for (int i = 0; i < 64; i++) {
        int t = bound(0, "127.0.0.1", &a);
        sendto(t, "x", 1, 0, (void *)&first, sizeof first);
        sendto(t, "x", 1, 0, (void *)&first, sizeof first);
        close(t);
    }
    settle();
    for (int i = 0; i < 4; i++) {
        while (recv(s[i], buf, 10, 0) == 1)
            n[i]++;
        total += n[i];
        spread += n[i] > 0;
        printf("even: %d\n", n[i] % 2 == 0); /* a flow stays with one socket */
    }
    printf("%d datagrams, all got some: %d\n", total, spread == 4);
}

CASE(a_broadcast_reaches_all)
{
    struct sockaddr_in a = { .sin_family = AF_INET }, to;
    int s[3], t = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    socklen_t len = sizeof a;

    for (int i = 0; i < 3; i++) {
        s[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(s[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        SHOW(bind(s[i], (void *)&a, sizeof a));
        getsockname(s[i], (void *)&a, &len);
    }
    to = a;
    to.sin_addr.s_addr = inet_addr("127.255.255.255");
    SHOW(sendto(t, "all", 3, 0, (void *)&to, sizeof to));
    SHOW(setsockopt(t, SOL_SOCKET, SO_BROADCAST, &one, sizeof one));
    SHOW(sendto(t, "all", 3, 0, (void *)&to, sizeof to));
    settle();
    for (int i = 0; i < 3; i++)
        SHOW(recv(s[i], buf, 10, 0));
    to.sin_addr.s_addr = inet_addr("127.0.0.1");
    SHOW(sendto(t, "one", 3, 0, (void *)&to, sizeof to));
    int got = 0;
    settle();
    for (int i = 0; i < 3; i++)
        got += recv(s[i], buf, 10, 0) == 3;
    printf("%d got it\n", got);
}

CASE(many_messages_in_one_call)
{
    struct sockaddr_in a, b;
    int s = bound(0, "127.0.0.1", &a), t = bound(0, "127.0.0.1", &b);
    struct iovec out[3] = { { "a", 1 }, { "bb", 2 }, { "ccc", 3 } }, in[4];
    struct mmsghdr m[4] = { 0 };
    struct timespec soon = { 0, 20000000 };

    for (int i = 0; i < 3; i++) {
        m[i].msg_hdr.msg_name = &a;
        m[i].msg_hdr.msg_namelen = sizeof a;
        m[i].msg_hdr.msg_iov = &out[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    SHOW(sendmmsg(t, m, 3, 0));
    printf("%u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
    memset(m, 0, sizeof m);
    for (int i = 0; i < 4; i++) {
        in[i] = (struct iovec){ buf + 10 * i, 2 };
        m[i].msg_hdr.msg_iov = &in[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    settle();
    SHOW(recvmmsg(s, m, 4, MSG_WAITFORONE, NULL));
    printf("%u %u %u, flags %x\n", m[0].msg_len, m[1].msg_len, m[2].msg_len, m[2].msg_hdr.msg_flags);
    SHOW(recvmmsg(s, m, 4, MSG_DONTWAIT, NULL));
    SHOW(sendto(t, "x", 1, 0, (void *)&a, sizeof a));
    SHOW(recvmmsg(s, m, 1, 0, &soon));
    SHOW(recvmmsg(s, m, 1, MSG_DONTWAIT, &(struct timespec){ 0, -1 }));
    SHOW(recvmmsg(s, (void *)8, 1, MSG_DONTWAIT, NULL));
    SHOW(recvmmsg(99, m, 1, 0, NULL));
    SHOW(sendmmsg(t, m, 0, 0));
}

CASE(options_of_ip)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in strange = at("203.0.113.7", 0);

    show_option(s, SOL_IP, IP_TTL, "IP_TTL");
    SHOW(setsockopt(s, SOL_IP, IP_TTL, (int[]){ 0 }, 4));
    SHOW(setsockopt(s, SOL_IP, IP_TTL, (int[]){ 256 }, 4));
    SHOW(setsockopt(s, SOL_IP, IP_TTL, (char[]){ 9 }, 1));
    show_option(s, SOL_IP, IP_TTL, "IP_TTL");
    SHOW(setsockopt(s, SOL_IP, IP_TTL, (int[]){ -1 }, 4));
    show_option(s, SOL_IP, IP_TTL, "IP_TTL");
    show_option(s, SOL_IP, IP_TOS, "IP_TOS");
    SHOW(setsockopt(s, SOL_IP, IP_HDRINCL, (int[]){ 1 }, 4));
    SHOW(setsockopt(s, SOL_IP, 9999, (int[]){ 1 }, 4));
    show_option(s, SOL_IP, 9999, "9999");
    SHOW(setsockopt(s, 77, 1, (int[]){ 1 }, 4));
    show_option(s, SOL_IP, IP_FREEBIND, "IP_FREEBIND");
    SHOW(bind(s, (void *)&strange, sizeof strange));
    SHOW(setsockopt(s, SOL_IP, IP_FREEBIND, (int[]){ 1 }, 4));
    show_option(s, SOL_IP, IP_FREEBIND, "IP_FREEBIND");
    SHOW(bind(s, (void *)&strange, sizeof strange));
    show_option(s, SOL_IP, IP_BIND_ADDRESS_NO_PORT, "IP_BIND_ADDRESS_NO_PORT");
}

CASE(the_end_of_a_datagram_socket)
{
    struct sockaddr_in a, b;
    int s = bound(0, "127.0.0.1", &a), t = bound(0, "127.0.0.1", &b), n = -1;
    struct pollfd p = { s, POLLIN | POLLOUT | POLLRDHUP, 0 };

    SHOW(shutdown(s, SHUT_RD));
    SHOW(connect(s, (void *)&b, sizeof b));
    SHOW(sendto(t, "four", 4, 0, (void *)&a, sizeof a));
    SHOW(ioctl(s, FIONREAD, &n));
    printf("%d wait\n", n);
    SHOW(recv(s, buf, 2, MSG_PEEK | MSG_TRUNC));
    SHOW(recv(s, buf, 2, 0));
    SHOW(recv(s, buf, 2, MSG_OOB));
    SHOW(send(s, "x", 1, MSG_OOB));
    SHOW(shutdown(s, SHUT_RD));
    SHOW(recv(s, buf, 2, 0));
    SHOW(recv(s, buf, 2, MSG_DONTWAIT));
    SHOW(poll(&p, 1, 0));
    printf("%x\n", p.revents);
    SHOW(shutdown(s, SHUT_WR));
    SHOW(send(s, "x", 1, 0));
    SHOW(poll(&p, 1, 0));
    printf("%x\n", p.revents);
    SHOW(listen(s, 1));
    SHOW(accept(s, NULL, NULL));
    SHOW(connect(s, (void *)&(struct sockaddr){ .sa_family = AF_UNSPEC }, 16));
    SHOW(send(s, "x", 1, 0));
    SHOW(sendto(t, "x", 1, 0, (void *)&b, 4));
    b.sin_port = 0;
    SHOW(sendto(t, "x", 1, 0, (void *)&b, sizeof b));
    b.sin_family = 99;
    SHOW(sendto(t, "x", 1, 0, (void *)&b, sizeof b));
}

CASE(echo_requests_without_a_raw_socket)
{
    struct {
        uint8_t type, code;
        uint16_t check, id, seq;
        char data[8];
    } icmp = { 8, 0, 0, 0x1234, htons(7), "payload" };
    struct sockaddr_in to = at("127.0.0.1", 0), from, name;
    socklen_t len = sizeof from;
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    uint32_t mask = ~(1u << 0); /* replies only */

    SHOW(setsockopt(s, SOL_RAW, 1, &mask, sizeof mask));
    icmp.check = 0xffff ^ 0; /* ours to fill: the kernel does not */
    uint32_t sum = 0;
    icmp.check = 0;
    for (unsigned i = 0; i < sizeof icmp / 2; i++)
        sum += ((uint16_t *)(void *)&icmp)[i];
    icmp.check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
    SHOW(sendto(s, &icmp, sizeof icmp, 0, (void *)&to, sizeof to));
    SHOW(recvfrom(s, buf, sizeof buf, 0, (void *)&from, &len));
    printf("IP header of %d bytes, type %d, from %s port %d\n", (buf[0] & 15) * 4, buf[20],
           inet_ntoa(from.sin_addr), from.sin_port);
    SHOW(recv(s, buf, sizeof buf, MSG_DONTWAIT));
    show_option(s, SOL_IP, IP_HDRINCL, "IP_HDRINCL");
    SHOW(getsockname(s, (void *)&name, &(socklen_t){ sizeof name }));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nodevice", 8));
    SHOW(close(s));
    SHOW(socket(AF_INET, SOCK_RAW, 0));
}

CASE(a_packet_with_its_own_header)
{
    struct {
        struct iphdr ip;
        char data[4];
    } packet = { .ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = 253, .daddr = htonl(INADDR_LOOPBACK) },
                 .data = "abc" };
    struct sockaddr_in to = at("127.0.0.1", 0);
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), r = socket(AF_INET, SOCK_RAW, 253);
    struct iphdr *got = (void *)buf;

    show_option(s, SOL_IP, IP_HDRINCL, "IP_HDRINCL");
    SHOW(sendto(s, &packet, sizeof packet, 0, (void *)&to, sizeof to));
    SHOW(recv(r, buf, sizeof buf, 0));
    printf("ttl %d, length %d, from %s, '%s'\n", got->ttl, ntohs(got->tot_len),
           inet_ntoa((struct in_addr){ got->saddr }), buf + 20);
    packet.ip.ihl = 3;
    SHOW(sendto(s, &packet, sizeof packet, 0, (void *)&to, sizeof to));
    packet.ip.ihl = 15;
    SHOW(sendto(s, &packet, sizeof packet, 0, (void *)&to, sizeof to));
    SHOW(sendto(s, &packet, 10, 0, (void *)&to, sizeof to));
}
