/* net/packet/packet_send.c - a frame that a program made, to the device. */
#include "lib/string.h"
#include "net/packet/packet_sock.h"

struct destination {
    struct net_device *dev;
    uint16_t protocol;
    uint8_t addr[ETH_ALEN];
    bool has_addr;
};

static int parse_name(const struct message *msg, struct sockaddr_ll *ll)
{
    if (msg->name_len < sizeof *ll)
        return -EINVAL;
    memcpy(ll, msg->name, sizeof *ll);
    return ll->sll_family == AF_PACKET ? 0 : -EINVAL;
}

static int find_destination(struct packet_sock *po, const struct message *msg, struct destination *to)
{
    uint32_t ifindex;
    uint16_t protocol = packet_bound_to(po, &ifindex);
    struct sockaddr_ll ll = { .sll_ifindex = (int)ifindex };
    int err = msg->name_len ? parse_name(msg, &ll) : 0;

    if (err)
        return err;
    to->protocol = msg->name_len ? be16_to_cpu((be16){ ll.sll_protocol }) : protocol;
    to->has_addr = ll.sll_halen >= ETH_ALEN;
    memcpy(to->addr, ll.sll_addr, ETH_ALEN);
    to->dev = dev_get_by_index(po->sk.net, (uint32_t)ll.sll_ifindex);
    if (!to->dev)
        return -ENXIO;
    return dev_flags(to->dev, NETDEV_UP) ? 0 : -ENETDOWN;
}

/* The message as a frame in a buffer of its own. 0 and *skb, or -errno. */
static int make_frame(struct packet_sock *po, struct message *msg, const struct destination *to,
                      struct sk_buff **out)
{
    size_t n = msg->iter.count;
    bool raw = po->sk.type == SOCK_RAW;

    if (n > READ_ONCE(to->dev->mtu) + (raw ? ETH_HLEN : 0u))
        return -EMSGSIZE;
    if (raw && n < ETH_HLEN)
        return -EINVAL;
    struct sk_buff *skb = alloc_skb_headroom(po->sk.net, SKB_TX_HEADROOM, (uint32_t)n);
    if (!skb)
        return -ENOBUFS;
    int err = copy_from_iter(skb_put(skb, (uint32_t)n), n, &msg->iter);
    if (err) {
        consume_skb(skb);
        return err;
    }
    skb->dev = to->dev;
    skb->protocol = cpu_to_be16(to->protocol);
    if (raw) {
        skb_reset_mac_header(skb);
    } else {
        skb_reset_network_header(skb);
        to->dev->link_type->create(skb, to->dev, to->protocol, to->has_addr ? to->addr : NULL);
    }
    *out = skb;
    return 0;
}

ssize_t packet_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    ssize_t n = (ssize_t)msg->iter.count;
    struct destination to;
    struct sk_buff *skb;

    int err = find_destination(packet_sk(sk), msg, &to);
    if (!err) {
        lock_acquire(&sk->lock);
        err = sock_wait_for_room(sk, sock_snd_deadline(sk, flags));
        lock_release(&sk->lock);
    }
    if (!err)
        err = make_frame(packet_sk(sk), msg, &to, &skb);
    if (err)
        return err;
    skb_set_owner_w(skb, sk);
    err = dev_queue_xmit(skb);
    return err ? err : n;
}
