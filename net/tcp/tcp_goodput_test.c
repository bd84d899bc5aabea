/* net/tcp/tcp_goodput_test.c - how fast a transfer is under loss: 100 Mbit/s, a round trip of 1 ms, 500,000
 * bytes. The bounds are a few times what most seeds need: a recovery that only waits for time-outs, or a
 * round-trip time that mistakes a lost ACK for a slow one, breaks them. */
#include "net/tcp/tcp_script_test.h"

enum { BYTES = 500000 };

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void receive_all(void *arg)
{
    static uint8_t data[BYTES];
    struct sock *listener = arg, *sk = vk_accept(listener, NULL);
    CHECK(sk);
    CHECK_EQ(vk_recv_all(sk, data, sizeof data), sizeof data);
    for (size_t i = 0; i < sizeof data; i++)
        CHECK_EQ(data[i], byte_at(i));
    CHECK_EQ(vk_send(sk, "k", 1, 0), 1);
    vk_close(sk);
}

/* Virtual time from connect() until the receiver has said that it has all. */
static uint64_t transfer_over(struct vpair w, uint32_t loss_per_million)
{
    struct sock *listener = vk_socket(w.b, SOCK_STREAM), *sk = vk_socket(w.a, SOCK_STREAM);
    static uint8_t data[BYTES];
    char ok;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = byte_at(i);
    CHECK_EQ(vk_bind(listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(listener, 1), 0);
    sim_spawn("receiver", receive_all, listener);
    w.wire->loss = loss_per_million;
    uint64_t began = time_now();
    CHECK_EQ(vk_connect(sk, "10.0.0.2", HOST_PORT), 0);
    CHECK_EQ(vk_send_all(sk, data, sizeof data), sizeof data);
    CHECK_EQ(vk_recv(sk, &ok, 1, 0), 1);
    uint64_t took = time_now() - began;
    vk_close(sk);
    vk_close(listener);
    CHECK_EQ(w.a->net->drops[SKB_DROP_DEV_TX_FULL], 0);
    vpair_destroy(&w);
    return took;
}

static uint64_t transfer(uint32_t loss_per_million)
{
    return transfer_over(vpair_create(NULL), loss_per_million);
}

TEST(loss_slows_a_transfer_down_but_never_stops_it) /* checklist 92-101 */
{
    CHECK(transfer(0) < ms(60)); /* 40 ms is what the wire itself takes */
    CHECK(transfer(10000) < sec(2));
    CHECK(transfer(50000) < sec(8));
    CHECK(transfer(200000) < sec(600));
}

TEST(a_sender_does_not_overrun_the_queue_of_its_own_card)
{
    struct vpair w = vpair_create(NULL);
    w.a->nic->dev->tx_queue_len = 20;
    CHECK(transfer_over(w, 0) < ms(60));
}

static uint64_t digest_of(uint64_t seed)
{
    sim_fini();
    sim_init(seed);
    transfer(50000);
    return sim_digest();
}

TEST(the_same_seed_gives_the_same_segments)
{
    uint64_t first = digest_of(3);
    CHECK(digest_of(3) == first);
    CHECK(digest_of(4) != first);
}
