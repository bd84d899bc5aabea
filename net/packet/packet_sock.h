/* net/packet/packet_sock.h - what the files of AF_PACKET share; private to net/packet.
 *
 *     packet_receive.c   a frame from the tap to the program       packet_send.c      and the other way
 *     packet_options.c   setsockopt, getsockopt                    af_packet.c        life, bind, the other
 * calls
 *
 * Each socket that is bound to a protocol is a tap. A tap is called with the list of devices locked, below
 * which no socket lock may be taken: so the queue and the filter have a lock of their own, of rank PACKET.
 * sk->lock guards the rest. */
#pragma once
#include "net/core/datagram.h"
#include "net/packet/packet.h"
#include "net/packet/ring.h"

struct packet_state {
    struct lock lock;         /* SOCK_TABLE: sockets */
    struct list_head sockets; /* packet_sock.link */
    struct sock_family raw, dgram;
    struct net_proc_file file;
};

struct packet_sock {
    struct sock sk; /* first */
    struct list_head link;

    /* sk->lock */
    struct packet_type tap;
    bool tapping;
    struct list_head memberships;
    bool auxdata;

    struct lock queue_lock; /* PACKET: all below, and sk.receive_queue */
    struct sock_filter *filter;
    unsigned filter_len;
    uint16_t protocol; /* ETH_P_ALL, or host order */
    uint32_t ifindex;  /* 0: every device */
    bool ignore_outgoing;
    struct packet_ring ring; /* where frames go instead of the queue, if there is one */
    int version;             /* TPACKET_*: the form of the ring to be */
    uint32_t reserve;
    uint32_t packets, drops; /* since PACKET_STATISTICS was last asked */
};

static inline struct packet_sock *packet_sk(struct sock *sk)
{
    return (struct packet_sock *)sk;
}

/* What is told of a frame when it is read. */
struct packet_cb {
    uint32_t ifindex, len; /* len: before the filter cut it */
    uint16_t protocol, hatype;
    uint8_t pkt_type, status, addr[ETH_ALEN];
};
_Static_assert(sizeof(struct packet_cb) <= sizeof(((struct sk_buff *)0)->cb), "the owner's scratch");
static inline struct packet_cb *packet_cb(const struct sk_buff *skb)
{
    return (struct packet_cb *)skb->cb;
}

/* What po was bound to: its protocol and, in *ifindex, its device. Takes queue_lock. */
uint16_t packet_bound_to(struct packet_sock *po, uint32_t *ifindex);

/* ---- packet_receive.c ---- */

/* A tap's function: skb goes to the queue or the ring of whose tap it is. Takes skb. */
void packet_tap(struct sk_buff *skb, struct packet_type *pt);
ssize_t packet_recvmsg(struct sock *sk, struct message *msg, int flags);

/* ---- packet_send.c ---- */

ssize_t packet_sendmsg(struct sock *sk, struct message *msg, int flags);

/* ---- packet_options.c; process context, no lock held ---- */

int packet_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len);
int packet_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len);
/* The socket ends: its devices are no longer promiscuous for it. */
void packet_drop_memberships(struct packet_sock *po);
