/* net/unix/af_unix.c - the life of a local socket, what its kinds share, and the registration of the family.
 */
#include "lib/string.h"
#include "net/unix/unix.h"

/* ---- life ---- */

static int unix_init_sock(struct sock *sk)
{
    struct unix_sock *u = unix_sk(sk);
    struct unix_state *state = unix_of(sk);

    sk->protocol = 0;
    sk->type = sk->type == SOCK_RAW ? SOCK_DGRAM : sk->type; /* as Linux takes it */
    unix_set_state(sk, UNIX_CLOSED);
    u->peercred = (struct credentials){ .pid = 0, .uid = UINT32_MAX, .gid = UINT32_MAX };
    waitq_init(&u->room);
    list_init(&u->embryos);
    list_init(&u->embryo_link);
    list_init(&u->bound);
    list_init(&u->watchers);
    list_init(&u->watch_link);
    list_init(&u->flying);
    list_init(&u->held);
    list_init(&u->garbage);
    lock_acquire(&state->lock);
    list_add_tail(&u->all, &state->all);
    lock_release(&state->lock);
    return 0;
}

static void unix_destroy(struct sock *sk)
{
    struct unix_state *state = unix_of(sk);

    lock_acquire(&state->lock);
    list_del(&unix_sk(sk)->all);
    lock_release(&state->lock);
    unix_name_free(unix_sk(sk)->name);
}

/* Nobody finds sk by name any more, and it waits for no place in a queue. */
static void leave_tables(struct sock *sk)
{
    struct unix_state *state = unix_of(sk);

    lock_acquire(&state->lock);
    list_del(&unix_sk(sk)->bound);
    list_del(&unix_sk(sk)->watch_link);
    lock_release(&state->lock);
}

/* The part of close() that is done under sk's lock: its peer's reference and its queue are the caller's. */
static struct sock *detach(struct sock *sk, struct sk_buff_head *queue)
{
    struct sk_buff *skb;

    lock_acquire(&sk->lock);
    struct sock *peer = unix_sk(sk)->peer;
    unix_sk(sk)->peer = NULL;
    WRITE_ONCE(sk->dead, true);
    unix_set_state(sk, UNIX_CLOSED);
    unix_set_shutdown(sk, RCV_SHUTDOWN | SEND_SHUTDOWN);
    while ((skb = skb_dequeue(&sk->receive_queue)))
        skb_queue_tail(queue, skb);
    waitq_wake(&unix_sk(sk)->room);
    lock_release(&sk->lock);
    return peer;
}

static void unix_close(struct sock *sk)
{
    struct sk_buff_head queue;

    skb_queue_head_init(&queue);
    leave_tables(sk);
    struct sock *peer = detach(sk, &queue);
    if (peer && unix_is_connected_kind(sk))
        unix_hang_up(peer, !skb_queue_empty(&queue)); /* unix(7): ECONNRESET tells of what was not read */
    if (peer)
        sock_put(peer);
    unix_close_embryos(sk);
    unix_wake_watchers(sk);
    skb_queue_purge(&queue, SKB_DROP_SOCKET_CLOSED);
    unix_flight_collect(sk->net);
}

static int unix_shutdown(struct sock *sk, int how)
{
    static const uint8_t ours[] = {
        [SHUT_RD] = RCV_SHUTDOWN, [SHUT_WR] = SEND_SHUTDOWN, [SHUT_RDWR] = RCV_SHUTDOWN | SEND_SHUTDOWN
    };
    static const uint8_t its[] = {
        [SHUT_RD] = SEND_SHUTDOWN, [SHUT_WR] = RCV_SHUTDOWN, [SHUT_RDWR] = RCV_SHUTDOWN | SEND_SHUTDOWN
    };

    lock_acquire(&sk->lock);
    unix_set_shutdown(sk, ours[how]);
    sock_wake(sk);
    waitq_wake(&unix_sk(sk)->room);
    lock_release(&sk->lock);
    struct sock *peer = unix_is_connected_kind(sk) ? unix_peer_get(sk) : NULL;
    if (!peer)
        return 0;
    lock_acquire(&peer->lock);
    unix_set_shutdown(peer, its[how]);
    sock_wake(peer);
    lock_release(&peer->lock);
    sock_put(peer);
    return 0;
}

/* ---- buffers ---- */

/* Linux's measure: more than a quarter of the buffer in the air, and poll() does not say POLLOUT. */
static bool writable(const struct sock *sk, int64_t in_the_air)
{
    return in_the_air * 4 <= (int64_t)READ_ONCE(sk->sndbuf);
}

static void wake_writers(struct sock *sk)
{
    waitq_wake_events(&sk->wq, POLLOUT | POLLWRNORM | POLLWRBAND);
}

