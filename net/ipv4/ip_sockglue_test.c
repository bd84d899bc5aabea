/* net/ipv4/ip_sockglue_test.c - the options of SOL_IP and its control messages, ip(7), for each kind of
 * socket. */
#include "net/core/sock.h"
#include "net/ipv4/host_test.h"
#include "net/ipv4/icmp.h"
#include <netinet/in.h>

enum { PORT = 7 };

static const struct kind {
    int type, protocol;
} kinds[] = {
    { SOCK_DGRAM, IPPROTO_UDP },
    { SOCK_DGRAM, IPPROTO_ICMP },
    { SOCK_RAW, IPPROTO_ICMP },
    { SOCK_STREAM, IPPROTO_TCP },
};
enum { DATAGRAM_KINDS = 3 }; /* the first of kinds: those that take and give control messages */

static struct sock *socket_of(const struct host *h, const struct kind *k)
{
    struct sock *sk = NULL;

    CHECK_EQ(sock_create(h->vk->net, AF_INET, k->type, k->protocol, &sk), 0);
    return sk;
}

/* ---- options ---- */

static void check_options(struct sock *sk)
{
    static const struct {
        int option, at_first, value;
    } options[] = {
        { IP_TTL, 64, 7 },    { IP_TOS, 0, 0x10 },   { IP_MTU_DISCOVER, IP_PMTUDISC_WANT, IP_PMTUDISC_DO },
        { IP_RECVTTL, 0, 1 }, { IP_RECVTOS, 0, 1 },  { IP_PKTINFO, 0, 1 },
        { IP_RECVERR, 0, 1 }, { IP_FREEBIND, 0, 1 }, { IP_BIND_ADDRESS_NO_PORT, 0, 1 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, options[i].option), options[i].at_first);
        CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, options[i].option, options[i].value), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) { /* none wrote where another reads */
        CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, options[i].option), options[i].value);
        CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, options[i].option, options[i].at_first), 0);
        CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, options[i].option), options[i].at_first);
    }
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, 9999, 1), -ENOPROTOOPT);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, 9999), -ENOPROTOOPT);
    CHECK_EQ(vk_setsockopt_int(sk, 9999, 1, 1), -ENOPROTOOPT);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MTU, 1000), -ENOPROTOOPT); /* it is only read */
}

TEST(each_option_of_ip_is_read_back_as_it_was_set_on_each_kind_of_socket) // ip(7)
{
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct sock *sk = socket_of(&h, &kinds[i]);
        bool raw = kinds[i].type == SOCK_RAW;
        check_options(sk);
        CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_HDRINCL, 1), raw ? 0 : -ENOPROTOOPT);
        CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_HDRINCL), raw ? 1 : -ENOPROTOOPT);
        vk_close(sk);
    }
    host_destroy(&h);
}

TEST(values_that_ip_cannot_carry_are_refused_and_change_nothing) // RFC 1122 3.2.1.7: a TTL of zero
{
    static const int no_ttl[] = { -2, 0, 256 }, no_mode[] = { -1, 6 };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_TTL, 255), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(no_ttl); i++)
        CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_TTL, no_ttl[i]), -EINVAL);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_TTL), 255);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_TTL, -1), 0); /* the default again */
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_TTL), 64);
    for (unsigned i = 0; i < ARRAY_SIZE(no_mode); i++)
        CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_MTU_DISCOVER, no_mode[i]), -EINVAL);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_byte_will_do_for_a_small_option) // ip(7), as old programs pass it
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    uint8_t bytes[4] = { 9, 0xee, 0xee, 0xee };
    socklen_t len = 1;

    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_TTL, bytes, 1), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_TTL), 9);
    bytes[0] = 0;
    CHECK_EQ(sock_getsockopt(sk, SOL_IP, IP_TTL, bytes, &len), 0);
    CHECK(len == 1 && bytes[0] == 9 && bytes[1] == 0xee);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_TTL, bytes, 0), -EINVAL);
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_mtu_of_the_way_is_told_to_who_is_connected) // ip(7), IP_MTU
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_MTU), -ENOTCONN);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", 9), 0);
    CHECK_EQ(vk_getsockopt_int(sk, SOL_IP, IP_MTU), 1500);
    vk_close(sk);
    host_destroy(&h);
}

/* ---- control messages ---- */

struct control {
    uint64_t words[32]; /* aligned */
    size_t len;
};

static void add(struct control *c, int level, int type, const void *data, size_t n)
{
    struct cmsghdr header = { .cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type };

    memcpy((char *)c->words + c->len, &header, sizeof header);
    memcpy((char *)c->words + c->len + CMSG_LEN(0), data, n);
    c->len += CMSG_SPACE(n);
}

