/* net/tcp/tcp_validate_test.c - a congestion window that is not used: it does not grow, it shrinks, it begins
 * anew. */
#include "net/tcp/tcp_script_test.h"

enum { MSS = 536 }; /* the peer's SYN names none: RFC 9293 3.7.1 */
static const uint8_t zeroes[65536];

/* The program writes n segments; they are acknowledged after 10 ms. */
static void one_round(struct script *s, unsigned n)
{
    CHECK_EQ(vk_send(s->sk, zeroes, n * MSS, MSG_DONTWAIT), n * MSS);
    sim_run_for(ms(10));
    tap_flush(s->tap);
    s->rcv = tcp_sk(s->sk)->snd_nxt;
    peer_sends(s, ACK, NULL, 0);
}

static struct script begin(const char *module)
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_congestion_control", module), 0);
    s.window = 65535;
    script_accept(&s);
    return s;
}

TEST(a_window_that_is_not_used_does_not_grow) /* RFC 7661 4.3, for every module */
{
    char names[80], *name, *rest = names;
    CHECK(tcp_cong_names(names, sizeof names) < (int)sizeof names);
    while ((name = strsep(&rest, " "))) {
        struct script s = begin(name);
        for (int i = 0; i < 20; i++)
            one_round(&s, 4);
        if (tcp_sk(s.sk)->cwnd > 12 * MSS)
            test_fail(__FILE__, __LINE__, "%s: %u segments", name, tcp_sk(s.sk)->cwnd / MSS);
        script_end(&s);
    }
}

TEST(a_window_that_was_full_grows_by_all_its_acks) /* RFC 7661 4.2: use is what a round trip shows */
{
    struct script s = begin("reno");
    CHECK_EQ(vk_send(s.sk, zeroes, 10 * MSS, MSG_DONTWAIT), 10 * MSS);
    sim_run_for(ms(10));
    for (int i = 0; i < 10; i++) { /* nothing more is written: the flight falls with each ACK */
        s.rcv += MSS;
        peer_sends(&s, ACK, NULL, 0);
    }
    CHECK_EQ(tcp_sk(s.sk)->cwnd, 20 * MSS);
    script_end(&s);
}

TEST(what_is_left_unused_shrinks) /* RFC 2861 3.2 */
{
    struct script s = begin("reno");
    struct tcp_sock *tp = tcp_sk(s.sk);
    tp->cwnd = 40 * MSS;
    tp->ssthresh = 20 * MSS;
    for (int i = 0; i < 15; i++) /* less than a time-out */
        one_round(&s, 3);
    CHECK_EQ(tp->cwnd, 40 * MSS);
    for (int i = 0; i < 15; i++)
        one_round(&s, 3);
    CHECK_EQ(tp->cwnd, 25 * MSS); /* half way to the initial window */
    CHECK_EQ(tp->ssthresh, 30 * MSS);
    for (int i = 0; i < 200; i++)
        one_round(&s, 3);
    CHECK(tp->cwnd >= 10 * MSS && tp->cwnd < 12 * MSS);
    CHECK_EQ(tp->ssthresh, 30 * MSS);
    script_end(&s);
}

TEST(the_knob_keeps_an_unused_window) /* net.ipv4.tcp_slow_start_after_idle */
{
    struct script s = begin("reno");
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_slow_start_after_idle", "0"), 0);
    tp->cwnd = 40 * MSS;
    tp->ssthresh = 20 * MSS;
    for (int i = 0; i < 100; i++)
        one_round(&s, 3);
    sim_run_for(sec(60));
    one_round(&s, 3);
    CHECK_EQ(tp->cwnd, 40 * MSS);
    script_end(&s);
}

TEST(after_a_rest_the_way_back_is_slow_start) /* RFC 5681 4.1; the threshold remembers (RFC 2861 3.1) */
{
    struct script s = begin("reno");
    struct tcp_sock *tp = tcp_sk(s.sk);
    one_round(&s, 1);
    tp->cwnd = 40 * MSS;
    tp->ssthresh = 20 * MSS;
    sim_run_for(ms(150)); /* less than the least time-out */
    one_round(&s, 1);
    CHECK_EQ(tp->cwnd, 40 * MSS);
    sim_run_for(sec(1));
    CHECK_EQ(vk_send(s.sk, zeroes, MSS, MSG_DONTWAIT), MSS);
    CHECK_EQ(tp->cwnd, 10 * MSS);
    CHECK_EQ(tp->ssthresh, 30 * MSS);
    script_end(&s);
}

TEST(a_loss_takes_its_share_of_what_was_used) /* RFC 7661 4.4.1 */
{
    struct script s = begin("cubic");
    struct tcp_sock *tp = tcp_sk(s.sk);
    one_round(&s, 5);
    tp->cwnd = 40 * MSS;
    tp->ssthresh = 20 * MSS;
    CHECK_EQ(vk_send(s.sk, zeroes, 10 * MSS, MSG_DONTWAIT), 10 * MSS);
    sim_run_for(sec(1)); /* no answer */
    CHECK(tp->retransmits > 0);
    CHECK_EQ(tp->ssthresh, 7 * MSS); /* not of 28 */
    script_end(&s);
}