static void unix_skb_free(struct sk_buff *skb)
{
    struct sock *sk = skb->sk;

    if (unix_cb(skb)->files)
        unix_flight_crash(skb);
    lock_acquire(&sk->lock); /* so that nobody falls asleep between the look at wmem_alloc and the wait */
    if (writable(sk, __atomic_sub_fetch(&sk->wmem_alloc, skb->truesize, __ATOMIC_RELAXED)))
        wake_writers(sk);
    lock_release(&sk->lock);
    sock_put(sk);
}

/* Charge n bytes to sk once there is room. 0 or -errno. */
static int wait_for_room(struct sock *sk, uint64_t deadline)
{
    int err = 0;

    lock_acquire(&sk->lock);
    for (;;) {
        err = sock_error(sk);
        if (!err && sk->shutdown & SEND_SHUTDOWN)
            err = -EPIPE;
        if (err || __atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED) < (int64_t)sk->sndbuf)
            break;
        err = sock_wait(sk, deadline);
        if (err)
            break;
    }
    lock_release(&sk->lock);
    return err;
}

int unix_make_skb(struct sock *sk, struct message *msg, size_t n, uint64_t deadline, struct sk_buff **skb)
{
    int err = wait_for_room(sk, deadline);
    if (err)
        return err;
    *skb = alloc_skb(sk->net, (uint32_t)n);
    if (!*skb)
        return -ENOBUFS;
    err = copy_from_iter(skb_put(*skb, (uint32_t)n), n, &msg->iter);
    if (err) {
        consume_skb(*skb);
        return err;
    }
    sock_hold(sk);
    (*skb)->sk = sk;
    (*skb)->destructor = unix_skb_free;
    __atomic_fetch_add(&sk->wmem_alloc, (*skb)->truesize, __ATOMIC_RELAXED);
    return 0;
}

void unix_enqueue(struct sock *from, struct sock *to, struct sk_buff *skb)
{
    struct unix_cb *cb = unix_cb(skb);

    if (!cb->has_creds && (unix_passcred(from) || unix_passcred(to))) {
        struct credentials me;
        credentials_now(&me);
        cb->creds = (struct ucred){ me.pid, me.uid, me.gid };
        cb->has_creds = true;
    }
    skb->tstamp = READ_ONCE(to->timestamp) != STAMP_NONE ? time_now() : 0;
    skb_queue_tail(&to->receive_queue, skb);
    sock_wake_readers(to);
}

/* ---- what travels beside the bytes ---- */

/* May the caller say that he is who? Root may say anything (CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID). */
static bool may_claim(const struct ucred *who)
{
    struct credentials me;

    credentials_now(&me);
    if (!me.euid)
        return true;
    return who->pid == me.pid && (who->uid == me.uid || who->uid == me.euid) &&
           (who->gid == me.gid || who->gid == me.egid);
}

int unix_sender_credentials(const struct message *msg, struct unix_cb *cb)
{
    for (const struct cmsghdr *c = cmsg_first(msg); c; c = cmsg_next(msg, c)) {
        if (!cmsg_is_whole(msg, c))
            return -EINVAL;
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_RIGHTS)
            continue; /* its files are in msg->files already */
        if (c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof cb->creds))
            return -EINVAL;
        memcpy(&cb->creds, CMSG_DATA(c), sizeof cb->creds);
        if (!may_claim(&cb->creds))
            return -EPERM;
        cb->has_creds = true;
    }
    return 0;
}

static void tell_credentials(struct sk_buff *skb, struct message *msg)
{
    enum { OVERFLOW_ID = 65534 }; /* whoever sent it was not asked: nobody */
    const struct ucred unknown = { 0, OVERFLOW_ID, OVERFLOW_ID };
    const struct unix_cb *cb = unix_cb(skb);

    put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, cb->has_creds ? &cb->creds : &unknown, sizeof unknown);
}

void unix_receive_extras(struct sock *sk, struct sk_buff *skb, struct message *msg, int flags)
{
    if (msg->name)
        msg->name_len = unix_name_write(skb->sk, msg->name);
    if (unix_passcred(sk))
        tell_credentials(skb, msg);
    if (unix_cb(skb)->files)
        msg->files = flags & MSG_PEEK ? unix_flight_peek(skb) : unix_flight_land(skb);
}

/* ---- poll ---- */

bool unix_queue_full(const struct sock *sk, const struct sock *from)
{
    return unix_sk((struct sock *)sk)->peer != from && sk->receive_queue.qlen > UNIX_DGRAM_QUEUE;
}

