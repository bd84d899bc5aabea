/* net/tcp/tcp_user_test.c - what a program asks of a TCP socket beside its options: how much waits, names
 * that cannot be, shutdown() in each state. tcp(7), RFC 9293 3.10. */
#include "net/tcp/tcp_script_test.h"

enum { NOT_SENT = 0x894b }; /* SIOCOUTQNSD, of <linux/sockios.h> */

static int asked(struct sock *sk, unsigned request)
{
    int n = -1, err = sock_ioctl(sk, request, (uintptr_t)&n);

    return err ? err : n;
}

TEST(a_connection_says_how_much_waits_in_and_out) /* tcp(7): SIOCINQ, SIOCOUTQ; SIOCOUTQNSD */
{
    struct script s = script_begin();
    char c;

    script_accept(&s);
    CHECK(asked(s.sk, FIONREAD) == 0 && asked(s.sk, TIOCOUTQ) == 0);
    peer_sends(&s, ACK | PSH, "abc", 3);
    host_sends_any(&s, ACK);
    CHECK_EQ(asked(s.sk, FIONREAD), 3);
    CHECK_EQ(vk_recv(s.sk, &c, 1, 0), 1);
    CHECK_EQ(asked(s.sk, FIONREAD), 2);
    CHECK_EQ(vk_send(s.sk, "wxyz", 4, 0), 4);
    host_sends(&s, ACK | PSH);
    CHECK_EQ(asked(s.sk, TIOCOUTQ), 4); /* sent, not acknowledged */
    CHECK_EQ(asked(s.sk, NOT_SENT), 0); /* nothing unsent */
    peer_sends(&s, ACK, NULL, 0);
    sim_run_for(ms(1));
    CHECK_EQ(asked(s.sk, TIOCOUTQ), 0);
    CHECK_EQ(asked(s.sk, 0x1234), -ENOTTY);
    CHECK_EQ(sock_ioctl(s.sk, FIONREAD, 0), -EFAULT);
    script_end(&s);
}

TEST(a_listener_has_no_bytes_to_tell_of) /* tcp(7): SIOCINQ on a listener is EINVAL */
{
    struct script s = script_begin();

    script_listen(&s, 1);
    CHECK_EQ(asked(s.listener, FIONREAD), -EINVAL);
    CHECK_EQ(asked(s.listener, TIOCOUTQ), -EINVAL);
    script_end(&s);
}