/* An echo request to the tap's station (UDP: its bytes as a payload) with these wishes. */
static ssize_t send_with(struct sock *sk, struct control *c)
{
    struct icmp_hdr request = { .type = ICMP_ECHO, .check = cpu_to_be16(0xf7ff) };
    const struct sockaddr_in in = { .sin_family = AF_INET,
                                    .sin_port = htons(9),
                                    .sin_addr.s_addr = htonl(ip4(10, 0, 0, 2)) };
    struct sockaddr_storage to = { 0 };
    struct io_vector v = { (uintptr_t)&request, sizeof request };
    struct message msg = { .name = &to, .name_len = sizeof in, .control = c->words, .control_len = c->len };

    memcpy(&to, &in, sizeof in);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    return sock_sendmsg(sk, &msg, 0);
}

static ssize_t send_number(struct sock *sk, int type, int number)
{
    struct control c = { .len = 0 };

    add(&c, SOL_IP, type, &number, sizeof number);
    return send_with(sk, &c);
}

static uint8_t protocol_of(const struct kind *k)
{
    return k->protocol == IPPROTO_UDP ? PACKET_UDP : PACKET_ICMP;
}

TEST(a_control_message_rules_its_datagram_alone) // ip(7): IP_TTL, IP_TOS with sendmsg()
{
    struct host h = host_create();
    const uint8_t byte = 0x28;

    for (unsigned i = 0; i < DATAGRAM_KINDS; i++) {
        struct sock *sk = socket_of(&h, &kinds[i]);
        struct control c = { .len = 0 }, none = { .len = 0 };
        struct packet p;
        const int ttl = 3;
        add(&c, SOL_IP, IP_TTL, &ttl, sizeof ttl);
        add(&c, SOL_IP, IP_TOS, &byte, 1);
        add(&c, SOL_SOCKET + 4000, 1, &ttl, sizeof ttl); /* of another level: not IP's to judge */
        CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_TTL, 99), 0);
        CHECK_EQ(send_with(sk, &c), sizeof(struct icmp_hdr));
        EXPECT_IP(h.tap, &p, protocol_of(&kinds[i]));
        CHECK(p.ttl == 3 && p.tos == byte);
        CHECK_EQ(send_with(sk, &none), sizeof(struct icmp_hdr));
        EXPECT_IP(h.tap, &p, protocol_of(&kinds[i]));
        CHECK(p.ttl == 99 && p.tos == 0);
        vk_close(sk);
    }
    host_destroy(&h);
}

TEST(control_messages_that_make_no_sense_send_nothing) // ip(7), cmsg(3)
{
    static const struct {
        int type, number;
    } bad[] = { { IP_TTL, 0 },   { IP_TTL, 256 },   { IP_TTL, -1 },   { IP_TOS, -1 },
                { IP_TOS, 256 }, { IP_RECVERR, 1 }, { IP_PKTINFO, 0 } /* too short */ };
    struct host h = host_create();

    for (unsigned i = 0; i < DATAGRAM_KINDS; i++) {
        struct sock *sk = socket_of(&h, &kinds[i]);
        struct control byte = { .len = 0 }, torn = { .len = 0 };
        const struct in_pktinfo info = { .ipi_ifindex = 0 };
        for (unsigned k = 0; k < ARRAY_SIZE(bad); k++)
            CHECK_EQ(send_number(sk, bad[k].type, bad[k].number), -EINVAL);
        add(&byte, SOL_IP, IP_TTL, "\1", 1); /* only IP_TOS may be a byte */
        CHECK_EQ(send_with(sk, &byte), -EINVAL);
        add(&torn, SOL_IP, IP_PKTINFO, &info, sizeof info);
        torn.len -= 8; /* its length says more than there is */
        CHECK_EQ(send_with(sk, &torn), -EINVAL);
        vk_close(sk);
    }
    EXPECT_SILENCE(h.tap, ms(100));
    host_destroy(&h);
}

static ssize_t send_from(struct sock *sk, const char *source, int ifindex)
{
    const struct in_pktinfo info = { .ipi_ifindex = ifindex,
                                     .ipi_spec_dst.s_addr = htonl(vk_parse_ip(source, NULL)) };
    struct control c = { .len = 0 };

    add(&c, SOL_IP, IP_PKTINFO, &info, sizeof info);
    return send_with(sk, &c);
}

TEST(packet_info_chooses_source_and_device_among_ours) // ip(7), IP_PKTINFO; RFC 1122 3.2.1.3
{
    struct host h = host_create();
    int eth0 = (int)h.vk->nic->dev->ifindex;

    for (unsigned i = 0; i < DATAGRAM_KINDS; i++) {
        struct sock *sk = socket_of(&h, &kinds[i]);
        struct packet p;
        CHECK_EQ(send_from(sk, "10.0.0.1", eth0), sizeof(struct icmp_hdr));
        EXPECT_IP(h.tap, &p, protocol_of(&kinds[i]));
        CHECK_EQ(p.saddr, h.vk->addr);
        CHECK_EQ(send_from(sk, "10.0.0.77", 0), -EINVAL); /* not ours */
        CHECK(send_from(sk, "0.0.0.0", 99) < 0);          /* no such device */
        vk_close(sk);
    }
    EXPECT_SILENCE(h.tap, ms(100));
    host_destroy(&h);
}

