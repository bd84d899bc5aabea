/* net/tcp/cc_bbr_test.c - BBR against a path that is a few numbers, a millisecond at a time: a rate, a round
 * trip, a queue without end. The window and the pace say what enters; the path says what is acknowledged. */
#include "lib/compiler.h"
#include "net/tcp/tcp_cong.h"
#include "sim/test.h"
#include <string.h>

enum { MSS = 1000, SECONDS = 40, TICKS = SECONDS * 1000 };
#define MS 1000000ull

struct path {
    double rate;         /* bytes a ms */
    unsigned round_trip; /* ms, without a queue */
    double program;      /* bytes a ms that the program writes; 0: always enough */

    unsigned now; /* ms; and up to each ms: */
    double sent[TICKS], served[TICKS], acked[TICKS];
    double round_end;
    struct tcp_cong_view view;
    uint64_t state[TCP_CONG_STATE / 8];
};
static struct path path;

static struct path *begin(double rate, unsigned round_trip)
{
    struct path *p = &path;
    memset(p, 0, sizeof *p);
    p->rate = rate;
    p->round_trip = round_trip;
    p->view = (struct tcp_cong_view){
        .mss = MSS, .cwnd = 10 * MSS, .ssthresh = TCP_CWND_MAX, .min_rtt = round_trip * MS, .state = p->state
    };
    return p;
}

/* When that was sent which is acknowledged now. */
static unsigned sent_at(const struct path *p, double acked)
{
    unsigned t = p->now > 2000 ? p->now - 2000 : 0;
    while (t < p->now && p->sent[t] < acked)
        t++;
    return t;
}

static void send(struct path *p)
{
    const struct tcp_cong_view *v = &p->view;
    double before = p->sent[p->now - 1], out = before - p->acked[p->now - 1];
    double room = v->cwnd > out ? v->cwnd - out : 0;
    double paced = v->pacing_rate ? (double)v->pacing_rate / 1000 : room;
    double wanted = p->program > 0 ? p->program : room;
    room = MIN(room, paced);
    p->sent[p->now] = before + MIN(room, wanted);
}

static void acknowledge(struct path *p)
{
    struct tcp_cong_view *v = &p->view;
    double more = p->acked[p->now] - p->acked[p->now - 1];
    if (more < 1)
        return;
    unsigned at = sent_at(p, p->acked[p->now]), took = p->now - at;
    v->now = p->now * MS;
    v->rtt = took * MS;
    v->delivered = v->acked = (uint32_t)more;
    v->pipe = (uint32_t)(p->sent[p->now] - p->acked[p->now]);
    v->rate = (uint64_t)((p->acked[p->now] - p->acked[at]) * 1000 / took);
    v->app_limited = p->program > 0;
    v->round = p->acked[at] >= p->round_end;
    v->chance = p->now * 2654435761u;
    if (v->round)
        p->round_end = p->acked[p->now];
    tcp_bbr.control(v);
}

static void run(struct path *p, unsigned ms)
{
    for (unsigned end = p->now + ms; p->now < end;) {
        p->now++;
        CHECK(p->now < TICKS);
        send(p);
        p->served[p->now] = MIN(p->served[p->now - 1] + p->rate, p->sent[p->now]);
        double arrived = p->now > p->round_trip ? p->served[p->now - p->round_trip] : 0;
        p->acked[p->now] = MAX(arrived, p->acked[p->now - 1]);
        acknowledge(p);
    }
}

/* Of what the path could have carried since. */
static double share(const struct path *p, unsigned since)
{
    return (p->served[p->now] - p->served[since]) / (p->rate * (p->now - since));
}

/* ms of queue, on the mean since. */
static double waiting(const struct path *p, unsigned since)
{
    double sum = 0;
    for (unsigned t = since; t < p->now; t++)
        sum += (p->sent[t] - p->served[t]) / p->rate;
    return sum / (p->now - since);
}

