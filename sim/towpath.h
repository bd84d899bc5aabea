/* sim/towpath.h - virtual kernels as a library (build/libtowpath.so): Towpath's network stack for any
 * program.
 *
 * A virtual kernel holds a network stack and nothing else. It is a passive thing: it is driven by the system
 * calls that you make, by the frames that you inject and by the virtual clock that you move on. One process
 * holds one world; a world holds any number of kernels and wires; nothing in it depends on the host's clock,
 * on addresses or on scheduling, so the same seed and the same calls give the same frames, byte for byte.
 *
 *     tp_start(&(struct tp_world){ .seed = 1 });
 *     struct tp_wire *wire = tp_wire_create("wire", NULL);
 *     struct tp_kernel *k = tp_kernel_create("host");
 *     tp_device_add(k, "eth0", wire, NULL);
 *     tp_address_set(k, "eth0", "10.0.0.1/24");
 *     struct tp_port *us = tp_port_create(wire);              our end of the wire
 *     struct tp_process *p = tp_process_create(k);
 *     int64_t fd = tp_syscall(p, 41, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
 *
 * All functions are for one thread at a time. Times are nanoseconds of virtual time since tp_start(). Where
 * nothing else is said a function returns 0 or -errno. Strings are copied.
 *
 * This header needs libc's <stdint.h> and friends alone. What is declared here stays compatible: functions
 * are added, struct members appended, and a struct filled with zeroes means the defaults. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define TP_NEVER UINT64_MAX

/* ---- the world ---- */

struct tp_world {
    uint64_t seed;
    /* A line of a kernel's log; NULL: not wanted. */
    void (*log)(const char *line);
    /* A kernel has panicked or was misused: text says how. Nothing can go on; when this returns (or is NULL:
     * text goes to stderr) the process aborts. */
    void (*panic)(const char *text);
};
/* Begin a world at time 0. -EBUSY: there is one. */
int tp_start(const struct tp_world *world);
/* End it: everything must have been destroyed. Panics if a kernel leaked anything. */
void tp_end(void);

/* ---- time ---- */

uint64_t tp_now(void);
/* When the next thing is due to happen; tp_now() if it is due now, TP_NEVER if nothing is. */
uint64_t tp_next(void);
/* Let everything up to and including `time` happen; the clock then stands there. */
void tp_run_until(uint64_t time);
/* The same for the next `duration` nanoseconds. */
void tp_run_for(uint64_t duration);
/* A number that stands for all that happened so far: equal seeds and calls, equal numbers. */
uint64_t tp_digest(void);

/* ---- wires ---- */

struct tp_wire;
struct tp_link {
    uint64_t delay_ns;        /* from the end of transmission to arrival */
    uint64_t bits_per_second; /* 0: transmission takes no time */
    /* chances in a million, for each frame and receiver */
    uint32_t loss, duplicate, reorder, corrupt;
    uint64_t reorder_delay_ns; /* how late a reordered frame is; 0: 1 ms */
    bool raw_ip;               /* carries bare IP packets, without a link header and without ARP */

    uint64_t jitter_ns; /* up to so much later, evenly; keeps the order */
    /* Loss in bursts: with these chances in a million a frame begins or ends a bad time, in which frames are
     * lost with the chance burst_loss. burst_enter 0: never. */
    uint32_t burst_enter, burst_leave, burst_loss;
    /* The queue in front of the line; queue_limit (frames) 0: none, the sender's card waits instead. */
    enum tp_discipline { TP_DROP_TAIL, TP_RED, TP_CODEL } discipline;
    uint32_t queue_limit;
    uint32_t red_min, red_max,
        red_chance; /* frames, frames, in a million; 0: limit / 4, limit * 3 / 4, 100,000 */
    uint64_t codel_target_ns, codel_interval_ns; /* 0: 5 ms, 100 ms (RFC 8289) */
    bool down;                                   /* everything is lost */
    uint32_t mark_above; /* an IPv4 packet that finds more frames waiting is marked (RFC 3168); 0: none is */
};
/* What has happened on a wire; frames. */
struct tp_wire_counts {
    uint64_t sent, delivered, lost, queue_drops;
};
/* A cable (two ends) or hub (more): what one end sends reaches all others. link NULL: no delay, limit, fault.
 * NULL: memory is out, or there is no world. */
struct tp_wire *tp_wire_create(const char *name, const struct tp_link *link);
/* Change its properties (all but raw_ip) for frames sent from now on. */
void tp_wire_set(struct tp_wire *w, const struct tp_link *link);
/* Write every frame sent from now on to the file at path, as pcapng in virtual time. */
int tp_wire_capture(struct tp_wire *w, const char *path);
void tp_wire_count(const struct tp_wire *w, struct tp_wire_counts *counts);
/* All devices, ports and switches on it must be gone. */
void tp_wire_destroy(struct tp_wire *w);

/* The caller's own end of a wire. */
struct tp_port;
struct tp_port *tp_port_create(struct tp_wire *w);
void tp_port_destroy(struct tp_port *p);
/* Send a frame (Ethernet header first; on a raw_ip wire: the IP header) at `when`, or now if that is past.
 * The bytes are copied. -EMSGSIZE: longer than TP_FRAME_MOST. */
int tp_inject(struct tp_port *p, uint64_t when, const void *frame, size_t n);
/* The oldest frame that has arrived at this port and was not taken yet: its length, also if it is larger than
 * size and was cut; *when (may be NULL): its arrival. -EAGAIN: there is none. */
ssize_t tp_take(struct tp_port *p, void *frame, size_t size, uint64_t *when);
enum { TP_FRAME_MOST = 2048 };

