/* net/core/zerocopy.c - numbers of calls with MSG_ZEROCOPY, from the call to the queue of what is to be told.
 * A notice has a reference to its socket until its number is in the queue. Its last reference may go anywhere
 * that a packet can end, under a device's lock too: so the queue has a lock of its own, below all those. */
#include "net/core/zerocopy.h"

struct notice {
    struct skb_notice base;
    struct list_head link; /* ERRORS lock */
    struct sock *sk;
    uint32_t first, last; /* numbers */
    bool aborted;         /* the call sent nothing */
};

/* Of a socket that has set SO_ZEROCOPY once. */
struct zerocopy {
    struct lock lock; /* ERRORS */
    uint32_t next;    /* number of the next call */
    unsigned n_told;  /* read without the lock */
    struct list_head told;
};

int zerocopy_set(struct sock *sk, int value)
{
    if (sk->family != AF_INET || (sk->protocol != IPPROTO_TCP && sk->protocol != IPPROTO_UDP))
        return -EOPNOTSUPP;
    if (value != 0 && value != 1)
        return -EINVAL;
    if (value && !sk->zerocopy) {
        struct zerocopy *z = mem_alloc(sizeof *z);
        if (!z)
            return -ENOMEM;
        lock_init(&z->lock, "what a socket is to be told", RANK_ERRORS);
        list_init(&z->told);
        __atomic_store_n(&sk->zerocopy, z, __ATOMIC_RELEASE); /* made before it is seen; partner: of() */
    }
    WRITE_ONCE(sk->zerocopy_on, value);
    return 0;
}

static struct zerocopy *of(const struct sock *sk)
{
    return __atomic_load_n(&sk->zerocopy, __ATOMIC_ACQUIRE);
}

/* Put n behind the others, or make the last of them longer. True: n itself is not needed. ERRORS lock held.
 */
static bool join(struct zerocopy *z, struct notice *n)
{
    struct notice *last = list_empty(&z->told) ? NULL : list_entry(z->told.prev, struct notice, link);

    if (last && last->last + 1 == n->first && last->base.copied == n->base.copied) {
        last->last = n->last;
        return true;
    }
    list_add_tail(&n->link, &z->told);
    WRITE_ONCE(z->n_told, z->n_told + 1);
    return false;
}

/* The last fragment is gone, or there was none. */
static void done(struct skb_notice *base)
{
    struct notice *n = container_of(base, struct notice, base);
    struct sock *sk = n->sk;
    struct zerocopy *z = of(sk);

    lock_acquire(&z->lock);
    bool spent = n->aborted || join(z, n);
    lock_release(&z->lock);
    if (spent)
        mem_free(n);
    sock_wake(sk);
    sock_put(sk);
}

static uint32_t take_number(struct zerocopy *z)
{
    lock_acquire(&z->lock);
    uint32_t number = z->next++;
    lock_release(&z->lock);
    return number;
}

int zerocopy_begin(struct sock *sk, int flags, size_t bytes, struct skb_notice **notice)
{
    *notice = NULL;
    if (likely(!(flags & MSG_ZEROCOPY)) || !bytes || !READ_ONCE(sk->zerocopy_on))
        return 0;
    struct notice *n = mem_alloc(sizeof *n);
    if (!n)
        return -ENOBUFS;
    sock_hold(sk);
    refcount_set(&n->base.refs, 1);
    n->base.done = done;
    n->sk = sk;
    n->first = n->last = take_number(of(sk));
    *notice = &n->base;
    return 0;
}

void zerocopy_end(struct skb_notice *base, ssize_t sent)
{
    if (!base)
        return;
    struct notice *n = container_of(base, struct notice, base);
    struct zerocopy *z = of(n->sk);
    if (sent <= 0) {
        lock_acquire(&z->lock);
        n->aborted = true;
        z->next--;
        lock_release(&z->lock);
    }
    skb_notice_put(base);
}

bool zerocopy_pending(const struct sock *sk)
{
    const struct zerocopy *z = of(sk);

    return unlikely(z) && READ_ONCE(z->n_told);
}

bool zerocopy_take(struct sock *sk, struct sock_extended_err *ee)
{
    struct zerocopy *z = of(sk);
    struct notice *n = NULL;

    if (!z)
        return false;
    lock_acquire(&z->lock);
    n = list_first_entry(&z->told, struct notice, link);
    if (n) {
        list_del(&n->link);
        WRITE_ONCE(z->n_told, z->n_told - 1);
    }
    lock_release(&z->lock);
    if (!n)
        return false;
    *ee = (struct sock_extended_err){ .ee_origin = SO_EE_ORIGIN_ZEROCOPY,
                                      .ee_code = n->base.copied ? SO_EE_CODE_ZEROCOPY_COPIED : 0,
                                      .ee_info = n->first,
                                      .ee_data = n->last };
    mem_free(n);
    return true;
}

void zerocopy_free(struct sock *sk)
{
    struct notice *n;

    while (sk->zerocopy && (n = list_first_entry(&sk->zerocopy->told, struct notice, link))) {
        list_del(&n->link);
        mem_free(n);
    }
    mem_free(sk->zerocopy);
}
