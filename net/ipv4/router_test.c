/* net/ipv4/router_test.c - hosts and routers in a row: a (10.0.0.2) - r1 - 10.0.1/24 - r2 - b (10.0.2.2). */
#include "lib/string.h"
#include "net/core/net_namespace.h"
#include "net/ipv4/ipv4.h"
#include "sim/frame.h"
#include "sim/netconfig.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <errno.h>

enum { WIRES = 3, PORT = 33434, NARROW = 800 };

struct chain {
    struct wire *wires[WIRES];
    struct vkernel *a, *r1, *r2, *b;
    struct vnic *second[2]; /* the routers' other cards */
};

static struct vnic *add_card(struct vkernel *vk, struct wire *w, uint8_t number, const char *address)
{
    const uint8_t mac[6] = { 2, 9, 0, 0, 0, number };
    unsigned prefix;
    uint32_t ip = vk_parse_ip(address, &prefix);
    struct vnic *nic = vnic_create(vk->net, "eth1", mac, w, NULL);

    CHECK_EQ(netconfig_address(vk->net, "eth1", ip, prefix), 0);
    CHECK_EQ(net_sysctl_set(vk->net, "net/ipv4/ip_forward", "1"), 0);
    return nic;
}

static struct chain chain_create(void)
{
    struct chain c = { 0 };

    for (unsigned i = 0; i < WIRES; i++) {
        c.wires[i] = wire_create("link");
        c.wires[i]->delay = ms(1);
    }
    c.a = vk_create("a", "10.0.0.2/24", NULL, c.wires[0]);
    c.r1 = vk_create("r1", "10.0.0.1/24", NULL, c.wires[0]);
    c.second[0] = add_card(c.r1, c.wires[1], 1, "10.0.1.1/24");
    c.r2 = vk_create("r2", "10.0.1.2/24", NULL, c.wires[1]);
    c.second[1] = add_card(c.r2, c.wires[2], 2, "10.0.2.1/24");
    c.b = vk_create("b", "10.0.2.2/24", NULL, c.wires[2]);
    CHECK_EQ(vk_add_route(c.a, "0.0.0.0/0", "10.0.0.1"), 0);
    CHECK_EQ(vk_add_route(c.r1, "10.0.2.0/24", "10.0.1.2"), 0);
    CHECK_EQ(vk_add_route(c.r2, "10.0.0.0/24", "10.0.1.1"), 0);
    CHECK_EQ(vk_add_route(c.b, "0.0.0.0/0", "10.0.2.1"), 0);
    sim_run_for(ms(10));
    return c;
}

static void chain_destroy(struct chain *c)
{
    vnic_destroy(c->second[0]);
    vnic_destroy(c->second[1]);
    vk_destroy(c->a);
    vk_destroy(c->r1);
    vk_destroy(c->r2);
    vk_destroy(c->b);
    for (unsigned i = 0; i < WIRES; i++)
        wire_destroy(c->wires[i]);
}

/* ---- traceroute ---- */

/* Who answers a datagram with this time to live, and how: as traceroute asks, by IP_RECVERR. */
static uint32_t who_answers(struct sock *sk, int ttl, uint8_t *type)
{
    struct {
        struct cmsghdr header;
        struct sock_extended_err ee;
        struct sockaddr_in offender;
    } control;
    char data[64];
    struct io_vector v = { (uintptr_t)data, sizeof data };
    struct message msg = { .control = &control, .control_len = sizeof control };

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_TTL, ttl), 0);
    CHECK_EQ(vk_sendto(sk, "hop", 3, 0, "10.0.2.2", (uint16_t)(PORT + ttl)), 3);
    sim_sleep(ms(100));
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK(sock_recvmsg(sk, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
    CHECK_EQ(control.header.cmsg_type, IP_RECVERR);
    *type = control.ee.ee_type;
    (void)vk_getsockopt_int(sk, SOL_SOCKET, SO_ERROR);
    return be32_to_cpu((be32){ control.offender.sin_addr.s_addr });
}

TEST(traceroute_shows_the_routers_in_their_order) /* RFC 1812 5.3.1, RFC 792 */
{
    static const uint32_t hops[] = { 0x0a000001, 0x0a000102, 0x0a000202 };
    struct chain c = chain_create();
    struct sock *sk = vk_socket(c.a, SOCK_DGRAM);
    uint8_t type;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1), 0);
    for (int ttl = 1; ttl <= 3; ttl++) {
        CHECK_EQ(who_answers(sk, ttl, &type), hops[ttl - 1]);
        CHECK_EQ(type, ttl < 3 ? ICMP_TIME_EXCEEDED : ICMP_DEST_UNREACH);
    }
    vk_close(sk);
    chain_destroy(&c);
}

