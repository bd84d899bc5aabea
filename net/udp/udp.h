/* net/udp/udp.h - UDP (RFC 768); private to net/. */
#pragma once
#include "net/core/net_namespace.h"

struct udp_hdr {
    be16 source, dest, len, check;
};
_Static_assert(sizeof(struct udp_hdr) == 8, "RFC 768");

extern const struct net_module udp_module;
