/* sim/fuzz/host.h - the world of the targets that speak to a whole kernel: the kernel 10.0.0.1, one process,
 * and on the same wire a station of ours, 10.0.0.9, that knows how far its TCP connection is. */
#pragma once
#include "sim/frame.h"
#include "sim/towpath.h"

enum { HOST_TCP_PORT = 80, HOST_UDP_PORT = 7, STATION_PORT = 1234 };

struct host {
    struct tp_wire *wire;
    struct tp_kernel *kernel;
    struct tp_process *process;
    struct tp_port *station;
    uint32_t seq, ack; /* the station's next number, and the next it expects */
};

/* Begin a world with it; the kernel knows the station's hardware address. */
void host_start(struct host *h);
/* End all and the world: panics if something leaked. */
void host_end(struct host *h);
/* A system call that does not wait; its result. */
int64_t host_call(struct host *h, long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e);
/* A packet from the station to the kernel, for packet_build(). */
struct packet host_packet(const struct host *h, uint8_t protocol);
/* Send n bytes now. */
void host_send(struct host *h, const uint8_t *frame, size_t n);
/* Take what the kernel has sent and note where the connection stands. */
void host_hear(struct host *h);
