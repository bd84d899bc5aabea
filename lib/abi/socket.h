/* lib/abi/socket.h - Linux's socket ABI (x86-64): addresses, messages, options, interface requests.
 * Numbers and layouts are the kernel's own; lib/abi/abi_test.c compares them with the host's headers. */
#pragma once
#include "lib/bytes.h"
#include <stddef.h>

/* TCP's socket options (IPPROTO_TCP). In both branches: the C library's <netinet/tcp.h> declares more than we
 * want. */
enum {
    TCP_NODELAY = 1,
    TCP_MAXSEG = 2,
    TCP_CORK = 3,
    TCP_KEEPIDLE = 4,
    TCP_KEEPINTVL = 5,
    TCP_KEEPCNT = 6,
    TCP_SYNCNT = 7,
    TCP_LINGER2 = 8,
    TCP_DEFER_ACCEPT = 9,
    TCP_WINDOW_CLAMP = 10,
    TCP_INFO = 11,
    TCP_QUICKACK = 12,
    TCP_CONGESTION = 13,
    TCP_THIN_LINEAR_TIMEOUTS = 16,
    TCP_THIN_DUPACK = 17,
    TCP_USER_TIMEOUT = 18,
    TCP_REPAIR = 19,
    TCP_REPAIR_QUEUE = 20,
    TCP_QUEUE_SEQ = 21,
    TCP_REPAIR_OPTIONS = 22,
    TCP_FASTOPEN = 23,
    TCP_TIMESTAMP = 24,
    TCP_NOTSENT_LOWAT = 25,
    TCP_CC_INFO = 26,
    TCP_SAVE_SYN = 27,
    TCP_SAVED_SYN = 28,
    TCP_REPAIR_WINDOW = 29,
    TCP_FASTOPEN_CONNECT = 30,
    TCP_ULP = 31,
    TCP_FASTOPEN_NO_COOKIE = 34,
    TCP_INQ = 36,
    TCP_CM_INQ = TCP_INQ,
    TCP_TX_DELAY = 37,
    TCP_IS_MPTCP = 43
};

/* What MSG_ERRQUEUE tells (<linux/errqueue.h>), and the options of raw ICMP sockets (<linux/icmp.h>). */
enum { SO_EE_ORIGIN_NONE = 0, SO_EE_ORIGIN_LOCAL = 1, SO_EE_ORIGIN_ICMP = 2, SO_EE_ORIGIN_ZEROCOPY = 5 };
enum { SO_EE_CODE_ZEROCOPY_COPIED = 1 };
struct sock_extended_err {
    uint32_t ee_errno;
    uint8_t ee_origin, ee_type, ee_code, ee_pad;
    uint32_t ee_info, ee_data;
};
_Static_assert(sizeof(struct sock_extended_err) == 16, "the ABI's size");
enum { ICMP_FILTER = 1 };

