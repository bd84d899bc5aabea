/* net/tcp/tcp_sockopt.c - options of the TCP level, with tcp(7)'s meaning; SOL_IP's are IPv4's. */
#include "lib/string.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_info.h"

enum { USER_MSS_MIN = 88, USER_MSS_MAX = 32767 }; /* tcp(7), TCP_MAXSEG */

static int set_congestion(struct tcp_sock *tp, const char *value, socklen_t len)
{
    char name[16] = { 0 };
    if (!len)
        return -EINVAL;
    memcpy(name, value, MIN((size_t)len, sizeof name - 1));
    const struct tcp_cong_ops *cong = tcp_cong_find(name);
    if (!cong)
        return -ENOENT;
    tcp_recovery_begin_with(tp, cong); /* the window stays */
    return 0;
}

/* tcp(7), and where it is silent what Linux refuses. */
enum { KEEP_SECONDS_MAX = 32767, KEEP_COUNT_MAX = 127, SYN_COUNT_MAX = 127, LINGER2_MAX = 120 };

static bool within(int value, int low, int high)
{
    return value >= low && value <= high;
}

static int set_nodelay(struct tcp_sock *tp, bool on) /* RFC 9293 3.7.4 */
{
    tp->nodelay = on;
    if (on && tp->cork) /* tcp(7): flushes what is pending, even though it stays corked */
        tcp_output_override(tp);
    else if (on)
        tcp_output(tp);
    return 0;
}

static int set_cork(struct tcp_sock *tp, bool on)
{
    tp->cork = on;
    tp->more = false;
    if (!on)
        tcp_output(tp);
    return 0;
}

static int set_maxseg(struct tcp_sock *tp, int value)
{
    if (value && !within(value, USER_MSS_MIN, USER_MSS_MAX))
        return -EINVAL;
    tp->user_mss = (uint16_t)value;
    tcp_update_mss(tp);
    return 0;
}

static int set_keepalive(struct tcp_sock *tp, int option, int value)
{
    if (!within(value, 1, option == TCP_KEEPCNT ? KEEP_COUNT_MAX : KEEP_SECONDS_MAX))
        return -EINVAL;
    if (option == TCP_KEEPCNT)
        tp->keep_count = (unsigned)value;
    else if (option == TCP_KEEPINTVL)
        tp->keep_interval = sec((uint64_t)value);
    else
        tp->keep_idle = sec((uint64_t)value);
    if (option == TCP_KEEPIDLE)
        tcp_keepalive_restart(tp);
    return 0;
}

/* TCP_LINGER2: beyond Linux's limit of two minutes it is the default again. */
static int set_linger2(struct tcp_sock *tp, int value)
{
    tp->linger2 = value < 0 ? -1 : value > LINGER2_MAX ? LINGER2_MAX : value;
    return 0;
}

static int set_fastopen(struct tcp_sock *tp, int value)
{
    if (value < 0 || !tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN)))
        return -EINVAL;
    tp->fastopen_queue = MIN((uint32_t)value, (uint32_t)SOCK_BACKLOG_MAX);
    return 0;
}

/* Nobody opens fast here: as where net.ipv4.tcp_fastopen is 0. */
static int set_fastopen_client(struct tcp_sock *tp, int option, int value)
{
    if (!within(value, 0, 1))
        return -EINVAL;
    if (option == TCP_FASTOPEN_CONNECT)
        return -EOPNOTSUPP;
    if (!tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN)))
        return -EINVAL;
    tp->fastopen_no_cookie = value;
    return 0;
}

/* TCP_DEFER_ACCEPT counts SYN+ACKs, sent after 1, 2, 4, ... s: the time until one of them. */
static uint32_t defer_time(int seconds)
{
    enum { LONGEST = 120, MOST = 255 };
    uint32_t time = 1, step = 1;

    if (seconds <= 0)
        return 0;
    for (int n = 1; time < (uint32_t)seconds && n < MOST; n++) {
        step = MIN(2 * step, (uint32_t)LONGEST);
        time += step;
    }
    return time;
}

