/* net/ipv4/raw.c - raw sockets, raw(7): a program's own protocol over IP, and the way ping(8) sees ICMP.
 * Received datagrams begin with their IP header; to sent ones the kernel puts it. */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

struct raw_sock {
    struct sock sk;       /* first */
    uint32_t icmp_filter; /* ICMP_FILTER: bit n set: no messages of type n */
};

struct raw_state {
    struct lock lock;         /* SOCK_TABLE: sockets; with each one's own lock: their saddr and daddr */
    struct list_head sockets; /* struct sock.bind_link; a reference each */
    uint32_t count;           /* read without the lock: usually there is none */
    struct sock_family family;
    struct net_proc_file file;
};

/* ---- receive ---- */

/* ICMP_FILTER, raw(7): is this a type that the program does not care for? */
static bool filtered(const struct sock *sk, const struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    const uint8_t *type = (const uint8_t *)ip + ip_hdr_len(ip);

    if (sk->protocol != IPPROTO_ICMP || type >= skb->tail || *type >= 32)
        return false;
    return READ_ONCE(((const struct raw_sock *)sk)->icmp_filter) >> *type & 1;
}

static bool wants(const struct sock *sk, const struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    uint32_t bound_ifindex = READ_ONCE(sk->bound_ifindex);

    return sk->protocol == ip->protocol && !filtered(sk, skb) &&
           (ipv4_is_zero(sk->saddr) || be32_equal(sk->saddr, ip->daddr)) &&
           (ipv4_is_zero(sk->daddr) || be32_equal(sk->daddr, ip->saddr)) &&
           (!bound_ifindex || bound_ifindex == skb->dev->ifindex);
}

static void queue(struct sock *sk, struct sk_buff *skb)
{
    int err = -ENOBUFS;

    if (ipv4_is_multicast(ip_hdr(skb)->daddr) &&
        !ip_group_allowed(sk, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr, skb->dev->ifindex)) {
        consume_skb(skb); /* a filter of sources of its own: not lost, not wanted */
        return;
    }
    inet_cb(skb)->ifindex = skb->dev->ifindex;
    lock_acquire(&sk->lock);
    inet_cb(skb)->drops = sk->drops;
    if (!sk->dead)
        err = sock_queue_rcv_skb(sk, skb);
    lock_release(&sk->lock);
    if (err)
        kfree_skb_reason(skb, SKB_DROP_SOCKET_RCVBUF_FULL);
}

/* The i-th socket that wants skb, with a reference, or NULL. */
static struct sock *nth_wanting(struct raw_state *raw, const struct sk_buff *skb, unsigned i)
{
    struct sock *sk, *found = NULL;

    lock_acquire(&raw->lock);
    list_for_each_entry (sk, &raw->sockets, bind_link) {
        if (wants(sk, skb) && i-- == 0) {
            found = sk;
            sock_hold(sk);
            break;
        }
    }
    lock_release(&raw->lock);
    return found;
}

bool raw_listens(const struct net *net)
{
    return net->raw && READ_ONCE(net->raw->count);
}

bool raw_deliver(struct net *net, struct sk_buff *skb)
{
    struct raw_state *raw = net->raw;
    struct sock *sk;
    unsigned n = 0;

    if (!raw || !READ_ONCE(raw->count))
        return false;
    /* a socket's lock ranks below the table's: find one, let go of the table, deliver, find the next */
    while ((sk = nth_wanting(raw, skb, n))) {
        struct sk_buff *clone = skb_clone(skb);
        if (clone)
            queue(sk, clone);
        sock_put(sk);
        n++;
    }
    return n > 0;
}

/* Could sk have sent the quoted packet? */
static bool may_have_sent(const struct sock *sk, const struct ip_hdr *quoted)
{
    return sk->protocol == quoted->protocol &&
           (ipv4_is_zero(sk->saddr) || be32_equal(sk->saddr, quoted->saddr)) &&
           (ipv4_is_zero(sk->daddr) || be32_equal(sk->daddr, quoted->daddr));
}

static struct sock *nth_sender(struct raw_state *raw, const struct ip_hdr *quoted, unsigned i)
{
    struct sock *sk, *found = NULL;

    lock_acquire(&raw->lock);
    list_for_each_entry (sk, &raw->sockets, bind_link) {
        if (may_have_sent(sk, quoted) && i-- == 0) {
            found = sk;
            sock_hold(sk);
            break;
        }
    }
    lock_release(&raw->lock);
    return found;
}

