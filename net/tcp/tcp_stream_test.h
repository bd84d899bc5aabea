/* net/tcp/tcp_stream_test.h - one stream from a virtual kernel to another, looked at while it goes. */
#pragma once
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"

struct stream {
    struct vpair pair;
    struct sock *listener, *sk; /* sk sends */
    uint64_t received;          /* bytes */
    uint64_t bytes;             /* to be sent, from the beginning */
    uint64_t pause;             /* between two writes of 64 kB; 0: none */
};

/* Two kernels joined by a line so fast, with such a round trip; a listener, a socket, no connection yet. */
void stream_create(struct stream *s, uint64_t bits_per_second, uint64_t round_trip);
/* Connect, and let two tasks send and receive `bytes`. */
void stream_begin(struct stream *s, uint64_t bytes);
/* Wait for the rest of it, and take all down. */
void stream_end(struct stream *s);
static inline struct tcp_sock *stream_tcp(const struct stream *s)
{
    return tcp_sk(s->sk);
}
/* Bytes a second that arrive in the next so many ns. */
uint64_t stream_rate(struct stream *s, uint64_t duration);
