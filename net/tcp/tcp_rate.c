/* net/tcp/tcp_rate.c - samples of the delivery rate; sections are those of
 * draft-cheng-iccrg-delivery-rate-estimation-02. */
#include "net/tcp/tcp_rate.h"
#include "net/tcp/tcp.h"

enum { SPAN_SHIFT = 10 }; /* spans in a buffer are counted in 1024 ns, so that 32 bits hold an hour */

static uint32_t span(uint64_t from, uint64_t to)
{
    return (uint32_t)((to - from) >> SPAN_SHIFT);
}

void tcp_rate_mark(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_skb_cb *cb = tcp_cb(skb);
    struct tcp_rate *r = &tp->rate;
    if (!tcp_flight(tp)) /* 3.2: a flight begins */
        r->first_sent_at = r->delivered_at = cb->last_sent_at;
    cb->delivered = (uint32_t)r->delivered;
    cb->delivered_before = span(r->delivered_at, cb->last_sent_at);
    cb->sending = span(r->first_sent_at, cb->last_sent_at);
    cb->app_limited = r->app_limited != 0;
}

void tcp_rate_arrived(struct tcp_sock *tp, struct sk_buff *skb)
{
    const struct tcp_skb_cb *cb = tcp_cb(skb);
    struct tcp_rate *r = &tp->rate;
    if (cb->last_sent_at < r->newest.sent_at) /* 3.3: of those sent at once the last, they come in order */
        return;
    r->newest = (struct tcp_rate_newest){
        .sent_at = cb->last_sent_at,
        .delivered_at = cb->last_sent_at - ((uint64_t)cb->delivered_before << SPAN_SHIFT),
        .sending = (uint64_t)cb->sending << SPAN_SHIFT,
        .delivered = cb->delivered,
        .app_limited = cb->app_limited,
    };
    r->first_sent_at = cb->last_sent_at;
}

bool tcp_rate_ack(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    struct tcp_rate *r = &tp->rate;
    struct tcp_rate_newest *n = &r->newest;
    if (!n->sent_at)
        return false;
    r->delivered += news->delivered;
    r->delivered_at = news->now;
    if (r->delivered > r->app_limited) /* 3.3: what was marked is through */
        r->app_limited = 0;
    uint64_t interval = MAX(n->sending, news->now - n->delivered_at);
    n->sent_at = 0;
    if (interval < tp->rtt.min) /* 3.3: the second copy did not arrive, the first one did */
        return false;
    r->prior = n->delivered;
    r->bytes = (uint32_t)r->delivered - n->delivered;
    r->interval = interval;
    r->sample_limited = n->app_limited;
    return true;
}

/* 3.4: less than a segment waits, and the window would have let more go. */
void tcp_rate_resume(struct tcp_sock *tp)
{
    if (seq_ahead(tp->snd_nxt, tp->write_seq) < tp->mss && tcp_flight(tp) + tp->mss <= tp->cwnd)
        tcp_rate_limited(tp);
}

/* 3.4: until all that is out has arrived, and something that was sent later. */
void tcp_rate_limited(struct tcp_sock *tp)
{
    tp->rate.app_limited = MAX(tp->rate.delivered + tcp_flight(tp), (uint64_t)1);
}

uint64_t tcp_rate_latest(const struct tcp_rate *r)
{
    return r->interval ? r->bytes * sec(1) / r->interval : 0;
}
