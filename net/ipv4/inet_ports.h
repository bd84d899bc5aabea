/* net/ipv4/inet_ports.h - which socket holds which local port; one table for UDP, one for TCP; private to
 * net/. */
#pragma once
#include "net/core/skbuff.h"
#include "net/core/sock.h"
#include "net/ipv4/ip.h"

enum { PORT_BUCKETS = 1024, PORT_SHADOWS = 256, PORT_EPHEMERAL_LOW = 32768, PORT_EPHEMERAL_HIGH = 60999 };
/* struct sock.filed: found by its local address, or by that and its peer, when it was put into the table. */
enum port_filed { UNFILED, FILED_ADDRESSED, FILED_CONNECTED };

/* What keeps a port from being free although no socket has it any more: TCP's TIME-WAIT. */
struct port_shadow {
    struct list_head link; /* in struct port_table.shadows, by port */
    be32 saddr;
    be16 sport;
    bool reuseaddr, reuseport; /* as the socket's were, and so the rest */
    uint32_t uid, ifindex;
};

struct port_table {
    struct lock lock;                       /* SOCK_TABLE */
    struct list_head buckets[PORT_BUCKETS]; /* struct sock.bind_link, by local port */
    struct list_head
        names[PORT_BUCKETS]; /* struct sock.name_link, by local address and port, and the peer's */
    struct list_head shadows[PORT_SHADOWS]; /* struct port_shadow.link, by local port */
    unsigned n_filed[3];                    /* of those in names, by enum port_filed */
    struct hash_key key;                    /* random: peers choose their ports */
};
void port_table_init(struct port_table *t, const char *name);
/* Give sk the local address addr (zero: any) and port (0: a free ephemeral one, at random, RFC 6056 3.3.1),
 * set sk->saddr and sk->sport and take a reference. conflict(sk, other) says whether two holders of one port
 * may not coexist (SO_REUSEADDR rules differ); NULL: UDP's rule. 0, -EADDRINUSE, -EINVAL (bound already).
 * sk->lock held. */
int port_table_bind(struct port_table *t, struct sock *sk, be32 addr, uint16_t port,
                    bool (*conflict)(const struct sock *sk, const struct sock *other));
/* Give the port back and drop the reference; harmless when sk is not bound. */
void port_table_unbind(struct port_table *t, struct sock *sk);
/* Other addresses for sk, bound or not, which from now on is found by them. sk->lock held. */
void port_table_rename(struct port_table *t, struct sock *sk, be32 saddr, be32 daddr, be16 dport);
/* The same for whom no look-up here finds by them (TCP): he stays where he is. Look-ups read them with the
 * table's lock alone, so they are written under both. sk->lock held. */
void port_table_set_ends(struct port_table *t, struct sock *sk, be32 saddr, be32 daddr, be16 dport);
/* Put sk on the port of a socket already there, as TCP does with a listener's child: no conflict is asked,
 * and port_table_lookup() does not find it. */
void port_table_inherit(struct port_table *t, struct sock *sk, const struct sock *parent);
/* s takes the place of sk, which is bound: until it is removed a bind() to sk's port that sk would have
 * forbidden is so still, but where both said that they share. sk->lock held. */
void port_shadow_add(struct port_table *t, struct port_shadow *s, const struct sock *sk);
void port_shadow_remove(struct port_table *t, struct port_shadow *s);
/* The holder that fits (daddr:dport from saddr:sport, arrived on ifindex) best: connected before bound to the
 * address before bound to any (RFC 1122 4.1.3.5). match, if not NULL, may refuse candidates. With a
 * reference, or NULL. */
struct sock *port_table_lookup(struct port_table *t, be32 daddr, be16 dport, be32 saddr, be16 sport,
                               uint32_t ifindex, bool (*match)(const struct sock *sk));
/* Walk the chain of bucket i: the socket behind prev (NULL: the first), with a reference, which the next call
 * takes; NULL at the end. *n counts them, from 0. Sockets come and go meanwhile, without the table's lock
 * held their own may be taken: when prev has left the chain, it goes on at its place. */
