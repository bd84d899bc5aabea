/* sim/bad_input_test.c - whatever comes from the wire: the kernel neither panics nor leaks, counts what it
 * drops, and still answers. */
#include "net/core/net_namespace.h"
#include "sim/sim.h"
#include "sim/tap.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <string.h>

enum { IP_AT = 14, TRANSPORT_AT = 34, OPEN_UDP = 7, OPEN_TCP = 80 };

/* A host with an open UDP and an open TCP port, and whoever attacks it. */
struct target {
    struct wire *wire;
    struct vkernel *vk;
    struct tap *tap;
    struct sock *udp, *tcp;
};

static struct target target_create(void)
{
    struct target t = { .wire = wire_create("wire") };

    t.vk = vk_create("host", "10.0.0.1/24", NULL, t.wire);
    t.tap = tap_create(t.wire, ip4(10, 0, 0, 2));
    t.udp = vk_socket(t.vk, SOCK_DGRAM);
    t.tcp = vk_socket(t.vk, SOCK_STREAM);
    CHECK_EQ(vk_bind(t.udp, NULL, OPEN_UDP), 0);
    CHECK_EQ(vk_bind(t.tcp, NULL, OPEN_TCP), 0);
    CHECK_EQ(vk_listen(t.tcp, 16), 0);
    return t;
}

static uint64_t all_drops(const struct target *t)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < SKB_DROP_REASON_COUNT; i++)
        n += t->vk->net->drops[i];
    return n;
}

static struct packet to_target(const struct target *t, uint8_t protocol)
{
    struct packet p = { .protocol = protocol, .saddr = t->tap->ip, .daddr = t->vk->addr };

    memcpy(p.dst_mac, t->vk->nic->dev->dev_addr, 6);
    memcpy(p.src_mac, t->tap->mac, 6);
    return p;
}

/* It answers a ping, whatever else it still has to say. */
static void check_alive(struct target *t)
{
    struct packet ping = to_target(t, PACKET_ICMP), answer;

    sim_run_for(sec(30)); /* an address that a bad ARP packet took from the tap is asked for again */
    tap_flush(t->tap);
    ping.icmp_type = 8;
    ping.icmp_rest = (uint32_t)sim_random();
    for (int attempt = 0; attempt < 5; attempt++) {
        tap_send(t->tap, &ping);
        while (tap_receive(t->tap, &answer, sec(10)))
            if (answer.protocol == PACKET_ICMP && answer.icmp_type == 0 && answer.icmp_rest == ping.icmp_rest)
                return;
    }
    test_fail(__FILE__, __LINE__, "no answer to a ping");
}

