/* sim/towpath.c - the library's world: its beginning and end, its clock, its wires and kernels.
 * All of it runs as the body of a test would (sim.h): calls from outside are process context, and events run
 * while the caller asks for time to pass. */
#include "net/ipv4/ipv4.h"
#include "sim/fiber.h"
#include "sim/netconfig.h"
#include "sim/rawip.h"
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/switch.h"
#include "sim/towpath_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(TP_NEVER == TIME_NEVER, "one word for never");

static struct {
    bool running;
    struct tp_world world;
    uint32_t kernels; /* ever made */
} tp;

/* ---- what the simulation asks of the program around it (state.h) ---- */

void host_log_line(const char *line)
{
    if (tp.world.log)
        tp.world.log(line);
}

void host_panic(const char *text)
{
    fiber_print_stack();
    if (tp.world.panic)
        tp.world.panic(text);
    else
        fprintf(stderr, "towpath: %s\n", text);
    abort();
}

void host_show_leaks(void)
{
    fiber_print_leaks();
}

/* ---- the world and its time ---- */

int tp_start(const struct tp_world *world)
{
    if (tp.running)
        return -EBUSY;
    tp.world = *world;
    tp.kernels = 0;
    tp.running = true;
    sim_init(world->seed);
    return 0;
}

void tp_end(void)
{
    if (!tp.running)
        return;
    sim_fini();
    tp.running = false;
}

uint64_t tp_now(void)
{
    return time_now();
}

uint64_t tp_next(void)
{
    return sim_next_event();
}

void tp_run_until(uint64_t time)
{
    sim_run_until(time);
}

void tp_run_for(uint64_t duration)
{
    sim_run_for(duration);
}

uint64_t tp_digest(void)
{
    return sim_digest();
}

/* ---- wires ---- */

struct tp_wire {
    struct wire *wire;
    char name[32];
};

static void copy_name(char to[32], const char *from)
{
    snprintf(to, 32, "%s", from);
}

void tp_wire_set(struct tp_wire *w, const struct tp_link *link)
{
    w->wire->delay = link->delay_ns;
    w->wire->bits_per_second = link->bits_per_second;
    w->wire->loss = link->loss;
    w->wire->duplicate = link->duplicate;
    w->wire->reorder = link->reorder;
    w->wire->corrupt = link->corrupt;
    w->wire->reorder_delay = link->reorder_delay_ns ? link->reorder_delay_ns : ms(1);
    w->wire->jitter = link->jitter_ns;
    w->wire->burst_enter = link->burst_enter;
    w->wire->burst_leave = link->burst_leave;
    w->wire->burst_loss = link->burst_loss;
    w->wire->down = link->down;
    w->wire->queue = (struct wire_queue_config){
        .discipline = (enum wire_discipline)link->discipline,
        .limit = link->queue_limit,
        .red_min = link->red_min,
        .red_max = link->red_max,
        .red_chance = link->red_chance,
        .codel_target = link->codel_target_ns,
        .codel_interval = link->codel_interval_ns,
        .mark_above = link->mark_above,
    };
}

void tp_wire_count(const struct tp_wire *w, struct tp_wire_counts *counts)
{
    const struct wire_port *port;

    *counts = (struct tp_wire_counts){ w->wire->sent, w->wire->delivered, w->wire->lost, 0 };
    list_for_each_entry (port, &w->wire->ports, link)
        counts->queue_drops += port->queue.drops;
}

struct tp_wire *tp_wire_create(const char *name, const struct tp_link *link)
{
    struct tp_wire *w = tp.running ? calloc(1, sizeof *w) : NULL;

    if (!w)
        return NULL;
    copy_name(w->name, name);
    w->wire = wire_create(w->name);
    if (link) {
        tp_wire_set(w, link);
        w->wire->raw_ip = link->raw_ip;
    }
    return w;
}

int tp_wire_capture(struct tp_wire *w, const char *path)
{
    return wire_capture(w->wire, path);
}

void tp_wire_destroy(struct tp_wire *w)
{
    wire_destroy(w->wire);
    free(w);
}

/* ---- the caller's ends of wires ---- */

