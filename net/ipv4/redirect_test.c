/* net/ipv4/redirect_test.c - a host hears of a shorter way (RFC 1122 3.2.2.2). Its router is the
 * tap, 10.0.0.2. */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include <stdio.h>

enum { IP = FRAME_HEADER };
#define FAR  ip4(192, 0, 2, 9)
#define NEXT ip4(10, 0, 0, 3)

static struct host host_with_router(void)
{
    struct host h = host_create();

    CHECK_EQ(vk_add_route(h.vk, "0.0.0.0/0", "10.0.0.2"), 0);
    return h;
}

/* The next hop to an address. */
static uint32_t hop(const struct host *h, uint32_t to)
{
    struct dst_entry *dst;

    CHECK_EQ(ip_route_output(h->vk->net, cpu_to_be32(to), (be32){ 0 }, 0, &dst), 0);
    uint32_t gateway = be32_to_cpu(dst->gateway);
    dst_release(dst);
    return gateway;
}

/* router says: what you sent to FAR goes better by gateway. */
static void redirect(struct host *h, uint32_t router, uint32_t source, uint32_t gateway)
{
    uint8_t quote[FRAME_MAX];
    const struct packet quoted = {
        .protocol = PACKET_UDP, .saddr = source, .daddr = FAR, .sport = 1, .dport = 2
    };
    struct packet p = to_host(h, PACKET_ICMP);

    packet_build(&quoted, quote);
    p.saddr = router;
    p.icmp_type = ICMP_REDIRECT;
    p.icmp_code = ICMP_REDIR_HOST;
    p.icmp_rest = gateway;
    p.payload = quote + IP;
    p.payload_len = 28;
    tap_send(h->tap, &p);
    sim_run_for(us(10));
}

TEST(a_redirect_of_the_router_in_use_is_followed_for_a_while) /* RFC 1122 3.2.2.2, 3.3.1.2 */
{
    struct host h = host_with_router();

    CHECK_EQ(hop(&h, FAR), h.tap->ip);
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), NEXT);
    CHECK_EQ(hop(&h, FAR + 1), h.tap->ip);                 /* for that host alone */
    redirect(&h, h.tap->ip, h.vk->addr, ip4(10, 0, 0, 4)); /* no longer the router in use */
    CHECK_EQ(hop(&h, FAR), NEXT);
    redirect(&h, NEXT, h.vk->addr, ip4(10, 0, 0, 4));
    CHECK_EQ(hop(&h, FAR), ip4(10, 0, 0, 4));
    sim_run_for(sec(301));
    CHECK_EQ(hop(&h, FAR), h.tap->ip);
    host_destroy(&h);
}

TEST(a_redirect_that_could_be_made_up_is_not_followed) /* RFC 1122 3.2.2.2 */
{
    struct host h = host_with_router();
    const struct {
        uint32_t router, source, gateway;
    } lies[] = {
        { NEXT, h.vk->addr, ip4(10, 0, 0, 4) },        /* not the router in use */
        { h.tap->ip, ip4(10, 0, 0, 77), NEXT },        /* about a packet of somebody else's */
        { h.tap->ip, h.vk->addr, ip4(192, 0, 2, 1) },  /* to a gateway that is not on the link */
        { h.tap->ip, h.vk->addr, h.vk->addr },         /* to ourselves */
        { h.tap->ip, h.vk->addr, ip4(10, 0, 0, 255) }, /* to everybody */
        { h.tap->ip, h.vk->addr, ip4(224, 0, 0, 1) },  { h.tap->ip, h.vk->addr, 0 },
        { h.tap->ip, h.vk->addr, ip4(127, 0, 0, 1) },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
        redirect(&h, lies[i].router, lies[i].source, lies[i].gateway);
        CHECK_EQ(hop(&h, FAR), h.tap->ip);
        CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_REDIRECT), i + 1);
    }
    struct packet p = to_host(&h, PACKET_ICMP);
    p.icmp_type = ICMP_REDIRECT; /* that quotes nothing */
    tap_send(h.tap, &p);
    sim_run_for(us(10));
    CHECK_EQ(host_drops(&h, SKB_DROP_ICMP_SHORT), 1);
    host_destroy(&h);
}

static void set(const struct host *h, const char *knob, const char *value)
{
    char path[64];

    snprintf(path, sizeof path, "net/ipv4/conf/%s", knob);
    CHECK_EQ(net_sysctl_set(h->vk->net, path, value), 0);
}

TEST(who_does_not_want_redirects_does_not_follow_them) /* ip-sysctl: accept_redirects, either */
{
    struct host h = host_with_router();

    set(&h, "all/accept_redirects", "0");
    set(&h, "eth0/accept_redirects", "0");
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), h.tap->ip);
    set(&h, "eth0/accept_redirects", "1");
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), NEXT);
    host_destroy(&h);
}

TEST(a_router_follows_redirects_only_if_told_so) /* RFC 1812 5.2.7.2 */
{
    struct host h = host_with_router();

    set(&h, "all/forwarding", "1");
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), h.tap->ip);
    set(&h, "all/accept_redirects", "1");
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), NEXT);
    host_destroy(&h);
}

TEST(secure_redirects_lead_to_known_gateways) /* ip-sysctl: secure_redirects, shared_media */
{
    struct host h = host_with_router();

    set(&h, "all/shared_media", "0");
    set(&h, "eth0/shared_media", "0");
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), h.tap->ip);
    CHECK_EQ(vk_add_route(h.vk, "198.51.100.0/24", "10.0.0.3"), 0);
    redirect(&h, h.tap->ip, h.vk->addr, NEXT);
    CHECK_EQ(hop(&h, FAR), NEXT);
    host_destroy(&h);
}
