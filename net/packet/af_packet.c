/* net/packet/af_packet.c - frames as a device sends and receives them, packet(7): SOCK_RAW with the link
 * header, SOCK_DGRAM without.
 *
 * Each socket that is bound to a protocol is a tap. A tap is called with the list of devices locked, below
 * which no socket lock may be taken: so the queue and the filter have a lock of their own, of rank PACKET.
 * sk->lock guards the rest. */
#include "lib/string.h"
#include "net/core/datagram.h"
#include "net/packet/packet.h"
#include "net/packet/ring.h"

struct packet_state {
    struct lock lock;         /* SOCK_TABLE: sockets */
    struct list_head sockets; /* packet_sock.link */
    struct sock_family raw, dgram;
    struct net_proc_file file;
};

/* A device that a socket made promiscuous. */
struct membership {
    struct list_head link;
    uint32_t ifindex;
    uint16_t type;
    unsigned count;
};

struct packet_sock {
    struct sock sk; /* first */
    struct list_head link;

    /* sk->lock */
    struct packet_type tap;
    bool tapping;
    struct list_head memberships;
    bool auxdata;

    struct lock queue_lock; /* PACKET: all below, and sk.receive_queue */
    struct sock_filter *filter;
    unsigned filter_len;
    uint16_t protocol; /* ETH_P_ALL, or host order */
    uint32_t ifindex;  /* 0: every device */
    bool ignore_outgoing;
    struct packet_ring ring; /* where frames go instead of the queue, if there is one */
    int version;             /* TPACKET_*: the form of the ring to be */
    uint32_t reserve;
    uint32_t packets, drops; /* since PACKET_STATISTICS was last asked */
};

static struct packet_sock *packet_sk(struct sock *sk)
{
    return (struct packet_sock *)sk;
}

/* What is told of a frame when it is read. */
struct packet_cb {
    uint32_t ifindex, len; /* len: before the filter cut it */
    uint16_t protocol, hatype;
    uint8_t pkt_type, status, addr[ETH_ALEN];
};
_Static_assert(sizeof(struct packet_cb) <= sizeof(((struct sk_buff *)0)->cb), "the owner's scratch");
static struct packet_cb *packet_cb(const struct sk_buff *skb)
{
    return (struct packet_cb *)skb->cb;
}

/* ---- receive ---- */

/* Is this a frame for po? queue_lock held. Only who asks for everything hears of what is sent. */
static bool wants(const struct packet_sock *po, const struct sk_buff *skb)
{
    bool outgoing = skb->pkt_type == PACKET_OUTGOING;

    if (po->ifindex && po->ifindex != skb->dev->ifindex)
        return false;
    if (po->protocol == ETH_P_ALL)
        return !(outgoing && READ_ONCE(po->ignore_outgoing));
    return !outgoing && be16_to_cpu(skb->protocol) == po->protocol;
}

/* Let data begin at the link header, or behind it. */
static void set_start(struct sk_buff *skb, bool link_header)
{
    uint32_t mac = skb->mac_offset, at = skb_headroom(skb), start = mac + (link_header ? 0 : ETH_HLEN);

    if (at > start)
        skb_push(skb, at - start);
    else
        skb_pull(skb, MIN(start - at, skb->len));
}

static void remember(struct sk_buff *skb)
{
    const uint8_t *source = (const uint8_t *)skb_mac_header(skb) + ETH_ALEN;
    struct packet_cb *cb = packet_cb(skb);

    cb->ifindex = skb->dev->ifindex;
    cb->hatype = skb->dev->type;
    cb->protocol = be16_to_cpu(skb->protocol);
    cb->pkt_type = skb->pkt_type;
    cb->status = skb->ip_summed == CHECKSUM_PARTIAL       ? TP_STATUS_CSUMNOTREADY
                 : skb->ip_summed == CHECKSUM_UNNECESSARY ? TP_STATUS_CSUM_VALID
                                                          : 0;
    cb->len = skb->len;
    memcpy(cb->addr, source, ETH_ALEN);
}

