/* net/tcp/tcp_data_test.c - an open connection: acceptance, windows, sending, loss. RFC 9293 3.8, 3.10.7.4;
 * RFC 5681, 6298, 6582. Checklist 51-58, 77-101, 108. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp_script_test.h"
#include "sim/netconfig.h"

enum { MSS = 1460 };

static const uint8_t zeroes[65536];

/* ---- is the segment acceptable? ---- */

TEST(what_lies_outside_the_window_is_answered_and_dropped) /* RFC 9293 3.10.7.4 first; checklist 51 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends_at(&s, ACK, s.snd - 5, s.rcv, "old..", 5);
    host_sends(&s, ACK);
    peer_sends_at(&s, ACK, s.snd + 10000000, s.rcv, "far", 3);
    host_sends(&s, ACK);
    peer_sends_at(&s, ACK, s.snd - 1, s.rcv, NULL, 0); /* a keepalive probe */
    host_sends(&s, ACK);
    CHECK_EQ(s.sk->receive_queue.bytes, 0);
    script_end(&s);
}

TEST(a_shut_window_lets_valid_acks_through) /* RFC 9293 3.10.7.4 first; checklist 51 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK_EQ(vk_send(s.sk, "hello", 5, 0), 5);
    host_sends(&s, PSH | ACK);
    uint32_t una = tp->snd_una;
    tp->rcv_wnd = 0; /* the peer has sent beyond it nevertheless, and goes on from there */
    peer_sends_at(&s, ACK, s.snd + tp->sk.rcvbuf, s.rcv, NULL, 0);
    CHECK_EQ(tp->snd_una, una);
    tp->rcv_wnd = 0; /* it had opened with our answer */
    peer_sends_at(&s, RST | ACK, s.snd + 2000, s.rcv, NULL, 0);
    CHECK_EQ(tp->snd_una, una);
    tp->rcv_wnd = 0;
    peer_sends_at(&s, ACK, s.snd + 2000, s.rcv, NULL, 0);
    CHECK_EQ(tp->snd_una, una + 5);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(a_segment_without_ack_is_dropped) /* RFC 9293 3.10.7.4 fifth; checklist 54 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends_at(&s, PSH, s.snd, 0, "x", 1);
    host_is_silent(&s, sec(1));
    CHECK_EQ(s.sk->receive_queue.bytes, 0);
    script_end(&s);
}

TEST(an_ack_of_the_future_or_the_distant_past_is_challenged) /* RFC 5961 5.2; checklist 55 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends_at(&s, ACK, s.snd, s.rcv + 1, "x", 1);
    host_sends(&s, ACK);
    peer_sends_at(&s, ACK, s.snd, s.rcv - PEER_WINDOW - 1, "x", 1);
    host_sends(&s, ACK);
    CHECK_EQ(s.sk->receive_queue.bytes, 0);
    peer_sends_at(&s, ACK, s.snd, s.rcv - 1, "x", 1); /* an old one's text counts */
    CHECK_EQ(s.sk->receive_queue.bytes, 1);
    script_end(&s);
}

TEST(a_wrong_checksum_is_dropped_silently) /* RFC 9293 3.1; checklist 57 */
{
    struct script s = script_begin();
    uint8_t frame[FRAME_MAX];
    script_accept(&s);
    struct packet p = { .protocol = PACKET_TCP,
                        .saddr = s.tap->ip,
                        .daddr = s.vk->addr,
                        .sport = s.sport,
                        .dport = s.dport,
                        .flags = PSH | ACK,
                        .seq = s.snd,
                        .ack = s.rcv,
                        .window = PEER_WINDOW,
                        .payload = "hello!!",
                        .payload_len = 7 };
    memcpy(p.src_mac, s.tap->mac, 6);
    memcpy(p.dst_mac, s.vk->nic->dev->dev_addr, 6);
    size_t n = packet_build(&p, frame);
    frame[FRAME_HEADER + 20 + 20] ^= 1;
    tap_send_bytes(s.tap, frame, n);
    host_is_silent(&s, sec(1));
    CHECK_EQ(s.vk->net->drops[SKB_DROP_TCP_CSUM], 1);
    script_end(&s);
}

