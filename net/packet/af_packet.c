/* net/packet/af_packet.c - frames as a device sends and receives them, packet(7): SOCK_RAW with the link
 * header, SOCK_DGRAM without. packet_sock.h says what lies where and which lock guards it. */
#include "lib/string.h"
#include "net/packet/packet_sock.h"

uint16_t packet_bound_to(struct packet_sock *po, uint32_t *ifindex)
{
    lock_acquire(&po->queue_lock);
    uint16_t protocol = po->protocol;
    *ifindex = po->ifindex;
    lock_release(&po->queue_lock);
    return protocol;
}

/* ---- bind ---- */

/* Listen to protocol on a device from now on; protocol 0: to nothing. Lock held. */
static void listen_to(struct packet_sock *po, uint16_t protocol, uint32_t ifindex)
{
    lock_acquire(&po->queue_lock);
    po->protocol = protocol;
    po->ifindex = ifindex;
    lock_release(&po->queue_lock);
    if (protocol && !po->tapping)
        dev_add_pack(po->sk.net, &po->tap);
    if (!protocol && po->tapping)
        dev_remove_pack(po->sk.net, &po->tap);
    po->tapping = protocol;
}

static int packet_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    struct packet_sock *po = packet_sk(sk);
    struct sockaddr_ll ll;

    if (len < sizeof ll || addr->sa_family != AF_PACKET)
        return -EINVAL;
    memcpy(&ll, addr, sizeof ll);
    if (ll.sll_ifindex && !dev_get_by_index(sk->net, (uint32_t)ll.sll_ifindex))
        return -ENODEV;
    uint16_t protocol = be16_to_cpu((be16){ ll.sll_protocol });
    lock_acquire(&sk->lock);
    listen_to(po, protocol ? protocol : po->protocol, (uint32_t)ll.sll_ifindex);
    lock_release(&sk->lock);
    return 0;
}

static int packet_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    uint32_t ifindex;
    uint16_t protocol = packet_bound_to(packet_sk(sk), &ifindex);
    struct sockaddr_ll ll = { .sll_family = AF_PACKET,
                              .sll_ifindex = (int)ifindex,
                              .sll_protocol = cpu_to_be16(protocol).raw };
    const struct net_device *dev = ifindex ? dev_get_by_index(sk->net, ifindex) : NULL;

    if (peer)
        return -EOPNOTSUPP;
    if (dev) {
        ll.sll_hatype = dev->type;
        ll.sll_halen = ETH_ALEN;
        memcpy(ll.sll_addr, dev->dev_addr, ETH_ALEN);
    }
    memcpy(addr, &ll, sizeof ll);
    return (int)(offsetof(struct sockaddr_ll, sll_addr) + (dev ? ETH_ALEN : 0u));
}

/* ---- life ---- */

static int packet_init_sock(struct sock *sk)
{
    struct packet_sock *po = packet_sk(sk);
    struct packet_state *state = sk->net->packet;
    struct credentials me;

    credentials_now(&me);
    if (!me.net_raw) /* packet(7) */
        return -EPERM;
    lock_init(&po->queue_lock, "packet socket", RANK_PACKET);
    list_init(&po->memberships);
    po->tap = (struct packet_type){ .type = ETH_P_ALL, .func = packet_tap };
    lock_acquire(&state->lock);
    list_add_tail(&po->link, &state->sockets);
    lock_release(&state->lock);
    lock_acquire(&sk->lock);
    listen_to(po, be16_to_cpu((be16){ sk->protocol }), 0);
    lock_release(&sk->lock);
    return 0;
}

static void packet_close(struct sock *sk)
{
    struct packet_sock *po = packet_sk(sk);
    struct packet_state *state = sk->net->packet;

    lock_acquire(&sk->lock);
    sk->dead = true;
    listen_to(po, 0, 0);
    lock_release(&sk->lock);
    packet_drop_memberships(po);
    lock_acquire(&state->lock);
    list_del(&po->link);
    lock_release(&state->lock);
    lock_acquire(&po->queue_lock);
    skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    struct shared_pages *pages = po->ring.pages;
    po->ring.pages = NULL;
    lock_release(&po->queue_lock);
    shared_pages_put(pages);
    mem_free(po->filter);
    po->filter = NULL;
}