/* ---- a narrow link ---- */

struct stream {
    struct sock *listener;
    size_t received;
};

static void serve(void *arg)
{
    struct stream *s = arg;
    struct sock *sk = vk_accept(s->listener, NULL);
    static char data[4000];
    ssize_t n;

    CHECK(sk);
    while ((n = vk_recv(sk, data, sizeof data, 0)) > 0)
        s->received += (size_t)n;
    vk_close(sk);
}

/* a sends size bytes to b; the path MTU that it knows afterwards. */
static int transfer(struct chain *c, size_t size)
{
    static char data[100000];
    struct stream s = { .listener = vk_socket(c->b, SOCK_STREAM) };
    struct sock *sk = vk_socket(c->a, SOCK_STREAM);

    CHECK_EQ(vk_bind(s.listener, NULL, PORT), 0);
    CHECK_EQ(vk_listen(s.listener, 1), 0);
    sim_spawn("server", serve, &s);
    CHECK_EQ(vk_connect(sk, "10.0.2.2", PORT), 0);
    CHECK_EQ(vk_send_all(sk, data, size), (ssize_t)size);
    sim_sleep(sec(5));
    CHECK_EQ(s.received, size);
    int mtu = vk_getsockopt_int(sk, SOL_IP, IP_MTU);
    vk_close(sk);
    vk_close(s.listener);
    sim_sleep(sec(200)); /* TIME-WAIT */
    return mtu;
}

static uint64_t too_big(const struct chain *c)
{
    return c->r1->net->drops[SKB_DROP_IP_TOO_BIG];
}

TEST(a_narrow_link_on_the_way_is_discovered_and_remembered) /* RFC 1191; checklist 113 */
{
    struct chain c = chain_create();

    CHECK_EQ(netconfig_mtu(c.r1->net, "eth1", NARROW), 0);
    CHECK_EQ(netconfig_mtu(c.r2->net, "eth0", NARROW), 0);
    CHECK_EQ(transfer(&c, 100000), NARROW);
    CHECK(too_big(&c) >= 1);
    CHECK_EQ(c.r1->net->ipv4->counters.frag_oks, 0);
    uint64_t told = too_big(&c);
    CHECK_EQ(transfer(&c, 100000), NARROW); /* the next connection knows */
    CHECK_EQ(too_big(&c), told);
    sim_sleep(sec(600)); /* and forgets: the link may be wider by now */
    CHECK_EQ(transfer(&c, 100000), NARROW);
    CHECK(too_big(&c) > told);
    chain_destroy(&c);
}

/* ---- ten thousand routes ---- */

TEST(a_router_s_table_may_change_under_traffic)
{
    enum { ROUTES = 10000 };
    struct chain c = chain_create();
    struct sock *from = vk_socket(c.a, SOCK_DGRAM), *to = vk_socket(c.b, SOCK_DGRAM);
    unsigned sent = 0, received = 0;
    char text[8];

    CHECK_EQ(vk_bind(to, NULL, PORT), 0);
    CHECK_EQ(vk_sendto(from, "datagram", 8, 0, "10.0.2.2", PORT), 8); /* all learn their neighbours */
    CHECK_EQ(vk_recv(to, text, sizeof text, 0), 8);
    for (unsigned n = 0; n < 2 * ROUTES; n++) {
        struct fib_route r = { .type = ROUTE_UNICAST,
                               .n_nexthops = 1,
                               .nexthops = { { c.second[0]->dev, ip_address(10, 0, 1, 2), 1 } } };
        /* some within 10.0.2/24, so that the way of the traffic itself is another each time */
        uint32_t nth = n % ROUTES;
        r.prefix_len = (uint8_t)(nth % 2 ? 32 : 24);
        r.dst = cpu_to_be32(nth % 2 ? ip4(10, 0, 2, 0) + nth / 2 % 256 : ip4(11, 0, 0, 0) + (nth << 8));
        r.metric = nth;
        CHECK_EQ(n < ROUTES ? fib_add(c.r1->net, &r) : fib_del(c.r1->net, &r), 0);
        if (n % 16)
            continue;
        CHECK_EQ(vk_sendto(from, "datagram", 8, 0, "10.0.2.2", PORT), 8);
        sent++;
        sim_sleep(us(100));
        received += vk_recv(to, text, sizeof text, MSG_DONTWAIT) == 8;
    }
    sim_sleep(ms(100));
    while (vk_recv(to, text, sizeof text, MSG_DONTWAIT) == 8)
        received++;
    CHECK_EQ(received, sent);
    vk_close(from);
    vk_close(to);
    chain_destroy(&c);
}
