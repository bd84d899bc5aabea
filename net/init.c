/* net/init.c - what a network is made of: one line a protocol. The order counts: each stands behind what it
 * registers with. The loopback device comes last, so that every protocol hears of it. */
#include "net/ether/eth.h"
#include "net/igmp/igmp.h"
#include "net/ipv4/arp.h"
#include "net/ipv4/ipv4.h"
#include "net/loopback/loopback.h"
#include "net/netlink/netlink.h"
#include "net/packet/packet.h"
#include "net/tcp/tcp.h"
#include "net/udp/udp.h"
#include "net/unix/unix.h"

const struct net_module *const net_modules[] = {
    &netlink_module,  /* how the network is set up and told of */
    &ether_module,    /* frames */
    &ipv4_module,     /* addresses, routes, input and output */
    &arp_module,      /* whose MAC is it */
    &icmp_module,     /* echo and errors */
    &igmp_module,     /* groups */
    &raw_module,      /* sockets for ping */
    &udp_module,      /* datagrams */
    &ping_module,     /* echo requests without a raw socket; behind UDP, which is what SOCK_DGRAM means */
    &tcp_module,      /* streams */
    &packet_module,   /* frames as the devices see them */
    &unix_module,     /* sockets between processes of one machine */
    &loopback_module, /* lo */
    NULL,
};
