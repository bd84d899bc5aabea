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

static void line_free(struct timer *t);

void wire_attach(struct wire *w, struct wire_port *port)
{
    port->wire = w;
    port->busy_until = port->last_arrival = 0;
    port->in_burst = false;
    wire_queue_init(&port->queue);
    timer_init(&port->free_at, line_free);
    list_add_tail(&port->link, &w->ports);
}

void wire_detach(struct wire_port *port)
{
    struct flight *f, *next;

    list_for_each_entry_safe (f, next, &port->wire->in_flight, link)
        if (f->to == port)
            flight_free(f);
    timer_cancel(&port->free_at);
    wire_queue_purge(&port->queue);
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

/* A number that stands for the frame's bytes in the digest (FNV-1a, 64 bits, a word at a time). */
static uint64_t frame_hash(const uint8_t *frame, size_t n)
{
    uint64_t hash = 14695981039346656037u;

    while (n) {
        uint64_t word = 0;
        size_t some = MIN(n, sizeof word);
        memcpy(&word, frame, some);
        hash = (hash ^ word) * 1099511628211u;
        frame += some;
        n -= some;
    }
    return hash;
}

/* ---- faults that do not depend on the receiver ---- */

static bool lost_in_a_burst(struct wire *w, struct wire_port *port)
{
    if (!w->burst_enter)
        return false;
    if (sim_chance(port->in_burst ? w->burst_leave : w->burst_enter))
        port->in_burst = !port->in_burst;
    return port->in_burst && sim_chance(w->burst_loss);
}

static bool lost_at_once(struct wire *w, struct wire_port *port, const uint8_t *frame, size_t n)
{
    return w->down || (w->filter && !w->filter(w->filter_arg, frame, n)) || lost_in_a_burst(w, port);
}

static uint64_t arrival_time(const struct wire *w, struct wire_port *port)
{
    uint64_t when = port->busy_until + w->delay;

    if (w->jitter)
        when += sim_random() % (w->jitter + 1);
    port->last_arrival = MAX(port->last_arrival, when);
    return port->last_arrival;
}

/* ---- transmission ---- */

static void put_on_line(struct wire_port *port, const uint8_t *frame, size_t n)
{
    struct wire *w = port->wire;
    struct wire_port *to;
    uint64_t when;

    port->busy_until = MAX(time_now(), port->busy_until);
    if (w->bits_per_second)
        port->busy_until += n * 8 * sec(1) / w->bits_per_second;
    w->sent++;
    trace("wire", frame_hash(frame, n), (uint32_t)n);
    if (w->capture)
        pcapng_write(w->capture, time_wall(), frame, n);
    if (lost_at_once(w, port, frame, n)) {
        w->lost++;
        return;
    }
    when = arrival_time(w, port);
    list_for_each_entry (to, &w->ports, link)
        if (to != port)
            send_to(w, to, frame, n, when);
}

/* The line is free again for what waits. */
static void line_free(struct timer *t)
{
    struct wire_port *port = container_of(t, struct wire_port, free_at);
    struct queued_frame *f = wire_queue_take(&port->queue, &port->wire->queue);

    if (!f)
        return;
    put_on_line(port, f->bytes, f->n);
    free(f);
    if (port->queue.length)
        timer_set(&port->free_at, port->busy_until);
}

uint64_t wire_transmit(struct wire_port *port, const uint8_t *frame, size_t n)
{
    struct wire *w = port->wire;

    if (!w->queue.limit || (port->busy_until <= time_now() && !port->queue.length)) {
        put_on_line(port, frame, n);
        return w->queue.limit ? time_now() : port->busy_until;
    }
    wire_queue_put(&port->queue, &w->queue, frame, n);
    if (port->queue.length && !timer_pending(&port->free_at))
        timer_set(&port->free_at, port->busy_until);
    return time_now();
}