/* A datagram of one byte from the station; its control messages go to c. MSG_CTRUNC and the like. */
static int receive_told(struct host *h, struct sock *sk, uint32_t to, struct control *c, size_t room)
{
    struct packet p = to_host(h, PACKET_UDP);
    char byte;
    struct io_vector v = { (uintptr_t)&byte, 1 };
    struct message msg = { .control = c->words, .control_len = room };

    p.daddr = to;
    p.sport = 4000;
    p.dport = PORT;
    p.ttl = 33;
    p.tos = 0x48;
    p.payload = "x";
    p.payload_len = 1;
    tap_send(h->tap, &p);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    CHECK_EQ(sock_recvmsg(sk, &msg, 0), 1);
    c->len = msg.control_used;
    return msg.flags;
}

/* Is there a control message of this type? Then its first n bytes. */
static bool told(const struct control *c, int type, void *data, size_t n)
{
    const struct message msg = { .control = (void *)c->words, .control_len = c->len };

    for (const struct cmsghdr *m = cmsg_first(&msg); m; m = cmsg_next(&msg, m)) {
        if (m->cmsg_level == SOL_IP && m->cmsg_type == type && m->cmsg_len >= CMSG_LEN(n)) {
            memcpy(data, CMSG_DATA(m), n);
            return true;
        }
    }
    return false;
}

TEST(a_receiver_is_told_what_it_asked_for_and_no_more) // ip(7): IP_RECVTTL, IP_RECVTOS, IP_PKTINFO
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct control c = { .len = 0 };
    struct in_pktinfo info;
    uint8_t tos = 0;
    int ttl = 0;

    CHECK_EQ(vk_bind(sk, NULL, PORT), 0);
    receive_told(&h, sk, h.vk->addr, &c, sizeof c.words);
    CHECK_EQ(c.len, 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVTTL, 1), 0);
    receive_told(&h, sk, h.vk->addr, &c, sizeof c.words);
    CHECK(told(&c, IP_TTL, &ttl, sizeof ttl) && ttl == 33);
    CHECK(!told(&c, IP_TOS, &tos, 1) && !told(&c, IP_PKTINFO, &info, sizeof info));
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVTOS, 1), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_PKTINFO, 1), 0);
    CHECK_EQ(receive_told(&h, sk, h.vk->addr, &c, sizeof c.words) & MSG_CTRUNC, 0);
    CHECK(told(&c, IP_TTL, &ttl, sizeof ttl) && told(&c, IP_TOS, &tos, 1) && tos == 0x48);
    CHECK(told(&c, IP_PKTINFO, &info, sizeof info));
    CHECK_EQ(info.ipi_ifindex, h.vk->nic->dev->ifindex);
    CHECK(ntohl(info.ipi_addr.s_addr) == h.vk->addr && ntohl(info.ipi_spec_dst.s_addr) == h.vk->addr);
    CHECK_EQ(receive_told(&h, sk, h.vk->addr, &c, CMSG_LEN(0)) & MSG_CTRUNC, MSG_CTRUNC); /* no room */
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_broadcast_s_packet_info_names_the_address_to_answer_from) // ip(7), IP_PKTINFO: ipi_spec_dst
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct control c = { .len = 0 };
    struct in_pktinfo info;

    CHECK_EQ(vk_bind(sk, NULL, PORT), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_PKTINFO, 1), 0);
    receive_told(&h, sk, ip4(10, 0, 0, 255), &c, sizeof c.words);
    CHECK(told(&c, IP_PKTINFO, &info, sizeof info));
    CHECK_EQ(ntohl(info.ipi_addr.s_addr), ip4(10, 0, 0, 255));
    CHECK_EQ(ntohl(info.ipi_spec_dst.s_addr), h.vk->addr);
    vk_close(sk);
    host_destroy(&h);
}

TEST(who_wants_no_more_errors_loses_those_that_wait) // ip(7), IP_RECVERR: off empties the queue
{
    struct vpair w = vpair_create(NULL);
    struct sock *sk = vk_socket(w.a, SOCK_DGRAM);
    char c;

    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 1), 0);
    CHECK_EQ(vk_sendto(sk, "x", 1, 0, "10.0.0.2", 9), 1);
    sim_sleep(ms(10));
    CHECK(sock_poll(sk) & POLLERR);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_IP, IP_RECVERR, 0), 0);
    CHECK_EQ(vk_recv(sk, &c, 1, MSG_ERRQUEUE | MSG_DONTWAIT), -EAGAIN);
    vk_close(sk);
    vpair_destroy(&w);
}
