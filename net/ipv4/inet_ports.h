/* net/ipv4/inet_ports.h - which socket holds which local port; one table for UDP, one for TCP; private to
 * net/. */
#pragma once
#include "net/core/sock.h"

enum { PORT_BUCKETS = 1024, PORT_EPHEMERAL_LOW = 32768, PORT_EPHEMERAL_HIGH = 60999 };
struct port_table {
    struct lock lock;                       /* SOCK_TABLE */
    struct list_head buckets[PORT_BUCKETS]; /* struct sock.bind_link, by local port */
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
/* Put sk on the port of a socket already there, as TCP does with a listener's child: no conflict is asked,
 * and port_table_lookup() does not find it. */
void port_table_inherit(struct port_table *t, struct sock *sk, const struct sock *parent);
/* The holder that fits (daddr:dport from saddr:sport, arrived on ifindex) best: connected before bound to the
 * address before bound to any (RFC 1122 4.1.3.5). match, if not NULL, may refuse candidates. With a
 * reference, or NULL. */
struct sock *port_table_lookup(struct port_table *t, be32 daddr, be16 dport, be32 saddr, be16 sport,
                               uint32_t ifindex, bool (*match)(const struct sock *sk));
/* Check and take apart a struct sockaddr_in: 0, -EINVAL (too short), -EAFNOSUPPORT. */
int sockaddr_in_parse(const struct sockaddr *addr, socklen_t len, be32 *ip, be16 *port);
/* Write one; its length. */
int sockaddr_in_make(struct sockaddr_storage *addr, be32 ip, be16 port);
/* bind() rules common to TCP and UDP: is addr ours (or any, broadcast, multicast)? 0, -EADDRNOTAVAIL. */
int inet_check_bind_address(struct net *net, be32 addr);
/* SOL_SOCKET is handled by sock_setsockopt itself; these are SOL_IP's. -ENOPROTOOPT when unknown. */
int ip_setsockopt(struct sock *sk, int option, const void *value, socklen_t len);
int ip_getsockopt(struct sock *sk, int option, void *value, socklen_t *len);
/* SIOCGIFADDR and the other requests that concern interfaces, routes and neighbours. -ENOTTY when unknown. */
int inet_ioctl(struct sock *sk, unsigned request, uintptr_t arg);