/* An Ethernet switch: joins wires, learns where stations are. */
struct tp_switch;
struct tp_switch *tp_switch_create(void);
void tp_switch_join(struct tp_switch *s, struct tp_wire *w);
void tp_switch_destroy(struct tp_switch *s); /* takes its ends off their wires */

/* ---- kernels ---- */

struct tp_kernel;
/* A kernel whose only device is lo, up with 127.0.0.1. NULL: memory is out, or there is no world. */
struct tp_kernel *tp_kernel_create(const char *name);
/* Its processes must be gone. Takes its devices off their wires. */
void tp_kernel_destroy(struct tp_kernel *k);

struct tp_device {
    uint8_t mac[6];            /* all zero: one is made from the kernel's and the device's number */
    uint32_t mtu;              /* 0: 1500 */
    unsigned rx_ring, tx_ring; /* slots, at most 256; 0: 64 */
    bool checksums;            /* the card makes and verifies TCP's and UDP's checksums */
};
/* A card on w, down and without an address. options NULL: the defaults. -EEXIST, -ENOMEM, -EINVAL. */
int tp_device_add(struct tp_kernel *k, const char *name, struct tp_wire *w, const struct tp_device *options);
/* "10.0.0.1/24" for the device, and up. -EINVAL: no such text; -ENODEV. */
int tp_address_set(struct tp_kernel *k, const char *device, const char *address);
/* A route to "10.1.0.0/16" ("0.0.0.0/0": all) by gateway "10.0.0.254". */
int tp_route_add(struct tp_kernel *k, const char *destination, const char *gateway);
/* Frames of this device that wait in front of its line (struct tp_link.queue_limit). -ENODEV. */
int64_t tp_queue_length(struct tp_kernel *k, const char *device);
/* Let the kernel forward packets, as a router does, or not (the default). */
void tp_forwarding_set(struct tp_kernel *k, bool on);
/* A knob of doc/sysctl.md, "net/ipv4/ip_default_ttl": give it this value, or read it as tp_proc_net() does.
 * -ENOENT; -EINVAL, -EACCES: it cannot have that value, or any. */
int tp_knob_set(struct tp_kernel *k, const char *path, const char *value);
ssize_t tp_knob_get(struct tp_kernel *k, const char *path, char *text, size_t size);
/* The text of a file of /proc/net ("snmp", "tcp", "arp"; "sockstat" and others count what happened) into
 * text, cut at size and ended by NUL: its whole length. -ENOENT. */
ssize_t tp_proc_net(struct tp_kernel *k, const char *file, char *text, size_t size);
/* Packet buffers alive that do not lie in a receive ring: 0 at rest. */
int64_t tp_packets_alive(const struct tp_kernel *k);

/* ---- system calls ---- */

/* Who makes system calls: a table of descriptors. */
struct tp_process;
struct tp_process *tp_process_create(struct tp_kernel *k);
/* A child that has its parent's descriptors, as after fork(). */
struct tp_process *tp_process_fork(struct tp_process *parent);
/* Close what it has open. Calls that it has begun end with -EINTR and are freed. */
void tp_process_exit(struct tp_process *p);

/* System calls have Linux's x86-64 numbers, arguments, structures and results (-errno for an error; no
 * SIGPIPE is raised). Pointers are pointers of this process and must stay good until the call is done. Known
 * are read, write, readv, writev, close, dup, dup2, dup3, fcntl (F_DUPFD, F_GETFL, F_SETFL, F_GETFD,
 * F_SETFD), ioctl, poll, ppoll, select, pselect6 (signal masks are not looked at, and what is left of a time
 * is not told), socket, socketpair, bind, listen, accept, accept4, connect, send and receive in all forms,
 * shutdown, getsockname, getpeername, setsockopt, getsockopt (TCP_INFO has Linux's layout); others are
 * -ENOSYS. There is no epoll: tp_watch() tells of changes. Descriptors cannot be passed in messages. The
 * caller has root's rights. */
struct tp_call;
/* Begin a call and let it run as far as it goes without time passing. NULL: memory is out. */
struct tp_call *tp_call_begin(struct tp_process *p, long number, const int64_t arguments[6]);
/* Is it done? Then *result (may be NULL) is what it returned. If not it waits for something: let time pass,
 * inject a frame, make another call. */
bool tp_call_done(const struct tp_call *c, int64_t *result);
/* Two calls that Linux does not have, for simulations. Send `size` bytes of a pattern on the stream fd: the
 * result is size, or the error that ended it. Receive until the stream ends: the result is how many bytes
 * came, or -EBADMSG: they were not that pattern from its beginning. */
struct tp_call *tp_source_begin(struct tp_process *p, int fd, uint64_t size);
struct tp_call *tp_sink_begin(struct tp_process *p, int fd);
/* How many bytes such a call has transferred so far. */
int64_t tp_call_progress(const struct tp_call *c);
/* Let its wait end with -EINTR, as a signal would. */
void tp_call_interrupt(struct tp_call *c);
/* Forget a call that is done. */
void tp_call_end(struct tp_call *c);
/* What poll(2) would report of fd now, as if everything was asked for: POLLIN, ...; -EBADF. */
int tp_ready(struct tp_process *p, int fd);
/* From now on, until fd is closed, call changed(arg) whenever tp_ready() may have another answer; in the
 * middle of events, so that it may only take note. One watcher a socket; NULL: nobody any more. -EBADF. */
int tp_watch(struct tp_process *p, int fd, void (*changed)(void *arg), void *arg);
/* A call from beginning to end; as much virtual time passes as it takes. -EDEADLK: it waits and nothing is
 * left that could happen. */
int64_t tp_syscall(struct tp_process *p, long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                   int64_t f);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
