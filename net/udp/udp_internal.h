/* net/udp/udp_internal.h - what the files of net/udp share. */
#pragma once
#include "net/core/datagram.h"
#include "net/ipv4/inet_ports.h"
#include "net/ipv4/ip.h"
#include "net/udp/udp.h"

struct udp_state {
    struct port_table ports;
    struct sock_family family;
    struct net_proc_file file, snmp_section, sockstat_section;
    uint64_t in_datagrams, out_datagrams, rcvbuf_errors, sndbuf_errors; /* atomic */
};
enum { UDP_MAX_PAYLOAD = IP_MAX_PACKET - sizeof(struct ip_hdr) - sizeof(struct udp_hdr) };

/* Where a datagram goes and how: what a send needs of its socket. */
struct udp_flow {
    struct ip_tx ip;
    be16 sport, dport;
    uint32_t ifindex;
    bool broadcast; /* SO_BROADCAST */
    bool no_check;  /* SO_NO_CHECK */
};

struct udp_sock {
    struct sock sk;              /* first */
    bool cork;                   /* UDP_CORK */
    uint16_t segment;            /* UDP_SEGMENT, or 0 */
    struct udp_pending *pending; /* udp_cork.c: what waits for more; SOCK lock */
};
static inline struct udp_sock *udp_sk(const struct sock *sk)
{
    return (struct udp_sock *)sk;
}
enum { UDP_SEGMENTS_MAX = 64 }; /* as in Linux */

/* Find the way of flow and complete its addresses. 0 and a reference, or -errno (-EACCES: a broadcast that
 * the program did not ask for). */
int udp_route(struct sock *sk, struct udp_flow *flow, struct dst_entry **dst);
/* Send skb, the payload, along dst (the caller's). Takes skb. 0 or -errno. */
int udp_transmit(struct sock *sk, struct sk_buff *skb, struct dst_entry *dst, const struct udp_flow *flow);

/* ---- udp_cork.c: process context, no lock held but where it says ---- */

/* Does a send with these flags wait for more, or join what waits? sk->lock held. */
bool udp_corked(const struct sock *sk, int flags);
/* The message joins what waits (flow counts if nothing does), and all of it leaves unless more is to come.
 * Bytes or -errno. */
ssize_t udp_append(struct sock *sk, struct message *msg, const struct udp_flow *flow, int flags);
int udp_uncork(struct sock *sk); /* send what waits: 0 or -errno */
void udp_cork_forget(struct sock *sk);

/* A datagram for this host. Takes skb. Softirq. */
void udp_rcv(struct sk_buff *skb);
/* An ICMP error that quotes one of our datagrams. skb stays the caller's. Softirq. */
void udp_err(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info);
ssize_t udp_sendmsg(struct sock *sk, struct message *msg, int flags);
ssize_t udp_recvmsg(struct sock *sk, struct message *msg, int flags);
/* Give sk a port if it has none. sk->lock held. */
int udp_autobind(struct sock *sk);

extern const struct sock_ops udp_ops;
