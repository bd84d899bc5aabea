/* net/tcp/tcp_zerocopy_test.c - MSG_ZEROCOPY on a stream: which calls are counted, when they are told of, and
 * as what. Linux, Documentation/networking/msg_zerocopy. */
#include "net/tcp/tcp.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <string.h>

enum { CARD = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM, CALL = 10000, CALLS = 6 };

struct talk {
    struct vpair pair;
    struct sock *sk, *peer, *listener;
    uint8_t bytes[CALLS * CALL];
};
static struct talk talk;

static struct talk *begin(uint32_t features)
{
    const struct vnic_config config = { .features = features };
    struct talk *t = &talk;

    t->pair = vpair_create(&config);
    for (size_t i = 0; i < sizeof t->bytes; i++)
        t->bytes[i] = (uint8_t)random_u32();
    t->listener = vk_socket(t->pair.b, SOCK_STREAM);
    CHECK_EQ(vk_bind(t->listener, NULL, 80), 0);
    CHECK_EQ(vk_listen(t->listener, 5), 0);
    t->sk = vk_socket(t->pair.a, SOCK_STREAM);
    CHECK_EQ(vk_connect(t->sk, "10.0.0.2", 80), 0);
    t->peer = vk_accept(t->listener, NULL);
    CHECK(t->peer);
    CHECK_EQ(vk_setsockopt_int(t->sk, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
    return t;
}

static void end(struct talk *t)
{
    if (t->sk)
        vk_close(t->sk);
    vk_close(t->peer);
    vk_close(t->listener);
    sim_run_for(sec(200));
    vpair_destroy(&t->pair);
}

static ssize_t send_user(struct sock *sk, const void *bytes, size_t n, int flags)
{
    struct io_vector v = { (uintptr_t)bytes, n };
    struct message msg = { 0 };

    iov_iter_init(&msg.iter, ITER_USER, &v, 1);
    return sock_sendmsg(sk, &msg, flags);
}

/* What recvmsg(MSG_ERRQUEUE) tells next. False: nothing. */
static bool told(struct talk *t, struct sock_extended_err *ee)
{
    uint8_t control[100], byte;
    struct io_vector v = { (uintptr_t)&byte, 1 };
    struct message msg = { .control = control, .control_len = sizeof control };

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    if (sock_recvmsg(t->sk, &msg, MSG_ERRQUEUE) != 0)
        return false;
    const struct cmsghdr *c = (const struct cmsghdr *)control;
    CHECK(c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR && msg.flags & MSG_ERRQUEUE);
    memcpy(ee, c + 1, sizeof *ee);
    CHECK(ee->ee_origin == SO_EE_ORIGIN_ZEROCOPY && ee->ee_errno == 0);
    return true;
}

static bool told_range(struct talk *t, uint32_t first, uint32_t last, bool copied)
{
    struct sock_extended_err ee = { 0 };

    return told(t, &ee) && ee.ee_info == first && ee.ee_data == last &&
           ee.ee_code == (copied ? SO_EE_CODE_ZEROCOPY_COPIED : 0);
}

static bool told_nothing(struct talk *t)
{
    struct sock_extended_err ee;

    return !told(t, &ee) && !(sock_poll(t->sk) & POLLERR);
}

static void receive(struct talk *t, size_t from, size_t n)
{
    static uint8_t got[CALLS * CALL];

    CHECK_EQ(vk_recv_all(t->peer, got, n), n);
    CHECK(!memcmp(got, t->bytes + from, n));
}

TEST(zerocopy_calls_are_told_of_once_they_are_acknowledged)
{
    struct talk *t = begin(CARD);

    t->pair.wire->down = true;
    for (unsigned i = 0; i < CALLS; i++)
        CHECK_EQ(send_user(t->sk, t->bytes + i * CALL, CALL, MSG_ZEROCOPY), CALL);
    sim_run_for(ms(500));
    CHECK(told_nothing(t));
    t->pair.wire->down = false;
    receive(t, 0, CALLS * CALL);
    sim_run_for(sec(1));
    CHECK(sock_poll(t->sk) & POLLERR);
    CHECK(told_range(t, 0, CALLS - 1, false)); /* one entry for all */
    CHECK(told_nothing(t));
    end(t);
}

TEST(zerocopy_survives_loss_and_tells_of_each_call_once)
{
    struct talk *t = begin(CARD);
    struct sock_extended_err ee;
    uint32_t next = 0;

    t->pair.wire->loss = 100000;
    for (unsigned i = 0; i < CALLS; i++)
        CHECK_EQ(send_user(t->sk, t->bytes + i * CALL, CALL, MSG_ZEROCOPY), CALL);
    receive(t, 0, CALLS * CALL);
    sim_run_for(sec(60));
    while (told(t, &ee)) {
        CHECK(ee.ee_info == next && ee.ee_code == 0);
        next = ee.ee_data + 1;
    }
    CHECK_EQ(next, CALLS);
    end(t);
}

TEST(zerocopy_that_was_copied_says_so)
{
    struct talk *t = begin(NETIF_F_HW_CSUM); /* a card that does not gather */

    CHECK_EQ(send_user(t->sk, t->bytes, CALL, MSG_ZEROCOPY), CALL);
    CHECK(told_range(t, 0, 0, true)); /* at once: the bytes are the kernel's */
    receive(t, 0, CALL);
    CHECK(told_nothing(t));
    end(t);
}

TEST(zerocopy_that_is_copied_on_its_way_says_so)
{
    struct talk *t = begin(CARD);

    t->pair.wire->down = true;
    CHECK_EQ(send_user(t->sk, t->bytes, CALL, MSG_ZEROCOPY), CALL);
    t->pair.a->nic->dev->features = 0; /* as if the route went by another card now */
    t->pair.wire->down = false;
    receive(t, 0, CALL);
    sim_run_for(sec(1));
    CHECK(told_range(t, 0, 0, true));
    end(t);
}

TEST(zerocopy_counts_no_call_that_sends_nothing)
{
    struct talk *t = begin(CARD);

    sim_bad_user_range((uintptr_t)t->bytes, 100);
    CHECK_EQ(send_user(t->sk, t->bytes, CALL, MSG_ZEROCOPY), -EFAULT);
    sim_bad_user_range(0, 0);
    CHECK_EQ(send_user(t->sk, t->bytes, 0, MSG_ZEROCOPY), 0);
    CHECK_EQ(send_user(t->sk, t->bytes, 3000, 0), 3000);
    CHECK_EQ(send_user(t->sk, t->bytes + 3000, 3000, MSG_ZEROCOPY), 3000);
    receive(t, 0, 6000);
    sim_run_for(sec(1));
    CHECK(told_range(t, 0, 0, false) && told_nothing(t));
    CHECK_EQ(vk_setsockopt_int(t->sk, SOL_SOCKET, SO_ZEROCOPY, 0), 0);
    CHECK_EQ(send_user(t->sk, t->bytes, 3000, MSG_ZEROCOPY), 3000); /* the flag is nothing now */
    sim_run_for(sec(1));
    CHECK(told_nothing(t));
    end(t);
}

TEST(zerocopy_tells_of_what_a_reset_throws_away)
{
    struct talk *t = begin(CARD);

    CHECK_EQ(vk_setsockopt_int(t->sk, SOL_SOCKET, SO_SNDBUF, 100000), 0);
    for (unsigned i = 0; i < CALLS; i++)
        CHECK_EQ(send_user(t->sk, t->bytes + i * CALL, CALL, MSG_ZEROCOPY), CALL);
    sim_run_for(ms(10));
    vk_close(t->peer); /* with bytes unread: a reset (RFC 2525 2.17) */
    sim_run_for(sec(1));
    CHECK(told_range(t, 0, CALLS - 1, false));
    CHECK_EQ(send_user(t->sk, t->bytes, 10, MSG_ZEROCOPY | MSG_NOSIGNAL), -ECONNRESET);
    CHECK(told_nothing(t) || vk_getsockopt_int(t->sk, SOL_SOCKET, SO_ERROR));
    t->peer = vk_socket(t->pair.b, SOCK_STREAM);
    end(t);
}

TEST(zerocopy_that_nobody_asks_about_leaks_nothing)
{
    struct talk *t = begin(CARD);

    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(send_user(t->sk, t->bytes + i * CALL, CALL, MSG_ZEROCOPY), CALL);
    receive(t, 0, CALL);
    vk_close(t->sk); /* the rest is sent, and told to nobody */
    t->sk = NULL;
    receive(t, CALL, 2 * CALL);
    end(t);
}

TEST(zerocopy_without_memory_says_so)
{
    struct talk *t = begin(CARD);

    sim_fail_nth_alloc(1);
    CHECK_EQ(send_user(t->sk, t->bytes, CALL, MSG_ZEROCOPY), -ENOBUFS);
    sim_fail_nth_alloc(2);
    CHECK_EQ(send_user(t->sk, t->bytes, CALL, MSG_ZEROCOPY), -ENOMEM);
    for (unsigned n = 3; n < 9; n++) { /* what was taken before memory ended is sent */
        sim_fail_nth_alloc(n);
        ssize_t sent = send_user(t->sk, t->bytes, CALL, MSG_ZEROCOPY | MSG_DONTWAIT);
        sim_fail_nth_alloc(0);
        CHECK(sent > 0 || sent == -ENOMEM);
        if (sent > 0)
            receive(t, 0, (size_t)sent);
    }
    end(t);
}

TEST(zerocopy_is_inherited_from_the_listener)
{
    struct talk *t = begin(CARD);

    CHECK_EQ(vk_setsockopt_int(t->listener, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
    struct sock *sk = vk_socket(t->pair.a, SOCK_STREAM);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 80), 0);
    struct sock *child = vk_accept(t->listener, NULL);
    CHECK_EQ(vk_getsockopt_int(child, SOL_SOCKET, SO_ZEROCOPY), 1);
    CHECK_EQ(vk_getsockopt_int(t->peer, SOL_SOCKET, SO_ZEROCOPY), 0);
    vk_close(child);
    vk_close(sk);
    end(t);
}

TEST(zerocopy_datagrams_are_copied_and_said_to_be)
{
    struct talk *t = begin(CARD);
    struct sock *stream = t->sk;
    uint8_t got[100];

    struct sock *to = vk_socket(t->pair.b, SOCK_DGRAM);
    CHECK_EQ(vk_bind(to, NULL, 9), 0);
    t->sk = vk_socket(t->pair.a, SOCK_DGRAM);
    CHECK_EQ(vk_connect(t->sk, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_setsockopt_int(t->sk, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(send_user(t->sk, t->bytes, 100, MSG_ZEROCOPY), 100);
        CHECK_EQ(vk_recv(to, got, sizeof got, 0), 100);
    }
    CHECK_EQ(send_user(t->sk, t->bytes, 70000, MSG_ZEROCOPY), -EMSGSIZE);
    CHECK(told_range(t, 0, 2, true) && told_nothing(t));
    vk_close(t->sk);
    vk_close(to);
    t->sk = stream;
    end(t);
}
