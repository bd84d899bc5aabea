/* net/packet/packet_test.c - packet sockets between two virtual kernels: what they see, what they send. */
#include "lib/abi/socket.h"
#include "net/core/net_namespace.h"
#include "net/core/sock.h"
#include "sim/sim.h"
#include "sim/test.h"
#include "sim/vkernel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { ARP = 0x0806, IP = 0x0800, ALL = 3 };

static struct sock *packet_socket(struct vkernel *vk, int type, uint16_t protocol)
{
    struct sock *sk = NULL;

    CHECK_EQ(sock_create(vk->net, AF_PACKET, type, htons(protocol), &sk), 0);
    return sk;
}

static ssize_t receive(struct sock *sk, void *data, size_t n, struct sockaddr_ll *from)
{
    struct sockaddr_storage name = { 0 };
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .name = &name };
    ssize_t got;

    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    got = sock_recvmsg(sk, &msg, MSG_DONTWAIT);
    memcpy(from, &name, sizeof *from);
    return got;
}

/* One datagram from a to b, after their addresses are known. */
static void datagram(struct vpair *p)
{
    struct sock *sk = vk_socket(p->a, SOCK_DGRAM);

    vk_sendto(sk, "hello", 5, 0, "10.0.0.2", 9);
    sim_sleep(ms(20));
    vk_close(sk);
}

TEST(a_packet_socket_sees_what_comes_and_what_goes)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk;
    struct sockaddr_ll from;
    uint8_t frame[2000];
    unsigned out = 0, in = 0;

    datagram(&p);
    sk = packet_socket(p.a, SOCK_RAW, ALL);
    datagram(&p);
    for (ssize_t n; (n = receive(sk, frame, sizeof frame, &from)) > 0;) {
        CHECK(n >= 14 + 20 + 8);
        CHECK_EQ(frame[12] << 8 | frame[13], IP);
        CHECK_EQ(from.sll_protocol, htons(IP));
        out += from.sll_pkttype == PACKET_OUTGOING;
        in += from.sll_pkttype == PACKET_HOST; /* the port is unreachable */
    }
    CHECK_EQ(out, 1);
    CHECK_EQ(in, 1);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(a_packet_socket_of_one_protocol_hears_nothing_of_what_is_sent)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = packet_socket(p.b, SOCK_DGRAM, ARP);
    struct sockaddr_ll from;
    uint8_t packet[100];

    while (receive(sk, packet, sizeof packet, &from) > 0)
        ; /* what was announced */
    datagram(&p);
    CHECK(receive(sk, packet, sizeof packet, &from) >= 28);
    CHECK_EQ(packet[1], 1); /* no link header: ARP's hardware type */
    CHECK_EQ(packet[7], 1); /* a request */
    CHECK_EQ(from.sll_pkttype, PACKET_BROADCAST);
    CHECK_EQ(receive(sk, packet, sizeof packet, &from), -EAGAIN);
    vk_close(sk);
    vpair_destroy(&p);
}

static void attach(struct sock *sk, struct sock_filter *program, unsigned short n, int result)
{
    struct sock_fprog prog = { n, program };

    CHECK_EQ(sock_setsockopt(sk, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog), result);
}

