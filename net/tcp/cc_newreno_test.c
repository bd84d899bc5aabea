/* net/tcp/cc_newreno_test.c - the congestion window against RFC 5681's equations; checklist 96, 97. */
#include "net/tcp/tcp_cong.h"
#include "sim/test.h"

static uint64_t state[TCP_CONG_STATE / 8];

static struct tcp_cong_view fresh(uint32_t mss)
{
    state[0] = 0;
    return (struct tcp_cong_view){
        .mss = mss,
        .cwnd = tcp_cong_initial_window(mss, 0),
        .ssthresh = TCP_CWND_MAX,
        .cwnd_limited = true,
        .state = state,
    };
}

TEST(the_initial_window_is_ten_segments) /* RFC 6928 2; checklist 96 */
{
    CHECK_EQ(tcp_cong_initial_window(1460, 0), 14600);
    CHECK_EQ(tcp_cong_initial_window(536, 0), 5360);
    CHECK_EQ(tcp_cong_initial_window(9000, 0), 18000);
    CHECK_EQ(tcp_cong_initial_window(1460, 3), 4380);
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
    CHECK(tcp_cong_find("cubic") == &tcp_cubic);
    CHECK(tcp_cong_find("westwood") == 0);
}
