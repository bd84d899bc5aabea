/* sim/threads/work_config.c - all that can change under traffic, changed; and packet sockets, which come and
 * go meanwhile. Traffic is that of work_udp.c and work_tcp.c. */
#include "sim/netconfig.h"
#include "sim/threads/work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct net *some_net(void *arg)
{
    return world.hosts[arg_host(arg)].net;
}

/* ---- devices ---- */

static int set_flags(struct net *net, const char *device, short set, short clear)
{
    struct ifreq r = { .ifr_flags = 0 };

    strcpy(r.ifr_name, device);
    int err = netconfig_ioctl(net, SIOCGIFFLAGS, &r);
    r.ifr_flags = (short)((r.ifr_flags | set) & ~clear);
    return err ? err : netconfig_ioctl(net, SIOCSIFFLAGS, &r);
}

/* Brings a card down and up with its address and route, changes its MTU and whether it hears all. */
static void device_changer(void *arg)
{
    struct net *net = some_net(arg);
    uint32_t address = world.hosts[arg_host(arg)].addr;

    while (work_goes_on()) {
        switch (threads_chance(5)) {
        case 0:
            set_flags(net, "eth0", 0, IFF_UP);
            process_sleep(ms(threads_chance(20)));
            netconfig_address(net, "eth0", address, 24);
            netconfig_route(net, "0.0.0.0/0", arg_host(arg) == HOST_C ? "10.1.0.254" : "10.0.0.254");
            work_count("times down and up");
            break;
        case 1:
            netconfig_mtu(net, "eth0", (uint32_t)(600 + threads_chance(900)));
            break;
        case 2:
            set_flags(net, "eth0", IFF_PROMISC, 0);
            break;
        case 3:
            set_flags(net, "eth0", 0, IFF_PROMISC);
            break;
        default:
            process_sleep(ms(threads_chance(100)));
        }
    }
    netconfig_address(net, "eth0", address, 24);
}

/* ---- routes and neighbours ---- */

static void route_changer(void *arg)
{
    struct net *net = some_net(arg);
    const char *gateway = arg_host(arg) == HOST_C ? "10.1.0.254" : "10.0.0.254";
    struct rtentry route = { .rt_flags = RTF_UP };
    struct sockaddr_in dst = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a020000) },
                       mask = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xffff0000) };

    memcpy(&route.rt_dst, &dst, sizeof dst);
    memcpy(&route.rt_genmask, &mask, sizeof mask);
    while (work_goes_on()) {
        if (netconfig_route(net, "10.2.0.0/16", gateway) == 0)
            work_count("routes");
        process_sleep(ms(threads_chance(3)));
        netconfig_ioctl(net, SIOCDELRT, &route);
        process_sleep(ms(threads_chance(3)));
    }
}

static void neighbour_changer(void *arg)
{
    struct net *net = some_net(arg);

    while (work_goes_on()) {
        struct arpreq r = { .arp_flags = ATF_COM };
        struct sockaddr_in in = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(0x0a000001 + (uint32_t)threads_chance(3)) };
        memcpy(&r.arp_pa, &in, sizeof in);
        r.arp_ha.sa_family = ARPHRD_ETHER;
        memcpy(r.arp_ha.sa_data, "\2\0\0\0\0", 5);
        r.arp_ha.sa_data[5] = (char)(ntohl(in.sin_addr.s_addr) - 0x0a000001);
        strcpy(r.arp_dev, "eth0");
        static const unsigned requests[] = { SIOCSARP, SIOCGARP, SIOCDARP, SIOCDARP };
        if (netconfig_ioctl(net, requests[threads_chance(4)], &r) == 0)
            work_count("neighbours");
        process_sleep(ms(threads_chance(10)));
    }
}

/* ---- knobs and files ---- */

/* Sets every knob to what it is, forwarding and a few more to other values. */
static void knob_turner(void *arg)
{
    struct net *net = some_net(arg);
    const struct sysctl_table *t = NULL;
    char line[SYSCTL_TEXT_MAX + 1];

    while (work_goes_on()) {
        t = net_sysctl_next(net, t);
        for (const struct sysctl *s = t ? t->entries : NULL; s && s->path; s++)
            if (net_sysctl_get(net, s->path, line, sizeof line) >= 0 && !s->read_only &&
                net_sysctl_set(net, s->path, line) == 0)
                work_count("knobs");
        net_sysctl_set(net, "net/ipv4/ip_forward", threads_chance(4) ? "1" : "0");
        net_sysctl_set(net, "net/ipv4/tcp_timestamps", threads_chance(2) ? "1" : "0");
        net_sysctl_set(net, "net/ipv4/tcp_sack", threads_chance(2) ? "1" : "0");
        process_sleep(ms(2));
    }
}

enum { TEXT_MOST = 65536 };

static void file_reader(void *arg)
{
    struct net *net = some_net(arg);
    char *text = mem_alloc(TEXT_MOST);

    while (work_goes_on()) {
        for (const struct net_proc_file *f = net_proc_next(net, NULL); f && text; f = net_proc_next(net, f)) {
            struct textbuf out = { .buf = text, .size = TEXT_MOST };
            f->show(net, &out);
            work_count("files");
        }
        process_sleep(ms(5));
    }
    mem_free(text);
}

static void facts_reader(void *arg)
{
    struct net_device_facts f;
    struct ifreq list[8];
    struct ifconf conf = { .ifc_len = sizeof list, .ifc_req = list };

    while (work_goes_on()) {
        for (uint32_t i = 0; netdev_next(some_net(arg), i, &f); i = f.ifindex + 1)
            work_count("facts");
        netconfig_ioctl(some_net(arg), SIOCGIFCONF, &conf);
        conf.ifc_len = sizeof list;
        process_sleep(ms(3));
    }
}

