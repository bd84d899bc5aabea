/* net/unix/unix.h - AF_UNIX: sockets between processes of one machine; private to net/unix but for
 * unix_module.
 *
 * unix_name.c gives names, unix_connect.c makes pairs, unix_stream.c and unix_dgram.c move bytes,
 * unix_flight.c looks after open files on their way (SCM_RIGHTS).
 *
 * A sender puts its sk_buff straight into the receiver's receive_queue; it is charged to the sender until it
 * is read. Two socket locks are never held at once: whoever needs the peer takes a reference to it under his
 * own lock, lets go, and then takes the peer's. */
#pragma once
#include "lib/abi/socket.h"
#include "net/core/sock.h"

extern const struct net_module unix_module;

/* sk->state, with the numbers that Linux uses inside (TCP's). */
enum unix_state_name {
    UNIX_ESTABLISHED = 1,
    UNIX_CONNECTING = 2,
    UNIX_CLOSED = 7,
    UNIX_LISTENING = SOCK_STATE_LISTENING
};
enum {
    UNIX_DGRAM_QUEUE = 10, /* net.unix.max_dgram_qlen: datagrams that wait before a stranger must */
    UNIX_BUCKETS = 64,
    UNIX_FLIGHT_MAX = 4096, /* open files on their way in one network */
    UNIX_PATH_OFFSET = offsetof(struct sockaddr_un, sun_path)
};

/* A bound socket's name: made once, never changed. */
struct unix_name {
    struct fs_name *place; /* of a path; NULL: an abstract name */
    socklen_t len;
    struct sockaddr_un addr;
};

struct unix_sock {
    struct sock sk; /* first */

    /* sk->lock */
    struct unix_name *name; /* set once; may be read without the lock (unix_name_of) */
    bool binding;
    struct sock *peer; /* a reference; streams: for life */
    struct credentials peercred;
    bool passcred;
    const struct sk_buff *peeked; /* its reader copies from it, and frees it if it is taken out meanwhile */
    struct waitq room;            /* who waits for place in receive_queue, or in the queue of connections */
    struct list_head embryos; /* listening: connections not yet accepted, each with its creation reference */
    struct list_head embryo_link; /* the listener's sk->lock */
    unsigned n_embryos, backlog;

    /* SOCK_TABLE: struct unix_state.lock */
    struct list_head all, bound;
    struct list_head watchers;   /* whose poll() found our queue full */
    bool watched;                /* there may be some; read without the lock */
    struct list_head watch_link; /* in a peer's watchers */

    /* UNIX_FLIGHT */
    struct passed_file *file;    /* what stands for this socket, while inflight */
    unsigned inflight;           /* how often it lies in a queue */
    struct list_head flying;     /* in unix_state.flying while inflight */
    struct list_head held;       /* struct passed_files in our receive_queue (a listener: its embryos' too) */
    struct unix_sock *embryo_of; /* the listener, until accepted */
    unsigned unexplained;        /* the collector's: references not found in a suspect's queue */
    bool suspect;
    struct list_head garbage;
};

struct unix_state {
    struct lock lock; /* SOCK_TABLE: the lists of sockets */
    struct list_head all;
    struct list_head bound[UNIX_BUCKETS]; /* by name */
    uint32_t next_auto;                   /* autobind */

    struct lock flight_lock; /* UNIX_FLIGHT: all below */
    struct list_head flying;
    unsigned files_in_flight;
    struct list_head doomed; /* struct passed_files to be let go of */
    bool reaping, collect;

    struct sock_family stream, dgram, seqpacket, raw;
    struct net_proc_file file;
};

static inline struct unix_sock *unix_sk(struct sock *sk)
{
    return (struct unix_sock *)sk;
}
static inline struct unix_state *unix_of(const struct sock *sk)
{
    return sk->net->unix_domain;
}
/* sk->lock held, or sk is nobody else's yet; others read the state without it. */
static inline void unix_set_state(struct sock *sk, enum unix_state_name state)
{
    WRITE_ONCE(sk->state, state);
}
static inline void unix_set_shutdown(struct sock *sk, int bits)
{
    WRITE_ONCE(sk->shutdown, (uint8_t)(sk->shutdown | bits));
}
/* Does it want to know who sends (SO_PASSCRED)? Any lock. */
static inline bool unix_passcred(const struct sock *sk)
{
    return READ_ONCE(((const struct unix_sock *)sk)->passcred);
}
static inline bool unix_is_connected_kind(const struct sock *sk)
{
    return sk->type != SOCK_DGRAM;
}

/* What an sk_buff in a receive queue carries beside its bytes. */
struct unix_cb {
    struct passed_files *files; /* UNIX_FLIGHT; or NULL */
    struct ucred creds;
    bool has_creds;
    uint32_t consumed; /* streams: bytes at the front that were read */
};
_Static_assert(sizeof(struct unix_cb) <= sizeof(((struct sk_buff *)0)->cb), "the owner's scratch");
static inline struct unix_cb *unix_cb(struct sk_buff *skb)
{
    return (struct unix_cb *)skb->cb;
}

