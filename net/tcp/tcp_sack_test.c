/* net/tcp/tcp_sack_test.c - selective acknowledgement: what we report (RFC 2018, 2883), and how loss is
 * repaired by what the peer reports (RFC 6675, 6937, 8985, 5682, 3708). The peer's segments are of 1000
 * bytes. */
#include "net/tcp/tcp_prr.h"
#include "net/tcp/tcp_script_test.h"

enum { MSS = 1000, FLIGHT = 10 }; /* segments: the initial window */
#define ROUND_TRIP ms(10)
static const uint8_t zeroes[60000];

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static uint8_t *put_word(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        *p++ = (uint8_t)(v >> (24 - 8 * i));
    return p;
}

/* An open connection whose SYN permitted SACK. */
static void open_with_sack(struct script *s)
{
    script_listen(s, 5);
    peer_sends_options(s, SYN, (const uint8_t[]){ 2, 4, MSS >> 8, MSS & 255, 4, 2 }, 6);
    struct packet p = host_sends_any(s, SYN | ACK);
    CHECK(packet_tcp_option(&p, 4)); /* RFC 2018 2: permitted in return */
    s->rcv = p.seq + 1;
    sim_run_for(ROUND_TRIP);
    peer_sends(s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s->listener, MSG_DONTWAIT, &s->sk), 0);
}

/* The host's next segment is an ACK of ack with exactly these blocks, numbers counted from base. */
static void host_reports(struct script *s, uint32_t ack, uint32_t base, const uint32_t (*blocks)[2],
                         unsigned n)
{
    struct packet p = host_sends_any(s, ACK);
    const uint8_t *o = packet_tcp_option(&p, 5);
    CHECK_EQ(p.ack, ack);
    CHECK_EQ(o ? (o[1] - 2) / 8 : 0, (int)n);
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(word(o + 2 + 8 * i) - base, blocks[i][0]);
        CHECK_EQ(word(o + 6 + 8 * i) - base, blocks[i][1]);
    }
}
#define REPORTS(s, ack, base, ...)                                                                           \
    do {                                                                                                     \
        static const uint32_t blocks_[][2] = { __VA_ARGS__ };                                                \
        host_reports(s, ack, base, blocks_, ARRAY_SIZE(blocks_));                                            \
    } while (0)

static void peer_text(struct script *s, uint32_t seq, size_t n)
{
    peer_sends_at(s, ACK, seq, s->rcv, zeroes, n);
}

/* ---- what we report ---- */

TEST(the_newest_block_is_reported_first) /* RFC 2018 4; checklist 103 */
{
    struct script s = script_begin();
    open_with_sack(&s);
    uint32_t base = s.snd;
    peer_text(&s, base + 1000, 100);
    REPORTS(&s, base, base, { 1000, 1100 });
    peer_text(&s, base + 3000, 100);
    REPORTS(&s, base, base, { 3000, 3100 }, { 1000, 1100 });
    peer_text(&s, base + 1100, 100); /* grows the older one: now that is the newest */
    REPORTS(&s, base, base, { 1000, 1200 }, { 3000, 3100 });
    peer_text(&s, base + 1200, 1800); /* and bridges the two */
    REPORTS(&s, base, base, { 1000, 3100 });
    peer_text(&s, base, 1000);
    CHECK_EQ(host_sends_any(&s, ACK).ack, base + 3100);
    CHECK_EQ(tcp_sk(s.sk)->n_reports, 0);
    script_end(&s);
}

TEST(four_blocks_are_reported_and_the_oldest_forgotten) /* RFC 2018 3; checklist 103 */
{
    struct script s = script_begin();
    open_with_sack(&s);
    uint32_t base = s.snd;
    for (uint32_t i = 1; i <= 5; i++) {
        peer_text(&s, base + i * 200, 100);
        if (i < 5)
            host_sends_any(&s, ACK);
    }
    REPORTS(&s, base, base, { 1000, 1100 }, { 800, 900 }, { 600, 700 }, { 400, 500 });
    script_end(&s);
}

TEST(what_comes_twice_is_reported_once) /* RFC 2883 4.1; checklist 104 */
{
    struct script s = script_begin();
    open_with_sack(&s);
    uint32_t base = s.snd;
    peer_text(&s, base, 500);
    peer_text(&s, base, 500);
    REPORTS(&s, base + 500, base, { 0, 500 });
    peer_text(&s, base + 1000, 500);
    REPORTS(&s, base + 500, base, { 1000, 1500 });
    peer_text(&s, base + 1000, 500); /* a duplicate beyond the hole, and the block it lies in */
    REPORTS(&s, base + 500, base, { 1000, 1500 }, { 1000, 1500 });
    peer_text(&s, base + 250, 500); /* partly old */
    REPORTS(&s, base + 750, base, { 250, 500 }, { 1000, 1500 });
    script_end(&s);
}

