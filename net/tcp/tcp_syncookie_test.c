/* net/tcp/tcp_syncookie_test.c - a listener whose queue is full of half-open connections; RFC 4987 3.6,
 * checklist 110. */
#include "net/tcp/tcp_script_test.h"

enum { BACKLOG = 4, FLOOD = 500 };

/* A listener with BACKLOG + 1 half-open connections from peers that never answer. */
static void listen_and_fill(struct script *s)
{
    CHECK_EQ(net_sysctl_set(s->vk->net, "net/ipv4/tcp_max_syn_backlog", "5"), 0);
    script_listen(s, BACKLOG);
    for (uint16_t i = 0; i <= BACKLOG; i++) {
        s->sport = (uint16_t)(20000 + i);
        peer_sends_at(s, SYN, 1000, 0, NULL, 0);
        host_sends_any(s, SYN | ACK);
    }
    s->sport = PEER_PORT;
}

TEST(a_full_queue_still_opens_for_who_answers) /* RFC 4987 3.6; checklist 110 */
{
    struct script s = script_begin();
    listen_and_fill(&s);
    peer_sends_options(&s, SYN, (const uint8_t[]){ 2, 4, 1200 >> 8, 1200 & 255 }, 4);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends(&s, PSH | ACK, "hello", 5); /* the handshake's end, with text */
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    CHECK_EQ(tcp_sk(s.sk)->mss, 1024); /* the peer's 1200, rounded down to one of eight */
    char text[8];
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 5);
    CHECK_EQ(vk_send(s.sk, "you too", 7, 0), 7);
    struct packet p;
    EXPECT_TCP(s.tap, &p, PSH | ACK);
    CHECK_EQ(p.payload_len, 7);
    CHECK_EQ(p.seq, s.rcv);
    script_end(&s);
}

TEST(a_cookie_keeps_the_options_when_there_are_timestamps) /* RFC 4987 3.6; checklist 110 */
{
    struct script s = script_begin();
    listen_and_fill(&s);
    uint8_t options[] = { 2, 4, 1460 >> 8, 1460 & 255, 4, 2, 8, 10, 0, 0, 0, 77, 0, 0, 0, 0, 1, 3, 3, 9 };
    peer_sends_options(&s, SYN, options, sizeof options);
    struct packet p = host_sends_any(&s, SYN | ACK);
    const uint8_t *clock = packet_tcp_option(&p, 8);
    CHECK(clock && packet_tcp_option(&p, 4) && packet_tcp_option(&p, 3));
    CHECK_EQ(clock[9], 77); /* our TSecr */
    s.rcv = p.seq + 1;
    uint8_t echo[] = { 1, 1, 8, 10, 0, 0, 0, 78, clock[2], clock[3], clock[4], clock[5] };
    peer_sends_options(&s, ACK, echo, sizeof echo);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK(tp->ts_ok && tp->sack_ok);
    CHECK_EQ(tp->snd_wscale, 9);
    CHECK(tp->rcv_wscale != 0);
    CHECK_EQ(tp->ts_recent, 78);
    uint32_t told = (uint32_t)clock[2] << 24 | (uint32_t)clock[3] << 16 | (uint32_t)clock[4] << 8 | clock[5];
    CHECK(tcp_ts_now(tp) - told < 64); /* the clock goes on from what the cookie said */
    script_end(&s);
}

TEST(a_wrong_cookie_is_reset) /* RFC 9293 3.10.7.2; checklist 43, 110 */
{
    struct script s = script_begin();
    listen_and_fill(&s);
    peer_sends(&s, SYN, NULL, 0);
    uint32_t iss = host_sends_any(&s, SYN | ACK).seq;
    for (uint32_t i = 1; i <= 20; i++) {
        s.rcv = iss + 1 + i * 7919;
        peer_sends(&s, ACK, NULL, 0);
        CHECK_EQ(host_sends_any(&s, RST).seq, s.rcv);
    }
    s.rcv = iss + 1;
    s.snd++; /* another peer's number */
    peer_sends(&s, ACK, NULL, 0);
    host_sends_any(&s, RST);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), -EAGAIN);
    script_end(&s);
}

TEST(an_old_cookie_is_worth_nothing) /* RFC 4987 3.6; checklist 110 */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_syncookies", "2"), 0);
    script_listen(&s, BACKLOG);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    sim_run_for(sec(121));
    peer_sends(&s, ACK, NULL, 0);
    host_sends_any(&s, RST);
    script_end(&s);
}

TEST(without_a_full_queue_no_ack_is_taken_for_a_cookie) /* RFC 9293 3.10.7.2; checklist 43 */
{
    struct script s = script_begin();
    script_listen(&s, BACKLOG);
    peer_sends(&s, ACK, NULL, 0);
    host_sends_any(&s, RST);
    CHECK_EQ(tcp_sk(s.listener)->listener->cookies_until, 0);
    script_end(&s);
}

TEST(who_waits_for_accept_leaves_no_room_for_cookies) /* listen(2); checklist 109 */
{
    struct script s = script_begin();
    script_listen(&s, 1);
    for (int i = 0; i < 2; i++, s.sport++) {
        s.snd = PEER_ISS;
        peer_sends(&s, SYN, NULL, 0);
        s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
        peer_sends(&s, ACK, NULL, 0);
    }
    peer_sends(&s, SYN, NULL, 0);
    host_is_silent(&s, ms(500));
    script_end(&s);
}

TEST(a_flood_of_syns_costs_no_memory_and_lets_the_honest_in) /* RFC 4987 2, 3.6 */
{
    struct script s = script_begin();
    listen_and_fill(&s);
    int64_t sockets = s.vk->net->sockets, opened = 0;
    for (uint16_t i = 0; i < FLOOD; i++) {
        s.sport = (uint16_t)(30000 + i);
        peer_sends_at(&s, SYN, i * 77777u, 0, NULL, 0);
        tap_flush(s.tap);
        CHECK(s.vk->net->sockets <= sockets + opened);
        if (i % 50)
            continue;
        s.sport = (uint16_t)(40000 + i);
        s.snd = PEER_ISS;
        peer_sends(&s, SYN, NULL, 0);
        s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
        peer_sends(&s, ACK, NULL, 0);
        struct sock *sk;
        CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &sk), 0);
        vk_close(sk);
        opened++;
        tap_flush(s.tap);
    }
    CHECK_EQ(opened, FLOOD / 50);
    script_end(&s);
}