TEST(a_data_offset_outside_the_segment_is_dropped) /* RFC 9293 3.1; checklist 58 */
{
    static const uint8_t offsets[] = { 0x00, 0x40, 0x60, 0xf0 };
    struct script s = script_begin();
    script_listen(&s, 5);
    for (size_t i = 0; i < sizeof offsets; i++) {
        uint8_t frame[FRAME_MAX];
        struct packet p = { .protocol = PACKET_TCP,
                            .saddr = s.tap->ip,
                            .daddr = s.vk->addr,
                            .sport = s.sport,
                            .dport = s.dport,
                            .flags = SYN,
                            .seq = s.snd,
                            .window = 1000 };
        memcpy(p.src_mac, s.tap->mac, 6);
        memcpy(p.dst_mac, s.vk->nic->dev->dev_addr, 6);
        size_t n = packet_build(&p, frame);
        uint8_t *th = frame + FRAME_HEADER + 20;
        uint16_t sum = (uint16_t)(th[16] << 8 | th[17]);
        uint32_t mended = (uint16_t)~sum; /* the checksum stays right, so that only the offset is wrong */
        mended += (uint16_t) ~(th[12] << 8 | th[13]);
        th[12] = offsets[i];
        mended += (uint32_t)(th[12] << 8 | th[13]);
        mended = (mended & 0xffff) + (mended >> 16);
        mended = (uint16_t) ~((mended & 0xffff) + (mended >> 16));
        th[16] = (uint8_t)(mended >> 8);
        th[17] = (uint8_t)mended;
        tap_send_bytes(s.tap, frame, n);
    }
    host_is_silent(&s, sec(1));
    CHECK_EQ(s.vk->net->drops[SKB_DROP_TCP_HEADER_LENGTH], sizeof offsets);
    script_end(&s);
}

TEST(urgent_text_stays_in_the_stream) /* RFC 9293 3.8.5, RFC 6093; checklist 77 */
{
    struct script s = script_begin();
    char text[16];
    script_accept(&s);
    for (int i = 0; i < 3; i++) {
        static const uint16_t pointers[] = { 3, 0, 60000 };
        struct packet p = { .protocol = PACKET_TCP,
                            .saddr = s.tap->ip,
                            .daddr = s.vk->addr,
                            .sport = s.sport,
                            .dport = s.dport,
                            .flags = URG | PSH | ACK,
                            .seq = s.snd,
                            .ack = s.rcv,
                            .window = PEER_WINDOW,
                            .urgent = pointers[i],
                            .payload = "abcd",
                            .payload_len = 4 };
        memcpy(p.dst_mac, s.vk->nic->dev->dev_addr, 6);
        tap_send(s.tap, &p);
        s.snd += 4;
    }
    CHECK_EQ(vk_recv_all(s.sk, text, 12), 12);
    CHECK(memcmp(text, "abcdabcdabcd", 12) == 0);
    script_end(&s);
}

/* ---- receiving ---- */

TEST(text_out_of_order_waits_and_is_acknowledged_at_once) /* RFC 5681 4.2; checklist 89, 108 */
{
    struct script s = script_begin();
    char text[16];
    script_accept(&s);
    peer_sends_at(&s, ACK, s.snd + 4, s.rcv, "efgh", 4);
    host_sends(&s, ACK);
    peer_sends_at(&s, ACK, s.snd + 8, s.rcv, "ijkl", 4);
    host_sends(&s, ACK);
    CHECK_EQ(vk_recv(s.sk, text, 1, MSG_DONTWAIT), -EAGAIN);
    peer_sends_at(&s, ACK, s.snd, s.rcv, "abcdeXX", 7); /* overlaps: what came first counts */
    s.snd += 12;
    host_sends(&s, ACK); /* fills the gap: at once */
    CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), 12);
    CHECK_EQ(text[0], 'a');
    CHECK(memcmp(text + 7, "hijkl", 5) == 0);
    script_end(&s);
}

