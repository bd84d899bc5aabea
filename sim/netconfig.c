/* sim/netconfig.c - addresses and routes through socket requests (netdevice(7)), as on any machine. */
#include "sim/netconfig.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_prefix(const char *text, unsigned *prefix)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n > 32)
        return -EINVAL;
    *prefix = (unsigned)n;
    return 0;
}

int netconfig_parse(const char *text, uint32_t *ip, unsigned *prefix)
{
    char address[16] = "";
    struct in_addr in;
    unsigned bits = 32;
    size_t n = strcspn(text, "/");

    if (n >= sizeof address || (text[n] && parse_prefix(text + n + 1, &bits)))
        return -EINVAL;
    memcpy(address, text, n);
    if (inet_pton(AF_INET, address, &in) != 1)
        return -EINVAL;
    *ip = ntohl(in.s_addr);
    if (prefix)
        *prefix = bits;
    return 0;
}

int netconfig_ioctl(struct net *net, unsigned request, void *arg)
{
    struct sock *sk;
    int err = sock_create(net, AF_INET, SOCK_DGRAM, 0, &sk);

    if (err)
        return err;
    err = sock_ioctl(sk, request, (uintptr_t)arg);
    sock_release(sk);
    return err;
}

static uint32_t mask_of(unsigned prefix)
{
    return prefix ? UINT32_MAX << (32 - prefix) : 0;
}

static void set_inet(struct sockaddr *addr, uint32_t ip)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip) };

    memcpy(addr, &in, sizeof in);
}

static int name_device(struct ifreq *ifr, const char *device)
{
    *ifr = (struct ifreq){ .ifr_flags = 0 };
    if (strlen(device) >= sizeof ifr->ifr_name)
        return -ENODEV;
    strcpy(ifr->ifr_name, device);
    return 0;
}

int netconfig_address(struct net *net, const char *device, uint32_t ip, unsigned prefix)
{
    struct ifreq ifr;
    int err = name_device(&ifr, device);

    set_inet(&ifr.ifr_addr, ip);
    if (!err)
        err = netconfig_ioctl(net, SIOCSIFADDR, &ifr);
    set_inet(&ifr.ifr_netmask, mask_of(prefix));
    if (!err)
        err = netconfig_ioctl(net, SIOCSIFNETMASK, &ifr);
    if (!err)
        err = netconfig_ioctl(net, SIOCGIFFLAGS, &ifr);
    ifr.ifr_flags |= IFF_UP;
    return err ? err : netconfig_ioctl(net, SIOCSIFFLAGS, &ifr);
}

int netconfig_mtu(struct net *net, const char *device, uint32_t mtu)
{
    struct ifreq ifr;
    int err = name_device(&ifr, device);

    ifr.ifr_mtu = (int)mtu;
    return err ? err : netconfig_ioctl(net, SIOCSIFMTU, &ifr);
}

int netconfig_route(struct net *net, const char *destination, const char *gateway)
{
    struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
    uint32_t to, by;
    unsigned prefix;

    if (netconfig_parse(destination, &to, &prefix) || netconfig_parse(gateway, &by, NULL))
        return -EINVAL;
    set_inet(&route.rt_dst, to);
    set_inet(&route.rt_genmask, mask_of(prefix));
    set_inet(&route.rt_gateway, by);
    return netconfig_ioctl(net, SIOCADDRT, &route);
}