/* AF_PACKET (<linux/if_packet.h>, packet(7)) and classic BPF (<linux/filter.h>), in both branches too. */
struct sockaddr_ll {
    unsigned short sll_family;
    uint16_t sll_protocol; /* network order */
    int sll_ifindex;
    unsigned short sll_hatype;
    unsigned char sll_pkttype, sll_halen, sll_addr[8];
};
_Static_assert(sizeof(struct sockaddr_ll) == 20, "the ABI's size");
struct packet_mreq {
    int mr_ifindex;
    unsigned short mr_type, mr_alen;
    unsigned char mr_address[8];
};
struct tpacket_stats {
    uint32_t tp_packets, tp_drops;
};
struct tpacket_auxdata {
    uint32_t tp_status, tp_len, tp_snaplen;
    uint16_t tp_mac, tp_net, tp_vlan_tci, tp_vlan_tpid;
};
_Static_assert(sizeof(struct tpacket_auxdata) == 20, "the ABI's size");
enum {
    TP_STATUS_KERNEL = 0,
    TP_STATUS_USER = 0x1,
    TP_STATUS_LOSING = 0x4,
    TP_STATUS_CSUMNOTREADY = 0x8,
    TP_STATUS_CSUM_VALID = 0x80
};
struct tpacket_req {
    uint32_t tp_block_size, tp_block_nr, tp_frame_size, tp_frame_nr;
};
_Static_assert(sizeof(struct tpacket_req) == 16, "the ABI's size");
struct tpacket2_hdr {
    uint32_t tp_status, tp_len, tp_snaplen;
    uint16_t tp_mac, tp_net;
    uint32_t tp_sec, tp_nsec;
    uint16_t tp_vlan_tci, tp_vlan_tpid;
    uint8_t tp_padding[4];
};
_Static_assert(sizeof(struct tpacket2_hdr) == 32, "the ABI's size");
enum { TPACKET_V1 = 0, TPACKET_V2 = 1, TPACKET_ALIGNMENT = 16 };
enum { SOL_PACKET = 263 };
enum {
    PACKET_ADD_MEMBERSHIP = 1,
    PACKET_DROP_MEMBERSHIP = 2,
    PACKET_RX_RING = 5,
    PACKET_STATISTICS = 6,
    PACKET_AUXDATA = 8,
    PACKET_VERSION = 10,
    PACKET_HDRLEN = 11,
    PACKET_RESERVE = 12,
    PACKET_IGNORE_OUTGOING = 23
};
enum { PACKET_MR_MULTICAST = 0, PACKET_MR_PROMISC = 1, PACKET_MR_ALLMULTI = 2, PACKET_MR_UNICAST = 3 };
struct sock_filter {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
_Static_assert(sizeof(struct sock_filter) == 8, "the ABI's size");
struct sock_fprog {
    unsigned short len;
    struct sock_filter *filter;
};
_Static_assert(sizeof(struct sock_fprog) == 16, "the ABI's size");

#if __STDC_HOSTED__
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#else

/* ---- addresses ---- */

typedef unsigned int socklen_t;
typedef long ssize_t;
typedef uint16_t sa_family_t;

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17 };

struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};
struct sockaddr_storage {
    sa_family_t ss_family;
    char ss_padding[118];
    unsigned long ss_align;
};
_Static_assert(sizeof(struct sockaddr_storage) == 128, "the ABI's size");
struct in_addr {
    uint32_t s_addr; /* network order */
};
struct sockaddr_in {
    sa_family_t sin_family;
    uint16_t sin_port; /* network order */
    struct in_addr sin_addr;
    uint8_t sin_zero[8];
};
_Static_assert(sizeof(struct sockaddr_in) == 16, "the ABI's size");

struct sockaddr_un {
    sa_family_t sun_family;
    char sun_path[108];
};
_Static_assert(sizeof(struct sockaddr_un) == 110, "the ABI's size");

#define INADDR_ANY       ((uint32_t)0x00000000)
#define INADDR_LOOPBACK  ((uint32_t)0x7f000001)
#define INADDR_BROADCAST ((uint32_t)0xffffffff)

/* ---- sockets and messages ---- */

enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5 };
enum { SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000 };
enum {
    IPPROTO_IP = 0,
    IPPROTO_ICMP = 1,
    IPPROTO_IGMP = 2,
    IPPROTO_TCP = 6,
    IPPROTO_UDP = 17,
    IPPROTO_RAW = 255
};
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

struct iovec {
    void *iov_base;
    size_t iov_len;
};
struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};
_Static_assert(sizeof(struct msghdr) == 56, "the ABI's size");
struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level, cmsg_type;
};
#define CMSG_ALIGN(n)    (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_LEN(n)      (sizeof(struct cmsghdr) + (n))
#define CMSG_SPACE(n)    (sizeof(struct cmsghdr) + CMSG_ALIGN(n))
#define CMSG_DATA(c)     ((unsigned char *)((uintptr_t)(c) + sizeof(struct cmsghdr)))
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
struct ucred {
    int pid;
    unsigned uid, gid;
};
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};
_Static_assert(sizeof(struct mmsghdr) == 64, "the ABI's size");
struct linger {
    int l_onoff, l_linger;
};

