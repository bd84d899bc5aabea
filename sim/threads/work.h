/* sim/threads/work.h - the world that the work is done in, and the kinds of work.
 *
 *     a 10.0.0.1 ---+--- b 10.0.0.2
 *                   |
 *              r 10.0.0.254 / 10.1.0.254 --- c 10.1.0.1
 *
 * r forwards. Each kind of work is some processes that go on until they are interrupted; what they see that
 * cannot be, they say by panic(). */
#pragma once
#include "sim/threads/card.h"
#include "sim/vkernel.h"

enum { HOST_A, HOST_B, HOST_R, HOST_C, HOSTS };
struct world {
    struct vkernel hosts[HOSTS];
    struct card *cards[HOSTS + 1]; /* r has the last one too */
    struct wire_of_cards wires[2];
};
extern struct world world;

void world_make(void);
void world_unmake(void);
/* "10.0.0.1" and the like; of loopback for the host itself. */
const char *world_address(unsigned from, unsigned to);

struct work {
    const char *name, *what;
    void (*start)(void);
    void (*end)(void); /* when its processes are gone; may be NULL */
    bool planted;      /* a race on purpose: not among "all" */
};
extern const struct work works[]; /* ends with a NULL name */

/* A process of the work that runs; also from another one. */
void work_process(const char *name, void (*fn)(void *arg), void *arg);
/* Another round: false when the work is over. */
bool work_goes_on(void);
/* Count something done, for the report: what must be one of few strings. */
void work_count(const char *what);

/* One argument for many: a host, and a number that tells its processes apart. */
static inline void *work_arg(unsigned host, unsigned n)
{
    return (void *)(uintptr_t)(host | n << 8);
}
static inline unsigned arg_host(void *arg)
{
    return (uintptr_t)arg & 0xff;
}
static inline unsigned arg_n(void *arg)
{
    return (unsigned)((uintptr_t)arg >> 8);
}

void start_tcp(void);
void end_tcp(void);
void start_churn(void);
void start_udp(void);
void start_shared(void);
void end_shared(void);
void start_config(void);
void start_changes(void); /* its changes without traffic */
void start_netlink(void);
void start_groups(void);
void start_taps(void);
void start_local(void);
void start_pings(void);
void start_planted_cpus(void);
void start_planted_process(void);
void start_planted_timer(void);
