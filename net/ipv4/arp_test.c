/* net/ipv4/arp_test.c - ARP on the wire: who is answered, what is learned, how patient we are. */
#include "net/ipv4/arp.h"
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include "sim/netconfig.h"

static struct packet arp(const struct host *h, uint16_t op, uint32_t sender, uint32_t target)
{
    struct packet p = {
        .ethertype = FRAME_ARP, .arp_op = op, .arp_sender_ip = sender, .arp_target_ip = target
    };

    memcpy(p.arp_sender_mac, h->tap->mac, 6);
    return p;
}

static void mute(struct host *h)
{
    h->tap->answers_arp = false;
}

static bool cache_holds(const struct host *h, const char *ip)
{
    char text[2000];
    struct textbuf t = { .buf = text, .size = sizeof text };

    net_proc_find(h->vk->net, "arp")->show(h->vk->net, &t);
    return strstr(text, ip) != NULL;
}

TEST(a_request_for_our_address_is_answered_to_the_asker) // RFC 826; checklist 1
{
    struct host h = host_create();
    struct packet p = arp(&h, FRAME_ARP_REQUEST, h.tap->ip, h.vk->addr);

    tap_send(h.tap, &p);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REPLY);
    CHECK(!memcmp(p.dst_mac, h.tap->mac, 6) && !memcmp(p.src_mac, host_mac(&h), 6));
    CHECK(!memcmp(p.arp_target_mac, h.tap->mac, 6) && !memcmp(p.arp_sender_mac, host_mac(&h), 6));
    CHECK(p.arp_sender_ip == h.vk->addr && p.arp_target_ip == h.tap->ip);
    CHECK(cache_holds(&h, "10.0.0.2"));
    host_destroy(&h);
}

TEST(a_request_for_another_address_is_neither_answered_nor_learned) // RFC 826; checklist 1, 2
{
    struct host h = host_create();
    struct packet p = arp(&h, FRAME_ARP_REQUEST, h.tap->ip, ip4(10, 0, 0, 77));

    tap_send(h.tap, &p);
    EXPECT_SILENCE(h.tap, sec(1));
    CHECK_EQ(host_drops(&h, SKB_DROP_ARP_NOT_FOR_US), 1);
    CHECK(!cache_holds(&h, "10.0.0.2"));
    host_destroy(&h);
}

TEST(an_entry_that_is_there_is_updated_by_any_packet) // RFC 826, the merge flag; checklist 2
{
    static const uint8_t moved[6] = { 2, 9, 9, 9, 9, 9 };
    struct host h = host_create();
    struct packet p;

    expect_alive(&h);
    mute(&h);
    p = arp(&h, FRAME_ARP_REQUEST, h.tap->ip, ip4(10, 0, 0, 77)); /* not for us */
    memcpy(p.arp_sender_mac, moved, 6);
    tap_send(h.tap, &p);
    h.tap->only_for_me = false;
    p = echo_request(&h, "x", 1);
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK(!memcmp(p.dst_mac, moved, 6));
    host_destroy(&h);
}

TEST(malformed_arp_is_dropped_and_counted) // RFC 826; checklist 3
{
    /* offset in the frame, value, reason */
    static const struct {
        unsigned at;
        uint8_t value;
        enum skb_drop_reason reason;
    } faults[] = {
        { 15, 6, SKB_DROP_ARP_BAD },           { 16, 0x86, SKB_DROP_ARP_BAD },
        { 18, 8, SKB_DROP_ARP_BAD },           { 19, 16, SKB_DROP_ARP_BAD },
        { 21, 3, SKB_DROP_ARP_BAD },           { 21, 0, SKB_DROP_ARP_BAD },
        { 22, 0x01, SKB_DROP_ARP_BAD_SENDER }, { 28, 224, SKB_DROP_ARP_BAD_SENDER },
        { 28, 127, SKB_DROP_ARP_BAD_SENDER },  { 31, 255, SKB_DROP_ARP_BAD_SENDER },
    };
    struct host h = host_create();
    uint8_t frame[FRAME_MAX];

    for (unsigned i = 0; i < ARRAY_SIZE(faults); i++) {
        struct packet p = arp(&h, FRAME_ARP_REQUEST, h.tap->ip, h.vk->addr);
        memset(p.dst_mac, 0xff, 6);
        memcpy(p.src_mac, h.tap->mac, 6);
        size_t n = packet_build(&p, frame);
        uint64_t before = host_drops(&h, faults[i].reason);
        frame[faults[i].at] = faults[i].value;
        tap_send_bytes(h.tap, frame, n);
        EXPECT_SILENCE(h.tap, sec(1));
        CHECK_EQ(host_drops(&h, faults[i].reason), before + 1);
    }
    for (size_t n = 14; n < 42; n++)
        tap_send_bytes(h.tap, frame, n);
    EXPECT_SILENCE(h.tap, sec(1));
    CHECK_EQ(host_drops(&h, SKB_DROP_ARP_SHORT), 28);
    expect_alive(&h);
    host_destroy(&h);
}