TEST(without_permission_nothing_is_reported) /* RFC 2018 2; checklist 103 */
{
    struct script s = script_begin();
    script_accept(&s);
    peer_text(&s, s.snd + 1000, 100);
    struct packet p = host_sends_any(&s, ACK);
    CHECK(!packet_tcp_option(&p, 5));
    script_end(&s);
}

TEST(sack_is_a_knob) /* RFC 2018 2 */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_sack", "0"), 0);
    script_listen(&s, 5);
    peer_sends_options(&s, SYN, (const uint8_t[]){ 4, 2 }, 2);
    struct packet p = host_sends_any(&s, SYN | ACK);
    CHECK(!packet_tcp_option(&p, 4));
    script_end(&s);
}

/* ---- repair by what the peer reports ---- */

/* FLIGHT segments were sent a round trip ago; the number of the first. */
static uint32_t in_flight(struct script *s)
{
    open_with_sack(s);
    CHECK_EQ(vk_send(s->sk, zeroes, MSS, 0), MSS);
    host_sends(s, PSH | ACK);
    sim_run_for(ROUND_TRIP);
    peer_sends(s, ACK, NULL, 0);
    uint32_t first = s->rcv;
    CHECK_EQ(vk_send(s->sk, zeroes, 50 * MSS, 0), 50 * MSS);
    for (int i = 0; i < FLIGHT; i++)
        CHECK_EQ(host_sends(s, ACK).payload_len, MSS);
    sim_run_for(ROUND_TRIP);
    return first;
}

/* An ACK of ack with up to four blocks, in segments from first on: { 2, 4 } says the third and fourth are
 * here. */
static void peer_sacks(struct script *s, uint32_t ack, uint32_t first, const uint32_t (*blocks)[2],
                       unsigned n)
{
    uint8_t options[2 + 2 + 8 * 4] = { 1, 1, 5, (uint8_t)(2 + 8 * n) }, *p = options + 4;
    for (unsigned i = 0; i < n; i++) {
        p = put_word(p, first + blocks[i][0] * MSS);
        p = put_word(p, first + blocks[i][1] * MSS);
    }
    uint32_t rcv = s->rcv;
    s->rcv = ack;
    peer_sends_options(s, ACK, options, (size_t)(p - options));
    s->rcv = rcv;
}
#define SACKS(s, ack, first, ...)                                                                            \
    do {                                                                                                     \
        static const uint32_t blocks_[][2] = { __VA_ARGS__ };                                                \
        peer_sacks(s, ack, first, blocks_, ARRAY_SIZE(blocks_));                                             \
    } while (0)

TEST(three_reports_behind_a_hole_fill_it) /* RFC 6675 5, RFC 8985 6.2; checklist 102 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    SACKS(&s, first, first, { 1, 2 });
    CHECK_EQ(host_sends(&s, ACK).payload_len, MSS); /* RFC 3042: new text for the first two */
    SACKS(&s, first, first, { 1, 3 });
    CHECK_EQ(host_sends(&s, ACK).payload_len, MSS);
    CHECK_EQ(tp->recovery, TCP_OPEN);
    SACKS(&s, first, first, { 1, 4 });
    CHECK_EQ(host_sends_any(&s, ACK).seq, first);
    CHECK_EQ(tp->recovery, TCP_FAST_RECOVERY);
    CHECK_EQ(tp->board.sacked, 3 * MSS);
    peer_sacks(&s, s.rcv, first, NULL, 0);
    CHECK_EQ(tp->recovery, TCP_OPEN);
    CHECK_EQ(tp->cwnd, tp->ssthresh);
    CHECK_EQ(tcp_flight(tp), tp->snd_nxt - tp->snd_una);
    script_end(&s);
}

TEST(every_hole_is_filled_in_one_round_trip) /* RFC 6675 4 NextSeg (1); checklist 102 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    SACKS(&s, first, first, { 3, 10 }, { 1, 2 }); /* the first and the third are missing */
    CHECK_EQ(host_sends_any(&s, ACK).seq, first);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + 2 * MSS); /* holes go before new text */
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + FLIGHT * MSS);
    CHECK_EQ(tcp_sk(s.sk)->recovery, TCP_FAST_RECOVERY);
    script_end(&s);
}

