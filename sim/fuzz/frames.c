/* sim/fuzz/frames.c - fuzz target: whatever comes from the wire, at a kernel with a UDP socket, a listener
 * and an established connection. A frame is built right from chosen fields and near the connection's true
 * numbers, then perhaps given IP options, changed in some bytes, with or without its checksums made right, or
 * cut; or it is raw. Between frames time passes and the program reads, writes and accepts. */
#include "lib/compiler.h"
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/host.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { STEPS_MOST = 64, IP_AT = FRAME_HEADER, IP_HEADER = 20, OPTIONS_MOST = 40 };

struct story {
    struct host host;
    struct input in;
    int64_t udp, listener, connection;
    uint8_t buffer[4096]; /* the program's */
};

/* ---- the beginning ---- */

static int64_t bound_socket(struct story *s, int type, uint16_t port)
{
    int64_t fd = host_call(&s->host, SYS_socket, AF_INET, type | SOCK_NONBLOCK, 0, 0, 0);
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };

    FUZZ_CHECK(host_call(&s->host, SYS_bind, fd, (intptr_t)&name, sizeof name, 0, 0) == 0);
    return fd;
}

static void send_built(struct story *s, const struct packet *p)
{
    uint8_t frame[FRAME_MAX];

    host_send(&s->host, frame, packet_build(p, frame));
    host_hear(&s->host);
}

static void establish(struct story *s)
{
    static const uint8_t options[] = { 2, 4, 5, 180, 3, 3, 7, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0 };
    struct packet p = host_packet(&s->host, PACKET_TCP);

    p.flags = SYN;
    p.seq = 1000;
    if (input_u8(&s->in) & 1) {
        p.options = options;
        p.options_len = sizeof options;
    }
    send_built(s, &p);
    p = host_packet(&s->host, PACKET_TCP);
    send_built(s, &p);
    s->connection = host_call(&s->host, SYS_accept4, s->listener, 0, 0, SOCK_NONBLOCK, 0);
}

static void begin(struct story *s)
{
    host_start(&s->host);
    s->udp = bound_socket(s, SOCK_DGRAM, HOST_UDP_PORT);
    s->listener = bound_socket(s, SOCK_STREAM, HOST_TCP_PORT);
    FUZZ_CHECK(host_call(&s->host, SYS_listen, s->listener, 4, 0, 0, 0) == 0);
    establish(s);
}

/* ---- frames ---- */

static void put16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* Put options behind the IP header of the frame of n bytes; its new length. */
static size_t add_ip_options(struct story *s, uint8_t *frame, size_t n)
{
    size_t want = input_u8(&s->in) % (OPTIONS_MOST + 1) & ~3u, got = want;
    const uint8_t *options = input_bytes(&s->in, &got);
    uint8_t *ip = frame + IP_AT;

    if (n + want > FRAME_MAX)
        return n;
    memmove(ip + IP_HEADER + want, ip + IP_HEADER, n - IP_AT - IP_HEADER);
    memset(ip + IP_HEADER, 0, want);
    memcpy(ip + IP_HEADER, options, got);
    ip[0] = (uint8_t)(0x45 + want / 4);
    put16(ip + 2, (uint16_t)((ip[2] << 8 | ip[3]) + want));
    return n + want;
}

static void change_bytes(struct story *s, uint8_t *frame, size_t n)
{
    unsigned changes = input_u8(&s->in) % 4 + 1;

    while (changes--) {
        size_t at = input_u8(&s->in) % n;
        frame[at] = input_u8(&s->in);
    }
}

/* Make right what of the checksums the lengths in the frame allow. */
static void mend_checksums(uint8_t *frame, size_t n)
{
    uint8_t *ip = frame + IP_AT;
    size_t header = (ip[0] & 15u) * 4, total = (size_t)(ip[2] << 8 | ip[3]), len;

    if (header < IP_HEADER || total < header + 8 || IP_AT + total > n)
        return;
    put16(ip + 10, 0);
    put16(ip + 10, (uint16_t)~frame_sum(ip, header, 0));
    len = total - header;
    if (ip[9] == PACKET_TCP && len >= 20) {
        put16(ip + header + 16, 0);
        put16(ip + header + 16,
              (uint16_t)~frame_sum(ip + header, len, frame_sum(ip + 12, 8, PACKET_TCP + (uint32_t)len)));
    } else if (ip[9] == PACKET_UDP) {
        put16(ip + header + 6, 0); /* none */
    } else if (ip[9] == PACKET_ICMP) {
        put16(ip + header + 2, 0);
        put16(ip + header + 2, (uint16_t)~frame_sum(ip + header, len, 0));
    }
}

