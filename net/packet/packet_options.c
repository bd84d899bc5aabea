/* net/packet/packet_options.c - packet(7)'s options: who is promiscuous, the filter, the ring. */
#include "lib/string.h"
#include "net/packet/packet_sock.h"

/* A device that a socket made promiscuous. */
struct membership {
    struct list_head link;
    uint32_t ifindex;
    uint16_t type;
    unsigned count;
};

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

void packet_drop_memberships(struct packet_sock *po)
{
    struct membership *m;

    while ((m = list_first_entry(&po->memberships, struct membership, link))) {
        list_del(&m->link);
        change_device(po->sk.net, m->ifindex, m->type, -1);
        mem_free(m);
    }
}

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

int packet_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
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

int packet_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
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