TEST(packets_wait_for_the_address_and_the_oldest_goes_first) // RFC 1122 2.3.2.2; checklist 4
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    mute(&h);
    for (uint8_t i = 0; i < 20; i++)
        CHECK_EQ(vk_sendto(sk, &i, 1, 0, "10.0.0.2", 9), 1);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    CHECK_EQ(host_drops(&h, SKB_DROP_NEIGH_QUEUE_FULL), 4);
    p = arp(&h, FRAME_ARP_REPLY, h.tap->ip, h.vk->addr);
    memcpy(p.dst_mac, host_mac(&h), 6);
    tap_send(h.tap, &p);
    for (uint8_t i = 4; i < 20; i++) {
        EXPECT_IP(h.tap, &p, PACKET_UDP);
        CHECK_EQ(*(const uint8_t *)p.payload, i);
    }
    vk_close(sk);
    host_destroy(&h);
}

TEST(requests_go_out_once_a_second_and_end) // RFC 1122 2.3.2.1, 2.4; checklist 5, 7
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;
    uint64_t last = 0;
    char c;

    mute(&h);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_send(sk, "x", 1, 0), 1);
    for (int i = 0; i < 3; i++) {
        EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
        CHECK(p.arp_target_ip == h.tap->ip && p.arp_sender_ip == h.vk->addr);
        CHECK(p.dst_mac[0] == 0xff);
        CHECK(!last || p.time - last >= sec(1));
        last = p.time;
    }
    CHECK_EQ(vk_recv(sk, &c, 1, 0), -EHOSTUNREACH);
    CHECK_EQ(host_drops(&h, SKB_DROP_NEIGH_UNREACHABLE), 1);
    EXPECT_SILENCE(h.tap, sec(30));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_stale_address_is_used_then_confirmed_then_given_up) // RFC 1122 2.3.2.1; checklist 6
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;

    CHECK_EQ(vk_sendto(sk, "a", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP);
    mute(&h);
    sim_run_for(sec(60));
    CHECK_EQ(vk_sendto(sk, "b", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_IP(h.tap, &p, PACKET_UDP); /* used at once */
    for (int i = 0; i < 3; i++) {
        EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST); /* and then its owner is asked */
        CHECK(!memcmp(p.dst_mac, h.tap->mac, 6));
    }
    sim_run_for(sec(2));
    CHECK_EQ(vk_sendto(sk, "c", 1, 0, "10.0.0.2", 9), 1);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST); /* from the start, by broadcast */
    CHECK(p.dst_mac[0] == 0xff);
    vk_close(sk);
    host_destroy(&h);
}

TEST(an_address_probe_is_answered_but_teaches_nothing) // RFC 5227 1.1, 2.1
{
    struct host h = host_create();
    struct packet p = arp(&h, FRAME_ARP_REQUEST, 0, h.vk->addr);

    tap_send(h.tap, &p);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REPLY);
    CHECK(!cache_holds(&h, "0.0.0.0"));
    host_destroy(&h);
}

TEST(our_address_is_announced_and_defended_once_in_a_while) // RFC 5227 2.3, 2.4; checklist 8
{
    struct host h = host_create();
    struct packet p = arp(&h, FRAME_ARP_REQUEST, h.vk->addr, h.vk->addr); /* somebody claims it */

    for (int i = 0; i < 5; i++)
        tap_send(h.tap, &p);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    CHECK(p.arp_sender_ip == h.vk->addr && p.arp_target_ip == h.vk->addr);
    CHECK(!memcmp(p.arp_sender_mac, host_mac(&h), 6));
    EXPECT_SILENCE(h.tap, sec(9));
    host_destroy(&h);
}

TEST(a_flood_of_senders_does_not_fill_memory) // checklist 22's idea, for neighbours
{
    struct host h = host_create();

    for (uint32_t i = 0; i < 3000; i++) {
        struct packet p = arp(&h, FRAME_ARP_REQUEST,
                              ip4(10, 0, (uint8_t)(1 + i / 250), (uint8_t)(1 + i % 250)), h.vk->addr);
        tap_send(h.tap, &p);
        sim_run_for(us(10));
    }
    tap_flush(h.tap);
    CHECK(sim_live_objects() < 1600);
    expect_alive(&h);
    host_destroy(&h);
}

/* ---- knobs ---- */

static bool is_answered(struct host *h, uint32_t sender, uint32_t target)
{
    struct packet p = arp(h, FRAME_ARP_REQUEST, sender, target);
    bool came = false;

    tap_send(h->tap, &p);
    while (tap_receive(h->tap, &p, ms(1)))
        came |= p.ethertype == FRAME_ARP && p.arp_op == FRAME_ARP_REPLY && p.arp_sender_ip == target &&
                !memcmp(p.arp_sender_mac, host_mac(h), 6);
    return came;
}

static void set(struct host *h, const char *knob, const char *value)
{
    CHECK_EQ(net_sysctl_set(h->vk->net, knob, value), 0);
}

