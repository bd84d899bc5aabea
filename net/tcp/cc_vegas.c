/* net/tcp/cc_vegas.c - Vegas (Brakmo and Peterson, 1995): keep two to four segments in the path's queue.
 * The queue's part of the window is cwnd * (rtt - base) / rtt: what is out beyond what the path carries when
 * it is empty. Once a round trip the window moves by a segment towards that band. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum {
    ALPHA = 2,
    BETA = 4,
    GAMMA = 1,
    SAMPLES_MIN = 3
}; /* segments; and round trips that count have so many */

struct vegas {
    uint64_t least; /* the least sample of this round: delayed ACKs do not count so */
    uint32_t samples;
    uint64_t counted; /* for rounds that tell too little: as Reno */
    bool second;      /* slow start doubles every other round */
};
_Static_assert(sizeof(struct vegas) <= TCP_CONG_STATE, "fits");

/* Segments of ours that wait in the queue. */
static uint32_t queued(const struct vegas *g, const struct tcp_cong_view *v)
{
    uint64_t excess = (uint64_t)v->cwnd * (g->least - v->min_rtt) / g->least;
    return (uint32_t)(excess / v->mss);
}

static void end_slow_start(struct vegas *g, struct tcp_cong_view *v)
{
    uint32_t target = (uint32_t)((uint64_t)v->cwnd * v->min_rtt / g->least);
    uint32_t limit = MIN(v->cwnd, target + v->mss);
    v->cwnd = MAX(limit, 2 * v->mss);
    uint32_t below = MAX(v->cwnd - v->mss, 2 * v->mss); /* so that slow start is over */
    v->ssthresh = MIN(v->ssthresh, below);
}

static void adjust(struct vegas *g, struct tcp_cong_view *v)
{
    uint32_t diff = queued(g, v);
    if (v->cwnd < v->ssthresh) {
        if (diff > GAMMA)
            end_slow_start(g, v);
    } else if (diff > BETA) {
        v->cwnd = MAX(v->cwnd - v->mss, 2 * v->mss);
    } else if (diff < ALPHA) {
        v->cwnd = MIN(v->cwnd + v->mss, (uint32_t)TCP_CWND_MAX);
    }
}

static void end_round(struct vegas *g, struct tcp_cong_view *v)
{
    if (g->samples >= SAMPLES_MIN)
        adjust(g, v);
    else if (v->cwnd >= v->ssthresh && v->cwnd_limited)
        v->cwnd = MIN(v->cwnd + v->mss, (uint32_t)TCP_CWND_MAX);
    g->samples = 0;
    g->least = 0;
    g->second = !g->second;
}

static void vegas_ack(struct tcp_cong_view *v)
{
    struct vegas *g = v->state;
    if (v->rtt) {
        g->least = g->samples++ ? MIN(g->least, v->rtt) : v->rtt;
    }
    if (v->round)
        end_round(g, v);
    if (v->cwnd_limited && g->second)
        tcp_cong_slow_start(v);
}

static uint32_t vegas_ssthresh(struct tcp_cong_view *v)
{
    return MAX(v->flight / 2, 2 * v->mss);
}

const struct tcp_cong_ops tcp_vegas = {
    .name = "vegas",
    .ack = vegas_ack,
    .ssthresh = vegas_ssthresh,
    .timeout = tcp_cong_loss_window,
};
