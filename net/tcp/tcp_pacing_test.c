/* net/tcp/tcp_pacing_test.c - pacing: the rate is kept, in quanta, and nothing of it is there when it is off.
 */
#include "net/tcp/tcp_script_test.h"
#include "net/tcp/tcp_stream_test.h"

enum { MSS = 536 }; /* the peer's SYN names none: RFC 9293 3.7.1 */
static const uint8_t zeroes[65536];

TEST(the_largest_pacing_rate_is_kept_to_a_hundredth) /* socket(7), SO_MAX_PACING_RATE */
{
    static const int rates[] = { 20000, 123456, 1000000, 5000000 }; /* bytes a second; the line has 12.5 MB */
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        struct stream s;
        stream_create(&s, 100000000, ms(20));
        CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, rates[i]), 0);
        stream_begin(&s, (uint64_t)rates[i] * 6);
        sim_run_for(sec(1));
        uint64_t rate = stream_rate(&s, sec(4)), wanted = (uint64_t)rates[i];
        uint64_t quantum = 2 * 1448 / 4; /* one may have begun before */
        if (rate > wanted + wanted / 200 + quantum || rate + wanted / 200 + quantum < wanted)
            test_fail(__FILE__, __LINE__, "%lu bytes a second instead of %lu", rate, wanted);
        stream_end(&s);
    }
}

TEST(a_limit_that_changes_on_the_way_is_heeded_at_once)
{
    struct stream s;
    stream_create(&s, 100000000, ms(10));
    stream_begin(&s, 40000000);
    CHECK(stream_rate(&s, sec(1)) > 9000000);
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, 500000), 0);
    sim_run_for(ms(200)); /* what is in flight */
    uint64_t rate = stream_rate(&s, sec(1));
    CHECK(rate > 450000 && rate < 505000);
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, -1), 0); /* none any more */
    sim_run_for(ms(500));
    CHECK(stream_rate(&s, ms(500)) > 9000000);
    CHECK(!stream_tcp(&s)->pacing.on);
    stream_end(&s);
}

/* How many segments leave within the next so many ns. */
static unsigned segments_within(struct script *s, uint64_t duration)
{
    uint64_t until = time_now() + duration;
    struct packet p;
    unsigned n = 0;
    for (; time_now() < until && tap_receive(s->tap, &p, until - time_now()); n++)
        s->rcv += (uint32_t)p.payload_len;
    return n;
}

/* An open connection whose round trip is 100 ms, with a window of ten segments. */
static struct script measured(void)
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, MSS, 0), MSS);
    host_sends(&s, PSH | ACK);
    sim_run_for(ms(100));
    tcp_sk(s.sk)->rtt.srtt = 0;
    peer_sends(&s, ACK, NULL, 0);
    tcp_sk(s.sk)->rtt.srtt = ms(100);
    return s;
}

TEST(without_pacing_a_window_leaves_at_once)
{
    struct script s = measured();
    CHECK_EQ(vk_send(s.sk, zeroes, 8 * MSS, MSG_DONTWAIT), 8 * MSS);
    CHECK_EQ(segments_within(&s, ms(5)), 8);
    CHECK(!tcp_timer_running(tcp_sk(s.sk), TCP_TIMER_PACE));
    script_end(&s);
}

TEST(paced_segments_leave_two_by_two_over_the_round_trip)
{
    struct script s = measured();
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, 10 * MSS),
             0); /* ten segments a second */
    CHECK_EQ(vk_send(s.sk, zeroes, 8 * MSS, MSG_DONTWAIT), 8 * MSS);
    CHECK_EQ(segments_within(&s, ms(190)), 2);
    CHECK(tcp_timer_running(tp, TCP_TIMER_PACE));
    CHECK(!tcp_timer_running(tp, TCP_TIMER_PERSIST));
    CHECK_EQ(segments_within(&s, ms(20)), 2);
    peer_sends(&s, ACK, NULL, 0); /* an ACK moves nothing that is not due */
    CHECK_EQ(segments_within(&s, ms(180)), 0);
    CHECK_EQ(segments_within(&s, ms(20)), 2);
    peer_sends(&s, ACK, NULL, 0); /* nothing is in flight: the timer alone brings the rest */
    CHECK(!tcp_timer_running(tp, TCP_TIMER_REXMIT) && !tcp_timer_running(tp, TCP_TIMER_PERSIST));
    CHECK_EQ(segments_within(&s, ms(200)), 2);
    script_end(&s);
}

