/* net/tcp/tcp_blind_test.c - an attacker who knows addresses and ports but no number: RFC 5961; checklist 55,
 * 60-62. Each test plays many attacks, each by other chances. The same over the wire: grade/test_blind.py. */
#include "net/tcp/tcp_script_test.h"

enum { ATTACKS = 100, SHOTS = 300 };

/* A number near the one that counts, or anywhere, but not that one. */
static uint32_t aim(uint32_t at)
{
    uint32_t number;
    do
        number = sim_random() % 2 ? (uint32_t)sim_random() : at + (uint32_t)sim_random() % 140000 - 70000;
    while (number == at);
    return number;
}

/* Is the connection as it was, and does text go both ways? */
static void check_unharmed(struct script *s)
{
    char text[16];
    CHECK_EQ(script_state(s), TCPS_ESTABLISHED);
    tap_flush(s->tap);
    sim_run_for(sec(1));
    tap_flush(s->tap);
    peer_sends(s, PSH | ACK, "true", 4);
    CHECK_EQ(vk_recv(s->sk, text, sizeof text, MSG_DONTWAIT), 4);
    CHECK(memcmp(text, "true", 4) == 0);
    tap_flush(s->tap);
    CHECK_EQ(vk_send(s->sk, "yes", 3, 0), 3);
    struct packet p;
    EXPECT_TCP(s->tap, &p, PSH | ACK);
    CHECK_EQ(p.seq, s->rcv);
    s->rcv += 3;
    peer_sends(s, ACK, NULL, 0);
}

/* Play shot against connections; none sends more than RFC 5961 7's limit of answers at once. */
static void attack(void (*shot)(struct script *s))
{
    struct script s = script_begin();
    script_accept(&s);
    uint64_t *answers = &s.vk->net->tcp->counters[TCP_COUNT_segments_out];
    for (int i = 0; i < ATTACKS; i++) {
        uint64_t before = *answers;
        for (int k = 0; k < SHOTS; k++)
            shot(&s);
        CHECK(*answers - before <= (uint64_t)s.vk->net->tcp->challenge_ack_limit);
        check_unharmed(&s);
    }
    script_end(&s);
}

static void blind_reset(struct script *s)
{
    peer_sends_at(s, sim_random() % 2 ? RST : RST | ACK, aim(s->snd), (uint32_t)sim_random(), NULL, 0);
}
TEST(blind_resets_achieve_nothing) /* RFC 5961 3.2; checklist 60, 62 */
{
    attack(blind_reset);
}

static void blind_syn(struct script *s)
{
    peer_sends_at(s, SYN, sim_random() % 4 ? aim(s->snd) : s->snd, 0, NULL, 0);
}
TEST(blind_syns_achieve_nothing_even_at_the_exact_number) /* RFC 5961 4.2; checklist 61, 62 */
{
    attack(blind_syn);
}

/* Text whose place is right, but whose ACK is from beyond what a peer with our window could say. */
static void blind_text(struct script *s)
{
    uint32_t ack = (uint32_t)sim_random();
    if (s->rcv - ack <= PEER_WINDOW)
        ack = s->rcv + 1 + (uint32_t)sim_random() % (1u << 30);
    peer_sends_at(s, PSH | ACK, s->snd, ack, "false", 5);
}
TEST(blind_text_achieves_nothing) /* RFC 5961 5.2; checklist 55 */
{
    attack(blind_text);
}
