/* net/ipv4/icmp.h - the ICMP header (RFC 792); private to net/ipv4. */
#pragma once
#include "net/ipv4/ip.h"

struct icmp_hdr {
    uint8_t type, code;
    be16 check;
    be32 rest; /* by type: identifier and sequence number, a pointer, the next hop's MTU (RFC 1191 4) */
};
_Static_assert(sizeof(struct icmp_hdr) == 8, "RFC 792");
