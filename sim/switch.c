/* sim/switch.c - store and forward, no ageing, no spanning tree: a loop of switches floods for ever. */
#include "sim/switch.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, ADDRESS = 6, HEADER = 14 };

struct switch_port {
    struct wire_port port;
    struct wire_switch *owner;
    struct list_head link; /* in owner->ports */
};

struct station {
    struct station *next;
    uint8_t mac[ADDRESS];
    struct switch_port *where;
};

struct wire_switch {
    struct list_head ports;
    struct station *stations[BUCKETS];
};

static struct station **place(struct wire_switch *s, const uint8_t *mac)
{
    uint32_t hash = 2166136261u; /* FNV-1a, 32 bits */
    struct station **at;

    for (int i = 0; i < ADDRESS; i++)
        hash = (hash ^ mac[i]) * 16777619u;
    for (at = &s->stations[hash % BUCKETS]; *at; at = &(*at)->next)
        if (!memcmp((*at)->mac, mac, ADDRESS))
            break;
    return at;
}

static void learn(struct wire_switch *s, const uint8_t *mac, struct switch_port *where)
{
    struct station **at = place(s, mac);

    if (!*at) {
        *at = calloc(1, sizeof **at);
        if (!*at)
            abort();
        memcpy((*at)->mac, mac, ADDRESS);
    }
    (*at)->where = where;
}

static void flood(struct switch_port *from, const uint8_t *frame, size_t n)
{
    struct switch_port *p;

    list_for_each_entry (p, &from->owner->ports, link)
        if (p != from)
            wire_transmit(&p->port, frame, n);
}

static void frame_arrives(struct wire_port *port, const uint8_t *frame, size_t n)
{
    struct switch_port *from = container_of(port, struct switch_port, port);
    struct station *to;

    if (n < HEADER)
        return;
    learn(from->owner, frame + ADDRESS, from);
    to = frame[0] & 1 ? NULL : *place(from->owner, frame);
    if (!to)
        flood(from, frame, n);
    else if (to->where != from)
        wire_transmit(&to->where->port, frame, n);
}

struct wire_switch *switch_create(void)
{
    struct wire_switch *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    list_init(&s->ports);
    return s;
}

void switch_join(struct wire_switch *s, struct wire *w)
{
    struct switch_port *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    p->owner = s;
    p->port.receive = frame_arrives;
    list_add_tail(&p->link, &s->ports);
    wire_attach(w, &p->port);
}

void switch_destroy(struct wire_switch *s)
{
    struct switch_port *p;

    while ((p = list_first_entry(&s->ports, struct switch_port, link))) {
        wire_detach(&p->port);
        list_del(&p->link);
        free(p);
    }
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (s->stations[i]) {
            struct station *next = s->stations[i]->next;
            free(s->stations[i]);
            s->stations[i] = next;
        }
    }
    free(s);
}
