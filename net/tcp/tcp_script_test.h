/* net/tcp/tcp_script_test.h - one connection, told segment by segment: a virtual kernel (the host, under
 * test) and a tap that plays its peer as a test says. */
#pragma once
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"
#include "sim/sim.h"
#include "sim/tap.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <errno.h>
#include <string.h>

#define PEER_ISS 0xfffffff0u /* so that every test runs across the wrap; checklist 53 */
enum { PEER_PORT = 4000, HOST_PORT = 80, PEER_WINDOW = 20000 };

struct script {
    struct wire *wire;
    struct vkernel *vk;
    struct tap *tap;
    struct sock *listener, *sk; /* closed by script_end() if not NULL */
    uint16_t sport, dport;      /* the peer's port, the host's */
    uint32_t snd;               /* the peer's next number */
    uint32_t rcv;               /* the next number the peer expects of the host */
    uint16_t window;            /* what the peer offers */
};

/* A host at 10.0.0.1 and a silent peer at 10.0.0.2. The peer's numbers begin just below the wrap. */
struct script script_begin(void);
/* Close what is open, take all down; fails if an sk_buff is left. */
void script_end(struct script *s);

/* The peer sends: at its next number, acknowledging all it expects; with n bytes of text. Its next number
 * moves on by what was sent. */
void peer_sends(struct script *s, uint8_t flags, const void *text, size_t n);
/* The same at any number; the peer's next number stays. */
void peer_sends_at(struct script *s, uint8_t flags, uint32_t seq, uint32_t ack, const void *text, size_t n);
/* A SYN with options. */
void peer_sends_options(struct script *s, uint8_t flags, const uint8_t *options, size_t n);
/* The host's next segment must have exactly these flags, be numbered s->rcv and (with ACK) acknowledge
 * s->snd. s->rcv moves on by what came. */
struct packet host_sends(struct script *s, uint8_t flags);
/* The next segment, of which only the flags are checked. */
struct packet host_sends_any(struct script *s, uint8_t flags);
void host_is_silent(struct script *s, uint64_t duration);

/* The host listens on HOST_PORT. */
void script_listen(struct script *s, int backlog);
/* The peer connects and the host accepts: s->sk is ESTABLISHED. */
void script_accept(struct script *s);
/* The host's connect() has sent its SYN; s->sk is SYN-SENT. */
void script_connect(struct script *s);
/* The same up to ESTABLISHED. */
void script_connected(struct script *s);
static inline int script_state(const struct script *s)
{
    return s->sk->state;
}
/* Half-open connections of the listener. */
unsigned script_half_open(const struct script *s);
/* Is the connection between s->sport and s->dport in TIME-WAIT? Its socket is CLOSED then. */
bool script_in_time_wait(const struct script *s);
/* close() in the host. Afterwards s->sk is NULL; the connection is returned with a reference, so that its
 * state can be looked at: give it back with sock_put(). */
struct sock *script_close(struct script *s);
