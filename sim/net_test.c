/* sim/net_test.c - whole networks of virtual kernels: ARP, ICMP, UDP and TCP from socket to socket, over
 * wires that lose, and the promise that all of it repeats with the seed. */
#include "net/core/net_namespace.h"
#include "sim/netconfig.h"
#include "sim/sim.h"
#include "sim/tap.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ICMP_ECHO_REPLY_TYPE = 0, ICMP_ECHO_TYPE = 8, PORT = 7 };

/* A kernel and a tap on one wire. */
struct lone {
    struct wire *wire;
    struct vkernel *vk;
    struct tap *tap;
};

static struct lone lone_create(void)
{
    struct lone l = { .wire = wire_create("wire") };

    l.vk = vk_create("host", "10.0.0.1/24", NULL, l.wire);
    l.tap = tap_create(l.wire, ip4(10, 0, 0, 2));
    sim_run_for(ms(1));
    tap_flush(l.tap); /* what a host announces of itself when it comes up */
    return l;
}

static void lone_destroy(struct lone *l)
{
    tap_destroy(l->tap);
    CHECK_EQ(vk_live_skbs(l->vk), 0);
    vk_destroy(l->vk);
    wire_destroy(l->wire);
}

static struct packet to_host(const struct lone *l, uint8_t protocol)
{
    struct packet p = { .protocol = protocol, .saddr = l->tap->ip, .daddr = l->vk->addr };

    memcpy(p.dst_mac, l->vk->nic->dev->dev_addr, 6);
    return p;
}

TEST(an_arp_request_for_our_address_is_answered) // RFC 826
{
    struct lone l = lone_create();
    struct packet p = { .ethertype = FRAME_ARP,
                        .arp_op = FRAME_ARP_REQUEST,
                        .arp_sender_ip = l.tap->ip,
                        .arp_target_ip = l.vk->addr };

    memcpy(p.arp_sender_mac, l.tap->mac, 6);
    tap_send(l.tap, &p);
    EXPECT_ARP(l.tap, &p, FRAME_ARP_REPLY);
    CHECK_EQ(p.arp_sender_ip, l.vk->addr);
    CHECK_EQ(p.arp_target_ip, l.tap->ip);
    CHECK(memcmp(p.arp_sender_mac, l.vk->nic->dev->dev_addr, 6) == 0);
    CHECK(memcmp(p.dst_mac, l.tap->mac, 6) == 0);
    lone_destroy(&l);
}

TEST(an_echo_request_of_any_size_is_answered) // RFC 1122 3.2.2.6
{
    struct lone l = lone_create();
    uint8_t data[1472];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof data; n += n < 64 ? 1 : 64) {
        struct packet p = to_host(&l, PACKET_ICMP);
        p.icmp_type = ICMP_ECHO_TYPE;
        p.icmp_rest = 0x12340000 | (uint32_t)n;
        p.payload = data;
        p.payload_len = n;
        tap_send(l.tap, &p);
        EXPECT_IP(l.tap, &p, PACKET_ICMP);
        CHECK_EQ(p.icmp_type, ICMP_ECHO_REPLY_TYPE);
        CHECK_EQ(p.icmp_rest, 0x12340000 | n);
        CHECK_EQ(p.payload_len, n);
        CHECK(memcmp(p.payload, data, n) == 0);
    }
    lone_destroy(&l);
}

TEST(a_full_receive_ring_drops_and_counts)
{
    static const struct vnic_config small = { .rx_ring = 4 };
    struct wire *w = wire_create("wire");
    struct vkernel *vk = vk_create_with("host", "10.0.0.1/24", NULL, w, &small);
    struct net_device_stats stats;
    uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    sim_run_for(ms(1));
    for (int i = 0; i < 7; i++) /* seven in a row, before a softirq can run */
        vk->nic->port.receive(&vk->nic->port, frame, sizeof frame);
    sim_run_for(ms(1));
    dev_get_stats(vk->nic->dev, &stats);
    CHECK_EQ(stats.rx_no_buffer, 3);
    CHECK_EQ(stats.rx_packets, 4);
    CHECK(stats.irqs >= 1 && stats.irqs <= 4);
    CHECK_EQ(vk_live_skbs(vk), 0);
    vk_destroy(vk);
    wire_destroy(w);
}

/* ---- two kernels ---- */

TEST(a_datagram_goes_and_comes_back)
{
    struct vpair w = vpair_create(NULL);
    struct sock *server = vk_socket(w.b, SOCK_DGRAM), *client = vk_socket(w.a, SOCK_DGRAM);
    struct sockaddr_in from;
    char data[32];

    CHECK_EQ(vk_bind(server, NULL, PORT), 0);
    CHECK_EQ(vk_sendto(client, "ahoy", 4, 0, "10.0.0.2", PORT), 4); /* waits for ARP in the kernel */
    CHECK_EQ(vk_recvfrom(server, data, sizeof data, 0, &from), 4);
    CHECK_EQ(ntohl(from.sin_addr.s_addr), w.a->addr);
    CHECK_EQ(ntohs(from.sin_port), vk_port(client));
    CHECK_EQ(vk_sendto(server, data, 4, 0, "10.0.0.1", ntohs(from.sin_port)), 4);
    CHECK_EQ(vk_recvfrom(client, data, sizeof data, 0, &from), 4);
    CHECK(memcmp(data, "ahoy", 4) == 0);
    CHECK_EQ(ntohl(from.sin_addr.s_addr), w.b->addr);
    vk_close(server);
    vk_close(client);
    vpair_destroy(&w);
}