static void target_destroy(struct target *t)
{
    check_alive(t);
    vk_close(t->udp);
    vk_close(t->tcp);
    sim_run_for(sec(1200)); /* half-open connections, orphans and fragments have been given up */
    CHECK_EQ(vk_live_skbs(t->vk), 0);
    CHECK(all_drops(t) > 0);
    tap_destroy(t->tap);
    vk_destroy(t->vk);
    wire_destroy(t->wire);
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Make the checksums of a frame right again, as far as its lengths allow, so that what is wrong lies deeper.
 */
static void mend_checksums(uint8_t *f, size_t n)
{
    static const uint8_t check_at[] = { [PACKET_ICMP] = 2, [PACKET_TCP] = 16, [PACKET_UDP] = 6 };
    size_t total = n < TRANSPORT_AT ? 0 : (size_t)(f[16] << 8 | f[17]), len;
    uint8_t protocol = f[23], *check;
    uint32_t pseudo = 0;

    if (n < TRANSPORT_AT || f[IP_AT] != 0x45)
        return;
    put16(f + 24, 0);
    put16(f + 24, (uint16_t)~frame_sum(f + IP_AT, 20, 0));
    if (total > n - IP_AT || total < 20)
        return;
    len = total - 20;
    if (protocol >= sizeof check_at || !check_at[protocol] || len < check_at[protocol] + 2u)
        return;
    check = f + TRANSPORT_AT + check_at[protocol];
    if (protocol != PACKET_ICMP)
        pseudo = protocol + (uint32_t)len + frame_sum(f + 26, 8, 0);
    put16(check, 0);
    put16(check, (uint16_t)~frame_sum(f + TRANSPORT_AT, len, pseudo));
}

/* ---- random bytes ---- */

enum depth { NOTHING_RIGHT, ADDRESS_RIGHT, ARP_TYPE_RIGHT, IP_TYPE_RIGHT, IP_RIGHT, CHECKSUMS_RIGHT, DEPTHS };

/* n random bytes, the outer layers right down to depth. */
static void random_frame(const struct target *t, uint8_t *f, size_t n, enum depth depth)
{
    static const uint8_t protocols[] = { PACKET_ICMP, PACKET_TCP, PACKET_UDP };
    struct packet outer = to_target(t, protocols[sim_random() % 3]);
    uint8_t valid[FRAME_MAX];

    for (size_t i = 0; i < n; i++)
        f[i] = (uint8_t)sim_random();
    packet_build(&outer, valid);
    if (depth >= ADDRESS_RIGHT)
        memcpy(f, valid, MIN(n, (size_t)12));
    if (depth >= IP_TYPE_RIGHT)
        memcpy(f, valid, MIN(n, (size_t)IP_AT + 1));
    else if (depth == ARP_TYPE_RIGHT && n > IP_AT)
        memcpy(f + 12, "\x08\x06\0\1\x08\0\6\4", MIN(n - 12, (size_t)8));
    if (depth >= IP_RIGHT && n >= TRANSPORT_AT) {
        memcpy(f, valid, TRANSPORT_AT);
        put16(f + 16, (uint16_t)(n - IP_AT));
        put16(f + 24, 0);
        put16(f + 24, (uint16_t)~frame_sum(f + IP_AT, 20, 0));
    }
    if (depth == CHECKSUMS_RIGHT && n >= TRANSPORT_AT + 4u && sim_chance(500000))
        put16(f + TRANSPORT_AT + 2, outer.protocol == PACKET_TCP ? OPEN_TCP : OPEN_UDP);
    if (depth == CHECKSUMS_RIGHT)
        mend_checksums(f, n);
}

TEST(random_frames_of_every_length_do_no_harm)
{
    struct target t = target_create();
    uint8_t frame[2000];

    for (size_t n = 0; n <= sizeof frame; n++) {
        for (enum depth depth = 0; depth < DEPTHS; depth++) {
            random_frame(&t, frame, n, depth);
            tap_send_bytes(t.tap, frame, n);
        }
        sim_run_for(ms(1));
        tap_flush(t.tap);
        if (n % 200 == 0)
            check_alive(&t);
    }
    target_destroy(&t);
}

/* ---- valid packets, a byte at a time made wrong ---- */

static struct packet valid_packet(const struct target *t, unsigned kind)
{
    static const uint8_t options[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7 };
    static const uint8_t kinds[] = { 0, PACKET_ICMP, PACKET_UDP, PACKET_UDP, PACKET_TCP, PACKET_TCP };
    struct packet p = to_target(t, kinds[kind]);

    p.sport = (uint16_t)(1024 + sim_random() % 60000);
    p.dport = kind == 4 ? OPEN_TCP : kind == 2 ? OPEN_UDP : 9999;
    p.payload = "twenty-four random bytes";
    p.payload_len = 24;
    p.flags = kind == 4 ? SYN : ACK;
    p.icmp_type = 8;
    p.options = options;
    p.options_len = p.protocol == PACKET_TCP ? sizeof options : 0;
    if (kind == 0) {
        p.ethertype = FRAME_ARP;
        p.arp_op = FRAME_ARP_REQUEST;
        p.arp_sender_ip = t->tap->ip;
        p.arp_target_ip = t->vk->addr;
        memcpy(p.arp_sender_mac, t->tap->mac, 6);
    }
    return p;
}
enum { KINDS = 6, HEADERS = 78, VALUES = 12 };

static void send_corrupted(struct target *t, unsigned kind, size_t at, bool mend)
{
    struct packet p = valid_packet(t, kind);
    uint8_t frame[FRAME_MAX];
    size_t n = packet_build(&p, frame);

    if (at < n)
        frame[at] = (uint8_t)sim_random();
    if (mend)
        mend_checksums(frame, n);
    tap_send_bytes(t->tap, frame, n);
    sim_run_for(us(100));
}

TEST(valid_packets_with_each_byte_corrupted_do_no_harm)
{
    struct target t = target_create();
    unsigned sent = 0;

    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t at = 0; at < HEADERS; at++)
            for (unsigned i = 0; i < 2 * VALUES; i++, sent++)
                send_corrupted(&t, kind, at, i & 1);
        check_alive(&t);
    }
    CHECK(sent > 10000);
    target_destroy(&t);
}

