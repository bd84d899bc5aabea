/* net/tcp/tcp_scoreboard_test.c - the scoreboard's sums against its marks, all along transfers over a bad
 * wire; and that these transfers end, whatever is lost, late, twice or out of order. */
#include "net/tcp/tcp_script_test.h"

enum { BYTES = 300000 };

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 11 + i / 253);
}

struct receiver {
    struct sock *listener;
    bool done;
    int times; /* BYTES come so many times */
};
struct sender {
    struct sock *sk;
    int times;
};

static void receive_all(void *arg)
{
    static uint8_t data[BYTES];
    struct receiver *r = arg;
    struct sock *sk = vk_accept(r->listener, NULL);
    CHECK(sk);
    for (int n = 0; n < r->times; n++) {
        CHECK_EQ(vk_recv_all(sk, data, sizeof data), sizeof data);
        for (size_t i = 0; i < sizeof data; i++)
            CHECK_EQ(data[i], byte_at(i));
    }
    vk_close(sk);
    r->done = true;
}

static void send_all(void *arg)
{
    static uint8_t data[BYTES];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = byte_at(i);
    struct sender *s = arg;
    CHECK_EQ(vk_connect(s->sk, "10.0.0.2", HOST_PORT), 0);
    for (int n = 0; n < s->times; n++)
        CHECK_EQ(vk_send_all(s->sk, data, sizeof data), sizeof data);
}

static void check_sums(struct tcp_sock *tp)
{
    uint32_t sacked = 0, lost = tp->board.fin_lost, resent = 0, end = tp->snd_una;
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    for (; skb; skb = skb_queue_next(&tp->write_queue, skb)) {
        const struct tcp_skb_cb *cb = tcp_cb(skb);
        CHECK(seq_before_eq(end, cb->seq));
        CHECK(!(cb->sacked && cb->lost_now));
        sacked += cb->sacked ? skb->len : 0;
        lost += cb->lost_now ? skb->len : 0;
        resent += cb->resent && !cb->sacked;
        end = tcp_skb_end(skb);
    }
    CHECK_EQ(tp->board.sacked, sacked);
    CHECK_EQ(tp->board.lost, lost);
    CHECK_EQ(tp->board.resent, resent);
    CHECK(tcp_flight(tp) <= tp->snd_nxt - tp->snd_una);
}

/* Across w, whose queue and faults are set; sk is the sender's. */
static void transfer(struct vpair *w, struct sock *sk, int times)
{
    struct receiver r = { .listener = vk_socket(w->b, SOCK_STREAM), .times = times };
    struct sender s = { .sk = sk, .times = times };
    CHECK_EQ(vk_bind(r.listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(r.listener, 1), 0);
    sim_spawn("receiver", receive_all, &r);
    sim_spawn("sender", send_all, &s);
    for (int i = 0; i < 200000 && !r.done; i++) {
        sim_run_for(ms(5));
        check_sums(tcp_sk(sk));
    }
    CHECK(r.done);
    w->wire->loss = w->wire->reorder = w->wire->duplicate = 0;
    vk_close(sk);
    vk_close(r.listener);
}

static void bad_wire(uint64_t seed, uint32_t loss, uint32_t reorder, uint32_t duplicate, bool rack)
{
    sim_fini();
    sim_init(seed);
    struct vpair w = vpair_create(NULL);
    w.wire->delay = ms(5);
    w.wire->reorder_delay = ms(3);
    CHECK_EQ(net_sysctl_set(w.a->net, "net/ipv4/tcp_recovery", rack ? "1" : "0"), 0);
    sim_run_for(ms(20));
    w.wire->loss = loss;
    w.wire->reorder = reorder;
    w.wire->duplicate = duplicate;
    transfer(&w, vk_socket(w.a, SOCK_STREAM), 1);
    vpair_destroy(&w);
}

TEST(the_sums_are_those_of_the_marks_whatever_happens) /* RFC 6675 3; checklist 102 */
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        for (int rack = 0; rack <= 1; rack++) {
            bad_wire(seed, 30000, 0, 0, rack);
            bad_wire(seed, 0, 100000, 50000, rack);
            bad_wire(seed, 50000, 50000, 50000, rack);
        }
        bad_wire(seed, 200000, 0, 0, true);
    }
}

/* A line that keeps the order: whatever is sent again had been lost, recovery upon recovery. */
TEST(nothing_is_taken_back_where_all_was_lost) /* RFC 3522 3.2, RFC 3708 */
{
    struct vpair w = vpair_create(NULL);
    CHECK_EQ(net_sysctl_set(w.a->net, "net/ipv4/tcp_wmem", "4096 2000000"), 0);
    CHECK_EQ(net_sysctl_set(w.b->net, "net/ipv4/tcp_rmem", "4096 2000000"), 0);
    struct sock *sk = vk_socket(w.a, SOCK_STREAM);
    CHECK_EQ(sock_setsockopt(sk, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5), 0);
    sim_run_for(ms(20));
    w.wire->bits_per_second = 20000000;
    w.wire->delay = ms(20);
    w.wire->queue.limit = 70;
    transfer(&w, sk, 10);
    CHECK(w.a->net->tcp->counters[TCP_COUNT_sack_recoveries] >= 2);
    CHECK_EQ(w.a->net->tcp->counters[TCP_COUNT_undone], 0);
    CHECK_EQ(w.b->net->tcp->counters[TCP_COUNT_dsacks_out], 0);
    vpair_destroy(&w);
}

/* A FIN has no buffer that could take its mark along. */
TEST(what_was_lost_is_forgotten_when_it_arrives_with_the_fin) /* RFC 6675 3 */
{
    struct script s = script_begin();
    script_accept(&s);
    static const uint8_t text[2000];
    CHECK_EQ(vk_send(s.sk, text, sizeof text, 0), sizeof text); /* the FIN goes with the second segment */
    CHECK_EQ(sock_shutdown(s.sk, SHUT_WR), 0);
    sim_run_for(sec(3));
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK_EQ(tp->recovery, TCP_LOSS);
    CHECK(tp->board.fin_lost);
    s.rcv += sizeof text + 1;
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(s.sk->state, TCPS_FIN_WAIT_2);
    CHECK_EQ(tcp_flight(tp), 0);
    script_end(&s);
}

TEST(a_connection_that_has_ended_has_nothing_lost) /* its socket may connect again */
{
    static const uint8_t text[2000];
    struct script s = script_begin();
    script_connected(&s);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, 0), sizeof text);
    sim_run_for(sec(3));
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK(tp->board.lost);
    peer_sends(&s, RST | ACK, NULL, 0);
    CHECK_EQ(s.sk->state, TCPS_CLOSED);
    CHECK_EQ(tp->board.lost, 0);
    CHECK(!tp->board.first);
    script_end(&s);
}
