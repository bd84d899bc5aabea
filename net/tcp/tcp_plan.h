/* net/tcp/tcp_plan.h - what may be sent now? A pure question about a few numbers; tcp_output.c acts on it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tcp_send_view {
    uint32_t snd_una, snd_nxt, snd_wnd; /* RFC 9293 3.3.1 */
    uint32_t max_window;                /* the largest window the peer ever offered */
    uint32_t write_seq;                 /* behind the last byte the user wrote */
    bool fin_queued;                    /* a FIN stands at write_seq */
    bool lost;                          /* something is to be sent again: */
    uint32_t lost_seq, lost_len;        /* this text first; lost_len 0: the FIN */
    uint32_t mss, cwnd;
    uint32_t flight;      /* bytes believed to be in the network */
    bool small_in_flight; /* a segment below mss has been sent and is not acknowledged */
    bool nodelay;         /* TCP_NODELAY: Nagle's rule is off */
    bool cork;            /* TCP_CORK, MSG_MORE: the program has more; what is small waits for it */
    bool override;        /* the sender's SWS override timer fired (RFC 9293 3.8.6.2.1) */
};

enum tcp_plan_kind {
    TCP_PLAN_IDLE,   /* nothing waits to be sent */
    TCP_PLAN_SEND,   /* send len new bytes at seq, and the FIN behind them if fin */
    TCP_PLAN_RESEND, /* the same for bytes sent before */
    TCP_PLAN_WINDOW, /* the peer's window is shut */
    TCP_PLAN_CWND,   /* the congestion window is full */
    TCP_PLAN_SMALL,  /* only a small segment could go, and that can wait (Nagle, SWS) */
    TCP_PLAN_PACE,   /* it is not time yet (tcp_pacing.c) */
    TCP_PLAN_CARD    /* the card's queue is long (tcp_output.c) */
};
struct tcp_plan {
    enum tcp_plan_kind kind;
    uint32_t seq, len;
    bool fin;
};

/* The next segment a connection in a synchronised state may send, or why none. */
struct tcp_plan tcp_plan_next(const struct tcp_send_view *v);