enum {
    MSG_OOB = 0x1,
    MSG_PEEK = 0x2,
    MSG_DONTROUTE = 0x4,
    MSG_CTRUNC = 0x8,
    MSG_PROXY = 0x10, /* in the kernel MSG_PROBE: nothing is sent */
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_EOR = 0x80,
    MSG_WAITALL = 0x100,
    MSG_ERRQUEUE = 0x2000,
    MSG_NOSIGNAL = 0x4000,
    MSG_CONFIRM = 0x800,
    MSG_MORE = 0x8000,
    MSG_WAITFORONE = 0x10000,
    MSG_ZEROCOPY = 0x4000000,
    MSG_CMSG_CLOEXEC = 0x40000000
};

/* ---- options ---- */

enum { SOL_IP = 0, SOL_SOCKET = 1, SOL_RAW = 255 }; /* TCP and UDP options: IPPROTO_TCP, IPPROTO_UDP */
enum {
    SO_DEBUG = 1,
    SO_REUSEADDR = 2,
    SO_TYPE = 3,
    SO_ERROR = 4,
    SO_DONTROUTE = 5,
    SO_BROADCAST = 6,
    SO_SNDBUF = 7,
    SO_RCVBUF = 8,
    SO_KEEPALIVE = 9,
    SO_OOBINLINE = 10,
    SO_PRIORITY = 12,
    SO_LINGER = 13,
    SO_NO_CHECK = 11,
    SO_REUSEPORT = 15,
    SO_PASSCRED = 16,
    SO_PEERCRED = 17,
    SO_RCVLOWAT = 18,
    SO_SNDLOWAT = 19,
    SO_RCVTIMEO = 20,
    SO_SNDTIMEO = 21,
    SO_BINDTODEVICE = 25,
    SO_ATTACH_FILTER = 26,
    SO_DETACH_FILTER = 27,
    SO_TIMESTAMP = 29,
    SO_ACCEPTCONN = 30,
    SO_SNDBUFFORCE = 32,
    SO_RCVBUFFORCE = 33,
    SO_TIMESTAMPNS = 35,
    SO_MARK = 36,
    SO_PROTOCOL = 38,
    SO_DOMAIN = 39,
    SO_RXQ_OVFL = 40,
    SO_BSDCOMPAT = 14,
    SO_PEERNAME = 28,
    SO_WIFI_STATUS = 41,
    SO_PEEK_OFF = 42,
    SO_NOFCS = 43,
    SO_LOCK_FILTER = 44,
    SO_SELECT_ERR_QUEUE = 45,
    SO_BUSY_POLL = 46,
    SO_MAX_PACING_RATE = 47,
    SO_BPF_EXTENSIONS = 48,
    SO_INCOMING_CPU = 49,
    SO_CNX_ADVICE = 53,
    SO_MEMINFO = 55,
    SO_INCOMING_NAPI_ID = 56,
    SO_COOKIE = 57,
    SO_ZEROCOPY = 60
};
enum {
    SO_BINDTOIFINDEX = 62,
    SO_TIMESTAMP_NEW = 63,
    SO_TIMESTAMPNS_NEW = 64,
    SO_RCVTIMEO_NEW = 66,
    SO_SNDTIMEO_NEW = 67,
    SO_PREFER_BUSY_POLL = 69,
    SO_BUSY_POLL_BUDGET = 70,
    SO_NETNS_COOKIE = 71,
    SO_BUF_LOCK = 72,
    SO_TXREHASH = 74,
    SO_RCVMARK = 75
};
#define SCM_TIMESTAMP    SO_TIMESTAMP
#define SCM_TIMESTAMPNS  SO_TIMESTAMPNS
enum {
    IP_TOS = 1,
    IP_TTL = 2,
    IP_HDRINCL = 3,
    IP_OPTIONS = 4,
    IP_RECVOPTS = 6,
    IP_RETOPTS = 7,
    IP_PKTINFO = 8,
    IP_MTU_DISCOVER = 10,
    IP_RECVERR = 11,
    IP_RECVTTL = 12,
    IP_RECVTOS = 13,
    IP_MTU = 14,
    IP_FREEBIND = 15,
    IP_BIND_ADDRESS_NO_PORT = 24,
    IP_MULTICAST_IF = 32,
    IP_MULTICAST_TTL = 33,
    IP_MULTICAST_LOOP = 34,
    IP_ADD_MEMBERSHIP = 35,
    IP_DROP_MEMBERSHIP = 36,
    IP_UNBLOCK_SOURCE = 37,
    IP_BLOCK_SOURCE = 38,
    IP_ADD_SOURCE_MEMBERSHIP = 39,
    IP_DROP_SOURCE_MEMBERSHIP = 40,
    IP_MSFILTER = 41,
    MCAST_JOIN_GROUP = 42,
    MCAST_BLOCK_SOURCE = 43,
    MCAST_UNBLOCK_SOURCE = 44,
    MCAST_LEAVE_GROUP = 45,
    MCAST_JOIN_SOURCE_GROUP = 46,
    MCAST_LEAVE_SOURCE_GROUP = 47,
    MCAST_MSFILTER = 48,
    IP_MULTICAST_ALL = 49
};
enum { UDP_CORK = 1, UDP_SEGMENT = 103 };
enum { MCAST_EXCLUDE = 0, MCAST_INCLUDE = 1 };
/* A group, and the device by one of its addresses or (mreqn, group_req) by number. */
struct ip_mreq {
    struct in_addr imr_multiaddr, imr_interface;
};
struct ip_mreqn {
    struct in_addr imr_multiaddr, imr_address;
    int imr_ifindex;
};
struct ip_mreq_source {
    struct in_addr imr_multiaddr, imr_interface, imr_sourceaddr;
};
struct ip_msfilter {
    struct in_addr imsf_multiaddr, imsf_interface;
    uint32_t imsf_fmode, imsf_numsrc;
    struct in_addr imsf_slist[1]; /* imsf_numsrc of them */
};
struct group_req {
    uint32_t gr_interface;
    struct sockaddr_storage gr_group;
};
struct group_source_req {
    uint32_t gsr_interface;
    struct sockaddr_storage gsr_group, gsr_source;
};
struct group_filter {
    uint32_t gf_interface;
    struct sockaddr_storage gf_group;
    uint32_t gf_fmode, gf_numsrc;
    struct sockaddr_storage gf_slist[1]; /* gf_numsrc of them */
};
_Static_assert(sizeof(struct ip_mreqn) == 12 && sizeof(struct ip_mreq_source) == 12, "the ABI's sizes");
_Static_assert(sizeof(struct group_req) == 136 && sizeof(struct group_source_req) == 264 &&
                   sizeof(struct group_filter) == 272,
               "the ABI's sizes");
