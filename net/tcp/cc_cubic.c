/* net/tcp/cc_cubic.c - CUBIC, RFC 9438: after a loss the window grows along a cubic of the time since, flat
 * around the window where the loss was, and never slower than a Reno flow's would. Sizes are bytes, so the
 * RFC's segments are bytes / mss; times are milliseconds, so C * t^3 with C = 0.4 is 4 * t^3 / 10^10
 * segments. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum { T_MAX = 200000 }; /* ms on either side of K: beyond it the window is at its limit anyway */

struct cubic {
    uint64_t epoch;          /* when congestion avoidance began, ns; valid if in_epoch */
    uint64_t last_ack;       /* ns */
    int64_t k;               /* K in ms */
    uint32_t w_max;          /* RFC 9438 4.1.2 */
    uint32_t w_est;          /* what Reno would have, 4.3 */
    uint32_t prior;          /* cwnd before the last reduction */
    uint64_t est_rest, rest; /* fractions of a byte not yet added to w_est and cwnd */
    bool in_epoch;
    struct tcp_hystart hystart;
};
_Static_assert(sizeof(struct cubic) <= TCP_CONG_STATE, "fits");

/* The integer cube root, by bits from the top. */
static uint64_t cube_root(uint64_t x)
{
    uint64_t root = 0;
    for (int shift = 63; shift >= 0; shift -= 3) {
        root <<= 1;
        uint64_t step = 3 * root * (root + 1) + 1;
        if (x >> shift >= step) {
            x -= step << shift;
            root++;
        }
    }
    return root;
}

/* RFC 9438 4.2: K = cbrt((W_max - cwnd_epoch) / C), and the Reno-friendly window begins at cwnd. */
static void begin_epoch(struct cubic *c, const struct tcp_cong_view *v)
{
    uint32_t below = c->w_max > v->cwnd ? c->w_max - v->cwnd : 0;
    c->in_epoch = true;
    c->epoch = v->now;
    c->k = (int64_t)cube_root((uint64_t)below * 2500000000u / v->mss);
    c->w_max = MAX(c->w_max, v->cwnd);
    c->w_est = v->cwnd;
    c->rest = c->est_rest = 0;
}

/* RFC 9438 figure 1: W_cubic(t), t in ms since the epoch. */
static int64_t w_cubic(const struct cubic *c, const struct tcp_cong_view *v, int64_t t)
{
    int64_t d = CLAMP(t - c->k, (int64_t)-T_MAX, (int64_t)T_MAX);
    return c->w_max + d * d * d / 1000000 * 4 * v->mss / 10000;
}

/* Add bytes * acked / cwnd, keeping what is less than a byte. */
static uint32_t share(uint64_t bytes, const struct tcp_cong_view *v, uint64_t *rest)
{
    *rest += bytes * v->acked;
    uint32_t whole = (uint32_t)(*rest / v->cwnd);
    *rest %= v->cwnd;
    return whole;
}

/* RFC 9438 4.3: alpha = 3 * (1 - beta) / (1 + beta) = 9/17 until the window before the loss is reached,
 * then 1. */
static void grow_estimate(struct cubic *c, const struct tcp_cong_view *v)
{
    uint64_t alpha_mss = c->w_est < c->prior ? (uint64_t)v->mss * 9 / 17 : v->mss;
    c->w_est += share(alpha_mss, v, &c->est_rest);
}

/* RFC 9438 4.4 and 4.5: towards where the cubic will be a round trip from now, at most half as much again. */
static void grow(struct cubic *c, struct tcp_cong_view *v)
{
    int64_t t = (int64_t)((v->now - c->epoch) / 1000000);
    int64_t ahead = t + (int64_t)((v->rtt ? v->rtt : v->min_rtt) / 1000000);
    int64_t target = CLAMP(w_cubic(c, v, ahead), (int64_t)v->cwnd, (int64_t)v->cwnd * 3 / 2);
    grow_estimate(c, v);
    if (w_cubic(c, v, t) < (int64_t)c->w_est) /* 4.3 */
        v->cwnd = MAX(v->cwnd, c->w_est);
    else
        v->cwnd += share((uint64_t)(target - v->cwnd), v, &c->rest);
    v->cwnd = MIN(v->cwnd, (uint32_t)TCP_CWND_MAX);
}

static void cubic_ack(struct tcp_cong_view *v)
{
    struct cubic *c = v->state;
    uint64_t idle = v->now - c->last_ack;
    c->last_ack = v->now;
    if (!v->cwnd_limited) { /* RFC 9438 4.2, 5.8: time in which the window was not used does not count */
        c->epoch += c->in_epoch ? idle : 0;
        return;
    }
    if (tcp_cong_hystart(v, &c->hystart))
        return;
    if (!c->in_epoch)
        begin_epoch(c, v);
    grow(c, v);
}

/* RFC 9438 4.6, 4.7: beta is 0.7; a flow that lost before it had its old share back leaves more to newer
 * ones. */
static uint32_t cubic_ssthresh(struct tcp_cong_view *v)
{
    struct cubic *c = v->state;
    c->in_epoch = false;
    c->prior = v->cwnd;
    c->w_max = v->cwnd < c->w_max ? (uint32_t)((uint64_t)v->cwnd * 17 / 20) : v->cwnd;
    return MAX((uint32_t)((uint64_t)v->cwnd * 7 / 10), 2 * v->mss);
}

const struct tcp_cong_ops tcp_cubic = {
    .name = "cubic",
    .ack = cubic_ack,
    .ssthresh = cubic_ssthresh,
    .timeout = tcp_cong_loss_window, /* RFC 9438 4.8 */
};
