/* net/tcp/tcp_cong.h - congestion control: modules that see a small view of a connection and nothing else.
 * Recovery (tcp_recovery.c) says what happened; a module answers with a congestion window. All sizes are
 * bytes, all times nanoseconds. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TCP_CONG_STATE = 96, TCP_CWND_MAX = 1 << 30 };

struct tcp_cong_view {
    uint32_t cwnd, ssthresh; /* the module's to change */
    uint32_t mss;            /* SMSS */
    uint32_t flight;         /* FlightSize: sent and not acknowledged, before the event */
    uint32_t acked;          /* newly acknowledged by this ACK */
    bool cwnd_limited;       /* the sender had more to send than cwnd let it */
    bool echo;               /* the peer saw a mark of congestion (RFC 3168 6.1.3) */
    bool round;              /* what was out when the last round trip began is acknowledged */
    uint32_t chance;         /* with round, for a module that wants_chance: 32 random bits */
    uint64_t rtt, min_rtt;   /* the latest sample, 0 if none; the least of all */
    uint64_t now;
    bool hystart; /* the first slow start shall end before something is lost (RFC 9406) */
    void *state;  /* the module's own TCP_CONG_STATE bytes; zero at first */

    uint64_t pacing_rate; /* control()'s to change: bytes a second; 0: as the window says */
    /* only for a module that wants_rate */
    uint64_t rate;      /* how fast the path delivers, bytes a second; 0: this ACK does not say */
    bool app_limited;   /* what rate tells is the program's pace rather than the path's */
    uint32_t delivered; /* bytes that have newly arrived, by this ACK's number or its SACK blocks */
    uint32_t pipe;      /* in the network now */
    bool repairing;     /* something was lost and is being sent again */
    bool holds_back;    /* control()'s to set: what goes now is little on purpose and tells nothing */
};

/* A module is constant; its functions are pure but for the view. Where a pointer is NULL nothing is done. */
struct tcp_cong_ops {
    const char *name;
    bool wants_ecn; /* negotiate marks of congestion whatever the knob says, and be told of each */
    bool wants_chance;
    bool wants_rate;   /* be told of delivery rates; rounds are then counted by what has arrived */
    bool wants_pacing; /* spread what is sent over the round trip */
    void (*ack)(struct tcp_cong_view *v);          /* new data acknowledged, outside fast recovery */
    uint32_t (*ssthresh)(struct tcp_cong_view *v); /* a loss: the threshold to go on from */
    void (*timeout)(struct tcp_cong_view *v);      /* the retransmission timer fired; ssthresh is set */
    /* Instead of ack(): every ACK that tells of arrivals, in any state of repair. The window is then the
     * module's alone: neither proportional rate reduction nor idle time moves it. */
    void (*control)(struct tcp_cong_view *v);
};

/* The module called name, or NULL. */
const struct tcp_cong_ops *tcp_cong_find(const char *name);
/* Their names with a blank between; the whole length, as snprintf(). */
int tcp_cong_names(char *buf, size_t size);

/* ---- what modules share ---- */

/* RFC 6928 2: the initial window; segments other than ten if not 0. */
uint32_t tcp_cong_initial_window(uint32_t mss, uint32_t segments);
/* RFC 5681 3.1 eq. 2, while cwnd < ssthresh. False: not in slow start, nothing was done. */
bool tcp_cong_slow_start(struct tcp_cong_view *v);
/* The same; with v->hystart the first slow start is RFC 9406's. h is the module's: zero at first. */
struct tcp_hystart {
    uint64_t last, current; /* the shortest round trips of the last round and of this one, ns; last 0: none */
    uint64_t baseline;      /* current when conservative slow start began */
    uint8_t samples, rounds; /* in this round; of conservative slow start */
    bool conservative;
};
bool tcp_cong_hystart(struct tcp_cong_view *v, struct tcp_hystart *h);
/* RFC 5681 3.1, RFC 3465 2.1: `segments` more segments a round trip; *counted bytes so far towards the next.
 */
void tcp_cong_increase(struct tcp_cong_view *v, uint64_t *counted, uint32_t segments);
/* RFC 5681 3.1: the loss window. */
void tcp_cong_loss_window(struct tcp_cong_view *v);

extern const struct tcp_cong_ops tcp_newreno, tcp_cubic, tcp_vegas, tcp_hd, tcp_htcp, tcp_dctcp, tcp_bbr;
