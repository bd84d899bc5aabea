/* net/core/sockopt.c - the options of SOL_SOCKET, and the way to the protocols' own.
 * Values are checked before the lock is taken; socket(7) is the source where no RFC speaks. */
#include "lib/string.h"
#include "net/core/zerocopy.h"

/* struct timeval and struct linger as programs pass them. */
struct abi_timeval {
    int64_t sec, usec;
};
struct abi_linger {
    int32_t on, seconds;
};
_Static_assert(sizeof(struct abi_timeval) == 16 && sizeof(struct abi_linger) == 8, "the ABI's sizes");

/* ---- set ---- */

/* Options that are one bool of struct sock. */
static const struct flag_option {
    int option;
    uint16_t offset;
} flag_options[] = {
    { SO_REUSEADDR, offsetof(struct sock, reuseaddr) },
    { SO_REUSEPORT, offsetof(struct sock, reuseport) },
    { SO_KEEPALIVE, offsetof(struct sock, keepalive) },
    { SO_BROADCAST, offsetof(struct sock, broadcast) },
    { SO_NO_CHECK, offsetof(struct sock, no_check) },
    { SO_RXQ_OVFL, offsetof(struct sock, rxq_ovfl) },
    { SO_DONTROUTE, offsetof(struct sock, dontroute) },
    { SO_OOBINLINE, offsetof(struct sock, oobinline) },
    { SO_DEBUG, offsetof(struct sock, debug) },
    { SO_NOFCS, offsetof(struct sock, nofcs) },
    { SO_RCVMARK, offsetof(struct sock, rcvmark) },
    { SO_WIFI_STATUS, offsetof(struct sock, wifi_status) },
    { SO_SELECT_ERR_QUEUE, offsetof(struct sock, select_err_queue) },
    { SO_LOCK_FILTER, offsetof(struct sock, filter_locked) },
    { SO_PREFER_BUSY_POLL, offsetof(struct sock, prefer_busy_poll) },
};

static bool *flag_option(struct sock *sk, int option)
{
    for (unsigned i = 0; i < ARRAY_SIZE(flag_options); i++)
        if (flag_options[i].option == option)
            return (bool *)((uint8_t *)sk + flag_options[i].offset);
    return NULL;
}

/* A time-out: 0 means for ever. 0 or -EDOM. */
static int parse_timeout(const void *value, socklen_t len, uint64_t *timeout)
{
    struct abi_timeval tv;

    if (len < sizeof tv)
        return -EINVAL;
    memcpy(&tv, value, sizeof tv);
    if (tv.usec < 0 || tv.usec >= 1000000)
        return -EDOM;
    if (tv.sec < 0) /* Linux: a time already past means do not wait */
        *timeout = 0;
    else if ((!tv.sec && !tv.usec) || tv.sec > INT32_MAX)
        *timeout = TIME_NEVER;
    else
        *timeout = sec(tv.sec) + us(tv.usec);
    return 0;
}

static int set_timeout(struct sock *sk, int option, const void *value, socklen_t len)
{
    uint64_t timeout;
    int err = parse_timeout(value, len, &timeout);
    if (!err)
        WRITE_ONCE(*(option == SO_RCVTIMEO || option == SO_RCVTIMEO_NEW ? &sk->rcvtimeo : &sk->sndtimeo),
                   timeout);
    return err;
}

static int set_linger(struct sock *sk, const void *value, socklen_t len)
{
    struct abi_linger l;

    if (len < sizeof l)
        return -EINVAL;
    memcpy(&l, value, sizeof l);
    lock_acquire(&sk->lock);
    sk->linger = l.on != 0;
    sk->linger_seconds = (uint32_t)MAX(l.seconds, 0);
    lock_release(&sk->lock);
    return 0;
}

/* At most what the administrator grants; doubled, to leave room for the bookkeeping (socket(7)). */
static uint32_t buffer_limit(int value, int32_t most)
{
    uint64_t twice = 2 * (uint64_t)(uint32_t)CLAMP(value, 0, most);
    return (uint32_t)CLAMP(twice, (uint64_t)SOCK_BUF_MIN, (uint64_t)SOCK_BUF_MAX);
}

static int set_device(struct sock *sk, const void *value, socklen_t len)
{
    char name[16] = { 0 };
    uint32_t ifindex = 0;

    memcpy(name, value, MIN(len, (socklen_t)sizeof name - 1));
    if (name[0]) {
        struct net_device *dev = dev_get_by_name(sk->net, name);
        if (!dev)
            return -ENODEV;
        ifindex = dev->ifindex;
    }
    lock_acquire(&sk->lock);
    WRITE_ONCE(sk->bound_ifindex, ifindex); /* look-ups read it without the lock */
    lock_release(&sk->lock);
    return 0;
}