TEST(by_number_a_hole_is_lost_behind_three_segments) /* RFC 6675 4 IsLost; checklist 102 */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_recovery", "0"), 0);
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    SACKS(&s, first, first, { 1, 3 });
    CHECK_EQ(tp->recovery, TCP_OPEN);
    SACKS(&s, first, first, { 5, 6 }, { 1, 3 }); /* three above the first, one above the fourth and fifth */
    CHECK_EQ(tp->recovery, TCP_FAST_RECOVERY);
    CHECK(tcp_board_next_lost(tp) == NULL);
    CHECK_EQ(tcp_flight(tp), tp->snd_nxt - tp->snd_una - 3 * MSS);
    script_end(&s);
}

TEST(the_flight_shrinks_in_proportion) /* RFC 6937 3; checklist 102 */
{
    struct tcp_prr p = { .delivered = 1000, .out = 0, .flight = 10000 };
    CHECK_EQ(tcp_prr_quota(&p, 9000, 5000, 1000, 1000), 500); /* half of what arrives goes out again */
    p = (struct tcp_prr){ .delivered = 4000, .out = 2000, .flight = 10000 };
    CHECK_EQ(tcp_prr_quota(&p, 8000, 5000, 1000, 1000), 0);
    p = (struct tcp_prr){ .delivered = 6000, .out = 1000, .flight = 10000 };
    CHECK_EQ(tcp_prr_quota(&p, 2000, 5000, 1000, 1000), 3000); /* heavy loss: up to ssthresh */
    p = (struct tcp_prr){ .delivered = 1000, .out = 1000, .flight = 10000 };
    CHECK_EQ(tcp_prr_quota(&p, 1000, 5000, 1000, 1000), 2000); /* as slow start: what arrived, and one more */
}

TEST(a_time_out_sends_what_is_not_reported) /* RFC 6675 5.1; checklist 102 */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_early_retrans", "0"), 0);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_recovery", "0"), 0);
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    tap_flush(s.tap);
    SACKS(&s, first, first, { 1, 2 });
    tap_flush(s.tap);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first); /* the time-out */
    CHECK_EQ(tp->recovery, TCP_LOSS);
    tp->frto = TCP_FRTO_OFF; /* which would try new text first */
    peer_sacks(&s, first + 2 * MSS, first, NULL, 0);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + 2 * MSS); /* the second was there */
    script_end(&s);
}

TEST(a_peer_that_forgets_what_it_had_gets_it_again) /* RFC 2018 8; checklist 102 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    SACKS(&s, first, first, { 1, 4 });
    CHECK_EQ(tp->board.sacked, 3 * MSS);
    uint64_t delivered = tp->rate.delivered;
    tap_flush(s.tap);
    peer_sacks(&s, first + MSS, first, NULL, 0); /* the hole is filled, but what lay behind it has gone */
    CHECK_EQ(tp->board.sacked, 0);
    CHECK_EQ(tp->rate.delivered, delivered + MSS); /* it did arrive once */
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + MSS);
    script_end(&s);
}

TEST(a_report_of_what_was_never_sent_is_refused) /* RFC 5961's spirit; checklist 102 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    SACKS(&s, first, first, { 9, 40 });
    SACKS(&s, first, first, { 5, 2 });
    SACKS(&s, first, first, { 2000000, 2000001 });
    CHECK_EQ(tp->board.sacked, 0);
    CHECK_EQ(tp->recovery, TCP_OPEN);
    script_end(&s);
}

TEST(one_report_is_enough_after_a_while) /* RFC 8985 6.2 step 5 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    tap_flush(s.tap);
    SACKS(&s, first, first, { 1, 2 });
    CHECK_EQ(host_sends(&s, ACK).payload_len, MSS); /* new text */
    uint64_t now = time_now();
    struct packet p = host_sends_any(&s, ACK);
    CHECK_EQ(p.seq, first);
    CHECK(p.time - now >= ms(2) && p.time - now <= ms(3)); /* a quarter of the round trip */
    script_end(&s);
}