/* How much of skb the program wants. queue_lock held. */
static uint32_t filtered(const struct packet_sock *po, const struct sk_buff *skb)
{
    const struct bpf_packet p = { .data = skb->data,
                                  .len = skb->len,
                                  .mac = skb_mac_header(skb),
                                  .network = (const uint8_t *)skb_mac_header(skb) + ETH_HLEN,
                                  .end = skb->tail,
                                  .protocol = be16_to_cpu(skb->protocol),
                                  .pkt_type = skb->pkt_type,
                                  .ifindex = skb->dev->ifindex,
                                  .cpu = cpu_id() };

    return po->filter ? bpf_run(po->filter, &p) : skb->len;
}

/* Where the program hears of skb: its data begins where the program wants. 0: he does not want it. */
static uint32_t wanted_of(const struct packet_sock *po, struct sk_buff *skb)
{
    if (!wants(po, skb))
        return 0;
    set_start(skb, po->sk.type == SOCK_RAW);
    return filtered(po, skb);
}

static struct sockaddr_ll address_of(const struct packet_cb *cb)
{
    struct sockaddr_ll ll = { .sll_family = AF_PACKET,
                              .sll_protocol = cpu_to_be16(cb->protocol).raw,
                              .sll_ifindex = (int)cb->ifindex,
                              .sll_hatype = cb->hatype,
                              .sll_pkttype = cb->pkt_type,
                              .sll_halen = ETH_ALEN };

    memcpy(ll.sll_addr, cb->addr, ETH_ALEN);
    return ll;
}

/* Copy skb to the ring. False: it is full. queue_lock held. */
static bool to_ring(struct packet_sock *po, struct sk_buff *skb, uint32_t wanted)
{
    const struct packet_cb *cb = packet_cb(skb);

    if (!packet_ring_has_room(&po->ring))
        return false;
    remember(skb);
    packet_ring_fill(&po->ring,
                     &(struct ring_frame){ .data = skb->data,
                                           .len = cb->len,
                                           .snaplen = MIN(wanted, skb->len),
                                           .status = cb->status | (po->drops ? TP_STATUS_LOSING : 0),
                                           .link_header = po->sk.type == SOCK_RAW ? ETH_HLEN : 0,
                                           .wall = wall_at(skb->tstamp),
                                           .address = address_of(cb) });
    consume_skb(skb);
    return true;
}

/* Queue skb. False: there is no room. queue_lock held. */
static bool to_queue(struct packet_sock *po, struct sk_buff *skb, uint32_t wanted)
{
    struct sock *sk = &po->sk;

    if (__atomic_load_n(&sk->rmem_alloc, __ATOMIC_RELAXED) >= READ_ONCE(sk->rcvbuf))
        return false;
    remember(skb);
    skb_trim(skb, wanted);
    skb_set_owner_r(skb, sk);
    skb_queue_tail(&sk->receive_queue, skb);
    return true;
}

/* Take skb if it is wanted. False: it stays the caller's. queue_lock held. */
static bool take(struct packet_sock *po, struct sk_buff *skb)
{
    uint32_t wanted = wanted_of(po, skb);

    if (!wanted)
        return false;
    po->packets++;
    bool taken = po->ring.pages ? to_ring(po, skb, wanted) : to_queue(po, skb, wanted);
    po->drops += !taken;
    return taken;
}

static void packet_tap(struct sk_buff *skb, struct packet_type *pt)
{
    struct packet_sock *po = container_of(pt, struct packet_sock, tap);
    bool taken = false;

    if (skb->mac_offset != SKB_OFFSET_NONE) {
        if (!skb->tstamp)
            skb->tstamp = time_now();
        lock_acquire(&po->queue_lock);
        taken = take(po, skb);
        if (taken)
            sock_wake_readers(&po->sk);
        lock_release(&po->queue_lock);
    }
    if (!taken)
        consume_skb(skb);
}

