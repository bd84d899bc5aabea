/* net/igmp/igmp.h - multicast: which groups this host is in, and telling the routers so (IGMPv1 to v3, RFC
 * 1112, 2236, 3376). Registers itself with IPv4 (struct inet_multicast); private to net/.
 *
 *     membership.c   a socket joins and leaves; what a device receives follows from all of its sockets
 *     sockopt.c      the options by which programs say so, ip(7)
 *     report.c       what is told, when something changed or a router asked
 *     query.c        a router asks, another host answers
 *     igmp.c         registration, devices that come and go, /proc/net */
#pragma once
#include "net/ipv4/ip.h"

struct igmp_hdr { /* RFC 2236 2; of RFC 3376's messages the first 8 bytes */
    uint8_t type, code;
    be16 check;
    be32 group;
};
_Static_assert(sizeof(struct igmp_hdr) == 8, "RFC 2236 2");
enum igmp_type { /* RFC 3376 4 */
                 IGMP_QUERY = 0x11,
                 IGMP_V1_REPORT = 0x12,
                 IGMP_V2_REPORT = 0x16,
                 IGMP_V2_LEAVE = 0x17,
                 IGMP_V3_REPORT = 0x22
};
struct igmpv3_query { /* RFC 3376 4.1 */
    struct igmp_hdr hdr;
    uint8_t s_qrv, qqic;
    be16 n_sources;
    be32 sources[];
};
_Static_assert(sizeof(struct igmpv3_query) == 12, "RFC 3376 4.1");
struct igmpv3_record { /* RFC 3376 4.2.3 */
    uint8_t type, aux_len;
    be16 n_sources;
    be32 group;
    be32 sources[];
};
_Static_assert(sizeof(struct igmpv3_record) == 8, "RFC 3376 4.2.3");
enum igmp_record_type { /* RFC 3376 4.2.12 */
                        RECORD_IS_INCLUDE = 1,
                        RECORD_IS_EXCLUDE = 2,
                        RECORD_TO_INCLUDE = 3,
                        RECORD_TO_EXCLUDE = 4,
                        RECORD_ALLOW = 5,
                        RECORD_BLOCK = 6
};

/* RFC 3376 8; those of v2 are the same (RFC 2236 8) but the last. */
enum { IGMP_ROBUSTNESS = 2 };
#define IGMP_QUERY_INTERVAL    sec(125)
#define IGMP_QUERY_RESPONSE    sec(10)
#define IGMP_V3_UNSOLICITED    sec(1)
#define IGMP_V2_UNSOLICITED    sec(10)
#define IGMP_V1_RESPONSE_DELAY sec(10) /* RFC 2236 4: a v1 query has no time in it */

/* A list of sources and what it means: only these, or all but these (RFC 3376 2). */
struct mc_filter {
    bool exclude;
    uint32_t n, room;
    be32 *sources;
};

/* One socket in one group on one device. IGMP lock. */
struct mc_member {
    struct mc_member *next;    /* of the same socket: sk->mc_groups */
    struct list_head in_group; /* mc_group.members; alone when the device is gone */
    struct mc_group *joined;   /* NULL when the device is gone */
    be32 group, address;       /* address: how the program named the device, or zero */
    uint32_t ifindex;
    struct mc_filter filter;
};

/* A source whose state changed and has to be told so many times more. */
struct mc_change {
    be32 source;
    uint32_t left;
};

/* A group that a device is in, or has left and has not told everybody yet (no members). IGMP lock. */
struct mc_group {
    struct list_head link; /* mc_device.groups */
    struct mc_device *on;
    be32 address;
    struct list_head members;
    uint32_t users;          /* members */
    struct mc_filter filter; /* of all members together, RFC 3376 3.2 */
    bool in_filter;          /* the device's own filter lets it in */

    uint32_t mode_left; /* RFC 3376 5.1: so often the change of mode is still to be told */
    uint32_t n_changes;
    struct mc_change *changes;