/* Is the queue of sk's peer full? Then sk is woken when it no longer is. */
static bool watch_peer(struct sock *sk)
{
    struct sock *peer = unix_peer_get(sk);
    bool full = false;

    if (!peer)
        return false;
    lock_acquire(&peer->lock);
    full = !peer->dead && unix_queue_full(peer, sk);
    if (full) {
        struct unix_state *state = unix_of(sk);
        lock_acquire(&state->lock);
        list_del(&unix_sk(sk)->watch_link);
        list_add_tail(&unix_sk(sk)->watch_link, &unix_sk(peer)->watchers);
        WRITE_ONCE(unix_sk(peer)->watched, true);
        lock_release(&state->lock);
    }
    lock_release(&peer->lock);
    sock_put(peer);
    return full;
}

void unix_wake_watchers(struct sock *sk)
{
    struct unix_state *state = unix_of(sk);
    struct unix_sock *u;

    if (!READ_ONCE(unix_sk(sk)->watched)) /* who made room held sk->lock, and so does who finds none */
        return;
    lock_acquire(&state->lock);
    WRITE_ONCE(unix_sk(sk)->watched, false);
    while ((u = list_first_entry(&unix_sk(sk)->watchers, struct unix_sock, watch_link))) {
        list_del(&u->watch_link);
        wake_writers(&u->sk);
    }
    lock_release(&state->lock);
}

static int poll_events(const struct sock *sk)
{
    const struct unix_sock *u = (const struct unix_sock *)sk;
    int events = 0;

    if (sk->err)
        events |= POLLERR;
    if (sk->shutdown == (RCV_SHUTDOWN | SEND_SHUTDOWN))
        events |= POLLHUP;
    if (sk->shutdown & RCV_SHUTDOWN)
        events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (!skb_queue_empty(&sk->receive_queue) || !list_empty(&u->embryos))
        events |= POLLIN | POLLRDNORM;
    if (sk->type != SOCK_DGRAM && sk->state == UNIX_CLOSED) /* no connection yet */
        events |= POLLHUP;
    if (sk->state != UNIX_LISTENING && writable(sk, __atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED)))
        events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
}

static int unix_poll(struct sock *sk)
{
    lock_acquire(&sk->lock);
    int events = poll_events(sk);
    lock_release(&sk->lock);
    if (sk->type != SOCK_STREAM && events & POLLOUT && watch_peer(sk))
        events &= ~(POLLOUT | POLLWRNORM | POLLWRBAND);
    return events;
}

/* ---- options and requests ---- */

static int unix_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    int number;

    if (level != SOL_SOCKET || option != SO_PASSCRED)
        return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
    if (len < sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    lock_acquire(&sk->lock);
    WRITE_ONCE(unix_sk(sk)->passcred, number != 0);
    lock_release(&sk->lock);
    return 0;
}

static int unix_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    struct unix_sock *u = unix_sk(sk);

    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    lock_acquire(&sk->lock);
    const struct ucred peer = { u->peercred.pid, u->peercred.uid, u->peercred.gid };
    const int passcred = u->passcred;
    lock_release(&sk->lock);
    switch (option) {
    case SO_PEERCRED:
        return sockopt_give(value, len, &peer, sizeof peer);
    case SO_PASSCRED:
        return sockopt_give(value, len, &passcred, sizeof passcred);
    default:
        return -ENOPROTOOPT;
    }
}

/* What FIONREAD tells: a stream's bytes, the first datagram's length. Lock held. */
static int bytes_waiting(struct sock *sk)
{
    struct sk_buff *skb = skb_peek(&sk->receive_queue);
    uint64_t n = 0;

    if (sk->type == SOCK_DGRAM)
        return skb ? (int)skb->len : 0;
    for (; skb; skb = skb_queue_next(&sk->receive_queue, skb))
        n += skb->len - unix_cb(skb)->consumed;
    return (int)MIN(n, (uint64_t)INT32_MAX);
}

static int unix_ioctl(struct sock *sk, unsigned request, uintptr_t arg)
{
    int number;

    if (request != FIONREAD && request != TIOCOUTQ)
        return -ENOTTY;
    lock_acquire(&sk->lock);
    bool listening = sk->state == UNIX_LISTENING;
    number =
        request == FIONREAD ? bytes_waiting(sk) : (int)__atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED);
    lock_release(&sk->lock);
    if (listening && request == FIONREAD)
        return -EINVAL;
    return copy_to_user(arg, &number, sizeof number);
}

/* ---- the three kinds ---- */