/* One of the two, or none: turning either off turns off both, as in Linux. */
static void set_stamp(struct sock *sk, int option, bool on)
{
    bool us = option == SO_TIMESTAMP || option == SO_TIMESTAMP_NEW;

    WRITE_ONCE(sk->stamp_new, on && (option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW));
    WRITE_ONCE(sk->timestamp, (uint8_t)(!on ? STAMP_NONE : us ? STAMP_US : STAMP_NS));
}

/* Marks, and priorities above 6, are for the administrator (socket(7)). */
static int set_for_root(struct sock *sk, int option, int value)
{
    struct credentials me;

    credentials_now(&me);
    if (!me.net_admin && !me.net_raw && (option == SO_MARK || value < 0 || value > 6))
        return -EPERM;
    WRITE_ONCE(*(option == SO_MARK ? &sk->mark : &sk->priority), (uint32_t)value);
    return 0;
}

/* SO_SNDBUFFORCE and SO_RCVBUFFORCE: beyond what is granted, also the administrator's. */
static int force_buffer(struct sock *sk, int option, int value)
{
    struct credentials me;

    credentials_now(&me);
    if (me.euid)
        return -EPERM;
    WRITE_ONCE(*(option == SO_SNDBUFFORCE ? &sk->sndbuf : &sk->rcvbuf),
               buffer_limit(value, SOCK_BUF_MAX / 2));
    *(option == SO_SNDBUFFORCE ? &sk->sndbuf_set : &sk->rcvbuf_set) = true;
    return 0;
}

static bool is_administrator(void)
{
    struct credentials me;

    credentials_now(&me);
    return me.net_admin;
}

/* May the flag become that? */
static int check_flag(const struct sock *sk, int option, bool on)
{
    switch (option) {
    case SO_DEBUG:
        return on && !is_administrator() ? -EACCES : 0;
    case SO_PREFER_BUSY_POLL:
        return on && !is_administrator() ? -EPERM : 0;
    case SO_REUSEPORT:
        return on && sk->family != AF_INET ? -EOPNOTSUPP : 0;
    case SO_LOCK_FILTER:
        return sk->filter_locked && !on ? -EPERM : 0;
    default:
        return 0;
    }
}

/* SO_BINDTOIFINDEX; 0: any. A device that is not there yet will do (Linux). */
static int set_ifindex(struct sock *sk, int ifindex)
{
    if (ifindex < 0)
        return -EINVAL;
    WRITE_ONCE(sk->bound_ifindex, (uint32_t)ifindex);
    return 0;
}

/* SO_BUF_LOCK: which buffers nobody but the user changes. */
static int set_buf_lock(struct sock *sk, int value)
{
    enum { SEND = 1, RECEIVE = 2 };

    if (value & ~(SEND | RECEIVE))
        return -EINVAL;
    sk->sndbuf_set = value & SEND;
    sk->rcvbuf_set = value & RECEIVE;
    return 0;
}

static int set_busy_poll(struct sock *sk, int option, int value)
{
    bool budget = option == SO_BUSY_POLL_BUDGET;

    if (budget && value > (int)sk->busy_poll_budget && !is_administrator())
        return -EPERM;
    if (value < 0 || (budget && value > (int)UINT16_MAX))
        return -EINVAL;
    WRITE_ONCE(*(budget ? &sk->busy_poll_budget : &sk->busy_poll), (uint32_t)value);
    return 0;
}

/* SO_TXREHASH is TCP's; -1: what the system has. */
static int set_txrehash(struct sock *sk, int value)
{
    if (sk->family != AF_INET || sk->type != SOCK_STREAM)
        return -EOPNOTSUPP;
    if (value < -1 || value > 1)
        return -EINVAL;
    WRITE_ONCE(sk->txrehash, value != 0);
    return 0;
}

static bool has_peek_off(const struct sock *sk)
{
    return sk->family == AF_UNIX || (sk->family == AF_INET && sk->type != SOCK_RAW);
}

