/* sim/fuzz/segments/world.h - the host under test (10.0.0.1), and what the peer (10.0.0.9) and the host's
 * only program know. Bytes of a stream are a function of their sequence number, in each direction, whoever
 * sends them again and in whatever pieces: a byte out of place is seen where it is read. */
#pragma once
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/segments/story.h"
#include "sim/netconfig.h"
#include "sim/sim.h"
#include "sim/vnic.h"
#include "sim/wire.h"

enum { HOST_PORT = 80, PEER_PORT = 4000, FLOWS = 3, SOCKS_MOST = 8, NO_SOCK = 255 };

/* One connection as the peer sees it; a port of the peer's each. */
struct flow {
    uint16_t host_port;
    bool heard;                     /* anything but resets */
    uint32_t host_next, host_acked; /* behind the last that the host sent; the last it acknowledged */
    uint32_t peer_next;             /* behind the highest that the peer sent */
    uint32_t host_clock;            /* the host's latest timestamp */
    bool stamps;                    /* the host's segments have them */
};

/* A socket of the program's. */
struct user_sock {
    struct sock *sk;
    uint32_t read_to; /* the number of the next byte that a read gives, if reading */
    bool reading;
};

struct world {
    const struct story *story;
    struct wire *wire;
    struct net *net;
    struct vnic *nic;
    struct wire_port port; /* the peer's */
    struct flow flows[FLOWS];
    struct user_sock socks[SOCKS_MOST];
    unsigned n_socks;
    uint8_t connection;      /* in socks: what the story begins with, or NO_SOCK */
    unsigned long frames;    /* from the host since the action began */
    unsigned long delivered; /* to the host, of the same */
    unsigned marks; /* urgent segments that the peer has sent: each may take a byte from the stream */
    bool tell;      /* print what happens */
};

/* The two streams: the byte with this number. */
uint8_t peer_text(uint32_t seq);
uint8_t host_text(uint32_t seq);

void world_begin(struct world *w, const struct story *story);
/* Close what is open, let hours pass unless the story ends abruptly, and take all down: nothing may be left.
 */
void world_end(struct world *w);
/* Let time pass, in all its events. */
void world_run(struct world *w, uint64_t duration);
void world_knob(struct world *w, const char *name, const char *value);

/* Send p from the peer, now. Addresses and ports are filled in for that flow. */
void peer_sends(struct world *w, unsigned flow, struct packet *p);
/* A packet from the peer with nothing but its addresses. */
struct packet peer_packet(const struct world *w, unsigned flow);

/* What the host has in its table for that flow: a connection, what is left of one in TIME-WAIT, or NULL.
 * Borrowed: valid until something happens. */
struct tcp_node *flow_node(struct world *w, unsigned flow);
/* The connection, or NULL. */
struct tcp_sock *flow_connection(struct world *w, unsigned flow);
/* The same connection's place in socks, or NULL. */
struct user_sock *user_sock_of(struct world *w, const struct tcp_sock *tp);
/* Remember a socket; closes the oldest one if there are too many. Its place. */
uint8_t world_keep(struct world *w, struct sock *sk);
void world_close(struct world *w, unsigned i);

/* ---- starts.c ---- */
/* Bring the host where the story begins. */
void story_start(struct world *w);
/* The peer's options on a SYN, as the story says; at most 40 bytes, their number. */
size_t syn_options(const struct world *w, uint8_t *to);

/* ---- act.c ---- */
/* The whole story, in a world of its own. */
void story_happens(const struct story *story);
void story_act(struct world *w, const struct action *a);
/* The program writes as much as it can of n bytes, reads up to n. */
void user_writes(struct world *w, struct user_sock *u, size_t n, int flags);
void user_reads(struct world *w, struct user_sock *u, size_t n, int flags);
/* Write a timestamp option; 12 bytes. */
size_t put_stamp(uint8_t *to, uint32_t value, uint32_t echo);
size_t put_block(uint8_t *to, uint32_t start, uint32_t end);

/* ---- check.c ---- */
/* What must hold between any two events. */
void world_check(struct world *w);
