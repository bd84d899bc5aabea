/* net/tcp/tcp_mem.h - the memory of all connections of one struct net, and its limits; private to net/tcp. */
#pragma once
#include "net/net.h"

struct tcp_sock;

/* What one CPU has not told the shared count of yet: its own, changed with softirqs off. */
struct tcp_mem_cpu {
    int64_t pages;
    uint8_t pad[120]; /* neighbours share no cache line */
};

struct tcp_memory {
    int32_t limits[3]; /* tcp_mem, in pages: fine again, short, no more */
    int32_t max_orphans;
    bool pressure;                       /* memory is short; READ_ONCE */
    int64_t pages;                       /* atomic: taken, but for what CPUs hold back: */
    struct tcp_mem_cpu *cpus;            /* one for each */
    int32_t batch;                       /* so many pages at most */
    int64_t n_alloc, n_inuse, n_orphans; /* connections; atomic */
    struct net_proc_file sockstat_section;
};

int tcp_mem_init(struct net *net); /* 0 or -ENOMEM */
void tcp_mem_exit(struct net *net);
/* tcp_mem was set; base: the struct tcp_state. */
void tcp_mem_limits_changed(void *base);
/* What all connections have taken, in pages. */
int64_t tcp_mem_pages(const struct net *net);

/* ---- of one connection; lock held ---- */

/* Take what bytes more of received text need. False: they are not to be had, drop it. */
bool tcp_mem_receive(struct tcp_sock *tp, uint32_t bytes);
/* So many bytes more may be queued to be sent. 0: none before something of what is queued (and then there is
 * something) is acknowledged; the buffer shrinks. */
int64_t tcp_mem_send_room(struct tcp_sock *tp);
/* The queues have grown or shrunk: take or give back what that makes. */
void tcp_mem_settle(struct tcp_sock *tp);
/* Give all back: the last reference is gone. No lock needed. */
void tcp_mem_forget(struct tcp_sock *tp);
/* sk->state is about to become that: /proc/net/sockstat. */
void tcp_mem_state_changes(struct tcp_sock *tp, int state);
/* The user let go of the connection, which lives on: it counts as an orphan until its end. */
void tcp_orphan_begin(struct tcp_sock *tp);
/* There are more orphans than tcp_max_orphans, or memory is out and tp has more than its least. */
bool tcp_orphan_must_go(const struct tcp_sock *tp);
void tcp_orphan_abort(struct tcp_sock *tp);
