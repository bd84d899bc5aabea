/* sim/fuzz/segments/check.c - what must hold of every connection between any two events, whatever the peer,
 * the user and memory did. */
#include "lib/compiler.h"
#include "sim/fuzz/segments/world.h"

/* RFC 9293 3.3.1, figure 3; tcp.h says the same of write_seq. */
static void check_numbers(const struct tcp_sock *tp)
{
    uint32_t last = tp->write_seq + tp->fin_queued;

    FUZZ_CHECK(seq_before_eq(tp->snd_una, tp->snd_nxt));
    FUZZ_CHECK(seq_before_eq(tp->snd_nxt, last));
    FUZZ_CHECK(tp->snd_wnd <= 65535u << TCP_WSCALE_MAX && tp->rcv_wnd <= 65535u << TCP_WSCALE_MAX);
    FUZZ_CHECK(tp->mss > 0 && tp->cwnd <= TCP_CWND_MAX);
    FUZZ_CHECK(tcp_flight(tp) <= tp->snd_nxt - tp->snd_una);
}

/* The text from snd_una to write_seq, each byte once; and the sums of its marks, counted again. */
static void check_write_queue(struct tcp_sock *tp)
{
    uint32_t sacked = 0, lost = tp->board.fin_lost, resent = 0, bytes = 0, at = 0;
    bool behind_head = false;

    for (struct sk_buff *skb = skb_peek(&tp->write_queue); skb; skb = skb_queue_next(&tp->write_queue, skb)) {
        const struct tcp_skb_cb *cb = tcp_cb(skb);
        FUZZ_CHECK(skb->len > 0 && (!bytes || cb->seq == at));
        FUZZ_CHECK(!(cb->sacked && cb->lost_now));
        behind_head |= skb == tp->send_head;
        FUZZ_CHECK(seq_before(cb->seq, tp->snd_nxt) == !behind_head);
        sacked += cb->sacked ? skb->len : 0;
        lost += cb->lost_now ? skb->len : 0;
        resent += cb->resent && !cb->sacked;
        bytes += skb->len;
        at = tcp_skb_end(skb);
    }
    FUZZ_CHECK(!bytes || at == tp->write_seq);
    FUZZ_CHECK(tp->write_queue.bytes == bytes && !tp->send_head == !behind_head);
    FUZZ_CHECK(tp->board.sacked == sacked && tp->board.lost == lost && tp->board.resent == resent);
}

/* What came early: sorted, no two overlap, none next in line; its memory is known. */
static void check_out_of_order(struct tcp_sock *tp)
{
    uint32_t at = tp->rcv_nxt;
    uint64_t truesize = 0;

    for (struct sk_buff *skb = skb_peek(&tp->ofo_queue); skb; skb = skb_queue_next(&tp->ofo_queue, skb)) {
        FUZZ_CHECK(at == tp->rcv_nxt ? seq_after(tcp_cb(skb)->seq, at) : seq_after_eq(tcp_cb(skb)->seq, at));
        at = tcp_skb_end(skb);
        truesize += skb->truesize;
        for (uint32_t i = 0; i < skb->len; i++)
            FUZZ_CHECK(skb->data[i] == peer_text(tcp_cb(skb)->seq + i));
    }
    FUZZ_CHECK(tp->ofo_truesize == truesize);
}

static void check_memory(struct sock *sk)
{
    int64_t held = 0;

    for (struct sk_buff *skb = skb_peek(&sk->receive_queue); skb;
         skb = skb_queue_next(&sk->receive_queue, skb))
        held += skb->truesize;
    FUZZ_CHECK(sk->rmem_alloc == held && sk->wmem_alloc >= 0);
}

static bool any_timer(const struct tcp_sock *tp)
{
    for (int i = 0; i < TCP_TIMER_COUNT; i++)
        if (i != TCP_TIMER_KEEP && tcp_timer_running(tp, (enum tcp_timer_kind)i))
            return true;
    return false;
}

/* Whoever waits for something that may never come has a timer that ends it. */
static void check_timers(const struct tcp_sock *tp)
{
    bool waits = tcp_in(tp, TCPS_SENDING)
                     ? tp->snd_una != tp->write_seq + tp->fin_queued
                     : tcp_in(tp, TCPS_BIT(SYN_SENT) | TCPS_BIT(SYN_RECEIVED) | TCPS_BIT(TIME_WAIT));

    if (waits || (tp->sk.dead && tp->sk.state == TCPS_FIN_WAIT_2))
        FUZZ_CHECK(any_timer(tp));
}

static void check_connection(struct tcp_sock *tp)
{
    if (tp->sk.state == TCPS_CLOSED) {
        FUZZ_CHECK(!any_timer(tp) && !tcp_timer_running(tp, TCP_TIMER_KEEP));
        FUZZ_CHECK(skb_queue_empty(&tp->write_queue) && skb_queue_empty(&tp->ofo_queue));
        FUZZ_CHECK(!tp->board.sacked && !tp->board.lost && !tp->board.resent && !tp->board.first);
    } else if (tp->sk.state != TCPS_LISTEN) {
        check_numbers(tp);
        check_write_queue(tp);
        check_out_of_order(tp);
        check_timers(tp);
    }
    check_memory(&tp->sk);
}

void world_check(struct world *w)
{
    for (unsigned i = 0; i < w->n_socks; i++)
        check_connection(tcp_sk(w->socks[i].sk));
    for (unsigned flow = 0; flow < FLOWS; flow++) {
        struct tcp_sock *tp = flow_connection(w, flow);
        if (tp && !user_sock_of(w, tp))
            check_connection(tp);
    }
}
