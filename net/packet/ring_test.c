/* net/packet/ring_test.c - a ring's bookkeeping, and what a program may write into it. */
#include "lib/abi/socket.h"
#include "net/core/net_namespace.h"
#include "net/packet/ring.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { BLOCK = 4096, FRAME = 1360, PER_BLOCK = 3, BLOCKS = 2, FRAMES = PER_BLOCK * BLOCKS };
static const struct tpacket_req usual = { BLOCK, BLOCKS, FRAME, FRAMES };

/* Frame i as a program finds it: the pages of the simulator lie one behind the other. */
static struct tpacket2_hdr *frame_at(const struct packet_ring *ring, unsigned i)
{
    uint8_t *start = shared_pages_at(ring->pages, 0);

    return (struct tpacket2_hdr *)(start + i / PER_BLOCK * BLOCK + i % PER_BLOCK * FRAME);
}

static void fill(struct packet_ring *ring, const void *data, uint32_t len)
{
    packet_ring_fill(ring, &(struct ring_frame){ .data = data,
                                                 .len = len,
                                                 .snaplen = len,
                                                 .link_header = 14,
                                                 .wall = sec(5) + 7,
                                                 .address = { .sll_ifindex = 3 } });
}

TEST(malformed_rings_are_refused)
{
    static const struct {
        struct tpacket_req req;
        uint32_t reserve;
        int result;
    } rows[] = {
        { { BLOCK, BLOCKS, FRAME, FRAMES }, 4, 0 },
        { { BLOCK, BLOCKS, FRAME, FRAMES + 1 }, 0, -EINVAL },
        { { BLOCK, BLOCKS, FRAME, 0 }, 0, -EINVAL },
        { { 0, BLOCKS, FRAME, FRAMES }, 0, -EINVAL },
        { { BLOCK, 0, FRAME, 0 }, 0, -EINVAL },
        { { BLOCK + 16, BLOCKS, FRAME, FRAMES }, 0, -EINVAL },
        { { BLOCK, BLOCKS, FRAME + 1, FRAMES }, 0, -EINVAL },
        { { BLOCK, BLOCKS, 0, 0 }, 0, -EINVAL },
        { { BLOCK, BLOCKS, 48, 170 }, 0, -EINVAL },         /* no room for the header */
        { { BLOCK, BLOCKS, 64, 128 }, 0, 0 },               /* but none for data */
        { { BLOCK, BLOCKS, 64, 128 }, 16, -EINVAL },        /* nor for the reserve */
        { { BLOCK, BLOCKS, 2 * BLOCK, 0 }, 0, -EINVAL },    /* larger than a block */
        { { 0x80000000u, 2, 0x80000000u, 2 }, 0, -EINVAL }, /* larger than an int */
        { { 0x40000000u, 16, 0x40000000u, 16 }, 0, -ENOMEM },
        { { BLOCK, 0xffffffffu, BLOCK, 0xffffffffu }, 0, -ENOMEM },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct packet_ring ring = { .pages = NULL };
        int result = packet_ring_create(&rows[i].req, rows[i].reserve, &ring);
        if (result != rows[i].result)
            test_fail(__FILE__, __LINE__, "row %u gives %d", i, result);
        shared_pages_put(ring.pages);
    }
}

TEST(a_frame_is_where_its_header_says)
{
    struct packet_ring ring;
    uint8_t data[2 * FRAME];

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    CHECK_EQ(packet_ring_create(&usual, 4, &ring), 0);
    CHECK(!packet_ring_readable(&ring));
    for (unsigned i = 0; i < FRAMES; i++) {
        CHECK(packet_ring_has_room(&ring));
        fill(&ring, data, i == 1 ? sizeof data : 100 + i); /* the second is too long; some cross a page */
        const struct tpacket2_hdr *h = frame_at(&ring, i);
        CHECK_EQ(h->tp_status, TP_STATUS_USER);
        CHECK_EQ(h->tp_len, i == 1 ? sizeof data : 100 + i);
        CHECK_EQ(h->tp_snaplen, i == 1 ? FRAME - 70u : 100 + i);
        CHECK_EQ(h->tp_mac, 70);
        CHECK_EQ(h->tp_net, 84);
        CHECK_EQ(h->tp_sec, 5);
        CHECK_EQ(h->tp_nsec, 7);
        CHECK(!memcmp((const uint8_t *)h + h->tp_mac, data, h->tp_snaplen));
        CHECK_EQ(((const struct sockaddr_ll *)(h + 1))->sll_ifindex, 3);
        CHECK(packet_ring_readable(&ring));
    }
    CHECK(!packet_ring_has_room(&ring));
    shared_pages_put(ring.pages);
}

TEST(a_frame_that_is_given_back_is_filled_again)
{
    struct packet_ring ring;

    CHECK_EQ(packet_ring_create(&usual, 0, &ring), 0);
    for (unsigned i = 0; i < 5 * FRAMES; i++) {
        fill(&ring, "twenty bytes of data", 20);
        CHECK_EQ(ring.next, (i + 1) % FRAMES);
        frame_at(&ring, i % FRAMES)->tp_status = TP_STATUS_KERNEL;
        CHECK(!packet_ring_readable(&ring));
    }
    shared_pages_put(ring.pages);
}

