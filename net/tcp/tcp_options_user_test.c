/* net/tcp/tcp_options_user_test.c - the options a program sets, in virtual time: keepalive, the user
 * time-out, cork, deferred accept. RFC 9293 3.8.4, RFC 1122 4.2.3.6, RFC 5482. */
#include "net/tcp/tcp_script_test.h"

static void set(struct script *s, int option, int value)
{
    CHECK_EQ(vk_setsockopt_int(s->sk, IPPROTO_TCP, option, value), 0);
}

static void keep_alive(struct script *s, int idle, int interval, int count)
{
    set(s, TCP_KEEPIDLE, idle);
    set(s, TCP_KEEPINTVL, interval);
    set(s, TCP_KEEPCNT, count);
    CHECK_EQ(vk_setsockopt_int(s->sk, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
}

/* A probe: an old number, no text (RFC 9293 3.8.4). */
static void host_probes(struct script *s)
{
    struct packet p = host_sends_any(s, ACK);

    CHECK_EQ(p.seq, s->rcv - 1);
    CHECK_EQ(p.ack, s->snd);
    CHECK_EQ(p.payload_len, 0);
}

TEST(without_keepalive_a_silent_connection_stays) /* RFC 9293 3.8.4, MUST-25 */
{
    struct script s = script_begin();

    script_accept(&s);
    host_is_silent(&s, sec(100000));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(keepalive_waits_two_hours_unless_told_otherwise) /* RFC 9293 3.8.4, MUST-28 */
{
    struct script s = script_begin();

    script_accept(&s);
    vk_setsockopt_int(s.sk, SOL_SOCKET, SO_KEEPALIVE, 1);
    host_is_silent(&s, sec(7199));
    sim_run_for(sec(2));
    host_probes(&s);
    script_end(&s);
}

TEST(a_peer_that_answers_probes_stays) /* RFC 9293 3.8.4, MUST-29 */
{
    struct script s = script_begin();

    script_accept(&s);
    keep_alive(&s, 10, 5, 2);
    for (int i = 0; i < 6; i++) {
        sim_run_for(sec(11));
        host_probes(&s);
        peer_sends(&s, ACK, NULL, 0);
    }
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_peer_that_answers_no_probe_is_given_up) /* RFC 1122 4.2.3.6 */
{
    struct script s = script_begin();
    char c;

    script_accept(&s);
    keep_alive(&s, 10, 5, 3);
    sim_run_for(sec(10) + ms(100));
    for (int i = 0; i < 3; i++) {
        host_probes(&s);
        CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
        sim_run_for(sec(5));
    }
    host_sends_any(&s, RST | ACK);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_recv(s.sk, &c, 1, 0), -ETIMEDOUT);
    script_end(&s);
}

TEST(one_lost_probe_ends_nothing) /* RFC 9293 3.8.4, MUST-29 */
{
    struct script s = script_begin();

    script_accept(&s);
    keep_alive(&s, 10, 5, 3);
    for (int i = 0; i < 4; i++) {
        sim_run_for(sec(11));
        host_probes(&s); /* lost */
        sim_run_for(sec(5));
        host_probes(&s);
        peer_sends(&s, ACK, NULL, 0);
    }
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(what_the_peer_sends_is_as_good_as_an_answer)
{
    struct script s = script_begin();

    script_accept(&s);
    keep_alive(&s, 10, 5, 2);
    for (int i = 0; i < 5; i++) {
        sim_run_for(sec(8));
        peer_sends(&s, PSH | ACK, "x", 1);
        sim_run_for(ms(500));
        host_sends(&s, ACK);
    }
    host_is_silent(&s, sec(8));
    script_end(&s);
}

TEST(keepalive_set_late_counts_the_silence_there_was)
{
    struct script s = script_begin();

    script_accept(&s);
    sim_run_for(sec(100));
    keep_alive(&s, 10, 5, 2);
    sim_run_for(ms(1));
    host_probes(&s);
    vk_setsockopt_int(s.sk, SOL_SOCKET, SO_KEEPALIVE, 0);
    host_is_silent(&s, sec(100));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(data_that_nobody_acknowledges_end_at_the_user_s_time_out) /* RFC 5482 3 */
{
    struct script s = script_begin();
    uint64_t start;

    script_accept(&s);
    set(&s, TCP_USER_TIMEOUT, 5000);
    start = time_now();
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    sim_run_for(sec(4));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    while (script_state(&s) != TCPS_CLOSED && time_now() < start + sec(60))
        sim_run_for(ms(50));
    CHECK(time_now() - start >= ms(4900) && time_now() - start < ms(6500));
    CHECK_EQ(vk_send(s.sk, "x", 1, MSG_NOSIGNAL), -ETIMEDOUT);
    script_end(&s);
}

TEST(the_user_s_time_out_replaces_the_count_of_probes)
{
    struct script s = script_begin();

    script_accept(&s);
    keep_alive(&s, 10, 5, 1);
    set(&s, TCP_USER_TIMEOUT, 60000);
    sim_run_for(sec(50));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    sim_run_for(sec(20));
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    script_end(&s);
}

TEST(a_corked_connection_sends_full_segments_only) /* tcp(7), TCP_CORK */
{
    struct script s = script_begin();
    static char text[3000];
    struct packet p;

    script_accept(&s);
    set(&s, TCP_CORK, 1);
    CHECK_EQ(vk_send(s.sk, text, 100, 0), 100);
    host_is_silent(&s, ms(100));
    CHECK_EQ(vk_send(s.sk, text, 1000, 0), 1000);
    p = host_sends_any(&s, PSH | ACK); /* it holds the end of the first write */
    CHECK_EQ(p.payload_len, 536);
    host_sends_any(&s, ACK);
    host_is_silent(&s, ms(100));
    set(&s, TCP_CORK, 0);
    p = host_sends_any(&s, PSH | ACK);
    CHECK_EQ(p.payload_len, 1100 - 2 * 536);
    script_end(&s);
}

TEST(a_cork_forgotten_leaks_after_a_while) /* tcp(7): after 200 ms what there is goes */
{
    struct script s = script_begin();

    script_accept(&s);
    set(&s, TCP_CORK, 1);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    host_is_silent(&s, ms(150));
    sim_run_for(ms(1100));
    host_sends(&s, PSH | ACK);
    script_end(&s);
}

TEST(more_is_a_cork_for_one_call) /* send(2), MSG_MORE */
{
    struct script s = script_begin();
    struct packet p;

    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "head", 4, MSG_MORE), 4);
    host_is_silent(&s, ms(100));
    CHECK_EQ(vk_send(s.sk, "body", 4, 0), 4);
    p = host_sends(&s, PSH | ACK);
    CHECK_EQ(p.payload_len, 8);
    script_end(&s);
}

TEST(a_fin_pulls_the_cork)
{
    struct script s = script_begin();
    struct packet p;

    script_accept(&s);
    set(&s, TCP_CORK, 1);
    CHECK_EQ(vk_send(s.sk, "last", 4, 0), 4);
    CHECK_EQ(sock_shutdown(s.sk, SHUT_WR), 0);
    p = host_sends(&s, FIN | PSH | ACK);
    CHECK_EQ(p.payload_len, 4);
    script_end(&s);
}

TEST(quickack_acknowledges_at_once) /* tcp(7), TCP_QUICKACK */
{
    struct script s = script_begin();

    script_accept(&s);
    peer_sends(&s, PSH | ACK, "x", 1);
    host_is_silent(&s, ms(10)); /* delayed */
    set(&s, TCP_QUICKACK, 1);
    host_sends(&s, ACK);
    peer_sends(&s, PSH | ACK, "x", 1);
    host_sends(&s, ACK);
    script_end(&s);
}

TEST(a_deferred_listener_tells_of_a_connection_when_data_come) /* tcp(7), TCP_DEFER_ACCEPT */
{
    struct script s = script_begin();

    script_listen(&s, 5);
    CHECK_EQ(vk_setsockopt_int(s.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 10), 0);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), -EAGAIN);
    s.sk = NULL;
    peer_sends(&s, PSH | ACK, "GET", 3);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    script_end(&s);
}

