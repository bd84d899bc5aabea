/* net/ipv4/inet_ports.c - who holds which local port.
 * A socket is on its port's chain from bind to unbind, and the table holds a reference to it for so long. One
 * with a local address (and a peer) is also filed under that, where a look-up finds it at once; a walk of the
 * chain is for those without. So the chain has these in front, and behind them the filed ones and those that
 * inherited their port: nobody looks for either there, and a server may have thousands. */
#include "net/ipv4/inet_ports.h"
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

void port_table_init(struct port_table *t, const char *name)
{
    lock_init(&t->lock, name, RANK_SOCK_TABLE);
    random_bytes(&t->key, sizeof t->key);
    for (unsigned i = 0; i < PORT_BUCKETS; i++) {
        list_init(&t->buckets[i]);
        list_init(&t->names[i]);
    }
    for (unsigned i = 0; i < PORT_SHADOWS; i++)
        list_init(&t->shadows[i]);
}

static struct list_head *bucket_of(struct port_table *t, uint16_t port)
{
    return &t->buckets[port % PORT_BUCKETS];
}

/* ---- names: addresses and ports at once ---- */

static struct list_head *names_of(struct port_table *t, be32 local, be16 port, be32 peer, be16 peer_port)
{
    const struct {
        be32 local, peer;
        be16 port, peer_port;
        uint32_t zero;
    } name = { local, peer, port, peer_port, 0 };

    return &t->names[siphash(&name, sizeof name, &t->key) % PORT_BUCKETS];
}

/* Where sk belongs by its fields as they are now. Table lock held, sk on no chain. */
static void put_on_chain(struct port_table *t, struct sock *sk)
{
    struct list_head *chain = bucket_of(t, be16_to_cpu(sk->sport));
    bool connected = sk->dport.raw;

    if (sk->inherited || ipv4_is_zero(sk->saddr))
        sk->filed = UNFILED;
    else
        sk->filed = connected ? FILED_CONNECTED : FILED_ADDRESSED;
    if (sk->filed || sk->inherited)
        list_add_tail(&sk->bind_link, chain);
    else
        list_add(&sk->bind_link, chain);
    if (sk->filed == UNFILED)
        return;
    list_add(&sk->name_link,
             names_of(t, sk->saddr, sk->sport, connected ? sk->daddr : (be32){ 0 }, sk->dport));
    t->n_filed[sk->filed]++;
}

static void take_off_chain(struct port_table *t, struct sock *sk)
{
    list_del(&sk->bind_link);
    if (sk->filed == UNFILED)
        return;
    list_del(&sk->name_link);
    t->n_filed[sk->filed]--;
    sk->filed = UNFILED;
}

/* ---- bind ---- */

/* UDP's rule, socket(7): two may share a port if both say SO_REUSEADDR, or both SO_REUSEPORT and belong to
 * one user: nobody can take a share of another's datagrams. */
static bool datagram_conflict(const struct sock *sk, const struct sock *other)
{
    return !(sk->reuseaddr && READ_ONCE(other->reuseaddr)) &&
           !(sk->reuseport && READ_ONCE(other->reuseport) && sk->uid == other->uid);
}

static bool overlap(const struct sock *sk, be32 saddr, uint32_t ifindex)
{
    uint32_t dev = READ_ONCE(sk->bound_ifindex);
    bool devices_differ = dev && ifindex && dev != ifindex;
    return !devices_differ &&
           (ipv4_is_zero(sk->saddr) || ipv4_is_zero(saddr) || be32_equal(sk->saddr, saddr));
}

/* As conflicts with sockets: a shadow does not listen. */
static bool shadow_conflict(const struct sock *sk, const struct port_shadow *s)
{
    return !(sk->reuseaddr && s->reuseaddr) && !(sk->reuseport && s->reuseport && sk->uid == s->uid);
}

static struct list_head *shadows_of(struct port_table *t, uint16_t port)
{
    return &t->shadows[port % PORT_SHADOWS];
}

static bool is_shadowed(struct port_table *t, const struct sock *sk, uint16_t port, bool shared)
{
    struct port_shadow *s;

    list_for_each_entry (s, shadows_of(t, port), link)
        if (be16_to_cpu(s->sport) == port && overlap(sk, s->saddr, s->ifindex) &&
            !(shared && !shadow_conflict(sk, s)))
            return true;
    return false;
}

