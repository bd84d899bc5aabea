/* user/tests/packet_ring.c - a packet socket's ring on the loopback device, behind a filter that lets only
 * our own datagrams through; and what a program may do to the memory it shares with the kernel. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { ATTACH = 26, ALL = 3, RX_RING = 5, STATISTICS = 6, VERSION = 10, HDRLEN = 11, RESERVE = 12 };
enum { V2 = 1, BLOCK = 4096, FRAME = 512, FRAMES = BLOCK / FRAME };

struct request {
    unsigned block_size, blocks, frame_size, frames;
};
struct header {
    uint32_t status, len, snaplen;
    uint16_t mac, net;
    uint32_t sec, nsec;
    uint16_t tci, tpid;
    uint8_t padding[4];
};
struct insn {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
struct program {
    unsigned short n;
    struct insn *insns;
};

static int bound_udp(struct sockaddr_in *name)
{
    socklen_t len = sizeof *name;
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    *name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(s, (void *)name, sizeof *name);
    getsockname(s, (void *)name, &len);
    return s;
}

/* Hears of UDP to this port only. */
static int packet_socket(int port)
{
    struct insn insns[] = { { 0x30, 0, 0, 23 },   { 0x15, 0, 3, 17 },   { 0x28, 0, 0, 36 },
                            { 0x15, 0, 1, port }, { 6, 0, 0, 0x40000 }, { 6, 0, 0, 0 } };
    int s = socket(AF_PACKET, SOCK_RAW, 0);

    setsockopt(s, SOL_SOCKET, ATTACH, &(struct program){ 6, insns }, sizeof(struct program));
    return s;
}

static int hear_lo(int s)
{
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ALL) };

    ll.sll_ifindex = (int)if_nametoindex("lo");
    return bind(s, (void *)&ll, sizeof ll);
}

static int set(int s, int option, int value)
{
    return setsockopt(s, SOL_PACKET, option, &value, sizeof value);
}

static int ring(int s, unsigned block_size, unsigned blocks, unsigned frame_size, unsigned frames)
{
    struct request r = { block_size, blocks, frame_size, frames };

    return setsockopt(s, SOL_PACKET, RX_RING, &r, sizeof r);
}

static uint8_t *mapped(int s)
{
    uint8_t *p;

    set(s, VERSION, V2);
    set(s, RESERVE, 4);
    if (ring(s, BLOCK, 1, FRAME, FRAMES))
        printf("ring: %s\n", errno_name(errno));
    p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
    if (p == MAP_FAILED || hear_lo(s))
        printf("mmap or bind: %s\n", errno_name(errno));
    return p;
}

static void show_frames(const uint8_t *start)
{
    for (int i = 0; i < FRAMES; i++) {
        const struct header *h = (const void *)(start + i * FRAME);
        const struct sockaddr_ll *from = (const void *)(h + 1);
        if (!(h->status & 1))
            printf("%d: the kernel's\n", i);
        else
            printf("%d: %u of %u bytes at %u, IP at %u, '%.5s', kind %d, protocol %x, dated %d\n", i,
                   h->snaplen, h->len, h->mac, h->net, start + i * FRAME + h->net + 28, from->sll_pkttype,
                   ntohs(from->sll_protocol), h->sec > 1000000000);
    }
}

CASE(versions_and_forms)
{
    int s = socket(AF_PACKET, SOCK_RAW, 0), value = V2;
    socklen_t len = sizeof value;

    SHOW(getsockopt(s, SOL_PACKET, HDRLEN, &value, &len));
    SHOW(value);
    value = 77;
    SHOW(getsockopt(s, SOL_PACKET, HDRLEN, &value, &len));
    SHOW(getsockopt(s, SOL_PACKET, HDRLEN, &value, &(socklen_t){ 2 }));
    SHOW(set(s, VERSION, 77));
    SHOW(set(s, VERSION, V2));
    SHOW(getsockopt(s, SOL_PACKET, VERSION, &value, &len));
    SHOW(value);
    SHOW(set(s, RESERVE, -1));
    SHOW(setsockopt(s, SOL_PACKET, RESERVE, &value, 2));
    SHOW(set(s, RESERVE, 4));
    SHOW(setsockopt(s, SOL_PACKET, RX_RING, &value, 4));
    SHOW(ring(s, BLOCK, 1, FRAME, FRAMES + 1));
    SHOW(ring(s, BLOCK, 1, FRAME + 1, FRAMES));
    SHOW(ring(s, BLOCK, 1, 48, BLOCK / 48));
    SHOW(ring(s, BLOCK - 16, 1, FRAME, FRAMES - 1));
    SHOW(ring(s, 0, 1, FRAME, FRAMES));
    SHOW(ring(s, BLOCK, 0, FRAME, FRAMES));
    SHOW(ring(s, BLOCK, 0xffffffff, FRAME, FRAMES));
    SHOW(ring(s, 0, 0, 0, 0));
    SHOW(ring(s, BLOCK, 2, FRAME, 2 * FRAMES));
    SHOW(ring(s, BLOCK, 2, FRAME, 2 * FRAMES));
    SHOW(set(s, VERSION, 0));
    SHOW(set(s, RESERVE, 8));
    SHOW(ring(s, 0, 0, 0, 0));
    SHOW(set(s, RESERVE, 8));
}

