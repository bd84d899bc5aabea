/* net/packet/packet.h - AF_PACKET; private to net/packet but for packet_module. */
#pragma once
#include "net/core/net_namespace.h"
#include "net/packet/bpf.h"

extern const struct net_module packet_module;
