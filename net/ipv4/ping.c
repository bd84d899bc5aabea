/* net/ipv4/ping.c - sockets that ask and hear by ICMP echo without being raw: (AF_INET, SOCK_DGRAM,
 * IPPROTO_ICMP), icmp(7). A program sends echo requests only; the identifier is the socket's, as a port is
 * UDP's, and only the replies that carry it come back. Data begin with the ICMP header, both ways. */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/ipv4/icmp.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

struct ping_state {
    struct port_table identifiers;
    struct sock_family family;
};

static struct port_table *identifiers_of(struct sock *sk)
{
    return &sk->net->ping->identifiers;
}

static be16 identifier_of(const struct icmp_hdr *ih)
{
    return cpu_to_be16((uint16_t)(be32_to_cpu(ih->rest) >> 16)); /* RFC 792: identifier, sequence number */
}

/* ---- receive ---- */

static struct sock *find(struct net *net, be32 local, be16 identifier, uint32_t ifindex)
{
    return port_table_lookup(&net->ping->identifiers, local, identifier, (be32){ 0 }, (be16){ 0 }, ifindex,
                             NULL);
}

enum skb_drop_reason ping_rcv(struct sk_buff *skb)
{
    struct net *net = skb->net;
    const struct icmp_hdr *ih = (const struct icmp_hdr *)skb->data;
    struct sock *sk = net->ping ? find(net, ip_hdr(skb)->daddr, identifier_of(ih), skb->dev->ifindex) : NULL;
    enum skb_drop_reason reason = SKB_NOT_DROPPED;

    if (!sk) { /* for a raw socket, or too late */
        consume_skb(skb);
        return SKB_NOT_DROPPED;
    }
    inet_cb(skb)->ifindex = skb->dev->ifindex;
    lock_acquire(&sk->lock);
    inet_cb(skb)->drops = sk->drops;
    if (sk->dead)
        reason = SKB_DROP_SOCKET_CLOSED;
    else if (sock_queue_rcv_skb(sk, skb))
        reason = SKB_DROP_SOCKET_RCVBUF_FULL;
    lock_release(&sk->lock);
    sock_put(sk);
    return reason;
}

void ping_err(struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    struct net *net = skb->net;
    const struct ip_hdr *quoted = (const struct ip_hdr *)skb->data;
    const struct icmp_hdr *ih = (const struct icmp_hdr *)(skb->data + ip_hdr_len(quoted));

    if (!net->ping || ih->type != ICMP_ECHO)
        return;
    struct sock *sk = find(net, quoted->saddr, identifier_of(ih), skb->dev->ifindex);
    if (!sk)
        return;
    inet_sock_error(sk, skb, type, code, info, (const uint8_t *)ih, cpu_to_be16(0));
    sock_put(sk);
}

static ssize_t ping_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct sk_buff *skb;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (flags & MSG_ERRQUEUE)
        return inet_receive_error(sk, msg, flags);
    int err = datagram_receive(sk, flags, &skb);
    if (err || !skb)
        return err;
    ssize_t n = datagram_copy(skb, msg, flags);
    ip_tell(sk, msg, skb);
    if (msg->name)
        msg->name_len = (socklen_t)sockaddr_in_make(msg->name, ip_hdr(skb)->saddr, cpu_to_be16(0));
    consume_skb(skb);
    return n;
}

/* ---- send ---- */

static int autobind(struct sock *sk)
{
    return sk->bound ? 0 : port_table_bind(identifiers_of(sk), sk, sk->saddr, 0, NULL);
}

/* Take what the send needs of sk, and give it an identifier. */
static int prepare(struct sock *sk, const struct message *msg, struct ip_wishes *w, int flags,
                   struct ip_tx *tx, uint32_t *ifindex)
{
    be16 port;
    int err = 0;

    lock_acquire(&sk->lock);
    tx->daddr = sk->daddr;
    if (msg->name_len)
        err = sockaddr_in_parse((const struct sockaddr *)msg->name, msg->name_len, &tx->daddr, &port);
    else if (ipv4_is_zero(sk->daddr))
        err = -EDESTADDRREQ;
    if (!err)
        err = sock_error(sk);
    if (!err && sk->shutdown & SEND_SHUTDOWN)
        err = -EPIPE;
    if (!err)
        err = autobind(sk);
    if (!err)
        err = sock_wait_for_room(sk, sock_snd_deadline(sk, flags));
    tx->saddr = ipv4_is_zero(w->saddr) ? sk->saddr : w->saddr;
    tx->protocol = IPPROTO_ICMP;
    tx->ttl = w->ttl > 0 ? (uint8_t)w->ttl : sk->ttl;
    tx->tos = w->tos >= 0 ? (uint8_t)w->tos : sk->tos;
    tx->discover = (uint8_t)sk->pmtudisc;
    tx->no_loop = tx->no_wire = false;
    ip_options_choose(sk, w);
    tx->options = w->options.len ? &w->options : NULL;
    *ifindex = w->ifindex ? w->ifindex : sk->bound_ifindex;
    if (ipv4_is_multicast(tx->daddr))
        ip_group_choose(sk, w->ttl, tx, ifindex);
    lock_release(&sk->lock);
    return err;
}

/* The program's echo request with our identifier and checksum. 0, -EINVAL: it is none. */
static int make_request(struct sk_buff *skb, be16 identifier)
{
    struct icmp_hdr *ih = (struct icmp_hdr *)skb->data;

    if (ih->type != ICMP_ECHO || ih->code)
        return -EINVAL;
    ih->rest = cpu_to_be32((uint32_t)be16_to_cpu(identifier) << 16 | (be32_to_cpu(ih->rest) & 0xffff));
    ih->check = cpu_to_be16(0);
    ih->check = csum_fold(csum_partial(ih, skb->len, 0));
    return 0;
}

