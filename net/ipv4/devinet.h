/* net/ipv4/devinet.h - the addresses of devices; private to net/ipv4.
 * A device has any number. The first of a network is its primary address, others in the same network are
 * secondary: they vanish with it, and their routes name it as their source. */
#pragma once
#include "lib/abi/netlink.h"
#include "net/ipv4/inet_conf.h"
#include "net/ipv4/ip.h"

struct in_ifaddr {
    struct list_head link; /* in in_device.addresses: primary ones first, of them those of narrow scope */
    be32 local, peer;      /* peer: the other end of a point-to-point link; else the same */
    be32 broadcast;        /* zero: none was given */
    uint8_t prefix_len;    /* of the network that peer lies in */
    uint8_t scope, proto;  /* enum route_scope; who gave it, kept for who asks */
    uint32_t flags;        /* IFA_F_* */
    uint32_t metric;       /* of the route to its network */
    char label[IFNAMSIZ];  /* the device's name, perhaps with a colon and more: what ifconfig calls it */
    uint64_t made_at, changed_at; /* time_now() */
};

/* The IPv4 part of a net_device (dev->ip_ptr), made when it is registered. */
struct in_device {
    struct net_device *dev;
    uint64_t defended_at; /* atomic: when a claim to our address was last answered */
    struct inet_conf conf;

    /* The first address, or zeros: written under lock, read without it: old or new words, each whole. */
    be32 address, netmask, broadcast;
    bool several; /* there are more */

    struct lock lock; /* INET_ADDR: the list. Changed between net_config_begin() and _end() only, where it may
                       * be read without */
    struct list_head addresses;
};
static inline struct in_device *in_dev_get(const struct net_device *dev)
{
    return dev->ip_ptr;
}
static inline be32 in_dev_address(const struct net_device *dev)
{
    return (be32){ READ_ONCE(in_dev_get(dev)->address.raw) };
}
static inline be32 in_dev_netmask(const struct net_device *dev)
{
    return (be32){ READ_ONCE(in_dev_get(dev)->netmask.raw) };
}
static inline be32 in_dev_broadcast(const struct net_device *dev)
{
    return (be32){ READ_ONCE(in_dev_get(dev)->broadcast.raw) };
}

/* ---- asked by who sends and receives: any context, locks up to NEIGH may be held ---- */

/* Is addr one of dev's addresses? */
bool inet_dev_has(const struct net_device *dev, be32 addr);
/* Our address on dev to speak to: one in a network that holds dst, or else the first of at most scope (enum
 * route_scope); zero if there is none. */
be32 inet_select_addr(const struct net_device *dev, be32 dst, uint8_t scope);
/* Do a and b lie in one of dev's networks? */
bool inet_same_network(const struct net_device *dev, be32 a, be32 b);

/* ---- changed: process context, between net_config_begin() and _end(), no lock held ---- */

/* Give dev an address like ifa, which is copied. flags: IFA_F_NOPREFIXROUTE; the others follow. Its routes
 * come with it, and who listens hears of it. 0, -EEXIST (it has that one), -EINVAL (its network is there in
 * another scope), -ENOMEM. */
int inet_insert_ifa(struct net_device *dev, const struct in_ifaddr *ifa);
/* Take away ifa, the secondary ones of its network, and what routes they brought. */
void inet_delete_ifa(struct net_device *dev, struct in_ifaddr *ifa);
/* Take all of dev's addresses away. */
void inet_delete_all(struct net_device *dev);
/* The address with its network of prefix_len at peer, or NULL. */
struct in_ifaddr *inet_find_ifa(const struct net_device *dev, be32 local, be32 peer, uint8_t prefix_len);

/* Take up or down, register and unregister what IPv4 has of dev. */
int inet_device_event(struct net_device *dev, enum netdev_event event);

/* ---- devinet_routes.c: the routes that addresses bring; context as above ---- */

/* 0 or -ENOMEM. */
int inet_add_routes(struct net_device *dev, const struct in_ifaddr *ifa);
/* ifa is no longer in the list: what no other address brings goes, and every route that had it as source. */
void inet_remove_routes(struct net_device *dev, const struct in_ifaddr *ifa);

/* ---- devinet_ioctl.c ---- */

/* A request about an address; -ENOTTY if it is none of those. */
int inet_address_ioctl(struct net *net, unsigned request, uintptr_t arg);
/* SIOCGIFCONF: each address with its label; without a buffer only how many bytes they would take. */
int inet_list_addresses(struct net *net, uintptr_t arg);
/* SIOCSIFFLAGS for "eth0:1": without IFF_UP that address goes. */
int inet_alias_flags(struct net_device *dev, const struct ifreq *r);
/* The device of a label: eth0 for "eth0:1". NULL: there is none. */
struct net_device *inet_labelled(struct net *net, const char *label);