void raw_error(struct net *net, struct sk_buff *skb, uint8_t type, uint8_t code, uint32_t info)
{
    const struct ip_hdr *quoted = (const struct ip_hdr *)skb->data;
    struct raw_state *raw = net->raw;
    struct sock *sk;

    if (!raw || !READ_ONCE(raw->count))
        return;
    for (unsigned n = 0; (sk = nth_sender(raw, quoted, n)); n++) {
        const uint8_t *payload = skb->data + (READ_ONCE(sk->hdrincl) ? 0 : ip_hdr_len(quoted));
        inet_sock_error(sk, skb, type, code, info, payload, cpu_to_be16(0));
        sock_put(sk);
    }
}

static ssize_t raw_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct sk_buff *skb;

    if (flags & MSG_ERRQUEUE)
        return inet_receive_error(sk, msg, flags);
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    int err = datagram_receive(sk, flags, &skb);
    if (err || !skb)
        return err;
    ssize_t n = datagram_copy(skb, msg, flags);
    ip_tell(sk, msg, skb);
    msg->name_len =
        msg->name ? (socklen_t)sockaddr_in_make(msg->name, ip_hdr(skb)->saddr, cpu_to_be16(0)) : 0;
    consume_skb(skb);
    return n;
}

/* ---- send ---- */

struct ends {
    be32 saddr, daddr;
    be16 sport, dport;
};

static struct ends ends_of(struct sock *sk)
{
    lock_acquire(&sk->lock);
    const struct ends ends = { sk->saddr, sk->daddr, sk->sport, sk->dport };
    lock_release(&sk->lock);
    return ends;
}

/* Look-ups read them under the table's lock, calls under the socket's, which is held. */
static void set_ends(struct sock *sk, be32 saddr, be32 daddr, be16 dport)
{
    lock_acquire(&sk->net->raw->lock);
    sk->saddr = saddr;
    sk->daddr = daddr;
    sk->dport = dport;
    lock_release(&sk->net->raw->lock);
}

/* To whom: the message says it, or connect() did. 0 or -errno. */
static int destination(struct sock *sk, const struct message *msg, be32 *daddr)
{
    be16 port;

    if (msg->name && msg->name_len)
        return sockaddr_in_parse((const struct sockaddr *)msg->name, msg->name_len, daddr, &port);
    *daddr = ends_of(sk).daddr;
    return ipv4_is_zero(*daddr) ? -EDESTADDRREQ : 0;
}

/* The message in a buffer of its own, charged to sk. 0 and *skb, or -errno. */
static int gather(struct sock *sk, struct message *msg, struct sk_buff **skb)
{
    size_t n = msg->iter.count;

    *skb = alloc_skb_headroom(sk->net, SKB_TX_HEADROOM, (uint32_t)n);
    if (!*skb)
        return -ENOBUFS;
    int err = copy_from_iter(skb_put(*skb, (uint32_t)n), n, &msg->iter);
    if (err)
        consume_skb(*skb);
    else
        skb_set_owner_w(*skb, sk);
    return err;
}

static int send_to(struct sock *sk, struct message *msg, struct dst_entry *dst, struct ip_tx *tx)
{
    bool hdrincl = READ_ONCE(sk->hdrincl);
    struct sk_buff *skb;

    if (hdrincl && msg->iter.count > dst->link_mtu) { /* ip(7): it is never fragmented here */
        inet_local_error(sk, EMSGSIZE, tx->daddr, cpu_to_be16(0), dst->link_mtu);
        return -EMSGSIZE;
    }
    int err = gather(sk, msg, &skb);
    if (err)
        return err;
    if (hdrincl)
        return ip_send_made(skb, dst);
    tx->saddr = dst->prefsrc;
    skb_reset_transport_header(skb);
    return ip_queue_xmit(sk->net, skb, dst, tx);
}