TEST(what_a_program_writes_into_a_ring_is_never_believed) /* ASan watches */
{
    struct packet_ring ring, before;
    uint8_t data[1500] = { 0 };

    CHECK_EQ(packet_ring_create(&usual, 4, &ring), 0);
    before = ring;
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t *words = shared_pages_at(ring.pages, 0);
        for (unsigned i = 0; i < BLOCK * BLOCKS / 4; i++)
            words[i] = sim_chance(500000) ? 0 : sim_random();
        if (packet_ring_has_room(&ring))
            fill(&ring, data, (uint32_t)(14 + sim_random() % (sizeof data - 14)));
        packet_ring_readable(&ring);
        CHECK(ring.next < FRAMES);
        before.next = ring.next;
        CHECK(!memcmp(&before, &ring, sizeof ring));
    }
    shared_pages_put(ring.pages);
}

static int set(struct sock *sk, int option, int value)
{
    return vk_setsockopt_int(sk, SOL_PACKET, option, value);
}

static int set_ring(struct sock *sk, struct tpacket_req req)
{
    return sock_setsockopt(sk, SOL_PACKET, PACKET_RX_RING, &req, sizeof req);
}

TEST(the_version_is_asked_for_and_chosen_before_the_ring)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk;
    int version = TPACKET_V2;
    socklen_t len = sizeof version;

    CHECK_EQ(sock_create(p.a->net, AF_PACKET, SOCK_RAW, htons(3), &sk), 0);
    CHECK_EQ(sock_getsockopt(sk, SOL_PACKET, PACKET_HDRLEN, &version, &len), 0);
    CHECK_EQ(version, 32);
    version = 2; /* TPACKET_V3: libpcap takes EINVAL for an answer */
    CHECK_EQ(sock_getsockopt(sk, SOL_PACKET, PACKET_HDRLEN, &version, &len), -EINVAL);
    CHECK_EQ(set(sk, PACKET_VERSION, 2), -EINVAL);
    CHECK_EQ(set_ring(sk, usual), -EINVAL);
    CHECK_EQ(set(sk, PACKET_VERSION, TPACKET_V2), 0);
    CHECK_EQ(set(sk, PACKET_RESERVE, -1), -EINVAL);
    CHECK_EQ(set(sk, PACKET_RESERVE, RING_RESERVE_MAX + 1), -EINVAL);
    CHECK_EQ(set(sk, PACKET_RESERVE, 4), 0);
    CHECK_EQ(sock_pages(sk) == NULL, true);
    CHECK_EQ(set_ring(sk, usual), 0);
    CHECK_EQ(set_ring(sk, usual), -EBUSY);
    CHECK_EQ(set(sk, PACKET_VERSION, TPACKET_V1), -EBUSY);
    CHECK_EQ(set(sk, PACKET_RESERVE, 8), -EBUSY);
    CHECK_EQ(set_ring(sk, (struct tpacket_req){ .tp_frame_nr = 1 }), -EINVAL);
    struct shared_pages *mapping = sock_pages(sk);
    CHECK_EQ(set_ring(sk, (struct tpacket_req){ 0 }), -EBUSY);
    shared_pages_put(mapping);
    CHECK_EQ(set_ring(sk, (struct tpacket_req){ 0 }), 0);
    CHECK_EQ(set(sk, PACKET_RESERVE, 8), 0);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(frames_go_to_the_ring_until_it_is_full_and_it_outlives_the_socket)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk, *sender = vk_socket(p.a, SOCK_DGRAM);
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;

    vk_sendto(sender, "hello", 5, 0, "10.0.0.2", 9);
    sim_sleep(ms(20));
    CHECK_EQ(sock_create(p.a->net, AF_PACKET, SOCK_RAW, htons(3), &sk), 0);
    set(sk, PACKET_VERSION, TPACKET_V2);
    CHECK_EQ(set_ring(sk, usual), 0);
    CHECK(!(sock_poll(sk) & POLLIN));
    struct packet_ring seen = { .pages = sock_pages(sk) };
    for (int i = 0; i < 5; i++) {
        vk_sendto(sender, "hello", 5, 0, "10.0.0.2", 9);
        sim_sleep(ms(20)); /* and the port is unreachable */
    }
    CHECK(sock_poll(sk) & POLLIN);
    CHECK_EQ(sock_getsockopt(sk, SOL_PACKET, PACKET_STATISTICS, &stats, &len), 0);
    CHECK_EQ(stats.tp_packets, 10);
    CHECK_EQ(stats.tp_drops, 10 - FRAMES);
    vk_close(sk);
    const struct tpacket2_hdr *h = frame_at(&seen, 0);
    CHECK_EQ(((const struct sockaddr_ll *)(h + 1))->sll_pkttype, PACKET_OUTGOING);
    CHECK(!memcmp((const uint8_t *)h + h->tp_net + 28, "hello", 5));
    CHECK_EQ(shared_pages_users(seen.pages), 1);
    shared_pages_put(seen.pages);
    vk_close(sender);
    vpair_destroy(&p);
}
