/* net/tcp/tcp_close_test.c - the ways a connection ends: RFC 9293 3.6, 3.10.4, 3.10.7.4. Checklist 56, 60-77.
 */
#include "net/tcp/tcp_script_test.h"

/* ---- FIN: who closes first, who second ---- */

TEST(active_close_goes_by_fin_wait_to_time_wait) /* RFC 9293 3.6, figure 12; checklist 65 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    CHECK_EQ(sk->state, TCPS_FIN_WAIT_1);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sk->state, TCPS_FIN_WAIT_2);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK(script_in_time_wait(&s));
    host_sends(&s, ACK);
    CHECK_EQ(sk->state, TCPS_CLOSED); /* what waits is no control block */
    sim_run_for(sec(61));
    CHECK(!script_in_time_wait(&s));
    sock_put(sk);
    script_end(&s);
}

TEST(passive_close_goes_by_close_wait_to_last_ack) /* RFC 9293 3.6, figure 12; checklist 65 */
{
    struct script s = script_begin();
    char byte;
    script_accept(&s);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSE_WAIT);
    host_sends(&s, ACK);
    CHECK_EQ(vk_recv(s.sk, &byte, 1, 0), 0);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    CHECK_EQ(sk->state, TCPS_LAST_ACK);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sk->state, TCPS_CLOSED);
    sock_put(sk);
    script_end(&s);
}

TEST(fin_and_its_ack_in_one_segment_lead_to_time_wait) /* RFC 9293 3.10.7.4 fifth and eighth; checklist 65 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK(script_in_time_wait(&s));
    host_sends(&s, ACK);
    sock_put(sk);
    script_end(&s);
}

TEST(both_ends_may_close_at_once) /* RFC 9293 3.6, figure 13; checklist 66 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends_at(&s, FIN | ACK, s.snd, s.rcv - 1, NULL, 0); /* does not acknowledge our FIN */
    s.snd++;
    CHECK_EQ(sk->state, TCPS_CLOSING);
    host_sends(&s, ACK);
    peer_sends(&s, ACK, NULL, 0);
    CHECK(script_in_time_wait(&s));
    sock_put(sk);
    script_end(&s);
}

TEST(a_fin_is_sent_again_with_backoff) /* RFC 6298 5.5; checklist 65 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct sock *sk = script_close(&s);
    uint32_t seq = s.rcv;
    uint64_t times[4];
    for (int i = 0; i < 4; i++) {
        struct packet p = host_sends_any(&s, FIN | ACK);
        CHECK_EQ(p.seq, seq);
        times[i] = p.time;
    }
    CHECK(times[2] - times[1] >= 2 * (times[1] - times[0]) - ms(1));
    CHECK(times[3] - times[2] >= 2 * (times[2] - times[1]) - ms(1));
    sock_put(sk);
    script_end(&s);
}

TEST(half_closed_still_receives) /* RFC 9293 3.6; checklist 67 */
{
    struct script s = script_begin();
    char text[8];
    script_accept(&s);
    CHECK_EQ(sock_shutdown(s.sk, SHUT_WR), 0);
    host_sends(&s, FIN | ACK);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), -EPIPE);
    peer_sends(&s, ACK, "hello", 5);
    CHECK_EQ(script_state(&s), TCPS_FIN_WAIT_2);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 5);
    host_sends(&s, ACK);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 0);
    script_end(&s);
}

TEST(after_the_peers_fin_we_still_send) /* RFC 9293 3.6; checklist 67 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends(&s, FIN | ACK, NULL, 0);
    host_sends(&s, ACK);
    CHECK_EQ(vk_send(s.sk, "bye", 3, 0), 3);
    struct packet p = host_sends(&s, PSH | ACK);
    CHECK_EQ(p.payload_len, 3);
    script_end(&s);
}

TEST(a_fin_counts_after_all_text_before_it) /* RFC 9293 3.10.7.4 eighth; checklist 56 */
{
    struct script s = script_begin();
    char text[16];
    script_accept(&s);
    peer_sends_at(&s, FIN | ACK, s.snd + 3, s.rcv, "def", 3);
    host_sends(&s, ACK); /* a duplicate ACK: the hole */
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    peer_sends_at(&s, ACK, s.snd, s.rcv, "abc", 3);
    s.snd += 7;
    CHECK_EQ(script_state(&s), TCPS_CLOSE_WAIT);
    host_sends(&s, ACK);
    peer_sends_at(&s, FIN | ACK, s.snd - 1, s.rcv, NULL, 0); /* once more */
    host_sends(&s, ACK);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 6);
    CHECK(memcmp(text, "abcdef", 6) == 0);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 0);
    script_end(&s);
}

