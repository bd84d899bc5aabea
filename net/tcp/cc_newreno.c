/* net/tcp/cc_newreno.c - the standard's congestion control: slow start and congestion avoidance (RFC 5681).
 */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

struct newreno {
    uint64_t counted; /* bytes acknowledged since the last increase, RFC 3465 2.1 */
    struct tcp_hystart hystart;
};

static void newreno_ack(struct tcp_cong_view *v)
{
    struct newreno *r = v->state;
    if (!v->cwnd_limited) /* RFC 7661 4.3: a window that is not used proves nothing */
        return;
    if (!tcp_cong_hystart(v, &r->hystart))
        tcp_cong_increase(v, &r->counted, 1); /* one segment a round trip, RFC 5681 3.1 */
}

static uint32_t newreno_ssthresh(struct tcp_cong_view *v)
{
    /* LAB sender: ssthresh.c */
    struct newreno *r = v->state;
    r->counted = 0;
    return MAX(v->flight / 2, 2 * v->mss); /* RFC 5681 eq. 4 */
    /* END LAB */
}

const struct tcp_cong_ops tcp_newreno = {
    .name = "reno",
    .ack = newreno_ack,
    .ssthresh = newreno_ssthresh,
    .timeout = tcp_cong_loss_window,
};
