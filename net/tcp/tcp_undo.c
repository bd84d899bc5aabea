/* net/tcp/tcp_undo.c - retransmissions that were not needed, and what they cost given back.
 * Three witnesses: the ACK of the first copy echoes a clock from before the second (Eifel, RFC 3522 3.2); a
 * D-SACK for every segment sent again (RFC 3708); and after a time-out, the arrival of text that was sent
 * once only (F-RTO, RFC 5682 3). */
#include "net/tcp/tcp.h"

void tcp_undo_save(struct tcp_sock *tp)
{
    tp->undo = (struct tcp_undo){
        .cwnd = tp->cwnd,
        .ssthresh = tp->ssthresh,
        .marker = tp->snd_una,
    };
}

void tcp_undo_resent(struct tcp_sock *tp)
{
    struct tcp_undo *u = &tp->undo;
    if (!u->cwnd)
        return;
    u->any_resent = true;
    u->all_dsacked = false;
    u->resent++;
}

void tcp_undo_dsack(struct tcp_sock *tp, uint32_t end)
{
    struct tcp_undo *u = &tp->undo;
    if (u->cwnd && u->resent && seq_after(end, u->marker))
        u->all_dsacked = --u->resent == 0;
}

/* RFC 3522 3.2 step 5. What had been sent again in an earlier recovery and is still out counts too: its ACK
 * echoes a clock from before anything that this recovery sent. */
static bool eifel(const struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    return news->acked && news->has_echo && tp->undo.any_resent && tp->recovery != TCP_OPEN &&
           tcp_ts_before(tp, news->echo, tp->board.resent_since);
}

/* RFC 5682 3.1 (SACK-enhanced), step 3 b. */
static bool frto(const struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    return tp->recovery == TCP_LOSS && tp->frto == TCP_FRTO_NEW && news->original;
}

bool tcp_undo_try(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    struct tcp_undo *u = &tp->undo;
    if (!u->cwnd || !(eifel(tp, news) || frto(tp, news) || u->all_dsacked))
        return false;
    if (tp->recovery == TCP_LOSS)
        tcp_count(tp->sk.net, TCP_COUNT_spurious_timeouts);
    else
        tcp_count(tp->sk.net, TCP_COUNT_undone_recoveries);
    tcp_count(tp->sk.net, TCP_COUNT_undone);
    tcp_board_lose_none(tp);
    tp->cwnd = MAX(tp->cwnd, u->cwnd);
    tp->ssthresh = MAX(tp->ssthresh, u->ssthresh);
    tp->recovery = TCP_OPEN;
    tp->frto = TCP_FRTO_OFF;
    u->cwnd = 0;
    return true;
}
