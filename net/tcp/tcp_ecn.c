/* net/tcp/tcp_ecn.c - congestion told by a mark instead of a loss: RFC 3168 6.1.
 * A router marks a packet whose sender said it would heed that; the receiver echoes the mark (ECE) on every
 * ACK until the sender says that its window has fallen (CWR). DCTCP wants each mark told exactly (RFC
 * 8257 3.2). */
#include "net/tcp/tcp.h"

enum { ECN_MASK = 3, ECN_ECT0 = 2, ECN_CE = 3 }; /* RFC 3168 5 */
enum { ECN_OFF, ECN_ASK, ECN_AGREE };
enum { BOTH = TCP_FLAG_ECE | TCP_FLAG_CWR };

/* 6.1.1: asked by both flags on a SYN; not on one that goes again, for something may have dropped the first
 * for it. */
static bool asks(const struct tcp_sock *tp)
{
    int32_t knob = READ_ONCE(tcp_state_of(tp)->ecn);
    return (knob == ECN_ASK || tp->cong->wants_ecn) && !tp->retransmits;
}

uint8_t tcp_ecn_flags(struct tcp_sock *tp, uint8_t flags, bool new_text)
{
    if (flags == TCP_FLAG_SYN) {
        tp->ecn_asked = asks(tp);
        return tp->ecn_asked ? BOTH : 0;
    }
    if (!tp->ecn_ok || flags & TCP_FLAG_RST)
        return 0;
    if (flags & TCP_FLAG_SYN)
        return TCP_FLAG_ECE;
    bool cwr = new_text && tp->cwr_due; /* 6.1.2 */
    tp->cwr_due &= !cwr;
    return (tp->ece_due ? TCP_FLAG_ECE : 0) | (cwr ? TCP_FLAG_CWR : 0);
}

/* 6.1.4, 6.1.5, 6.1.6: never on an ACK, on text sent again or on a window probe. */
uint8_t tcp_ecn_codepoint(const struct tcp_sock *tp)
{
    return tp->ecn_ok ? ECN_ECT0 : 0;
}

bool tcp_ecn_agrees(const struct tcp_sock *listener, const struct tcp_segment *seg)
{
    return (seg->flags & BOTH) == BOTH &&
           (READ_ONCE(tcp_state_of(listener)->ecn) != ECN_OFF || listener->cong->wants_ecn);
}

void tcp_ecn_begin(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    bool answer = tcp_segment_has(seg, TCP_FLAG_ACK);
    tp->ece_due = tp->cwr_due = false;
    tp->ecn_recover = tp->iss;
    if (answer) /* 6.1.1: ECE alone; both would be an echo of what we sent */
        tp->ecn_ok = tp->ecn_asked && (seg->flags & BOTH) == TCP_FLAG_ECE;
    else
        tp->ecn_ok = tcp_ecn_agrees(tp, seg);
}

/* RFC 8257 3.2: what came before the change is acknowledged as it was. */
static void echo_exactly(struct tcp_sock *tp, bool marked)
{
    if (tp->ece_due == marked)
        return;
    if (tp->last_ack_sent != tp->rcv_nxt)
        tcp_send_ack(tp);
    tp->ece_due = marked;
    tp->ack_now = true;
}

void tcp_ecn_receive(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    bool marked = (seg->tos & ECN_MASK) == ECN_CE;
    if (marked)
        tcp_count(tp->sk.net, TCP_COUNT_ecn_marks_in);
    if (tp->cong->wants_ecn) {
        if (tcp_segment_text(seg))
            echo_exactly(tp, marked);
        return;
    }
    if (tcp_segment_has(seg, TCP_FLAG_CWR)) /* 6.1.3 */
        tp->ece_due = false;
    tp->ece_due |= marked;
}

void tcp_ecn_echoed(struct tcp_sock *tp)
{
    if (tp->cong->wants_ecn || tp->recovery != TCP_OPEN || seq_before_eq(tp->snd_una, tp->ecn_recover))
        return; /* 6.1.2: once a window, and not where a loss has done it */
    tcp_count(tp->sk.net, TCP_COUNT_ecn_reductions);
    tp->ecn_recover = tp->snd_nxt;
    tp->cwr_due = true;
    tcp_recovery_congested(tp);
}
