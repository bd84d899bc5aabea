/* net/tcp/tcp_rate_test.c - samples of the delivery rate (draft-cheng-iccrg-delivery-rate-estimation). */
#include "net/tcp/tcp_script_test.h"
#include "net/tcp/tcp_stream_test.h"

enum { MSS = 536 }; /* the peer's SYN names none: RFC 9293 3.7.1 */
static const uint8_t zeroes[65536];

TEST(samples_tell_the_rate_of_the_bottleneck) /* 2.2 */
{
    static const uint64_t lines[] = { 1000000, 20000000, 100000000 }; /* bit/s */
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct stream s;
        stream_create(&s, lines[i], ms(30));
        stream_begin(&s, lines[i] / 8 * 4);
        sim_run_for(sec(2));
        for (int n = 0; n < 50; n++) {
            sim_run_for(ms(17));
            uint64_t most = lines[i] / 8 * 1448 / 1514, rate = tcp_rate_latest(&stream_tcp(&s)->rate);
            if (rate > most * 101 / 100 || rate < most * 95 / 100)
                test_fail(__FILE__, __LINE__, "%lu bytes a second over a line for %lu", rate, most);
        }
        stream_end(&s);
    }
}

TEST(what_the_program_leaves_out_is_marked) /* 3.4 */
{
    struct stream s;
    stream_create(&s, 20000000, ms(30));
    s.pause = ms(200); /* 64 kB each time: the line could carry 500 kB */
    stream_begin(&s, 2000000);
    sim_run_for(sec(3));
    CHECK(stream_tcp(&s)->rate.sample_limited);
    CHECK(tcp_rate_latest(&stream_tcp(&s)->rate) < 20000000 / 8);
    stream_end(&s);

    stream_create(&s, 20000000, ms(30));
    stream_begin(&s, 10000000);
    sim_run_for(sec(2)); /* the peer's window limits by now: that is no want of text */
    CHECK(!stream_tcp(&s)->rate.sample_limited);
    stream_end(&s);
}

/* A connection that has sent ten segments at once, 100 ms ago. */
static struct script ten_out(void)
{
    struct script s = script_begin();
    s.window = 65535;
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 40 * MSS, MSG_DONTWAIT), 40 * MSS);
    for (int i = 0; i < 10; i++)
        host_sends_any(&s, ACK);
    sim_run_for(ms(100));
    tcp_sk(s.sk)->rtt.min = ms(100); /* the handshake's was shorter */
    return s;
}

TEST(acks_that_come_in_a_bunch_make_no_path_faster) /* 2.2.1: the longer of both times counts */
{
    struct script s = ten_out();
    const struct tcp_rate *r = &tcp_sk(s.sk)->rate;
    for (int i = 1; i <= 10; i++) {
        peer_sends_at(&s, ACK, s.snd, s.rcv + (uint32_t)i * MSS, NULL, 0);
        CHECK(tcp_rate_latest(r) <= 10 * MSS * 10); /* ten segments in 100 ms */
    }
    CHECK(tcp_rate_latest(r) > 10 * MSS * 9);
    CHECK_EQ(r->delivered, 10 * MSS);
    script_end(&s);
}

TEST(a_flight_that_begins_has_no_past) /* 3.2: an idle time is no slow path */
{
    struct script s = ten_out();
    const struct tcp_rate *r = &tcp_sk(s.sk)->rate;
    tap_flush(s.tap);
    peer_sends_at(&s, ACK, s.snd, tcp_sk(s.sk)->snd_nxt, NULL, 0);
    for (struct packet p; tap_receive(s.tap, &p, ms(10));)
        peer_sends_at(&s, ACK, s.snd, tcp_sk(s.sk)->snd_nxt, NULL, 0);
    CHECK_EQ(tcp_sk(s.sk)->snd_una, tcp_sk(s.sk)->write_seq);
    sim_run_for(sec(20));
    CHECK_EQ(vk_send(s.sk, zeroes, MSS, MSG_DONTWAIT), MSS);
    CHECK(r->app_limited);
    sim_run_for(ms(100));
    peer_sends_at(&s, ACK, s.snd, tcp_sk(s.sk)->snd_nxt, NULL, 0);
    CHECK_EQ(r->bytes, MSS);
    CHECK(r->interval >= ms(100) && r->interval < ms(101));
    CHECK(r->sample_limited);
    script_end(&s);
}

TEST(the_ack_of_a_first_copy_is_no_sample) /* 3.3: faster than the least round trip */
{
    struct script s = ten_out();
    struct tcp_sock *tp = tcp_sk(s.sk);
    peer_sends_at(&s, ACK, s.snd, s.rcv + MSS, NULL, 0);
    struct tcp_rate before = tp->rate;
    sim_run_for(sec(1)); /* all of it counts as lost; the next goes again */
    CHECK(tp->retransmits > 0);
    while (tp->last_sent_at + ms(2) < time_now()) /* until just after a copy has left */
        sim_run_for(ms(1));
    peer_sends_at(&s, ACK, s.snd, s.rcv + 2 * MSS, NULL, 0);
    CHECK_EQ(tp->rate.delivered, before.delivered + MSS);
    CHECK_EQ(tp->rate.interval, before.interval);
    script_end(&s);
}
