/* net/tcp/tcp_hash.c - which connection is it? Four-tuples in buckets, by a keyed hash, so that no peer can
 * aim at one chain. The table holds a reference to what is in it, so whatever a look-up finds under the
 * bucket's lock is alive. */
#include "net/tcp/tcp.h"

struct four_tuple {
    be32 local, peer;
    be16 lport, pport;
};
_Static_assert(sizeof(struct four_tuple) == 12, "no padding: it is hashed as bytes");

static struct tcp_bucket *bucket_of(struct net *net, const struct four_tuple *t)
{
    return &net->tcp->buckets[siphash(t, sizeof *t, &net->hash_key) % TCP_BUCKETS];
}
static struct four_tuple tuple_of(const struct tcp_sock *tp)
{
    const struct sock *sk = &tp->sk;
    return (
        struct four_tuple){ .local = sk->saddr, .peer = sk->daddr, .lport = sk->sport, .pport = sk->dport };
}

static struct tcp_sock *bucket_find(const struct tcp_bucket *b, const struct four_tuple *t)
{
    struct tcp_sock *tp;
    list_for_each_entry (tp, &b->conns, conn_link) {
        const struct sock *sk = &tp->sk;
        if (be32_equal(sk->daddr, t->peer) && be16_equal(sk->dport, t->pport) &&
            be32_equal(sk->saddr, t->local) && be16_equal(sk->sport, t->lport))
            return tp;
    }
    return NULL;
}

int tcp_hash_insert(struct tcp_sock *tp)
{
    struct four_tuple t = tuple_of(tp);
    struct tcp_bucket *b = bucket_of(tp->sk.net, &t);
    lock_acquire(&b->lock);
    bool taken = bucket_find(b, &t) != NULL;
    if (!taken) {
        list_add(&tp->conn_link, &b->conns);
        tp->hashed = true;
        sock_hold(&tp->sk);
    }
    lock_release(&b->lock);
    return taken ? -EADDRINUSE : 0;
}

void tcp_hash_remove(struct tcp_sock *tp)
{
    struct four_tuple t = tuple_of(tp);
    struct tcp_bucket *b = bucket_of(tp->sk.net, &t);
    if (!tp->hashed)
        return;
    lock_acquire(&b->lock);
    list_del(&tp->conn_link);
    tp->hashed = false;
    lock_release(&b->lock);
    sock_put(&tp->sk);
}

struct tcp_sock *tcp_hash_lookup(struct net *net, be32 local, be16 lport, be32 peer, be16 pport)
{
    struct four_tuple t = { .local = local, .peer = peer, .lport = lport, .pport = pport };
    struct tcp_bucket *b = bucket_of(net, &t);
    lock_acquire(&b->lock);
    struct tcp_sock *tp = bucket_find(b, &t);
    if (tp)
        sock_hold(&tp->sk);
    lock_release(&b->lock);
    return tp;
}

struct tcp_sock *tcp_hash_any(struct net *net, unsigned i)
{
    struct tcp_bucket *b = &net->tcp->buckets[i];
    lock_acquire(&b->lock);
    struct tcp_sock *tp = list_first_entry(&b->conns, struct tcp_sock, conn_link);
    if (tp)
        sock_hold(&tp->sk);
    lock_release(&b->lock);
    return tp;
}

/* ISN = M + F(four-tuple, secret), where M counts 4-microsecond ticks (RFC 6528 3, RFC 9293 3.4.1). */
uint32_t tcp_initial_seq(const struct tcp_sock *tp)
{
    struct four_tuple t = tuple_of(tp);
    return (uint32_t)(time_now() / us(4)) + (uint32_t)siphash(&t, sizeof t, &tcp_state_of(tp)->isn_key);
}
