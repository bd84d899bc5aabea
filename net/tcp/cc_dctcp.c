/* net/tcp/cc_dctcp.c - DCTCP, RFC 8257: switches mark early, and the window falls by half the share of bytes
 * that was marked. For networks under one roof: beside others' flows it is unfair. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum { ONE = 1024, G_SHIFT = 4 }; /* alpha in 1/1024; g = 1/16, RFC 8257 4.2 */

struct dctcp {
    uint64_t counted;
    uint64_t acked, marked; /* in this observation window, RFC 8257 3.3 */
    uint32_t alpha;
    bool started, reduced; /* once in a window */
};
_Static_assert(sizeof(struct dctcp) <= TCP_CONG_STATE, "fits");

/* RFC 8257 3.3 step 4 to 8 */
static void end_window(struct dctcp *d)
{
    uint32_t m = d->acked ? (uint32_t)(d->marked * ONE / d->acked) : 0;
    d->alpha += (m >> G_SHIFT) - (d->alpha >> G_SHIFT);
    d->acked = d->marked = 0;
    d->reduced = false;
}

static void dctcp_ack(struct tcp_cong_view *v)
{
    struct dctcp *d = v->state;
    if (!d->started) { /* RFC 8257 3.3: alpha begins at 1 */
        d->started = true;
        d->alpha = ONE;
    }
    d->acked += v->acked;
    d->marked += v->echo ? v->acked : 0;
    if (v->echo && !d->reduced) { /* RFC 8257 3.4 eq. 9 */
        v->cwnd = MAX(v->cwnd - (uint32_t)((uint64_t)v->cwnd * d->alpha / (2 * ONE)), 2 * v->mss);
        v->ssthresh = v->cwnd;
        d->reduced = true;
    } else if (v->cwnd_limited && !tcp_cong_slow_start(v)) {
        tcp_cong_increase(v, &d->counted, 1);
    }
    if (v->round)
        end_window(d);
}

static uint32_t dctcp_ssthresh(struct tcp_cong_view *v) /* RFC 8257 3.5: loss as in RFC 5681 */
{
    return MAX(v->flight / 2, 2 * v->mss);
}

const struct tcp_cong_ops tcp_dctcp = {
    .name = "dctcp",
    .wants_ecn = true,
    .ack = dctcp_ack,
    .ssthresh = dctcp_ssthresh,
    .timeout = tcp_cong_loss_window,
};
