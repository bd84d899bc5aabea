/* net/tcp/tcp_pages_test.c - a stream out of pages, as sendfile() sends it: retransmitted, cut and joined
 * with bytes that lie in no page, while somebody writes to the pages. */
#include "net/core/dst.h"
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp.h"
#include "sim/host_pages.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <string.h>

enum { PAGES = 8, PAGE = SHARED_PAGE_SIZE, FILE_SIZE = PAGES * PAGE };

/* A sender with a file, a receiver that keeps what comes. */
struct stream {
    struct vpair pair;
    uint8_t *page[PAGES];
    struct sock *listener;
    void (*sender)(struct stream *s, struct sock *sk);
    bool nodelay, zerocopy;
    size_t sent, received;
    uint8_t bytes[40 * FILE_SIZE]; /* as they were sent */
    uint8_t got[40 * FILE_SIZE];
};

static void receive_all(void *arg)
{
    struct stream *s = arg;
    struct sock *sk = vk_accept(s->listener, NULL);
    ssize_t n;

    while ((n = vk_recv(sk, s->got + s->received, 3000, 0)) > 0)
        s->received += (size_t)n;
    CHECK_EQ(n, 0);
    vk_close(sk);
}

static void send_all(void *arg)
{
    struct stream *s = arg;
    struct sock *sk = vk_socket(s->pair.a, SOCK_STREAM);

    CHECK_EQ(vk_connect(sk, "10.0.0.2", 80), 0);
    CHECK_EQ(vk_setsockopt_int(sk, IPPROTO_TCP, TCP_NODELAY, s->nodelay), 0);
    s->sender(s, sk);
    CHECK_EQ(sock_shutdown(sk, SHUT_WR), 0);
    vk_close(sk);
}

/* sendfile(): n bytes of the file from at on, which do not go beyond its end. */
static void send_file(struct stream *s, struct sock *sk, size_t at, size_t n, bool more)
{
    struct io_vector v[PAGES];
    struct message msg = { 0 };
    unsigned found = 0;

    for (size_t done = 0; done < n; found++) {
        size_t within = (at + done) % PAGE, part = MIN(n - done, PAGE - within);
        v[found] = (struct io_vector){ (uintptr_t)s->page[(at + done) / PAGE] + within, part };
        memcpy(s->bytes + s->sent + done, (void *)v[found].base, part);
        done += part;
    }
    iov_iter_init(&msg.iter, ITER_PAGES, v, found);
    CHECK_EQ(sock_sendmsg(sk, &msg, more ? MSG_MORE : 0), n);
    s->sent += n;
}

static void send_bytes(struct stream *s, struct sock *sk, size_t n, bool more)
{
    for (size_t i = 0; i < n; i++)
        s->bytes[s->sent + i] = (uint8_t)random_u32();
    CHECK_EQ(vk_send(sk, s->bytes + s->sent, n, more ? MSG_MORE : 0), n);
    s->sent += n;
}

static void begin(struct stream *s, uint32_t features)
{
    const struct vnic_config config = { .features = features };

    s->pair = vpair_create(&config);
    for (unsigned i = 0; i < PAGES; i++) {
        s->page[i] = host_page_alloc();
        for (unsigned k = 0; k < PAGE; k++)
            s->page[i][k] = (uint8_t)random_u32();
    }
    s->listener = vk_socket(s->pair.b, SOCK_STREAM);
    CHECK_EQ(vk_bind(s->listener, NULL, 80), 0);
    CHECK_EQ(vk_listen(s->listener, 5), 0);
}

static void run(struct stream *s, void (*sender)(struct stream *s, struct sock *sk))
{
    s->sender = sender;
    sim_spawn("receiver", receive_all, s);
    sim_spawn("sender", send_all, s);
    sim_join(sec(3600));
    CHECK_EQ(s->received, s->sent);
}

/* Everybody has let go of the pages. */
static void end(struct stream *s)
{
    vk_close(s->listener);
    sim_run_for(sec(200)); /* TIME-WAIT */
    CHECK_EQ(vk_live_skbs(s->pair.a), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(host_page_refs(s->page[i]), 1);
        page_put(s->page[i]);
    }
    vpair_destroy(&s->pair);
}

enum { CARD = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM };
static struct stream stream;

static void whole_files(struct stream *s, struct sock *sk)
{
    for (unsigned i = 0; i < 30; i++)
        send_file(s, sk, 0, FILE_SIZE, false);
}

/* Bytes and pages by turns, in sizes that no segment has. */
static void mixture(struct stream *s, struct sock *sk)
{
    for (unsigned i = 0; i < 200; i++) {
        size_t at = random_u32() % FILE_SIZE, n = 1 + random_u32() % MIN((size_t)5000, FILE_SIZE - at);
        bool more = i < 199 && random_u32() % 3;
        if (random_u32() % 3)
            send_file(s, sk, at, n, more);
        else
            send_bytes(s, sk, 1 + random_u32() % 2000, more);
    }
}

static void intact(uint32_t features, void (*sender)(struct stream *s, struct sock *sk), uint32_t faults,
                   bool nodelay)
{
    struct stream *s = &stream;

    memset(s, 0, sizeof *s);
    begin(s, features);
    s->nodelay = nodelay;
    s->pair.wire->loss = s->pair.wire->reorder = s->pair.wire->duplicate = faults;
    run(s, sender);
    CHECK(!memcmp(s->got, s->bytes, s->sent));
    end(s);
}