void start_changes(void)
{
    for (unsigned host = 0; host < HOSTS; host++) {
        if (host != HOST_R)
            work_process("device changer", device_changer, work_arg(host, 0));
        work_process("route changer", route_changer, work_arg(host, 0));
        work_process("route changer", route_changer, work_arg(host, 1));
        work_process("neighbour changer", neighbour_changer, work_arg(host, 0));
        work_process("knob turner", knob_turner, work_arg(host, 0));
        work_process("file reader", file_reader, work_arg(host, 0));
        work_process("facts reader", facts_reader, work_arg(host, 0));
    }
}

void start_config(void)
{
    start_udp();
    start_tcp();
    start_changes();
}

/* ---- taps ---- */

enum {
    RING_BLOCK = 4096,
    RING_BLOCKS = 4,
    RING_FRAME = 2048,
    RING_FRAMES = RING_BLOCK * RING_BLOCKS / RING_FRAME
};

static struct sock *packet_socket(struct net *net, int type)
{
    struct sock *sk;
    int protocol = htons(threads_chance(3) ? 3 /* all */ : 0x0800);

    return sock_create(net, AF_PACKET, type, protocol, &sk) ? NULL : sk;
}

static void attach_filter(struct sock *sk)
{
    struct sock_filter keep_some[] = {
        { 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x0800 }, { 6, 0, 0, 96 }, { 6, 0, 0, 0 }
    };
    struct sock_fprog program = { ARRAY_SIZE(keep_some), keep_some };
    int nothing = 0;

    if (threads_chance(3))
        sock_setsockopt(sk, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    else
        sock_setsockopt(sk, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof nothing);
}

static void change_membership(struct sock *sk, int option)
{
    struct packet_mreq mreq = { .mr_ifindex = 2, .mr_type = PACKET_MR_PROMISC };

    sock_setsockopt(sk, SOL_PACKET, option, &mreq, sizeof mreq);
}

static void bind_to_device(struct sock *sk, int ifindex)
{
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(3), .sll_ifindex = ifindex };

    sock_bind(sk, (struct sockaddr *)&ll, sizeof ll);
}

static bool readable(void *sk)
{
    return sock_poll(sk) & POLLIN;
}

static void sniffer(void *arg)
{
    uint8_t data[300];

    while (work_goes_on()) {
        struct sock *sk = packet_socket(some_net(arg), arg_n(arg) ? SOCK_DGRAM : SOCK_RAW);
        if (!sk)
            continue;
        change_membership(sk, PACKET_ADD_MEMBERSHIP);
        for (unsigned i = 0; i < 60 && process_poll(sock_waitq(sk), readable, sk, time_now() + ms(50)); i++) {
            if (vk_recv(sk, data, sizeof data, MSG_DONTWAIT) > 0)
                work_count("frames");
            switch (threads_chance(12)) {
            case 0:
                attach_filter(sk);
                break;
            case 1:
                bind_to_device(sk, (int)threads_chance(3));
                break;
            case 2:
                vk_getsockopt_int(sk, SOL_PACKET, PACKET_STATISTICS);
                break;
            case 3:
                vk_setsockopt_int(sk, SOL_PACKET, PACKET_AUXDATA, 1);
                break;
            default:
                break;
            }
        }
        if (threads_chance(2))
            change_membership(sk, PACKET_DROP_MEMBERSHIP);
        vk_close(sk);
    }
}

static void give_back(struct shared_pages *pages, unsigned i)
{
    struct tpacket2_hdr *h = (void *)((uint8_t *)shared_pages_at(pages, i / 2) + i % 2 * RING_FRAME);

    if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return;
    work_count("frames in a ring");
    __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

static void ring_reader(void *arg)
{
    struct tpacket_req req = { RING_BLOCK, RING_BLOCKS, RING_FRAME, RING_FRAMES };

    while (work_goes_on()) {
        struct sock *sk = packet_socket(some_net(arg), SOCK_RAW);
        if (!sk)
            continue;
        vk_setsockopt_int(sk, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
        sock_setsockopt(sk, SOL_PACKET, PACKET_RX_RING, &req, sizeof req);
        struct shared_pages *pages = sock_pages(sk);
        for (unsigned i = 0; pages && i < 200 && work_goes_on(); i++) {
            give_back(pages, i % RING_FRAMES);
            if (i % RING_FRAMES == 0)
                process_poll(sock_waitq(sk), readable, sk, time_now() + ms(10));
        }
        shared_pages_put(pages);
        vk_close(sk);
    }
}

/* Sends frames that it made itself. */
static void frame_sender(void *arg)
{
    static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };

    while (work_goes_on()) {
        struct sock *sk = packet_socket(some_net(arg), SOCK_RAW);
        if (!sk)
            continue;
        bind_to_device(sk, 2);
        for (unsigned i = 0; i < 20 && work_goes_on(); i++)
            if (vk_send(sk, frame, sizeof frame, 0) > 0)
                work_count("frames sent");
        vk_close(sk);
        process_sleep(ms(2));
    }
}

void start_taps(void)
{
    start_udp();
    for (unsigned host = 0; host < 2; host++) {
        for (unsigned n = 0; n < 2; n++)
            work_process("sniffer", sniffer, work_arg(host, n));
        work_process("ring reader", ring_reader, work_arg(host, 0));
        work_process("frame sender", frame_sender, work_arg(host, 0));
        work_process("device changer", device_changer, work_arg(host, 0));
        work_process("file reader", file_reader, work_arg(host, 0));
    }
}
