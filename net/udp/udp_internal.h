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
    uint64_t in_datagrams, out_datagrams; /* atomic */
};
enum { UDP_MAX_PAYLOAD = IP_MAX_PACKET - sizeof(struct ip_hdr) - sizeof(struct udp_hdr) };

/* A datagram for this host. Takes skb. Softirq. */
void udp_rcv(struct sk_buff *skb);
/* An ICMP error that quotes one of our datagrams. skb stays the caller's. Softirq. */
void udp_err(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info);
ssize_t udp_sendmsg(struct sock *sk, struct message *msg, int flags);
ssize_t udp_recvmsg(struct sock *sk, struct message *msg, int flags);
/* Give sk a port if it has none. sk->lock held. */
int udp_autobind(struct sock *sk);

extern const struct sock_ops udp_ops;
