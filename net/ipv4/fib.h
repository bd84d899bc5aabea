/* net/ipv4/fib.h - the routing tables: which prefix leads where (RFC 1812 5.2.4); private to net/.
 * Two tables, as Linux has them: LOCAL says which addresses are ours or mean all of a link, MAIN the ways
 * out. LOCAL is asked first. Of several routes with one prefix the one with the lowest metric counts. */
#pragma once
#include "lib/bytes.h"
#include "lib/list.h"
#include "net/core/netdevice.h"

/* All of these are numbered as in rtnetlink(7). */
enum route_type {
    ROUTE_UNICAST = 1,
    ROUTE_LOCAL = 2,       /* an address of ours */
    ROUTE_BROADCAST = 3,   /* all of a link */
    ROUTE_BLACKHOLE = 6,   /* dropped in silence; a sender here gets EINVAL */
    ROUTE_UNREACHABLE = 7, /* ICMP host unreachable; EHOSTUNREACH */
    ROUTE_PROHIBIT = 8     /* ICMP administratively prohibited; EACCES */
};
enum route_scope { SCOPE_UNIVERSE = 0, SCOPE_LINK = 253, SCOPE_HOST = 254, SCOPE_NOWHERE = 255 };
enum route_origin { ORIGIN_KERNEL = 2, ORIGIN_BOOT = 3 /* an ioctl, `ip route` */ };
enum route_table { TABLE_MAIN = 254, TABLE_LOCAL = 255 };

struct fib_nexthop {
    struct net_device *dev;
    be32 gateway;    /* zero: the destination is on dev's link */
    uint16_t weight; /* its share of the flows, 1 to 256; 0 counts as 1 */
    bool onlink;     /* gateway is on dev's link, though no network of ours holds it */
    bool dead;       /* dev is down: the other next hops carry its share (the tables say so, nobody else) */
};
enum { FIB_NEXTHOPS_MAX = 8 };

/* A route as it is told and asked for; the tables keep their own copy. */
struct fib_route {
    be32 dst; /* bits behind prefix_len are zero */
    uint8_t prefix_len;
    uint8_t type, scope, origin; /* enum route_type ...; scope and origin are kept for who asks */
    uint8_t table;               /* 0: where its type belongs: LOCAL and BROADCAST in LOCAL, others in MAIN */
    be32 prefsrc;                /* zero: the device's address */
    uint32_t metric;             /* the lowest wins */
    uint32_t mtu;                /* 0: the device's */
    uint8_t n_nexthops;          /* at least 1 for the first three types, else 0 */
    struct fib_nexthop nexthops[FIB_NEXTHOPS_MAX];
};

/* How fib_insert() treats routes with the same prefix and metric. An identical one is always -EEXIST. */
enum fib_insert_mode {
    FIB_APPEND,  /* stand behind them */
    FIB_PREPEND, /* stand before them */
    FIB_EXCLUSIVE /* -EEXIST if there is one */,
    FIB_REPLACE, /* take the place of the first; none: as FIB_APPEND */
};

/* All that change the tables: process context, between net_config_begin() and _end() (or while the net is
 * made or taken down), no lock held; listeners are told before they return. */

/* Add a route. 0, -EEXIST, -EINVAL (bits behind the prefix, no next hop, no such type), -ENOMEM. */
int fib_insert(struct net *net, const struct fib_route *route, enum fib_insert_mode mode);
/* The same with FIB_APPEND. */
int fib_add(struct net *net, const struct fib_route *route);
/* Remove the first route that has like's dst, prefix_len and table, and, where like has them (not 0), its
 * type, scope, origin, prefsrc, metric and its first next hop's device and gateway. 0 or -ESRCH. */
int fib_del(struct net *net, const struct fib_route *like);
/* Remove every route that gone() says is so. */
void fib_flush(struct net *net, bool (*gone)(const struct fib_route *route, const void *arg),
               const void *arg);
/* dev is down, or has no address any more: next hops by it are dead, and routes without another one go. */
void fib_device_down(struct net *net, const struct net_device *dev);
/* dev is up: the next hops by it that are left are alive again. */
void fib_device_up(struct net *net, const struct net_device *dev);
/* dev is about to go for good: remove every route with a next hop by it. */
void fib_flush_device(struct net *net, const struct net_device *dev);

/* fib_check.c: may a program have this route? A next hop's gateway must be on a link of ours: that says which
 * device, where none is named (one that is said to be onlink needs its device, and is believed); prefsrc must
 * be ours. 0, -ENODEV, -ENETDOWN, -ENETUNREACH, -EINVAL; *wrong: in words, or NULL. Context as
 * fib_insert()'s. */
int fib_check(struct net *net, struct fib_route *route, const char **wrong);

/* A walk over both tables, LOCAL first, each by address, then shorter prefixes first, then metric. All zero:
 * before the first. It may pause: who starts again has all routes that were there the whole time, once. */
struct fib_walk {
    uint32_t prefix, nth; /* the nth route of a prefix comes next */
    uint8_t table, len;   /* 0: LOCAL, 1: MAIN, 2: done */
};
/* The next route to *route, or false. Any context; takes the ROUTE lock. */
bool fib_next(struct net *net, struct fib_walk *w, struct fib_route *route);
/* Call fn for each route in that order, no lock held. */
void fib_for_each(struct net *net, void (*fn)(const struct fib_route *route, void *arg), void *arg);

/* Who hears of each change, after it has been made; no lock held. REPLACED is told with the new route. */
enum fib_event { FIB_ADDED, FIB_REMOVED, FIB_REPLACED };
struct fib_listener {
    struct list_head link;
    void (*heard)(struct fib_listener *l, struct net *net, enum fib_event event,
                  const struct fib_route *route);
};
/* A module's init and exit: no route changes meanwhile. */
void fib_listen(struct net *net, struct fib_listener *l);
void fib_unlisten(struct net *net, struct fib_listener *l);

/* Bytes that the tables take: of the tries, of what hangs on them. For who measures. */
struct fib_size {
    size_t trie, routes;
};
void fib_measure(struct net *net, struct fib_size *size);

/* ---- for route.c ---- */

/* What hangs on a prefix: so many routes; of one it is the fib_info itself (fib.c). */
struct fib_leaf {
    uint32_t count;
};
/* What routes with different prefixes may share: all but the prefix. */
struct fib_info {
    struct fib_leaf leaf;  /* count is 1 */
    struct fib_info *next; /* in its bucket of the table of them */
    uint32_t users;        /* ROUTE lock */
    uint8_t type, scope, origin, n_nexthops;
    be32 prefsrc;
    uint32_t metric, mtu;
    uint32_t weights; /* the sum of those alive */
    struct fib_nexthop nexthops[];
};
struct fib_state;

/* The route to addr by the device ifindex (0: any; to an address of ours: any). NULL: none. ROUTE lock held,
 * and the answer lasts as long. */
const struct fib_info *fib_match(const struct fib_state *fib, be32 addr, uint32_t ifindex);
/* What the table LOCAL alone says of addr. ROUTE lock held. */
const struct fib_info *fib_match_local(const struct fib_state *fib, be32 addr);
/* Does any route lead by this gateway on dev? ROUTE lock held. */
bool fib_names_gateway(const struct fib_state *fib, be32 gateway, const struct net_device *dev);
/* Any route of type UNICAST, NULL if there is none: the first of MAIN. ROUTE lock held. */
const struct fib_info *fib_any(const struct fib_state *fib);

int fib_init(struct net *net); /* 0 or -ENOMEM */
void fib_exit(struct net *net);
