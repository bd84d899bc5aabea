/* net/udp/udp.c - UDP's sockets: their names, options, and the registration of the protocol.
 * An address field that a look-up reads is written under both locks, the socket's and the port table's. */
#include "lib/string.h"
#include "net/udp/udp_internal.h"

static struct port_table *ports_of(struct sock *sk)
{
    return &sk->net->udp->ports;
}

/* ---- names ---- */

static int udp_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    be32 ip;
    be16 port;
    int err = sockaddr_in_parse_bind(addr, len, &ip, &port);
    if (!err)
        err = inet_check_bind_address(sk, ip);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    err = port_table_bind(ports_of(sk), sk, ip, be16_to_cpu(port), NULL);
    if (!err) {
        sk->addr_named = !ipv4_is_zero(ip);
        sk->port_named = port.raw != 0;
    }
    lock_release(&sk->lock);
    return err;
}

int udp_autobind(struct sock *sk)
{
    return sk->bound ? 0 : port_table_bind(ports_of(sk), sk, sk->saddr, 0, NULL);
}

static int connect_to(struct sock *sk, be32 ip, be16 port)
{
    be32 local;
    int err = inet_datagram_route(sk, &ip, &local);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    err = udp_autobind(sk);
    if (!err)
        port_table_rename(ports_of(sk), sk, local, ip, port);
    lock_release(&sk->lock);
    return err;
}

/* udp(7): AF_UNSPEC dissolves the association; what bind() did not name was chosen for it, and goes too. */
static void dissolve(struct sock *sk)
{
    lock_acquire(&sk->lock);
    if (!sk->port_named) {
        port_table_unbind(ports_of(sk), sk);
        sk->sport = (be16){ 0 };
    }
    port_table_rename(ports_of(sk), sk, sk->addr_named ? sk->saddr : (be32){ 0 }, (be32){ 0 }, (be16){ 0 });
    lock_release(&sk->lock);
}

static int udp_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    be32 ip;
    be16 port;

    (void)flags;
    if (len >= sizeof(sa_family_t) && addr->sa_family == AF_UNSPEC) {
        dissolve(sk);
        return 0;
    }
    if (len < sizeof(sa_family_t))
        return -EINVAL;
    lock_acquire(&sk->lock);
    int err = udp_autobind(sk); /* whatever comes of the rest (Linux) */
    lock_release(&sk->lock);
    if (!err)
        err = sockaddr_in_parse(addr, len, &ip, &port);
    return err ? err : connect_to(sk, ip, port);
}

static int udp_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    int len = -ENOTCONN;

    lock_acquire(&sk->lock);
    if (!peer)
        len = sockaddr_in_make(addr, sk->saddr, sk->sport);
    else if (sk->dport.raw)
        len = sockaddr_in_make(addr, sk->daddr, sk->dport);
    lock_release(&sk->lock);
    return len;
}

/* ---- the end ---- */

static void udp_close(struct sock *sk)
{
    ip_group_leave_all(sk);
    udp_cork_forget(sk);
    lock_acquire(&sk->lock);
    sk->dead = true;
    port_table_unbind(ports_of(sk), sk);
    skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    skb_queue_purge(&sk->error_queue, SKB_DROP_SOCKET_CLOSED);
    lock_release(&sk->lock);
}

/* ---- options ---- */

static int set_cork(struct sock *sk, int on)
{
    lock_acquire(&sk->lock);
    udp_sk(sk)->cork = on;
    lock_release(&sk->lock);
    return on ? 0 : udp_uncork(sk);
}

static int set_segment(struct sock *sk, int size)
{
    if (size < 0 || size > UDP_MAX_PAYLOAD)
        return -EINVAL;
    udp_sk(sk)->segment = (uint16_t)size;
    return 0;
}

static int udp_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    int number;

    if (level == SOL_IP)
        return ip_setsockopt(sk, option, value, len);
    if (level != (int)IPPROTO_UDP)
        return -ENOPROTOOPT;
    if (len < sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    switch (option) {
    case UDP_CORK:
        return set_cork(sk, number != 0);
    case UDP_SEGMENT:
        return set_segment(sk, number);
    default:
        return -ENOPROTOOPT;
    }
}

static int udp_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    int number;

    if (level == SOL_IP)
        return ip_getsockopt(sk, option, value, len);
    if (level != (int)IPPROTO_UDP || (option != UDP_CORK && option != UDP_SEGMENT))
        return -ENOPROTOOPT;
    number = option == UDP_CORK ? udp_sk(sk)->cork : udp_sk(sk)->segment;
    return sockopt_give(value, len, &number, sizeof number);
}

const struct sock_ops udp_ops = {
    .size = sizeof(struct udp_sock),
    .close = udp_close,
    .bind = udp_bind,
    .connect = udp_connect,
    .sendmsg = udp_sendmsg,
    .recvmsg = udp_recvmsg,
    .shutdown = datagram_shutdown,
    .getname = udp_getname,
    .setsockopt = udp_setsockopt,
    .getsockopt = udp_getsockopt,
    .ioctl = datagram_ioctl,
    .poll = datagram_poll,
};