TEST(every_second_full_segment_is_acknowledged_a_single_one_later) /* RFC 9293 3.8.6.3; checklist 88 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_sends(&s, ACK, zeroes, MSS);
    host_sends(&s, ACK); /* the first one of this size */
    uint64_t before = time_now();
    peer_sends(&s, ACK, zeroes, MSS);
    struct packet p = host_sends(&s, ACK);
    CHECK(p.time - before >= ms(30) && p.time - before < ms(500));
    peer_sends(&s, ACK, zeroes, MSS);
    before = time_now();
    peer_sends(&s, ACK, zeroes, MSS);
    p = host_sends(&s, ACK);
    CHECK(p.time - before < ms(1));
    script_end(&s);
}

TEST(our_window_shuts_never_shrinks_and_opens_by_steps) /* RFC 9293 3.8.6; checklist 82, 84, 85 */
{
    struct script s = script_begin();
    static uint8_t sink[65536];
    uint32_t edge = 0;
    struct packet p;
    script_listen(&s, 5);
    CHECK_EQ(vk_setsockopt_int(s.listener, SOL_SOCKET, SO_RCVBUF, 8192), 0);
    script_accept(&s);
    for (int i = 0; i < 40; i++) {
        peer_sends_at(&s, ACK, s.snd, s.rcv, zeroes, 1000);
        if (!tap_receive(s.tap, &p, ms(100)))
            continue;
        CHECK(!edge || seq_after_eq(p.ack + p.window, edge));
        edge = p.ack + p.window;
        s.snd = p.ack;
    }
    CHECK_EQ(p.window, 0);
    peer_sends_at(&s, ACK, s.snd, s.rcv, zeroes, 1); /* a probe */
    CHECK_EQ(host_sends(&s, ACK).window, 0);
    CHECK_EQ(vk_recv(s.sk, sink, 100, 0), 100); /* a sliver is not announced */
    host_is_silent(&s, ms(500));
    CHECK_EQ(vk_recv(s.sk, sink, 3000, MSG_WAITALL), 3000);
    p = host_sends(&s, ACK);
    CHECK(p.window >= MSS);
    script_end(&s);
}

TEST(a_shut_window_still_takes_acks_and_resets) /* RFC 9293 3.10.7.4 first, MUST-66; checklist 84 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    CHECK_EQ(vk_setsockopt_int(s.listener, SOL_SOCKET, SO_RCVBUF, 4096), 0);
    script_accept(&s);
    while (tcp_sk(s.sk)->rcv_wnd) {
        uint32_t n = MIN(tcp_sk(s.sk)->rcv_wnd, 1000u);
        peer_sends(&s, ACK, zeroes, n);
    }
    sim_run_for(ms(100));
    tap_flush(s.tap);
    CHECK_EQ(vk_send(s.sk, "data", 4, 0), 4);
    host_sends(&s, PSH | ACK);
    peer_sends_at(&s, ACK, s.snd, s.rcv, "x", 1); /* text is cut off, the ACK counts */
    CHECK_EQ(tcp_sk(s.sk)->snd_una, s.rcv);
    host_sends(&s, ACK);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    script_end(&s);
}

/* ---- the user's calls ---- */

