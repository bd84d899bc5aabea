/* net/tcp/tcp_stream_test.c - the stream of tcp_stream_test.h. */
#include "net/tcp/tcp_stream_test.h"

enum { PORT = 80, CHUNK = 65536 };

void stream_create(struct stream *s, uint64_t bits_per_second, uint64_t round_trip)
{
    *s = (struct stream){ .pair = vpair_create(NULL) };
    s->pair.wire->bits_per_second = bits_per_second;
    s->pair.wire->delay = round_trip / 2;
    s->listener = vk_socket(s->pair.b, SOCK_STREAM);
    s->sk = vk_socket(s->pair.a, SOCK_STREAM);
    CHECK_EQ(vk_bind(s->listener, NULL, PORT), 0);
    CHECK_EQ(vk_listen(s->listener, 1), 0);
}

static void receive_all(void *arg)
{
    static uint8_t data[CHUNK];
    struct stream *s = arg;
    struct sock *sk = vk_accept(s->listener, NULL);
    for (ssize_t n; (n = vk_recv(sk, data, sizeof data, 0)) > 0;)
        s->received += (uint64_t)n;
    vk_close(sk);
}

static void send_all(void *arg)
{
    static const uint8_t zeroes[CHUNK];
    struct stream *s = arg;
    for (uint64_t sent = 0; sent < s->bytes;) {
        ssize_t n = vk_send(s->sk, zeroes, (size_t)MIN(s->bytes - sent, (uint64_t)CHUNK), 0);
        CHECK(n > 0);
        sent += (uint64_t)n;
        if (s->pause)
            sim_sleep(s->pause);
    }
    CHECK_EQ(sock_shutdown(s->sk, SHUT_WR), 0);
}

void stream_begin(struct stream *s, uint64_t bytes)
{
    s->bytes = bytes;
    sim_spawn("receiver", receive_all, s);
    CHECK_EQ(vk_connect(s->sk, "10.0.0.2", PORT), 0);
    sim_spawn("sender", send_all, s);
}

uint64_t stream_rate(struct stream *s, uint64_t duration)
{
    uint64_t before = s->received;
    sim_run_for(duration);
    return (s->received - before) * sec(1) / duration;
}

void stream_end(struct stream *s)
{
    sim_join(sec(3600));
    CHECK_EQ(s->received, s->bytes);
    vk_close(s->sk);
    vk_close(s->listener);
    vpair_destroy(&s->pair);
}