/* ---- a connection under fire ---- */

/* Open a connection from the tap; p is ready to send its next segment. */
static struct packet connect_from_tap(struct target *t, uint16_t sport)
{
    struct packet p = to_target(t, PACKET_TCP), answer;

    p.sport = sport;
    p.dport = OPEN_TCP;
    p.seq = (uint32_t)sim_random();
    p.flags = SYN;
    p.window = 1000;
    tap_send(t->tap, &p);
    do /* older connections still have their say */
        CHECK(tap_receive(t->tap, &answer, sec(10)));
    while (answer.dport != sport || answer.flags != (SYN | ACK));
    p.seq++;
    p.ack = answer.seq + 1;
    p.flags = ACK;
    tap_send(t->tap, &p);
    return p;
}

/* A segment that lies near the window more often than not, with any flags and options. */
static void send_random_segment(struct target *t, const struct packet *next)
{
    uint8_t data[600];
    struct packet p = *next;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)sim_random();
    p.seq += (uint32_t)(sim_random() % 4000) - (sim_chance(200000) ? 2000u : 0u);
    p.ack += (uint32_t)(sim_random() % 64) - 32;
    p.flags = (uint8_t)(sim_chance(900000) ? ACK | (sim_random() & (PSH | URG | FIN)) : sim_random());
    p.window = (uint16_t)sim_random();
    p.urgent = (uint16_t)sim_random();
    p.options = data;
    p.options_len = sim_random() % 11 * 4;
    p.payload = data;
    p.payload_len = sim_random() % sizeof data;
    tap_send(t->tap, &p);
    sim_run_for(us(100));
}

TEST(random_segments_on_connections_do_no_harm)
{
    struct target t = target_create();

    for (uint16_t sport = 2000; sport < 2040; sport++) {
        struct packet next = connect_from_tap(&t, sport);
        struct sock *sk = vk_accept(t.tcp, NULL);
        char data[700] = "";

        CHECK(sk);
        for (int i = 0; i < 100; i++) {
            send_random_segment(&t, &next);
            (void)vk_send(sk, data, sim_random() % 50, MSG_DONTWAIT | MSG_NOSIGNAL);
            (void)vk_recv(sk, data, sizeof data, MSG_DONTWAIT);
        }
        vk_close(sk);
    }
    target_destroy(&t);
}

/* ---- each wrong thing is counted as what it is ---- */

struct wrong {
    uint8_t protocol;
    size_t at;
    uint8_t value;
    bool mend;
    size_t cut; /* send only so many bytes; 0: all */
    enum skb_drop_reason reason;
};