TEST(peek_waitall_and_trunc_do_what_they_say) /* recv(2), tcp(7) */
{
    struct script s = script_begin();
    char text[16];
    script_accept(&s);
    peer_sends(&s, ACK, "abcdef", 6);
    peer_sends(&s, ACK, "ghi", 3);
    CHECK_EQ(vk_recv(s.sk, text, 16, MSG_PEEK), 9);
    CHECK_EQ(vk_recv(s.sk, text, 4, MSG_PEEK), 4);
    CHECK_EQ(vk_recv(s.sk, text, 2, MSG_TRUNC), 2);
    CHECK_EQ(vk_recv(s.sk, text, 16, 0), 7);
    CHECK(memcmp(text, "cdefghi", 7) == 0);
    struct timeval soon = { .tv_usec = 200000 };
    CHECK_EQ(sock_setsockopt(s.sk, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
    peer_sends(&s, ACK, "jk", 2);
    CHECK_EQ(vk_recv(s.sk, text, 4, MSG_WAITALL), 2); /* what there was when time was up */
    CHECK_EQ(vk_recv(s.sk, text, 4, 0), -EAGAIN);
    script_end(&s);
}

TEST(poll_tells_what_would_not_wait) /* poll(2) */
{
    struct script s = script_begin();
    char byte;
    script_listen(&s, 5);
    CHECK_EQ(sock_poll(s.listener), 0);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends(&s, ACK, NULL, 0);
    CHECK(sock_poll(s.listener) & POLLIN);
    s.sk = vk_accept(s.listener, NULL);
    CHECK_EQ(sock_poll(s.sk) & (POLLIN | POLLOUT | POLLHUP | POLLERR), POLLOUT);
    peer_sends(&s, ACK, "x", 1);
    CHECK(sock_poll(s.sk) & POLLIN);
    CHECK_EQ(vk_recv(s.sk, &byte, 1, 0), 1);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK(sock_poll(s.sk) & POLLRDHUP);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK(sock_poll(s.sk) & POLLHUP);
    CHECK(sock_poll(s.sk) & POLLERR);
    script_end(&s);
}

/* ---- sending ---- */

TEST(the_last_segment_of_a_write_is_pushed) /* RFC 9293 3.9.1.2; checklist 91 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 1500, 0), 1500);
    CHECK_EQ(host_sends(&s, ACK).payload_len, 536); /* the peer named no MSS; checklist 79 */
    CHECK_EQ(host_sends(&s, ACK).payload_len, 536);
    CHECK_EQ(host_sends(&s, PSH | ACK).payload_len, 428);
    script_end(&s);
}

TEST(small_writes_wait_for_the_ack_and_leave_together) /* RFC 9293 3.7.4; checklist 87 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "a", 1, 0), 1);
    CHECK_EQ(vk_send(s.sk, "b", 1, 0), 1);
    CHECK_EQ(vk_send(s.sk, "c", 1, 0), 1);
    CHECK_EQ(host_sends(&s, PSH | ACK).payload_len, 1);
    host_is_silent(&s, ms(100));
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(host_sends(&s, PSH | ACK).payload_len, 2);
    script_end(&s);
}

TEST(small_writes_wait_also_when_the_clock_shows_nothing_yet) // what left at time 0 has left
{
    struct vkernel vk = { .net = net_create("young") };
    struct sock *listener = vk_socket(&vk, SOCK_STREAM), *client = vk_socket(&vk, SOCK_STREAM), *server;
    char text[4] = "";

    CHECK_EQ(netconfig_address(vk.net, "lo", ip4(127, 0, 0, 1), 8), 0);
    CHECK_EQ(vk_bind(listener, NULL, 80), 0);
    CHECK_EQ(vk_listen(listener, 1), 0);
    CHECK_EQ(vk_connect(client, "127.0.0.1", 80), 0);
    server = vk_accept(listener, NULL);
    CHECK_EQ(vk_send(client, "a", 1, 0), 1);
    CHECK_EQ(vk_recv(server, text, 1, 0), 1);
    CHECK_EQ(time_now(), 0);
    CHECK_EQ(vk_send(client, "b", 1, 0), 1); /* "a" was read, but its ACK is delayed */
    CHECK_EQ(vk_recv(server, text + 1, 1, 0), 1);
    CHECK(!strcmp(text, "ab"));
    vk_close(server);
    vk_close(client);
    vk_close(listener);
    net_destroy(vk.net);
}

