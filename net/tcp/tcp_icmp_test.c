/* net/tcp/tcp_icmp_test.c - what ICMP errors may do to a connection. RFC 1122 4.2.3.9, RFC 5927, RFC 1191.
 * Checklist 111-113. */
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp_script_test.h"

/* An ICMP error that quotes a segment of ours with this number. */
static void peer_complains(struct script *s, uint8_t type, uint8_t code, uint32_t rest, uint32_t seq)
{
    uint8_t quote[FRAME_MAX];
    struct packet quoted = { .protocol = PACKET_TCP,
                             .saddr = s->vk->addr,
                             .daddr = s->tap->ip,
                             .sport = s->dport,
                             .dport = s->sport,
                             .seq = seq,
                             .flags = ACK };
    packet_build(&quoted, quote);
    struct packet p = { .protocol = PACKET_ICMP,
                        .saddr = s->tap->ip,
                        .daddr = s->vk->addr,
                        .icmp_type = type,
                        .icmp_code = code,
                        .icmp_rest = rest,
                        .payload = quote + FRAME_HEADER,
                        .payload_len = 28 };
    memcpy(p.dst_mac, s->vk->nic->dev->dev_addr, sizeof p.dst_mac);
    tap_send(s->tap, &p);
    sim_run_for(us(10));
}

TEST(a_hard_error_ends_an_attempt_to_connect) /* RFC 1122 4.2.3.9; checklist 111 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_complains(&s, 3, 3, 0, s.rcv - 1);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    script_end(&s);
}

TEST(soft_errors_never_abort_but_explain_a_time_out) /* RFC 1122 4.2.3.9, RFC 5461 2; checklist 111 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_complains(&s, 3, 1, 0, s.rcv - 1);
    peer_complains(&s, 11, 0, 0, s.rcv - 1);
    peer_complains(&s, 3, 1, 0, s.rcv - 1);
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    sim_run_for(sec(400));
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
    script_end(&s);
}

TEST(an_open_connection_survives_hard_errors) /* RFC 5461, RFC 5927 5.2; checklist 111 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    host_sends(&s, PSH | ACK);
    peer_complains(&s, 3, 3, 0, s.rcv - 1);
    peer_complains(&s, 3, 2, 0, s.rcv - 1);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(errors_about_what_is_not_in_flight_are_not_believed) /* RFC 5927 4.1; checklist 112 */
{
    struct script s = script_begin();
    script_connect(&s);
    peer_complains(&s, 3, 3, 0, s.rcv);
    peer_complains(&s, 3, 3, 0, s.rcv - 2);
    CHECK_EQ(script_state(&s), TCPS_SYN_SENT);
    script_end(&s);
}

TEST(a_smaller_path_mtu_is_obeyed_at_once) /* RFC 1191 6, RFC 9293 3.7.5; checklist 113 */
{
    static const uint8_t text[1460];
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends_options(&s, SYN, (const uint8_t[]){ 2, 4, 1460 >> 8, 1460 & 255 }, 4);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, 0), sizeof text);
    uint32_t first = s.rcv, cwnd = tcp_sk(s.sk)->cwnd;
    CHECK_EQ(host_sends(&s, PSH | ACK).payload_len, 1460);
    peer_complains(&s, 3, 4, 67, first);   /* below any link's */
    peer_complains(&s, 3, 4, 1500, first); /* no news */
    host_is_silent(&s, ms(10));
    uint64_t before = time_now();
    peer_complains(&s, 3, 4, 1000, first);
    struct packet p = host_sends_any(&s, ACK);
    CHECK_EQ(p.seq, first);
    CHECK_EQ(p.payload_len, 960);
    CHECK(p.time - before < ms(1));
    CHECK_EQ(tcp_sk(s.sk)->cwnd, cwnd); /* not a sign of congestion */
    p = host_sends_any(&s, PSH | ACK);
    CHECK_EQ(p.seq, first + 960);
    CHECK_EQ(p.payload_len, 500);
    script_end(&s);
}

TEST(a_new_connection_begins_with_the_path_mtu_that_is_known) /* RFC 1191 6.3, 6.1; checklist 113 */
{
    static const uint8_t text[1460];
    struct script s = script_begin();
    ip_pmtu_learn(s.vk->net, cpu_to_be32(s.tap->ip), 1000, 1500); /* another one met the router */
    script_listen(&s, 5);
    peer_sends_options(&s, SYN, (const uint8_t[]){ 2, 4, 1460 >> 8, 1460 & 255 }, 4);
    struct packet p = host_sends_any(&s, SYN | ACK);
    const uint8_t *mss = packet_tcp_option(&p, 2);
    CHECK(mss && mss[2] << 8 == (1460 & 0xff00) &&
          mss[3] == (1460 & 255)); /* what we can take has not changed */
    s.rcv = p.seq + 1;
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, 0), sizeof text);
    CHECK_EQ(host_sends_any(&s, ACK).payload_len, 960);
    CHECK_EQ(host_sends_any(&s, PSH | ACK).payload_len, 500);
    script_end(&s);
}

TEST(a_complaint_about_what_is_not_in_flight_leaves_the_path_mtu) /* RFC 5927 4.1, 7; checklist 112 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_complains(&s, 3, 4, 1000, s.rcv);
    peer_complains(&s, 3, 4, 1000, s.rcv - 2);
    CHECK_EQ(tcp_sk(s.sk)->dst->mtu, 1500);
    script_end(&s);
}
