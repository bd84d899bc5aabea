/* net/tcp/tcp_delack_test.c - who is acknowledged at once, and for how long. What is seen on the wire is told
 * in grade/scripts/tcp/88-*. */
#include "net/tcp/tcp_script_test.h"

static const uint8_t zeroes[2000];

static struct script begin(int32_t quickacks, int rcvbuf)
{
    struct script s = script_begin();
    s.vk->net->tcp->quickacks = quickacks;
    script_listen(&s, 5);
    if (rcvbuf)
        CHECK_EQ(vk_setsockopt_int(s.listener, SOL_SOCKET, SO_RCVBUF, rcvbuf), 0);
    script_accept(&s);
    return s;
}

TEST(a_small_window_is_acknowledged_at_once_only_to_its_half) /* else more would be acknowledged than is sent
                                                               */
{
    struct script s = begin(16, 16384);
    CHECK_EQ(tcp_sk(s.sk)->quickacks, tcp_sk(s.sk)->rcv_wnd / 2 / 536);
    CHECK(tcp_sk(s.sk)->quickacks < 16);
    script_end(&s);
}

TEST(what_is_sent_before_anything_came_is_no_answer) /* a client's first request */
{
    struct script s = script_begin();
    s.vk->net->tcp->quickacks = 16;
    script_connected(&s);
    CHECK_EQ(vk_send(s.sk, "GET", 3, 0), 3);
    host_sends(&s, PSH | ACK);
    CHECK_EQ(vk_getsockopt_int(s.sk, IPPROTO_TCP, TCP_QUICKACK), 1);
    peer_sends(&s, ACK, zeroes, 1460);
    host_sends(&s, ACK);
    peer_sends(&s, ACK, zeroes, 1460);
    host_sends(&s, ACK);
    script_end(&s);
}

TEST(an_answer_long_after_is_none) /* a program that takes its time lets the ACK go alone anyway */
{
    struct script s = begin(16, 0);
    peer_sends(&s, PSH | ACK, "GET", 3);
    host_sends(&s, ACK);
    sim_run_for(ms(100));
    CHECK_EQ(vk_send(s.sk, "200", 3, 0), 3);
    host_sends(&s, PSH | ACK);
    CHECK_EQ(vk_getsockopt_int(s.sk, IPPROTO_TCP, TCP_QUICKACK), 1);
    script_end(&s);
}

TEST(a_second_connection_of_a_socket_begins_quickly_too)
{
    struct script s = script_begin();
    struct sockaddr_storage addr;
    s.vk->net->tcp->quickacks = 16;
    script_connected(&s);
    peer_sends(&s, PSH | ACK, "hello", 5);
    host_sends(&s, ACK);
    CHECK_EQ(vk_send(s.sk, "hello", 5, 0), 5);
    host_sends(&s, PSH | ACK);
    CHECK(tcp_sk(s.sk)->interactive);
    int len = sockaddr_in_make(&addr, cpu_to_be32(s.tap->ip), cpu_to_be16(4321));
    CHECK_EQ(sock_connect(s.sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT), 0); /* it is done */
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ECONNRESET);
    CHECK_EQ(sock_connect(s.sk, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr), 0), 0);
    CHECK_EQ(sock_connect(s.sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT), -EINPROGRESS);
    CHECK(!tcp_sk(s.sk)->interactive);
    script_end(&s);
}
