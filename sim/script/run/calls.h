/* sim/script/run/calls.h - a script's call as a system call, and what it returned as the script writes it. */
#pragma once
#include "sim/script/run/runner.h"
#include <netinet/in.h>
#include <poll.h>

enum { OPTION_ROOM = 256, TRANSFER_MOST = 1 << 22 };

/* What a call's arguments point to. */
struct call_memory {
    struct sockaddr_in address;
    int32_t address_len, option_len;
    uint8_t option[OPTION_ROOM];
    struct pollfd poll;
    int64_t fd, flags;
    uint8_t *data;
    size_t n;
};

/* Fill c and m (whose data is malloc()ed) for spec. False: the script has failed. */
bool call_make(struct runner *r, const struct call_spec *spec, struct host_call *c, struct call_memory *m);
/* What it returned, in the script's terms: getsockopt()'s value, poll()'s events, a port, ...; -errno. */
int64_t call_value(const struct call_spec *spec, const struct call_memory *m, int64_t result);
