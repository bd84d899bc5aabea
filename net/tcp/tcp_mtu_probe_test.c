/* net/tcp/tcp_mtu_probe_test.c - a path that swallows large packets and says nothing: RFC 4821. */
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp_script_test.h"

/* Two hosts, one connection from a to b, and a path between them that lets packets of mtu bytes through. */
struct path {
    struct vpair w;
    struct sock *listener, *from, *to;
    size_t mtu;
    size_t sent, got;
};

static bool passes(void *arg, const uint8_t *frame, size_t n)
{
    const struct path *p = arg;
    (void)frame;
    return n <= p->mtu + FRAME_HEADER; /* padding is for frames far smaller */
}

static void connect_again(struct path *p)
{
    if (p->from) {
        vk_close(p->from);
        vk_close(p->to);
    }
    p->from = vk_socket(p->w.a, SOCK_STREAM);
    CHECK_EQ(vk_connect(p->from, "10.0.0.2", HOST_PORT), 0);
    p->to = vk_accept(p->listener, NULL);
    CHECK(p->to);
    p->sent = p->got = 0;
}

static void path_begin(struct path *p, const char *probing, size_t mtu)
{
    *p = (struct path){ .w = vpair_create(NULL), .mtu = mtu };
    p->w.wire->filter = passes;
    p->w.wire->filter_arg = p;
    CHECK_EQ(net_sysctl_set(p->w.a->net, "net/ipv4/tcp_mtu_probing", probing), 0);
    sim_run_for(ms(1)); /* at time 0 a SYN counts as not noted */
    p->listener = vk_socket(p->w.b, SOCK_STREAM);
    CHECK_EQ(vk_bind(p->listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(p->listener, 1), 0);
    connect_again(p);
}

static void path_end(struct path *p)
{
    vk_close(p->from);
    vk_close(p->to);
    vk_close(p->listener);
    sim_run_for(sec(1000));
    vpair_destroy(&p->w);
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 13 + i / 509);
}

/* Send n bytes more, and let them arrive. Virtual time it took; the test fails after `patience`. */
static uint64_t transfer(struct path *p, size_t n, uint64_t patience)
{
    static uint8_t data[20000], got[20000];
    const uint64_t began = time_now();
    const size_t end = p->sent + n;
    while (p->got < end) {
        size_t more = MIN(sizeof data, end - p->sent);
        for (size_t i = 0; i < more; i++)
            data[i] = byte_at(p->sent + i);
        ssize_t out = more ? vk_send(p->from, data, more, MSG_DONTWAIT) : -EAGAIN;
        p->sent += out > 0 ? (size_t)out : 0;
        ssize_t in = vk_recv(p->to, got, sizeof got, MSG_DONTWAIT);
        for (ssize_t i = 0; i < in; i++)
            CHECK_EQ(got[i], byte_at(p->got + (size_t)i));
        p->got += in > 0 ? (size_t)in : 0;
        CHECK(time_now() - began < patience);
        if (out <= 0 && in <= 0)
            sim_run_for(us(500));
    }
    return time_now() - began;
}

static struct tcp_sock *sender(const struct path *p)
{
    return tcp_sk(p->from);
}
static uint64_t counted(const struct path *p, enum tcp_counter c)
{
    return p->w.a->net->tcp->counters[c];
}
/* The largest text in packets of mtu bytes, with timestamps. */
static uint32_t text_in(uint32_t mtu)
{
    return mtu - 52;
}

TEST(a_black_hole_is_found_and_left_behind) /* RFC 4821 7.7; RFC 2923 2.1 */
{
    struct path p;
    path_begin(&p, "1", 1300);
    CHECK(transfer(&p, 400000, sec(10)) < sec(4)); /* three time-outs; without: it ends never */
    CHECK_EQ(counted(&p, TCP_COUNT_mtu_black_holes), 1);
    CHECK(sender(&p)->mss <= text_in(1300) && sender(&p)->mss > text_in(1300) - 8);
    CHECK(transfer(&p, 400000, sec(1)) > 0);
    path_end(&p);
}

TEST(without_probing_a_black_hole_stays_one)
{
    struct path p;
    path_begin(&p, "0", 1300);
    CHECK(vk_send(p.from, &(const uint8_t[3000]){ 1 }, 3000, 0) == 3000);
    sim_run_for(sec(60));
    CHECK_EQ(sender(&p)->snd_una, sender(&p)->iss + 1);
    CHECK_EQ(sender(&p)->mss, text_in(1500));
    path_end(&p);
}

TEST(a_narrow_black_hole_is_found_in_more_steps) /* RFC 4821 7.7 */
{
    struct path p;
    path_begin(&p, "1", 300);
    transfer(&p, 400000, sec(60));
    CHECK(sender(&p)->mss <= text_in(300) && sender(&p)->mss > text_in(300) - 8);
    path_end(&p);
}