/* May sk, whose saddr is set, have port? conflict NULL: only if nobody else has it. Table lock held. */
static bool port_is_free(struct port_table *t, const struct sock *sk, uint16_t port,
                         bool (*conflict)(const struct sock *, const struct sock *))
{
    struct sock *other;

    list_for_each_entry (other, bucket_of(t, port), bind_link)
        if (be16_to_cpu(other->sport) == port && other != sk &&
            overlap(sk, other->saddr, READ_ONCE(other->bound_ifindex)) && (!conflict || conflict(sk, other)))
            return false;
    return !is_shadowed(t, sk, port, conflict);
}

/* RFC 6056 3.3.1: begin at random, then one after the other. 0 when all are taken. An ephemeral port is
 * shared with nobody. */
static uint16_t choose_port(struct port_table *t, const struct sock *sk)
{
    const int32_t *bounds = sk->net->ipv4->knobs.port_range;
    const uint32_t low = (uint32_t)READ_ONCE(bounds[0]), high = (uint32_t)READ_ONCE(bounds[1]);
    const uint32_t range = MAX(high, low) - low + 1, start = random_u32() % range;

    for (uint32_t i = 0; i < range; i++) {
        uint16_t port = (uint16_t)(low + (start + i) % range);
        if (port_is_free(t, sk, port, NULL))
            return port;
    }
    return 0;
}

static void hold_port(struct port_table *t, struct sock *sk, uint16_t port, bool inherited)
{
    if (be16_to_cpu(sk->sport) != port) /* of an inherited one it may be read already */
        sk->sport = cpu_to_be16(port);
    WRITE_ONCE(sk->bound, true); /* a sender looks without the lock */
    sk->inherited = inherited;
    sock_hold(sk);
    put_on_chain(t, sk);
}

int port_table_bind(struct port_table *t, struct sock *sk, be32 addr, uint16_t port,
                    bool (*conflict)(const struct sock *sk, const struct sock *other))
{
    if (sk->bound)
        return -EINVAL;
    lock_acquire(&t->lock);
    be32 old = sk->saddr;
    sk->saddr = addr;
    if (!port)
        port = choose_port(t, sk);
    else if (!port_is_free(t, sk, port, conflict ? conflict : datagram_conflict))
        port = 0;
    if (port)
        hold_port(t, sk, port, false);
    else
        sk->saddr = old;
    lock_release(&t->lock);
    return port ? 0 : -EADDRINUSE;
}

void port_table_set_ends(struct port_table *t, struct sock *sk, be32 saddr, be32 daddr, be16 dport)
{
    lock_acquire(&t->lock);
    sk->saddr = saddr;
    sk->daddr = daddr;
    sk->dport = dport;
    lock_release(&t->lock);
}

void port_table_unbind(struct port_table *t, struct sock *sk)
{
    lock_acquire(&t->lock);
    bool bound = sk->bound;
    if (bound) {
        take_off_chain(t, sk);
        WRITE_ONCE(sk->bound, false);
    }
    lock_release(&t->lock);
    if (bound)
        sock_put(sk);
}

void port_table_rename(struct port_table *t, struct sock *sk, be32 saddr, be32 daddr, be16 dport)
{
    lock_acquire(&t->lock);
    if (sk->bound)
        take_off_chain(t, sk);
    sk->saddr = saddr;
    sk->daddr = daddr;
    sk->dport = dport;
    if (sk->bound)
        put_on_chain(t, sk);
    lock_release(&t->lock);
}

void port_table_inherit(struct port_table *t, struct sock *sk, const struct sock *parent)
{
    lock_acquire(&t->lock);
    hold_port(t, sk, be16_to_cpu(parent->sport), true);
    lock_release(&t->lock);
}

void port_shadow_add(struct port_table *t, struct port_shadow *s, const struct sock *sk)
{
    lock_acquire(&t->lock);
    *s = (struct port_shadow){ .saddr = sk->saddr,
                               .sport = sk->sport,
                               .reuseaddr = sk->reuseaddr,
                               .reuseport = sk->reuseport,
                               .uid = sk->uid,
                               .ifindex = sk->bound_ifindex };
    list_add(&s->link, shadows_of(t, be16_to_cpu(s->sport)));
    lock_release(&t->lock);
}

