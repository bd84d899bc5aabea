/* net/tcp/cc_modules_test.c - the congestion modules against their papers, each driven by a path that is a
 * few numbers: so long a round trip, so fast a link, so much room in its queue. Segments are of 1000 bytes.
 */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"
#include "sim/test.h"
#include <math.h>
#include <string.h>

enum { MSS = 1000 };
#define MS 1000000ull

static uint64_t state[TCP_CONG_STATE / 8];

static struct tcp_cong_view begin(uint32_t cwnd, uint32_t ssthresh)
{
    memset(state, 0, sizeof state);
    return (struct tcp_cong_view){
        .mss = MSS,
        .cwnd = cwnd,
        .ssthresh = ssthresh,
        .cwnd_limited = true,
        .state = state,
        .now = 1000 * MS,
    };
}

/* One round trip of rtt: the whole window is acknowledged, two segments at a time. */
static void round_trip(const struct tcp_cong_ops *cc, struct tcp_cong_view *v, uint64_t rtt, bool echo)
{
    unsigned acks = MAX(v->cwnd / (2 * MSS), 1u);
    v->rtt = rtt;
    v->flight = v->cwnd;
    v->acked = 2 * MSS;
    v->echo = echo;
    for (unsigned i = 0; i < acks; i++) {
        v->now += rtt / acks;
        v->round = i == acks - 1;
        cc->ack(v);
    }
}

static void lose(const struct tcp_cong_ops *cc, struct tcp_cong_view *v)
{
    v->flight = v->cwnd;
    v->cwnd = v->ssthresh = cc->ssthresh(v);
}

static double segments(const struct tcp_cong_view *v)
{
    return v->cwnd / (double)MSS;
}

TEST(cubic_grows_along_its_cubic) /* RFC 9438 4.2, figure 1 */
{
    struct tcp_cong_view v = begin(400 * MSS, 100 * MSS);
    v.min_rtt = 100 * MS;
    lose(&tcp_cubic, &v);
    CHECK_EQ(v.cwnd, 280 * MSS); /* RFC 9438 4.6 */
    double k = cbrt((400 - 280) / 0.4), began = 0;
    round_trip(&tcp_cubic, &v, 100 * MS, false);
    began = (double)v.now - 98 * MS; /* the epoch begins with the first ACK */
    for (int i = 0; i < 150; i++) {
        round_trip(&tcp_cubic, &v, 100 * MS, false);
        double t = ((double)v.now - began) / 1e9, expected = 0.4 * pow(t - k, 3) + 400;
        if (fabs(segments(&v) - expected) > expected * 0.05)
            test_fail(__FILE__, __LINE__, "after %.1f s: %.1f segments, not %.1f", t, segments(&v), expected);
    }
}

TEST(cubic_is_no_slower_than_reno_on_a_short_path) /* RFC 9438 4.3 */
{
    struct tcp_cong_view v = begin(20 * MSS, 10 * MSS);
    v.min_rtt = 5 * MS;
    lose(&tcp_cubic, &v);
    for (int i = 0; i < 60; i++)
        round_trip(&tcp_cubic, &v, 5 * MS, false);
    /* 14 segments, 9/17 more a round trip up to 20, then one more: 14 + 6 + (60 - 11.3) */
    CHECK(segments(&v) > 55 && segments(&v) < 72);
}

TEST(cubic_leaves_room_for_newer_flows) /* RFC 9438 4.7 */
{
    struct tcp_cong_view v = begin(100 * MSS, 50 * MSS);
    v.min_rtt = 100 * MS;
    lose(&tcp_cubic, &v);
    v.cwnd = 80 * MSS; /* below the 100 of the last loss: W_max becomes 68 */
    lose(&tcp_cubic, &v);
    for (int i = 0; i < 30; i++)
        round_trip(&tcp_cubic, &v, 100 * MS, false);
    CHECK(segments(&v) < 75);
}

TEST(cubic_does_not_count_time_that_was_not_used) /* RFC 9438 5.8 */
{
    struct tcp_cong_view v = begin(400 * MSS, 100 * MSS), busy;
    v.min_rtt = 100 * MS;
    lose(&tcp_cubic, &v);
    round_trip(&tcp_cubic, &v, 100 * MS, false);
    uint32_t before = v.cwnd;
    v.cwnd_limited = false;
    for (int i = 0; i < 100; i++)
        round_trip(&tcp_cubic, &v, 100 * MS, false);
    v.cwnd_limited = true;
    busy = v;
    round_trip(&tcp_cubic, &busy, 100 * MS, false);
    CHECK(busy.cwnd < before + 10 * MSS);
}

