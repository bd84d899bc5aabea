/* net/tcp/tcp_prr.h - proportional rate reduction (RFC 6937): how much to send for an ACK in fast recovery,
 * so that the flight falls to ssthresh evenly over one round trip. Pure arithmetic in bytes. */
#pragma once
#include <stdint.h>

struct tcp_prr {
    uint32_t delivered; /* since recovery began */
    uint32_t out;       /* sent since then */
    uint32_t flight;    /* RecoverFS: FlightSize when it began, never 0 */
};

/* sndcnt of RFC 6937 3: what may go now that delivered_now bytes (part of p->delivered already) have arrived.
 * pipe: bytes in the network. */
uint32_t tcp_prr_quota(const struct tcp_prr *p, uint32_t pipe, uint32_t ssthresh, uint32_t delivered_now,
                       uint32_t mss);