struct tp_port {
    struct wire_port port;
    struct list_head arrived;  /* struct tp_frame, the oldest first */
    struct list_head injected; /* those whose time has not come */
};

struct tp_frame {
    struct list_head link;
    struct timer timer; /* an injected one's */
    struct tp_port *port;
    uint64_t when;
    size_t n;
    uint8_t bytes[];
};

static struct tp_frame *frame_create(struct tp_port *p, const void *bytes, size_t n)
{
    struct tp_frame *f = malloc(sizeof *f + n);

    if (!f)
        return NULL;
    f->port = p;
    f->n = n;
    memcpy(f->bytes, bytes, n);
    return f;
}

static void port_receives(struct wire_port *port, const uint8_t *bytes, size_t n)
{
    struct tp_port *p = container_of(port, struct tp_port, port);
    struct tp_frame *f = frame_create(p, bytes, n);

    if (!f)
        panic("no memory for a frame that arrived");
    f->when = time_now();
    list_add_tail(&f->link, &p->arrived);
}

struct tp_port *tp_port_create(struct tp_wire *w)
{
    struct tp_port *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->port.receive = port_receives;
    list_init(&p->arrived);
    list_init(&p->injected);
    wire_attach(w->wire, &p->port);
    return p;
}

static void frames_free(struct list_head *frames)
{
    struct tp_frame *f;

    while ((f = list_first_entry(frames, struct tp_frame, link))) {
        list_del(&f->link);
        free(f);
    }
}

void tp_port_destroy(struct tp_port *p)
{
    struct tp_frame *f;

    list_for_each_entry (f, &p->injected, link)
        timer_cancel(&f->timer);
    wire_detach(&p->port);
    frames_free(&p->arrived);
    frames_free(&p->injected);
    free(p);
}

static void injection_due(struct timer *t)
{
    struct tp_frame *f = container_of(t, struct tp_frame, timer);

    list_del(&f->link);
    wire_transmit(&f->port->port, f->bytes, f->n);
    free(f);
}

int tp_inject(struct tp_port *p, uint64_t when, const void *frame, size_t n)
{
    struct tp_frame *f;

    if (n > TP_FRAME_MOST)
        return -EMSGSIZE;
    f = frame_create(p, frame, n);
    if (!f)
        return -ENOMEM;
    timer_init(&f->timer, injection_due);
    list_add_tail(&f->link, &p->injected);
    timer_set(&f->timer, when);
    return 0;
}

ssize_t tp_take(struct tp_port *p, void *frame, size_t size, uint64_t *when)
{
    struct tp_frame *f = list_first_entry(&p->arrived, struct tp_frame, link);
    ssize_t n;

    if (!f)
        return -EAGAIN;
    n = (ssize_t)f->n;
    memcpy(frame, f->bytes, MIN(f->n, size));
    if (when)
        *when = f->when;
    list_del(&f->link);
    free(f);
    return n;
}

/* ---- switches: struct tp_switch is the simulation's struct wire_switch by another name ---- */

struct tp_switch *tp_switch_create(void)
{
    return tp.running ? (struct tp_switch *)switch_create() : NULL;
}

void tp_switch_join(struct tp_switch *s, struct tp_wire *w)
{
    switch_join((struct wire_switch *)s, w->wire);
}

void tp_switch_destroy(struct tp_switch *s)
{
    switch_destroy((struct wire_switch *)s);
}

/* ---- kernels ---- */

struct tp_card {
    struct list_head link; /* in kernel->devices */
    struct vnic *nic;
};

struct tp_kernel *tp_kernel_create(const char *name)
{
    struct tp_kernel *k = tp.running ? calloc(1, sizeof *k) : NULL;

    if (!k)
        return NULL;
    copy_name(k->name, name);
    list_init(&k->devices);
    list_init(&k->processes);
    k->number = tp.kernels++;
    k->net = net_create(k->name);
    if (!k->net) {
        free(k);
        return NULL;
    }
    rawip_register(k->net, &k->raw_ip);
    if (tp_address_set(k, "lo", "127.0.0.1/8")) {
        tp_kernel_destroy(k);
        return NULL;
    }
    return k;
}

