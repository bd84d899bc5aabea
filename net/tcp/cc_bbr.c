/* net/tcp/cc_bbr.c - BBR, version 1 (Cardwell, Cheng, Gunn, Yeganeh and Jacobson, "BBR: Congestion-Based
 * Congestion Control", ACM Queue 14(5), 2016; draft-cardwell-iccrg-bbr-congestion-control-00, whose sections
 * are named below).
 *
 * Loss and a long queue are late news of congestion, and loss may be none. BBR asks two things of the path:
 * how fast it delivers at most, and how long a round trip takes when no queue stands. Sent at that rate, with
 * the product of both in flight, the path is full and its queue is empty. The two cannot be measured at once:
 * the first needs a little too much in flight, the second too little. So it takes turns:
 *
 *   STARTUP   doubles its rate each round trip until the path's does not follow
 *   DRAIN     lets go what that has put into the queue
 *   PROBE_BW  sends at the rate; of eight round trips one a quarter faster and the next a quarter slower
 *   PROBE_RTT every ten seconds, unless a shorter round trip was seen: four segments in flight, for 200 ms
 *
 * Linux's additions are not here: a model of policers, and one of ACKs that come in bunches. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"

enum mode { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };

enum {
    BW_ROUNDS = 10,     /* 4.1.1.3: the best of so many round trips */
    FULL_ROUNDS = 3,    /* 4.3.2.2: the path is full when the rate has not grown by a quarter for so many */
    CYCLE = 8,          /* 4.3.4.1 */
    STARTUP_GAIN = 289, /* 4.3.2.1: 2 / ln 2, percent, as all gains */
    DRAIN_GAIN = 35,    /* its inverse */
    WINDOW_GAIN = 200,  /* 4.2.3.2: twice the product, for ACKs that are late */
    MARGIN = 99,        /* a hundredth below the rate, so that the queue does not stand */
    LEAST_SEGMENTS = 4, /* 4.2.3 */
};
#define RTT_WINDOW     10000000000u /* 4.1.2.1: ns */
#define PROBE_RTT_TIME 200000000u   /* 4.3.5 */
static const uint8_t cycle_gain[CYCLE] = { 125, 75, 100, 100, 100, 100, 100, 100 };

struct bbr {
    uint64_t min_rtt, min_rtt_at; /* ns */
    uint64_t phase_at;            /* when this phase of the cycle began */
    uint64_t probe_rtt_until;     /* 0: too much is still in flight */
    uint32_t best[BW_ROUNDS]; /* the highest rates of the latest rounds, bytes a second; [0] is this one's */
    uint32_t bw;              /* and the highest of these */
    uint32_t full_bw;         /* what it was when it had last grown by a quarter */
    uint32_t prior_cwnd;      /* before a loss, or before PROBE_RTT */
    uint8_t mode, phase, full_rounds, chance;
    bool started, full, new_round, repairing, conserving, probe_rtt_round;
};
_Static_assert(sizeof(struct bbr) <= TCP_CONG_STATE, "fits");

/* 4.1.1: the maximum over ten rounds. A sample that the program has made small tells nothing, unless it is
 * the largest nevertheless; and only rounds that tell something push others out. */
static void take_rate(struct bbr *b, const struct tcp_cong_view *v)
{
    uint32_t rate = (uint32_t)MIN(v->rate, (uint64_t)UINT32_MAX);
    b->new_round |= v->round;
    if (!rate || (v->app_limited && rate < b->bw))
        return;
    if (b->new_round) {
        for (int i = BW_ROUNDS - 1; i > 0; i--)
            b->best[i] = b->best[i - 1];
        b->best[0] = 0;
        b->new_round = false;
    }
    b->best[0] = MAX(b->best[0], rate);
    b->bw = 0;
    for (int i = 0; i < BW_ROUNDS; i++)
        b->bw = MAX(b->bw, b->best[i]);
}

/* What is in flight when the path is full and no queue stands, times gain percent. */
static uint32_t product(const struct bbr *b, unsigned gain)
{
    uint64_t us = MIN(b->min_rtt / 1000, (uint64_t)RTT_WINDOW / 1000);
    return (uint32_t)MIN((uint64_t)b->bw * us / 1000000 * gain / 100, (uint64_t)TCP_CWND_MAX);
}