TEST(bbr_fills_a_path_and_leaves_its_queue_short) /* draft-cardwell-iccrg-bbr-congestion-control-00 */
{
    static const struct {
        double rate;
        unsigned round_trip;
    } paths[] = { { 2500, 40 }, { 125, 20 }, { 12500, 10 }, { 1250, 300 } };
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct path *p = begin(paths[i].rate, paths[i].round_trip);
        run(p, 5000);
        run(p, 20000);
        if (share(p, 5000) < 0.93 || waiting(p, 5000) > p->round_trip * 0.15 + 3 * 2 * MSS / p->rate)
            test_fail(__FILE__, __LINE__, "%.0f bytes a ms, %u ms: a share of %.3f, %.1f ms of queue",
                      p->rate, p->round_trip, share(p, 5000), waiting(p, 5000));
    }
}

TEST(bbr_doubles_until_the_rate_does_not_follow_and_drains_what_that_left) /* 4.3.2, 4.3.3 */
{
    struct path *p = begin(2500, 40);
    run(p, 400);
    CHECK(p->sent[p->now] / 400 > 2500 * 0.5); /* ten round trips: from 10 segments to 100 takes four */
    run(p, 600);
    CHECK((p->sent[p->now] - p->served[p->now]) / p->rate < 15); /* the queue of STARTUP is gone, ms */
    CHECK(p->view.pacing_rate > 1700000 && p->view.pacing_rate < 3200000);
}

TEST(bbr_looks_for_the_round_trip_every_ten_seconds) /* 4.3.5 */
{
    struct path *p = begin(2500, 40);
    unsigned small = 0;
    run(p, 3000);
    p->round_trip = 60; /* the old one is not seen again */
    for (int i = 0; i < 11000; i++) {
        run(p, 1);
        small += p->sent[p->now] - p->acked[p->now] <= 4 * MSS;
    }
    CHECK(small >= 190 && small < 350); /* ms */
    run(p, 500);
    unsigned since = p->now;
    run(p, 5000);
    CHECK(share(p, since) > 0.93); /* the window is back, and made for the new one */
    CHECK(p->view.cwnd > 2 * 2500 * 58);
}

TEST(bbr_follows_a_path_that_grows_faster_or_slower) /* 4.1.1.3, 4.3.4 */
{
    struct path *p = begin(2500, 40);
    run(p, 3000);
    p->rate = 5000;
    run(p, 3000); /* a quarter more each eight round trips */
    run(p, 1000);
    CHECK(share(p, 6000) > 0.9);
    p->rate = 1250;
    run(p, 3000); /* ten rounds, longer ones for the queue, until the old best is forgotten */
    run(p, 3000);
    CHECK(share(p, 10000) > 0.9);
    CHECK(waiting(p, 10000) < 60); /* what waits stays, little more than a second product, */
    run(p, 10000);
    unsigned since = p->now;
    run(p, 2000);
    CHECK(waiting(p, since) < 10); /* until the queue has been looked under */
}

TEST(bbr_learns_nothing_from_what_the_program_does_not_send) /* 4.1.1.4 */
{
    struct path *p = begin(2500, 40);
    run(p, 3000);
    uint64_t before = p->view.pacing_rate;
    p->program = 100;
    run(p, 5000);
    CHECK(p->view.pacing_rate > before * 7 / 10); /* the rate is remembered, over 100 round trips */
    p->program = 0;
    unsigned since = p->now;
    run(p, 500);
    CHECK(share(p, since) > 0.85);
}

TEST(bbr_gives_up_nothing_for_a_loss) /* 4.2.3.4 */
{
    struct path *p = begin(2500, 40);
    run(p, 3000);
    struct tcp_cong_view *v = &p->view;
    uint32_t before = v->cwnd, pipe = v->pipe;
    uint64_t pace = v->pacing_rate;
    CHECK_EQ(tcp_bbr.ssthresh(v), before);
    v->repairing = true;
    v->round = false;
    v->delivered = MSS;
    v->pipe = pipe - 3 * MSS; /* so much is lost */
    tcp_bbr.control(v);
    CHECK_EQ(v->cwnd, v->pipe + MSS); /* in the first round trip as much goes as arrives */
    v->repairing = false;
    tcp_bbr.control(v);
    CHECK(v->cwnd >= before - MSS);
    CHECK(v->pacing_rate > pace * 7 / 10);
    tcp_bbr.timeout(v);
    CHECK_EQ(v->cwnd, MSS);
}