TEST(a_listener_that_is_shut_down_for_reading_listens_no_more) /* shutdown(2), as Linux */
{
    struct script s = script_begin();

    script_listen(&s, 1);
    CHECK_EQ(sock_shutdown(s.listener, SHUT_WR), 0);
    CHECK_EQ(vk_getsockopt_int(s.listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(sock_shutdown(s.listener, SHUT_RD), 0);
    CHECK_EQ(vk_getsockopt_int(s.listener, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(vk_listen(s.listener, 1), 0); /* and can again */
    script_end(&s);
}

TEST(what_is_not_connected_cannot_be_shut_down) /* shutdown(2): ENOTCONN */
{
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    struct sockaddr_storage peer;

    CHECK_EQ(sock_shutdown(sk, SHUT_WR), -ENOTCONN);
    CHECK_EQ(sock_getname(sk, &peer, true), -ENOTCONN);
    vk_close(sk);
    script_end(&s);
}

TEST(after_shut_rd_reading_ends_and_writing_goes_on) /* shutdown(2) */
{
    struct script s = script_begin();
    char c;

    script_accept(&s);
    CHECK_EQ(sock_shutdown(s.sk, SHUT_RD), 0);
    CHECK_EQ(vk_recv(s.sk, &c, 1, 0), 0);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    host_sends(&s, ACK | PSH);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_peer_that_cannot_be_is_refused_before_any_segment) /* RFC 1122 4.2.3.14, RFC 9293 MUST-46 */
{
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    const struct sockaddr other = { .sa_family = AF_UNIX };

    CHECK_EQ(vk_connect(sk, "10.0.0.255", 80), -ENETUNREACH);
    CHECK_EQ(vk_connect(sk, "224.0.0.1", 80), -ENETUNREACH);
    CHECK_EQ(vk_connect(sk, "192.168.7.7", 80), -ENETUNREACH);
    CHECK_EQ(sock_connect(sk, &other, sizeof(struct sockaddr_in), 0), -EAFNOSUPPORT);
    CHECK_EQ(sock_connect(sk, &other, 1, 0), -EINVAL);
    CHECK_EQ(vk_bind(sk, "10.0.0.77", 80), -EADDRNOTAVAIL);
    CHECK_EQ(vk_bind(sk, "10.0.0.1", 80), 0);
    CHECK_EQ(vk_bind(sk, "10.0.0.1", 81), -EINVAL);
    host_is_silent(&s, ms(100));
    vk_close(sk);
    script_end(&s);
}

TEST(connecting_to_no_address_is_connecting_to_this_host) /* as 4.2BSD did */
{
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM), *server = vk_socket(s.vk, SOCK_STREAM);
    struct sockaddr_storage name;
    struct sockaddr_in in;

    CHECK_EQ(vk_bind(server, NULL, 8080), 0);
    CHECK_EQ(vk_listen(server, 1), 0);
    CHECK_EQ(vk_connect(sk, NULL, 8080), 0);
    CHECK_EQ(sock_getname(sk, &name, true), sizeof in);
    memcpy(&in, &name, sizeof in);
    CHECK_EQ(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
    vk_close(sk);
    vk_close(server);
    script_end(&s);
}

static int dissolve(struct sock *sk)
{
    return sock_connect(sk, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr), 0);
}

TEST(an_association_is_dissolved_by_a_reset) /* connect(2), AF_UNSPEC; RFC 9293 3.10.5 */
{
    struct script s = script_begin();
    char c;

    script_accept(&s);
    peer_sends(&s, ACK | PSH, "abc", 3);
    host_sends(&s, ACK);
    CHECK_EQ(dissolve(s.sk), 0);
    host_sends(&s, RST | ACK);
    CHECK_EQ(s.sk->state, TCPS_CLOSED);
    CHECK_EQ(s.sk->receive_queue.bytes, 0);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ECONNRESET);
    CHECK_EQ(vk_recv(s.sk, &c, 1, MSG_DONTWAIT), -ENOTCONN);
    CHECK_EQ(dissolve(s.sk), 0); /* of nothing */
    script_end(&s);
}

TEST(a_failed_connect_keeps_the_port_that_bind_named) /* connect(2), as Linux */
{
    struct script s = script_begin();
    struct sock *named = vk_socket(s.vk, SOCK_STREAM), *other = vk_socket(s.vk, SOCK_STREAM);

    CHECK_EQ(vk_bind(named, NULL, 5555), 0);
    CHECK_EQ(vk_connect(named, "127.0.0.1", 9), -ECONNREFUSED);
    CHECK_EQ(vk_bind(other, NULL, 5555), -EADDRINUSE);
    vk_close(named);
    CHECK_EQ(vk_bind(other, NULL, 5555), 0);
    vk_close(other);
    script_end(&s);
}

TEST(text_behind_a_shutdown_of_both_ways_is_refused) /* RFC 1122 4.2.2.13 */
{
    struct script s = script_begin();

    script_accept(&s);
    CHECK_EQ(sock_shutdown(s.sk, SHUT_RDWR), 0);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, ACK | PSH, "x", 1);
    host_sends_any(&s, RST | ACK);
    CHECK_EQ(s.sk->state, TCPS_CLOSED);
    script_end(&s);
}

TEST(peeking_begins_where_it_is_told_and_moves_on) /* socket(7), SO_PEEK_OFF */
{
    struct script s = script_begin();
    char text[8] = "";

    script_accept(&s);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_PEEK_OFF), -1);
    peer_sends(&s, ACK | PSH, "abcdef", 6);
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_PEEK_OFF, 1), 0);
    CHECK_EQ(vk_recv(s.sk, text, 2, MSG_PEEK), 2);
    CHECK(!memcmp(text, "bc", 2));
    CHECK_EQ(vk_recv(s.sk, text, 2, 0), 2);
    CHECK(!memcmp(text, "ab", 2));
    CHECK_EQ(vk_recv(s.sk, text, 8, MSG_PEEK), 3); /* from 3 on, of which 2 are read */
    CHECK(!memcmp(text, "def", 3));
    CHECK_EQ(vk_recv(s.sk, text, 8, MSG_PEEK | MSG_DONTWAIT), -EAGAIN);
    script_end(&s);
}

TEST(a_clamp_keeps_the_window_small) /* tcp(7), TCP_WINDOW_CLAMP */
{
    struct script s = script_begin();

    script_listen(&s, 1);
    CHECK_EQ(vk_setsockopt_int(s.listener, IPPROTO_TCP, TCP_WINDOW_CLAMP, 5000), 0);
    CHECK_EQ(vk_getsockopt_int(s.listener, IPPROTO_TCP, TCP_WINDOW_CLAMP), 5000);
    CHECK_EQ(vk_setsockopt_int(s.listener, IPPROTO_TCP, TCP_WINDOW_CLAMP, 0), -EINVAL);
    CHECK_EQ(tcp_receive_space(tcp_sk(s.listener)), 5000);
    script_end(&s);
}

TEST(time_to_defer_is_counted_in_repeated_syns) /* tcp(7), TCP_DEFER_ACCEPT: 1, 3, 7, 15, ... s */
{
    static const int asked[] = { -1, 0, 1, 2, 4, 100, 200 }, kept[] = { 0, 0, 1, 3, 7, 127, 247 };
    struct script s = script_begin();

    script_listen(&s, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
        CHECK_EQ(vk_setsockopt_int(s.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, asked[i]), 0);
        CHECK_EQ(vk_getsockopt_int(s.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT), kept[i]);
    }
    script_end(&s);
}