static int set_int(struct sock *sk, int option, int value)
{
    bool *flag = flag_option(sk, option);

    if (flag) {
        int err = check_flag(sk, option, value != 0);
        if (err)
            return err;
        WRITE_ONCE(*flag, value != 0);
        if (sk->ops->option_set)
            sk->ops->option_set(sk, option);
        return 0;
    }
    switch (option) {
    case SO_SNDBUF:
        WRITE_ONCE(sk->sndbuf, buffer_limit(value, READ_ONCE(sk->net->knobs.wmem_max)));
        sk->sndbuf_set = true;
        return 0;
    case SO_RCVBUF:
        WRITE_ONCE(sk->rcvbuf, buffer_limit(value, READ_ONCE(sk->net->knobs.rmem_max)));
        sk->rcvbuf_set = true;
        return 0;
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        return force_buffer(sk, option, value);
    case SO_RCVLOWAT:
        WRITE_ONCE(sk->rcvlowat, value < 0 ? INT32_MAX : (uint32_t)MAX(value, 1));
        return 0;
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_NEW:
        set_stamp(sk, option, value != 0);
        return 0;
    case SO_BINDTOIFINDEX:
        return set_ifindex(sk, value);
    case SO_BUF_LOCK:
        return set_buf_lock(sk, value);
    case SO_BUSY_POLL:
    case SO_BUSY_POLL_BUDGET:
        return set_busy_poll(sk, option, value);
    case SO_TXREHASH:
        return set_txrehash(sk, value);
    case SO_BSDCOMPAT: /* of no meaning since Linux 2.2 */
    case SO_CNX_ADVICE:
        return 0;
    case SO_DETACH_FILTER:
        if (sk->family == AF_PACKET)
            return -ENOPROTOOPT;
        return sk->filter_locked ? -EPERM : -ENOENT; /* packet sockets have filters, others never */
    case SO_PASSCRED:
        return sk->family == AF_UNIX ? -ENOPROTOOPT : -EOPNOTSUPP;
    case SO_PRIORITY:
    case SO_MARK:
        return set_for_root(sk, option, value);
    case SO_INCOMING_CPU:
        WRITE_ONCE(sk->incoming_cpu, value);
        return 0;
    case SO_ZEROCOPY:
        return zerocopy_set(sk, value);
    case SO_PEEK_OFF:
        if (!has_peek_off(sk))
            return -EOPNOTSUPP;
        WRITE_ONCE(sk->peek_off, value);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* SO_MAX_PACING_RATE, bytes a second, in four bytes or in eight; all ones: no limit (Linux). */
static int set_pacing_rate(struct sock *sk, const void *value, socklen_t len)
{
    uint32_t small;
    uint64_t rate;

    if (len < sizeof small)
        return -EINVAL;
    memcpy(&small, value, sizeof small);
    rate = small == UINT32_MAX ? UINT64_MAX : small;
    if (len >= sizeof rate)
        memcpy(&rate, value, sizeof rate);
    lock_acquire(&sk->lock);
    WRITE_ONCE(sk->max_pacing_rate, rate);
    if (sk->ops->option_set)
        sk->ops->option_set(sk, SO_MAX_PACING_RATE);
    lock_release(&sk->lock);
    return 0;
}

static int set_socket_option(struct sock *sk, int option, const void *value, socklen_t len)
{
    int number;

    switch (option) {
    case SO_BINDTODEVICE:
        return set_device(sk, value, len);
    case SO_LINGER:
        return set_linger(sk, value, len);
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
    case SO_RCVTIMEO_NEW:
    case SO_SNDTIMEO_NEW:
        return set_timeout(sk, option, value, len);
    case SO_MAX_PACING_RATE:
        return set_pacing_rate(sk, value, len);
    }
    if (len < sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    lock_acquire(&sk->lock);
    int err = set_int(sk, option, number);
    lock_release(&sk->lock);
    return err;
}

int sock_option_level(const struct sock *sk, int level, bool set)
{
    bool transport = level == sk->protocol && (level == IPPROTO_TCP || level == IPPROTO_UDP);

    if (level == SOL_SOCKET)
        return 0;
    if (sk->family == AF_UNIX)
        return -EOPNOTSUPP;
    if (sk->family != AF_INET || level == SOL_IP || transport || (level == SOL_RAW && sk->type == SOCK_RAW))
        return 0;
    return set ? -ENOPROTOOPT : -EOPNOTSUPP;
}

int sock_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    int unknown = sock_option_level(sk, level, true);

    if (unknown)
        return unknown;
    if (level == SOL_SOCKET) {
        int err = set_socket_option(sk, option, value, len);
        if (err != -ENOPROTOOPT)
            return err;
    }
    return sk->ops->setsockopt ? sk->ops->setsockopt(sk, level, option, value, len) : -ENOPROTOOPT;
}

/* ---- get ---- */

int sockopt_give(void *value, socklen_t *len, const void *src, size_t n)
{
    n = MIN(n, (size_t)*len);
    memcpy(value, src, n);
    *len = (socklen_t)n;
    return 0;
}

static int take_error(struct sock *sk)
{
    lock_acquire(&sk->lock);
    int err = -sock_error(sk);
    lock_release(&sk->lock);
    return err;
}

/* How many of the filter's extensions there are: as many as Linux counts (SKF_AD_MAX). */
enum { BPF_EXTENSIONS = 64 };

static bool stamp_is(const struct sock *sk, int option)
{
    bool us = option == SO_TIMESTAMP || option == SO_TIMESTAMP_NEW;
    bool new = option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW;

    if (option == SO_TIMESTAMP_NEW) /* whichever of the two it is (Linux) */
        return sk->stamp_new && READ_ONCE(sk->timestamp) != STAMP_NONE;
    return READ_ONCE(sk->timestamp) == (us ? STAMP_US : STAMP_NS) && sk->stamp_new == new;
}

static int get_int(struct sock *sk, int option, int *value)
{
    bool *flag = flag_option(sk, option);

    if (flag) {
        *value = READ_ONCE(*flag);
        return 0;
    }
    switch (option) {
    case SO_TYPE:
        *value = sk->type;
        return 0;
    case SO_DOMAIN:
        *value = sk->family;
        return 0;
    case SO_PROTOCOL:
        *value = sk->protocol;
        return 0;
    case SO_ERROR:
        *value = take_error(sk);
        return 0;
    case SO_SNDBUF:
        *value = (int)READ_ONCE(sk->sndbuf);
        return 0;
    case SO_RCVBUF:
        *value = (int)READ_ONCE(sk->rcvbuf);
        return 0;
    case SO_RCVLOWAT:
        *value = (int)READ_ONCE(sk->rcvlowat);
        return 0;
    case SO_SNDLOWAT:
        *value = 1;
        return 0;
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_NEW:
        *value = stamp_is(sk, option);
        return 0;
    case SO_BINDTOIFINDEX:
        *value = (int)READ_ONCE(sk->bound_ifindex);
        return 0;
    case SO_BUF_LOCK:
        *value = sk->sndbuf_set | sk->rcvbuf_set << 1;
        return 0;
    case SO_BUSY_POLL:
        *value = (int)READ_ONCE(sk->busy_poll);
        return 0;
    case SO_TXREHASH:
        if (sk->family != AF_INET || sk->type != SOCK_STREAM)
            return -EOPNOTSUPP;
        *value = READ_ONCE(sk->txrehash);
        return 0;
    case SO_BSDCOMPAT:
    case SO_INCOMING_NAPI_ID: /* none is told */
        *value = 0;
        return 0;
    case SO_BPF_EXTENSIONS:
        *value = BPF_EXTENSIONS;
        return 0;
    case SO_PASSCRED:
        return sk->family == AF_UNIX ? -ENOPROTOOPT : -EOPNOTSUPP;
    case SO_PEEK_OFF:
        if (!has_peek_off(sk))
            return -EOPNOTSUPP;
        *value = READ_ONCE(sk->peek_off);
        return 0;
    case SO_PRIORITY:
        *value = (int)READ_ONCE(sk->priority);
        return 0;
    case SO_MARK:
        *value = (int)READ_ONCE(sk->mark);
        return 0;
    case SO_INCOMING_CPU:
        *value = READ_ONCE(sk->incoming_cpu);
        return 0;
    case SO_ZEROCOPY:
        *value = READ_ONCE(sk->zerocopy_on);
        return 0;
    case SO_ACCEPTCONN:
        *value = READ_ONCE(sk->state) == SOCK_STATE_LISTENING;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_linger(struct sock *sk, void *value, socklen_t *len)
{
    lock_acquire(&sk->lock);
    const struct abi_linger l = { sk->linger, (int32_t)sk->linger_seconds };
    lock_release(&sk->lock);
    return sockopt_give(value, len, &l, sizeof l);
}

static int get_timeout(uint64_t timeout, void *value, socklen_t *len)
{
    struct abi_timeval tv = { 0 };

    if (timeout != TIME_NEVER)
        tv = (struct abi_timeval){ (int64_t)(timeout / sec(1)), (int64_t)(timeout % sec(1) / us(1)) };
    return sockopt_give(value, len, &tv, sizeof tv);
}

/* SO_MAX_PACING_RATE: to whoever asks for an int, as much as that holds (Linux). */
static int get_pacing_rate(struct sock *sk, void *value, socklen_t *len)
{
    uint64_t rate = READ_ONCE(sk->max_pacing_rate);
    uint32_t small = (uint32_t)MIN(rate, (uint64_t)UINT32_MAX);

    return *len < sizeof rate ? sockopt_give(value, len, &small, sizeof small)
                              : sockopt_give(value, len, &rate, sizeof rate);
}

/* The name of the device sk is bound to; nothing if it is bound to none. */
static int get_device(struct sock *sk, void *value, socklen_t *len)
{
    uint32_t ifindex = READ_ONCE(sk->bound_ifindex);
    struct net_device *dev = ifindex ? dev_get_by_index(sk->net, ifindex) : NULL;

    *len = dev ? *len : 0;
    if (!dev)
        return 0;
    const struct dev_name name = dev_name(dev);
    return *len < sizeof name ? -EINVAL : sockopt_give(value, len, name.text, strlen(name.text) + 1);
}

/* The peer's name; who asks for less or more of it than there is gets none of it (Linux). */
static int get_peer_name(struct sock *sk, void *value, socklen_t *len)
{
    struct sockaddr_storage addr = { 0 };
    int n = sock_getname(sk, &addr, true);

    if (n < 0)
        return -ENOTCONN;
    return (socklen_t)n < *len ? -EINVAL : sockopt_give(value, len, &addr, (size_t)n);
}

/* What a socket is known by as long as this network lives: SO_COOKIE; the network's own: SO_NETNS_COOKIE. */
static int get_cookie(uint64_t cookie, void *value, socklen_t *len)
{
    return *len < sizeof cookie ? -EINVAL : sockopt_give(value, len, &cookie, sizeof cookie);
}

/* SO_MEMINFO: <linux/sock_diag.h>'s order. */
static int get_meminfo(struct sock *sk, void *value, socklen_t *len)
{
    const uint32_t info[9] = {
        [0] = (uint32_t)__atomic_load_n(&sk->rmem_alloc, __ATOMIC_RELAXED),
        [1] = READ_ONCE(sk->rcvbuf),
        [2] = (uint32_t)__atomic_load_n(&sk->wmem_alloc, __ATOMIC_RELAXED),
        [3] = READ_ONCE(sk->sndbuf),
        [8] = READ_ONCE(sk->drops),
    };

    return sockopt_give(value, len, info, sizeof info);
}

static int get_socket_option(struct sock *sk, int option, void *value, socklen_t *len)
{
    const struct ucred nobody = { 0, UINT32_MAX, UINT32_MAX };
    int number;

    switch (option) {
    case SO_LINGER:
        return get_linger(sk, value, len);
    case SO_BINDTODEVICE:
        return get_device(sk, value, len);
    case SO_PEERCRED:
        return sk->family == AF_UNIX ? -ENOPROTOOPT : sockopt_give(value, len, &nobody, sizeof nobody);
    case SO_RCVTIMEO:
    case SO_RCVTIMEO_NEW:
        return get_timeout(READ_ONCE(sk->rcvtimeo), value, len);
    case SO_SNDTIMEO:
    case SO_SNDTIMEO_NEW:
        return get_timeout(READ_ONCE(sk->sndtimeo), value, len);
    case SO_MAX_PACING_RATE:
        return get_pacing_rate(sk, value, len);
    case SO_PEERNAME:
        return get_peer_name(sk, value, len);
    case SO_COOKIE:
        return get_cookie(sk->ino, value, len);
    case SO_NETNS_COOKIE:
        return *len == sizeof(uint64_t) ? get_cookie(1, value, len) : -EINVAL;
    case SO_MEMINFO:
        return get_meminfo(sk, value, len);
    }
    int err = get_int(sk, option, &number);
    return err ? err : sockopt_give(value, len, &number, sizeof number);
}

int sock_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    int unknown = sock_option_level(sk, level, false);

    if (unknown)
        return unknown;
    if (level == SOL_SOCKET) {
        /* a protocol may know better: SO_ACCEPTCONN is TCP's */
        int err = get_socket_option(sk, option, value, len);
        if (err != -ENOPROTOOPT)
            return err;
    }
    return sk->ops->getsockopt ? sk->ops->getsockopt(sk, level, option, value, len) : -ENOPROTOOPT;
}
