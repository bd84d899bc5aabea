/* net/tcp/tcp_rtt.h - how long to wait for an acknowledgement (RFC 6298); pure arithmetic in nanoseconds. */
#pragma once
#include <stdint.h>

struct tcp_rtt {
    uint64_t srtt, rttvar; /* 0 until the first sample */
    uint64_t rto;          /* without backoff */
    uint64_t min;          /* the least sample ever */
};

/* RFC 6298 2.1: one second before any sample. */
void tcp_rtt_init(struct tcp_rtt *r);
/* Take in one round trip of m ns, which must not be of a retransmitted segment (Karn, RFC 6298 3). */
void tcp_rtt_sample(struct tcp_rtt *r, uint64_t m);
/* The time-out after backoff doublings, at most 120 s (RFC 6298 2.5, 5.5). */
uint64_t tcp_rto_backed_off(const struct tcp_rtt *r, unsigned backoff);
