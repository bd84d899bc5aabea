/* net/ipv4/ip_sockglue.c - the options of SOL_IP, ip(7). */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

/* An option's value may be a byte or an int. */
static int parse_int(const void *value, socklen_t len, int *number)
{
    if (len >= sizeof *number)
        memcpy(number, value, sizeof *number);
    else if (len >= 1)
        *number = *(const uint8_t *)value;
    else
        return -EINVAL;
    return 0;
}

static int set_ttl(struct sock *sk, int ttl)
{
    if (ttl != -1 && (ttl < 1 || ttl > 255)) /* RFC 1122 3.2.1.7: never zero */
        return -EINVAL;
    WRITE_ONCE(sk->ttl, ttl == -1 ? 0 : (uint8_t)ttl);
    return 0;
}

/* The option that decides about a kind of control message, or 0. */
static uint32_t receive_bit(int option)
{
    switch (option) {
    case IP_PKTINFO:
        return IP_RECEIVE_PKTINFO;
    case IP_RECVTTL:
        return IP_RECEIVE_TTL;
    case IP_RECVTOS:
        return IP_RECEIVE_TOS;
    case IP_RECVOPTS:
        return IP_RECEIVE_OPTIONS;
    case IP_RETOPTS:
        return IP_RECEIVE_RETOPTS;
    default:
        return 0;
    }
}

static bool *flag_of(struct sock *sk, int option)
{
    switch (option) {
    case IP_RECVERR:
        return &sk->recverr;
    case IP_FREEBIND:
        return &sk->freebind;
    case IP_BIND_ADDRESS_NO_PORT:
        return &sk->bind_no_port;
    case IP_HDRINCL:
        return sk->type == SOCK_RAW ? &sk->hdrincl : NULL;
    default:
        return NULL;
    }
}

static int set_pmtudisc(struct sock *sk, int value)
{
    enum { MODES = 6 }; /* DONT to OMIT, ip(7) and <linux/in.h> */

    if (value < 0 || value >= MODES)
        return -EINVAL;
    WRITE_ONCE(sk->pmtudisc, value);
    return 0;
}

static int set_locked(struct sock *sk, int option, int number)
{
    uint32_t bit = receive_bit(option);
    bool *flag = flag_of(sk, option);

    if (bit) {
        WRITE_ONCE(sk->ip_receive, number ? sk->ip_receive | bit : sk->ip_receive & ~bit);
        return 0;
    }
    if (flag) {
        WRITE_ONCE(*flag, number != 0);
        return 0;
    }
    switch (option) {
    case IP_TTL:
        return set_ttl(sk, number);
    case IP_TOS:
        WRITE_ONCE(sk->tos, (uint8_t)number);
        return 0;
    case IP_MTU_DISCOVER:
        return set_pmtudisc(sk, number);
    default:
        return -ENOPROTOOPT;
    }
}

int ip_setsockopt(struct sock *sk, int option, const void *value, socklen_t len)
{
    int number = 0, err = len ? parse_int(value, len, &number) : 0;
    struct sk_buff_head forgotten;
    struct sk_buff *skb;

    if (option >= IP_MULTICAST_IF && option <= IP_MULTICAST_ALL)
        return ip_group_setsockopt(sk, option, value, len);
    if (option == IP_OPTIONS)
        return ip_options_set(sk, value, len);
    if (err)
        return err;
    skb_queue_head_init(&forgotten);
    lock_acquire(&sk->lock);
    err = set_locked(sk, option, number);
    while (!sk->recverr && (skb = skb_dequeue(&sk->error_queue)))
        skb_queue_tail(&forgotten, skb);
    lock_release(&sk->lock);
    skb_queue_purge(&forgotten, SKB_DROP_SOCKET_CLOSED);
    return err;
}

/* IP_MTU: of the way to the peer. */
static int path_mtu(struct sock *sk, int *number)
{
    struct dst_entry *dst;

    if (ipv4_is_zero(sk->daddr))
        return -ENOTCONN;
    int err = ip_route_output(sk->net, sk->daddr, sk->saddr, sk->bound_ifindex, &dst);
    if (err)
        return -ENOTCONN;
    *number = (int)dst->mtu;
    dst_release(dst);
    return 0;
}

/* Lock held. */
static int get_locked(struct sock *sk, int option, int *number)
{
    const bool *flag = flag_of(sk, option);

    if (receive_bit(option)) {
        *number = (sk->ip_receive & receive_bit(option)) != 0;
        return 0;
    }
    if (flag) {
        *number = *flag;
        return 0;
    }
    switch (option) {
    case IP_TTL:
        *number = sk->ttl ? sk->ttl : IP_DEFAULT_TTL;
        return 0;
    case IP_TOS:
        *number = sk->tos;
        return 0;
    case IP_MTU_DISCOVER:
        *number = sk->pmtudisc;
        return 0;
    case IP_MTU:
        return path_mtu(sk, number);
    default:
        return -ENOPROTOOPT;
    }
}