/* 4.2.3.3: and some that wait for a timer, or for the peer's delayed ACK. */
static uint32_t target(const struct bbr *b, const struct tcp_cong_view *v, unsigned gain)
{
    uint32_t quantum = MAX(2 * v->mss, b->bw >> 10);
    return MIN(product(b, gain) + 3 * quantum, (uint32_t)TCP_CWND_MAX);
}

/* 4.3.2.2: three rounds in which a rate that could have grown by a quarter did not. */
static void look_whether_full(struct bbr *b, const struct tcp_cong_view *v)
{
    if (b->full || !v->round || v->app_limited)
        return;
    if (b->bw >= b->full_bw + b->full_bw / 4) {
        b->full_bw = b->bw;
        b->full_rounds = 0;
    } else {
        b->full = ++b->full_rounds >= FULL_ROUNDS;
    }
}

static void begin_phase(struct bbr *b, const struct tcp_cong_view *v, uint8_t phase)
{
    b->phase = phase % CYCLE;
    b->phase_at = v->now;
}

/* 4.3.4.2: any phase but the slow one, so that flows do not probe at once. */
static void enter_probe_bw(struct bbr *b, const struct tcp_cong_view *v)
{
    b->mode = PROBE_BW;
    begin_phase(b, v, (uint8_t)(2 + b->chance % (CYCLE - 1)));
}

/* 4.3.4.3: a phase is a round trip long; the fast one ends when it has filled the path and a quarter more, or
 * something was lost; the slow one as soon as the queue is gone. */
static bool phase_is_over(const struct bbr *b, const struct tcp_cong_view *v)
{
    bool long_enough = v->now - b->phase_at > b->min_rtt;
    unsigned gain = cycle_gain[b->phase];
    if (gain > 100)
        return long_enough && (v->repairing || v->pipe + v->delivered >= target(b, v, gain));
    return long_enough || (gain < 100 && v->pipe <= product(b, 100));
}

static void leave_probe_rtt(struct bbr *b, struct tcp_cong_view *v)
{
    b->min_rtt_at = v->now;
    v->cwnd = MAX(v->cwnd, b->prior_cwnd);
    if (b->full)
        enter_probe_bw(b, v);
    else
        b->mode = STARTUP;
}

/* 4.3.5: until 200 ms and a round trip have passed with no more than four segments out. */
static void probe_rtt(struct bbr *b, struct tcp_cong_view *v)
{
    v->holds_back = true;
    if (!b->probe_rtt_until) {
        if (v->pipe <= LEAST_SEGMENTS * v->mss) {
            b->probe_rtt_until = v->now + PROBE_RTT_TIME;
            b->probe_rtt_round = false;
        }
        return;
    }
    b->probe_rtt_round |= v->round;
    if (b->probe_rtt_round && v->now >= b->probe_rtt_until)
        leave_probe_rtt(b, v);
}

/* 4.1.2: the shortest of ten seconds. True: there was none as short in this time. */
static bool take_rtt(struct bbr *b, const struct tcp_cong_view *v)
{
    bool expired = v->now > b->min_rtt_at + RTT_WINDOW;
    if (v->rtt && (v->rtt <= b->min_rtt || expired)) {
        b->min_rtt = v->rtt;
        b->min_rtt_at = v->now;
    }
    return expired;
}

static void save_window(struct bbr *b, const struct tcp_cong_view *v)
{
    bool whole = !b->repairing && b->mode != PROBE_RTT;
    b->prior_cwnd = whole ? v->cwnd : MAX(b->prior_cwnd, v->cwnd);
}

static void move_on(struct bbr *b, struct tcp_cong_view *v, bool rtt_is_old)
{
    if (b->mode == STARTUP && b->full)
        b->mode = DRAIN;
    if (b->mode == DRAIN && v->pipe <= product(b, 100))
        enter_probe_bw(b, v);
    if (b->mode == PROBE_BW && phase_is_over(b, v))
        begin_phase(b, v, b->phase + 1);
    if (b->mode != PROBE_RTT && rtt_is_old) {
        save_window(b, v);
        b->mode = PROBE_RTT;
        b->probe_rtt_until = 0;
    }
    if (b->mode == PROBE_RTT)
        probe_rtt(b, v);
}