TEST(a_datagram_to_a_closed_port_comes_back_as_an_error) // RFC 1122 4.1.3.3
{
    struct vpair w = vpair_create(NULL);
    struct sock *client = vk_socket(w.a, SOCK_DGRAM);
    char c;

    CHECK_EQ(vk_connect(client, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_send(client, "x", 1, 0), 1);
    CHECK_EQ(vk_recv(client, &c, 1, 0), -ECONNREFUSED);
    vk_close(client);
    vpair_destroy(&w);
}

TEST(a_slow_card_stops_its_queue_and_loses_nothing)
{
    static const struct vnic_config small = { .tx_ring = 8 };
    struct wire *wire = wire_create("wire");
    struct vkernel *a = vk_create_with("a", "10.0.0.1/24", NULL, wire, &small),
                   *b = vk_create("b", "10.0.0.2/24", NULL, wire);
    struct sock *server = vk_socket(b, SOCK_DGRAM), *client = vk_socket(a, SOCK_DGRAM);
    unsigned data[100] = { 0 }, got;

    wire->bits_per_second = 10000000;
    CHECK_EQ(vk_bind(server, NULL, PORT), 0);
    CHECK_EQ(vk_sendto(client, data, 1, 0, "10.0.0.2", PORT), 1); /* the address is known afterwards */
    CHECK_EQ(vk_recv(server, data, 1, 0), 1);
    for (unsigned i = 0; i < 100; i++) {
        data[0] = i;
        CHECK_EQ(vk_sendto(client, data, sizeof data, 0, "10.0.0.2", PORT), sizeof data);
    }
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(vk_recv(server, &got, sizeof got, 0), sizeof got);
        CHECK_EQ(got, i);
    }
    CHECK(a->nic->tx.stops > 5);
    vk_close(server);
    vk_close(client);
    vk_destroy(a);
    vk_destroy(b);
    wire_destroy(wire);
}

/* ---- many ---- */

enum { HOSTS = 100 };

struct station {
    struct vkernel *vk;
    bool answered;
};

static void ask_first_host(void *arg)
{
    struct station *s = arg;
    struct sock *sk = vk_socket(s->vk, SOCK_DGRAM);
    uint32_t answer = 0;

    CHECK_EQ(vk_connect(sk, "10.0.0.1", PORT), 0);
    CHECK_EQ(vk_send(sk, &s->vk->addr, sizeof s->vk->addr, 0), sizeof s->vk->addr);
    CHECK_EQ(vk_recv(sk, &answer, sizeof answer, 0), sizeof answer);
    s->answered = answer == s->vk->addr;
    vk_close(sk);
}

static void echo_many(void *arg)
{
    struct station *s = arg;
    struct sock *sk = vk_socket(s->vk, SOCK_DGRAM);

    CHECK_EQ(vk_bind(sk, NULL, PORT), 0);
    for (int i = 1; i < HOSTS; i++) {
        struct sockaddr_in from;
        uint32_t data;
        char text[16];
        CHECK_EQ(vk_recvfrom(sk, &data, sizeof data, 0, &from), sizeof data);
        snprintf(text, sizeof text, "10.0.0.%u", ntohl(from.sin_addr.s_addr) & 255);
        CHECK_EQ(vk_sendto(sk, &data, sizeof data, 0, text, ntohs(from.sin_port)), sizeof data);
    }
    vk_close(sk);
}

TEST(a_hundred_hosts_on_a_hub)
{
    static struct station stations[HOSTS];
    struct wire *hub = wire_create("hub");
    char address[24];

    hub->bits_per_second = 10000000;
    for (unsigned i = 0; i < HOSTS; i++) {
        snprintf(address, sizeof address, "10.0.0.%u/24", i + 1);
        stations[i].vk = vk_create("host", address, NULL, hub);
    }
    sim_spawn("first host", echo_many, &stations[0]);
    for (unsigned i = 1; i < HOSTS; i++)
        sim_spawn("host", ask_first_host, &stations[i]);
    sim_join(sec(100));
    for (unsigned i = 0; i < HOSTS; i++) {
        CHECK(i == 0 || stations[i].answered);
        vk_destroy(stations[i].vk);
    }
    wire_destroy(hub);
}

/* ---- memory that runs out ---- */

static void try_exchange(struct vpair *w)
{
    struct sock *server = vk_socket(w->b, SOCK_DGRAM), *client = vk_socket(w->a, SOCK_DGRAM);
    struct timeval patience = { .tv_sec = 3 };
    char data[8];

    CHECK_EQ(sock_setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    CHECK_EQ(vk_bind(server, NULL, PORT), 0);
    sim_fail_nth_alloc(1 + sim_random() % 16);
    (void)vk_sendto(client, "ahoy", 4, 0, "10.0.0.2", PORT);
    (void)vk_recv(server, data, sizeof data, 0);
    sim_fail_nth_alloc(0);
    vk_close(server);
    vk_close(client);
}

TEST(an_allocation_that_fails_costs_a_packet_at_most)
{
    struct vpair w = vpair_create(NULL);

    for (int i = 0; i < 300; i++)
        try_exchange(&w);
    CHECK_EQ(vk_live_skbs(w.a), 0);
    CHECK_EQ(vk_live_skbs(w.b), 0);
    vpair_destroy(&w);
}

/* ---- the end ---- */

TEST(a_network_ends_while_a_packet_loops_back) // found by sim/fuzz/syscalls.c
{
    struct vkernel vk = { .net = net_create("short") };
    struct sock *sk = vk_socket(&vk, SOCK_DGRAM);

    CHECK_EQ(netconfig_address(vk.net, "lo", ip4(127, 0, 0, 1), 8), 0);
    CHECK_EQ(vk_sendto(sk, "late", 4, 0, "127.0.0.1", PORT), 4);
    vk_close(sk);
    net_destroy(vk.net);
}
