/* net/tcp/tcp_open_test.c - CLOSED, LISTEN, SYN-SENT, SYN-RECEIVED: RFC 9293 3.10.7.1 to .3. Checklist 42-50,
 * 52, 59, 79, 90, 94, 109. */
#include "net/tcp/tcp_script_test.h"

/* ---- CLOSED ---- */

TEST(closed_answers_an_ack_with_a_reset_at_its_number) /* RFC 9293 3.5.2, 3.10.7.1; checklist 42 */
{
    struct script s = script_begin();
    peer_sends_at(&s, ACK, 100, 777, NULL, 0);
    struct packet p = host_sends_any(&s, RST);
    CHECK_EQ(p.seq, 777);
    peer_sends_at(&s, SYN | ACK, 100, 778, "abc", 3);
    CHECK_EQ(host_sends_any(&s, RST).seq, 778);
    script_end(&s);
}

TEST(closed_answers_anything_else_with_a_reset_that_acknowledges_it) /* RFC 9293 3.5.2; checklist 42 */
{
    struct script s = script_begin();
    peer_sends_at(&s, SYN, 100, 0, NULL, 0);
    struct packet p = host_sends_any(&s, RST | ACK);
    CHECK_EQ(p.seq, 0);
    CHECK_EQ(p.ack, 101);
    peer_sends_at(&s, SYN | FIN, 100, 0, "abc", 3); /* SYN and FIN count one each */
    CHECK_EQ(host_sends_any(&s, RST | ACK).ack, 105);
    script_end(&s);
}

TEST(closed_never_answers_a_reset) /* RFC 9293 3.5.2; checklist 42, 64 */
{
    struct script s = script_begin();
    peer_sends_at(&s, RST, 100, 0, NULL, 0);
    peer_sends_at(&s, RST | ACK, 100, 5, NULL, 0);
    host_is_silent(&s, sec(2));
    script_end(&s);
}

/* ---- LISTEN ---- */

TEST(listen_ignores_resets) /* RFC 9293 3.10.7.2 first; checklist 43, 44 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends_at(&s, RST, 100, 0, NULL, 0);
    peer_sends_at(&s, SYN | RST, 100, 0, NULL, 0);
    host_is_silent(&s, sec(2));
    script_end(&s);
}

TEST(listen_resets_an_ack) /* RFC 9293 3.10.7.2 second; checklist 43, 44 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends_at(&s, ACK, 100, 500, NULL, 0);
    CHECK_EQ(host_sends_any(&s, RST).seq, 500);
    peer_sends_at(&s, SYN | ACK, 100, 501, NULL, 0);
    CHECK_EQ(host_sends_any(&s, RST).seq, 501);
    CHECK_EQ(script_half_open(&s), 0);
    script_end(&s);
}

TEST(listen_drops_what_has_no_flag) /* RFC 9293 3.10.7.2 fourth; checklist 43, 44 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends_at(&s, 0, 100, 0, "x", 1);
    peer_sends_at(&s, FIN, 100, 0, NULL, 0);
    host_is_silent(&s, sec(2));
    CHECK_EQ(s.vk->net->drops[SKB_DROP_TCP_FLAGS], 2);
    script_end(&s);
}

TEST(listen_opens_and_accept_returns_the_connection) /* RFC 9293 3.5, figure 6 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(s.sk->dport.raw, cpu_to_be16(PEER_PORT).raw);
    script_end(&s);
}

TEST(syn_ack_names_mss_and_scales_only_when_asked) /* RFC 9293 3.7.1, RFC 7323 2.2; checklist 79, 90 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends(&s, SYN, NULL, 0);
    struct packet p = host_sends_any(&s, SYN | ACK);
    const uint8_t *mss = packet_tcp_option(&p, 2);
    CHECK(mss && mss[2] << 8 == (1460 & 0xff00) && mss[3] == (1460 & 0xff));
    CHECK(!packet_tcp_option(&p, 3));
    s.sport++;
    peer_sends_options(&s, SYN, (const uint8_t[]){ 3, 3, 2, 0 }, 4);
    p = host_sends_any(&s, SYN | ACK);
    CHECK(packet_tcp_option(&p, 3));
    CHECK(p.window > 1000); /* RFC 7323 2.2: not scaled in a SYN */
    script_end(&s);
}

TEST(text_on_a_syn_is_not_acknowledged_and_so_not_lost) /* RFC 9293 3.10.7.2; checklist 59 */
{
    struct script s = script_begin();
    char byte[4];
    script_listen(&s, 5);
    peer_sends_at(&s, SYN, s.snd, 0, "abc", 3);
    s.snd++;
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends(&s, ACK, "abc", 3);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    CHECK_EQ(vk_recv(s.sk, byte, sizeof byte, 0), 3);
    script_end(&s);
}

