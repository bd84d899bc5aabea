/* net/core/sock.h - struct sock: what every socket has, whatever its protocol; private to net/.
 *
 * Locking: sk->lock guards all of it except where a line says otherwise. User memory is never touched with
 * the lock held: a sender copies into a fresh sk_buff first and then takes the lock to queue it; a receiver
 * takes a buffer off the queue, unlocks, copies. Readers (writers) of one stream take turns by
 * sock_lock_reader() (sock_lock_writer()), a sleeping lock, so that bytes stay in order. Life: refcount. The
 * creator's reference goes with sock_release(); each armed timer, each table and each sk_buff in flight that
 * points to the sock holds one. */
#pragma once
#include "net/core/net_namespace.h"

struct sock_ops {
    size_t size; /* of the protocol's struct, which begins with a struct sock */
    int (*init)(struct sock *sk);
    void (*destroy)(struct sock *sk); /* last reference gone: takes no lock, as it may run under NETDEV_TX */
    void (*close)(struct sock *sk);   /* the user let go; called before the creator's reference is dropped */
    int (*bind)(struct sock *sk, const struct sockaddr *addr, socklen_t len);
    int (*listen)(struct sock *sk, int backlog);
    int (*accept)(struct sock *sk, int flags, struct sock **newsk);
    int (*connect)(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags);
    int (*pair)(struct sock *a, struct sock *b); /* both fresh */
    ssize_t (*sendmsg)(struct sock *sk, struct message *msg, int flags);
    ssize_t (*recvmsg)(struct sock *sk, struct message *msg, int flags);
    int (*shutdown)(struct sock *sk, int how);
    int (*getname)(struct sock *sk, struct sockaddr_storage *addr, bool peer);
    int (*setsockopt)(struct sock *sk, int level, int option, const void *value, socklen_t len);
    int (*getsockopt)(struct sock *sk, int level, int option, void *value, socklen_t *len);
    void (*option_set)(struct sock *sk, int option); /* an option of SOL_SOCKET was set; lock held */
    int (*ioctl)(struct sock *sk, unsigned request,
                 uintptr_t arg); /* -ENOTTY: unknown, the family is asked next */
    int (*poll)(struct sock *sk);
    struct shared_pages *(*pages)(struct sock *sk); /* for a mapping: a reference, or NULL */
};
/* What a family makes of (type, protocol): registered by its module's init. */
struct sock_family {
    struct list_head link;
    int family, type, protocol; /* protocol 0 in the call matches the first of the type; 0 here matches any */
    const struct sock_ops *ops;
    int (*ioctl)(struct sock *sk, unsigned request,
                 uintptr_t arg); /* what ops->ioctl does not know, or NULL */
};
void sock_register(struct net *net, struct sock_family *f);
void sock_unregister(struct net *net, struct sock_family *f);

struct mc_member;
struct zerocopy;

struct sock {
    struct net *net;
    const struct sock_ops *ops;
    uint16_t family, type, protocol;
    uint32_t uid; /* of whoever made it; a listener's children have its owner's */
    uint64_t ino;
    struct refcount refs; /* atomic */

    struct lock lock;
    struct waitq wq;  /* readers, writers, connecters and pollers; woken after every change of readiness */
    int state;        /* the protocol's: enum tcp_state_name for TCP */
    int err;          /* positive errno to report once (SO_ERROR) */
    uint8_t shutdown; /* RCV_SHUTDOWN | SEND_SHUTDOWN */
    bool reading, writing; /* somebody is in sock_lock_reader / _writer */
    struct waitq turns;    /* others who wait for that; not wq, as no readiness changes */
    bool dead;             /* closed by the user: nobody will read err or data */
    bool nospace;          /* a stream's writer or poller found no room and is to be told; atomic */