static int set_window_clamp(struct tcp_sock *tp, int value)
{
    enum { LEAST = SOCK_BUF_MIN / 2 };

    if (!value && tp->sk.state != TCPS_CLOSED)
        return -EINVAL;
    tp->window_clamp = value ? MAX((uint32_t)value, (uint32_t)LEAST) : 0;
    return 0;
}

/* TCP_REPAIR and what goes with it: a connection is not taken up from elsewhere. As to who may not. */
static int refuse_repair(const struct tcp_sock *tp, int option)
{
    if (option == TCP_REPAIR_OPTIONS)
        return -EINVAL;
    return option == TCP_QUEUE_SEQ && tp->sk.state == TCPS_CLOSED ? -EINVAL : -EPERM;
}

static int set_switch(bool *on, int value)
{
    if (!within(value, 0, 1))
        return -EINVAL;
    WRITE_ONCE(*on, value); /* some are read without the lock */
    return 0;
}

static int set_int(struct tcp_sock *tp, int option, int value)
{
    switch (option) {
    case TCP_NODELAY:
        return set_nodelay(tp, value);
    case TCP_CORK:
        return set_cork(tp, value);
    case TCP_QUICKACK:
        tcp_quickack_set(tp, value);
        return 0;
    case TCP_MAXSEG:
        return set_maxseg(tp, value);
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
        return set_keepalive(tp, option, value);
    case TCP_LINGER2:
        return set_linger2(tp, value);
    case TCP_FASTOPEN:
        return set_fastopen(tp, value);
    case TCP_SYNCNT:
        if (!within(value, 1, SYN_COUNT_MAX))
            return -EINVAL;
        tp->syn_count = (unsigned)value;
        return 0;
    case TCP_USER_TIMEOUT: /* RFC 9293 3.9.1.1, RFC 5482; milliseconds, 0: the usual one */
        if (value < 0)
            return -EINVAL;
        tp->user_timeout = ms((uint64_t)value);
        return 0;
    case TCP_DEFER_ACCEPT:
        tp->defer_accept = defer_time(value);
        return 0;
    case TCP_WINDOW_CLAMP:
        return set_window_clamp(tp, value);
    case TCP_THIN_LINEAR_TIMEOUTS:
        return set_switch(&tp->thin, value);
    case TCP_THIN_DUPACK: /* of no meaning since Linux 4.11 */
        return within(value, 0, 1) ? 0 : -EINVAL;
    case TCP_INQ:
        return set_switch(&tp->inq, value);
    case TCP_TX_DELAY: /* a toy of tests: no delay is all there is */
        return value ? -ENOPROTOOPT : 0;
    case TCP_FASTOPEN_CONNECT:
    case TCP_FASTOPEN_NO_COOKIE:
        return set_fastopen_client(tp, option, value);
    case TCP_REPAIR:
    case TCP_REPAIR_QUEUE:
    case TCP_REPAIR_OPTIONS:
    case TCP_REPAIR_WINDOW:
    case TCP_QUEUE_SEQ:
    case TCP_TIMESTAMP:
        return refuse_repair(tp, option);
    case TCP_NOTSENT_LOWAT:
        tp->notsent_lowat = (uint32_t)value;
        sock_wake_writers(&tp->sk);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

void tcp_option_set(struct sock *sk, int option)
{
    if (option == SO_KEEPALIVE)
        tcp_keepalive_restart(tcp_sk(sk));
    if (option == SO_MAX_PACING_RATE)
        tcp_pacing_choose(tcp_sk(sk));
}

static int set_tcp(struct tcp_sock *tp, int option, const void *value, socklen_t len)
{
    int number;
    if (option == TCP_CONGESTION)
        return set_congestion(tp, value, len);
    if (option == TCP_ULP) /* there are none: no TLS in here */
        return len ? -ENOENT : -EINVAL;
    if (len < sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    return set_int(tp, option, number);
}

int tcp_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    if (level == SOL_IP)
        return ip_setsockopt(sk, option, value, len);
    if (level != IPPROTO_TCP)
        return -ENOPROTOOPT;
    lock_acquire(&sk->lock);
    int err = set_tcp(tcp_sk(sk), option, value, len);
    lock_release(&sk->lock);
    return err;
}

/* What a connection sends at most; before there is one, what was asked for. */
static int maxseg(const struct tcp_sock *tp)
{
    bool none = tcp_in(tp, TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN));

    return (int)(none && tp->user_mss ? tp->user_mss : tp->mss);
}

static int get_int(const struct tcp_sock *tp, int option, int *value)
{
    enum { SYN_RETRIES = 6 }; /* Linux's, shown where none were asked for */

    switch (option) {
    case TCP_NODELAY:
        *value = tp->nodelay;
        return 0;
    case TCP_CORK:
        *value = tp->cork;
        return 0;
    case TCP_QUICKACK:
        *value = !tp->interactive;
        return 0;
    case TCP_MAXSEG:
        *value = maxseg(tp);
        return 0;
    case TCP_KEEPIDLE:
        *value = (int)(tp->keep_idle / sec(1));
        return 0;
    case TCP_KEEPINTVL:
        *value = (int)(tp->keep_interval / sec(1));
        return 0;
    case TCP_KEEPCNT:
        *value = (int)tp->keep_count;
        return 0;
    case TCP_SYNCNT:
        *value = tp->syn_count ? (int)tp->syn_count : SYN_RETRIES;
        return 0;
    case TCP_LINGER2:
        *value = tp->linger2 < 0 ? -1 : (int)(tcp_fin_wait_time(tp) / sec(1));
        return 0;
    case TCP_DEFER_ACCEPT:
        *value = (int)tp->defer_accept;
        return 0;
    case TCP_USER_TIMEOUT:
        *value = (int)(tp->user_timeout / ms(1));
        return 0;
    case TCP_FASTOPEN:
        *value = (int)tp->fastopen_queue;
        return 0;
    case TCP_NOTSENT_LOWAT:
        *value = (int)tp->notsent_lowat;
        return 0;
    case TCP_WINDOW_CLAMP:
        *value = (int)tp->window_clamp;
        return 0;
    case TCP_THIN_LINEAR_TIMEOUTS:
        *value = tp->thin;
        return 0;
    case TCP_INQ:
        *value = tp->inq;
        return 0;
    case TCP_FASTOPEN_NO_COOKIE:
        *value = tp->fastopen_no_cookie;
        return 0;
    case TCP_TIMESTAMP:
        *value = (int)tcp_ts_now(tp);
        return 0;
    case TCP_REPAIR_QUEUE:
        return -EINVAL;
    case TCP_THIN_DUPACK:
    case TCP_REPAIR:
    case TCP_TX_DELAY:
    case TCP_FASTOPEN_CONNECT:
    case TCP_IS_MPTCP:
        *value = 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* The name in a field of its own, as Linux gives it. */
static int get_congestion(const struct tcp_sock *tp, void *value, socklen_t *len)
{
    char name[16] = { 0 };

    memcpy(name, tp->cong->name, MIN(strlen(tp->cong->name), sizeof name - 1));
    return sockopt_give(value, len, name, sizeof name);
}

static int get_tcp(struct tcp_sock *tp, int option, void *value, socklen_t *len)
{
    int number, err;

    if (option == TCP_CONGESTION)
        return get_congestion(tp, value, len);
    if (option == TCP_ULP || option == TCP_CC_INFO) { /* none; nothing to tell */
        *len = 0;
        return 0;
    }
    if (option == TCP_INFO) {
        struct tcp_info info = tcp_info_make(tp);
        return sockopt_give(value, len, &info, sizeof info);
    }
    err = get_int(tp, option, &number);
    return err ? err : sockopt_give(value, len, &number, sizeof number);
}

int tcp_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    if (level == SOL_IP)
        return ip_getsockopt(sk, option, value, len);
    if (level != IPPROTO_TCP)
        return -ENOPROTOOPT;
    lock_acquire(&sk->lock);
    int err = get_tcp(tcp_sk(sk), option, value, len);
    lock_release(&sk->lock);
    return err;
}
