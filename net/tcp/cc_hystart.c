/* net/tcp/cc_hystart.c - HyStart++, RFC 9406: slow start doubles until something is lost, and then much is.
 * When the shortest round trip of a round is longer than that of the round before, a queue has begun to
 * stand: for five rounds the window grows a quarter as fast (conservative slow start); then it is large
 * enough. If the round trip shortens meanwhile it was but jitter, and slow start goes on. Sections are the
 * RFC's. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum { N_RTT_SAMPLE = 8, GROWTH_DIVISOR = 4, CSS_ROUNDS = 5, L = 8 };      /* 4.3 */
static const uint64_t min_rtt_thresh = 4000000, max_rtt_thresh = 16000000; /* ns */

/* 4.2: a round is over. True: so is slow start. */
static bool end_round(struct tcp_hystart *h)
{
    h->last = h->samples ? h->current : 0;
    h->samples = 0;
    return h->conservative && ++h->rounds >= CSS_ROUNDS;
}

static void take_sample(struct tcp_hystart *h, uint64_t rtt)
{
    h->current = h->samples ? MIN(h->current, rtt) : rtt;
    h->samples = (uint8_t)MIN(h->samples + 1, UINT8_MAX);
}

/* 4.2: has the round trip grown by an eighth, or has it not after all? */
static void judge(struct tcp_hystart *h)
{
    if (h->samples < N_RTT_SAMPLE)
        return;
    if (h->conservative) {
        h->conservative = h->current >= h->baseline;
        return;
    }
    uint64_t thresh = CLAMP(h->last / 8, min_rtt_thresh, max_rtt_thresh);
    if (!h->last || h->current < h->last + thresh)
        return;
    h->conservative = true;
    h->baseline = h->current;
    h->rounds = 0;
}

bool tcp_cong_hystart(struct tcp_cong_view *v, struct tcp_hystart *h)
{
    if (!v->hystart || v->ssthresh < TCP_CWND_MAX) /* 4.2: for the first slow start only */
        return tcp_cong_slow_start(v);
    if (v->round && end_round(h)) {
        v->ssthresh = v->cwnd;
        return false;
    }
    if (v->rtt)
        take_sample(h, v->rtt);
    judge(h);
    uint32_t more = MIN(v->acked, L * v->mss) / (h->conservative ? GROWTH_DIVISOR : 1);
    v->cwnd = MIN(v->cwnd + more, (uint32_t)TCP_CWND_MAX - 1);
    return true;
}