/* Wait for a frame. 0 and *skb with a reference of its own, or -errno. */
static int receive(struct packet_sock *po, int flags, struct sk_buff **skb)
{
    struct sock *sk = &po->sk;
    uint64_t deadline = sock_rcv_deadline(sk, flags);
    int err = 0;

    lock_acquire(&po->queue_lock);
    while (!(*skb = skb_peek(&sk->receive_queue)) && !err)
        err = deadline ? waitq_wait(&sk->wq, &po->queue_lock, deadline) : -EAGAIN;
    if (*skb && flags & MSG_PEEK) {
        *skb = skb_clone(*skb);
        err = *skb ? 0 : -ENOBUFS;
    } else if (*skb) {
        skb_unlink(&sk->receive_queue, *skb);
        err = 0;
    }
    lock_release(&po->queue_lock);
    return err == -ETIMEDOUT ? -EAGAIN : err;
}

static void write_name(struct message *msg, const struct packet_cb *cb)
{
    const struct sockaddr_ll ll = address_of(cb);

    memcpy(msg->name, &ll, sizeof ll);
    msg->name_len = sizeof ll;
}

static void tell_auxdata(const struct packet_sock *po, struct message *msg, const struct sk_buff *skb)
{
    const struct packet_cb *cb = packet_cb(skb);
    const struct tpacket_auxdata aux = { .tp_status = TP_STATUS_USER | cb->status,
                                         .tp_len = cb->len,
                                         .tp_snaplen = skb->len,
                                         .tp_net = po->sk.type == SOCK_RAW ? ETH_HLEN : 0 };

    put_cmsg(msg, SOL_PACKET, PACKET_AUXDATA, &aux, sizeof aux);
}

static ssize_t packet_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    struct packet_sock *po = packet_sk(sk);
    struct sk_buff *skb;

    if (flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC | MSG_ERRQUEUE | MSG_NOSIGNAL))
        return -EINVAL;
    if (flags & MSG_ERRQUEUE)
        return -EAGAIN;
    int err = receive(po, flags, &skb);
    if (err)
        return err;
    ssize_t n = datagram_copy(skb, msg, flags);
    sock_recv_stamp(sk, msg, skb);
    if (msg->name)
        write_name(msg, packet_cb(skb));
    if (READ_ONCE(po->auxdata))
        tell_auxdata(po, msg, skb);
    consume_skb(skb);
    return n;
}

/* ---- send ---- */

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

/* What po was bound to: its protocol and, in *ifindex, its device. */
static uint16_t bound_to(struct packet_sock *po, uint32_t *ifindex)
{
    lock_acquire(&po->queue_lock);
    uint16_t protocol = po->protocol;
    *ifindex = po->ifindex;
    lock_release(&po->queue_lock);
    return protocol;
}