enum { IP_PMTUDISC_DONT = 0, IP_PMTUDISC_WANT = 1, IP_PMTUDISC_DO = 2, IP_PMTUDISC_PROBE = 3 };
struct in_pktinfo {
    int ipi_ifindex;
    struct in_addr ipi_spec_dst, ipi_addr; /* our address; the header's destination */
};
_Static_assert(sizeof(struct in_pktinfo) == 12, "the ABI's size");

/* ---- poll ---- */

enum { POLLIN = 0x1, POLLPRI = 0x2, POLLOUT = 0x4, POLLERR = 0x8, POLLHUP = 0x10, POLLNVAL = 0x20 };
enum { POLLRDNORM = 0x40, POLLRDBAND = 0x80, POLLWRNORM = 0x100, POLLWRBAND = 0x200, POLLRDHUP = 0x2000 };

/* ---- requests about interfaces, routes and neighbours ---- */

enum { FIONREAD = 0x541b, FIONBIO = 0x5421, TIOCOUTQ = 0x5411, SIOCOUTQNSD = 0x894b };
enum { FIOSETOWN = 0x8901, SIOCSPGRP = 0x8902, FIOGETOWN = 0x8903, SIOCGPGRP = 0x8904, SIOCATMARK = 0x8905 };
enum {
    SIOCADDRT = 0x890b,
    SIOCDELRT = 0x890c,
    SIOCGIFNAME = 0x8910,
    SIOCGIFCONF = 0x8912,
    SIOCGIFFLAGS = 0x8913,
    SIOCSIFFLAGS = 0x8914,
    SIOCGIFADDR = 0x8915,
    SIOCSIFADDR = 0x8916,
    SIOCGIFDSTADDR = 0x8917,
    SIOCSIFDSTADDR = 0x8918,
    SIOCGIFBRDADDR = 0x8919,
    SIOCSIFBRDADDR = 0x891a,
    SIOCGIFNETMASK = 0x891b,
    SIOCSIFNETMASK = 0x891c,
    SIOCGIFMETRIC = 0x891d,
    SIOCGIFMTU = 0x8921,
    SIOCSIFMTU = 0x8922,
    SIOCSIFNAME = 0x8923,
    SIOCSIFHWADDR = 0x8924,
    SIOCGIFHWADDR = 0x8927,
    SIOCGIFINDEX = 0x8933,
    SIOCGIFTXQLEN = 0x8942,
    SIOCSIFTXQLEN = 0x8943,
    SIOCDARP = 0x8953,
    SIOCGARP = 0x8954,
    SIOCSARP = 0x8955,
    SIOCETHTOOL = 0x8946,
    SIOCGIFMAP = 0x8970
};

