/* net/tcp/tcp_proc.h - what TCP's files under /proc/net share; private to net/tcp. */
#pragma once
#include "net/tcp/tcp.h"

static inline uint64_t tcp_counted(const struct net *net, enum tcp_counter c)
{
    return __atomic_load_n(&net->tcp->counters[c], __ATOMIC_RELAXED);
}
/* tcp_snmp.c: TCP's lines of snmp and netstat. */
void tcp_snmp_init(struct net *net);
void tcp_snmp_exit(struct net *net);
/* tcp_info.c: how many segments so many bytes make; and the window and threshold in segments as Linux shows
 * them, the initial one before there is a connection. sk->lock held. */
uint32_t tcp_in_segments(const struct tcp_sock *tp, uint64_t bytes);
uint32_t tcp_shown_cwnd(const struct tcp_sock *tp);