TEST(a_repeated_fin_still_acknowledges) /* as BSD sends it */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends(&s, FIN | ACK, NULL, 0);
    host_sends(&s, ACK);
    CHECK_EQ(vk_send(s.sk, "bye", 3, 0), 3);
    host_sends(&s, PSH | ACK);
    peer_sends_at(&s, FIN | ACK, s.snd - 1, s.rcv, NULL, 0);
    CHECK_EQ(tcp_sk(s.sk)->snd_una, s.rcv);
    CHECK_EQ(script_state(&s), TCPS_CLOSE_WAIT);
    host_sends(&s, ACK);
    script_end(&s);
}

TEST(text_after_the_peers_fin_is_ignored) /* RFC 9293 3.10.7.4 seventh; checklist 56 */
{
    struct script s = script_begin();
    char text[4];
    script_accept(&s);
    peer_sends(&s, FIN | ACK, NULL, 0);
    host_sends(&s, ACK);
    peer_sends_at(&s, ACK, s.snd, s.rcv, "x", 1);
    CHECK_EQ(script_state(&s), TCPS_CLOSE_WAIT);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 0);
    script_end(&s);
}

/* ---- TIME-WAIT ---- */

static void to_time_wait(struct script *s)
{
    script_accept(s);
    sock_put(script_close(s));
    host_sends(s, FIN | ACK);
    peer_sends(s, FIN | ACK, NULL, 0);
    host_sends(s, ACK);
    CHECK(script_in_time_wait(s));
}

TEST(time_wait_answers_a_repeated_fin_and_begins_anew) /* RFC 9293 3.10.7.4 eighth; checklist 68 */
{
    struct script s = script_begin();
    to_time_wait(&s);
    sim_run_for(sec(50));
    peer_sends_at(&s, FIN | ACK, s.snd - 1, s.rcv, NULL, 0);
    host_sends(&s, ACK);
    sim_run_for(sec(50));
    CHECK(script_in_time_wait(&s));
    sim_run_for(sec(11));
    CHECK(!script_in_time_wait(&s));
    script_end(&s);
}

TEST(time_wait_is_not_assassinated) /* RFC 1337 3; checklist 69 */
{
    struct script s = script_begin();
    to_time_wait(&s);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK(script_in_time_wait(&s));
    host_is_silent(&s, sec(1));
    peer_sends_at(&s, ACK, s.snd - 100, s.rcv, "old", 3);
    host_sends(&s, ACK);
    script_end(&s);
}

TEST(time_wait_makes_way_for_a_higher_syn) /* RFC 1122 4.2.2.13; checklist 70 */
{
    struct script s = script_begin();
    to_time_wait(&s);
    s.snd += 1000;
    uint32_t last = s.rcv;
    script_accept(&s);
    CHECK(!script_in_time_wait(&s));
    CHECK(seq_after(s.rcv - 1, last)); /* and our first number is beyond all of the old connection's */
    script_end(&s);
}

/* ---- orphans and aborts ---- */