TEST(nodelay_sends_small_writes_at_once) /* RFC 9293 3.7.4, MUST-17; checklist 87 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(vk_send(s.sk, "a", 1, 0), 1);
        CHECK_EQ(host_sends(&s, PSH | ACK).payload_len, 1);
    }
    script_end(&s);
}

TEST(the_peers_window_is_obeyed) /* RFC 9293 3.8.6; checklist 80 */
{
    struct script s = script_begin();
    s.window = 1000;
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 5000, 0), 5000);
    CHECK_EQ(host_sends(&s, ACK).payload_len, 536);
    host_is_silent(&s, ms(100));
    s.window = 3000;
    peer_sends_at(&s, ACK, s.snd - 1, s.rcv, NULL, 0); /* too old to move the window */
    host_sends(&s, ACK);
    host_is_silent(&s, ms(50));
    peer_sends(&s, ACK, NULL, 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(host_sends(&s, ACK).payload_len, 536);
    host_is_silent(&s, ms(100));
    script_end(&s);
}

TEST(a_shut_window_is_probed_ever_more_rarely_for_ever) /* RFC 9293 3.8.6.1; checklist 83 */
{
    struct script s = script_begin();
    uint64_t before = 0, gap = 0;
    s.window = 0;
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "waiting", 7, 0), 7);
    for (int i = 0; i < 40; i++) {
        struct packet p = host_sends_any(&s, ACK);
        CHECK_EQ(p.seq, s.rcv - 1);
        CHECK(!before || p.time - before + ms(1) >= gap);
        gap = before ? p.time - before : 0;
        before = p.time;
        peer_sends(&s, ACK, NULL, 0);
    }
    CHECK(gap <= sec(120) + ms(1) && gap >= sec(119));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    s.window = 1000;
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(host_sends(&s, PSH | ACK).payload_len, 7);
    script_end(&s);
}

TEST(a_probed_peer_that_never_answers_is_given_up) /* RFC 9293 3.8.3; checklist 83, 94 */
{
    struct script s = script_begin();
    s.window = 0;
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "waiting", 7, 0), 7);
    sim_run_for(sec(1100));
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    script_end(&s);
}

TEST(a_silly_window_is_used_only_after_a_while) /* RFC 9293 3.8.6.2.1; checklist 86 */
{
    struct script s = script_begin();
    script_accept(&s);
    s.window = 100;
    peer_sends(&s, ACK, NULL, 0);
    uint64_t before = time_now();
    CHECK_EQ(vk_send(s.sk, zeroes, 5000, 0), 5000);
    struct packet p = host_sends(&s, ACK);
    CHECK_EQ(p.payload_len, 100);
    CHECK(p.time - before >= ms(100));
    script_end(&s);
}

TEST(a_window_that_shrinks_is_survived) /* RFC 9293 3.8.6, MUST-34; checklist 81 */
{
    struct script s = script_begin();
    script_accept(&s);
    uint32_t first = s.rcv;
    CHECK_EQ(vk_send(s.sk, zeroes, 9 * 536, 0), 9 * 536);
    for (int i = 0; i < 9; i++)
        host_sends(&s, i < 8 ? ACK : PSH | ACK);
    CHECK_EQ(vk_send(s.sk, zeroes, 5000, 0), 5000);
    while (tcp_sk(s.sk)->snd_nxt != s.rcv)
        host_sends(&s, ACK);
    s.window = 600; /* the edge moves left, behind what was sent */
    peer_sends_at(&s, ACK, s.snd, first, NULL, 0);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first); /* the time-out repeats what lies inside, nothing else */
    peer_sends_at(&s, ACK, s.snd, first + 536, NULL, 0);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + 536);
    s.window = PEER_WINDOW;
    peer_sends(&s, ACK, NULL, 0);
    CHECK(host_sends_any(&s, ACK).payload_len == 536); /* and new text again */
    script_end(&s);
}

TEST(a_window_that_opens_late_finds_the_connection_alive) /* RFC 9293 3.8.6.1, MUST-36; checklist 83 */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, 536, 0), 536);
    uint32_t first = host_sends(&s, PSH | ACK).seq;
    s.window = 0; /* over what is in flight */
    for (uint64_t begin = time_now(); time_now() - begin < sec(2400);) {
        peer_sends_at(&s, ACK, s.snd, first, NULL, 0);
        CHECK_EQ(host_sends_any(&s, PSH | ACK).seq, first);
    }
    s.window = PEER_WINDOW;
    peer_sends_at(&s, ACK, s.snd, first, NULL, 0);
    uint64_t opened = time_now();
    struct packet p = host_sends_any(&s, PSH | ACK);
    CHECK_EQ(p.seq, first);
    CHECK(p.time - opened <= sec(1)); /* not after the two minutes of a probe */
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    script_end(&s);
}

