/* net/packet/packet_receive.c - a frame that a device sent or received, from the tap through the filter to
 * the queue or the ring, and from the queue to the program. */
#include "lib/string.h"
#include "net/packet/packet_sock.h"

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

void packet_tap(struct sk_buff *skb, struct packet_type *pt)
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

ssize_t packet_recvmsg(struct sock *sk, struct message *msg, int flags)
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
