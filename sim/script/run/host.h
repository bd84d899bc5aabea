/* sim/script/run/host.h - the host that a script is run on: its clock, its wire, the calls of a program in
 * it. The runner knows only this table; virtual.c fills it with a virtual kernel. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BUFFERS_MOST = 3 };

/* A system call by Linux's number for x86-64. */
struct host_call {
    long number;
    int64_t arguments[6];
    struct { /* memory that an argument points to: goes in, comes out */
        unsigned argument;
        void *at;
        size_t n;
        bool in, out;
    } buffers[BUFFERS_MOST];
    unsigned n_buffers;
};

struct host {
    uint32_t address, peer; /* host order */
    uint64_t mac, peer_mac;
    uint64_t slack;                  /* ns that everything may be earlier or later; 0: its time is virtual */
    uint64_t (*now)(struct host *h); /* ns since the script began */
    /* Let time pass until `until`, or until something has happened: a frame came, or a call may be done. */
    void (*run)(struct host *h, uint64_t until);
    void (*send)(struct host *h, const uint8_t *frame, size_t n);
    /* The oldest frame that the host has sent, and when: its length, or 0. */
    size_t (*take)(struct host *h, uint8_t *frame, size_t size, uint64_t *when);
    /* Begin a call; c stays the caller's until it is done. */
    void *(*begin)(struct host *h, struct host_call *c);
    /* Is it done? Then the result is in *result, the handle is gone. */
    bool (*done)(struct host *h, void *call, int64_t *result);
    /* 0 or -errno; path with slashes, "net/ipv4/tcp_sack". */
    int (*set)(struct host *h, const char *path, const char *value);
    /* "Tcp", "RetransSegs" of /proc/net/snmp or netstat. False: there is none. */
    bool (*counter)(struct host *h, const char *section, const char *name, int64_t *value);
    int64_t (*packets)(struct host *h); /* buffers alive */
    /* Close everything and wait until all is quiet: NULL, or what is left over. */
    const char *(*end)(struct host *h);
};

struct virtual_config {
    uint32_t address; /* 0: 10.0.0.1 */
    unsigned prefix;
    uint32_t mtu; /* 0: 1500 */
    uint64_t seed;
    const char *capture;             /* pcapng, or NULL */
    void (*panic)(const char *text); /* must not return */
};
/* A virtual kernel, its clock at 0; the peer is the next address behind its own. One at a time. */
struct host *virtual_start(const struct virtual_config *config);