TEST(a_deferred_listener_has_patience_for_its_time_only)
{
    struct script s = script_begin();
    struct packet p;

    script_listen(&s, 5);
    vk_setsockopt_int(s.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5);
    peer_sends(&s, SYN, NULL, 0);
    p = host_sends_any(&s, SYN | ACK);
    s.rcv = p.seq + 1;
    peer_sends(&s, ACK, NULL, 0);
    sim_run_for(sec(8));
    tap_flush(s.tap);
    peer_sends(&s, ACK, NULL, 0); /* the answer to one of our SYNs that came again */
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    script_end(&s);
}

TEST(connect_gives_up_after_as_many_syns_as_it_was_told) /* tcp(7), TCP_SYNCNT */
{
    struct script s = script_begin();
    struct packet p;

    s.sk = vk_socket(s.vk, SOCK_STREAM);
    set(&s, TCP_SYNCNT, 2);
    CHECK_EQ(vk_connect(s.sk, "10.0.0.2", PEER_PORT), -ETIMEDOUT);
    CHECK(time_now() < sec(10));
    for (int i = 0; i < 3; i++)
        EXPECT_TCP(s.tap, &p, SYN);
    host_is_silent(&s, sec(60));
    script_end(&s);
}

TEST(reading_waits_for_the_low_mark) /* socket(7), SO_RCVLOWAT */
{
    struct script s = script_begin();
    char buf[10];

    script_accept(&s);
    vk_setsockopt_int(s.sk, SOL_SOCKET, SO_RCVLOWAT, 4);
    peer_sends(&s, PSH | ACK, "abc", 3);
    CHECK_EQ(sock_poll(s.sk) & POLLIN, 0);
    CHECK_EQ(vk_recv(s.sk, buf, 2, 0), 2); /* no more was asked for */
    peer_sends(&s, PSH | ACK, "def", 3);
    CHECK_EQ(sock_poll(s.sk) & POLLIN, POLLIN);
    CHECK_EQ(vk_recv(s.sk, buf, 10, 0), 4);
    script_end(&s);
}

