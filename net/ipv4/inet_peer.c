/* net/ipv4/inet_peer.c - what is remembered of single destinations. An entry is found by a keyed hash, so
 * that nobody fills one chain; and there are at most peer_knobs.max. */
#include "net/ipv4/inet_peer.h"
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

static struct inet_peer **bucket_of(struct net *net, be32 addr)
{
    return &net->ipv4->peers.buckets[siphash(&addr, sizeof addr, &net->hash_key) % PEER_BUCKETS];
}

struct inet_peer *peer_find(struct net *net, be32 addr)
{
    struct peer_table *t = &net->ipv4->peers;

    if (!t->count)
        return NULL;
    struct inet_peer *p = *bucket_of(net, addr);
    while (p && !be32_equal(p->addr, addr))
        p = p->next;
    if (p) {
        list_del(&p->age);
        list_add_tail(&p->age, &t->by_age);
    }
    return p;
}

static void forget(struct net *net, struct inet_peer *p)
{
    struct inet_peer **at = bucket_of(net, p->addr);

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    list_del(&p->age);
    net->ipv4->peers.count--;
    mem_free(p);
}

/* Nothing in it holds any more. */
static bool is_over(const struct inet_peer *p, uint64_t now)
{
    const uint64_t quiet = sec(60); /* longer than redirect.c's pause */

    return now >= p->mtu_until && now >= p->gateway_until && now >= p->metrics_until &&
           now >= p->redirected_at + quiet;
}

/* Make room for one more: up to two that are over go each time, so that they do not pile up; and the oldest
 * in any case when the table is full. */
static void make_room(struct net *net)
{
    struct peer_table *t = &net->ipv4->peers;
    const unsigned max = (unsigned)READ_ONCE(net->ipv4->peer_knobs.max);
    const uint64_t now = time_now();

    for (unsigned n = 0; t->count && (n < 2 || t->count >= max); n++) {
        struct inet_peer *oldest = container_of(t->by_age.next, struct inet_peer, age);
        if (t->count < max && !is_over(oldest, now))
            return;
        forget(net, oldest);
    }
}

struct inet_peer *peer_get(struct net *net, be32 addr)
{
    struct peer_table *t = &net->ipv4->peers;
    struct inet_peer *p = peer_find(net, addr);

    if (p)
        return p;
    make_room(net);
    p = mem_alloc(sizeof *p);
    if (!p)
        return NULL;
    struct inet_peer **bucket = bucket_of(net, addr);
    p->addr = addr;
    p->next = *bucket;
    *bucket = p;
    list_add_tail(&p->age, &t->by_age);
    t->count++;
    return p;
}

/* ---- for TCP ---- */

bool peer_metrics_get(struct net *net, be32 addr, struct peer_metrics *m)
{
    lock_acquire(&net->ipv4->route_lock);
    const struct inet_peer *p = peer_find(net, addr);
    bool known = p && time_now() < p->metrics_until;
    if (known)
        *m = p->metrics;
    lock_release(&net->ipv4->route_lock);
    return known;
}

void peer_metrics_set(struct net *net, be32 addr, const struct peer_metrics *m)
{
    lock_acquire(&net->ipv4->route_lock);
    struct inet_peer *p = peer_get(net, addr);
    if (p) {
        p->metrics = *m;
        p->metrics_until = time_now() + PEER_METRICS_TIME;
    }
    lock_release(&net->ipv4->route_lock);
}

void peer_metrics_forget(struct net *net)
{
    struct inet_peer *p;
    lock_acquire(&net->ipv4->route_lock);
    list_for_each_entry (p, &net->ipv4->peers.by_age, age)
        p->metrics_until = 0;
    lock_release(&net->ipv4->route_lock);
}

void peer_metrics_each(struct net *net, void (*each)(const struct inet_peer *p, void *arg), void *arg)
{
    const struct inet_peer *p;
    const uint64_t now = time_now();
    lock_acquire(&net->ipv4->route_lock);
    list_for_each_entry (p, &net->ipv4->peers.by_age, age)
        if (now < p->metrics_until)
            each(p, arg);
    lock_release(&net->ipv4->route_lock);
}

/* ---- for routes ---- */

static void expire_at(struct dst_entry *dst, uint64_t when)
{
    dst->expires = dst->expires ? MIN(dst->expires, when) : when;
}

void peer_apply(struct net *net, be32 daddr, struct dst_entry *dst)
{
    const struct inet_peer *p = peer_find(net, daddr);
    if (!p)
        return;
    const uint64_t now = time_now();
    if (now < p->mtu_until && p->mtu < dst->mtu) {
        dst->mtu = p->mtu;
        dst->mtu_locked = p->mtu_locked;
        expire_at(dst, p->mtu_until);
    }
    if (now < p->gateway_until && be32_equal(dst->gateway, p->instead_of)) {
        dst->gateway = p->gateway;
        expire_at(dst, p->gateway_until);
    }
}

/* ---- life ---- */

void peer_init(struct net *net)
{
    list_init(&net->ipv4->peers.by_age);
    net->ipv4->peer_knobs = (struct peer_knobs){ .max = PEERS_MAX, .min_pmtu = 552, .mtu_expires = sec(600) };
}

void peer_exit(struct net *net)
{
    struct peer_table *t = &net->ipv4->peers;

    while (t->count)
        forget(net, container_of(t->by_age.next, struct inet_peer, age));
}