static const struct sock_ops stream_ops = {
    .size = sizeof(struct unix_sock),
    .init = unix_init_sock,
    .destroy = unix_destroy,
    .close = unix_close,
    .bind = unix_bind,
    .listen = unix_listen,
    .accept = unix_accept,
    .connect = unix_stream_connect,
    .pair = unix_pair,
    .sendmsg = unix_stream_sendmsg,
    .recvmsg = unix_stream_recvmsg,
    .shutdown = unix_shutdown,
    .getname = unix_getname,
    .setsockopt = unix_setsockopt,
    .getsockopt = unix_getsockopt,
    .ioctl = unix_ioctl,
    .poll = unix_poll,
};
static const struct sock_ops seqpacket_ops = {
    .size = sizeof(struct unix_sock),
    .init = unix_init_sock,
    .destroy = unix_destroy,
    .close = unix_close,
    .bind = unix_bind,
    .listen = unix_listen,
    .accept = unix_accept,
    .connect = unix_stream_connect,
    .pair = unix_pair,
    .sendmsg = unix_seqpacket_sendmsg,
    .recvmsg = unix_seqpacket_recvmsg,
    .shutdown = unix_shutdown,
    .getname = unix_getname,
    .setsockopt = unix_setsockopt,
    .getsockopt = unix_getsockopt,
    .ioctl = unix_ioctl,
    .poll = unix_poll,
};
static const struct sock_ops dgram_ops = {
    .size = sizeof(struct unix_sock),
    .init = unix_init_sock,
    .destroy = unix_destroy,
    .close = unix_close,
    .bind = unix_bind,
    .connect = unix_dgram_connect,
    .pair = unix_pair,
    .sendmsg = unix_dgram_sendmsg,
    .recvmsg = unix_dgram_recvmsg,
    .shutdown = unix_shutdown,
    .getname = unix_getname,
    .setsockopt = unix_setsockopt,
    .getsockopt = unix_getsockopt,
    .ioctl = unix_ioctl,
    .poll = unix_poll,
};

/* ---- /proc/net/unix ---- */

static void show_name(const struct unix_name *name, struct textbuf *out)
{
    const char *text = name->addr.sun_path;
    size_t n = name->len - UNIX_PATH_OFFSET - (*text ? 1 : 0);

    textbuf_printf(out, " ");
    for (size_t i = 0; i < n; i++) /* a NUL is shown as Linux shows it */
        textbuf_printf(out, "%c", text[i] ? text[i] : '@');
}

static void unix_show(struct net *net, struct textbuf *out)
{
    enum { ACCEPTING = 1 << 16, UNCONNECTED = 1, CONNECTED = 3 }; /* Linux's flag and states of a socket */
    struct unix_state *state = net->unix_domain;
    struct unix_sock *u;

    textbuf_printf(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    lock_acquire(&state->lock);
    list_for_each_entry (u, &state->all, all) {
        const struct unix_name *name = unix_name_of(&u->sk);
        int sk_state = READ_ONCE(u->sk.state);
        textbuf_printf(out, "%016x: %08X %08X %08X %04X %02X %5lu", 0, refcount_read(&u->sk.refs), 0,
                       sk_state == UNIX_LISTENING ? ACCEPTING : 0, u->sk.type,
                       sk_state == UNIX_ESTABLISHED ? CONNECTED : UNCONNECTED, u->sk.ino);
        if (name)
            show_name(name, out);
        textbuf_printf(out, "\n");
    }
    lock_release(&state->lock);
}

/* ---- registration ---- */

static void register_kind(struct net *net, struct sock_family *f, int type, const struct sock_ops *ops)
{
    *f = (struct sock_family){ .family = AF_UNIX, .type = type, .protocol = AF_UNIX, .ops = ops };
    sock_register(net, f);
}

static int unix_init(struct net *net)
{
    struct unix_state *state = mem_alloc(sizeof *state);

    if (!state)
        return -ENOMEM;
    net->unix_domain = state;
    lock_init(&state->lock, "local sockets", RANK_SOCK_TABLE);
    list_init(&state->all);
    for (unsigned i = 0; i < UNIX_BUCKETS; i++)
        list_init(&state->bound[i]);
    state->next_auto = random_u32();
    unix_flight_init(state);
    register_kind(net, &state->stream, SOCK_STREAM, &stream_ops);
    register_kind(net, &state->dgram, SOCK_DGRAM, &dgram_ops);
    register_kind(net, &state->raw, SOCK_RAW, &dgram_ops);
    register_kind(net, &state->seqpacket, SOCK_SEQPACKET, &seqpacket_ops);
    state->file = (struct net_proc_file){ .name = "unix", .show = unix_show };
    net_proc_register(net, &state->file);
    return 0;
}

static void unix_exit(struct net *net)
{
    struct unix_state *state = net->unix_domain;

    ASSERT(list_empty(&state->all));
    net_proc_unregister(net, &state->file);
    sock_unregister(net, &state->seqpacket);
    sock_unregister(net, &state->raw);
    sock_unregister(net, &state->dgram);
    sock_unregister(net, &state->stream);
    mem_free(state);
    net->unix_domain = NULL;
}

const struct net_module unix_module = { .name = "unix", .init = unix_init, .exit = unix_exit };