static int get_number(struct sock *sk, int option, int *number)
{
    lock_acquire(&sk->lock);
    int err = get_locked(sk, option, number);
    lock_release(&sk->lock);
    return err;
}

int ip_getsockopt(struct sock *sk, int option, void *value, socklen_t *len)
{
    if (option >= IP_MULTICAST_IF && option <= IP_MULTICAST_ALL)
        return ip_group_getsockopt(sk, option, value, len);
    if (option == IP_OPTIONS)
        return ip_options_get(sk, value, len);
    int number, err = get_number(sk, option, &number);
    if (err)
        return err;
    if (*len && *len < sizeof number && number >= 0 && number <= 255) { /* ip(7): a byte will do */
        *(uint8_t *)value = (uint8_t)number;
        *len = 1;
        return 0;
    }
    return sockopt_give(value, len, &number, sizeof number);
}

/* ---- control messages ---- */

static int parse_pktinfo(const struct cmsghdr *c, struct ip_wishes *w)
{
    struct in_pktinfo info;

    if (c->cmsg_len != CMSG_LEN(sizeof info))
        return -EINVAL;
    memcpy(&info, CMSG_DATA(c), sizeof info);
    if (info.ipi_ifindex)
        w->ifindex = (uint32_t)info.ipi_ifindex;
    w->saddr.raw = info.ipi_spec_dst.s_addr;
    return 0;
}

/* A number within [low, 255]. */
static int parse_byte(const struct cmsghdr *c, int low, bool may_be_byte, int *number)
{
    if (c->cmsg_len == CMSG_LEN(sizeof *number))
        memcpy(number, CMSG_DATA(c), sizeof *number);
    else if (may_be_byte && c->cmsg_len == CMSG_LEN(1))
        *number = *CMSG_DATA(c);
    else
        return -EINVAL;
    return *number < low || *number > 255 ? -EINVAL : 0;
}

static int parse_wish(const struct cmsghdr *c, struct ip_wishes *w)
{
    if (c->cmsg_level != SOL_IP)
        return 0;
    switch (c->cmsg_type) {
    case IP_PKTINFO:
        return parse_pktinfo(c, w);
    case IP_TTL:
        return parse_byte(c, 1, false, &w->ttl);
    case IP_TOS:
        return parse_byte(c, 0, true, &w->tos);
    case IP_RETOPTS:
        return ip_options_wish(c, w);
    default:
        return -EINVAL;
    }
}

int ip_wishes_parse(const struct message *msg, struct ip_wishes *w)
{
    int err = 0;

    *w = (struct ip_wishes){ .ttl = -1, .tos = -1 };
    for (const struct cmsghdr *c = cmsg_first(msg); c && !err; c = cmsg_next(msg, c))
        err = cmsg_is_whole(msg, c) ? parse_wish(c, w) : -EINVAL;
    return err;
}

/* Our address on a link: where to a broadcast or a group may be answered from. */
static be32 address_of_device(struct net *net, uint32_t ifindex)
{
    const struct net_device *dev = dev_get_by_index(net, ifindex);

    return dev ? in_dev_address(dev) : (be32){ 0 };
}

void ip_tell(const struct sock *sk, struct message *msg, const struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    const int ttl = ip->ttl;
    struct in_pktinfo info = { .ipi_addr = { ip->daddr.raw }, .ipi_spec_dst = { ip->daddr.raw } };

    const uint32_t wanted = READ_ONCE(sk->ip_receive);

    sock_recv_stamp(sk, msg, skb);
    if (READ_ONCE(sk->rxq_ovfl) && inet_cb(skb)->drops)
        put_cmsg(msg, SOL_SOCKET, SO_RXQ_OVFL, &inet_cb(skb)->drops, sizeof inet_cb(skb)->drops);
    if (wanted & IP_RECEIVE_PKTINFO) {
        info.ipi_ifindex = (int)inet_cb(skb)->ifindex;
        if (inet_addr_kind(sk->net, ip->daddr, NULL) != DST_LOCAL)
            info.ipi_spec_dst.s_addr = address_of_device(sk->net, inet_cb(skb)->ifindex).raw;
        put_cmsg(msg, SOL_IP, IP_PKTINFO, &info, sizeof info);
    }
    if (wanted & IP_RECEIVE_TTL)
        put_cmsg(msg, SOL_IP, IP_TTL, &ttl, sizeof ttl);
    if (wanted & IP_RECEIVE_TOS)
        put_cmsg(msg, SOL_IP, IP_TOS, &ip->tos, sizeof ip->tos);
    if (wanted & (IP_RECEIVE_OPTIONS | IP_RECEIVE_RETOPTS))
        ip_options_tell(sk, msg, skb);
}
