/* net/tcp/cc_newreno.c - the standard's congestion control: slow start and congestion avoidance (RFC 5681),
 * with an initial window of ten segments (RFC 6928). state[0] counts bytes acknowledged since the last
 * increase in congestion avoidance (RFC 5681 3.1, RFC 3465 2.1). */
#include "lib/compiler.h"
#include "lib/string.h"
#include "net/tcp/tcp_cong.h"

enum { CWND_MAX = 1 << 30 };

/* RFC 6928 2: min(10 MSS, max(2 MSS, 14600)). */
static uint32_t initial_window(uint32_t mss)
{
    return MIN(10 * mss, MAX(2 * mss, 14600u));
}

static void newreno_init(struct tcp_cong_view *v)
{
    v->cwnd = initial_window(v->mss);
    v->ssthresh = CWND_MAX; /* RFC 5681 3.1: arbitrarily high */
}

static void slow_start(struct tcp_cong_view *v)
{
    v->cwnd += MIN(v->acked, v->mss); /* RFC 5681 eq. 2 */
}

static void congestion_avoidance(struct tcp_cong_view *v)
{
    v->state[0] += v->acked;
    if (v->state[0] < v->cwnd)
        return;
    v->state[0] -= v->cwnd;
    v->cwnd += v->mss; /* one segment a round trip, RFC 5681 3.1 */
}

static void newreno_ack(struct tcp_cong_view *v)
{
    if (!v->cwnd_limited) /* RFC 7661 4.3: a window that is not used proves nothing */
        return;
    if (v->cwnd < v->ssthresh)
        slow_start(v);
    else
        congestion_avoidance(v);
    v->cwnd = MIN(v->cwnd, (uint32_t)CWND_MAX);
}

static uint32_t newreno_ssthresh(struct tcp_cong_view *v)
{
    v->state[0] = 0;
    return MAX(v->flight / 2, 2 * v->mss); /* RFC 5681 eq. 4 */
}

static void newreno_timeout(struct tcp_cong_view *v)
{
    v->cwnd = v->mss; /* RFC 5681 3.1: the loss window */
}

const struct tcp_cong_ops tcp_newreno = {
    .name = "reno",
    .init = newreno_init,
    .ack = newreno_ack,
    .ssthresh = newreno_ssthresh,
    .timeout = newreno_timeout,
};

static const struct tcp_cong_ops *const modules[] = { &tcp_newreno };

const struct tcp_cong_ops *tcp_cong_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
        if (!strcmp(modules[i]->name, name))
            return modules[i];
    return NULL;
}
