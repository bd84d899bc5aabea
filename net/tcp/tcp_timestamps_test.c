/* net/tcp/tcp_timestamps_test.c - RFC 7323 sections 3 to 5. Checklist 79, 93, 106, 107. */
#include "net/tcp/tcp_script_test.h"

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The timestamps of a segment of the host. */
static bool clocks(const struct packet *p, uint32_t *val, uint32_t *ecr)
{
    const uint8_t *o = packet_tcp_option(p, 8);
    if (!o)
        return false;
    *val = word(o + 2);
    *ecr = word(o + 6);
    return true;
}

static void peer_sends_clock(struct script *s, uint8_t flags, uint32_t seq, uint32_t val, uint32_t ecr,
                             const void *text, size_t n)
{
    uint8_t options[12] = { 1, 1, 8, 10 };
    for (int i = 0; i < 4; i++) {
        options[4 + i] = (uint8_t)(val >> (24 - 8 * i));
        options[8 + i] = (uint8_t)(ecr >> (24 - 8 * i));
    }
    struct packet p = { .protocol = PACKET_TCP,
                        .saddr = s->tap->ip,
                        .daddr = s->vk->addr,
                        .sport = s->sport,
                        .dport = s->dport,
                        .flags = flags,
                        .seq = seq,
                        .ack = flags & ACK ? s->rcv : 0,
                        .window = s->window,
                        .options = options,
                        .options_len = sizeof options,
                        .payload = text,
                        .payload_len = n };
    memcpy(p.dst_mac, s->vk->nic->dev->dev_addr, sizeof p.dst_mac);
    tap_send(s->tap, &p);
    sim_run_for(us(10));
}

/* An open connection with timestamps; the peer's clock stands at 100, *clock is the host's. */
static struct script agreed(uint32_t *clock)
{
    struct script s = script_begin();
    uint32_t ecr;
    script_listen(&s, 5);
    peer_sends_clock(&s, SYN, s.snd++, 100, 0, NULL, 0);
    struct packet p = host_sends_any(&s, SYN | ACK);
    CHECK(clocks(&p, clock, &ecr));
    CHECK_EQ(ecr, 100);
    s.rcv = p.seq + 1;
    peer_sends_clock(&s, ACK, s.snd, 100, *clock, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    return s;
}

TEST(a_syn_offers_timestamps_a_syn_ack_returns_them_only_when_offered) /* RFC 7323 3.2; checklist 106 */
{
    struct script s = script_begin();
    uint32_t val, ecr;
    script_listen(&s, 5);
    peer_sends(&s, SYN, NULL, 0);
    struct packet p = host_sends_any(&s, SYN | ACK);
    CHECK(!clocks(&p, &val, &ecr));
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    struct sockaddr_storage addr;
    int len = sockaddr_in_make(&addr, cpu_to_be32(s.tap->ip), cpu_to_be16(9));
    CHECK_EQ(sock_connect(sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT), -EINPROGRESS);
    EXPECT_TCP(s.tap, &p, SYN);
    CHECK(clocks(&p, &val, &ecr));
    CHECK_EQ(ecr, 0);
    vk_close(sk);
    script_end(&s);
}

TEST(every_segment_carries_the_clock_and_the_echo) /* RFC 7323 3.2, 4.3; checklist 106 */
{
    uint32_t clock, val, ecr;
    struct script s = agreed(&clock);
    sim_run_for(ms(70));
    peer_sends_clock(&s, ACK, s.snd, 107, clock, "abc", 3);
    peer_sends_clock(&s, ACK, s.snd + 3, 109, clock, "def", 3);
    s.snd += 6;
    struct packet p = host_sends(&s, ACK);
    CHECK(clocks(&p, &val, &ecr));
    CHECK_EQ(ecr, 107); /* a delayed ACK echoes the earliest segment */
    CHECK(val - clock >= 70 && val - clock <= 130);
    script_end(&s);
}

TEST(an_old_clock_is_acknowledged_and_dropped) /* RFC 7323 5.3 R1; checklist 107 */
{
    uint32_t clock;
    struct script s = agreed(&clock);
    peer_sends_clock(&s, ACK, s.snd, 99, clock, "old", 3);
    host_sends(&s, ACK);
    CHECK_EQ(s.sk->receive_queue.bytes, 0);
    peer_sends_clock(&s, ACK, s.snd, 100, clock, "new", 3);
    CHECK_EQ(s.sk->receive_queue.bytes, 3);
    script_end(&s);
}

TEST(an_old_clock_does_not_save_a_connection_from_a_reset) /* RFC 7323 5.2; checklist 107 */
{
    uint32_t clock;
    struct script s = agreed(&clock);
    peer_sends_clock(&s, RST, s.snd, 50, 0, NULL, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSED);
    script_end(&s);
}

TEST(after_24_days_the_old_clock_says_nothing) /* RFC 7323 5.5; checklist 107 */
{
    uint32_t clock;
    struct script s = agreed(&clock);
    sim_run_for(sec(25 * 86400));
    peer_sends_clock(&s, ACK, s.snd, 99, clock, "new", 3);
    CHECK_EQ(s.sk->receive_queue.bytes, 3);
    script_end(&s);
}

TEST(a_segment_without_the_agreed_clock_is_dropped) /* RFC 7323 3.2; checklist 106 */
{
    uint32_t clock;
    struct script s = agreed(&clock);
    peer_sends(&s, ACK, "abc", 3);
    CHECK_EQ(s.sk->receive_queue.bytes, 0);
    host_is_silent(&s, ms(200));
    script_end(&s);
}

TEST(timestamps_cost_twelve_bytes_of_each_segment) /* RFC 6691 2; checklist 79 */
{
    static const uint8_t text[2000];
    uint32_t clock;
    struct script s = agreed(&clock);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, 0), sizeof text);
    CHECK_EQ(host_sends(&s, ACK).payload_len, 536 - 12);
    script_end(&s);
}

TEST(a_retransmission_may_be_timed_by_its_echo) /* RFC 7323 4.1; checklist 93 */
{
    uint32_t clock, val, ecr;
    struct script s = agreed(&clock);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    host_sends(&s, PSH | ACK);
    struct packet p = host_sends_any(&s, PSH | ACK);
    CHECK(clocks(&p, &val, &ecr));
    CHECK_EQ(tp->backoff, 1);
    peer_sends_clock(&s, ACK, s.snd, 101, val, NULL, 0);
    CHECK_EQ(tp->backoff, 0);
    CHECK(tp->rtt.srtt < ms(50));
    script_end(&s);
}

TEST(time_wait_makes_way_for_a_later_clock) /* RFC 6191 2; checklist 70 */
{
    uint32_t clock;
    struct script s = agreed(&clock);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends_clock(&s, FIN | ACK, s.snd++, 102, clock, NULL, 0);
    CHECK(script_in_time_wait(&s));
    host_sends(&s, ACK);
    peer_sends_clock(&s, SYN, s.snd - 5000, 103, 0, NULL, 0);
    host_sends_any(&s, SYN | ACK);
    CHECK(!script_in_time_wait(&s));
    sock_put(sk);
    script_end(&s);
}