TEST(without_cookies_the_oldest_half_open_makes_way) /* RFC 4987 3.4; checklist 110 */
{
    struct script s = script_begin();
    uint32_t rcv[3];
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_syncookies", "0"), 0);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_max_syn_backlog", "2"), 0);
    script_listen(&s, 1);
    for (int i = 0; i < 3; i++, s.sport++) {
        peer_sends_at(&s, SYN, PEER_ISS, 0, NULL, 0);
        rcv[i] = host_sends_any(&s, SYN | ACK).seq + 1;
    }
    CHECK_EQ(script_half_open(&s), 2);
    s.sport = PEER_PORT;
    peer_sends_at(&s, ACK, PEER_ISS + 1, rcv[0], NULL, 0);
    CHECK_EQ(host_sends_any(&s, RST).seq, rcv[0]);
    for (int i = 1; i < 3; i++) {
        s.sport++;
        peer_sends_at(&s, ACK, PEER_ISS + 1, rcv[i], NULL, 0);
    }
    CHECK_EQ(tcp_sk(s.listener)->listener->n_established, 2);
    script_end(&s);
}

TEST(who_finds_the_queue_full_opens_when_there_is_room) /* listen(2); checklist 109 */
{
    struct script s = script_begin();
    struct sock *first;
    uint32_t rcv[2];
    script_listen(&s, 0);
    for (int i = 0; i < 2; i++, s.sport++) {
        s.snd = PEER_ISS;
        peer_sends(&s, SYN, NULL, 0);
        rcv[i] = host_sends_any(&s, SYN | ACK).seq + 1;
    }
    for (int i = 0; i < 2; i++) { /* both were half-open before either had opened */
        s.sport = (uint16_t)(PEER_PORT + i);
        s.rcv = rcv[i];
        peer_sends(&s, ACK, NULL, 0);
    }
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &first), 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), -EAGAIN);
    host_sends_any(&s, SYN | ACK); /* did you not hear? */
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    vk_close(first);
    script_end(&s);
}

TEST(connections_are_accepted_in_the_order_they_opened) /* checklist 109 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    for (int i = 0; i < 3; i++, s.sport++) {
        s.snd = PEER_ISS;
        peer_sends(&s, SYN, NULL, 0);
        s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
        peer_sends(&s, ACK, NULL, 0);
    }
    for (uint16_t i = 0; i < 3; i++) {
        struct sock *child = vk_accept(s.listener, NULL);
        CHECK_EQ(be16_to_cpu(child->dport), PEER_PORT + i);
        vk_close(child);
    }
    script_end(&s);
}

TEST(closing_a_listener_resets_what_was_not_accepted) /* RFC 9293 3.10.4; checklist 74 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(tcp_sk(s.listener)->listener->n_established, 1);
    vk_close(s.listener);
    s.listener = NULL;
    host_sends(&s, RST | ACK);
    script_end(&s);
}

/* ---- SYN-SENT ---- */

TEST(connect_opens) /* RFC 9293 3.5, figure 6; checklist 79, 90 */
{
    struct script s = script_begin();
    script_connected(&s);
    CHECK_EQ(vk_connect(s.sk, "10.0.0.2", PEER_PORT), 0); /* a second call reports the first one's end */
    CHECK_EQ(vk_connect(s.sk, "10.0.0.2", PEER_PORT), -EISCONN);
    script_end(&s);
}

TEST(syn_sent_resets_an_ack_of_something_else) /* RFC 9293 3.10.7.3 first; checklist 45 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends_at(&s, SYN | ACK, s.snd, s.rcv + 1, NULL, 0);
    CHECK_EQ(host_sends_any(&s, RST).seq, s.rcv + 1);
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    peer_sends_at(&s, ACK, s.snd, s.rcv - 1, NULL, 0); /* ISS itself was not the SYN's acknowledgement */
    CHECK_EQ(host_sends_any(&s, RST).seq, s.rcv - 1);
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    script_end(&s);
}

TEST(syn_sent_drops_a_good_ack_without_syn) /* RFC 9293 3.10.7.3 fifth; checklist 46 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends_at(&s, ACK, s.snd, s.rcv, NULL, 0);
    host_is_silent(&s, ms(500));
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    script_end(&s);
}

TEST(syn_sent_believes_a_reset_only_with_an_acceptable_ack) /* RFC 9293 3.10.7.3 second; checklist 47 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    peer_sends_at(&s, RST | ACK, s.snd, s.rcv + 5, NULL, 0);
    host_is_silent(&s, ms(500)); /* no reset for the second either; checklist 64 */
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    peer_sends_at(&s, RST | ACK, 0, s.rcv, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), 0);
    script_end(&s);
}

TEST(both_ends_may_open_at_once) /* RFC 9293 3.5, figure 8; checklist 48 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends(&s, SYN, NULL, 0);
    struct packet p = host_sends_any(&s, SYN | ACK);
    CHECK_EQ(p.seq, s.rcv - 1); /* with its own ISS */
    CHECK_EQ(p.ack, s.snd);
    CHECK_EQ(script_state(&s), TCPS_SYN_RECEIVED);
    peer_sends_at(&s, SYN | ACK, s.snd - 1, s.rcv, NULL, 0); /* line 7 of the figure */
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_simultaneous_open_ends_with_a_plain_ack_too) /* RFC 9293 3.10.7.4 fifth; checklist 48 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends(&s, SYN, NULL, 0);
    host_sends_any(&s, SYN | ACK);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_syn_is_sent_again_and_given_up_after_three_minutes) /* RFC 9293 3.8.3, RFC 6298 5.5; checklist 94 */
{
    struct script s = script_begin();
    struct packet p;
    uint64_t wait = sec(1), before = time_now();
    script_connect(&s);
    for (int i = 0; i < 6; i++, wait *= 2) {
        p = host_sends_any(&s, SYN);
        CHECK_EQ(p.seq, s.rcv - 1);
        CHECK(p.time - before >= wait && p.time - before < wait + ms(2));
        before = p.time;
    }
    sim_run_for(sec(300));
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    script_end(&s);
}