    uint64_t report_at;     /* an answer is due, or in v1 and v2 an unsolicited report; TIME_NEVER */
    struct mc_filter asked; /* the sources that were asked for; none: for the group */
    uint32_t unsolicited;   /* v1, v2: so many more of those */
    bool last_reporter;     /* RFC 2236 3: nobody else reported it since we did */
};

/* The part of a net_device (dev->mc_ptr), made when it is registered. IGMP lock. */
struct mc_device {
    struct net_device *dev;
    struct list_head groups;
    uint32_t n_groups;
    bool up;
    uint64_t v1_until, v2_until; /* RFC 3376 7.2.1: older queriers are about */
    uint64_t general_at;         /* the answer to a general query; TIME_NEVER */
    uint64_t change_at;          /* the next report of changes; TIME_NEVER */
    uint32_t robustness;         /* the querier's, or ours */
    uint64_t query_interval;     /* the querier's */
    struct timer timer;          /* at the first of all these moments */
    struct mc_member all_hosts;  /* nobody's: RFC 1112 7.2, 224.0.0.1 always */
};

struct igmp_knobs {
    int32_t max_memberships, max_sources, robustness;
    bool report_link_local;
};

struct igmp_state {
    struct lock lock; /* IGMP */
    struct igmp_knobs knobs;
    struct sysctl_table sysctls;
    struct netdev_notifier notifier;
    struct net_proc_file groups_file, filters_file;
};

static inline struct mc_device *mc_device_of(const struct net_device *dev)
{
    return dev->mc_ptr;
}

/* ---- filters ---- */

bool mc_filter_has(const struct mc_filter *f, be32 source);
bool mc_filter_passes(const struct mc_filter *f, be32 source);
int mc_filter_add(struct mc_filter *f, be32 source); /* 0 or -ENOMEM; there already: 0 */
bool mc_filter_remove(struct mc_filter *f, be32 source);
void mc_filter_free(struct mc_filter *f);

/* ---- membership.c: IGMP lock held ---- */

struct mc_group *mc_group_find(const struct mc_device *d, be32 group);
/* Put m, whose group and filter are set, into its group on d. 0 or -ENOMEM. */
int mc_member_join(struct mc_device *d, struct mc_member *m);
/* Take it out. m stays the caller's. */
void mc_member_leave(struct mc_member *m);
/* m's filter becomes *fresh, which is taken: emptied. */
void mc_member_refilter(struct mc_member *m, struct mc_filter *fresh);
/* Free g if nobody is in it and nothing is left to tell. */
void mc_group_settle(struct mc_group *g);
/* struct inet_multicast's. The lock is not held. */
bool mc_wanted(struct net_device *dev, be32 group, be32 saddr, uint8_t protocol);
bool mc_allowed(const struct sock *sk, be32 group, be32 saddr, uint32_t ifindex);

/* ---- sockopt.c: struct inet_multicast's ---- */

int mc_setsockopt(struct sock *sk, int option, const void *value, socklen_t len);
int mc_getsockopt(struct sock *sk, int option, void *value, socklen_t *len);
void mc_leave_all(struct sock *sk);

/* ---- report.c: IGMP lock held ---- */

/* What g's filter was, now that it is another (RFC 3376 5.1). */
void igmp_changed(struct mc_group *g, const struct mc_filter *before);
/* g has its first member, has lost its last one, or its device came up. */
void igmp_joined(struct mc_group *g);
void igmp_left(struct mc_group *g);
/* Nothing more is to be told on d. */
void igmp_forget(struct mc_device *d);
/* Have the timer run at the first moment that something is due. */
void igmp_arm(struct mc_device *d);
void igmp_timer(struct timer *t);
/* The version that the routers on d's network speak (RFC 3376 7.2.1): 1, 2 or 3. */
unsigned igmp_version(const struct mc_device *d);
/* Some time from now on, up to most ns. */
uint64_t igmp_random_delay(uint64_t most);

/* ---- query.c ---- */

void igmp_rcv(struct sk_buff *skb);
uint32_t igmp_decode_code(uint8_t code); /* RFC 3376 4.1.1, 4.1.7 */

extern const struct net_module igmp_module;