void port_shadow_remove(struct port_table *t, struct port_shadow *s)
{
    lock_acquire(&t->lock);
    list_del(&s->link);
    lock_release(&t->lock);
}

/* ---- look-up ---- */

/* How well sk fits, higher is better; 0: not at all (RFC 1122 4.1.3.5). */
static unsigned fit(const struct sock *sk, be32 daddr, be16 dport, be32 saddr, be16 sport, uint32_t ifindex)
{
    uint32_t bound_ifindex = READ_ONCE(sk->bound_ifindex);
    unsigned points = 1;

    if (!be16_equal(sk->sport, dport) || (bound_ifindex && bound_ifindex != ifindex))
        return 0;
    if (!ipv4_is_zero(sk->saddr)) {
        if (!be32_equal(sk->saddr, daddr))
            return 0;
        points += 2;
    }
    if (sk->dport.raw) { /* connected: to this peer only */
        if (!be16_equal(sk->dport, sport) || !be32_equal(sk->daddr, saddr))
            return 0;
        points += 4;
    }
    return points + (bound_ifindex != 0);
}

/* SO_REUSEPORT: of n sockets that fit equally well a flow always gets the same one, each with the same
 * chance: the n-th takes it over with a chance of 1/n. */
static bool flow_chooses(const struct sock *sk, be32 saddr, be16 sport, be32 daddr, unsigned n)
{
    const struct {
        be32 saddr, daddr;
        uint32_t sport, n;
    } flow = { saddr, daddr, sport.raw, n };

    return siphash(&flow, sizeof flow, &sk->net->hash_key) % n == 0;
}

/* The best one seen so far. */
struct best {
    struct sock *sk;
    unsigned fit, equals;
};

static void consider(struct best *best, struct sock *sk, be32 daddr, be16 dport, be32 saddr, be16 sport,
                     uint32_t ifindex, bool (*match)(const struct sock *sk))
{
    unsigned points = fit(sk, daddr, dport, saddr, sport, ifindex);

    if (!points || points < best->fit || (match && !match(sk)))
        return;
    if (points > best->fit)
        best->equals = 0;
    if (!best->equals++ || (sk->reuseport && flow_chooses(sk, saddr, sport, daddr, best->equals)))
        best->sk = sk;
    best->fit = points;
}

struct sock *port_table_lookup(struct port_table *t, be32 daddr, be16 dport, be32 saddr, be16 sport,
                               uint32_t ifindex, bool (*match)(const struct sock *sk))
{
    struct best best = { .sk = NULL };
    const struct list_head *chain;
    struct sock *sk;

    lock_acquire(&t->lock);
    if (t->n_filed[FILED_CONNECTED]) {
        chain = names_of(t, daddr, dport, saddr, sport);
        list_for_each_entry (sk, chain, name_link)
            consider(&best, sk, daddr, dport, saddr, sport, ifindex, match);
    }
    if (t->n_filed[FILED_ADDRESSED] && !best.sk) {
        chain = names_of(t, daddr, dport, (be32){ 0 }, (be16){ 0 });
        list_for_each_entry (sk, chain, name_link)
            consider(&best, sk, daddr, dport, saddr, sport, ifindex, match);
    }
    if (!best.sk) {
        chain = bucket_of(t, be16_to_cpu(dport));
        list_for_each_entry (sk, chain, bind_link) {
            if (sk->inherited || sk->filed)
                break;
            consider(&best, sk, daddr, dport, saddr, sport, ifindex, match);
        }
    }
    if (best.sk)
        sock_hold(best.sk);
    lock_release(&t->lock);
    return best.sk;
}

/* The next one behind prev (NULL: the first) that fits, with a reference, or NULL. The walk begins anew where
 * prev has left the chain meanwhile: its *seen first sockets were seen. Lets go of prev. */
