/* net/core/sock.c - what every socket has: references, turns, waiting, memory charged.
 * A sock lives while somebody holds a reference; the user's is one of several. */
#include "net/core/zerocopy.h"

int sk_alloc(struct net *net, int family, int type, int protocol, const struct sock_ops *ops,
             struct sock **out)
{
    ASSERT(ops->size >= sizeof(struct sock));
    struct sock *sk = mem_alloc(ops->size);
    if (!sk)
        return -ENOMEM;
    sk->net = net;
    sk->ops = ops;
    sk->family = (uint16_t)family;
    sk->type = (uint16_t)type;
    sk->protocol = (uint16_t)protocol;
    refcount_set(&sk->refs, 1);
    lock_init(&sk->lock, "socket", RANK_SOCK);
    sk->ino = __atomic_add_fetch(&net->last_sock_ino, 1, __ATOMIC_RELAXED);
    waitq_init(&sk->wq);
    waitq_init(&sk->turns);
    sk->rcvlowat = 1;
    sk->max_pacing_rate = UINT64_MAX;
    sk->peek_off = -1;
    sk->busy_poll_budget = 8; /* Linux's */
    sk->txrehash = 1;
    skb_queue_head_init(&sk->receive_queue);
    skb_queue_head_init(&sk->error_queue);
    sk->pmtudisc = IP_PMTUDISC_WANT;
    sk->incoming_cpu = -1;
    sk->mc_ttl = 1; /* RFC 1112 6.1 */
    sk->mc_loop = sk->mc_all = true;
    sk->rcvbuf = (uint32_t)READ_ONCE(net->knobs.rmem_default);
    sk->sndbuf = (uint32_t)READ_ONCE(net->knobs.wmem_default);
    sk->rcvtimeo = sk->sndtimeo = TIME_NEVER;
    list_init(&sk->bind_link);
    int err = ops->init ? ops->init(sk) : 0;
    if (err) {
        mem_free(sk);
        return err;
    }
    __atomic_fetch_add(&net->sockets, 1, __ATOMIC_RELAXED);
    *out = sk;
    return 0;
}

void sock_hold(struct sock *sk)
{
    refcount_get(&sk->refs);
}

void sock_put(struct sock *sk)
{
    if (!refcount_put(&sk->refs))
        return;
    if (sk->ops->destroy)
        sk->ops->destroy(sk);
    skb_queue_purge(&sk->receive_queue, SKB_DROP_SOCKET_CLOSED);
    skb_queue_purge(&sk->error_queue, SKB_DROP_SOCKET_CLOSED);
    __atomic_fetch_sub(&sk->net->sockets, 1, __ATOMIC_RELAXED);
    mem_free(sk->ip_options);
    zerocopy_free(sk);
    mem_free(sk);
}

/* ---- turns ---- */

static int take_turn(struct sock *sk, bool *busy, uint64_t deadline)
{
    while (*busy) {
        int err = deadline ? waitq_wait(&sk->turns, &sk->lock, deadline) : -EAGAIN;
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : err;
    }
    *busy = true;
    return 0;
}

int sock_lock_reader(struct sock *sk, uint64_t deadline)
{
    return take_turn(sk, &sk->reading, deadline);
}

void sock_unlock_reader(struct sock *sk)
{
    sk->reading = false;
    waitq_wake(&sk->turns);
}

int sock_lock_writer(struct sock *sk, uint64_t deadline)
{
    return take_turn(sk, &sk->writing, deadline);
}

void sock_unlock_writer(struct sock *sk)
{
    sk->writing = false;
    waitq_wake(&sk->turns);
}

/* ---- waiting ---- */

static uint64_t deadline_of(uint64_t timeout, int flags)
{
    if (flags & MSG_DONTWAIT)
        return 0;
    return timeout == TIME_NEVER ? TIME_NEVER : time_now() + timeout;
}

uint64_t sock_rcv_deadline(const struct sock *sk, int flags)
{
    return deadline_of(READ_ONCE(sk->rcvtimeo), flags);
}

