/* net/tcp/tcp_metrics.h - what a connection leaves to the next one with the same peer, RFC 9040; private to
 * net/tcp. */
#pragma once
#include "net/core/net_namespace.h"

struct tcp_sock;

/* Our FIN is acknowledged: what was found out on the way is remembered for an hour, unless the sysctl
 * tcp_no_metrics_save says no. Softirq, sk->lock held; takes ROUTE. */
void tcp_metrics_save(const struct tcp_sock *tp);
/* The connection opens, its own handshake is measured: be as careful as an earlier one found necessary. The
 * same context. */
void tcp_metrics_recall(struct tcp_sock *tp);
/* /proc/net/tcp_metrics: a line a destination; seconds, microseconds, bytes; 0 for what is not known. */
void tcp_metrics_show(struct net *net, struct textbuf *out);