/* 4.2.1; a path that is not full yet is not sent into more slowly than before. */
static void set_pace(const struct bbr *b, struct tcp_cong_view *v)
{
    const unsigned gain[] = {
        [STARTUP] = STARTUP_GAIN, [DRAIN] = DRAIN_GAIN, [PROBE_BW] = cycle_gain[b->phase], [PROBE_RTT] = 100
    };
    uint64_t rate = (uint64_t)b->bw * gain[b->mode] / 100 * MARGIN / 100;
    if (b->full || rate > v->pacing_rate)
        v->pacing_rate = rate;
}

/* 4.2.3.4: in the first round of a repair no more goes than arrives; after it the window is what it was. */
static void heed_loss(struct bbr *b, struct tcp_cong_view *v)
{
    if (v->repairing && !b->repairing) {
        b->conserving = true;
        v->cwnd = v->pipe + MAX(v->delivered, v->mss);
    } else if (!v->repairing && b->repairing) {
        b->conserving = false;
        v->cwnd = MAX(v->cwnd, b->prior_cwnd);
    } else if (v->round) {
        b->conserving = false;
    }
    b->repairing = v->repairing;
}

/* 4.2.3.6: towards the target, by no more than has arrived. */
static void set_window(const struct bbr *b, struct tcp_cong_view *v)
{
    uint32_t most = target(b, v, b->mode == PROBE_BW ? WINDOW_GAIN : STARTUP_GAIN);
    uint32_t grown = MIN(v->cwnd + v->delivered, (uint32_t)TCP_CWND_MAX);
    if (b->conserving)
        v->cwnd = MAX(v->cwnd, v->pipe + v->delivered);
    else if (b->full)
        v->cwnd = MIN(grown, most);
    else if (v->cwnd < most)
        v->cwnd = grown;
    v->cwnd = MAX(v->cwnd, LEAST_SEGMENTS * v->mss);
    if (b->mode == PROBE_RTT)
        v->cwnd = MIN(v->cwnd, LEAST_SEGMENTS * v->mss);
}

/* 4.2.1.2: before a rate is known, what the window makes of the first round trip. */
static void start(struct bbr *b, struct tcp_cong_view *v)
{
    uint64_t rtt = v->min_rtt ? v->min_rtt : 1000000;
    b->started = true;
    b->min_rtt = v->min_rtt;
    b->min_rtt_at = v->now;
    v->pacing_rate = (uint64_t)v->cwnd * 1000000000u / rtt * STARTUP_GAIN / 100;
}

static void bbr_control(struct tcp_cong_view *v)
{
    struct bbr *b = v->state;
    if (!b->started)
        start(b, v);
    if (v->round)
        b->chance = (uint8_t)v->chance;
    take_rate(b, v);
    look_whether_full(b, v);
    move_on(b, v, take_rtt(b, v));
    heed_loss(b, v);
    if (!b->bw)
        return;
    set_pace(b, v);
    set_window(b, v);
}

/* A loss is no news of congestion: no threshold. */
static uint32_t bbr_ssthresh(struct tcp_cong_view *v)
{
    save_window(v->state, v);
    return MAX(v->cwnd, 2 * v->mss);
}

/* 4.2.3.4: nothing is known of what is in flight: one segment. What a rate was before is no measure of
 * growth. */
static void bbr_timeout(struct tcp_cong_view *v)
{
    struct bbr *b = v->state;
    b->full_bw = 0;
    b->repairing = true;
    b->conserving = false;
    tcp_cong_loss_window(v);
}

const struct tcp_cong_ops tcp_bbr = {
    .name = "bbr",
    .wants_chance = true,
    .wants_rate = true,
    .wants_pacing = true,
    .control = bbr_control,
    .ssthresh = bbr_ssthresh,
    .timeout = bbr_timeout,
};