    struct sk_buff_head receive_queue;
    uint32_t rcvbuf, sndbuf;     /* limits in truesize bytes */
    bool rcvbuf_set, sndbuf_set; /* by the user: nobody else changes them */
    uint32_t drops;              /* datagrams that found no room, since the socket was made */
    int64_t rmem_alloc;          /* truesize of what lies in receive_queue; atomic */
    int64_t wmem_alloc;          /* truesize of what waits to be sent; atomic */

    /* options: written under the lock, with WRITE_ONCE() those that somebody reads without it */
    bool reuseaddr, reuseport, keepalive, broadcast, linger, dontroute, oobinline;
    bool debug, nofcs, wifi_status, select_err_queue, rcvmark, filter_locked, prefer_busy_poll; /* kept */
    bool no_check;     /* SO_NO_CHECK: UDP without checksums */
    bool rxq_ovfl;     /* SO_RXQ_OVFL: tell of datagrams that found no room */
    uint8_t timestamp; /* enum sock_stamp */
    bool stamp_new;    /* SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW: the same numbers under other names */
    uint8_t txrehash;  /* SO_TXREHASH: kept */
    uint32_t busy_poll, busy_poll_budget; /* SO_BUSY_POLL: kept, there is nothing to wait for with it */
    int32_t peek_off; /* SO_PEEK_OFF: where the next MSG_PEEK begins; below 0: at the front */
    uint32_t linger_seconds;
    uint32_t rcvlowat;           /* SO_RCVLOWAT, at least 1 */
    uint64_t rcvtimeo, sndtimeo; /* ns; TIME_NEVER: for ever */
    uint32_t bound_ifindex;      /* SO_BINDTODEVICE; 0: any */
    uint8_t ttl, tos;            /* IP_TTL (0: the default), IP_TOS */
    int pmtudisc;                /* IP_MTU_DISCOVER */
    uint32_t mark, priority;     /* kept for whoever asks */
    int incoming_cpu;
    uint64_t max_pacing_rate; /* SO_MAX_PACING_RATE, bytes a second; UINT64_MAX: none */
    uint32_t ip_receive;      /* IP_RECEIVE_*: which control messages come with a datagram */
    bool recverr, hdrincl, freebind, bind_no_port;
    /* IP_MULTICAST_*: what is sent to groups; whether what others of this host joined is taken, too */
    uint8_t mc_ttl;
    bool mc_loop, mc_all;
    be32 mc_address;
    uint32_t mc_ifindex;
    struct mc_member *mc_groups;     /* net/igmp's: the groups joined; IGMP lock */
    struct ip_options *ip_options;   /* IP_OPTIONS, or NULL */
    bool zerocopy_on;                /* SO_ZEROCOPY */
    struct zerocopy *zerocopy;       /* net/core/zerocopy.c's; NULL: never set */
    struct sk_buff_head error_queue; /* IP_RECVERR: errors with the datagrams they are about */

    struct signal_owner owner; /* F_SETOWN: who gets SIGURG */

    bool addr_named, port_named; /* by bind(): they outlive an association that is dissolved */

    /* AF_INET addresses: saddr what we send from and were bound to (zero: any), daddr/dport the peer */
    be32 saddr, daddr;
    be16 sport, dport;
    struct list_head bind_link, name_link; /* SOCK_TABLE lock of the port table */
    bool bound, inherited;                 /* inherited: a listener's child, on its parent's port */
    uint8_t filed;                         /* enum port_filed: what name_link hangs on */
};
enum { RCV_SHUTDOWN = 1, SEND_SHUTDOWN = 2 };
enum { SOCK_STATE_LISTENING = 10 };                 /* sk->state of whoever listens, whatever the protocol */
enum sock_stamp { STAMP_NONE, STAMP_US, STAMP_NS }; /* SO_TIMESTAMP, SO_TIMESTAMPNS */
enum { SOCK_BACKLOG_MAX = 4096 };                   /* net.core.somaxconn */
enum { SOCK_BUF_DEFAULT = 212992, SOCK_BUF_MIN = 2304, SOCK_BUF_MAX = 8 << 20 };

