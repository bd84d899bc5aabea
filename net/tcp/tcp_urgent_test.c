/* net/tcp/tcp_urgent_test.c - urgent text both ways: RFC 9293 3.8.5, RFC 6093; checklist 77. */
#include "net/tcp/tcp_script_test.h"

enum { AT_MARK = 0x8905 }; /* SIOCATMARK, of <linux/sockios.h> */

static void peer_sends_urgent(struct script *s, uint16_t pointer, const char *text)
{
    struct packet p = { .protocol = PACKET_TCP,
                        .saddr = s->tap->ip,
                        .daddr = s->vk->addr,
                        .sport = s->sport,
                        .dport = s->dport,
                        .flags = URG | PSH | ACK,
                        .seq = s->snd,
                        .ack = s->rcv,
                        .window = PEER_WINDOW,
                        .urgent = pointer,
                        .payload = text,
                        .payload_len = strlen(text) };

    memcpy(p.dst_mac, s->vk->nic->dev->dev_addr, 6);
    tap_send(s->tap, &p);
    s->snd += (uint32_t)p.payload_len;
    sim_run_for(ms(1));
}

static int asked(struct sock *sk, unsigned request)
{
    int n = -1, err = sock_ioctl(sk, request, (uintptr_t)&n);

    return err ? err : n;
}

/* A connection whose socket has an owner, and "ab!cd" with the '!' urgent. */
static struct script with_a_mark(void)
{
    struct script s = script_begin();

    script_accept(&s);
    sock_set_owner(s.sk, &(struct signal_owner){ .who = 1 });
    peer_sends_urgent(&s, 3, "ab!cd");
    return s;
}

static bool reads(struct sock *sk, int flags, const char *text)
{
    char buffer[64] = "";

    return vk_recv(sk, buffer, sizeof buffer - 1, flags) == (ssize_t)strlen(text) && !strcmp(buffer, text);
}

TEST(a_read_stops_at_the_mark_and_the_next_passes_over_it) /* RFC 6093 2.1, 3.1 */
{
    struct script s = with_a_mark();

    CHECK_EQ(asked(s.sk, FIONREAD), 2);
    CHECK_EQ(asked(s.sk, AT_MARK), 0);
    CHECK(reads(s.sk, MSG_PEEK, "ab"));
    CHECK(reads(s.sk, MSG_WAITALL, "ab"));
    CHECK_EQ(asked(s.sk, AT_MARK), 1);
    CHECK(reads(s.sk, MSG_PEEK, "cd"));
    CHECK_EQ(asked(s.sk, AT_MARK), 1);
    CHECK(reads(s.sk, 0, "cd"));
    CHECK_EQ(asked(s.sk, AT_MARK), 0);
    CHECK_EQ(vk_recv(s.sk, &(char){ 0 }, 1, MSG_OOB), -EINVAL); /* passed: it is gone */
    script_end(&s);
}

TEST(the_urgent_byte_is_had_by_msg_oob_once) /* tcp(7) */
{
    struct script s = with_a_mark();

    CHECK(sock_poll(s.sk) & POLLPRI);
    CHECK(reads(s.sk, MSG_OOB | MSG_PEEK, "!"));
    CHECK(reads(s.sk, MSG_OOB, "!"));
    CHECK(!(sock_poll(s.sk) & POLLPRI));
    CHECK_EQ(vk_recv(s.sk, &(char){ 0 }, 1, MSG_OOB), -EINVAL);
    CHECK(reads(s.sk, 0, "ab")); /* the mark stays where it was */
    CHECK(reads(s.sk, 0, "cd"));
    script_end(&s);
}

TEST(inline_the_urgent_byte_is_text_behind_the_mark) /* RFC 6093 6: SO_OOBINLINE */
{
    struct script s = with_a_mark();

    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_OOBINLINE, 1), 0);
    CHECK_EQ(asked(s.sk, FIONREAD), 5);
    CHECK_EQ(vk_recv(s.sk, &(char){ 0 }, 1, MSG_OOB), -EINVAL);
    CHECK(reads(s.sk, 0, "ab"));
    CHECK_EQ(asked(s.sk, AT_MARK), 1);
    CHECK(reads(s.sk, 0, "!cd"));
    script_end(&s);
}

TEST(the_owner_is_told_once_a_mark) /* RFC 9293 3.10.7.4, sixth; fcntl(2), F_SETOWN */
{
    struct script s = script_begin();

    script_accept(&s);
    peer_sends_urgent(&s, 1, "a");
    CHECK_EQ(sim_urgent_signals(), 0); /* nobody asked */
    sock_set_owner(s.sk, &(struct signal_owner){ .who = 1 });
    peer_sends_urgent(&s, 4, "bc");
    CHECK_EQ(sim_urgent_signals(), 1); /* of what is still to come */
    CHECK_EQ(vk_recv(s.sk, &(char){ 0 }, 1, MSG_OOB), -EAGAIN);
    CHECK(!(sock_poll(s.sk) & POLLPRI));
    peer_sends_urgent(&s, 2, "de");
    CHECK_EQ(sim_urgent_signals(), 1); /* the same place once more */
    CHECK(sock_poll(s.sk) & POLLPRI);
    CHECK(reads(s.sk, MSG_OOB, "e"));
    CHECK(reads(s.sk, 0, "bcd")); /* 'a' was urgent once, and not read as such in time */
    peer_sends(&s, ACK, NULL, 0);
    script_end(&s);
}