uint64_t sock_snd_deadline(const struct sock *sk, int flags)
{
    return deadline_of(READ_ONCE(sk->sndtimeo), flags);
}

int sock_wait(struct sock *sk, uint64_t deadline)
{
    if (!deadline)
        return -EAGAIN;
    int err = waitq_wait(&sk->wq, &sk->lock, deadline);
    return err == -ETIMEDOUT ? -EAGAIN : err; /* SO_RCVTIMEO's errno, socket(7) */
}

static bool has_room(const struct sock *sk)
{
    int64_t used = __atomic_load_n(&sk->wmem_alloc, __ATOMIC_SEQ_CST);

    int64_t limit = READ_ONCE(sk->sndbuf);

    return sk->type == SOCK_STREAM ? 3 * used <= 2 * limit : used < limit;
}

static bool room_came(void *sk)
{
    return has_room(sk);
}

int sock_wait_for_room(struct sock *sk, uint64_t deadline)
{
    int err = 0;

    while (!err && !has_room(sk))
        err = deadline ? waitq_wait_unless(&sk->wq, &sk->lock, deadline, room_came, sk) : -EAGAIN;
    return err == -ETIMEDOUT ? -EAGAIN : err;
}

void sock_wake(struct sock *sk)
{
    waitq_wake(&sk->wq);
}

void sock_wake_readers(struct sock *sk)
{
    waitq_wake_events(&sk->wq, POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND);
}

bool sock_stream_writable(struct sock *sk)
{
    if (has_room(sk))
        return true;
    __atomic_store_n(&sk->nospace, true, __ATOMIC_SEQ_CST); /* before the look; partner: somebody_is_told() */
    return has_room(sk);
}

static bool somebody_is_told(struct sock *sk)
{
    if (!has_room(sk))
        return false;
    return sk->type != SOCK_STREAM || __atomic_exchange_n(&sk->nospace, false, __ATOMIC_SEQ_CST);
}

void sock_wake_writers(struct sock *sk)
{
    waitq_wake_events(&sk->wq, somebody_is_told(sk) ? POLLOUT | POLLWRNORM | POLLWRBAND : 0);
}

int sock_error(struct sock *sk)
{
    int err = sk->err;
    sk->err = 0;
    return -err;
}

/* ---- memory charged ---- */

static void sock_rfree(struct sk_buff *skb)
{
    __atomic_fetch_sub(&skb->sk->rmem_alloc, skb->truesize, __ATOMIC_RELAXED);
}

/* Under whatever lock the last reference goes, a device's too, so without sk->lock: who waits for room looks
 * again when he can be woken (sock_wait_for_room()). A stream need not: what it is charged for stays in its
 * queues until it is acknowledged, which is under sk->lock. */
static void sock_wfree(struct sk_buff *skb)
{
    struct sock *sk = skb->sk;
    __atomic_fetch_sub(&sk->wmem_alloc, skb->truesize, __ATOMIC_SEQ_CST);
    sock_wake_writers(sk);
    sock_put(sk);
}

void skb_set_owner_r(struct sk_buff *skb, struct sock *sk)
{
    skb_orphan(skb);
    skb->sk = sk;
    skb->destructor = sock_rfree;
    __atomic_fetch_add(&sk->rmem_alloc, skb->truesize, __ATOMIC_RELAXED);
}

void skb_set_owner_w(struct sk_buff *skb, struct sock *sk)
{
    skb_orphan(skb);
    sock_hold(sk);
    skb->sk = sk;
    skb->destructor = sock_wfree;
    __atomic_fetch_add(&sk->wmem_alloc, skb->truesize, __ATOMIC_RELAXED);
}

int sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
    if (__atomic_load_n(&sk->rmem_alloc, __ATOMIC_RELAXED) >= READ_ONCE(sk->rcvbuf)) {
        WRITE_ONCE(sk->drops, sk->drops + 1);
        return -ENOBUFS;
    }
    skb_set_owner_r(skb, sk);
    skb_queue_tail(&sk->receive_queue, skb);
    sock_wake_readers(sk);
    return 0;
}
