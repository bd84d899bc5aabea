/* net/ipv4/icmp.h - the ICMP header (RFC 792), and what the files of ICMP share; private to net/ipv4. */
#pragma once
#include "net/ipv4/ip.h"

struct icmp_hdr {
    uint8_t type, code;
    be16 check;
    be32 rest; /* by type: identifier and sequence number, a pointer, the next hop's MTU (RFC 1191 4) */
};
_Static_assert(sizeof(struct icmp_hdr) == 8, "RFC 792");

enum { ICMP_TYPES = 19, ICMP_HOST_SLOTS = 256 };

/* Read without a lock. */
struct icmp_knobs {
    int32_t msgs_per_sec, msgs_burst;
    uint64_t host_interval, rate_mask; /* ns; bit n: the limits hold for type n */
    bool echo_ignore_all, echo_ignore_broadcasts;
};

struct icmp_state {
    struct icmp_knobs knobs;
    struct sysctl_table sysctls;
    /* token buckets of errors: when each will be full again; atomic */
    uint64_t full_at, host_full_at[ICMP_HOST_SLOTS];
    uint64_t in_msgs, out_msgs, in[ICMP_TYPES], out[ICMP_TYPES]; /* in all, and by type */
    struct net_proc_file snmp_section;
};

void icmp_count_out(struct icmp_state *icmp, uint8_t type);
bool icmp_is_error(uint8_t type);
