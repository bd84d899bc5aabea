/* lib/abi/netlink.h - Linux's netlink ABI: messages, attributes, and what NETLINK_ROUTE says with them
 * (<linux/netlink.h>, <linux/rtnetlink.h> and what that includes). lib/abi/abi_test.c compares the numbers
 * with the host's headers. */
#pragma once
#include "lib/abi/socket.h"

#if __STDC_HOSTED__
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#else

/* ---- sockets ---- */

struct sockaddr_nl {
    sa_family_t nl_family;
    unsigned short nl_pad;
    uint32_t nl_pid, nl_groups;
};
_Static_assert(sizeof(struct sockaddr_nl) == 12, "the ABI's size");
enum { NETLINK_ROUTE = 0, NETLINK_USERSOCK = 2, NETLINK_SOCK_DIAG = 4 };
enum { SOL_NETLINK = 270 };
enum {
    NETLINK_ADD_MEMBERSHIP = 1,
    NETLINK_DROP_MEMBERSHIP = 2,
    NETLINK_PKTINFO = 3,
    NETLINK_BROADCAST_ERROR = 4,
    NETLINK_NO_ENOBUFS = 5,
    NETLINK_LIST_MEMBERSHIPS = 9,
    NETLINK_CAP_ACK = 10,
    NETLINK_EXT_ACK = 11,
    NETLINK_GET_STRICT_CHK = 12
};
struct nl_pktinfo {
    uint32_t group;
};

/* ---- messages and attributes ---- */

struct nlmsghdr {
    uint32_t nlmsg_len; /* with this header */
    uint16_t nlmsg_type, nlmsg_flags;
    uint32_t nlmsg_seq, nlmsg_pid;
};
_Static_assert(sizeof(struct nlmsghdr) == 16, "the ABI's size");
#define NLMSG_ALIGN(n) (((n) + 3u) & ~3u)
#define NLMSG_HDRLEN   ((uint32_t)sizeof(struct nlmsghdr))
enum {
    NLM_F_REQUEST = 0x01,
    NLM_F_MULTI = 0x02,
    NLM_F_ACK = 0x04,
    NLM_F_ECHO = 0x08,
    NLM_F_DUMP_INTR = 0x10,
    NLM_F_DUMP_FILTERED = 0x20,
    NLM_F_ROOT = 0x100,
    NLM_F_MATCH = 0x200,
    NLM_F_DUMP = 0x300,
    NLM_F_REPLACE = 0x100,
    NLM_F_EXCL = 0x200,
    NLM_F_CREATE = 0x400,
    NLM_F_APPEND = 0x800,
    NLM_F_CAPPED = 0x100,
    NLM_F_ACK_TLVS = 0x200
};
enum { NLMSG_NOOP = 1, NLMSG_ERROR = 2, NLMSG_DONE = 3, NLMSG_MIN_TYPE = 0x10 };
struct nlmsgerr {
    int error;
    struct nlmsghdr msg;
};
enum { NLMSGERR_ATTR_MSG = 1, NLMSGERR_ATTR_OFFS = 2 };
struct nlattr {
    uint16_t nla_len, nla_type; /* len: with this header */
};
_Static_assert(sizeof(struct nlattr) == 4, "the ABI's size");
enum { NLA_F_NESTED = 0x8000, NLA_F_NET_BYTEORDER = 0x4000 };
#define NLA_TYPE_MASK  ((int)~(NLA_F_NESTED | NLA_F_NET_BYTEORDER))
#define NLA_ALIGN(n)   (((n) + 3u) & ~3u)
#define NLA_HDRLEN     ((int)sizeof(struct nlattr))

/* ---- NETLINK_ROUTE ---- */

enum {
    RTM_NEWLINK = 16,
    RTM_DELLINK = 17,
    RTM_GETLINK = 18,
    RTM_SETLINK = 19,
    RTM_NEWADDR = 20,
    RTM_DELADDR = 21,
    RTM_GETADDR = 22,
    RTM_NEWROUTE = 24,
    RTM_DELROUTE = 25,
    RTM_GETROUTE = 26,
    RTM_NEWNEIGH = 28,
    RTM_DELNEIGH = 29,
    RTM_GETNEIGH = 30,
    RTM_NEWRULE = 32,
    RTM_DELRULE = 33,
    RTM_GETRULE = 34
};
enum rtnetlink_groups {
    RTNLGRP_LINK = 1,
    RTNLGRP_NEIGH = 3,
    RTNLGRP_IPV4_IFADDR = 5,
    RTNLGRP_IPV4_ROUTE = 7
};
struct rtgenmsg {
    unsigned char rtgen_family;
};