static const struct wrong wrongs[] = {
    { PACKET_UDP, 12, 0x12, false, 0, SKB_DROP_ETH_UNKNOWN_TYPE },
    { PACKET_UDP, IP_AT, 0x55, true, 0, SKB_DROP_IP_VERSION },
    { PACKET_UDP, IP_AT, 0x44, true, 0, SKB_DROP_IP_HEADER_LENGTH },
    { PACKET_UDP, IP_AT + 2, 0xff, true, 0, SKB_DROP_IP_TOTAL_LENGTH },
    { PACKET_UDP, IP_AT + 8, 1, false, 0, SKB_DROP_IP_CSUM },
    { PACKET_UDP, IP_AT, 0x45, false, 30, SKB_DROP_IP_SHORT },
    { PACKET_UDP, IP_AT + 12, 127, true, 0, SKB_DROP_IP_SOURCE_INVALID },
    { PACKET_UDP, IP_AT + 12, 224, true, 0, SKB_DROP_IP_SOURCE_INVALID }, /* a group */
    { PACKET_UDP, IP_AT + 15, 255, true, 0, SKB_DROP_IP_SOURCE_INVALID }, /* a broadcast: fraggle */
    { PACKET_TCP, IP_AT + 15, 1, true, 0, SKB_DROP_IP_SOURCE_INVALID },   /* ourselves: land */
    { PACKET_UDP, IP_AT + 16, 127, true, 0, SKB_DROP_IP_NOT_FOR_US },
    { PACKET_UDP, IP_AT + 6, 0x20, true, 0, SKB_DROP_FRAG_BAD }, /* more to come, but no multiple of eight */
    { PACKET_UDP, IP_AT + 16, 11, true, 0, SKB_DROP_IP_NOT_FOR_US },
    { PACKET_UDP, IP_AT + 9, 200, true, 0, SKB_DROP_IP_NO_PROTOCOL },
    { PACKET_UDP, TRANSPORT_AT + 4, 0xff, true, 0, SKB_DROP_UDP_LENGTH },
    { PACKET_UDP, TRANSPORT_AT + 6, 0x77, false, 0, SKB_DROP_UDP_CSUM },
    { PACKET_UDP, TRANSPORT_AT + 2, 0x66, true, 0, SKB_DROP_UDP_NO_SOCKET },
    { PACKET_ICMP, TRANSPORT_AT + 8, 0x77, false, 0, SKB_DROP_ICMP_CSUM },
    { PACKET_ICMP, TRANSPORT_AT, 77, true, 0, SKB_DROP_ICMP_UNKNOWN },
    { PACKET_TCP, TRANSPORT_AT + 12, 0x40, true, 0, SKB_DROP_TCP_HEADER_LENGTH },
    { PACKET_TCP, TRANSPORT_AT + 12, 0xf0, true, 0, SKB_DROP_TCP_HEADER_LENGTH },
    { PACKET_TCP, TRANSPORT_AT + 16, 0x77, false, 0, SKB_DROP_TCP_CSUM },
    { PACKET_TCP, TRANSPORT_AT + 2, 0x66, true, 0, SKB_DROP_TCP_NO_SOCKET },
};

static void check_counted(struct target *t, const struct wrong *w)
{
    struct packet p = to_target(t, w->protocol);
    uint64_t before = t->vk->net->drops[w->reason], all = all_drops(t);
    uint8_t frame[FRAME_MAX];
    size_t n;

    p.dport = w->protocol == PACKET_UDP ? OPEN_UDP : OPEN_TCP;
    p.sport = 4000;
    p.flags = SYN;
    p.payload = "payload and more of it";
    p.payload_len = 22;
    n = packet_build(&p, frame);
    frame[w->at] = w->value;
    if (w->mend)
        mend_checksums(frame, n);
    tap_send_bytes(t->tap, frame, w->cut ? w->cut : n);
    sim_run_for(ms(1));
    if (t->vk->net->drops[w->reason] != before + 1 || all_drops(t) != all + 1)
        test_fail(__FILE__, __LINE__, "case %d is not counted once as %s (%llu drops)", (int)(w - wrongs),
                  skb_drop_reason_name(w->reason), (unsigned long long)(all_drops(t) - all));
}

TEST(each_kind_of_wrong_is_counted_as_what_it_is)
{
    struct target t = target_create();

    sim_run_for(ms(1));
    for (unsigned i = 0; i < ARRAY_SIZE(wrongs); i++)
        check_counted(&t, &wrongs[i]);
    target_destroy(&t);
}
