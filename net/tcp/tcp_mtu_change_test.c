/* net/tcp/tcp_mtu_change_test.c - a path's MTU that changes under a connection: a (10.0.0.2) - router -
 * b (10.0.1.2). RFC 1191 6.4, RFC 9293 3.7.5, RFC 5927 7. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"
#include "sim/netconfig.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <string.h>

enum { PORT = 80 };

struct route {
    struct wire *near, *far;
    struct vkernel *a, *r, *b;
    struct vnic *second; /* the router's card towards b */
    struct sock *listener, *from, *to;
    size_t sent, got;
    size_t largest; /* frame on the far wire since it was cleared */
};

static bool measure(void *arg, const uint8_t *frame, size_t n)
{
    struct route *w = arg;
    (void)frame;
    w->largest = MAX(w->largest, n);
    return true;
}

static void route_begin(struct route *w)
{
    const uint8_t mac[6] = { 2, 9, 0, 0, 0, 1 };
    *w = (struct route){ .near = wire_create("near"), .far = wire_create("far") };
    w->near->delay = w->far->delay = ms(2);
    w->near->bits_per_second = w->far->bits_per_second = 100000000;
    w->far->filter = measure;
    w->far->filter_arg = w;
    w->a = vk_create("a", "10.0.0.2/24", NULL, w->near);
    w->r = vk_create("r", "10.0.0.1/24", NULL, w->near);
    w->second = vnic_create(w->r->net, "eth1", mac, w->far, NULL);
    CHECK_EQ(netconfig_address(w->r->net, "eth1", vk_parse_ip("10.0.1.1", NULL), 24), 0);
    CHECK_EQ(net_sysctl_set(w->r->net, "net/ipv4/ip_forward", "1"), 0);
    w->b = vk_create("b", "10.0.1.2/24", NULL, w->far);
    CHECK_EQ(vk_add_route(w->a, "0.0.0.0/0", "10.0.0.1"), 0);
    CHECK_EQ(vk_add_route(w->b, "0.0.0.0/0", "10.0.1.1"), 0);
    sim_run_for(ms(10));
    w->listener = vk_socket(w->b, SOCK_STREAM);
    w->from = vk_socket(w->a, SOCK_STREAM);
    CHECK_EQ(vk_bind(w->listener, NULL, PORT), 0);
    CHECK_EQ(vk_listen(w->listener, 1), 0);
    CHECK_EQ(vk_connect(w->from, "10.0.1.2", PORT), 0);
    w->to = vk_accept(w->listener, NULL);
    CHECK(w->to);
}

static void route_end(struct route *w)
{
    vk_close(w->from);
    vk_close(w->to);
    vk_close(w->listener);
    sim_run_for(sec(70));
    vnic_destroy(w->second);
    vk_destroy(w->a);
    vk_destroy(w->r);
    vk_destroy(w->b);
    wire_destroy(w->near);
    wire_destroy(w->far);
}

static void set_mtu(struct route *w, uint32_t mtu)
{
    CHECK_EQ(dev_set_mtu(w->second->dev, mtu), 0);
    w->largest = 0;
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 11 + i / 241);
}

/* Put n bytes more into the send buffer. */
static void queue(struct route *w, size_t n)
{
    uint8_t data[1000];
    for (size_t end = w->sent + n; w->sent < end;) {
        size_t more = MIN(sizeof data, end - w->sent);
        for (size_t i = 0; i < more; i++)
            data[i] = byte_at(w->sent + i);
        CHECK_EQ(vk_send(w->from, data, more, MSG_DONTWAIT), more);
        w->sent += more;
    }
}

/* Until all of it is there. Virtual time it took. */
static uint64_t arrive(struct route *w)
{
    const uint64_t began = time_now();
    uint8_t data[4000];
    while (w->got < w->sent) {
        ssize_t n = vk_recv(w->to, data, sizeof data, 0);
        CHECK(n > 0);
        for (ssize_t i = 0; i < n; i++)
            CHECK_EQ(data[i], byte_at(w->got + (size_t)i));
        w->got += (size_t)n;
    }
    return time_now() - began;
}

