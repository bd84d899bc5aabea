/* net/core/socket.c - the socket calls that net.h offers: each finds the protocol's operation.
 * An operation that a protocol does not have is NULL in its sock_ops and answers -EOPNOTSUPP here. */
#include "lib/string.h"
#include "net/core/sock.h"

/* ---- families ---- */

void sock_register(struct net *net, struct sock_family *f)
{
    list_add_tail(&f->link, &net->sock_families);
}

void sock_unregister(struct net *net, struct sock_family *f)
{
    (void)net;
    list_del(&f->link);
}

/* Who makes sockets of (family, type, protocol)? *err tells how near the asker came. */
static const struct sock_family *family_find(struct net *net, int family, int type, int protocol, int *err)
{
    struct sock_family *f;

    *err = -EAFNOSUPPORT;
    list_for_each_entry (f, &net->sock_families, link) {
        if (f->family != family)
            continue;
        if (*err == -EAFNOSUPPORT)
            *err = -ESOCKTNOSUPPORT;
        if (f->type != type)
            continue;
        *err = -EPROTONOSUPPORT;
        if (!protocol || !f->protocol || f->protocol == protocol)
            return f;
    }
    return NULL;
}

int sock_create(struct net *net, int family, int type, int protocol, struct sock **sk)
{
    int err;

    enum { FAMILIES = 46, TYPES = 11 }; /* numbers that Linux has a meaning for */
    if (family < 0 || family >= FAMILIES)
        return -EAFNOSUPPORT;
    if (type < 0 || type >= TYPES)
        return -EINVAL;
    const int most = family == AF_INET ? IPPROTO_RAW : UINT16_MAX; /* AF_PACKET: an EtherType */
    if (protocol < 0 || protocol > most)
        return -EINVAL;
    const struct sock_family *f = family_find(net, family, type, protocol, &err);
    if (!f)
        return err;
    err = sk_alloc(net, family, type, protocol ? protocol : f->protocol, f->ops, sk);
    if (!err) {
        struct credentials me;
        credentials_now(&me);
        (*sk)->uid = me.euid;
    }
    return err;
}

int sock_pair(struct net *net, int family, int type, int protocol, struct sock *pair[2])
{
    int err = sock_create(net, family, type, protocol, &pair[0]);
    if (err)
        return err;
    err = sock_create(net, family, type, protocol, &pair[1]);
    if (!err) {
        err = pair[0]->ops->pair ? pair[0]->ops->pair(pair[0], pair[1]) : -EOPNOTSUPP;
        if (!err)
            return 0;
        sock_release(pair[1]);
    }
    sock_release(pair[0]);
    return err;
}

void sock_release(struct sock *sk)
{
    sk->ops->close(sk);
    sock_put(sk);
}

/* ---- calls ---- */

int sock_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    return sk->ops->bind ? sk->ops->bind(sk, addr, len) : -EOPNOTSUPP;
}

int sock_listen(struct sock *sk, int backlog)
{
    return sk->ops->listen ? sk->ops->listen(sk, backlog) : -EOPNOTSUPP;
}

int sock_accept(struct sock *sk, int flags, struct sock **newsk)
{
    return sk->ops->accept ? sk->ops->accept(sk, flags, newsk) : -EOPNOTSUPP;
}

int sock_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags)
{
    return sk->ops->connect ? sk->ops->connect(sk, addr, len, flags) : -EOPNOTSUPP;
}

ssize_t sock_sendmsg(struct sock *sk, struct message *msg, int flags)
{
    return sk->ops->sendmsg ? sk->ops->sendmsg(sk, msg, flags) : -EOPNOTSUPP;
}

ssize_t sock_recvmsg(struct sock *sk, struct message *msg, int flags)
{
    msg->flags = 0;
    msg->name_len = 0;
    msg->control_used = 0;
    return sk->ops->recvmsg ? sk->ops->recvmsg(sk, msg, flags) : -EOPNOTSUPP;
}

int sock_shutdown(struct sock *sk, int how)
{
    if (how < SHUT_RD || how > SHUT_RDWR)
        return -EINVAL;
    return sk->ops->shutdown ? sk->ops->shutdown(sk, how) : -EOPNOTSUPP;
}

int sock_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    return sk->ops->getname ? sk->ops->getname(sk, addr, peer) : -EOPNOTSUPP;
}

int sock_poll(struct sock *sk)
{
    return sk->ops->poll(sk);
}

struct shared_pages *sock_pages(struct sock *sk)
{
    return sk->ops->pages ? sk->ops->pages(sk) : NULL;
}

struct waitq *sock_waitq(struct sock *sk)
{
    return &sk->wq;
}

int sock_type(const struct sock *sk)
{
    return sk->type;
}

int sock_family(const struct sock *sk)
{
    return sk->family;
}

uint64_t sock_ino(const struct sock *sk)
{
    return sk->ino;
}

void sock_set_owner(struct sock *sk, const struct signal_owner *owner)
{
    lock_acquire(&sk->lock);
    sk->owner = *owner;
    lock_release(&sk->lock);
}

int sock_ioctl(struct sock *sk, unsigned request, uintptr_t arg)
{
    struct sock_family *f;
    int err = sk->ops->ioctl ? sk->ops->ioctl(sk, request, arg) : -ENOTTY;

    list_for_each_entry (f, &sk->net->sock_families, link) {
        if (err != -ENOTTY)
            break;
        if (f->ioctl)
            err = f->ioctl(sk, request, arg);
    }
    return err;
}
