/* net/tcp/tcp_cong.h - congestion control: modules that see a small view of a connection and nothing else.
 * Recovery (tcp_recovery.c) says what happened; a module answers with a congestion window. All sizes are
 * bytes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tcp_cong_view {
    uint32_t cwnd, ssthresh; /* the module's to change */
    uint32_t mss;            /* SMSS */
    uint32_t flight;         /* FlightSize: sent and not acknowledged, before the event */
    uint32_t acked;          /* newly acknowledged by this ACK */
    bool cwnd_limited;       /* the sender had more to send than cwnd let it */
    uint64_t rtt;            /* the latest sample in ns, 0 if none */
    uint64_t now;
    uint64_t state[4]; /* the module's own; zero at init */
};

/* A module is constant; its functions are pure but for the view. */
struct tcp_cong_ops {
    const char *name;
    void (*init)(struct tcp_cong_view *v);         /* the handshake is done: set cwnd and ssthresh */
    void (*ack)(struct tcp_cong_view *v);          /* new data acknowledged, outside fast recovery */
    uint32_t (*ssthresh)(struct tcp_cong_view *v); /* a loss: the threshold to go on from */
    void (*timeout)(struct tcp_cong_view *v); /* the retransmission timer fired; ssthresh is set already */
};

extern const struct tcp_cong_ops tcp_newreno;
/* The module called name, or NULL. */
const struct tcp_cong_ops *tcp_cong_find(const char *name);