/* ---- loss ---- */

/* An open connection with n full segments in flight; returns the number of the first. */
static uint32_t in_flight(struct script *s, int n)
{
    uint32_t first;
    script_listen(s, 5);
    peer_sends_options(s, SYN, (const uint8_t[]){ 2, 4, 1000 >> 8, 1000 & 255 }, 4);
    s->rcv = host_sends_any(s, SYN | ACK).seq + 1;
    peer_sends(s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s->listener, MSG_DONTWAIT, &s->sk), 0);
    first = s->rcv;
    CHECK_EQ(vk_send(s->sk, zeroes, 60000, 0), 60000);
    for (int i = 0; i < n; i++)
        CHECK_EQ(host_sends(s, ACK).payload_len, 1000);
    return first;
}

static void peer_acks(struct script *s, uint32_t ack)
{
    peer_sends_at(s, ACK, s->snd, ack, NULL, 0);
}

TEST(slow_start_begins_with_ten_and_doubles) /* RFC 6928 2, RFC 5681 3.1; checklist 96 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    host_is_silent(&s, ms(50));
    for (uint32_t i = 1; i <= 10; i++) {
        peer_acks(&s, first + i * 1000);
        host_sends(&s, ACK);
        host_sends(&s, ACK);
    }
    host_is_silent(&s, ms(50));
    CHECK_EQ(tcp_sk(s.sk)->cwnd, 20000);
    script_end(&s);
}

TEST(the_third_duplicate_ack_retransmits) /* RFC 5681 3.2, RFC 3042; checklist 98, 99, 101 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    struct tcp_sock *tp = tcp_sk(s.sk);
    peer_acks(&s, first);
    CHECK_EQ(host_sends(&s, ACK).payload_len, 1000); /* limited transmit: new text for the first two */
    peer_acks(&s, first);
    host_sends(&s, ACK);
    peer_acks(&s, first);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first);
    CHECK_EQ(tp->ssthresh, 6000); /* half of the twelve in flight */
    CHECK_EQ(tp->cwnd, 9000);
    peer_acks(&s, first);
    CHECK_EQ(tp->cwnd, 10000); /* inflated by each that follows */
    s.rcv = tp->snd_nxt;
    peer_acks(&s, s.rcv); /* full acknowledgement: deflated */
    CHECK_EQ(tp->recovery, TCP_OPEN);
    CHECK(tp->cwnd <= 6000);
    script_end(&s);
}

TEST(a_partial_ack_sends_the_next_hole_and_halves_nothing) /* RFC 6582 3.2; checklist 100 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    struct tcp_sock *tp = tcp_sk(s.sk);
    for (int i = 0; i < 3; i++)
        peer_acks(&s, first);
    host_sends(&s, ACK);
    host_sends(&s, ACK);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first);
    uint32_t ssthresh = tp->ssthresh;
    peer_acks(&s, first + 4000); /* the fifth is lost too */
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + 4000);
    CHECK_EQ(tp->recovery, TCP_FAST_RECOVERY);
    CHECK_EQ(tp->ssthresh, ssthresh);
    script_end(&s);
}

TEST(without_sack_time_finds_no_loss) /* RFC 8985 3: RACK-TLP needs SACK; lwIP's ACKs led here to a division
                                         by zero */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    struct tcp_sock *tp = tcp_sk(s.sk);
    sim_run_for(ms(10));
    for (int i = 0; i < 3; i++)
        peer_acks(&s, first);
    for (uint32_t acked = 1; acked < 6; acked++) {
        sim_run_for(ms(10));
        peer_acks(&s, first + acked * 1000);
        CHECK_EQ(tp->recovery, TCP_FAST_RECOVERY);
        CHECK(!tcp_timer_running(tp, TCP_TIMER_REORDER));
        CHECK_EQ(tp->board.lost, 0);
    }
    script_end(&s);
}