struct ifinfomsg {
    unsigned char ifi_family, ifi_pad;
    unsigned short ifi_type;
    int ifi_index;
    unsigned ifi_flags, ifi_change;
};
_Static_assert(sizeof(struct ifinfomsg) == 16, "the ABI's size");
enum {
    IFLA_ADDRESS = 1,
    IFLA_BROADCAST = 2,
    IFLA_IFNAME = 3,
    IFLA_MTU = 4,
    IFLA_LINK = 5,
    IFLA_QDISC = 6,
    IFLA_STATS = 7,
    IFLA_MASTER = 10,
    IFLA_TXQLEN = 13,
    IFLA_OPERSTATE = 16,
    IFLA_LINKMODE = 17,
    IFLA_LINKINFO = 18,
    IFLA_IFALIAS = 20,
    IFLA_STATS64 = 23,
    IFLA_EXT_MASK = 29,
    IFLA_GROUP = 27,
    IFLA_PROMISCUITY = 30,
    IFLA_NUM_TX_QUEUES = 31,
    IFLA_NUM_RX_QUEUES = 32,
    IFLA_CARRIER = 33,
    IFLA_MIN_MTU = 50,
    IFLA_MAX_MTU = 51,
    IFLA_ALT_IFNAME = 53
};
enum { RTEXT_FILTER_SKIP_STATS = 8 };
struct rtnl_link_stats64 {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped;
    uint64_t multicast, collisions, rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors;
    uint64_t rx_fifo_errors, rx_missed_errors, tx_aborted_errors, tx_carrier_errors, tx_fifo_errors;
    uint64_t tx_heartbeat_errors, tx_window_errors, rx_compressed, tx_compressed, rx_nohandler;
};
_Static_assert(sizeof(struct rtnl_link_stats64) == 24 * 8, "the ABI's size");
struct rtnl_link_stats {
    uint32_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped;
    uint32_t multicast, collisions, rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors;
    uint32_t rx_fifo_errors, rx_missed_errors, tx_aborted_errors, tx_carrier_errors, tx_fifo_errors;
    uint32_t tx_heartbeat_errors, tx_window_errors, rx_compressed, tx_compressed, rx_nohandler;
};
_Static_assert(sizeof(struct rtnl_link_stats) == 24 * 4, "the ABI's size");

struct ifaddrmsg {
    uint8_t ifa_family, ifa_prefixlen, ifa_flags, ifa_scope;
    uint32_t ifa_index;
};
_Static_assert(sizeof(struct ifaddrmsg) == 8, "the ABI's size");
enum {
    IFA_ADDRESS = 1,
    IFA_LOCAL = 2,
    IFA_LABEL = 3,
    IFA_BROADCAST = 4,
    IFA_CACHEINFO = 6,
    IFA_FLAGS = 8,
    IFA_RT_PRIORITY = 9,
    IFA_PROTO = 11
};
enum { IFA_F_SECONDARY = 0x01, IFA_F_PERMANENT = 0x80, IFA_F_NOPREFIXROUTE = 0x200 };
struct ifa_cacheinfo {
    uint32_t ifa_prefered, ifa_valid; /* seconds */
    uint32_t cstamp, tstamp;          /* made, changed: hundredths of a second since boot */
};
_Static_assert(sizeof(struct ifa_cacheinfo) == 16, "the ABI's size");

