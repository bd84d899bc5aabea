/* net/tcp/tcp_rate.h - how fast the path delivers what is sent
 * (draft-cheng-iccrg-delivery-rate-estimation-02); private to net/tcp. sk->lock held in all.
 *
 * A buffer remembers, each time it is sent, how much had arrived by then. When it arrives itself, what has
 * arrived meanwhile divided by the time that took is a sample. None tells more than the path can do: the time
 * is the longer of two, that of sending and that of being acknowledged (2.2.1 there). One may tell less:
 * where the program had nothing to send samples are marked so (3.4). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tcp_sock;
struct tcp_ack_news;
struct sk_buff;

/* Of all buffers whose arrival one ACK tells of, the one that was sent last, as it was then. */
struct tcp_rate_newest {
    uint64_t sent_at;               /* 0: there is none */
    uint64_t delivered_at, sending; /* ns: since the sending of what had arrived last */
    uint32_t delivered;
    bool app_limited;
};

struct tcp_rate {
    uint64_t delivered;     /* bytes known to have arrived */
    uint64_t delivered_at;  /* when that last grew */
    uint64_t first_sent_at; /* when that was sent which arrived last; or when the flight began */
    uint64_t app_limited;   /* samples tell too little until `delivered` has passed this; 0: they do not */
    struct tcp_rate_newest newest; /* while an ACK is looked at */

    /* the latest sample */
    uint32_t bytes, prior; /* so many bytes, which began when delivered was prior, */
    uint64_t interval;     /* in so many ns; 0: there was none yet */
    bool sample_limited;   /* and it tells too little */
};

/* skb goes out, at its last_sent_at. */
void tcp_rate_mark(struct tcp_sock *tp, struct sk_buff *skb);
/* skb has arrived, as an ACK tells. */
void tcp_rate_arrived(struct tcp_sock *tp, struct sk_buff *skb);
/* All that has arrived with this ACK is known: count it. True if it makes a sample. */
bool tcp_rate_ack(struct tcp_sock *tp, const struct tcp_ack_news *news);
/* The program has more to send: has the path waited for it? */
void tcp_rate_resume(struct tcp_sock *tp);
/* What has been sent up to now is less than the path could have carried. */
void tcp_rate_limited(struct tcp_sock *tp);
/* The latest sample in bytes a second; 0: there has been none. */
uint64_t tcp_rate_latest(const struct tcp_rate *r);
