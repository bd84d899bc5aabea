/* net/tcp/tcp_rtt.h - how long to wait for an acknowledgement (RFC 6298); pure arithmetic in nanoseconds. */
#pragma once
#include <stdint.h>

/* Where the time-out begins and between what bounds it stays; sysctls of the struct net (tcp_sysctl.c). */
struct tcp_rto_bounds {
    uint64_t initial, least, most;
};

struct tcp_rtt {
    uint64_t srtt, rttvar; /* 0 until the first sample */
    uint64_t rto;          /* without backoff */
    uint64_t min;          /* the least sample ever; UINT64_MAX: there was none */
    uint64_t least, most;  /* of the rto */
};

/* RFC 6298 2.1: the initial time-out before any sample. */
void tcp_rtt_init(struct tcp_rtt *r, const struct tcp_rto_bounds *bounds);
/* Take in one round trip of m ns, which must not be of a retransmitted segment (Karn, RFC 6298 3), when
 * 2^log2_samples of them are to be expected in a round trip: each then moves the averages by as much less
 * (RFC 7323 appendix G). */
void tcp_rtt_sample(struct tcp_rtt *r, uint64_t m, unsigned log2_samples);
/* An earlier connection with this peer found srtt and rttvar: if its round trips were longer than the one
 * measured here, the rto rises as if they were ours (RFC 9040 8). Nothing when nothing was measured. */
void tcp_rtt_recall(struct tcp_rtt *r, uint64_t srtt, uint64_t rttvar);
/* The time-out after backoff doublings, within the upper bound (RFC 6298 2.5, 5.5). */
uint64_t tcp_rto_backed_off(const struct tcp_rtt *r, unsigned backoff);