/* ---- /proc/net ---- */

static void show_socket(const struct sock *sk, unsigned slot, struct textbuf *out)
{
    char line[128];
    enum { ESTABLISHED = 1, CLOSE = 7 }; /* Linux shows UDP by TCP's states */

    ksnprintf(line, sizeof line,
              "%5u: %08X:%04X %08X:%04X %02X %08lX:%08lX %02X:%08X %08X %5u %8d %lu %d %p %u", slot,
              sk->saddr.raw, be16_to_cpu(sk->sport), sk->daddr.raw, be16_to_cpu(sk->dport),
              sk->dport.raw ? ESTABLISHED : CLOSE, (uint64_t)READ_ONCE(sk->wmem_alloc),
              (uint64_t)READ_ONCE(sk->rmem_alloc), 0u, 0u, 0u, sk->uid, 0, sk->ino, refcount_read(&sk->refs),
              NULL, READ_ONCE(sk->drops));
    textbuf_printf(out, "%-127s\n", line);
}

static void udp_show(struct net *net, struct textbuf *out)
{
    struct port_table *t = &net->udp->ports;
    struct sock *sk;

    textbuf_printf(out, "%-127s\n",
                   "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
                   "   uid  timeout inode ref pointer drops");
    lock_acquire(&t->lock);
    for (unsigned i = 0; i < PORT_BUCKETS; i++)
        list_for_each_entry (sk, &t->buckets[i], bind_link)
            show_socket(sk, i, out);
    lock_release(&t->lock);
}

static void show_snmp(struct net *net, struct textbuf *out)
{
    const struct udp_state *udp = net->udp;
    uint64_t errors = net_dropped(net, SKB_DROP_UDP_SHORT) + net_dropped(net, SKB_DROP_UDP_LENGTH) +
                      net_dropped(net, SKB_DROP_UDP_CSUM);

    textbuf_printf(out, "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
                        "InCsumErrors IgnoredMulti MemErrors\n");
    textbuf_printf(out, "Udp: %lu %lu %lu %lu %lu %lu %lu %lu 0\n", net_counted(&udp->in_datagrams),
                   net_dropped(net, SKB_DROP_UDP_NO_SOCKET), errors + net_counted(&udp->rcvbuf_errors),
                   net_counted(&udp->out_datagrams), net_counted(&udp->rcvbuf_errors),
                   net_counted(&udp->sndbuf_errors), net_dropped(net, SKB_DROP_UDP_CSUM),
                   net_dropped(net, SKB_DROP_UDP_NO_MEMBER));
    textbuf_printf(out, "UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
                        "InCsumErrors IgnoredMulti MemErrors\nUdpLite: 0 0 0 0 0 0 0 0 0\n"); /* not there */
}

enum { PAGE = 4096 }; /* what proc(5) counts memory in */

static void show_sockstat(struct net *net, struct textbuf *out)
{
    struct port_table *t = &net->udp->ports;
    struct sock *sk;
    unsigned inuse = 0;
    uint64_t bytes = 0;

    lock_acquire(&t->lock);
    for (unsigned i = 0; i < PORT_BUCKETS; i++)
        list_for_each_entry (sk, &t->buckets[i], bind_link) {
            inuse++;
            bytes += (uint64_t)__atomic_load_n(&sk->rmem_alloc, __ATOMIC_RELAXED);
        }
    lock_release(&t->lock);
    textbuf_printf(out, "UDP: inuse %u mem %lu\n", inuse, (bytes + PAGE - 1) / PAGE);
}

/* ---- registration ---- */

static const struct inet_protocol udp_protocol = { .handler = udp_rcv, .err_handler = udp_err };

static int udp_init(struct net *net)
{
    struct udp_state *udp = mem_alloc(sizeof *udp);
    if (!udp)
        return -ENOMEM;
    net->udp = udp;
    port_table_init(&udp->ports, "UDP ports");
    udp->family = (struct sock_family){
        .family = AF_INET, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP, .ops = &udp_ops, .ioctl = inet_ioctl
    };
    sock_register(net, &udp->family);
    udp->file = (struct net_proc_file){ .name = "udp", .show = udp_show };
    net_proc_register(net, &udp->file);
    udp->snmp_section = (struct net_proc_file){ .name = "snmp", .show = show_snmp, .order = 2 };
    net_proc_section_register(net, &udp->snmp_section);
    udp->sockstat_section = (struct net_proc_file){ .name = "sockstat", .show = show_sockstat };
    net_proc_section_register(net, &udp->sockstat_section);
    return inet_add_protocol(net, &udp_protocol, IPPROTO_UDP);
}

static void udp_exit(struct net *net)
{
    struct udp_state *udp = net->udp;

    inet_del_protocol(net, IPPROTO_UDP);
    net_proc_section_unregister(net, &udp->sockstat_section);
    net_proc_section_unregister(net, &udp->snmp_section);
    net_proc_unregister(net, &udp->file);
    sock_unregister(net, &udp->family);
    mem_free(udp);
    net->udp = NULL;
}

const struct net_module udp_module = { .name = "udp", .init = udp_init, .exit = udp_exit };
