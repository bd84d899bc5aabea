/* sim/netconfig.h - giving a struct net its addresses and routes, by the requests that ifconfig and route
 * make. */
#pragma once
#include "net/net.h"

/* "10.0.0.1/24": *ip in host order, *prefix (may be NULL) the number behind the slash, or 32. -EINVAL. */
int netconfig_parse(const char *text, uint32_t *ip, unsigned *prefix);
/* sock_ioctl() on a fresh datagram socket. Process context, here and below. 0 or -errno. */
int netconfig_ioctl(struct net *net, unsigned request, void *arg);
/* Give device this address, and bring it up. */
int netconfig_address(struct net *net, const char *device, uint32_t ip, unsigned prefix);
int netconfig_mtu(struct net *net, const char *device, uint32_t mtu);
/* A route to destination ("10.1.0.0/16", "0.0.0.0/0") by gateway. */
int netconfig_route(struct net *net, const char *destination, const char *gateway);
