/* net/tcp/tcp_fail_alloc_test.c - memory that runs out in the middle of a transfer: it ends right all the
 * same, and nothing is left over (sim_fini() counts). The wire loses and reorders, so that SACK, RACK, the
 * out-of-order queue and retransmission allocate too; buffers are small, so that they are moved together; and
 * the path's MTU is searched for. */
#include "net/tcp/tcp_script_test.h"

enum { SMALL = 30000, LARGE = 400000 };

struct transfer {
    struct vpair w;
    struct sock *listener;
    size_t bytes, got;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void receive_all(void *arg)
{
    static uint8_t data[3000];
    struct transfer *t = arg;
    struct sock *sk = vk_accept(t->listener, NULL);
    ssize_t n;
    CHECK(sk);
    CHECK_EQ(vk_send(sk, "g", 1, 0), 1); /* go */
    while ((n = vk_recv(sk, data, sizeof data, 0)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            CHECK_EQ(data[i], byte_at(t->got + (size_t)i));
        t->got += (size_t)n;
        sim_sleep(us(100));
    }
    CHECK_EQ(n, 0);
    vk_close(sk);
}

/* ENOMEM is an answer, and then it may be asked again. */
static void send_all(struct sock *sk, size_t bytes)
{
    uint8_t data[2500];
    for (size_t sent = 0; sent < bytes;) {
        size_t more = MIN(sizeof data, bytes - sent);
        for (size_t i = 0; i < more; i++)
            data[i] = byte_at(sent + i);
        ssize_t n = vk_send(sk, data, more, 0);
        CHECK(n > 0 || n == -ENOMEM);
        sent += n > 0 ? (size_t)n : 0;
    }
}

/* A world, a transfer in it, and no trace of either. Memory fails as `fail` says, from when both ends are
 * open; how many allocations there were from then on. */
static uint64_t run(uint64_t seed, size_t bytes, void (*fail)(uint64_t), uint64_t argument)
{
    char go;
    sim_fini();
    sim_init(seed);
    struct transfer t = { .w = vpair_create(NULL), .bytes = bytes };
    CHECK_EQ(net_sysctl_set(t.w.a->net, "net/ipv4/tcp_mtu_probing", "2"), 0);
    CHECK_EQ(net_sysctl_set(t.w.b->net, "net/ipv4/tcp_rmem", "4096 20000 6291456"), 0);
    t.listener = vk_socket(t.w.b, SOCK_STREAM);
    struct sock *sk = vk_socket(t.w.a, SOCK_STREAM);
    CHECK_EQ(vk_bind(t.listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(t.listener, 1), 0);
    struct sim_task *receiver = sim_spawn("receiver", receive_all, &t);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", HOST_PORT), 0);
    CHECK_EQ(vk_recv(sk, &go, 1, 0), 1);
    t.w.wire->loss = 30000;
    t.w.wire->reorder = 50000;
    t.w.wire->reorder_delay = ms(1);
    uint64_t before = sim_alloc_count();
    fail(argument);
    send_all(sk, bytes);
    CHECK_EQ(sock_shutdown(sk, SHUT_WR), 0);
    while (!sim_task_done(receiver)) {
        CHECK(time_now() < sec(900));
        sim_run_for(ms(10));
    }
    uint64_t count = sim_alloc_count() - before;
    sim_fail_allocs(0);
    sim_fail_nth_alloc(0);
    CHECK_EQ(t.got, bytes);
    vk_close(sk);
    vk_close(t.listener);
    vpair_destroy(&t.w);
    return count;
}

static void fail_per_million(uint64_t chance)
{
    sim_fail_allocs((uint32_t)chance);
}

TEST(a_transfer_survives_the_failure_of_any_one_allocation)
{
    uint64_t n = run(5, SMALL, sim_fail_nth_alloc, 0);
    CHECK(n > 100);
    for (uint64_t nth = 1; nth <= n; nth++)
        run(5, SMALL, sim_fail_nth_alloc, nth);
}

TEST(a_transfer_survives_the_failure_of_many_allocations)
{
    for (uint64_t seed = 1; seed <= 6; seed++)
        run(seed, LARGE, fail_per_million, 10000 * seed);
}
