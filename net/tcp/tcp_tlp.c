/* net/tcp/tcp_tlp.c - the tail loss probe, RFC 8985 7: when the last segments of a burst are lost no ACK
 * tells of it. After two round trips without one a probe goes, and its ACK brings the SACK blocks that start
 * fast recovery, well before the retransmission timer would. */
#include "net/tcp/tcp.h"

#define WORST_DELACK ms(200) /* RFC 8985 7.2 WCDelAckT: so long may an ACK be delayed */

void tcp_tlp_schedule(struct tcp_sock *tp)
{
    uint64_t deadline = tp->timers.deadlines[TCP_TIMER_REXMIT], now = time_now();
    if (!tp->sack_ok || tp->recovery != TCP_OPEN || tp->board.sacked || tp->tlp.out || !tp->rtt.srtt ||
        !READ_ONCE(tcp_state_of(tp)->tlp))
        return;
    /* RFC 5681 4.2: only two full segments must be acknowledged at once; less may wait */
    bool may_wait = tp->snd_nxt - tp->snd_una < 2 * tp->mss;
    uint64_t wait = 2 * tp->rtt.srtt + (may_wait ? WORST_DELACK : 0);
    if (now + wait < deadline)
        tcp_timer_start(tp, TCP_TIMER_PROBE, wait);
}

/* 7.3: new text if there is some, else the last segment again. */
void tcp_tlp_fired(struct tcp_sock *tp, uint64_t now)
{
    (void)now;
    if (!tcp_in(tp, TCPS_SENDING) || tp->snd_una == tp->snd_nxt || tp->recovery != TCP_OPEN)
        return;
    uint32_t before = tp->snd_nxt;
    if (!tcp_output_probe(tp))
        return;
    tcp_count(tp->sk.net, TCP_COUNT_loss_probes);
    tp->tlp = (struct tcp_tlp){ .end = tp->snd_nxt, .out = true, .again = tp->snd_nxt == before };
    tcp_start_rexmit(tp);
}

/* 7.4.2 */
void tcp_tlp_ack(struct tcp_sock *tp, const struct tcp_ack_news *news)
{
    struct tcp_tlp *t = &tp->tlp;
    if (seq_before(tp->snd_una, t->end))
        return;
    if (!t->again || news->dsack) { /* nothing was sent twice; or both copies have arrived */
        t->out = false;
    } else if (seq_after(tp->snd_una, t->end)) { /* the probe alone has: it repaired a loss */
        t->out = false;
        tcp_count(tp->sk.net, TCP_COUNT_loss_probe_recoveries);
        tcp_recovery_congested(tp);
    } else if (news->duplicate && !news->blocks) {
        t->out = false;
    }
}
