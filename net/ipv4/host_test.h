/* net/ipv4/host_test.h - for the tests of net/: one host (10.0.0.1/24) and a tap (10.0.0.2) on one wire. */
#pragma once
#include "net/core/net_namespace.h"
#include "sim/sim.h"
#include "sim/tap.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <string.h>

struct host {
    struct wire *wire;
    struct vkernel *vk;
    struct tap *tap;
};

static inline struct host host_create(void)
{
    struct host h = { .wire = wire_create("wire") };

    h.vk = vk_create("host", "10.0.0.1/24", NULL, h.wire);
    h.tap = tap_create(h.wire, ip4(10, 0, 0, 2));
    sim_run_for(ms(1));
    tap_flush(h.tap); /* what the host announced of itself */
    return h;
}

static inline void host_destroy(struct host *h)
{
    tap_destroy(h->tap);
    vk_destroy(h->vk); /* fails the test if an sk_buff is left over */
    wire_destroy(h->wire);
}

static inline const uint8_t *host_mac(const struct host *h)
{
    return h->vk->nic->dev->dev_addr;
}

/* A packet from the tap's station to the host. */
static inline struct packet to_host(const struct host *h, uint8_t protocol)
{
    struct packet p = { .protocol = protocol, .saddr = h->tap->ip, .daddr = h->vk->addr };

    memcpy(p.dst_mac, host_mac(h), 6);
    return p;
}

static inline struct packet echo_request(const struct host *h, const void *data, size_t n)
{
    struct packet p = to_host(h, PACKET_ICMP);

    p.icmp_type = 8;
    p.icmp_rest = 0x00070001;
    p.payload = data;
    p.payload_len = n;
    return p;
}

static inline uint64_t host_drops(const struct host *h, enum skb_drop_reason reason)
{
    return h->vk->net->drops[reason];
}

/* The host still answers: what came before did it no harm. */
static inline void expect_alive(struct host *h)
{
    struct packet p = echo_request(h, "alive?", 6);

    tap_flush(h->tap);
    tap_send(h->tap, &p);
    EXPECT_IP(h->tap, &p, PACKET_ICMP);
    CHECK_EQ(p.icmp_type, 0);
    CHECK(p.ip_checksum_ok && p.checksum_ok);
}
