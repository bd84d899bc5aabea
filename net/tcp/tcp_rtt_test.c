/* net/tcp/tcp_rtt_test.c - the time-out against figures worked out by hand from RFC 6298; checklist 92, 94.
 */
#include "net/port.h"
#include "net/tcp/tcp_rtt.h"
#include "sim/test.h"

static const struct tcp_rto_bounds usual = { .initial = sec(1), .least = ms(200), .most = sec(120) };

TEST(rto_is_one_second_before_any_sample) /* RFC 6298 2.1; checklist 92 */
{
    struct tcp_rtt r;
    tcp_rtt_init(&r, &usual);
    CHECK_EQ(r.rto, sec(1));
}

TEST(rto_of_the_first_sample_is_three_times_it) /* RFC 6298 2.2: SRTT = R, RTTVAR = R/2, RTO = R + 4 R/2 */
{
    struct tcp_rtt r;
    tcp_rtt_init(&r, &usual);
    tcp_rtt_sample(&r, ms(400), 0);
    CHECK_EQ(r.srtt, ms(400));
    CHECK_EQ(r.rttvar, ms(200));
    CHECK_EQ(r.rto, ms(1200));
}

TEST(rto_follows_the_second_sample) /* RFC 6298 2.3 */
{
    struct tcp_rtt r;
    tcp_rtt_init(&r, &usual);
    tcp_rtt_sample(&r, ms(400), 0);
    tcp_rtt_sample(&r, ms(800), 0);
    /* RTTVAR = 3/4 * 200 + 1/4 * |400 - 800| = 250; SRTT = 7/8 * 400 + 1/8 * 800 = 450 */
    CHECK_EQ(r.rttvar, ms(250));
    CHECK_EQ(r.srtt, ms(450));
    CHECK_EQ(r.rto, ms(1450));
    tcp_rtt_sample(&r, ms(50), 0);
    /* RTTVAR = 3/4 * 250 + 1/4 * 400 = 287.5; SRTT = 7/8 * 450 + 1/8 * 50 = 400 */
    CHECK_EQ(r.rttvar, us(287500));
    CHECK_EQ(r.srtt, ms(400));
    CHECK_EQ(r.rto, ms(1550));
}

TEST(rto_never_falls_below_200_ms) /* as Linux, see tcp_rtt.c; checklist 92 */
{
    struct tcp_rtt r;
    tcp_rtt_init(&r, &usual);
    for (int i = 0; i < 100; i++)
        tcp_rtt_sample(&r, us(300), 0);
    CHECK_EQ(r.rto, ms(200));
    CHECK_EQ(r.min, us(300));
}

TEST(rto_doubles_and_stops_at_two_minutes) /* RFC 6298 2.5, 5.5; checklist 94 */
{
    struct tcp_rtt r;
    tcp_rtt_init(&r, &usual);
    CHECK_EQ(tcp_rto_backed_off(&r, 0), sec(1));
    CHECK_EQ(tcp_rto_backed_off(&r, 1), sec(2));
    CHECK_EQ(tcp_rto_backed_off(&r, 6), sec(64));
    CHECK_EQ(tcp_rto_backed_off(&r, 7), sec(120));
    CHECK_EQ(tcp_rto_backed_off(&r, 4000000000u), sec(120));
    tcp_rtt_sample(&r, sec(1000), 0);
    CHECK_EQ(r.rto, sec(120));
}

TEST(rto_stays_between_the_bounds_it_was_given) /* RFC 6298 2.1, 2.4, 2.5 */
{
    const struct tcp_rto_bounds bounds = { .initial = ms(300), .least = ms(5), .most = sec(2) };
    struct tcp_rtt r;
    tcp_rtt_init(&r, &bounds);
    CHECK_EQ(r.rto, ms(300));
    CHECK_EQ(tcp_rto_backed_off(&r, 2), ms(1200));
    CHECK_EQ(tcp_rto_backed_off(&r, 3), sec(2));
    for (int i = 0; i < 100; i++)
        tcp_rtt_sample(&r, us(300), 0);
    CHECK_EQ(r.rto, ms(5));
    tcp_rtt_sample(&r, sec(60), 0);
    CHECK_EQ(r.rto, sec(2));
}

/* A path whose round trip is 100 ms, then for one window 300 ms: the variance after n samples of 100 ms. */
static uint64_t variance_after(unsigned samples, unsigned log2_samples)
{
    struct tcp_rtt r;
    tcp_rtt_init(&r, &usual);
    tcp_rtt_sample(&r, ms(100), 0);
    for (unsigned i = 0; i < samples; i++)
        tcp_rtt_sample(&r, ms(300), log2_samples);
    for (unsigned i = 0; i < samples; i++)
        tcp_rtt_sample(&r, ms(100), log2_samples);
    return r.rttvar;
}

TEST(many_samples_in_a_round_trip_count_for_as_much_as_one) /* RFC 7323 appendix G */
{
    uint64_t one = variance_after(1, 0), many = variance_after(16, 4), unweighted = variance_after(16, 0);
    CHECK(many > one * 4 / 5 && many < one * 6 / 5);
    CHECK(unweighted < one * 4 / 5 || unweighted > one * 6 / 5); /* else this would show nothing */
}