/* Find the way and send along it. 0 or -errno. */
static int send_by_route(struct sock *sk, struct message *msg, be32 daddr, const struct ip_wishes *w)
{
    struct ip_tx tx = { .saddr = ipv4_is_zero(w->saddr) ? ends_of(sk).saddr : w->saddr,
                        .daddr = daddr,
                        .protocol = (uint8_t)sk->protocol,
                        .ttl = w->ttl > 0 ? (uint8_t)w->ttl : READ_ONCE(sk->ttl),
                        .tos = w->tos >= 0 ? (uint8_t)w->tos : READ_ONCE(sk->tos),
                        .discover = (uint8_t)READ_ONCE(sk->pmtudisc),
                        .options = w->options.len ? &w->options : NULL };
    uint32_t ifindex = w->ifindex ? w->ifindex : READ_ONCE(sk->bound_ifindex);
    struct dst_entry *dst;

    if (ipv4_is_multicast(daddr))
        ip_group_choose(sk, w->ttl, &tx, &ifindex);
    int err = ip_route_output(sk->net, daddr, tx.saddr, ifindex, &dst);
    if (err)
        return err;
    if (dst->kind == DST_BROADCAST && !READ_ONCE(sk->broadcast))
        err = -EACCES;
    else
        err = send_to(sk, msg, dst, &tx);
    dst_release(dst);
    return err;
}

static ssize_t raw_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    size_t n = msg->iter.count;
    struct ip_wishes wishes;
    be32 daddr;

    if (n > IP_MAX_PACKET - (READ_ONCE(sk->hdrincl) ? 0 : sizeof(struct ip_hdr)))
        return -EMSGSIZE;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    lock_acquire(&sk->lock);
    int err = sock_error(sk);
    if (!err && sk->hdrincl && sk->shutdown & SEND_SHUTDOWN) /* not without, as in Linux */
        err = -EPIPE;
    if (!err)
        err = sock_wait_for_room(sk, sock_snd_deadline(sk, flags));
    lock_release(&sk->lock);
    if (!err)
        err = destination(sk, msg, &daddr);
    if (!err)
        err = ip_wishes_parse(msg, &wishes);
    if (!err && unlikely(READ_ONCE(sk->ip_options))) {
        lock_acquire(&sk->lock);
        ip_options_choose(sk, &wishes);
        lock_release(&sk->lock);
    }
    if (!err)
        err = send_by_route(sk, msg, daddr, &wishes);
    return err ? err : (ssize_t)n;
}

/* ---- the other calls ---- */

static int raw_init_sock(struct sock *sk)
{
    struct raw_state *raw = sk->net->raw;
    struct credentials me;

    credentials_now(&me);
    if (!me.net_raw) /* raw(7) */
        return -EPERM;
    if (!sk->protocol)
        return -EPROTONOSUPPORT;
    sk->hdrincl = sk->protocol == IPPROTO_RAW; /* raw(7) */
    sk->sport = cpu_to_be16(sk->protocol);     /* what getsockname() gives for a port, as in Linux */
    sock_hold(sk);
    lock_acquire(&raw->lock);
    list_add_tail(&sk->bind_link, &raw->sockets);
    WRITE_ONCE(raw->count, raw->count + 1);
    lock_release(&raw->lock);
    return 0;
}

static void raw_close(struct sock *sk)
{
    struct raw_state *raw = sk->net->raw;

    ip_group_leave_all(sk);
    lock_acquire(&raw->lock);
    list_del(&sk->bind_link);
    WRITE_ONCE(raw->count, raw->count - 1);
    lock_release(&raw->lock);
    lock_acquire(&sk->lock);
    sk->dead = true;
    lock_release(&sk->lock);
    sock_put(sk);
}

static int raw_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    be32 ip;
    be16 port;
    int err = sockaddr_in_parse(addr, len, &ip, &port);
    if (!err)
        err = inet_check_bind_address(sk, ip);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    set_ends(sk, ip, sk->daddr, sk->dport);
    sk->addr_named = !ipv4_is_zero(ip);
    lock_release(&sk->lock);
    return 0;
}

static int raw_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    be32 ip, local;
    be16 port;

    (void)flags;
    if (len >= sizeof(sa_family_t) && addr->sa_family == AF_UNSPEC) { /* connect(2) */
        lock_acquire(&sk->lock);
        set_ends(sk, sk->addr_named ? sk->saddr : (be32){ 0 }, (be32){ 0 }, (be16){ 0 });
        lock_release(&sk->lock);
        return 0;
    }
    int err = sockaddr_in_parse(addr, len, &ip, &port);
    if (!err)
        err = inet_datagram_route(sk, &ip, &local);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    set_ends(sk, local, ip, port);
    lock_release(&sk->lock);
    return 0;
}

