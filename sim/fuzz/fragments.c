/* sim/fuzz/fragments.c - fuzz target: IP reassembly (RFC 791 3.2, RFC 5722). Pieces of one UDP datagram
 * arrive in any order, cut anywhere, again, overlapping, with right and wrong ends: what the program receives
 * is that datagram or nothing, and what was kept is gone when its time is over. */
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/host.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { UNIT = 8, UNITS = 128, DATAGRAM = UNIT * UNITS, UDP_HEADER = 8, STEPS_MOST = 100, MORE = 0x2000 };

struct story {
    struct host host;
    struct input in;
    int64_t udp;
    uint8_t datagram[DATAGRAM]; /* with its header */
};

static void begin(struct story *s)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(HOST_UDP_PORT) };

    host_start(&s->host);
    s->udp = host_call(&s->host, SYS_socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, 0, 0);
    FUZZ_CHECK(host_call(&s->host, SYS_bind, s->udp, (intptr_t)&name, sizeof name, 0, 0) == 0);
    for (size_t i = 0; i < DATAGRAM; i++)
        s->datagram[i] = (uint8_t)(i * 17 + (i >> 8));
    memcpy(s->datagram, (uint8_t[]){ 4, 210, 0, HOST_UDP_PORT, DATAGRAM >> 8, DATAGRAM & 255, 0, 0 },
           UDP_HEADER);
}

static void send_piece(struct story *s, size_t unit, size_t units, bool more, uint8_t id)
{
    uint8_t frame[FRAME_MAX];
    struct packet p = host_packet(&s->host, 253); /* a protocol that has no header of its own (RFC 3692) */
    size_t n;

    p.ip_id = id;
    p.frag_off = (uint16_t)(unit | (more ? MORE : 0));
    p.payload = s->datagram + unit * UNIT;
    p.payload_len = units * UNIT;
    n = packet_build(&p, frame);
    frame[FRAME_HEADER + 9] = PACKET_UDP;
    frame[FRAME_HEADER + 10] = frame[FRAME_HEADER + 11] = 0;
    uint16_t sum = (uint16_t)~frame_sum(frame + FRAME_HEADER, 20, 0);
    frame[FRAME_HEADER + 10] = (uint8_t)(sum >> 8);
    frame[FRAME_HEADER + 11] = (uint8_t)sum;
    host_send(&s->host, frame, n);
}

/* Everything that was received is the datagram. How many there were. */
static unsigned receive(struct story *s)
{
    uint8_t text[DATAGRAM];
    unsigned count = 0;
    int64_t n;

    while ((n = host_call(&s->host, SYS_read, s->udp, (intptr_t)text, sizeof text, 0, 0)) >= 0) {
        FUZZ_CHECK(n == DATAGRAM - UDP_HEADER);
        FUZZ_CHECK(!memcmp(text, s->datagram + UDP_HEADER, (size_t)n));
        count++;
    }
    return count;
}

static void step(struct story *s)
{
    uint8_t what = input_u8(&s->in);
    size_t unit = input_u8(&s->in) % UNITS, units = input_u8(&s->in) % (UNITS - unit) + 1;
    bool last = unit + units == UNITS;

    if ((what & 15) == 15)
        tp_run_for(1000000000ull * (what >> 4)); /* up to 15 s */
    else
        send_piece(s, unit, units, what & 16 ? last : !last, what & 3);
    receive(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story s = { .in = { data, data + size } };

    begin(&s);
    for (int i = 0; i < STEPS_MOST && input_left(&s.in); i++)
        step(&s);
    send_piece(&s, 0, UNITS / 2, true, 9); /* whatever came before, a whole one still gets through */
    send_piece(&s, UNITS / 2, UNITS / 2, false, 9);
    FUZZ_CHECK(receive(&s) == 1);
    tp_run_for(120 * 1000000000ull); /* what is incomplete is given up (RFC 1122 3.3.2) */
    host_hear(&s.host);
    FUZZ_CHECK(tp_packets_alive(s.host.kernel) == 0);
    host_end(&s.host);
    return 0;
}
