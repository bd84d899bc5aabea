/* net/tcp/cc_newreno_test.c - the congestion window against RFC 5681's equations; checklist 96, 97. */
#include "net/tcp/tcp_cong.h"
#include "sim/test.h"

static struct tcp_cong_view fresh(uint32_t mss)
{
    struct tcp_cong_view v = { .mss = mss, .cwnd_limited = true };
    tcp_newreno.init(&v);
    return v;
}

TEST(the_initial_window_is_ten_segments) /* RFC 6928 2; checklist 96 */
{
    CHECK_EQ(fresh(1460).cwnd, 14600);
    CHECK_EQ(fresh(536).cwnd, 5360);
    CHECK_EQ(fresh(9000).cwnd, 18000);
}

TEST(slow_start_doubles_in_a_round_trip) /* RFC 5681 eq. 2; checklist 96 */
{
    struct tcp_cong_view v = fresh(1000);
    v.acked = 1000;
    for (int i = 0; i < 10; i++)
        tcp_newreno.ack(&v);
    CHECK_EQ(v.cwnd, 20000);
    v.acked = 5000; /* one ACK for much still counts as one segment */
    tcp_newreno.ack(&v);
    CHECK_EQ(v.cwnd, 21000);
}

TEST(congestion_avoidance_adds_a_segment_in_a_round_trip) /* RFC 5681 3.1; checklist 96 */
{
    struct tcp_cong_view v = fresh(1000);
    v.ssthresh = 5000;
    v.acked = 1000;
    for (int i = 0; i < 10; i++)
        tcp_newreno.ack(&v);
    CHECK_EQ(v.cwnd, 11000);
    for (int i = 0; i < 10; i++)
        tcp_newreno.ack(&v);
    CHECK_EQ(v.cwnd, 11000);
    tcp_newreno.ack(&v);
    CHECK_EQ(v.cwnd, 12000);
}

TEST(a_window_that_is_not_used_does_not_grow) /* RFC 7661 4.3 */
{
    struct tcp_cong_view v = fresh(1000);
    v.cwnd_limited = false;
    v.acked = 1000;
    tcp_newreno.ack(&v);
    CHECK_EQ(v.cwnd, 10000);
}

TEST(a_loss_halves_what_was_in_flight) /* RFC 5681 eq. 4; checklist 96, 97 */
{
    struct tcp_cong_view v = fresh(1000);
    v.flight = 30000;
    CHECK_EQ(tcp_newreno.ssthresh(&v), 15000);
    v.flight = 3000;
    CHECK_EQ(tcp_newreno.ssthresh(&v), 2000); /* never below two segments */
    tcp_newreno.timeout(&v);
    CHECK_EQ(v.cwnd, 1000);
}

TEST(modules_are_found_by_name)
{
    CHECK(tcp_cong_find("reno") == &tcp_newreno);
    CHECK(tcp_cong_find("vegas") == 0);
}
