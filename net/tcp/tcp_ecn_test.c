/* net/tcp/tcp_ecn_test.c - marks of congestion: RFC 3168 6.1 and RFC 8257 3.2. */
#include "net/tcp/tcp_script_test.h"

enum { ECT0 = 2, CE = 3 };
static const uint8_t zeroes[60000];

/* The host accepts a connection whose SYN asks for ECN. */
static void accept_with_ecn(struct script *s)
{
    if (!s->listener)
        script_listen(s, 5);
    peer_sends_options(s, SYN | ECE | CWR, (const uint8_t[]){ 2, 4, 1000 >> 8, 1000 & 255 }, 4);
    s->rcv = host_sends_any(s, SYN | ACK | ECE).seq + 1;
    peer_sends(s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s->listener, MSG_DONTWAIT, &s->sk), 0);
}

static void peer_marked(struct script *s, uint8_t tos, uint8_t flags, const void *text, size_t n)
{
    struct packet p = { .protocol = PACKET_TCP,
                        .saddr = s->tap->ip,
                        .daddr = s->vk->addr,
                        .tos = tos,
                        .sport = s->sport,
                        .dport = s->dport,
                        .flags = flags,
                        .seq = s->snd,
                        .ack = s->rcv,
                        .window = s->window,
                        .payload = text,
                        .payload_len = n };
    memcpy(p.dst_mac, s->vk->nic->dev->dev_addr, sizeof p.dst_mac);
    tap_send(s->tap, &p);
    sim_run_for(us(10));
    s->snd += (uint32_t)n;
}

TEST(new_text_says_that_marks_are_heeded_and_nothing_else_does) /* RFC 3168 6.1.4, 6.1.5 */
{
    struct script s = script_begin();
    accept_with_ecn(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 2000, 0), 2000);
    struct packet p = host_sends(&s, ACK);
    CHECK_EQ(p.tos & 3, ECT0);
    host_sends(&s, PSH | ACK);
    p = host_sends_any(&s, ACK); /* the time-out */
    CHECK_EQ(p.payload_len, 1000);
    CHECK_EQ(p.tos & 3, 0);
    peer_sends(&s, ACK, NULL, 0);
    peer_sends(&s, PSH | ACK, "x", 1);
    p = host_sends(&s, ACK);
    CHECK_EQ(p.payload_len, 0);
    CHECK_EQ(p.tos & 3, 0);
    script_end(&s);
}

TEST(without_agreement_nothing_is_marked_or_echoed) /* RFC 3168 6.1.1 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    CHECK_EQ(host_sends(&s, PSH | ACK).tos & 3, 0);
    peer_marked(&s, CE, PSH | ACK, "y", 1);
    host_sends(&s, ACK);
    script_end(&s);
}

TEST(a_mark_is_echoed_until_the_sender_has_heard) /* RFC 3168 6.1.3 */
{
    struct script s = script_begin();
    accept_with_ecn(&s);
    peer_marked(&s, CE, PSH | ACK, "a", 1);
    host_sends(&s, ACK | ECE);
    peer_marked(&s, ECT0, PSH | ACK, "b", 1);
    host_sends(&s, ACK | ECE);
    peer_marked(&s, ECT0, PSH | ACK | CWR, "c", 1);
    host_sends(&s, ACK);
    peer_marked(&s, CE, PSH | ACK | CWR, "d", 1); /* a new mark on the segment that says so */
    host_sends(&s, ACK | ECE);
    script_end(&s);
}

TEST(an_echo_halves_the_window_once_a_round_trip) /* RFC 3168 6.1.2 */
{
    struct script s = script_begin();
    accept_with_ecn(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK_EQ(vk_send(s.sk, zeroes, 40000, 0), 40000);
    uint32_t first = s.rcv;
    for (int i = 0; i < 10; i++)
        host_sends(&s, ACK);
    peer_sends_at(&s, ACK | ECE, s.snd, first + 1000, NULL, 0);
    CHECK_EQ(tp->ssthresh, 4500); /* half of the nine still out */
    CHECK_EQ(tp->cwnd, 4500);
    peer_sends_at(&s, ACK | ECE, s.snd, first + 2000, NULL, 0);
    CHECK(tp->cwnd >= 4500);
    for (uint32_t i = 3; i <= 6; i++)
        peer_sends_at(&s, ACK | ECE, s.snd, first + i * 1000, NULL, 0);
    struct packet p = host_sends(&s, ACK | CWR); /* the first new segment says that we heard */
    CHECK_EQ(p.tos & 3, ECT0);
    peer_sends_at(&s, ACK, s.snd, first + 10000, NULL, 0);
    host_sends(&s, ACK);
    CHECK(tp->cwnd >= 4500);
    script_end(&s);
}

/* The host's connect() sends its SYN, and asks. */
static void connect_with_ecn(struct script *s)
{
    struct sockaddr_storage addr;
    CHECK_EQ(net_sysctl_set(s->vk->net, "net/ipv4/tcp_ecn", "1"), 0);
    s->sk = vk_socket(s->vk, SOCK_STREAM);
    int len = sockaddr_in_make(&addr, cpu_to_be32(s->tap->ip), cpu_to_be16(s->sport));
    CHECK_EQ(sock_connect(s->sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT), -EINPROGRESS);
    s->dport = vk_port(s->sk);
}

TEST(ecn_is_asked_for_when_the_knob_says) /* RFC 3168 6.1.1 */
{
    struct script s = script_begin();
    connect_with_ecn(&s);
    struct packet p = host_sends_any(&s, SYN | ECE | CWR);
    CHECK(packet_tcp_option(&p, 8)); /* the other options are there as ever */
    p = host_sends_any(&s, SYN);     /* again, and without: something may drop the first for it */
    s.rcv = p.seq + 1;
    peer_sends(&s, SYN | ACK | ECE, NULL, 0);
    host_sends(&s, ACK);
    CHECK(!tcp_sk(s.sk)->ecn_ok);
    script_end(&s);
}

TEST(a_mirrored_request_is_no_agreement) /* RFC 3168 6.1.1 */
{
    struct script s = script_begin();
    connect_with_ecn(&s);
    s.rcv = host_sends_any(&s, SYN | ECE | CWR).seq + 1;
    peer_sends(&s, SYN | ACK | ECE | CWR, NULL, 0);
    host_sends(&s, ACK);
    CHECK(!tcp_sk(s.sk)->ecn_ok);
    script_end(&s);
}

TEST(dctcp_echoes_each_change_at_once) /* RFC 8257 3.2 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    CHECK_EQ(sock_setsockopt(s.listener, IPPROTO_TCP, TCP_CONGESTION, "dctcp", 5), 0);
    accept_with_ecn(&s);
    peer_marked(&s, ECT0, ACK, "a", 1); /* waits for a second one */
    peer_marked(&s, CE, ACK, "b", 1);
    struct packet p = host_sends_any(&s, ACK);
    CHECK_EQ(p.ack, s.snd - 1); /* what came before the mark */
    CHECK_EQ(host_sends_any(&s, ACK | ECE).ack, s.snd);
    peer_marked(&s, CE, ACK, "c", 1);
    peer_marked(&s, ECT0, ACK, "d", 1);
    CHECK_EQ(host_sends_any(&s, ACK | ECE).ack, s.snd - 1);
    CHECK_EQ(host_sends_any(&s, ACK).ack, s.snd);
    script_end(&s);
}