/* A sock with one reference and ops->init run, for sock_create and for a listener's children. 0, -ENOMEM, or
 * what init said. Process or softirq. */
int sk_alloc(struct net *net, int family, int type, int protocol, const struct sock_ops *ops,
             struct sock **sk);
void sock_hold(struct sock *sk);
void sock_put(struct sock *sk);

/* Take the right to read (write) the stream; sleeps. Called with sk->lock held, returns with it held.
 * deadline is absolute; 0, -EAGAIN (deadline passed, or 0: do not wait) or -EINTR. */
int sock_lock_reader(struct sock *sk, uint64_t deadline);
void sock_unlock_reader(struct sock *sk);
int sock_lock_writer(struct sock *sk, uint64_t deadline);
void sock_unlock_writer(struct sock *sk);
/* Absolute deadline of a call: 0 with MSG_DONTWAIT, else now + the socket's time-out. */
uint64_t sock_rcv_deadline(const struct sock *sk, int flags);
uint64_t sock_snd_deadline(const struct sock *sk, int flags);
/* Wait on sk->wq (sk->lock held, returns with it held). deadline 0: -EAGAIN at once. 0, -EAGAIN (time-out),
 * -EINTR. */
int sock_wait(struct sock *sk, uint64_t deadline);
/* Wait until what is on its way leaves room for one more datagram (lock and results as sock_wait's). Room
 * comes without the lock: no wait of your own for it will do. */
int sock_wait_for_room(struct sock *sk, uint64_t deadline);
/* Read and clear sk->err as -errno; 0 if there is none. Lock held. */
int sock_error(struct sock *sk);

/* Append skb to receive_queue unless rcvbuf is exceeded already: charges it and wakes readers, or counts it
 * in drops. sk->lock held. 0 and skb is taken, or -ENOBUFS and it stays the caller's. */
int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* Charge skb to the socket: its destructor takes truesize off rmem_alloc (wmem_alloc) again; wmem also wakes
 * writers and holds a reference to sk. */
void skb_set_owner_r(struct sk_buff *skb, struct sock *sk);
void skb_set_owner_w(struct sk_buff *skb, struct sock *sk);
/* A packet charged to sk's wmem_alloc has grown or shrunk by n. sk->lock held. */
static inline void sock_wmem_change(struct sock *sk, int64_t n)
{
    __atomic_fetch_add(&sk->wmem_alloc, n, __ATOMIC_RELAXED);
}
/* Has sk options of that level? 0, or how setsockopt() (getsockopt()) refuses the level, before it looks at
 * anything else. */
int sock_option_level(const struct sock *sk, int level, bool set);
/* n bytes were looked at (MSG_PEEK), or read (n below 0): SO_PEEK_OFF moves with them. Lock held. */
static inline void sock_peek_moved(struct sock *sk, int64_t n)
{
    if (unlikely(sk->peek_off >= 0))
        WRITE_ONCE(sk->peek_off, (int32_t)MAX(sk->peek_off + n, (int64_t)0));
}
/* Where MSG_PEEK begins: so many bytes behind the front. */
static inline uint32_t sock_peek_begin(const struct sock *sk, int flags)
{
    return flags & MSG_PEEK ? (uint32_t)MAX(sk->peek_off, 0) : 0;
}
/* Copy an option's value of n bytes to the caller of getsockopt, as much as *len allows; sets *len. 0. */
int sockopt_give(void *value, socklen_t *len, const void *src, size_t n);
/* Wake whoever waits or polls. Any lock may be held. */
void sock_wake(struct sock *sk);
/* Bytes or connections came; room to send came: wake who waits, and who polls for that. Of a stream's pollers
 * only those who found no room before are told of room, as in Linux (SOCK_NOSPACE). Any lock may be held. */
void sock_wake_readers(struct sock *sk);
void sock_wake_writers(struct sock *sk);
/* Has a stream room to send? If not, note that somebody is to be told when it has. */
bool sock_stream_writable(struct sock *sk);