static int send_along(struct sock *sk, struct message *msg, struct dst_entry *dst, struct ip_tx *tx)
{
    size_t n = msg->iter.count;
    struct sk_buff *skb;

    if (dst->kind == DST_BROADCAST && !sk->broadcast)
        return -EACCES;
    skb = alloc_skb_headroom(sk->net, SKB_TX_HEADROOM, (uint32_t)n);
    if (!skb)
        return -ENOBUFS;
    int err = copy_from_iter(skb_put(skb, (uint32_t)n), n, &msg->iter);
    if (!err)
        err = make_request(skb, sk->sport);
    if (err) {
        consume_skb(skb);
        return err;
    }
    skb_set_owner_w(skb, sk);
    skb_reset_transport_header(skb);
    tx->saddr = dst->prefsrc;
    if (ipv4_is_zero(tx->daddr))
        tx->daddr = dst->gateway;
    err = ip_queue_xmit(sk->net, skb, dst, tx);
    if (err == -EMSGSIZE)
        inet_local_error(sk, EMSGSIZE, tx->daddr, cpu_to_be16(0), dst->mtu);
    return err;
}

static ssize_t ping_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    size_t n = msg->iter.count;
    struct ip_wishes wishes;
    struct dst_entry *dst;
    struct ip_tx tx;
    uint32_t ifindex;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (n > IP_MAX_PACKET - sizeof(struct ip_hdr))
        return -EMSGSIZE;
    if (n < sizeof(struct icmp_hdr))
        return -EINVAL;
    int err = ip_wishes_parse(msg, &wishes);
    if (!err)
        err = prepare(sk, msg, &wishes, flags, &tx, &ifindex);
    if (!err)
        err = ip_route_output(sk->net, tx.daddr, tx.saddr, ifindex, &dst);
    if (err)
        return err;
    if (flags & MSG_CONFIRM)
        dst_confirm(dst);
    err = send_along(sk, msg, dst, &tx);
    dst_release(dst);
    return err ? err : (ssize_t)n;
}

/* ---- the other calls ---- */

static int ping_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    be32 ip;
    be16 identifier;
    int err = sockaddr_in_parse(addr, len, &ip, &identifier);

    if (!err)
        err = inet_check_bind_address(sk, ip);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    err = port_table_bind(identifiers_of(sk), sk, ip, be16_to_cpu(identifier), NULL);
    if (!err)
        sk->addr_named = !ipv4_is_zero(ip);
    lock_release(&sk->lock);
    return err;
}

static int ping_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    be32 ip, local;
    be16 port;

    (void)flags;
    if (len >= sizeof(sa_family_t) && addr->sa_family == AF_UNSPEC) { /* connect(2) */
        lock_acquire(&sk->lock);
        port_table_rename(identifiers_of(sk), sk, sk->addr_named ? sk->saddr : (be32){ 0 }, (be32){ 0 },
                          (be16){ 0 });
        lock_release(&sk->lock);
        return 0;
    }
    int err = sockaddr_in_parse(addr, len, &ip, &port);
    if (!err)
        err = inet_datagram_route(sk, &ip, &local);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    err = autobind(sk);
    if (!err)
        port_table_rename(identifiers_of(sk), sk, local, ip, (be16){ 0 });
    lock_release(&sk->lock);
    return err;
}

static int ping_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    int len = -ENOTCONN;

    lock_acquire(&sk->lock);
    if (!peer)
        len = sockaddr_in_make(addr, sk->saddr, sk->sport);
    else if (!ipv4_is_zero(sk->daddr))
        len = sockaddr_in_make(addr, sk->daddr, cpu_to_be16(0));
    lock_release(&sk->lock);
    return len;
}

static void ping_close(struct sock *sk)
{
    ip_group_leave_all(sk);
    lock_acquire(&sk->lock);
    sk->dead = true;
    port_table_unbind(identifiers_of(sk), sk);
    skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    skb_queue_purge(&sk->error_queue, SKB_DROP_SOCKET_CLOSED);
    lock_release(&sk->lock);
}

static int ping_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    return level == SOL_IP ? ip_setsockopt(sk, option, value, len) : -ENOPROTOOPT;
}

static int ping_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    return level == SOL_IP ? ip_getsockopt(sk, option, value, len) : -ENOPROTOOPT;
}

static const struct sock_ops ping_ops = {
    .size = sizeof(struct sock),
    .close = ping_close,
    .bind = ping_bind,
    .connect = ping_connect,
    .sendmsg = ping_sendmsg,
    .recvmsg = ping_recvmsg,
    .shutdown = datagram_shutdown,
    .getname = ping_getname,
    .setsockopt = ping_setsockopt,
    .getsockopt = ping_getsockopt,
    .ioctl = datagram_ioctl,
    .poll = datagram_poll,
};

static int ping_init(struct net *net)
{
    struct ping_state *ping = mem_alloc(sizeof *ping);

    if (!ping)
        return -ENOMEM;
    net->ping = ping;
    port_table_init(&ping->identifiers, "ICMP identifiers");
    ping->family = (struct sock_family){
        .family = AF_INET, .type = SOCK_DGRAM, .protocol = IPPROTO_ICMP, .ops = &ping_ops
    };
    sock_register(net, &ping->family);
    return 0;
}

static void ping_exit(struct net *net)
{
    sock_unregister(net, &net->ping->family);
    mem_free(net->ping);
    net->ping = NULL;
}

const struct net_module ping_module = { .name = "ping", .init = ping_init, .exit = ping_exit };
