/* net/ipv4/inet_ioctl_test.c - the requests of ifconfig, route and arp: netdevice(7), arp(7), route(8). What
 * they tell of a device in order is in route_test.c; here is what they set, and what they refuse. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include <arpa/inet.h>

enum { ETHTOOL = 0x8946 }; /* SIOCETHTOOL, of <linux/sockios.h> */

static struct ifreq about(const char *device)
{
    struct ifreq r = { .ifr_mtu = 0 };

    strncpy(r.ifr_name, device, sizeof r.ifr_name - 1);
    return r;
}

static struct sockaddr address(const char *text)
{
    const struct sockaddr_in in = { .sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(vk_parse_ip(text, NULL)) };
    struct sockaddr a;

    memcpy(&a, &in, sizeof a);
    return a;
}

static int set_address(struct vkernel *vk, unsigned request, const char *text)
{
    struct ifreq r = about("eth0");

    r.ifr_addr = address(text);
    return vk_ioctl(vk, request, &r);
}

static bool address_is(struct vkernel *vk, unsigned request, const char *text)
{
    struct ifreq r = about("eth0");
    const struct sockaddr want = address(text);

    return vk_ioctl(vk, request, &r) == 0 && !memcmp(&r.ifr_addr, &want, sizeof want);
}

/* ---- devices ---- */

TEST(an_address_without_a_netmask_has_that_of_its_class) // RFC 791 3.2; devinet: SIOCSIFADDR
{
    static const struct {
        const char *addr, *mask, *broadcast;
    } classes[] = { { "10.1.2.3", "255.0.0.0", "10.255.255.255" },
                    { "172.16.1.2", "255.255.0.0", "172.16.255.255" },
                    { "192.168.1.2", "255.255.255.0", "192.168.1.255" } };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
        CHECK_EQ(set_address(h.vk, SIOCSIFADDR, classes[i].addr), 0);
        CHECK(address_is(h.vk, SIOCGIFADDR, classes[i].addr));
        CHECK(address_is(h.vk, SIOCGIFNETMASK, classes[i].mask));
        CHECK(address_is(h.vk, SIOCGIFBRDADDR, classes[i].broadcast));
    }
    CHECK_EQ(set_address(h.vk, SIOCSIFADDR, "224.0.0.1"), -EINVAL);
    CHECK_EQ(set_address(h.vk, SIOCSIFADDR, "255.255.255.255"), -EINVAL);
    CHECK(address_is(h.vk, SIOCGIFADDR, "192.168.1.2"));
    sim_run_for(ms(1));
    host_destroy(&h);
}

TEST(a_netmask_moves_the_broadcast_address_along_and_must_be_a_prefix)
{
    struct host h = host_create();

    CHECK_EQ(set_address(h.vk, SIOCSIFNETMASK, "255.255.255.128"), 0);
    CHECK(address_is(h.vk, SIOCGIFBRDADDR, "10.0.0.127"));
    CHECK_EQ(set_address(h.vk, SIOCSIFBRDADDR, "10.0.0.127"), 0); /* what it is anyway */
    CHECK_EQ(set_address(h.vk, SIOCSIFBRDADDR, "10.0.0.255"),
             0); /* one of its own stays when the mask moves */
    CHECK_EQ(set_address(h.vk, SIOCSIFNETMASK, "255.255.255.192"), 0);
    CHECK(address_is(h.vk, SIOCGIFBRDADDR, "10.0.0.255"));
    CHECK_EQ(set_address(h.vk, SIOCSIFNETMASK, "255.0.255.0"), -EINVAL);
    CHECK(address_is(h.vk, SIOCGIFNETMASK, "255.255.255.192"));
    sim_run_for(ms(1));
    host_destroy(&h);
}

TEST(an_address_of_zero_is_no_address_and_takes_the_routes_along)
{
    struct host h = host_create();
    struct ifreq r = about("eth0");
    struct dst_entry *dst;

    CHECK_EQ(set_address(h.vk, SIOCSIFADDR, "0.0.0.0"), 0);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFADDR, &r), -EADDRNOTAVAIL);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFNETMASK, &r), -EADDRNOTAVAIL);
    CHECK_EQ(ip_route_output(h.vk->net, cpu_to_be32(h.tap->ip), (be32){ 0 }, 0, &dst), -ENETUNREACH);
    host_destroy(&h);
}

TEST(an_address_of_another_family_is_refused)
{
    static const unsigned requests[] = { SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFBRDADDR };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(requests); i++) {
        struct ifreq r = about("eth0");
        r.ifr_addr = (struct sockaddr){ .sa_family = AF_UNIX };
        CHECK_EQ(vk_ioctl(h.vk, requests[i], &r), -EAFNOSUPPORT);
    }
    CHECK(address_is(h.vk, SIOCGIFADDR, "10.0.0.1"));
    host_destroy(&h);
}