struct rtmsg {
    unsigned char rtm_family, rtm_dst_len, rtm_src_len, rtm_tos, rtm_table, rtm_protocol, rtm_scope, rtm_type;
    unsigned rtm_flags;
};
_Static_assert(sizeof(struct rtmsg) == 12, "the ABI's size");
enum {
    RTN_UNSPEC = 0,
    RTN_UNICAST = 1,
    RTN_LOCAL = 2,
    RTN_BROADCAST = 3,
    RTN_ANYCAST = 4,
    RTN_MULTICAST = 5,
    RTN_BLACKHOLE = 6,
    RTN_UNREACHABLE = 7,
    RTN_PROHIBIT = 8
};
enum { RTPROT_UNSPEC = 0, RTPROT_REDIRECT = 1, RTPROT_KERNEL = 2, RTPROT_BOOT = 3 };
enum rt_scope_t { RT_SCOPE_UNIVERSE = 0, RT_SCOPE_LINK = 253, RT_SCOPE_HOST = 254, RT_SCOPE_NOWHERE = 255 };
enum { RTM_F_CLONED = 0x200, RTM_F_PREFIX = 0x800 };
enum rt_class_t { RT_TABLE_UNSPEC = 0, RT_TABLE_DEFAULT = 253, RT_TABLE_MAIN = 254, RT_TABLE_LOCAL = 255 };
enum {
    RTA_DST = 1,
    RTA_SRC = 2,
    RTA_IIF = 3,
    RTA_OIF = 4,
    RTA_GATEWAY = 5,
    RTA_PRIORITY = 6,
    RTA_PREFSRC = 7,
    RTA_METRICS = 8,
    RTA_MULTIPATH = 9,
    RTA_FLOW = 11,
    RTA_CACHEINFO = 12,
    RTA_TABLE = 15,
    RTA_MARK = 16,
    RTA_VIA = 18,
    RTA_ENCAP_TYPE = 21,
    RTA_ENCAP = 22,
    RTA_UID = 25,
    RTA_IP_PROTO = 27,
    RTA_SPORT = 28,
    RTA_DPORT = 29,
    RTA_NH_ID = 30
};
struct rtnexthop {
    unsigned short rtnh_len;
    unsigned char rtnh_flags, rtnh_hops; /* hops: the weight less one */
    int rtnh_ifindex;
};
_Static_assert(sizeof(struct rtnexthop) == 8, "the ABI's size");
enum { RTNH_F_DEAD = 1, RTNH_F_ONLINK = 4, RTNH_F_LINKDOWN = 16 };
enum { RTAX_LOCK = 1, RTAX_MTU = 2, RTAX_WINDOW = 3, RTAX_ADVMSS = 8 };
#define RTAX_MAX       17
struct rta_cacheinfo {
    uint32_t rta_clntref, rta_lastuse;
    int32_t rta_expires;
    uint32_t rta_error, rta_used, rta_id, rta_ts, rta_tsage;
};
_Static_assert(sizeof(struct rta_cacheinfo) == 32, "the ABI's size");

struct ndmsg {
    uint8_t ndm_family, ndm_pad1;
    uint16_t ndm_pad2;
    int32_t ndm_ifindex;
    uint16_t ndm_state;
    uint8_t ndm_flags, ndm_type;
};
_Static_assert(sizeof(struct ndmsg) == 12, "the ABI's size");
enum { NDA_DST = 1, NDA_LLADDR = 2, NDA_CACHEINFO = 3, NDA_PROBES = 4, NDA_IFINDEX = 8, NDA_MASTER = 9 };
enum { NTF_PROXY = 0x08 };
enum {
    NUD_INCOMPLETE = 0x01,
    NUD_REACHABLE = 0x02,
    NUD_STALE = 0x04,
    NUD_DELAY = 0x08,
    NUD_PROBE = 0x10,
    NUD_FAILED = 0x20,
    NUD_NOARP = 0x40,
    NUD_PERMANENT = 0x80,
    NUD_NONE = 0x00
};
struct nda_cacheinfo {
    uint32_t ndm_confirmed, ndm_used, ndm_updated; /* so many hundredths of a second ago */
    uint32_t ndm_refcnt;
};
_Static_assert(sizeof(struct nda_cacheinfo) == 16, "the ABI's size");

struct fib_rule_hdr {
    uint8_t family, dst_len, src_len, tos, table, res1, res2, action;
    uint32_t flags;
};
_Static_assert(sizeof(struct fib_rule_hdr) == 12, "the ABI's size");
enum { FRA_PRIORITY = 6, FRA_SUPPRESS_PREFIXLEN = 14, FRA_TABLE = 15, FRA_PROTOCOL = 21 };
enum { FR_ACT_TO_TBL = 1 };
#endif