struct sock *port_table_next(struct port_table *t, unsigned i, struct sock *prev, unsigned *n);
/* Check and take apart a struct sockaddr_in: 0, -EINVAL (too short), -EAFNOSUPPORT. */
int sockaddr_in_parse(const struct sockaddr *addr, socklen_t len, be32 *ip, be16 *port);
/* The same for bind(): AF_UNSPEC with no address counts as AF_INET, as old programs leave it (Linux). */
int sockaddr_in_parse_bind(const struct sockaddr *addr, socklen_t len, be32 *ip, be16 *port);
/* Write one; its length. */
int sockaddr_in_make(struct sockaddr_storage *addr, be32 ip, be16 port);
/* bind() rules common to all: is addr ours (or any, broadcast, multicast), or does sk not care (IP_FREEBIND)?
 * 0, -EADDRNOTAVAIL. */
int inet_check_bind_address(const struct sock *sk, be32 addr);
/* connect() of a datagram socket: *peer, as the program wrote it, becomes whom that means, and *local the
 * address by which he is reached. 0, or what the route says, or -EACCES (a broadcast without SO_BROADCAST).
 * Process context, no lock held. */
int inet_datagram_route(struct sock *sk, be32 *peer, be32 *local);
/* Call fn with each holder of dport that would take a datagram to it (as port_table_lookup() would), a
 * reference held meanwhile: for broadcasts and groups, which all of them get. For how many it was true. */
unsigned port_table_each(struct port_table *t, be32 daddr, be16 dport, be32 saddr, be16 sport,
                         uint32_t ifindex, bool (*fn)(struct sock *sk, void *arg), void *arg);
/* ---- control messages of SOL_IP ---- */

/* Which of them come with a received datagram: struct sock.ip_receive. */
enum {
    IP_RECEIVE_PKTINFO = 1,
    IP_RECEIVE_TTL = 2,
    IP_RECEIVE_TOS = 4,
    IP_RECEIVE_OPTIONS = 8,
    IP_RECEIVE_RETOPTS = 16
};
/* What the sender of one message asks for; ttl and tos are -1, the others zero, where he does not. */
struct ip_wishes {
    be32 saddr;
    uint32_t ifindex;
    int ttl, tos;
    struct ip_options options;
};
/* Read them from msg's control messages. 0 or -EINVAL. */
int ip_wishes_parse(const struct message *msg, struct ip_wishes *wishes);
/* What a datagram in a receive queue remembers of its device, which may be gone when it is read. */
struct inet_cb {
    uint32_t ifindex;
    uint32_t drops; /* the socket's, when it came */
};
static inline struct inet_cb *inet_cb(const struct sk_buff *skb)
{
    return (struct inet_cb *)skb->cb;
}
/* Append what sk wants to know of skb (IP header at ip_hdr(skb)), SOL_SOCKET's time stamp first. */
void ip_tell(const struct sock *sk, struct message *msg, const struct sk_buff *skb);

/* ---- errors: ip_error.c ---- */

/* An ICMP error (skb: the quoted IP header at data, ip_hdr() the outer one) concerns sk. With IP_RECVERR it
 * is queued with the quoted bytes from payload on, about the destination port; without, it is told only where
 * sk is connected (RFC 1122 4.1.3.3). sk's lock is taken. Softirq. */
void inet_sock_error(struct sock *sk, struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info,
                     const uint8_t *payload, be16 port);
/* The same for an error of our own: a datagram to daddr:port was larger than mtu. Process context. */
void inet_local_error(struct sock *sk, int err, be32 daddr, be16 port, uint32_t mtu);
/* recvmsg() with MSG_ERRQUEUE: the oldest error. Bytes, or -EAGAIN. */
ssize_t inet_receive_error(struct sock *sk, struct message *msg, int flags);

/* SOL_SOCKET is handled by sock_setsockopt itself; these are SOL_IP's. -ENOPROTOOPT when unknown. */
int ip_setsockopt(struct sock *sk, int option, const void *value, socklen_t len);
int ip_getsockopt(struct sock *sk, int option, void *value, socklen_t *len);
/* SIOCGIFADDR and the other requests that concern interfaces, routes and neighbours. -ENOTTY when unknown. */
int inet_ioctl(struct sock *sk, unsigned request, uintptr_t arg);