/* A link of 1000 segments a second behind a round trip of 50 ms: what is beyond 50 segments waits. */
static uint64_t waiting(const struct tcp_cong_view *v)
{
    uint64_t out = v->cwnd / MSS;
    return 50 * MS + (out > 50 ? (out - 50) * MS : 0);
}

TEST(vegas_keeps_a_few_segments_in_the_queue) /* Brakmo and Peterson 1995, 3.2 */
{
    struct tcp_cong_view v = begin(10 * MSS, TCP_CWND_MAX);
    v.min_rtt = 50 * MS;
    for (int i = 0; i < 100; i++)
        round_trip(&tcp_vegas, &v, waiting(&v), false);
    CHECK(segments(&v) >= 52 && segments(&v) <= 55);
    v.cwnd = 80 * MSS;
    for (int i = 0; i < 40; i++)
        round_trip(&tcp_vegas, &v, waiting(&v), false);
    CHECK(segments(&v) >= 52 && segments(&v) <= 55);
}

TEST(vegas_ends_slow_start_before_the_queue_is_full) /* the same, 3.3 */
{
    struct tcp_cong_view v = begin(10 * MSS, TCP_CWND_MAX);
    v.min_rtt = 50 * MS;
    double most = 0;
    for (int i = 0; i < 30; i++) {
        round_trip(&tcp_vegas, &v, waiting(&v), false);
        most = MAX(most, segments(&v));
    }
    CHECK(most < 90);
    CHECK(v.ssthresh < TCP_CWND_MAX);
}

TEST(htcp_is_reno_for_a_second_and_then_quickens) /* Leith and Shorten 2004, 2 */
{
    struct tcp_cong_view v = begin(100 * MSS, 50 * MSS);
    v.min_rtt = 100 * MS;
    lose(&tcp_htcp, &v);
    uint32_t began = v.cwnd;
    for (int i = 0; i < 9; i++)
        round_trip(&tcp_htcp, &v, 100 * MS, false);
    CHECK(v.cwnd <= began + 10 * MSS);
    for (int i = 0; i < 30; i++) /* to the fourth second: alpha = 1 + 10 * 3 + 1.5 * 1.5 */
        round_trip(&tcp_htcp, &v, 100 * MS, false);
    uint32_t before = v.cwnd;
    round_trip(&tcp_htcp, &v, 100 * MS, false);
    CHECK((v.cwnd - before) / MSS >= 28 && (v.cwnd - before) / MSS <= 36);
}

TEST(htcp_falls_as_far_as_the_queue_was_deep) /* the same, 3 */
{
    struct tcp_cong_view v = begin(100 * MSS, 50 * MSS);
    v.min_rtt = 100 * MS;
    for (int epoch = 0; epoch < 3; epoch++) {
        v.cwnd = 100 * MSS;
        for (int i = 0; i < 5; i++) {
            v.cwnd = 100 * MSS;
            round_trip(&tcp_htcp, &v, i % 2 ? 100 * MS : 140 * MS, false);
        }
        v.cwnd = 100 * MSS;
        v.flight = v.cwnd;
        v.ssthresh = tcp_htcp.ssthresh(&v);
    }
    CHECK(v.ssthresh > 68 * MSS && v.ssthresh < 74 * MSS); /* 100 / 140 */
}

/* Rounds of slow start on that path; the window after each. */
static void slow_start(const struct tcp_cong_ops *cc, struct tcp_cong_view *v, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && v->cwnd < v->ssthresh; i++)
        round_trip(cc, v, waiting(v), false);
}

TEST(hystart_ends_slow_start_when_a_queue_stands) /* RFC 9406 4.2 */
{
    static const struct tcp_cong_ops *const with[] = { &tcp_newreno, &tcp_cubic };
    for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
        struct tcp_cong_view v = begin(10 * MSS, TCP_CWND_MAX), without = v;
        v.hystart = true;
        v.min_rtt = without.min_rtt = 50 * MS;
        slow_start(with[i], &v, 20);
        CHECK(v.ssthresh < TCP_CWND_MAX);
        CHECK(v.ssthresh >= 50 * MSS && v.ssthresh < 700 * MSS); /* five rounds, each a quarter of doubling */
        memset(state, 0, sizeof state);
        slow_start(with[i], &without, 12);
        CHECK(without.cwnd > 1000 * MSS);
        CHECK_EQ(without.ssthresh, TCP_CWND_MAX);
    }
}