static struct tcp_sock *sender(const struct route *w)
{
    return tcp_sk(w->from);
}
static uint32_t text_in(uint32_t mtu) /* with timestamps */
{
    return mtu - 52;
}
static uint64_t counted(const struct route *w, enum tcp_counter c)
{
    return w->a->net->tcp->counters[c];
}

TEST(a_queue_is_cut_anew_when_the_mtu_falls) /* RFC 1191 6.4 */
{
    static const uint32_t mtus[] = { 1400, 1006, 600 };
    struct route w;
    route_begin(&w);
    for (unsigned i = 0; i < ARRAY_SIZE(mtus); i++) {
        queue(&w, 80000); /* a window of it is on the way, the rest waits, in segments of the old size */
        set_mtu(&w, mtus[i]);
        CHECK(arrive(&w) < ms(150));
        CHECK_EQ(sender(&w)->mss, text_in(mtus[i]));
        CHECK_EQ(w.largest, mtus[i] + 14);
    }
    CHECK_EQ(counted(&w, TCP_COUNT_timeouts), 0);
    CHECK_EQ(sender(&w)->ssthresh, TCP_CWND_MAX); /* RFC 1191 6.4: no sign of congestion */
    route_end(&w);
}

TEST(segments_grow_again_with_the_mtu) /* RFC 1191 6.3: after ten minutes */
{
    struct route w;
    route_begin(&w);
    queue(&w, 50000);
    set_mtu(&w, 700);
    arrive(&w);
    set_mtu(&w, 1500);
    queue(&w, 50000);
    arrive(&w);
    CHECK_EQ(sender(&w)->mss, text_in(700));
    sim_run_for(sec(601));
    queue(&w, 50000); /* cut small before the first of it leaves */
    arrive(&w);
    queue(&w, 50000);
    arrive(&w);
    CHECK_EQ(sender(&w)->mss, text_in(1500));
    CHECK_EQ(w.largest, 1514);
    route_end(&w);
}

TEST(an_mtu_that_falls_while_losses_are_repaired_leaves_nothing_behind)
{
    for (unsigned i = 0; i < 8; i++) {
        struct route w;
        route_begin(&w);
        w.far->loss = 50000;
        queue(&w, 60000);
        sim_run_for(ms(3 * i));
        set_mtu(&w, 1300 - 100 * i);
        CHECK(arrive(&w) < sec(60));
        queue(&w, 20000);
        CHECK(arrive(&w) < sec(60));
        CHECK_EQ(sender(&w)->mss, text_in(1300 - 100 * i));
        w.far->loss = 0;
        route_end(&w);
    }
}

TEST(below_the_least_mtu_the_router_cuts) /* RFC 1191 3; RFC 5927 7.2: min_pmtu */
{
    struct route w;
    route_begin(&w);
    queue(&w, 50000);
    set_mtu(&w, 300);
    CHECK(arrive(&w) < sec(2));
    CHECK_EQ(sender(&w)->mss, text_in(552));
    CHECK(w.largest <= 314);
    route_end(&w);
}

TEST(a_device_s_own_mtu_is_obeyed_too) /* `ip link set dev eth0 mtu`, under an open connection */
{
    struct route w;
    route_begin(&w);
    queue(&w, 80000);
    CHECK_EQ(dev_set_mtu(w.a->nic->dev, 1000), 0);
    w.largest = 0;
    sim_run_for(ms(20)); /* what was on the way */
    w.largest = 0;
    CHECK(arrive(&w) < sec(2));
    CHECK_EQ(w.largest, 1014);
    CHECK_EQ(dev_set_mtu(w.a->nic->dev, 1500), 0);
    queue(&w, 80000);
    CHECK(arrive(&w) < sec(2));
    queue(&w, 80000);
    CHECK(arrive(&w) < sec(2));
    CHECK_EQ(sender(&w)->mss, text_in(1500));
    route_end(&w);
}