void tp_kernel_destroy(struct tp_kernel *k)
{
    struct tp_card *card;

    if (!list_empty(&k->processes))
        panic("kernel %s is destroyed while it has processes", k->name);
    while ((card = list_first_entry(&k->devices, struct tp_card, link))) {
        list_del(&card->link);
        vnic_destroy(card->nic);
        free(card);
    }
    rawip_unregister(&k->raw_ip);
    net_destroy(k->net);
    free(k);
}

/* A locally administered address that no other card of this world has. */
static void make_mac(uint8_t mac[6], const struct tp_kernel *k)
{
    const uint8_t made[6] = { 0x02,
                              (uint8_t)k->cards,
                              (uint8_t)(k->number >> 24),
                              (uint8_t)(k->number >> 16),
                              (uint8_t)(k->number >> 8),
                              (uint8_t)k->number };

    memcpy(mac, made, sizeof made);
}

static struct vnic *make_card(struct tp_kernel *k, const char *name, struct wire *w,
                              const struct tp_device *o)
{
    static const uint8_t none[6];
    const struct vnic_config config = {
        .features = o->checksums && !w->raw_ip ? NETIF_F_HW_CSUM | NETIF_F_RXCSUM : 0,
        .rx_ring = o->rx_ring,
        .tx_ring = o->tx_ring,
        .raw_ip = w->raw_ip,
    };
    uint8_t mac[6];

    if (memcmp(o->mac, none, sizeof none))
        memcpy(mac, o->mac, sizeof mac);
    else
        make_mac(mac, k);
    return vnic_create(k->net, name, mac, w, &config);
}

int tp_device_add(struct tp_kernel *k, const char *name, struct tp_wire *w, const struct tp_device *options)
{
    static const struct tp_device defaults;
    struct tp_card *card;
    int err;

    options = options ? options : &defaults;
    if (!*name || strlen(name) >= IFNAMSIZ_)
        return -EINVAL;
    if (dev_get_by_name(k->net, name))
        return -EEXIST;
    card = calloc(1, sizeof *card);
    if (!card)
        return -ENOMEM;
    card->nic = make_card(k, name, w->wire, options);
    if (!card->nic) {
        free(card);
        return -ENOMEM;
    }
    err = options->mtu ? netconfig_mtu(k->net, name, options->mtu) : 0;
    if (err) {
        vnic_destroy(card->nic);
        free(card);
        return err;
    }
    k->cards++;
    list_add_tail(&card->link, &k->devices);
    return 0;
}

int tp_address_set(struct tp_kernel *k, const char *device, const char *address)
{
    unsigned prefix;
    uint32_t ip;
    int err = netconfig_parse(address, &ip, &prefix);

    return err ? err : netconfig_address(k->net, device, ip, prefix);
}

int tp_route_add(struct tp_kernel *k, const char *destination, const char *gateway)
{
    return netconfig_route(k->net, destination, gateway);
}

int64_t tp_queue_length(struct tp_kernel *k, const char *device)
{
    const struct tp_card *card;

    list_for_each_entry (card, &k->devices, link)
        if (!strcmp(card->nic->dev->name, device))
            return card->nic->port.queue.length;
    return -ENODEV;
}

void tp_forwarding_set(struct tp_kernel *k, bool on)
{
    (void)net_sysctl_set(k->net, "net/ipv4/ip_forward", on ? "1" : "0");
}

int tp_knob_set(struct tp_kernel *k, const char *path, const char *value)
{
    return net_sysctl_set(k->net, path, value);
}

ssize_t tp_knob_get(struct tp_kernel *k, const char *path, char *text, size_t size)
{
    return net_sysctl_get(k->net, path, text, size);
}

ssize_t tp_proc_net(struct tp_kernel *k, const char *file, char *text, size_t size)
{
    const struct net_proc_file *f = net_proc_find(k->net, file);
    struct textbuf out = { .buf = text, .size = size };

    if (!f)
        return -ENOENT;
    f->show(k->net, &out);
    if (size)
        text[MIN(out.len, size - 1)] = 0;
    return (ssize_t)out.len;
}

int64_t tp_packets_alive(const struct tp_kernel *k)
{
    return k->net->live_skbs - k->net->ring_skbs;
}