TEST(who_has_enough_unsent_is_not_asked_for_more) /* TCP_NOTSENT_LOWAT */
{
    struct script s = script_begin();
    static char text[60000];

    script_accept(&s);
    set(&s, TCP_NOTSENT_LOWAT, 1000);
    CHECK_EQ(sock_poll(s.sk) & POLLOUT, POLLOUT);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, MSG_DONTWAIT), sizeof text); /* a window of 20,000 */
    CHECK_EQ(sock_poll(s.sk) & POLLOUT, 0);
    script_end(&s);
}

TEST(what_tcp_info_counts_is_what_was_sent)
{
    struct script s = script_begin();
    uint8_t info[248];
    socklen_t len = sizeof info;
    uint64_t acked, received;

    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "hello", 5, 0), 5);
    host_sends(&s, PSH | ACK);
    peer_sends(&s, PSH | ACK, "worlds", 6);
    CHECK_EQ(sock_getsockopt(s.sk, IPPROTO_TCP, TCP_INFO, info, &len), 0);
    CHECK_EQ(len, sizeof info);
    memcpy(&acked, info + 120, sizeof acked);
    memcpy(&received, info + 128, sizeof received);
    CHECK_EQ(info[0], TCPS_ESTABLISHED);
    CHECK_EQ(acked, 5);
    CHECK_EQ(received, 6);
    script_end(&s);
}