TEST(acks_with_text_or_a_new_window_are_no_duplicates) /* RFC 5681 2; checklist 98 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    for (int i = 0; i < 4; i++) {
        peer_sends_at(&s, ACK, s.snd, first, "x", 1);
        s.snd++;
        s.window++;
        peer_acks(&s, first);
    }
    CHECK_EQ(tcp_sk(s.sk)->dupacks, 0);
    CHECK_EQ(tcp_sk(s.sk)->recovery, TCP_OPEN);
    script_end(&s);
}

TEST(a_time_out_begins_again_with_one_segment) /* RFC 5681 3.1, RFC 6298 5; checklist 92, 93, 95, 97 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    struct tcp_sock *tp = tcp_sk(s.sk);
    struct packet p = host_sends_any(&s, ACK);
    CHECK_EQ(p.seq, first);
    CHECK_EQ(tp->cwnd, 1000);
    CHECK_EQ(tp->ssthresh, 5000);
    uint64_t at = p.time, rto = tp->rtt.rto;
    p = host_sends_any(&s, ACK);
    CHECK_EQ(p.seq, first);
    CHECK(p.time - at >= 2 * rto); /* RFC 6298 5.5 */
    CHECK_EQ(tp->ssthresh, 5000);  /* once a loss */
    peer_acks(&s, first + 1000);
    CHECK_EQ(tp->backoff, 2); /* Karn: an ACK of a retransmission is no sample; checklist 94 */
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + 1000); /* slow start through what was lost */
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + 2000);
    peer_acks(&s, first + 10000); /* the peer had the rest */
    CHECK_EQ(tp->recovery, TCP_OPEN);
    CHECK_EQ(host_sends(&s, ACK).payload_len, 1000);
    script_end(&s);
}

TEST(a_dead_peer_is_given_up) /* RFC 9293 3.8.3, at least 100 s; checklist 94 */
{
    struct script s = script_begin();
    in_flight(&s, 10);
    sim_run_for(sec(100));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    sim_run_for(sec(1000));
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    script_end(&s);
}

TEST(a_dead_peer_is_given_up_when_the_user_says) /* RFC 9293 3.8.3: R2 may be set by the application */
{
    struct script s = script_begin();
    in_flight(&s, 10);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_USER_TIMEOUT, -1), -EINVAL);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000), 0);
    CHECK_EQ(vk_getsockopt_int(s.sk, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
    sim_run_for(ms(4900));
    CHECK_EQ(script_state(&s), TCPS_ESTABLISHED);
    sim_run_for(ms(200));
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    CHECK_EQ(vk_getsockopt_int(s.sk, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    script_end(&s);
}

TEST(after_a_rest_the_window_is_the_initial_one) /* RFC 5681 4.1; checklist 105 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s, 10);
    struct tcp_sock *tp = tcp_sk(s.sk);
    for (uint32_t i = 1; i <= 60; i++)
        peer_acks(&s, first + i * 1000);
    CHECK(tp->cwnd > 15000);
    CHECK_EQ(tp->snd_una, tp->snd_nxt);
    sim_run_for(sec(10));
    tap_flush(s.tap);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    CHECK_EQ(tp->cwnd, 10000);
    script_end(&s);
}

TEST(the_timer_stops_when_all_is_acknowledged) /* RFC 6298 5.2, 5.3; checklist 95 */
{
    struct script s = script_begin();
    script_accept(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK(!tcp_timer_running(tp, TCP_TIMER_REXMIT));
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    CHECK(tcp_timer_running(tp, TCP_TIMER_REXMIT));
    host_sends(&s, PSH | ACK);
    peer_sends(&s, ACK, NULL, 0);
    CHECK(!tcp_timer_running(tp, TCP_TIMER_REXMIT));
    host_is_silent(&s, sec(10));
    script_end(&s);
}