TEST(the_loss_of_a_tail_is_probed) /* RFC 8985 7.3, 7.4 */
{
    struct script s = script_begin();
    open_with_sack(&s);
    CHECK_EQ(vk_send(s.sk, zeroes, MSS, 0), MSS);
    host_sends(&s, PSH | ACK);
    sim_run_for(ROUND_TRIP);
    peer_sends(&s, ACK, NULL, 0);
    uint32_t first = s.rcv;
    uint64_t now = time_now();
    CHECK_EQ(vk_send(s.sk, zeroes, 3 * MSS, 0), 3 * MSS);
    host_sends(&s, ACK);
    host_sends(&s, ACK);
    host_sends(&s, PSH | ACK);
    struct packet p = host_sends_any(&s, PSH | ACK); /* all are lost; the last one goes again */
    CHECK_EQ(p.seq, first + 2 * MSS);
    CHECK(p.time - now >= 2 * ROUND_TRIP && p.time - now < 3 * ROUND_TRIP);
    sim_run_for(ROUND_TRIP);
    SACKS(&s, first, first, { 2, 3 });
    CHECK_EQ(host_sends_any(&s, ACK).seq, first);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + MSS);
    CHECK_EQ(tcp_sk(s.sk)->recovery, TCP_FAST_RECOVERY);
    script_end(&s);
}

TEST(a_probe_that_repairs_a_loss_costs_a_reduction) /* RFC 8985 7.4.2 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    for (uint32_t i = 1; i <= 50; i++)
        peer_sacks(&s, first + i * MSS, first, NULL, 0);
    CHECK_EQ(tp->snd_una, tp->snd_nxt);
    tap_flush(s.tap);
    uint32_t cwnd = tp->cwnd;
    CHECK_EQ(vk_send(s.sk, zeroes, 2 * MSS, 0), 2 * MSS);
    sim_run_for(ms(30));
    CHECK(tp->tlp.out && tp->tlp.again);
    tap_flush(s.tap);
    CHECK_EQ(vk_send(s.sk, zeroes, MSS, 0), MSS); /* so that an ACK can lie beyond the probe */
    peer_sacks(&s, tp->snd_nxt, first, NULL, 0);
    CHECK(!tp->tlp.out);
    CHECK(tp->ssthresh < cwnd && tp->cwnd <= tp->ssthresh);
    script_end(&s);
}

TEST(duplicates_told_of_undo_a_recovery) /* RFC 3708 */
{
    struct script s = script_begin();
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    uint32_t cwnd = tp->cwnd;
    SACKS(&s, first, first, { 1, 6 });
    CHECK_EQ(tp->recovery, TCP_FAST_RECOVERY);
    CHECK(tp->ssthresh < cwnd);
    peer_sacks(&s, first + 10 * MSS, first, NULL, 0); /* it was only late */
    SACKS(&s, first + 10 * MSS, first, { 0, 1 });     /* and came twice */
    CHECK_EQ(tp->recovery, TCP_OPEN);
    CHECK(tp->cwnd >= cwnd);
    CHECK(tp->ssthresh > 1u << 20);
    script_end(&s);
}

TEST(a_needless_time_out_is_undone) /* RFC 5682 3.1 */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_early_retrans", "0"), 0);
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    tap_flush(s.tap);
    uint32_t cwnd = tp->cwnd;
    CHECK_EQ(host_sends_any(&s, ACK).seq, first); /* the time-out */
    CHECK_EQ(tp->cwnd, MSS);
    uint32_t sent = tp->snd_nxt;
    peer_sacks(&s, first + MSS, first, NULL, 0);
    CHECK_EQ(host_sends_any(&s, ACK).seq, sent); /* new text first */
    host_sends_any(&s, ACK);
    peer_sacks(&s, first + 2 * MSS, first, NULL, 0); /* the second had arrived: nothing was lost */
    CHECK_EQ(tp->recovery, TCP_OPEN);
    CHECK(tp->cwnd >= cwnd);
    CHECK_EQ(tp->board.lost, 0);
    script_end(&s);
}

TEST(a_time_out_that_was_right_goes_on_as_before) /* RFC 5682 3.1 step 2 a, 3 a */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_early_retrans", "0"), 0);
    uint32_t first = in_flight(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    tap_flush(s.tap);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first);
    peer_sacks(&s, first + MSS, first, NULL, 0);
    host_sends_any(&s, ACK);
    host_sends_any(&s, ACK);
    peer_sacks(&s, first + MSS, first, NULL, 0); /* no news of the rest */
    CHECK_EQ(tp->recovery, TCP_LOSS);
    CHECK_EQ(host_sends_any(&s, ACK).seq, first + MSS);
    script_end(&s);
}
