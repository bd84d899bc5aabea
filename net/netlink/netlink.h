/* net/netlink/netlink.h - AF_NETLINK sockets, netlink(7); private to net/netlink but for netlink_module.
 *
 * A change may be told of in softirq, under any lock up to NET_DEVICES, and then no socket lock may be taken:
 * so the list of sockets and each socket's queue have locks of their own, of the ranks NETLINK_TABLE and
 * NETLINK. sk->lock guards only whose turn it is to go on with a dump. */
#pragma once
#include "net/core/netlink.h"
#include "net/core/sock.h"

enum { NETLINK_GROUPS = 37 }; /* 1 to this; Linux's RTNLGRP_MAX */

struct netlink_state {
    struct lock lock;         /* NETLINK_TABLE: sockets; their portid, groups */
    struct list_head sockets; /* netlink_sock.link */
    struct sock_family raw, dgram;
    struct net_proc_file file;
};

/* A dump that a socket's reader has not seen the end of. Who holds the reader's turn owns it. */
struct netlink_dump {
    const struct nl_handler *handler; /* NULL: none is under way */
    struct nl_request request;        /* its message is a copy of ours */
    bool finished;                    /* only NLMSG_DONE is left to be said */
    int status;                       /* what it says */
    uint32_t generation;              /* nl.generation when it began */
};

struct netlink_sock {
    struct sock sk; /* first */
    struct list_head link;

    /* NETLINK_TABLE lock */
    uint32_t portid; /* 0: not bound yet */
    uint64_t groups; /* bit g: it listens to group g */

    uint32_t peer;                                                       /* connect()'s; 0: the kernel */
    bool pktinfo, no_enobufs, cap_ack, ext_ack, strict, broadcast_error; /* options */
    struct netlink_dump dump;

    struct lock queue_lock; /* NETLINK: sk.receive_queue, sk.err, and these */
    bool congested;         /* something was lost; nothing more comes until the queue is read to its end */
    uint32_t drops;
};
static inline struct netlink_sock *netlink_sk(struct sock *sk)
{
    return (struct netlink_sock *)sk;
}

/* What is told of a message's sender when it is read. */
struct netlink_cb {
    uint32_t portid, group;
};

/* ---- netlink_queue.c: messages on their way to programs ---- */

/* Give skb to nl, as sender's (0: the kernel). Takes skb. 0 or -ENOBUFS. Any lock up to NETLINK_TABLE. */
int netlink_deliver(struct netlink_sock *nl, struct sk_buff *skb, uint32_t sender);
/* An answer of the kernel's to nl; if it has no room, it is told so. Takes skb. */
void netlink_deliver_or_lose(struct netlink_sock *nl, struct sk_buff *skb);
/* nl lost something: its next read says ENOBUFS. Context as netlink_deliver(). */
void netlink_overrun(struct netlink_sock *nl);
/* To the socket that is bound to portid. 0, -ECONNREFUSED (none is), -ENOBUFS, -ENOMEM. */
int netlink_unicast(struct net *net, uint32_t portid, struct sk_buff *skb, uint32_t sender);
/* struct nl_state's publish. */
void netlink_publish(struct net *net, unsigned group, struct sk_buff *skb);
/* The same for what a program sends: to the listeners of group but itself. */
void netlink_multicast(struct net *net, unsigned group, struct sk_buff *skb, uint32_t sender);
ssize_t netlink_recvmsg(struct sock *sk, struct message *msg, int flags);
int netlink_poll(struct sock *sk);

/* ---- netlink_request.c: messages to the kernel ---- */

/* Do what the n bytes at data, aligned to 8, ask for, one message after the other; each is answered as it
 * wants to be. Process context, no lock held. */
void netlink_serve(struct netlink_sock *nl, const void *data, size_t n);
/* Let a dump go on while the reader has room. Process context, no lock held. */
void netlink_dump_more(struct netlink_sock *nl);
/* Forget it: the socket closes. */
void netlink_dump_end(struct netlink_dump *dump);

extern const struct net_module netlink_module;
