/* net/loopback/loopback.h - the device "lo". */
#pragma once
#include "net/core/net_namespace.h"

extern const struct net_module loopback_module;
