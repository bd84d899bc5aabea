/* net/tcp/tcp_syncache.h - half-open connections of listeners: a SYN came, ours went, the ACK is awaited.
 * Whoever sends SYNs decides how many there are, so each is small, there are at most so many of a listener
 * and in a bucket, and the hash is keyed. Private to net/tcp. */
#pragma once
#include "net/tcp/tcp_hash.h"

struct tcp_options;
struct tcp_segment;
struct tcp_sock;

struct tcp_half_open {
    struct tcp_half_open *next; /* in its bucket */
    struct list_head due;       /* in struct tcp_syncache.queues */
    struct list_head mine;      /* in struct tcp_listener.half_open */
    struct tcp_sock *listener;  /* a reference */
    uint64_t sent_at;           /* our SYN, the first time */
    uint64_t due_at;            /* again */
    struct tcp_ends ends;
    uint32_t iss, irs;
    uint32_t ts_recent;   /* the peer's clock */
    uint32_t answered_at; /* in ms: when a segment that tells nothing was last answered */
    uint16_t peer_mss, window;
    uint8_t retransmits;
    uint8_t peer_wscale : 4;
    bool has_wscale : 1, ts_ok : 1, sack_ok : 1, ecn_ok : 1; /* both sides agreed */
};
_Static_assert(sizeof(struct tcp_half_open) <= 112, "a flood makes many of them");

enum { TCP_SYN_BUCKETS = 512, TCP_SYN_BUCKET_MAX = 32, TCP_SYN_QUEUES = 16 };
struct tcp_syncache {
    struct net *net;
    struct pool *pool;
    struct lock lock; /* SOCK_TABLE: all that follows and all entries */
    struct tcp_half_open *buckets[TCP_SYN_BUCKETS];
    /* by how often our SYN went again: all in one wait equally long, so the first is due first */
    struct list_head queues[TCP_SYN_QUEUES];
    uint32_t n; /* READ_ONCE without the lock */
    struct timer timer;
    uint64_t timer_at; /* TIME_NEVER: not set */
};

/* 0 or -ENOMEM. */
int tcp_syncache_init(struct net *net);
/* Process context, no lock held; all listeners are closed. */
void tcp_syncache_exit(struct net *net);
/* The SYN seg for a listener: keep and answer it; answer it by a cookie instead, if it finds no room and the
 * sysctl says so; or let the oldest go for it. Softirq, no lock held, and so the next three. */
void tcp_syncache_add(struct tcp_sock *listener, struct tcp_segment *seg);
/* Is seg for a half-open connection? Then it is dealt with by RFC 9293 3.10.7.4, and may have made a
 * connection of it. */
bool tcp_syncache_receive(struct tcp_segment *seg);
/* An ICMP error quotes our SYN with this number. hard: RFC 1122 4.2.3.9. */
void tcp_syncache_error(struct net *net, const struct tcp_ends *ends, uint32_t seq, bool hard);
/* The listener was closed (marked so already): reset all its half-open connections. */
void tcp_syncache_forget(struct tcp_sock *listener);
/* The options of our SYN+ACK, when that was agreed upon: without our clock (ts_val). */
struct tcp_options tcp_answer_options(const struct tcp_sock *listener, const struct tcp_options *agreed);
/* Copy the next one; false: that was all. As tcp_hash_walk(), and as inexact. */
bool tcp_syncache_walk(struct net *net, struct tcp_cursor *at, struct tcp_half_open *h);