TEST(hystart_goes_on_when_it_was_jitter) /* RFC 9406 4.2: the round trip is shorter than at the beginning */
{
    struct tcp_cong_view v = begin(20 * MSS, TCP_CWND_MAX);
    v.hystart = true;
    round_trip(&tcp_newreno, &v, 50 * MS, false);
    round_trip(&tcp_newreno, &v, 50 * MS, false);
    round_trip(&tcp_newreno, &v, 70 * MS, false); /* one slow round */
    uint32_t before = v.cwnd;
    round_trip(&tcp_newreno, &v, 70 * MS, false);
    CHECK(v.cwnd < before * 3 / 2);
    for (int i = 0; i < 6; i++) {
        before = v.cwnd;
        round_trip(&tcp_newreno, &v, 50 * MS, false);
    }
    CHECK(v.cwnd > before * 7 / 4);
    CHECK_EQ(v.ssthresh, TCP_CWND_MAX);
}

TEST(hystart_needs_eight_samples) /* RFC 9406 4.2, 4.3 */
{
    struct tcp_cong_view v = begin(10 * MSS, TCP_CWND_MAX);
    v.hystart = true;
    v.rtt = 50 * MS;
    for (int round = 0; round < 12; round++) {
        v.rtt += 50 * MS;
        for (int i = 0; i < 7; i++) {
            v.acked = MSS;
            v.round = i == 0;
            tcp_newreno.ack(&v);
        }
    }
    CHECK_EQ(v.cwnd, (10 + 12 * 7) * MSS);
}

/* How many of 4096 round trips, their chances spread evenly, back off at that wait. */
static unsigned backs_off(uint64_t wait, uint64_t longest)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 4096; i++) {
        struct tcp_cong_view v = begin(100 * MSS, 50 * MSS);
        v.min_rtt = 50 * MS;
        v.chance = UINT32_MAX;
        round_trip(&tcp_hd, &v, v.min_rtt + longest, false);
        uint32_t before = v.cwnd;
        v.chance = i << 20;
        round_trip(&tcp_hd, &v, v.min_rtt + wait, false);
        n += v.cwnd < before;
    }
    return n;
}

TEST(hd_backs_off_by_a_chance_that_the_queue_sets) /* Budzisz et al. 2011, figure 3 */
{
    CHECK_EQ(backs_off(4 * MS, 100 * MS), 0);
    unsigned at_12 = backs_off(12500000, 100 * MS), at_20 = backs_off(20 * MS, 100 * MS);
    CHECK(at_12 > 95 && at_12 < 110);  /* half of 5 % */
    CHECK(at_20 > 195 && at_20 < 215); /* 5 % */
    unsigned at_60 = backs_off(60 * MS, 100 * MS);
    CHECK(at_60 > 95 && at_60 < 110); /* falling again */
    CHECK(backs_off(99 * MS, 100 * MS) < 10);
}

TEST(dctcp_falls_by_half_the_share_that_was_marked) /* RFC 8257 3.3, 3.4 */
{
    struct tcp_cong_view v = begin(100 * MSS, 50 * MSS);
    v.min_rtt = MS;
    for (int i = 0; i < 200; i++)
        round_trip(&tcp_dctcp, &v, MS, false);
    uint32_t before = v.cwnd;
    round_trip(&tcp_dctcp, &v, MS, true); /* after a long time without a mark */
    CHECK(v.cwnd > before * 97 / 100 && v.cwnd <= before + MSS);
    for (int i = 0; i < 100; i++) { /* all is marked: a half each time */
        v.cwnd = 100 * MSS;
        round_trip(&tcp_dctcp, &v, MS, true);
    }
    CHECK(segments(&v) < 55);
}

TEST(a_loss_never_leaves_less_than_two_segments) /* RFC 5681 eq. 4 */
{
    static const struct tcp_cong_ops *const all[] = { &tcp_newreno, &tcp_cubic, &tcp_vegas,
                                                      &tcp_hd,      &tcp_htcp,  &tcp_dctcp };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct tcp_cong_view v = begin(MSS, MSS);
        v.min_rtt = MS;
        lose(all[i], &v);
        CHECK_EQ(v.cwnd, 2 * MSS);
        v.cwnd = 50 * MSS;
        all[i]->timeout(&v);
        CHECK_EQ(v.cwnd, MSS);
    }
}
