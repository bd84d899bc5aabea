/* user/floor.c - what Debian's programs were seen to ask of Linux, asked of this kernel.
 *
 *     floor      a line each: `socket`, `option`, `ioctl` or `file`, its name, and `there` or the error
 *
 * tools/abi_floor.py has the same names and says which may be missing and why; grade/test_abi.py compares.
 * System calls are not asked here: kern/sys/table.h is the list of those. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef AF_NETLINK
#define AF_NETLINK 16
#endif
enum { NETLINK_ROUTE_ = 0, NETLINK_GENERIC_ = 16 };               /* <linux/netlink.h> */
enum { NETLINK_EXT_ACK_ = 11, NETLINK_GET_STRICT_CHK_ = 12 };     /* there */
enum { ICMP_FILTER_ = 1, SOL_PACKET_ = 263, SOL_NETLINK_ = 270 }; /* <linux/icmp.h>, <linux/socket.h> */
enum { BPF_LDA = 0x20, BPF_RETURN = 0x06, ALL = 0xffff };         /* <linux/filter.h> */

static void tell(const char *kind, const char *name, int there)
{
    printf("%s %s %s\n", kind, name, there ? "there" : strerror(errno));
}

/* ---- sockets ---- */

static const struct {
    const char *name;
    int family, type, protocol;
} sockets[] = {
    { "AF_INET,SOCK_DGRAM,IPPROTO_ICMP", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
    { "AF_INET,SOCK_DGRAM,IPPROTO_IP", AF_INET, SOCK_DGRAM, 0 },
    { "AF_INET,SOCK_RAW,IPPROTO_ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP },
    { "AF_INET,SOCK_STREAM,IPPROTO_IP", AF_INET, SOCK_STREAM, 0 },
    { "AF_INET,SOCK_STREAM,IPPROTO_TCP", AF_INET, SOCK_STREAM, IPPROTO_TCP },
    { "AF_INET6,SOCK_DGRAM,IPPROTO_ICMPV6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
    { "AF_INET6,SOCK_DGRAM,IPPROTO_IP", AF_INET6, SOCK_DGRAM, 0 },
    { "AF_INET6,SOCK_RAW,IPPROTO_ICMPV6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
    { "AF_INET6,SOCK_STREAM,IPPROTO_IP", AF_INET6, SOCK_STREAM, 0 },
    { "AF_NETLINK,SOCK_RAW,NETLINK_GENERIC", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC_ },
    { "AF_NETLINK,SOCK_RAW,NETLINK_ROUTE", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE_ },
    { "AF_PACKET,SOCK_RAW,ETH_P_ALL", AF_PACKET, SOCK_RAW, 0x0300 /* htons(ETH_P_ALL) */ },
    { "AF_UNIX,SOCK_STREAM,0", AF_UNIX, SOCK_STREAM, 0 },
};

static void ask_for_sockets(void)
{
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        int fd = socket(sockets[i].family, sockets[i].type | SOCK_CLOEXEC, sockets[i].protocol);
        tell("socket", sockets[i].name, fd >= 0);
        close(fd);
    }
}

/* ---- options ---- */

enum owner { TCP, UDP, RAW, PACKET, TCP6, NETLINK };

static int open_owner(enum owner owner)
{
    switch (owner) {
    case TCP:
        return socket(AF_INET, SOCK_STREAM, 0);
    case UDP:
        return socket(AF_INET, SOCK_DGRAM, 0);
    case RAW:
        return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    case PACKET:
        return socket(AF_PACKET, SOCK_RAW, 0);
    case TCP6:
        return socket(AF_INET6, SOCK_STREAM, 0);
    default:
        return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE_);
    }
}

enum { GET = 1, NUMBER = 2, TIME = 4, TEXT = 8, FILTER = 16, RING = 32, MEMBERSHIP = 64 };

static const struct {
    const char *name;
    enum owner owner;
    int level, option, how;
} options[] = {
    { "SOL_IP/IP_MTU_DISCOVER", UDP, IPPROTO_IP, IP_MTU_DISCOVER, NUMBER },
    { "SOL_IP/IP_PKTINFO", UDP, IPPROTO_IP, IP_PKTINFO, NUMBER },
    { "SOL_IP/IP_RECVERR", UDP, IPPROTO_IP, IP_RECVERR, NUMBER },
    { "SOL_IP/IP_TTL", UDP, IPPROTO_IP, IP_TTL, NUMBER },
    { "SOL_IPV6/IPV6_V6ONLY", TCP6, IPPROTO_IPV6, IPV6_V6ONLY, NUMBER },
    { "SOL_NETLINK/NETLINK_EXT_ACK", NETLINK, SOL_NETLINK_, NETLINK_EXT_ACK_, NUMBER },
    { "SOL_NETLINK/NETLINK_GET_STRICT_CHK", NETLINK, SOL_NETLINK_, NETLINK_GET_STRICT_CHK_, NUMBER },
    { "SOL_PACKET/PACKET_ADD_MEMBERSHIP", PACKET, SOL_PACKET_, PACKET_ADD_MEMBERSHIP, MEMBERSHIP },
    { "SOL_PACKET/PACKET_AUXDATA", PACKET, SOL_PACKET_, PACKET_AUXDATA, NUMBER },
    { "SOL_PACKET/PACKET_HDRLEN", PACKET, SOL_PACKET_, PACKET_HDRLEN, GET },
    { "SOL_PACKET/PACKET_RESERVE", PACKET, SOL_PACKET_, PACKET_RESERVE, NUMBER },
    { "SOL_PACKET/PACKET_RX_RING", PACKET, SOL_PACKET_, PACKET_RX_RING, RING },
    { "SOL_PACKET/PACKET_STATISTICS", PACKET, SOL_PACKET_, PACKET_STATISTICS, GET },
    { "SOL_PACKET/PACKET_VERSION", PACKET, SOL_PACKET_, PACKET_VERSION, NUMBER },
    { "SOL_RAW/ICMP_FILTER", RAW, SOL_RAW, ICMP_FILTER_, NUMBER },
    { "SOL_SOCKET/SO_ATTACH_FILTER", PACKET, SOL_SOCKET, SO_ATTACH_FILTER, FILTER },
    { "SOL_SOCKET/SO_BPF_EXTENSIONS", PACKET, SOL_SOCKET, SO_BPF_EXTENSIONS, GET },
    { "SOL_SOCKET/SO_BROADCAST", UDP, SOL_SOCKET, SO_BROADCAST, NUMBER },
    { "SOL_SOCKET/SO_ERROR", TCP, SOL_SOCKET, SO_ERROR, GET },
    { "SOL_SOCKET/SO_KEEPALIVE", TCP, SOL_SOCKET, SO_KEEPALIVE, NUMBER },
    { "SOL_SOCKET/SO_RCVBUF", TCP, SOL_SOCKET, SO_RCVBUF, NUMBER },
    { "SOL_SOCKET/SO_RCVTIMEO", TCP, SOL_SOCKET, SO_RCVTIMEO, TIME },
    { "SOL_SOCKET/SO_REUSEADDR", TCP, SOL_SOCKET, SO_REUSEADDR, NUMBER },
    { "SOL_SOCKET/SO_REUSEPORT", TCP, SOL_SOCKET, SO_REUSEPORT, NUMBER },
    { "SOL_SOCKET/SO_SNDBUF", TCP, SOL_SOCKET, SO_SNDBUF, NUMBER },
    { "SOL_SOCKET/SO_SNDTIMEO", TCP, SOL_SOCKET, SO_SNDTIMEO, TIME },
    { "SOL_SOCKET/SO_TIMESTAMP", UDP, SOL_SOCKET, SO_TIMESTAMP, NUMBER },
    { "SOL_TCP/TCP_CONGESTION", TCP, IPPROTO_TCP, TCP_CONGESTION, GET },
    { "SOL_TCP/TCP_INFO", TCP, IPPROTO_TCP, TCP_INFO, GET },
    { "SOL_TCP/TCP_KEEPCNT", TCP, IPPROTO_TCP, TCP_KEEPCNT, NUMBER },
    { "SOL_TCP/TCP_KEEPIDLE", TCP, IPPROTO_TCP, TCP_KEEPIDLE, NUMBER },
    { "SOL_TCP/TCP_KEEPINTVL", TCP, IPPROTO_TCP, TCP_KEEPINTVL, NUMBER },
    { "SOL_TCP/TCP_MAXSEG", TCP, IPPROTO_TCP, TCP_MAXSEG, GET },
    { "SOL_TCP/TCP_NODELAY", TCP, IPPROTO_TCP, TCP_NODELAY, NUMBER },
};

enum { VERSION = 1 /* TPACKET_V2, which libpcap uses */ };

static int set_option(int fd, int level, int option, int how)
{
    struct timeval time = { 1, 0 };
    const int version = VERSION;
    struct packet_mreq membership = { .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC };
    struct {
        uint16_t code;
        uint8_t jt, jf;
        uint32_t k;
    } all = { .code = BPF_RETURN, .k = ALL };
    struct {
        unsigned short n;
        void *code;
    } filter = { 1, &all };
    unsigned ring[4] = { 4096, 2, 2048,
                         4 }; /* struct tpacket_req: block size and number, frame size and number */
    int number = 1;

    if (how == NUMBER)
        return setsockopt(fd, level, option, &number, sizeof number);
    if (how == TIME)
        return setsockopt(fd, level, option, &time, sizeof time);
    if (how == FILTER)
        return setsockopt(fd, level, option, &filter, sizeof filter);
    if (how == MEMBERSHIP)
        return setsockopt(fd, level, option, &membership, sizeof membership);
    setsockopt(fd, level, PACKET_VERSION, &version, sizeof version);
    return setsockopt(fd, level, option, ring, sizeof ring);
}

static void ask_for_options(void)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int fd = open_owner(options[i].owner), bad = fd < 0;
        int value[128] = { VERSION }; /* PACKET_HDRLEN asks for that of a version */
        socklen_t size = sizeof value;
        if (!bad && options[i].how == GET)
            bad = getsockopt(fd, options[i].level, options[i].option, value, &size);
        else if (!bad)
            bad = set_option(fd, options[i].level, options[i].option, options[i].how);
        tell("option", options[i].name, !bad);
        close(fd);
    }
}

