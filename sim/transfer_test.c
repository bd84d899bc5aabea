/* sim/transfer_test.c - TCP from socket to socket between two virtual kernels, over wires that lose, double,
 * reorder and corrupt; and the promise that all of it repeats with the seed. */
#include "net/core/net_namespace.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <errno.h>

enum { CHUNK = 4000 };

/* One transfer from a client task to a server task; the server reads to the end of the stream. */
struct transfer {
    struct vpair pair;
    size_t size, received;
    uint16_t port;
    struct sock *listener;
    bool intact, sent;
};

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7);
}

static void serve(void *arg)
{
    struct transfer *t = arg;
    struct sock *sk = vk_accept(t->listener, NULL);
    uint8_t data[CHUNK];
    ssize_t n;

    CHECK(sk);
    t->intact = true;
    while ((n = vk_recv(sk, data, sizeof data, 0)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            t->intact &= data[i] == pattern(t->received + (size_t)i);
        t->received += (size_t)n;
    }
    CHECK_EQ(n, 0);
    vk_close(sk);
}

static void request(void *arg)
{
    struct transfer *t = arg;
    struct sock *sk = vk_socket(t->pair.a, SOCK_STREAM);
    uint8_t data[CHUNK];

    CHECK_EQ(vk_connect(sk, "10.0.0.2", t->port), 0);
    for (size_t done = 0; done < t->size;) {
        size_t n = MIN(t->size - done, sizeof data);
        for (size_t i = 0; i < n; i++)
            data[i] = pattern(done + i);
        CHECK_EQ(vk_send_all(sk, data, n), n);
        done += n;
    }
    CHECK_EQ(sock_shutdown(sk, SHUT_WR), 0);
    CHECK_EQ(vk_recv(sk, data, 1, 0), 0); /* the server closes when it has read all */
    t->sent = true;
    vk_close(sk);
}

static void transfer_start(struct transfer *t, uint16_t port, size_t size)
{
    t->size = size;
    t->port = port;
    t->listener = vk_socket(t->pair.b, SOCK_STREAM);
    CHECK_EQ(vk_bind(t->listener, NULL, port), 0);
    CHECK_EQ(vk_listen(t->listener, 5), 0);
    sim_spawn("server", serve, t);
    sim_spawn("client", request, t);
}

static void transfer_end(struct transfer *t)
{
    CHECK(t->sent && t->intact);
    CHECK_EQ(t->received, t->size);
    vk_close(t->listener);
}

/* Chances in a million that a frame is lost; and as many each for the other faults. The virtual time it took.
 */
static uint64_t run_transfer(size_t size, uint32_t loss, uint32_t other_faults)
{
    struct transfer t = { .pair = vpair_create(NULL) };
    uint64_t began = time_now();

    t.pair.wire->loss = loss;
    t.pair.wire->duplicate = t.pair.wire->reorder = t.pair.wire->corrupt = other_faults;
    transfer_start(&t, 80, size);
    sim_join(sec(3600));
    transfer_end(&t);
    vpair_destroy(&t.pair);
    return time_now() - began;
}

TEST(tcp_connects_transfers_and_closes)
{
    CHECK(run_transfer(1000000, 0, 0) < sec(2)); /* 100 Mbit/s */
}

TEST(tcp_fills_small_rings)
{
    static const struct vnic_config small = { .rx_ring = 4, .tx_ring = 4 };
    struct transfer t = { .pair = vpair_create(&small) };

    transfer_start(&t, 80, 500000);
    sim_join(sec(60));
    transfer_end(&t);
    CHECK(t.pair.a->nic->tx.stops > 0);
    vpair_destroy(&t.pair);
}

TEST(tcp_leaves_its_checksums_to_a_card_that_can)
{
    static const struct vnic_config sums = { .features = NETIF_F_HW_CSUM | NETIF_F_RXCSUM };
    struct transfer t = { .pair = vpair_create(&sums) };

    t.pair.wire->corrupt = 20000;
    transfer_start(&t, 80, 200000);
    sim_join(sec(3600));
    transfer_end(&t);
    vpair_destroy(&t.pair);
}

TEST(tcp_transfers_nothing_and_one_byte)
{
    run_transfer(0, 0, 0);
    run_transfer(1, 0, 0);
}

TEST(tcp_survives_loss)
{
    run_transfer(300000, 10000, 0);
    run_transfer(100000, 100000, 0);
    run_transfer(20000, 300000, 0);
}

TEST(tcp_survives_duplication_reordering_and_corruption)
{
    run_transfer(200000, 0, 50000);
    run_transfer(50000, 50000, 50000);
}

TEST(tcp_survives_a_bit_flipped_in_every_tenth_frame)
{
    struct transfer t = { .pair = vpair_create(NULL) };

    t.pair.wire->corrupt = 100000;
    transfer_start(&t, 80, 100000);
    sim_join(sec(3600));
    transfer_end(&t);
    CHECK(t.pair.a->net->drops[SKB_DROP_TCP_CSUM] + t.pair.b->net->drops[SKB_DROP_TCP_CSUM] > 0);
    vpair_destroy(&t.pair);
}

TEST(tcp_refuses_where_nobody_listens) // RFC 9293 3.10.7.1
{
    struct vpair w = vpair_create(NULL);
    struct sock *sk = vk_socket(w.a, SOCK_STREAM);

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 81), -ECONNREFUSED);
    vk_close(sk);
    vpair_destroy(&w);
}

TEST(nothing_lives_on_after_a_connection)
{
    struct transfer t = { .pair = vpair_create(NULL) };

    transfer_start(&t, 80, 50000);
    sim_join(sec(3600));
    transfer_end(&t);
    sim_run_for(sec(300)); /* TIME-WAIT is over */
    CHECK_EQ(vk_live_skbs(t.pair.a), 0);
    CHECK_EQ(vk_live_skbs(t.pair.b), 0);
    vpair_destroy(&t.pair);
}

TEST(tcp_sleepers_look_again_when_woken_for_no_reason)
{
    sim_spurious_wakeups(300000);
    run_transfer(100000, 10000, 0);
}

static uint64_t digest_of_transfer(uint64_t seed)
{
    sim_fini();
    sim_init(seed);
    run_transfer(50000, 50000, 20000);
    return sim_digest();
}

TEST(a_transfer_repeats_with_its_seed)
{
    uint64_t first = digest_of_transfer(11);

    CHECK(digest_of_transfer(11) == first);
    CHECK(digest_of_transfer(12) != first);
}

TEST(a_thousand_lossy_transfers)
{
    uint64_t base = sim_seed() * 1000000;

    for (unsigned i = 0; i < 1000; i++) {
        sim_fini();
        sim_init(base + i);
        run_transfer(20000, 50000, 10000);
    }
}

TEST(tcp_survives_allocations_that_fail)
{
    struct transfer t = { .pair = vpair_create(NULL) };

    transfer_start(&t, 80, 100000);
    sim_run_for(ms(5)); /* connected */
    sim_fail_allocs(20000);
    sim_join(sec(3600));
    sim_fail_allocs(0);
    transfer_end(&t);
    vpair_destroy(&t.pair);
}
