/* net/tcp/tcp_buffers_test.c - buffers grow with the path. */
#include "net/tcp/tcp_script_test.h"

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
