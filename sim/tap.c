/* sim/tap.c - the scripted station of tap.h. */
#include "sim/tap.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap_frame {
    struct list_head link;
    uint64_t time;
    size_t n;
    uint8_t bytes[];
};

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void answer_arp(struct tap *t, const struct packet *request)
{
    struct packet reply = { .ethertype = FRAME_ARP,
                            .arp_op = FRAME_ARP_REPLY,
                            .arp_sender_ip = t->ip,
                            .arp_target_ip = request->arp_sender_ip };

    memcpy(reply.dst_mac, request->src_mac, 6);
    memcpy(reply.arp_sender_mac, t->mac, 6);
    memcpy(reply.arp_target_mac, request->arp_sender_mac, 6);
    tap_send(t, &reply);
}

static void keep(struct tap *t, const uint8_t *bytes, size_t n)
{
    struct tap_frame *f = malloc(sizeof *f + n);

    if (!f)
        abort();
    f->time = time_now();
    f->n = n;
    memcpy(f->bytes, bytes, n);
    list_add_tail(&f->link, &t->frames);
    waitq_wake(&t->wq);
}

static void tap_hears(struct wire_port *port, const uint8_t *bytes, size_t n)
{
    struct tap *t = container_of(port, struct tap, port);
    struct packet p = { 0 };

    packet_parse(&p, bytes, n);
    if (t->only_for_me && memcmp(p.dst_mac, t->mac, 6) && !(p.dst_mac[0] & 1))
        return;
    if (t->answers_arp && p.ethertype == FRAME_ARP && p.arp_op == FRAME_ARP_REQUEST &&
        p.arp_target_ip == t->ip)
        answer_arp(t, &p);
    else
        keep(t, bytes, n);
}

struct tap *tap_create(struct wire *w, uint32_t ip)
{
    struct tap *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    t->mac[0] = 0x02;
    for (unsigned i = 0; i < 4; i++)
        t->mac[2 + i] = (uint8_t)(ip >> (24 - 8 * i));
    t->ip = ip;
    t->answers_arp = true;
    t->only_for_me = true;
    list_init(&t->frames);
    lock_init(&t->lock, "tap", RANK_SOCK_LISTEN);
    waitq_init(&t->wq);
    t->port.receive = tap_hears;
    wire_attach(w, &t->port);
    return t;
}

void tap_flush(struct tap *t)
{
    struct tap_frame *f;

    while ((f = list_first_entry(&t->frames, struct tap_frame, link))) {
        list_del(&f->link);
        free(f);
    }
    free(t->taken);
    t->taken = NULL;
}

void tap_destroy(struct tap *t)
{
    wire_detach(&t->port);
    tap_flush(t);
    free(t);
}

void tap_send_bytes(struct tap *t, const uint8_t *frame, size_t n)
{
    wire_transmit(&t->port, frame, n);
}

static bool mac_is_zero(const uint8_t *mac)
{
    static const uint8_t zero[6];

    return memcmp(mac, zero, 6) == 0;
}

void tap_send(struct tap *t, const struct packet *p)
{
    struct packet full = *p;
    uint8_t bytes[FRAME_MAX];

    if (mac_is_zero(full.src_mac))
        memcpy(full.src_mac, t->mac, 6);
    if (mac_is_zero(full.dst_mac))
        memcpy(full.dst_mac, broadcast, 6);
    tap_send_bytes(t, bytes, packet_build(&full, bytes));
}

struct later {
    struct tap *tap;
    const struct packet *packet;
};

static void send_later(void *arg)
{
    struct later later = *(struct later *)arg;

    free(arg);
    tap_send(later.tap, later.packet);
}

void tap_send_at(struct tap *t, uint64_t when, const struct packet *p)
{
    struct later *later = malloc(sizeof *later);

    if (!later)
        abort();
    *later = (struct later){ t, p };
    sim_at(when, send_later, later);
}

bool tap_receive(struct tap *t, struct packet *p, uint64_t timeout)
{
    uint64_t deadline = time_now() + timeout;
    struct tap_frame *f;

    lock_acquire(&t->lock);
    while (list_empty(&t->frames) && time_now() < deadline)
        (void)waitq_wait(&t->wq, &t->lock, deadline);
    lock_release(&t->lock);
    f = list_first_entry(&t->frames, struct tap_frame, link);
    if (!f)
        return false;
    list_del(&f->link);
    free(t->taken);
    t->taken = f;
    p->time = f->time;
    packet_parse(p, f->bytes, f->n);
    return true;
}

const uint8_t *tap_bytes(const struct tap *t, size_t *n)
{
    *n = t->taken ? t->taken->n : 0;
    return t->taken ? t->taken->bytes : NULL;
}

/* ---- expectations ---- */

static void receive_or_fail(struct tap *t, struct packet *p, const char *what, const char *file, int line)
{
    if (!tap_receive(t, p, sec(TAP_PATIENCE_SECONDS)))
        test_fail(file, line, "expected %s, nothing came", what);
}

_Noreturn static void fail_other(const struct packet *p, const char *what, const char *file, int line)
{
    char text[256];

    packet_print(p, text, sizeof text);
    test_fail(file, line, "expected %s, got %s%s%s", what, text,
              p->ip_checksum_ok ? "" : " (no good IP checksum)", p->checksum_ok ? "" : " (no good checksum)");
}

void tap_expect_arp(struct tap *t, struct packet *p, uint16_t op, const char *file, int line)
{
    const char *what = op == FRAME_ARP_REQUEST ? "an ARP request" : "an ARP reply";

    receive_or_fail(t, p, what, file, line);
    if (p->malformed || p->ethertype != FRAME_ARP || p->arp_op != op)
        fail_other(p, what, file, line);
}

static bool good_ip(const struct packet *p, uint8_t protocol)
{
    bool whole = !(p->frag_off & 0x3fff);

    return !p->malformed && p->ethertype == FRAME_IPV4 && p->protocol == protocol && p->ip_checksum_ok &&
           (p->checksum_ok || !whole ||
            (protocol != PACKET_ICMP && protocol != PACKET_UDP && protocol != PACKET_TCP));
}

void tap_expect_ip(struct tap *t, struct packet *p, uint8_t protocol, const char *file, int line)
{
    const char *what = protocol == PACKET_ICMP  ? "ICMP"
                       : protocol == PACKET_UDP ? "UDP"
                       : protocol == PACKET_TCP ? "TCP"
                                                : "an IP packet of another protocol";

    receive_or_fail(t, p, what, file, line);
    if (!good_ip(p, protocol))
        fail_other(p, what, file, line);
}

void tap_expect_tcp(struct tap *t, struct packet *p, uint8_t flags, const char *file, int line)
{
    char names[64], what[80];

    packet_flags(flags, names, sizeof names);
    snprintf(what, sizeof what, "TCP %s", names);
    receive_or_fail(t, p, what, file, line);
    if (!good_ip(p, PACKET_TCP) || p->flags != flags)
        fail_other(p, what, file, line);
}

void tap_expect_silence(struct tap *t, uint64_t duration, const char *file, int line)
{
    struct packet p;

    if (tap_receive(t, &p, duration))
        fail_other(&p, "silence", file, line);
}