TEST(pacing_in_slow_start_sends_two_windows_a_round_trip) /* net.ipv4.tcp_pacing_ss_ratio */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_pacing", "1"), 0);
    script_accept(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    tp->rtt.srtt = ms(100);
    tcp_pacing_update(tp);
    CHECK_EQ(tp->pacing.rate, 2 * 10 * MSS * 10); /* a second has ten round trips */
    CHECK_EQ(vk_send(s.sk, zeroes, 10 * MSS, MSG_DONTWAIT), 10 * MSS);
    CHECK_EQ(segments_within(&s, ms(25)), 6); /* 2 each at 0, 10 and 20 ms */
    CHECK_EQ(segments_within(&s, ms(100)), 4);
    tp->ssthresh = tp->cwnd; /* congestion avoidance */
    tcp_pacing_update(tp);
    CHECK_EQ(tp->pacing.rate, 10 * MSS * 12);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_pacing_ca_ratio", "150"), 0);
    tcp_pacing_update(tp);
    CHECK_EQ(tp->pacing.rate, 10 * MSS * 15);
    script_end(&s);
}

TEST(what_a_timer_is_late_is_made_up_for)
{
    struct script s = measured();
    struct tcp_sock *tp = tcp_sk(s.sk);
    tp->rtt.srtt = ms(5); /* so that the window's own pace is faster */
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, 1000 * MSS), 0); /* 2 ms a quantum */
    CHECK_EQ(vk_send(s.sk, zeroes, 2 * MSS, MSG_DONTWAIT), 2 * MSS);
    CHECK_EQ(segments_within(&s, ms(50)), 2);
    CHECK_EQ(vk_send(s.sk, zeroes, 6 * MSS, MSG_DONTWAIT), 6 * MSS);
    CHECK_EQ(segments_within(&s, us(100)), 2); /* for the rest nothing is owed */
    CHECK(tp->pacing.waits);
    tp->pacing.next -= ms(3); /* as if the timer had slept */
    unsigned n = segments_within(&s, ms(3));
    CHECK_EQ(n, 4);
    script_end(&s);
}

TEST(what_is_sent_again_after_a_time_out_does_not_wait_for_the_pace) /* RFC 6298 5.4 */
{
    struct script s = measured();
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, 100), 0); /* 30 s a quantum */
    CHECK_EQ(vk_send(s.sk, zeroes, 2 * MSS, MSG_DONTWAIT), 2 * MSS);
    CHECK_EQ(segments_within(&s, ms(100)), 2);
    uint32_t first = s.rcv - 2 * MSS;
    struct packet p;
    EXPECT_TCP(s.tap, &p, ACK);
    CHECK_EQ(p.seq, first);
    CHECK(time_now() < sec(5));
    script_end(&s);
}

TEST(a_paced_connection_that_is_aborted_leaves_nothing)
{
    struct script s = measured();
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE, 1000), 0);
    CHECK_EQ(vk_send(s.sk, zeroes, 8 * MSS, MSG_DONTWAIT), 8 * MSS);
    CHECK_EQ(segments_within(&s, ms(10)), 2);
    peer_sends(&s, RST, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    host_is_silent(&s, sec(10));
    script_end(&s);
}

TEST(a_child_is_paced_as_its_listener) /* accept(2): options are inherited */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    CHECK_EQ(vk_setsockopt_int(s.listener, SOL_SOCKET, SO_MAX_PACING_RATE, 50000), 0);
    script_accept(&s);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_MAX_PACING_RATE), 50000);
    CHECK(tcp_sk(s.sk)->pacing.on);
    CHECK_EQ(tcp_sk(s.sk)->pacing.rate, 50000);
    script_end(&s);
}
