/* net/tcp/tcp_metrics_test.c - one connection learns from another: RFC 9040. */
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp_script_test.h"

enum { MS = 1000, MSS = 536 };
enum { RTT_US, RTTVAR_US, SSTHRESH, CWND, REORDERING };

static void set(struct script *s, const char *knob, const char *value)
{
    CHECK_EQ(net_sysctl_set(s->vk->net, knob, value), 0);
}

static struct peer_metrics metrics(struct script *s)
{
    struct peer_metrics m = { { 0 } };
    peer_metrics_get(s->vk->net, cpu_to_be32(s->tap->ip), &m);
    return m;
}

static void remember(struct script *s, struct peer_metrics m)
{
    peer_metrics_set(s->vk->net, cpu_to_be32(s->tap->ip), &m);
}

/* A connection that the host accepts, whose handshake takes this long. */
static struct tcp_sock *open_in(struct script *s, uint64_t round_trip)
{
    s->sport++;
    s->snd = PEER_ISS;
    if (!s->listener)
        script_listen(s, 5);
    peer_sends(s, SYN, NULL, 0);
    s->rcv = host_sends_any(s, SYN | ACK).seq + 1;
    sim_run_for(round_trip - us(10));
    peer_sends(s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s->listener, MSG_DONTWAIT, &s->sk), 0);
    return tcp_sk(s->sk);
}

/* The host closes, after this long the peer acknowledges that, and closes too. */
static void close_in(struct script *s, uint64_t round_trip)
{
    struct sock *sk = script_close(s);
    host_sends(s, FIN | ACK);
    sim_run_for(round_trip);
    peer_sends(s, ACK, NULL, 0);
    peer_sends(s, FIN | ACK, NULL, 0);
    host_sends(s, ACK);
    sock_put(sk);
}

TEST(what_a_connection_found_out_is_remembered) /* RFC 9040 8 */
{
    struct script s = script_begin();
    open_in(&s, ms(100));
    close_in(&s, ms(100));
    struct peer_metrics m = metrics(&s);
    CHECK(m.value[RTT_US] >= 99 * MS && m.value[RTT_US] <= 101 * MS);
    CHECK(m.value[RTTVAR_US] >= 49 * MS && m.value[RTTVAR_US] <= 51 * MS);
    CHECK_EQ(m.value[SSTHRESH], 0); /* nothing was lost */
    CHECK_EQ(m.value[CWND], 10 * MSS);
    script_end(&s);
}

TEST(a_longer_round_trip_counts_at_once_a_shorter_one_by_an_eighth)
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 20 * MS, 1 * MS } });
    open_in(&s, ms(100));
    close_in(&s, ms(100));
    CHECK(metrics(&s).value[RTT_US] >= 99 * MS);
    remember(&s, (struct peer_metrics){ { 900 * MS, 1 * MS } });
    open_in(&s, ms(100));
    close_in(&s, ms(100));
    CHECK_EQ(metrics(&s).value[RTT_US] / MS, 800);
    CHECK_EQ(metrics(&s).value[RTTVAR_US] / MS, 400); /* it jumped by 800 */
    script_end(&s);
}

TEST(a_longer_round_trip_of_before_makes_the_time_out_longer)
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 400 * MS, 100 * MS } });
    struct tcp_sock *tp = open_in(&s, ms(50));
    CHECK_EQ(tp->rtt.rto, ms(800));
    CHECK(tp->rtt.srtt < ms(51)); /* but what is measured is what is told */
    script_end(&s);
}

TEST(a_shorter_round_trip_of_before_changes_nothing) /* RFC 6298 2: the handshake was measured */
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 10 * MS, 1 * MS } });
    struct tcp_sock *tp = open_in(&s, ms(100));
    CHECK(tp->rtt.rto >= ms(299) && tp->rtt.rto <= ms(301));
    script_end(&s);
}

TEST(the_first_time_out_of_a_syn_is_a_second_whatever_is_remembered) /* RFC 6298 2.1 */
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 10 * MS, 1 * MS } });
    script_connect(&s);
    uint64_t before = time_now();
    struct packet again = host_sends_any(&s, SYN);
    CHECK(again.time - before >= ms(990) && again.time - before <= ms(1010));
    script_end(&s);
}

