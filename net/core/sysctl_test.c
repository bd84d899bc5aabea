/* net/core/sysctl_test.c - knobs of a virtual kernel: its own, and they act. */
#include "net/core/net_namespace.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <string.h>

static bool shows(const struct vkernel *vk, const char *path, const char *text)
{
    char buf[64];
    return net_sysctl_get(vk->net, path, buf, sizeof buf) > 0 && !strcmp(buf, text);
}

TEST(knobs_belong_to_one_network)
{
    struct vpair p = vpair_create(NULL);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/ip_default_ttl", "7\n"), 0);
    CHECK(shows(p.a, "net/ipv4/ip_default_ttl", "7\n") && shows(p.b, "net/ipv4/ip_default_ttl", "64\n"));
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/ip_default_ttl", "256"), -EINVAL);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/no_such_knob", "1"), -ENOENT);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/tcp_available_congestion_control", "reno"), -EACCES);
    vpair_destroy(&p);
}

TEST(knobs_every_default_is_within_its_own_bounds)
{
    struct vpair p = vpair_create(NULL);
    char value[SYSCTL_TEXT_MAX];
    unsigned n = 0;
    for (const struct sysctl_table *t = net_sysctl_next(p.a->net, NULL); t;
         t = net_sysctl_next(p.a->net, t)) {
        for (const struct sysctl *s = t->entries; s->path; s++, n++) {
            CHECK(!strncmp(s->path, "net/", 4) && s->what);
            CHECK(net_sysctl_get(p.a->net, s->path, value, sizeof value) > 0);
            CHECK_EQ(net_sysctl_set(p.a->net, s->path, value), s->read_only ? -EACCES : 0);
            CHECK(shows(p.a, s->path, value));
        }
    }
    CHECK(n >= 25);
    vpair_destroy(&p);
}

TEST(knob_port_range_bounds_the_ports_that_are_chosen)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk[3];
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/ip_local_port_range", "5000\t5001"), 0);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/ip_local_port_range", "6000 5000"), -EINVAL);
    for (int i = 0; i < 3; i++) {
        sk[i] = vk_socket(p.a, SOCK_DGRAM);
        CHECK_EQ(vk_bind(sk[i], NULL, 0), i < 2 ? 0 : -EADDRINUSE);
        CHECK(i == 2 || vk_port(sk[i]) == 5000 || vk_port(sk[i]) == 5001);
    }
    for (int i = 0; i < 3; i++)
        vk_close(sk[i]);
    vpair_destroy(&p);
}

TEST(knob_rmem_max_bounds_what_a_program_asks_for) /* socket(7): SO_RCVBUF is doubled */
{
    struct vpair p = vpair_create(NULL);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/core/rmem_max", "10000"), 0);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/core/rmem_default", "30000"), 0);
    struct sock *sk = vk_socket(p.a, SOCK_DGRAM);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVBUF), 30000);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 1000000), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_RCVBUF), 20000);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_SNDBUF, 1000000), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_SOCKET, SO_SNDBUF), 2000000);
    vk_close(sk);
    vpair_destroy(&p);
}

static bool is_not_tcp(void *arg, const uint8_t *frame, size_t n)
{
    (void)arg;
    return n < 24 || frame[12] != 0x08 || frame[13] != 0x00 || frame[23] != IPPROTO_TCP;
}

TEST(knob_syn_retries_says_how_long_connect_tries) /* 1, 2 and 4 s: RFC 6298 2.1, 5.5 */
{
    struct vpair p = vpair_create(NULL);
    CHECK_EQ(net_sysctl_set(p.a->net, "net/ipv4/tcp_syn_retries", "2"), 0);
    struct sock *sk = vk_socket(p.a, SOCK_STREAM);
    p.wire->filter = is_not_tcp;
    uint64_t began = time_now();
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 80), -ETIMEDOUT);
    CHECK(time_now() - began >= sec(7) && time_now() - began < sec(16));
    vk_close(sk);
    vpair_destroy(&p);
}