TEST(an_urgent_byte_is_had_although_text_before_it_is_missing) /* RFC 9293 3.10.7.4, sixth */
{
    struct script s = script_begin();

    script_accept(&s);
    s.snd += 3;
    peer_sends_urgent(&s, 1, "!");
    CHECK(reads(s.sk, MSG_OOB, "!"));
    CHECK_EQ(vk_recv(s.sk, &(char){ 0 }, 1, MSG_DONTWAIT), -EAGAIN);
    s.snd -= 4;
    peer_sends(&s, ACK | PSH, "abc", 3);
    s.snd++;
    CHECK(reads(s.sk, 0, "abc"));
    script_end(&s);
}

TEST(a_byte_that_was_offered_is_not_text_when_another_follows) /* as Linux */
{
    struct script s = with_a_mark();

    CHECK(reads(s.sk, 0, "ab"));
    peer_sends_urgent(&s, 2, "e!");
    CHECK(reads(s.sk, 0, "cde"));
    CHECK(reads(s.sk, MSG_OOB, "!"));
    script_end(&s);
}

TEST(an_urgent_pointer_into_what_was_read_says_nothing) /* RFC 9293 3.10.7.4, sixth: max(RCV.UP, SEG.UP) */
{
    struct script s = with_a_mark();

    CHECK(reads(s.sk, 0, "ab"));
    CHECK(reads(s.sk, 0, "cd"));
    s.snd -= 5;
    peer_sends_urgent(&s, 3, "ab!cd");
    CHECK(!(sock_poll(s.sk) & POLLPRI));
    CHECK_EQ(sim_urgent_signals(), 1);
    script_end(&s);
}

TEST(a_shut_window_does_not_stop_news_of_urgent_text) /* RFC 9293 3.8.6, MUST-66 */
{
    struct script s = script_begin();

    script_accept(&s);
    tcp_sk(s.sk)->rcv_wnd = 0;
    sock_set_owner(s.sk, &(struct signal_owner){ .who = 1 });
    peer_sends_urgent(&s, 7, "");
    CHECK_EQ(sim_urgent_signals(), 1);
    script_end(&s);
}

TEST(poll_does_not_count_the_byte_at_the_mark) /* as Linux */
{
    struct script s = script_begin();

    script_accept(&s);
    peer_sends_urgent(&s, 1, "!");
    CHECK(!(sock_poll(s.sk) & POLLIN));
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_OOBINLINE, 1), 0);
    CHECK(sock_poll(s.sk) & POLLIN);
    script_end(&s);
}

/* ---- sending ---- */

TEST(msg_oob_points_behind_the_last_byte) /* RFC 6093 3.1, 4 */
{
    struct script s = script_begin();

    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, "abc", 3, MSG_OOB), 3);
    struct packet p = host_sends(&s, URG | PSH | ACK);
    CHECK_EQ(p.urgent, 3);
    peer_sends(&s, ACK, NULL, 0);
    sim_run_for(ms(1));
    CHECK_EQ(vk_send(s.sk, "d", 1, 0), 1); /* acknowledged: nothing is urgent any more */
    host_sends(&s, PSH | ACK);
    script_end(&s);
}

TEST(urgent_text_does_not_wait_for_more) /* RFC 9293 3.7.4, 3.8.5 */
{
    struct script s = script_begin();

    script_accept(&s);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_CORK, 1), 0);
    CHECK_EQ(vk_send(s.sk, "ab", 2, 0), 2);
    host_is_silent(&s, ms(50));
    CHECK_EQ(vk_send(s.sk, "!", 1, MSG_OOB), 1);
    struct packet p = host_sends(&s, URG | PSH | ACK);
    CHECK_EQ(p.urgent, 3);
    CHECK_EQ(p.payload_len, 3);
    script_end(&s);
}

TEST(a_shut_window_is_probed_with_the_urgent_pointer) /* RFC 9293 3.8.5, 3.8.6.1 */
{
    struct script s = script_begin();

    script_accept(&s);
    s.window = 0;
    peer_sends(&s, ACK, NULL, 0);
    sim_run_for(ms(1));
    CHECK_EQ(vk_send(s.sk, "ab", 2, MSG_OOB), 2);
    struct packet p = host_sends_any(&s, URG | ACK);
    CHECK_EQ(p.seq, s.rcv);
    CHECK_EQ(p.urgent, 2);
    CHECK_EQ(p.payload_len, 0);
    script_end(&s);
}

TEST(what_is_urgent_further_on_is_told_when_it_is_in_reach) /* RFC 9293 3.1: the pointer has 16 bits */
{
    struct script s = script_begin();
    struct tcp_hdr th = { 0 };

    script_accept(&s);
    struct tcp_sock tp = *tcp_sk(s.sk);
    tp.snd_nxt = tp.snd_una + 80000;
    tp.snd_up = tp.snd_una + 80000;
    tcp_urgent_write(&tp, &th, tp.snd_una);
    CHECK_EQ(th.flags, 0);
    tcp_urgent_write(&tp, &th, tp.snd_una + 79000);
    CHECK_EQ(th.flags, URG);
    CHECK_EQ(be16_to_cpu(th.urgent), 1000);
    tp.snd_up = tp.snd_nxt + 70000; /* not sent yet: as far as the pointer goes */
    tcp_urgent_write(&tp, &th, tp.snd_nxt);
    CHECK_EQ(be16_to_cpu(th.urgent), 65535);
    script_end(&s);
}