TEST(what_was_found_is_known_to_the_next_connection) /* RFC 4821 5.2 */
{
    struct path p;
    path_begin(&p, "1", 1300);
    transfer(&p, 400000, sec(10));
    connect_again(&p);
    CHECK(sender(&p)->mss <= text_in(1300) && sender(&p)->mss > text_in(1300) - 8);
    CHECK(transfer(&p, 100000, sec(1)) > 0);
    CHECK_EQ(counted(&p, TCP_COUNT_mtu_black_holes), 1);
    path_end(&p);
}

TEST(a_search_from_below_reaches_what_the_link_has) /* RFC 4821 7.3 */
{
    struct path p;
    path_begin(&p, "2", 1500);
    CHECK_EQ(sender(&p)->mss, 1024 - 12);
    transfer(&p, 200000, sec(1));
    CHECK_EQ(sender(&p)->mss, text_in(1500));
    CHECK_EQ(counted(&p, TCP_COUNT_mtu_probes), 1); /* the largest is tried first */
    CHECK_EQ(counted(&p, TCP_COUNT_segments_retransmitted), 0);
    path_end(&p);
}

TEST(the_loss_of_a_probe_is_no_congestion) /* RFC 4821 3, 7.6.2 */
{
    struct path p;
    path_begin(&p, "2", 1300);
    transfer(&p, 1000000, sec(2));
    CHECK(sender(&p)->mss <= text_in(1300) && sender(&p)->mss > text_in(1300) - 8);
    CHECK(counted(&p, TCP_COUNT_mtu_probes) >= 5);
    CHECK(counted(&p, TCP_COUNT_mtu_probes) > counted(&p, TCP_COUNT_mtu_probes_passed));
    CHECK(counted(&p, TCP_COUNT_segments_retransmitted) > 0);
    CHECK_EQ(counted(&p, TCP_COUNT_sack_recoveries), 0);
    CHECK_EQ(counted(&p, TCP_COUNT_timeouts), 0);
    CHECK_EQ(sender(&p)->ssthresh, TCP_CWND_MAX);
    path_end(&p);
}

TEST(a_path_that_became_better_is_noticed) /* RFC 4821 7.2 */
{
    struct path p;
    path_begin(&p, "2", 1300);
    transfer(&p, 1000000, sec(2));
    p.mtu = 1500;
    transfer(&p, 100000, sec(2));
    CHECK(sender(&p)->mss <= text_in(1300));
    sim_run_for(sec(601));
    transfer(&p, 1000000, sec(2));
    CHECK_EQ(sender(&p)->mss, text_in(1500));
    path_end(&p);
}

TEST(a_path_that_lets_nothing_small_pass_either_is_no_black_hole)
{
    struct path p;
    path_begin(&p, "1", 1500);
    transfer(&p, 100000, sec(1));
    sim_run_for(ms(100)); /* all is acknowledged */
    p.mtu = 0;
    vk_send(p.from, &(const uint8_t[]){ byte_at(p.sent) }, 1, 0);
    p.sent++;
    sim_run_for(sec(20));
    CHECK_EQ(sender(&p)->mss, text_in(1500)); /* not even a small one passes */
    p.mtu = 1500;
    transfer(&p, 100000, sec(60));
    path_end(&p);
}

TEST(segments_grow_again_after_an_outage)
{
    struct path p;
    path_begin(&p, "1", 1500);
    transfer(&p, 100000, sec(1));
    uint8_t data[4000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = byte_at(p.sent + i);
    p.mtu = 0;
    CHECK_EQ(vk_send(p.from, data, sizeof data, 0), sizeof data);
    p.sent += sizeof data;
    sim_run_for(sec(10));
    CHECK(sender(&p)->mss < 1024);
    p.mtu = 1500;
    transfer(&p, 400000, sec(60));
    CHECK_EQ(sender(&p)->mss, text_in(1500));
    CHECK(sender(&p)->dst->mtu == 1500); /* and nobody was told otherwise */
    path_end(&p);
}

TEST(probes_among_losses_harm_nothing) /* what arrives is what was sent, whatever is lost */
{
    for (int i = 0; i < 10; i++) {
        struct path p;
        path_begin(&p, i % 2 ? "2" : "1", 1100 + (size_t)(sim_random() % 400));
        p.w.wire->loss = 5000u * (uint32_t)(i % 5);
        p.w.wire->reorder = 10000;
        p.w.wire->reorder_delay = ms(2);
        transfer(&p, 300000, sec(300));
        CHECK(sender(&p)->mss <= text_in((uint32_t)p.mtu));
        p.w.wire->loss = 0;
        path_end(&p);
    }
}
