/* sim/fuzz/host.c - a kernel under test and a station on its wire. */
#include "sim/fuzz/host.h"
#include "sim/fuzz/fuzz.h"
#include <stdio.h>
#include <string.h>

static const uint8_t station_mac[6] = { 0x02, 0x99, 0, 0, 0, 9 }, kernel_mac[6] = { 0x02, 0, 0, 0, 0, 1 };

static void introduce(struct host *h)
{
    struct packet p = { .ethertype = FRAME_ARP,
                        .arp_op = FRAME_ARP_REQUEST,
                        .arp_sender_ip = ip4(10, 0, 0, 9),
                        .arp_target_ip = ip4(10, 0, 0, 1) };
    uint8_t frame[FRAME_MAX];

    memset(p.dst_mac, 0xff, 6);
    memcpy(p.src_mac, station_mac, 6);
    memcpy(p.arp_sender_mac, station_mac, 6);
    host_send(h, frame, packet_build(&p, frame));
}

void host_start(struct host *h)
{
    struct tp_device card = { .checksums = false };

    memcpy(card.mac, kernel_mac, 6);
    tp_start(&(struct tp_world){ .seed = 1 });
    *h = (struct host){ .wire = tp_wire_create("wire", NULL), .kernel = tp_kernel_create("host") };
    FUZZ_CHECK(tp_device_add(h->kernel, "eth0", h->wire, &card) == 0);
    FUZZ_CHECK(tp_address_set(h->kernel, "eth0", "10.0.0.1/24") == 0);
    h->station = tp_port_create(h->wire);
    h->process = tp_process_create(h->kernel);
    introduce(h);
}

void host_end(struct host *h)
{
    tp_process_exit(h->process);
    tp_port_destroy(h->station);
    tp_kernel_destroy(h->kernel);
    tp_wire_destroy(h->wire);
    tp_end();
}

int64_t host_call(struct host *h, long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    struct tp_call *call = tp_call_begin(h->process, number, (const int64_t[6]){ a, b, c, d, e, 0 });
    int64_t result = -1;

    if (!tp_call_done(call, &result))
        tp_call_interrupt(call);
    FUZZ_CHECK(tp_call_done(call, &result));
    tp_call_end(call);
    return result;
}

struct packet host_packet(const struct host *h, uint8_t protocol)
{
    struct packet p = { .protocol = protocol,
                        .saddr = ip4(10, 0, 0, 9),
                        .daddr = ip4(10, 0, 0, 1),
                        .sport = STATION_PORT,
                        .dport = protocol == PACKET_UDP ? HOST_UDP_PORT : HOST_TCP_PORT,
                        .seq = h->seq,
                        .ack = h->ack,
                        .flags = ACK,
                        .window = 65535 };

    memcpy(p.dst_mac, kernel_mac, 6);
    memcpy(p.src_mac, station_mac, 6);
    return p;
}

/* By all inputs of this process; said at its end, beside libFuzzer's figures. */
static unsigned long frames_sent;

__attribute__((destructor)) static void say_frames(void)
{
    fprintf(stderr, "stat::frames_sent: %lu\n", frames_sent);
}

void host_send(struct host *h, const uint8_t *frame, size_t n)
{
    frames_sent++;
    tp_inject(h->station, tp_now(), frame, n);
    tp_run_for(0);
}

void host_hear(struct host *h)
{
    uint8_t frame[FRAME_MAX];
    struct packet p;
    ssize_t n;

    while ((n = tp_take(h->station, frame, sizeof frame, NULL)) >= 0) {
        packet_parse(&p, frame, (size_t)n);
        if (p.ethertype != FRAME_IPV4 || p.protocol != PACKET_TCP || p.dport != STATION_PORT)
            continue;
        h->ack = p.seq + (uint32_t)p.payload_len + !!(p.flags & SYN) + !!(p.flags & FIN);
        if (p.flags & ACK)
            h->seq = p.ack;
    }
}
