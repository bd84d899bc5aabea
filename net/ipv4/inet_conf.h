/* net/ipv4/inet_conf.h - knobs of IPv4 that each device has: /proc/sys/net/ipv4/conf/DEVICE/; for net/ipv4.
 * There is one set more for `all` and one for `default`, from which new devices take theirs. How `all` and a
 * device's own combine differs by knob, as on Linux (its ip-sysctl.rst), and is written at each. Read without
 * a lock. */
#pragma once
#include "lib/sysctl.h"
#include "net/core/netdevice.h"

enum rp_filter { RP_FILTER_OFF, RP_FILTER_STRICT, RP_FILTER_LOOSE };

struct inet_conf {
    struct net *net;
    bool forwarding;       /* the device's; setting `all` sets every device's */
    bool accept_redirects; /* a router: both; a host: either */
    bool secure_redirects, shared_media, send_redirects, log_martians; /* either */
    bool bc_forwarding, accept_source_route;                           /* both */
    bool proxy_arp, arp_notify;                                        /* either */
    int32_t arp_ignore;                                                /* the larger one */
    int32_t rp_filter;                                                 /* the larger one */
    int32_t source_check; /* enum rp_filter: what holds for this device; follows from rp_filter */

    struct sysctl_table table;
    struct sysctl *entries; /* of a device and of `default`: the table with paths of its own */
};

/* A device's knobs come and go with its struct in_device. 0 or -ENOMEM. Process context. */
int inet_conf_add(struct inet_conf *c, struct net *net, const char *device);
void inet_conf_remove(struct inet_conf *c);
/* Those of `all` and `default`. 0 or -ENOMEM. */
int inet_conf_init(struct net *net);
void inet_conf_exit(struct net *net);

/* The device's own and `all`'s, as either, the larger one, or both. */
#define INET_CONF_EITHER(dev, knob)                                                                          \
    (READ_ONCE(in_dev_get(dev)->conf.knob) || READ_ONCE(dev_net(dev)->ipv4->conf_all.knob))
#define INET_CONF_MAX(dev, knob)                                                                             \
    MAX(READ_ONCE(in_dev_get(dev)->conf.knob), READ_ONCE(dev_net(dev)->ipv4->conf_all.knob))
#define INET_CONF_BOTH(dev, knob)                                                                            \
    (READ_ONCE(in_dev_get(dev)->conf.knob) && READ_ONCE(dev_net(dev)->ipv4->conf_all.knob))
