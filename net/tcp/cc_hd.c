/* net/tcp/cc_hd.c - Hamilton delay (Budzisz, Stanojevic, Schlote, Baker and Shorten, 2011): Reno, and once a
 * round trip a chance to back off that depends on how long packets wait in the queue. It rises to QTHRESH and
 * falls again behind it: among flows of its own kind the queue stays short, and where flows that heed only
 * loss keep it long this one stops giving way to them. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum { Q_MIN_US = 5000, Q_THRESH_US = 20000, P_MAX_PERCENT = 5 };

struct hd {
    uint64_t counted;
    uint64_t q_max; /* the longest wait seen, us */
};
_Static_assert(sizeof(struct hd) <= TCP_CONG_STATE, "fits");

/* The chance to back off, of 2^32. */
static uint64_t chance(const struct hd *h, uint64_t q)
{
    const uint64_t most = ((uint64_t)1 << 32) / 100 * P_MAX_PERCENT;
    if (q <= Q_MIN_US)
        return 0;
    if (q <= Q_THRESH_US)
        return most * (q - Q_MIN_US) / (Q_THRESH_US - Q_MIN_US);
    return most * (h->q_max - q) / (h->q_max - Q_THRESH_US);
}

static uint32_t half(const struct tcp_cong_view *v)
{
    return MAX(v->flight / 2, 2 * v->mss);
}

static bool backs_off(struct hd *h, const struct tcp_cong_view *v)
{
    if (!v->rtt || !v->round)
        return false;
    uint64_t q = (v->rtt - MIN(v->min_rtt, v->rtt)) / 1000;
    h->q_max = MAX(h->q_max, q);
    return v->chance < chance(h, q);
}

static void hd_ack(struct tcp_cong_view *v)
{
    struct hd *h = v->state;
    if (backs_off(h, v)) {
        v->ssthresh = v->cwnd = half(v);
        h->counted = 0;
        return;
    }
    if (v->cwnd_limited && !tcp_cong_slow_start(v))
        tcp_cong_increase(v, &h->counted, 1);
}

static uint32_t hd_ssthresh(struct tcp_cong_view *v)
{
    struct hd *h = v->state;
    h->counted = 0;
    return half(v);
}

const struct tcp_cong_ops tcp_hd = {
    .name = "hd",
    .wants_chance = true,
    .ack = hd_ack,
    .ssthresh = hd_ssthresh,
    .timeout = tcp_cong_loss_window,
};