/* ---- ioctl ---- */

static const struct {
    const char *name;
    unsigned long request;
} interface_requests[] = {
    { "SIOCGIFADDR", SIOCGIFADDR },       { "SIOCGIFBRDADDR", SIOCGIFBRDADDR },
    { "SIOCGIFDSTADDR", SIOCGIFDSTADDR }, { "SIOCGIFFLAGS", SIOCGIFFLAGS },
    { "SIOCGIFHWADDR", SIOCGIFHWADDR },   { "SIOCGIFINDEX", SIOCGIFINDEX },
    { "SIOCGIFMAP", SIOCGIFMAP },         { "SIOCGIFMETRIC", SIOCGIFMETRIC },
    { "SIOCGIFMTU", SIOCGIFMTU },         { "SIOCGIFNETMASK", SIOCGIFNETMASK },
    { "SIOCGIFTXQLEN", SIOCGIFTXQLEN },
};

static void ask_for_requests(void)
{
    struct ifreq r = { .ifr_ifindex = 1 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), console = open("/dev/console", O_RDWR | O_NOCTTY), number = 0;
    char terminal[64];

    tell("ioctl", "FIOASYNC", !ioctl(fd, FIOASYNC, &number));
    tell("ioctl", "FIONBIO", !ioctl(fd, FIONBIO, &number));
    tell("ioctl", "FIONREAD", !ioctl(fd, FIONREAD, &number));
    tell("ioctl", "TCGETS", !ioctl(console, TCGETS, terminal));
    tell("ioctl", "TIOCGWINSZ", !ioctl(console, TIOCGWINSZ, terminal));
    tell("ioctl", "SIOCGIFNAME", !ioctl(fd, SIOCGIFNAME, &r));
    for (size_t i = 0; i < sizeof interface_requests / sizeof *interface_requests; i++) {
        strcpy(r.ifr_name, "eth0");
        tell("ioctl", interface_requests[i].name, !ioctl(fd, interface_requests[i].request, &r));
    }
    uint32_t info[64] = { 3 }; /* ETHTOOL_GDRVINFO */
    r.ifr_data = (char *)info;
    tell("ioctl", "SIOCETHTOOL", !ioctl(fd, 0x8946, &r));
}

/* ---- files ---- */

static const char *const files[] = {
    "/dev/null",
    "/dev/urandom",
    "/proc",
    "/proc/self/cmdline",
    "/proc/self/stat",
    "/proc/self/task",
    "/proc/net/arp",
    "/proc/net/dev",
    "/proc/net/if_inet6",
    "/proc/net/route",
    "/proc/net/tcp",
    "/proc/net/tcp6",
    "/proc/net/udp",
    "/proc/net/udp6",
    "/proc/sys/kernel/ngroups_max",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/vm/overcommit_memory",
    "/sys/class/net/lo/statistics/rx_fifo_errors",
    "/sys/class/net/lo/statistics/rx_missed_errors",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
    "/sys/devices/system/cpu/online",
    "/sys/kernel/mm/transparent_hugepage/enabled",
};

int main(void)
{
    ask_for_sockets();
    ask_for_options();
    ask_for_requests();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char byte;
        int fd = open(files[i], O_RDONLY);
        tell("file", files[i], fd >= 0 && (read(fd, &byte, 1) >= 0 || errno == EISDIR));
        close(fd);
    }
    return 0;
}