TEST(an_orphan_in_fin_wait_2_does_not_wait_for_ever) /* RFC 9293 3.6.1; checklist 71 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sk->state, TCPS_FIN_WAIT_2);
    sim_run_for(sec(61));
    CHECK_EQ(sk->state, TCPS_CLOSED);
    peer_sends(&s, ACK, "late", 4);
    host_sends_any(&s, RST);
    sock_put(sk);
    script_end(&s);
}

TEST(close_with_unread_text_resets) /* RFC 1122 4.2.2.13, RFC 2525 2.17; checklist 72 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends(&s, ACK, "unread", 6);
    struct sock *sk = script_close(&s);
    host_sends(&s, RST | ACK);
    CHECK_EQ(sk->state, TCPS_CLOSED);
    sock_put(sk);
    script_end(&s);
}

TEST(linger_of_no_time_resets) /* socket(7); checklist 73 */
{
    struct script s = script_begin();
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };
    script_accept(&s);
    CHECK_EQ(sock_setsockopt(s.sk, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    struct sock *sk = script_close(&s);
    host_sends(&s, RST | ACK);
    CHECK_EQ(sk->state, TCPS_CLOSED);
    sock_put(sk);
    script_end(&s);
}

TEST(linger_waits_no_longer_than_it_says) /* socket(7); checklist 73 */
{
    struct script s = script_begin();
    struct linger soft = { .l_onoff = 1, .l_linger = 7 };
    script_accept(&s);
    CHECK_EQ(sock_setsockopt(s.sk, SOL_SOCKET, SO_LINGER, &soft, sizeof soft), 0);
    uint64_t before = time_now();
    sock_put(script_close(&s));
    CHECK_EQ(time_now() - before, sec(7));
    script_end(&s);
}

TEST(text_that_nobody_will_read_is_answered_by_a_reset) /* RFC 9293 3.6.1; checklist 75 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, ACK, "hello?", 6);
    host_sends_any(&s, RST | ACK);
    CHECK_EQ(sk->state, TCPS_CLOSED);
    sock_put(sk);
    script_end(&s);
}

TEST(close_in_syn_received_sends_its_fin_when_established) /* RFC 9293 3.10.4; checklist 76 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends(&s, SYN, NULL, 0);
    host_sends_any(&s, SYN | ACK);
    struct sock *sk = script_close(&s);
    host_is_silent(&s, ms(100));
    CHECK_EQ(sk->state, TCPS_SYN_RECEIVED);
    peer_sends(&s, ACK, NULL, 0);
    host_sends(&s, FIN | ACK);
    CHECK_EQ(sk->state, TCPS_FIN_WAIT_1);
    sock_put(sk);
    script_end(&s);
}

/* ---- RST ---- */

TEST(a_reset_at_rcv_nxt_ends_the_connection) /* RFC 5961 3.2, RFC 9293 3.10.7.4; checklist 60, 63, 64 */
{
    struct script s = script_begin();
    char byte;
    script_accept(&s);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_recv(s.sk, &byte, 1, 0), -ECONNRESET);
    CHECK_EQ(vk_recv(s.sk, &byte, 1, 0), 0);
    CHECK_EQ(vk_send(s.sk, "x", 1, MSG_NOSIGNAL), -EPIPE);
    host_is_silent(&s, sec(1));
    script_end(&s);
}

TEST(a_reset_elsewhere_in_the_window_is_challenged) /* RFC 5961 3.2; checklist 60 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends_at(&s, RST, s.snd + 1, 0, NULL, 0);
    host_sends(&s, ACK);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_reset_outside_the_window_is_ignored) /* RFC 5961 3.2; checklist 60 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends_at(&s, RST, s.snd - 1, 0, NULL, 0);
    peer_sends_at(&s, RST, s.snd + 10000000, 0, NULL, 0);
    host_is_silent(&s, sec(1));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_reset_in_close_wait_is_told) /* checklist 63 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends(&s, FIN | ACK, NULL, 0);
    host_sends(&s, ACK);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR),
             EPIPE); /* as in Linux: only writing can fail now */
    script_end(&s);
}

TEST(a_syn_in_an_open_connection_is_challenged) /* RFC 5961 4.2; checklist 61 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends_at(&s, SYN, s.snd, 0, NULL, 0);
    host_sends(&s, ACK);
    peer_sends_at(&s, SYN, s.snd + 10000000, 0, NULL, 0);
    host_sends(&s, ACK);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(challenges_are_limited) /* RFC 5961 7; checklist 62 */
{
    struct script s = script_begin();
    struct packet p;
    int answers = 0;
    script_accept(&s);
    for (int i = 0; i < 100; i++)
        peer_sends_at(&s, RST, s.snd + 1, 0, NULL, 0);
    while (tap_receive(s.tap, &p, ms(500)))
        answers++;
    CHECK_EQ(answers, 10);
    sim_run_for(sec(1));
    peer_sends_at(&s, RST, s.snd + 1, 0, NULL, 0);
    host_sends(&s, ACK);
    script_end(&s);
}
