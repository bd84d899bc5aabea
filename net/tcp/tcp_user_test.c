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