#define IFNAMSIZ         16
enum {
    IFF_UP = 0x1,
    IFF_BROADCAST = 0x2,
    IFF_LOOPBACK = 0x8,
    IFF_RUNNING = 0x40,
    IFF_NOARP = 0x80,
    IFF_PROMISC = 0x100,
    IFF_MULTICAST = 0x1000
};
struct ifmap {
    unsigned long mem_start, mem_end;
    unsigned short base_addr;
    unsigned char irq, dma, port;
};
struct ifreq {
    char ifr_name[IFNAMSIZ];
    union {
        struct sockaddr ifr_addr, ifr_dstaddr, ifr_broadaddr, ifr_netmask, ifr_hwaddr;
        short ifr_flags;
        char ifr_newname[IFNAMSIZ];
        int ifr_ifindex, ifr_metric, ifr_mtu, ifr_qlen;
        struct ifmap ifr_map;
    };
};
_Static_assert(sizeof(struct ifreq) == 40, "the ABI's size");
struct ifconf {
    int ifc_len; /* bytes */
    union {
        void *ifc_buf;
        struct ifreq *ifc_req;
    };
};
_Static_assert(sizeof(struct ifconf) == 16, "the ABI's size");

enum { RTF_UP = 0x1, RTF_GATEWAY = 0x2, RTF_HOST = 0x4, RTF_REJECT = 0x200 };
struct rtentry {
    unsigned long rt_pad1;
    struct sockaddr rt_dst, rt_gateway, rt_genmask;
    unsigned short rt_flags;
    short rt_pad2;
    unsigned long rt_pad3;
    void *rt_pad4;
    short rt_metric;
    char *rt_dev;
    unsigned long rt_mtu, rt_window;
    unsigned short rt_irtt;
};
_Static_assert(sizeof(struct rtentry) == 120, "the ABI's size");

enum { ARPHRD_ETHER = 1, ARPHRD_LOOPBACK = 772 };
enum { ATF_COM = 0x2, ATF_PERM = 0x4 };
struct arpreq {
    struct sockaddr arp_pa, arp_ha;
    int arp_flags;
    struct sockaddr arp_netmask;
    char arp_dev[16];
};
_Static_assert(sizeof(struct arpreq) == 68, "the ABI's size");
#endif
