/* net/core/sockopt_test.c - the options of SOL_SOCKET, socket(7): what each keeps, refuses, and shows. */
#include "net/core/sock.h"
#include "net/ipv4/host_test.h"
#include <sys/socket.h>
#include <sys/time.h>

TEST(a_socket_tells_what_it_is) // socket(7): SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN
{
    struct host h = host_create();
    struct sock *udp = vk_socket(h.vk, SOCK_DGRAM), *tcp = vk_socket(h.vk, SOCK_STREAM);

    CHECK_EQ(vk_getsockopt_int(udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    CHECK_EQ(vk_getsockopt_int(tcp, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(vk_getsockopt_int(udp, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(vk_getsockopt_int(udp, SOL_SOCKET, SO_PROTOCOL), 17);
    CHECK_EQ(vk_getsockopt_int(tcp, SOL_SOCKET, SO_PROTOCOL), 6);
    CHECK_EQ(vk_getsockopt_int(tcp, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(vk_bind(tcp, NULL, 80), 0);
    CHECK_EQ(vk_listen(tcp, 1), 0);
    CHECK_EQ(vk_getsockopt_int(tcp, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(vk_setsockopt_int(tcp, SOL_SOCKET, SO_TYPE, 1), -ENOPROTOOPT); /* only read */
    CHECK_EQ(vk_getsockopt_int(tcp, SOL_SOCKET, 9999), -ENOPROTOOPT);
    vk_close(udp);
    vk_close(tcp);
    host_destroy(&h);
}

TEST(numbers_are_kept_for_who_asks) // socket(7): SO_PRIORITY, SO_MARK, SO_INCOMING_CPU, SO_RCVLOWAT
{
    static const struct {
        int option, value;
    } options[] = { { SO_PRIORITY, 5 },  { SO_MARK, 77 },     { SO_INCOMING_CPU, 1 }, { SO_RCVLOWAT, 100 },
                    { SO_KEEPALIVE, 1 }, { SO_REUSEADDR, 1 }, { SO_BROADCAST, 1 } };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_STREAM);

    for (unsigned i = 0; i < ARRAY_SIZE(options); i++)
        CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, options[i].option, options[i].value), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++)
        CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, options[i].option), options[i].value);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVLOWAT, 0), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVLOWAT), 1); /* the least */
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVLOWAT, -1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVLOWAT), INT32_MAX);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_SNDLOWAT), 1);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_PRIORITY, "abc", 3), -EINVAL); /* no int */
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_is_the_administrator_s_is_refused_to_others) // socket(7): SO_MARK, SO_PRIORITY, SO_RCVBUFFORCE
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    sim_set_credentials(&(struct credentials){ .pid = 2, .uid = 1000, .euid = 1000 });
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_PRIORITY, 6), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_PRIORITY, 7), -EPERM);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_PRIORITY, -1), -EPERM);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_MARK, 1), -EPERM);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20), -EPERM);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20), -EPERM);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_PRIORITY), 6);
    vk_close(sk);
    host_destroy(&h);
}

TEST(buffers_are_doubled_and_have_bounds) // socket(7): SO_RCVBUF, SO_SNDBUF; rmem_max
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 5000), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVBUF), 10000);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUF, 0), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_SNDBUF), SOCK_BUF_MIN);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, INT32_MAX), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVBUF), 2 * h.vk->net->knobs.rmem_max);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUFFORCE, INT32_MAX), 0); /* by root, beyond that */
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVBUF), SOCK_BUF_MAX);
    vk_close(sk);
    host_destroy(&h);
}

