/* net/tcp/tcp_pacing.h - segments spread over the round trip rather than sent in bursts; private to net/tcp.
 * sk->lock held in all. Off, it costs a look at `on` for a segment and for an ACK. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tcp_sock;
enum { TCP_PACING_SHIFT = 10, TCP_PACING_QUANTUM_MAX = 65536 };

struct tcp_pacing {
    bool on;
    uint64_t rate;        /* bytes of text a second; 0 or UINT64_MAX: nothing is held back */
    uint64_t module_rate; /* what the congestion module wants; 0: as the window says */
    uint64_t next;        /* when the next quantum may begin */
    uint32_t left;        /* bytes that may still go of the one that has begun */
    bool waits;           /* for the timer, with something to send */
};

/* Is the connection paced from now on? To be asked when the module, the limit or the state changes. */
void tcp_pacing_choose(struct tcp_sock *tp);
/* An ACK came, or a limit changed: how fast? */
void tcp_pacing_update(struct tcp_sock *tp);
/* May len bytes go now? True: they are counted. False: they go when the timer fires, which is set. */
bool tcp_pacing_take(struct tcp_sock *tp, uint32_t len);
/* The rate that the window makes of a round trip, bytes a second, SO_MAX_PACING_RATE at most. */
uint64_t tcp_pacing_window_rate(const struct tcp_sock *tp);