/* ---- the other calls ---- */

static int packet_poll(struct sock *sk)
{
    struct packet_sock *po = packet_sk(sk);
    int events = 0;

    lock_acquire(&po->queue_lock);
    if (po->ring.pages ? packet_ring_readable(&po->ring) : !skb_queue_empty(&sk->receive_queue))
        events |= POLLIN | POLLRDNORM;
    lock_release(&po->queue_lock);
    if (__atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED) < READ_ONCE(sk->sndbuf))
        events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
}

static struct shared_pages *packet_pages(struct sock *sk)
{
    struct packet_sock *po = packet_sk(sk);

    lock_acquire(&po->queue_lock);
    struct shared_pages *pages = po->ring.pages;
    if (pages)
        shared_pages_get(pages);
    lock_release(&po->queue_lock);
    return pages;
}

static int packet_ioctl(struct sock *sk, unsigned request, uintptr_t arg)
{
    struct packet_sock *po = packet_sk(sk);
    int bytes;

    if (request != FIONREAD && request != TIOCOUTQ)
        return -ENOTTY;
    lock_acquire(&po->queue_lock);
    const struct sk_buff *first = skb_peek(&sk->receive_queue);
    bytes = request == TIOCOUTQ ? (int)__atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED)
            : first             ? (int)first->len
                                : 0;
    lock_release(&po->queue_lock);
    return copy_to_user(arg, &bytes, sizeof bytes);
}

static const struct sock_ops packet_ops = {
    .size = sizeof(struct packet_sock),
    .init = packet_init_sock,
    .close = packet_close,
    .bind = packet_bind,
    .sendmsg = packet_sendmsg,
    .recvmsg = packet_recvmsg,
    .getname = packet_getname,
    .setsockopt = packet_setsockopt,
    .getsockopt = packet_getsockopt,
    .ioctl = packet_ioctl,
    .poll = packet_poll,
    .pages = packet_pages,
};

/* ---- /proc/net/packet ---- */

static void packet_show(struct net *net, struct textbuf *out)
{
    struct packet_state *state = net->packet;
    struct packet_sock *po;

    textbuf_printf(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
    lock_acquire(&state->lock);
    list_for_each_entry (po, &state->sockets, link) {
        uint32_t ifindex;
        uint16_t protocol = packet_bound_to(po, &ifindex);
        textbuf_printf(out, "%016x %-6d %-4d %04x   %-5u %1d %-6ld %-6u %-6lu\n", 0,
                       refcount_read(&po->sk.refs), po->sk.type, protocol, ifindex, protocol != 0,
                       READ_ONCE(po->sk.rmem_alloc), 0u, po->sk.ino);
    }
    lock_release(&state->lock);
}

/* ---- registration ---- */

static int packet_init(struct net *net)
{
    struct packet_state *state = mem_alloc(sizeof *state);

    if (!state)
        return -ENOMEM;
    net->packet = state;
    lock_init(&state->lock, "packet sockets", RANK_SOCK_TABLE);
    list_init(&state->sockets);
    state->raw = (struct sock_family){ .family = AF_PACKET, .type = SOCK_RAW, .ops = &packet_ops };
    sock_register(net, &state->raw);
    state->dgram = (struct sock_family){ .family = AF_PACKET, .type = SOCK_DGRAM, .ops = &packet_ops };
    sock_register(net, &state->dgram);
    state->file = (struct net_proc_file){ .name = "packet", .show = packet_show };
    net_proc_register(net, &state->file);
    return 0;
}

static void packet_exit(struct net *net)
{
    struct packet_state *state = net->packet;

    ASSERT(list_empty(&state->sockets));
    net_proc_unregister(net, &state->file);
    sock_unregister(net, &state->dgram);
    sock_unregister(net, &state->raw);
    mem_free(state);
    net->packet = NULL;
}

const struct net_module packet_module = { .name = "packet", .init = packet_init, .exit = packet_exit };
