/* net/tcp/tcp_mtu_probe.h - finding the path's MTU without the help of routers: RFC 4821. Private to net/tcp;
 * all of it with sk->lock held. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct sk_buff;
struct tcp_plan;
struct tcp_sock;

/* low has passed, high is not known not to: MTUs, with all headers. */
struct tcp_mtu_search {
    bool on;        /* the MSS follows low */
    bool fresh;     /* the next probe is the largest: mostly it passes */
    bool told;      /* the result is known to others, too (net/ipv4/inet_peer.h) */
    bool repairing; /* a probe was lost, and goes again in parts */
    uint16_t low, high;
    uint16_t size;     /* of the probe that is out; 0: none */
    uint32_t seq, end; /* its text */
    uint64_t found_at; /* when the search had ended; valid when told */
};

/* The handshake is done: with net.ipv4.tcp_mtu_probing = 2 the search begins. */
void tcp_mtu_begin(struct tcp_sock *tp);
/* The MTU to make segments for, where the route says mtu. */
uint32_t tcp_mtu_limit(struct tcp_sock *tp, uint32_t mtu);
/* The retransmission timer fired, and what was unanswered goes again now: in smaller segments if that may
 * help. */
void tcp_mtu_timeout(struct tcp_sock *tp);
/* New text is about to be sent as plan says: make it a probe, if this is the time for one. */
void tcp_mtu_plan(struct tcp_sock *tp, struct tcp_plan *plan);
/* skb, larger than tp->mss, was sent. */
void tcp_mtu_sent(struct tcp_sock *tp, struct sk_buff *skb);
/* Text from seq on was sent again: a probe that begins there proves nothing any more. */
void tcp_mtu_resent(struct tcp_sock *tp, uint32_t seq);
/* What is lost is marked, and snd_una is new: did a probe pass? True: nothing is lost but a probe, which is
 * no sign of congestion (RFC 4821 3). */
bool tcp_mtu_look(struct tcp_sock *tp);
