/* grade/peers/peer.h - what the programs have in common that put a virtual kernel and a foreign stack on one
 * wire: what is asked for on the command line, Towpath's end of a stream, and the runs, each a process of its
 * own with the next seed.
 *
 * usage: PROGRAM flow=up opener=peer bytes=200000 loss=5 duplicate=1 reorder=5 delay=5 corrupt=0 runs=10
 * seed=1 together=1 capture=FILE guest=FD Shares in percent, delay in milliseconds, so many runs together.
 * Flows: up (to the peer), down (from it), echo-peer, echo-towpath, udp. With guest= the other end is a guest
 * in QEMU, in real time: it echoes on its port 7, or is told to connect to port 4000 by whoever runs this. A
 * line for each run that fails, and a closing line. */
#pragma once
#include "sim/towpath.h"
#include <netinet/in.h>
#include <stdarg.h>

enum { GIVEN_UP = 77, PORT = 4000, GUEST_ECHO = 7, PERIOD = 251, CHUNK = 8192 };
enum flow { UP, DOWN, ECHO_PEER, ECHO_TOWPATH, UDP, FLOWS };
#define SECOND UINT64_C(1000000000)

struct choice {
    enum flow flow;
    bool peer_opens;
    uint64_t bytes, seed;
    unsigned loss, duplicate, reorder, corrupt, delay, runs, together;
    unsigned slot; /* of those that run together, which */
    int guest; /* a datagram socket that leads to a guest's card, which takes the virtual kernel's place; or
                  -1 */
    const char *capture;
};
extern struct choice chosen;

/* ---- the program's own ---- */

extern const char *const peer_name;
/* One run, in its own process: returns if all went well. */
void peer_run(void);

/* ---- in common: peer.c ---- */

/* Say why the run has failed, and end it. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
/* tp_source_begin()'s: byte i of a stream is i % 251. Any CHUNK bytes of it begin at pattern + i % PERIOD. */
extern uint8_t pattern[CHUNK + PERIOD];

uint64_t host_now(void); /* the host's clock, ns */

/* The world with the wire that was chosen, the kernel on it at address ("10.0.0.1"), and our own port. */
struct towpath_end {
    struct tp_wire *wire;
    struct tp_port *port;       /* the peer's */
    struct tp_port *guest_port; /* the guest's, or NULL and there are: */
    struct tp_kernel *kernel;
    struct tp_process *process;
    int fd;
    bool done; /* its end of the stream is closed, and all bytes were right */
    bool echoing;
};
extern struct towpath_end towpath;
void towpath_begin(const char *address);
/* Open or wait for a stream between own and peer, at that port. */
void towpath_begin_tcp(const char *own, const char *peer, uint16_t port);
/* Whatever can be done now is done. */
void towpath_go_on(void);
/* A system call that does not wait; fails the run if it fails. */
int64_t at_once(long number, int64_t a, int64_t b, int64_t c);
/* Is it done? Then its result is in *result, and the call is gone. */
bool finished(struct tp_call **call, int64_t *result);
struct sockaddr_in name_of(const char *address, uint16_t port);
/* Connections in any state but TIME-WAIT, or in any. */
bool towpath_has_connections(bool time_wait_too);
/* With a guest: it may still have to hear the last ACK, or a reset. Say `over`, and go on until standard
 * input ends. */
void linger_for_guest(void (*step)(void));
/* Nothing may be left; the world ends. */
void towpath_end_world(void);
