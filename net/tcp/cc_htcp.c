/* net/tcp/cc_htcp.c - H-TCP (Leith and Shorten, 2004): like Reno in the first second after a loss, then ever
 * faster, so that a long fat path fills in seconds; and after a loss it falls only as far as the queue was
 * deep. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum { BETA_MIN = 128, BETA_MAX = 204, ONE = 256 }; /* 0.5 and 0.8, in 1/256 */
enum { MODE_SWITCH_MS = 1000 };                     /* Delta_L */

struct htcp {
    uint64_t counted, last_loss;
    uint64_t rtt_min, rtt_max; /* since the last loss */
    uint64_t acked, measured_since;
    uint64_t rate, old_rate; /* the largest throughput of this and of the last epoch, bytes a second */
    uint32_t beta;           /* in 1/256 */
    bool lost;
};
_Static_assert(sizeof(struct htcp) <= TCP_CONG_STATE, "fits");

/* alpha: 1, and from one second after the loss 1 + 10 (D - 1) + ((D - 1) / 2)^2, times 2 (1 - beta). */
static uint32_t alpha(const struct htcp *h, const struct tcp_cong_view *v)
{
    uint64_t since = (v->now - h->last_loss) / 1000000;
    uint32_t beta = h->beta ? h->beta : BETA_MIN;
    uint64_t a = 1;
    if (h->lost && since > MODE_SWITCH_MS) {
        uint64_t d = MIN(since - MODE_SWITCH_MS, (uint64_t)100000);
        a = 1 + d / 100 + d * d / 4000000;
    }
    return (uint32_t)MAX(2 * (ONE - beta) * a / ONE, (uint64_t)1);
}

/* The throughput, over a round trip at a time. */
static void measure(struct htcp *h, const struct tcp_cong_view *v)
{
    h->acked += v->acked;
    if (v->rtt) {
        h->rtt_min = h->rtt_min ? MIN(h->rtt_min, v->rtt) : v->rtt;
        h->rtt_max = MAX(h->rtt_max, v->rtt);
    }
    if (!v->round)
        return;
    uint64_t took = (v->now - h->measured_since) / 1000;
    if (took)
        h->rate = MAX(h->rate, h->acked * 1000000 / took);
    h->acked = 0;
    h->measured_since = v->now;
}

static void htcp_ack(struct tcp_cong_view *v)
{
    struct htcp *h = v->state;
    measure(h, v);
    if (!v->cwnd_limited || tcp_cong_slow_start(v))
        return;
    tcp_cong_increase(v, &h->counted, alpha(h, v));
}

/* beta = RTTmin / RTTmax, but one half when the throughput has changed by more than a fifth since the last
 * loss. */
static uint32_t htcp_ssthresh(struct tcp_cong_view *v)
{
    struct htcp *h = v->state;
    uint64_t change = h->rate > h->old_rate ? h->rate - h->old_rate : h->old_rate - h->rate;
    h->beta = BETA_MIN;
    if (h->old_rate && change * 5 <= h->old_rate && h->rtt_max)
        h->beta = (uint32_t)CLAMP(h->rtt_min * ONE / h->rtt_max, (uint64_t)BETA_MIN, (uint64_t)BETA_MAX);
    h->old_rate = h->rate;
    h->rate = h->rtt_min = h->rtt_max = h->counted = 0;
    h->lost = true;
    h->last_loss = v->now;
    return MAX((uint32_t)((uint64_t)v->cwnd * h->beta / ONE), 2 * v->mss);
}

const struct tcp_cong_ops tcp_htcp = {
    .name = "htcp",
    .ack = htcp_ack,
    .ssthresh = htcp_ssthresh,
    .timeout = tcp_cong_loss_window,
};