TEST(tcp_pages_arrive_as_they_are)
{
    intact(CARD, whole_files, 0, false);
    intact(CARD, mixture, 0, false);
    intact(CARD, mixture, 0, true);
}

TEST(tcp_pages_are_sent_again_when_they_are_lost)
{
    intact(CARD, whole_files, 30000, false);
    for (unsigned i = 0; i < 10; i++)
        intact(CARD, mixture, 50000, i & 1);
}

TEST(tcp_pages_go_through_a_card_that_can_do_nothing)
{
    intact(0, whole_files, 20000, false);
    intact(0, mixture, 20000, false);
    intact(NETIF_F_SG, mixture, 20000, false); /* gathers, but sums in software */
    intact(NETIF_F_HW_CSUM, mixture, 20000, false);
}

/* ---- not a byte is copied ---- */

static unsigned shared;

static void one_file(struct stream *s, struct sock *sk)
{
    send_file(s, sk, 0, FILE_SIZE, false);
    for (unsigned i = 0; i < PAGES; i++)
        shared += host_page_refs(s->page[i]) > 1;
}

TEST(tcp_pages_are_held_until_they_are_acknowledged)
{
    struct stream *s = &stream;

    begin(s, CARD);
    run(s, one_file);
    CHECK(shared >= PAGES - 2); /* what fitted behind something else may have been copied */
    end(s);
    shared = 0;
    memset(s, 0, sizeof *s);
    begin(s, NETIF_F_SG); /* a checksum in software wants bytes that nobody writes to */
    run(s, one_file);
    CHECK_EQ(shared, 0);
    end(s);
}

/* ---- somebody writes to the file while it is on its way ---- */

static void scribble(struct stream *s)
{
    for (unsigned i = 0; i < PAGES; i++)
        memset(s->page[i], (int)random_u32(), PAGE);
}

static void while_it_is_written(struct stream *s, struct sock *sk)
{
    for (unsigned i = 0; i < 20; i++) {
        send_file(s, sk, 0, FILE_SIZE, false);
        scribble(s);
        sim_sleep(ms(1));
        scribble(s);
    }
}

static void rewritten(uint32_t features)
{
    struct stream *s = &stream;

    memset(s, 0, sizeof *s);
    begin(s, features);
    s->pair.wire->loss = 30000;
    run(s, while_it_is_written);
    CHECK_EQ(s->pair.b->net->drops[SKB_DROP_TCP_CSUM], 0); /* whatever was sent was summed as it was */
    end(s);
}

TEST(tcp_pages_that_are_rewritten_carry_right_checksums)
{
    rewritten(CARD & ~NETIF_F_RXCSUM);
    rewritten(NETIF_F_SG);
    rewritten(0);
}

/* ---- the path changes under them ---- */

static void path_narrows(struct stream *s, struct sock *sk)
{
    for (unsigned i = 0; i < 20; i++) {
        send_file(s, sk, i, FILE_SIZE - i, false);
        if (i % 4 == 1)
            ip_pmtu_learn(s->pair.a->net, sk->daddr, 1400 - 40 * i, 1500);
        if (i == 12)
            s->pair.a->nic->dev->features = 0; /* as if the route went by another card now */
        if (i == 16)
            s->pair.a->nic->dev->features = CARD;
    }
}

TEST(tcp_pages_are_cut_anew_when_the_path_narrows) /* RFC 1191 6.4 */
{
    struct stream *s = &stream;

    memset(s, 0, sizeof *s);
    begin(s, CARD);
    s->pair.wire->loss = 30000;
    run(s, path_narrows);
    CHECK(!memcmp(s->got, s->bytes, s->sent));
    end(s);
}

static void while_memory_ends(struct stream *s, struct sock *sk)
{
    sim_fail_allocs(30000);
    for (unsigned i = 0; i < 200; i++) {
        size_t at = random_u32() % FILE_SIZE, n = MIN((size_t)3000, FILE_SIZE - at);
        uint8_t *from = s->page[at / PAGE] + at % PAGE;
        struct io_vector v = { (uintptr_t)from, MIN(n, PAGE - at % PAGE) };
        struct message msg = { 0 };
        iov_iter_init(&msg.iter, ITER_PAGES, &v, 1);
        ssize_t sent = sock_sendmsg(sk, &msg, 0);
        CHECK(sent > 0 || sent == -ENOMEM);
        if (sent > 0)
            memcpy(s->bytes + s->sent, from, (size_t)sent);
        s->sent += sent > 0 ? (size_t)sent : 0;
    }
    sim_sleep(sec(20));
    sim_fail_allocs(0);
}

TEST(tcp_pages_survive_allocations_that_fail)
{
    struct stream *s = &stream;

    begin(s, CARD);
    run(s, while_memory_ends);
    CHECK(!memcmp(s->got, s->bytes, s->sent));
    end(s);
}

static void reset_with_pages_queued(struct stream *s, struct sock *sk)
{
    send_file(s, sk, 0, FILE_SIZE, false);
    s->pair.wire->down = true;
    send_file(s, sk, 0, FILE_SIZE, false);
    CHECK(host_page_refs(s->page[PAGES - 1]) > 1);
}

TEST(tcp_pages_are_let_go_when_the_connection_dies)
{
    struct stream *s = &stream;

    begin(s, CARD);
    s->sender = reset_with_pages_queued;
    sim_spawn("receiver", receive_all, s);
    sim_spawn("sender", send_all, s);
    sim_run_for(sec(1));
    s->pair.wire->down = false; /* for the receiver's sake */
    sim_join(sec(3600));
    end(s);
}