static struct sock *next_fitting(struct port_table *t, be32 daddr, be16 dport, be32 saddr, be16 sport,
                                 uint32_t ifindex, struct sock *prev, unsigned *seen)
{
    struct list_head *chain = bucket_of(t, be16_to_cpu(dport));
    struct sock *found = NULL;

    lock_acquire(&t->lock);
    bool goes_on = prev && prev->bound && be16_equal(prev->sport, dport);
    unsigned skip = goes_on ? 0 : *seen;
    for (struct list_head *l = goes_on ? prev->bind_link.next : chain->next; l != chain; l = l->next) {
        struct sock *sk = list_entry(l, struct sock, bind_link);
        if (!fit(sk, daddr, dport, saddr, sport, ifindex) || (skip && skip--))
            continue;
        found = sk;
        sock_hold(sk);
        ++*seen;
        break;
    }
    lock_release(&t->lock);
    if (prev)
        sock_put(prev);
    return found;
}

unsigned port_table_each(struct port_table *t, be32 daddr, be16 dport, be32 saddr, be16 sport,
                         uint32_t ifindex, bool (*fn)(struct sock *sk, void *arg), void *arg)
{
    struct sock *sk = NULL;
    unsigned n = 0, seen = 0;

    /* fn takes a socket's lock, which ranks below the table's */
    while ((sk = next_fitting(t, daddr, dport, saddr, sport, ifindex, sk, &seen)))
        n += fn(sk, arg);
    return n;
}

struct sock *port_table_next(struct port_table *t, unsigned i, struct sock *prev, unsigned *n)
{
    struct list_head *chain = &t->buckets[i], *at;

    lock_acquire(&t->lock);
    if (prev && prev->bound && bucket_of(t, be16_to_cpu(prev->sport)) == chain) {
        at = prev->bind_link.next;
        ++*n;
    } else {
        at = chain->next;
        for (unsigned skip = *n; skip && at != chain; skip--)
            at = at->next;
    }
    struct sock *sk = at == chain ? NULL : list_entry(at, struct sock, bind_link);
    if (sk)
        sock_hold(sk);
    lock_release(&t->lock);
    if (prev)
        sock_put(prev);
    return sk;
}

/* ---- addresses as programs write them ---- */

int sockaddr_in_parse_bind(const struct sockaddr *addr, socklen_t len, be32 *ip, be16 *port)
{
    struct sockaddr_in in = { 0 };

    if (len >= sizeof in)
        memcpy(&in, addr, sizeof in);
    if (in.sin_family == AF_UNSPEC && len >= sizeof in && !in.sin_addr.s_addr)
        in.sin_family = AF_INET;
    return sockaddr_in_parse((struct sockaddr *)&in, len, ip, port);
}

int sockaddr_in_parse(const struct sockaddr *addr, socklen_t len, be32 *ip, be16 *port)
{
    struct sockaddr_in in;

    if (len < sizeof in)
        return -EINVAL;
    memcpy(&in, addr, sizeof in);
    if (in.sin_family != AF_INET)
        return -EAFNOSUPPORT;
    *ip = (be32){ in.sin_addr.s_addr };
    *port = (be16){ in.sin_port };
    return 0;
}

int sockaddr_in_make(struct sockaddr_storage *addr, be32 ip, be16 port)
{
    const struct sockaddr_in in = { .sin_family = AF_INET,
                                    .sin_port = port.raw,
                                    .sin_addr = { .s_addr = ip.raw } };
    memcpy(addr, &in, sizeof in);
    return sizeof in;
}

int inet_datagram_route(struct sock *sk, be32 *peer, be32 *local)
{
    lock_acquire(&sk->lock);
    struct ip_tx tx = { .saddr = sk->saddr };
    uint32_t ifindex = sk->bound_ifindex;
    struct dst_entry *dst;
    lock_release(&sk->lock);

    if (ipv4_is_multicast(*peer))
        ip_group_choose(sk, 0, &tx, &ifindex);
    int err = ip_route_output(sk->net, *peer, tx.saddr, ifindex, &dst);
    if (err)
        return err;
    if (dst->kind == DST_BROADCAST && !READ_ONCE(sk->broadcast))
        err = -EACCES;
    *local = dst->prefsrc;
    if (ipv4_is_zero(*peer)) /* "this host": the route knows which address that is */
        *peer = dst->gateway;
    dst_release(dst);
    return err;
}

int inet_check_bind_address(const struct sock *sk, be32 addr)
{
    if (READ_ONCE(sk->freebind) || ipv4_is_zero(addr) || inet_addr_kind(sk->net, addr, NULL) != DST_UNICAST)
        return 0;
    return -EADDRNOTAVAIL;
}