static int find_destination(struct packet_sock *po, const struct message *msg, struct destination *to)
{
    uint32_t ifindex;
    uint16_t protocol = bound_to(po, &ifindex);
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

static ssize_t packet_sendmsg(struct sock *sk, struct message *msg, int flags)
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
    uint16_t protocol = bound_to(packet_sk(sk), &ifindex);
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

static struct membership *find_membership(struct packet_sock *po, const struct packet_mreq *m)
{
    struct membership *found;

    list_for_each_entry (found, &po->memberships, link)
        if (found->ifindex == (uint32_t)m->mr_ifindex && found->type == m->mr_type)
            return found;
    return NULL;
}

static void change_device(struct net *net, uint32_t ifindex, uint16_t type, int change)
{
    struct net_device *dev = dev_get_by_index(net, ifindex);

    if (dev && type == PACKET_MR_PROMISC) /* groups are received anyway */
        dev_set_promiscuity(dev, change);
}

static void packet_close(struct sock *sk)
{
    struct packet_sock *po = packet_sk(sk);
    struct packet_state *state = sk->net->packet;
    struct membership *m;

    lock_acquire(&sk->lock);
    sk->dead = true;
    listen_to(po, 0, 0);
    lock_release(&sk->lock);
    while ((m = list_first_entry(&po->memberships, struct membership, link))) {
        list_del(&m->link);
        change_device(sk->net, m->ifindex, m->type, -1);
        mem_free(m);
    }
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

/* ---- options ---- */

static int add_membership(struct packet_sock *po, const struct packet_mreq *mreq)
{
    struct membership *fresh = mem_alloc(sizeof *fresh), *m;

    if (!dev_get_by_index(po->sk.net, (uint32_t)mreq->mr_ifindex) || !fresh) {
        mem_free(fresh);
        return fresh ? -ENODEV : -ENOBUFS;
    }
    lock_acquire(&po->sk.lock);
    m = find_membership(po, mreq);
    if (m) {
        m->count++;
    } else {
        *fresh =
            (struct membership){ .ifindex = (uint32_t)mreq->mr_ifindex, .type = mreq->mr_type, .count = 1 };
        list_add(&fresh->link, &po->memberships);
    }
    lock_release(&po->sk.lock);
    if (m)
        mem_free(fresh);
    else
        change_device(po->sk.net, (uint32_t)mreq->mr_ifindex, mreq->mr_type, 1);
    return 0;
}

static int drop_membership(struct packet_sock *po, const struct packet_mreq *mreq)
{
    struct membership *m;

    lock_acquire(&po->sk.lock);
    m = find_membership(po, mreq);
    if (m && --m->count)
        m = NULL;
    else if (m)
        list_del(&m->link);
    lock_release(&po->sk.lock);
    if (m)
        change_device(po->sk.net, m->ifindex, m->type, -1);
    mem_free(m);
    return 0; /* as Linux: one that is not there is gone */
}

static int set_membership(struct packet_sock *po, int option, const void *value, socklen_t len)
{
    struct packet_mreq mreq;

    if (len < sizeof mreq)
        return -EINVAL;
    memcpy(&mreq, value, sizeof mreq);
    if (mreq.mr_type > PACKET_MR_UNICAST)
        return -EINVAL;
    return option == PACKET_ADD_MEMBERSHIP ? add_membership(po, &mreq) : drop_membership(po, &mreq);
}

/* False: there was none before. */
static bool install_filter(struct packet_sock *po, struct sock_filter *program, unsigned n)
{
    lock_acquire(&po->queue_lock);
    struct sock_filter *old = po->filter;
    po->filter = program;
    po->filter_len = n;
    lock_release(&po->queue_lock);
    mem_free(old);
    return old;
}

/* SO_ATTACH_FILTER: the program lies in the user's memory. */
static int attach_filter(struct packet_sock *po, const void *value, socklen_t len)
{
    struct sock_fprog prog;

    if (len != sizeof prog)
        return -EINVAL;
    memcpy(&prog, value, sizeof prog);
    if (!prog.filter || !prog.len || prog.len > BPF_MAX_INSNS)
        return -EINVAL;
    size_t size = prog.len * sizeof *prog.filter;
    struct sock_filter *program = mem_alloc(size);
    if (!program)
        return -ENOMEM;
    int err = copy_from_user(program, (uintptr_t)prog.filter, size);
    if (!err && !bpf_check(program, prog.len))
        err = -EINVAL;
    if (err)
        mem_free(program);
    else
        install_filter(po, program, prog.len);
    return err;
}

static int detach_filter(struct packet_sock *po)
{
    return install_filter(po, NULL, 0) ? 0 : -ENOENT;
}

static int set_flag(struct packet_sock *po, int option, int value)
{
    lock_acquire(&po->sk.lock);
    if (option == PACKET_AUXDATA)
        WRITE_ONCE(po->auxdata, value != 0);
    else
        WRITE_ONCE(po->ignore_outgoing, value != 0);
    lock_release(&po->sk.lock);
    return 0;
}

/* Put the ring that `ring` describes where po's is, which it becomes: one that comes or goes, while no
 * program shows the old one. 0 or -EBUSY. */
static int exchange_ring(struct packet_sock *po, struct packet_ring *ring)
{
    struct packet_ring old;
    int err = 0;

    lock_acquire(&po->queue_lock);
    old = po->ring;
    if (old.pages && (ring->pages || shared_pages_users(old.pages) > 1))
        err = -EBUSY;
    if (!err) {
        po->ring = *ring;
        skb_queue_purge(&po->sk.receive_queue, SKB_DROP_SOCKET_CLOSED);
        *ring = old;
    }
    lock_release(&po->queue_lock);
    return err;
}

static int set_ring(struct packet_sock *po, const void *value, socklen_t len)
{
    struct packet_ring ring = { .pages = NULL };
    struct tpacket_req req;
    int err = 0;

    if (len < sizeof req || READ_ONCE(po->version) != TPACKET_V2)
        return -EINVAL;
    memcpy(&req, value, sizeof req);
    if (req.tp_block_nr)
        err = packet_ring_create(&req, READ_ONCE(po->reserve), &ring);
    else if (req.tp_frame_nr)
        err = -EINVAL;
    if (err)
        return err;
    err = exchange_ring(po, &ring);
    shared_pages_put(ring.pages);
    return err;
}

/* What a ring will look like: not once there is one. */
static int set_ring_form(struct packet_sock *po, int option, int value)
{
    int err = 0;

    if (option == PACKET_VERSION ? value != TPACKET_V1 && value != TPACKET_V2
                                 : value < 0 || value > RING_RESERVE_MAX)
        return -EINVAL;
    lock_acquire(&po->queue_lock);
    if (po->ring.pages)
        err = -EBUSY;
    else if (option == PACKET_VERSION)
        WRITE_ONCE(po->version, value);
    else
        WRITE_ONCE(po->reserve, (uint32_t)value);
    lock_release(&po->queue_lock);
    return err;
}

static int packet_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    struct packet_sock *po = packet_sk(sk);
    int number;

    if (level == SOL_SOCKET && option == SO_ATTACH_FILTER)
        return attach_filter(po, value, len);
    if (level == SOL_SOCKET && option == SO_DETACH_FILTER)
        return detach_filter(po);
    if (level != SOL_PACKET)
        return -ENOPROTOOPT;
    switch (option) {
    case PACKET_ADD_MEMBERSHIP:
    case PACKET_DROP_MEMBERSHIP:
        return set_membership(po, option, value, len);
    case PACKET_RX_RING:
        return set_ring(po, value, len);
    case PACKET_AUXDATA:
    case PACKET_IGNORE_OUTGOING:
    case PACKET_VERSION:
    case PACKET_RESERVE:
        if (len < sizeof number)
            return -EINVAL;
        memcpy(&number, value, sizeof number);
        return option == PACKET_VERSION || option == PACKET_RESERVE ? set_ring_form(po, option, number)
                                                                    : set_flag(po, option, number);
    default:
        return -ENOPROTOOPT;
    }
}

/* How long is the header of a ring's frame in the version that the caller names there? */
static int give_header_length(void *value, socklen_t *len)
{
    int version, length = sizeof(struct tpacket2_hdr);

    if (*len < sizeof version)
        return -EINVAL;
    memcpy(&version, value, sizeof version);
    return version == TPACKET_V2 ? sockopt_give(value, len, &length, sizeof length) : -EINVAL;
}

static int packet_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    struct packet_sock *po = packet_sk(sk);
    struct tpacket_stats stats;
    int number;

    if (level != SOL_PACKET)
        return -ENOPROTOOPT;
    switch (option) {
    case PACKET_STATISTICS: /* reading them begins anew */
        lock_acquire(&po->queue_lock);
        stats = (struct tpacket_stats){ po->packets, po->drops };
        po->packets = po->drops = 0;
        lock_release(&po->queue_lock);
        return sockopt_give(value, len, &stats, sizeof stats);
    case PACKET_HDRLEN:
        return give_header_length(value, len);
    case PACKET_VERSION:
        number = READ_ONCE(po->version);
        return sockopt_give(value, len, &number, sizeof number);
    case PACKET_RESERVE:
        number = (int)READ_ONCE(po->reserve);
        return sockopt_give(value, len, &number, sizeof number);
    case PACKET_AUXDATA:
        number = READ_ONCE(po->auxdata);
        return sockopt_give(value, len, &number, sizeof number);
    case PACKET_IGNORE_OUTGOING:
        number = READ_ONCE(po->ignore_outgoing);
        return sockopt_give(value, len, &number, sizeof number);
    default:
        return -ENOPROTOOPT;
    }
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
        uint16_t protocol = bound_to(po, &ifindex);
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
