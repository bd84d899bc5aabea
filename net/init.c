/* net/init.c - what a network is made of: one line a protocol. The order counts: each stands behind what it
 * registers with. The loopback device comes last, so that every protocol hears of it. */
#include "net/ether/eth.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"
#include "net/loopback/loopback.h"
#include "net/tcp/tcp.h"
#include "net/udp/udp.h"

const struct net_module *const net_modules[] = {
    &ether_module, &ipv4_module, &arp_module,      &icmp_module, &raw_module,
    &udp_module,   &tcp_module,  &loopback_module, NULL,
};
