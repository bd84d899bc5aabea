/* sim/wire.c - frames on their way: each copy is a timer that carries its bytes. */
#include "sim/wire.h"
#include "sim/pcapng.h"
#include "sim/sim.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *capture_prefix;

struct flight {
    struct timer arrival;
    struct list_head link; /* in wire->in_flight */
    struct wire_port *to;
    size_t n;
    uint8_t bytes[];
};

struct wire *wire_create(const char *name)
{
    struct wire *w = calloc(1, sizeof *w);
    char path[512];

    if (!w)
        abort();
    w->name = name;
    w->reorder_delay = ms(1);
    list_init(&w->ports);
    list_init(&w->in_flight);
    if (capture_prefix) {
        snprintf(path, sizeof path, "%s%s.pcapng", capture_prefix, name);
        if (wire_capture(w, path))
            panic("cannot write the capture %s", path);
    }
    return w;
}

static void flight_free(struct flight *f)
{
    timer_cancel(&f->arrival);
    list_del(&f->link);
    free(f);
}

void wire_destroy(struct wire *w)
{
    struct flight *f;

    if (!list_empty(&w->ports))
        panic("wire %s destroyed with ports on it", w->name);
    while ((f = list_first_entry(&w->in_flight, struct flight, link)))
        flight_free(f);
    if (w->capture)
        pcapng_close(w->capture);
    free(w);
}

int wire_capture(struct wire *w, const char *path)
{
    struct pcapng *p = pcapng_open(path, w->name, w->raw_ip ? PCAPNG_RAW_IP : PCAPNG_ETHERNET);

    if (!p)
        return -errno;
    if (w->capture)
        pcapng_close(w->capture);
    w->capture = p;
    return 0;
}

void wire_capture_all(const char *prefix)
{
    capture_prefix = prefix;
}

void wire_attach(struct wire *w, struct wire_port *port)
{
    port->wire = w;
    port->busy_until = 0;
    list_add_tail(&port->link, &w->ports);
}

void wire_detach(struct wire_port *port)
{
    struct flight *f, *next;

    list_for_each_entry_safe (f, next, &port->wire->in_flight, link)
        if (f->to == port)
            flight_free(f);
    list_del(&port->link);
    port->wire = NULL;
}

static void arrive(struct timer *t)
{
    struct flight *f = container_of(t, struct flight, arrival);

    list_del(&f->link);
    f->to->wire->delivered++;
    f->to->receive(f->to, f->bytes, f->n);
    free(f);
}

static void send_copy(struct wire *w, struct wire_port *to, const uint8_t *frame, size_t n, uint64_t when)
{
    struct flight *f = malloc(sizeof *f + n);

    if (!f)
        abort();
    f->to = to;
    f->n = n;
    memcpy(f->bytes, frame, n);
    if (n && sim_chance(w->corrupt)) {
        uint64_t bit = sim_random() % (n * 8);
        f->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    if (sim_chance(w->reorder))
        when += w->reorder_delay;
    list_add_tail(&f->link, &w->in_flight);
    timer_init(&f->arrival, arrive);
    timer_set(&f->arrival, when);
}

static void send_to(struct wire *w, struct wire_port *to, const uint8_t *frame, size_t n, uint64_t when)
{
    if (sim_chance(w->loss)) {
        w->lost++;
        return;
    }
    send_copy(w, to, frame, n, when);
    if (sim_chance(w->duplicate))
        send_copy(w, to, frame, n, when);
}

/* A number that stands for the frame's bytes in the digest (FNV-1a, 64 bits). */
static uint64_t frame_hash(const uint8_t *frame, size_t n)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ frame[i]) * 1099511628211u;
    return hash;
}

/* When the last bit of n bytes has left port, behind what it sends already. */
static uint64_t transmit_end(const struct wire *w, const struct wire_port *port, size_t n)
{
    uint64_t start = MAX(time_now(), port->busy_until);

    return w->bits_per_second ? start + n * 8 * sec(1) / w->bits_per_second : start;
}

uint64_t wire_transmit(struct wire_port *port, const uint8_t *frame, size_t n)
{
    struct wire *w = port->wire;
    struct wire_port *to;

    port->busy_until = transmit_end(w, port, n);
    w->sent++;
    trace("wire", frame_hash(frame, n), (uint32_t)n);
    if (w->capture)
        pcapng_write(w->capture, time_wall(), frame, n);
    if (w->filter && !w->filter(w->filter_arg, frame, n)) {
        w->lost++;
        return port->busy_until;
    }
    list_for_each_entry (to, &w->ports, link)
        if (to != port)
            send_to(w, to, frame, n, port->busy_until + w->delay);
    return port->busy_until;
}