TEST(slow_start_ends_where_congestion_was_found_before)
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 0, 0, 20 * MSS } });
    CHECK_EQ(open_in(&s, ms(10))->ssthresh, 20 * MSS);
    close_in(&s, ms(10));
    CHECK_EQ(metrics(&s).value[SSTHRESH], 20 * MSS); /* a short connection does not know better */
    remember(&s, (struct peer_metrics){ { 0, 0, 1 } });
    CHECK_EQ(open_in(&s, ms(10))->ssthresh, 2 * MSS); /* RFC 5681 3.1 */
    script_end(&s);
}

TEST(a_client_learns_too)
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 0, 0, 30 * MSS, 0, 1 } });
    script_connected(&s);
    CHECK_EQ(tcp_sk(s.sk)->ssthresh, 30 * MSS);
    CHECK(tcp_sk(s.sk)->rack.reordered);
    script_end(&s);
}

TEST(a_loss_lowers_the_threshold_of_the_next_connection)
{
    struct script s = script_begin();
    static const uint8_t zeroes[10 * MSS];
    struct tcp_sock *tp = open_in(&s, ms(10));
    CHECK_EQ(vk_send(s.sk, zeroes, sizeof zeroes, 0), sizeof zeroes);
    for (int i = 0; i < 10; i++)
        host_sends(&s, i < 9 ? ACK : PSH | ACK);
    uint32_t lost = s.rcv - 10 * MSS;
    for (int i = 0; i < 3; i++)
        peer_sends_at(&s, ACK, s.snd, lost, NULL, 0);
    CHECK_EQ(host_sends_any(&s, ACK).seq, lost);
    sim_run_for(ms(10));
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(tp->ssthresh, 5 * MSS);
    close_in(&s, ms(10));
    CHECK_EQ(metrics(&s).value[SSTHRESH], 5 * MSS);
    CHECK_EQ(open_in(&s, ms(10))->ssthresh, 5 * MSS);
    script_end(&s);
}

TEST(who_does_not_measure_a_round_trip_spoils_what_is_remembered_of_it)
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 20 * MS, 1 * MS, 20 * MSS } });
    open_in(&s, ms(20));
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    s.rcv--;
    host_sends(&s, FIN | ACK); /* again: its ACK is no sample (Karn) */
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(metrics(&s).value[RTT_US], 0);
    CHECK_EQ(metrics(&s).value[SSTHRESH], 20 * MSS);
    sock_put(sk);
    script_end(&s);
}

TEST(nothing_is_kept_or_used_when_the_knob_says_so) /* Linux's tcp_no_metrics_save */
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 400 * MS, 100 * MS, 20 * MSS } });
    set(&s, "net/ipv4/tcp_no_metrics_save", "1");
    CHECK_EQ(open_in(&s, ms(10))->ssthresh, TCP_CWND_MAX);
    close_in(&s, ms(10));
    CHECK_EQ(metrics(&s).value[RTT_US], 400 * MS);
    set(&s, "net/ipv4/tcp_no_metrics_save", "0");
    set(&s, "net/ipv4/tcp_no_ssthresh_metrics_save", "1");
    struct tcp_sock *tp = open_in(&s, ms(10));
    CHECK_EQ(tp->ssthresh, TCP_CWND_MAX);
    CHECK_EQ(tp->rtt.rto, ms(800));
    script_end(&s);
}

TEST(what_is_remembered_is_shown_and_can_be_forgotten)
{
    struct script s = script_begin();
    char text[1024];
    struct textbuf out = { .buf = text, .size = sizeof text };
    remember(&s, (struct peer_metrics){ { 400 * MS, 100 * MS, 20 * MSS, 30 * MSS, 1 } });
    sim_run_for(sec(7));
    net_proc_find(s.vk->net, "tcp_metrics")->show(s.vk->net, &out);
    CHECK(strstr(text, "Destination        Age        RTT     RTTVar   SSThresh       CWnd Reordering\n"));
    CHECK(strstr(text, "\n10.0.0.2             7     400000     100000      10720      16080          1\n"));
    set(&s, "net/ipv4/tcp_metrics_flush", "1");
    CHECK_EQ(metrics(&s).value[RTT_US], 0);
    out.len = 0;
    net_proc_find(s.vk->net, "tcp_metrics")->show(s.vk->net, &out);
    CHECK(!strstr(text, "10.0.0.2") || out.len < 90);
    script_end(&s);
}

TEST(after_an_hour_it_is_forgotten)
{
    struct script s = script_begin();
    remember(&s, (struct peer_metrics){ { 0, 0, 20 * MSS } });
    sim_run_for(sec(3601));
    CHECK_EQ(open_in(&s, ms(10))->ssthresh, TCP_CWND_MAX);
    script_end(&s);
}