TEST(flags_say_who_listens_to_all_and_who_is_never_asked) // netdevice(7): IFF_PROMISC, IFF_NOARP
{
    struct host h = host_create();
    struct ifreq r = about("eth0");
    struct packet p = echo_request(&h, "x", 1);

    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags |= IFF_PROMISC;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFFLAGS, &r), 0);
    CHECK(r.ifr_flags & IFF_PROMISC && r.ifr_flags & IFF_UP);
    r.ifr_flags = (short)((r.ifr_flags & ~IFF_PROMISC) | IFF_NOARP);
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &r), 0);
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP); /* and no question before it */
    CHECK_EQ(p.dst_mac[0], 0xff);
    host_destroy(&h);
}

TEST(a_device_gets_another_name_queue_and_address) // netdevice(7): SIOCSIFNAME, SIOCSIFTXQLEN, SIOCSIFHWADDR
{
    struct host h = host_create();
    struct ifreq r = about("eth0");

    r.ifr_qlen = 50;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFTXQLEN, &r), 0);
    CHECK_EQ(h.vk->nic->dev->tx_queue_len, 50);
    r.ifr_qlen = -1;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFTXQLEN, &r), -EINVAL);
    r.ifr_hwaddr.sa_family = AF_INET;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFHWADDR, &r), -EINVAL);
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFHWADDR, &r), -EOPNOTSUPP); /* this card cannot */
    strcpy(r.ifr_newname, "wan");
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFNAME, &r), 0);
    CHECK(!strcmp(h.vk->nic->dev->name, "wan"));
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFNAME, &r), -ENODEV);
    host_destroy(&h);
}

TEST(what_no_device_here_has_is_told_as_linux_does) // netdevice(7): SIOCGIFMETRIC, SIOCGIFMAP, ethtool
{
    struct host h = host_create();
    struct ifreq r = about("eth0");
    const struct ifmap none = { 0 };

    r.ifr_metric = 7;
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFMETRIC, &r), 0);
    CHECK_EQ(r.ifr_metric, 0);
    memset(&r.ifr_map, 0xee, sizeof r.ifr_map);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFMAP, &r), 0);
    CHECK(!memcmp(&r.ifr_map, &none, offsetof(struct ifmap, port)));
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFTXQLEN, &r), 0);
    CHECK_EQ(r.ifr_qlen, h.vk->nic->dev->tx_queue_len);
    CHECK_EQ(vk_ioctl(h.vk, ETHTOOL, &r), -EOPNOTSUPP);
    r.ifr_ifindex = 99;
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFNAME, &r), -ENODEV);
    host_destroy(&h);
}

TEST(a_request_at_a_bad_address_is_a_fault)
{
    static const unsigned requests[] = { SIOCGIFNAME, SIOCGIFCONF, SIOCADDRT, SIOCDELRT,
                                         SIOCSARP,    SIOCGARP,    SIOCDARP,  SIOCGIFADDR };
    struct host h = host_create();
    struct ifconf conf = { .ifc_len = 1000, .ifc_buf = (void *)16 };
    static char device[] = "eth0";
    struct rtentry rt = { .rt_dst = address("192.168.9.0"), .rt_genmask = address("255.255.255.0") };

    for (unsigned i = 0; i < ARRAY_SIZE(requests); i++)
        CHECK_EQ(vk_ioctl(h.vk, requests[i], NULL), -EFAULT);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGIFCONF, &conf), -EFAULT);
    rt.rt_dev = (void *)16;
    CHECK_EQ(vk_ioctl(h.vk, SIOCADDRT, &rt), -EFAULT);
    rt.rt_dev = device;
    CHECK_EQ(vk_ioctl(h.vk, SIOCADDRT, &rt), 0);
    host_destroy(&h);
}

/* ---- routes ---- */

static int route_request(struct vkernel *vk, unsigned request, const char *dst, const char *mask,
                         const char *device)
{
    char name[32] = { 0 };
    struct rtentry rt = { .rt_dst = address(dst), .rt_genmask = address(mask), .rt_flags = RTF_UP };

    strncpy(name, device ? device : "", sizeof name - 1);
    rt.rt_dev = device ? name : NULL;
    return vk_ioctl(vk, request, &rt);
}

static bool has_route(struct vkernel *vk, const char *to)
{
    struct dst_entry *dst;

    if (ip_route_output(vk->net, cpu_to_be32(vk_parse_ip(to, NULL)), (be32){ 0 }, 0, &dst))
        return false;
    dst_release(dst);
    return true;
}

TEST(a_route_by_a_device_comes_and_goes) // route(8): add -net ... dev, del
{
    struct host h = host_create();

    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.255.255.0", "eth0"), 0);
    CHECK(has_route(h.vk, "192.168.9.9"));
    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.255.255.0", "eth0"), -EEXIST);
    CHECK_EQ(route_request(h.vk, SIOCDELRT, "192.168.9.0", "255.255.0.0", "eth0"), -EINVAL);
    CHECK_EQ(route_request(h.vk, SIOCDELRT, "192.168.0.0", "255.255.0.0", "eth0"), -ESRCH);
    CHECK_EQ(route_request(h.vk, SIOCDELRT, "192.168.9.0", "255.255.255.0", "lo"), -ESRCH);
    CHECK_EQ(route_request(h.vk, SIOCDELRT, "192.168.9.0", "255.255.255.0", NULL), 0);
    CHECK(!has_route(h.vk, "192.168.9.9"));
    host_destroy(&h);
}

