/* net/tcp/tcp_timewait_test.c - what is left of a connection in TIME-WAIT: RFC 9293 3.6.1, RFC 6191, RFC
 * 1337; checklist 68-70. The ways into it are tcp_close_test.c's. */
#include "net/tcp/tcp_script_test.h"

/* A connection of which the host closes first, up to TIME-WAIT; s->sk stays open if keep. */
static void wait_after_close(struct script *s, bool keep)
{
    script_accept(s);
    struct sock *sk = s->sk;
    CHECK_EQ(sock_shutdown(sk, SHUT_WR), 0);
    host_sends(s, FIN | ACK);
    peer_sends(s, FIN | ACK, "last", 4);
    host_sends(s, ACK);
    CHECK(script_in_time_wait(s));
    if (!keep) {
        vk_close(sk);
        s->sk = NULL;
    }
}

TEST(what_waits_is_small_and_no_socket) /* RFC 9293 3.6.1 */
{
    struct script s = script_begin();
    int64_t sockets = s.vk->net->sockets;
    script_listen(&s, 5);
    for (int i = 0; i < 50; i++, s.sport++) {
        s.snd = PEER_ISS;
        wait_after_close(&s, false);
    }
    CHECK_EQ(s.vk->net->sockets, sockets + 1);
    CHECK_EQ(s.vk->net->tcp->timewaits.n, 50);
    sim_run_for(sec(61));
    CHECK_EQ(s.vk->net->tcp->timewaits.n, 0);
    script_end(&s);
}

TEST(what_came_before_the_fin_is_read_in_time_wait)
{
    struct script s = script_begin();
    char text[8];
    wait_after_close(&s, true);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 4);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 0);
    CHECK_EQ(vk_send(s.sk, "x", 1, MSG_NOSIGNAL), -EPIPE);
    script_end(&s);
}

TEST(more_than_tcp_max_tw_buckets_do_not_wait) /* as Linux */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_max_tw_buckets", "2"), 0);
    script_listen(&s, 5);
    for (int i = 0; i < 3; i++, s.sport++) {
        s.snd = PEER_ISS;
        script_accept(&s);
        sock_put(script_close(&s));
        host_sends(&s, FIN | ACK);
        peer_sends(&s, FIN | ACK, NULL, 0);
        host_sends(&s, ACK); /* all the same */
        CHECK_EQ(script_in_time_wait(&s), i < 2);
    }
    CHECK_EQ(s.vk->net->tcp->counters[TCP_COUNT_time_wait_overflows], 1);
    script_end(&s);
}

TEST(the_port_of_a_connection_in_time_wait_is_not_free) /* socket(7), SO_REUSEADDR */
{
    struct script s = script_begin();
    wait_after_close(&s, false);
    vk_close(s.listener);
    s.listener = NULL;
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    CHECK_EQ(vk_bind(sk, NULL, HOST_PORT), -EADDRINUSE);
    CHECK_EQ(vk_bind(sk, "127.0.0.1", HOST_PORT), 0); /* another address' is */
    vk_close(sk);
    sim_run_for(sec(61));
    sk = vk_socket(s.vk, SOCK_STREAM);
    CHECK_EQ(vk_bind(sk, NULL, HOST_PORT), 0);
    vk_close(sk);
    script_end(&s);
}

TEST(acks_that_tell_nothing_are_not_answered_one_by_one) /* RFC 5961 7 */
{
    struct script s = script_begin();
    wait_after_close(&s, false);
    for (uint32_t i = 0; i < 100; i++)
        peer_sends_at(&s, ACK, s.snd + 500 + i, s.rcv, NULL, 0);
    host_sends(&s, ACK);
    host_is_silent(&s, ms(1));
    script_end(&s);
}

TEST(a_syn_with_an_older_clock_opens_nothing) /* RFC 6191 2: its number may lie higher by chance */
{
    struct script s = script_begin();
    const uint8_t now[] = { 8, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1 },
                  before[] = { 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 1 };
    script_listen(&s, 5);
    peer_sends_options(&s, SYN, now, sizeof now);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends_options(&s, ACK, now, sizeof now);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    sock_put(script_close(&s));
    host_sends(&s, FIN | ACK);
    peer_sends_options(&s, FIN | ACK, now, sizeof now);
    s.snd++;
    host_sends(&s, ACK);
    CHECK(script_in_time_wait(&s));
    s.snd += 5000;
    peer_sends_options(&s, SYN, before, sizeof before);
    host_sends_any(&s, ACK);
    CHECK(script_in_time_wait(&s));
    script_end(&s);
}

TEST(a_net_ends_with_connections_in_time_wait)
{
    struct script s = script_begin();
    wait_after_close(&s, true);
    script_end(&s);
}