/* ================ unix_name.c ================ */

int unix_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len);
/* Give sk a free abstract name if it has none. 0 or -errno. Process context, no lock held. */
int unix_autobind(struct sock *sk);
/* Is addr an address of a local socket? 0 or -EINVAL. */
int unix_check_address(const struct sockaddr *addr, socklen_t len);
/* Who has the name addr, with a reference. 0, -ECONNREFUSED, -EPROTOTYPE, or what the walk to a path said. */
int unix_find(struct net *net, const struct sockaddr *addr, socklen_t len, int type, struct sock **found);
/* The name of sk, or NULL. */
const struct unix_name *unix_name_of(struct sock *sk);
/* Write the name of sk to addr; its length. For no name, the family alone (getname) or nothing (received). */
socklen_t unix_name_write(struct sock *sk, struct sockaddr_storage *addr);
int unix_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer);
/* A listener's child has its listener's name. 0 or -ENOMEM. */
int unix_name_inherit(struct sock *child, struct sock *listener);
void unix_name_free(struct unix_name *name);

/* ================ unix_connect.c ================ */

int unix_pair(struct sock *a, struct sock *b);
int unix_listen(struct sock *sk, int backlog);
int unix_accept(struct sock *sk, int flags, struct sock **newsk);
int unix_stream_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags);
int unix_dgram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags);
/* A datagram socket turns from old to somebody else: what old sent is no longer wanted, and old hears of it.
 * No lock held. */
void unix_forsake(struct sock *sk, struct sock *old);
/* The peer with a reference, or NULL. No lock held. */
struct sock *unix_peer_get(struct sock *sk);
/* The other end of a stream went away: no more bytes either way; reset: some were lost. No lock held. */
void unix_hang_up(struct sock *peer, bool reset);
/* Close the connections that wait to be accepted. No lock held. */
void unix_close_embryos(struct sock *listener);

/* ================ unix_stream.c, unix_dgram.c ================ */

ssize_t unix_stream_sendmsg(struct sock *sk, struct message *msg, int flags);
ssize_t unix_stream_recvmsg(struct sock *sk, struct message *msg, int flags);
ssize_t unix_dgram_sendmsg(struct sock *sk, struct message *msg, int flags);
ssize_t unix_dgram_recvmsg(struct sock *sk, struct message *msg, int flags);
ssize_t unix_seqpacket_sendmsg(struct sock *sk, struct message *msg, int flags);
ssize_t unix_seqpacket_recvmsg(struct sock *sk, struct message *msg, int flags);

/* ================ af_unix.c ================ */

/* Who sends: read from the message's SCM_CREDENTIALS or from the caller. 0, -EPERM, -EINVAL. */
int unix_sender_credentials(const struct message *msg, struct unix_cb *cb);
/* A buffer with the next n bytes of msg, charged to sk once it has room by deadline. 0 and *skb, or -errno.
 * No lock held. */
int unix_make_skb(struct sock *sk, struct message *msg, size_t n, uint64_t deadline, struct sk_buff **skb);
/* Put skb, which is charged already, into to's queue; its credentials are filled in where either end asks for
 * them. to's lock held. */
void unix_enqueue(struct sock *from, struct sock *to, struct sk_buff *skb);
/* Tell the receiver what came with skb: credentials, open files. The reader's turn is held, no lock. */
void unix_receive_extras(struct sock *sk, struct sk_buff *skb, struct message *msg, int flags);
/* Somebody read, so that a stranger may send. No lock held. */
void unix_wake_watchers(struct sock *sk);
/* May a stranger not send to sk now? sk->lock held. */
bool unix_queue_full(const struct sock *sk, const struct sock *from);

/* ================ unix_flight.c ================ */

/* The files of msg (none is fine) begin their flight with skb to `to`: msg lets go of them. 0, or
 * -ETOOMANYREFS. No lock held. */
int unix_flight_begin(struct sk_buff *skb, struct message *msg, struct sock *to);
/* They have landed: skb lets go of them, the caller has them. */
struct passed_files *unix_flight_land(struct sk_buff *skb);
/* The same files once more, for MSG_PEEK; NULL when memory is out. */
struct passed_files *unix_flight_peek(struct sk_buff *skb);
/* skb is freed with its files. Process context, no lock held. */
void unix_flight_crash(struct sk_buff *skb);
/* What lies in child's queue is its listener's from now on; that queue is not to be reached otherwise. */
void unix_flight_lend(struct unix_sock *child, struct unix_sock *listener);
/* What lies in child's queue is no longer its listener's. */
void unix_flight_adopt(struct unix_sock *child);
/* A socket was closed: see whether others are now reachable from nowhere. */
void unix_flight_collect(struct net *net);
void unix_flight_init(struct unix_state *state);
