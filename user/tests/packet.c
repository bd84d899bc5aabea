/* user/tests/packet.c - packet sockets on the loopback device, behind a filter that lets only our own
 * datagrams through: whatever else is on its way there is not seen. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct insn {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
struct program {
    unsigned short n;
    struct insn *insns;
};
enum { ATTACH = 26, DETACH = 27, ALL = 3, AUXDATA = 8, STATISTICS = 6 };

static char buf[2000];

static int bound_udp(struct sockaddr_in *name)
{
    socklen_t len = sizeof *name;
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    *name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(s, (void *)name, sizeof *name);
    getsockname(s, (void *)name, &len);
    return s;
}

/* Let through what is IP, UDP and for this port; at most most bytes of it. base: where IP begins. */
static int attach_udp(int s, int base, int port, uint32_t most)
{
    struct insn insns[] = { { 0x30, 0, 0, base + 9 }, { 0x15, 0, 3, 17 }, { 0x28, 0, 0, base + 22 },
                            { 0x15, 0, 1, port },     { 6, 0, 0, most },  { 6, 0, 0, 0 } };
    struct program p = { 6, insns };

    return setsockopt(s, SOL_SOCKET, ATTACH, &p, sizeof p);
}

static int packet_on_lo(int type, int protocol)
{
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
    int s = socket(AF_PACKET, type, 0);

    ll.sll_ifindex = (int)if_nametoindex("lo");
    if (bind(s, (void *)&ll, sizeof ll))
        printf("bind: %s\n", errno_name(errno));
    return s;
}

static void receive(int s)
{
    struct pollfd p = { s, POLLIN, 0 };
    struct sockaddr_ll from = { 0 };
    socklen_t len = sizeof from;
    ssize_t n;

    if (poll(&p, 1, 300) != 1) {
        say("nothing");
        return;
    }
    n = recvfrom(s, buf, sizeof buf, MSG_TRUNC, (void *)&from, &len);
    printf(
        "%zd bytes, name of %u: family %d, protocol %x, device is lo %d, kind %d, type %d, address of %d\n",
        n, (unsigned)len, from.sll_family, ntohs(from.sll_protocol),
        from.sll_ifindex == (int)if_nametoindex("lo"), from.sll_pkttype, from.sll_hatype, from.sll_halen);
}

CASE(our_own_datagram_is_seen)
{
    struct sockaddr_in a;
    int u = bound_udp(&a), s = packet_on_lo(SOCK_RAW, ALL), d = packet_on_lo(SOCK_DGRAM, 0x800);

    SHOW(attach_udp(s, 14, ntohs(a.sin_port), 1000));
    SHOW(attach_udp(d, 0, ntohs(a.sin_port), 30));
    while (recv(s, buf, 1, MSG_DONTWAIT) >= 0)
        ;
    while (recv(d, buf, 1, MSG_DONTWAIT) >= 0)
        ;
    sendto(u, "hello", 5, 0, (void *)&a, sizeof a);
    receive(s);
    printf("type %x, '%.5s'\n", (unsigned char)buf[12] << 8 | (unsigned char)buf[13], buf + 42);
    receive(s);
    receive(d);
    printf("version %x\n", (unsigned char)buf[0]);
    receive(d);
    SHOW(setsockopt(s, SOL_SOCKET, DETACH, NULL, 0));
    SHOW(setsockopt(d, SOL_SOCKET, DETACH, &(int){ 0 }, 4));
    SHOW(setsockopt(d, SOL_SOCKET, DETACH, &(int){ 0 }, 4));
}

CASE(errors)
{
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ALL), .sll_ifindex = 9999 };
    int s = socket(AF_PACKET, SOCK_RAW, 0);
    struct insn loop[] = { { 0x05, 0, 0, 0xffffffff }, { 6, 0, 0, 0 } }, none[] = { { 0, 0, 0, 0 } };

    SHOW(socket(AF_PACKET, SOCK_STREAM, 0));
    SHOW(bind(s, (void *)&ll, sizeof ll));
    SHOW(bind(s, (void *)&ll, 4));
    ll.sll_family = AF_INET;
    SHOW(bind(s, (void *)&ll, sizeof ll));
    SHOW(setsockopt(s, SOL_SOCKET, ATTACH, &(struct program){ 2, loop }, sizeof(struct program)));
    SHOW(setsockopt(s, SOL_SOCKET, ATTACH, &(struct program){ 1, none }, sizeof(struct program)));
    SHOW(setsockopt(s, SOL_SOCKET, ATTACH, &(struct program){ 0, none }, sizeof(struct program)));
    SHOW(setsockopt(s, SOL_SOCKET, ATTACH, &(struct program){ 5000, none }, sizeof(struct program)));
    SHOW(setsockopt(s, SOL_SOCKET, ATTACH, &(struct program){ 2, NULL }, sizeof(struct program)));
    SHOW(setsockopt(s, SOL_SOCKET, ATTACH, loop, 4));
    SHOW(recv(s, buf, 1, MSG_DONTWAIT));
    SHOW(send(s, buf, 60, 0));
    SHOW(listen(s, 1));
    SHOW(accept(s, NULL, NULL));
    SHOW(connect(s, (void *)&ll, sizeof ll));
    SHOW(setsockopt(s, SOL_PACKET, 9999, &(int){ 0 }, 4));
    SHOW(getsockopt(s, SOL_PACKET, 9999, buf, &(socklen_t){ 4 }));
    SHOW(setsockopt(s, SOL_PACKET, AUXDATA, &(int){ 1 }, 4));
    SHOW(getsockopt(s, SOL_PACKET, STATISTICS, buf, &(socklen_t){ 8 }));
}