CASE(a_ring_goes_when_nobody_shows_it)
{
    struct sockaddr_in a;
    int u = bound_udp(&a), s = packet_socket(ntohs(a.sin_port));
    uint8_t *p = mapped(s);

    (void)u;
    SHOW(ring(s, 0, 0, 0, 0));
    SHOW(munmap(p, BLOCK));
    SHOW(ring(s, 0, 0, 0, 0));
    SHOW_OK(mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, u, 0) == MAP_FAILED ? -1 : 0);
}

CASE(frames_come_until_the_ring_is_full)
{
    struct sockaddr_in a;
    int u = bound_udp(&a), s = packet_socket(ntohs(a.sin_port));
    uint8_t *p = mapped(s);
    uint32_t stats[2];
    struct pollfd ready = { s, POLLIN, 0 };

    SHOW(poll(&ready, 1, 0));
    for (int i = 0; i < 6; i++) {
        char text[1000] = "no. 0";
        text[4] = (char)('0' + i);
        sendto(u, text, i == 1 ? sizeof text : 5u, 0, (void *)&a, sizeof a);
    }
    SHOW(poll(&ready, 1, 1000));
    SHOW(ready.revents);
    usleep(20000); /* what was sent last is received, too */
    show_frames(p);
    SHOW(getsockopt(s, SOL_PACKET, STATISTICS, stats, &(socklen_t){ sizeof stats }));
    printf("%u packets, %u dropped\n", stats[0], stats[1]);
    SHOW(recv(s, stats, 1, MSG_DONTWAIT));
    close(s);
    printf("behind its end: '%.5s'\n", p + ((struct header *)p)->net + 28);
}

CASE(garbage_in_a_ring_harms_nobody)
{
    struct sockaddr_in a;
    int u = bound_udp(&a), s = packet_socket(ntohs(a.sin_port)), taken = 0;
    uint8_t *p = mapped(s);
    unsigned chance = 1;

    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < BLOCK / 4; i++) {
            chance = chance * 1103515245 + 12345;
            ((uint32_t *)p)[i] = chance & 0x10000 ? 0 : chance;
        }
        sendto(u, "hello", 5, 0, (void *)&a, sizeof a);
    }
    usleep(20000);
    memset(p, 0, BLOCK);
    sendto(u, "after", 5, 0, (void *)&a, sizeof a);
    usleep(20000);
    for (int i = 0; i < FRAMES; i++)
        taken +=
            !memcmp(p + i * FRAME + 84 + 28, "after", 5) && ((struct header *)(p + i * FRAME))->len == 47;
    SHOW(taken);
    munmap(p + 0, BLOCK);
    SHOW(ring(s, 0, 0, 0, 0));
}

CASE(a_ring_that_is_replaced_while_it_is_being_mapped)
{
    struct sockaddr_in a;
    int u = bound_udp(&a), s = packet_socket(ntohs(a.sin_port)), status;
    pid_t child;

    set(s, VERSION, V2);
    hear_lo(s);
    child = fork();
    for (unsigned i = 0; !child; i++) {
        uint32_t *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
        if (p == MAP_FAILED)
            continue;
        p[i % (BLOCK / 4)] = i;
        munmap(p, BLOCK);
    }
    for (unsigned i = 0; i < 30; i++) {
        ring(s, BLOCK, 1 + i % 2, FRAME, FRAMES * (1 + i % 2));
        for (int n = 0; n < 20; n++)
            sendto(u, "hello", 5, MSG_DONTWAIT, (void *)&a, sizeof a);
        ring(s, 0, 0, 0, 0);
    }
    kill(child, SIGKILL);
    SHOW_OK(waitpid(child, &status, 0));
    SHOW(status);
    SHOW(ring(s, 0, 0, 0, 0));
}