TEST(a_filter_drops_and_cuts)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = packet_socket(p.b, SOCK_RAW, ALL);
    struct sock_filter udp[] = { { 0x28, 0, 0, 12 }, { 0x15, 0, 3, IP }, { 0x30, 0, 0, 23 },
                                 { 0x15, 0, 1, 17 }, { 6, 0, 0, 30 },    { 6, 0, 0, 0 } };
    struct tpacket_stats stats;
    struct sockaddr_ll from;
    socklen_t len = sizeof stats;
    uint8_t frame[100];

    attach(sk, udp, 6, 0);
    attach(sk, udp, 4, -EINVAL); /* the old one stays */
    attach(sk, (struct sock_filter *)1, 1, -EFAULT);
    attach(sk, NULL, 1, -EINVAL);
    while (receive(sk, frame, sizeof frame, &from) > 0)
        ;
    datagram(&p);
    CHECK_EQ(receive(sk, frame, sizeof frame, &from), 30);
    CHECK_EQ(receive(sk, frame, sizeof frame, &from), -EAGAIN);
    CHECK_EQ(sock_getsockopt(sk, SOL_PACKET, PACKET_STATISTICS, &stats, &len), 0);
    CHECK_EQ(stats.tp_packets, 1);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_DETACH_FILTER, 0), 0);
    CHECK_EQ(vk_setsockopt_int(sk, SOL_SOCKET, SO_DETACH_FILTER, 0), -ENOENT);
    vk_close(sk);
    vpair_destroy(&p);
}

TEST(a_packet_socket_that_nobody_reads_drops_and_counts)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk = packet_socket(p.a, SOCK_RAW, ALL);
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;

    vk_setsockopt_int(sk, SOL_SOCKET, SO_RCVBUF, 2000);
    for (int i = 0; i < 60; i++)
        datagram(&p);
    CHECK_EQ(sock_getsockopt(sk, SOL_PACKET, PACKET_STATISTICS, &stats, &len), 0);
    CHECK(stats.tp_packets >= 60 && stats.tp_drops > 30 && stats.tp_drops < stats.tp_packets);
    len = sizeof stats;
    sock_getsockopt(sk, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
    CHECK_EQ(stats.tp_packets, 0);
    vk_close(sk);
    vpair_destroy(&p);
}

static ssize_t send_frame(struct sock *sk, const void *data, size_t n, const struct sockaddr_ll *to)
{
    struct sockaddr_storage name = { 0 };
    struct io_vector v = { (uintptr_t)data, n };
    struct message msg = { .name = &name, .name_len = to ? sizeof *to : 0 };

    if (to)
        memcpy(&name, to, sizeof *to);
    iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
    return sock_sendmsg(sk, &msg, 0);
}

TEST(frames_are_sent_as_they_are_or_get_their_header)
{
    struct vpair p = vpair_create(NULL);
    struct sock *raw = packet_socket(p.a, SOCK_RAW, 0), *cooked = packet_socket(p.a, SOCK_DGRAM, 0);
    struct sock *listener = packet_socket(p.b, SOCK_RAW, 0x88b5); /* for experiments, IEEE 802 */
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88b5), .sll_halen = 6 }, from;
    uint8_t frame[60] = { 0 }, got[100];
    uint32_t ifindex = p.a->nic->dev->ifindex;

    memset(frame, 0xff, 6);
    frame[12] = 0x88, frame[13] = 0xb5, frame[14] = 0x77;
    memcpy(to.sll_addr, p.b->nic->dev->dev_addr, 6);
    CHECK_EQ(send_frame(raw, frame, sizeof frame, &to), -ENXIO);
    to.sll_ifindex = (int)ifindex;
    CHECK_EQ(send_frame(raw, frame, sizeof frame, &to), sizeof frame);
    CHECK_EQ(send_frame(raw, frame, 10, &to), -EINVAL);
    CHECK_EQ(send_frame(raw, frame, sizeof frame, NULL), -ENXIO);
    sim_sleep(ms(5));
    CHECK_EQ(receive(listener, got, sizeof got, &from), sizeof frame);
    CHECK(!memcmp(got, frame, sizeof frame));
    CHECK_EQ(from.sll_pkttype, PACKET_BROADCAST);
    CHECK_EQ(send_frame(cooked, "cooked", 6, &to), 6);
    sim_sleep(ms(5));
    CHECK(receive(listener, got, sizeof got, &from) >= 20);
    CHECK(!memcmp(got, p.b->nic->dev->dev_addr, 6) && !memcmp(got + 6, p.a->nic->dev->dev_addr, 6));
    CHECK(!memcmp(got + 14, "cooked", 6));
    vk_close(raw);
    vk_close(cooked);
    vk_close(listener);
    vpair_destroy(&p);
}