TEST(a_route_that_leads_nowhere_is_refused) // rtentry as Linux judges it
{
    struct host h = host_create();
    struct rtentry rt = { .rt_dst = address("192.168.9.9"),
                          .rt_gateway = address("172.16.0.1"),
                          .rt_flags = RTF_UP | RTF_HOST | RTF_GATEWAY };
    struct ifreq down = about("eth0");

    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.255.255.0", NULL), -ENODEV);
    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.255.255.0", "eth7"), -ENODEV);
    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.255.255.0", "a-name-of-more-than-15"),
             -ENODEV);
    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.0.255.0", "eth0"), -EINVAL);
    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.7", "255.255.255.0", "eth0"), -EINVAL);
    CHECK_EQ(vk_ioctl(h.vk, SIOCADDRT, &rt), -ENETUNREACH); /* a gateway on no link of ours */
    rt.rt_gateway = address("10.0.0.1");
    CHECK(vk_ioctl(h.vk, SIOCADDRT, &rt) < 0); /* ourselves */
    rt.rt_dst.sa_family = AF_UNIX;
    CHECK_EQ(vk_ioctl(h.vk, SIOCADDRT, &rt), -EAFNOSUPPORT);
    CHECK_EQ(vk_ioctl(h.vk, SIOCSIFFLAGS, &down), 0);
    CHECK_EQ(route_request(h.vk, SIOCADDRT, "192.168.9.0", "255.255.255.0", "eth0"), -ENETDOWN);
    host_destroy(&h);
}

/* ---- neighbours ---- */

static struct arpreq neighbour(const char *ip, const uint8_t *mac, const char *device)
{
    struct arpreq r = { .arp_pa = address(ip), .arp_ha = { .sa_family = ARPHRD_ETHER } };

    memcpy(r.arp_ha.sa_data, mac, 6);
    strncpy(r.arp_dev, device, sizeof r.arp_dev - 1);
    return r;
}

TEST(a_neighbour_that_was_set_is_used_unasked_and_stands_against_replies) // arp(7), ATF_PERM
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct arpreq r = neighbour("10.0.0.9", h.tap->mac, "eth0");
    struct packet p = { .ethertype = 0x0806, .arp_op = 2, .arp_sender_ip = ip4(10, 0, 0, 9) };

    CHECK_EQ(vk_ioctl(h.vk, SIOCSARP, &r), 0);
    memcpy(p.dst_mac, host_mac(&h), 6);
    memcpy(p.arp_sender_mac, "\2\7\7\7\7\7", 6); /* somebody else claims the address */
    memcpy(p.arp_target_mac, host_mac(&h), 6);
    p.arp_target_ip = h.vk->addr;
    tap_send(h.tap, &p);
    sim_run_for(ms(1));
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.9", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    CHECK(!memcmp(p.dst_mac, h.tap->mac, 6));
    r = neighbour("10.0.0.9", h.tap->mac, ""); /* the route tells the device */
    memset(r.arp_ha.sa_data, 0, 6);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &r), 0);
    CHECK(!memcmp(r.arp_ha.sa_data, h.tap->mac, 6) && r.arp_flags == (ATF_COM | ATF_PERM));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_neighbour_that_is_not_known_cannot_be_told_or_forgotten) // arp(7)
{
    struct host h = host_create();
    struct arpreq r = neighbour("10.0.0.9", h.tap->mac, "eth0"),
                  nowhere = neighbour("172.16.0.1", h.tap->mac, ""),
                  no_device = neighbour("10.0.0.9", h.tap->mac, "eth7");

    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &r), -ENXIO);
    CHECK_EQ(vk_ioctl(h.vk, SIOCDARP, &r), -ENXIO);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &no_device), -ENODEV);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &nowhere), -ENETUNREACH);
    CHECK_EQ(vk_ioctl(h.vk, SIOCSARP, &r), 0);
    CHECK_EQ(vk_ioctl(h.vk, SIOCDARP, &r), 0);
    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &r), -ENXIO);
    r.arp_pa.sa_family = AF_UNIX;
    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &r), -EAFNOSUPPORT);
    host_destroy(&h);
}

TEST(a_neighbour_that_was_set_can_be_set_anew) // arp(8): -s says what it is from now on
{
    static const uint8_t old[6] = { 2, 1, 1, 1, 1, 1 };
    struct host h = host_create();
    struct arpreq r = neighbour("10.0.0.9", old, "eth0");

    CHECK_EQ(vk_ioctl(h.vk, SIOCSARP, &r), 0);
    r = neighbour("10.0.0.9", h.tap->mac, "eth0");
    CHECK_EQ(vk_ioctl(h.vk, SIOCSARP, &r), 0);
    r = neighbour("10.0.0.9", old, "eth0");
    CHECK_EQ(vk_ioctl(h.vk, SIOCGARP, &r), 0);
    CHECK(!memcmp(r.arp_ha.sa_data, h.tap->mac, 6) && r.arp_flags & ATF_PERM);
    host_destroy(&h);
}