TEST(a_syn_is_given_up_when_the_user_says) /* RFC 9293 3.8.3 */
{
    struct script s = script_begin();
    script_connect(&s);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_USER_TIMEOUT, 4000), 0);
    sim_run_for(ms(3900));
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    sim_run_for(ms(200));
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    script_end(&s);
}

TEST(close_in_syn_sent_says_nothing) /* RFC 9293 3.10.4; checklist 76 */
{
    struct script s = script_begin();
    script_connect(&s);
    vk_close(s.sk);
    s.sk = NULL;
    host_is_silent(&s, sec(5));
    peer_sends_at(&s, SYN | ACK, s.snd, s.rcv, NULL, 0);
    CHECK_EQ(host_sends_any(&s, RST).seq, s.rcv);
    script_end(&s);
}

TEST(isns_differ_between_ports_and_rise_with_time) /* RFC 6528 3, RFC 9293 3.4.1; checklist 52 */
{
    struct script s = script_begin();
    struct tcp_ends ends = { .pport = cpu_to_be16(PEER_PORT) };
    uint32_t first = tcp_initial_seq(s.vk->net, &ends);
    sim_run_for(ms(4));
    CHECK_EQ(tcp_initial_seq(s.vk->net, &ends) - first, 1000); /* a tick every 4 microseconds */
    ends.pport = cpu_to_be16(PEER_PORT + 1);
    uint32_t other = tcp_initial_seq(s.vk->net, &ends);
    CHECK(other - first > 100000 && first - other > 100000);
    script_end(&s);
}

/* ---- SYN-RECEIVED ---- */

static struct script half_open(void)
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    CHECK_EQ(script_half_open(&s), 1);
    return s;
}

TEST(syn_received_from_listen_ends_quietly_by_a_reset) /* RFC 9293 3.10.7.4 second; checklist 49 */
{
    struct script s = half_open();
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(script_half_open(&s), 0);
    host_is_silent(&s, sec(3));
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), -EAGAIN);
    s.snd = PEER_ISS;
    script_accept(&s); /* and the listener listens */
    script_end(&s);
}

TEST(syn_received_from_connect_is_refused_by_a_reset) /* RFC 9293 3.10.7.4 second; checklist 49 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_sends(&s, SYN, NULL, 0);
    host_sends_any(&s, SYN | ACK);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    script_end(&s);
}

TEST(syn_received_resets_an_unacceptable_ack) /* RFC 9293 3.10.7.4 fifth; checklist 50 */
{
    struct script s = half_open();
    peer_sends_at(&s, ACK, s.snd, s.rcv + 1, NULL, 0);
    CHECK_EQ(host_sends_any(&s, RST).seq, s.rcv + 1);
    CHECK_EQ(script_half_open(&s), 1);
    script_end(&s);
}

TEST(syn_received_repeats_its_syn_ack_for_a_repeated_syn) /* RFC 9293 3.10.7.4 first; checklist 50 */
{
    struct script s = half_open();
    peer_sends_at(&s, SYN, s.snd - 1, 0, NULL, 0);
    struct packet p = host_sends_any(&s, SYN | ACK);
    CHECK_EQ(p.seq, s.rcv - 1);
    CHECK_EQ(p.ack, s.snd);
    script_end(&s);
}

TEST(a_syn_ack_is_sent_again_and_the_child_given_up) /* RFC 6298 5, RFC 9293 3.8.3 */
{
    struct script s = half_open();
    for (int i = 0; i < 5; i++)
        CHECK_EQ(host_sends_any(&s, SYN | ACK).seq, s.rcv - 1);
    sim_run_for(sec(200));
    CHECK_EQ(script_half_open(&s), 0);
    script_end(&s);
}

TEST(what_was_not_read_is_no_part_of_the_next_stream) /* RFC 9293 3.10.1 */
{
    struct script s = script_begin();
    char text[16];
    script_connected(&s);
    peer_sends(&s, ACK | PSH, "old text", 8);
    peer_sends(&s, RST | ACK, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    struct sockaddr_storage addr;
    int len = sockaddr_in_make(&addr, cpu_to_be32(s.tap->ip), cpu_to_be16(s.sport));
    CHECK_EQ(sock_connect(s.sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT),
             -ECONNRESET); /* told */
    CHECK_EQ(sock_connect(s.sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT), -EINPROGRESS);
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, MSG_DONTWAIT), -EAGAIN);
    CHECK_EQ(s.sk->rmem_alloc, 0);
    script_end(&s);
}
