/* net/tcp/tcp_newreno.c - fast recovery when the peer knows no SACK: RFC 5681 3.2 with RFC 6582.
 * Each duplicate ACK tells that one more segment has left the network; the congestion window is inflated by
 * it, and deflated when the recovery is over. */
#include "net/tcp/tcp.h"

enum { DUPACK_THRESHOLD = 3 }; /* RFC 5681 3.2 */

/* RFC 6582 3.2 steps 2 to 4 (RFC 5681 3.2 steps 2 and 3). */
static void enter(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_fast_retransmits);
    tcp_undo_save(tp);
    tcp_recovery_lower_threshold(tp);
    tp->recovery = TCP_FAST_RECOVERY;
    tp->recover = tp->snd_nxt;
    tp->partial_ack_seen = false;
    tcp_retransmit_first(tp);
    tp->cwnd = tp->ssthresh + DUPACK_THRESHOLD * tp->mss;
}

void tcp_newreno_duplicate_ack(struct tcp_sock *tp)
{
    tp->dupacks++;
    if (tp->recovery == TCP_FAST_RECOVERY)
        tp->cwnd += tp->mss; /* RFC 5681 3.2 step 4: another segment has left the network */
    else if (tp->recovery == TCP_OPEN && tp->dupacks == DUPACK_THRESHOLD &&
             seq_after(tp->snd_una, tp->recover)) /* RFC 6582 3.2 step 2: not the echo of an old recovery */
        enter(tp);
}

/* RFC 6582 3.2 step 3, "partial acknowledgements": the next hole is lost too. */
void tcp_newreno_partial_ack(struct tcp_sock *tp, uint32_t acked)
{
    tcp_count(tp->sk.net, TCP_COUNT_partial_acks);
    tcp_retransmit_first(tp);
    tp->cwnd -= MIN(acked, tp->cwnd - tp->mss);
    if (acked >= tp->mss)
        tp->cwnd += tp->mss;
    if (!tp->partial_ack_seen) /* the timer is restarted by the first one only */
        tcp_start_rexmit(tp);
    tp->partial_ack_seen = true;
}

/* RFC 6582 3.2 step 3, "full acknowledgements", option 1: no burst. */
void tcp_newreno_full_ack(struct tcp_sock *tp)
{
    uint32_t flight = tp->snd_nxt - tp->snd_una;
    tp->cwnd = MIN(tp->ssthresh, MAX(flight, tp->mss) + tp->mss);
}