TEST(promiscuity_ends_with_the_last_who_asked_for_it)
{
    struct vpair p = vpair_create(NULL);
    struct sock *one = packet_socket(p.a, SOCK_RAW, ALL), *two = packet_socket(p.a, SOCK_RAW, ALL);
    struct net_device *dev = p.a->nic->dev;
    struct packet_mreq mreq = { .mr_ifindex = (int)dev->ifindex, .mr_type = PACKET_MR_PROMISC };

    CHECK_EQ(sock_setsockopt(one, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq), 0);
    CHECK_EQ(sock_setsockopt(one, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq), 0);
    CHECK_EQ(sock_setsockopt(two, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq), 0);
    CHECK(dev->flags & NETDEV_PROMISC);
    vk_close(two);
    CHECK(dev->flags & NETDEV_PROMISC);
    CHECK_EQ(sock_setsockopt(one, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mreq, sizeof mreq), 0);
    CHECK(dev->flags & NETDEV_PROMISC);
    CHECK_EQ(sock_setsockopt(one, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mreq, sizeof mreq), 0);
    CHECK(!(dev->flags & NETDEV_PROMISC));
    mreq.mr_ifindex = 99;
    CHECK_EQ(sock_setsockopt(one, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq), -ENODEV);
    vk_close(one);
    vpair_destroy(&p);
}

TEST(packet_and_raw_sockets_are_for_root)
{
    struct vpair p = vpair_create(NULL);
    struct sock *sk;

    sim_set_credentials(&(struct credentials){ .pid = 2, .uid = 1000, .euid = 1000 });
    CHECK_EQ(sock_create(p.a->net, AF_PACKET, SOCK_RAW, htons(ALL), &sk), -EPERM);
    CHECK_EQ(sock_create(p.a->net, AF_INET, SOCK_RAW, IPPROTO_ICMP, &sk), -EPERM);
    vpair_destroy(&p);
}

static void datagram_is_gone(void *skb)
{
    consume_skb(skb);
}

TEST(who_sends_frames_raw_packets_or_echoes_waits_for_room)
{
    static const struct {
        int family, type, protocol;
        size_t size;
    } rows[] = { { AF_PACKET, SOCK_RAW, 0, 60 },
                 { AF_INET, SOCK_RAW, IPPROTO_ICMP, 8 },
                 { AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 8 } };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct vpair p = vpair_create(NULL);
        struct sk_buff *on_its_way = alloc_skb(p.a->net, 1000);
        struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_ifindex = (int)p.a->nic->dev->ifindex };
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { inet_addr("10.0.0.2") } };
        struct sockaddr_storage name = { 0 };
        uint8_t data[60] = { 8 };
        struct io_vector v = { (uintptr_t)data, rows[i].size };
        struct message msg = { .name = &name, .name_len = rows[i].family == AF_INET ? sizeof in : sizeof ll };
        struct sock *sk;

        memcpy(&name, rows[i].family == AF_INET ? (void *)&in : (void *)&ll, msg.name_len);
        iov_iter_init(&msg.iter, ITER_KERNEL, &v, 1);
        CHECK_EQ(sock_create(p.a->net, rows[i].family, rows[i].type, rows[i].protocol, &sk), 0);
        sk->sndbuf = on_its_way->truesize;
        skb_set_owner_w(on_its_way, sk);
        CHECK_EQ(sock_sendmsg(sk, &msg, MSG_DONTWAIT), -EAGAIN);
        sim_before_wait(datagram_is_gone, on_its_way);
        CHECK_EQ(sock_sendmsg(sk, &msg, 0), rows[i].size);
        vk_close(sk);
        vpair_destroy(&p);
    }
}