static int raw_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    const struct ends ends = ends_of(sk);

    if (!peer)
        return sockaddr_in_make(addr, ends.saddr, ends.sport);
    return ends.dport.raw ? sockaddr_in_make(addr, ends.daddr, ends.dport) : -ENOTCONN; /* as in Linux */
}

/* Of a shorter value the other types stay as they are. */
static int set_filter(struct raw_sock *rs, const void *value, socklen_t len)
{
    lock_acquire(&rs->sk.lock);
    uint32_t filter = rs->icmp_filter;
    memcpy(&filter, value, MIN((size_t)len, sizeof filter));
    WRITE_ONCE(rs->icmp_filter, filter);
    lock_release(&rs->sk.lock);
    return 0;
}

/* SOL_RAW has one option, and that for ICMP alone: a mask of 32 types. */
static int raw_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    if (level == SOL_RAW && option == ICMP_FILTER) {
        if (sk->protocol != IPPROTO_ICMP)
            return -EOPNOTSUPP;
        return set_filter((struct raw_sock *)sk, value, len);
    }
    return level == SOL_IP ? ip_setsockopt(sk, option, value, len) : -ENOPROTOOPT;
}

static int raw_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    if (level == SOL_RAW && option == ICMP_FILTER) {
        if (sk->protocol != IPPROTO_ICMP)
            return -EOPNOTSUPP;
        uint32_t filter = READ_ONCE(((struct raw_sock *)sk)->icmp_filter);
        return sockopt_give(value, len, &filter, sizeof filter);
    }
    return level == SOL_IP ? ip_getsockopt(sk, option, value, len) : -ENOPROTOOPT;
}

static const struct sock_ops raw_ops = {
    .size = sizeof(struct raw_sock),
    .init = raw_init_sock,
    .close = raw_close,
    .bind = raw_bind,
    .connect = raw_connect,
    .sendmsg = raw_sendmsg,
    .recvmsg = raw_recvmsg,
    .shutdown = datagram_shutdown,
    .getname = raw_getname,
    .setsockopt = raw_setsockopt,
    .getsockopt = raw_getsockopt,
    .ioctl = datagram_ioctl,
    .poll = datagram_poll,
};

/* As Linux prints it: the protocol stands where a port would. */
static void raw_show(struct net *net, struct textbuf *out)
{
    enum { ESTABLISHED = 1, CLOSE = 7 };
    struct sock *sk;

    textbuf_printf(out, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
                        "   uid  timeout inode ref pointer drops\n");
    lock_acquire(&net->raw->lock);
    list_for_each_entry (sk, &net->raw->sockets, bind_link)
        textbuf_printf(
            out, "%4u: %08X:%04X %08X:%04X %02X %08lX:%08lX 00:00000000 00000000 %5u %8d %lu %d %016x %u\n",
            sk->protocol, sk->saddr.raw, sk->protocol, sk->daddr.raw, 0,
            ipv4_is_zero(sk->daddr) ? CLOSE : ESTABLISHED, (uint64_t)READ_ONCE(sk->wmem_alloc),
            (uint64_t)READ_ONCE(sk->rmem_alloc), sk->uid, 0, sk->ino, refcount_read(&sk->refs), 0,
            READ_ONCE(sk->drops));
    lock_release(&net->raw->lock);
}

static int raw_init(struct net *net)
{
    struct raw_state *raw = mem_alloc(sizeof *raw);
    if (!raw)
        return -ENOMEM;
    lock_init(&raw->lock, "raw sockets", RANK_SOCK_TABLE);
    list_init(&raw->sockets);
    raw->family =
        (struct sock_family){ .family = AF_INET, .type = SOCK_RAW, .ops = &raw_ops, .ioctl = inet_ioctl };
    sock_register(net, &raw->family);
    raw->file = (struct net_proc_file){ .name = "raw", .show = raw_show };
    net_proc_register(net, &raw->file);
    net->raw = raw;
    return 0;
}

static void raw_exit(struct net *net)
{
    net_proc_unregister(net, &net->raw->file);
    sock_unregister(net, &net->raw->family);
    mem_free(net->raw);
    net->raw = NULL;
}

const struct net_module raw_module = { .name = "raw", .init = raw_init, .exit = raw_exit };
