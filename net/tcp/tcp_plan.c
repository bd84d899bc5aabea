/* net/tcp/tcp_plan.c - the sender's rules, without side effects: the peer's window (RFC 9293 3.8.6), the
 * congestion window (RFC 5681 3.1), Nagle (RFC 9293 3.7.4) and silly windows (RFC 9293 3.8.6.2.1). */
#include "net/tcp/tcp_plan.h"
#include "lib/compiler.h"
#include "net/tcp/seq.h"

static struct tcp_plan blocked(enum tcp_plan_kind kind)
{
    return (struct tcp_plan){ .kind = kind };
}

static uint32_t window_end(const struct tcp_send_view *v)
{
    return v->snd_una + v->snd_wnd;
}
static uint32_t cwnd_room(const struct tcp_send_view *v)
{
    return v->cwnd > v->flight ? v->cwnd - v->flight : 0;
}

/* What was lost goes first; but only inside the window, should the peer have shrunk it (RFC 9293 3.8.6). */
static struct tcp_plan plan_resend(const struct tcp_send_view *v)
{
    uint32_t len = MIN(v->lost_len, v->mss);
    if (seq_after(v->lost_seq + MAX(len, 1u), window_end(v)))
        return blocked(TCP_PLAN_WINDOW);
    if (v->flight && cwnd_room(v) < len)
        return blocked(TCP_PLAN_CWND);
    bool fin_sent = v->fin_queued && seq_after(v->snd_nxt, v->write_seq);
    bool fin = fin_sent && v->lost_seq + len == v->write_seq;
    return (struct tcp_plan){ .kind = TCP_PLAN_RESEND, .seq = v->lost_seq, .len = len, .fin = fin };
}

/* RFC 9293 3.8.6.2.1 with D = unsent and U the usable window: send a full segment (1); everything there is,
 * if it is pushed (2; every write is pushed, and a FIN pushes too); or half the largest window (3). Nagle
 * (3.7.4) adds to 2 and 3 that nothing may be in flight. As in Linux that means nothing small (Minshall): the
 * network still carries one small segment at most, and the end of a long write need not wait for the peer's
 * delayed ACK. */
static bool worth_sending(const struct tcp_send_view *v, uint32_t len, uint32_t unsent)
{
    /* LAB sender: worth_sending.c */
    bool nagle_lets = v->nodelay || !v->small_in_flight;
    if (len == v->mss || v->override)
        return true;
    if (v->cork && !v->fin_queued)
        return false;
    if (len == unsent)
        return nagle_lets || v->fin_queued;
    return nagle_lets && len >= v->max_window / 2;
    /* END LAB */
}

static struct tcp_plan plan_new(const struct tcp_send_view *v)
{
    /* LAB sender: plan_new.c */
    uint32_t unsent = seq_ahead(v->snd_nxt, v->write_seq);
    bool fin_due = v->fin_queued && seq_before_eq(v->snd_nxt, v->write_seq);
    if (!unsent && !fin_due)
        return blocked(TCP_PLAN_IDLE);
    uint32_t usable = seq_ahead(v->snd_nxt, window_end(v));
    uint32_t segment = MIN(unsent, v->mss), len = MIN(segment, usable);
    bool fin = fin_due && len == unsent && usable > len;
    if (!len && !fin)
        return blocked(TCP_PLAN_WINDOW);
    if (cwnd_room(v) < MAX(len, 1u))
        return blocked(TCP_PLAN_CWND);
    if (!worth_sending(v, len, unsent))
        return blocked(TCP_PLAN_SMALL);
    return (struct tcp_plan){ .kind = TCP_PLAN_SEND, .seq = v->snd_nxt, .len = len, .fin = fin };
    /* END LAB */
}

struct tcp_plan tcp_plan_next(const struct tcp_send_view *v)
{
    return v->lost ? plan_resend(v) : plan_new(v);
}
