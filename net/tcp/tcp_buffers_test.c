/* net/tcp/tcp_buffers_test.c - buffers grow with the path. */
#include "net/tcp/tcp_script_test.h"
#include "net/tcp/tcp_stream_test.h"

enum { BYTES = 4000000 };

struct receiver {
    struct sock *listener;
    uint32_t rcvbuf;
    uint64_t pause; /* of virtual time behind every read */
};

static void receive_all(void *arg)
{
    static uint8_t data[20000];
    struct receiver *r = arg;
    struct sock *sk = vk_accept(r->listener, NULL);
    size_t got = 0;
    for (ssize_t n; got < BYTES && (n = vk_recv(sk, data, sizeof data, 0)) > 0; got += (size_t)n)
        sim_sleep(r->pause);
    CHECK_EQ(got, BYTES);
    r->rcvbuf = sk->rcvbuf;
    CHECK_EQ(vk_send(sk, "k", 1, 0), 1);
    vk_close(sk);
}

struct outcome {
    uint64_t took;
    uint32_t rcvbuf, sndbuf;
};

/* BYTES over a path with that round trip; buffers set by the user to so many bytes, 0: not. */
static struct outcome transfer(uint64_t round_trip, uint64_t pause, int set)
{
    static uint8_t data[BYTES];
    struct vpair w = vpair_create(NULL);
    struct receiver r = { .listener = vk_socket(w.b, SOCK_STREAM), .pause = pause };
    struct sock *sk = vk_socket(w.a, SOCK_STREAM);
    char ok;
    if (set) {
        CHECK_EQ(vk_setsockopt_int(r.listener, SOL_SOCKET, SO_RCVBUF, set), 0);
        CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUF, set), 0);
    }
    CHECK_EQ(vk_bind(r.listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(r.listener, 1), 0);
    w.wire->delay = round_trip / 2;
    sim_spawn("receiver", receive_all, &r);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", HOST_PORT), 0);
    uint64_t began = time_now();
    CHECK_EQ(vk_send_all(sk, data, sizeof data), sizeof data);
    CHECK_EQ(vk_recv(sk, &ok, 1, 0), 1);
    struct outcome o = { time_now() - began, r.rcvbuf, sk->sndbuf };
    vk_close(sk);
    vk_close(r.listener);
    vpair_destroy(&w);
    return o;
}

TEST(buffers_grow_with_the_path)
{
    struct outcome o = transfer(ms(100), 0, 0);
    CHECK(o.rcvbuf > 4 * SOCK_BUF_DEFAULT && o.sndbuf > 4 * SOCK_BUF_DEFAULT);
    CHECK(o.took < sec(2)); /* 106 KB a round trip would take four */
}

TEST(buffers_of_a_short_path_stay)
{
    struct outcome o = transfer(us(20), 0, 0);
    CHECK(o.rcvbuf <= 2 * SOCK_BUF_DEFAULT);
}

TEST(buffers_that_the_user_has_set_stay) /* socket(7), SO_RCVBUF */
{
    struct outcome o = transfer(ms(20), 0, 30000);
    CHECK_EQ(o.rcvbuf, 60000);
    CHECK_EQ(o.sndbuf, 60000);
}

TEST(a_buffer_that_is_not_read_does_not_grow)
{
    struct outcome o = transfer(ms(20), ms(20), 0); /* 1 MB a second */
    CHECK(o.rcvbuf <= 2 * SOCK_BUF_DEFAULT);
}

/* ---- a stream over a long fat line ---- */

/* The line is full after so many round trips, and until then it is the congestion window, never the peer's or
 * the send buffer, that holds the sender back; nor does the window's edge move left. */
static void fills_the_line(uint64_t bits_per_second, uint64_t round_trip, int most)
{
    const uint64_t bytes_per_trip = bits_per_second / 8 * round_trip / sec(1);
    struct stream s;
    stream_create(&s, bits_per_second, round_trip);
    stream_begin(&s, 8 * bytes_per_trip);
    const struct tcp_sock *tp = stream_tcp(&s);
    uint32_t edge = tp->snd_una + tp->snd_wnd;
    for (int trip = 0; stream_rate(&s, round_trip) * 8 < bits_per_second * 9 / 10; trip++) {
        CHECK(trip < most);
        CHECK(tp->snd_nxt - tp->snd_una + tp->mss < tp->snd_wnd || tp->snd_wnd > bytes_per_trip);
        CHECK(tp->snd_nxt - tp->snd_una + 2 * tp->mss > tp->cwnd || tp->cwnd > bytes_per_trip);
        CHECK(!seq_before(tp->snd_una + tp->snd_wnd, edge)); /* RFC 7323 2.4 */
        edge = tp->snd_una + tp->snd_wnd;
    }
    stream_end(&s);
}

TEST(a_short_line_is_filled_by_tuned_buffers)
{
    fills_the_line(100000000, ms(10), 9);
}
TEST(a_fast_line_is_filled_by_tuned_buffers)
{
    fills_the_line(1000000000, ms(10), 14);
}
TEST(a_long_line_is_filled_by_tuned_buffers)
{
    fills_the_line(100000000, ms(100), 14);
}
TEST(a_line_by_satellite_is_filled_by_tuned_buffers)
{
    fills_the_line(40000000, ms(500), 16);
}

/* The window's right edge, as an observer of b's ACKs sees it. */
struct edge {
    uint32_t right, moves;
    bool known, retreated;
};

static bool watch_edge(void *arg, const uint8_t *frame, size_t n)
{
    struct edge *e = arg;
    const uint8_t *ip = frame + FRAME_HEADER, *tcp = ip + 20;
    if (n < FRAME_HEADER + 40 || ip[9] != 6 || ip[15] != 2 || (tcp[13] & SYN)) /* what 10.0.0.2 sends */
        return true;
    uint32_t ack = (uint32_t)tcp[8] << 24 | (uint32_t)tcp[9] << 16 | (uint32_t)tcp[10] << 8 | tcp[11];
    uint32_t right = ack + (((uint32_t)tcp[14] << 8 | tcp[15]) << tcp_window_shift());
    e->retreated |= e->known && seq_before(right, e->right);
    e->moves += e->known && right != e->right;
    e->right = right;
    e->known = true;
    return true;
}

TEST(the_edge_of_a_window_never_moves_left) /* RFC 9293 3.8.6, SHLD-14; RFC 7323 2.4 */
{
    struct edge e = { 0 };
    struct stream s;
    stream_create(&s, 100000000, ms(10));
    s.pair.wire->filter = watch_edge;
    s.pair.wire->filter_arg = &e;
    stream_begin(&s, 6000000);
    for (int i = 0; i < 20; i++) { /* memory becomes short, and is there again */
        CHECK_EQ(net_sysctl_set(s.pair.b->net, "net/ipv4/tcp_mem", i % 2 ? "6144 8192 12288" : "1 2 300"), 0);
        sim_run_for(ms(20));
    }
    stream_end(&s);
    CHECK(e.moves > 100);
    CHECK(!e.retreated);
}