TEST(each_option_of_tcp_is_read_back_as_it_was_set) /* tcp(7) */
{
    static const struct {
        int option, at_first, value;
    } options[] = {
        { TCP_NODELAY, 0, 1 },      { TCP_CORK, 0, 1 },           { TCP_KEEPIDLE, 7200, 10 },
        { TCP_KEEPINTVL, 75, 3 },   { TCP_KEEPCNT, 9, 4 },        { TCP_SYNCNT, 6, 2 },
        { TCP_DEFER_ACCEPT, 0, 3 }, { TCP_USER_TIMEOUT, 0, 500 }, { TCP_FASTOPEN, 0, 5 },
        { TCP_LINGER2, 60, 30 },
    };
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);

    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, options[i].option), options[i].at_first);
        CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, options[i].option, options[i].value), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++)
        CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, options[i].option), options[i].value);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, TCP_MAXSEG, 1000), 0);
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, TCP_MAXSEG), 1000);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, TCP_LINGER2, -5), 0); /* no waiting at all */
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, TCP_LINGER2), -1);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096), 0);
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 4096);
    vk_close(sk);
    script_end(&s);
}

TEST(values_beyond_an_option_s_range_are_refused) /* tcp(7), and the limits of <net/tcp.h> */
{
    static const struct {
        int option, value, err;
    } bad[] = {
        { TCP_MAXSEG, 1, -EINVAL },       { TCP_MAXSEG, 70000, -EINVAL }, { TCP_KEEPIDLE, 0, -EINVAL },
        { TCP_KEEPIDLE, 32768, -EINVAL }, { TCP_KEEPINTVL, 0, -EINVAL },  { TCP_KEEPCNT, 128, -EINVAL },
        { TCP_SYNCNT, 0, -EINVAL },       { TCP_SYNCNT, 128, -EINVAL },   { TCP_USER_TIMEOUT, -1, -EINVAL },
        { TCP_FASTOPEN, -1, -EINVAL },    { TCP_INFO, 1, -ENOPROTOOPT },  { 999, 1, -ENOPROTOOPT },
    };
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    char small[3] = { 0 };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, bad[i].option, bad[i].value), bad[i].err);
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, 999), -ENOPROTOOPT);
    CHECK_EQ(vk_getsockopt_int(sk, 999, 1), -EOPNOTSUPP); /* as Linux has it */
    CHECK_EQ(vk_setsockopt_int(sk, 999, 1, 1), -ENOPROTOOPT);
    CHECK_EQ(sock_setsockopt(sk, IPPROTO_TCP, TCP_NODELAY, small, sizeof small), -EINVAL);
    CHECK_EQ(vk_getsockopt_int(sk, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
    vk_close(sk);
    script_end(&s);
}

TEST(the_congestion_control_is_chosen_by_a_name_that_exists) /* tcp(7), TCP_CONGESTION */
{
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    char name[16] = { 0 }, was[16] = { 0 };
    socklen_t len = sizeof was;

    CHECK_EQ(sock_getsockopt(sk, IPPROTO_TCP, TCP_CONGESTION, was, &len), 0);
    CHECK_EQ(len, sizeof was);
    CHECK_EQ(sock_setsockopt(sk, IPPROTO_TCP, TCP_CONGESTION, "no-such", 7), -ENOENT);
    CHECK_EQ(sock_setsockopt(sk, IPPROTO_TCP, TCP_CONGESTION, was, (socklen_t)strlen(was)), 0);
    len = sizeof name;
    CHECK_EQ(sock_getsockopt(sk, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    CHECK(!strcmp(name, was));
    len = 3; /* as much as there is room for */
    memset(name, 'z', sizeof name);
    CHECK_EQ(sock_getsockopt(sk, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    CHECK(len == 3 && name[3] == 'z' && !memcmp(name, was, 3));
    vk_close(sk);
    script_end(&s);
}