TEST(one_kind_of_time_stamp_replaces_the_other) // socket(7): SO_TIMESTAMP, SO_TIMESTAMPNS
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMP), 1);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMP), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMPNS), 1);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMP, 0), 0); /* either ends both */
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_TIMESTAMPNS), 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(times_and_linger_come_back_as_they_were_given) // socket(7): SO_RCVTIMEO, SO_SNDTIMEO, SO_LINGER
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_STREAM);
    const struct timeval time = { 3, 250000 }, no_time = { 0, 1000000 };
    const struct linger linger = { 1, 7 };
    struct timeval tv;
    struct linger l;
    socklen_t len = sizeof tv;

    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &tv, &len), 0);
    CHECK(tv.tv_sec == 0 && tv.tv_usec == 0); /* for ever */
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time), 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &no_time, sizeof no_time), -EDOM);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time - 1), -EINVAL);
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_SNDTIMEO, &tv, &len), 0);
    CHECK(tv.tv_sec == 3 && tv.tv_usec == 250000);
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
    CHECK(tv.tv_sec == 0 && tv.tv_usec == 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_LINGER, &linger, 4), -EINVAL);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    len = sizeof l;
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_LINGER, &l, &len), 0);
    CHECK(l.l_onoff == 1 && l.l_linger == 7);
    l = (struct linger){ 0, 0 };
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_socket_bound_to_a_device_uses_no_other) // socket(7): SO_BINDTODEVICE
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    char name[16] = "?";
    socklen_t len = sizeof name;

    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
    CHECK_EQ(len, 0);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, "eth7", 5), -ENODEV);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 9), -ENETUNREACH);
    len = 8; /* Linux wants room for any name */
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, name, &len), -EINVAL);
    len = sizeof name;
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
    CHECK(len == 3 && !strcmp(name, "lo"));
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 9), 1);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_pacing_rate_comes_in_four_bytes_or_in_eight) // socket(7): SO_MAX_PACING_RATE
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_STREAM);
    uint64_t rate = 0;
    socklen_t len = sizeof rate;

    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len), 0);
    CHECK(rate == UINT64_MAX && len == 8); /* none */
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_MAX_PACING_RATE), -1);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_MAX_PACING_RATE, 1000), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_MAX_PACING_RATE), 1000);
    rate = (uint64_t)5 << 32;
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 8), 0);
    rate = 0;
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len), 0);
    CHECK_EQ(rate, (uint64_t)5 << 32);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_MAX_PACING_RATE), -1); /* more than an int holds */
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_MAX_PACING_RATE, -1), 0);
    CHECK_EQ(sock_getsockopt(sk, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len), 0);
    CHECK_EQ(rate, UINT64_MAX);
    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 3), -EINVAL);
    vk_close(sk);
    host_destroy(&h);
}

TEST(options_without_a_meaning_here_are_kept) // as Linux: SO_BUSY_POLL, SO_TXREHASH, SO_BUF_LOCK, ...
{
    static const struct {
        int option, value, result, shown;
    } tried[] = {
        { SO_DEBUG, 1, 0, 1 },
        { SO_BUSY_POLL, 50, 0, 50 },
        { SO_BUSY_POLL, -1, -EINVAL, 50 },
        { SO_PEEK_OFF, 7, 0, 7 },
        { SO_PEEK_OFF, -9, 0, -9 },
        { SO_BUF_LOCK, 3, 0, 3 },
        { SO_BUF_LOCK, 4, -EINVAL, 3 },
        { SO_TXREHASH, -1, 0, 1 },
        { SO_TXREHASH, 2, -EINVAL, 1 },
        { SO_LOCK_FILTER, 1, 0, 1 },
        { SO_LOCK_FILTER, 0, -EPERM, 1 },
        { SO_BINDTOIFINDEX, 99, 0, 99 },
        { SO_BINDTOIFINDEX, -1, -EINVAL, 99 },
        { SO_TIMESTAMP_NEW, 1, 0, 1 },
        { SO_TIMESTAMP, 0, 0, 0 },
    };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_STREAM);

    for (unsigned i = 0; i < ARRAY_SIZE(tried); i++) {
        CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, tried[i].option, tried[i].value), tried[i].result);
        CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, tried[i].option), tried[i].shown);
    }
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_PASSCRED, 1), -EOPNOTSUPP); /* of local sockets */
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_PEERNAME), -ENOTCONN);
    sim_set_credentials(&(struct credentials){ .pid = 2, .uid = 1000, .euid = 1000 });
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_DEBUG, 1), -EACCES);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1), -EPERM);
    vk_close(sk);
    host_destroy(&h);
}