static void choose_arp(struct story *s, struct packet *p)
{
    p->ethertype = FRAME_ARP;
    p->arp_op = input_u8(&s->in) % 4;
    p->arp_sender_ip = ip4(10, 0, 0, input_u8(&s->in));
    p->arp_target_ip = ip4(10, 0, 0, input_u8(&s->in));
    memcpy(p->arp_sender_mac, p->src_mac, 6);
}

static void choose_tcp(struct story *s, struct packet *p)
{
    p->flags = input_u8(&s->in);
    p->seq += (uint32_t)(int8_t)input_u8(&s->in) * (input_u8(&s->in) & 1 ? 999u : 1u);
    p->ack += (uint32_t)(int8_t)input_u8(&s->in);
    p->window = input_u16(&s->in);
    p->urgent = input_u8(&s->in);
    p->sport = (uint16_t)(STATION_PORT + input_u8(&s->in) % 3);
    p->options_len = input_u8(&s->in) % (OPTIONS_MOST + 1);
    p->options = input_bytes(&s->in, &p->options_len);
}

static void choose_icmp(struct story *s, struct packet *p)
{
    p->icmp_type = input_u8(&s->in) % 20;
    p->icmp_code = input_u8(&s->in) % 16;
    p->icmp_rest = input_u32(&s->in);
}

static void choose_payload(struct story *s, struct packet *p)
{
    static const uint8_t text[1460];

    p->payload_len = input_u8(&s->in);
    if (p->payload_len > 200) { /* more than an input holds */
        p->payload = text;
        p->payload_len = (p->payload_len - 200) * 26;
    } else {
        p->payload = input_bytes(&s->in, &p->payload_len);
    }
}

static void built_frame(struct story *s, uint8_t kind)
{
    static const uint8_t protocols[] = { PACKET_TCP, PACKET_TCP, PACKET_UDP, PACKET_ICMP };
    struct packet p = host_packet(&s->host, protocols[kind & 3]);
    uint8_t frame[FRAME_MAX], how = input_u8(&s->in);
    size_t n;

    if ((kind & 15) == 15)
        choose_arp(s, &p);
    else if (p.protocol == PACKET_TCP)
        choose_tcp(s, &p);
    else if (p.protocol == PACKET_ICMP)
        choose_icmp(s, &p);
    choose_payload(s, &p);
    if (how & 1) {
        p.ip_id = input_u8(&s->in) & 3;
        p.frag_off = input_u16(&s->in) & 0x203f;
    }
    n = packet_build(&p, frame);
    if (how & 2 && p.ethertype != FRAME_ARP)
        n = add_ip_options(s, frame, n);
    if (how & 4)
        change_bytes(s, frame, n);
    if (!(how & 8))
        mend_checksums(frame, n);
    host_send(&s->host, frame, how & 16 ? MIN(n, (size_t)input_u16(&s->in)) : n);
}

static void raw_frame(struct story *s)
{
    size_t n = input_u16(&s->in) % (FRAME_MAX + 1);
    const uint8_t *bytes = input_bytes(&s->in, &n);

    host_send(&s->host, bytes, n);
}

/* ---- what else happens ---- */

static void program_acts(struct story *s, uint8_t what)
{
    size_t n = (size_t)input_u8(&s->in) * 16;
    intptr_t buffer = (intptr_t)s->buffer;

    switch (what % 6) {
    case 0:
        host_call(&s->host, SYS_read, s->connection, buffer, (int64_t)n, 0, 0);
        break;
    case 1:
        host_call(&s->host, SYS_write, s->connection, buffer, (int64_t)n, 0, 0);
        break;
    case 2:
        host_call(&s->host, SYS_read, s->udp, buffer, (int64_t)n, 0, 0);
        break;
    case 3:
        host_call(&s->host, SYS_accept4, s->listener, 0, 0, SOCK_NONBLOCK, 0);
        break;
    case 4:
        host_call(&s->host, SYS_shutdown, s->connection, (int64_t)(n / 16 % 3), 0, 0, 0);
        break;
    default:
        host_call(&s->host, SYS_close, n & 16 ? s->listener : s->connection, 0, 0, 0, 0);
    }
}

static void step(struct story *s)
{
    uint8_t what = input_u8(&s->in);

    if (what < 160)
        built_frame(s, what);
    else if (what < 176)
        raw_frame(s);
    else if (what < 192)
        tp_run_for(1000000ull << what % 16); /* 1 ms to 33 s */
    else
        program_acts(s, what);
    host_hear(&s->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story s = { .in = { data, data + size } };

    begin(&s);
    for (int i = 0; i < STEPS_MOST && input_left(&s.in); i++)
        step(&s);
    host_end(&s.host);
    return 0;
}