/* A second card on w: eth1, 10.7.0.1/24. */
static struct vnic *other_link(struct host *h, struct wire *w)
{
    static const uint8_t mac[6] = { 2, 9, 0, 0, 0, 1 };
    struct vnic *nic = vnic_create(h->vk->net, "eth1", mac, w, NULL);

    CHECK_EQ(netconfig_address(h->vk->net, "eth1", ip4(10, 7, 0, 1), 24), 0);
    return nic;
}

TEST(which_of_our_addresses_are_answered_for_is_a_knob) // arp_ignore, as Linux
{
    struct host h = host_create();
    struct wire *other_wire = wire_create("other");
    struct vnic *nic = other_link(&h, other_wire);
    uint32_t near = h.vk->addr, other = ip4(10, 7, 0, 1);

    CHECK(is_answered(&h, h.tap->ip, near));
    CHECK(is_answered(&h, h.tap->ip, other)); /* RFC 1122 3.3.4.2: the weak model */
    CHECK(!is_answered(&h, h.tap->ip, ip4(127, 0, 0, 1)));
    set(&h, "net/ipv4/conf/eth0/arp_ignore", "1");
    CHECK(is_answered(&h, h.tap->ip, near) && !is_answered(&h, h.tap->ip, other));
    set(&h, "net/ipv4/conf/all/arp_ignore", "2");
    CHECK(is_answered(&h, h.tap->ip, near) && !is_answered(&h, ip4(10, 9, 0, 1), near));
    set(&h, "net/ipv4/conf/all/arp_ignore", "8");
    CHECK(!is_answered(&h, h.tap->ip, near));
    vnic_destroy(nic);
    wire_destroy(other_wire);
    host_destroy(&h);
}

TEST(a_router_answers_for_those_behind_it_where_it_is_told_to) // RFC 1027; proxy_arp
{
    struct host h = host_create();
    struct wire *other_wire = wire_create("other");
    struct vnic *nic = other_link(&h, other_wire);
    uint32_t behind = ip4(10, 7, 0, 9);

    set(&h, "net/ipv4/ip_forward", "1");
    CHECK(!is_answered(&h, h.tap->ip, behind));
    set(&h, "net/ipv4/conf/eth0/proxy_arp", "1");
    CHECK(is_answered(&h, h.tap->ip, behind));
    CHECK(cache_holds(&h, "10.0.0.2"));                     /* who asks will send */
    CHECK(!is_answered(&h, h.tap->ip, ip4(10, 0, 0, 77)));  /* on the asker's own link */
    CHECK(!is_answered(&h, h.tap->ip, ip4(172, 16, 0, 1))); /* nowhere */
    CHECK(!is_answered(&h, 0, behind));                     /* a probe: RFC 5227 2.1 */
    CHECK(!is_answered(&h, behind, behind));                /* an announcement */
    set(&h, "net/ipv4/ip_forward", "0");
    CHECK(!is_answered(&h, h.tap->ip, behind));
    vnic_destroy(nic);
    wire_destroy(other_wire);
    host_destroy(&h);
}

TEST(an_address_is_announced_unless_that_is_switched_off) // RFC 5227 2.3; arp_notify
{
    struct host h = host_create();
    struct packet p;

    CHECK_EQ(netconfig_address(h.vk->net, "eth0", ip4(10, 0, 0, 5), 24), 0);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    CHECK(p.arp_sender_ip == ip4(10, 0, 0, 5) && p.arp_target_ip == ip4(10, 0, 0, 5));
    sim_run_for(sec(1)); /* more than once, as address and netmask come one behind the other */
    tap_flush(h.tap);
    set(&h, "net/ipv4/conf/eth0/arp_notify", "0");
    CHECK_EQ(netconfig_address(h.vk->net, "eth0", ip4(10, 0, 0, 1), 24), 0);
    EXPECT_SILENCE(h.tap, sec(1));
    host_destroy(&h);
}

TEST(an_address_is_defended_whether_it_was_announced_or_not) // RFC 5227 2.4; arp_notify is about 2.3
{
    struct host h = host_create();
    struct packet p = arp(&h, FRAME_ARP_REQUEST, h.vk->addr, h.vk->addr);

    set(&h, "net/ipv4/conf/eth0/arp_notify", "0");
    tap_send(h.tap, &p);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    CHECK(p.arp_sender_ip == h.vk->addr && !memcmp(p.arp_sender_mac, host_mac(&h), 6));
    host_destroy(&h);
}

/* ---- life ---- */

static const struct net_device_ops never_opened = { 0 };

/* A sender or a received packet that was under way while the device closed may have made an entry since. */
TEST(a_device_that_goes_takes_its_neighbours_along)
{
    const uint8_t mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
    struct net *net = net_create("test");
    struct net_device *dev = alloc_netdev(0, "eth%d");

    dev->ops = &never_opened;
    CHECK_EQ(register_netdev(net, dev), 0);
    neigh_update(dev, ip_address(10, 0, 0, 9), mac, true, false);
    unregister_netdev(dev);
    free_netdev(dev);
    sim_run_for(sec(700)); /* the entry's timer would look at the device */
    net_destroy(net);
}
