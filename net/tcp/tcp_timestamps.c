/* net/tcp/tcp_timestamps.c - the timestamps option, RFC 7323 3 to 5: a clock on every segment, echoed by the
 * peer, against which round trips are measured and old duplicates known.
 * ts_recent is the newest TSval of a segment that was next in line for acknowledgement. */
#include "net/tcp/tcp.h"

#define TS_RECENT sec(24 * 86400ul) /* RFC 7323 5.5: older than this, ts_recent says nothing */

static uint32_t clock_at(const struct tcp_sock *tp, uint64_t time)
{
    return (uint32_t)(time / TCP_TS_TICK) + tp->ts_offset;
}

uint32_t tcp_ts_offset(struct net *net, const struct tcp_ends *ends)
{
    return (uint32_t)(siphash(ends, sizeof *ends, &net->tcp->isn_key) >> 32);
}

uint32_t tcp_ts_clock(uint32_t offset)
{
    return (uint32_t)(time_now() / TCP_TS_TICK) + offset;
}

uint32_t tcp_ts_now(const struct tcp_sock *tp)
{
    return clock_at(tp, time_now());
}

void tcp_ts_begin(struct tcp_sock *tp, const struct tcp_options *o)
{
    tp->ts_ok = o->has_timestamp;
    tp->ts_recent = o->ts_val;
    tp->ts_recent_at = time_now();
}

bool tcp_ts_missing(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    return tp->ts_ok && !seg->options.has_timestamp && !tcp_segment_has(seg, TCP_FLAG_RST);
}

bool tcp_ts_is_old(uint32_t ts_val, uint32_t recent, uint64_t recent_at)
{
    return seq_before(ts_val, recent) && time_now() - recent_at < TS_RECENT;
}

bool tcp_paws_rejects(const struct tcp_sock *tp, const struct tcp_segment *seg)
{
    if (!tp->ts_ok || !seg->options.has_timestamp || tcp_segment_has(seg, TCP_FLAG_RST))
        return false;
    return tcp_ts_is_old(seg->options.ts_val, tp->ts_recent, tp->ts_recent_at);
}

void tcp_ts_update(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    if (!tp->ts_ok || !seg->options.has_timestamp)
        return;
    /* RFC 7323 4.3 (2): so that a delayed ACK echoes the earliest segment it acknowledges */
    if (seq_after_eq(seg->options.ts_val, tp->ts_recent) && seq_before_eq(seg->seq, tp->last_ack_sent)) {
        tp->ts_recent = seg->options.ts_val;
        tp->ts_recent_at = time_now();
    }
}

bool tcp_ts_before(const struct tcp_sock *tp, uint32_t echo, uint64_t time)
{
    return tp->ts_ok && seq_before(echo, clock_at(tp, time));
}

uint64_t tcp_ts_round_trip(const struct tcp_sock *tp, const struct tcp_segment *seg, uint64_t resent_at)
{
    if (!tp->ts_ok || !seg->options.has_timestamp || !seg->options.ts_ecr)
        return 0;
    /* An older echo tells that an earlier copy arrived and its ACK was lost or slow: how slow, nobody knows.
     */
    if (seq_before(seg->options.ts_ecr, clock_at(tp, resent_at)))
        return 0;
    uint64_t ticks = tcp_ts_now(tp) - seg->options.ts_ecr;
    return MAX(ticks, (uint64_t)1) * TCP_TS_TICK;
}
