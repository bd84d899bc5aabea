/* sim/script/flow.h - what the script's packets have said so far: a flow is one TCP connection (or attempt),
 * whose numbers a script counts from 0, each side's SYN. */
#pragma once
#include "sim/script/script.h"

enum { RANGES_MOST = 16, PEER_PORT = 4000, HOST_PORT = 80 };

/* One side of a flow. */
struct side {
    bool known; /* isn is right */
    uint32_t isn;
    uint32_t next; /* relative: behind all that it has said without a gap */
    bool offered_scale, offered_ts, said_ts;
    uint8_t scale;
    uint32_t ts_base, ts_last; /* its first timestamp, and the last */
    uint32_t window;           /* the peer's: what it offers, in bytes */
    struct {
        uint32_t from, to;
    } ahead[RANGES_MOST]; /* what it has said beyond a gap */
    unsigned n_ahead;
};

struct flow {
    struct flow *next;
    const char *label;
    bool used; /* its ports are known */
    uint32_t peer_ip;
    uint16_t peer_port, host_port;
    struct side peer, host;
    uint32_t host_una; /* the highest of the host's numbers that the peer has acknowledged */
};

/* Fresh numbers for a connection: the peer's begin at isn. */
void flow_reset(struct flow *f, uint32_t isn, uint32_t ts_base);
struct seen;
/* Take note of a packet of f's: numbers, scale, timestamps. */
void flow_note(struct flow *f, const struct seen *s);
/* The side has said [from, to): moves next on, as far as there is no gap. */
void side_said(struct side *s, uint32_t from, uint32_t to);
/* Both SYNs have offered it. */
bool flow_scales(const struct flow *f);
bool flow_has_ts(const struct flow *f);
/* Byte i of every stream and datagram. The period is a prime, so that nothing lost or doubled lies hidden. */
enum { PATTERN_PERIOD = 251 };
uint8_t pattern(int64_t i);
